"""What a simulated campaign came to: every seed's run, and every way of labelling beside the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from core.formats.base import Refusal
from core.learning.loop import LoopRun, LoopSettings
from core.stats.intervals import wilson

OURS = "certificate"
"""The way that is promised something; the others stand beside it."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to get everything labelled, over all seeds."""

    way: str
    human_share: float
    auto_error: float
    runs_over_target: float
    final_accuracy: float


@dataclass(frozen=True, slots=True)
class SeedRun:
    """What one seed's campaign came to.

    Attributes:
        refused: Whether nothing stood as accepted at its end.
        sentence: The last look's.
        labelled: Training labels of its last model.
        checked: Certify items people labelled.
    """

    seed: int
    human_share: float
    auto_error: float
    over_target: bool
    final_accuracy: float
    looks: int
    refused: bool
    revoked: bool
    sentence: str
    labelled: int
    checked: int


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a team would have saved.

    Attributes:
        human_share: Mean share of items people would have labelled.
        low: Smallest over the seeds.
        high: Largest.
        auto_error: Mean error of the labels accepted.
        auto_error_max: Largest.
        runs_over_target: Share of runs whose accepted labels are wrong more often than allowed.
        runs_low: Lower end of its 95 % interval.
        runs_high: Upper end.
        final_accuracy: Mean accuracy of all labels, people's and the model's.
        seeds: Runs.
        n: Items with a known label.
        refused_runs: Runs in which nothing was accepted.
        target_error: Allowed.
        confidence: That it holds over a whole campaign.
        seconds: All of it took.
        spending: What each look may err.
        table: Every way beside the others.
        runs: One for each seed.
        refused: Lines of the table that were left out.
        n_refused: How many.
        skipped: Images with a label that could not be read.
        unlabelled: Images without a known label: left out.
        notice: What a person should know, or empty.
        mode: ``probe``, ``hard-first`` or ``fine-tune``.
        labels: Training labels of the last model, the mean over the seeds.
    """

    human_share: float
    low: float
    high: float
    auto_error: float
    auto_error_max: float
    runs_over_target: float
    runs_low: float
    runs_high: float
    final_accuracy: float
    seeds: int
    n: int
    refused_runs: int
    target_error: float
    confidence: float
    seconds: float
    spending: tuple[float, ...]
    table: tuple[Way, ...]
    runs: tuple[SeedRun, ...]
    refused: tuple[Refusal, ...] = ()
    n_refused: int = 0
    skipped: int = 0
    unlabelled: int = 0
    notice: str = ""
    mode: str = "probe"
    labels: float = 0.0

    def to_dict(self) -> dict[str, object]:
        """Return the simulation as JSON-ready values."""
        return asdict(self)


def summed(
    runs: Sequence[Mapping[str, LoopRun]],
    seeds: Sequence[int],
    settings: LoopSettings,
    n: int,
    seconds: float,
) -> Simulation:
    """Return what the runs of all seeds come to together.

    Args:
        runs: For each seed, every way's run by name.
        n: Items with a known label.
        seconds: All of it took.
    """
    ours = [found[OURS] for found in runs]
    over = sum(r.over_target for r in ours)
    share = wilson(over, len(ours))
    human = [r.human_share for r in ours]
    errors = [r.auto_error for r in ours]
    return Simulation(
        float(np.mean(human)), min(human), max(human),
        float(np.mean(errors)), max(errors),
        over / len(ours), share.low or 0.0, share.high or 1.0,
        float(np.mean([r.final_accuracy for r in ours])),
        len(ours), n, sum(not len(r.accepted) for r in ours),
        settings.target, 1 - settings.delta, seconds,
        tuple(settings.may_err(k) for k in range(1, settings.looks + 1)),
        tuple(_way(name, [found[name] for found in runs]) for name in runs[0]),
        tuple(_run(seed, r) for seed, r in zip(seeds, ours, strict=True)),
        labels=float(np.mean([r.rounds[-1].labelled for r in ours])),
    )  # fmt: skip


def _way(name: str, runs: Sequence[LoopRun]) -> Way:
    return Way(
        name,
        float(np.mean([r.human_share for r in runs])),
        float(np.mean([r.auto_error for r in runs])),
        float(np.mean([r.over_target for r in runs])),
        float(np.mean([r.final_accuracy for r in runs])),
    )


def _run(seed: int, run: LoopRun) -> SeedRun:
    return SeedRun(
        seed, run.human_share, run.auto_error, run.over_target, run.final_accuracy,
        len(run.rounds), not len(run.accepted), run.revoked,
        run.rounds[-1].sentence, run.rounds[-1].labelled, run.rounds[-1].checked,
    )  # fmt: skip
