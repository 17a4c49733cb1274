"""Training and serving end to end, on real files and a real (small) network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from core.errors import BadCheckpoint, EmptyTrainingSet, InputError, OutOfMemory, TrainingError
from core.learning import Example, StopRequested, predict, train
from core.learning.backbones import pretrained
from core.learning.embed import embed
from core.learning.reader import read_embeddings, read_predictions
from core.learning.runner import Runner
from core.learning.values import never_stop, no_progress
from tests.learning.conftest import BACKBONE, CLASSES, make_image, ref


def model_bytes(folder) -> bytes:
    """Return the trained head as stored."""
    return (folder / "model.safetensors").read_bytes()


def head_without(request, tmp_path, name: str, **changes) -> bytes:
    """Train a changed request in a folder of its own and return its head."""
    train(changed := replace(request, folder=tmp_path / name, **changes))
    return model_bytes(changed.folder)


def test_torch_stays_out_until_needed():
    """Importing the package and its reader imports no torch: analytics pages pay nothing."""
    code = "import sys, core.learning, core.learning.reader; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_train_then_predict(request_for, images, cache):
    """A model is trained, judged and stored, and serves what it was recorded to say."""
    seen = []
    request = request_for()
    report = train(request, seen.append)
    assert report.status == "done"
    assert (report.weights, report.n_train, report.notice) == ("pretrained", 24, "")
    assert report.class_balance == {"blue": 8, "green": 8, "red": 8}
    assert (report.eval.on, report.eval.n) == ("cross-validated", 24)
    assert report.eval.low < report.eval.accuracy <= report.eval.high
    assert {"embed", "fit", "save"} <= {p.phase for p in seen}
    recorded = read_predictions(request.folder)
    assert recorded.item_ids.tolist() == list(range(1, 49))
    right = [a == b for a, (_, b) in zip(recorded.top1, images, strict=True)]
    assert np.mean(right) > 0.9
    served = predict(request.folder, [i for i, _ in images], cache)
    assert np.allclose(served.probabilities[24:], recorded.probabilities[24:], atol=1e-5)
    assert (served.margin <= served.confidence + 1e-6).all()
    assert json.loads((request.folder / "report.json").read_text())["n_train"] == 24


def test_several_classes_an_image(request_for, images, cache):
    """A probe of sets is judged by sets, stored with its thresholds, and serves as recorded."""
    examples = tuple(
        Example(i, c, "train" if i.item_id <= 18 else "evaluate", tuple(sorted({c, "green"})))
        for i, c in images
    )
    request = request_for(examples=examples, several=True)
    report = train(request)
    assert (report.mode, report.eval.on, report.eval.n) == ("probe", "evaluate", 30)
    assert report.eval.accuracy > 0.8
    assert report.class_balance == {"blue": 6, "green": 18, "red": 6}
    assert report.sets.low <= report.sets.mean_ap <= report.sets.high
    assert report.sets.classes[1].f1 == 1.0
    recorded = read_predictions(request.folder)
    served = predict(request.folder, [i for i, _ in images], cache)
    assert recorded.several
    assert recorded.thresholds == served.thresholds
    assert all("green" in labels for labels in recorded.chosen)
    assert served.chosen[18:] == recorded.chosen[18:]
    assert (served.confidence <= 1).all()
    few = train(request_for(examples=examples[:18], several=True, folder=request.folder / "few"))
    assert (few.eval.on, few.sets.n) == ("cross-validated", 18)


def test_second_run_comes_from_the_cache(request_for, tmp_path):
    """Nothing is embedded twice, and the result is the same to the bit."""
    first = request_for()
    train(first)
    second = replace(first, folder=tmp_path / "second")
    assert train(second).images_per_second is None
    assert model_bytes(first.folder) == model_bytes(second.folder)


def test_order_changes_nothing(request_for, tmp_path):
    """Examples and pool in another order give the same model."""
    request = request_for()
    train(request)
    turned = {"examples": request.examples[::-1], "pool": request.pool[::-1]}
    assert head_without(request, tmp_path, "turned", **turned) == model_bytes(request.folder)


@pytest.mark.parametrize("use", ["evaluate", "certify"])
def test_kept_back_labels_never_reach_training(request_for, images, tmp_path, use):
    """Labels to certify or evaluate by may say anything: the model does not change."""
    uses = {i.item_id: "train" if i.item_id <= 24 else use for i, _ in images}
    request = request_for(uses)
    train(request)
    lies = tuple(replace(e, label="red") if e.use == use else e for e in request.examples)
    assert head_without(request, tmp_path, "lies", examples=lies) == model_bytes(request.folder)


@pytest.mark.parametrize("how", ["evaluate", "certify", "held out"])
def test_kept_back_images_do_not_help_unlabelled_either(request_for, images, tmp_path, how):
    """An image kept back might as well not be there, even as an unlabelled one."""
    uses = {i.item_id: "train" for i, _ in images[:24]}
    kept = {i.item_id for i, _ in images[36:]}
    request = request_for(uses)
    gone = replace(request, pool=tuple(i for i in request.pool if i.item_id not in kept))
    if how == "held out":
        changes = {"held_out": frozenset(kept)}
    else:
        extra = tuple(Example(i, c, how) for i, c in images[36:])
        changes = {"examples": request.examples + extra}
    without = head_without(gone, tmp_path, "gone")
    assert head_without(request, tmp_path, "kept", **changes) == without
    assert head_without(request, tmp_path, "all") != without


def test_held_out_item_with_a_training_label_is_not_learnt_from(request_for, images):
    """Being held out is stronger than a label's use."""
    report = train(request_for(held_out=frozenset({1, 2, 3})))
    assert report.n_train == 21


