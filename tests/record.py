"""Quick ways to people a workspace for tests: projects, items, people with roles, votes, rulings."""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import connect
from typing import Any

from PIL import Image
from sqlalchemy import func, select

from core.access import Actor, Role
from core.clock import new_uuid
from core.consensus.policy import Policy
from core.labels import Answer, Region
from core.labels.schema import Task
from core.services.accounts.changing import add_person
from core.services.accounts.people import actor_of, operator
from core.services.consensus.resolve import resolve_items
from core.services.projects.project import NewProject, ProjectView, create_project
from core.services.review.disputes import get_dispute
from core.services.review.ruling import Ruling, decide
from core.services.review.submission import Receipt, Submission
from core.services.review.submitting import submit
from core.services.workspace import Workspace
from core.store.tables import annotation_log, item_names, item_state, items, leases, people

CLASSES = ("cat", "dog", "owl")
SIDE = 64


_kept = tempfile.TemporaryDirectory(prefix="tiebreak-worlds-")
_made: dict[tuple[Any, ...], tuple[Path, ProjectView, tuple[int, ...], Cast]] = {}


@dataclass(frozen=True)
class Cast:
    """The people of a test project, and one of another project."""

    experts: tuple[Actor, ...]
    lead: Actor
    lead2: Actor
    manager: Actor
    admin: Actor
    operator: Actor


@dataclass(frozen=True)
class World:
    """A workspace with one project, its items and its people."""

    ws: Workspace
    project: ProjectView
    items: list[int]
    cast: Cast

    @property
    def slug(self) -> str:
        """Return the project's name."""
        return self.project.slug


def make_world(
    ws: Workspace,
    n_items: int = 6,
    n_experts: int = 4,
    policy: Policy | None = None,
    slug: str = "pets",
    task: Task = Task.CLASSIFICATION,
    use: str = "train",
) -> World:
    """Make a project with items (rows only, no files) and people in every role.

    A thousand tests begin with the same few worlds, and each is some twenty transactions: in an
    empty SQLite record a world made before is copied page by page.
    """
    asked = (n_items, n_experts, policy, slug, task, use, ws.clock())
    empty = ws.store.dialect == "sqlite" and _is_empty(ws)
    if empty and asked in _made:
        file, project, found, cast = _made[asked]
        _copy_record(file, _record_of(ws))
        return World(ws, project, list(found), cast)
    project = make_project(ws, slug, policy, task)
    found = add_items(ws, project, n_items, use)
    cast = make_cast(ws, slug, n_experts)
    if empty:
        file = Path(_kept.name) / f"{len(_made)}.db"
        _copy_record(_record_of(ws), file)
        _made[asked] = (file, project, tuple(found), cast)
    return World(ws, project, found, cast)


def _is_empty(ws: Workspace) -> bool:
    with ws.store.read() as connection:
        return connection.execute(select(func.count()).select_from(people)).scalar_one() == 0


def _record_of(ws: Workspace) -> Path:
    return Path(ws.store.url.database or "")


def _copy_record(source: Path, target: Path) -> None:
    with closing(connect(source)) as read, closing(connect(target)) as written:
        written.execute("PRAGMA synchronous = OFF")
        read.backup(written)


def make_project(
    ws: Workspace,
    slug: str = "pets",
    policy: Policy | None = None,
    task: Task = Task.CLASSIFICATION,
) -> ProjectView:
    """Make a project with three classes."""
    new = NewProject(slug, task, CLASSES, policy=policy or Policy())
    return create_project(ws, operator(ws), new)


def make_cast(ws: Workspace, slug: str, n_experts: int = 4) -> Cast:
    """Add people with roles in one project, admin and operator everywhere."""
    boss = operator(ws)

    def person(name: str, role: Role, where: str | None = slug) -> Actor:
        return actor_of(ws, add_person(ws, boss, f"{name}.{slug}", roles=[(role, where)]))

    return Cast(
        tuple(person(f"expert{i}", Role.EXPERT) for i in range(n_experts)),
        person("lead", Role.LEAD),
        person("lead2", Role.LEAD),
        person("manager", Role.MANAGER),
        person("admin", Role.ADMIN, None),
        boss,
    )


