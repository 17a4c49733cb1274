"""What ``tiebreak bias`` tells of measurement and of confirmation: cameras and persons told apart, labels
that go with attributes."""

from __future__ import annotations

from collections.abc import Sequence

from core.cli.bias_text import share
from core.cli.figures import estimate, named, p_value
from core.services.bias.anchoring import AnchorRow
from core.services.bias.confirmation_bias import CellRow, ConfirmationView, Found
from core.services.bias.measurement_bias import Effect, MeasurementView
from core.services.bias.slice_ask import Condition
from core.stats.intervals import Estimate

SHOWN = 20
VERDICTS = {
    Found.BEYOND: "beyond the truth",
    Found.NOT_BEYOND: "not surely beyond the truth",
}


# --- cameras and persons told apart ---------------------------------------------------------------


def measurement_document(view: MeasurementView) -> dict[str, object]:
    """Return the effects told apart as one document; shares as in ``tiebreak slices``."""
    asked = view.asked
    return {
        "project": view.project.slug,
        "metric": asked.metric,
        "whose": asked.whose,
        "against": asked.against or None,
        "basis": view.basis.value if view.basis else None,
        "left_out": view.left_out,
        "least": asked.fewest,
        "column": view.column or None,
        "columns": list(view.columns),
        "n": view.statements,
        "suppressed": view.suppressed,
        "effects": [_effect(e, c) for e, c in _effects(view)],
        "parts": [
            {"of": p.name or "the item itself, and chance", **estimate(p.share)} for p in view.parts
        ],
    }


def _effects(view: MeasurementView) -> list[tuple[Effect, Condition]]:
    return [
        *((e, (view.column, e.name)) for e in view.values),
        *((e, ("person", e.name)) for e in view.people),
    ]


def _effect(e: Effect, condition: Condition) -> dict[str, object]:
    place = e.standing
    return {
        "slice": named([condition]),
        "conditions": [{"column": condition[0], "value": condition[1]}],
        "n": e.n,
        "as_it_comes": estimate(e.raw),
        "of_its_own": estimate(e.own),
        "adjusted_p": e.adjusted_p,
        "sure": e.is_sure,
        "place": None if place is None else {"best": place.best, "worst": place.worst},
    }


def measurement_text(view: MeasurementView) -> str:
    """Return the effects told apart, in lines."""
    asked = view.asked
    against = f" against {asked.against}" if asked.against else ""
    head = f"{asked.metric}, {asked.whose}{against}: n = {view.statements:,} statements"
    if not view.is_enough:
        return f"{head}.\nNot enough data to tell {view.column or 'anything'} and persons apart."
    wide = max(len(named([c])) for _e, c in _effects(view))
    lines = [
        f"{head}; {view.column} and persons told apart.",
        f"{'slice':<{wide}}  {'n':>6}  {'as it comes, points':<24} {'of its own, points':<24} {'adj. p':>8}",
    ]
    lines += [
        f"{named([c]):<{wide}}  {e.n:>6,}  {points(e.raw):<24} {points(e.own):<24} "
        f"{p_value(e.adjusted_p):>8}"
        for e, c in _effects(view)
    ]
    parts = "; ".join(
        f"{p.name or 'the item itself, and chance'} {share(p.share)}" for p in view.parts
    )
    lines.append(f"Of the variance of the log odds: {parts}.")
    if not any(e.is_sure for e, _c in _effects(view)):
        lines.append("Nothing here surely does harm of its own.")
    return "\n".join(lines)


def points(e: Estimate) -> str:
    """Return a difference of shares in points with its interval."""
    if e.value is None:
        return f"not enough data (n = {e.n:,})"
    value, low, high = ("-" if v is None else f"{v * 100:+.1f}" for v in (e.value, e.low, e.high))
    return f"{value} ({low} to {high})"


# --- labels that go with attributes ---------------------------------------------------------------


