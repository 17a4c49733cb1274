"""The command about slices: where a figure is worse than elsewhere."""

from __future__ import annotations

from typing import Annotated

import typer

from core.cli.figures import estimate, named, p_value
from core.cli.options import JsonOption, ProjectArgument, WorkspaceOption, opened
from core.cli.output import Meter, emit
from core.services.bias.measured import measure_items
from core.services.bias.slice_ask import (
    FEWEST,
    MARGIN,
    SliceAsk,
    needs_measures,
)
from core.services.bias.slice_prepare import prepare
from core.services.bias.slice_rows import SliceRow
from core.services.bias.slices import SlicesView, slices_of
from core.stats.intervals import Estimate


def slices(
    project: ProjectArgument,
    by: Annotated[
        str, typer.Option(help="Columns, separated by commas; everything by default.")
    ] = "",
    metric: Annotated[
        str,
        typer.Option(
            help="accuracy, recall, agreement, time, rework, rejected or certificate (error)."
        ),
    ] = "accuracy",
    of_class: Annotated[str, typer.Option("--class", help="The class, for recall.")] = "",
    whose: Annotated[
        str,
        typer.Option(help="everybody, model, people or a name; everybody by default."),
    ] = "",
    against: Annotated[
        str,
        typer.Option(
            help="final, gold, adjudicated or evaluate; by default what leaves most to compare."
        ),
    ] = "",
    least: Annotated[
        int, typer.Option(min=1, help="Statements below which a slice is left out.")
    ] = FEWEST,
    margin: Annotated[
        float, typer.Option(help="By how much a slice must be worse to count.")
    ] = MARGIN,
    tz: Annotated[str, typer.Option(help="Time zone of hours and weekdays.")] = "UTC",
    top: Annotated[int, typer.Option(min=1, help="How many slices to print.")] = 20,
    measure: Annotated[
        bool,
        typer.Option(help="Measure images that were not measured yet, where that is asked for."),
    ] = True,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare a figure between slices of the data, the one that costs most first."""
    ws, me = opened(workspace)
    columns = tuple(c.strip() for c in by.split(",") if c.strip())
    asked = SliceAsk(metric, of_class, whose, against, columns, fewest=least, margin=margin, tz=tz)
    if measure and needs_measures(columns):
        prepare(ws, me, project, asked)  # what will be refused is refused before the long work
        meter = Meter(as_json)
        try:
            measure_items(ws, me, project, meter.show)
        finally:
            meter.close()
    view = slices_of(ws, me, project, asked)
    emit(_document(view), as_json, _text(view, top))


def _document(view: SlicesView) -> dict[str, object]:
    asked = view.asked
    return {
        "project": view.project.slug,
        "metric": asked.metric,
        **({"class": asked.of_class} if asked.of_class else {}),
        "whose": asked.whose,
        "against": asked.against or None,
        "basis": view.basis.value if view.basis else None,
        "left_out": view.left_out,
        "least": asked.fewest,
        "margin": asked.margin,
        "tz": asked.tz,
        "overall": estimate(view.overall),
        "tested": view.tested,
        "pruned": view.pruned,
        "suppressed": view.suppressed,
        "unmeasured": view.unmeasured,
        "notes": list(view.notes),
        "slices": [_slice(row) for row in view.rows],
    }


def _slice(row: SliceRow) -> dict[str, object]:
    return {
        "slice": named(row.conditions),
        "conditions": [{"column": c, "value": v} for c, v in row.conditions],
        "items": row.items,
        **estimate(row.inside),
        "rest": estimate(row.rest),
        "gap": row.gap.value,
        "gap_low": row.gap.low,
        "gap_high": row.gap.high,
        "p": row.p,
        "adjusted_p": row.adjusted_p,
        "shrunken": row.shrunken.value,
        "shrunken_low": row.shrunken.low,
        "shrunken_high": row.shrunken.high,
        "probability": row.probability,
        "expected_loss": row.loss,
        "explained_by": named(row.explained_by) or None,
        "behind": row.is_behind,
    }


def _text(view: SlicesView, top: int) -> str:
    unit = "s" if view.asked.metric == "time" else "%"
    shown = view.rows[:top]
    wide = max([len(named(r.conditions)) for r in shown] + [5])
    of = f" of {view.asked.of_class}" if view.asked.of_class else ""
    against = f" against {view.asked.against}" if view.asked.against else ""
    lines = [
        f"{view.asked.metric}{of}, {view.asked.whose}{against}: {_figure(view.overall, unit)}; "
        f"{view.tested:,} slices compared, each with at least {view.asked.fewest} statements.",
    ]
    if view.asked.metric in ("accuracy", "recall") and len(view.project.schema.item_questions) > 1:
        lines.append(f"Right means right on '{view.project.schema.main.title}' alone.")
    gap = f"gap in {'points' if unit == '%' else unit}, 95 %"
    if shown:
        lines.append(
            f"{'slice':<{wide}}  {'n':>6}  {'figure, 95 %':<24} {gap:<26} {'adj. p':>8} {'shrunken':>9}"
        )
    lines += [_line(r, wide, unit) for r in shown]
    if left := view.tested - view.pruned - len(shown):
        lines.append(f"… and {left:,} more; --top or --json lists them.")
    if view.pruned:
        lines.append(
            f"{view.pruned:,} of the {view.tested:,} compared are not listed: pairs of columns that add "
            "nothing to one of the two."
        )
    if not view.rows:
        lines.append("No slice has enough data.")
    elif view.worst is None:
        lines.append("No slice is surely worse than the rest.")
    return "\n".join([*lines, *view.notes])


def _line(row: SliceRow, wide: int, unit: str) -> str:
    because = f"  explained by {named(row.explained_by)}" if row.explained_by else ""
    return (
        f"{named(row.conditions):<{wide}}  {row.inside.n:>6,}  {_figure(row.inside, unit):<24} "
        f"{_figure(row.gap, unit, True):<26} {p_value(row.adjusted_p):>8} {_number(row.shrunken.value, unit):>9}{because}"
    )


def _figure(e: Estimate, unit: str, signed: bool = False) -> str:
    if e.value is None:
        return f"not enough data (n = {e.n:,})"
    value, low, high = (_number(v, unit, signed) for v in (e.value, e.low, e.high))
    of = "" if signed else f" {unit}"
    return f"{value}{of} ({low} to {high})"


def _number(value: float | None, unit: str, signed: bool = False) -> str:
    if value is None:
        return "-"
    number = value * 100 if unit == "%" else value
    return f"{number:+.1f}" if signed else f"{number:.1f}"
