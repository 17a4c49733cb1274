"""Whether a label schema can be put in force: keys, names, colours and titles."""

from __future__ import annotations

import re

from core.errors import InputError
from core.labels.schema import LabelSchema, Question, Task, clean_class_name, has_visible

COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
QUESTION_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
DIGITS = "1234567890"
MAX_TITLE = 200
MAX_KEYPOINTS = 500
RESERVED_KEYS = frozenset({"regions"})
"""Names that answers and policies use themselves."""


def checked_schema(schema: LabelSchema) -> LabelSchema:
    """Return a schema if it can be put in force.

    Raises:
        InputError: A key, name, colour or title will not do.
    """
    if not schema.questions:
        raise InputError("A project needs at least one question.", "Name its classes.")
    asked = (*schema.questions, *schema.region_questions)
    keys = [q.key for q in asked]
    for key in keys:
        # Projects made before may have keys of other letters; they are not refused for it now.
        if keys.count(key) > 1 or key in RESERVED_KEYS:
            check_question_key(key, taken=True)
    if schema.region_questions and not schema.draws:
        raise InputError("Questions about regions need a project in which regions are drawn.")
    for question in asked:
        _check_question(question)
    check_skeleton(schema)
    return schema


def check_skeleton(schema: LabelSchema) -> None:
    """Check the points of a keypoint project and the lines between them.

    Raises:
        InputError: There are none, two have one name, or a line joins what is not there.
    """
    bones = schema.skeleton
    if schema.task is Task.KEYPOINTS and not bones.points:
        raise InputError(
            "A project of keypoints needs the names of its points.", "Give it a skeleton."
        )
    if len(bones.points) > MAX_KEYPOINTS:
        raise InputError(f"A skeleton has at most {MAX_KEYPOINTS} points.")
    for name in bones.points:
        clean_class_name(name)
    if len(set(bones.points)) < len(bones.points):
        raise InputError("Two points of the skeleton have the same name.", "Rename one.")
    for i, j in bones.edges:
        if i == j or not (0 <= i < len(bones.points) and 0 <= j < len(bones.points)):
            raise InputError(
                f"A line of the skeleton joins points {i} and {j}, which are not there."
            )


def check_question_key(key: str, taken: bool) -> None:
    """Check the key of a question.

    Raises:
        InputError: It is no key, or another question's.
    """
    if not QUESTION_KEY.fullmatch(key) or key in RESERVED_KEYS:
        raise InputError(
            f"'{key[:40]}' cannot be the key of a question.",
            "Use 1 to 40 of a-z, 0-9 and '_', beginning with a letter.",
        )
    if taken:
        raise InputError(f"There is a question '{key}' already.", "Choose another key.")


def _check_question(question: Question) -> None:
    checked_title(question.title)
    if not question.open_classes:
        raise InputError(f"'{question.title}' has no class that can be chosen.", "Add one.")
    names = [n for c in question.classes for n in (c.name, *c.former)]
    doubles = (
        sorted({n for n in names if names.count(n) > 1}) if len(set(names)) < len(names) else []
    )
    if doubles:
        raise InputError(f"Class named twice in '{question.title}': {', '.join(doubles[:5])}.")
    for found in question.classes:
        clean_class_name(found.name)
        checked_colour(found.colour, found.name)
    check_keys(question)


def check_keys(question: Question) -> None:
    """Check the keys of the classes that can be chosen.

    Raises:
        InputError: A key is no digit, or two classes have the same.
    """
    taken: dict[str, str] = {}
    for found in question.open_classes:
        if found.key and (len(found.key) != 1 or found.key not in DIGITS):
            raise InputError(
                f"The key of '{found.name}' is to be a digit, found '{found.key[:20]}'.",
                "Use 1 to 9 or 0, or none.",
            )
        if found.key in taken:
            raise InputError(
                f"Key {found.key} would choose both '{taken[found.key]}' and '{found.name}'.",
                "Give each a key of its own, or none.",
            )
        if found.key:
            taken[found.key] = found.name


def checked_colour(text: str, name: str) -> str:
    """Return the colour of a class in capitals.

    Raises:
        InputError: It is not #RRGGBB.
    """
    if not COLOUR.fullmatch(text.strip()):
        raise InputError(
            f"The colour of '{name}' is to be #RRGGBB, found '{text[:40]}'.", "#4477AA, say."
        )
    return text.strip().upper()


def checked_title(text: str) -> str:
    """Return the words of a question without blanks around them.

    Raises:
        InputError: Nothing is left to read, or they are too many.
    """
    title = text.strip()
    if not has_visible(title) or len(title) > MAX_TITLE:
        raise InputError(f"The words of a question have 1 to {MAX_TITLE} characters.")
    return title
