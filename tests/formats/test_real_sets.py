"""Real annotated sets, as they come, with the defects they are known to have."""

from __future__ import annotations

import pytest

from core.formats import parse, resolve_regions
from core.intake import open_source, probe_image
from core.labels.region import Shape
from core.labels.shapes import polygon_area, run_lengths

pytestmark = pytest.mark.shared


def read(shared_dir, path, format="auto", **options):
    """Return what a set says, its boxes placed, and what placing refused."""
    source, main = open_source(shared_dir / "datasets" / path)
    result = parse(source, format, main_file=main, **options)
    infos, placed, refused = {}, {}, []
    for row in result.rows:
        if row.answer is not None and row.answer.regions:
            infos.setdefault(row.file, probe_image(source.read(row.file)))
            answer, bad = resolve_regions(row, infos[row.file])
            placed[row.file] = answer.regions
            refused += bad
    return result, placed, refused


def count(placed) -> int:
    """Return how many boxes were placed."""
    return sum(map(len, placed.values()))


def test_bccd_as_voc(shared_dir):
    """364 images, 4,886 boxes; the two boxes without area are refused by file and line."""
    result, placed, refused = read(shared_dir, "bccd", "voc")
    assert (len(result.rows), len(result.images), count(placed)) == (364, 364, 4886)
    assert [(r.file, r.line) for r in result.refused] == [
        ("voc_xml/BloodImage_00338.xml", 158),
        ("voc_xml/BloodImage_00343.xml", 50),
    ]
    assert refused == []
    assert result.classes == ("RBC", "WBC", "Platelets")


def test_bccd_as_yolo_has_the_same_boxes_within_a_pixel(shared_dir):
    """The conversion of the same set agrees box by box."""
    _, voc, _ = read(shared_dir, "bccd", "voc")
    result, yolo, refused = read(shared_dir, "bccd", "yolo")
    assert refused == []
    assert sorted(r.file for r in result.refused) == [
        "yolo_labels/BloodImage_00338.txt",
        "yolo_labels/BloodImage_00343.txt",
    ]
    assert voc.keys() == yolo.keys()
    for file, regions in voc.items():
        for a, b in zip(regions, yolo[file], strict=True):
            assert a.label == b.label
            assert b.box == pytest.approx(a.box, abs=1)


def test_bccd_is_recognised_by_content(shared_dir):
    """Both kinds cover all images: the exact one is read and the other named."""
    result, _, _ = read(shared_dir, "bccd")
    assert result.format == "voc"
    assert "yolo is there too" in result.notes[-1]


@pytest.mark.parametrize(
    ("path", "format", "rows", "classes"),
    [
        ("flowers", "folder", 600, 5),
        ("flowers/images", "auto", 600, 5),
        ("flowers", "auto", 600, 5),
        ("leaves", "auto", 500, 50),
        ("leaves/images", "auto", 500, 50),
        ("clothing", "auto", 1600, 19),
    ],
)
def test_classification_sets(shared_dir, path, format, rows, classes):
    """Every image has its label, from folders or from the table."""
    result, _, _ = read(shared_dir, path, format)
    assert len(result.rows) == len(result.images) == rows
    assert {r.file for r in result.rows} == set(result.images)
    assert all(r.answer for r in result.rows)
    assert len(result.classes) == classes
    assert result.refused == ()


def test_metadata_comes_along(shared_dir):
    """Senders of clothes, genera of leaves, light of plates."""
    for path, key, distinct in (
        ("clothing", "sender_id", 128),
        ("leaves", "genus", 23),
        ("plates_ro", "lighting", 2),
    ):
        result, _, _ = read(shared_dir, path)
        assert len({row.metadata[key] for row in result.rows}) == distinct


def test_plates(shared_dir):
    """427 files, 521 boxes with hundredths of pixels."""
    result, placed, refused = read(shared_dir, "plates_ro", "voc")
    assert (len(result.rows), count(placed), refused, result.refused) == (427, 521, [], ())
    first = placed["images/dayride_type1_001_t00003.jpg"]
    assert first[0].box == (384.34, 198.42, 434.7, 210.49)


def test_tree_crowns(shared_dir):
    """VOC covers most pictures; a .tif in an annotation finds the .png."""
    result, placed, refused = read(shared_dir, "tree_crowns")
    assert result.format == "voc"
    assert {f: len(r) for f, r in placed.items()} == {
        "2019_YELL_2_541000_4977000_image_crop.png": 279,
        "OSBS_029.png": 61,
        "SOAP_061.png": 37,
    }
    assert refused == []
    _, table, _ = read(shared_dir, "tree_crowns/OSBS_029.csv")
    assert [r.box for r in table["OSBS_029.png"]] == [r.box for r in placed["OSBS_029.png"]]


def test_animals(shared_dir):
    """Boxes of four COCO files are read; keypoints are passed over, and said so."""
    result, placed, refused = read(shared_dir, "animals_keypoints_coco")
    assert (result.format, len(result.rows), refused) == ("coco", 8, [])
    assert count(placed) >= 8
    assert sum("keypoint sets ignored" in n for n in result.notes) == 4


@pytest.mark.parametrize(
    ("name", "points"), [("macaque", 17), ("ap10k", 17), ("animalpose", 20), ("atrw", 15)]
)
def test_animals_as_keypoints(shared_dir, name, points):
    """Each of the four sets has its own skeleton; every set of points is taken and lies inside."""
    folder = f"animals_keypoints_coco/{name}"
    wanted = tuple(f"p{n}" for n in range(points))
    _, placed, refused = read(shared_dir, folder, "coco", shape=Shape.KEYPOINTS, skeleton=wanted)
    assert refused == []
    found = [r for regions in placed.values() for r in regions]
    assert len(found) == 2
    assert all(len(r.points) == points and r.area > 0 for r in found)


def test_an_animal_s_outline_as_polygon_and_mask(shared_dir):
    """The macaques come with segmentations: the same thing either way."""
    folder = "animals_keypoints_coco/macaque"
    _, rings, _ = read(shared_dir, folder, "coco", shape=Shape.POLYGON)
    _, masks, _ = read(shared_dir, folder, "coco", shape=Shape.MASK)
    for file, regions in masks.items():
        for mask, ring in zip(regions, rings[file], strict=True):
            covered = sum(run_lengths(mask.rle)[1::2])
            assert covered == pytest.approx(polygon_area(ring.points), rel=0.05)
