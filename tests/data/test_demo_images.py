"""The drawn demo projects: counts, sizes, truth, planted errors, repeats, determinism."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.intake.measures import measure
from core.labels.compare import same_answer
from core.labels.geometry import match_regions
from core.labels.rules import read_rules
from core.labels.schema import Task
from data import (
    DemoProject,
    generate_landmarks,
    generate_leaves,
    generate_smear,
    generate_spots,
    write_truth,
)
from data.leaves import BAD_CAMERA, BAD_LIGHT
from data.species import SPECIES

LEAVES = 120
FIELDS = 12


@pytest.fixture(scope="module")
def leaves(tmp_path_factory) -> DemoProject:
    return generate_leaves(tmp_path_factory.mktemp("leaves"), 5, count=LEAVES)


@pytest.fixture(scope="module")
def smear(tmp_path_factory) -> DemoProject:
    return generate_smear(tmp_path_factory.mktemp("smear"), 5, count=FIELDS)


def digest(folder: Path) -> str:
    return hashlib.sha256(b"".join(p.read_bytes() for p in sorted(folder.iterdir()))).hexdigest()


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


@pytest.mark.parametrize(
    "generate", [generate_leaves, generate_smear, generate_spots, generate_landmarks]
)
def test_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path, generate):
    """Drawing is a pure function of the seed."""
    a, b, c = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    first, again = generate(a, 3, count=4), generate(b, 3, count=4)
    generate(c, 4, count=4)
    assert digest(a) == digest(b) != digest(c)
    assert [i.answer for i in first.items] == [i.answer for i in again.items]
    assert [i.metadata for i in first.items] == [i.metadata for i in again.items]


def test_leaves_are_counted_sized_and_answer_the_schema(leaves):
    """Every image opens, is at least 256 px and its answer fits the schema."""
    assert len(leaves.items) == LEAVES
    assert len({i.file for i in leaves.items}) == LEAVES
    for item in leaves.items:
        with Image.open(item.data_path) as image:
            assert image.format == "JPEG"
            assert min(image.size) >= 256
            leaves.schema.check(item.answer, *image.size)
        assert set(item.metadata) == {"site", "camera", "light", "taken_at", "collector"}
        assert 0 <= item.difficulty <= 1


def test_classes_are_balanced_and_every_value_of_metadata_occurs(leaves):
    """Species differ by little in number; cameras, lights and sites are all there."""
    counts = Counter(i.answer.choices["species"] for i in leaves.items)
    assert len(counts) == len(SPECIES) >= 8
    assert max(counts.values()) - min(counts.values()) <= 4
    for column, at_least in (("site", 4), ("camera", 3), ("light", 3), ("collector", 4)):
        assert len({i.metadata[column] for i in leaves.items}) >= at_least
    assert set(Counter(i.answer.choices["condition"] for i in leaves.items)) == {
        "healthy",
        "damaged",
        "diseased",
    }


def test_two_percent_of_the_labels_are_planted_wrong(leaves):
    """Planted answers are wrong in the species only, and there are 2 % of them."""
    planted = [i for i in leaves.items if i.planted]
    assert len(planted) == round(0.02 * LEAVES)
    for item in planted:
        assert item.planted.choices["species"] != item.answer.choices["species"]
        assert item.planted.choices["condition"] == item.answer.choices["condition"]


def test_one_file_repeats_another_and_two_nearly_do(leaves):
    """There is exactly one pair of identical files, and it is declared."""
    seen = Counter(hashlib.sha256(i.data_path.read_bytes()).hexdigest() for i in leaves.items)
    assert sorted(seen.values())[-2:] == [1, 2]
    ((copy, source),) = leaves.duplicates.items()
    paths = {i.file: i.data_path for i in leaves.items}
    assert paths[copy].read_bytes() == paths[source].read_bytes()


def test_pictures_of_the_bad_camera_at_dusk_are_worse(leaves):
    """The planted bias is in the pixels: darker, and less detail above the noise."""

    def light_of(item) -> float:
        with Image.open(item.data_path) as image:
            return float(np.asarray(image.convert("L")).mean())

    bad = [
        i
        for i in leaves.items
        if i.metadata["camera"] == BAD_CAMERA and i.metadata["light"] == BAD_LIGHT
    ]
    rest = [i for i in leaves.items if i not in bad]
    assert 0.05 < len(bad) / LEAVES < 0.30
    assert np.mean([light_of(i) for i in bad]) < 0.75 * np.mean([light_of(i) for i in rest])
    assert np.mean([i.difficulty for i in bad]) > np.mean([i.difficulty for i in rest]) + 0.2


def test_truth_file_of_leaves_holds_true_labels(leaves, tmp_path):
    """The truth file's label is the true one also where an error is planted."""
    write_truth(leaves, tmp_path / "truth.csv")
    rows = rows_of(tmp_path / "truth.csv")
    assert list(rows[0]) == ["file", "label", "planted_error"]
    truth = {i.file: i for i in leaves.items}
    assert len(rows) == LEAVES
    for row in rows:
        assert row["label"] == truth[row["file"]].answer.choices["species"]
        assert row["planted_error"] == str(int(truth[row["file"]].planted is not None))


