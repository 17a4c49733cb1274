"""Weight files from anywhere, read without ever running what is in them.

A checkpoint may be safetensors, or a state dict that torch saved. Whole pickled models,
TorchScript, export archives and tar files are refused unread: each can carry code.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import re
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from core.errors import BadCheckpoint

_ADVICE = "Give a .safetensors file, or save model.state_dict() with torch.save."
_MEMBER = re.compile(
    r"(data\.pkl|data/\d+|version|byteorder|\.format_version|\.storage_alignment"
    r"|\.data/serialization_id)"
)
_MAX_HEADER_BYTES = 100_000_000


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as hex."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint by name, on the CPU.

    Raises:
        BadCheckpoint: The file is of another kind, damaged, or holds something else than
            finite numbers. Nothing in it has been run.
    """
    try:
        tensors = _read(path)
    except OSError as e:
        raise BadCheckpoint(f"{path.name} cannot be opened: {e.strerror or e}.") from e
    _check_values(tensors, path)
    return tensors


def load_into(model: torch.nn.Module, tensors: Mapping[str, Tensor], source: str) -> None:
    """Copy the tensors into the model.

    Raises:
        BadCheckpoint: A name is missing or left over, or a shape differs.
    """
    expected = model.state_dict()
    # Files from before batch norm counted its batches lack only that counter.
    missing = [k for k in expected if k not in tensors and not k.endswith("num_batches_tracked")]
    extra = [k for k in tensors if k not in expected]
    if missing or extra:
        raise BadCheckpoint(
            f"{source} does not fit the network: {len(missing)} weights missing "
            f"({', '.join(missing[:3])}), {len(extra)} unknown ({', '.join(extra[:3])}).",
            "Choose the backbone these weights were made for.",
        )
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape:
            raise BadCheckpoint(
                f"{source} does not fit the network: {name} is {tuple(tensor.shape)}, "
                f"expected {tuple(expected[name].shape)}.",
                "Choose the backbone and classes these weights were made for.",
            )
    model.load_state_dict(dict(tensors), strict=False)


def _read(path: Path) -> dict[str, Tensor]:
    with path.open("rb") as f:
        start = f.read(16)
    if start[:4] == b"PK\x03\x04" or zipfile.is_zipfile(path):
        _check_archive(path)
        return _read_state_dict(path)
    if tarfile.is_tarfile(path):
        raise BadCheckpoint(f"{path.name} is a tar archive, which we do not load.", _ADVICE)
    if start[:1] == b"\x80":
        return _read_state_dict(path)
    return _read_safetensors(path, start)


def _check_archive(path: Path) -> None:
    """Refuse every zip that is not exactly what torch.save makes of a state dict."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as e:
        raise BadCheckpoint(f"{path.name} is damaged or cut short: {e}.", _ADVICE) from e
    names = [m.filename for m in members]
    root = names[0].split("/", 1)[0] if names else ""
    odd = [
        n
        for n in names
        if not n.startswith(f"{root}/") or not _MEMBER.fullmatch(n[len(root) + 1 :])
    ]
    if odd or len(set(names)) != len(names) or f"{root}/data.pkl" not in names:
        found = f"found {odd[0]!r}" if odd else "found doubled or missing parts"
        raise BadCheckpoint(
            f"{path.name} is not a plain state dict: {found} in the archive; nothing was loaded.",
            _ADVICE,
        )
    if any(m.compress_type != zipfile.ZIP_STORED for m in members):
        raise BadCheckpoint(
            f"{path.name} is a compressed archive, which torch never writes.", _ADVICE
        )


def _read_state_dict(path: Path) -> dict[str, Tensor]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns that checking sparse tensors is slow
            found = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError,
            AttributeError, TypeError, IndexError, AssertionError, UnicodeDecodeError) as e:  # fmt: skip
        raise BadCheckpoint(
            f"{path.name} is not a plain state dict: {_reason(e)}; nothing in it was run.", _ADVICE
        ) from e
    if not isinstance(found, Mapping) or not found:
        raise BadCheckpoint(
            f"{path.name} holds a {type(found).__name__}, expected a state dict.", _ADVICE
        )
    for name, tensor in found.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise BadCheckpoint(
                f"{path.name} is not a plain state dict: {str(name)[:80]!r} is a "
                f"{type(tensor).__name__}, expected a tensor.",
                _ADVICE,
            )
    return dict(found)


def _reason(error: Exception) -> str:
    """Say why torch would not load a file; its own words would advise to run what is in it."""
    if isinstance(error, pickle.UnpicklingError):
        return "it holds more than tensors, or is damaged"
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def _read_safetensors(path: Path, start: bytes) -> dict[str, Tensor]:
    size = path.stat().st_size
    header = struct.unpack("<Q", start[:8])[0] if len(start) >= 8 else 0
    if not 2 <= header <= min(size - 8, _MAX_HEADER_BYTES):
        raise BadCheckpoint(
            f"{path.name} is neither safetensors nor a state dict, or is cut short: "
            f"its header claims {header} bytes, the file has {size}.",
            _ADVICE,
        )
    try:
        return dict(load_file(path, device="cpu"))
    except (SafetensorError, json.JSONDecodeError, RuntimeError, ValueError, KeyError) as e:
        raise BadCheckpoint(f"{path.name} is damaged: {str(e)[:200]}.", _ADVICE) from e


def _check_values(tensors: Mapping[str, Tensor], path: Path) -> None:
    dense = all(t.layout is torch.strided and t.device.type == "cpu" for t in tensors.values())
    # A few bytes can claim a huge tensor by strides of zero; count before touching any.
    claimed = sum(t.numel() * t.element_size() for t in tensors.values()) if dense else 0
    if not dense or claimed > path.stat().st_size + 1_000_000:
        raise BadCheckpoint(f"{path.name} claims more data than the file holds.", _ADVICE)
    for name, tensor in tensors.items():
        if tensor.is_complex() or tensor.is_quantized:
            kind = "complex" if tensor.is_complex() else "quantised"
            raise BadCheckpoint(
                f"{path.name} holds {kind} numbers in {name[:80]}, expected ordinary ones.", _ADVICE
            )
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise BadCheckpoint(
                f"{path.name} holds NaN or infinity in {name[:80]}.",
                "The run that made it diverged; use an earlier checkpoint.",
            )
