"""What a run wrote of itself: one line of figures a judging, and the device it ran on.

Reading is free of torch, and a line cut short by a crash is passed over.
"""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from core.errors import DiskFull

METRICS = "metrics.jsonl"


def append_metrics(folder: Path, figures: Mapping[str, object]) -> None:
    """Add one line and flush it to the disk.

    Raises:
        DiskFull: It could not be written.
    """
    path = folder / METRICS
    line = json.dumps(dict(figures), default=float) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as f:
            f.write(line)
            f.flush()
            os.fsync(f.fileno())
    except OSError as error:
        raise DiskFull(
            f"{path.name} could not be written: {error.strerror or error}.",
            "Free some space and resume the run; its last checkpoint is kept.",
        ) from error


def read_metrics(folder: Path) -> list[dict[str, object]]:
    """Return the lines a run has written so far, oldest first; none where there is no file."""
    found = []
    with suppress(OSError):
        for line in (folder / METRICS).read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):
                if isinstance(doc := json.loads(line), dict):
                    found.append(doc)
    return found


def cut_metrics(folder: Path, step: int) -> None:
    """Drop the lines of steps after `step`: a resumed run writes them again.

    Raises:
        DiskFull: The file could not be written.
    """
    from core.learning.files import write_durably

    kept = [m for m in read_metrics(folder) if int(str(m.get("step", 0))) <= step]
    if (folder / METRICS).exists():
        text = "".join(json.dumps(m) + "\n" for m in kept)
        write_durably(folder / METRICS, text.encode())


def device_facts(device: str) -> dict[str, object]:
    """Return the device's name, the memory in use and its utilisation, as far as they can be had.

    Returns:
        ``name``, ``memory_mb`` (of the GPU's memory in use; on a CPU the process's largest
        resident size), ``memory_total_mb`` and ``utilisation`` (share of time at work, 0 to 1;
        None where nothing tells).
    """
    return _gpu_facts(device) if device.startswith("cuda") else _cpu_facts()


def _cpu_facts() -> dict[str, object]:
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**20
    share = None
    with suppress(OSError):
        share = min(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    return {
        "name": _cpu_name(),
        "memory_mb": round(used),
        "memory_total_mb": round(total),
        "utilisation": None if share is None else round(share, 2),
    }


def _cpu_name() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return f"{line.partition(':')[2].strip()} × {os.cpu_count()}"
    return f"CPU × {os.cpu_count()}"


def _gpu_facts(device: str) -> dict[str, object]:
    import torch

    free, total = torch.cuda.mem_get_info(device)
    share: float | None = None
    with suppress(Exception):  # the driver's own library may be missing; the rest is still told
        share = torch.cuda.utilization(device) / 100
    return {
        "name": torch.cuda.get_device_name(device),
        "memory_mb": round((total - free) / 2**20),
        "memory_total_mb": round(total / 2**20),
        "utilisation": share,
    }
