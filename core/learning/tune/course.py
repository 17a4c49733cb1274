"""A network under way: all that a checkpoint keeps, and back from one."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.learning.backbones import Backbone
from core.learning.states import State
from core.learning.step_probe import Precision
from core.learning.tune.network import Tunable
from core.learning.tune.values import Standing, TuneSettings

_HEAD_RATE = 3.0


class Course:
    """A network being taught.

    Args:
        backbone: The network to begin with; it is changed.
        classes: How many there are.
        device: Where it computes.

    Attributes:
        mean: Running mean of its weights, by name: what is judged.
        best: The mean that was judged best so far.
    """

    def __init__(
        self, backbone: Backbone, classes: int, settings: TuneSettings, device: torch.device
    ) -> None:
        self.model = Tunable(backbone.network, classes, settings.size)
        self.model.to(device)
        self.standing = Standing()
        self.mean: dict[str, Tensor] = {}
        self.best: dict[str, Tensor] = {}
        self.optimiser = torch.optim.AdamW(_groups(self.model, settings.decay), lr=settings.rate)
        self._device = device

    @property
    def weights(self) -> dict[str, Tensor]:
        """Return the network's tensors by name, as they are."""
        return self.model.state_dict()

    def begin_mean(self) -> None:
        """Begin the running mean at the weights as they are."""
        self.mean = {k: v.detach().clone() for k, v in self.weights.items()}

    def follow(self) -> None:
        """Let the running mean follow the weights, the slower the more steps were taken."""
        step = self.standing.step
        keep = min(0.99, (1 + step) / (10 + step))
        for name, value in self.weights.items():
            if value.is_floating_point():
                self.mean[name].lerp_(value.detach(), 1 - keep)

    def note(self, score: tuple[float, float]) -> None:
        """Keep the mean where its score is the best so far."""
        standing = self.standing
        if standing.score is None or score >= standing.score:
            standing.score, standing.best_step = score, standing.step
            standing.seconds_to_best = standing.seconds
            self.best = {k: v.clone() for k, v in self.mean.items()}

    def state(self) -> State:
        """Return what a checkpoint keeps."""
        tensors = {f"now.{k}": v for k, v in self.weights.items()}
        tensors |= {f"mean.{k}": v for k, v in self.mean.items()}
        tensors |= {f"best.{k}": v for k, v in self.best.items()}
        remembered = {
            f"{index}.{name}": value
            for index, entry in self.optimiser.state_dict()["state"].items()
            for name, value in entry.items()
        }
        return State(self.standing.step, tensors, remembered, _facts(self.standing))

    def restore(self, state: State) -> None:
        """Go back to a checkpoint."""
        parts: dict[str, dict[str, Tensor]] = {"now": {}, "mean": {}, "best": {}}
        for name, value in state.tensors.items():
            part, _, key = name.partition(".")
            parts[part][key] = value.to(self._device)
        self.model.load_state_dict(parts["now"])
        self.mean, self.best = parts["mean"], parts["best"]
        entries: dict[int, dict[str, Tensor]] = {}
        for name, value in state.optimiser.items():
            index, _, key = name.partition(".")
            entries.setdefault(int(index), {})[key] = value
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": entries, "param_groups": groups})
        self.standing = _standing(state)


def _groups(model: Tunable, decay: float) -> list[dict[str, object]]:
    """Return the parameters by relative rate and weight decay: the last layer learns faster."""
    head = set(model.head.parameters())
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in model.parameters():
        rate = _HEAD_RATE if parameter in head else 1.0
        groups.setdefault((rate, decay if parameter.ndim > 1 else 0.0), []).append(parameter)
    return [
        {"params": found, "weight_decay": own_decay, "relative": rate}
        for (rate, own_decay), found in groups.items()
    ]


def _facts(standing: Standing) -> dict[str, object]:
    return {
        "epochs": standing.epochs, "score": standing.score, "best_step": standing.best_step,
        "seconds_to_best": standing.seconds_to_best, "at_once": standing.at_once,
        "halved": standing.halved, "seconds": standing.seconds,
        "precision": standing.precision.to_dict(),
    }  # fmt: skip


def _standing(state: State) -> Standing:
    facts = dict(state.facts)
    score = facts.pop("score")
    precision = facts.pop("precision")
    return Standing(
        step=state.step,
        score=None if score is None else tuple(score),  # type: ignore[arg-type]
        precision=Precision(**precision),  # type: ignore[arg-type]
        **facts,  # type: ignore[arg-type]
    )
