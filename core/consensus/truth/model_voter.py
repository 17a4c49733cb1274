"""The model as one more voter: Dawid-Skene over people, with the model's calibrated word beside them.

People alone are resolved first, by their blind votes, on a sample of the tasks. The model's probabilities are then mapped to
probabilities of the truth by fits that see only blind votes, each task's fit those of other tasks
(`_calibration`). Last, Dawid-Skene runs on with the mapped word as one more voter. So the model needs no
calibration of its own. Its word is trusted by the evidence: how many standard errors likelier it makes blind
votes on tasks its fit did not see. Up to two it is left out, from four on it counts in full, between in part
(as if with that probability it told anything); from ten on, its word beside a single vote also teaches who
votes right. So a useless model, found good by luck on few tasks, hardly harms.

A vote is blind if it was cast without seeing the model's answer; the others already carry the model's
word, which must not count twice. Two rules see to that:
1. the model's word counts on a task only beside at least one blind vote there;
2. a shown vote equal to the model's top class was, with probability s, cast because it was shown, and
   then tells nothing: it is weighed as (1 - s) P(says l | truth j) + s. Here s is how much oftener shown
   votes than blind ones equal the model's top class, a share of what is left to agree on, measured on
   all votes together. A shown vote against the model counts in full: it was cast in spite of it.
Without any blind vote nothing can be known of the model, and people's votes are resolved without it.

Sources: Goh, Tkachenko, Mueller, "CROWDLAB", 2022 (the model as a voter); Raykar et al., JMLR 2010.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.consensus.truth._calibration import Calibration, calibrate
from core.consensus.truth._joint import Joint
from core.consensus.truth.confusion import SMOOTH, Model, Smoothing
from core.consensus.truth.dawid_skene import MOST_CELLS, dawid_skene
from core.consensus.truth.posterior import clamped, normalised, settled
from core.consensus.truth.result import Truth, reasons
from core.consensus.truth.votes import Ints, Longs, Reals, Votes, known
from core.errors import InputError

Bools = NDArray[np.bool_]
TINY = 1e-30
PEOPLE_TASKS = 2_500  # tasks on which people alone are resolved, to learn what the model is worth
ROUGH = 3e-3  # per vote; more rounds of either change accuracy by less than 0.1 points


@dataclass(frozen=True, eq=False)
class ModelVoice:
    """What the model's word was worth.

    Attributes:
        counted: On which tasks it counted, shape (tasks,).
        probability: P(truth | its word), shape (tasks, classes), where it counted; nan elsewhere.
        useful: Whether it made blind votes on unseen tasks clearly likelier; else it counts nowhere.
        trust: How clearly, 0 to 1: the probability with which its word tells anything.
        gain: By how much, nats a task.
        slope: 1 / temperature: below 1 the model is overconfident.
        confusion: P(truth is j | the model means k) at [k, j]; None where it was never fitted.
        anchoring: Probability that a shown vote just repeats it, 0 to 1.
    """

    counted: Bools
    probability: NDArray[np.float32]
    useful: bool = False
    trust: float = 0.0
    gain: float = 0.0
    slope: float = 1.0
    confusion: Reals | None = None
    anchoring: float = 0.0


@dataclass(frozen=True, eq=False)
class Advised(Truth):
    """Labels from people and a model, and what the model's word was worth."""

    model: ModelVoice = field(
        default_factory=lambda: ModelVoice(np.zeros(0, np.bool_), np.zeros((0, 0), np.float32))
    )


