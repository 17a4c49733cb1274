"""The compiled loops of Dawid-Skene, over the tasks first ≤ t < last.

Imported on first use only (numba takes half a second to import), compiled on the first call and kept
on disk. One thread each, without the interpreter's lock: the callers share out the tasks.

Tables hold a row for each (worker, class said), a column for each true class, so that one vote reads
and writes one short run of memory.
"""

from __future__ import annotations

import numpy as np
from numba import njit

BATCH = 256
_MAGIC = 6755399441055744.0  # 1.5 · 2**52: adding it leaves a rounded number in the low bits
_LOG2E = 1.4426950408889634
_LN2_HIGH = 0.6931471803691238
_LN2_LOW = 1.9082149292705877e-10


@njit(cache=True, nogil=True)
def _exponentials(x, shifted, bits, size):
    """Replace the first `size` numbers, all ≤ 0, by e to their power.

    Written out so that it runs on whole vectors (the library's is called one by one): 2**n · e**r with
    |r| < 0.35 and thirteen terms. No fast-math here: reordering would undo the rounding.
    """
    for i in range(size):
        shifted[i] = max(x[i], -700.0) * _LOG2E + _MAGIC
    for i in range(size):
        n = shifted[i] - _MAGIC
        y = max(x[i], -700.0)
        r = (y - n * _LN2_HIGH) - n * _LN2_LOW
        p = 1 / 479001600.0
        p = p * r + 1 / 39916800.0
        p = p * r + 1 / 3628800.0
        p = p * r + 1 / 362880.0
        p = p * r + 1 / 40320.0
        p = p * r + 1 / 5040.0
        p = p * r + 1 / 720.0
        p = p * r + 1 / 120.0
        p = p * r + 1 / 24.0
        p = p * r + 1 / 6.0
        p = p * r + 0.5
        p = p * r + 1.0
        x[i] = p * r + 1.0
    for i in range(size):
        bits[i] = (bits[i] << 52) + (1023 << 52)
    for i in range(size):
        x[i] *= shifted[i]


@njit(cache=True, nogil=True, fastmath=True)
def _gather(z, top, first, last, starts, cell, emission, prior):
    """Write each task's log joint probabilities less their highest, and the highest to `top`."""
    k = len(prior)
    for t in range(first, last):
        row = z[(t - first) * k : (t - first + 1) * k]
        for c in range(k):
            row[c] = prior[c]
        for v in range(starts[t], starts[t + 1]):
            said = emission[cell[v]]
            for c in range(k):
                row[c] += said[c]
        best = row[0]
        for c in range(1, k):
            best = max(best, row[c])
        top[t - first] = best
        for c in range(k):
            row[c] -= best


@njit(cache=True, nogil=True, fastmath=True)
def _normalise(row, k):
    total = 0.0
    for c in range(k):
        total += row[c]
    share = 1.0 / total
    for c in range(k):
        row[c] *= share
    return total


@njit(cache=True, nogil=True, fastmath=True)
def _scatter(row, k, begin, end, cell, counts, mass):
    """Add a task's posterior to the tables at the cells of its votes."""
    for c in range(k):
        mass[c] += row[c]
    for v in range(begin, end):
        into = counts[cell[v]]
        for c in range(k):
            into[c] += row[c]


@njit(cache=True, nogil=True)
def _clamp(row, k, known):
    """Put all probability on the known class and return the logarithm of what it had."""
    had = np.log(max(row[known], 1e-300))
    for c in range(k):
        row[c] = 0.0
    row[known] = 1.0
    return had


@njit(cache=True, nogil=True)
def _taught(begin, end, known, fewest):
    """Return the end of a task's votes that count in the tables: their begin where they are too few."""
    return end if end - begin >= fewest or known >= 0 else begin


@njit(cache=True, nogil=True)
def start_block(first, last, starts, cell, gold, fewest, counts, mass):
    """Fill the tables from each task's shares of the votes; `fewest` as in `em_block`."""
    k = len(mass)
    row = np.empty(k)
    for t in range(first, last):
        begin, end = starts[t], starts[t + 1]
        if begin == end and gold[t] < 0:
            continue
        row[:] = 0.0
        for v in range(begin, end):
            row[cell[v] % k] += 1.0 / (end - begin)
        if gold[t] >= 0:
            _clamp(row, k, gold[t])
        _scatter(row, k, begin, _taught(begin, end, gold[t], fewest), cell, counts, mass)


