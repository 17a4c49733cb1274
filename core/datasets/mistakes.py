"""The mistakes converters of boxes make, each as what it would have written: so a wrong line can be named.

All in YOLO's terms: centre and size as shares of the image, whatever format is looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Four = tuple[float, float, float, float]
Edges = tuple[float, float, float, float]
Size = tuple[int, int]

NEAR = 2e-4
"""How near a line must come to what a mistake would have written; shares of the image."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A known mistake: a short name, and what happened in words."""

    name: str
    sentence: str


def shares(box: Edges, size: Size) -> Four:
    """Return centre and size of a box as shares of the image: what YOLO holds."""
    x1, y1, x2, y2 = box
    w, h = size
    return (x1 + x2) / 2 / w, (y1 + y2) / 2 / h, (x2 - x1) / w, (y2 - y1) / h


def _corner(box: Edges, size: Size) -> Four:
    x1, y1, x2, y2 = box
    w, h = size
    return x1 / w, y1 / h, (x2 - x1) / w, (y2 - y1) / h


def _edges(box: Edges, size: Size) -> Four:
    return box[0] / size[0], box[1] / size[1], box[2] / size[0], box[3] / size[1]


def _swapped_size(box: Edges, size: Size) -> Four:
    return shares(box, (size[1], size[0]))


def _swapped_axes(box: Edges, size: Size) -> Four:
    x, y, w, h = shares(box, size)
    return y, x, h, w


def _half_size(box: Edges, size: Size) -> Four:
    x, y, w, h = shares(box, size)
    return x, y, w / 2, h / 2


def _from_below(box: Edges, size: Size) -> Four:
    x, y, w, h = shares(box, size)
    return x, 1 - y, w, h


def _no_ymax(box: Edges, size: Size) -> Four:
    return shares((box[0], box[1], box[2], box[1]), size)


def _pixels(box: Edges, size: Size) -> Four:
    return shares(box, (1, 1))


def _pixel_edges(box: Edges, size: Size) -> Four:
    return box


def _pixel_corner(box: Edges, size: Size) -> Four:
    return _corner(box, (1, 1))


_KNOWN: tuple[tuple[Callable[[Edges, Size], Four], Mistake], ...] = (
    (_corner, Mistake("corner for centre", "the top left corner stands where the centre belongs")),
    (_edges, Mistake("edges for centre and size", "the four edges stand where centre and size belong")),
    (
        _swapped_size,
        Mistake("width and height swapped", "x was divided by the image's height and y by its width"),
    ),
    (_swapped_axes, Mistake("x and y swapped", "x and y have changed places")),
    (_half_size, Mistake("half the size", "width and height are half of what they are")),
    (_from_below, Mistake("y from below", "y is counted from the lower edge")),
    (_no_ymax, Mistake("ymax taken from ymin", "the lower edge was read from the upper one")),
    (_pixels, Mistake("not normalised", "pixels were never divided by the image's size")),
    (_pixel_edges, Mistake("not normalised", "the edges stand there in pixels")),
    (_pixel_corner, Mistake("not normalised", "a corner and a size stand there in pixels")),
)  # fmt: skip


def named(box: Edges, size: Size, found: Four) -> Mistake | None:
    """Return the mistake that turns a box into the four numbers found; None where none does.

    Args:
        box: The true edges, pixels.
        size: Width and height of the image, pixels.
        found: Centre and size as they stand there, shares where all is well.
    """
    for make, mistake in _KNOWN:
        would = make(box, size)
        scale = max(1.0, *map(abs, would))
        if all(abs(a - b) <= NEAR * scale for a, b in zip(would, found, strict=True)):
            return mistake
    return _other_size(box, size, found) or _shifted(box, size, found)


def _other_size(box: Edges, size: Size, found: Four) -> Mistake | None:
    """Return that another image's size was used, where one size explains all four numbers."""
    true = shares(box, size)
    if min(found) <= 0:
        return None
    across, down = true[0] / found[0], true[1] / found[1]
    fits = abs(true[2] / found[2] - across) < 0.01 and abs(true[3] / found[3] - down) < 0.01
    if not fits or (abs(across - 1) < 0.005 and abs(down - 1) < 0.005):
        return None
    used = f"{size[0] * across:.0f}×{size[1] * down:.0f}"
    return Mistake(
        "another image's size",
        f"it was divided by {used} px, the image has {size[0]}×{size[1]} px",
    )


def _shifted(box: Edges, size: Size, found: Four) -> Mistake | None:
    """Return that the box lies half a pixel or a whole one aside, as 0- and 1-based pixels do."""
    true = shares(box, size)
    across, down = (found[0] - true[0]) * size[0], (found[1] - true[1]) * size[1]
    grown = max(abs(found[2] - true[2]) * size[0], abs(found[3] - true[3]) * size[1])
    if 0.2 < max(abs(across), abs(down)) <= 1.05 and grown <= 1.05:
        return Mistake(
            "pixels counted from 1",
            f"the box lies {across:+.2f} px across and {down:+.2f} px down from where it was",
        )
    return None
