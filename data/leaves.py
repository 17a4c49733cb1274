"""The tree-leaf project: which photographs there are, with their metadata and planted faults."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from core.labels import Answer, LabelSchema
from core.labels.schema import Task, make_question
from data.project import (
    PLANTED_SHARE,
    DemoExample,
    DemoItem,
    DemoProject,
    Progress,
    ignore_progress,
)
from data.render import Pools, Scene, draw_leaf
from data.species import BY_NAME, SPECIES

COUNT = 1000
BAD_CAMERA, BAD_LIGHT = "C", "dusk"
"""The pair under which photographs are blurred, dark and noisy: the planted bias."""

CONDITIONS = {"healthy": 0.56, "damaged": 0.22, "diseased": 0.22}
CAMERAS = {"A": 0.33, "B": 0.29, "C": 0.38}
LIGHTS = {"sun": 0.44, "shade": 0.31, "dusk": 0.25}
LIGHTS_OF_BAD_CAMERA = {"sun": 0.27, "shade": 0.21, "dusk": 0.52}
"""Dusk is common with the other cameras too: what it costs alone is to be told from what the pair costs."""
HARD = {
    "Beech": 0.30,
    "Hornbeam": 0.34,
    "Silver birch": 0.24,
    "Small-leaved linden": 0.20,
    "Norway maple": 0.24,
    "Sycamore": 0.30,
}
"""Difficulty of the species with look-alikes; the others have 0.12."""

COPIES = 3
SITES = {
    "Botanic Garden": {"paper": 0.45, "stone": 0.40, "grass": 0.15},
    "River Meadow": {"grass": 0.40, "soil": 0.35, "wood": 0.25},
    "Beech Hill": {"soil": 0.50, "wood": 0.35, "stone": 0.15},
    "City Park": {"stone": 0.45, "wood": 0.40, "grass": 0.15},
    "Herbarium": {"herbarium": 0.70, "paper": 0.30},
}
COLLECTORS = ("A. Lindqvist", "M. Okafor", "J. Park", "S. Moreau", "T. Hoffmann")
JPEG_QUALITY = 88
SEASON_YEAR = 2025

GUIDELINE = """# Tree leaves

Name the tree each leaf comes from, and say in what condition the leaf is.

## Which species

Look first at the **whole shape**, then at the **edge**, then **count the side veins**.
Colour tells you the season, rarely the species.

{classes}

**Pairs that cost most mistakes**

- *Beech or hornbeam*: ignore the outline, look at the edge. Teeth mean hornbeam.
- *Norway maple or sycamore*: look into the bay between two lobes. Round means Norway maple.
- *Silver birch or hornbeam*: a straight base and long tip mean birch.

## Which condition

- **healthy**: whole and clean. Autumn colour is healthy; so are one to three tiny flecks.
- **damaged**: something is *missing*: holes, bitten edges, tears.
- **diseased**: all there but *marked*: spots, black tar, white mildew, orange rust, scorched edge.

## When in doubt

Skip with the reason *cannot tell* when the picture is too dark or blurred. Do not guess from the
background: any tree can drop a leaf anywhere. Flag what no class fits.

What can be measured of that is measured, on the page *Bias*:

```rules
# too dark, or so bright that the edge is lost
brightness between 45 and 235
# too blurred to count veins or teeth
sharpness at least 12
```
"""


def leaf_schema() -> LabelSchema:
    """Return the schema: species first, then the condition."""
    return LabelSchema(
        Task.CLASSIFICATION,
        (
            make_question("species", "Which tree?", [s.name for s in SPECIES]),
            make_question("condition", "In what condition?", list(CONDITIONS)),
        ),
    )


@dataclass(frozen=True, slots=True)
class LeafPlan:
    """The project before anything is drawn.

    Attributes:
        project: With its items; their files do not exist yet.
        scenes: File to what is to be drawn.
        repeats: File to the file it repeats, exactly or nearly.
    """

    project: DemoProject
    scenes: Mapping[str, Scene]
    repeats: Mapping[str, str]


def generate_leaves(
    folder: Path, seed: int, progress: Progress = ignore_progress, count: int = COUNT
) -> DemoProject:
    """Draw the leaf photographs into the folder and return the project.

    The last photograph repeats an earlier one byte for byte, and the two before it nearly do,
    when there are at least 50.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plan = plan_leaves(folder, seed, count)
    pools = Pools.make(np.random.default_rng([seed, 4]))
    for i, item in enumerate(plan.project.items):
        if item.file in plan.repeats:
            source = folder / plan.repeats[item.file]
            _repeat(source, item.data_path, exact=item.file in plan.project.duplicates)
        else:
            species = BY_NAME[item.answer.choices["species"]]
            rng = np.random.default_rng([seed, 3, i])
            picture = draw_leaf(species, plan.scenes[item.file], pools, rng)
            picture.save(item.data_path, quality=JPEG_QUALITY)
        progress(i + 1, count)
    return plan.project


