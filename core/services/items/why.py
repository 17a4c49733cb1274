"""Why an item has the label it has: votes, decision, policy and model, in sentences."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, Table, select

from core.access import Action, Actor
from core.consensus.settle import DecisionKind
from core.errors import NotFound
from core.labels import Answer, LabelSchema
from core.labels.schema import Task
from core.labels.state import ItemState
from core.services.projects.project import ProjectView, project_for
from core.services.visibility.probes import Probe, probes_of, shown_state
from core.services.visibility.views import prelabels_of
from core.services.workspace import Workspace
from core.store.tables import (
    annotation_log,
    decisions,
    final_labels,
    item_state,
    person_revisions,
)


@dataclass(frozen=True, slots=True)
class Why:
    """Why an item has the label it has: the evidence in sentences, and as numbers."""

    item_id: int
    state: ItemState
    label: str | None
    answer: Answer | None
    sentences: tuple[str, ...]
    policy_version: int | None
    schema_version: int | None
    model: str | None
    decided_by: str | None
    at: float | None


WHY_STATE = {
    "flagged": "Somebody flagged this item for you.",
    "votes-differ": "The votes differ, and the policy sends every difference to a lead.",
    "no-majority": "No answer has a majority, and the policy allows no further vote.",
    "more-votes": "The votes differ; more people are being asked.",
    "sent-back": "A lead sent it back for more votes.",
    "all-agree": "Everybody agrees.",
    "majority": "A majority settled it.",
    "decided": "A lead decided it.",
    "decided-discard": "A lead discarded it.",
    "decided-neutral": "A lead found that no class fits.",
    "imported": "The label was imported as trusted.",
    "auto-accepted": "The model was allowed to decide it alone.",
    "waiting": "It still waits for votes.",
    "lead-reached": "One answer is as many votes ahead as the policy asks.",
    "sure-enough": "With the votes it has, one answer is as probable as the policy asks.",
    "inferred": "The votes differ; weighed by how the people usually vote, one answer is probable enough.",
    "quorum": "Enough people drew each region.",
    "not-sure": "No answer is as probable as the policy asks, and it allows no further vote.",
    "no-lead": "No answer is as far ahead as the policy asks, and it allows no further vote.",
    "regions-tie": "Two classes of a region have as many votes, and the policy allows no further vote.",
}
"""The sentence for each reason `core.consensus.settle` gives."""
PROVISIONAL = (
    "Provisional: its votes were weighed by what the last full resolve learnt, and the model's word "
    "counts only if it did there; the next full resolve decides."
)


def explain(ws: Workspace, actor: Actor, slug: str, item_id: int) -> Why:
    """Return why an item has its label: votes, policy, model, who and when.

    Names of voters are given only to those who may see others' votes, or who have voted or the
    item is settled.

    Raises:
        NotFound: There is no such item in this project.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_PROJECT)
        state = connection.execute(
            select(item_state).where(
                item_state.c.item_id == item_id, item_state.c.project_id == project.id
            )
        ).first()
        if state is None:
            raise NotFound(f"There is no item {item_id} in '{slug}'.")
        probe = probes_of(connection, project, actor, [item_id]).get(item_id)
        if probe is not None:
            return _as_shown(connection, project, actor, state, probe)
        final = connection.execute(
            select(final_labels).where(final_labels.c.seq == state.final_seq)
        ).first()
        if final is None or ItemState(state.state) in (ItemState.OPEN, ItemState.DISPUTE):
            return _not_settled(item_id, ItemState(state.state), state.votes, state.wanted)
        evidence = json.loads(final.evidence)
        votes = _named(connection, annotation_log, evidence["votes"])
        ruled = _named(connection, decisions, [evidence["decision"]])
        prelabels = prelabels_of(connection, [state.prediction_seq], project.schema)
    model = prelabels[state.prediction_seq].source if state.prediction_seq in prelabels else None
    return Why(
        item_id=item_id,
        state=ItemState(state.state),
        label=final.label or _several_said(final, project.schema),
        answer=Answer.from_json(final.answer) if final.answer else None,
        sentences=tuple(_sentences(final, votes, ruled, evidence, project.schema)),
        policy_version=final.policy_version,
        schema_version=final.schema_version,
        model=model,
        decided_by=ruled[0].name if ruled else None,
        at=final.at,
    )


def _not_settled(item_id: int, found: ItemState, votes: int, wanted: int) -> Why:
    sentence = (
        f"It has {votes} of {wanted} votes; nothing is settled yet."
        if found is ItemState.OPEN
        else "It is in dispute: a lead has to decide."
    )
    return Why(item_id, found, None, None, (sentence,), None, None, None, None, None)


