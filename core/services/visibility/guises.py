"""What a planted item is lent: a place in the row it stands in, and numbers like its neighbours'.

The class a model proposes stays its own. How sure it seems is lent, or an item known for long
would stand out in a row sorted by that: one number in the row, and with it a neighbour's shape.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from random import Random

from sqlalchemy import Connection, select

from core.labels import Answer
from core.queue.probes import Lent
from core.services.visibility.doubt import Sureness, as_fine, between, one_more
from core.store.tables import item_state, predictions

DIGITS = 6
TRIES = 20
SHAPES = 3
"""Of so many nearest neighbours one lends its shape."""


@dataclass(frozen=True, slots=True)
class Guise:
    """The numbers lent to the pre-label of a planted item.

    Attributes:
        top: Probabilities of the likeliest classes, most probable first; empty for none.
    """

    confidence: float
    margin: float | None
    top: tuple[float, ...] = ()

    def to_json(self) -> str:
        """Return it as it is kept beside a lease."""
        return json.dumps(asdict(self))


def read_guise(text: str | None) -> Guise | None:
    """Return the guise kept beside a lease or an answer; None where nothing was lent."""
    if not text:
        return None
    found = json.loads(text)
    return Guise(found["confidence"], found["margin"], tuple(found["top"]))


Run = tuple[int | None, bool]
"""The prediction set of an item's pre-label, and whether that comes without a confidence."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an item stands in the queue, and how sure a model is of it.

    Attributes:
        set_id: The prediction set in force; None without one.
    """

    item_id: int
    boost: int
    priority: float
    set_id: int | None
    confidence: float | None
    margin: float | None
    top: tuple[float, ...]

    @property
    def key(self) -> tuple[int, float]:
        """Return what the row is sorted by."""
        return -self.boost, self.priority

    @property
    def like(self) -> tuple[Run, int]:
        """Return what two items must have in common, or one of them stands out beside the other."""
        return (self.set_id, self.confidence is None), self.boost


def standings_of(connection: Connection, ids: Collection[int]) -> dict[int, Standing]:
    """Return where items stand (at most a few thousand), planted ones by their own numbers."""
    wanted, found = sorted(ids), dict[int, Standing]()
    for at in range(0, len(wanted), 500):
        rows = connection.execute(
            select(
                item_state.c.item_id, item_state.c.boost, item_state.c.priority,
                predictions.c.set_id, predictions.c.confidence, predictions.c.margin,
                predictions.c.top,
            )
            .outerjoin(predictions, predictions.c.seq == item_state.c.prediction_seq)
            .where(item_state.c.item_id.in_(wanted[at : at + 500]))
        )  # fmt: skip
        for r in rows:
            top = tuple(float(p) for _, p in json.loads(r.top or "[]"))
            found[r.item_id] = Standing(
                r.item_id, r.boost, r.priority, r.set_id, r.confidence, r.margin, top
            )
    return found


def runs_of(connection: Connection, ids: Collection[int]) -> dict[int, Run]:
    """Return which run the pre-labels of items are of."""
    wanted, found = sorted(ids), dict[int, Run]()
    for at in range(0, len(wanted), 500):
        rows = connection.execute(
            select(item_state.c.item_id, predictions.c.set_id, predictions.c.confidence)
            .outerjoin(predictions, predictions.c.seq == item_state.c.prediction_seq)
            .where(item_state.c.item_id.in_(wanted[at : at + 500]))
        )
        found.update((r.item_id, (r.set_id, r.confidence is None)) for r in rows)
    return found


def under(standing: Standing, lent: Lent) -> Standing:
    """Return how an item stands with what it is lent."""
    found = replace(standing, boost=lent.boost, priority=lent.priority)
    guise = read_guise(lent.guise)
    if guise is None:
        return found
    return replace(found, confidence=guise.confidence, margin=guise.margin, top=guise.top)


def disguise(
    planted: Sequence[Standing],
    real: Sequence[Standing],
    around: Sequence[Standing],
    chance: Random,
) -> list[Lent]:
    """Return what planted items are lent among the real ones they are handed out with.

    In a row sorted by how sure the model is, a number is drawn from all the row covers, each as
    likely: drawn within one gap, the narrow gaps would be the planted ones'. Else one more is made
    like the real ones.

    Args:
        planted: What is lent to.
        real: Those of the same window, in their order.
        around: The real one shown before the window, if any, and those that come after it.
        chance: Draws the numbers.
    """
    around = sorted(around, key=lambda s: s.key)
    after = [s for s in around if s.key >= real[-1].key] if real else list(around)
    before = [s for s in around if real and s.key <= real[0].key]
    row = [*before[-1:], *real, *after[:1]]
    ordered = all(a.key <= b.key for a, b in pairwise(real)) and len(row) > 1
    lent: list[Lent] = []
    for one in planted:
        group = [s for s in (*real, *around) if s.like == one.like]
        if not group:
            lent.append(Lent(one.item_id, one.boost, one.priority, None))
            continue
        near = [s for s in row if s.like == one.like] or group
        number = _possible(near if ordered else group, group, ordered, bool(before), chance)
        lent.append(_lent(one, number, group, chance))
    return lent


def _possible(
    near: Sequence[Standing],
    group: Sequence[Standing],
    ordered: bool,
    bounded: bool,
    chance: Random,
) -> float:
    """Return a number that probabilities in a neighbour's shape can have; of two classes no 0.4."""
    for _ in range(TRIES):
        number = _number(near, group, ordered, bounded, chance)
        if group[0].confidence is None or any(_fits(number, s) for s in group):
            return number
    return chance.choice(near).confidence or 0.0