def test_smear_boxes_lie_inside_and_are_of_known_classes(smear):
    """12 to 30 cells an image, every box inside it with area, true and predicted."""
    assert smear.schema.task is Task.BOXES
    assert len(smear.items) == FIELDS
    for item in smear.items:
        with Image.open(item.data_path) as image:
            assert image.size == (640, 480)
        assert 12 <= len(item.answer.regions) <= 30
        for region in (*item.answer.regions, *smear.predictions[item.file].regions):
            assert region.label in smear.schema.classes
            assert 0 <= region.x1 < region.x2 <= 640
            assert 0 <= region.y1 < region.y2 <= 480
    assert {r.label for i in smear.items for r in i.answer.regions} == set(smear.schema.classes)


def test_smear_boxes_touch_their_cells(smear):
    """Inside a red or white cell's box it is darker than in the frame just around it."""
    darker = total = 0
    for item in smear.items:
        with Image.open(item.data_path) as image:
            green = np.asarray(image)[..., 1].astype(float)
        for region in item.answer.regions:
            if region.label == "Platelets" or min(region.x1, region.y1) < 8:
                continue
            x1, y1, x2, y2 = (round(v) for v in region.box)
            if x2 > 632 or y2 > 472:
                continue
            inner = green[y1 + 3 : y2 - 3, x1 + 3 : x2 - 3].mean()
            corner = np.mean([green[y, x] for y in (y1 - 1, y2) for x in (x1 - 1, x2)])
            darker, total = darker + (inner < corner), total + 1
    assert darker / total > 0.9


def test_smear_planted_error_is_one_box(smear, tmp_path):
    """A planted answer lacks one box or names one wrong; the truth file has a row a box."""
    planted = [i for i in smear.items if i.planted]
    assert len(planted) == 1
    (item,) = planted
    assert not same_answer(item.planted, item.answer)
    assert abs(len(item.planted.regions) - len(item.answer.regions)) <= 1
    write_truth(smear, tmp_path / "truth.csv")
    rows = rows_of(tmp_path / "truth.csv")
    assert list(rows[0]) == ["file", "label", "x1", "y1", "x2", "y2", "planted_error"]
    assert len(rows) == sum(len(i.answer.regions) for i in smear.items)
    assert {r["file"] for r in rows if r["planted_error"] == "1"} == {item.file}


def test_confidence_of_wrong_predictions_is_lower(tmp_path):
    """The simulated detector is surer of boxes that are right."""
    from core.labels.geometry import match_regions

    project = generate_smear(tmp_path, 8, count=30)
    right, wrong = [], []
    for item in project.items:
        said = project.predictions[item.file].regions
        hits = {i for i, _, _ in match_regions(said, item.answer.regions)}
        for i, region in enumerate(said):
            (right if i in hits else wrong).append(region.confidence)
    assert len(wrong) > 5
    assert np.mean(right) > np.mean(wrong) + 0.15


# --- outlines and points ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spots(tmp_path_factory) -> DemoProject:
    return generate_spots(tmp_path_factory.mktemp("spots"), 5, count=10)


@pytest.fixture(scope="module")
def landmarks(tmp_path_factory) -> DemoProject:
    return generate_landmarks(tmp_path_factory.mktemp("points"), 5, count=8)


def test_what_is_said_of_shapes_fits_their_schema(spots, landmarks):
    """Truth and guesses are complete answers, inside the image, under the schema."""
    for project in (spots, landmarks):
        for item in project.items:
            with Image.open(item.data_path) as image:
                assert image.size == item.size
            for said in (item.answer, project.predictions[item.file]):
                assert project.schema.check(said, *item.size).regions == said.regions


