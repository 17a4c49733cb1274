"""The queue plan in force: reading it, and putting a new version in force with a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection, Row, select

from core.access import Action, Actor
from core.errors import InputError
from core.labels import LabelSchema
from core.queue.boosts import apply_boosts
from core.queue.plan import (
    MOST_ONBOARDING,
    Boost,
    BoostKind,
    Order,
    QueuePlan,
    describe_plan,
)
from core.services.projects.project import ProjectView, in_force, insert_version, project_for
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import item_lists, items, queue_plans, schemas


@dataclass(frozen=True, slots=True)
class PlanView:
    """The plan in force; version 0 is the one a project starts with."""

    plan: QueuePlan
    version: int
    reason: str = ""


def plan_in_force(connection: Connection, project_id: int) -> QueuePlan:
    """Return a project's queue plan within the caller's transaction; the default where none is set."""
    row = _newest(connection, project_id)
    return QueuePlan() if row is None else _read(connection, project_id, row)


def _read(connection: Connection, project_id: int, row: Row) -> QueuePlan:
    """Return the plan of a row; classes renamed or merged since go by what they are called today."""
    plan = QueuePlan.from_json(row.doc)
    if all(b.kind != BoostKind.CLASS for b in plan.boosts):
        return plan
    main = LabelSchema.from_json(in_force(connection, schemas, project_id).doc).main
    boosts = [
        replace(b, value=main.today(b.value)) if b.kind == BoostKind.CLASS else b
        for b in plan.boosts
    ]
    return replace(plan, boosts=tuple(boosts))


def get_queue_plan(ws: Workspace, actor: Actor, slug: str) -> PlanView:
    """Return the plan in force with its version.

    Raises:
        Forbidden: The actor may not see the project.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_PROJECT)
        row = _newest(connection, project.id)
        if row is None:
            return PlanView(QueuePlan(), 0)
        return PlanView(_read(connection, project.id, row), row.version, row.reason)


def set_queue_plan(
    ws: Workspace, actor: Actor, slug: str, plan: QueuePlan, reason: str
) -> PlanView:
    """Put a new plan in force and move the queue by its boosts, in one transaction.

    Raises:
        InputError: No reason was given, or a boost names a class, a list or an item that is not
            this project's.
        Forbidden: The actor does not steer this project.
    """
    with ws.store.write() as connection:
        project = project_for(connection, actor, slug, Action.STEER)
        if not reason.strip():
            raise InputError("A new version needs a reason.", "Say in a few words why.")
        _check_boosts(connection, project, plan)
        last = _newest(connection, project.id)
        before = QueuePlan() if last is None else _read(connection, project.id, last)
        version = 0 if last is None else last.version
        if plan == before:
            return PlanView(plan, version, last.reason if last else "")
        now, said = ws.clock(), reason.strip()
        insert_version(
            connection, queue_plans, project.id, version + 1, plan.to_json(), said,
            actor.person_id, now,
        )  # fmt: skip
        apply_boosts(connection, project.id, plan)
        append_audit(
            connection, now, actor.name, "queue plan set", slug, project.id,
            {"version": version + 1, "reason": said},
        )  # fmt: skip
    return PlanView(plan, version + 1, said)


def reboost(connection: Connection, project_id: int, item_ids: Sequence[int] | None = None) -> None:
    """Write the boosts of the plan in force anew, for items whose class or metadata changed."""
    plan = plan_in_force(connection, project_id)
    if plan.boosts:
        apply_boosts(connection, project_id, plan, item_ids)


# --- for those who edit one -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PeopleChecks:
    """The part of a plan that checks people's work; the fields are those of the plan."""

    gold_share: float = 0.0
    repeat_share: float = 0.0
    onboarding: int = 0
    pass_mark: float = 0.8
    target: float = 0.8
    feedback: bool = False


ORDERS: tuple[str, ...] = tuple(o.value for o in Order)
LONGEST_ONBOARDING = MOST_ONBOARDING
BOOST_KINDS: tuple[str, ...] = tuple(k.value for k in BoostKind)


def new_plan(
    order: str,
    blind_share: float,
    known_wrong_share: float,
    boosts: Sequence[tuple[str, str, str, int]],
    checks: PeopleChecks | None = None,
) -> QueuePlan:
    """Return a checked plan; each boost is a kind, a key, a value and a level.

    Raises:
        InputError: A value is out of bounds.
    """
    of_people = asdict(checks) if checks else {}
    return QueuePlan(
        order, blind_share, known_wrong_share, tuple(Boost(*b) for b in boosts), **of_people
    )


def plan_in_words(plan: QueuePlan, list_names: Mapping[int, str] | None = None) -> str:
    """Return a plan in a few plain sentences."""
    return describe_plan(plan, dict(list_names or {}))


# --- within a transaction -----------------------------------------------------------------------


def _newest(connection: Connection, project_id: int) -> Row | None:
    return connection.execute(
        select(queue_plans)
        .where(queue_plans.c.project_id == project_id)
        .order_by(queue_plans.c.version.desc())
        .limit(1)
    ).first()


def _check_boosts(connection: Connection, project: ProjectView, plan: QueuePlan) -> None:
    for boost in plan.boosts:
        if boost.kind == BoostKind.CLASS and boost.value not in project.schema.main.names:
            raise InputError(
                f"A boost names the class '{boost.value[:80]}', which this project does not have.",
                "Choose one of its classes.",
            )
        if boost.kind == BoostKind.LIST:
            table, what = item_lists, "list"
        elif boost.kind == BoostKind.ITEMS:
            table, what = items, "item"
        else:
            continue
        wanted = set(boost.numbers())
        known = set(
            connection.execute(
                select(table.c.id).where(
                    table.c.id.in_(sorted(wanted)), table.c.project_id == project.id
                )
            ).scalars()
        )
        if wanted - known:
            raise InputError(
                f"A boost names {what} {min(wanted - known)}, which this project does not have.",
                f"Choose {what}s of this project.",
            )
