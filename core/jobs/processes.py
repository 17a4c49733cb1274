"""Worker processes: starting one that outlives the app, and telling whether it still lives."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.errors import WorkerDied

PROJECT_ROOT = Path(__file__).resolve().parents[2]


def launch(
    module: str,
    arguments: Sequence[str],
    log: Path,
    environment: Mapping[str, str],
    processes: int = 1,
) -> int:
    """Start a module under torchrun in a session of its own and return the launcher's process id.

    The same command serves one process, several GPUs, or (with torchrun's own variables set)
    several machines. Its output goes to the log file.

    Raises:
        WorkerDied: It could not even be started.
    """
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone",
        f"--nproc-per-node={processes}", "-m", module, *arguments,
    ]  # fmt: skip
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=PROJECT_ROOT,
                env={**os.environ, **environment},
            )
    except OSError as error:
        raise WorkerDied(
            f"The worker could not be started: {error.strerror}.", "Try again."
        ) from error
    return process.pid


def is_alive(pid: int, started: float | None) -> bool:
    """Return whether that very process still runs; a reused or unproven number does not count."""
    try:
        return started is not None and abs(process_started(pid) - started) < 1e-6
    except OSError:
        return False


def process_started(pid: int) -> float:
    """Return when a process was started, in clock ticks since boot.

    Raises:
        OSError: There is no such process.
    """
    # Fields after the command name, which may itself hold spaces and brackets; a zombie has ended.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    if fields[0] == "Z":
        raise ProcessLookupError(pid)
    return float(fields[19])


def stop(pid: int) -> None:
    """Ask a worker's whole process group to end."""
    import signal

    try:
        os.killpg(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
