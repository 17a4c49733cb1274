"""The command about where bias comes from: a dataset against a reference, and a guideline's rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from core.access import Actor
from core.cli.options import JsonOption, ProjectArgument, WorkspaceOption, opened
from core.cli.output import Meter, emit
from core.errors import InputError
from core.services.analytics.guideline_rules import LearnedLimit, RuleFigure, RulesView, rules_view
from core.services.analytics.measured import measure_items
from core.services.analytics.object_sizes import ClassSizes, SizesView, object_sizes
from core.services.analytics.reference_sets import FEWEST, ReferenceAsk, two_sets
from core.services.analytics.selection_bias import ColumnTest, SelectionView, selection_bias
from core.services.analytics.too_clean import FIELD_SHARE, TooCleanView, too_clean
from core.services.workspace import Workspace
from core.stats.intervals import Estimate


def bias(
    project: ProjectArgument,
    against: Annotated[
        str, typer.Option(help="What to compare with: another project, or COLUMN=VALUE.")
    ] = "",
    rules: Annotated[bool, typer.Option("--rules", help="Measure the guideline's rules.")] = False,
    labelled: Annotated[
        bool, typer.Option("--labelled", help="Of the project only items with a label.")
    ] = False,
    least: Annotated[int, typer.Option(min=1, help="Pictures each side must have.")] = FEWEST,
    share: Annotated[
        float, typer.Option(help="Share of field-like pictures the project is to reach.")
    ] = FIELD_SHARE,
    measure: Annotated[
        bool, typer.Option(help="Measure images that were not measured yet.")
    ] = True,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare a dataset with what it will be used on, or with the rules of its guideline."""
    if bool(against) == rules:
        raise InputError(
            "Either name what to compare with, or ask for the guideline's rules.",
            "Add --against OTHER_PROJECT, --against COLUMN=VALUE or --rules.",
        )
    ws, me = opened(workspace)
    if rules:
        _measured(ws, me, (project,), measure, as_json)
        found = rules_view(ws, me, project)
        emit(_rules_document(found), as_json, _rules_text(found))
        return
    asked = ReferenceAsk(against, labelled, least)
    sets = two_sets(ws, me, project, asked)  # what will be refused is refused before the long work
    _measured(ws, me, dict.fromkeys((project, sets.there.project.slug)), measure, as_json)
    selected = selection_bias(ws, me, project, asked)
    told = too_clean(ws, me, project, asked, share)
    sizes = object_sizes(ws, me, project, asked)
    emit(_document(selected, told, sizes), as_json, _text(selected, told, sizes))


def _measured(
    ws: Workspace, me: Actor, projects: Sequence[str] | dict[str, None], measure: bool, quiet: bool
) -> None:
    if not measure:
        return
    meter = Meter(quiet)
    try:
        for project in projects:
            measure_items(ws, me, project, meter.show)
    finally:
        meter.close()


# --- against a reference --------------------------------------------------------------------------


def _document(view: SelectionView, told: TooCleanView, sizes: SizesView) -> dict[str, object]:
    sets = view.sets
    return {
        "project": sets.here.project.slug,
        "against": sets.asked.against,
        "labelled": sets.asked.labelled,
        "least": sets.asked.fewest,
        "here": len(sets.here),
        "there": len(sets.there),
        "in_both": sets.both,
        "unmeasured": {"here": view.unmeasured_here, "there": view.unmeasured_there},
        "notes": list(view.notes),
        "selection": {
            "tested": view.tested,
            "columns": [_column(c) for c in view.columns],
            "holes": [
                {
                    "column": h.column,
                    "value": h.cell.value,
                    "here": _estimate(h.cell.here),
                    "there": _estimate(h.cell.there),
                    "missing": _estimate(h.missing),
                    "adjusted_p": h.adjusted_p,
                }
                for h in view.holes
            ],
        },
        "too_clean": _told(told),
        "sizes": _sizes(sizes),
    }


def _column(c: ColumnTest) -> dict[str, object]:
    return {
        "column": c.column,
        "kind": c.kind.value,
        "test": c.test,
        "statistic": c.statistic,
        "n": c.here_n,
        "reference_n": c.there_n,
        "total_variation": _estimate(c.variation),
        "jensen_shannon": _estimate(c.divergence),
        "above": None if c.above is None else _estimate(c.above),
        "median": None if c.medians is None else c.medians[0],
        "reference_median": None if c.medians is None else c.medians[1],
        "p": c.p,
        "adjusted_p": c.adjusted_p,
        "differs": c.differs,
        "values": [
            {
                "value": cell.value,
                "low": cell.low,
                "high": cell.high,
                "here": _estimate(cell.here),
                "there": _estimate(cell.there),
            }
            for cell in c.cells
        ],
    }


