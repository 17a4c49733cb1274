"""The model as one more voter: Dawid-Skene over people, with the model's calibrated word beside them.

People alone are resolved first, by their blind votes, on a sample of the tasks. The model's probabilities are then mapped to
probabilities of the truth by fits that see only blind votes, each task's fit those of other tasks
(`_calibration`). Last, Dawid-Skene runs on with the mapped word as one more voter. So the model needs no
calibration of its own, and a useless one is left out.

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
from core.consensus.truth.confusion import SMOOTH, Model, Smoothing, fit
from core.consensus.truth.dawid_skene import MOST_CELLS, dawid_skene
from core.consensus.truth.posterior import clamped, normalised, settled
from core.consensus.truth.result import Truth, Workers, reasons
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
        gain: By how much, nats a task.
        slope: 1 / temperature: below 1 the model is overconfident.
        confusion: P(truth is j | the model means k) at [k, j]; None where it was never fitted.
        anchoring: Probability that a shown vote just repeats it, 0 to 1.
    """

    counted: Bools
    probability: NDArray[np.float32]
    useful: bool = False
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

    Raises:
        InputError: The probabilities, the blind flags or the gold do not fit the votes.
    """
    answers = known(votes, gold)
    said = _checked(votes, word)
    unseen = np.ones(len(votes), np.bool_) if blind is None else np.asarray(blind, np.bool_)
    if unseen.shape != (len(votes),):
        raise InputError(f"There is one blind flag a vote, {len(votes)}, found {unseen.shape}.")
    independent = np.bincount(votes.task[unseen], minlength=votes.tasks) > 0
    spoke = ~np.isnan(said).any(axis=1)
    asked = np.flatnonzero((independent | (answers >= 0)) & spoke)
    if len(asked) < 2 or not unseen.any() or votes.classes < 2:
        return _without(votes, answers, smoothing)
    asked = np.random.default_rng(seed).permutation(asked)[:PEOPLE_TASKS]
    drawn = np.zeros(votes.tasks, np.bool_)
    drawn[asked] = True
    alone = _only(votes, unseen & drawn[votes.task])
    people = dawid_skene(alone, gold=answers, smoothing=smoothing, tol=ROUGH)
    prior = _prior(people, drawn)
    likelihood = _likelihood(alone, people, prior, answers)
    found = calibrate(said, likelihood, asked, prior, folds, seed)
    if not found.useful:
        return _without(votes, answers, smoothing, found)
    counted = independent & spoke
    anchoring = 0.0 if unseen.all() else _anchoring(votes, said, unseen, spoke)
    voice = ModelVoice(
        counted,
        np.where(counted[:, None], found.probability, np.float32(np.nan)),
        True,
        found.gain,
        found.slope,
        found.confusion,
        anchoring,
    )
    repeats = ~unseen & spoke[votes.task] & (votes.label == np.argmax(said, axis=1)[votes.task])
    if people.workers.confusion is None or votes.workers * votes.classes**2 > MOST_CELLS:
        return _beside(votes, answers, smoothing, voice, prior)
    joint = _Joint(votes, answers, smoothing, voice, repeats, prior)
    return joint.resolve(people.workers.confusion, tol, rounds)


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


def _checked(votes: Votes, word: ArrayLike) -> NDArray[np.floating]:
    said = np.asarray(word)
    if said.shape != (votes.tasks, votes.classes):
        raise InputError(
            f"The model has a probability for each of {votes.classes} classes of "
            f"{votes.tasks} tasks, found {said.shape}."
        )
    if not np.issubdtype(said.dtype, np.floating):
        raise InputError(f"The model's probabilities are real numbers, found {said.dtype}.")
    with np.errstate(invalid="ignore"):
        if (said < 0).any() or np.isinf(said).any():
            raise InputError(
                "The model's probabilities are from 0 up; one is negative or infinite."
            )
        total = said.sum(axis=1, keepdims=True)
        return np.asarray(said / np.where(total > 0, total, np.nan))


def _only(votes: Votes, kept: Bools) -> Votes:
    if kept.all():
        return votes
    task, worker, label = votes.task[kept], votes.worker[kept], votes.label[kept]
    return Votes(task, worker, label, votes.tasks, votes.workers, votes.classes)


def _prior(people: Truth, voted: Bools) -> Reals:
    """Return how common the classes are where people voted, one task's worth of each mixed in."""
    mass = people.probability[voted].sum(axis=0, dtype=np.float64) + 1.0
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