def model_voter(
    votes: Votes,
    word: ArrayLike,
    *,
    blind: ArrayLike | None = None,
    gold: Ints | None = None,
    smoothing: Smoothing = SMOOTH,
    tol: float = ROUGH,
    rounds: int = 50,
    folds: int = 3,
    seed: int = 0,
    threads: int | None = None,
) -> Advised:
    """Return labels by Dawid-Skene with the model as one more voter.

    Args:
        votes: The votes.
        word: The model's out-of-sample probabilities, shape (tasks, classes); a row with nan says
            nothing; rows need not sum to 1.
        blind: Whether each vote, in the rows of `votes` (`aligned` puts a column so), was cast without
            seeing the model's answer; all by default.
        gold: Known class of each task, -1 where unknown.
        smoothing: As for `dawid_skene`.
        tol: Least change of the log-likelihood, per vote, worth another round.
        rounds: Most rounds.
        folds: Parts of the tasks; each is calibrated by the others.
        seed: Of the parts.
        threads: Most threads; None for one a core. The result is the same whatever their number.

    Raises:
        InputError: The probabilities, the blind flags or the gold do not fit the votes.
    """
    answers = known(votes, gold)
    heard = _checked(votes, word, blind)
    independent = _independent(votes, heard.blind)
    asked = np.flatnonzero((independent | (answers >= 0)) & heard.spoke)
    if len(asked) < 2 or not heard.blind.any() or votes.classes < 2:
        return _without(votes, answers, smoothing)
    asked = np.sort(np.random.default_rng(seed).permutation(asked)[:PEOPLE_TASKS])
    alone = _only(votes, heard.blind, asked)
    people = dawid_skene(alone, gold=answers[asked], smoothing=smoothing, tol=ROUGH)
    prior = _prior(people)
    likelihood = _likelihood(alone, people, prior, answers[asked])
    counted = independent & heard.spoke
    found = calibrate(heard.said, likelihood, asked, counted, prior, folds, seed)
    if not found.trust:
        return _without(votes, answers, smoothing, found)
    voice = _voice(votes, heard, counted, found, prior)
    confusion = people.workers.confusion
    if confusion is None or votes.workers * votes.classes**2 > MOST_CELLS:
        return _beside(votes, answers, smoothing, voice, prior)
    says = (voice.probability, counted, prior, found.teaches)
    joint = Joint(
        votes, answers, smoothing, says, (voice.anchoring, _repeats(votes, heard)), threads
    )
    start = Model(_emission(confusion), np.log(prior))
    return _advised(joint.resolve(start, tol, rounds), voice)


def aligned(votes: Votes, task: ArrayLike, worker: ArrayLike, column: ArrayLike) -> NDArray:
    """Return a column given beside the votes as they were cast, in the rows of `votes`.

    Args:
        votes: Made by `make_votes` from the same columns.
        task, worker: Numbers of task and worker, in the order the votes were cast.
        column: One value a vote; of several votes of a worker on a task the last one's is kept.
    """
    width = max(votes.workers, 1)
    pair = np.asarray(task, np.int64) * width + np.asarray(worker, np.int64)
    order = np.argsort(pair, kind="stable")
    wanted = votes.task.astype(np.int64) * width + votes.worker
    at = np.searchsorted(pair[order], wanted, side="right") - 1
    return np.asarray(np.asarray(column)[order[at]])


@dataclass(frozen=True, eq=False)
class _Heard:
    """The model's word on each task, and who voted without it.

    Attributes:
        said: Its probabilities, rows that sum to 1 or are nan.
        spoke: Which rows are not nan.
        blind: Whether each vote was cast without seeing its answer.
    """

    said: NDArray[np.float32]
    spoke: Bools
    blind: Bools


def _checked(votes: Votes, word: ArrayLike, blind: ArrayLike | None) -> _Heard:
    said, spoke = _checked_word(votes, word)
    unseen = np.ones(len(votes), np.bool_) if blind is None else np.asarray(blind, np.bool_)
    if unseen.shape != (len(votes),):
        raise InputError(f"There is one blind flag a vote, {len(votes)}, found {unseen.shape}.")
    return _Heard(said, spoke, unseen)


def _checked_word(votes: Votes, word: ArrayLike) -> tuple[NDArray[np.float32], Bools]:
    """Return the model's probabilities with rows that sum to 1 or are nan, and which are not."""
    from core.consensus.truth._voice_kernel import check

    said = np.asarray(word)
    if said.shape != (votes.tasks, votes.classes):
        raise InputError(
            f"The model has a probability for each of {votes.classes} classes of "
            f"{votes.tasks} tasks, found {said.shape}."
        )
    if not np.issubdtype(said.dtype, np.floating):
        raise InputError(f"The model's probabilities are real numbers, found {said.dtype}.")
    exact = np.float32 if said.dtype.itemsize <= 4 else np.float64
    out, spoke = np.empty(said.shape, np.float32), np.empty(len(said), np.bool_)
    if check(np.ascontiguousarray(said, dtype=exact), out, spoke):
        raise InputError("The model's probabilities are from 0 up; one is negative or infinite.")
    return out, spoke


def _independent(votes: Votes, blind: Bools) -> Bools:
    """Return which tasks somebody voted on blind."""
    if blind.all():
        return np.asarray(votes.counts > 0)
    return np.asarray(np.bincount(votes.task[blind], minlength=votes.tasks) > 0)


