"""Commands that run the app: demo, serve."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from core.cli.options import JsonOption, WorkspaceOption
from core.cli.output import Meter, emit
from core.errors import ConflictError
from core.services.demo.build import make_demo, reset_demo
from core.services.workspace import open_workspace
from core.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]
HostOption = Annotated[str, typer.Option(help="Address to listen on.")]
PortOption = Annotated[int, typer.Option(help="Port to listen on.")]


def demo(
    serve: Annotated[bool, typer.Option(help="Open the app when all is ready.")] = True,
    seed: Annotated[int | None, typer.Option(help="Another seed draws another demo.")] = None,
    data: Annotated[
        list[Path] | None, typer.Option(help="Use this folder of real labelled images instead.")
    ] = None,
    reset: Annotated[bool, typer.Option(help="Start over.")] = False,
    port: PortOption = 8501,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prepare the demo workspace and open the app on it."""
    if reset:
        moved = reset_demo(workspace)
        if moved is not None:
            sys.stderr.write(f"Your own projects were moved to {moved}.\n")
    meter = Meter(quiet=as_json)
    clock = _Estimate()

    def show(phase: str, done: int, total: int) -> None:
        meter.show(phase, done, total, clock.left(phase, done, total))

    settings = load_settings(workspace)
    try:
        found = make_demo(workspace, settings.demo_seed if seed is None else seed, show, data or ())
    finally:
        meter.close()
    doc = {"projects": found.projects, "truth": found.truth, "seed": found.seed}
    words = "ready" if found.fresh else "as you left it ('--reset' starts over)"
    emit(doc, as_json, f"Demo {words}: {', '.join(found.projects)}.")
    if serve:
        sys.stdout.flush()
        _serve(workspace, "127.0.0.1", port, demo=True, as_json=as_json)


def serve(
    host: HostOption = "127.0.0.1",
    port: PortOption = 8501,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Open the app on a workspace."""
    _serve(workspace, host, port, demo=False, as_json=as_json)


class _Estimate:
    """Time left in the present phase, from its own pace."""

    def __init__(self) -> None:
        self._phase, self._since = "", 0.0

    def left(self, phase: str, done: int, total: int) -> float | None:
        now = time.monotonic()
        if phase != self._phase:
            self._phase, self._since = phase, now
        spent = now - self._since
        return spent / done * (total - done) if done >= 5 and spent > 1 else None


def _serve(workspace: Path | None, host: str, port: int, *, demo: bool, as_json: bool) -> None:
    """Replace this process by the app's server.

    Raises:
        ConflictError: The port is taken.
    """
    ws = open_workspace(workspace)
    root = ws.root
    demo = demo or (root / "demo.json").exists()
    ws.store.close()
    _check_port(host, port)
    loopback = host in ("127.0.0.1", "::1", "localhost")
    environment = {
        **os.environ,
        "TIEBREAK_WORKSPACE": str(root),
        "TIEBREAK_DEMO": json.dumps(demo and loopback),
    }
    command = [
        sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"),
        "--server.address", host, "--server.port", str(port), "--server.headless", "true",
    ]  # fmt: skip
    url = f"http://{host}:{port}"
    emit({"url": url}, as_json, f"Tiebreak is at {url} (Ctrl+C ends it)")
    sys.stdout.flush()
    # In place of this process, so that whoever ends `tiebreak serve` ends the server.
    os.chdir(ROOT)
    os.execve(sys.executable, command, environment)  # noqa: S606


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConflictError(
                f"Port {port} on {host} cannot be used: {error.strerror}.",
                "Choose another with --port, or end what runs there.",
            ) from error
