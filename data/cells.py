"""Blood cells: where they lie, and how stained cells look in transmitted light.

Every cell absorbs: colours are optical densities that add up, so overlapping cells darken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from core.labels import Region
from data.texture import Field, blurred

WIDTH_PX, HEIGHT_PX = 640, 480
PINK = np.array((0.10, 0.40, 0.30), np.float32)
LILAC = np.array((0.24, 0.36, 0.10), np.float32)
PURPLE = np.array((0.92, 1.30, 0.50), np.float32)
ORANGE = np.array((0.12, 0.55, 0.62), np.float32)
RADII = {"WBC": (50.0, 6.0), "RBC": (32.0, 2.4), "Platelets": (9.5, 1.6)}
"""Mean and spread in pixels."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as an ellipse in image pixels; it may reach over the edge."""

    label: str
    x: float
    y: float
    rx: float
    ry: float

    @property
    def region(self) -> Region:
        """Return its box, cut at the image's edge."""
        return Region(
            self.label,
            round(max(0.0, self.x - self.rx), 2),
            round(max(0.0, self.y - self.ry), 2),
            round(min(float(WIDTH_PX), self.x + self.rx), 2),
            round(min(float(HEIGHT_PX), self.y + self.ry), 2),
        )


def place_cells(rng: np.random.Generator) -> list[Cell]:
    """Return 12 to 30 cells; only red cells overlap, and little."""
    total = int(rng.integers(14, 31))
    white = int(rng.choice([0, 1, 2], p=[0.15, 0.6, 0.25]))
    plates = int(rng.choice([0, 1, 2, 3, 4], p=[0.15, 0.3, 0.3, 0.15, 0.1]))
    order = ["WBC"] * white + ["RBC"] * (total - white - plates) + ["Platelets"] * plates
    placed: list[Cell] = []
    for label in order:
        cell = _free_place(label, placed, rng)
        if cell is not None:
            placed.append(cell)
    return placed


def _free_place(label: str, placed: list[Cell], rng: np.random.Generator) -> Cell | None:
    mean, spread = RADII[label]
    closest = 0.80 if label == "RBC" else 1.03
    for _ in range(200):
        size = abs(rng.normal(mean, spread))
        rx, ry = (float(size * v) for v in rng.normal(1, 0.05, 2))
        # A red cell may be cut by the edge; at least two thirds of it stay visible.
        out = 0.3 if label == "RBC" else -1.02
        x = float(rng.uniform(-out * rx, WIDTH_PX + out * rx))
        y = float(rng.uniform(-out * ry, HEIGHT_PX + out * ry))
        if all(_apart(x, y, max(rx, ry), other) > closest for other in placed):
            return Cell(label, x, y, rx, ry)
    return None


def _apart(x: float, y: float, radius_px: float, other: Cell) -> float:
    """Return the centres' distance relative to the sum of the radii."""
    away = float(np.hypot(x - other.x, y - other.y))
    return away / (radius_px + max(other.rx, other.ry))


def paint(
    cells: Sequence[Cell],
    stain: tuple[float, float, float],
    blur_px: float,
    films: list[Field],
    rng: np.random.Generator,
) -> Image.Image:
    """Return the field as a photograph.

    Args:
        cells: What lies in it.
        stain: Tint of this stain, by channel.
        blur_px: How far out of focus.
        films: Noise to cut the background's unevenness from.
        rng: Source of randomness.
    """
    density = _film(films, rng)
    for cell in sorted(cells, key=lambda c: ("RBC", "WBC", "Platelets").index(c.label)):
        patch = _Patch(cell, rng)
        density[patch.window] += {"RBC": _red, "WBC": _white, "Platelets": _platelet}[cell.label](
            patch, rng
        )
    _specks(density, rng)
    glass = np.array((0.965, 0.93, 0.925), np.float32) * np.array(stain, np.float32)
    seen = glass * np.exp(-density * rng.uniform(0.9, 1.12))
    y, x = np.mgrid[-1 : 1 : HEIGHT_PX * 1j, -1 : 1 : WIDTH_PX * 1j].astype(np.float32)
    off = rng.normal(0, 0.15, 2)
    fall = 1.02 - rng.uniform(0.10, 0.24) * ((x - off[0]) ** 2 + (y - off[1]) ** 2)
    seen = blurred(seen * fall[..., None], max(0.35, blur_px))
    seen = seen + rng.standard_normal(seen.shape, np.float32) * np.float32(0.010)
    return Image.fromarray((np.clip(seen, 0, 1) * 255).astype(np.uint8))