def _only(votes: Votes, kept: Bools, asked: Longs) -> Votes:
    """Return the kept votes on some tasks, numbered anew in their order."""
    number = np.full(votes.tasks, -1, dtype=np.int32)
    number[asked] = np.arange(len(asked), dtype=np.int32)
    rows = np.flatnonzero((number[votes.task] >= 0) & kept)
    columns = number[votes.task[rows]], votes.worker[rows], votes.label[rows]
    return Votes(*columns, len(asked), votes.workers, votes.classes)


def _prior(people: Truth) -> Reals:
    """Return how common the classes are where people voted, one task's worth of each mixed in."""
    mass = people.probability.sum(axis=0, dtype=np.float64) + 1.0
    return np.asarray(mass / mass.sum())


def _likelihood(blind: Votes, people: Truth, prior: Reals, gold: Ints) -> Reals:
    """Return P(blind votes | truth) up to a factor a task, as people alone were found to vote."""
    from core.consensus.truth._kernels import posterior_block

    if people.workers.confusion is None:
        return clamped(np.asarray(people.probability / prior), gold)
    k = blind.classes
    emission = _emission(people.workers.confusion)
    cell = blind.worker * np.int32(k) + blind.label
    out = np.empty((blind.tasks, k), dtype=np.float32)
    posterior_block(0, blind.tasks, blind.starts, cell, gold, emission, np.zeros(k), out)
    return np.maximum(out, TINY).astype(np.float64)


def _emission(confusion: NDArray[np.float32]) -> Reals:
    """Return log P(says l | truth is j) at [worker · classes + l, j]."""
    logs = np.log(np.maximum(confusion, TINY)).transpose(0, 2, 1)
    return np.ascontiguousarray(logs, dtype=np.float64).reshape(-1, confusion.shape[1])


def _voice(
    votes: Votes, heard: _Heard, counted: Bools, found: Calibration, prior: Reals
) -> ModelVoice:
    """Return the model's word as far as it is trusted."""
    mapped = found.trust * found.probability + ((1 - found.trust) * prior).astype(np.float32)
    learnt = (found.trust, found.gain, found.slope, found.confusion)
    return ModelVoice(counted, mapped, True, *learnt, _anchoring(votes, heard))


def _repeats(votes: Votes, heard: _Heard) -> Bools:
    """Return which votes were cast seeing the model's answer, and are equal to it."""
    if heard.blind.all():
        return ~heard.blind
    equal = votes.label == np.argmax(heard.said, axis=1)[votes.task]
    return np.asarray(~heard.blind & heard.spoke[votes.task] & equal)


def _anchoring(votes: Votes, heard: _Heard) -> float:
    """Return how much oftener shown votes equal the model's top class, of what is left to agree on."""
    if heard.blind.all():
        return 0.0
    spoke = heard.spoke[votes.task]
    equal = votes.label == np.argmax(heard.said, axis=1)[votes.task]
    rates = [
        (1.0 + (equal & spoke & part).sum()) / (2.0 + (spoke & part).sum())
        for part in (heard.blind, ~heard.blind)
    ]
    if not (spoke & ~heard.blind).any():
        return 0.0
    return float(np.clip((rates[1] - rates[0]) / (1 - rates[0]), 0.0, 1.0))


def _without(
    votes: Votes, gold: Ints, smoothing: Smoothing, found: Calibration | None = None
) -> Advised:
    """Return what all people's votes say alone."""
    truth = dawid_skene(votes, gold=gold, smoothing=smoothing)
    nowhere = np.zeros(votes.tasks, np.bool_)
    silent = np.full((votes.tasks, votes.classes), np.nan, dtype=np.float32)
    voice = ModelVoice(nowhere, silent)
    if found is not None:
        voice = ModelVoice(nowhere, silent, False, 0.0, found.gain, found.slope, found.confusion)
    return _advised(truth, voice)


def _beside(
    votes: Votes, gold: Ints, smoothing: Smoothing, voice: ModelVoice, prior: Reals
) -> Advised:
    """Return the product of what people say and what the model says: too many cells for tables."""
    truth = dawid_skene(votes, gold=gold, smoothing=smoothing)
    score = np.log(np.maximum(truth.probability, TINY), dtype=np.float64)
    word = np.log(np.maximum(voice.probability[voice.counted], TINY), dtype=np.float64)
    score[voice.counted] += word - np.log(prior)
    label, probability = settled(votes, normalised(score)[0], gold)
    why = reasons(votes, label, gold)
    joint = Truth(label, probability, why, truth.workers, truth.iterations, truth.converged)
    return _advised(joint, voice)


def _advised(truth: Truth, voice: ModelVoice) -> Advised:
    return Advised(**{f.name: getattr(truth, f.name) for f in fields(Truth)}, model=voice)
