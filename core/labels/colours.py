"""Telling class colours apart, as people with normal and with colour-blind eyes see them.

Pure. Colour blindness after Viénot, Brettel and Mollon 1999 (matrices in linear RGB); distance is
the Euclidean one in OKLab (Ottosson 2020) times 100, where about 2 is just noticeable.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.labels.schema import PALETTE

HARD_TO_TELL = 6.0
"""Below this distance a small mark in one colour is easily taken for the other."""

VISIONS = ("normal", "protanopia", "deuteranopia")

Floats = NDArray[np.float64]

_SEEN: dict[str, Floats] = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]]
    ),
    "deuteranopia": np.array(
        [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]]
    ),
}
_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def distances(colours: Sequence[str]) -> Floats:
    """Return how far each two colours lie apart for the eyes that tell them least, n × n.

    Args:
        colours: ``#RRGGBB`` each.
    """
    linear = np.array([_linear(c) for c in colours]).reshape(-1, 3)
    return np.asarray(np.min([_apart(linear @ _SEEN[v].T) for v in VISIONS], axis=0))


def hard_to_tell(colours: Sequence[str], limit: float = HARD_TO_TELL) -> list[tuple[int, int]]:
    """Return pairs of places whose colours some eyes hardly tell apart, the closest first."""
    if len(colours) < 2:
        return []
    apart = distances(colours)
    rows, columns = np.triu_indices(len(colours), 1)
    close = [(float(apart[i, j]), int(i), int(j)) for i, j in zip(rows, columns, strict=True)
             if apart[i, j] < limit]  # fmt: skip
    return [(i, j) for _, i, j in sorted(close)]


@lru_cache(maxsize=64)
def suggest(count: int, taken: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return so many colours, each as far as can be from all before it, for every kind of eye.

    Beyond some twenty classes no palette keeps all apart; then colours repeat in order.

    Args:
        count: How many are wanted.
        taken: Colours already in use, to keep away from.
    """
    pool = list(dict.fromkeys((*PALETTE, *_wheel())))
    apart = distances((*pool, *taken))
    near = apart[: len(pool), len(pool) :].min(axis=1) if taken else np.full(len(pool), 100.0)
    chosen: list[int] = []
    while len(chosen) < min(count, len(pool)):
        # Equal distances go to the colour that comes first: the palette's own.
        best = int(np.argmax(np.round(near, 6)))
        chosen.append(best)
        near = np.minimum(near, apart[best, : len(pool)])
        near[best] = -1.0
    return tuple(pool[chosen[i % len(chosen)]] for i in range(count)) if chosen else ()


def _wheel() -> list[str]:
    """Return hues around the wheel, in three lights."""
    found = []
    for light, reach in ((0.45, 0.11), (0.62, 0.13), (0.8, 0.11)):
        for turn in np.linspace(0, 2 * np.pi, 12, endpoint=False):
            lab = np.array([light, reach * np.cos(turn), reach * np.sin(turn)])
            cones = (np.linalg.inv(_TO_LAB) @ lab) ** 3
            rgb = np.clip(np.linalg.inv(_TO_CONES) @ cones, 0, 1)
            coded = np.where(rgb <= 0.0031308, rgb * 12.92, 1.055 * rgb ** (1 / 2.4) - 0.055)
            found.append("#" + "".join(f"{round(255 * float(v)):02X}" for v in coded))
    return found


def _apart(linear: Floats) -> Floats:
    cones = np.cbrt(np.clip(linear, 0, 1) @ _TO_CONES.T)
    lab = 100 * cones @ _TO_LAB.T
    return np.asarray(np.linalg.norm(lab[:, None, :] - lab[None, :, :], axis=2), dtype=np.float64)


def _linear(colour: str) -> Floats:
    coded = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