def _film(films: list[Field], rng: np.random.Generator) -> Field:
    """Return the plasma's density: thin, cloudy, faintly pink."""
    film = films[int(rng.integers(len(films)))]
    x, y = rng.integers(0, film.shape[1] - WIDTH_PX), rng.integers(0, film.shape[0] - HEIGHT_PX)
    cloud = film[y : y + HEIGHT_PX, x : x + WIDTH_PX]
    thick = np.clip(0.05 + 0.018 * cloud, 0, 1)
    return np.asarray(thick[..., None] * np.array((0.5, 1.3, 0.9), np.float32))


class _Patch:
    """The pixels around one cell, in coordinates where the cell is a rough unit disc."""

    def __init__(self, cell: Cell, rng: np.random.Generator) -> None:
        self.radius_px = (cell.rx + cell.ry) / 2
        x1, x2 = max(0, int(cell.x - cell.rx) - 3), min(WIDTH_PX, int(cell.x + cell.rx) + 4)
        y1, y2 = max(0, int(cell.y - cell.ry) - 3), min(HEIGHT_PX, int(cell.y + cell.ry) + 4)
        self.window = (slice(y1, y2), slice(x1, x2))
        rough = {"RBC": 0.035, "WBC": 0.035, "Platelets": 0.14}[cell.label]
        self._waves = [(k, rough / (k - 1), rng.uniform(0, 6.3)) for k in (2, 3, 4, 6)]
        turn = np.linspace(0, 2 * np.pi, 181)
        edge = np.column_stack([np.cos(turn), np.sin(turn)]) * self._radius(turn)[:, None]
        low, high = edge.min(0), edge.max(0)
        gy, gx = np.mgrid[y1:y2, x1:x2].astype(np.float32) + np.float32(0.5)
        # Stretching the outline to the ellipse's extent makes the box exact whatever the waves.
        self.u = (gx - cell.x) / cell.rx * (high[0] - low[0]) / 2 + (high[0] + low[0]) / 2
        self.v = (gy - cell.y) / cell.ry * (high[1] - low[1]) / 2 + (high[1] + low[1]) / 2
        self.rho = np.hypot(self.u, self.v) / self._radius(np.arctan2(self.v, self.u))
        self.body = self.disc(self.rho, 1.0)

    def _radius(self, angle: Field) -> Field:
        return np.asarray(1 + sum(h * np.sin(k * angle + p) for k, h, p in self._waves))

    def disc(self, distance: Field, radius: float, soft: float = 1.0) -> Field:
        """Return 1 inside the radius, 0 outside, with an edge of about one pixel times `soft`."""
        return np.asarray(np.clip((radius - distance) * self.radius_px / soft + 0.5, 0, 1))

    def blob(
        self, x: float, y: float, rx: float, ry: float, turn: float, soft: float = 1.5
    ) -> Field:
        """Return an ellipse in the cell's coordinates."""
        u, v = self.u - x, self.v - y
        a, b = u * np.cos(turn) + v * np.sin(turn), -u * np.sin(turn) + v * np.cos(turn)
        return np.asarray(
            np.clip(
                (1 - np.hypot(a / rx, b / ry)) * min(rx, ry) * self.radius_px / soft + 0.5, 0, 1
            )
        )

    def grains(self, rng: np.random.Generator, size_px: float = 2.0) -> Field:
        """Return smooth noise around 0, about one grain per `size_px`."""
        high, wide = self.rho.shape
        grid = rng.standard_normal((int(high / size_px) + 2, int(wide / size_px) + 2)).astype(
            np.float32
        )
        image = Image.fromarray(grid, mode="F").resize((wide, high), Image.Resampling.BICUBIC)
        return np.asarray(image, np.float32)


def _red(patch: _Patch, rng: np.random.Generator) -> Field:
    shift = rng.normal(0, 0.05, 2)
    inner = np.hypot(patch.u - shift[0], patch.v - shift[1])
    pallor = rng.uniform(0.35, 0.72) * np.exp(-((inner / rng.uniform(0.36, 0.50)) ** 2.4))
    rim = 0.18 * np.exp(-(((patch.rho - 0.82) / 0.16) ** 2))
    thick = patch.body * (0.86 + rim - pallor) * rng.normal(1, 0.07)
    return np.asarray(
        np.clip(thick, 0, 2)[..., None] * PINK * (1 + rng.normal(0, 0.04, 3).astype(np.float32))
    )