def test_evaluation_uses_evaluate_items_when_there_are_enough(request_for, images):
    """Thirty labelled evaluate items are judged by; their confusion table adds up."""
    uses = {i.item_id: "train" if i.item_id <= 18 else "evaluate" for i, _ in images}
    report = train(request_for(uses))
    assert (report.eval.on, report.eval.n) == ("evaluate", 30)
    assert sum(map(sum, report.confusion)) == 30
    assert sum(r.n for r in report.per_class) == 30
    right = sum(report.confusion[i][i] for i in range(3))
    assert report.eval.accuracy == pytest.approx(right / 30)


def test_unreadable_image_is_skipped_and_named(request_for, images, tmp_path):
    """A damaged image is reported and has no prediction; the run goes on."""
    (tmp_path / "broken.png").write_bytes(b"nothing")
    broken = ref(99, tmp_path / "broken.png")
    request = request_for(pool=(*(i for i, _ in images), broken))
    report = train(replace(request, examples=(*request.examples, Example(broken, "red", "train"))))
    assert list(report.skipped) == [99]
    assert "broken.png" in report.skipped[99]
    assert 99 not in read_predictions(request.folder).item_ids
    assert report.n_train == 24


@pytest.mark.parametrize("labels", [(), ("red",)], ids=["none", "one class"])
def test_too_few_classes_is_said_at_once(request_for, images, labels):
    """Without two classes nothing is embedded and a sentence says what to do."""
    examples = tuple(Example(i, c, "train") for i, c in images if c in labels)
    with pytest.raises(EmptyTrainingSet, match="At least 2 classes") as e:
        train(request_for(examples=examples))
    assert "Label some items" in e.value.advice


def test_unknown_class_mode_and_backbone_are_refused(request_for, images):
    """Each wrong setting is named."""
    with pytest.raises(TrainingError, match="purple"):
        train(request_for(examples=(Example(images[0][0], "purple", "train"),)))
    with pytest.raises(TrainingError, match="magic"):
        train(request_for(mode="magic"))
    with pytest.raises(InputError, match="no_such_net"):
        train(request_for(backbone="no_such_net"))


