"""The files of a tree, and which image an annotation in it means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from core.errors import InputError, LimitExceeded
from core.formats.text import decode_text

# Parsing 150 MB of JSON takes about 1 GB of memory; larger sets come in parts.
MAX_ANNOTATION_BYTES = 150_000_000

IMAGE_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff")
)


class Entry(Protocol):
    """One file of a tree."""

    @property
    def path(self) -> str:
        """POSIX path relative to the root."""

    @property
    def size_bytes(self) -> int:
        """Length of the file."""


class Tree(Protocol):
    """The files annotations are read from; `core.intake` makes them."""

    @property
    def origin(self) -> str:
        """Where it is, for people."""

    def files(self) -> Sequence[Entry]:
        """Return every file, sorted by path."""

    def read(self, path: str) -> bytes:
        """Return the bytes of a listed file."""


def suffix_of(path: str) -> str:
    """Return the file extension in lower case, with its dot."""
    base = path.rpartition("/")[2]
    stem, dot, extension = base.rpartition(".")
    return f".{extension.lower()}" if dot and stem else ""


def without_suffix(path: str) -> str:
    """Return the path without its file extension."""
    extension = suffix_of(path)
    return path[: -len(extension)] if extension else path


class Listing:
    """A tree, listed once: its images, its other files, and finding the one from the other.

    Attributes:
        origin: Where the tree is, for people.
        images: Every file with the extension of an image, sorted.
        main_file: The one annotation file to read, or None for all.
    """

    def __init__(self, tree: Tree, main_file: str | None = None) -> None:
        """List the tree.

        Raises:
            InputError: The main file is not in it.
        """
        self._tree = tree
        self._sizes = {e.path: e.size_bytes for e in tree.files()}
        if main_file is not None and main_file not in self._sizes:
            raise InputError(f"'{main_file}' is not in {tree.origin}.")
        self.origin = tree.origin
        self.main_file = main_file
        self._by_suffix: dict[str, list[str]] = {}
        for path in self._sizes:
            self._by_suffix.setdefault(suffix_of(path), []).append(path)
        self.images = tuple(sorted(p for s in IMAGE_SUFFIXES for p in self._by_suffix.get(s, ())))
        self._known = frozenset(self.images)
        self._index: _Index | None = None  # made when a name is not a path: seldom

    def __contains__(self, path: str) -> bool:
        return path in self._sizes

    def with_suffix(self, *suffixes: str, everywhere: bool = False) -> tuple[str, ...]:
        """Return the files with one of the extensions; the main file alone where there is one.

        Args:
            suffixes: Lower case, with the dot.
            everywhere: Look beside the main file too (for lists of class names).
        """
        if self.main_file is not None and not everywhere:
            return (self.main_file,) if suffix_of(self.main_file) in suffixes else ()
        return tuple(sorted(p for s in suffixes for p in self._by_suffix.get(s, ())))

    def size(self, path: str) -> int:
        """Return the length of a file in bytes."""
        return self._sizes[path]

    def read(self, path: str, max_bytes: int = MAX_ANNOTATION_BYTES) -> bytes:
        """Return the bytes of an annotation file.

        Raises:
            LimitExceeded: It is larger than annotations may be.
        """
        data = self._tree.read(path) if self._sizes[path] <= max_bytes else None
        if data is None or len(data) > max_bytes:
            raise LimitExceeded(
                f"{path} is larger than the {max_bytes:,} bytes an annotation file may have.",
                "Split it and import the parts.",
            )
        return data

    def text(self, path: str, max_bytes: int = MAX_ANNOTATION_BYTES) -> str:
        """Return the text of an annotation file.

        Raises:
            LimitExceeded: It is larger than annotations may be.
            UnreadableFile: It is not text.
        """
        return decode_text(self.read(path, max_bytes), path)

    def image_named(self, name: str, origin: str) -> str | None:
        """Return the one image that an annotation file calls so, or None.

        Tried in turn: the very path; the path from the annotation's folder; the file name,
        then the name without extension, in the folder most like the annotation's own.
        """
        if name in self._known:
            return name
        folder = origin.rpartition("/")[0]
        if folder and f"{folder}/{name}" in self._known:
            return f"{folder}/{name}"
        index = self._indexed()
        base = name.rpartition("/")[2]
        near = index.by_base.get(base) or index.by_stem.get(without_suffix(base), [])
        fitting = [p for p in near if p.endswith(f"/{name}")] or near
        return _closest(fitting, origin)

    def image_beside(self, origin: str) -> str | None:
        """Return the one image with the same name, but for the extension, as the annotation."""
        stem = without_suffix(origin)
        folder, _, base = stem.rpartition("/")
        index = self._indexed()
        near = index.by_place.get((folder.rpartition("/")[2], base))
        return _closest(near or index.by_stem.get(base, []), origin)

    def _indexed(self) -> _Index:
        if self._index is None:
            self._index = _Index(self.images)
        return self._index


class _Index:
    """Images by file name, by name without extension, and by that and their folder."""

    def __init__(self, images: Sequence[str]) -> None:
        self.by_base: dict[str, list[str]] = {}
        self.by_stem: dict[str, list[str]] = {}
        self.by_place: dict[tuple[str, str], list[str]] = {}
        for path in images:
            folder, _, base = path.rpartition("/")
            stem = without_suffix(base)
            self.by_base.setdefault(base, []).append(path)
            self.by_stem.setdefault(stem, []).append(path)
            self.by_place.setdefault((folder.rpartition("/")[2], stem), []).append(path)


def _closest(paths: list[str], origin: str) -> str | None:
    """Return the path that shares most folders with the origin, if one alone does."""
    if len(paths) <= 1:
        return paths[0] if paths else None
    folders = set(origin.split("/")[:-1])
    shared = [len(folders & set(p.split("/")[:-1])) for p in paths]
    best = max(shared)
    return paths[shared.index(best)] if shared.count(best) == 1 else None
