"""Folders, archives and addresses as trees of files."""

from __future__ import annotations

import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import BadArchive, InputError, LimitExceeded, NotFound
from core.intake import ArchiveLimits, FolderSource, ZipSource, open_source


@pytest.fixture
def folder(tmp_path):
    """Give a folder with two files, hidden ones and a file outside."""
    root = tmp_path / "root"
    (root / "b").mkdir(parents=True)
    (root / ".git").mkdir()
    (root / "b" / "2.txt").write_bytes(b"two")
    (root / "1.txt").write_bytes(b"one")
    (root / ".DS_Store").write_bytes(b"")
    (root / "Thumbs.db").write_bytes(b"")
    (root / ".git" / "config").write_bytes(b"")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    return root


def test_a_folder_lists_sorted_and_counts_what_it_ignores(folder):
    """Hidden and system files are passed over, and counted."""
    source, main = open_source(folder)
    assert main is None
    assert [(e.path, e.size_bytes) for e in source.files()] == [("1.txt", 3), ("b/2.txt", 3)]
    assert source.read("b/2.txt") == b"two"
    assert source.ignored == 3
    assert source.refused == ()


def test_links_are_followed_inside_the_folder_only(folder):
    """A link out of the root, to nothing or to a folder is refused by name."""
    (folder / "inside.txt").symlink_to(folder / "1.txt")
    (folder / "outside.txt").symlink_to(folder.parent / "secret.txt")
    (folder / "nothing.txt").symlink_to(folder / "gone.txt")
    (folder / "loop").symlink_to(folder)
    source = FolderSource(folder)
    assert [e.path for e in source.files()] == ["1.txt", "b/2.txt", "inside.txt"]
    assert {r.path for r in source.refused} == {"outside.txt", "nothing.txt", "loop"}


@pytest.mark.parametrize("path", ["../secret.txt", "/etc/hostname", "absent.txt", ".DS_Store", ""])
def test_only_listed_files_can_be_read(folder, path):
    """Reading takes a listed path, not just any path."""
    with pytest.raises(NotFound):
        FolderSource(folder).read(path)


def test_a_file_swapped_for_a_link_after_listing_is_not_followed_out(folder):
    """What was a file when listed and is a link out of the root when read is refused."""
    source = FolderSource(folder)
    source.files()
    (folder / "1.txt").unlink()
    (folder / "1.txt").symlink_to(folder.parent / "secret.txt")
    with pytest.raises(NotFound):
        source.read("1.txt")


def test_names_that_are_not_utf8_are_refused_and_can_be_printed(folder):
    """A name of other bytes is left out and shown with its bytes escaped."""
    (folder / "bad\udcff.jpg").write_bytes(b"")
    (refused,) = FolderSource(folder).refused
    assert "UTF-8" in refused.reason
    assert refused.path.encode()


def test_folder_limits(folder):
    """Count, bytes in all and bytes of one file are bounded."""
    with pytest.raises(LimitExceeded, match="more than 1 files"):
        FolderSource(folder, ArchiveLimits(max_entries=1)).files()
    with pytest.raises(LimitExceeded, match="5 bytes"):
        FolderSource(folder, ArchiveLimits(max_total_bytes=5)).files()
    with pytest.raises(LimitExceeded, match=r"1\.txt"):
        FolderSource(folder, ArchiveLimits(max_file_bytes=2)).read("1.txt")


def test_a_single_annotation_file_stands_in_its_folder(folder):
    """The tree is the file's folder, and the file is named; a huge folder does not matter."""
    (folder / "labels.csv").write_bytes(b"file,label\n")
    source, main = open_source(folder / "labels.csv")
    assert main == "labels.csv"
    assert {e.path for e in source.files()} == {"1.txt", "b/2.txt", "labels.csv"}
    source, _ = open_source(folder / "labels.csv", ArchiveLimits(max_entries=1))
    assert "labels.csv" in {e.path for e in source.files()}


def test_a_single_image_is_a_tree_of_one(folder):
    """Neighbours of a named image are not part of the import."""
    (folder / "photo.jpg").write_bytes(b"x")
    source, main = open_source(folder / "photo.jpg")
    assert main is None
    assert [e.path for e in source.files()] == ["photo.jpg"]


