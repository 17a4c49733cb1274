"""The geometry of leaves: outlines and veins in leaf coordinates, one function per species.

In leaf coordinates the blade's base is at (0, 0), its tip at (0, 1), and y grows to the tip.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Line = NDArray[np.float64]
"""Points, shape (n, 2)."""


@dataclass(frozen=True, slots=True)
class Vein:
    """A vein: its course, and its width at the start relative to the midrib's."""

    line: Line
    width: float


@dataclass(frozen=True, slots=True)
class Blade:
    """A leaf's blade, or one leaflet of it.

    Attributes:
        outline: Closed polygon.
        half: The part left of the midrib, to be lit differently; empty where there is none.
        veins: Midrib first.
    """

    outline: Line
    half: Line
    veins: tuple[Vein, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """A leaf: its blades, its stalk from the base outwards, and how wide it is at most."""

    blades: tuple[Blade, ...]
    petiole: Line


def smooth(points: Sequence[tuple[float, float]] | Line, per_span: int = 14) -> Line:
    """Return a Catmull-Rom curve through the points."""
    p = np.asarray(points, np.float64)
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    t = np.linspace(0, 1, per_span, endpoint=False)[:, None]
    spans = []
    for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True):
        spans.append(
            0.5
            * (
                2 * b
                + (c - a) * t
                + (2 * a - 5 * b + 4 * c - d) * t**2
                + (3 * b - a - 3 * c + d) * t**3
            )
        )
    return np.vstack([*spans, p[-2:-1]])


def bow(start: Line, end: Line, bulge: float, points: int = 12) -> Line:
    """Return an arc from start to end that leaves the chord by `bulge` of its length, leftwards."""
    t = np.linspace(0, 1, points)[:, None]
    chord = end - start
    normal = np.array([-chord[1], chord[0]])
    return start + chord * t + normal * bulge * 4 * t * (1 - t)


def evenly(line: Line, count: int) -> Line:
    """Return the line resampled at equal steps of its length."""
    step = np.hypot(*np.diff(line, axis=0).T)
    at = np.concatenate([[0], np.cumsum(step)])
    want = np.linspace(0, at[-1], count)
    return np.column_stack([np.interp(want, at, line[:, k]) for k in (0, 1)])


def toothed(line: Line, teeth: int, height: float, double: float = 0.0, outward: int = -1) -> Line:
    """Return the margin with saw teeth that point along the line.

    Args:
        line: The smooth margin, base to tip.
        teeth: How many along it.
        height: Of a tooth, in leaf lengths.
        double: Height of the small teeth upon the teeth, relative to theirs.
        outward: -1 when the outside lies right of the line, 1 when left.
    """
    if teeth < 1 or height <= 0:
        return line
    line = evenly(line, max(len(line), teeth * 9))
    at = np.linspace(0, 1, len(line))
    saw = (at * teeth) % 1
    rise = np.where(saw < 0.82, saw / 0.82, (1 - saw) / 0.18) - 0.35
    if double:
        fine = (at * teeth * 3.5) % 1
        rise = rise + double * (np.where(fine < 0.8, fine / 0.8, (1 - fine) / 0.2) - 0.4)
    tangent = np.gradient(line, axis=0)
    tangent /= np.maximum(np.hypot(*tangent.T), 1e-9)[:, None]
    normal = outward * np.column_stack([-tangent[:, 1], tangent[:, 0]])
    fade = np.clip(np.minimum(at * 9, (1 - at) * 9), 0, 1)
    reach = (height * rise * fade)[:, None]
    return np.asarray(line + normal * reach + tangent * np.clip(reach, 0, None) * 0.7)


def mirrored(right: Line, rng: np.random.Generator, left: Line | None = None) -> tuple[Line, Line]:
    """Return the closed outline and its left half from the right margin, base to tip."""
    if left is None:
        left = right.copy()
    left = left * np.array([-rng.normal(1, 0.03), 1.0])
    return np.vstack([right, left[::-1]]), np.vstack([left, [[0, 1], [0, 0]]])