def confirmation_document(view: ConfirmationView) -> dict[str, object]:
    """Return the associations, and what a pre-label in view does, as one document."""
    return {
        "project": view.project.slug,
        "said": view.asked.said,
        "against": view.asked.against or None,
        "n": view.items,
        "known": view.known,
        "tested": view.tested,
        "held": view.held,
        "suppressed": view.suppressed,
        "notes": list(view.notes),
        "columns": [
            {
                "column": c.column,
                "said_v": estimate(c.said),
                "true_v": estimate(c.true),
                "adjusted_p": c.adjusted_p,
                "beyond": c.beyond,
            }
            for c in view.columns
        ],
        "groups": [_group(r) for r in view.cells],
        "pre_label": [_anchor(a) for a in view.anchors],
    }


def _group(r: CellRow) -> dict[str, object]:
    return {
        "slice": named([(r.column, r.value)]),
        "conditions": [{"column": r.column, "value": r.value}],
        "label": r.label,
        "n": r.items,
        "times_as_often": estimate(r.ratio),
        "difference": estimate(r.gap),
        "residual": r.residual,
        "adjusted_p": r.adjusted_p,
        "times_as_often_in_truth": estimate(r.true_ratio),
        "beyond_truth": estimate(r.excess),
        "beyond_truth_adjusted_p": r.excess_p,
        "verdict": r.found.value,
    }


def _anchor(a: AnchorRow) -> dict[str, object]:
    return {
        "pre_label": a.label or None,
        "in_view": estimate(a.shown),
        "blind": estimate(a.blind),
        "pull": estimate(a.pull),
        "adjusted_p": a.adjusted_p,
    }


def confirmation_text(view: ConfirmationView) -> str:
    """Return the associations, and what a pre-label in view does, in lines."""
    lines = [
        f"{view.project.slug}: what {view.asked.said} said of n = {view.items:,} items, "
        f"{view.known:,} of them with a known answer; {view.tested:,} groups compared."
    ]
    if not view.tested:
        return f"{lines[0]}\nNot enough data."
    lines += [_conclusion(view), *_pulls(view.anchors), "", "As said, the surest first:"]
    lines += [_line(r) for r in view.cells[:SHOWN]]
    if len(view.cells) > SHOWN:
        lines.append(f"… and {len(view.cells) - SHOWN:,} more; --json lists them.")
    if view.anchors:
        lines += ["", "How many say what the pre-label says:", *map(_anchor_line, view.anchors)]
    return "\n".join([*lines, *view.notes])


def _conclusion(view: ConfirmationView) -> str:
    beyond = sum(r.found is Found.BEYOND for r in view.cells)
    if beyond:
        return f"{beyond:,} of them surely go beyond what is true."
    untold = view.tested - view.held
    few = f" Of {untold:,} groups too little of the truth is known to tell." if untold else ""
    return f"No label surely goes with an attribute beyond what is true.{few}"


def _pulls(anchors: Sequence[AnchorRow]) -> list[str]:
    """Return in one line whether a pre-label in view pulls; nothing where none was shown."""
    if not anchors:
        return []
    names = [a.label or "all classes together" for a in anchors if a.is_sure]
    if not names:
        return ["No pre-label in view surely pulls."]
    return [f"A pre-label in view surely pulls: {', '.join(names)}."]


def _anchor_line(a: AnchorRow) -> str:
    name = f"pre-label '{a.label}'" if a.label else "all pre-labels together"
    return (
        f"{name}: in view {share(a.shown)} of n = {a.shown.n:,}, blind {share(a.blind)} of "
        f"n = {a.blind.n:,}: {points(a.pull)} points, adj. p {p_value(a.adjusted_p)}"
    )


def _line(r: CellRow) -> str:
    times = "-" if r.ratio.value is None else f"{r.ratio.value:.1f}"
    beside = (
        f"too few to tell whether it truly is so: the truth is known of n = {r.excess.n:,} of them"
    )
    if r.found is not Found.UNTOLD:
        beside = f"among what truly is the same {points(r.excess)} points: {VERDICTS[r.found]}"
    return (
        f"{r.label} where {named([(r.column, r.value)])}: {times} times as often "
        f"(n = {r.items:,}, adj. p {p_value(r.adjusted_p)}); {beside}"
    )
