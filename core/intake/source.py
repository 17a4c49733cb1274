"""A readable tree of files: a folder, a ZIP archive or, where a setting allows it, a bucket.

Nothing here writes, unpacks to disk or follows a link out of its root.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from core.errors import InputError, LimitExceeded, NotFound
from core.intake.archive import ZipReader, looks_like_zip
from core.intake.limits import ArchiveLimits
from core.intake.names import name_fault

DEFAULT_LIMITS = ArchiveLimits()
ANNOTATION_SUFFIXES = (".csv", ".tsv", ".json", ".xml", ".yaml", ".yml", ".txt", ".names")
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


def open_source(
    path_or_url: str | Path,
    limits: ArchiveLimits = DEFAULT_LIMITS,
    allowed_protocols: Sequence[str] = (),
) -> tuple[Source, str | None]:
    """Return the tree behind a path or address, and the one file that was meant, if one was.

    A folder or ZIP archive is the tree itself. A single annotation file stands in its folder:
    the tree is that folder and the second value names the file; import only what it names.
    A single image is a tree of one.

    Raises:
        NotFound: Nothing is there.
        InputError: The address has a protocol that no setting allows.
        BadArchive: The archive is damaged or hostile.
        LimitExceeded: There is more than the limits allow.
    """
    text = str(path_or_url)
    if "://" in text or "::" in text:
        return _open_address(text, limits, allowed_protocols)
    if "\x00" in text:
        raise InputError("The path holds a NUL character.")
    path = Path(text)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise NotFound(f"Nothing can be read at '{text}'.", "Check the path.") from error
    if stat.S_ISDIR(mode):
        return FolderSource(path, limits), None
    if not stat.S_ISREG(mode):
        raise InputError(f"'{text}' is neither a file nor a folder.")
    if looks_like_zip(path) or path.suffix.lower() == ".zip":
        return ZipSource(path, limits), None
    if path.suffix.lower() in ANNOTATION_SUFFIXES:
        return FolderSource(path.parent, limits, must_have=path.name), path.name
    return FolderSource(path.parent, limits, only=path.name), None


def _open_address(
    url: str, limits: ArchiveLimits, allowed_protocols: Sequence[str]
) -> tuple[Source, str | None]:
    protocol = url.partition("://")[0].lower()
    # "::" chains protocols, so that an allowed one could carry a forbidden one behind it.
    if "::" in url or protocol not in {p.lower() for p in allowed_protocols}:
        raise InputError(
            f"Addresses of kind '{protocol}' are not read.",
            "Copy the files to a folder, or name the protocol in the settings.",
        )
    return FsspecSource(url, limits), None


class FolderSource:
    """A folder on disk. Links are followed only as long as they stay inside it."""

    def __init__(
        self,
        root: Path,
        limits: ArchiveLimits = DEFAULT_LIMITS,
        only: str | None = None,
        must_have: str | None = None,
    ) -> None:
        """Take a folder.

        Args:
            root: The folder.
            limits: Bounds of the tree.
            only: The one file to list, at the top; None lists all.
            must_have: A file at the top that is listed even when hidden. Beside it the
                listing simply ends at the limit, for it may lie in a large folder by chance.
        """
        self._root = root.resolve()
        self._limits = limits
        self._only = only
        self._must_have = must_have
        self._entries: dict[str, int] | None = None
        self._ignored = 0
        self._refused: list[RefusedEntry] = []

    @property
    def origin(self) -> str:
        """Return the folder's path."""
        return str(self._root)

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

    def read(self, path: str) -> bytes:
        """Return the bytes of a listed file.

        Raises:
            NotFound: It is not listed, or has gone since.
            LimitExceeded: It is larger than a file may be.
        """
        if path not in self._listing():
            raise NotFound(f"'{path}' is not in {self.origin}.")
        try:
            # resolved again: the file may have become a link since it was listed
            target = (self._root / path).resolve(strict=True)
            if not target.is_relative_to(self._root):
                raise NotFound(f"'{path}' has become a link to a file outside {self.origin}.")
            with target.open("rb") as file:
                data = file.read(self._limits.max_file_bytes + 1)
        except OSError as error:
            raise NotFound(f"'{path}' can no longer be read: {error.strerror}.") from error
        _check_file_size(path, len(data), self._limits)
        return data

    def local_path(self, path: str) -> Path:
        """Return where a listed file lies on disk."""
        return self._root / path

    def _listing(self) -> dict[str, int]:
        if self._entries is None:
            entries: dict[str, int] = {}
            if self._must_have is not None:
                size = (self._root / self._must_have).stat().st_size
                entries[self._must_have] = size
            if self._only is not None:
                entries[self._only] = (self._root / self._only).stat().st_size
            else:
                self._walk(entries)
            self._entries = entries
        return self._entries

    def _walk(self, entries: dict[str, int]) -> None:
        total, seen = 0, 0
        for path, item in self._scan():
            seen += 1
            if seen > self._limits.max_entries:
                if self._must_have is not None:
                    return
                raise _too_many(self.origin, self._limits)
            if path in entries or (size := self._accepted(path, item)) is None:
                continue
            entries[path] = size
            total += size
            _check_total(self.origin, total, self._limits)

    def _scan(self) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """Yield (relative path, entry) of everything that is not a folder."""
        folders = [("", self._root)]
        while folders:
            prefix, folder = folders.pop()
            try:
                items = list(os.scandir(folder))
            except OSError as error:
                self._refused.append(RefusedEntry(prefix, f"cannot be read: {error.strerror}"))
                continue
            for item in items:
                path = f"{prefix}/{item.name}" if prefix else item.name
                if not item.is_dir(follow_symlinks=False):
                    yield path, item
                elif is_hidden(item.name):
                    self._ignored += 1
                else:
                    folders.append((path, folder / item.name))

    def _accepted(self, path: str, item: os.DirEntry[str]) -> int | None:
        """Return the size of a file that is taken, or None having noted why it is not."""
        if is_hidden(item.name):
            self._ignored += 1
            return None
        fault = name_fault(path) or self._link_fault(path, item)
        if fault is None:
            try:
                info = item.stat()
            except OSError as error:
                fault = f"cannot be read: {error.strerror}"
            else:
                if stat.S_ISREG(info.st_mode):
                    return info.st_size
                fault = "is not a regular file"
        # bytes of a name that are not UTF-8 would break whoever prints it
        printable = path.encode("utf-8", "backslashreplace").decode()
        self._refused.append(RefusedEntry(printable, fault))
        return None

    def _link_fault(self, path: str, item: os.DirEntry[str]) -> str | None:
        if not item.is_symlink():
            return None
        try:
            target = (self._root / path).resolve(strict=True)
        except (OSError, RuntimeError):
            return "is a link to nothing"
        if not target.is_relative_to(self._root):
            return "is a link to a file outside the folder"
        return "is a link to a folder" if target.is_dir() else None