def side_veins(
    margin: Line, pairs: int, rise: float, first: float, last: float, curve: float = 0.10
) -> list[Vein]:
    """Return the paired side veins from the midrib towards the margin.

    Args:
        margin: Right margin, base to tip.
        pairs: How many pairs.
        rise: How far a vein climbs for each unit sideways.
        first: Height of the lowest pair's start.
        last: Height of the topmost pair's start.
        curve: How much a vein bends towards the tip.
    """
    heights = margin[:, 1]
    order = np.argsort(heights)
    veins = []
    for start in np.linspace(first, last, pairs):
        end = start + 0.1
        for _ in range(6):
            wide = float(np.interp(end, heights[order], margin[order, 0]))
            end = 0.5 * end + 0.5 * min(0.99, start + rise * wide)
        width = 0.5 - 0.22 * start
        tip = np.array([wide * 0.95, end])
        origin = np.array([0.0, start])
        veins.append(Vein(bow(origin, tip, curve * -1), width))
        veins.append(Vein(bow(origin, tip, curve * -1) * [-1, 1], width))
    return veins


def midrib(top: float = 0.97) -> Vein:
    """Return the straight vein from base to tip."""
    return Vein(np.column_stack([np.zeros(16), np.linspace(0, top, 16)]), 1.0)


def stalk(length: float, rng: np.random.Generator) -> Line:
    """Return a gently bent petiole that starts at the base and leaves the leaf."""
    end = np.array([rng.normal(0, 0.25) * length, -length])
    return bow(np.zeros(2), end, float(rng.normal(0, 0.08)), 14)


def pinnate(
    controls: Sequence[tuple[float, float]],
    rng: np.random.Generator,
    *,
    teeth: int,
    tooth: float,
    double: float,
    pairs: int,
    rise: float,
    petiole: float,
    wave: float = 0.0,
    first: float = 0.06,
    last: float = 0.82,
) -> Shape:
    """Return a simple leaf: right margin through the control points, pinnate veins."""
    points = np.asarray(controls, np.float64)
    inner = slice(1, len(points) - 1)

    def margin() -> Line:
        p = points.copy()
        p[inner] += rng.normal(0, 0.007, p[inner].shape)
        line = evenly(smooth(p), 120)
        at = np.linspace(0, 1, len(line))
        line[:, 0] += wave * np.sin(at * pairs * 2 * np.pi + rng.uniform(0, 1)) * np.sin(np.pi * at)
        return toothed(line, teeth, tooth, double)

    right = margin()
    outline, half = mirrored(right, rng, margin())
    veins = (midrib(), *side_veins(evenly(smooth(points), 80), pairs, rise, first, last))
    return Shape((Blade(outline, half, veins),), stalk(petiole, rng))


def beech(rng: np.random.Generator) -> Shape:
    """Draw a beech leaf: oval, margin wavy and nearly untoothed, 6 to 8 pairs of veins."""
    w = rng.normal(0.300, 0.030)
    controls = [
        (0, 0),
        (0.5 * w, 0.07),
        (0.9 * w, 0.27),
        (w, 0.46),
        (0.84 * w, 0.68),
        (0.42 * w, 0.88),
        (0, 1),
    ]
    pairs = int(rng.integers(6, 9))
    return pinnate(
        controls, rng, teeth=pairs, tooth=abs(rng.normal(0.005, 0.005)), double=0.0,
        pairs=pairs, rise=rng.normal(0.85, 0.06), petiole=rng.uniform(0.10, 0.17), wave=0.010,
    )  # fmt: skip


def hornbeam(rng: np.random.Generator) -> Shape:
    """Draw a hornbeam leaf: oval like beech, but doubly toothed, 8 to 12 pairs of veins."""
    w = rng.normal(0.288, 0.030)
    controls = [
        (0, 0),
        (0.62 * w, 0.03),
        (0.95 * w, 0.22),
        (w, 0.42),
        (0.86 * w, 0.64),
        (0.46 * w, 0.86),
        (0, 1),
    ]
    pairs = int(rng.integers(8, 13))
    return pinnate(
        controls, rng, teeth=2 * pairs + 2, tooth=max(0.004, rng.normal(0.0105, 0.0035)), double=0.6, pairs=pairs,
        rise=rng.normal(0.85, 0.06), petiole=rng.uniform(0.10, 0.17), wave=0.002,
    )  # fmt: skip


def birch(rng: np.random.Generator) -> Shape:
    """Draw a silver birch leaf: a rhomb on a straight base with a drawn-out tip, doubly toothed."""
    w, low = rng.normal(0.350, 0.045), rng.normal(0.27, 0.045)
    controls = [
        (0, 0),
        (0.55 * w, low * 0.28),
        (0.97 * w, low),
        (0.86 * w, low + 0.17),
        (0.48 * w, 0.66),
        (0.17 * w, 0.87),
        (0, 1),
    ]
    return pinnate(
        controls, rng, teeth=int(rng.integers(15, 20)), tooth=rng.normal(0.019, 0.005), double=0.5,
        pairs=int(rng.integers(5, 9)), rise=rng.normal(0.80, 0.05), petiole=rng.uniform(0.28, 0.42),
        first=0.05, last=0.72,
    )  # fmt: skip


