"""Expectation-maximisation over the classes said of each task, instead of over all classes.

For models with one number (a skill) a worker, the truth of a task is one of the classes somebody said
of it, or one of all the others, which share what is left (the rest). So memory grows with the votes,
not with tasks × classes or workers × classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from core.consensus.truth.majority import cast, majority, tabled
from core.consensus.truth.result import Truth, Workers, reasons
from core.consensus.truth.sparse import Candidates, make_candidates
from core.consensus.truth.votes import Ints, Longs, Reals, Votes, known

LEAST = 1e-10
SHRINK = 4.0
TOLERANCE = 1e-5


@dataclass(frozen=True, eq=False)
class Ballot:
    """The candidates of each task and the votes that bear on each.

    Attributes:
        votes: The votes.
        gold: Known class of each task, -1 for unknown.
        task: Task of each candidate, ascending; the tasks without votes have none.
        label: Its class, ascending within the task; `votes.classes` stands for all classes unsaid.
        own: Candidate that each vote says.
        vote, candidate: Each pair of a vote and a candidate of its task.
    """

    votes: Votes
    gold: Ints
    task: Longs
    label: Longs
    own: Longs
    vote: Longs
    candidate: Longs

    @cached_property
    def starts(self) -> Longs:
        """Return where the candidates of each task that has some begin."""
        return np.flatnonzero(np.append(True, self.task[1:] != self.task[:-1]))

    @cached_property
    def is_rest(self) -> np.ndarray:
        """Return whether each candidate stands for the classes unsaid."""
        return np.asarray(self.label == self.votes.classes)

    @cached_property
    def same(self) -> np.ndarray:
        """Return of each pair whether the vote says the candidate."""
        return np.asarray(self.own[self.vote] == self.candidate)


def make_ballot(votes: Votes, gold: Ints) -> Ballot:
    """Return the candidates: the classes said of each task, the known one, and the rest."""
    width = votes.classes + 1
    said = votes.task.astype(np.int64) * width + votes.label
    voted = np.flatnonzero(votes.counts > 0)
    sure = np.flatnonzero((gold >= 0) & (votes.counts > 0))
    keys = np.unique(
        np.concatenate([said, sure * width + gold[sure], voted * width + votes.classes])
    )
    task, label = np.divmod(keys, width)
    first = np.searchsorted(task, np.arange(votes.tasks + 1))
    per_vote = np.diff(first)[votes.task]
    vote = np.repeat(np.arange(len(votes)), per_vote)
    offset = np.arange(len(vote)) - np.repeat(np.cumsum(per_vote) - per_vote, per_vote)
    candidate = first[votes.task][vote] + offset
    return Ballot(votes, gold, task, label, np.searchsorted(keys, said), vote, candidate)


class Model(Protocol):
    """How workers err, besides their skill."""

    def errors(self, ballot: Ballot, p: Reals) -> Reals:
        """Return log P(says it | wrong, the candidate is true) of each pair.

        Args:
            ballot: The candidates.
            p: Their probabilities so far.
        """
        ...


def infer(
    votes: Votes,
    gold: Ints | None,
    model_of: Callable[[Ballot], Model],
    shrink: float,
    tol: float,
    rounds: int,
) -> Truth:
    """Find truth and skills by expectation-maximisation, from the shares of the votes.

    Args:
        votes: The votes.
        gold: Known class of each task, -1 for unknown; it stays fixed.
        model_of: Tells from the candidates how workers err.
        shrink: Votes each worker is taken to have cast besides, as right as all of them together.
        tol: Least change of the log-likelihood, per vote, worth another round.
        rounds: Most rounds.

    Raises:
        InputError: The gold does not fit the tasks or classes.
    """
    if not len(votes):
        return majority(votes, gold=gold)
    ballot = make_ballot(votes, known(votes, gold))
    return _maximise(ballot, model_of(ballot), shrink, tol, rounds)


def _maximise(ballot: Ballot, model: Model, shrink: float, tol: float, rounds: int) -> Truth:
    size, n = len(ballot.task), len(ballot.votes)
    p = np.bincount(ballot.own, minlength=size) / ballot.votes.counts[ballot.task]
    p = _clamped(ballot, p)
    before, gain, done = -np.inf, np.inf, 0
    while done < rounds and gain >= tol * n:
        skill, prior = _skill(ballot, p, shrink), _prior(ballot, p)
        wrong = np.log1p(-skill)[ballot.votes.worker[ballot.vote]] + model.errors(ballot, p)
        right = np.log(skill)[ballot.votes.worker[ballot.vote]]
        z = np.bincount(ballot.candidate, np.where(ballot.same, right, wrong), minlength=size)
        p, likelihood = _posterior(ballot, z + _log_prior(ballot, prior))
        gain, before, done = abs(likelihood - before), likelihood, done + 1
    return _answer(ballot, p, skill, prior, (done, gain < tol * n, before))


def _skill(ballot: Ballot, p: Reals, shrink: float) -> Reals:
    """Return the share of each worker's votes that is right."""
    votes = ballot.votes
    right = np.bincount(votes.worker, p[ballot.own], minlength=votes.workers)
    pooled = (right.sum() + 1) / (len(votes) + 2)
    skill = (right + shrink * pooled) / np.maximum(cast(votes) + shrink, LEAST)
    return np.asarray(np.clip(skill, LEAST, 1 - LEAST))


