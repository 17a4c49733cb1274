"""torchvision networks as feature extractors, and what they reach on real photos."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision import models

from core.errors import BadCheckpoint
from core.learning import ImageRef
from core.learning.backbones import (
    Extractor,
    TunedExtractor,
    fused,
    known_backbones,
    pretrained,
    unwatched,
)
from core.learning.embed import embed
from core.learning.probe import fit_probe
from core.learning.selftrained import vicreg
from core.learning.values import never_stop, no_progress


def pixels(n: int, size: int = 96) -> torch.Tensor:
    """Return random images."""
    generator = torch.Generator().manual_seed(0)
    return torch.randint(256, (n, 3, size, size), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize(
    ("name", "width"),
    [
        ("mobilenet_v3_small", 1024 + 3 * 96),
        ("resnet18", 512 + 3 * 256),
        ("squeezenet1_0", 512 + 3 * 384),
        ("shufflenet_v2_x0_5", 1024 + 3 * 192),
        ("mnasnet0_5", 1280),
        ("efficientnet_b0", 1280 + 3 * 320),
    ],
)
def test_each_kind_of_network_gives_unit_features(name, width):
    """Whatever a network's head looks like, its features are finite and of length one."""
    torch.manual_seed(0)
    extractor = Extractor(models.get_model(name, weights=None)).eval()
    with torch.inference_mode():
        out = extractor(pixels(2))
    assert out.shape == (2, width)
    assert torch.allclose(out.norm(dim=1), torch.ones(2), atol=1e-4)


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "resnet18", "densenet121"])
def test_folding_batch_norms_changes_nothing(name):
    """The faster form of a network gives the same features."""
    torch.manual_seed(0)
    network = models.get_model(name, weights=None).eval()
    plain, quick = (Extractor(f(copy.deepcopy(network))).eval() for f in (lambda n: n, fused))
    with torch.inference_mode():
        assert torch.allclose(plain(pixels(2)), quick(pixels(2)), atol=1e-4)


def test_mirrored_image_gives_the_same_features():
    """Left and right do not matter to the features: both views are averaged."""
    torch.manual_seed(0)
    extractor = Extractor(models.get_model("mobilenet_v3_small", weights=None)).eval()
    with torch.inference_mode():
        one, two = extractor(pixels(1)), extractor(pixels(1).flip(3))
    assert torch.allclose(one, two, atol=1e-5)


class Shallow(torch.nn.Module):
    """A network whose every place sees one pixel, so that only bands can know what is where."""

    def __init__(self) -> None:
        super().__init__()
        self.features = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 1), torch.nn.Conv2d(8, 16, 1))
        self.classifier = torch.nn.Linear(16, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return class scores."""
        return self.classifier(self.features(x).mean((2, 3)))


def test_up_and_down_matter_to_the_bands_alone():
    """An image on its head is told from the upright one, by the bands and by nothing else."""
    torch.manual_seed(0)
    x = pixels(2, 6)
    x[:, :, :3] //= 4
    with torch.inference_mode():
        extractor = Extractor(Shallow()).eval()
        upright, upturned = extractor(x), extractor(x.flip(2))
    apart = (upright - upturned).abs()
    assert apart.shape == (2, 16 + 3 * 8)
    assert apart[:, :16].max() < 1e-5
    assert apart[:, 16:].max() > 1e-2


def test_a_network_wrapped_again_keeps_nothing_for_the_first():
    """The copy a student begins with goes past the hooks of its teacher's extractor."""
    first = TunedExtractor(models.squeezenet1_0(weights=None).eval())
    second = TunedExtractor(unwatched(first.network))
    with torch.no_grad():
        second.vectors(torch.zeros(1, 3, 64, 64))
        assert not first._trace.seen
        assert all(not isinstance(m, Extractor) for m in second.network.modules())
        first.network(torch.zeros(1, 3, 64, 64))
    assert first._trace.seen


def test_loss_of_self_training_prefers_agreeing_spread_out_views():
    """Equal views that spread cost less than equal views that collapse, or unequal ones."""
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(64, 8, generator=generator) for _ in range(2))
    assert vicreg(a, a) < vicreg(a, b)
    assert vicreg(a, a) < vicreg(torch.zeros(64, 8), torch.zeros(64, 8))


def test_damaged_cached_weights_are_named(tmp_path, monkeypatch):
    """A damaged file in torch's cache is an error, not a silent fallback."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    path = tmp_path / "hub" / "checkpoints" / "mobilenet_v2-b0353104.pth"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(BadCheckpoint, match="mobilenet_v2-b0353104"):
        pretrained("mobilenet_v2", offline=True)


def test_names_people_may_choose():
    """The list holds the usual networks."""
    assert {"mobilenet_v2", "resnet50", "vit_b_16"} <= set(known_backbones())


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_forty_labels_on_real_flowers(shared_dir, monkeypatch, tmp_path_factory):
    """Eight labels per class give 78 % on the other flower photos, mean of ten draws."""
    monkeypatch.setenv("TORCH_HOME", str(shared_dir / "weights"))
    files = sorted((shared_dir / "datasets" / "flowers" / "images").glob("*/*.jpg"))
    names, labels = np.unique([f.parent.name for f in files], return_inverse=True)
    images = [ImageRef(i, str(Path(f).name), f) for i, f in enumerate(files)]
    backbone = pretrained("mobilenet_v2", offline=True)
    folder = tmp_path_factory.mktemp("flowers")
    vectors = embed(images, backbone, folder, no_progress, never_stop).vectors
    shares = []
    for draw in range(10):
        rng = np.random.default_rng(draw)
        known = np.concatenate(
            [rng.permutation(np.flatnonzero(labels == c))[:8] for c in range(len(names))]
        )
        rest = np.setdiff1d(np.arange(len(files)), known)
        fitted = fit_probe(vectors[known], labels[known], vectors[rest], len(names), draw)
        guess = fitted.head.probabilities(vectors[rest]).argmax(1)
        shares.append((guess == labels[rest]).mean())
    assert np.mean(shares) >= 0.78