def linden(rng: np.random.Generator) -> Shape:
    """Draw a small-leaved linden leaf: a heart with a short sudden tip and fine teeth."""
    w, dip = rng.normal(0.42, 0.04), rng.normal(0.07, 0.03)

    def margin() -> Line:
        k = w * rng.normal(1, 0.04)
        drop = dip * rng.uniform(0.5, 1.5)
        p = [
            (0, 0),
            (0.16 * k, -drop),
            (0.5 * k, -drop * 0.8),
            (0.88 * k, 0.12),
            (k, 0.34),
            (0.84 * k, 0.58),
            (0.46 * k, 0.79),
            (0.13 * k, 0.90),
            (0, 1),
        ]
        return toothed(evenly(smooth(p), 120), int(rng.integers(24, 32)), rng.normal(0.014, 0.003))

    right = margin()
    outline, half = mirrored(right, rng, margin())
    veins = [midrib()]
    for x, y, width in ((0.50, 0.02, 0.5), (0.86, 0.42, 0.72)):
        for side in (-1, 1):
            tip = np.array([side * x * w, y])
            veins.append(Vein(bow(np.zeros(2), tip, -side * 0.10), width))
            for f in (0.35, 0.62):
                out = tip * f + [side * 0.16 * w * (1.4 - f), -0.02 if y < 0.2 else -0.10]
                veins.append(Vein(bow(tip * f * [1.0, 0.92], out * [1, 1], -side * 0.08), 0.3))
    veins += side_veins(right, 5, rng.normal(0.8, 0.05), 0.22, 0.76)
    return Shape((Blade(outline, half, tuple(veins)),), stalk(rng.uniform(0.35, 0.5), rng))


def willow(rng: np.random.Generator) -> Shape:
    """Draw a white willow leaf: lance-shaped, seven times as long as wide, finely toothed."""
    w = rng.normal(0.085, 0.011)
    controls = [
        (0, 0),
        (0.45 * w, 0.10),
        (0.9 * w, 0.30),
        (w, 0.48),
        (0.78 * w, 0.70),
        (0.3 * w, 0.90),
        (0, 1),
    ]
    return pinnate(
        controls, rng, teeth=int(rng.integers(34, 46)), tooth=0.0035, double=0.0, pairs=14,
        rise=rng.normal(1.5, 0.1), petiole=rng.uniform(0.05, 0.09), last=0.88,
    )  # fmt: skip


def oak(rng: np.random.Generator) -> Shape:
    """Draw an English oak leaf: round lobes, widest above the middle, hardly a stalk."""
    lobes = int(rng.integers(3, 6))
    w, depth = rng.normal(0.31, 0.025), rng.uniform(0.36, 0.58)
    heights = np.linspace(0.20, 0.76, lobes)
    gap = heights[1] - heights[0]
    reach = w * np.interp(heights, [0.1, 0.3, 0.58, 0.8], [0.45, 0.72, 1.0, 0.84])

    def margin() -> Line:
        p = [(0.0, 0.0), (0.10 * w, 0.005), (0.15 * w, 0.05)]
        for h, wide in zip(heights + rng.normal(0, 0.012, lobes), reach, strict=True):
            r, f = wide * rng.normal(1, 0.06), 0.05 * rng.uniform(0.6, 1.4)
            p += [
                (r * (1 - depth) * rng.normal(1, 0.08), h - gap * 0.52),
                (r * 0.84, h - gap * 0.24 + f * 0.6),
                (r, h + f),
                (r * 0.86, h + gap * 0.24 + f),
            ]
        top = heights[-1] + gap * 0.5
        p += [(w * 0.52 * (1 - depth * 0.5), top), (0.50 * w, top + (1 - top) * 0.35)]
        p += [(0.36 * w, top + (1 - top) * 0.8), (0.0, 1.0)]
        return smooth(p, 10)

    right = margin()
    outline, half = mirrored(right, rng, margin())
    veins = [midrib(0.93)]
    for h, r in zip(heights, reach, strict=True):
        for side in (-1, 1):
            start, tip = (
                np.array([0, max(0.02, h - 0.55 * r)]),
                np.array([side * r * 0.85, h + 0.03]),
            )
            veins.append(Vein(bow(start, tip, -side * 0.07), 0.55))
    return Shape((Blade(outline, half, tuple(veins)),), stalk(rng.uniform(0.03, 0.07), rng))


