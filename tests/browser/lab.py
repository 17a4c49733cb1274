"""A small lived-in workspace for the loop: drawn leaves and blood cells, an earlier model, people."""

from __future__ import annotations

import csv
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.access import Actor, Role
from core.consensus.policy import OnDisagreement, Policy
from core.labels import Answer
from core.services.accounts.changing import add_person
from core.services.accounts.people import actor_of, operator
from core.services.projects.project import NewProject, create_project
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.services.workspace import Workspace, open_workspace
from data.leaves import generate_leaves
from data.project import DemoItem, DemoProject
from data.smear import generate_smear

LEAVES, SMEAR = "tree-leaves", "blood-smear"
SEED = 7
LABELLED, GOLD = 40, 16
RIGHT_BEFORE = 0.15
"""Share of the species the earlier model gets right."""
PEOPLE = {
    "nora": ("Nora Vik", Role.EXPERT),
    "omar": ("Omar Haddad", Role.EXPERT),
    "lena": ("Lena Roth", Role.LEAD),
}


@dataclass(frozen=True, slots=True)
class Lab:
    """The workspace, its people by name, and what is really in the images.

    Attributes:
        truth: Of the leaves, by file.
        doubtful: Files of the leaves without a label, the least sure prediction first.
    """

    ws: Workspace
    people: dict[str, int]
    truth: dict[str, Answer]
    doubtful: tuple[str, ...]

    def actor(self, name: str) -> Actor:
        """Return a person with the roles of this moment."""
        return actor_of(self.ws, self.people[name])


def furnish_lab(root: Path, drawn: Path) -> Lab:
    """Make the workspace: leaves half labelled, with a poor earlier model and gold; cells with boxes."""
    ws = open_workspace(root)
    office = operator(ws)
    leaves = generate_leaves(drawn / LEAVES, SEED, count=80)
    smear = generate_smear(drawn / SMEAR, SEED, count=6)
    for project in (leaves, smear):
        new = NewProject(
            project.slug, project.schema.task, title=project.title, guideline=project.guideline,
            policy=Policy(on_disagreement=OnDisagreement.LEAD), simulated=True, schema=project.schema,
        )  # fmt: skip
        create_project(ws, office, new)
        import_data(ws, office, project.slug, drawn / project.slug, ImportOptions("items"))
    doubtful = _tell_leaves(ws, office, leaves, drawn)
    _tell_cells(ws, office, smear, drawn)
    people = {
        name: add_person(ws, office, name, shown, roles=[(role, None)], simulated=True)
        for name, (shown, role) in PEOPLE.items()
    }
    return Lab(ws, people, {i.file: i.answer for i in leaves.items}, doubtful)


def _tell_leaves(
    ws: Workspace, office: Actor, project: DemoProject, folder: Path
) -> tuple[str, ...]:
    """Import labels of one part, gold of another, an earlier model's word on all."""
    chance = random.Random(SEED)
    once = [i for i in project.items if i.file not in project.duplicates]
    chance.shuffle(once)
    # The same number of each species: of so few leaves, whatever is drawn too often is missing later.
    met: Counter[str] = Counter()
    turn = {i.file: _count(met, i.answer.choices["species"]) for i in once}
    labelled = sorted(once, key=lambda i: turn[i.file])[:LABELLED]
    rest = [i for i in once if i not in labelled]
    header = ["file", "label", "condition"]

    def tell(what: str, items: Iterable[DemoItem]) -> None:
        rows = ((i.file, *_choices(i.answer)) for i in items)
        table = _table(folder / f"{what}.csv", header, rows)
        import_data(ws, office, LEAVES, table, ImportOptions(what))

    tell("labels", labelled)
    tell("gold", rest[:GOLD])
    names = project.schema.main.names
    sure = {i.file: round(chance.uniform(0.3, 0.9), 4) for i in once}
    said = (
        (i.file, _guess(i, names, chance), i.answer.choices["condition"], sure[i.file])
        for i in once
    )
    table = _table(folder / "predictions.csv", [*header, "confidence"], said)
    import_data(ws, office, LEAVES, table, ImportOptions("predictions", name="earlier model"))
    return tuple(sorted((i.file for i in rest), key=sure.__getitem__))


def _count(met: Counter[str], name: str) -> int:
    met[name] += 1
    return met[name]


def _choices(answer: Answer) -> tuple[str, str]:
    return answer.choices["species"], answer.choices["condition"]


def _guess(item: DemoItem, names: Sequence[str], chance: random.Random) -> str:
    true = item.answer.choices["species"]
    if chance.random() < RIGHT_BEFORE:
        return true
    return chance.choice([n for n in names if n != true])


def _tell_cells(ws: Workspace, office: Actor, project: DemoProject, folder: Path) -> None:
    rows = (
        (file, r.label, *r.box, r.confidence)
        for file, answer in (project.predictions or {}).items()
        for r in answer.regions
    )
    header = ["file", "label", "x1", "y1", "x2", "y2", "confidence"]
    table = _table(folder / "boxes.csv", header, rows)
    import_data(ws, office, SMEAR, table, ImportOptions("predictions", name="earlier model"))


def _table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as sink:
        writer = csv.writer(sink)
        writer.writerow(header)
        writer.writerows(rows)
    return path
