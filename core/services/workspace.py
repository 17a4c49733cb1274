"""The workspace: one folder, its record, its settings. Everything else is reached through it."""

from __future__ import annotations

import os
import secrets
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.clock import Clock, system_clock
from core.errors import StoreCorrupt, StoreUnavailable
from core.settings import Settings, load_settings
from core.store.store import Store, open_store, sqlite_url

SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Workspace:
    """An open workspace.

    Attributes:
        root: Its folder.
        settings: Its settings.
        store: The record.
        clock: What time it is.
    """

    root: Path
    settings: Settings
    store: Store
    clock: Clock

    @property
    def images(self) -> Path:
        """Return the folder of image files that were copied in."""
        return self.root / "images"

    @property
    def runs(self) -> Path:
        """Return the folder of training runs."""
        return self.root / "runs"

    @property
    def versions(self) -> Path:
        """Return the folder of dataset versions."""
        return self.root / "versions"

    @property
    def cache(self) -> Path:
        """Return the folder of what can be computed again."""
        return self.root / "cache"

    def secret(self) -> bytes:
        """Return this installation's own secret, made on first use and readable by its owner only."""
        path = self.root / "secret"
        if not path.exists():
            fresh = path.with_name(f"secret.{os.getpid()}.{threading.get_ident()}")
            fresh.touch(mode=0o600)
            fresh.write_bytes(secrets.token_bytes(SECRET_BYTES))
            try:
                os.link(fresh, path)  # only the first of several processes wins
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        return path.read_bytes()


def open_workspace(folder: Path | None = None, clock: Clock = system_clock) -> Workspace:
    """Open a workspace, making it where there is none.

    Raises:
        StoreUnavailable: The folder cannot be made or written, or the record is of a newer version.
        StoreCorrupt: The record is damaged.
    """
    settings = load_settings(folder)
    root = settings.workspace.expanduser().absolute()
    try:
        for name in ("images", "runs", "versions", "cache", "incoming"):
            (root / name).mkdir(parents=True, exist_ok=True)
        root.chmod(0o700)
    except OSError as error:
        raise StoreUnavailable(
            f"The workspace {root} cannot be written: {error.strerror}.",
            "Choose another folder with --workspace or TIEBREAK_WORKSPACE, or mend its owner.",
        ) from error
    if not settings.database_url:
        _refuse_lost_record(root)
    return Workspace(root, settings, open_store(settings.database_url or sqlite_url(root)), clock)


def _refuse_lost_record(root: Path) -> None:
    """Refuse a folder that holds images but no record: an empty one must not take its place.

    Raises:
        StoreCorrupt: The record is missing or empty.
    """
    record = root / "tiebreak.db"
    empty = not record.exists() or record.stat().st_size == 0
    if empty and any((root / "images").iterdir()):
        raise StoreCorrupt(
            f"The workspace {root} has images but its record (tiebreak.db) is "
            f"{'empty' if record.exists() else 'missing'}; nothing was changed.",
            "Put back your last copy of tiebreak.db, or begin in another folder.",
        )


@lru_cache(maxsize=1)
def current_workspace() -> Workspace:
    """Return the workspace of this process, opened once from the environment's settings."""
    return open_workspace()
