"""Turning a leaf's geometry into a photograph: pose, colour, damage, light and camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from data.botany import Line, Shape
from data.species import Species
from data.texture import BACKGROUNDS, TILE_PX, Field, blurred, noise, softened

SIZE_PX = 288
OVER = 3
"""Outlines are drawn this many times larger and shrunk, which smooths their edges."""

CANVAS_PX = SIZE_PX * OVER
BROWN = np.array((0.34, 0.22, 0.12), np.float32)
ROWS, COLUMNS = (a.astype(np.float32) for a in np.mgrid[0:SIZE_PX, 0:SIZE_PX])
STRAW = np.array((0.80, 0.70, 0.34), np.float32)


@dataclass(frozen=True, slots=True)
class Scene:
    """What surrounds the leaf.

    Attributes:
        background: A key of `BACKGROUNDS`.
        light: sun, shade or dusk.
        camera: A, B or C.
        bad: Whether camera and light are the pair that photographs badly.
        season: From 0 (all green) to 1 (all turned).
        condition: healthy, damaged or diseased.
        note: Text for the sheet's label.
    """

    background: str
    light: str
    camera: str
    bad: bool
    season: float
    condition: str
    note: str


@dataclass(frozen=True, slots=True)
class Pools:
    """Textures made once and cropped for every picture."""

    backgrounds: dict[str, list[Field]]
    noises: list[Field]

    @staticmethod
    def make(rng: np.random.Generator, variants: int = 3) -> Pools:
        """Return pools with so many tiles of every background."""
        return Pools(
            {
                k: [f(rng).astype(np.float32) for _ in range(variants)]
                for k, f in BACKGROUNDS.items()
            },
            [noise(rng, TILE_PX, cells, 4) for cells in (6, 6, 8, 8, 12, 12)],
        )


class Pose:
    """Where a leaf lies in the picture: maps leaf coordinates to canvas pixels and back."""

    def __init__(self, shape: Shape, rng: np.random.Generator) -> None:
        angle = rng.normal(0, 0.28) if rng.random() < 0.92 else rng.uniform(-np.pi, np.pi)
        squeeze = rng.uniform(0.86, 1.06)
        cos, sin = np.cos(angle), np.sin(angle)
        self._turn = np.array([[cos * squeeze, sin], [sin * squeeze, -cos]])
        self._bend = rng.normal(0, 0.10)
        body = np.vstack([b.outline for b in shape.blades])
        corners = self._bent(body) @ self._turn.T
        low, high = corners.min(0), corners.max(0)
        fill = rng.uniform(0.76, 0.96)
        self.scale_px = float(min(CANVAS_PX * fill / max(high - low), CANVAS_PX * 0.92))
        drift = rng.normal(0, 0.03, 2) * CANVAS_PX
        self._origin = CANVAS_PX / 2 - (low + high) / 2 * self.scale_px + drift

    def _bent(self, points: Line) -> Line:
        bent = np.array(points, np.float64)
        bent[:, 0] += self._bend * bent[:, 1] ** 2
        return bent

    def to_canvas(self, points: Line) -> Line:
        """Return canvas pixels of leaf coordinates."""
        return np.asarray(self._bent(points) @ self._turn.T * self.scale_px + self._origin)

    def along(self) -> Field:
        """Return the leaf coordinate y, base to tip, of every picture pixel."""
        across, down = np.linalg.inv(self._turn * self.scale_px)[1].astype(np.float32) * OVER
        start = across * self._origin[0] / OVER + down * self._origin[1] / OVER
        return np.asarray(across * COLUMNS + down * ROWS - np.float32(start))


class Mask:
    """A grey canvas to draw shapes on, shrunk when read."""

    def __init__(self) -> None:
        self._image = Image.new("L", (CANVAS_PX, CANVAS_PX), 0)
        self._draw = ImageDraw.Draw(self._image)

    def area(self, points: Line, value: int = 255) -> None:
        """Fill a polygon."""
        if len(points) > 2:
            self._draw.polygon(points.ravel().tolist(), fill=value)

    def stroke(self, points: Line, start_px: float, end_px: float, value: int = 255) -> None:
        """Draw a line whose width goes from one to the other."""
        for i in range(len(points) - 1):
            share = i / max(1, len(points) - 2)
            width = max(1, round(start_px + (end_px - start_px) * share))
            self._draw.line(points[i : i + 2].ravel().tolist(), fill=value, width=width)

    def spot(
        self, centre: Line, radius_px: float, rng: np.random.Generator, value: int = 255
    ) -> None:
        """Fill an uneven round blob."""
        a = np.linspace(0, 2 * np.pi, 22, endpoint=False)
        r = radius_px * (1 + 0.16 * np.sin(2 * a + rng.uniform(0, 6)) + rng.normal(0, 0.06, len(a)))
        self.area(np.column_stack([np.cos(a), np.sin(a)]) * r[:, None] + centre, value)

    def read(self) -> Field:
        """Return the picture-sized mask between 0 and 1."""
        return np.asarray(self._image.reduce(OVER), np.float32) / 255


def draw_leaf(
    species: Species, scene: Scene, pools: Pools, rng: np.random.Generator
) -> Image.Image:
    """Return the photograph of one new leaf."""
    shape = species.draw(rng)
    pose = Pose(shape, rng)
    leaf, half, veins, stalk = _masks(shape, pose)
    colour = _colour(species, scene, pools, rng, pose, leaf, half, veins)
    leaf, colour = _condition(scene, pools, rng, shape, pose, leaf, colour)
    ground = _ground(scene, pools, rng)
    towards = rng.uniform(0, 2 * np.pi)
    ground = ground * _shadow(scene, np.maximum(leaf, stalk), towards, rng)[..., None]
    tint = np.array(species.green, np.float32) / 255 * 0.5 + np.array(
        (0.32, 0.24, 0.14), np.float32
    )
    picture: Field = ground + (tint - ground) * stalk[..., None]
    picture = picture + (colour - picture) * leaf[..., None]
    if scene.background == "herbarium" and rng.random() < 0.8:
        picture = _tape(picture, pose, shape, rng)
    return _photograph(picture, scene, towards, rng)


def _masks(shape: Shape, pose: Pose) -> tuple[Field, Field, Field, Field]:
    leaf, half, veins, stalk = Mask(), Mask(), Mask(), Mask()
    rib_px = 0.013 * min(pose.scale_px, CANVAS_PX * 0.7)
    for blade in shape.blades:
        leaf.area(pose.to_canvas(blade.outline)) if len(blade.outline) else None
        if len(blade.half):
            half.area(pose.to_canvas(blade.outline), 0)
            half.area(pose.to_canvas(blade.half))
        for vein in blade.veins:
            start = rib_px * vein.width
            line = pose.to_canvas(vein.line)
            veins.stroke(line, start, start * 0.35)
            if not len(blade.outline):
                stalk.stroke(line, start * 1.1, start * 0.8)
    stalk.stroke(pose.to_canvas(shape.petiole), rib_px * 1.25, rib_px * 1.7)
    return leaf.read(), blurred(half.read(), 0.9), veins.read(), stalk.read()


def _crop(tile: Field, rng: np.random.Generator) -> Field:
    x, y = rng.integers(0, TILE_PX - SIZE_PX, 2)
    part = tile[y : y + SIZE_PX, x : x + SIZE_PX]
    return part[:, ::-1] if rng.random() < 0.5 else part


def _any(tiles: list[Field], rng: np.random.Generator) -> Field:
    return _crop(tiles[int(rng.integers(len(tiles)))], rng)


def _colour(
    species: Species,
    scene: Scene,
    pools: Pools,
    rng: np.random.Generator,
    pose: Pose,
    leaf: Field,
    half: Field,
    veins: Field,
) -> Field:
    """Return the leaf's colour at every pixel: pigment, relief, fold and sheen."""
    cloud, grain = _any(pools.noises, rng), _any(pools.noises, rng)[::-1]
    green = np.array(species.green, np.float32) / 255
    green = green * rng.normal(1, 0.09) * (1 + rng.normal(0, 0.055, 3).astype(np.float32))
    turned = np.array(species.autumn[int(rng.integers(len(species.autumn)))], np.float32) / 255
    turned = turned * (1 + rng.normal(0, 0.06, 3).astype(np.float32))
    soft_veins = blurred(veins, 2.4)
    edge = np.clip(1.9 * (1 - softened(leaf, 11)), 0, 1)
    turn = np.clip(scene.season * 1.7 - 0.35 + 0.16 * cloud + 0.35 * edge - 0.5 * soft_veins, 0, 1)
    turn = (turn * (scene.season > 0.06))[..., None]
    colour = green + (turned - green) * turn
    colour = colour * (1 + 0.07 * cloud + 0.045 * grain)[..., None]
    towards = rng.uniform(0, 2 * np.pi)
    dx, dy = round(2 * np.cos(towards)), round(2 * np.sin(towards))
    relief = soft_veins - np.roll(soft_veins, (dy, dx), (0, 1))
    colour = (
        colour
        * (1 + rng.uniform(0.7, 1.2) * relief + rng.normal(0, 0.20) * (half - 0.5) - 0.14 * edge)[
            ..., None
        ]
    )
    colour = colour * (1 + np.float32(rng.normal(0, 0.10)) * (pose.along() - 0.5))[..., None]
    sheen = (
        np.exp(-(((cloud - rng.uniform(0, 1)) / 0.5) ** 2))
        * (1 - soft_veins)
        * species.gloss
        * 0.16
    )
    colour = colour + sheen[..., None]
    pale = colour * 0.55 + np.array((0.42, 0.42, 0.24), np.float32)
    return np.asarray(
        np.clip(colour + (pale - colour) * (veins * rng.uniform(0.35, 0.65))[..., None], 0, 1)
    )


