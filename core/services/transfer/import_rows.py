"""Rows of annotation files: the item each speaks of, and what of it fits the project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import Connection, select

from core.errors import InputError
from core.formats import Refusal, Row, resolve_regions
from core.intake.names import NameIndex
from core.intake.probe import ImageInfo
from core.labels import Answer, LabelSchema, Region
from core.labels.schema import clean_class_name
from core.services.projects.project import ProjectView
from core.services.transfer.import_images import Taken
from core.store.tables import item_names, items

MAX_RENAMED = 20
"""Former class names a report tells one by one."""


class What(StrEnum):
    """What an import brings."""

    ITEMS = "items"
    LABELS = "labels"
    PREDICTIONS = "predictions"
    VOTES = "votes"
    GOLD = "gold"


@dataclass(frozen=True, slots=True)
class Said:
    """A row that found its item and fits the schema."""

    item_id: int
    answer: Answer
    row: Row


class Finder:
    """Finds the item a row speaks of: among this import's files first, then in the project."""

    def __init__(self, connection: Connection, project: ProjectView, taken: Taken) -> None:
        self._here = NameIndex([*taken.ids, *taken.unusable])
        self._ids = dict(taken.ids)
        self._infos = dict(taken.infos)
        rows = connection.execute(
            select(item_names.c.name, items)
            .join(items, items.c.id == item_names.c.item_id)
            .where(item_names.c.project_id == project.id)
        ).all()
        self._known = {r.name: r.id for r in rows}
        self._there = NameIndex(self._known)
        for r in rows:
            if r.id not in self._infos:
                self._infos[r.id] = ImageInfo(
                    r.content_hash, r.width, r.height, r.format, r.orientation, r.size_bytes
                )

    def find(self, name: str) -> int | None:
        """Return the item of that name, or None when there is none or it is ambiguous."""
        here = self._here.resolve(name)
        if here is not None:
            return self._ids.get(here)  # None: the image itself was refused
        there = self._there.resolve(name)
        return None if there is None else self._known[there]

    def info(self, item_id: int) -> ImageInfo:
        """Return an item's upright size and orientation."""
        return self._infos[item_id]


def fit_rows(
    project: ProjectView, rows: Iterable[Row], finder: Finder, taken: Taken
) -> tuple[list[Said], dict[int, dict[str, str]]]:
    """Return the answers that fit the project, and metadata by item; what does not is refused."""
    said: list[Said] = []
    metadata: dict[int, dict[str, str]] = {}
    for row in rows:
        item_id = finder.find(row.file)
        if item_id is None and row.answer is None and not row.metadata:
            continue  # nothing was said of it; the image itself has its own refusal
        if item_id is None:
            taken.refused.append(
                Refusal(
                    row.origin, row.line, f"no image named '{row.file}' is here or in the project"
                )
            )
            continue
        if row.metadata:
            metadata.setdefault(item_id, {}).update(row.metadata)
        if row.answer is None:
            continue
        answer = _fit(project, row, finder.info(item_id), taken)
        if answer is not None:
            said.append(Said(item_id, answer, row))
    return said, metadata


def _fit(project: ProjectView, row: Row, info: ImageInfo, taken: Taken) -> Answer | None:
    answer, refused = resolve_regions(row, info)
    taken.refused.extend(refused)
    if answer is None:
        return None
    given = answer
    if project.task.draws:
        fitting = _fitting_regions(project, row, answer, info, taken)
        if answer.regions and not fitting and not (answer.choices or answer.multi):
            return None  # regions that could not be taken do not say "nothing here"
        answer = replace(answer, regions=fitting)
    elif answer.regions:
        taken.refused.append(
            Refusal(
                row.origin,
                row.line,
                f"'{project.slug}' takes no regions; those of this row are left out",
            )
        )
        answer = replace(answer, regions=())
    if not project.task.draws and not answer.choices and not answer.multi:
        return None
    try:
        clean = _clean(project.schema, answer)
        checked = project.schema.check(clean, info.width, info.height, complete=False)
    except InputError as error:
        taken.refused.append(Refusal(row.origin, row.line, error.message))
        return None
    taken.renamed.update(_renamed(project.schema, replace(clean, regions=given.regions)))
    return checked


def _renamed(schema: LabelSchema, answer: Answer) -> Iterator[tuple[str, str]]:
    """Yield each class that was given under a name it no longer has, and its name of today."""
    asked = {q.key: q for q in (*schema.questions, *schema.region_questions)}
    given = [
        *answer.choices.items(),
        *((k, n) for k, names in answer.multi.items() for n in names),
        *((schema.main.key, r.label) for r in answer.regions if schema.draws),
        *(pair for r in answer.regions for pair in r.attributes),
    ]
    for key, name in given:
        if key in asked and (today := asked[key].today(name)) != name:
            yield name, today


def renamed_notes(taken: Taken) -> list[str]:
    """Return a sentence on each former class name that was taken under today's."""
    notes = [
        f"{n:,} {'row' if n == 1 else 'rows'} used '{then}', now '{today}'."
        for (then, today), n in sorted(taken.renamed.items())
    ]
    more = len(notes) - MAX_RENAMED
    return [
        *notes[:MAX_RENAMED],
        *([f"{more:,} more former class names were used."] if more > 0 else []),
    ]


def _clean(schema: LabelSchema, answer: Answer) -> Answer:
    """Return the answer with clean names; one class said where several may be is a list of one."""
    choices = {k: clean_class_name(v) for k, v in answer.choices.items()}
    several = {q.key for q in schema.item_questions if q.several}
    one = {k: (v,) for k, v in choices.items() if k in several}
    return replace(
        answer,
        choices={k: v for k, v in choices.items() if k not in several},
        multi={**answer.multi, **one},
    )


def _fitting_regions(
    project: ProjectView, row: Row, answer: Answer, info: ImageInfo, taken: Taken
) -> tuple[Region, ...]:
    """Return the regions the project takes; each of the others is refused by itself."""
    fitting: list[Region] = []
    for place, region in enumerate(answer.regions):
        alone = Answer(regions=(region,))
        try:
            checked = project.schema.check(alone, info.width, info.height, complete=False)
        except InputError as error:
            line = row.lines[place] if len(row.lines) == len(answer.regions) else row.line
            taken.refused.append(Refusal(row.origin, line, error.message))
            continue
        fitting += checked.regions
    return tuple(fitting)