def test_cancelled_run_leaves_no_model_and_keeps_its_work(request_for, tmp_path):
    """Stopping takes effect between batches; what was embedded serves the next run."""
    request = request_for(cache=tmp_path / "cache")
    asked = []

    def after_two() -> bool:
        asked.append(1)
        return len(asked) >= 2

    assert train(request, should_stop=after_two).status == "cancelled"
    with pytest.raises(BadCheckpoint, match="no finished model"):
        predict(request.folder, [], request.cache)
    backbone = pretrained(BACKBONE, True, request.weights)
    found = embed(request.pool[:8], backbone, request.cache, no_progress, never_stop)
    assert found.images_per_second is None


def test_prediction_can_be_stopped(request_for, tmp_path, images):
    """A long prediction ends when asked."""
    request = request_for()
    train(request)
    with pytest.raises(StopRequested):
        predict(request.folder, [i for i, _ in images], tmp_path / "new", should_stop=lambda: True)


def test_only_the_first_process_writes(request_for, monkeypatch):
    """Of several processes that torchrun starts, the others stand by."""
    monkeypatch.setenv("RANK", "1")
    request = request_for()
    assert train(request).status == "helper"
    assert not request.folder.exists()


def test_embeddings_are_read_without_torch(request_for, images, cache):
    """Others get the vectors a model stands on, unit length, in the order they ask."""
    request = request_for()
    train(request)
    hashes = [images[5][0].content_hash, "unknown", images[2][0].content_hash]
    vectors, found = read_embeddings(request.folder, cache, hashes)
    assert found.tolist() == [True, False, True]
    lengths = np.linalg.norm(vectors[found].astype(np.float32), axis=1)
    assert np.allclose(lengths, 1, atol=1e-2)


def damage_model(folder) -> None:
    data = bytearray(model_bytes(folder))
    data[-5] ^= 1
    (folder / "model.safetensors").write_bytes(data)


def damage_config(folder) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"classes": ["a", "b", "c"]}))


def remove_manifest(folder) -> None:
    (folder / "manifest.json").unlink()


def remove_model(folder) -> None:
    (folder / "model.safetensors").unlink()


def break_manifest(folder) -> None:
    (folder / "manifest.json").write_text("{")


@pytest.mark.parametrize(
    "damage",
    [damage_model, damage_config, remove_manifest, remove_model, break_manifest],
    ids=lambda f: f.__name__,
)
def test_changed_model_is_refused(request_for, images, cache, damage):
    """A model whose files differ from its manifest is not served."""
    request = request_for()
    train(request)
    damage(request.folder)
    with pytest.raises(BadCheckpoint):
        predict(request.folder, [images[0][0]], cache)


