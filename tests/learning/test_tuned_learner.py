"""Campaigns whose models are whole networks: pixels in, one seed one campaign, and a stop that is heard."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from core.learning import ImageRef, Progress, StopRequested
from core.learning.backbones import Backbone
from core.learning.loop import LoopSettings, fine_tuned, labels_of
from core.learning.tiny import NAME, TinyNet
from core.learning.tuned_learner import (
    Effort,
    Schooling,
    TunedLearner,
    pixels_for,
    work_of,
)

HOW = Schooling(size=32, batch=16, first=2, later=1)
SHADES = (40, 200)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Let so small a network run in one thread: two wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[ImageRef]:
    """Give 60 noisy images, dark and bright in turn."""
    folder, rng = tmp_path_factory.mktemp("shades"), np.random.default_rng(0)
    for i in range(60):
        pixels = rng.integers(0, 50, (16, 16, 3)) + SHADES[i % 2]
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{i}.png")
    return [ImageRef(i, str(i), folder / f"{i}.png") for i in range(60)]


def network() -> Backbone:
    """Return a small network with weights by a seed."""
    torch.manual_seed(1)
    return Backbone(NAME, TinyNet().eval(), "self-trained", "0", 32)


def taught(images: list[ImageRef], heard: list[Progress], stop: bool = False) -> np.ndarray:
    """Teach twice, the second time with more labels; return what is said of every row."""
    pixels = pixels_for(images, HOW)
    effort = Effort(work_of([20, 40], len(images), HOW), heard.append)
    cache = images[0].path.parent / "cache"
    learner = TunedLearner(pixels, 2, network(), HOW, effort, lambda: stop, cache)
    try:
        learner(np.arange(20), np.arange(20) % 2, np.arange(40, 60), 3)
        return learner(np.arange(40), np.arange(40) % 2, np.arange(40, 60), 3)
    finally:
        pixels.close()


def test_a_network_learns_and_the_same_seed_says_the_same(images: list[ImageRef]) -> None:
    """Two lessons tell dark from bright; work is told to its end."""
    heard: list[Progress] = []
    said = taught(images, heard)
    assert said.shape == (60, 2)
    assert np.allclose(said.sum(1), 1, atol=1e-5)
    assert (said[40:].argmax(1) == np.arange(40, 60) % 2).mean() > 0.9
    assert (taught(images, []) == said).all()
    assert heard[-1].phase == "campaigns"
    assert [h.done for h in heard] == sorted(h.done for h in heard)
    assert heard[-1].done >= 0.9 * heard[-1].total
    assert heard[-1].seconds_left is not None


def test_a_stop_is_heard_within_a_step(images: list[ImageRef]) -> None:
    """Whoever is tired of waiting need not wait for the end of a lesson."""
    with pytest.raises(StopRequested):
        taught(images, [], stop=True)


def test_work_is_what_the_lessons_take() -> None:
    """A campaign on 10,000 items teaches its network on three tenths of them, less what is held back."""
    assert labels_of(fine_tuned(LoopSettings(), 10_000), 10_000) == 3_000
    assert work_of([100], 1_000, HOW) == pytest.approx(3 * 90 * 2 + 2 * 900)
