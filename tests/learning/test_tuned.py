"""Fine-tuning and Noisy Student end to end: trained, judged, stored, resumed and served."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import BadCheckpoint, InputError
from core.learning import Example, predict, train
from core.learning.model_store import load_model
from core.learning.progress_file import read_metrics
from core.learning.reader import read_predictions
from core.learning.recipes import NAMED
from core.learning.states import newest_state
from core.learning.tune import search
from core.learning.tune.run import TunedRun
from core.learning.tune.student import taught
from tests.learning.test_finetune import lesson_of

TINY = {
    "mode": "fine-tune", "size": 32, "weights": None, "backbone": "mobilenet_v2",
    "self_training_seconds": 1.0, "recipe": NAMED["light"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread(monkeypatch, tmp_path_factory) -> Iterator[None]:
    """Use one thread, and no weights of this machine: the tiny network is taught here."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path_factory.mktemp("empty")))
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def few_steps(monkeypatch, epochs: int = 4) -> None:
    """Let runs be short."""
    settings = TunedRun._settings
    monkeypatch.setattr(
        TunedRun, "_settings",
        lambda self, device: replace(settings(self, device), epochs=epochs, batch=8, checkpoint_seconds=0),
    )  # fmt: skip


def test_fine_tuned_model_is_judged_stored_and_served(request_for, images, cache, monkeypatch):
    """A network is taught; serving says what was recorded; what was learnt from has no row."""
    few_steps(monkeypatch)
    uses = {i.item_id: "train" if i.item_id <= 18 else "evaluate" for i, _ in images}
    request = request_for(uses, **TINY)
    seen = []
    report = train(request, seen.append)
    assert (report.status, report.mode, report.weights) == ("done", "fine-tune", "fine-tuned")
    assert (report.eval.on, report.eval.n, report.n_train) == ("evaluate", 30, 18)
    assert report.eval.accuracy > 0.8
    assert report.device_facts["name"]
    assert "own images" in report.notice
    assert "not calibrated" in report.notice
    assert {"warm-up", "fine-tune", "embed", "save"} <= {p.phase for p in seen}
    recorded = read_predictions(request.folder)
    assert recorded.item_ids.tolist() == list(range(19, 49))
    served = predict(request.folder, [i for i, _ in images], cache)
    assert np.allclose(served.probabilities[18:], recorded.probabilities, atol=1e-5)
    assert newest_state(request.folder / "run") is None
    assert read_metrics(request.folder / "run")


def test_labels_kept_from_the_loop_judge_and_calibrate(request_for, monkeypatch):
    """With enough labels some are held out: the temperature and the accuracy are theirs."""
    few_steps(monkeypatch)
    report = train(request_for(**TINY))
    assert report.eval.on == "held-out"
    assert (report.n_train, report.eval.n) == (21, 3)
    assert report.temperature != 1.0


def test_kept_back_labels_never_reach_fine_tuning(request_for, images, tmp_path, monkeypatch):
    """Labels to certify by may say anything: the same network comes out, for students too."""
    few_steps(monkeypatch, 1)
    uses = {i.item_id: "train" if i.item_id <= 18 else "certify" for i, _ in images}
    for mode in ("fine-tune", "student"):
        request = request_for(uses, **{**TINY, "mode": mode, "folder": tmp_path / mode})
        train(request)
        lies = tuple(replace(e, label="red") if e.use == "certify" else e for e in request.examples)
        train(replace(request, examples=lies, folder=tmp_path / f"{mode}-lies"))
        first, second = (
            (tmp_path / name / "model.safetensors").read_bytes() for name in (mode, f"{mode}-lies")
        )
        assert first == second


def test_students_learn_from_what_the_teacher_is_sure_of(request_for, monkeypatch):
    """Unlabelled images join; each round says how many and whether the student was kept."""
    few_steps(monkeypatch, 2)
    report = train(request_for(**{**TINY, "mode": "student"}))
    assert [r["round"] for r in report.rounds] == [1, 2]
    assert report.mode == "student"
    assert report.eval.accuracy is not None


