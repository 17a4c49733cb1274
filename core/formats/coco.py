"""COCO JSON: one file for many images, boxes as ``[x, y, width, height]`` in pixels.

Of each annotation the shape the project draws is read: the box, the polygon (its largest ring),
the mask (run lengths of either kind, or rings filled) or the keypoints. Other shapes and crowd
regions are passed over, and said so. Confidences (``score``) are read only from predictions.
``attributes`` of an annotation are answers about the region, those of an image about the image. Classes of
whole images are annotations without any shape, as Datumaro's ``coco_labels`` has them.
Pixels are written to a thousandth. Class order is that of the category ids.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.formats.base import (
    ExportRecord,
    Options,
    Parsed,
    Refusal,
    Row,
    answer_of,
    box_fault,
    used_regions,
)
from core.formats.coco_shapes import (
    DECIMALS,
    Size,
    attributes_of,
    category_of,
    is_number,
    keypoints_of,
    mask_of,
    polygon_of,
    segmentation,
)
from core.formats.listing import Listing
from core.formats.text import UnreadableFile, class_name, decode_text, shown
from core.labels.answer import Answer
from core.labels.region import Region, Shape
from core.labels.schema import Skeleton

_SNIFFED_FILES = 50
_ADVICE = "Expected an object with 'images', 'annotations' and 'categories'."


def find(listing: Listing) -> tuple[str, ...]:
    """Return the JSON files that have images and annotations."""
    paths = listing.with_suffix(".json")
    if listing.main_file is not None:
        return paths
    # Largest first: a COCO file among thousands of small side files is found at once.
    largest = sorted(paths, key=lambda p: (-listing.size(p), p))[:_SNIFFED_FILES]
    found = {p for p in largest if _looks_like_coco(listing.read(p))}
    return tuple(p for p in paths if p in found)


def _looks_like_coco(data: bytes) -> bool:
    plain = data.replace(b"\x00", b"") if b"\x00" in data[:64] else data
    return b'"images"' in plain and (b'"annotations"' in plain or b'"categories"' in plain)


def parse(listing: Listing, files: tuple[str, ...], options: Options) -> Parsed:
    """Return the regions of every image of every file; bad ones are left out one by one.

    Raises:
        UnreadableFile: No file can be read: the first one's reason.
    """
    readers: list[_Reader] = []
    refused: list[Refusal] = []
    first: UnreadableFile | None = None
    for path in files:
        reader = _Reader(listing, path, options)
        try:
            reader.read()
        except UnreadableFile as error:
            first = first or error
            refused.append(Refusal(path, error.line, error.reason))
            continue
        readers.append(reader)
        refused += reader.refused
    if first is not None and not readers:
        raise first
    classes = dict.fromkeys(name for r in readers for _, name in sorted(r.categories.items()))
    return Parsed(
        "coco",
        tuple(row for r in readers for row in r.rows),
        tuple(refused),
        tuple(classes),
        listing.images,
        tuple(r.path for r in readers),
        (*(note for r in readers for note in r.notes()), *_renamed(readers)),
    )


def _renamed(readers: list[_Reader]) -> list[str]:
    """Say where files of one set give a category id different names (each keeps its own)."""
    notes = []
    names: dict[int, tuple[str, str]] = {}
    for reader in readers:
        for key, name in sorted(reader.categories.items()):
            earlier, where = names.setdefault(key, (name, reader.path))
            if earlier != name:
                notes.append(
                    f"Category {key} is {shown(earlier)} in {where} and {shown(name)} in "
                    f"{reader.path}; each file's own name was used."
                )
    return notes


@dataclass(slots=True)
class _Reader:
    """Reads one file into rows."""

    listing: Listing
    path: str
    options: Options
    refused: list[Refusal] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    categories: dict[int, str] = field(default_factory=dict)
    points: dict[int, list[str]] = field(default_factory=dict)
    told: dict[int, Mapping[str, object]] = field(default_factory=dict)
    sizes: dict[int, Size] = field(default_factory=dict)
    labels: dict[int, list[str]] = field(default_factory=dict)
    sure: dict[int, float | None] = field(default_factory=dict)
    ignored: Counter[str] = field(default_factory=Counter)
    _seen: set[int] = field(default_factory=set)

    def read(self) -> None:
        """Read the file.

        Raises:
            UnreadableFile: It is not JSON, not COCO, or its ids are ambiguous.
        """
        document = load_json(self.listing.read(self.path), self.path)
        if not isinstance(document, dict):
            kind = "a list" if isinstance(document, list) else type(document).__name__
            raise UnreadableFile(self.path, 0, f"the top level is {kind}.", _ADVICE)
        images = self._images(self._list(document, "images"))
        self._read_categories(self._list(document, "categories"))
        labelled = "annotations" in document
        boxes: dict[int, list[Region]] = {key: [] for key in images}
        bad: Counter[int] = Counter()
        for number, entry in enumerate(self._list(document, "annotations")):
            self._read_annotation(number, entry, boxes, bad)
        for key, name in images.items():
            answer = self._answer(key, boxes[key], bad[key]) if labelled else None
            file = self.listing.image_named(name, self.path) or name
            width, height = self.sizes.get(key, (None, None))
            sure = self.sure.get(key)
            self.rows.append(Row(file, answer, self.path, 0, width, height, confidence=sure))

    def _answer(self, image: int, regions: list[Region], refused: int) -> Answer | None:
        """Return the regions of an image and what its own 'attributes' say of it."""
        told: dict[str, object] = {**self.told.get(image, {}), **self._labels(image)}
        main = (self.options.main_question,) if self.options.whole else ()
        asked = [k for k in (*main, *self.options.question_keys) if k in told]
        drawn = answer_of(regions, refused)
        if not asked or drawn is None:
            return drawn
        several = {k: v for k, v in told.items() if k in asked and isinstance(v, list)}
        return Answer(
            {k: str(told[k]) for k in asked if k not in several},
            drawn.regions,
            {k: tuple(map(str, v)) for k, v in several.items()},
        )

    def _labels(self, image: int) -> dict[str, object]:
        """Return the classes of a whole image; of a file of such labels an image without any has none."""
        main, found = self.options.main_question, self.labels.get(image, [])
        if not self.options.whole:
            return {}
        if main in self.options.several:
            return {main: sorted(set(found))} if self.labels or found else {}
        return {main: found[0]} if found else {}

    def notes(self) -> list[str]:
        """Return what was passed over, one sentence per kind."""
        return [f"{self.path}: {n:,} {kind} ignored." for kind, n in sorted(self.ignored.items())]

    def _list(self, document: dict[str, object], key: str) -> list[object]:
        value = document.get(key, [])
        if not isinstance(value, list):
            raise UnreadableFile(self.path, 0, f"'{key}' is not a list.", _ADVICE)
        if key == "images" and key not in document:
            raise UnreadableFile(self.path, 0, "it has no 'images'.", _ADVICE)
        return value

    def _refuse(self, reason: str) -> None:
        self.refused.append(Refusal(self.path, 0, f"{reason}."))

    def _images(self, entries: list[object]) -> dict[int, str]:
        images: dict[int, str] = {}
        for number, entry in enumerate(entries):
            if not isinstance(entry, dict) or (key := _whole(entry.get("id"))) is None:
                self._refuse(f"image {number + 1} of the list has no whole number as 'id'")
                continue
            if key in images:
                # Which of the two its boxes belong to cannot be known.
                raise UnreadableFile(self.path, 0, f"two images have the id {key}.")
            name = entry.get("file_name")
            if not isinstance(name, str) or not name.strip() or not _encodable(name):
                self._refuse(f"image {key} has no usable 'file_name': {shown(name)}")
                continue
            width, height = _size(entry.get("width")), _size(entry.get("height"))
            if width and height:
                self.sizes[key] = (width, height)
            if isinstance(told := entry.get("attributes"), dict):
                self.told[key] = told
            images[key] = name.replace("\\", "/")
        return images

    def _read_categories(self, entries: list[object]) -> None:
        for number, entry in enumerate(entries):
            if not isinstance(entry, dict) or (key := _whole(entry.get("id"))) is None:
                self._refuse(f"category {number + 1} of the list has no whole number as 'id'")
                continue
            if key in self.categories:
                raise UnreadableFile(self.path, 0, f"two categories have the id {key}.")
            try:
                name = entry.get("name")
                self.categories[key] = class_name(name if isinstance(name, str) else "")
            except ValueError as error:
                self._refuse(f"category {key}: {error}")
                continue
            points = entry.get("keypoints")
            if isinstance(points, list):
                self.points[key] = [str(p) for p in points]

    def _read_annotation(
        self, number: int, entry: object, boxes: dict[int, list[Region]], bad: Counter[int]
    ) -> None:
        if not isinstance(entry, dict):
            self._refuse(f"annotation {number + 1} of the list is not an object")
            return
        image = _whole(entry.get("image_id"))
        key = _whole(entry.get("id"))
        which = f"annotation {key}" if key is not None else f"annotation {number + 1} of the list"
        if image is None or image not in boxes:
            self._refuse(f"{which} is of image {shown(entry.get('image_id'))}, which is not listed")
            return
        if entry.get("iscrowd") in (1, True):
            self.ignored["crowd regions"] += 1
            return
        try:
            if key is not None and key in self._seen:
                raise ValueError("another annotation has the same id")
            if self.options.whole and not _SHAPED & entry.keys():
                self._read_label(entry, image)
            else:
                boxes[image].append(self._region(entry, image))
        except ValueError as error:
            bad[image] += 1
            self._refuse(f"{which}: {error}")
            return
        if key is not None:
            self._seen.add(key)
        for kind, title, shapes in _BESIDE:
            if entry.get(kind) and self.options.shape not in shapes:
                self.ignored[title] += 1

    def _read_label(self, entry: dict[str, object], image: int) -> None:
        label, known = self._class(entry), self.labels.setdefault(image, [])
        if known and label not in known and self.options.main_question not in self.options.several:
            raise ValueError(
                f"it calls image {image} {shown(label)}, an earlier one calls it {shown(known[0])}"
            )
        known.append(label)
        self.sure[image] = self._score(entry)

    def _class(self, entry: dict[str, object]) -> str:
        category = _whole(entry.get("category_id"))
        if category is None or category not in self.categories:
            raise ValueError(f"category {shown(entry.get('category_id'))} is not listed")
        return self.categories[category]

    def _region(self, entry: dict[str, object], image: int) -> Region:
        label, wanted = self._class(entry), self.options
        said = attributes_of(entry, wanted.attributes, self.ignored) if wanted.attributes else ()
        if wanted.shape is Shape.POLYGON:
            found = polygon_of(entry, label, self.ignored)
        elif wanted.shape is Shape.MASK:
            found, self.sizes[image] = mask_of(entry, label, self.sizes.get(image))
        elif wanted.shape is Shape.KEYPOINTS:
            names = self.points.get(_whole(entry["category_id"]) or 0, [])
            found = keypoints_of(entry, label, names, wanted.skeleton)
        else:
            found = self._box(entry, label)
        return replace(found, confidence=self._score(entry), attributes=said)

    def _box(self, entry: dict[str, object], label: str) -> Region:
        x, y, w, h = _numbers(entry.get("bbox"))
        # Sums of decimals carry noise in the last digits; a millionth of a pixel is none.
        x2, y2 = round(x + w, 6), round(y + h, 6)
        if fault := box_fault(x, y, x2, y2):
            raise ValueError(f"{fault} (class {shown(label)})")
        return Region(label, x, y, x2, y2)

    def _score(self, entry: dict[str, object]) -> float | None:
        score = entry.get("score")
        if score is None or not self.options.predictions:
            return None
        if not is_number(score) or not 0 <= float(score) <= 1:  # type: ignore[arg-type]
            raise ValueError(f"score {shown(score)} is not between 0 and 1")
        return float(score)  # type: ignore[arg-type]  # is_number says it is one


_SHAPED = frozenset({"bbox", "segmentation", "keypoints"})
"""What an annotation of a region has at least one of."""

_BESIDE = (
    ("segmentation", "masks or polygons", (Shape.MASK, Shape.POLYGON)),
    ("keypoints", "keypoint sets", (Shape.KEYPOINTS,)),
)


def load_json(data: bytes, file: str) -> object:
    """Return the document, with repeated keys refused.

    Raises:
        UnreadableFile: It is not JSON, is nested too deeply, or has a key twice.
    """
    text = decode_text(data, file)
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise UnreadableFile(file, error.lineno, f"it is not JSON: {error.msg}.") from error
    except RecursionError as error:
        raise UnreadableFile(file, 0, "it is nested too deeply.") from error
    except ValueError as error:  # a repeated key, or an integer of thousands of digits
        raise UnreadableFile(file, 0, f"{str(error).partition(';')[0]}.") from error


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(k for k, n in Counter(k for k, _ in pairs).items() if n > 1)
        raise ValueError(f"an object has the key {shown(twice)} twice")
    return found


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _size(value: object) -> int | None:
    """Return a claimed side in pixels, or None where it is not a positive number."""
    if not is_number(value) or float(value) < 1:  # type: ignore[arg-type]
        return None
    return int(value)  # type: ignore[call-overload, no-any-return]


def _numbers(value: object) -> tuple[float, float, float, float]:
    if value is None:
        raise ValueError("it has no 'bbox'")
    if not isinstance(value, list) or len(value) != 4 or not all(is_number(v) for v in value):
        raise ValueError(f"'bbox' is not four finite numbers: {shown(value)}")
    x, y, w, h = (float(v) for v in value)
    if w <= 0 or h <= 0:
        raise ValueError(f"the box has no area: width {w:g}, height {h:g}")
    return x, y, w, h


def _encodable(text: str) -> bool:
    """Return whether the text has no lone surrogates or NUL, so that it can name a file."""
    return "\x00" not in text and not any(0xD800 <= ord(c) <= 0xDFFF for c in text)


def emit(
    records: Sequence[ExportRecord],
    classes: Sequence[str],
    main_question: str = "label",
    skeleton: Skeleton | None = None,
) -> dict[str, bytes]:
    """Return annotations.json with every record that has an answer.

    An image with several names stands once, under its first; all stand in ``names``.

    Args:
        records: What to write.
        classes: In the order of their ids.
        main_question: Key of the label of whole images, which are annotations without a shape.
        skeleton: Of keypoints; stands in every category.
    """
    used = {name for r in records for name in _said(r, main_question)} | used_regions(records)
    names = (*classes, *sorted(used.difference(classes)))
    ids = {name: i for i, name in enumerate(names, start=1)}
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    for record in records:
        if record.answer is None:
            continue
        images.append(_image(len(images) + 1, record, record.answer, main_question))
        for name in _said(record, main_question):
            annotations.append(_label(len(annotations) + 1, len(images), ids[name], record))
        for region in record.answer.regions:
            found = _annotation(region, len(annotations) + 1, len(images), ids[region.label])
            annotations.append(found | segmentation(region, (record.width, record.height)))
    document = {
        "info": {"description": "Exported by Tiebreak"},
        "images": images,
        "annotations": annotations,
        "categories": [category_of(i, name, skeleton) for name, i in ids.items()],
    }
    return {"annotations.json": json.dumps(document, ensure_ascii=False, indent=1).encode()}


def _said(record: ExportRecord, main_question: str) -> tuple[str, ...]:
    """Return the classes of the whole image."""
    said = record.answer.said(main_question) if record.answer else None
    return (said,) if isinstance(said, str) else said or ()


def _label(key: int, image: int, category: int, record: ExportRecord) -> dict[str, object]:
    found: dict[str, object] = {"id": key, "image_id": image, "category_id": category}
    if record.confidence is not None:
        found["score"] = round(record.confidence, 6)
    return found


def _image(key: int, record: ExportRecord, answer: Answer, main_question: str) -> dict[str, object]:
    image: dict[str, object] = {
        "id": key,
        "file_name": record.file,
        "width": record.width,
        "height": record.height,
    }
    if len(record.all_names) > 1:
        image["names"] = list(record.all_names)
    told = {**answer.choices, **{k: list(v) for k, v in answer.multi.items()}}
    told.pop(main_question, None)
    if told:
        image["attributes"] = told
    return image


def _annotation(region: Region, key: int, image: int, category: int) -> dict[str, object]:
    x1, y1, x2, y2 = (round(v, DECIMALS) for v in region.box)
    smallest = 10**-DECIMALS
    w, h = (max(smallest, round(side, DECIMALS)) for side in (x2 - x1, y2 - y1))
    found: dict[str, object] = {
        "id": key,
        "image_id": image,
        "category_id": category,
        "bbox": [x1, y1, w, h],
        "area": round(w * h, DECIMALS),
        "iscrowd": 0,
    }
    if region.attributes:
        found["attributes"] = dict(region.attributes)
    if region.confidence is not None:
        found["score"] = round(region.confidence, 6)
    return found
