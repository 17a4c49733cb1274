"""The species of the leaf project: how each is shaped and coloured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from data import botany

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Species:
    """One species.

    Attributes:
        name: The class name.
        draw: Returns a new leaf's geometry.
        green: Upper side in summer.
        autumn: What it turns to; one is drawn per leaf.
        gloss: Strength of the sheen, 0 to 1.
        turns: Days by which it turns earlier (negative) or later than most.
        alike: The class it is most easily taken for.
        hint: One line for the guideline.
    """

    name: str
    draw: Callable[[np.random.Generator], botany.Shape]
    green: Colour
    autumn: tuple[Colour, ...]
    gloss: float
    turns: float
    alike: str
    hint: str


SPECIES = (
    Species(
        "English oak", botany.oak, (64, 98, 46), ((150, 104, 48), (172, 132, 60)), 0.35, 12,
        "Silver birch",
        "Rounded lobes, widest above the middle, hardly any stalk.",
    ),
    Species(
        "Norway maple", botany.maple, (88, 132, 47), ((224, 172, 40), (214, 112, 36)), 0.30, -4,
        "Sycamore",
        "Five lobes that end in **long, thread-fine points**; the bays between them are **rounded**, "
        "the edge between points is smooth.",
    ),
    Species(
        "Sycamore", botany.sycamore, (56, 92, 50), ((176, 150, 62), (150, 112, 58)), 0.15, 0,
        "Norway maple",
        "Five bellied lobes with **coarse, blunt teeth** all along the edge; the bays are **narrow**. "
        "Often has black tar spots.",
    ),
    Species(
        "Silver birch", botany.birch, (106, 144, 57), ((222, 180, 52), (206, 164, 60)), 0.25, -8,
        "Hornbeam",
        "A rhomb on a **straight base** with a drawn-out tip and large double teeth; long thin stalk.",
    ),
    Species(
        "Small-leaved linden", botany.linden, (88, 128, 62), ((216, 186, 66), (196, 166, 62)), 0.15, -6,
        "Silver birch",
        "A **heart**: notched base, sudden short tip, fine even teeth; long stalk.",
    ),
    Species(
        "Beech", botany.beech, (64, 106, 42), ((188, 116, 50), (204, 142, 60)), 0.45, 4,
        "Hornbeam",
        "Oval, edge **wavy but not toothed**, 6 to 8 pairs of straight side veins.",
    ),
    Species(
        "Hornbeam", botany.hornbeam, (82, 114, 42), ((212, 176, 60), (190, 146, 62)), 0.12, 0,
        "Beech",
        "Oval like beech, but the edge is **doubly toothed** and there are 8 to 12 pairs of side veins.",
    ),
    Species(
        "White willow", botany.willow, (118, 143, 103), ((206, 190, 92), (176, 170, 90)), 0.15, 6,
        "Rowan",
        "Lance-shaped, about six times as long as wide, silvery.",
    ),
    Species(
        "Rowan", botany.rowan, (68, 114, 59), ((204, 92, 44), (196, 60, 44)), 0.15, -6,
        "White willow",
        "**Many leaflets** in pairs along one stalk and one at the end. The whole is one leaf.",
    ),
    Species(
        "Ginkgo", botany.ginkgo, (130, 154, 68), ((234, 200, 52), (226, 190, 44)), 0.15, 4,
        "Small-leaved linden",
        "A **fan** without a midrib, veins fork from the stalk, often split in the middle.",
    ),
)  # fmt: skip

BY_NAME = {s.name: s for s in SPECIES}
