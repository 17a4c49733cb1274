"""Other processes for tests: born from a server that has imported everything, so each is quick."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any

ROUNDS = int(os.environ.get("TIEBREAK_TEST_ROUNDS", "1"))
"""Multiplies the rounds of the tests that kill and race; an hour of them is TIEBREAK_TEST_ROUNDS=50."""

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    ["tests.record", "core.services.transfer.imports", "core.store.migrate"]
)


def start(function: Callable[..., Any], *arguments: Any) -> BaseProcess:
    """Start a function of an importable module in a process of its own."""
    process = _context.Process(target=function, args=arguments, daemon=True)
    process.start()
    return process


def pipe() -> tuple[Any, Any]:
    """Return the reading and the writing end of a pipe."""
    return _context.Pipe(duplex=False)


def barrier(parties: int) -> Any:
    """Return a barrier that processes share."""
    return _context.Barrier(parties)


def ended(process: BaseProcess, seconds: float = 120.0) -> int:
    """Wait for a process and return its exit status, negative for a signal."""
    process.join(seconds)
    assert process.exitcode is not None, "the process still runs"
    return process.exitcode
