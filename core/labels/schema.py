"""The label schema: which questions a project asks, with which classes, in which colours and keys."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.errors import InputError
from core.labels.answer import Answer
from core.labels.region import Region, Shape
from core.labels.shapes import checked_region, renamed

MAX_CLASS_NAME = 200
DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that reorder the text around them: with them one name can look like another."""

# From Paul Tol's and Okabe and Ito's sets, in an order that keeps the first sixteen apart for
# colour-blind eyes too (`core.labels.colours` measures it, a test holds it).
PALETTE = (
    "#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#332288",
    "#661100", "#F0E442", "#882255", "#6699CC", "#AA3377", "#009E73",
    "#FFAABB", "#5E4FA2", "#56B4E9", "#999933",
)  # fmt: skip


class Task(StrEnum):
    """What a project asks of an image: classes of the whole, or regions of one geometry."""

    CLASSIFICATION = "classification"
    BOXES = "boxes"
    POLYGONS = "polygons"
    KEYPOINTS = "keypoints"
    MASKS = "masks"

    @property
    def draws(self) -> bool:
        """Return whether regions are drawn, of whatever geometry."""
        return self is not Task.CLASSIFICATION

    @property
    def shape(self) -> Shape | None:
        """Return the geometry of the regions; None for classification."""
        return _SHAPES.get(self)


_SHAPES = {
    Task.BOXES: Shape.BOX,
    Task.POLYGONS: Shape.POLYGON,
    Task.KEYPOINTS: Shape.KEYPOINTS,
    Task.MASKS: Shape.MASK,
}