def test_outlines_lie_around_what_is_drawn(spots):
    """Inside a brown or black lesion's ring it is less green than just outside of it."""
    hits = []
    for item in spots.items:
        with Image.open(item.data_path) as image:
            pixels = np.asarray(image).astype(float)
        for region in item.answer.regions:
            ring = np.array(region.points)
            middle = ring.mean(0)
            greens = []
            for share in (0.8, 1.9):
                at = np.clip(middle + (ring - middle) * share, 0, item.size[0] - 1).astype(int)
                found = pixels[at[:, 1], at[:, 0]]
                greens.append(float(np.mean(found[:, 1] - found[:, 0])))
            hits.append(greens[0] < greens[1] - 10)
    assert len(hits) > 10
    assert np.mean(hits) > 0.9


def test_an_earlier_model_draws_outlines_nearly_right(spots):
    """Most outlines overlap their lesion well, none is exact, and some severities are wrong."""
    pairs = swapped = total = 0
    for item in spots.items:
        said, true = spots.predictions[item.file].regions, item.answer.regions
        found = match_regions(said, true, 0.5, same_class=False)
        pairs, total = pairs + len(found), total + len(true)
        swapped += sum(said[i].attributes != true[j].attributes for i, j, _ in found)
        assert all(likeness < 0.999 for _, _, likeness in found)
    assert pairs / total > 0.75
    assert swapped > 0


def test_points_lie_at_the_ends_of_the_leaf(landmarks):
    """The tip and the sides are where green meets card; the guess is off by a little."""
    for item in landmarks.items:
        with Image.open(item.data_path) as image:
            pixels = np.asarray(image).astype(float)
        (leaf,) = item.answer.regions
        (guess,) = landmarks.predictions[item.file].regions
        points = np.array([p[:2] for p in leaf.points])
        middle = points.mean(0)
        for point in points[1:]:
            for share, green in ((0.85, True), (1.12, False)):
                x, y = np.clip(middle + (point - middle) * share, 0, item.size[0] - 1).astype(int)
                assert (pixels[y, x, 1] - pixels[y, x, 2] > 25) == green, (item.file, point)
        off = np.hypot(*(np.array([p[:2] for p in guess.points]) - points).T)
        assert 0 < off.mean() < 80


def test_truth_file_of_outlines_can_be_read_as_an_import(spots, tmp_path):
    """A row for each lesion with its ring and severity, as the table import takes them."""
    write_truth(spots, tmp_path / "truth.csv")
    rows = rows_of(tmp_path / "truth.csv")
    assert len(rows) == sum(len(i.answer.regions) for i in spots.items)
    truth = {i.file: i.answer.regions for i in spots.items}
    seen = Counter()
    for row in rows:
        region = truth[row["file"]][seen[row["file"]]]
        seen[row["file"]] += 1
        assert json.loads(row["points"]) == [list(p) for p in region.points]
        assert json.loads(row["attributes"]) == dict(region.attributes)


def test_examples_show_what_their_notes_say(leaves):
    """Good ones are clear healthy leaves of the species named, bad ones the bad camera's."""
    items = {i.file: i for i in leaves.items}
    for example in leaves.examples:
        item = items[example.file]
        assert item.planted is None
        if example.good:
            assert example.note.startswith(item.answer.choices["species"])
        else:
            assert (item.metadata["camera"], item.metadata["light"]) == (BAD_CAMERA, BAD_LIGHT)
    assert len({e.note for e in leaves.examples if e.good}) == 4
    assert any(not e.good for e in leaves.examples)


def test_the_guideline_of_the_leaves_has_rules_that_hold_but_for_the_worst(
    leaves: DemoProject,
) -> None:
    """Its block is read without a refusal; few pictures are beyond it, of the bad camera at dusk some."""
    found = read_rules(leaves.guideline)
    assert [r.subject for r in found.rules] == ["brightness", "sharpness"]
    assert not found.refused
    beyond: dict[bool, list[bool]] = {True: [], False: []}
    for item in leaves.items:
        bad = (item.metadata["camera"], item.metadata["light"]) == (BAD_CAMERA, BAD_LIGHT)
        if bad or len(beyond[False]) < 30:
            with Image.open(item.data_path) as picture:
                told = measure(picture.convert("RGB"))
            beyond[bad].append(any(not r.allows(getattr(told, r.subject)) for r in found.rules))
    assert sum(beyond[False]) <= 3
    assert 0.1 < sum(beyond[True]) / len(beyond[True]) < 0.6