def _palmate(
    rng: np.random.Generator,
    angles: Sequence[float],
    lengths: Sequence[float],
    sinus: float,
    width: float,
    base: float,
    lobe: Callable[[Line, Line, Line, float, bool], Line],
) -> tuple[Blade, Line]:
    """Return a blade with one lobe to each angle (degrees from upright, right half and middle)."""
    centre = np.array([0.0, base])
    sides = []
    tips_by_side = []
    for side in (1, -1):
        a = np.radians(np.array(angles) + rng.normal(0, 2.5, len(angles)) * (np.array(angles) > 0))
        r = np.array(lengths) * rng.normal(1, 0.04, len(lengths))
        r[angles.index(0)] = lengths[angles.index(0)]
        tips = centre + np.column_stack([np.sin(a), np.cos(a)]) * r[:, None]
        pits = []
        for i in range(len(a) - 1):
            middle = a[i] * 0.52 + a[i + 1] * 0.48
            depth = sinus * rng.normal(1, 0.05) * (r[i] + r[i + 1]) / 2
            pits.append(centre + np.array([np.sin(middle), np.cos(middle)]) * depth)
        # From the base upwards: the lowest lobe first, half of the middle lobe last.
        line = [lobe(np.array([0.0, base * 0.2]), tips[0], pits[0], width, False)]
        for i in range(1, len(a) - 1):
            line.append(lobe(pits[i - 1], tips[i], pits[i], width, False))
        line.append(lobe(pits[-1], tips[-1], tips[-1], width, True))
        sides.append(np.vstack(line) * [side, 1])
        tips_by_side.append(tips * [side, 1])
    outline = np.vstack([sides[0], sides[1][::-1]])
    half = np.vstack([sides[1], [[0, 1], [0, 0]]])
    veins = [Vein(np.vstack([[0, 0], centre, [0, 0.96]]), 1.0)]
    origin = np.array([0.0, base * 0.55])
    for side, tips in zip((1, -1), tips_by_side, strict=True):
        for i, tip in enumerate(tips):
            main = origin + (tip - origin) * 0.95
            if i < len(tips) - 1:
                veins.append(Vein(bow(origin, main, 0.03 * side), 0.8 - 0.1 * (i == 0)))
            for f in (0.42, 0.58, 0.74):
                start = origin + (main - origin) * f
                for turn in (-1, 1) if i < len(tips) - 1 else (side * -1,):
                    along = (main - origin) * 0.26 * (1.25 - f)
                    angle = turn * 0.75
                    rot = np.array(
                        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
                    )
                    veins.append(Vein(bow(start, start + rot @ along * 1.2, -turn * 0.06, 6), 0.32))
    return Blade(outline, half, tuple(veins)), origin


def _maple_lobe(start: Line, tip: Line, end: Line, width: float, half: bool) -> Line:
    """Return one lobe with a few long sharp teeth and hollow curves between them."""
    axis = tip - (start + end) / 2 if not half else tip - np.array([0.0, start[1]])
    out = np.array([axis[1], -axis[0]])
    out /= np.hypot(*out)
    size = float(np.hypot(*axis))

    def teeth(origin: Line, sign: float) -> list[Line]:
        foot = tip - axis
        first = foot + axis * 0.60 + out * sign * size * width
        second = foot + axis * 0.80 + out * sign * size * width * 0.55
        return [origin, first, second]

    points = [*teeth(start, 1), tip]
    line = [bow(p, q, 0.17, 9) for p, q in pairwise(points)]
    if not half:
        points = [tip, *teeth(end, -1)[:0:-1], end]
        line += [bow(p, q, 0.17, 9) for p, q in pairwise(points)]
    return np.vstack(line)


def _sycamore_lobe(start: Line, tip: Line, end: Line, width: float, half: bool) -> Line:
    """Return one bellied lobe with coarse blunt teeth."""
    line = toothed(bow(start, tip, -width * 0.55, 20), 6, 0.020, 0.3)
    if half:
        return line
    other = toothed(bow(end, tip, width * 0.55, 20), 6, 0.020, 0.3, outward=1)
    return np.vstack([line, other[::-1]])


