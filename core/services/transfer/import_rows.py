"""Imports, second half: what annotation files say becomes labels, predictions, votes or gold."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from sqlalchemy import Connection, Table, func, select

from core.errors import InputError
from core.formats import Refusal, Row, resolve_regions
from core.intake.names import NameIndex
from core.intake.probe import ImageInfo
from core.labels import Answer, LabelSchema, Region
from core.labels.schema import clean_class_name
from core.services.accounts.people import OPERATOR, insert_person
from core.services.consensus.resolve import label_of, live_annotations
from core.services.models.prelabels import Prediction, store_predictions
from core.services.projects.project import ProjectView
from core.services.transfer.import_images import Taken
from core.store.tables import (
    annotation_log,
    gold_answers,
    guidelines,
    imported_labels,
    item_names,
    items,
    people,
    predictions,
)

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


@dataclass(slots=True)
class Stored:
    """What was newly stored."""

    regions: int = 0
    labels: int = 0
    predictions: int = 0
    votes: int = 0
    gold: int = 0
    annotators: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


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


# --- storing ----------------------------------------------------------------------------------


def store_answers(
    connection: Connection,
    project: ProjectView,
    table: Table,
    said: Sequence[Said],
    batch_id: int,
    taken: Taken,
    at: float,
) -> tuple[int, int]:
    """Write labels or gold that differ from what stands, and return (answers, regions) written."""
    latest = {s.item_id: s for s in said}  # the last row about an item wins
    standing = _standing(connection, table, list(latest))
    rows, regions = [], 0
    for item_id, one in sorted(latest.items()):
        text = one.answer.to_json()
        if standing.get(item_id) == text:
            continue
        regions += len(one.answer.regions)
        taken.touched.add(item_id)
        rows.append(
            {
                "project_id": project.id,
                "item_id": item_id,
                "label": label_of(project, one.answer),
                "answer": text,
                "batch_id": batch_id,
                "at": at,
            }
        )
    if rows:
        connection.execute(table.insert(), rows)
    return len(rows), regions


def untaught(
    connection: Connection, project: ProjectView, said: Sequence[Said], taken: Taken
) -> list[Said]:
    """Return what may be gold: an item that ever was a guideline example is refused, people saw it."""
    rows = connection.execute(
        select(guidelines.c.version, guidelines.c.examples)
        .where(guidelines.c.project_id == project.id)
        .order_by(guidelines.c.version.desc())
    )
    shown = {e["item_id"]: r.version for r in rows for e in json.loads(r.examples)}
    taken.refused += [
        Refusal(
            s.row.origin,
            s.row.line,
            f"'{s.row.file}' was shown as an example in guideline version {shown[s.item_id]}; "
            "it cannot be gold, people know its answer",
        )
        for s in said
        if s.item_id in shown
    ]
    return [s for s in said if s.item_id not in shown]


def _standing(connection: Connection, table: Table, ids: Sequence[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for start in range(0, len(ids), 500):
        newest = (
            select(func.max(table.c.seq))
            .where(table.c.item_id.in_(ids[start : start + 500]))
            .group_by(table.c.item_id)
        )
        rows = connection.execute(
            select(table.c.item_id, table.c.answer).where(table.c.seq.in_(newest))
        )
        found |= {r.item_id: r.answer for r in rows}
    return found


def store_imported_predictions(
    connection: Connection,
    project: ProjectView,
    said: Sequence[Said],
    batch_id: int,
    name: str,
    taken: Taken,
    at: float,
) -> tuple[int, int]:
    """Write predictions that differ from those in force; return (predictions, regions) written."""
    latest = {s.item_id: s for s in said}
    standing = _standing(connection, predictions, list(latest))
    fresh = [
        Prediction(i, s.answer, _confidence(s))
        for i, s in sorted(latest.items())
        if standing.get(i) != s.answer.to_json()
    ]
    taken.touched.update(p.item_id for p in fresh)
    count = store_predictions(connection, project, fresh, name, at, batch_id=batch_id)
    return count, sum(len(p.answer.regions) for p in fresh)


def _confidence(said: Said) -> float | None:
    """Return an item's confidence: as given, else that of its least certain region."""
    if said.row.confidence is not None:
        return said.row.confidence
    known = [r.confidence for r in said.answer.regions if r.confidence is not None]
    return min(known) if known else None


def store_votes(
    connection: Connection,
    project: ProjectView,
    said: Sequence[Said],
    batch_id: int,
    taken: Taken,
    stored: Stored,
    at: float,
) -> None:
    """Write votes of the annotators named; of several by one person on one item the last wins."""
    latest: dict[tuple[int, str], Said] = {}
    for one in said:
        if not one.row.annotator:
            taken.refused.append(
                Refusal(one.row.origin, one.row.line, "a vote needs an annotator, found none")
            )
            continue
        if one.row.annotator == OPERATOR:
            taken.refused.append(
                Refusal(
                    one.row.origin, one.row.line, f"'{OPERATOR}' is the command line's own name"
                )
            )
            continue
        latest[one.item_id, one.row.annotator] = one
    who = _annotators(connection, sorted({a for _, a in latest}), stored, at)
    ids = sorted({i for i, _ in latest})
    for start in range(0, len(ids), 500):
        chunk = set(ids[start : start + 500])
        votes = [(k, v) for k, v in latest.items() if k[0] in chunk]
        _store_vote_chunk(connection, project, votes, who, batch_id, taken, stored, at)


def _store_vote_chunk(
    connection: Connection,
    project: ProjectView,
    votes: Sequence[tuple[tuple[int, str], Said]],
    who: dict[str, int],
    batch_id: int,
    taken: Taken,
    stored: Stored,
    at: float,
) -> None:
    live = {
        (r.item_id, r.person_id): r
        for r in live_annotations(connection, sorted({k[0] for k, _ in votes}))
    }
    rows = []
    for (item_id, annotator), one in votes:
        before = live.get((item_id, who[annotator]))
        text = one.answer.to_json()
        if before is not None and before.kind == "vote" and before.answer == text:
            continue
        revision = 1 if before is None else before.revision + 1
        stored.regions += len(one.answer.regions)
        taken.touched.add(item_id)
        rows.append(
            {
                "uuid": str(
                    uuid.uuid5(_VOTES, f"{project.id}/{item_id}/{who[annotator]}/{revision}")
                ),
                "project_id": project.id,
                "item_id": item_id,
                "person_id": who[annotator],
                "revision": revision,
                "kind": "vote",
                "label": label_of(project, one.answer),
                "answer": text,
                "reason": "",
                "schema_version": project.schema_version,
                "guideline_version": project.guideline_version,
                "prediction_seq": None,
                "prelabel_shown": False,
                "active_seconds": one.row.seconds,
                "started_at": None,
                "batch_id": batch_id,
                "at": at,
            }
        )
    if rows:
        connection.execute(annotation_log.insert(), rows)
    stored.votes += len(rows)


_VOTES = uuid.UUID("6c1b2a52-2f0e-4f0e-9a8f-0d5f8f5e7b11")


def _annotators(
    connection: Connection, names: Sequence[str], stored: Stored, at: float
) -> dict[str, int]:
    """Return the person of each annotator, making those nobody knows; they cannot sign in."""
    known = {r.name: r.id for r in connection.execute(select(people.c.name, people.c.id))}
    for name in names:
        if name not in known:
            known[name] = insert_person(connection, at, name, name, kind="annotator")
            stored.annotators.append(name)
    return {n: known[n] for n in names}


TABLES = {What.LABELS: imported_labels, What.GOLD: gold_answers}