def _told(told: TooCleanView) -> dict[str, object]:
    frames = told.frames
    return {
        "basis": told.basis.value,
        "n": told.here_n,
        "reference_n": told.there_n,
        "auc": _estimate(told.auc),
        "p": told.p,
        "told_apart": told.is_told,
        "tells": [
            {
                "property": t.name,
                "above": _estimate(t.above),
                "adjusted_p": t.adjusted_p,
                "median": t.medians[0],
                "reference_median": t.medians[1],
            }
            for t in told.tells
        ],
        "frames_to_add": None
        if frames is None
        else {
            **_estimate(frames.frames),
            "share": frames.target,
            "field_like_here": _estimate(frames.here),
            "field_like_there": _estimate(frames.there),
            "at_hand": frames.at_hand,
        },
    }


def _sizes(sizes: SizesView) -> dict[str, object]:
    return {
        "against": sizes.against or None,
        "reference_predicted": sizes.there_predicted,
        "notes": list(sizes.notes),
        "classes": [_class(c) for c in sizes.classes],
        "holes": [
            {
                "class": h.label or None,
                "low": h.bin.low,
                "high": h.bin.high,
                "here": _estimate(h.bin.here),
                "there": None if h.bin.there is None else _estimate(h.bin.there),
                "missing": _estimate(h.missing),
                "adjusted_p": h.adjusted_p,
            }
            for h in sizes.holes
        ],
    }


def _class(c: ClassSizes) -> dict[str, object]:
    return {
        "class": c.label or None,
        "regions": c.regions,
        "reference_regions": c.there_regions,
        "images": c.images,
        "quartiles": c.quartiles,
        "total_variation": None if c.variation is None else _estimate(c.variation),
        "p": c.p,
        "adjusted_p": c.adjusted_p,
        "coco": [_estimate(e) for e in c.coco],
        "coco_recall": [_estimate(e) for e in c.coco_recall],
        "sizes": [
            {
                "low": b.low,
                "high": b.high,
                "regions": b.here_count,
                "share": _estimate(b.here),
                "reference": None if b.there is None else _estimate(b.there),
                "recall": None if b.recall is None else _estimate(b.recall),
            }
            for b in c.bins
        ],
    }


def _estimate(e: Estimate) -> dict[str, object]:
    return {"n": e.n, "value": e.value, "low": e.low, "high": e.high}


def _text(view: SelectionView, told: TooCleanView, sizes: SizesView) -> str:
    sets = view.sets
    lines = [
        f"{sets.here.project.slug} ({len(sets.here):,} pictures) against {sets.asked.against} "
        f"({len(sets.there):,}); {view.tested} columns tested, {len(view.differing)} differ.",
    ]
    if not sets.is_enough:
        return f"{lines[0]}\nNot enough data: each side needs {sets.asked.fewest} pictures."
    if sets.both:
        lines.append(f"{sets.both:,} pictures are in both.")
    lines += ["", f"{'column':<24} {'n':>13}  {'distance, 95 %':<26} {'adj. p':>8}"]
    lines += [_column_line(c) for c in view.columns]
    if view.holes:
        lines += ["", "Too few of:"]
        lines += [
            f"  {h.column} {h.cell.value}: {_share(h.cell.there)} there, {_share(h.cell.here)} here; "
            f"{_number(h.missing)} more would give the same share"
            for h in view.holes[:20]
        ]
    return "\n".join([*lines, "", *_told_lines(told), *_size_lines(sizes), *view.notes])


def _column_line(c: ColumnTest) -> str:
    n = f"{c.here_n:,}/{c.there_n:,}"
    if c.p is None or c.adjusted_p is None:
        return f"{c.column[:24]:<24} {n:>13}  not enough data"
    p = "<0.001" if c.adjusted_p < 0.001 else f"{c.adjusted_p:.3f}"
    more = (
        "" if c.medians is None else f"  median {c.medians[1]:.4g} there, {c.medians[0]:.4g} here"
    )
    return f"{c.column[:24]:<24} {n:>13}  {_share(c.variation):<26} {p:>8}{more}"


