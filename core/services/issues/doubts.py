"""Suspicious classes: labels that a model which never saw them takes for others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import EmptyTrainingSet
from core.labels.schema import Question
from core.learning.probe import Fitted, fit_probe
from core.learning.probe_multi import fit_several
from core.learning.suspicious.alike import nearest
from core.learning.suspicious.confident import NOT_GIVEN, doubted
from core.learning.suspicious.multi import doubted_sets
from core.services.issues.embedded import Embeddings
from core.services.issues.material import Looked, codes_of, sets_of
from core.services.issues.values import Finding, Kind

SEED = 0
DRAWS = 3
"""How often the labels are dealt into folds anew."""
MOST_DRAWN_AGAIN = 5_000
"""Above so many labels one draw of the folds is as good as several, and they would take long."""
FEWEST = 3
"""A class with fewer training labels cannot be judged: held out, hardly any are left to know it by."""
FOUND_FROM = 0.4
"""From this score on, half being level, a label is listed."""
MOST = 2_000
ALIKE = 10


@dataclass(frozen=True, slots=True)
class Doubts:
    """What was found on one question.

    Attributes:
        score: float (n,), of every item's label on the question; NaN where it was not judged.
        codes: int (n,), each item's given class, -1 without one; of several classes none.
        made: How the probabilities were made, in words; empty where there are none.
    """

    found: tuple[Finding, ...]
    score: np.ndarray
    codes: np.ndarray
    expected: int
    made: str
    notes: tuple[str, ...]


def doubts_of(question: Question, looked: list[Looked], at_hand: Embeddings, first: bool) -> Doubts:
    """Return the suspicious labels of a question of an item; none with a note where none can be told."""
    ways = _several if question.several else _single
    try:
        return ways(question, looked, at_hand, first)
    except EmptyTrainingSet as error:
        note = f"The labels of '{question.title}' were not judged. {error.message}"
        nothing = np.full(len(looked), np.nan)
        return Doubts((), nothing, np.full(len(looked), NOT_GIVEN), 0, "", (note,))


def _single(question: Question, looked: list[Looked], at_hand: Embeddings, first: bool) -> Doubts:
    codes = codes_of(question, looked)
    learnt, pool = _split(looked, at_hand, codes >= 0)
    vectors = at_hand.told
    table = _judged(vectors, codes, learnt, pool, len(question.names))
    counts = np.bincount(codes[learnt], minlength=len(question.names))
    rare = counts < FEWEST
    judged = (codes >= 0) & at_hand.found & ~rare[codes] & ~np.isnan(table).any(1)
    said = doubted(table, np.where(judged, codes, NOT_GIVEN))
    order = [int(r) for r in said.ranked()[:MOST] if said.score[r] >= FOUND_FROM]
    near = nearest(vectors, ALIKE, learnt, np.array(order, dtype=np.int64))
    found = [
        Finding(
            looked[r].id, Kind.LABEL, "" if first else question.title, question.names[codes[r]],
            question.names[said.suggested[r]], round(float(said.score[r]), 4),
            _why(question, table[r], int(codes[r]), int(said.suggested[r]), codes[near.at[i]]),
            looked[r].final_seq, later=not first,
        )
        for i, r in enumerate(order)
    ]  # fmt: skip
    notes = _rare_note(question, codes, rare)
    expected = said.expected
    return Doubts(tuple(found), said.score, codes, expected, _made(learnt, judged, at_hand), notes)


def _several(question: Question, looked: list[Looked], at_hand: Embeddings, first: bool) -> Doubts:
    given, known = sets_of(question, looked)
    learnt, pool = _split(looked, at_hand, known)
    vectors = at_hand.told
    fitted = fit_several(vectors[learnt], given[learnt], vectors[pool], SEED)
    table = _table(fitted, learnt, vectors)
    judged = known & at_hand.found & ~np.isnan(table).any(1)
    yes = given[learnt].sum(0)
    rare = np.minimum(yes, len(learnt) - yes) < FEWEST
    table[:, rare] = given[:, rare]  # nothing can be said of these: they are taken as given
    said = doubted_sets(table, given, judged)
    worst = said.worst
    order = np.argsort(-np.where(np.isfinite(worst), worst, -9), kind="stable")[:MOST]
    found = []
    for r in (int(r) for r in order if worst[r] > 0):
        flips = said.doubts(r)
        right = [n for c, n in enumerate(question.names) if given[r, c] ^ (c in flips)]
        found.append(
            Finding(
                looked[r].id, Kind.LABEL, "" if first else question.title,
                _names(n for c, n in enumerate(question.names) if given[r, c]), _names(right),
                round(float(0.5 + worst[r] / 2), 4), _why_set(question, table[r], given[r], flips),
                looked[r].final_seq, later=not first,
            )
        )  # fmt: skip
    notes = tuple(
        f"'{n}' of '{question.title}' was not judged: fewer than {FEWEST} labels with it, or without."
        for n, few in zip(question.names, rare, strict=True)
        if few
    )
    score = np.where(np.isfinite(worst), 0.5 + worst / 2, np.nan)
    codes = np.full(len(looked), NOT_GIVEN)
    expected = int(said.expected.sum())
    return Doubts(tuple(found), score, codes, expected, _made(learnt, judged, at_hand), notes)


def _split(
    looked: Sequence[Looked], at_hand: Embeddings, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows learnt from and the unlabelled ones that help: never what certifies or judges."""
    train = np.array([i.use == "train" for i in looked], dtype=bool) & at_hand.found
    people = np.array([not i.by_model for i in looked], dtype=bool)
    return np.flatnonzero(train & known & people), np.flatnonzero(train & ~known)