def plan_leaves(folder: Path, seed: int, count: int = COUNT) -> LeafPlan:
    """Return which photographs there are to be, without drawing any."""
    rng = np.random.default_rng([seed, 1])
    names = [SPECIES[i % len(SPECIES)].name for i in range(count)]
    rng.shuffle(names)
    originals = count - (COPIES if count >= 50 else 0)
    planted = _planted(names[:originals], round(PLANTED_SHARE * count), rng)
    items, scenes, repeats = [], {}, {}
    for i, name in enumerate(names[:originals]):
        own = np.random.default_rng([seed, 2, i])
        item, scenes[item.file] = _planned(folder, i, name, planted.get(i), own)
        items.append(item)
    for i, source in enumerate(rng.permutation(originals)[: count - originals]):
        file = _file(originals + i)
        repeats[file] = items[source].file
        items.append(replace(items[source], file=file, data_path=folder / file, planted=None))
    exact = dict(list(repeats.items())[-1:])
    project = DemoProject(
        "tree-leaves",
        "Tree leaves",
        leaf_schema(),
        _guideline(),
        tuple(items),
        None,
        exact,
        {s.name: s.alike for s in SPECIES},
        examples=tuple(_examples(items[:originals], scenes)),
    )
    return LeafPlan(project, scenes, repeats)


EXEMPLARY = ("Beech", "Hornbeam", "Norway maple", "Sycamore")
"""Species shown beside the guideline: the pairs that cost most mistakes."""


def _examples(items: Sequence[DemoItem], scenes: Mapping[str, Scene]) -> Iterator[DemoExample]:
    """Yield images that show what the guideline says, several for each thing."""
    for name in EXEMPLARY:
        for item in items:
            told = item.answer.choices
            clear = item.difficulty < 0.5 and told["condition"] == "healthy"
            if told["species"] == name and clear and item.planted is None:
                yield DemoExample(
                    item.file, True, f"{name}: {BY_NAME[name].hint}".replace("**", "")
                )
    for item in items:
        if scenes[item.file].bad and item.planted is None:
            yield DemoExample(item.file, False, "Too dark and blurred: skip it, do not guess.")


def _guideline() -> str:
    lines = [f"- **{s.name}**: {s.hint} *Not to be taken for {s.alike}.*" for s in SPECIES]
    return GUIDELINE.replace("{classes}", "\n".join(lines))


def _planted(names: list[str], wanted: int, rng: np.random.Generator) -> dict[int, str]:
    """Return the wrong label by index: the true classes in turn, the wrong one uniform."""
    chosen: dict[int, str] = {}
    order = rng.permutation(len(names))
    turns = rng.permutation(len(SPECIES))
    for k in range(wanted):
        true = SPECIES[turns[k % len(SPECIES)]].name
        found = next(int(i) for i in order if names[i] == true and int(i) not in chosen)
        others = [s.name for s in SPECIES if s.name != true]
        chosen[found] = others[int(rng.integers(len(others)))]
    return chosen


def _pick(rng: np.random.Generator, shares: Mapping[str, float]) -> str:
    return str(rng.choice(list(shares), p=list(shares.values())))


def _file(index: int) -> str:
    return f"leaf-{index + 1:04d}.jpg"


def _planned(
    folder: Path, index: int, name: str, wrong: str | None, rng: np.random.Generator
) -> tuple[DemoItem, Scene]:
    """Return one photograph's item and scene."""
    scene, metadata = _scene(index, name, rng)
    truth = {"species": name, "condition": scene.condition}
    hard = HARD.get(name, 0.12) + 0.6 * scene.bad + rng.normal(0, 0.06)
    item = DemoItem(
        _file(index),
        folder / _file(index),
        Answer(truth),
        Answer({**truth, "species": wrong}) if wrong else None,
        metadata,
        round(float(np.clip(hard, 0, 1)), 3),
    )
    return item, scene


def _scene(index: int, name: str, rng: np.random.Generator) -> tuple[Scene, dict[str, str]]:
    site = str(rng.choice(list(SITES)))
    camera = _pick(rng, CAMERAS)
    light = _pick(rng, LIGHTS_OF_BAD_CAMERA if camera == BAD_CAMERA else LIGHTS)
    taken = _taken_at(light, rng)
    late = taken.timetuple().tm_yday - 282 - BY_NAME[name].turns + rng.normal(0, 9)
    collector = COLLECTORS[int(rng.integers(len(COLLECTORS)))]
    scene = Scene(
        background=_pick(rng, SITES[site]),
        light=light,
        camera=camera,
        bad=camera == BAD_CAMERA and light == BAD_LIGHT,
        season=float(1 / (1 + np.exp(-late / 11))),
        condition=_pick(rng, CONDITIONS),
        note=f"HERBARIUM\nNo. {1000 + index}\nleg. {collector}",
    )
    return scene, {
        "site": site,
        "camera": camera,
        "light": light,
        "taken_at": taken.isoformat(timespec="seconds"),
        "collector": collector,
    }


def _taken_at(light: str, rng: np.random.Generator) -> dt.datetime:
    day = dt.date(SEASON_YEAR, 5, 12) + dt.timedelta(days=int(170 * rng.beta(1.3, 1.0)))
    low, high = {"sun": (10, 16), "shade": (8.5, 17.5), "dusk": (18, 20.5)}[light]
    seconds = int(3600 * rng.uniform(low, high))
    return dt.datetime.combine(day, dt.time()) + dt.timedelta(seconds=seconds)


def _repeat(source: Path, path: Path, exact: bool) -> None:
    """Save the photograph again: the same bytes, or cut a little and compressed anew."""
    if exact:
        shutil.copyfile(source, path)
        return
    with Image.open(source) as image:
        wide, high = image.size
        image.crop((3, 2, wide - 2, high - 4)).resize((wide, high)).save(path, quality=80)
