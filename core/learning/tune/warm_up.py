"""Before the first step: a last layer that fits the frozen network, and what a step will cost."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from core.learning.runner import is_memory
from core.learning.step_probe import Precision, fastest_step
from core.learning.tune.batches import Batches
from core.learning.tune.judge import AT_ONCE
from core.learning.tune.network import SCALE, Tunable, row_losses
from core.learning.values import OnProgress, Progress, ShouldStop, StopRequested

_ROWS = 4_000


def fitted_head(
    model: Tunable, batches: Batches, progress: OnProgress, should_stop: ShouldStop
) -> tuple[np.ndarray, np.ndarray]:
    """Return weight and bias of a last layer fitted to the frozen network.

    With it first steps do not spoil the network (Kumar et al. 2022: a random last layer distorts
    good features).

    Raises:
        StopRequested: ``should_stop`` said so.
    """
    rng = np.random.default_rng(batches.settings.seed)
    rows = np.sort(rng.permutation(batches.lesson.learnt)[:_ROWS])
    vectors = _vectors(model, batches, rows, progress, should_stop)
    head = nn.Linear(vectors.shape[1], batches.targets.shape[1])
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    targets, weight = batches.targets[rows], batches.weight[rows]
    search = torch.optim.LBFGS(
        head.parameters(), max_iter=60, history_size=10, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        search.zero_grad()
        each = row_losses(SCALE * head(vectors), targets, batches.lesson.several)
        loss = (each * weight).mean() + 2e-3 * head.weight.pow(2).sum()
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        return loss

    search.step(closure)  # type: ignore[no-untyped-call]
    return head.weight.detach().numpy().copy(), head.bias.detach().numpy().copy()


def timed_step(model: Tunable, batches: Batches) -> tuple[Precision, float]:
    """Return the fastest way of taking this process's part of a step, and its seconds.

    Where memory does not do, nothing is timed: the steps themselves will halve what runs at once
    and say so.
    """
    share = batches.share(batches.settings.batch)
    rows = np.resize(batches.lesson.learnt[:share], share)
    x = batches.plain(rows)
    try:
        return fastest_step(
            model, x, batches.targets[rows].to(batches.device), batches.lesson.several,
            row_losses, batches.settings.cache,
        )  # fmt: skip
    except (MemoryError, RuntimeError) as error:
        if not is_memory(error):
            raise
        return Precision(), 0.0


def _vectors(
    model: Tunable,
    batches: Batches,
    rows: np.ndarray,
    progress: OnProgress,
    should_stop: ShouldStop,
) -> Tensor:
    model.eval()
    parts = []
    with torch.inference_mode():
        for at in range(0, len(rows), AT_ONCE):
            progress(Progress("warm-up", at, len(rows)))
            parts.append(model.eyes.vectors(batches.plain(rows[at : at + AT_ONCE])).cpu())
            if should_stop():
                raise StopRequested
    return torch.cat(parts).clone()