def test_pseudo_labels_leave_judged_rows_and_doubt_alone():
    """Only rows that are free and sure are taken, no class far above the others; labels stay."""
    lesson = lesson_of([0, 1, 2] * 4, judged=3)
    free = np.arange(9, 12)
    wide = lesson_of([0, 1, 2] * 10, judged=3)
    said = np.array([[0.9, 0.05, 0.05], [0.4, 0.3, 0.3], [0.02, 0.03, 0.95]])
    found = taught(wide, free, said)
    assert found.taken.tolist() == [9, 11]
    assert np.allclose(found.lesson.targets[[9, 11]], said[[0, 2]])
    assert np.array_equal(found.lesson.judged, wide.judged)
    assert np.array_equal(found.lesson.targets[:9], wide.targets[:9])
    assert found.by_class.tolist() == [1, 0, 1]
    nothing = taught(lesson, free[:0], said[:0])
    assert np.array_equal(nothing.lesson.learnt, lesson.learnt)


def test_resume_goes_on_and_refuses_another_run(request_for, tmp_path, monkeypatch):
    """A stopped run ends as if it had not been stopped; with other labels it is refused by name."""
    few_steps(monkeypatch, 2)
    whole = request_for(**{**TINY, "folder": tmp_path / "whole"})
    train(whole)
    cut = replace(whole, folder=tmp_path / "cut")
    steps = []
    stop = lambda: len(steps) >= 3  # noqa: E731
    report = train(cut, lambda p: steps.append(p) if p.phase == "fine-tune" else None, stop)
    assert report.status == "cancelled"
    assert newest_state(cut.folder / "run").step >= 3
    other = replace(cut, examples=cut.examples[1:], resume=True)
    with pytest.raises(InputError, match="differs in its labels"):
        train(other)
    with pytest.raises(InputError, match="recipe"):
        train(replace(cut, recipe=NAMED["none"], resume=True))
    assert train(replace(cut, resume=True)).status == "done"
    models = [(f.folder / "model.safetensors").read_bytes() for f in (whole, cut)]
    assert models[0] == models[1]


def test_search_stays_in_its_time_and_tells_its_trials(request_for, monkeypatch):
    """Several settings are tried by halves; the best is used and all are reported."""
    few_steps(monkeypatch, 1)
    timed = search._timed
    monkeypatch.setattr(search, "_timed", lambda *given: (timed(*given)[0], 0.1))
    report = train(request_for(**{**TINY, "search_seconds": 22.0}))
    assert [round(t["steps"] / report.search[0]["steps"]) for t in report.search] == (
        [1] * 6 + [2] * 3 + [4] * 2
    )
    assert {"rate", "decay", "strength", "loss"} <= set(report.search[0])


def test_several_labels_an_image(request_for, images, cache, monkeypatch):
    """Sets of labels are learnt, judged as sets and served with their own probabilities."""
    few_steps(monkeypatch, 8)
    examples = tuple(
        Example(i, c, "train" if i.item_id <= 18 else "evaluate", tuple(sorted({c, "green"})))
        for i, c in images
    )
    request = request_for(**{**TINY, "examples": examples, "several": True})
    report = train(request)
    assert (report.eval.on, report.eval.n) == ("evaluate", 30)
    assert report.per_class[1].accuracy > 0.8
    assert load_model(request.folder).head.several
    served = predict(request.folder, [i for i, _ in images[:6]], cache)
    assert served.probabilities.sum(1).max() > 1.1
    assert all("green" in labels for labels in served.chosen)
    assert report.sets.n == 30
    assert report.sets.low <= report.sets.mean_ap <= report.sets.high


def test_weights_of_another_network_are_refused(request_for, weights):
    """A file for another architecture is named and nothing is trained (B96)."""
    with pytest.raises(BadCheckpoint, match="does not fit the network"):
        train(request_for(**{**TINY, "weights": weights, "backbone": "resnet18"}))


def test_stop_is_heard_in_every_phase(request_for, monkeypatch):
    """Cancelled while the last layer is fitted: no model, no error."""
    few_steps(monkeypatch, 1)
    request = request_for(**TINY)
    assert train(request, should_stop=lambda: True).status == "cancelled"
    assert not (request.folder / "manifest.json").exists()
