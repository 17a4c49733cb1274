"""Two CPU processes under torchrun make of a run what one makes."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import distributed

from core.errors import WorkerDied
from core.learning.group import Group, open_group
from core.learning.step_probe import Precision
from tests.learning import test_finetune as one
from tests.learning.conftest import CLASSES, make_image, ref

SHARED = """
    import sys
    from dataclasses import replace
    from pathlib import Path
    import numpy as np, torch
    torch.set_num_threads(1)
    from core.learning.group import open_group
    from core.learning.pixels import Pixels
    from core.learning.recipes import NAMED
    from core.learning.step_probe import Precision
    from core.learning.tune.loop import TrainLoop
    from tests.learning import test_finetune as one
    TrainLoop._time_steps = lambda self: (Precision(), 0.0)
    folder = Path(sys.argv[1])
    images = [one.ref(i, folder / f"{i}.png") for i in range(36)]
    group = open_group()
    settings = replace(one.QUICK, recipe=NAMED["strong"])
    lesson = one.lesson_of([i % 3 for i in range(36)])
    loop = TrainLoop(one.small_backbone(), Pixels(images, 36), lesson, settings, group,
                     torch.device("cpu"), folder / "run")
    tuned = loop.run()
    if group.leads:
        np.savez(folder / "two.npz", head=tuned.head_weight, scores=tuned.judged_scores,
                 first=tuned.network["features.0.0.weight"].numpy(), score=tuned.standing.score)
    group.close()
"""


@pytest.mark.slow
def test_two_processes_equal_one_within_noise(tmp_path, monkeypatch):
    """Same seed, mixing of pairs included: weights, scores and metrics agree but for rounding."""
    for i in range(36):
        make_image(tmp_path / f"{i}.png", CLASSES[i % 3], i)
    script = tmp_path / "shared.py"
    script.write_text(textwrap.dedent(SHARED))
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
         str(script), str(tmp_path)],
        check=False, cwd=root, capture_output=True, timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    two = np.load(tmp_path / "two.npz")
    monkeypatch.setattr(one.TrainLoop, "_time_steps", lambda self: (Precision(), 0.0))
    drawn = [ref(i, tmp_path / f"{i}.png") for i in range(36)], [i % 3 for i in range(36)]
    settings = one.replace(one.QUICK, recipe=one.NAMED["strong"])
    alone = one.loop_over(drawn, None, settings).run()
    assert two["score"][0] == alone.standing.score[0]
    assert two["score"][1] == pytest.approx(alone.standing.score[1], abs=1e-2)
    assert np.allclose(two["scores"], alone.judged_scores, atol=0.05)
    assert np.allclose(two["first"], alone.network["features.0.0.weight"].numpy(), atol=2e-3)


def test_alone_nothing_is_shared():
    """A group of one says and sums what it has; parts cover all rows once."""
    group = open_group()
    assert (group.rank, group.world, group.leads) == (0, 1, True)
    assert group.told({"a": 1}) == {"a": 1}
    assert group.total(torch.ones(2)).tolist() == [1, 1]
    rows = np.arange(11)
    parts = [rows[Group(r, 3).part(11)] for r in range(3)]
    assert np.concatenate(parts).tolist() == rows.tolist()


class Silence:
    """An exchange in which the other process does not take part."""

    def __init__(self, words: str) -> None:
        self.words = words

    def wait(self, patience: object) -> None:
        """Fail as gloo does."""
        raise RuntimeError(self.words)


@pytest.mark.parametrize("words", ["Operation timed out!", "Connection closed by peer [::1]:1"])
def test_a_process_that_hangs_or_died_ends_the_step(monkeypatch, words):
    """The leader does not wait for hours: one sentence, and the checkpoint is there to resume (F22)."""
    monkeypatch.setattr(distributed, "all_reduce", lambda tensor, async_op: Silence(words))
    with pytest.raises(WorkerDied, match="One of the 2 processes"):
        Group(0, 2).total(torch.ones(2))


def test_another_fault_of_an_exchange_stays_what_it_is(monkeypatch):
    """Only silence is told as silence."""
    monkeypatch.setattr(distributed, "all_reduce", lambda tensor, async_op: Silence("bad shape"))
    with pytest.raises(RuntimeError, match="bad shape"):
        Group(0, 2).total(torch.ones(2))
