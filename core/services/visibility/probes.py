"""Gold and repeats as their person may see them: as an item nobody answered before.

Settled gold looks so before it is planted, too, or who looked everything up beforehand would know
each settled item that comes as an open one. To who steers a project, and so may see gold anyway,
nothing is planted, and nothing is hidden.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Row, exists, func, select

from core.access import Action, Actor, Resource, can
from core.consensus.evidence import Evidence, Vote
from core.consensus.settle import settle
from core.labels import Answer
from core.labels.state import ItemState
from core.services.projects.project import ProjectView
from core.services.visibility.guises import Guise, read_guise
from core.store.tables import (
    annotation_log,
    decisions,
    gold_answers,
    item_state,
    items,
    probe_leases,
    probe_votes,
)


@dataclass(frozen=True, slots=True)
class Probe:
    """A planted item of one person.

    Attributes:
        kind: gold or repeat.
        purpose: mix or onboarding.
        lease: The row that holds it, live or lapsed; None once answered, and before it was handed out.
        word: The newest row of the person's answers to it; None before.
    """

    item_id: int
    kind: str
    purpose: str
    lease: Row | None
    word: Row | None

    @property
    def met(self) -> bool:
        """Return whether the person ever had it in hand; if not, it may still be planted."""
        return self.lease is not None or self.word is not None

    @property
    def guise(self) -> Guise | None:
        """Return the numbers it was lent while in hand."""
        row = self.lease if self.lease is not None else self.word
        return None if row is None else read_guise(row.guise)

    @property
    def said(self) -> str:
        """Return what the person's newest word is: vote, skip, flag, withdraw, or nothing."""
        return str(self.word.word) if self.word is not None else ""


def may_be_probed(actor: Actor, project_id: int) -> bool:
    """Return whether items may be planted for a person: not for who may see gold."""
    here = Resource(project_id)
    return can(actor, Action.VOTE, here) and not can(actor, Action.SEE_GOLD, here)


def probes_of(
    connection: Connection, project: ProjectView, actor: Actor, ids: Sequence[int]
) -> dict[int, Probe]:
    """Return those of the items that are planted for a person: in hand, lapsed, answered, to come."""
    if not ids or not may_be_probed(actor, project.id):
        return {}
    held = {
        r.item_id: r
        for r in connection.execute(
            select(probe_leases).where(
                probe_leases.c.person_id == actor.person_id, probe_leases.c.item_id.in_(ids)
            )
        )
    }
    newest = (
        select(func.max(probe_votes.c.seq))
        .where(probe_votes.c.person_id == actor.person_id, probe_votes.c.item_id.in_(ids))
        .group_by(probe_votes.c.item_id)
    )
    words = {
        r.item_id: r
        for r in connection.execute(select(probe_votes).where(probe_votes.c.seq.in_(newest)))
    }
    to_come = _gold_pool(connection, project, actor, items.c.id.in_(ids))
    return {i: _probe(i, held.get(i), words.get(i)) for i in {*held, *words, *to_come}}


def _probe(item_id: int, lease: Row | None, word: Row | None) -> Probe:
    rows = ((r.kind, r.purpose) for r in (lease, word) if r is not None)
    kind, purpose = next(rows, ("gold", "mix"))
    return Probe(item_id, kind, purpose, lease, word)


def _gold_pool(
    connection: Connection, project: ProjectView, actor: Actor, which: ColumnElement[bool]
) -> set[int]:
    """Return settled gold that a person never answered or ruled on: it may be planted for them."""
    theirs = (
        exists().where(t.c.item_id == items.c.id, t.c.person_id == actor.person_id)
        for t in (annotation_log, decisions)
    )
    query = (
        select(items.c.id)
        .join(item_state, item_state.c.item_id == items.c.id)
        .where(
            which,
            items.c.id.in_(
                select(gold_answers.c.item_id).where(gold_answers.c.item_id == items.c.id)
            ),
            item_state.c.project_id == project.id,
            items.c.use != "evaluate",
            item_state.c.state.not_in(_AS_THEY_ARE),
            *(~t for t in theirs),
        )
    )
    return set(connection.execute(query).scalars())


_AS_THEY_ARE = (ItemState.OPEN.value, ItemState.NEUTRAL.value, ItemState.DISCARDED.value)
"""Open gold has nothing to hide; what was discarded, or fits no class, is never planted."""


def answered_probes(connection: Connection, project: ProjectView, actor: Actor) -> dict[int, Probe]:
    """Return everything that was or may yet be planted for a person in a project, by item."""
    if not may_be_probed(actor, project.id):
        return {}
    ids: set[int] = set()
    for table in (probe_leases, probe_votes):
        mine = select(table.c.item_id).where(
            table.c.person_id == actor.person_id, table.c.project_id == project.id
        )
        ids.update(connection.execute(mine).scalars())
    with_gold = select(gold_answers.c.item_id).where(gold_answers.c.project_id == project.id)
    ids |= _gold_pool(connection, project, actor, items.c.id.in_(with_gold))
    found: dict[int, Probe] = {}
    for part in _parts(sorted(ids)):
        found.update(probes_of(connection, project, actor, part))
    return found


def _parts(ids: list[int], size: int = 500) -> list[list[int]]:
    return [ids[i : i + size] for i in range(0, len(ids), size)]


def shown_state(project: ProjectView, probe: Probe) -> ItemState:
    """Return where a planted item stands for its person: as if they were the first to answer it."""
    if probe.said == "flag":
        return ItemState.DISPUTE
    if probe.said != "vote" or probe.word is None:
        return ItemState.OPEN
    answer = project.schema.translate(Answer.from_json(probe.word.answer))
    alone = Vote(str(probe.word.person_id), answer)
    return settle(Evidence((alone,)), project.schema, project.policy).state


def own_words(connection: Connection, person_id: int, item_id: int) -> Sequence[Row]:
    """Return everything a person said of a planted item, oldest first."""
    return connection.execute(
        select(probe_votes)
        .where(probe_votes.c.person_id == person_id, probe_votes.c.item_id == item_id)
        .order_by(probe_votes.c.seq)
    ).all()


def merged_kinds(kinds: Mapping[int, str], probes: Mapping[int, Probe]) -> dict[int, str]:
    """Return the kinds of a person's newest answers, those on planted items in place of votes."""
    found = dict(kinds)
    for item_id, probe in probes.items():
        found.pop(item_id, None)
        if probe.said:
            found[item_id] = probe.said
    return found