@dataclass(frozen=True, slots=True)
class LabelClass:
    """One class. `id` never changes or is reused; the name may.

    Attributes:
        id: Stable number within the question, from 0.
        name: What people read.
        colour: ``#RRGGBB``.
        key: The digit that chooses it, 1 to 9 then 0; empty beyond ten classes.
        retired: It can no longer be chosen; labels that have it keep it.
        merged_into: The class that took it over; labels that have it mean that one now.
        former: Names it had before; no other class of the question may take one of them.
    """

    id: int
    name: str
    colour: str
    key: str = ""
    retired: bool = False
    merged_into: int | None = None
    former: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """One question with one answer out of its classes, or with several (multi-label)."""

    key: str
    title: str
    classes: tuple[LabelClass, ...]
    several: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names a label may have, in schema order: also retired ones, no merged ones."""
        return tuple(c.name for c in self.classes if c.merged_into is None)

    @property
    def open_classes(self) -> tuple[LabelClass, ...]:
        """Return the classes that can be chosen now."""
        return tuple(c for c in self.classes if c.merged_into is None and not c.retired)

    @property
    def open_names(self) -> tuple[str, ...]:
        """Return the names of the classes that can be chosen now."""
        return tuple(c.name for c in self.open_classes)

    def today(self, name: str) -> str:
        """Return today's name of a class that was given under any name it ever had."""
        found = next((c for c in self.classes if c.name == name), None)
        if found is not None and found.merged_into is None:
            return name
        found = found or next((c for c in self.classes if name in c.former), None)
        by_id = {c.id: c for c in self.classes}
        seen: set[int] = set()
        while found is not None and found.merged_into in by_id and found.id not in seen:
            seen.add(found.id)
            found = by_id[found.merged_into]
        return found.name if found is not None else name


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The points of a keypoint set, and which of them are joined by a line.

    Attributes:
        points: Their names, in order.
        edges: Pairs of places in `points`.
    """

    points: tuple[str, ...] = ()
    edges: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class LabelSchema:
    """A version of a project's label schema.

    Attributes:
        task: Classification, or the geometry of the regions.
        questions: Asked of each item, in order. The first is the item's label. Where regions are
            drawn the first question's classes are the classes of a region and the question is
            not asked of the item itself.
        region_questions: Asked of each region: its attributes.
        skeleton: The points of a keypoint set.
    """

    task: Task
    questions: tuple[Question, ...] = field(default_factory=tuple)
    region_questions: tuple[Question, ...] = ()
    skeleton: Skeleton = Skeleton()

    @property
    def main(self) -> Question:
        """Return the first question: the item's label, or the class of a box."""
        return self.questions[0]

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the class names of the first question in schema order."""
        return self.main.names

    @property
    def item_questions(self) -> tuple[Question, ...]:
        """Return the questions asked of the item as a whole."""
        return self.questions[1:] if self.draws else self.questions

    @property
    def draws(self) -> bool:
        """Return whether regions are drawn."""
        return self.task.draws

    def check(self, answer: Answer, width: int, height: int, complete: bool = True) -> Answer:
        """Return the answer with its regions cut to the image and its names those of today.

        Args:
            answer: What somebody said.
            width: Image width in pixels.
            height: Image height in pixels.
            complete: Whether it is to be submitted: every question answered, no retired class.

        Raises:
            InputError: A class or question is unknown, an answer is missing, or a region is bad.
        """
        answer = self.translate(answer)
        asked = {q.key: q for q in self.item_questions}
        for key in (*answer.choices, *answer.multi):
            if key not in asked:
                raise InputError(
                    f"Unknown question '{key[:80]}'; this project asks {sorted(asked)}."
                )
            if asked[key].several != (key in answer.multi):
                wanted = "a list of classes" if asked[key].several else "one class"
                raise InputError(f"Question '{key}' takes {wanted}.")
        for key, value in answer.choices.items():
            check_class(asked[key], value, complete)
        multi = {k: _in_schema_order(asked[k], v, complete) for k, v in answer.multi.items()}
        missing = [k for k in asked if k not in answer.choices and k not in answer.multi]
        if complete and missing:
            raise InputError(
                f"No answer yet to: {', '.join(missing)}.", "Answer it and send again."
            )
        if answer.regions and not self.draws:
            raise InputError("This project takes no boxes, found some in the answer.")
        regions = tuple(self._checked(r, width, height, complete) for r in answer.regions)
        return Answer(dict(answer.choices), regions, multi)

    def _checked(self, region: Region, width: int, height: int, complete: bool) -> Region:
        if region.shape is not self.task.shape:
            raise InputError(
                f"This project takes {self.task.value}, found a {region.shape.value} of "
                f"'{region.label[:80]}'."
            )
        check_class(self.main, region.label, complete)
        given = dict(region.attributes)
        asked = {q.key: q for q in self.region_questions}
        for key, value in given.items():
            if key not in asked:
                raise InputError(
                    f"Unknown attribute '{key[:80]}'; expected one of {sorted(asked)}."
                )
            check_class(asked[key], value, complete)
        missing = [q.title for q in self.region_questions if q.key not in given]
        if complete and missing:
            raise InputError(
                f"A {region.shape.value} of '{region.label}' has no answer yet to: "
                f"{', '.join(missing)}.",
                "Select it, answer and send again.",
            )
        return checked_region(region, width, height, len(self.skeleton.points))

    def translate(self, answer: Answer) -> Answer:
        """Return an older answer in today's names: renamed and merged classes are followed."""
        asked = {q.key: q for q in self.questions}
        about_region = {q.key: q for q in self.region_questions}
        return Answer(
            {k: asked[k].today(v) if k in asked else v for k, v in answer.choices.items()},
            tuple(
                renamed(
                    r,
                    self.main.today(r.label),
                    tuple(
                        (k, about_region[k].today(v) if k in about_region else v)
                        for k, v in r.attributes
                    )
                    if r.attributes
                    else (),
                )
                for r in answer.regions
            ),
            {
                k: tuple(dict.fromkeys(asked[k].today(n) if k in asked else n for n in names))
                for k, names in answer.multi.items()
            },
        )

    def to_json(self) -> str:
        """Return the schema as JSON; what a schema has not is left out."""
        doc: dict[str, Any] = {
            "task": self.task.value,
            "questions": [_question_dict(q) for q in self.questions],
        }
        if self.region_questions:
            doc["region_questions"] = [_question_dict(q) for q in self.region_questions]
        if self.skeleton.points:
            doc["skeleton"] = {
                "points": list(self.skeleton.points),
                "edges": [list(e) for e in self.skeleton.edges],
            }
        return json.dumps(doc, ensure_ascii=False)

    @staticmethod
    def from_json(text: str) -> LabelSchema:
        """Return the schema that `to_json` wrote."""
        doc = json.loads(text)
        bones = doc.get("skeleton", {})
        return LabelSchema(
            Task(doc["task"]),
            tuple(_question(q) for q in doc["questions"]),
            tuple(_question(q) for q in doc.get("region_questions", ())),
            Skeleton(
                tuple(bones.get("points", ())), tuple((i, j) for i, j in bones.get("edges", ()))
            ),
        )