def add_items(
    ws: Workspace, project: ProjectView, count: int, use: str = "train", first: int = 0
) -> list[int]:
    """Write items straight into the record; their images do not exist."""
    with ws.store.write() as connection:
        found = []
        for n in range(first, first + count):
            digest = hashlib.sha256(f"{project.slug}/{n}".encode()).hexdigest()
            row = {
                "project_id": project.id, "content_hash": digest, "location": f"{digest}.png",
                "width": SIDE, "height": SIDE, "orientation": 1, "format": "PNG",
                "size_bytes": 100, "use": use, "use_probability": 0.8, "at": ws.clock(),
            }  # fmt: skip
            item_id = connection.execute(items.insert().returning(items.c.id), row).scalar_one()
            name = {
                "project_id": project.id,
                "item_id": item_id,
                "name": f"{n:05d}.png",
                "at": ws.clock(),
            }
            connection.execute(item_names.insert(), name)
            found.append(int(item_id))
        resolve_items(connection, project, found, ws.clock())
    return found


def draw_folder(folder: Path, count: int, salt: int = 0) -> Path:
    """Draw small distinct PNG files into a folder, named 000.png and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(count):
        colour = ((n * 37 + salt) % 256, n % 256, (n // 256 + salt) % 256)
        Image.new("RGB", (16, 12), colour).save(folder / f"{n:03d}.png")
    return folder


def say(label: str) -> Answer:
    """Return the answer that names one class."""
    return Answer({"label": label})


def boxes(*edges: tuple[float, float, float, float], label: str = "cat") -> Answer:
    """Return the answer that draws these boxes."""
    return Answer({}, tuple(Region(label, *e) for e in edges))


def vote(
    world: World, actor: Actor, item_id: int, label: str = "cat", base: int = 0, uuid: str = ""
) -> Receipt:
    """Submit a vote for a class."""
    sent = Submission(uuid or new_uuid(), item_id, "vote", say(label), base_revision=base)
    return submit(world.ws, actor, world.slug, sent)


def act(
    world: World, actor: Actor, item_id: int, kind: str, base: int = 0, reason: str = ""
) -> Receipt:
    """Submit a skip, a flag or a withdrawal."""
    reason = reason or ("look at this" if kind == "flag" else "")
    sent = Submission(new_uuid(), item_id, kind, reason=reason, base_revision=base)
    return submit(world.ws, actor, world.slug, sent)


def rule(
    world: World,
    actor: Actor,
    item_id: int,
    kind: str = "decide",
    label: str = "cat",
    reason: str = "plain to see",
) -> Receipt:
    """Rule on an item as a lead who has just looked at it."""
    seen = get_dispute(world.ws, actor, world.slug, item_id)
    answer = say(label) if kind == "decide" else None
    ruling = Ruling(new_uuid(), item_id, kind, answer, reason, seen.votes_seen, seen.newest_seq)
    return decide(world.ws, actor, world.slug, ruling)


def state_of(world: World, item_id: int) -> tuple[str, str | None, int, int]:
    """Return an item's state, label, live votes and votes wanted."""
    with world.ws.store.read() as connection:
        row = connection.execute(select(item_state).where(item_state.c.item_id == item_id)).one()
    return row.state, row.label, row.votes, row.wanted


def live_votes(ws: Workspace) -> dict[int, set[int]]:
    """Return who has a live vote on each item, counted anew from the log."""
    with ws.store.read() as connection:
        rows = connection.execute(select(annotation_log).order_by(annotation_log.c.seq)).all()
    newest = {(r.item_id, r.person_id): r.kind for r in rows}
    found: dict[int, set[int]] = {}
    for (item_id, person_id), kind in newest.items():
        if kind == "vote":
            found.setdefault(item_id, set()).add(person_id)
    return found


def live_leases(ws: Workspace) -> dict[int, set[int]]:
    """Return who holds each item now."""
    with ws.store.read() as connection:
        rows = connection.execute(select(leases).where(leases.c.expires_at > ws.clock())).all()
    found: dict[int, set[int]] = {}
    for r in rows:
        found.setdefault(r.item_id, set()).add(r.person_id)
    return found
