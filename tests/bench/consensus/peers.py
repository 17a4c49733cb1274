"""The peers' own environment, and processes that are asked in turn."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
HOME = ROOT / "build" / "peers"
PINS = Path(__file__).with_name("peers.txt")


def peer_python(pins: Path = PINS, home: Path = HOME) -> str:
    """Return the interpreter of the peers' environment, made on first use and when the pins change.

    Raises:
        SystemExit: There is no uv to make it with.
    """
    python, stamp = home / "bin" / "python", home / ".installed"
    if stamp.exists() and stamp.read_text() == pins.read_text():
        return str(python)
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        raise SystemExit("The peers' environment is made with uv, which was not found.")
    sys.stderr.write("installing the peers …\n")
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, home], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", python, "--requirement", pins]
    subprocess.run(install, check=True)
    stamp.write_text(pins.read_text())
    return str(python)


class Side:
    """A process of a script that measures one round for every line it is given."""

    def __init__(self, python: str, script: str, *words: object) -> None:
        self._process = subprocess.Popen(
            [python, str(Path(__file__).with_name(script)), *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )

    def __enter__(self) -> Side:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process; by force where something went wrong."""
        assert self._process.stdin is not None
        if kind is not None:
            self._process.kill()
        self._process.stdin.close()
        self._process.wait(timeout=60)

    def ask(self) -> dict[str, Any]:
        """Return what one round measured."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found


def in_turn(ours: Side, peer: Side, rounds: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return the rounds of both, asked alternately."""
    return [(ours.ask(), peer.ask()) for _ in range(rounds)]