def maple(rng: np.random.Generator) -> Shape:
    """Draw a Norway maple leaf: five lobes with long sharp teeth and rounded bays."""
    spread = rng.normal(1, 0.04)
    angles = [112 * spread, 56 * spread, 0]
    lengths = [0.44 * rng.normal(1, 0.06), 0.66 * rng.normal(1, 0.05), 0.82]
    blade, origin = _palmate(
        rng, angles, lengths, rng.normal(0.46, 0.06), rng.normal(0.34, 0.05), 0.18, _maple_lobe
    )
    return Shape((blade,), stalk(rng.uniform(0.4, 0.6), rng) + origin * 0)


def sycamore(rng: np.random.Generator) -> Shape:
    """Draw a sycamore leaf: five bellied lobes, coarse blunt teeth, narrow bays."""
    spread = rng.normal(1, 0.04)
    angles = [110 * spread, 52 * spread, 0]
    lengths = [0.42 * rng.normal(1, 0.06), 0.62 * rng.normal(1, 0.05), 0.82]
    blade, origin = _palmate(
        rng, angles, lengths, rng.normal(0.50, 0.06), rng.normal(0.25, 0.06), 0.18, _sycamore_lobe
    )
    return Shape((blade,), stalk(rng.uniform(0.4, 0.6), rng) + origin * 0)


def ginkgo(rng: np.random.Generator) -> Shape:
    """Draw a ginkgo leaf: a fan with forking veins, often split in the middle."""
    spread = np.radians(rng.normal(58, 6))
    a = np.linspace(-spread, spread, 160)
    rim = 0.93 + 0.05 * np.cos(a * 1.4)
    rim += 0.016 * np.interp(a, np.linspace(-spread, spread, 22), rng.normal(0, 1, 22))
    rim -= rng.uniform(0.05, 0.5) * np.exp(-(((a - rng.normal(0, 0.04)) / 0.045) ** 2))
    rim *= 1 - 0.10 * np.abs(a / spread) ** 6
    edge = np.column_stack([np.sin(a), np.cos(a)]) * rim[:, None]
    left = bow(edge[0], np.zeros(2), 0.07, 14)
    right = bow(np.zeros(2), edge[-1], 0.07, 14)
    outline = np.vstack([edge, right[::-1], left[::-1]])
    veins = []
    for b in np.linspace(-spread, spread, 30) * 0.97:
        top = float(np.interp(b, a, rim)) * 0.99
        line = np.column_stack(
            [np.sin(b) * np.linspace(0.02, top, 8), np.cos(b) * np.linspace(0.02, top, 8)]
        )
        veins.append(Vein(line, 0.22))
    return Shape(
        (Blade(outline, np.empty((0, 2)), tuple(veins)),), stalk(rng.uniform(0.5, 0.8), rng)
    )


def rowan(rng: np.random.Generator) -> Shape:
    """Draw a rowan leaf: six to eight pairs of toothed leaflets and one at the end."""
    pairs = int(rng.integers(5, 8))
    blades = []
    long = rng.normal(0.31, 0.02)
    width = rng.normal(0.135, 0.013)
    controls = [
        (0, 0),
        (0.85 * width, 0.12),
        (width, 0.42),
        (0.85 * width, 0.72),
        (0.4 * width, 0.92),
        (0, 1),
    ]
    places = [(np.array([0.0, 0.72]), 0.0, 0.9)]
    for i, height in enumerate(np.linspace(0.10, 0.70, pairs)):
        for side in (-1, 1):
            angle = -side * np.radians(rng.normal(62 - 10 * i / pairs, 4))
            places.append(
                (np.array([0, height + rng.normal(0, 0.006)]), angle, rng.normal(0.98, 0.05))
            )
    for origin, angle, size in places:
        leaflet = pinnate(
            controls, rng, teeth=13, tooth=0.030, double=0.0, pairs=8, rise=0.9, petiole=0.02
        ).blades[0]
        turn = (
            np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            * long
            * size
        )
        veins = tuple(
            Vein(v.line @ turn.T + origin, v.width * (0.55 if k == 0 else 0.4))
            for k, v in enumerate(leaflet.veins)
        )
        blades.append(
            Blade(leaflet.outline @ turn.T + origin, leaflet.half @ turn.T + origin, veins)
        )
    rachis = Blade(np.empty((0, 2)), np.empty((0, 2)), (midrib(0.74),))
    return Shape((*blades[::-1], rachis), stalk(rng.uniform(0.12, 0.2), rng))
