"""What answers differ in, in words: questions, and region by region class, attributes and number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from core.labels import Answer, LabelSchema, Region
from core.labels.geometry import match_regions
from core.ui.text import _

MOST_PAIRS = 6
MOST_PARTS = 8


@dataclass(frozen=True, slots=True)
class Said:
    """One party's answer: "Reviewer 1", never a person's name."""

    name: str
    answer: Answer


def differences(
    schema: LabelSchema, parties: Sequence[Said], iou_at_least: float
) -> tuple[str, ...]:
    """Return a sentence for each two parties whose answers differ, the first pairs only.

    Args:
        schema: The project's.
        parties: Who said what.
        iou_at_least: Likeness from which two regions are of one thing.
    """
    found = []
    for a, b in combinations(parties, 2):
        parts = [*_questions(schema, a.answer, b.answer), *_regions(schema, a, b, iou_at_least)]
        if parts:
            more = "" if len(parts) <= MOST_PARTS else " …"
            what = ", ".join(parts[:MOST_PARTS]) + more
            found.append(_("{a} and {b} differ in: {what}.").format(a=a.name, b=b.name, what=what))
    return tuple(found[:MOST_PAIRS])


def _questions(schema: LabelSchema, a: Answer, b: Answer) -> list[str]:
    parts = []
    for question in schema.item_questions:
        one, two = a.said(question.key), b.said(question.key)
        if _told(one) != _told(two):
            parts.append(f"{_(question.title)} ({_words(one)} / {_words(two)})")
    return parts


def _told(said: str | tuple[str, ...] | None) -> object:
    return frozenset(said) if isinstance(said, tuple) else said


def _words(said: str | tuple[str, ...] | None) -> str:
    if said is None:
        return _("no answer")
    if isinstance(said, tuple):
        return " + ".join(said) or _("none of them")
    return said


def _regions(schema: LabelSchema, a: Said, b: Said, iou_at_least: float) -> list[str]:
    """Return what regions that lie in one place differ in, then those only one party has."""
    if not schema.draws:
        return []
    ours, theirs = a.answer.regions, b.answer.regions
    pairs = match_regions(ours, theirs, iou_at_least, same_class=False)
    parts = [part for i, j, _iou in pairs for part in _of_pair(schema, i, ours[i], theirs[j])]
    for said, regions, paired in (
        (a, ours, {i for i, _j, _iou in pairs}),
        (b, theirs, {j for _i, j, _iou in pairs}),
    ):
        lone = len(regions) - len(paired)
        if lone:
            parts.append(_("regions only {who} has: {n}").format(n=lone, who=said.name))
    return parts


def _of_pair(schema: LabelSchema, place: int, a: Region, b: Region) -> list[str]:
    parts = []
    if a.label != b.label:
        text = _("class of region {n} ({a} / {b})")
        parts.append(text.format(n=place + 1, a=a.label, b=b.label))
    one, two = dict(a.attributes), dict(b.attributes)
    for question in schema.region_questions:
        if one.get(question.key) != two.get(question.key):
            text = _("{what} of region {n} ({a} / {b})")
            parts.append(
                text.format(
                    what=_(question.title),
                    n=place + 1,
                    a=_words(one.get(question.key)),
                    b=_words(two.get(question.key)),
                )
            )
    return parts