def test_model_with_nan_is_refused_even_with_a_fitting_manifest(request_for, images, cache):
    """A head that holds NaN is not served, whoever signed it."""
    request = request_for()
    train(request)
    path = request.folder / "model.safetensors"
    tensors = load_file(path)
    tensors["head.bias"][0] = np.nan
    save_file(tensors, path)
    manifest = json.loads((request.folder / "manifest.json").read_text())
    import hashlib

    manifest["sha256"]["model.safetensors"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (request.folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BadCheckpoint, match="NaN"):
        predict(request.folder, [images[0][0]], cache)


def test_model_on_other_weights_is_refused(request_for, images, cache, weights):
    """A model is not served on a backbone it was not trained on."""
    other = weights.with_name("other.pth")
    state = torch.load(weights, weights_only=True)
    torch.save({k: v + 0.01 if v.is_floating_point() else v for k, v in state.items()}, other)
    request = request_for(weights=other)
    train(request)
    other.write_bytes(weights.read_bytes())
    with pytest.raises(BadCheckpoint, match="other weights"):
        predict(request.folder, [images[0][0]], cache)


def test_predictions_damaged_or_missing_are_named(tmp_path):
    """The reader says which run's predictions cannot be read."""
    (tmp_path / "predictions.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(BadCheckpoint, match=tmp_path.name):
        read_predictions(tmp_path)


class Greedy(torch.nn.Module):
    """Runs out of memory above a batch size."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def forward(self, pixels):
        """Return the mean colour."""
        if len(pixels) > self.limit:
            raise torch.OutOfMemoryError("out of memory")
        return pixels.float().mean((2, 3))


@pytest.mark.parametrize(("limit", "ends"), [(3, False), (0, True)])
def test_batch_is_halved_when_memory_runs_out(weights, limit, ends):
    """Smaller batches give the same vectors; only where one image is too much does it fail."""
    runner = Runner(pretrained(BACKBONE, True, weights), torch.device("cpu"))
    runner._extractor = Greedy(limit)
    pixels = torch.randint(255, (8, 3, 4, 4), dtype=torch.uint8)
    if ends:
        with pytest.raises(OutOfMemory, match="single image"):
            runner(pixels)
    else:
        assert np.allclose(runner(pixels), pixels.float().mean((2, 3)), rtol=1e-2)
        assert runner.largest == 2


@pytest.mark.slow
def test_without_weights_a_small_network_is_taught(request_for, images, tmp_path, monkeypatch):
    """Offline with nothing cached, the run still ends with a model, and says what it cost."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "empty"))
    monkeypatch.setattr("core.learning.selftrained._STEPS", 6)
    request = request_for(weights=None, cache=tmp_path / "cache")
    report = train(request)
    assert report.weights == "self-trained"
    assert "No pretrained weights" in report.notice
    served = predict(request.folder, [i for i, _ in images], tmp_path / "elsewhere")
    assert served.probabilities.shape == (48, len(CLASSES))
    again = train(replace(request, folder=tmp_path / "again"))
    assert again.weights_hash == report.weights_hash
    assert again.images_per_second is None


def test_unreachable_server_falls_back_quickly(request_for, tmp_path, monkeypatch):
    """Where no download succeeds, the run goes on without within seconds."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "empty"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert pretrained("mobilenet_v2", offline=False) is None


@pytest.mark.slow
def test_killed_run_leaves_no_half_model(request_for, images, cache, tmp_path, weights):
    """A process killed while it saves leaves either no model or a whole one."""
    folder = tmp_path / "killed"
    code = f"""
import os, signal
from pathlib import Path
import core.learning.model_store as store
from tests.learning.conftest import CLASSES, make_image, ref
from core.learning import Example, TrainingRequest, train
write = store.write_durably
def dying(path, data):
    if path.name == "predictions.parquet":
        os.kill(os.getpid(), signal.SIGKILL)
    write(path, data)
store.write_durably = dying
files = [make_image(Path({str(tmp_path)!r}) / f"{{i}}.png", CLASSES[i % 3], i) for i in range(9)]
images = [ref(i, f) for i, f in enumerate(files)]
examples = tuple(Example(r, CLASSES[i % 3], "train") for i, r in enumerate(images))
train(TrainingRequest(CLASSES, examples, tuple(images), {BACKBONE!r}, 0, Path({str(folder)!r}),
      Path({str(cache)!r}), weights=Path({str(weights)!r}), offline=True))
"""
    ended = subprocess.run([sys.executable, "-c", code], check=False, env=dict(os.environ))
    assert ended.returncode == -9
    assert (folder / "model.safetensors").exists()
    with pytest.raises(BadCheckpoint, match="no finished model"):
        predict(folder, [images[0][0]], cache)
    train(request_for(folder=folder))
    assert len(predict(folder, [images[0][0]], cache).item_ids) == 1


def test_same_picture_in_another_file_is_not_embedded_again(request_for, images, tmp_path):
    """The cache goes by content, not by item or path."""
    request = request_for()
    train(request)
    copy = make_image(tmp_path / "copy.png", images[0][1], 0)
    assert ref(500, copy).content_hash == images[0][0].content_hash
    changed = replace(request, pool=(*request.pool, ref(500, copy)), folder=tmp_path / "b")
    assert train(changed).images_per_second is None