def _question_dict(question: Question) -> dict[str, Any]:
    doc: dict[str, Any] = {
        "key": question.key,
        "title": question.title,
        "classes": [_class_dict(c) for c in question.classes],
    }
    return {**doc, "several": True} if question.several else doc


def _class_dict(found: LabelClass) -> dict[str, Any]:
    doc: dict[str, Any] = {
        "id": found.id,
        "name": found.name,
        "colour": found.colour,
        "key": found.key,
    }
    if found.retired:
        doc["retired"] = True
    if found.merged_into is not None:
        doc["merged_into"] = found.merged_into
    if found.former:
        doc["former"] = list(found.former)
    return doc


def _question(doc: dict[str, Any]) -> Question:
    classes = tuple(
        LabelClass(**{**c, "former": tuple(c.get("former", ()))}) for c in doc["classes"]
    )
    return Question(doc["key"], doc["title"], classes, doc.get("several", False))


def check_class(question: Question, name: str, to_submit: bool) -> None:
    """Check the name of a class somebody gave.

    Raises:
        InputError: There is none of that name, or it was retired and is to be submitted.
    """
    if name not in question.names:
        raise InputError(
            f"Unknown class '{name[:80]}' for '{question.key}'; "
            f"expected one of {', '.join(n[:80] for n in question.open_names[:20])}."
        )
    # A draft may keep a class that was retired meanwhile; a vote may not.
    if to_submit and name not in question.open_names:
        raise InputError(
            f"The class '{name}' was retired and can no longer be chosen.",
            "Choose another one; your work was kept as a draft.",
        )


def _in_schema_order(
    question: Question, names: tuple[str, ...], to_submit: bool
) -> tuple[str, ...]:
    for name in names:
        check_class(question, name, to_submit)
    return tuple(n for n in question.names if n in names)


def has_visible(text: str) -> bool:
    """Return whether there is anything to read: more than blanks and invisible characters."""
    return any(unicodedata.category(c) not in ("Cf", "Cc", "Zs", "Zl", "Zp") for c in text)


def clean_class_name(name: str) -> str:
    """Return the name in composed Unicode form without surrounding or invisible characters.

    Raises:
        InputError: Nothing is left, it is too long, or it holds control characters.
    """
    text = unicodedata.normalize("NFC", name).strip()
    if not has_visible(text):
        raise InputError(f"A class name is empty or invisible: {name!r}.")
    if any(unicodedata.category(c) in ("Cc", "Cs") or c in DIRECTION_MARKS for c in text):
        raise InputError(f"A class name holds control or direction marks: {name!r}.")
    if len(text) > MAX_CLASS_NAME:
        raise InputError(
            f"A class name has {len(text)} characters, at most {MAX_CLASS_NAME} are allowed."
        )
    return text


def make_question(key: str, title: str, names: list[str], several: bool = False) -> Question:
    """Return a question with ids, colours and digit keys given in order.

    Raises:
        InputError: There is no class, or two have the same name.
    """
    cleaned = [clean_class_name(n) for n in names]
    if not cleaned:
        raise InputError(f"Question '{key}' has no classes.", "Name at least one.")
    doubles = sorted({n for n in cleaned if cleaned.count(n) > 1})
    if doubles:
        raise InputError(f"Class named twice: {', '.join(doubles)}.")
    digits = "1234567890"
    return Question(
        key,
        title,
        tuple(
            LabelClass(i, n, PALETTE[i % len(PALETTE)], digits[i] if i < 10 else "")
            for i, n in enumerate(cleaned)
        ),
        several,
    )