def _white(patch: _Patch, rng: np.random.Generator) -> Field:
    kind = str(
        rng.choice(["neutrophil", "lymphocyte", "monocyte", "eosinophil"], p=[0.55, 0.25, 0.1, 0.1])
    )
    nucleus = _nucleus(kind, patch, rng) * patch.body
    chromatin = 1 + 0.13 * patch.grains(rng, 5) + 0.06 * patch.grains(rng, 2.2)
    depth = {"neutrophil": 0.55, "lymphocyte": 1.1, "monocyte": 0.9, "eosinophil": 0.6}[kind]
    plasma = depth * LILAC * (1 + 0.12 * patch.grains(rng, 2.2))[..., None]
    if kind == "eosinophil":
        plasma = plasma + ORANGE * (0.45 + 0.30 * patch.grains(rng, 3.2))[..., None]
    edge = 1 + 0.35 * np.exp(-(((patch.rho - 0.97) / 0.04) ** 2))
    cytoplasm = patch.body[..., None] * np.clip(plasma, 0, 2) * edge[..., None]
    return np.asarray(
        cytoplasm * (1 - nucleus)[..., None] + PURPLE * (nucleus * chromatin)[..., None]
    )


def _nucleus(kind: str, patch: _Patch, rng: np.random.Generator) -> Field:
    turn = float(rng.uniform(0, 2 * np.pi))
    if kind == "lymphocyte":
        x, y = rng.normal(0, 0.05, 2)
        return patch.blob(x, y, rng.uniform(0.76, 0.86), rng.uniform(0.74, 0.84), turn)
    if kind == "monocyte":
        whole = patch.blob(0, 0, 0.74, 0.60, turn)
        bay = patch.blob(
            0.62 * np.cos(turn + 1.57), 0.62 * np.sin(turn + 1.57), 0.34, 0.42, turn, 4
        )
        return np.clip(whole - bay, 0, 1)
    lobes = 2 if kind == "eosinophil" else int(rng.integers(2, 6))
    angles = turn + np.linspace(0, {2: 2.8, 3: 3.6, 4: 4.2, 5: 4.9}[lobes], lobes)
    angles = angles + rng.normal(0, 0.12, lobes)
    centres = (
        np.column_stack([np.cos(angles), np.sin(angles)]) * rng.uniform(0.38, 0.50, lobes)[:, None]
    )
    nucleus = np.zeros_like(patch.rho)
    for i, (x, y) in enumerate(centres):
        size = rng.uniform(0.24, 0.33) * (1.3 if lobes == 2 else 1)
        part = patch.blob(x, y, size * rng.uniform(1.0, 1.35), size, float(angles[i] + 1.57))
        nucleus = np.maximum(nucleus, part)
        if i:
            mid, step = (centres[i] + centres[i - 1]) / 2, centres[i] - centres[i - 1]
            long = float(np.hypot(*step))
            bridge = patch.blob(
                mid[0], mid[1], long * 0.55, 0.09, float(np.arctan2(step[1], step[0]))
            )
            nucleus = np.maximum(nucleus, bridge)
    return np.asarray(nucleus)


def _platelet(patch: _Patch, rng: np.random.Generator) -> Field:
    granules = np.clip(0.55 + 0.28 * patch.grains(rng, 2.6), 0.15, 1.2)
    core = 0.45 + 0.75 * np.exp(-((patch.rho / 0.7) ** 2))
    return np.asarray((patch.body * granules * core)[..., None] * PURPLE * rng.uniform(0.75, 1.0))


def _specks(density: Field, rng: np.random.Generator) -> None:
    """Add the stain's dirt: sharp brown-black dots that are no cells."""
    for _ in range(rng.poisson(3)):
        x, y = int(rng.integers(2, WIDTH_PX - 6)), int(rng.integers(2, HEIGHT_PX - 6))
        wide, high = rng.integers(1, 4, 2)
        density[y : y + high, x : x + wide] += np.array((0.9, 1.0, 1.1), np.float32) * rng.uniform(
            0.5, 1.1
        )