def _inside(
    shape: Shape, pose: Pose, rng: np.random.Generator, leaf: Field, tries: int = 40
) -> Line:
    """Return a random point on the leaf, canvas pixels."""
    ys, xs = np.nonzero(leaf[::4, ::4] > 0.9)
    if not len(xs):
        return np.full(2, CANVAS_PX / 2)
    i = int(rng.integers(len(xs)))
    return np.array([xs[i], ys[i]]) * 4.0 * OVER


def _margin(shape: Shape, pose: Pose, rng: np.random.Generator) -> Line:
    blades = [b for b in shape.blades if len(b.outline)]
    outline = blades[int(rng.integers(len(blades)))].outline
    return np.asarray(pose.to_canvas(outline[int(rng.integers(len(outline)))][None])[0])


def _condition(
    scene: Scene,
    pools: Pools,
    rng: np.random.Generator,
    shape: Shape,
    pose: Pose,
    leaf: Field,
    colour: Field,
) -> tuple[Field, Field]:
    """Return mask and colour after insects, weather and disease."""
    if scene.condition == "damaged":
        leaf, colour = _eaten(rng, shape, pose, leaf, colour)
    elif scene.condition == "diseased":
        colour = _sick(pools, rng, shape, pose, leaf, colour)
    elif rng.random() < 0.35:
        flecks = Mask()
        for _ in range(int(rng.integers(1, 4))):
            flecks.spot(_inside(shape, pose, rng, leaf), rng.uniform(2, 5), rng)
        colour = colour + (BROWN - colour) * 0.6 * flecks.read()[..., None]
    return leaf, colour