class ZipSource:
    """A ZIP archive, read entry by entry without ever being unpacked to disk."""

    def __init__(self, path: Path, limits: ArchiveLimits = DEFAULT_LIMITS) -> None:
        """Open and check the archive.

        Raises:
            BadArchive: It is damaged, empty, encrypted or built to harm.
            LimitExceeded: It holds more than the limits allow.
        """
        self._path = path
        self._reader = ZipReader(path, limits)
        self._entries: dict[str, int] = {}
        self._ignored = 0
        self._refused: list[RefusedEntry] = []
        for name, size in self._reader.entries():
            if any(is_hidden(part) for part in name.split("/")):
                self._ignored += 1
            elif fault := name_fault(name):
                self._refused.append(RefusedEntry(name, fault))
            else:
                self._entries[name] = size

    @property
    def origin(self) -> str:
        """Return the archive's path."""
        return str(self._path)

    @property
    def ignored(self) -> int:
        """Return how many hidden and system files were passed over."""
        return self._ignored

    @property
    def refused(self) -> tuple[RefusedEntry, ...]:
        """Return the entries left out, and why."""
        return tuple(self._refused)

    def files(self) -> list[Entry]:
        """Return every file, sorted by path."""
        return [Entry(path, size) for path, size in sorted(self._entries.items())]

    def read(self, path: str) -> bytes:
        """Return the bytes of a listed file.

        Raises:
            NotFound: It is not listed.
            BadArchive: Its checksum is wrong, or it is not what the directory says.
        """
        if path not in self._entries:
            raise NotFound(f"'{path}' is not in {self.origin}.")
        return self._reader.read(path)


