"""The command about where bias comes from: a dataset against a reference, and a guideline's rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from core.access import Actor
from core.cli.bias_text import rules_text, text_of
from core.cli.options import JsonOption, ProjectArgument, WorkspaceOption, opened
from core.cli.output import Meter, emit
from core.errors import InputError
from core.services.bias.guideline_rules import (
    RuleFigure,
    RulesView,
    Violations,
    rule_violations,
    rules_view,
)
from core.services.bias.learned_limits import LearnedLimit
from core.services.bias.measured import measure_items
from core.services.bias.object_sizes import ClassSizes, SizesView, object_sizes
from core.services.bias.reference_sets import FEWEST, ReferenceAsk, two_sets
from core.services.bias.selection_bias import ColumnTest, SelectionView, selection_bias
from core.services.bias.too_clean import FIELD_SHARE, TooCleanView, too_clean
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
        broken = {
            f.rule.line: rule_violations(ws, me, project, f.rule.line)
            for f in found.figures
            if f.broken
        }
        emit(_rules_document(found, broken), as_json, rules_text(found))
        return
    asked = ReferenceAsk(against, labelled, least)
    sets = two_sets(ws, me, project, asked)  # what will be refused is refused before the long work
    _measured(ws, me, dict.fromkeys((project, sets.there.project.slug)), measure, as_json)
    selected = selection_bias(ws, me, project, asked)
    told = too_clean(ws, me, project, asked, share)
    sizes = object_sizes(ws, me, project, asked)
    emit(_document(selected, told, sizes), as_json, text_of(selected, told, sizes))


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


# --- rules ----------------------------------------------------------------------------------------


def _rules_document(view: RulesView, broken: Mapping[int, Violations]) -> dict[str, object]:
    return {
        "project": view.project.slug,
        "guideline": view.project.guideline_version,
        "items": view.items,
        "unmeasured": view.unmeasured,
        "rules": [_rule(f, broken.get(f.rule.line)) for f in view.figures],
        "refused": [{"line": b.line, "text": b.text, "reason": b.why} for b in view.refused],
        "limits": [_limit(x) for x in view.limits],
    }


def _rule(f: RuleFigure, found: Violations | None) -> dict[str, object]:
    return {
        "line": f.rule.line,
        "rule": f.rule.text,
        "broken": f.broken,
        "items": f.items,
        "measured": f.measured,
        "unmeasured": f.unmeasured,
        "share": _estimate(f.share),
        "problem": f.problem or None,
        "violations": [
            {
                "item": v.picture.item_id,
                "name": v.picture.name,
                "class": v.label or None,
                "value": v.value,
                "limit": v.limit,
            }
            for v in (found.rows if found else ())
        ],
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
