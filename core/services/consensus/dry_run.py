"""What a full resolve would change, under the policy in force or another: nothing is written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from core.access import Action, Actor
from core.consensus.policy import Policy
from core.labels.state import ItemState
from core.services.consensus.gathering import gather
from core.services.consensus.resolve import CHUNK, Told, whole_project
from core.services.projects.project import ProjectView, project_for
from core.services.workspace import Workspace
from core.store.tables import final_labels, item_state, items

CLOSED = frozenset(ItemState) - {ItemState.OPEN, ItemState.DISPUTE}


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a full resolve would change.

    Attributes:
        items: How many were looked at.
        changed: Items whose state or label would be another.
        labels_changed: Of these, items that have a label before and after, and not the same.
        reopened: Items settled now, or before a lead, that would ask for votes again (as in a replay).
        new_disputes: Items that would newly wait for a lead.
        settled: Items that ask for votes or wait for a lead now and would be settled.
        before: Items by state now.
        after: Items by state then.
        votes_wanted: Votes that would still be asked for.
    """

    items: int
    changed: int
    labels_changed: int
    reopened: int
    new_disputes: int
    settled: int
    before: dict[str, int]
    after: dict[str, int]
    votes_wanted: int


def dry_run(
    ws: Workspace,
    actor: Actor,
    slug: str,
    policy: Policy | None = None,
    told: Told | None = None,
) -> DryRun:
    """Return what a full resolve would change; `policy` None takes the one in force.

    Raises:
        Forbidden: The actor does not steer this project.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.STEER)
        if policy is not None:
            project = replace(project, policy=policy)
        ids = list(
            connection.execute(
                select(items.c.id).where(items.c.project_id == project.id).order_by(items.c.id)
            ).scalars()
        )
        counts = _Counts(connection, project)
        for start in range(0, len(ids), CHUNK):
            counts.add(ids[start : start + CHUNK])
            if told is not None:
                told("settling items", min(start + CHUNK, len(ids)), len(ids))
    return counts.told(len(ids))


class _Counts:
    """What is counted while items are settled, chunk by chunk."""

    def __init__(self, connection: Connection, project: ProjectView) -> None:
        self.connection, self.project = connection, project
        self.settling = whole_project(connection, project)
        self.found, self.before, self.after = Counter[str](), Counter[str](), Counter[str]()

    def add(self, ids: list[int]) -> None:
        """Settle some items and count how that differs from what is in force."""
        gathered = gather(self.connection, ids, self.project.schema)
        now = _now(self.connection, ids)
        for item_id in ids:
            outcome = self.settling.outcome(item_id, gathered[item_id])
            answer = outcome.answer.to_json() if outcome.answer else None
            state, label = now.get(item_id, (ItemState.OPEN, None))
            self.before[state.value] += 1
            self.after[outcome.state.value] += 1
            self.found.update(_differences(state, label, outcome.state, answer))
            self.found["wanted"] += max(outcome.votes_wanted - len(gathered[item_id].votes), 0)

    def told(self, n: int) -> DryRun:
        """Return the counts."""
        found = self.found
        return DryRun(
            n, found["changed"], found["labels"], found["reopened"],
            found["disputed"], found["settled"],
            dict(sorted(self.before.items())), dict(sorted(self.after.items())), found["wanted"],
        )  # fmt: skip


def _now(connection: Connection, ids: list[int]) -> dict[int, tuple[ItemState, str | None]]:
    """Return state and answer in force of each of these items."""
    state = item_state.c
    rows = connection.execute(
        select(state.item_id, state.state, final_labels.c.answer)
        .outerjoin(final_labels, final_labels.c.seq == state.final_seq)
        .where(state.item_id.in_(ids))
    )
    return {r.item_id: (ItemState(r.state), r.answer) for r in rows}


def _differences(
    was: ItemState, label: str | None, becomes: ItemState, answer: str | None
) -> list[str]:
    old = label if was.has_label else None
    found = []
    if was is not becomes or old != answer:
        found.append("changed")
    if old is not None and answer is not None and old != answer:
        found.append("labels")
    if becomes is ItemState.OPEN and was is not becomes:
        found.append("reopened")
    if becomes is ItemState.DISPUTE and was is not becomes:
        found.append("disputed")
    if was not in CLOSED and becomes in CLOSED:
        found.append("settled")
    return found
