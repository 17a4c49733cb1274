"""What to label next, out of a pool that may hold a million items. Free of torch.

Every strategy is told what a model said of the pool (`rescore` keeps that), and its vectors where
it looks at them: a memory map will do. Equal items go by the lower number, so that the same pool and
seed give the same choice. A seeded random part of every choice stays for honest evaluation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.special import xlogy

from core.errors import InputError, TrainingError
from core.learning.clusters import representatives
from core.learning.minute import Minute, next_minute
from core.learning.spread import farthest_first

__all__ = ["Chosen", "Minute", "Pool", "Strategy", "choose", "disagreement_of", "next_minute"]

Strategy = Literal[
    "random",
    "least-confident",
    "margin",
    "entropy",
    "cold-then-margin",
    "k-centre",
    "quota",
    "disagreement",
    "next-minute",
]

RANDOM_SHARE = 0.1
"""Of every choice, drawn evenly from the whole pool."""

COLD_BELOW = 150
"""With fewer labels than this a model's doubts say little: typical items come first."""

FILTER = 20
"""Diverse items are sought among so many times as many of the least margin."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Unlabelled items and what is known of them; what a strategy does not use may be None.

    Attributes:
        item_ids: int64, shape (n,).
        confidence: Largest probability of each, shape (n,).
        margin: Largest less second largest probability, shape (n,).
        entropy: Of the probabilities, nats, shape (n,).
        vectors: Embeddings, shape (m, width); may be a memory map.
        rows: Which row of the vectors is each item's, shape (n,); None: they lie in order.
        groups: Name of each item's class or slice, shape (n,).
        disagreement: Between models, as `disagreement_of` gives it, shape (n,).
        belief: How much the model's answer can be believed (`minute.belief_unlabelled`);
            the confidence where it is None.
        seconds: A person needs for each item, shape (n,); equal where it is None.
        accuracy: How often a person is right.
        labelled: Vectors of what is labelled already, shape (l, width).
        n_labelled: How many items are labelled already.
    """

    item_ids: np.ndarray
    confidence: np.ndarray | None = None
    margin: np.ndarray | None = None
    entropy: np.ndarray | None = None
    vectors: np.ndarray | None = None
    rows: np.ndarray | None = None
    groups: np.ndarray | None = None
    disagreement: np.ndarray | None = None
    belief: np.ndarray | None = None
    seconds: np.ndarray | None = None
    accuracy: float = 1.0
    labelled: np.ndarray | None = None
    n_labelled: int = 0


@dataclass(frozen=True, slots=True)
class Chosen:
    """What to label, in order.

    Attributes:
        item_ids: int64, shape (count,).
        score: What it was chosen by; the higher came first; 0 in the random part.
        random_share: bool: from the random part.
        draw_probability: Of the random part: the chance with which each item of the pool was
            drawn; 1 for the others, where no chance decided.
    """

    item_ids: np.ndarray
    score: np.ndarray
    random_share: np.ndarray
    draw_probability: np.ndarray


_Scored = tuple[np.ndarray, np.ndarray]
"""Places in the pool, best first, and their scores."""


def choose(
    strategy: Strategy,
    pool: Pool,
    count: int,
    seed: int,
    quota: Mapping[str, int] | None = None,
    random_share: float = RANDOM_SHARE,
) -> Chosen:
    """Return the items to label next.

    Args:
        strategy: By what.
        pool: Out of these.
        count: How many; all, where there are fewer.
        seed: Everything random follows from it.
        quota: For ``quota``: at most how many of which group.
        random_share: Of the choice, drawn evenly from the whole pool.

    Raises:
        InputError: There is no such strategy, or a quota is asked for and none given.
        TrainingError: The strategy needs what only a model can tell, and there is none yet.
    """
    if strategy not in get_args(Strategy):
        raise InputError(
            f"There is no way to choose named {strategy!r}.",
            f"Choose one of {', '.join(get_args(Strategy))}.",
        )
    count = max(0, min(count, len(pool.item_ids)))
    rng = np.random.default_rng(seed)
    by_chance = count if strategy == "random" else round(random_share * count)
    drawn = rng.choice(len(pool.item_ids), by_chance, replace=False)
    open_ = np.ones(len(pool.item_ids), dtype=bool)
    open_[drawn] = False
    picked, score = _WAYS[strategy](_Asked(pool, count - len(drawn), seed, quota or {}, open_))
    return _together(pool, picked, score, drawn)


def disagreement_of(*models: np.ndarray) -> np.ndarray:
    """Return how much models differ over each item: the entropy of the mean of their answers less
    the mean of their entropies (Houlsby et al. 2011), nats, shape (n,).

    Args:
        models: What each said, probabilities of shape (n, classes).
    """
    mean = np.mean(models, axis=0)
    apart = _entropy(mean) - np.mean([_entropy(m) for m in models], axis=0)
    return np.asarray(np.maximum(apart, 0.0), dtype=np.float32)


def lowest(values: np.ndarray, count: int, item_ids: np.ndarray) -> np.ndarray:
    """Return the places of the lowest values, lowest first; the lower item number wins a tie."""
    places = np.arange(len(values))
    if count < len(values):
        cut = np.partition(values, count - 1)[count - 1] if count else -np.inf
        places = np.flatnonzero(values <= cut)
    return np.asarray(places[np.lexsort((item_ids[places], values[places]))[:count]])