def _anchoring(votes: Votes, said: NDArray, unseen: Bools, spoke: Bools) -> float:
    """Return how much oftener shown votes equal the model's top class, of what is left to agree on."""
    heard = spoke[votes.task]
    equal = votes.label == np.argmax(said, axis=1)[votes.task]
    rates = [
        (1.0 + (equal & heard & part).sum()) / (2.0 + (heard & part).sum())
        for part in (unseen, ~unseen)
    ]
    if not (heard & ~unseen).any():
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
        voice = ModelVoice(nowhere, silent, False, found.gain, found.slope, found.confusion)
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


class _Joint:
    """Dawid-Skene's rounds with more rows in the table of emissions.

    First one row for each (worker, class said); then as many for votes that repeat the model; then one
    for each task the model counts on. A vote, and the model's word, is a pointer to a row.
    """

    def __init__(
        self,
        votes: Votes,
        gold: Ints,
        smoothing: Smoothing,
        voice: ModelVoice,
        repeats: Bools,
        prior: Reals,
    ) -> None:
        self.votes, self.gold, self.smoothing, self.voice = votes, gold, smoothing, voice
        self.pairs = votes.workers * votes.classes
        word = np.maximum(voice.probability[voice.counted], TINY).astype(np.float64)
        self.word = np.log(word) - np.log(prior)
        self.echoed = bool(repeats.any() and voice.anchoring > 0)
        cell = votes.worker.astype(np.int64) * votes.classes + votes.label
        cell[repeats] += self.pairs if self.echoed else 0
        self.starts, self.cell = self._with_words(cell)

    def _with_words(self, cell: Longs) -> tuple[Longs, Ints]:
        """Return starts and rows with the model's word behind the votes of each task."""
        votes, counted = self.votes, self.voice.counted
        before = np.zeros(votes.tasks + 1, dtype=np.int64)
        np.cumsum(counted, out=before[1:])
        starts = votes.starts + before
        out = np.empty(starts[-1], dtype=np.int32)
        out[np.arange(len(votes)) + before[votes.task]] = cell
        first = self.pairs * (2 if self.echoed else 1)
        out[starts[1:][counted] - 1] = first + np.arange(len(self.word))
        return starts, out

    def resolve(self, confusion: NDArray[np.float32], tol: float, rounds: int) -> Advised:
        """Run from people's confusion until the log-likelihood stands."""
        model = Model(_emission(confusion), np.log(_shares(self.votes)))
        before, gain, done = -np.inf, np.inf, 0
        while done < rounds and gain >= tol * len(self.votes):
            model, likelihood = self._round(model)
            gain, before, done = abs(likelihood - before), likelihood, done + 1
        return self._truth(model, before, done, gain < tol * len(self.votes))

    def _table(self, model: Model) -> Reals:
        parts = [model.emission]
        if self.echoed:
            s = self.voice.anchoring
            parts.append(np.log((1 - s) * np.exp(model.emission) + s))
        return np.concatenate([*parts, self.word])

    def _round(self, model: Model) -> tuple[Model, float]:
        from core.consensus.truth._kernels import em_block

        table = self._table(model)
        counts, mass = np.zeros_like(table), np.zeros(self.votes.classes)
        tables = (self.smoothing.fewest, table, model.prior, counts, mass)
        likelihood = em_block(0, self.votes.tasks, self.starts, self.cell, self.gold, *tables)
        own = counts[: self.pairs]
        if self.echoed:
            told = (1 - self.voice.anchoring) * np.exp(model.emission)
            echo = counts[self.pairs : 2 * self.pairs]
            own = own + echo * told / (told + self.voice.anchoring)
        return fit(own, mass, self.smoothing), float(likelihood)

    def _truth(self, model: Model, likelihood: float, done: int, converged: bool) -> Advised:
        from core.consensus.truth._kernels import posterior_block

        votes = self.votes
        out = np.empty((votes.tasks, votes.classes), dtype=np.float32)
        rows = (self.starts, self.cell, self.gold, self._table(model), model.prior)
        posterior_block(0, votes.tasks, *rows, out)
        label, probability = settled(votes, out, self.gold)
        cast = np.bincount(votes.worker, minlength=votes.workers)
        confusion = model.confusion()
        right = np.einsum("wjj,j->w", confusion, np.exp(model.prior))
        people = Workers(cast, np.where(cast > 0, right, np.nan), None, confusion)
        why = reasons(votes, label, self.gold)
        truth = Truth(label, probability, why, people, done, converged, likelihood)
        return _advised(truth, self.voice)


def _shares(votes: Votes) -> Reals:
    """Return how common the classes are by the votes, to start with; no class at 0."""
    counts = np.bincount(votes.label, minlength=votes.classes) + 1.0
    return np.asarray(counts / counts.sum())
