"""Names of files: which are safe, and which item a name in an annotation means."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

MAX_COMPONENT_BYTES = 255
MAX_PATH_BYTES = 4096

_DEVICE = re.compile(r"^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)
_DRIVE = re.compile(r"^[A-Za-z]:")
# Characters that turn the reading direction: "photo\u202egpj.exe" reads as "photoexe.jpg".
_DIRECTION = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def escape_fault(path: str) -> str | None:
    """Return why a relative path could leave its root, or None if it cannot."""
    if "\x00" in path:
        return "the name holds a NUL character"
    if "\\" in path:
        return "the name holds a backslash"
    if path.startswith("/") or _DRIVE.match(path):
        return "the name is an absolute path"
    if ".." in path.split("/"):
        return "the name leads out of its folder with '..'"
    return None


def name_fault(path: str) -> str | None:
    """Return why a relative POSIX path is not accepted as an item's name, or None if it is.

    Refused are names that could leave the root, that some system cannot store, or that read
    as something else: control and direction characters, device names, names over 255 bytes.
    Any letters, spaces and emoji are fine.
    """
    return escape_fault(path) or _character_fault(path) or _component_fault(path.split("/"))


def _character_fault(path: str) -> str | None:
    if path.isascii() and path.isprintable():
        return None
    for character in path:
        if character in _DIRECTION:
            return "the name holds a character that turns the reading direction"
        category = unicodedata.category(character)
        if category == "Cs":
            return "the name is not valid UTF-8"
        if category in ("Cc", "Zl", "Zp"):
            return "the name holds a control character or line break"
    return None


def _component_fault(components: list[str]) -> str | None:
    if any(len(c.encode()) > MAX_COMPONENT_BYTES for c in components):
        return f"the name is longer than {MAX_COMPONENT_BYTES} bytes"
    if sum(len(c.encode()) + 1 for c in components) > MAX_PATH_BYTES:
        return f"the path is longer than {MAX_PATH_BYTES} bytes"
    if any(c in ("", ".") for c in components):
        return "the path has an empty part"
    if any(_DEVICE.match(c) for c in components):
        return "the name is a device name on Windows"
    return None


@dataclass(frozen=True, slots=True)
class Match:
    """What a name led to.

    Attributes:
        name: The known name, or None.
        reason: Where there is none: why, as a part of a sentence.
    """

    name: str | None
    reason: str = ""


class NameIndex:
    """Known names, found again by what an annotation calls them.

    A name is found by exact match; else by path suffix in either direction, whole
    components only, if exactly one known name fits ('images/daisy/x.jpg' finds 'daisy/x.jpg',
    'x.jpg' finds 'images/x.jpg'); else the same without the file extension ('x.tif', or 'x'
    from a label file, finds 'images/x.png'). Backslashes, './', drive letters and a leading
    '/' are overlooked, and composed and decomposed accents are the same.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._exact: dict[str, str] = {}
        for name in names:
            self._exact.setdefault(_key(name), name)
        self._full = _Suffixes(self._exact)
        self._stems: _Suffixes | None = None

    def __len__(self) -> int:
        return len(self._exact)

    def resolve(self, name: str) -> str | None:
        """Return the one known name that is meant, or None."""
        return self.find(name).name

    def find(self, name: str) -> Match:
        """Return the one known name that is meant, or why there is none."""
        key = _key(name)
        if key in self._exact:
            return Match(self._exact[key])
        path = _relative(key)
        if path is None:
            return Match(None, "the name leads out of its folder with '..'")
        found = self._full.find(path)
        if not found:
            found = self._stem_index().find(_without_suffix(path))
        if len(found) == 1:
            return Match(self._exact[found[0]])
        if found:
            shown = ", ".join(sorted(found)[:3])
            return Match(None, f"several images could be meant ({shown})")
        return Match(None, "no image of that name is known")

    def _stem_index(self) -> _Suffixes:
        if self._stems is None:
            self._stems = _Suffixes(self._exact, cut_extension=True)
        return self._stems


class _Suffixes:
    """Every suffix of every known path, whole components, to at most two paths that have it."""

    def __init__(self, keys: Iterable[str], cut_extension: bool = False) -> None:
        self._by_suffix: dict[str, tuple[str, ...]] = {}
        self._whole: dict[str, tuple[str, ...]] = {}
        for key in keys:
            path = _without_suffix(key) if cut_extension else key
            _append(self._whole, path, key)
            for suffix in _suffixes(path):
                _append(self._by_suffix, suffix, key)

    def find(self, path: str) -> tuple[str, ...]:
        """Return the paths that fit: the whole path first, then as a suffix either way."""
        if path in self._whole:
            return self._whole[path]
        found = dict.fromkeys(self._by_suffix.get(path, ()))
        for suffix in _suffixes(path):
            found.update(dict.fromkeys(self._whole.get(suffix, ())))
        return tuple(found)


def _append(table: dict[str, tuple[str, ...]], suffix: str, key: str) -> None:
    # Three are enough to say "several"; more would make a million 'image.jpg' quadratic.
    known = table.get(suffix, ())
    if len(known) < 3:
        table[suffix] = (*known, key)


def _suffixes(path: str) -> list[str]:
    found = [path]
    while "/" in path:
        path = path.partition("/")[2]
        found.append(path)
    return found


def _without_suffix(path: str) -> str:
    folder, slash, base = path.rpartition("/")
    stem, dot, _ = base.rpartition(".")
    return f"{folder}{slash}{stem}" if dot and stem else path


def _key(name: str) -> str:
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def _relative(path: str) -> str | None:
    """Return the path without drive, root, '.' and empty parts; None if it has '..'."""
    parts = _DRIVE.sub("", path.replace("\\", "/")).split("/")
    if ".." in parts:
        return None
    return "/".join(p for p in parts if p not in ("", "."))
