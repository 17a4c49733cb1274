"""A tree of files in memory, for tests of the formats."""

from __future__ import annotations

from core.formats import Parsed, parse
from core.intake import Entry


class MemoryTree:
    """Files by path. Text is stored as UTF-8."""

    origin = "memory"

    def __init__(self, files: dict[str, bytes | str]) -> None:
        self._files = {
            path: data.encode() if isinstance(data, str) else data for path, data in files.items()
        }

    def files(self) -> list[Entry]:
        return [Entry(path, len(data)) for path, data in sorted(self._files.items())]

    def read(self, path: str) -> bytes:
        return self._files[path]


def parsed(files: dict[str, bytes | str], format: str = "auto", **options: object) -> Parsed:
    """Return what the files say."""
    return parse(MemoryTree(files), format, **options)


def voc(objects: str, name: str = "x.jpg", size: tuple[int, int] = (100, 80)) -> str:
    """Return a VOC document around some objects."""
    return (
        f"<annotation>\n<filename>{name}</filename>\n"
        f"<size><width>{size[0]}</width><height>{size[1]}</height></size>\n"
        f"{objects}\n</annotation>"
    )


def voc_object(label: str = "cat", edges: str = "1 2 30 40") -> str:
    """Return one VOC object on one line."""
    tags = ("xmin", "ymin", "xmax", "ymax")
    box = "".join(f"<{t}>{v}</{t}>" for t, v in zip(tags, edges.split(" "), strict=True))
    return f"<object><name>{label}</name><bndbox>{box}</bndbox></object>"


def boxes(rows) -> list[tuple[str, tuple[float, ...]]]:
    """Return (label, edges) of every region of rows."""
    return [(r.label, r.box) for row in rows if row.answer for r in row.answer.regions]
