"""Worker processes: starting one that outlives the app, and telling whether it still lives."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import WorkerDied

PROJECT_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Rendezvous:
    """Where the processes of several machines meet.

    Attributes:
        endpoint: ``host:port`` of one of the machines.
        nodes: How many machines.
        run: A name that tells this run from others at the same place.
    """

    endpoint: str
    nodes: int
    run: str

    def options(self) -> list[str]:
        """Return torchrun's options for it."""
        return [
            f"--nnodes={self.nodes}",
            "--rdzv-backend=c10d",
            f"--rdzv-endpoint={self.endpoint}",
            f"--rdzv-id={self.run}",
        ]


def launch(
    module: str,
    arguments: Sequence[str],
    log: Path,
    environment: Mapping[str, str],
    processes: int = 1,
    rendezvous: Rendezvous | None = None,
) -> int:
    """Start a module under torchrun in a session of its own and return the launcher's process id.

    The same command serves one process, several GPUs and several machines: with a rendezvous it
    is the log's first line, to be started on the other machines too, which share the workspace.
    Its output goes to the log file.

    Raises:
        WorkerDied: It could not even be started.
    """
    where = ["--standalone"] if rendezvous is None else rendezvous.options()
    command = [
        sys.executable, "-m", "torch.distributed.run", *where, f"--nproc-per-node={processes}",
        # A run goes on from its checkpoint when somebody asks; torchrun must not start it twice.
        "--max-restarts=0",
        # Beside the log, not in the system's folder for temporary files, where nobody clears it away.
        f"--log-dir={log.with_suffix('.torchrun')}",
        "-m", module, *arguments,
    ]  # fmt: skip
    shared = _shares(processes, rendezvous is None)
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            output.write((shlex.join(command) + "\n").encode())
            output.flush()
            process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=PROJECT_ROOT,
                env={**os.environ, **shared, **environment},
            )
    except OSError as error:
        raise WorkerDied(
            f"The worker could not be started: {error.strerror}.", "Try again."
        ) from error
    return process.pid


def _shares(processes: int, standalone: bool) -> dict[str, str]:
    """Return what lets several processes of one machine keep out of each other's way."""
    threads = max(1, (os.cpu_count() or 1) // processes)
    found = {"OMP_NUM_THREADS": str(threads)} if processes > 1 else {}
    if standalone:
        found["GLOO_SOCKET_IFNAME"] = "lo"  # no look-up of the machine's name, which may hang
    return found


def gpus_here() -> int:
    """Return how many NVIDIA GPUs this machine lets us use, without asking torch."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is not None:
        return len([d for d in allowed.split(",") if d.strip() not in ("", "-1")])
    folder = Path("/proc/driver/nvidia/gpus")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


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
