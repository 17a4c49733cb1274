"""What a command prints: human text, or one JSON document; progress on standard error."""

from __future__ import annotations

import dataclasses
import enum
import json
import math
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path


def emit(doc: object, as_json: bool, text: str) -> None:
    """Print the document as JSON, or the text."""
    encoding = sys.stdout.encoding or "utf-8"
    if as_json:
        every = "utf" in encoding.lower()  # a terminal of another encoding gets escapes
        sys.stdout.write(json.dumps(plain(doc), ensure_ascii=not every) + "\n")
    else:
        shown = visible(text.rstrip("\n")).encode(encoding, "backslashreplace")
        sys.stdout.write(shown.decode(encoding) + "\n")


def visible(text: str) -> str:
    """Return the text with control and direction marks written out: a file's name is no command."""
    return "".join(
        c if c == "\n" or c.isprintable() or c == "\t" else f"\\u{ord(c):04x}"
        for c in text.replace("\u00a0", " ")  # keeps a number and its unit on one line of a page
    )


def plain(value: object) -> object:
    """Return a value that JSON can carry: no NaN, no dataclasses, no sets."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, enum.Enum):
        return value.value
    return _readable(value) if isinstance(value, Path) else value


def _readable(path: Path) -> str:
    """Return a path as text: its bytes may be none."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


class Meter:
    """One line on standard error that says how far long work is and how long it will take."""

    def __init__(self, quiet: bool = False) -> None:
        self._live = sys.stderr.isatty() and not quiet
        self._quiet, self._phase, self._shown = quiet, "", 0.0

    def show(self, phase: str, done: int, total: int, seconds_left: float | None) -> None:
        """Say where the work stands; off a terminal only each new phase is named."""
        if self._quiet:
            return
        if not self._live:
            if phase != self._phase:
                sys.stderr.write(f"{phase} …\n")
                self._phase = phase
            return
        now = time.monotonic()
        if phase == self._phase and now - self._shown < 0.1 and done < total:
            return
        self._phase, self._shown = phase, now
        share = f" {done:,} of {total:,}" if total else ""
        left = "" if seconds_left is None else f", about {duration(seconds_left)} left"
        sys.stderr.write(f"\r\x1b[2K{phase}{share}{left}")
        sys.stderr.flush()

    def close(self) -> None:
        """End the line."""
        if self._live and self._phase:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()


def duration(seconds: float) -> str:
    """Return seconds in words a person reads at a glance."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