def _eaten(
    rng: np.random.Generator, shape: Shape, pose: Pose, leaf: Field, colour: Field
) -> tuple[Field, Field]:
    gone = Mask()
    for _ in range(int(rng.integers(2, 8))):
        if rng.random() < 0.55:
            gone.spot(_inside(shape, pose, rng, leaf), rng.gamma(4, 4.2), rng)
        else:
            at, deep = _margin(shape, pose, rng), rng.uniform(18, 46)
            for _ in range(3):
                gone.spot(at + rng.normal(0, deep * 0.4, 2), deep * rng.uniform(0.5, 0.9), rng)
    for _ in range(int(rng.integers(0, 2))):
        at, to = _margin(shape, pose, rng), _inside(shape, pose, rng, leaf)
        gone.stroke(np.linspace(at, at + (to - at) * 0.6, 5), 22, 2)
    hole = gone.read()
    rim = np.clip(blurred(hole, 1.8) * 2.6, 0, 1)[..., None]
    return leaf * (1 - hole), colour + (BROWN * 1.25 - colour) * rim * 0.8


def _sick(
    pools: Pools, rng: np.random.Generator, shape: Shape, pose: Pose, leaf: Field, colour: Field
) -> Field:
    kind = rng.choice(
        ["spots", "tar", "mildew", "rust", "scorch"], p=[0.36, 0.12, 0.18, 0.16, 0.18]
    )
    if kind == "mildew":
        patch = _any(pools.noises, rng) + 0.35 * _any(pools.noises, rng)[::-1, ::-1]
        film = np.clip(0.30 * patch, 0, 0.5) * (0.85 + 0.3 * rng.random(leaf.shape, np.float32))
        return colour + (np.array((0.84, 0.86, 0.80), np.float32) - colour) * film[..., None]
    if kind == "scorch":
        edge = 1.9 * (1 - softened(leaf, 13)) + 0.24 * _any(pools.noises, rng)
        burnt, yellow = np.clip((edge - 0.62) * 5, 0, 1), np.clip((edge - 0.38) * 4, 0, 1)
        colour = colour + (STRAW - colour) * 0.7 * yellow[..., None]
        return colour + (BROWN * 1.3 - colour) * 0.9 * burnt[..., None]
    marks, cores = Mask(), Mask()
    sizes = {"spots": (14, 30, 9.0), "tar": (4, 9, 22.0), "rust": (50, 110, 4.0)}[str(kind)]
    for _ in range(int(rng.integers(*sizes[:2]))):
        at, radius = _inside(shape, pose, rng, leaf), sizes[2] * rng.gamma(6, 1 / 6)
        marks.spot(at, radius, rng)
        cores.spot(at, radius * 0.5, rng)
    spot, core = marks.read(), cores.read()
    halo = np.clip(blurred(spot, 3.2) * 2.2, 0, 1)[..., None]
    dark = {"spots": BROWN, "tar": BROWN * 0.28, "rust": np.array((0.78, 0.38, 0.10), np.float32)}[
        str(kind)
    ]
    colour = colour + (STRAW - colour) * 0.65 * halo
    colour = colour + (dark - colour) * 0.92 * blurred(spot, 0.5)[..., None]
    if kind == "spots":
        colour = (
            colour + (np.array((0.62, 0.52, 0.38), np.float32) - colour) * 0.6 * core[..., None]
        )
    return colour


