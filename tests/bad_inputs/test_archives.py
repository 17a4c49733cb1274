"""B24 to B37: broken and hostile ZIP archives."""

from __future__ import annotations

import io
import stat
import struct
import time
import tracemalloc
import warnings
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadArchive, InputError, LimitExceeded
from core.intake import ArchiveLimits, ZipSource, open_source
from core.intake.names import name_fault
from tests.bad_inputs.outcomes import outcome


def archive(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return an archive with these entries, names as they are."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # duplicate names are what we want
        for name, data in entries:
            info = zipfile.ZipInfo(name)
            info.filename = name  # zipfile would tidy it
            info.compress_type = method
            file.writestr(info, data)
    return out.getvalue()


def link() -> bytes:
    """Return an archive with a symbolic link to /etc/passwd."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        info = zipfile.ZipInfo("x.jpg")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(info, "/etc/passwd")
    return out.getvalue()


def encrypted() -> bytes:
    """Return an archive whose entry says that it is encrypted."""
    data = bytearray(archive(("x.txt", b"data")))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    data[data.index(b"PK\x03\x04") + 6] |= 1
    return bytes(data)


def lying_size(claimed: int) -> bytes:
    """Return an archive whose directory claims another unpacked size."""
    data = bytearray(archive(("x.txt", b"0123456789" * 100)))
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<L", claimed)
    return bytes(data)


def overlapping(count: int) -> bytes:
    """Return an archive in which all entries share one body (the quoted-overlap bomb)."""
    one = archive(("0.txt", b"\x00" * 100_000))
    start = one.index(b"PK\x01\x02")
    end = one.index(b"PK\x05\x06")
    directory = one[start:end] * count
    return (
        one[:start]
        + directory
        + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(directory), start, 0)
    )


def many_entries(count: int, claimed: int) -> bytes:
    """Return a directory of so many entries, with an end record that claims another count."""
    entry = struct.pack(
        "<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0
    )
    directory = (entry + b"a") * count
    start = archive(("a", b""))[:31]
    return (
        start
        + directory
        + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, claimed, claimed, len(directory), 31, 0)
    )


def nested(depth: int) -> bytes:
    """Return an archive in an archive in an archive, of zeros."""
    data = b"\x00" * 10_000_000
    for i in range(depth):
        data = archive((f"{i}.zip" if i else "zeros", data))
    return data


GOOD = archive(("a.txt", b"a" * 100), ("b.txt", b"b" * 100))

REFUSED = {
    "B24-truncated": (lambda: GOOD[:-30], BadArchive),
    "B24-truncated-in-data": (lambda: GOOD[:60], BadArchive),
    "B24-only-a-start": (lambda: b"PK\x03\x04", BadArchive),
    "B26-parent": (lambda: archive(("../x.jpg", b"")), BadArchive),
    "B26-parent-inside": (lambda: archive(("a/../../x.jpg", b"")), BadArchive),
    "B26-absolute": (lambda: archive(("/etc/x.jpg", b"")), BadArchive),
    "B26-drive": (lambda: archive(("C:/x.jpg", b"")), BadArchive),
    "B27-backslash": (lambda: archive(("..\\x.jpg", b"")), BadArchive),
    "B27-nul": (lambda: archive(("x.jpg\x00.txt", b"")), BadArchive),
    "B28-link": (link, BadArchive),
    "B29-ratio": (lambda: archive(("zeros", b"\x00" * 50_000_000)), LimitExceeded),
    "B30-overlap": (lambda: overlapping(1000), BadArchive),
    "B31-entries": (lambda: many_entries(1_000_000, 16_960), LimitExceeded),
    "B31-entries-claimed-few": (lambda: many_entries(600_000, 1), LimitExceeded),
    "B32-duplicate": (lambda: archive(("x.txt", b"1"), ("x.txt", b"2")), BadArchive),
    "B33-case": (lambda: archive(("x.txt", b"1"), ("X.TXT", b"2")), BadArchive),
    "B34-encrypted": (encrypted, BadArchive),
    "B36-empty": (archive, BadArchive),
    "B36-only-folders": (lambda: archive(("a/", b"")), BadArchive),
    "B29-bzip2": (lambda: archive(("x", b"1"), method=zipfile.ZIP_BZIP2), BadArchive),
    "B29-lzma": (lambda: archive(("x", b"1"), method=zipfile.ZIP_LZMA), BadArchive),
}  # fmt: skip


@pytest.fixture
def stored(tmp_path):
    """Give a function that stores bytes as an archive and returns its path."""

    def store(data: bytes):
        path = tmp_path / "upload.zip"
        path.write_bytes(data)
        return path

    return store


@pytest.mark.parametrize("row", REFUSED)
def test_a_bad_archive_is_refused_with_a_sentence(row, stored):
    """It is refused on opening, quickly, in bounded memory, by name."""
    make, error = REFUSED[row]
    path = stored(make())
    tracemalloc.start()
    start = time.process_time()
    try:
        with pytest.raises(error) as caught:
            open_source(path)
        spent = time.process_time() - start
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "upload.zip" in caught.value.message
    assert spent < 5
    assert peak < 100_000_000


def test_b25_a_wrong_checksum_costs_that_entry_only(stored):
    """The damaged entry is named, the other is read."""
    data = archive(("a.txt", b"a" * 100), ("b.txt", b"b" * 100), method=zipfile.ZIP_STORED)
    source, _ = open_source(stored(data.replace(b"b" * 100, b"c" * 100)))
    assert source.read("a.txt") == b"a" * 100
    with pytest.raises(BadArchive, match=r"b\.txt"):
        source.read("b.txt")


def test_b30_an_archive_within_is_a_file_like_any_other(stored):
    """Nothing is unpacked twice, so a nested bomb never goes off."""
    limits = ArchiveLimits(max_ratio=5000)
    source, _ = open_source(stored(nested(2)), limits)
    assert [e.path for e in source.files()] == ["1.zip"]
    assert len(source.read("1.zip")) < 20_000


@pytest.mark.parametrize("claimed", [0, 1, 999, 1001, 900_000_000])
def test_b35_a_lying_size_is_found_and_never_exceeded(claimed, stored):
    """An entry that is not as long as the directory says is refused on reading or before."""
    path = stored(lying_size(claimed))
    with pytest.raises(InputError):
        open_source(path)[0].read("x.txt")


def test_b37_hidden_and_system_files_are_ignored_and_counted(stored):
    """What operating systems leave behind is no error."""
    names = ("__MACOSX/._x.jpg", ".DS_Store", "a/Thumbs.db", "a/desktop.ini", "a/.git/config")
    source, _ = open_source(stored(archive(*((n, b"") for n in names), ("a/x.jpg", b"1"))))
    assert [e.path for e in source.files()] == ["a/x.jpg"]
    assert source.ignored == 5


def read_all(source: ZipSource) -> None:
    """Read every entry: its name is one we take, and it is as long as was said."""
    for entry in source.files():
        assert name_fault(entry.path) is None
        assert len(source.read(entry.path)) == entry.size_bytes


@given(st.binary(max_size=400), st.integers(0, 3))
@settings(max_examples=150, deadline=None)
def test_arbitrary_bytes_are_an_archive_or_an_input_error(tmp_path_factory, data, kind):
    """Raw bytes, bytes behind a start, before an end, or over a good archive."""
    good = bytearray(GOOD)
    if kind == 3:
        for i, value in enumerate(data):
            good[(i * 31 + value) % len(good)] = value
    made = (data, b"PK\x03\x04" + data, data + GOOD[-22:], bytes(good))[kind]
    path = tmp_path_factory.mktemp("zips") / "x.zip"
    path.write_bytes(made)
    outcome(lambda: read_all(ZipSource(path)))
    assert path.read_bytes() == made
    assert [p.name for p in path.parent.iterdir()] == ["x.zip"]