def test_zip_is_read_by_content_whatever_its_name(tmp_path):
    """An archive is found by its first bytes; hidden entries are counted, odd names refused."""
    path = tmp_path / "archive.bin"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("b/2.txt", "two")
        archive.writestr("1.txt", "one")
        archive.writestr("b/", "")
        archive.writestr("__MACOSX/._1.txt", "")
        archive.writestr(".DS_Store", "")
        archive.writestr("con.txt", "")
    source, main = open_source(path)
    assert isinstance(source, ZipSource)
    assert main is None
    assert [(e.path, e.size_bytes) for e in source.files()] == [("1.txt", 3), ("b/2.txt", 3)]
    assert source.read("b/2.txt") == b"two"
    assert source.ignored == 2
    assert [r.path for r in source.refused] == ["con.txt"]
    with pytest.raises(NotFound):
        source.read("con.txt")


def test_zip64_archives_are_read(tmp_path):
    """An archive with the large directory format is read like any other."""
    path = tmp_path / "large.zip"
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open("1.txt", "w", force_zip64=True) as file:
            file.write(b"one")
        archive.comment = b"a comment"
    assert open_source(path)[0].read("1.txt") == b"one"


def test_an_archive_can_be_read_from_several_threads(tmp_path):
    """Eight threads reading all entries get the right bytes each."""
    path = tmp_path / "a.zip"
    bodies = {f"{i}.bin": bytes([i]) * (10_000 + i) for i in range(50)}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in bodies.items():
            archive.writestr(name, body)
    source, _ = open_source(path)
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            assert dict(zip(bodies, pool.map(source.read, bodies), strict=True)) == bodies


def test_zip_limits(tmp_path):
    """Entries, bytes of one file, bytes in all and ratio are bounded."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1", b"0" * 10_000)
        archive.writestr("2", b"0" * 10_000)
    for limits in (
        ArchiveLimits(max_entries=1),
        ArchiveLimits(max_file_bytes=9_999),
        ArchiveLimits(max_total_bytes=19_999),
        ArchiveLimits(max_ratio=100, ratio_from_bytes=10_000),
    ):
        with pytest.raises(LimitExceeded):
            open_source(path, limits)
    assert len(open_source(path)[0].files()) == 2


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1/x.zip", "https://example.org/a", "ftp://h/a", "file:///etc", "s3://b/p",
     "memory://x", "simplecache::http://h/a", "memory://x::http://h/a"],
)  # fmt: skip
def test_addresses_are_refused_unless_a_setting_names_their_protocol(address):
    """No address is read by default, and chained ones never are."""
    with pytest.raises(InputError, match="not read"):
        open_source(address)
    if "::" in address:
        with pytest.raises(InputError, match="not read"):
            open_source(address, allowed_protocols=("simplecache", "memory"))


def test_an_allowed_protocol_is_read_through_fsspec():
    """A bucket lists and reads like a folder."""
    import fsspec

    system = fsspec.filesystem("memory")
    for name in ("1.txt", "b/2.txt", ".hidden", "b/aux.txt"):
        system.pipe(f"/bucket/{name}", b"data")
    try:
        source, _ = open_source("memory://bucket", allowed_protocols=("memory",))
        assert [(e.path, e.size_bytes) for e in source.files()] == [("1.txt", 4), ("b/2.txt", 4)]
        assert source.read("b/2.txt") == b"data"
        assert source.ignored == 1
        assert [r.path for r in source.refused] == ["b/aux.txt"]
        with pytest.raises(NotFound):
            source.read("b/aux.txt")
        with pytest.raises(LimitExceeded):
            open_source("memory://bucket", ArchiveLimits(max_entries=2), ("memory",))[0].files()
    finally:
        system.rm("/bucket", recursive=True)


def test_what_is_not_there_is_said_so(tmp_path):
    """A missing path, a NUL and a device are refused with a sentence."""
    with pytest.raises(NotFound, match="Nothing can be read"):
        open_source(tmp_path / "absent")
    with pytest.raises(InputError, match="NUL"):
        open_source("a\x00b")
    with pytest.raises(InputError, match="neither"):
        open_source("/dev/null")


def test_an_archive_damaged_in_one_entry_still_gives_the_others(tmp_path):
    """A wrong checksum costs that entry, with its name in the message."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("good.txt", b"good")
        archive.writestr("bad.txt", b"bad content")
    path.write_bytes(path.read_bytes().replace(b"bad content", b"BAD content"))
    source, _ = open_source(path)
    assert source.read("good.txt") == b"good"
    with pytest.raises(BadArchive, match=r"bad\.txt"):
        source.read("bad.txt")
