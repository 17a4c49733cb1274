"""An answer: what somebody (a person, a model, a file) says of one item."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.labels.region import Region, Shape


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of one item, complete: one choice per question, and the regions.

    Attributes:
        choices: Question key to class name. The first question of the schema is the
            item's *label*. Empty where regions alone are asked for.
        regions: In original image pixels. Empty for classification; an empty tuple in
            a project of regions says "nothing here", which is an answer too.
        multi: Key of a multi-label question to its classes in schema order; an empty tuple says
            "none of them".
    """

    choices: Mapping[str, str] = field(default_factory=dict)
    regions: tuple[Region, ...] = ()
    multi: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def said(self, key: str) -> str | tuple[str, ...] | None:
        """Return what is answered to a question, None where nothing is."""
        return self.multi[key] if key in self.multi else self.choices.get(key)

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as JSON values; what is empty beyond choices and regions is left out."""
        doc: dict[str, Any] = {"choices": dict(sorted(self.choices.items()))}
        if self.multi:
            doc["multi"] = {k: list(v) for k, v in sorted(self.multi.items())}
        doc["regions"] = [region_dict(r) for r in self.regions]
        return doc

    def to_json(self) -> str:
        """Return canonical JSON: same answer, same text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> Answer:
        """Return the answer that `to_json` wrote.

        Raises:
            ValueError: The text is not such a document.
        """
        doc = json.loads(text)
        try:
            return Answer(
                choices=dict(doc.get("choices", {})),
                regions=tuple(_region(r) for r in doc.get("regions", [])),
                multi={k: tuple(v) for k, v in doc.get("multi", {}).items()},
            )
        except (AttributeError, KeyError, OverflowError, TypeError) as error:
            raise ValueError(f"This text is no answer: {text[:100]!r}") from error


def salvage(text: str) -> tuple[Answer, int]:
    """Return what can be read of an answer's text, and how many parts of it cannot."""
    try:
        doc = json.loads(text)
    except (ValueError, RecursionError):
        return Answer(), 1
    if not isinstance(doc, dict):
        return Answer(), 1
    choices = _entries(doc.get("choices"), str)
    multi = {k: v for k, v in _entries(doc.get("multi"), list).items() if _are_texts(v)}
    sent = doc.get("regions", [])
    rows = sent if isinstance(sent, list) else [sent]
    regions = [r for r in map(_sound_region, rows) if r is not None]
    lost = _size(doc.get("choices")) + _size(doc.get("multi")) + len(rows)
    lost -= len(choices) + len(multi) + len(regions)
    return Answer(choices, tuple(regions), {k: tuple(v) for k, v in multi.items()}), lost


def _entries(value: object, kind: type) -> dict[str, Any]:
    held = value if isinstance(value, dict) else {}
    return {k: v for k, v in held.items() if isinstance(v, kind)}


def _size(value: object) -> int:
    return len(value) if isinstance(value, dict) else int(value is not None)


def _are_texts(values: list[Any]) -> bool:
    return all(isinstance(v, str) for v in values)


def _sound_region(doc: Any) -> Region | None:
    """Return a region all of whose numbers are numbers and texts are texts, else None."""
    try:
        region = _region(doc)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        return None
    numbers = [*region.box, *(v for p in region.points for v in p), region.confidence or 0.0]
    texts = [region.rle, *(t for pair in region.attributes for t in pair)]
    good = all(isinstance(n, int | float) and math.isfinite(n) for n in numbers)
    return region if good and _are_texts(texts) else None


def region_dict(region: Region) -> dict[str, Any]:
    """Return a region as JSON values, pixels to a thousandth."""
    doc: dict[str, Any] = {"label": region.label, "box": [round(v, 3) for v in region.box]}
    if region.shape is not Shape.BOX:
        doc["shape"] = region.shape.value
    if region.points:
        doc["points"] = [[round(v, 3) for v in p] for p in region.points]
    if region.rle:
        doc["rle"] = region.rle
    if region.attributes:
        doc["attributes"] = dict(region.attributes)
    if region.confidence is not None:
        doc["confidence"] = round(region.confidence, 6)
    return doc


def _region(doc: Mapping[str, Any]) -> Region:
    if not isinstance(doc["label"], str):
        raise TypeError("the class of a region is a text")
    if len(doc) == 2:  # a person's box, as most are; tens of thousands are read at once
        return Region(doc["label"], *_edges(doc["box"]))
    return Region(
        doc["label"],
        *_edges(doc["box"]),
        doc.get("confidence"),
        Shape(doc.get("shape", "box")),
        tuple(tuple(map(float, p)) for p in doc.get("points", ())),
        doc.get("rle", ""),
        tuple(sorted(doc.get("attributes", {}).items())),
    )


def _edges(box: Sequence[float]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = map(float, box)
    return (x1, y1, x2, y2)
