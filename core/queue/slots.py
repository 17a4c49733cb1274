"""Which places of what a person is handed are gold or repeats, and how many come in all. Pure.

What a person is handed is numbered from 0 through all their days. Of every hundred places the
plan's shares are planted, at places drawn by a key that nobody outside knows, so that neither
the distance between two nor their number tells one; and as shares are exact in every hundred,
what still comes can be counted without a look at each place.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache

BLOCK = 100
REAL, GOLD, REPEAT = "real", "gold", "repeat"


@dataclass(frozen=True, slots=True)
class Mix:
    """The places of one person in one project.

    Attributes:
        key: Secret and theirs alone.
        gold: Places of a hundred that are gold.
        repeats: Places of a hundred that are repeats.
    """

    key: bytes
    gold: int
    repeats: int

    def kind(self, place: int) -> str:
        """Return what is handed out at a place."""
        block, within = divmod(place, BLOCK)
        return _block(self.key, self.gold, self.repeats, block)[within]


def mix_of(key: bytes, gold_share: float, repeat_share: float) -> Mix:
    """Return the places for two shares; a share above 0 plants at least one in a hundred."""
    return Mix(key, _hundredths(gold_share), _hundredths(repeat_share))


@dataclass(frozen=True, slots=True)
class Coming:
    """How many items of each kind a person is still handed."""

    real: int
    golds: int
    repeats: int

    @property
    def total(self) -> int:
        """Return how many items that is in all."""
        return self.real + self.golds + self.repeats


def still_to_come(mix: Mix, place: int, real: int, golds: int, repeats: int) -> Coming:
    """Return what a person is still handed from a place on, with so many real items left.

    One less in all with each that is handed out, whichever it is. Planted ones come between real
    ones, not after the last, and no more than there are (`golds`, `repeats`).
    """
    if real <= 0:
        return Coming(0, 0, 0)
    counts = {REAL: 0, GOLD: 0, REPEAT: 0}
    in_block = BLOCK - mix.gold - mix.repeats
    at = place
    while at % BLOCK and counts[REAL] < real:
        counts[mix.kind(at)] += 1
        at += 1
    whole = max(0, (real - counts[REAL] - 1) // in_block) if counts[REAL] < real else 0
    for kind, many in ((REAL, in_block), (GOLD, mix.gold), (REPEAT, mix.repeats)):
        counts[kind] += whole * many
    at += whole * BLOCK
    while counts[REAL] < real:
        counts[mix.kind(at)] += 1
        at += 1
    return Coming(real, min(golds, counts[GOLD]), min(repeats, counts[REPEAT]))


def _hundredths(share: float) -> int:
    return max(1, round(share * BLOCK)) if share > 0 else 0


@lru_cache(maxsize=4096)
def _block(key: bytes, gold: int, repeats: int, block: int) -> tuple[str, ...]:
    drawn = sorted(range(BLOCK), key=lambda i: draw(key, "place", block, i))
    kinds = [REAL] * BLOCK
    for n, i in enumerate(drawn[: gold + repeats]):
        kinds[i] = GOLD if n < gold else REPEAT
    return tuple(kinds)


def draw(key: bytes, *parts: object) -> bytes:
    """Return bytes that follow from a key and what is named, and look like chance without it."""
    return hmac.new(key, "\x1f".join(map(str, parts)).encode(), hashlib.sha256).digest()
