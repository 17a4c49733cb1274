"""The compiled loops of the model as one more voter: its word checked, a round of EM, the labels.

Imported on first use only, compiled on the first call and kept on disk. One thread each, over the tasks
first ≤ t < last, without the interpreter's lock.

A task's few votes are multiplied, not their logarithms added: no exponential is needed.
"""

from __future__ import annotations

import numpy as np
from numba import njit

GROUP = 4  # votes multiplied before the row is scaled again: 1e-30 to the fourth is far from 0


@njit(cache=True, nogil=True)
def check(word, out, spoke):  # type: ignore[no-untyped-def]
    """Write each row's shares and whether it says anything; return whether a number is impossible.

    Args:
        word: The model's probabilities, shape (tasks, classes).
        out: Filled with rows that sum to 1, or are nan.
        spoke: Filled with whether they are not.
    """
    k = word.shape[1]
    bad = False
    for t in range(len(word)):
        total = 0.0
        for c in range(k):
            bad |= (word[t, c] < 0) | (word[t, c] == np.inf)
            total += word[t, c]
        spoke[t] = total > 0
        share = 1.0 / total if total > 0 else np.nan
        for c in range(k):
            out[t, c] = word[t, c] * share
    return bad


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz", "arcp"})
def _join(row, begin, end, cell, emission):  # type: ignore[no-untyped-def]
    """Multiply a row by what the votes say; return the logarithm of what was divided out."""
    k = len(row)
    scale = 0.0
    for v in range(begin, end):
        said = emission[cell[v]]
        for c in range(k):
            row[c] *= said[c]
        if (v - begin) % GROUP == GROUP - 1:
            top = row[0]
            for c in range(1, k):
                top = max(top, row[c])
            scale += np.log(top)
            top = 1.0 / top
            for c in range(k):
                row[c] *= top
    return scale


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz", "arcp"})
def _sure(row, known):  # type: ignore[no-untyped-def]
    """Normalise a row, or put all on the known class; return the logarithm of what it had."""
    if known >= 0:
        had = row[known]
        row[:] = 0.0
        row[known] = 1.0
        return np.log(max(had, 1e-300))
    total = 0.0
    for c in range(len(row)):
        total += row[c]
    share = 1.0 / total
    for c in range(len(row)):
        row[c] *= share
    return np.log(total)


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz", "arcp"})
def _teach(row, begin, end, cell, counts):  # type: ignore[no-untyped-def]
    for v in range(begin, end):
        into = counts[cell[v]]
        for c in range(len(row)):
            into[c] += row[c]


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz", "arcp"})
def joint_block(  # type: ignore[no-untyped-def]
    first,
    last,
    starts,
    cell,
    gold,
    word,
    counted,
    teaches,
    fewest,
    emission,
    prior,
    lean,
    counts,
    mass,
    out,
):
    """Write the tasks' posteriors, fill the tables from them; return the log-likelihood.

    Args:
        first, last: The tasks.
        starts: Where each task's votes begin, shape (tasks + 1,).
        cell: Row of `emission` of each vote.
        gold: Known class of each task, -1 for unknown.
        word: P(truth | the model's word), shape (tasks, classes).
        counted: Where it counts.
        teaches: Whether it is a vote too when `fewest` are asked for.
        fewest: Votes (or gold) a task must have for its votes to be counted in the tables.
        emission: P(said | true).
        prior: P(class).
        lean: The same over the share that the model's word already has in it.
        counts: Filled with expected counts, shaped as `emission`; zero before.
        mass: Filled with the expected number of tasks of each class; zero before.
        out: Filled, shape (tasks, classes).
    """
    k = len(prior)
    row = np.empty(k)
    likelihood = 0.0
    for t in range(first, last):
        begin, end = starts[t], starts[t + 1]
        if begin == end and gold[t] < 0:
            continue
        if counted[t]:
            for c in range(k):
                row[c] = lean[c] * max(word[t, c], np.float32(1e-30))
        else:
            for c in range(k):
                row[c] = prior[c]
        likelihood += _join(row, begin, end, cell, emission)
        likelihood += _sure(row, gold[t])
        for c in range(k):
            mass[c] += row[c]
            out[t, c] = row[c]
        if end - begin + (counted[t] and teaches) >= fewest or gold[t] >= 0:
            _teach(row, begin, end, cell, counts)
    return likelihood


@njit(cache=True, nogil=True)
def _likeliest(row, rank, least):  # type: ignore[no-untyped-def]
    """Return the class of the highest number, the first in rank of those equal to it."""
    top = row[0]
    for c in range(1, len(row)):
        top = max(top, row[c])
    best = -1
    for c in range(len(row)):
        if row[c] >= top * least and (best < 0 or rank[c] < rank[best]):
            best = c
    return best


@njit(cache=True, nogil=True)
def _counted(said, begin, end, label):  # type: ignore[no-untyped-def]
    """Return the votes for a class, the most for any, and how many classes have that many."""
    mine, most, leaders, v = 0, 0, 0, begin
    while v < end:
        of, run = said[v], v
        while v < end and said[v] == of:
            v += 1
        if v - run > most:
            most, leaders = v - run, 0
        leaders += v - run == most
        if of == label:
            mine = v - run
    return mine, most, leaders


@njit(cache=True, nogil=True)
def settle_block(first, last, starts, said, gold, rank, shares, least, why, out, label, reason):  # type: ignore[no-untyped-def]
    """Write each task's label and the code of why, as `choose` and `reasons` do.

    Args:
        first, last: The tasks.
        starts: Where each task's votes begin, shape (tasks + 1,).
        said: Class of each vote, ascending in each task.
        gold: Known class of each task, -1 for unknown.
        rank: Place of each class among classes of equal probability, first wins.
        shares: Probability of each class where nobody voted and nothing is known.
        least: Probabilities of at least this times the highest are equal to it.
        why: Codes of `Why` for: no votes, gold, unanimous, majority, tie, weighed.
        out: Posteriors, shape (tasks, classes); filled where nobody voted.
        label, reason: Filled.
    """
    for t in range(first, last):
        begin, end = starts[t], starts[t + 1]
        if gold[t] >= 0:
            label[t], reason[t] = gold[t], why[1]
            continue
        if begin == end:
            label[t], reason[t] = -1, why[0]
            out[t] = shares
            continue
        label[t] = _likeliest(out[t], rank, least)
        mine, most, leaders = _counted(said, begin, end, label[t])
        if mine != most:
            reason[t] = why[5]
        elif leaders > 1:
            reason[t] = why[4]
        else:
            reason[t] = why[2] if mine == end - begin else why[3]
