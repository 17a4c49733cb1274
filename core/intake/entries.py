"""What a source lists: its files, which of them are left out, and how much there may be."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

from core.errors import LimitExceeded
from core.intake.limits import ArchiveLimits
from core.intake.names import name_fault

DEFAULT_LIMITS = ArchiveLimits()
_SYSTEM_NAMES = frozenset({"thumbs.db", "desktop.ini", "__macosx", "$recycle.bin"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a source: its POSIX path relative to the root, and its size."""

    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class RefusedEntry:
    """A file that is left out, and why."""

    path: str
    reason: str


class Source(Protocol):
    """A tree of files that can be listed and read."""

    @property
    def origin(self) -> str:
        """Where it is, for people: a path or an address."""

    @property
    def ignored(self) -> int:
        """How many hidden and system files were passed over."""

    @property
    def refused(self) -> tuple[RefusedEntry, ...]:
        """Files left out because of their name or because they are links out of the root."""

    def files(self) -> list[Entry]:
        """Return every file, sorted by path."""

    def read(self, path: str) -> bytes:
        """Return the bytes of a listed file."""


class Listed(ABC):
    """A source whose files are listed once, when they are first asked for."""

    def __init__(self) -> None:
        self._entries: dict[str, int] | None = None
        self._ignored = 0
        self._refused: list[RefusedEntry] = []

    @property
    @abstractmethod
    def origin(self) -> str:
        """Return where it is, for people."""

    @abstractmethod
    def _list(self) -> dict[str, int]:
        """Return the size of each file, and count what is passed over or left out."""

    @property
    def ignored(self) -> int:
        """Return how many hidden and system files were passed over."""
        self._listing()
        return self._ignored

    @property
    def refused(self) -> tuple[RefusedEntry, ...]:
        """Return the files left out, and why."""
        self._listing()
        return tuple(self._refused)

    def files(self) -> list[Entry]:
        """Return every file, sorted by path."""
        return [Entry(path, size) for path, size in sorted(self._listing().items())]

    def _listing(self) -> dict[str, int]:
        if self._entries is None:
            self._entries = self._list()
        return self._entries

    def _is_kept(self, path: str) -> bool:
        """Return whether a file is listed by its name; count it where it is not."""
        if any(is_hidden(part) for part in path.split("/")):
            self._ignored += 1
            return False
        if fault := name_fault(path):
            self._refused.append(RefusedEntry(path, fault))
            return False
        return True


def is_hidden(name: str) -> bool:
    """Return whether a file or folder name is hidden or belongs to an operating system."""
    return name.startswith(".") or name.lower() in _SYSTEM_NAMES


def too_many(origin: str, limits: ArchiveLimits) -> LimitExceeded:
    """Return what is said of a source with too many files."""
    return LimitExceeded(
        f"{origin} holds more than {limits.max_entries:,} files.", "Import it in parts."
    )


def check_total(origin: str, total_bytes: int, limits: ArchiveLimits) -> None:
    """Check that all files together are no larger than they may be.

    Raises:
        LimitExceeded: They are.
    """
    if total_bytes > limits.max_total_bytes:
        raise LimitExceeded(
            f"{origin} holds more than {limits.max_total_bytes:,} bytes.", "Import it in parts."
        )


def check_file_size(path: str, size_bytes: int, limits: ArchiveLimits) -> None:
    """Check that a file is no larger than one may be.

    Raises:
        LimitExceeded: It is.
    """
    if size_bytes > limits.max_file_bytes:
        raise LimitExceeded(f"'{path}' is larger than {limits.max_file_bytes:,} bytes.")