def _as_shown(
    connection: Connection, project: ProjectView, actor: Actor, state: Row, probe: Probe
) -> Why:
    """Return what is told of an item planted for this person: as if their word were the only one."""
    shown = shown_state(project, probe)
    if shown in (ItemState.OPEN, ItemState.DISPUTE) or probe.word is None:
        wanted = project.policy.overlap
        return _not_settled(probe.item_id, shown, int(probe.said == "vote"), wanted)
    said, schema = probe.word, project.schema
    answer = schema.translate(Answer.from_json(said.answer))
    seq = said.prediction_seq or state.prediction_seq
    prelabels = prelabels_of(connection, [seq], schema)
    sentences = (
        WHY_STATE["all-agree"],
        f"{actor.display_name} said {_said(said, schema)}.",
        f"Policy version {project.policy_version}, schema version {project.schema_version}.",
    )
    return Why(
        item_id=probe.item_id,
        state=shown,
        label=said.label or _several_said(said, schema),
        answer=answer,
        sentences=sentences,
        policy_version=project.policy_version,
        schema_version=project.schema_version,
        model=prelabels[seq].source if seq in prelabels else None,
        decided_by=None,
        at=said.at,
    )


def _named(connection: Connection, table: Table, seqs: Sequence[int | None]) -> list[Row]:
    """Return what people said, each row with the name others read today."""
    wanted = [s for s in seqs if s is not None]
    name = (
        select(person_revisions.c.display_name)
        .where(person_revisions.c.person_id == table.c.person_id)
        .order_by(person_revisions.c.seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    found = select(table, name.label("name")).where(table.c.seq.in_(wanted)).order_by(table.c.seq)
    return list(connection.execute(found).all())


def _sentences(
    final: Row, votes: list[Row], ruled: list[Row], evidence: dict, schema: LabelSchema
) -> list[str]:
    lines = [WHY_STATE.get(final.reason, final.reason)]
    if evidence.get("provisional"):
        lines.append(PROVISIONAL)
    lines += [f"{v.name} said {_said(v, schema)}." for v in votes]
    lines += [f"{d.name} {_ruled(d, schema)}. Reason: {d.reason}" for d in ruled]
    if evidence.get("imported") and not votes and not ruled:
        lines.append("Nobody has voted on it here.")
    lines.append(f"Policy version {final.policy_version}, schema version {final.schema_version}.")
    return lines


def _ruled(row: Row, schema: LabelSchema) -> str:
    return {
        DecisionKind.DECIDE: f"decided: {_said(row, schema)}",
        DecisionKind.DISCARD: "discarded the image",
        DecisionKind.NEUTRAL: "found that no class fits",
        DecisionKind.SEND_BACK: "sent it back for more votes",
    }[DecisionKind(row.kind)]


def _said(row: Row, schema: LabelSchema) -> str:
    if row.answer is None:
        return "no label"
    then = Answer.from_json(row.answer)
    answer = schema.translate(then)
    parts = [_in_both_names(value, then.choices.get(k)) for k, value in answer.choices.items()]
    parts += [", ".join(names) or "none of them" for names in answer.multi.values()]
    if answer.regions or not parts:
        parts.append(region_count(answer, schema.task))
    return ", ".join(parts)


def _several_said(final: Row, schema: LabelSchema) -> str | None:
    """Return the classes of a label that may have several, as one text."""
    if not final.answer or not schema.main.several:
        return None
    return said_briefly(schema, schema.translate(Answer.from_json(final.answer)))


def _in_both_names(today: str, then: str | None) -> str:
    """Return a class by today's name, and the one it was given under where that was another."""
    return today if then in (None, today) else f"{today} (as '{then}')"


def region_count(answer: Answer, task: Task) -> str:
    """Return how many regions an answer has, in words."""
    n = len(answer.regions)
    one, several = _REGIONS.get(task, _REGIONS[Task.BOXES])
    return f"{n} {one if n == 1 else several}"


def said_briefly(schema: LabelSchema, answer: Answer) -> str:
    """Return an answer's label in words: its class or classes, else how many regions it has."""
    said = answer.said(schema.main.key)
    if said is None:
        return region_count(answer, schema.task) if schema.draws else "no answer"
    return said if isinstance(said, str) else " + ".join(said) or "none of them"


_REGIONS = {
    Task.BOXES: ("box", "boxes"),
    Task.POLYGONS: ("polygon", "polygons"),
    Task.KEYPOINTS: ("set of keypoints", "sets of keypoints"),
    Task.MASKS: ("mask", "masks"),
}
