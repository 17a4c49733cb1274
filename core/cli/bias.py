"""The command about where bias comes from: a reference, a guideline's rules, cameras and persons, labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from core.access import Actor
from core.cli.bias_effects import (
    confirmation_document,
    confirmation_text,
    measurement_document,
    measurement_text,
)
from core.cli.bias_text import rules_text, text_of
from core.cli.figures import estimate
from core.cli.options import JsonOption, ProjectArgument, WorkspaceOption, opened
from core.cli.output import Meter, emit
from core.errors import InputError
from core.services.bias.confirmation_bias import confirmation_bias
from core.services.bias.embedding import embed_sets
from core.services.bias.guideline_rules import (
    RuleFigure,
    RulesView,
    Violations,
    rule_violations,
    rules_view,
)
from core.services.bias.learned_limits import LearnedLimit
from core.services.bias.measured import measure_items
from core.services.bias.measurement_bias import measurement_bias
from core.services.bias.object_sizes import ClassSizes, SizesView, object_sizes
from core.services.bias.reference_sets import FEWEST, ReferenceAsk, two_sets
from core.services.bias.said_labels import BiasAsk
from core.services.bias.selection_bias import ColumnTest, SelectionView, selection_bias
from core.services.bias.slice_ask import SliceAsk
from core.services.bias.too_clean import FIELD_SHARE, TooCleanView, too_clean
from core.services.workspace import Workspace


def bias(
    project: ProjectArgument,
    against: Annotated[
        str, typer.Option(help="What to compare with: another project, or COLUMN=VALUE.")
    ] = "",
    rules: Annotated[bool, typer.Option("--rules", help="Measure the guideline's rules.")] = False,
    measurement: Annotated[
        bool, typer.Option("--measurement", help="Tell apart what cameras and what persons do.")
    ] = False,
    confirmation: Annotated[
        bool, typer.Option("--confirmation", help="Labels that go with what should not matter.")
    ] = False,
    metric: Annotated[
        str, typer.Option(help="For --measurement; a share, named as in 'tiebreak slices'.")
    ] = "accuracy",
    column: Annotated[
        str,
        typer.Option(
            help="For --measurement: the column; by default the camera's or the like, else what differs most; 'most' for that."
        ),
    ] = "",
    said: Annotated[
        str, typer.Option(help="For --confirmation: people, model or labels (in force).")
    ] = BiasAsk().said,
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
    embed: Annotated[
        bool,
        typer.Option("--embed", help="With --against: embed pictures, to compare their looks."),
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare a dataset with what it will be used on, with its guideline, or what was said with the truth.

    One of --against, --rules, --measurement and --confirmation is asked at a time.
    """
    if sum((bool(against), rules, measurement, confirmation)) != 1:
        raise InputError(
            "Either name what to compare with, or ask for rules, measurement or confirmation: one at a time.",
            "Add --against OTHER_PROJECT, --against COLUMN=VALUE, --rules, --measurement or "
            "--confirmation.",
        )
    ws, me = opened(workspace)
    if rules:
        _rules(ws, me, project, measure, as_json)
        return
    if measurement:
        apart = measurement_bias(ws, me, project, SliceAsk(metric), column)
        emit(measurement_document(apart), as_json, measurement_text(apart))
        return
    if confirmation:
        goes = confirmation_bias(ws, me, project, BiasAsk(said))
        emit(confirmation_document(goes), as_json, confirmation_text(goes))
        return
    asked = ReferenceAsk(against, labelled, least)
    sets = two_sets(ws, me, project, asked)  # what will be refused is refused before the long work
    _measured(ws, me, dict.fromkeys((project, sets.there.project.slug)), measure, as_json)
    if embed:
        meter = Meter(as_json)
        try:
            embed_sets(ws, me, project, asked, meter.show)
        finally:
            meter.close()
    selected = selection_bias(ws, me, project, asked)
    told = too_clean(ws, me, project, asked, share)
    sizes = object_sizes(ws, me, project, asked)
    emit(_document(selected, told, sizes), as_json, text_of(selected, told, sizes))


def _rules(ws: Workspace, me: Actor, project: str, measure: bool, as_json: bool) -> None:
    _measured(ws, me, (project,), measure, as_json)
    found = rules_view(ws, me, project)
    broken = {
        f.rule.line: rule_violations(ws, me, project, f.rule.line)
        for f in found.figures
        if f.broken
    }
    emit(_rules_document(found, broken), as_json, rules_text(found))


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
        "looks_compared": view.looked_alike,
        "notes": list(view.notes),
        "selection": {
            "tested": view.tested,
            "columns": [_column(c) for c in view.columns],
            "holes": [
                {
                    "column": h.column,
                    "value": h.cell.value,
                    "here": estimate(h.cell.here),
                    "there": estimate(h.cell.there),
                    "missing": estimate(h.missing),
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
        "total_variation": estimate(c.variation),
        "jensen_shannon": estimate(c.divergence),
        "above": None if c.above is None else estimate(c.above),
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
                "here": estimate(cell.here),
                "there": estimate(cell.there),
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
        "auc": estimate(told.auc),
        "p": told.p,
        "told_apart": told.is_told,
        "tells": [
            {
                "property": t.name,
                "above": estimate(t.above),
                "adjusted_p": t.adjusted_p,
                "median": t.medians[0],
                "reference_median": t.medians[1],
            }
            for t in told.tells
        ],
        "frames_to_add": None
        if frames is None
        else {
            **estimate(frames.frames),
            "share": frames.target,
            "field_like_here": estimate(frames.here),
            "field_like_there": estimate(frames.there),
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
                "here": estimate(h.bin.here),
                "there": None if h.bin.there is None else estimate(h.bin.there),
                "missing": estimate(h.missing),
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
        "total_variation": None if c.variation is None else estimate(c.variation),
        "p": c.p,
        "adjusted_p": c.adjusted_p,
        "coco": [estimate(e) for e in c.coco],
        "coco_recall": [estimate(e) for e in c.coco_recall],
        "sizes": [
            {
                "low": b.low,
                "high": b.high,
                "regions": b.here_count,
                "share": estimate(b.here),
                "reference": None if b.there is None else estimate(b.there),
                "recall": None if b.recall is None else estimate(b.recall),
            }
            for b in c.bins
        ],
    }


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
        "share": estimate(f.share),
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
        "limit": None if found is None else estimate(found.limit),
        "inside": None if found is None else estimate(found.inside),
        "outside": None if found is None else estimate(found.outside),
        "difference": None if found is None else estimate(found.difference),
        "adjusted_p": x.adjusted_p,
        "sure": x.is_sure,
    }
