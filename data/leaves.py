"""The tree-leaf project: which photographs there are, with their metadata and planted faults."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from core.labels import Answer, LabelSchema
from core.labels.schema import Task, make_question
from data.project import PLANTED_SHARE, DemoItem, DemoProject, Progress, ignore_progress
from data.render import Pools, Scene, draw_leaf
from data.species import BY_NAME, SPECIES

COUNT = 1000
BAD_CAMERA, BAD_LIGHT = "C", "dusk"
"""The pair under which photographs are blurred, dark and noisy: the planted bias."""

CONDITIONS = ("healthy", "damaged", "diseased")
SITES = {
    "Botanic Garden": {"paper": 0.35, "stone": 0.35, "grass": 0.3},
    "River Meadow": {"grass": 0.55, "soil": 0.3, "wood": 0.15},
    "Beech Hill": {"soil": 0.6, "wood": 0.25, "stone": 0.15},
    "City Park": {"stone": 0.4, "wood": 0.35, "grass": 0.25},
    "Herbarium": {"herbarium": 0.75, "paper": 0.25},
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


def generate_leaves(
    folder: Path, seed: int, progress: Progress = ignore_progress, count: int = COUNT
) -> DemoProject:
    """Draw the leaf photographs into the folder and return the project.

    The last photograph repeats an earlier one byte for byte, and the two before it nearly do,
    when there are at least 50.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed, 1])
    pools = Pools.make(rng)
    names = [SPECIES[i % len(SPECIES)].name for i in range(count)]
    rng.shuffle(names)
    planted = _planted(names, rng)
    items: list[DemoItem] = []
    duplicates: dict[str, str] = {}
    copies = 3 if count >= 50 else 0
    for i, name in enumerate(names[: count - copies]):
        items.append(
            _draw(folder, i, name, planted.get(i), pools, np.random.default_rng([seed, 2, i]))
        )
        progress(i + 1, count)
    for i in range(count - copies, count):
        source = items[int(rng.integers(len(items)))]
        items.append(_repeat(folder, i, source, exact=i == count - 1))
        progress(i + 1, count)
        if i == count - 1:
            duplicates[items[-1].file] = source.file
    return DemoProject(
        "tree-leaves",
        "Tree leaves",
        leaf_schema(),
        _guideline(),
        tuple(items),
        None,
        duplicates,
        {s.name: s.alike for s in SPECIES},
    )


def _guideline() -> str:
    lines = [f"- **{s.name}**: {s.hint} *Not to be taken for {s.alike}.*" for s in SPECIES]
    return GUIDELINE.replace("{classes}", "\n".join(lines))


def _planted(names: list[str], rng: np.random.Generator) -> dict[int, str]:
    """Return the wrong label by index: the true classes in turn, the wrong one uniform."""
    wanted = round(PLANTED_SHARE * len(names))
    chosen: dict[int, str] = {}
    order = rng.permutation(len(names) - 3 if len(names) >= 50 else len(names))
    turns = rng.permutation(len(SPECIES))
    for k in range(wanted):
        true = SPECIES[turns[k % len(SPECIES)]].name
        found = next((int(i) for i in order if names[i] == true and int(i) not in chosen), None)
        if found is not None:
            others = [s.name for s in SPECIES if s.name != true]
            chosen[found] = others[int(rng.integers(len(others)))]
    return chosen


def _pick(rng: np.random.Generator, shares: dict[str, float]) -> str:
    return str(rng.choice(list(shares), p=list(shares.values())))


def _draw(
    folder: Path, index: int, name: str, wrong: str | None, pools: Pools, rng: np.random.Generator
) -> DemoItem:
    species = BY_NAME[name]
    site = str(rng.choice(list(SITES)))
    camera = _pick(rng, {"A": 0.36, "B": 0.30, "C": 0.34})
    light = _pick(
        rng,
        {"sun": 0.32, "shade": 0.24, "dusk": 0.44}
        if camera == BAD_CAMERA
        else {"sun": 0.48, "shade": 0.34, "dusk": 0.18},
    )
    taken = _taken_at(light, rng)
    day = taken.timetuple().tm_yday
    season = float(
        np.clip(1 / (1 + np.exp(-(day - 282 - species.turns + rng.normal(0, 9)) / 11)), 0, 1)
    )
    condition = _pick(rng, {"healthy": 0.56, "damaged": 0.22, "diseased": 0.22})
    collector = COLLECTORS[int(rng.integers(len(COLLECTORS)))]
    bad = camera == BAD_CAMERA and light == BAD_LIGHT
    scene = Scene(
        _pick(rng, SITES[site]), light, camera, bad, season, condition,
        f"HERBARIUM\nNo. {1000 + index}\nleg. {collector}",
    )  # fmt: skip
    file = f"leaf-{index + 1:04d}.jpg"
    path = folder / file
    draw_leaf(species, scene, pools, rng).save(path, quality=JPEG_QUALITY)
    truth = Answer({"species": name, "condition": condition})
    hard = {
        "Beech": 0.3,
        "Hornbeam": 0.34,
        "Silver birch": 0.22,
        "Norway maple": 0.28,
        "Sycamore": 0.34,
    }
    return DemoItem(
        file,
        path,
        truth,
        Answer({"species": wrong, "condition": condition}) if wrong else None,
        {
            "site": site,
            "camera": camera,
            "light": light,
            "taken_at": taken.isoformat(timespec="seconds"),
            "collector": collector,
        },
        round(float(np.clip(hard.get(name, 0.12) + 0.45 * bad + rng.normal(0, 0.06), 0, 1)), 3),
    )


def _taken_at(light: str, rng: np.random.Generator) -> dt.datetime:
    day = dt.date(SEASON_YEAR, 5, 12) + dt.timedelta(days=int(170 * rng.beta(1.3, 1.0)))
    low, high = {"sun": (10, 16), "shade": (8.5, 17.5), "dusk": (18, 20.5)}[light]
    return dt.datetime.combine(day, dt.time()) + dt.timedelta(
        seconds=int(3600 * rng.uniform(low, high))
    )


def _repeat(folder: Path, index: int, source: DemoItem, exact: bool) -> DemoItem:
    """Return the item again under another name: the same bytes, or cut and saved anew."""
    file = f"leaf-{index + 1:04d}.jpg"
    path = folder / file
    if exact:
        shutil.copyfile(source.data_path, path)
    else:
        with Image.open(source.data_path) as image:
            wide, high = image.size
            image.crop((3, 2, wide - 2, high - 4)).resize((wide, high)).save(path, quality=80)
    return DemoItem(file, path, source.answer, None, source.metadata, source.difficulty)
