"""The sections about labels: how right people and model are, how far people agree, what is doubtful."""

from __future__ import annotations

from collections.abc import Sequence

from core.analytics.asked import MODEL, PEOPLE, Against
from core.errors import LimitExceeded
from core.services.analytics.agreement import agreement
from core.services.analytics.over_time import weeks_are_drawn, weeks_of
from core.services.analytics.quality import Rightness, best_reference, rightness
from core.services.bias.slice_ask import SliceAsk
from core.services.bias.slices import slices_of
from core.services.consensus.agreement import AgreementView, QuestionAgreement, further_by_newest
from core.services.issues.finding import known_issues
from core.services.report.asked import Asked
from core.services.report.parts import COEFFICIENT, COUNT, Row, Section, count
from core.services.report.weeks import Week
from core.stats.intervals import UNDEFINED, Estimate

MOST_SLICES = 5

AGAINST = {
    Against.FINAL.value: "the label in force",
    Against.GOLD.value: "gold: known answers",
    Against.ADJUDICATED.value: "what a lead decided",
    Against.EVALUATE.value: "items drawn at random",
}


def people_right(asked: Asked) -> Section:
    """Return how right the week's votes are, by class, beside those of the week before."""
    against = best_reference(asked.ws, asked.actor, asked.slug, PEOPLE)
    now, before = (
        rightness(asked.replica, asked.project, PEOPLE, against, asked.during(w))
        for w in (asked.week, asked.week.before)
    )
    return Section(
        "people_right",
        "How right people are",
        right_rows(now, before),
        (
            f"Votes of the week in force today, compared with {AGAINST[against]}; "
            f"{now.basis.value}; {now.left_out:,} left out because the label rests on them.",
        ),
        filtered=True,
    )


def model_right(asked: Asked) -> Section:
    """Return how right the model's newest answers are, by class, as of today."""
    against = best_reference(asked.ws, asked.actor, asked.slug, MODEL)
    now = rightness(asked.replica, asked.project, MODEL, against, asked.always)
    return Section(
        "model_right",
        "How right the model is",
        right_rows(now, None),
        (
            f"Its newest answer on every item as of today, compared with {AGAINST[against]}; "
            f"{now.basis.value}; {now.left_out:,} left out because the label rests on them.",
        ),
        filtered=True,
    )


def right_rows(now: Rightness, before: Rightness | None) -> tuple[Row, ...]:
    """Return accuracy in all and by class; of regions recall and precision by class."""
    a, b = _named(now), {} if before is None else _named(before)
    names = [*a, *(n for n in b if n not in a)]
    return tuple(
        Row(n, a.get(n, UNDEFINED), None if before is None else b.get(n, UNDEFINED)) for n in names
    )


def _named(right: Rightness) -> dict[str, Estimate]:
    found = {"All": right.overall.estimate}
    found |= {f"Class {c.name}": c.estimate for c in right.classes}
    for c in right.boxes:
        found[f"Class {c.name}, found (recall)"] = c.recall.estimate
        found[f"Class {c.name}, drawn ones right (precision)"] = c.precision.estimate
    return found


def agreement_section(asked: Asked) -> Section:
    """Return how far people agree in the week, beside the week before: the figures of page Quality."""
    now, before = (_agreed(asked, w) for w in (asked.week, asked.week.before))
    names = sorted(now, key=lambda n: n not in _LABEL_ROWS)
    rows = tuple(Row(n, now[n][0], before.get(n, (UNDEFINED, ""))[0], now[n][1]) for n in names)
    note = _BY_VOTE
    if weeks_are_drawn(asked.project):
        note = _BY_ITEM + (_SAMPLED if len(rows) > len(_LABEL_ROWS) else "")
    return Section("agreement", "How far people agree", rows, (note,), filtered=True)


_BY_ITEM = (
    "n counts items with two or more votes. An item, with all its votes, is of the week of its newest "
    "vote, as on the page Quality."
)
_SAMPLED = " Of further questions, where there are many such items, of a random sample of them."
_BY_VOTE = "n counts items with two or more votes of the same week; of many, a random sample."