@njit(cache=True, nogil=True)
def em_block(first, last, starts, cell, gold, fewest, emission, prior, counts, mass):
    """Fill the tables from the tasks' posteriors; return the votes' log-likelihood.

    Args:
        first, last: The tasks.
        starts: Where each task's votes begin, shape (tasks + 1,).
        cell: worker · classes + class said, of each vote.
        gold: Known class of each task, -1 for unknown.
        fewest: Votes (or gold) a task must have for its votes to be counted in the tables.
        emission: log P(said | true), shape (workers · classes, classes).
        prior: log P(class).
        counts: Filled with expected counts, shaped as `emission`; zero before.
        mass: Filled with the expected number of tasks of each class; zero before.
    """
    k = len(prior)
    z, shifted, top = np.empty(BATCH * k), np.empty(BATCH * k), np.empty(BATCH)
    bits = shifted.view(np.int64)
    likelihood = 0.0
    for low in range(first, last, BATCH):
        high = min(low + BATCH, last)
        _gather(z, top, low, high, starts, cell, emission, prior)
        _exponentials(z, shifted, bits, (high - low) * k)
        for t in range(low, high):
            begin, end = starts[t], starts[t + 1]
            if begin == end and gold[t] < 0:
                continue
            row = z[(t - low) * k : (t - low + 1) * k]
            likelihood += top[t - low] + np.log(_normalise(row, k))
            if gold[t] >= 0:
                likelihood += _clamp(row, k, gold[t])
            _scatter(row, k, begin, _taught(begin, end, gold[t], fewest), cell, counts, mass)
    return likelihood


@njit(cache=True, nogil=True)
def posterior_block(first, last, starts, cell, gold, emission, prior, posterior):
    """Write the tasks' posteriors, shape (tasks, classes)."""
    k = len(prior)
    z, shifted, top = np.empty(BATCH * k), np.empty(BATCH * k), np.empty(BATCH)
    bits = shifted.view(np.int64)
    for low in range(first, last, BATCH):
        high = min(low + BATCH, last)
        _gather(z, top, low, high, starts, cell, emission, prior)
        _exponentials(z, shifted, bits, (high - low) * k)
        for t in range(low, high):
            row = z[(t - low) * k : (t - low + 1) * k]
            _normalise(row, k)
            if gold[t] >= 0:
                _clamp(row, k, gold[t])
            for c in range(k):
                posterior[t, c] = row[c]


@njit(cache=True, nogil=True)
def majority_pass(first, last, starts, worker, label, gold, rank, why, table, hits, best, reason):
    """Count each task's votes, for the tasks first ≤ t < last.

    Args:
        first, last: The tasks.
        starts: Where each task's votes begin, shape (tasks + 1,).
        worker, label: Of each vote, ordered by task and label.
        gold: Known class of each task, -1 for unknown.
        rank: Place of each class among classes of equal votes, first wins.
        why: Codes of `Why` for: no votes, gold, unanimous, majority, tie.
        table: Shares of the votes, shape (tasks, classes); filled, zero before.
        hits: Votes of each worker, and those equal to the label, shape (workers, 2); the same.
        best, reason: The labels and the codes of why, shape (tasks,); filled.
    """
    for t in range(first, last):
        begin, end = starts[t], starts[t + 1]
        most, leaders, chosen, v = 0, 0, -1, begin
        while v < end:
            said, run = label[v], v
            while v < end and label[v] == said:
                v += 1
            size = v - run
            table[t, said] = size / (end - begin)
            if size > most:
                most, leaders, chosen = size, 1, said
            elif size == most:
                leaders += 1
                if rank[said] < rank[chosen]:
                    chosen = said
        if leaders > 1:
            reason[t] = why[4]
        elif most == end - begin:
            reason[t] = why[2] if most else why[0]
        else:
            reason[t] = why[3]
        if gold[t] >= 0:
            table[t] = 0.0
            chosen = gold[t]
            table[t, chosen] = 1.0
            reason[t] = why[1]
        best[t] = chosen
        for v in range(begin, end):
            hits[worker[v], 0] += 1
            hits[worker[v], 1] += label[v] == chosen
