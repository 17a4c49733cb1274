"""YOLO: one text file per image, a line ``class x_centre y_centre width height`` per box.

A polygon is ``class x1 y1 x2 y2 …``; keypoints are a box and ``x y v`` of each point (``x y``
is read too). Which of them the lines hold follows from what the project draws. The values are shares of the upright image, so boxes become pixels only once the image's
size is known (`core.formats.placing`). Written with six decimals: within a millionth of the
image's side, and stable from then on, for a written box never leaves the image.

A sixth column is a confidence; it is read only from predictions. A label file with no lines says
"nothing here"; an image without a label file has not been labelled.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import InputError
from core.formats.base import (
    ExportRecord,
    Options,
    Parsed,
    Refusal,
    Row,
    answer_of,
    classes_to_write,
    refuse_other_shapes,
)
from core.formats.listing import Listing, without_suffix
from core.formats.names_file import find_names, is_names_list
from core.formats.text import UnreadableFile, number, shown
from core.labels.region import Region, Shape
from core.labels.schema import Skeleton
from core.labels.shapes import MAX_POINTS, keypoints_region, polygon_region

SHAPES = frozenset({Shape.BOX, Shape.POLYGON, Shape.KEYPOINTS})
MAX_FILE_BYTES = 20_000_000
UNITS = 1_000_000
# Tools that round each value for itself overshoot the edge by this much; more is an error.
_OVERSHOOT = 1e-5
_SNIFFED_FILES = 20


def find(listing: Listing) -> tuple[str, ...]:
    """Return the label files: text files named as an image, or with lines of numbers."""
    paths = _text_files(listing)
    named = {p: None for p in paths if listing.image_beside(p)}
    # A set in which no image shows anything has empty label files only, but a list of classes.
    empty_counts = any(is_names_list(p) for p in listing.with_suffix(".txt", everywhere=True))
    if any(
        _looks_like_labels(listing, p) or (empty_counts and not listing.size(p))
        for p in list(named)[:_SNIFFED_FILES]
    ):
        return tuple(p for p in paths if p in named or _looks_like_labels(listing, p))
    if not listing.images:  # labels alone, for images known already
        return tuple(p for p in paths if _looks_like_labels(listing, p))
    return ()


def _text_files(listing: Listing) -> list[str]:
    main = listing.main_file
    if main is not None and main.lower().endswith(".txt") and not is_names_list(main):
        return [main]
    return [p for p in listing.with_suffix(".txt", everywhere=True) if not is_names_list(p)]


def _looks_like_labels(listing: Listing, path: str) -> bool:
    """Return whether the first line begins with four numbers."""
    if listing.size(path) > MAX_FILE_BYTES:
        return False
    words = listing.read(path)[:400].decode("utf-8", "replace").lstrip("\ufeff").split()[:4]
    return len(words) == 4 and all(w.strip("+-").replace(",", ".")[:1].isdigit() for w in words)


def parse(listing: Listing, files: tuple[str, ...], options: Options) -> Parsed:
    """Return the regions of every label file, as shares of the upright image.

    Raises:
        UnreadableFile: The list of class names is broken, or no label file can be read.
    """
    names, names_file = find_names(listing)
    rows: list[Row] = []
    refused: list[Refusal] = []
    first: UnreadableFile | None = None
    cut = 0
    for path in files:
        try:
            row, clipped = _row(listing, path, names if names_file else None, options, refused)
        except UnreadableFile as error:
            first = first or error
            refused.append(Refusal(path, error.line, error.reason))
            continue
        cut += clipped
        if row is not None:
            rows.append(row)
    if first is not None and not rows:
        raise first
    return Parsed(
        "yolo",
        tuple(rows),
        tuple(refused),
        names if names_file else _numbers_used(rows),
        listing.images,
        tuple(row.origin for row in rows),
        _notes(names_file, cut),
    )


def _notes(names_file: str | None, cut: int) -> tuple[str, ...]:
    notes = []
    if names_file is None:
        notes.append("No classes.txt or data.yaml was found: classes are called by their numbers.")
    if cut:
        notes.append(f"{cut} values beyond the edge by less than {_OVERSHOOT:.5f} were cut.")
    return tuple(notes)


def _numbers_used(rows: Sequence[Row]) -> tuple[str, ...]:
    used = {r.label for row in rows if row.answer for r in row.answer.regions}
    return tuple(sorted(used, key=int))


def _row(
    listing: Listing,
    path: str,
    names: tuple[str, ...] | None,
    options: Options,
    refused: list[Refusal],
) -> tuple[Row | None, int]:
    """Return the row of one label file, and how many values were cut to the edge."""
    image = listing.image_beside(path)
    if image is None and listing.images:
        refused.append(Refusal(path, 0, "no image, or more than one, has the name of this file."))
        return None, 0
    regions: list[Region] = []
    lines: list[int] = []
    before, cut = len(refused), 0
    for line, text in enumerate(listing.text(path, MAX_FILE_BYTES).split("\n"), start=1):
        if not (words := text.split()):
            continue
        try:
            region, clipped = _region(words, names, options)
        except ValueError as error:
            refused.append(Refusal(path, line, f"{error}."))
            continue
        cut += clipped
        regions.append(region)
        lines.append(line)
    answer = answer_of(regions, len(refused) - before)
    file = image or _implied_image(path)
    return Row(file, answer, path, 0, normalised=True, lines=tuple(lines)), cut


def _implied_image(path: str) -> str:
    """Return the image path without extension that a label file stands for."""
    parts = without_suffix(path).split("/")
    folders = parts[:-1]
    if "labels" in folders:
        last = len(folders) - 1 - folders[::-1].index("labels")
        parts = parts[last + 1 :]
    return "/".join(parts)


def _region(
    words: list[str], names: tuple[str, ...] | None, options: Options
) -> tuple[Region, int]:
    """Return the region of one line, in shares, and how many of its values were cut.

    Raises:
        ValueError: The line has the wrong number of columns, or a bad class or value.
    """
    if options.shape is Shape.POLYGON:
        return _polygon(words, names, options.predictions)
    if options.shape is Shape.KEYPOINTS:
        return _keypoints(words, names, options)
    return _box(words, names, options.predictions)


def _polygon(
    words: list[str], names: tuple[str, ...] | None, predictions: bool
) -> tuple[Region, int]:
    confidence = None
    if predictions and len(words) % 2 == 0 and len(words) > 6:
        confidence, words = _confidence(words[-1]), words[:-1]
    if len(words) < 7 or len(words) % 2 == 0 or len(words) > 2 * MAX_POINTS:
        what = "a box" if len(words) == 5 else f"{len(words)} columns"
        raise ValueError(f"{what}, expected a class and x y of at least three corners")
    label = _label(words[0], names)
    flat, cut = _shares(words[1:])
    return polygon_region(label, list(zip(flat[::2], flat[1::2], strict=True)), confidence), cut


def _keypoints(
    words: list[str], names: tuple[str, ...] | None, options: Options
) -> tuple[Region, int]:
    n = len(options.skeleton)
    confidence = None
    if options.predictions and len(words) in (6 + 2 * n, 6 + 3 * n):
        confidence, words = _confidence(words[-1]), words[:-1]
    if not n or len(words) not in (5 + 2 * n, 5 + 3 * n):
        raise ValueError(
            f"{len(words)} columns, expected a class, a box and {n} points: {5 + 3 * n}"
        )
    step = 3 if len(words) == 5 + 3 * n else 2
    label, points, cut = _label(words[0], names), [], 0
    for i in range(5, len(words), step):
        (x, y), clipped = _shares(words[i : i + 2])
        seen = number(words[i + 2]) if step == 3 else float(bool(x or y)) * 2
        if seen not in (0, 1, 2):
            raise ValueError(f"visibility {shown(words[i + 2])} is not 0, 1 or 2")
        points.append((x, y, seen))
        cut += clipped
    if not any(v for _x, _y, v in points):
        raise ValueError(f"not one of the keypoints is there (class {shown(label)})")
    return keypoints_region(label, points, confidence), cut


def _shares(words: list[str]) -> tuple[list[float], int]:
    """Return values cut to 0…1, and how many were cut."""
    told = [_share(word) for word in words]
    return [value for value, _ in told], sum(value != raw for value, raw in told)


def _box(words: list[str], names: tuple[str, ...] | None, predictions: bool) -> tuple[Region, int]:
    if len(words) > 6 and len(words) % 2 == 1:
        raise ValueError(f"a polygon of {len(words) // 2} points; this project takes boxes")
    if len(words) not in ((5, 6) if predictions else (5,)):
        wanted = "5, or 6 with a confidence" if predictions else "5"
        hint = "; a confidence is read only from predictions" if len(words) == 6 else ""
        raise ValueError(f"{len(words)} columns, expected {wanted}{hint}")
    label = _label(words[0], names)
    (x, y, w, h), cut = _shares(words[1:5])
    if w <= 0 or h <= 0:
        raise ValueError(f"the box has no area: width {w:g}, height {h:g} (class {shown(label)})")
    confidence = _confidence(words[5]) if len(words) == 6 else None
    return Region(label, x - w / 2, y - h / 2, x + w / 2, y + h / 2, confidence), cut


def _label(word: str, names: tuple[str, ...] | None) -> str:
    if not (word.isascii() and word.isdigit() and len(word) <= 6):
        raise ValueError(f"class {shown(word)} is not a whole number from 0")
    index = int(word)
    if names is None:
        return str(index)
    if index >= len(names):
        raise ValueError(f"class {index} has no name; the list names 0 to {len(names) - 1}")
    return names[index]


def _share(word: str) -> tuple[float, float]:
    """Return the value cut to 0…1, and as it stood."""
    value = number(word)
    if not -_OVERSHOOT <= value <= 1 + _OVERSHOOT:
        raise ValueError(f"{shown(word)} is not between 0 and 1; pixels must be scaled")
    return min(1.0, max(0.0, value)), value


def _confidence(word: str) -> float:
    value = number(word)
    if not 0 <= value <= 1:
        raise ValueError(f"confidence {shown(word)} is not between 0 and 1")
    return value


def emit(
    records: Sequence[ExportRecord],
    classes: Sequence[str],
    main_question: str = "label",
    skeleton: Skeleton | None = None,
) -> dict[str, bytes]:
    """Return a label file per name of each record that has an answer, and the class names.

    Raises:
        InputError: A record has a label for the whole image, a mask, or no size.
    """
    refuse_other_shapes(records, "YOLO", SHAPES)
    classes = classes_to_write(records, classes, "YOLO", main_question)
    index = {name: i for i, name in enumerate(classes)}
    files = {
        "classes.txt": "".join(f"{c}\n" for c in classes).encode(),
        "data.yaml": _data_yaml(classes, skeleton).encode(),
    }
    for record in records:
        if record.answer is None:
            continue
        if record.width < 1 or record.height < 1:
            raise InputError(f"The size of {record.file} is not known; YOLO needs it.")
        text = "".join(_line(r, index, record) for r in record.answer.regions)
        for name in record.all_names:
            files[label_path(name)] = text.encode()
    return files


def label_path(image: str) -> str:
    """Return where trainers look for an image's labels: 'labels' in the place of 'images'."""
    parts = f"{without_suffix(image)}.txt".split("/")
    folders = parts[:-1]
    if "images" in folders:
        parts[len(folders) - 1 - folders[::-1].index("images")] = "labels"
        return "/".join(parts)
    return "/".join(["labels", *parts])


