"""Real sets as versions: clothes of many senders, frames of many rides, never torn; plates in every format."""

from __future__ import annotations

import csv
import hashlib
import io
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.datasets.freeze import FrozenLabel
from core.datasets.splits import Member, SplitPlan, leaks, split
from core.formats import parse
from core.intake import open_source
from core.intake.alike import grey, look_alikes
from core.intake.probe import small_picture
from core.labels import Answer, LabelSchema
from core.labels.schema import Task, make_question
from core.services.versions.files import written
from core.services.versions.receipts import check_files
from core.services.versions.stored import StoredVersion

pytestmark = pytest.mark.shared

RATIOS = (("train", 0.8), ("val", 0.1), ("test", 0.1))
PLATE = "license-plate"


@cache
def rows_of(folder: Path, name: str) -> list[dict[str, str]]:
    """Return a set's table."""
    with (folder / "datasets" / name / "metadata.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


def name_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_clothes_are_split_by_sender_with_every_class_in_proportion(shared_dir: Path) -> None:
    """1,600 photographs of 128 senders, 50 of them with one alone: no sender in two splits, shares within a point."""
    rows = rows_of(shared_dir, "clothing")
    members = [Member(name_of(r["file"]), "train", r["sender_id"], {r["label"]: 1}) for r in rows]
    found = split(members, SplitPlan(RATIOS, group_by="sender_id"))
    assert leaks(members, found.of) == []
    assert (found.groups, sum(s.n for s in found.shares)) == (78, 1600)
    assert found.most_off < 0.01
    train = found.shares[0].per_class
    whole = {c: sum(s.per_class.get(c, 0) for s in found.shares) for c in train}
    assert max(abs(train[c] / n - 0.8) for c, n in whole.items() if n >= 80) < 0.1
    again = split(members[::-1], SplitPlan(RATIOS, group_by="sender_id"))
    assert again.of == found.of


def test_frames_of_one_ride_stay_together(shared_dir: Path) -> None:
    """427 frames of four clips, one with three quarters of them: none is torn, and how far off that is is told."""
    rows = rows_of(shared_dir, "plates_ro")
    members = [Member(name_of(r["file"]), "train", r["clip"], {r["lighting"]: 1}) for r in rows]
    found = split(members, SplitPlan((("train", 0.7), ("test", 0.3)), group_by="clip"))
    assert leaks(members, found.of) == []
    assert (found.groups, found.largest) == (4, 318)
    assert min(s.n for s in found.shares) > 0
    assert found.most_off == max(abs(s.n / 427 - s.asked) for s in found.shares)


def test_smaller_compressed_copies_of_photographs_are_look_alikes(shared_dir: Path) -> None:
    """Of fifty photographs of clothes each is found with its copy at half the size, and with nothing else."""
    folder = shared_dir / "datasets" / "clothing"
    pictures = [
        small_picture((folder / r["file"]).read_bytes(), 256)
        for r in rows_of(shared_dir, "clothing")[:50]
    ]
    greys = np.stack([grey(p) for p in (*pictures, *map(_copied, pictures))])
    assert look_alikes(greys) == [[n, n + 50] for n in range(50)]


def _copied(picture: Image.Image) -> Image.Image:
    kept = io.BytesIO()
    half = picture.resize((picture.width // 2, picture.height // 2))
    half.save(kept, "JPEG", quality=50)
    return Image.open(kept)


@pytest.fixture(scope="module")
def plates(shared_dir_once: Path) -> StoredVersion:
    """Give the plates as a version, split by clip."""
    source, main = open_source(shared_dir_once / "datasets" / "plates_ro")
    told = {r["file"]: r for r in rows_of(shared_dir_once, "plates_ro")}
    rows = []
    for n, row in enumerate(parse(source, "voc", main_file=main).rows, 1):
        clip = told[row.file.rpartition("/")[2]]["clip"]
        rows.append(
            FrozenLabel(
                n, name_of(row.file), row.file, None, (row.answer or Answer()).to_json(), "train",
                "imported", 1, 1, n, split="test" if name_of(clip)[0] in "0123" else "train",
                group=clip, names=(row.file,), width=row.width or 0, height=row.height or 0,
            )
        )  # fmt: skip
    schema = LabelSchema(Task.BOXES, (make_question("label", "What?", [PLATE]),))
    return StoredVersion(1, "v1", "", Path(), 0.0, tuple(rows), schema, {})


@pytest.fixture(scope="module")
def shared_dir_once() -> Path:
    """Give the shared folder for the whole module, or skip."""
    from tests.conftest import SHARED

    if not (SHARED / "datasets").is_dir():
        pytest.skip("the shared datasets are not beside this checkout")
    return SHARED


ALL = ("items", "readable", "regions", "coordinates", "counts")
ORDER = "class order"


@pytest.mark.parametrize(
    ("format", "more"),
    [("table", ()), ("coco", (ORDER,)), ("voc", (ORDER,)), ("yolo", (ORDER, "normalisation"))],
)
def test_every_plate_comes_back_in_every_format(
    plates: StoredVersion, format: str, more: tuple[str, ...]
) -> None:
    """521 boxes of hundredths of pixels in 427 images: images, classes, places, shares and counts."""
    made = written(plates, format)
    receipt = check_files(made.records, made.splits, made.files, format, plates.schema)
    assert [c for c in receipt.checks if not c.passed] == []
    assert sum(c[PLATE] for c in receipt.counts.values()) == 521
    assert set(receipt.counts) == {"train", "test"}
    assert {c.name for c in receipt.checks} == {*ALL, *more}


def test_a_script_that_swaps_the_sides_is_named_on_every_line(plates: StoredVersion) -> None:
    """x divided by the height, y by the width: caught, named, and expected numbers told."""
    made = written(plates, "yolo")
    w, h = 640, 360
    assert {(r.width, r.height) for r in plates.rows} == {(w, h)}
    wrong = {}
    for path, data in made.files.items():
        if not path.startswith("labels/"):
            continue
        lines = [[float(v) for v in line.split()] for line in data.decode().splitlines()]
        wrong[path] = "".join(
            f"0 {x * w / h:.6f} {y * h / w:.6f} {a * w / h:.6f} {b * h / w:.6f}\n"
            for _, x, y, a, b in lines
        ).encode()
    receipt = check_files(made.records, made.splits, {**made.files, **wrong}, "yolo", plates.schema)
    assert not receipt.passed
    assert receipt.mistakes.get("width and height swapped", 0) > 400
