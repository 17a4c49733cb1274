"""Editing a label schema: each operation gives a new schema and the events that tell what was done.

Pure. A class keeps its number for good and its name is never another's, so a label given under any
version can be read under every later one (`LabelSchema.translate`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from core.errors import InputError
from core.labels.operations import (
    AddClass,
    AddQuestion,
    Merge,
    Operation,
    Recolour,
    Rekey,
    Rename,
    Restore,
    Retire,
    Retitle,
    SchemaEvent,
)
from core.labels.schema import (
    PALETTE,
    LabelClass,
    LabelSchema,
    Question,
    clean_class_name,
    make_question,
)
from core.labels.schema_checks import (
    check_keys,
    check_question_key,
    checked_colour,
    checked_schema,
    checked_title,
)

MAX_CLASSES = 5000

Edited = tuple[LabelSchema, tuple[SchemaEvent, ...]]


def edited(schema: LabelSchema, operations: Sequence[Operation]) -> Edited:
    """Return the schema after all operations, in order, and what each of them did.

    Raises:
        InputError: One of them cannot be done; the sentence says which and why.
    """
    events: list[SchemaEvent] = []
    for operation in operations:
        schema, done = _DO[type(operation)](schema, operation)
        events += done
    return checked_schema(schema), tuple(events)


# --- the operations ---------------------------------------------------------------------------


def add_class(schema: LabelSchema, asked: AddClass) -> Edited:
    """Return the schema with one class more.

    Raises:
        InputError: The name is or was another class's, or colour or key will not do.
    """
    question = question_of(schema, asked.question)
    name = _free_name(question, asked.name, None)
    if len(question.classes) >= MAX_CLASSES:
        raise InputError(f"'{question.title}' has {MAX_CLASSES:,} classes, the most there may be.")
    colour = checked_colour(asked.colour or PALETTE[len(question.classes) % len(PALETTE)], name)
    class_id = max(c.id for c in question.classes) + 1
    made = LabelClass(class_id, name, colour, _free_key(question, asked.key, name))
    event = SchemaEvent("add", question.key, class_id, "", name)
    return _with(schema, replace(question, classes=(*question.classes, made))), (event,)


def rename(schema: LabelSchema, asked: Rename) -> Edited:
    """Return the schema with a class under another name; the old one stays its own.

    Raises:
        InputError: The name is or was another class's.
    """
    question, found = _class(schema, asked.question, asked.class_id)
    name = _free_name(question, asked.name, found.id)
    if name == found.name:
        return schema, ()
    former = tuple(f for f in dict.fromkeys((*found.former, found.name)) if f != name)
    event = SchemaEvent("rename", question.key, found.id, found.name, name)
    return _put(schema, question, replace(found, name=name, former=former)), (event,)


def recolour(schema: LabelSchema, asked: Recolour) -> Edited:
    """Return the schema with a class in another colour.

    Raises:
        InputError: The colour is not #RRGGBB.
    """
    question, found = _class(schema, asked.question, asked.class_id)
    colour = checked_colour(asked.colour, found.name)
    if colour == found.colour:
        return schema, ()
    event = SchemaEvent("recolour", question.key, found.id, found.colour, colour)
    return _put(schema, question, replace(found, colour=colour)), (event,)


def rekey(schema: LabelSchema, asked: Rekey) -> Edited:
    """Return the schema with other keys.

    Raises:
        InputError: A key is no digit, or two classes that can be chosen have the same.
    """
    events = []
    for class_id, key in asked.keys:
        question, found = _class(schema, asked.question, class_id)
        if key != found.key:
            events.append(SchemaEvent("rekey", question.key, class_id, found.key, key))
            schema = _put(schema, question, replace(found, key=key))
    check_keys(question_of(schema, asked.question))
    return schema, tuple(events)


def retire(schema: LabelSchema, asked: Retire) -> Edited:
    """Return the schema with a class that can no longer be chosen; its key becomes free.

    Raises:
        InputError: It is the last one that can be chosen, or cannot be chosen already.
    """
    question, found = _class(schema, asked.question, asked.class_id)
    if found.retired:
        raise InputError(f"'{found.name}' is retired already.", "Restore it, or leave it.")
    _check_not_last(question, found)
    event = SchemaEvent("retire", question.key, found.id, found.name, "")
    return _put(schema, question, replace(found, retired=True, key="")), (event,)


def restore(schema: LabelSchema, asked: Restore) -> Edited:
    """Return the schema with a retired class that can be chosen again.

    Raises:
        InputError: It was not retired.
    """
    question, found = _class(schema, asked.question, asked.class_id)
    if not found.retired:
        raise InputError(f"'{found.name}' is not retired.", "Nothing needs to be restored.")
    event = SchemaEvent("restore", question.key, found.id, "", found.name)
    return _put(schema, question, replace(found, retired=False)), (event,)


def merge(schema: LabelSchema, asked: Merge) -> Edited:
    """Return the schema with one class that means another.

    The class that takes over can be chosen, the one taken over is gone: so no circle can arise.

    Raises:
        InputError: A class is merged into itself, or into one that is retired or merged.
    """
    question, found = _class(schema, asked.question, asked.class_id)
    if asked.into == found.id:
        raise InputError(f"'{found.name}' cannot be merged into itself.", "Choose another class.")
    _question, target = _class(schema, asked.question, asked.into)
    if target.retired:
        raise InputError(
            f"'{found.name}' cannot be merged into '{target.name}', which is retired.",
            "Restore that one first, or choose another.",
        )
    event = SchemaEvent("merge", question.key, found.id, found.name, target.name)
    gone = replace(found, merged_into=target.id, key="")
    return _put(schema, question, gone), (event,)


def add_question(schema: LabelSchema, asked: AddQuestion) -> Edited:
    """Return the schema with one question more.

    Raises:
        InputError: The key is taken or no key, or the classes will not do.
    """
    key, title = asked.key.strip(), checked_title(asked.title)
    taken = key in {q.key for q in (*schema.questions, *schema.region_questions)}
    check_question_key(key, taken)
    made = make_question(key, title, list(asked.classes), asked.several)
    event = SchemaEvent("question", key, None, "", f"{title}: {', '.join(made.names)}")
    if not asked.of_regions:
        return replace(schema, questions=(*schema.questions, made)), (event,)
    if asked.several:
        raise InputError("A question about a region takes one class.", "Ask two questions instead.")
    return replace(schema, region_questions=(*schema.region_questions, made)), (event,)


def retitle(schema: LabelSchema, asked: Retitle) -> Edited:
    """Return the schema with a question in other words.

    Raises:
        InputError: Nothing is left to read.
    """
    question, title = question_of(schema, asked.question), checked_title(asked.title)
    if title == question.title:
        return schema, ()
    event = SchemaEvent("question", question.key, None, question.title, title)
    return _with(schema, replace(question, title=title)), (event,)


_DO: dict[type, Callable[..., Edited]] = {
    AddClass: add_class, Rename: rename, Recolour: recolour, Rekey: rekey, Retire: retire,
    Restore: restore, Merge: merge, AddQuestion: add_question, Retitle: retitle,
}  # fmt: skip


# --- what changed between two versions --------------------------------------------------------


def class_changes(before: LabelSchema, after: LabelSchema, keys: Sequence[str]) -> tuple[str, ...]:
    """Return in words what a model trained before no longer knows of; names and colours are not it.

    Args:
        before: The schema it was trained under.
        after: The schema in force.
        keys: The questions it answers.
    """
    asked = {q.key: q for q in after.questions}
    pairs = [(q, asked[q.key]) for q in before.questions if q.key in keys and q.key in asked]
    return tuple(sentence for was, now in pairs for sentence in _changes(was, now))


def _changes(was: Question, now: Question) -> Iterator[str]:
    then = {c.id for c in was.open_classes}
    by_id = {c.id: c for c in now.classes}
    for found in now.classes:
        if found.id in then and found.merged_into is not None:
            yield f"'{found.name}' was merged into '{by_id[found.merged_into].name}'"
        elif found.id in then and found.retired:
            yield f"'{found.name}' was retired"
        elif found.id not in then and found in now.open_classes:
            yield f"'{found.name}' was added"


# --- checks -----------------------------------------------------------------------------------


def question_of(schema: LabelSchema, key: str) -> Question:
    """Return a question, about the item or about a region, by its key.

    Raises:
        InputError: There is none.
    """
    for question in (*schema.questions, *schema.region_questions):
        if question.key == key:
            return question
    raise InputError(f"There is no question '{key[:80]}'.", "Reload the page.")


def _class(schema: LabelSchema, key: str, class_id: int) -> tuple[Question, LabelClass]:
    question = question_of(schema, key)
    found = next((c for c in question.classes if c.id == class_id), None)
    if found is None:
        raise InputError(f"'{question.title}' has no class number {class_id}.", "Reload the page.")
    if found.merged_into is not None:
        raise InputError(
            f"'{found.name}' was merged into '{question.today(found.name)}' and is no class of its "
            "own any more.",
            "Change that one instead.",
        )
    return question, found


def _free_name(question: Question, name: str, own_id: int | None) -> str:
    cleaned = clean_class_name(name)
    for other in question.classes:
        if other.id != own_id and cleaned == other.name:
            hint = "Restore it instead." if other.retired else "Choose another name."
            raise InputError(f"'{question.title}' has a class '{cleaned}' already.", hint)
        if other.id != own_id and cleaned in other.former:
            raise InputError(
                f"'{cleaned}' was the name of '{other.name}' before, and labels given then mean "
                "that class.",
                "Choose another name.",
            )
    return cleaned


def _free_key(question: Question, key: str, name: str) -> str:
    if key and any(c.key == key for c in question.open_classes):
        other = next(c.name for c in question.open_classes if c.key == key)
        raise InputError(f"Key {key} of '{name}' is '{other}' already.", "Choose another key.")
    return key


def _check_not_last(question: Question, found: LabelClass) -> None:
    if question.open_classes == (found,):
        raise InputError(
            f"'{found.name}' is the last class of '{question.title}' that can be chosen.",
            "Add another one first.",
        )


def _put(schema: LabelSchema, question: Question, changed: LabelClass) -> LabelSchema:
    classes = tuple(changed if c.id == changed.id else c for c in question.classes)
    return _with(schema, replace(question, classes=classes))


def _with(schema: LabelSchema, changed: Question) -> LabelSchema:
    def swapped(asked: tuple[Question, ...]) -> tuple[Question, ...]:
        return tuple(changed if q.key == changed.key else q for q in asked)

    return replace(
        schema,
        questions=swapped(schema.questions),
        region_questions=swapped(schema.region_questions),
    )
