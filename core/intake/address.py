"""A bucket or another address as a source of files, for protocols that a setting names."""

from __future__ import annotations

from typing import Any

from core.errors import InputError, NotFound
from core.intake.entries import DEFAULT_LIMITS, Listed, check_file_size, check_total, too_many
from core.intake.limits import ArchiveLimits


class FsspecSource(Listed):
    """A tree behind an address that fsspec can read; made only for protocols a setting names."""

    def __init__(self, url: str, limits: ArchiveLimits = DEFAULT_LIMITS) -> None:
        """Connect to the address.

        Raises:
            InputError: fsspec has no reader for it, or it cannot be reached.
        """
        import fsspec

        super().__init__()
        self._url = url
        self._limits = limits
        try:
            self._system, self._root = fsspec.core.url_to_fs(url)
        except Exception as error:  # each protocol's library has its own errors
            raise InputError(f"'{url}' cannot be opened: {error}.") from error

    @property
    def origin(self) -> str:
        """Return the address."""
        return self._url

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
        check_file_size(path, len(data), self._limits)
        return data

    def _list(self) -> dict[str, int]:
        return self._sizes(self._found())

    def _found(self) -> dict[str, dict[str, Any]]:
        try:
            found: dict[str, dict[str, Any]] = self._system.find(self._root, detail=True)
        except Exception as error:
            raise NotFound(f"{self.origin} cannot be listed: {error}.") from error
        if len(found) > self._limits.max_entries:
            raise too_many(self.origin, self._limits)
        return found

    def _sizes(self, found: dict[str, dict[str, Any]]) -> dict[str, int]:
        entries: dict[str, int] = {}
        for full, detail in found.items():
            path = full.removeprefix(self._root).lstrip("/")
            if self._is_kept(path):
                entries[path] = int(detail.get("size") or 0)
        check_total(self.origin, sum(entries.values()), self._limits)
        return entries