def _number(
    near: Sequence[Standing],
    group: Sequence[Standing],
    ordered: bool,
    bounded: bool,
    chance: Random,
) -> float:
    """Return the number a planted item is lent: how sure, or without that its place alone."""
    blank = group[0].confidence is None
    if not ordered and not blank:
        page = [Sureness(s.confidence, s.margin or 0.0) for s in group]
        return float(one_more(page, chance).confidence or 0.0)
    numbers = sorted(s.priority if blank else s.confidence or 0.0 for s in near)
    low, high = numbers[0], numbers[-1]
    if not bounded and len(numbers) > 1:
        # Before the first as far again as to the second.
        low = max(2 * low - numbers[1], -1.0 if blank else 0.0)
    if blank:
        return chance.uniform(low, high)
    return between(low, high, [s.confidence or 0.0 for s in group], chance)


def _lent(one: Standing, number: float, group: Sequence[Standing], chance: Random) -> Lent:
    if one.confidence is None:
        return Lent(one.item_id, one.boost, number, None)
    nearest = sorted(group, key=lambda s: abs((s.confidence or 0.0) - number))
    fit = [s for s in nearest if _fits(number, s)] or nearest
    guise = _shaped(number, chance.choice(fit[:SHAPES]), group)
    return Lent(one.item_id, one.boost, number, guise.to_json())


def _rest(confidence: float, like: Standing) -> float:
    """Return by what a neighbour's other probabilities are scaled, for all to make the same sum."""
    was = like.confidence or 0.0
    return (1 - confidence) / (1 - was) if was < 1 else 0.0


def _fits(confidence: float, like: Standing) -> bool:
    """Return whether the likeliest class stays so in the shape of a neighbour's."""
    return max(like.top[1:2], default=0.0) * _rest(confidence, like) <= confidence


def _shaped(confidence: float, like: Standing, group: Sequence[Standing]) -> Guise:
    """Return a number with what else is told of it, in the shape of a neighbour's and as fine."""
    rest = _rest(confidence, like)
    fine = [p for s in group for p in s.top]
    others = (as_fine(min(p * rest, confidence), fine) for p in like.top[1:])
    top = (confidence, *others) if like.top else ()
    if like.margin is None:
        return Guise(confidence, None, top)
    second = top[1] if len(top) > 1 else max(0.0, (like.confidence or 0.0) - like.margin) * rest
    margins = [s.margin for s in group if s.margin is not None]
    return Guise(confidence, as_fine(max(0.0, confidence - second), margins), top)


def as_lent(
    confidence: float | None,
    margin: float | None,
    top: Sequence[tuple[str, float]],
    answer: Answer,
    guise: Guise,
) -> tuple[float, float | None, tuple[tuple[str, float], ...], Answer]:
    """Return the numbers of a pre-label, and its answer, as they are shown under a guise."""
    names = [name for name, _ in top]
    shown = tuple(zip(names, guise.top, strict=False))
    share = guise.confidence / confidence if confidence else 1.0
    return guise.confidence, guise.margin, shown, _scaled(answer, share)


def _scaled(answer: Answer, share: float) -> Answer:
    """Return an answer whose regions seem more or less sure, by one share."""
    if not any(r.confidence is not None for r in answer.regions):
        return answer
    return replace(
        answer,
        regions=tuple(
            r
            if r.confidence is None
            else replace(r, confidence=min(1.0, round(r.confidence * share, DIGITS)))
            for r in answer.regions
        ),
    )


def in_row(ids: Sequence[int], places: Mapping[int, tuple[int, float]]) -> list[int]:
    """Return items in the order of their places, as a reload would show them."""
    return sorted(ids, key=lambda i: (*places[i], i))