@dataclass(frozen=True, slots=True)
class _Asked:
    """One choice to be made among the items not drawn at random."""

    pool: Pool
    count: int
    seed: int
    quota: Mapping[str, int]
    open_: np.ndarray

    def by(self, doubt: np.ndarray | None, what: str, count: int | None = None) -> _Scored:
        """Return the open items with most doubt."""
        if doubt is None:
            raise TrainingError(
                f"There is no model's {what} to choose by.",
                "Choose at random or by cold start, or train a model first.",
            )
        worth = np.where(self.open_, -doubt, np.inf).astype(np.float32, copy=False)
        many = min(self.count if count is None else count, int(self.open_.sum()))
        first = lowest(worth, many, self.pool.item_ids)
        return first, np.asarray(doubt)[first]

    def by_margin(self, count: int | None = None) -> _Scored:
        """Return the open items with the least margin."""
        margin = self.pool.margin
        return self.by(None if margin is None else 1 - margin, "margin", count)

    def rows(self, places: np.ndarray) -> np.ndarray:
        """Return rows of the vectors."""
        return places if self.pool.rows is None else self.pool.rows[places]

    def vectors(self) -> np.ndarray:
        """Return the vectors.

        Raises:
            TrainingError: There are none.
        """
        if self.pool.vectors is None:
            raise TrainingError(
                "The images have no embeddings to compare.", "Train or embed first."
            )
        return self.pool.vectors


def _least_confident(asked: _Asked) -> _Scored:
    confidence = asked.pool.confidence
    return asked.by(None if confidence is None else 1 - confidence, "confidence")


def _cold_then_margin(asked: _Asked) -> _Scored:
    if asked.pool.n_labelled >= COLD_BELOW:
        return asked.by_margin()
    places = np.flatnonzero(asked.open_)
    found = representatives(asked.vectors(), asked.count, asked.seed, asked.rows(places))
    return places[found], 1 - np.arange(len(found)) / max(len(found), 1)


def _k_centre(asked: _Asked) -> _Scored:
    """Farthest first among the items of least margin; without a model among as many random ones."""
    many = FILTER * asked.count
    if asked.pool.margin is not None:
        near_border, _ = asked.by_margin(many)
    else:
        open_ = np.flatnonzero(asked.open_)
        rng = np.random.default_rng((asked.seed, 2))
        near_border = rng.choice(open_, min(many, len(open_)), replace=False)
    vectors = asked.vectors()[asked.rows(near_border)]
    found, far = farthest_first(vectors, asked.count, asked.pool.labelled)
    return near_border[found], np.where(np.isfinite(far), far, far[1:].max(initial=0.0))


def _quota(asked: _Asked) -> _Scored:
    """Fill each group's quota with its least margins, and what is left over with those of all."""
    groups = asked.pool.groups
    if groups is None or not asked.quota:
        raise InputError(
            "A choice by quota needs a quota of each class or slice.", "Say how many of which."
        )
    parts: list[np.ndarray] = []
    room = asked.count
    for name in sorted(asked.quota):
        mine = _Asked(asked.pool, 0, asked.seed, {}, asked.open_ & (groups == name))
        parts.append(mine.by_margin(max(0, min(asked.quota[name], room)))[0])
        room -= len(parts[-1])
    left = asked.open_.copy()
    left[np.concatenate(parts)] = False
    parts.append(_Asked(asked.pool, room, asked.seed, {}, left).by_margin()[0])
    picked = np.concatenate(parts)
    assert asked.pool.margin is not None
    return picked, 1 - asked.pool.margin[picked]


def _next_minute(asked: _Asked) -> _Scored:
    pool = asked.pool
    belief = pool.confidence if pool.belief is None else pool.belief
    if belief is None:
        return asked.by(None, "confidence")
    gain = np.maximum(pool.accuracy - belief, 0.0)
    return asked.by(gain if pool.seconds is None else gain / pool.seconds, "confidence")


_WAYS: dict[str, Callable[[_Asked], _Scored]] = {
    "random": lambda asked: (np.zeros(0, dtype=np.int64), np.zeros(0)),
    "least-confident": _least_confident,
    "margin": lambda asked: asked.by_margin(),
    "entropy": lambda asked: asked.by(asked.pool.entropy, "entropy"),
    "cold-then-margin": _cold_then_margin,
    "k-centre": _k_centre,
    "quota": _quota,
    "disagreement": lambda asked: asked.by(asked.pool.disagreement, "disagreement"),
    "next-minute": _next_minute,
}


def _together(pool: Pool, picked: np.ndarray, score: np.ndarray, drawn: np.ndarray) -> Chosen:
    chance = len(drawn) / max(len(pool.item_ids), 1)
    by_chance = np.arange(len(picked) + len(drawn)) >= len(picked)
    return Chosen(
        item_ids=pool.item_ids[np.concatenate([picked, drawn])],
        score=np.concatenate([np.asarray(score, dtype=np.float64), np.zeros(len(drawn))]),
        random_share=by_chance,
        draw_probability=np.where(by_chance, chance, 1.0),
    )


def _entropy(probabilities: np.ndarray) -> np.ndarray:
    return np.asarray(-xlogy(probabilities, probabilities).sum(1))