def _prior(ballot: Ballot, p: Reals) -> Reals:
    """Return the share of each class, one task added to each."""
    said = ~ballot.is_rest
    mass = np.bincount(ballot.label[said], p[said], minlength=ballot.votes.classes) + 1.0
    return np.asarray(mass / mass.sum(), dtype=np.float64)


def _log_prior(ballot: Ballot, prior: Reals) -> Reals:
    """Return the logarithm of each candidate's share; the rest has what the others leave."""
    shares = np.append(prior, 0.0)[ballot.label]
    left = 1.0 - np.add.reduceat(shares, ballot.starts)
    shares[ballot.is_rest] = left
    return np.asarray(np.log(np.maximum(shares, 1e-300)))


def _posterior(ballot: Ballot, z: Reals) -> tuple[Reals, float]:
    """Return each candidate's probability from its log joint one, and the log-likelihood."""
    sizes = np.diff(np.append(ballot.starts, len(z)))
    top = np.maximum.reduceat(z, ballot.starts)
    p = np.exp(z - np.repeat(top, sizes))
    total = np.add.reduceat(p, ballot.starts)
    likelihood = float((top + np.log(total)).sum())
    p /= np.repeat(total, sizes)
    known = ballot.gold[ballot.task] == ballot.label
    likelihood += float(np.log(np.maximum(p[known], 1e-300)).sum())
    return _clamped(ballot, p), likelihood


def _clamped(ballot: Ballot, p: Reals) -> Reals:
    gold = ballot.gold[ballot.task]
    return np.where(gold >= 0, gold == ballot.label, p).astype(np.float64)


def _answer(
    ballot: Ballot, p: Reals, skill: Reals, prior: Reals, end: tuple[int, bool, float]
) -> Truth:
    """Return the result: a full table where it is small enough, else the candidates."""
    votes, gold = ballot.votes, ballot.gold
    table, label, kept = tabled(votes, gold, _candidates(ballot, p, prior))
    count = cast(votes)
    workers = Workers(count, np.where(count > 0, skill, np.nan), _weight(skill, votes.classes))
    return Truth(
        label, table, reasons(votes, label, gold), workers, *end, candidates=kept, prior=prior
    )


def _candidates(ballot: Ballot, p: Reals, prior: Reals) -> Candidates:
    rest = np.zeros(ballot.votes.tasks)
    rest[ballot.task[ballot.is_rest]] = p[ballot.is_rest]
    said = ~ballot.is_rest
    scored = (ballot.task[said], ballot.label[said], p[said])
    return make_candidates(ballot.votes, ballot.gold, scored, rest, prior)


def _weight(skill: Reals, classes: int) -> Reals:
    """Return the log odds a vote adds to its class against any one other, not below 0."""
    return np.asarray(np.maximum(np.log(skill * max(classes - 1, 1) / (1 - skill)), 0.0))