def _judged(
    vectors: np.ndarray, codes: np.ndarray, learnt: np.ndarray, pool: np.ndarray, classes: int
) -> np.ndarray:
    """Return what fits on several draws of the folds say on average: one draw is partly luck."""
    table = np.zeros((len(vectors), classes))
    draws = DRAWS if len(learnt) <= MOST_DRAWN_AGAIN else 1
    for seed in range(SEED, SEED + draws):
        fitted = fit_probe(vectors[learnt], codes[learnt], vectors[pool], classes, seed)
        table += _table(fitted, learnt, vectors) / draws
    return table


def _table(fitted: Fitted, learnt: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Return what is said of every item by a fit that has not seen its label; NaN where none could be made."""
    table = fitted.head.probabilities(vectors)
    table[learnt] = fitted.out_of_fold.mean(0) if len(fitted.out_of_fold) else np.nan
    return table


def _why(question: Question, row: np.ndarray, given: int, other: int, near: np.ndarray) -> str:
    names = question.names
    told = (
        f"A model that had not seen this label gives {names[other]} {_share(row[other])} and "
        f"{names[given]} {_share(row[given])}"
    )
    of = len(near)
    votes = int((near == other).sum())
    if not of:
        return f"{told}."
    return f"{told}; of the {of} labelled images most like it {votes} are {names[other]} and {int((near == given).sum())} {names[given]}."


def _why_set(question: Question, row: np.ndarray, given: np.ndarray, flips: Sequence[int]) -> str:
    parts = [
        f"{question.names[c]} {'is given, but' if given[c] else 'is not given, yet'} a model that had "
        f"not seen this answer says {_share(row[c])}"
        for c in flips[:3]
    ]
    return "; ".join(parts) + "."


def _share(p: float) -> str:
    """Return a probability in percent, on one line; one that rounds to nothing or all is told as a bound."""
    percent = "under 1" if p < 0.01 else "over 99" if p > 0.99 else f"{100 * p:.0f}"
    return f"{percent}\N{NO-BREAK SPACE}%"


def _names(names: object) -> str:
    return ", ".join(names) or "none"  # type: ignore[arg-type]


def _made(learnt: np.ndarray, judged: np.ndarray, at_hand: Embeddings) -> str:
    rest = int(judged.sum() - judged[learnt].sum())
    words = (
        f"A linear probe on {at_hand.how}. Each of the {len(learnt):,} training labels was judged by "
        "fits on other parts of the labels (out of fold, cross-validated, the mean of "
        f"{DRAWS if len(learnt) <= MOST_DRAWN_AGAIN else 1} draws)"
    )
    if rest:
        words += (
            f"; {rest:,} others, which nothing is learnt from, by the fit on all training labels"
        )
    return f"{words}."


def _rare_note(question: Question, codes: np.ndarray, rare: np.ndarray) -> tuple[str, ...]:
    few = [n for c, n in enumerate(question.names) if rare[c] and (codes == c).any()]
    if not few:
        return ()
    return (
        f"Labels of {', '.join(few[:5])}{' and others' if len(few) > 5 else ''} were not judged: "
        f"fewer than {FEWEST} training labels of a class tell too little of it.",
    )
