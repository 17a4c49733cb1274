"""A ZIP archive as a source of files, read without ever being unpacked to disk."""

from __future__ import annotations

from pathlib import Path

from core.errors import NotFound
from core.intake.archive import ZipReader
from core.intake.entries import DEFAULT_LIMITS, Listed
from core.intake.limits import ArchiveLimits


class ZipSource(Listed):
    """A ZIP archive, read entry by entry without ever being unpacked to disk."""

    def __init__(self, path: Path, limits: ArchiveLimits = DEFAULT_LIMITS) -> None:
        """Open and check the archive.

        Raises:
            BadArchive: It is damaged, empty, encrypted or built to harm.
            LimitExceeded: It holds more than the limits allow.
        """
        super().__init__()
        self._path = path
        self._reader = ZipReader(path, limits)
        self._listing()  # now: what is wrong with an archive is said when it is opened

    @property
    def origin(self) -> str:
        """Return the archive's path."""
        return str(self._path)

    def read(self, path: str) -> bytes:
        """Return the bytes of a listed file.

        Raises:
            NotFound: It is not listed.
            BadArchive: Its checksum is wrong, or it is not what the directory says.
        """
        if path not in self._listing():
            raise NotFound(f"'{path}' is not in {self.origin}.")
        return self._reader.read(path)

    def _list(self) -> dict[str, int]:
        return {name: size for name, size in self._reader.entries() if self._is_kept(name)}