def _agreed(asked: Asked, week: Week) -> dict[str, tuple[Estimate, str]]:
    """Return the coefficients of a week; of labels by their items' newest votes, as the page draws it."""
    during = asked.during(week)
    if not weeks_are_drawn(asked.project):
        return _coefficients(agreement(asked.ws, asked.actor, asked.slug, during).view)
    questions = further_by_newest(asked.ws, asked.replica, asked.project, during)
    every = weeks_of(asked.replica, asked.project, asked.always, week.tz)
    alpha, percent = next(
        ((w.alpha, w.percent) for w in every if w.begins == week.first), (UNDEFINED, UNDEFINED)
    )
    return _of_label(alpha, percent) | _of_questions(questions)


_LABEL_ROWS = ("Krippendorff's alpha", "Same answer")


def _of_label(alpha: Estimate, percent: Estimate) -> dict[str, tuple[Estimate, str]]:
    return dict(zip(_LABEL_ROWS, ((alpha, COEFFICIENT), (percent, "%")), strict=True))


def _of_questions(questions: Sequence[QuestionAgreement]) -> dict[str, tuple[Estimate, str]]:
    return {f"Alpha of {q.title}": (q.alpha, COEFFICIENT) for q in questions}


def _coefficients(view: AgreementView) -> dict[str, tuple[Estimate, str]]:
    if view.boxes is not None:
        return {
            "Regions in common (mean F1)": (view.boxes, "%"),
            "Alpha of regions": (view.shapes or UNDEFINED, COEFFICIENT),
        }
    found: dict[str, tuple[Estimate, str]] = {}
    if view.labels is not None:
        found |= _of_label(view.labels.alpha, view.labels.percent)
    found |= _of_questions(view.questions)
    return found or {_LABEL_ROWS[0]: (UNDEFINED, COEFFICIENT)}


def suspicious(asked: Asked) -> Section:
    """Return how many labels are suspicious, from what was looked for last; looking takes minutes."""
    title = "Suspicious labels"
    found = known_issues(asked.ws, asked.actor, asked.slug, limit=1)
    if found is None:
        text = "Nobody has looked for suspicious labels yet."
        return Section("suspicious", title, notes=(text,))
    rows = [
        Row(f"Kind: {k.value}", count(n), None, COUNT, True) for k, n in found.kinds.items() if n
    ]
    rows += [
        Row(f"Labels called {name}", count(n), None, COUNT, True)
        for name, n in sorted(found.classes.items(), key=lambda p: (-p[1], p[0]))[:MOST_SLICES]
    ]
    notes = [
        f"{found.n:,} labels of {found.images:,} images were looked at. Suspicious is not wrong."
    ]
    if found.stale:
        notes.append("Labels, images or models have changed since.")
    return Section("suspicious", title, tuple(rows), tuple(notes))


def worst_slices(asked: Asked) -> Section:
    """Return the slices that are surely worse than the rest and cost most, as of today."""
    title = "Where it is worse than elsewhere"
    if not asked.project.n_items:
        return Section("slices", title, notes=("There are no items yet.",), filtered=True)
    try:
        wanted = SliceAsk(filters=asked.always, tz=asked.week.tz)
        found = slices_of(asked.ws, asked.actor, asked.slug, wanted)
    except LimitExceeded as problem:
        return Section("slices", title, notes=(str(problem),), filtered=True)
    rows = [
        r
        for r in found.rows
        if r.is_behind
        and not r.explained_by
        and (asked.names or all(column != "person" for column, _ in r.conditions))
    ][:MOST_SLICES]
    text = (
        f"Accuracy as of today, {found.tested:,} slices compared, p adjusted for all of them; overall "
        f"n = {found.overall.n:,}."
    )
    if not rows:
        text += " None is surely worse than the rest."
    shown = tuple(Row(sliced(r.conditions), r.inside, None) for r in rows)
    lines = tuple((sliced(r.conditions), points(r.gap), f"{r.adjusted_p:.3f}") for r in rows)
    return Section(
        "slices",
        title,
        shown,
        (text,),
        ("slice", "gap to the rest", "adjusted p"),
        lines,
        filtered=True,
    )


def sliced(conditions: tuple[tuple[str, str | None], ...]) -> str:
    """Return a slice's name: camera is C, light is dusk."""
    return ", ".join(f"{c} is {'not known' if v is None else v}" for c, v in conditions)


def points(gap: Estimate) -> str:
    """Return a difference of shares in points, with its interval and n."""
    if gap.value is None:
        return f"not enough data (n = {gap.n:,})"
    value, low, high = (f"{100 * (v or 0.0):+.1f}" for v in (gap.value, gap.low, gap.high))
    return f"{value} points ({low} to {high}), n = {gap.n:,}"
