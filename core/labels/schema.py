"""The label schema: which questions a project asks, with which classes, in which colours and keys."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum

from core.errors import InputError
from core.labels.answer import Answer
from core.labels.region import checked

MAX_CLASS_NAME = 200
DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that reorder the text around them: with them one name can look like another."""

# Paul Tol's "muted" and "bright" sets and their darker shades: told apart by colour-blind readers.
PALETTE = (
    "#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377",
    "#332288", "#DDCC77", "#117733", "#CC6677", "#88CCEE", "#882255",
    "#44AA99", "#999933", "#AA4499", "#BBBBBB",
)  # fmt: skip


class Task(StrEnum):
    """What a project asks of an image."""

    CLASSIFICATION = "classification"
    BOXES = "boxes"


@dataclass(frozen=True, slots=True)
class LabelClass:
    """One class. `id` never changes or is reused; the name may.

    Attributes:
        id: Stable number within the question, from 0.
        name: What people read.
        colour: ``#RRGGBB``.
        key: The digit that chooses it, 1 to 9 then 0; empty beyond ten classes.
    """

    id: int
    name: str
    colour: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One question with one answer out of its classes."""

    key: str
    title: str
    classes: tuple[LabelClass, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the class names in schema order."""
        return tuple(c.name for c in self.classes)


@dataclass(frozen=True, slots=True)
class LabelSchema:
    """A version of a project's label schema.

    Attributes:
        task: Classification or boxes.
        questions: Asked of each item, in order. The first is the item's label. For a box
            project the first question's classes are the classes of a box and the question is
            not asked of the item itself.
    """

    task: Task
    questions: tuple[Question, ...] = field(default_factory=tuple)

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
        return self.questions[1:] if self.task is Task.BOXES else self.questions

    def check(self, answer: Answer, width: int, height: int, complete: bool = True) -> Answer:
        """Return the answer with its regions cut to the image.

        Args:
            answer: What somebody said.
            width: Image width in pixels.
            height: Image height in pixels.
            complete: Whether every question of the item must be answered.

        Raises:
            InputError: A class or question is unknown, an answer is missing, or a box is bad.
        """
        asked = {q.key: q for q in self.item_questions}
        for key, value in answer.choices.items():
            if key not in asked:
                raise InputError(f"Unknown question '{key}'; this project asks {sorted(asked)}.")
            if value not in asked[key].names:
                raise InputError(
                    f"Unknown class '{value}' for '{key}'; expected one of {', '.join(list(asked[key].names)[:20])}."
                )
        missing = [k for k in asked if k not in answer.choices]
        if complete and missing:
            raise InputError(
                f"No answer yet to: {', '.join(missing)}.", "Answer it and send again."
            )
        if answer.regions and self.task is not Task.BOXES:
            raise InputError("This project takes no boxes, found some in the answer.")
        regions = []
        for region in answer.regions:
            if region.label not in self.classes:
                raise InputError(
                    f"Unknown class '{region.label}'; expected one of {', '.join(list(self.classes)[:20])}."
                )
            regions.append(checked(region, width, height))
        return Answer(dict(answer.choices), tuple(regions))

    def to_json(self) -> str:
        """Return the schema as JSON."""
        return json.dumps(
            {
                "task": self.task.value,
                "questions": [
                    {
                        "key": q.key,
                        "title": q.title,
                        "classes": [
                            {"id": c.id, "name": c.name, "colour": c.colour, "key": c.key}
                            for c in q.classes
                        ],
                    }
                    for q in self.questions
                ],
            },
            ensure_ascii=False,
        )

    @staticmethod
    def from_json(text: str) -> LabelSchema:
        """Return the schema that `to_json` wrote."""
        doc = json.loads(text)
        return LabelSchema(
            Task(doc["task"]),
            tuple(
                Question(q["key"], q["title"], tuple(LabelClass(**c) for c in q["classes"]))
                for q in doc["questions"]
            ),
        )


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


def make_question(key: str, title: str, names: list[str]) -> Question:
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
    )
