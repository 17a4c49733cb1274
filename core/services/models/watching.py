"""What there is to see of a run besides its row: the figures it wrote, and the device it runs on."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from core.access import Actor
from core.learning.progress_file import device_facts, read_metrics
from core.services.models.jobs import get_job
from core.services.workspace import Workspace

MOST_POINTS = 400
_QUERY = "name,memory.used,memory.total,utilization.gpu"
_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Device:
    """What a run would work on, or works on, here.

    Attributes:
        name: As its maker calls it.
        gpu: Whether it is a graphics card.
        count: How many graphics cards there are.
        memory_mb: Of the card, in use; None on a processor.
        total_mb: Memory in all.
        busy: Share of time at work, 0 to 1; None where nothing tells.
    """

    name: str
    gpu: bool
    count: int
    memory_mb: float | None
    total_mb: float | None
    busy: float | None


def device_here() -> Device:
    """Return the graphics card of this machine, or its processor where there is none.

    Asked of the driver's own tool: the app does not load torch for it.
    """
    cards = _cards()
    if cards:
        name, used, total, busy = cards[0]
        return Device(name, True, len(cards), _number(used), _number(total), _share(_number(busy)))
    facts: Mapping[str, object] = device_facts("cpu")
    busy_cpu, memory = facts.get("utilisation"), facts.get("memory_total_mb")
    return Device(
        str(facts.get("name")), False, 0, None,
        float(memory) if isinstance(memory, int | float) else None,
        float(busy_cpu) if isinstance(busy_cpu, int | float) else None,
    )  # fmt: skip


def run_figures(ws: Workspace, actor: Actor, job_id: int) -> list[dict[str, object]]:
    """Return what a run wrote of itself so far, oldest first, at most 400 points.

    Raises:
        NotFound: There is no such job, or the actor may not see it.
    """
    job = get_job(ws, actor, job_id)
    if not job.folder:
        return []
    folder = ws.root / job.folder
    found = [
        row for path in sorted(folder.glob("**/metrics.jsonl")) for row in read_metrics(path.parent)
    ]
    step = max(1, -(-len(found) // MOST_POINTS))
    return found[::-1][::step][::-1]  # the newest is always among them


def _cards() -> list[list[str]]:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    with suppress(OSError, subprocess.SubprocessError):
        said = subprocess.run(  # noqa: S603 the driver's own tool, nothing from outside
            [tool, f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits"],
            capture_output=True, text=True, timeout=_SECONDS, check=True,
        ).stdout  # fmt: skip
        rows = [[cell.strip() for cell in line.split(",")] for line in said.splitlines()]
        return [row for row in rows if len(row) == 4]
    return []


def _number(text: str) -> float | None:
    with suppress(ValueError):
        return float(text)
    return None


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100
