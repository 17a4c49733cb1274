"""Hostile and damaged weight files: each is refused and none is run."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import tarfile
import warnings
import zipfile

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from core.errors import BadCheckpoint
from core.learning.checkpoints import load_into, read_weights


class Gadget:
    """Makes a marker file when it is unpickled."""

    def __init__(self, marker) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def network() -> nn.Module:
    """Return a tiny network."""
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))


@pytest.fixture
def good(tmp_path):
    """Give a sound state dict that torch saved."""
    path = tmp_path / "good.pth"
    torch.save(network().state_dict(), path)
    return path


def gadget(path, marker, good):
    path.write_bytes(pickle.dumps({"weight": Gadget(marker)}, protocol=2))


def gadget_in_torch_archive(path, marker, good):
    torch.save({"weight": Gadget(marker)}, path)


def whole_model(path, marker, good):
    torch.save(network(), path)


def legacy_tar(path, marker, good):
    with tarfile.open(path, "w") as tar:
        data = pickle.dumps(Gadget(marker))
        entry = tarfile.TarInfo("pickle")
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))


def extra_member(path, marker, good):
    path.write_bytes(good.read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("good/code/run.py", "print('hello')")


def doubled_member(path, marker, good):
    path.write_bytes(good.read_bytes())
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("good/data.pkl", pickle.dumps(Gadget(marker)))


def compressed(path, marker, good):
    with (
        zipfile.ZipFile(good) as old,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))


def pt2(path, marker, good):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("good/archive_format", "pt2")
        archive.writestr("good/models/model.json", "{}")
        archive.writestr("good/data/weights/w0", pickle.dumps(Gadget(marker)))


def torchscript(path, marker, good):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/data.pkl", pickle.dumps({}))
        archive.writestr("m/constants.pkl", pickle.dumps(Gadget(marker)))
        archive.writestr("m/code/__torch__.py", "")


def cut_short(path, marker, good):
    path.write_bytes(good.read_bytes()[:-300])


def empty(path, marker, good):
    path.write_bytes(b"")


def text(path, marker, good):
    path.write_text("these are not weights" * 10)


def nan(path, marker, good):
    torch.save({"weight": torch.tensor([1.0, float("nan")])}, path)


def infinite_safetensors(path, marker, good):
    save_file({"weight": torch.tensor([1.0, float("inf")])}, path)


def huge_header(path, marker, good):
    path.write_bytes(struct.pack("<Q", 1 << 62) + b"{}")


def huge_tensor(path, marker, good):
    header = {"w": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"\0" * 16)


def huge_by_strides(path, marker, good):
    torch.save({"weight": torch.zeros(1).expand(1 << 40)}, path)


def sparse(path, marker, good):
    torch.save({"weight": torch.eye(3).to_sparse()}, path)


def not_a_dict(path, marker, good):
    torch.save(torch.zeros(3), path)


def nested(path, marker, good):
    torch.save({"state_dict": {"weight": torch.zeros(3)}, "epoch": 3}, path)


def complex_numbers(path, marker, good):
    torch.save({"weight": torch.zeros(3, dtype=torch.complex64)}, path)


def quantised(path, marker, good):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch means to drop them; files of them stay
        torch.save({"weight": torch.quantize_per_tensor(torch.zeros(3), 0.1, 0, torch.qint8)}, path)


HOSTILE = [
    gadget, gadget_in_torch_archive, whole_model, legacy_tar, extra_member, doubled_member,
    compressed, pt2, torchscript, cut_short, empty, text, nan, infinite_safetensors,
    huge_header, huge_tensor, huge_by_strides, sparse, not_a_dict, nested,
    complex_numbers, quantised,
]  # fmt: skip


@pytest.mark.parametrize("make", HOSTILE, ids=lambda f: f.__name__)
def test_bad_checkpoint_is_refused_and_not_run(tmp_path, good, make):
    """Every kind of bad file ends in BadCheckpoint, names the file, and leaves no marker."""
    marker, path = tmp_path / "marker", tmp_path / "bad.pth"
    make(path, marker, good)
    with pytest.raises(BadCheckpoint, match=r"bad\.pth"):
        read_weights(path)
    assert not marker.exists()


def test_gadget_would_have_run(tmp_path):
    """The marker does appear where a file is unpickled carelessly: the test above can fail."""
    pickle.loads(pickle.dumps(Gadget(tmp_path / "marker")))
    assert (tmp_path / "marker").exists()


@pytest.mark.parametrize("kind", ["torch", "legacy", "safetensors"])
def test_sound_weights_load(tmp_path, kind):
    """A state dict loads from each format we accept."""
    one, two, path = network(), network(), tmp_path / "w"
    if kind == "safetensors":
        save_file(one.state_dict(), path)
    else:
        torch.save(one.state_dict(), path, _use_new_zipfile_serialization=kind == "torch")
    load_into(two, read_weights(path), "w")
    assert torch.equal(one[0].weight, two[0].weight)


def test_missing_file_is_named(tmp_path):
    """A file that is not there is a BadCheckpoint too."""
    with pytest.raises(BadCheckpoint, match=r"gone\.pth"):
        read_weights(tmp_path / "gone.pth")


def test_wrong_shapes_are_told():
    """Weights for another number of classes are refused with both shapes."""
    with pytest.raises(BadCheckpoint, match=r"\(5, 3\), expected \(4, 3\)"):
        load_into(network(), nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5)).state_dict(), "w")


def test_wrong_names_are_told():
    """Weights of another network are refused by name."""
    with pytest.raises(BadCheckpoint, match="missing"):
        load_into(network(), {"other": torch.zeros(3)}, "w")


def test_refused_weights_leave_the_network_alone():
    """A misfit found half-way does not leave half of it loaded."""
    net = network()
    before = net[0].weight.clone()
    state = {k: v + 1 for k, v in net.state_dict().items()} | {"1.weight": torch.zeros(9)}
    with pytest.raises(BadCheckpoint):
        load_into(net, state, "w")
    assert torch.equal(net[0].weight, before)