def _line(region: Region, index: dict[str, int], record: ExportRecord) -> str:
    confidence = "" if region.confidence is None else f" {region.confidence:.6f}"
    ring = region.shape is Shape.POLYGON
    shares = "" if ring else f" {_box_shares(region, record)}"
    for x, y, *seen in region.points:
        shares += f" {x / record.width:.6f} {y / record.height:.6f}"
        shares += "".join(f" {v:.0f}" for v in seen)
    return f"{index[region.label]}{shares}{confidence}\n"


def _box_shares(region: Region, record: ExportRecord) -> str:
    x, w = _units(region.x1 / record.width, region.x2 / record.width)
    y, h = _units(region.y1 / record.height, region.y2 / record.height)
    return " ".join(f"{v / UNITS:.6f}" for v in (x, y, w, h))


def _units(low: float, high: float) -> tuple[int, int]:
    """Return (centre, width) in millionths, such that the written box stays in the image.

    Were it to stick out by a rounding, reading would cut it and the next export would drift.
    """
    centre = round((low + high) / 2 * UNITS)
    width = max(1, round((high - low) * UNITS))
    return centre, max(1, min(width, 2 * centre, 2 * (UNITS - centre)))


def _data_yaml(classes: Sequence[str], skeleton: Skeleton | None) -> str:
    names = "".join(f"  {i}: {_yaml_quoted(c)}\n" for i, c in enumerate(classes))
    points = len(skeleton.points) if skeleton else 0
    shape = f"kpt_shape: [{points}, 3]\n" if points else ""
    return f"path: .\ntrain: images\nval: images\n{shape}names:\n{names or '  {}'}"


def _yaml_quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'