def _ground(scene: Scene, pools: Pools, rng: np.random.Generator) -> Field:
    ground = _any(pools.backgrounds[scene.background], rng)
    if rng.random() < 0.5 and scene.background not in ("grass",):
        ground = ground.transpose(1, 0, 2)
    ground = np.clip(ground * rng.normal(1, 0.06), 0, 1)
    if scene.background in ("herbarium", "paper"):
        ground = _sheet(ground, scene, rng)
    return ground


def _sheet(ground: Field, scene: Scene, rng: np.random.Generator) -> Field:
    """Return the sheet with a printed label, or the paper with a scale bar."""
    image = Image.fromarray((ground * 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    right, low = SIZE_PX - int(rng.integers(4, 12)), SIZE_PX - int(rng.integers(4, 12))
    ink = (70, 62, 54)
    if scene.background == "herbarium":
        wide, high = 92, 40
        box = (right - wide, low - high, right, low)
        draw.rectangle(box, fill=(240, 234, 216), outline=(122, 108, 88))
        font = ImageFont.load_default(8)
        for i, line in enumerate(scene.note.split("\n")):
            draw.text((box[0] + 5, box[1] + 4 + 11 * i), line, fill=ink, font=font)
    elif rng.random() < 0.6:
        for k in range(5):
            x = right - 90 + 16 * k
            draw.rectangle(
                (x, low - 6, x + 16, low), fill=ink if k % 2 else (250, 250, 248), outline=ink
            )
    return np.asarray(image, np.float32) / 255


def _tape(picture: Field, pose: Pose, shape: Shape, rng: np.random.Generator) -> Field:
    strip = Mask()
    for y in (-0.06, rng.uniform(0.3, 0.7)):
        wide = rng.uniform(0.16, 0.24) if y < 0 else rng.uniform(0.34, 0.5)
        slant = rng.normal(0, 0.03)
        ends = pose.to_canvas(np.array([[-wide / 2, y - slant], [wide / 2, y + slant]]))
        if y < 0 or rng.random() < 0.35:
            strip.stroke(ends, 26, 26)
    tape = strip.read()
    edge = np.clip(blurred(tape, 1.5) - tape, 0, 1)
    picture = picture * (1 - 0.35 * edge)[..., None]
    return picture + (np.array((0.93, 0.90, 0.80), np.float32) - picture) * (tape * 0.86)[..., None]


def _shadow(scene: Scene, body: Field, towards: float, rng: np.random.Generator) -> Field:
    reach, soft, dark = {
        "sun": (6.5, 2.2, 0.58),
        "shade": (2.5, 5, 0.42),
        "dusk": (3.5, 4.5, 0.40),
    }[scene.light]
    if scene.background in ("paper", "herbarium"):
        reach, dark = reach * 0.5, dark * 0.75
    dx, dy = round(reach * np.cos(towards)), round(reach * np.sin(towards))
    return 1 - dark * softened(np.roll(body, (dy, dx), (0, 1)), soft)


LIGHT = {
    "sun": (1.03, (1.05, 1.00, 0.92)),
    "shade": (0.92, (0.96, 1.00, 1.05)),
    "dusk": (0.70, (1.06, 0.96, 0.90)),
}
CAMERA = {"A": (0.0, 0.010, 0.06), "B": (0.45, 0.014, 0.20), "C": (0.35, 0.022, 0.12)}
"""Blur radius in pixels, noise, vignette."""


def _photograph(
    picture: Field, scene: Scene, towards: float, rng: np.random.Generator
) -> Image.Image:
    """Return the picture as the camera saw it."""
    gain, tint = LIGHT[scene.light]
    blur, grain, vignette = CAMERA[scene.camera]
    gain *= rng.normal(1, 0.06)
    if scene.bad:
        gain = min(0.80, rng.uniform(0.235, 0.345) / float(picture.mean()))
        tint = (0.91, 0.965, 1.12)
        blur, grain = rng.uniform(0.75, 1.35), rng.uniform(0.013, 0.0215)
        # Little light takes the colour too.
        picture = picture + (picture.mean(2, keepdims=True) - picture) * rng.uniform(0.25, 0.58)
    y, x = ROWS * (2 / SIZE_PX) - 1, COLUMNS * (2 / SIZE_PX) - 1
    fall = (
        1
        - vignette * (x**2 + y**2) / 2
        - 0.07 * (float(np.cos(towards)) * x + float(np.sin(towards)) * y)
    )
    seen = picture * (fall * gain)[..., None] * np.array(tint, np.float32)
    if blur:
        seen = blurred(seen, blur)
    seen = seen + rng.standard_normal(seen.shape, np.float32) * np.float32(grain)
    return Image.fromarray((np.clip(seen, 0, 1) * 255).astype(np.uint8))
