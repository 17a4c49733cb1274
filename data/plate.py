"""A leaf on a plate, seen closely: where it lies, and its picture with the lesions it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from data.botany import Line, Shape
from data.render import CANVAS_PX, Pose
from data.species import Species
from data.texture import Field, mixed, noise

SIDE_PX = CANVAS_PX
MARGIN_PX = 8
CARD = (206, 201, 190), (233, 229, 220)
LOOKS = {
    "Brown spot": ((0.42, 0.27, 0.14), (0.80, 0.70, 0.34)),
    "Tar spot": ((0.10, 0.09, 0.08), (0.66, 0.62, 0.30)),
    "Rust": ((0.78, 0.39, 0.11), (0.86, 0.72, 0.30)),
}
"""Class of a lesion to its colour and that of the halo around it, 0 to 1."""

DRY = (0.78, 0.71, 0.58)
"""The dead middle of a severe one."""


@dataclass(frozen=True, slots=True)
class Lesion:
    """A diseased place: its class, its ring in picture pixels, whether its middle is dead."""

    label: str
    ring: Line
    severe: bool


@dataclass(frozen=True, slots=True)
class Plate:
    """A leaf that lies wholly inside the picture."""

    species: Species
    shape: Shape
    pose: Pose

    @staticmethod
    def lay(species: Species, rng: np.random.Generator) -> Plate:
        """Return a new leaf laid so that no part of its blade is cut off."""
        while True:
            shape = species.draw(rng)
            found = Plate(species, shape, Pose(shape, rng))
            body = found.outline
            if body.min() > MARGIN_PX and body.max() < SIDE_PX - MARGIN_PX:
                return found

    @property
    def outline(self) -> Line:
        """Return the corners of all its blades, picture pixels."""
        return np.vstack([self.pose.to_canvas(b.outline) for b in self.shape.blades])

    def mask(self) -> Image.Image:
        """Return the picture that is white where the blade is."""
        return _filled([self.pose.to_canvas(b.outline) for b in self.shape.blades])


def draw_plate(plate: Plate, lesions: Sequence[Lesion], rng: np.random.Generator) -> Image.Image:
    """Return the picture of a leaf with its lesions on grey card."""
    leaf = plate.mask()
    card = mixed(*CARD, 0.5 + 0.16 * noise(rng, SIDE_PX, 6, 3))
    shade = _soft(leaf.transform(leaf.size, Image.Transform.AFFINE, (1, 0, -9, 0, 1, -12)), 14)
    picture = card * (1 - 0.42 * shade)[..., None]
    green = np.array(plate.species.green, np.float32) / 255 * rng.uniform(0.9, 1.15)
    colour = green * (1 + 0.10 * noise(rng, SIDE_PX, 7, 5))[..., None]
    veins, stalk = _lines(plate)
    colour = colour + (np.array((0.66, 0.70, 0.40), np.float32) - colour) * 0.5 * veins[..., None]
    colour = _diseased(colour, lesions)
    picture = picture + (green * 0.9 + 0.08 - picture) * stalk[..., None]
    picture = picture + (colour - picture) * _soft(leaf, 0.8)[..., None]
    grain = rng.normal(0, 0.012, picture.shape[:2]).astype(np.float32)
    return Image.fromarray((np.clip(picture + grain[..., None], 0, 1) * 255).astype(np.uint8))


def _diseased(colour: Field, lesions: Sequence[Lesion]) -> Field:
    for label, (dark, pale) in LOOKS.items():
        own = [x for x in lesions if x.label == label]
        if not own:
            continue
        spot = _filled([x.ring for x in own])
        colour = _towards(colour, pale, 0.7 * np.clip(_soft(spot, 7) * 1.6, 0, 1))
        colour = _towards(colour, dark, 0.95 * _soft(spot, 1.0))
        dead = [x.ring.mean(0) + (x.ring - x.ring.mean(0)) * 0.55 for x in own if x.severe]
        if dead:
            colour = _towards(colour, DRY, 0.9 * _soft(_filled(dead), 1.4))
    return colour


def _towards(colour: Field, other: tuple[float, float, float], amount: Field) -> Field:
    return np.asarray(colour + (np.array(other, np.float32) - colour) * amount[..., None])


def _lines(plate: Plate) -> tuple[Field, Field]:
    """Return where veins and stalk are, 0 to 1."""
    veins, stalk = (Image.new("L", (SIDE_PX, SIDE_PX)) for _ in range(2))
    pen = ImageDraw.Draw(veins)
    for blade in plate.shape.blades:
        for vein in blade.veins:
            line = plate.pose.to_canvas(vein.line).ravel().tolist()
            pen.line(line, fill=255, width=max(1, round(5 * vein.width)))
    petiole = plate.pose.to_canvas(plate.shape.petiole).ravel().tolist()
    ImageDraw.Draw(stalk).line(petiole, fill=255, width=9)
    return _soft(veins, 1.2), _soft(stalk, 0.8)


def _filled(rings: Sequence[Line]) -> Image.Image:
    image = Image.new("L", (SIDE_PX, SIDE_PX))
    pen = ImageDraw.Draw(image)
    for ring in rings:
        if len(ring) > 2:
            pen.polygon(ring.ravel().tolist(), fill=255)
    return image


def _soft(image: Image.Image, radius_px: float) -> Field:
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius_px)), np.float32) / 255