def _told_lines(told: TooCleanView) -> list[str]:
    if told.auc.value is None:
        return ["Not enough data to let a classifier tell both sets apart."]
    if not told.is_told:
        return [f"A classifier on {told.basis.value} cannot tell them apart: {_share(told.auc)}."]
    lines = [
        f"A classifier on {told.basis.value} tells the reference's picture in {_share(told.auc)} of "
        "pairs."
    ]
    if told.frames is not None and told.frames.frames.value is not None:
        lines.append(
            f"{_number(told.frames.frames)} of its pictures added would bring field-like ones from "
            f"{_share(told.frames.here)} to {told.frames.target:.0%}."
        )
    return lines


def _size_lines(sizes: SizesView) -> list[str]:
    lines = []
    for c in sizes.classes:
        name = c.label or "all classes"
        small, medium, large = (_share(e) for e in c.coco)
        lines.append(
            f"{name}: {c.regions:,} regions; small {small}, medium {medium}, large {large}"
        )
    for h in sizes.holes[:10]:
        lines.append(
            f"  too few {h.label or 'regions'} of {h.bin.low:.0%} to {h.bin.high:.0%} of the "
            f"picture's side: {_number(h.missing)} more"
        )
    return [*(["", *lines] if lines else []), *sizes.notes]


def _share(e: Estimate) -> str:
    if e.value is None:
        return f"not enough data (n = {e.n:,})"
    if e.low is None or e.high is None:
        return f"{e.value * 100:.1f} %"
    return f"{e.value * 100:.1f} % ({e.low * 100:.1f} to {e.high * 100:.1f})"


def _number(e: Estimate) -> str:
    if e.value is None:
        return "no number"
    ends = (
        f"{e.low:,.0f}" if e.low is not None else "",
        f"{e.high:,.0f}" if e.high is not None else "",
    )
    return f"{e.value:,.0f} ({ends[0]} to {ends[1]})"


# --- rules ----------------------------------------------------------------------------------------


def _rules_document(view: RulesView) -> dict[str, object]:
    return {
        "project": view.project.slug,
        "guideline": view.project.guideline_version,
        "items": view.items,
        "unmeasured": view.unmeasured,
        "rules": [_rule(f) for f in view.figures],
        "refused": [{"line": b.line, "text": b.text, "reason": b.why} for b in view.refused],
        "limits": [_limit(x) for x in view.limits],
    }


def _rule(f: RuleFigure) -> dict[str, object]:
    return {
        "line": f.rule.line,
        "rule": f.rule.text,
        "broken": f.broken,
        "items": f.items,
        "measured": f.measured,
        "unmeasured": f.unmeasured,
        "share": _estimate(f.share),
        "problem": f.problem or None,
    }


def _limit(x: LearnedLimit) -> dict[str, object]:
    found = x.found
    return {
        "property": x.subject,
        "n": x.n,
        "bad": x.bad,
        "rule": x.line or None,
        "in_force": x.in_force or None,
        "limit": None if found is None else _estimate(found.limit),
        "inside": None if found is None else _estimate(found.inside),
        "outside": None if found is None else _estimate(found.outside),
        "difference": None if found is None else _estimate(found.difference),
        "adjusted_p": x.adjusted_p,
        "sure": x.is_sure,
    }


def _rules_text(view: RulesView) -> str:
    lines = []
    for f in view.figures:
        said = f.problem or f"{f.broken:,} of {f.measured:,} beyond, {_share(f.share)}"
        lines.append(f"line {f.rule.line}: {f.rule.text}: {said}")
    if not view.figures:
        lines.append(
            "The guideline has no rules: write them into a block that begins with ```rules."
        )
    lines += [b.why for b in view.refused]
    if view.unmeasured:
        lines.append(f"{view.unmeasured:,} of {view.items:,} pictures are not measured.")
    for x in view.limits:
        if x.is_sure and x.found is not None:
            lines.append(
                f"proposed: {x.line}: beyond it {_share(x.found.outside)} went wrong, within "
                f"{_share(x.found.inside)}"
            )
    if not any(x.is_sure for x in view.limits):
        lines.append("No limit is proposed: nothing surely goes wrong more often beyond one.")
    return "\n".join(lines)
