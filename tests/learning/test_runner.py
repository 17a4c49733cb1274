"""The fastest form of a network: chosen only where its vectors agree."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torchvision import models

from core.learning import runner as module
from core.learning.backbones import Backbone, extractor_of, pretrained
from core.learning.embed import cache_key, embed
from core.learning.runner import Runner
from core.learning.values import never_stop, no_progress
from tests.learning.conftest import BACKBONE


@pytest.fixture(scope="module")
def small() -> Backbone:
    """Give an untaught torchvision network."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = models.get_model("mobilenet_v2").eval()
    return Backbone("mobilenet_v2", network, "pretrained", "0" * 64, 64)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Use one thread, as embedding does: several wait for one another on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def sample() -> torch.Tensor:
    """Return random pixels."""
    return torch.randint(256, (4, 3, 64, 64), generator=torch.Generator().manual_seed(1)).byte()


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "mixed"])
def test_every_precision_gives_the_same_directions(small, precision):
    """Whichever way it runs, the vectors are those of the plain network; the mixed way is nearer."""
    fast = Runner(small, torch.device("cpu"))
    fast.use(precision)
    with torch.inference_mode():
        plain = extractor_of(small)(sample()).numpy()
    found = fast(sample()).astype(np.float32)
    assert ((plain * found).sum(1) > 0.998).all()


def test_what_disagrees_is_never_chosen(small, monkeypatch):
    """However fast: vectors that point elsewhere are refused."""
    monkeypatch.setattr(module, "_seconds", lambda extractor, _: 0.001)
    monkeypatch.setattr(module, "_agree", lambda *_: False)
    assert Runner(small, torch.device("cpu")).fastest(sample()) == "float32"


def test_the_fastest_that_agrees_is_chosen(small, monkeypatch):
    """Times decide among those that agree; a gain of a few per cent is not worth it."""
    times = iter([0.5, 1.0, 0.4])  # bfloat16, float32, mixed
    monkeypatch.setattr(module, "_seconds", lambda extractor, _: next(times))
    monkeypatch.setattr(module, "_agree", lambda *_: True)
    assert Runner(small, torch.device("cpu")).fastest(sample()) == "mixed"
    times = iter([0.95, 1.0, 0.94])
    assert Runner(small, torch.device("cpu")).fastest(sample()) == "float32"


@pytest.mark.parametrize("kept", [None, "int4", ""], ids=["none", "unknown", "empty"])
def test_what_an_older_rule_noted_is_timed_again(kept, images, weights, tmp_path, monkeypatch):
    """A note of a former rule, or one that is damaged, does not decide the precision; a sound one does."""
    backbone = pretrained(BACKBONE, True, weights)
    folder = tmp_path / "embeddings" / cache_key(backbone)
    folder.mkdir(parents=True)
    (folder / "precision-cpu").write_text("bfloat16")
    if kept is not None:
        (folder / "precision-2-cpu").write_text(kept)
    timed: list[str] = []
    monkeypatch.setattr(Runner, "fastest", lambda self, sample: timed.append("") or "float32")
    monkeypatch.setattr(Runner, "use", lambda self, precision: timed.append(precision))
    for image, _ in images[:2]:
        embed([image], backbone, tmp_path, no_progress, never_stop)
    assert timed == ["", "float32", "float32"]
