"""The small network for machines without published weights; who teaches it is not known here."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

NAME = "tiny"
SIZE = 96
"""Side of its square input in pixels."""


class TinyNet(nn.Module):
    """Four convolution stages and a last linear layer, about 0.4 M weights."""

    def __init__(self, classes: int = 128) -> None:
        super().__init__()
        widths = (3, 32, 64, 128, 256)
        self.features = nn.Sequential(*[_stage(a, b) for a, b in pairwise(widths)])
        self.head = nn.Linear(widths[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return projections, shape (n, classes)."""
        out: Tensor = self.head(self.features(x).mean((2, 3)))
        return out


def _stage(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
        nn.MaxPool2d(2) if before == 3 else nn.Identity(),
    )
