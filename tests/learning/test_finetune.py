"""The training loop: it learns, resumes to the bit, and survives what goes wrong in between (F18–F21, F25)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import BadCheckpoint, OutOfMemory, TrainingError
from core.learning import StopRequested
from core.learning.backbones import Backbone
from core.learning.group import Group
from core.learning.pixels import Pixels
from core.learning.progress_file import METRICS, read_metrics
from core.learning.recipes import NAMED, Recipe
from core.learning.selftrained import TinyNet
from core.learning.states import INDEX, newest_state
from core.learning.step_probe import Precision
from core.learning.tune import step
from core.learning.tune.loop import TrainLoop
from core.learning.tune.network import Tunable
from core.learning.tune.values import Lesson, TuneSettings
from core.learning.values import ImageRef
from tests.learning.conftest import CLASSES, make_image, ref

CPU = torch.device("cpu")
QUICK = TuneSettings(
    size=32, batch=8, epochs=3, rate=1e-3, seed=4, recipe=NAMED["light"], checkpoint_seconds=0.0
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Use one thread: several of them wait for one another on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def small_backbone() -> Backbone:
    """Return an untaught tiny network; always the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Backbone("tiny", TinyNet().eval(), "self-trained", "0" * 64, 32)


def lesson_of(codes: list[int], judged: int = 12, several: bool = False) -> Lesson:
    """Return one-hot targets; the last rows are held out."""
    n = len(codes)
    targets = np.eye(3, dtype=np.float32)[codes]
    rows = np.arange(n)
    return Lesson(targets, np.ones(n, np.float32), rows[: n - judged], rows[n - judged :], several)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> tuple[list[ImageRef], list[int]]:
    """Give 36 tinted images and their classes."""
    folder = tmp_path_factory.mktemp("drawn")
    codes = [i % 3 for i in range(36)]
    return [
        ref(i, make_image(folder / f"{i}.png", CLASSES[c], i)) for i, c in enumerate(codes)
    ], codes


def loop_over(drawn, folder: Path | None, settings: TuneSettings = QUICK, **more) -> TrainLoop:
    """Return a loop over the drawn images."""
    images, codes = drawn
    lesson = more.pop("lesson", lesson_of(codes))
    # What is fastest is timed once for all these tests: another choice would mean other bits.
    settings = replace(settings, cache=images[0].path.parent / "cache")
    return TrainLoop(
        small_backbone(), Pixels(images, 36), lesson, settings, Group(), CPU, folder, **more
    )


def same(one, other) -> bool:
    """Say whether two results are equal to the bit."""
    return (
        np.array_equal(one.head_weight, other.head_weight)
        and np.array_equal(one.judged_scores, other.judged_scores)
        and all(torch.equal(v, other.network[k]) for k, v in one.network.items())
    )


def test_it_learns_and_writes_what_it_saw(drawn, tmp_path):
    """An easy task is learnt; the figures file has a line a judging with the device's name."""
    seen = []
    tuned = loop_over(drawn, tmp_path, progress=seen.append).run()
    assert tuned.standing.score[0] > 0.9
    assert tuned.standing.step == 9
    lines = read_metrics(tmp_path)
    assert [m["step"] for m in lines] == [3, 6, 9]
    assert all(m["name"] for m in lines)
    assert {"loss", "images_per_second", "epoch"} <= set(seen[-1].metrics)
    assert seen[-1].seconds_left == 0


def test_same_seed_same_network(drawn):
    """Two runs agree to the bit; another seed does not."""
    first = loop_over(drawn, None).run()
    assert same(first, loop_over(drawn, None).run())
    other = replace(QUICK, seed=5)
    assert not same(first, loop_over(drawn, None, other).run())


def test_resumed_run_equals_the_uninterrupted_one(drawn, tmp_path):
    """Stopped in the middle of an epoch and resumed in a new process's stead: the same bits."""
    whole = loop_over(drawn, tmp_path / "whole").run()
    asked = iter([False] * 5 + [True] * 99)
    with pytest.raises(StopRequested):
        loop_over(drawn, tmp_path / "cut", should_stop=lambda: next(asked)).run()
    assert newest_state(tmp_path / "cut").step == 5
    resumed = loop_over(drawn, tmp_path / "cut").run(resume=True)
    assert same(whole, resumed)
    assert [m["step"] for m in read_metrics(tmp_path / "cut")] == [3, 6, 9]


