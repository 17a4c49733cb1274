"""Known labels of a project, from a table or from the record."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from core.errors import InputError
from core.formats.base import Options, Refusal
from core.formats.cells import lines, unescaped
from core.formats.columns import Columns, header_of
from core.formats.row_lines import table_bytes
from core.labels import Answer
from core.services.certificates.evidence import BY_PEOPLE
from core.services.projects.project import ProjectView
from core.store.tables import final_labels, item_names, item_state

MOST_REFUSED = 1000


@dataclass(frozen=True, slots=True)
class Truth:
    """The label of every item that is known.

    Attributes:
        labels: Item to class, in today's names.
        refused: Lines left out, the first thousand, and why.
        n_refused: How many there are.
    """

    labels: dict[int, str]
    refused: tuple[Refusal, ...] = ()
    n_refused: int = 0


def truth_of_table(connection: Connection, project: ProjectView, path: Path) -> Truth:
    """Return what a table with columns file and label says; lines that fit nothing are left out.

    Raises:
        UnreadableFile: It cannot be read, or names no file or no label.
        InputError: No line of it fits the project.
    """
    text, name = table_bytes(path).decode(), path.name
    columns = Columns.of(header_of(text, name), name, Options())
    if columns.label is None:
        raise InputError(f"{name}: no column holds the label.", "Name that column 'label'.")
    known = _names(connection, project)
    main, labels = project.schema.main, dict[int, str]()
    refused: list[Refusal] = []
    for number, cells in lines(text, name):
        if number == 1:
            continue
        row = [unescaped(c.strip()) for c in cells] + [""] * columns.count
        said, label = row[columns.file], main.today(row[columns.label])
        ids = known.get(said) or known.get(said.rpartition("/")[2])
        if ids is None or len(ids) > 1:
            why = "is the name of several" if ids else "is the name of no"
            refused.append(Refusal(name, number, f"'{said[:80]}' {why} image of this project."))
        elif label not in main.names:
            refused.append(Refusal(name, number, f"'{label[:80]}' is no class of this project."))
        else:
            labels[next(iter(ids))] = label
    if not labels:
        first = f" The first: line {refused[0].line}: {refused[0].reason}" if refused else ""
        raise InputError(
            f"No line of {name} names an image of '{project.slug}' and one of its classes.{first}",
            "The columns are file and label.",
        )
    return Truth(labels, tuple(refused[:MOST_REFUSED]), len(refused))


def truth_of_record(connection: Connection, project: ProjectView) -> Truth:
    """Return the labels that files brought or people settled."""
    rows = connection.execute(
        select(item_state.c.item_id, final_labels.c.answer)
        .join(final_labels, final_labels.c.seq == item_state.c.final_seq)
        .where(
            item_state.c.project_id == project.id,
            item_state.c.state.in_([s.value for s in BY_PEOPLE]),
            final_labels.c.answer.is_not(None),
        )
    )
    main, labels = project.schema.main, dict[int, str]()
    for row in rows:
        said = project.schema.translate(Answer.from_json(row.answer)).choices.get(main.key)
        if said is not None:
            labels[row.item_id] = said
    return Truth(labels)


def _names(connection: Connection, project: ProjectView) -> dict[str, set[int]]:
    """Return the items by every name they have, whole and without folders."""
    found: dict[str, set[int]] = defaultdict(set)
    short: dict[str, set[int]] = defaultdict(set)
    rows = connection.execute(
        select(item_names.c.name, item_names.c.item_id).where(item_names.c.project_id == project.id)
    )
    for row in rows:
        found[row.name].add(row.item_id)
        short[row.name.rpartition("/")[2]].add(row.item_id)
    return {**short, **found}
