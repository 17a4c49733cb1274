"""The drawn demo projects: counts, sizes, truth, planted errors, repeats, determinism."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.labels.compare import same_answer
from core.labels.schema import Task
from data import DemoProject, generate_leaves, generate_smear, write_truth
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


@pytest.mark.parametrize("generate", [generate_leaves, generate_smear])
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
