"""General models: which categories mean which classes, what is proposed, and published heads asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import BadCheckpoint, InputError
from core.labels.region import Region
from core.learning.general import (
    Sums,
    ask_detector,
    coverage,
    general_categories,
    general_weights,
    in_classes,
    read_pairs,
    said_of,
    verdicts,
)
from core.learning.values import ImageRef
from tests.rigged import NAME, weights_that_see_people

KNOWN = (
    "__background__",
    "tabby",
    "golden retriever",
    "Chihuahua",
    "fire engine",
    "N/A",
    "tiger cat",
)


@pytest.mark.parametrize(
    ("classes", "given", "only", "meanings", "uncovered"),
    [
        (("Tabby", "owl"), {}, (), {"Tabby": ("tabby",)}, ("owl",)),
        (("Fire_Engine", "chihuahua"), {}, (), {"Fire_Engine": ("fire engine",), "chihuahua": ("Chihuahua",)}, ()),
        (("dog", "cat"), {"dog": ("chihuahua", "golden_retriever")}, (), {"dog": ("Chihuahua", "golden retriever")}, ("cat",)),
        (("tabby",), {"tabby": ("tiger cat",)}, (), {"tabby": ("tabby", "tiger cat")}, ()),
        (("tabby",), {"Tabby": ("tabby", "tabby")}, (), {"tabby": ("tabby",)}, ()),
        (("cat", "tabby"), {"cat": ("tabby",)}, (), {"cat": ("tabby",)}, ("tabby",)),
        (("tabby", "chihuahua", "owl"), {}, ("CHIHUAHUA",), {"chihuahua": ("Chihuahua",)}, ()),
    ],
    ids=["case", "underscores", "given", "both", "once", "given first", "fewer classes"],
)  # fmt: skip
def test_categories_mean_classes(classes, given, only, meanings, uncovered) -> None:
    """By equal name, by what was given, and for the classes wanted alone."""
    found = coverage(classes, KNOWN, given, only)
    assert (dict(found.meanings), found.uncovered) == (meanings, uncovered)


@pytest.mark.parametrize(
    ("classes", "given", "only", "words"),
    [
        (("owl", "wren"), {}, (), "no category of the name of any class asked for (owl, wren)"),
        (("n/a", "__background__"), {}, (), "no category of the name of any class"),
        (("cat",), {"dog": ("tabby",)}, (), "no class 'dog'"),
        (("cat",), {}, ("cow",), "no class 'cow'"),
        (("cat",), {"cat": ("golden",)}, (), "It has golden retriever."),
        (("cat",), {"cat": ("Chihuahuas",)}, (), "It has Chihuahua."),
        (("cat", "dog"), {"cat": ("tabby",), "dog": ("Tabby",)}, (), "given to 'cat' and to 'dog'"),
    ],
)
def test_what_cannot_be_mapped_is_refused(classes, given, only, words) -> None:
    """One sentence with what was meant, where it can be told."""
    with pytest.raises(InputError) as refused:
        coverage(classes, KNOWN, given, only)
    assert words in str(refused.value)


def test_pairs_are_read() -> None:
    """A class, then its categories; the same class twice adds up; anything else is refused."""
    assert read_pairs(["dog=Chihuahua | golden retriever", "dog=pug"]) == {
        "dog": ("Chihuahua", "golden retriever", "pug")
    }
    for text in ("dog", "=pug", "dog=", "dog=|"):
        with pytest.raises(InputError, match="which categories mean a class"):
            read_pairs([text])


def test_none_of_these_wins_where_it_is_likelier() -> None:
    """An image is proposed for only where its best class is no less likely than no class at all."""
    rows = np.array([[0.6, 0.3], [0.3, 0.2], [0.5, 0.0], [0.0, 0.0]], np.float32)
    found = verdicts(Sums(np.array([1, 2, 3, 4]), rows), ("cat", "dog"))
    assert list(found) == [1, 3]
    first, third = found[1], found[3]
    assert (first.label, round(first.confidence, 3), round(first.margin, 3)) == ("cat", 0.6, 0.3)
    assert [c for c, _ in first.top] == ["cat", "dog"]
    assert round(third.margin, 3) == 0.0  # "none of these" has as much


def test_boxes_of_two_categories_on_one_thing_are_one() -> None:
    """Boxes take the class's name; what means no class is dropped; the surest of a heap stays."""
    boxes = (
        Region("truck", 0, 0, 100, 100, 0.6),
        Region("car", 2, 2, 100, 100, 0.9),
        Region("car", 200, 0, 260, 60, 0.4),
        Region("dog", 0, 0, 100, 100, 0.99),
    )
    found = in_classes(boxes, {"vehicle": ("car", "truck")})
    assert [(r.label, r.x1, r.confidence) for r in found] == [
        ("vehicle", 2, 0.9),
        ("vehicle", 200, 0.4),
    ]
    assert in_classes((), {"vehicle": ("car",)}) == ()


def test_the_name_says_model_and_mapping() -> None:
    """Whoever reads a pre-label reads what it came from; a long mapping is cut."""
    assert said_of("m", {"dog": ("pug", "boxer")}) == "general model m (dog = pug, boxer)"
    assert len(said_of("m", {"dog": tuple(f"breed {n}" for n in range(100))})) < 190


@pytest.mark.parametrize(
    ("name", "draws", "words"),
    [
        ("fasterrcnn_resnet50_fpn", False, "is a detector; this project needs a classifier"),
        ("mobilenet_v2", True, "is a classifier; this project needs a detector"),
        ("no such model", False, "There is no general model 'no such model'"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(name: str, draws: bool, words: str) -> None:
    """A classifier says nothing of boxes, a detector nothing of whole images."""
    with pytest.raises(InputError, match=words):
        general_categories(name, draws)


def test_categories_come_from_the_metadata() -> None:
    """ImageNet's for classifiers, COCO's for detectors."""
    assert len(general_categories("mobilenet_v2", draws=False)) == 1000
    assert "person" in general_categories(NAME, draws=True)


def test_without_weights_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline with an empty cache, and files that are none, end in a sentence."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(InputError, match="the settings say offline; nothing was changed"):
        general_weights("mobilenet_v2", offline=True)
    with pytest.raises(InputError, match=r"no weights file 'gone\.pth'"):
        general_weights("mobilenet_v2", True, tmp_path / "gone.pth")
    (tmp_path / "odd.pth").write_bytes(b"no weights at all")
    with pytest.raises(BadCheckpoint):
        general_weights("mobilenet_v2", True, tmp_path / "odd.pth")


def test_a_published_detector_is_asked(tmp_path: Path) -> None:
    """A detector whose head says one category everywhere gives boxes of the class it means alone."""
    weights = weights_that_see_people(tmp_path)
    paths = [tmp_path / "a.png", tmp_path / "broken.png"]
    Image.new("RGB", (120, 80), (90, 120, 60)).save(paths[0])
    paths[1].write_bytes(b"no image")
    images = [ImageRef(n, f"hash {n}", p) for n, p in enumerate(paths, 1)]
    found, skipped = ask_detector(NAME, weights, {"worker": ("person",)}, images)
    assert list(found) == [1]
    assert list(skipped) == [2]
    assert {r.label for r in found[1]} == {"worker"}
    assert all(0 <= r.x1 < r.x2 <= 120 and 0 <= r.y1 < r.y2 <= 80 for r in found[1])
    assert found[1][0].confidence is not None
    assert found[1][0].confidence > 0.9
    nothing, _ = ask_detector(NAME, weights, {"pet": ("dog",)}, images)
    assert all((r.confidence or 0) < 0.1 for r in nothing[1])
