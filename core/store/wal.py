"""Damage inside SQLite's write-ahead log, which SQLite itself passes over in silence.

SQLite reads a log up to the first frame whose checksum is wrong and forgets the rest, commits
included. A log cut short by a killed process looks the same, except that nothing was committed
behind the cut; so a commit behind a broken frame means that saved work was lost.

Format: https://www.sqlite.org/fileformat2.html#walformat
"""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HEADER_BYTES, FRAME_HEADER_BYTES = 32, 24
MAGIC = 0x377F0682  # the last bit says whether checksums read words big-endian
LOOKS, PAUSE_SECONDS = 3, 0.05

Words = NDArray[np.uint32]


def damage_in_wal(path: Path) -> str:
    """Return what is wrong with a log in words; empty where nothing is.

    A frame somebody is writing just now looks broken too, so a finding counts only if it stays.
    """
    findings = set()
    for _ in range(LOOKS):
        found = _look(path)
        if found is None:
            return ""
        findings.add(found)
        time.sleep(PAUSE_SECONDS)
    if len(findings) > 1:
        return ""
    broken = findings.pop()
    return (
        f"frame {broken.frame} of its log {path.name} is broken, and {broken.commits} saved "
        f"transaction{'s' if broken.commits > 1 else ''} behind it cannot be read"
    )


@dataclass(frozen=True, slots=True)
class _Broken:
    """The first broken frame, from 1, and the commits of the same log behind it."""

    salt: bytes
    frame: int
    commits: int


def _look(path: Path) -> _Broken | None:
    try:
        log = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(log) < HEADER_BYTES:
        return None
    magic, _, page_bytes = struct.unpack(">3I", log[:12])
    if magic & ~1 != MAGIC or page_bytes < 512:
        return None  # a log without its head is empty to SQLite
    order = ">u4" if magic & 1 else "<u4"
    salt = log[16:24]
    sums = _checksum(np.frombuffer(log[:24], order), (0, 0))
    if sums != struct.unpack(">2I", log[24:32]):
        return None
    broken, commits = 0, 0
    size = FRAME_HEADER_BYTES + page_bytes
    for number, start in enumerate(range(HEADER_BYTES, len(log) - size + 1, size), 1):
        frame = log[start : start + size]
        if not broken:
            sums = _checksum(np.frombuffer(frame[:8], order), sums)
            sums = _checksum(np.frombuffer(frame[FRAME_HEADER_BYTES:], order), sums)
            if frame[8:16] == salt and sums == struct.unpack(">2I", frame[16:24]):
                continue
            broken = number
        elif frame[8:16] == salt and frame[4:8] != bytes(4):
            commits += 1
    # A frame of an earlier round of the log, with other salts, is simply its end.
    return _Broken(salt, broken, commits) if commits else None


def _checksum(words: NDArray, sums: tuple[int, int]) -> tuple[int, int]:
    """Return the running sums after these words: s0 += x0 + s1, then s1 += x1 + s0, modulo 2**32.

    The steps are linear, so a page is one product with powers that are worked out once.
    """
    pairs = words.reshape(-1, 2).astype(np.uint32)
    powers = _powers(len(pairs))
    old = np.array(sums, dtype=np.uint32)
    # What is added in step i passes through every later step: s = M (s + (x0, 0)) + (0, x1).
    first = powers[1:][::-1]  # M to the steps from i on, i included
    later = powers[:-1][::-1]  # M to the steps after i
    total = powers[-1] @ old
    total = total + (first[:, :, 0] * pairs[:, :1]).sum(axis=0, dtype=np.uint32)
    total = total + (later[:, :, 1] * pairs[:, 1:]).sum(axis=0, dtype=np.uint32)
    return int(total[0]), int(total[1])


@lru_cache(maxsize=8)
def _powers(steps: int) -> Words:
    """Return the powers 0 to `steps` of one step's matrix, shape (steps + 1, 2, 2)."""
    one = np.array([[1, 1], [1, 2]], dtype=np.uint32)
    powers = np.empty((steps + 1, 2, 2), dtype=np.uint32)
    powers[0] = np.eye(2, dtype=np.uint32)
    for i in range(steps):
        powers[i + 1] = one @ powers[i]
    return powers
