"""One analytics replica per process and workspace, brought up to date before it is read."""

from __future__ import annotations

import threading
from pathlib import Path

from core.analytics.replica import Replica
from core.services.workspace import Workspace

_lock = threading.Lock()
_replicas: dict[tuple[Path, str], Replica] = {}


def replica_of(ws: Workspace) -> Replica:
    """Return this process's replica of a workspace's record, holding all that was committed.

    Raises:
        StoreUnavailable: The record cannot be reached.
        StoreCorrupt: The record is damaged.
        LimitExceeded: The record is larger than the memory analytics may use.
    """
    key = (ws.root, ws.store.url.render_as_string(hide_password=True))
    with _lock:
        if key not in _replicas:
            _replicas[key] = Replica(ws.store, seconds=ws.settings.query_seconds)
        replica = _replicas[key]
    replica.catch_up()  # outside our lock: it has its own, and another workspace need not wait
    return replica


def forget_replicas() -> None:
    """Close every replica of this process; the next question makes a new one."""
    with _lock:
        for replica in _replicas.values():
            replica.close()
        _replicas.clear()
