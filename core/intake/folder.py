"""A folder on disk as a source of files."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from core.errors import NotFound
from core.intake.entries import (
    DEFAULT_LIMITS,
    Listed,
    RefusedEntry,
    check_file_size,
    check_total,
    is_hidden,
    too_many,
)
from core.intake.limits import ArchiveLimits
from core.intake.names import name_fault


class FolderSource(Listed):
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
        super().__init__()
        self._root = root.resolve()
        self._limits = limits
        self._only = only
        self._must_have = must_have

    @property
    def origin(self) -> str:
        """Return the folder's path."""
        return str(self._root)

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
        check_file_size(path, len(data), self._limits)
        return data

    def local_path(self, path: str) -> Path:
        """Return where a listed file lies on disk."""
        return self._root / path

    def _list(self) -> dict[str, int]:
        entries: dict[str, int] = {}
        if self._must_have is not None:
            entries[self._must_have] = (self._root / self._must_have).stat().st_size
        if self._only is not None:
            entries[self._only] = (self._root / self._only).stat().st_size
        else:
            self._walk(entries)
        return entries

    def _walk(self, entries: dict[str, int]) -> None:
        total, seen = 0, 0
        for path, item in self._scan():
            seen += 1
            if seen > self._limits.max_entries:
                if self._must_have is not None:
                    return
                raise too_many(self.origin, self._limits)
            if path in entries or (size := self._accepted(path, item)) is None:
                continue
            entries[path] = size
            total += size
            check_total(self.origin, total, self._limits)

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