KILLED = """
    import os, signal, sys, torch
    torch.set_num_threads(1)
    from pathlib import Path
    from tests.learning import test_finetune as t
    from core.learning import states
    write, count = states.write_durably, [0]
    def killing(path, data):
        count[0] += 1
        if count[0] == {at}:
            if {half}:
                (path.parent / path.name).with_name("." + path.name + ".tmp").write_bytes(bytes(data)[:99])
            os.kill(os.getpid(), signal.SIGKILL)
        write(path, data)
    states.write_durably = killing
    codes = [i % 3 for i in range(36)]
    images = [t.ref(i, Path(sys.argv[1]) / f"{{i}}.png") for i in range(36)]
    t.loop_over((images, codes), Path(sys.argv[2])).run()
"""


def test_killed_in_a_checkpoint_the_one_before_stands(drawn, tmp_path):
    """SIGKILL while a checkpoint is written: the one before is whole, and resuming gives the same bits (F18, F19)."""
    code = textwrap.dedent(KILLED.format(at=14, half=True))
    folder = drawn[0][0].path.parent
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), str(tmp_path / "run")],
        check=False, cwd=Path(__file__).resolve().parents[2], capture_output=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-800:]
    kept = newest_state(tmp_path / "run")
    assert kept is not None
    assert kept.step == 3
    resumed = loop_over(drawn, tmp_path / "run").run(resume=True)
    assert same(loop_over(drawn, None).run(), resumed)


def test_a_damaged_checkpoint_gives_way_to_the_one_before(drawn, tmp_path):
    """A changed file is noticed by its hash; with both damaged resuming is refused."""
    loop_over(drawn, tmp_path).run()
    entries = json.loads((tmp_path / INDEX).read_text())
    assert len(entries) == 2
    for entry, expected in ((entries[0], entries[1]["step"]), (entries[1], None)):
        name = next(iter(entry["files"]))
        data = bytearray((tmp_path / name).read_bytes())
        data[-1] ^= 1
        (tmp_path / name).write_bytes(data)
        if expected is not None:
            assert newest_state(tmp_path).step == expected
    with pytest.raises(BadCheckpoint, match="Every checkpoint"):
        newest_state(tmp_path)


def test_memory_that_runs_out_halves_the_batch_and_says_so(drawn, tmp_path, monkeypatch):
    """Injected: above two images at once memory lacks; the run goes on with two and tells (F20)."""
    forward = Tunable.forward

    def scarce(self, x):
        if len(x) > 2 and self.training:
            raise torch.OutOfMemoryError("CUDA out of memory (injected)")
        return forward(self, x)

    monkeypatch.setattr(Tunable, "forward", scarce)
    tuned = loop_over(drawn, tmp_path).run()
    assert tuned.standing.at_once == 2
    assert [s.split(";")[1] for s in tuned.standing.halved] == [
        " went on with 4.",
        " went on with 2.",
    ]
    monkeypatch.undo()
    plain = loop_over(drawn, None).run()
    assert np.allclose(plain.head_weight, tuned.head_weight, atol=0.05)


def test_no_memory_for_one_image_is_said(drawn, monkeypatch):
    """Where nothing fits there is a sentence and advice, not a crash (F20)."""

    def none(self, x):
        if self.training:
            raise torch.OutOfMemoryError("CUDA out of memory (injected)")
        return torch.zeros(len(x), 3)

    loop = loop_over(drawn, None)
    monkeypatch.setattr(Tunable, "forward", none)
    monkeypatch.setattr(TrainLoop, "_time_steps", lambda self: (Precision(), 0.0))
    with pytest.raises(OutOfMemory, match="no memory left for a single image"):
        loop.run()


