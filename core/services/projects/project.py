"""Projects: making them, and the versioned documents (schema, policy, guideline) in force."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from sqlalchemy import Connection, Row, Table, func, select

from core.access import Action, Actor, Resource, can, require, require_signed_in
from core.consensus.policy import Policy
from core.errors import ConflictError, InputError, NotFound, one_of
from core.labels import LabelSchema
from core.labels.schema import Skeleton, Task, make_question
from core.labels.schema_checks import checked_schema
from core.services.pictures.images import image_path
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import guidelines, item_names, items, policies, projects, schemas

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
MAIN_QUESTION = "label"


@dataclass(frozen=True, slots=True)
class NewProject:
    """What it takes to make a project.

    Attributes:
        classes: Class names of the first question.
        questions: Further questions of an item, key to class names.
        required_metadata: Columns every item must bring (O44).
        use_shares: Shares for train, certify, evaluate; None takes the setting.
        schema: A schema made elsewhere, instead of task, classes and questions.
        attributes: Questions asked of each region, key to class names.
        several: Keys of the questions that take several classes.
        skeleton: The points of a project of keypoints.
    """

    slug: str
    task: Task
    classes: Sequence[str] = ()
    title: str = ""
    questions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    guideline: str = ""
    policy: Policy = field(default_factory=Policy)
    required_metadata: Sequence[str] = ()
    use_shares: tuple[float, float, float] | None = None
    simulated: bool = False
    schema: LabelSchema | None = None
    attributes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    several: Sequence[str] = ()
    skeleton: Skeleton = field(default_factory=Skeleton)


@dataclass(frozen=True, slots=True)
class GuidelineExample:
    """An item shown beside the guideline, as a good or a bad example of something.

    Attributes:
        note: What is to be seen in it.
        name: What the item is called.
        image: Path of the picture without the app's base.
    """

    item_id: int
    good: bool
    note: str
    name: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class ProjectView:
    """A project with the versions in force."""

    id: int
    slug: str
    title: str
    task: Task
    schema: LabelSchema
    schema_version: int
    policy: Policy
    policy_version: int
    guideline: str
    guideline_version: int
    simulated: bool
    required_metadata: tuple[str, ...]
    use_shares: tuple[float, float, float]
    n_items: int
    guideline_examples: tuple[GuidelineExample, ...] = ()


def create_project(ws: Workspace, actor: Actor, new: NewProject) -> ProjectView:
    """Make a project with its first schema, policy and guideline.

    Raises:
        InputError: The name, the classes or the shares will not do.
        ConflictError: The name is taken.
        Forbidden: The actor may not create projects.
    """
    require(actor, Action.CREATE_PROJECT)
    if not SLUG.fullmatch(new.slug):
        raise InputError(
            f"'{new.slug}' cannot be a project name.",
            "Use 1 to 64 of a-z, 0-9 and '-', beginning with a letter or digit.",
        )
    schema = checked_schema(new.schema or _first_schema(new))
    shares = _checked_shares(new.use_shares or ws.settings.use_shares)
    with ws.store.write() as connection:
        if connection.execute(select(projects.c.id).where(projects.c.slug == new.slug)).first():
            raise ConflictError(
                f"There is a project '{new.slug}' already.",
                "Choose another name, or import into it.",
            )
        now = ws.clock()
        project_id = _insert_project(connection, new, schema, shares, now)
        for table, doc in (
            (schemas, schema.to_json()),
            (policies, new.policy.to_json()),
            (guidelines, new.guideline),
        ):
            insert_version(
                connection, table, project_id, 1, doc, "first version", actor.person_id, now
            )
        append_audit(connection, now, actor.name, "project created", new.slug, project_id)
        return load_project(connection, new.slug)


def _insert_project(
    connection: Connection,
    new: NewProject,
    schema: LabelSchema,
    shares: Sequence[float],
    now: float,
) -> int:
    made = connection.execute(
        projects.insert().returning(projects.c.id),
        {
            "slug": new.slug,
            "title": new.title or new.slug,
            "task": schema.task.value,
            "simulated": new.simulated,
            "required_metadata": json.dumps(list(new.required_metadata)),
            "use_shares": json.dumps(shares),
            "at": now,
        },
    )
    return int(made.scalar_one())


def list_projects(ws: Workspace, actor: Actor, *, counted: bool = True) -> list[ProjectView]:
    """Return the projects the actor may see, by title; `counted` as of `project_for`."""
    with ws.store.read() as connection:
        rows = connection.execute(select(projects.c.id, projects.c.slug)).all()
        seen = [r.slug for r in rows if can(actor, Action.SEE_PROJECT, Resource(r.id))]
        views = [load_project(connection, slug, counted=counted) for slug in seen]
    return sorted(views, key=lambda v: (v.title, v.slug))


def get_project(ws: Workspace, actor: Actor, slug: str, *, counted: bool = True) -> ProjectView:
    """Return a project; `counted` as of `project_for`.

    Raises:
        NotFound: There is none of that name, or the actor may not know of it.
    """
    with ws.store.read() as connection:
        return project_for(connection, actor, slug, Action.SEE_PROJECT, counted=counted)


def project_for(
    connection: Connection, actor: Actor, slug: str, action: Action, *, counted: bool = True
) -> ProjectView:
    """Return a project after asking the gate, within the caller's transaction.

    Args:
        counted: Whether `n_items` is needed; counting a million items takes longer than a claim.

    Raises:
        NotFound: There is none, or the actor may not see it (the same answer on purpose).
        Forbidden: The actor may see it but not do this.
    """
    found = connection.execute(select(projects.c.id).where(projects.c.slug == slug)).scalar()
    if found is None or not can(actor, Action.SEE_PROJECT, Resource(found)):
        require_signed_in(actor)
        raise _unseen(connection, actor, slug)
    require(actor, action, Resource(found))
    return load_project(connection, slug, counted=counted)


def _unseen(connection: Connection, actor: Actor, slug: str) -> NotFound:
    """Return the error that a project is not there for the actor; it names those that are."""
    rows = connection.execute(select(projects.c.id, projects.c.slug).order_by(projects.c.slug))
    seen = [r.slug for r in rows if can(actor, Action.SEE_PROJECT, Resource(r.id))]
    return NotFound(
        f"There is no project '{slug}' for you.",
        one_of(seen, "Ask somebody who steers a project for a role in it."),
    )


def load_project(connection: Connection, slug: str, *, counted: bool = True) -> ProjectView:
    """Return a project within the caller's transaction, asking no gate.

    Args:
        counted: Whether `n_items` is needed; it is -1 otherwise.

    Raises:
        NotFound: There is none of that name.
    """
    row = connection.execute(select(projects).where(projects.c.slug == slug)).first()
    if row is None:
        raise NotFound(f"There is no project '{slug}'.")
    schema, policy, guideline = (
        in_force(connection, table, row.id) for table in (schemas, policies, guidelines)
    )
    count = -1
    if counted:
        count = connection.execute(
            select(func.count()).select_from(items).where(items.c.project_id == row.id)
        ).scalar_one()
    return ProjectView(
        id=row.id,
        slug=row.slug,
        title=row.title,
        task=Task(row.task),
        schema=_read_schema(schema.doc),
        schema_version=schema.version,
        policy=_read_policy(policy.doc),
        policy_version=policy.version,
        guideline=guideline.doc,
        guideline_version=guideline.version,
        simulated=row.simulated,
        required_metadata=tuple(json.loads(row.required_metadata)),
        use_shares=tuple(json.loads(row.use_shares)),
        n_items=count,
        guideline_examples=_examples(connection, guideline.examples),
    )


# Documents never change, and what is read from them is immutable; every claim needs both.
_read_schema = lru_cache(maxsize=64)(LabelSchema.from_json)
_read_policy = lru_cache(maxsize=64)(Policy.from_json)


def _examples(connection: Connection, text: str) -> tuple[GuidelineExample, ...]:

    told = json.loads(text)
    ids = [e["item_id"] for e in told]
    if not ids:
        return ()
    rows = connection.execute(
        select(items.c.id, items.c.content_hash, item_names.c.name)
        .join(item_names, item_names.c.item_id == items.c.id)
        .where(items.c.id.in_(ids))
        .order_by(item_names.c.seq.desc())
    )
    about = {r.id: r for r in rows}  # the first name given wins, being read last
    return tuple(
        GuidelineExample(
            e["item_id"],
            bool(e["good"]),
            str(e["note"]),
            about[e["item_id"]].name,
            image_path(e["item_id"], about[e["item_id"]].content_hash),
        )
        for e in told
        if e["item_id"] in about
    )


def insert_version(
    connection: Connection,
    table: Table,
    project_id: int,
    version: int,
    doc: str,
    reason: str,
    by_id: int,
    at: float,
    **more: object,
) -> None:
    """Write a version of a schema, policy or guideline within the caller's record transaction.

    Args:
        more: Columns only this kind of document has.
    """
    connection.execute(
        table.insert(),
        {
            "project_id": project_id,
            "version": version,
            "doc": doc,
            "reason": reason,
            "by_id": by_id,
            "at": at,
            **more,
        },
    )


def in_force(connection: Connection, table: Table, project_id: int) -> Row:
    """Return the version of a schema, policy or guideline that counts now."""
    return connection.execute(
        select(table)
        .where(table.c.project_id == project_id)
        .order_by(table.c.version.desc())
        .limit(1)
    ).one()


def _first_schema(new: NewProject) -> LabelSchema:
    asked = {*new.questions, *(() if new.task.draws else (MAIN_QUESTION,))}
    unknown = sorted(set(new.several) - asked)
    if unknown:
        raise InputError(
            f"No question about the item is called {', '.join(unknown)}; asked are "
            f"{', '.join(sorted(asked)) or 'none'}."
        )
    main = make_question(MAIN_QUESTION, "Label", list(new.classes), MAIN_QUESTION in new.several)
    others = [
        make_question(k, _title(k), list(v), k in new.several) for k, v in new.questions.items()
    ]
    if MAIN_QUESTION in new.questions:
        raise InputError(
            f"'{MAIN_QUESTION}' is the first question's own name.", "Rename the other."
        )
    about_region = [make_question(k, _title(k), list(v)) for k, v in new.attributes.items()]
    return LabelSchema(new.task, (main, *others), tuple(about_region), new.skeleton)


def _title(key: str) -> str:
    return key.replace("_", " ").capitalize()


def _checked_shares(shares: Sequence[float]) -> tuple[float, float, float]:
    train, certify, evaluate = shares
    if min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
        raise InputError(
            f"The shares for train, certify and evaluate must add to 1, found {list(shares)}."
        )
    return (train, certify, evaluate)
