"""Detectors on drawn discs and squares: they learn, repeat themselves, stop, resume and keep what is good."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from core.errors import BadCheckpoint, EmptyTrainingSet, InputError, OutOfMemory
from core.labels.region import Shape
from core.learning.detect import DetectRequest, predict_regions, read_regions, train_detector
from core.learning.detect.folder import load_detector
from core.learning.detect.models import Quick, built, known_detectors, planned
from core.learning.detect.trunks import empty_trunk
from core.learning.values import Progress, StopRequested
from tests.learning.detect.drawn import CLASSES, drawn_examples


@pytest.fixture(autouse=True)
def _one_thread():
    """Let two test runs beside each other not wait for one another's threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> DetectRequest:
    """Return a request over drawn images, with a trunk taught on them in a second."""
    folder = tmp_path_factory.mktemp("drawn")
    examples = drawn_examples(folder, 16) + drawn_examples(folder, 14, 1, use="evaluate")
    return DetectRequest(
        CLASSES, tuple(examples), tuple(e.image for e in examples), "tiny", Shape.BOX, 0,
        folder / "run", folder / "cache", steps=4, size=128, self_training_seconds=1.0,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no published weights at hand, and fetch none."""
    monkeypatch.setattr("core.learning.detect.trunks.pretrained", lambda *_: None)


@pytest.fixture(autouse=True)
def _own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a trunk's second be thirty of its steps, however fast and busy the machine is."""
    readings = itertools.count()
    clock = SimpleNamespace(monotonic=lambda: next(readings) / 30)
    monkeypatch.setattr("core.learning.selftrained.time", clock)


def at(request: DetectRequest, folder: Path, **changes: object) -> DetectRequest:
    return replace(request, folder=folder, **changes)


def test_discs_are_learnt_from_few_images(drawn: DetectRequest, tmp_path: Path) -> None:
    """Sixteen images of drawn discs and squares are enough to find most of others, without any published weights."""
    report = train_detector(at(drawn, tmp_path, steps=200))
    assert report.status == "done"
    assert report.weights == "self-trained"
    assert report.eval.n == 14
    assert report.eval.map50 > 0.7, report.eval
    assert report.class_balance.keys() == set(CLASSES)
    assert set(report.trained_on) == {e.image.item_id for e in drawn.examples if e.use == "train"}


def test_the_same_seed_gives_the_same_detector(drawn: DetectRequest, tmp_path: Path) -> None:
    """Asked for so many steps, a seed gives its weights again, another seed others."""
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        train_detector(at(drawn, tmp_path / name, seed=seed))
    one, same, other = (
        (tmp_path / n / "model.safetensors").read_bytes() for n in ("one", "same", "other")
    )
    assert one == same
    assert one != other


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(
    drawn: DetectRequest, tmp_path: Path
) -> None:
    """Stopped at its fifth step and resumed, it ends with the weights of an uninterrupted one."""
    train_detector(at(drawn, tmp_path / "whole", steps=9))
    seen: list[Progress] = []
    begun = at(drawn, tmp_path / "parts", steps=9)
    stopped = train_detector(
        begun, seen.append, lambda: len([p for p in seen if p.phase == "teach"]) == 5
    )
    assert stopped.status == "cancelled"
    assert train_detector(replace(begun, resume=True)).steps == 9
    whole, parts = ((tmp_path / n / "model.safetensors").read_bytes() for n in ("whole", "parts"))
    assert whole == parts
    assert not list((tmp_path / "parts" / "run").glob("*.safetensors"))


def test_a_checkpoint_of_another_run_is_refused(drawn: DetectRequest, tmp_path: Path) -> None:
    """Going on with other labels or settings is said to be impossible."""
    taught: list[Progress] = []
    train_detector(
        at(drawn, tmp_path, steps=9), taught.append, lambda: any(p.phase == "teach" for p in taught)
    )
    with pytest.raises(BadCheckpoint, match="other labels, settings"):
        train_detector(at(drawn, tmp_path, steps=9, seed=5, resume=True))


def test_progress_names_loss_speed_and_what_is_left(drawn: DetectRequest, tmp_path: Path) -> None:
    """Every step tells its loss, images a second and the time left."""
    seen: list[Progress] = []
    train_detector(at(drawn, tmp_path), seen.append)
    last = [p for p in seen if p.phase == "teach"][-1]
    assert (last.done, last.total) == (4, 4)
    assert last.metrics["loss"] > 0
    assert last.metrics["images_per_second"] > 0
    assert last.seconds_left is not None


@pytest.mark.parametrize("asked", [True, False])
def test_whether_there_is_a_way_up_can_be_said(
    drawn: DetectRequest, tmp_path: Path, asked: bool
) -> None:
    """Told that images have no way up, a detector keeps it."""
    train_detector(at(drawn, tmp_path, any_way_up=asked))
    assert load_detector(tmp_path).any_way_up is asked


def test_the_clock_ends_a_run(
    drawn: DetectRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stops by the clock it was given, after its budget or the usual time, having learnt at least once."""
    monkeypatch.setattr("core.learning.detect.train._QUICK_SECONDS", 30.0)
    for budget, least, most in ((10.0, 1, 3), (None, 4, 8)):
        ticks = iter(range(10_000))  # five or so looks at the clock a step
        report = train_detector(
            at(drawn, tmp_path / f"{budget}", steps=None, budget_seconds=budget,
               clock=lambda ticks=ticks: float(next(ticks)))
        )  # fmt: skip
        assert report.status == "done"
        assert least <= report.steps <= most


def test_a_batch_that_does_not_fit_is_halved(
    drawn: DetectRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Out of memory halves the batch, says so, and goes on."""
    true = Quick.losses_after

    def hungry(self, maps, targets):
        if len(targets) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return true(self, maps, targets)

    monkeypatch.setattr(Quick, "losses_after", hungry)
    report = train_detector(at(drawn, tmp_path))
    assert (report.halved, report.batch, report.steps) == ((8, 4), 2, 4)


def test_memory_for_not_even_one_image_is_said(
    drawn: DetectRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When one image does not fit either, the run ends with a sentence."""

    def hungry(self, maps, targets):
        raise MemoryError

    monkeypatch.setattr(Quick, "losses_after", hungry)
    with pytest.raises(OutOfMemory, match="one image at a time"):
        train_detector(at(drawn, tmp_path))


def test_nan_stops_the_run_and_keeps_the_best(
    drawn: DetectRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loss that is no number ends the run; the last good weights are the model."""
    monkeypatch.setattr("core.learning.detect.teach._GOOD_EVERY", 2)
    true, calls = Quick.losses_after, []

    def turns_bad(self, maps, targets):
        calls.append(1)
        parts = dict(true(self, maps, targets))
        return {**parts, "boxes": parts["boxes"] * (float("nan") if len(calls) > 5 else 1.0)}

    monkeypatch.setattr(Quick, "losses_after", turns_bad)
    report = train_detector(at(drawn, tmp_path, steps=9))
    assert report.steps == 6
    assert "NaN" in report.notice
    found = predict_regions(tmp_path, [drawn.pool[0]])
    assert all(np.isfinite(r.box).all() for r in found.regions[drawn.pool[0].item_id])


def test_a_stored_detector_says_what_it_said(drawn: DetectRequest, tmp_path: Path) -> None:
    """Loaded from its folder it finds the same regions, inside the image, surest first."""
    train_detector(at(drawn, tmp_path))
    kept = read_regions(tmp_path)
    images = [e.image for e in drawn.examples if e.use == "evaluate"]
    found = predict_regions(tmp_path, images)
    for item_id, regions in found.regions.items():
        assert [r.label for r in regions] == [r.label for r in kept[item_id]]
        sure = [r.confidence for r in regions]
        assert sure == sorted(sure, reverse=True)
        assert all(0 <= r.x1 < r.x2 <= 128 and 0 <= r.y1 < r.y2 <= 96 for r in regions)


def test_a_changed_model_is_refused(drawn: DetectRequest, tmp_path: Path) -> None:
    """A model whose weights were changed on disk is never asked."""
    train_detector(at(drawn, tmp_path))
    path = tmp_path / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(BadCheckpoint, match="changed after it was written"):
        predict_regions(tmp_path, [])


def test_nothing_to_learn_from_is_said(drawn: DetectRequest, tmp_path: Path) -> None:
    """Images without a single region, and no image at all, start no run."""
    empty = tuple(replace(e, regions=()) for e in drawn.examples)
    for examples in (empty, ()):
        with pytest.raises(EmptyTrainingSet):
            train_detector(at(drawn, tmp_path, examples=examples))


def test_damaged_images_are_left_out_and_named(drawn: DetectRequest, tmp_path: Path) -> None:
    """An image that cannot be read is skipped with its reason."""
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    first = drawn.examples[0]
    bad = replace(first, image=replace(first.image, path=broken))
    report = train_detector(at(drawn, tmp_path / "run", examples=(bad, *drawn.examples[1:])))
    assert list(report.skipped) == [first.image.item_id]
    assert report.n_train == 15


def test_held_out_items_are_not_learnt_from(drawn: DetectRequest, tmp_path: Path) -> None:
    """What was drawn for certifying stays unseen, whatever its use says."""
    barred = drawn.examples[0].image.item_id
    report = train_detector(at(drawn, tmp_path, held_out=frozenset([barred])))
    assert barred not in report.trained_on
    assert report.n_train == 15


@pytest.mark.parametrize(
    ("name", "shape", "full"),
    [
        ("mobilenet_v2", Shape.BOX, "quick_mobilenet_v2"),
        ("resnet18", Shape.MASK, "maskrcnn_resnet18_fpn"),
        ("resnet18", Shape.POLYGON, "maskrcnn_resnet18_fpn"),
        ("resnet18", Shape.KEYPOINTS, "keypointrcnn_resnet18_fpn"),
        ("fasterrcnn_mobilenet_v2_fpn", Shape.BOX, "fasterrcnn_mobilenet_v2_fpn"),
        *[(n, Shape.BOX, n) for n in known_detectors() if "mask" not in n and "keypoint" not in n],
    ],
)
def test_names_mean_detectors(name: str, shape: Shape, full: str) -> None:
    """A network's name means a detector on it; torchvision's own names mean themselves."""
    assert planned(name, shape).full == full


@pytest.mark.parametrize(
    ("name", "shape", "words"),
    [
        ("no_such_net", Shape.BOX, "Unknown detector"),
        ("fasterrcnn_resnet50_fpn", Shape.MASK, "finds boxes only"),
        ("fcos_no_such_fpn", Shape.BOX, "Unknown detector"),
    ],
)
def test_names_that_will_not_do_are_refused(name: str, shape: Shape, words: str) -> None:
    """An unknown name, and one that cannot say the shapes asked for."""
    with pytest.raises(InputError, match=words):
        planned(name, shape)


@pytest.mark.parametrize("shape", [Shape.MASK, Shape.POLYGON, Shape.KEYPOINTS])
def test_shapes_are_learnt_and_said(shape: Shape, tmp_path: Path) -> None:
    """Masks, polygons and skeletons go in and come out as what they are."""
    examples = drawn_examples(tmp_path, 6, shape=shape)
    examples += drawn_examples(tmp_path, 10, 1, shape, "evaluate")
    request = DetectRequest(
        CLASSES, tuple(examples), tuple(e.image for e in examples), "tiny", shape, 0,
        tmp_path / "run", tmp_path / "cache", keypoints=2, steps=2, size=128,
        self_training_seconds=0.5,
    )  # fmt: skip
    report = train_detector(request)
    assert report.status == "done"
    assert report.eval.n == 10
    said = [r for regions in read_regions(tmp_path / "run").values() for r in regions]
    assert said
    assert {r.shape for r in said} == {shape}


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        *[(f"{f}_resnet18_fpn", Shape.BOX) for f in ("fasterrcnn", "fcos", "retinanet")],
        ("resnet18", Shape.MASK),
        ("resnet18", Shape.KEYPOINTS),
        ("fasterrcnn_mobilenet_v3_large_320_fpn", Shape.BOX),
    ],
)
def test_images_are_looked_at_in_the_size_given(name: str, shape: Shape) -> None:
    """A detector of torchvision scales what it is given once more: that must change nothing."""
    plan = planned(name, shape)
    trunk = None if plan.family == "torchvision" else empty_trunk(plan.name)
    network = built(plan, 2, trunk, (12.0, 24.0, 48.0), 128, points=2).network
    scaled, _ = network.transform([torch.zeros(3, 128, 96), torch.zeros(3, 90, 128)])
    assert scaled.image_sizes == [(128, 96), (90, 128)]


def test_stopping_while_predicting_is_heard(drawn: DetectRequest, tmp_path: Path) -> None:
    """A long pass over many images ends when it is told to."""
    train_detector(at(drawn, tmp_path))
    with pytest.raises(StopRequested):
        predict_regions(tmp_path, drawn.pool, should_stop=lambda: True)
