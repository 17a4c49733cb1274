"""ZIP archives from strangers, read entry by entry in memory, within limits.

Python's `zipfile` does the decoding; what it trusts is checked here first. Never `extractall`.
"""

from __future__ import annotations

import os
import stat
import struct
import threading
import zipfile
from pathlib import Path
from typing import BinaryIO

from core.errors import BadArchive, LimitExceeded
from core.intake.limits import ArchiveLimits
from core.intake.names import escape_fault

_LOCAL, _CENTRAL, _END, _END64_PLACE, _END64 = (
    b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x07", b"PK\x06\x06",
)  # fmt: skip
_END_BYTES, _PLACE_BYTES, _END64_BYTES, _CENTRAL_BYTES, _LOCAL_BYTES = 22, 20, 56, 46, 30
_MAX_COMMENT_BYTES = 65_535
_CHUNK_BYTES = 1 << 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_AGAIN = "Pack the files again and import the new archive; nothing was imported."


def looks_like_zip(path: Path) -> bool:
    """Return whether the file starts as a ZIP archive does."""
    with path.open("rb") as file:
        return file.read(4) in (_LOCAL, _END)


class ZipReader:
    """A checked ZIP archive. Reading is safe from several threads."""

    def __init__(self, path: Path, limits: ArchiveLimits) -> None:
        """Open the archive and check its directory.

        Raises:
            BadArchive: It is cut off, damaged, empty, encrypted, or has names, links or
                overlapping entries that only an attack has.
            LimitExceeded: It holds more, or packs denser, than the limits allow.
        """
        self._name = path.name
        self._limits = limits
        self._lock = threading.Lock()
        try:
            with path.open("rb") as file:
                self._check_directory(file)
            self._zip = zipfile.ZipFile(path)
        except (BadArchive, LimitExceeded):
            raise
        except Exception as error:  # zipfile fed hostile bytes raises many kinds
            raise self._damaged(error) from error
        try:
            self._infos = self._checked_entries(path.stat().st_size)
        except BaseException:
            self._zip.close()
            raise

    def entries(self) -> list[tuple[str, int]]:
        """Return (path, unpacked bytes) of every file, in archive order."""
        return [(name, info.file_size) for name, info in self._infos.items()]

    def read(self, path: str) -> bytes:
        """Return one entry, unpacked; never more bytes than the directory says.

        Raises:
            BadArchive: The data is damaged or does not fit its directory entry.
        """
        info = self._infos[path]
        parts, size = [], 0
        try:
            with self._lock:  # zipfile's count of open entries is not safe between threads
                stream = self._zip.open(info)
            try:
                while chunk := stream.read(_CHUNK_BYTES):
                    parts.append(chunk)
                    size += len(chunk)
            finally:
                with self._lock:
                    stream.close()
        except Exception as error:
            raise BadArchive(
                f"'{path}' in {self._name} is damaged: {_first_line(error)}.", _AGAIN
            ) from error
        if size != info.file_size:
            raise BadArchive(
                f"'{path}' in {self._name} has {size:,} bytes, its header says {info.file_size:,}.",
                _AGAIN,
            )
        return b"".join(parts)

    def close(self) -> None:
        """Close the archive."""
        self._zip.close()

    def _check_directory(self, file: BinaryIO) -> None:
        """Count directory entries before `zipfile` loads them all; its count field may lie."""
        offset, size = _directory_place(file)
        # 46 fixed bytes, and names of a reasonable length, per entry
        if size > self._limits.max_entries * (_CENTRAL_BYTES + 1024):
            raise self._too_many()
        file.seek(offset)
        directory = file.read(size)
        position, count = 0, 0
        while directory[position : position + 4] == _CENTRAL:
            fields = directory[position + 28 : position + 34]
            if len(fields) < 6:
                break
            position += _CENTRAL_BYTES + sum(struct.unpack("<3H", fields))
            count += 1
            if count > self._limits.max_entries:
                raise self._too_many()

    def _checked_entries(self, archive_bytes: int) -> dict[str, zipfile.ZipInfo]:
        infos = self._zip.infolist()
        self._check_overlap(infos, archive_bytes)
        kept: dict[str, zipfile.ZipInfo] = {}
        folded: dict[str, str] = {}
        for info in infos:
            self._check_entry(info)
            if info.is_dir():
                continue
            earlier = folded.setdefault(info.filename.casefold(), info.filename)
            if info.filename in kept or earlier != info.filename:
                raise BadArchive(
                    f"{self._name} holds '{info.filename}' and '{earlier}', which are one file "
                    "on some systems.",
                    f"Rename one. {_AGAIN}",
                )
            kept[info.filename] = info
        if not kept:
            raise BadArchive(f"{self._name} holds no files.", _AGAIN)
        self._check_total(sum(i.file_size for i in kept.values()), archive_bytes)
        return kept

    def _check_entry(self, info: zipfile.ZipInfo) -> None:
        name = info.orig_filename
        # NUL: zipfile cuts the name there, so what is checked and what is meant would differ
        if fault := escape_fault(name):
            raise BadArchive(f"Entry {name[:100]!r} of {self._name} is refused: {fault}.", _AGAIN)
        if stat.S_ISLNK(info.external_attr >> 16):
            raise BadArchive(f"Entry '{name[:100]}' of {self._name} is a link.", _AGAIN)
        if info.flag_bits & 0x1:
            raise BadArchive(f"{self._name} is encrypted ('{name[:100]}').", _AGAIN)
        if info.compress_type not in _METHODS:
            raise BadArchive(
                f"'{name[:100]}' in {self._name} is packed by method {info.compress_type}; "
                "only stored and deflated entries are read.",
                _AGAIN,
            )
        if info.file_size > self._limits.max_file_bytes:
            raise LimitExceeded(
                f"'{name[:100]}' in {self._name} unpacks to {info.file_size:,} bytes, at most "
                f"{self._limits.max_file_bytes:,} are allowed."
            )
        self._check_ratio(f"'{name[:100]}' in {self._name}", info.file_size, info.compress_size)

    def _check_ratio(self, what: str, unpacked: int, packed: int) -> None:
        if unpacked < self._limits.ratio_from_bytes:
            return
        if unpacked > self._limits.max_ratio * max(1, packed):
            raise LimitExceeded(
                f"{what} unpacks to {unpacked / max(1, packed):,.0f} times its size, at most "
                f"{self._limits.max_ratio:,.0f} times is allowed.",
                "If it is genuine, unpack it and import the folder.",
            )

    def _check_total(self, total: int, archive_bytes: int) -> None:
        if total > self._limits.max_total_bytes:
            raise LimitExceeded(
                f"{self._name} unpacks to {total:,} bytes, at most "
                f"{self._limits.max_total_bytes:,} are allowed.",
                "Import it in parts.",
            )
        self._check_ratio(self._name, total, archive_bytes)

    def _check_overlap(self, infos: list[zipfile.ZipInfo], archive_bytes: int) -> None:
        """Refuse entries that share bytes: a few kilobytes can unpack to petabytes that way."""
        end = 0
        for info in sorted(infos, key=lambda i: i.header_offset):
            if info.header_offset < end:
                raise BadArchive(
                    f"Entry '{info.filename[:100]}' of {self._name} overlaps another.", _AGAIN
                )
            end = info.header_offset + _LOCAL_BYTES + info.compress_size
        if end > archive_bytes:
            raise BadArchive(f"{self._name} is cut off: an entry ends behind its end.", _AGAIN)

    def _too_many(self) -> LimitExceeded:
        return LimitExceeded(
            f"{self._name} holds more than {self._limits.max_entries:,} entries.",
            "Import it in parts.",
        )

    def _damaged(self, error: Exception) -> BadArchive:
        return BadArchive(f"{self._name} is damaged or cut off: {_first_line(error)}.", _AGAIN)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200] or type(error).__name__


def _directory_place(file: BinaryIO) -> tuple[int, int]:
    """Return (offset, bytes) of the central directory, found where `zipfile` will find it.

    Raises:
        zipfile.BadZipFile: There is no end record, so the archive was cut off.
    """
    length = file.seek(0, os.SEEK_END)
    tail_start = max(0, length - _END_BYTES - _MAX_COMMENT_BYTES)
    file.seek(tail_start)
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        raise zipfile.BadZipFile("its end is missing")
    (size,) = struct.unpack("<L", tail[at + 12 : at + 16])
    # The directory ends where the end records start; bytes may stand before the archive.
    end = tail_start + at
    large = end - _PLACE_BYTES - _END64_BYTES
    if large >= 0:
        file.seek(large)
        record = file.read(_END64_BYTES + _PLACE_BYTES)
        if record.startswith(_END64) and record[_END64_BYTES:].startswith(_END64_PLACE):
            (size,) = struct.unpack("<Q", record[40:48])
            end = large
    if size > end:
        raise zipfile.BadZipFile("its directory is larger than the archive")
    return end - size, size