class FsspecSource:
    """A tree behind an address that fsspec can read; made only for protocols a setting names."""

    def __init__(self, url: str, limits: ArchiveLimits = DEFAULT_LIMITS) -> None:
        """Connect to the address.

        Raises:
            InputError: fsspec has no reader for it, or it cannot be reached.
        """
        import fsspec

        self._url = url
        self._limits = limits
        try:
            self._system, self._root = fsspec.core.url_to_fs(url)
        except Exception as error:  # each protocol's library has its own errors
            raise InputError(f"'{url}' cannot be opened: {error}.") from error
        self._entries: dict[str, int] | None = None
        self._ignored = 0
        self._refused: list[RefusedEntry] = []

    @property
    def origin(self) -> str:
        """Return the address."""
        return self._url

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

    def read(self, path: str) -> bytes:
        """Return the bytes of a listed file.

        Raises:
            NotFound: It is not listed, or cannot be fetched.
            LimitExceeded: It is larger than a file may be.
        """
        if path not in self._listing():
            raise NotFound(f"'{path}' is not in {self.origin}.")
        try:
            with self._system.open(f"{self._root.rstrip('/')}/{path}", "rb") as file:
                data: bytes = file.read(self._limits.max_file_bytes + 1)
        except Exception as error:
            raise NotFound(f"'{path}' cannot be fetched from {self.origin}: {error}.") from error
        _check_file_size(path, len(data), self._limits)
        return data

    def _listing(self) -> dict[str, int]:
        if self._entries is None:
            self._entries = self._listed(self._found())
        return self._entries

    def _found(self) -> dict[str, dict[str, Any]]:
        try:
            found: dict[str, dict[str, Any]] = self._system.find(self._root, detail=True)
        except Exception as error:
            raise NotFound(f"{self.origin} cannot be listed: {error}.") from error
        if len(found) > self._limits.max_entries:
            raise _too_many(self.origin, self._limits)
        return found

    def _listed(self, found: dict[str, dict[str, Any]]) -> dict[str, int]:
        entries: dict[str, int] = {}
        for full, detail in found.items():
            path = full.removeprefix(self._root).lstrip("/")
            if any(is_hidden(part) for part in path.split("/")):
                self._ignored += 1
            elif fault := name_fault(path):
                self._refused.append(RefusedEntry(path, fault))
            else:
                entries[path] = int(detail.get("size") or 0)
        _check_total(self.origin, sum(entries.values()), self._limits)
        return entries


def is_hidden(name: str) -> bool:
    """Return whether a file or folder name is hidden or belongs to an operating system."""
    return name.startswith(".") or name.lower() in _SYSTEM_NAMES


def _too_many(origin: str, limits: ArchiveLimits) -> LimitExceeded:
    return LimitExceeded(
        f"{origin} holds more than {limits.max_entries:,} files.", "Import it in parts."
    )


def _check_total(origin: str, total_bytes: int, limits: ArchiveLimits) -> None:
    if total_bytes > limits.max_total_bytes:
        raise LimitExceeded(
            f"{origin} holds more than {limits.max_total_bytes:,} bytes.", "Import it in parts."
        )


def _check_file_size(path: str, size_bytes: int, limits: ArchiveLimits) -> None:
    if size_bytes > limits.max_file_bytes:
        raise LimitExceeded(f"'{path}' is larger than {limits.max_file_bytes:,} bytes.")
