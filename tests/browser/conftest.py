"""A real server and a real Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
def serving(workspace: Path, base: str = "") -> Iterator[str]:
    """Serve a workspace with the demo's one-click sign-in and give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port),
        "--server.address", "127.0.0.1", "--server.headless", "true", "--server.baseUrlPath", base,
    ]  # fmt: skip
    environment = {**os.environ, "TIEBREAK_WORKSPACE": str(workspace), "TIEBREAK_DEMO": "true"}
    log = workspace.parent / "server.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
    address = f"http://127.0.0.1:{port}" + (f"/{base}" if base else "")
    try:
        _wait(f"{address}/healthz", process, log)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            with urlopen(url, timeout=2) as reply:
                if reply.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the server did not start: {log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def server(furnished: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a server over a furnished workspace of this module's own."""
    workspace = tmp_path_factory.mktemp("served") / "workspace"
    shutil.copytree(furnished.ws.root, workspace)
    with serving(workspace) as address:
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
