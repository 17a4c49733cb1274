"""The network that is taught, its one linear layer, and the loss by which it learns."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 the name everybody uses

from core.learning.backbones import TunedExtractor
from core.learning.tune.values import Standing, Tuned

SCALE = 16.0
"""Unit vectors times a layer of ordinary weights times this: scores as far apart as they need be."""
_EYES = "eyes.network."


class Tunable(nn.Module):
    """A network and a linear layer on its unit vectors: normalised images to scores."""

    def __init__(self, network: nn.Module, classes: int, size: int) -> None:
        super().__init__()
        self.eyes = TunedExtractor(network)
        with torch.no_grad():
            width = self.eyes.eval().vectors(torch.zeros(1, 3, size, size)).shape[1]
        self.head = nn.Linear(width, classes)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return scores, shape (n, classes)."""
        scores: Tensor = SCALE * self.head(self.eyes.vectors(x))
        return scores

    def learning(self) -> None:
        """Switch to training; batch norms keep their statistics, so rows do not see one another."""
        self.train()
        for module in self.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()

    def head_now(self) -> tuple[np.ndarray, np.ndarray]:
        """Return weight and bias of the last layer as they stand, to begin another run with."""
        return (
            self.head.weight.detach().cpu().numpy().copy(),
            self.head.bias.detach().cpu().numpy().copy(),
        )

    def put_head(self, weight: np.ndarray, bias: np.ndarray) -> None:
        """Put a last layer in place."""
        with torch.no_grad():
            self.head.weight.copy_(torch.from_numpy(weight))
            self.head.bias.copy_(torch.from_numpy(bias))

    def show(self, tuned: Tuned) -> None:
        """Put a result of this kind of network in place, to score or to go on from."""
        state = {f"{_EYES}{k}": v for k, v in tuned.network.items()}
        self.load_state_dict(state, strict=False)
        self.put_head(tuned.head_weight / SCALE, tuned.head_bias / SCALE)

    def result(self, scores: np.ndarray, standing: Standing, images_per_second: float) -> Tuned:
        """Return the network as it stands, with the scores of its judged rows."""
        weight, bias = self.head_now()
        network = {
            k.removeprefix(_EYES): v.detach().cpu().clone()
            for k, v in self.state_dict().items()
            if k.startswith(_EYES)
        }
        return Tuned(
            network,
            (SCALE * weight).astype(np.float32),
            (SCALE * bias).astype(np.float32),
            scores,
            standing,
            images_per_second,
        )


def row_losses(scores: Tensor, targets: Tensor, several: bool) -> Tensor:
    """Return each row's loss: cross-entropy with shares, or the mean over labels of their own."""
    if several:
        return F.binary_cross_entropy_with_logits(scores, targets, reduction="none").mean(1)
    return -(targets * F.log_softmax(scores, 1)).sum(1)
