"""The notary: a faithful copy passes, and each known mistake is caught and named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.datasets.mistakes import named, shares
from core.datasets.notary import Entry, Raw, notarise
from core.labels import Answer, Region

LECTURE = (330.0, 321.0, 744.0, 386.0)
SIZE = (980, 551)


def entry(*boxes: tuple[str, tuple[float, float, float, float]], file: str = "a.jpg") -> Entry:
    return Entry(file, *SIZE, Answer(regions=tuple(Region(c, *b) for c, b in boxes)), "train")


TRUE = entry(("plate", LECTURE))
CLASSES = (("car", "plate"), ("car", "plate"))


def test_the_lectures_box_has_the_shares_it_should_have():
    """Edges 330 321 744 386 of 980 by 551 pixels are 0.547959 0.641561 0.422449 0.117967."""
    found = " ".join(f"{v:.6f}" for v in shares(LECTURE, SIZE))
    assert found == "0.547959 0.641561 0.422449 0.117967"


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ((537, 353.5, 414, 65), "not normalised"),
        ((330, 321, 744, 386), "not normalised"),
        ((330 / 980, 321 / 551, 414 / 980, 65 / 551), "corner for centre"),
        ((330 / 980, 321 / 551, 744 / 980, 386 / 551), "edges for centre and size"),
        ((537 / 551, 353.5 / 980, 414 / 551, 65 / 980), "width and height swapped"),
        ((0.641561, 0.547959, 0.117967, 0.422449), "x and y swapped"),
        ((0.547959, 0.358439, 0.422449, 0.117967), "y from below"),
        ((0.547959, 321 / 551, 0.422449, 0.0), "ymax taken from ymin"),
        ((0.547959, 0.641561, 0.211224, 0.058983), "half the size"),
        ((537 / 1280, 353.5 / 720, 414 / 1280, 65 / 720), "another image's size"),
        ((537.5 / 980, 354 / 551, 414 / 980, 65 / 551), "pixels counted from 1"),
        ((0.2, 0.9, 0.3, 0.1), None),
    ],
)
def test_a_mistake_is_named_by_what_it_would_have_written(line, mistake):
    """Each way to turn the lecture's box wrong is told from the others; nonsense has no name."""
    found = named(LECTURE, SIZE, line)
    assert (found.name if found else None) == mistake


def test_a_faithful_copy_passes():
    """The same set read back, a millionth of its side off, has nothing wrong."""
    near = tuple(v + 0.0004 for v in LECTURE)
    receipt = notarise([TRUE], [entry(("plate", near))], CLASSES, lambda _: 0.001)
    assert receipt.passed
    assert receipt.counts == {"train": {"plate": 1}}


def test_what_is_counted_is_told_apart_from_the_classes():
    """Two classes of the label and three answers to two questions: each sentence says which it counts."""
    said = [Answer({"label": "car", "state": "wet"}), Answer({"label": "car", "state": "dry"})]
    meant = [Entry(f"{n}.jpg", *SIZE, a, "train") for n, a in enumerate(said)]
    told = {c.name: c.sentence for c in notarise(meant, meant, CLASSES, lambda _: 0.0).checks}
    assert told["class order"] == "The 2 classes of the label have the same numbers on both sides."
    assert told["counts"] == (
        "Counts agree in 1 split: 3 answers given, those to further questions included."
    )


@pytest.mark.parametrize(
    ("read", "classes", "check"),
    [
        ([], CLASSES, "items"),
        ([TRUE, replace(TRUE, file="b.jpg")], CLASSES, "items"),
        ([entry(("car", LECTURE))], CLASSES, "regions"),
        ([entry(("plate", LECTURE), ("plate", LECTURE))], CLASSES, "regions"),
        ([entry(("plate", (330, 321, 744, 300)))], CLASSES, "coordinates"),
        ([TRUE], (("car", "plate"), ("plate", "car")), "class order"),
        ([replace(TRUE, split="test")], CLASSES, "counts"),
    ],
)
def test_what_differs_is_found(read, classes, check):
    """Images, classes, regions, coordinates, order and splits each have a check that can fail."""
    receipt = notarise([TRUE], read, classes, lambda _: 0.01)
    assert check in {c.name for c in receipt.checks if not c.passed}
    assert not receipt.passed


def test_pixels_in_a_file_of_shares_are_named_with_what_was_expected():
    """The line, what should stand there, and why it does not."""
    receipt = notarise(
        [TRUE], [entry()], CLASSES, lambda _: 0.01, raw=[Raw("a.jpg", 1, "plate", LECTURE)]
    )
    found = next(c for c in receipt.checks if c.name == "normalisation")
    assert "expected 0.547959 0.641561 0.422449 0.117967" in found.examples[0]
    assert receipt.mistakes == {"not normalised": 1}


def test_other_labels_of_the_whole_image_are_found():
    """A class swapped in a table of labels is told with both names."""
    one = Entry("a.jpg", 1, 1, Answer({"label": "cat"}))
    receipt = notarise(
        [one], [replace(one, answer=Answer({"label": "dog"}))], ((), ()), lambda _: 0
    )
    found = next(c for c in receipt.checks if c.name == "labels")
    assert found.examples == ("a.jpg: dog, expected cat",)
