"""A real server and a real Chromium."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests import chromium as chromium_here
from tests.pages.conftest import furnished
from tests.pages.house import House

__all__ = ["furnished"]

ROOT = Path(__file__).resolve().parents[2]
# Streamlit asks for the first two below deep pages and takes the refusal well; a wrong password
# is a 401, which the console notes.
HARMLESS = ("_stcore/health", "_stcore/host-config", "account/login")


@contextmanager
def serving(workspace: Path, base: str = "", cold: bool = False) -> Iterator[str]:
    """Serve a workspace with the demo's one-click sign-in and give its address.

    Args:
        cold: Start it by the command, which takes seconds; else it is forked from one that waits.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = [
        "run", "app.py", "--server.port", str(port), "--server.address", "127.0.0.1",
        "--server.headless", "true", "--server.baseUrlPath", base,
    ]  # fmt: skip
    environment = {**os.environ, "TIEBREAK_WORKSPACE": str(workspace), "TIEBREAK_DEMO": "true"}
    log = workspace.parent / "server.log"
    start = _by_command if cold else _by_fork
    process = start(arguments, environment, log)
    address = f"http://127.0.0.1:{port}" + (f"/{base}" if base else "")
    try:
        _wait(f"{address}/healthz", process, log)
        yield address
    finally:
        _end(process)


def _by_command(arguments: list[str], environment: dict[str, str], log: Path) -> int:
    command = [sys.executable, "-m", "streamlit", *arguments]
    with log.open("w") as out:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out).pid


def _by_fork(arguments: list[str], environment: dict[str, str], log: Path) -> int:
    mother = _nursery()
    assert mother.stdin is not None
    assert mother.stdout is not None
    asked = {"arguments": arguments, "environment": environment, "log": str(log)}
    mother.stdin.write(json.dumps(asked) + "\n")
    mother.stdin.flush()
    return int(mother.stdout.readline())


@cache
def _nursery() -> subprocess.Popen[str]:
    """Start the process that forks servers; it ends with this one, whose pipe it reads."""
    mother = subprocess.Popen(
        [sys.executable, "-m", "tests.browser.nursery"],
        cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert mother.stdout is not None
    assert mother.stdout.readline() == "ready\n"
    return mother


def _runs(process: int) -> bool:
    with suppress(ChildProcessError):  # not ours but the nursery's
        os.waitpid(process, os.WNOHANG)
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _end(process: int) -> None:
    """Ask a server to end and see that it does."""
    until = time.monotonic() + 20
    if _runs(process):
        os.kill(process, signal.SIGTERM)
    while _runs(process):
        assert time.monotonic() < until, "the server does not end"
        time.sleep(0.02)


def _wait(url: str, process: int, log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and _runs(process):
        try:
            with urlopen(url, timeout=2) as reply:
                if reply.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"the server did not start: {log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def server(furnished: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a server over a furnished workspace of this module's own."""
    workspace = tmp_path_factory.mktemp("served") / "workspace"
    shutil.copytree(furnished.ws.root, workspace)
    with serving(workspace, cold=True) as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Give the system's Chromium, or skip where there is none."""
    path = chromium_here.find()
    if path is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=list(chromium_here.ARGUMENTS)
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Give a function that opens an address as one of the demo's people; console errors fail."""
    contexts, troubles = [], []

    def note(message: object) -> None:
        where = message.location.get("url", "")  # type: ignore[attr-defined]
        if message.type == "error" and not any(h in where for h in HARMLESS):  # type: ignore[attr-defined]
            troubles.append(f"{message.text} ({where})")  # type: ignore[attr-defined]

    def open_as(address: str, who: str = "", **options: object) -> Page:
        context = chromium.new_context(viewport={"width": 1280, "height": 720}, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(address)
        if who:
            page.click(f"button[value={who}]")
            page.wait_for_selector(".tb-header, .tb-state")
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert not troubles
