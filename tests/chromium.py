"""Find a Chromium for the browser tests, installing one where there is none.

The system's comes first, then the system's package manager (as root), then Playwright's own.
Run as a script this installs; where nothing can be had it says so and the browser tests skip.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find() -> str | None:
    """Return the path of a Chromium that can be started, or None."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    return _playwrights_own()


def _playwrights_own() -> str | None:
    root = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache/ms-playwright"))
    return next((str(p) for p in sorted(root.glob("chromium-*/chrome-linux*/chrome"))), None)


def install() -> str | None:
    """Return the path of a Chromium after trying to install one where there is none."""
    attempts: list[list[str]] = []
    if shutil.which("apt-get") and os.geteuid() == 0:
        attempts += [
            ["apt-get", "update", "-qq"],
            [
                "apt-get",
                "install",
                "-y",
                "-qq",
                "--no-install-recommends",
                "chromium",
                "fonts-dejavu-core",
            ],
        ]
    attempts.append([sys.executable, "-m", "playwright", "install", "chromium"])
    for command in attempts:
        if find():
            break
        subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=600,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )
    return find()


if __name__ == "__main__":
    found = install()
    sys.stdout.write(f"Chromium: {found or 'none can be had; browser tests will skip'}\n")