def poisoned(monkeypatch, after: int) -> None:
    """Let the loss be NaN from a step on."""
    losses, seen = step.row_losses, [0]

    def broken(scores, targets, several):
        seen[0] += scores.requires_grad and len(scores) == 8
        found = losses(scores, targets, several)
        return found * float("nan") if scores.requires_grad and seen[0] > after else found

    monkeypatch.setattr(step, "row_losses", broken)
    monkeypatch.setattr(TrainLoop, "_time_steps", lambda self: (Precision(), 0.0))
    monkeypatch.setattr(TrainLoop, "_warm_up", lambda self: None)


def test_nan_stops_and_keeps_the_best(drawn, tmp_path, monkeypatch):
    """The loss becomes NaN after the second judging: what was best until then is the result (F25)."""
    poisoned(monkeypatch, 7)
    tuned = loop_over(drawn, tmp_path).run()
    assert tuned.standing.stopped == "nan"
    assert tuned.standing.best_step in (3, 6)
    assert all(torch.isfinite(v).all() for v in tuned.network.values())
    assert np.isfinite(tuned.judged_scores).all()


def test_nan_at_once_is_an_error(drawn, monkeypatch):
    """With nothing learnt yet there is nothing to keep, and a sentence says what to do (F25)."""
    poisoned(monkeypatch, 0)
    with pytest.raises(TrainingError, match="NaN at step 1") as e:
        loop_over(drawn, None).run()
    assert "learning rate" in e.value.advice


def test_a_device_that_vanishes_leaves_the_checkpoint(drawn, tmp_path, monkeypatch):
    """A CUDA error mid-run names the step; the checkpoint before resumes on what is left (F21)."""
    backward, seen = step.Stepper._backward, [0]

    def lost(self, *args):
        seen[0] += 1
        if seen[0] == 5:
            raise RuntimeError("CUDA error: device lost")
        return backward(self, *args)

    monkeypatch.setattr(step.Stepper, "_backward", lost)
    with pytest.raises(TrainingError, match="went away at step 5") as e:
        loop_over(drawn, tmp_path).run()
    assert "CPU" in e.value.advice
    monkeypatch.undo()
    assert same(loop_over(drawn, tmp_path).run(resume=True), loop_over(drawn, None).run())


def test_a_budget_plans_fewer_epochs(drawn, monkeypatch):
    """At a second a step, four seconds hold one epoch of three steps; the plan says so beforehand."""
    monkeypatch.setattr(TrainLoop, "_time_steps", lambda self: (Precision(), 1.0))
    settings = replace(QUICK, seconds=4.0)
    assert loop_over(drawn, None, settings).run().standing.epochs == 1


def test_several_labels_an_image(drawn):
    """Each label is decided for itself by a sigmoid: two that always go together are both found."""
    codes = drawn[1]
    targets = np.zeros((36, 3), np.float32)
    for row, code in enumerate(codes):
        targets[row, code] = 1
        targets[row, 2] = 1.0  # on every image
    lesson = Lesson(targets, np.ones(36, np.float32), np.arange(24), np.arange(24, 36), True)
    tuned = loop_over(drawn, None, replace(QUICK, epochs=8), lesson=lesson).run()
    said = tuned.judged_scores > 0
    assert (said == (targets[24:] > 0.5)).mean() > 0.9


@pytest.mark.parametrize("balance", ["over", "under", "loss"])
def test_balance_helps_the_rare_class(drawn, balance):
    """Whichever way classes are balanced, a run with few of one class ends well."""
    codes = drawn[1]
    rare = [i for i in range(24) if codes[i] != 2 or i < 8]
    lesson = lesson_of(codes)
    lesson = Lesson(lesson.targets, lesson.weight, np.array(rare), lesson.judged)
    settings = replace(QUICK, recipe=Recipe(balance=balance))
    tuned = loop_over(drawn, None, settings, lesson=lesson).run()
    assert tuned.standing.score[0] > 0.6


def test_metrics_survive_a_torn_line(tmp_path):
    """A line cut short by a crash is passed over."""
    (tmp_path / METRICS).write_text('{"step": 1}\n{"ste')
    assert read_metrics(tmp_path) == [{"step": 1}]
    assert read_metrics(tmp_path / "nowhere") == []
