"""What a person may see of items: blind to others' votes until they have voted, gold never marked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Row, func, select

from core.access import Action, Actor, Resource, can
from core.labels import Answer, LabelSchema
from core.labels.answer import salvage
from core.labels.state import ItemState
from core.queue.barred import barred_items
from core.queue.claim import votable
from core.services.pictures.images import image_path
from core.services.projects.project import ProjectView
from core.services.visibility.blind import blind_items
from core.services.visibility.eligible import KEPT_FROM_YOU, barred_for
from core.services.visibility.guises import as_lent
from core.services.visibility.probes import Probe, probes_of, shown_state
from core.store.tables import (
    annotation_log,
    drafts,
    item_metadata,
    item_names,
    item_state,
    items,
    leases,
    models,
    prediction_sets,
    predictions,
)


@dataclass(frozen=True, slots=True)
class PrelabelView:
    """What the model, or an imported file, proposes.

    Attributes:
        source: Name of the prediction set.
        top: The likeliest classes of the first question with their probabilities, at most five.
        model: Which model said it, in words; the set's name where a file brought it.
    """

    seq: int
    label: str | None
    answer: Answer
    confidence: float | None
    margin: float | None
    source: str
    top: tuple[tuple[str, float], ...] = ()
    model: str = ""


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """One item in front of one person.

    Attributes:
        image: Path of the picture without the app's base; ``&w=`` chooses a width.
        prelabel: None where there is none, and where the person answers without it (`blind`).
        revision: Of one's own answer; 0 where there is none.
        mine: One's own live vote.
        mine_kind: vote, skip, flag, withdraw, or empty.
        can_vote: Whether a vote would be taken now.
        notice: A sentence when it would not.
        channels: Names of the image's channels, where it has more than colours.
        draft_dropped: How many parts of the draft could not be read and were left out.
    """

    item_id: int
    name: str
    width: int
    height: int
    image: str
    metadata: Mapping[str, str]
    prelabel: PrelabelView | None
    state: ItemState
    draft: Answer | None
    draft_saved_at: float | None
    revision: int
    mine: Answer | None
    mine_kind: str
    lease_expires_at: float | None
    can_vote: bool
    notice: str
    channels: tuple[str, ...] = ()
    draft_dropped: int = 0


def item_views(
    connection: Connection, project: ProjectView, actor: Actor, ids: Sequence[int], now: float
) -> list[ReviewItem]:
    """Return the items as this person may see them, in the order given."""
    if not ids:
        return []
    rows = _by_item(
        connection.execute(
            select(items, item_state.c.state, item_state.c.prediction_seq)
            .join(item_state, item_state.c.item_id == items.c.id)
            .where(items.c.id.in_(ids))
        ).all(),
        "id",
    )
    # Not asked of the record: SQLite would read the whole project by its index instead of these.
    rows = {i: r for i, r in rows.items() if r.project_id == project.id}
    names = names_of(connection, ids)
    metadata = metadata_of(connection, ids)
    hidden = blind_items(connection, project, actor, list(rows), now)
    shown = [r.prediction_seq for i, r in rows.items() if i not in hidden]
    probes = probes_of(connection, project, actor, ids)
    # An answered item keeps the pre-label it was answered beside, as one a model learnt from does.
    then = {i: p.word.prediction_seq for i, p in probes.items() if p.word and p.word.prediction_seq}
    prelabels = prelabels_of(connection, [*shown, *then.values()], project.schema)
    mine = _mine(connection, actor, ids)
    kept = _by_item(_own(connection, drafts, actor, ids))
    held = _by_item(_own(connection, leases, actor, ids))
    free = votable(connection, ids, actor.person_id, now)
    barred = barred_items(connection, barred_for(connection, project, actor), ids)
    free -= barred
    free |= {i for i, probe in probes.items() if probe.met or i not in barred}
    views = [
        _view(
            project,
            actor,
            rows[i],
            names[i],
            metadata.get(i, {}),
            None
            if i in hidden
            else _under(probes.get(i), prelabels.get(then.get(i, rows[i].prediction_seq))),
            _said_on(probes[i]) if i in probes else mine.get(i),
            kept.get(i),
            probes[i].lease if i in probes else held.get(i),
            i in free,
            shown_state(project, probes[i]) if i in probes else ItemState(rows[i].state),
            now,
        )
        for i in ids
        if i in rows
    ]
    if not barred:
        return views
    told = {v.item_id for v in views if not v.can_vote and v.state is ItemState.OPEN} & barred
    return [replace(v, notice=KEPT_FROM_YOU) if v.item_id in told else v for v in views]


def _under(probe: Probe | None, prelabel: PrelabelView | None) -> PrelabelView | None:
    """Return a pre-label with the numbers that its item was lent, where it was."""
    guise = None if probe is None else probe.guise
    if prelabel is None or guise is None:
        return prelabel
    confidence, margin, top, answer = as_lent(
        prelabel.confidence, prelabel.margin, prelabel.top, prelabel.answer, guise
    )
    return replace(prelabel, confidence=confidence, margin=margin, top=top, answer=answer)


@dataclass(frozen=True, slots=True)
class _Said:
    """A person's newest word on a planted item, read as one on any other."""

    revision: int
    kind: str
    answer: str | None


def _said_on(probe: Probe) -> _Said | None:
    word = probe.word
    return None if word is None else _Said(word.revision, word.word, word.answer)


def _view(
    project: ProjectView,
    actor: Actor,
    row: Row,
    names: list[str],
    metadata: Mapping[str, str],
    prelabel: PrelabelView | None,
    mine: Row | _Said | None,
    draft: Row | None,
    lease: Row | None,
    has_place: bool,
    state: ItemState,
    now: float,
) -> ReviewItem:
    may = can(actor, Action.VOTE, Resource(project.id))
    voted = mine is not None and mine.kind != "withdraw"
    free = may and (voted or has_place)
    closed = state in (ItemState.ADJUDICATED, ItemState.NEUTRAL, ItemState.DISCARDED)
    drafted, dropped = _draft(project.schema, draft.doc) if draft else (None, 0)
    return ReviewItem(
        item_id=row.id,
        name=names[0],
        width=row.width,
        height=row.height,
        image=image_path(row.id, row.content_hash),
        metadata=metadata,
        prelabel=prelabel,
        state=state,
        draft=drafted,
        draft_saved_at=draft.saved_at if draft and drafted else None,
        revision=mine.revision if mine else 0,
        mine=project.schema.translate(Answer.from_json(mine.answer))
        if mine and mine.answer and mine.kind == "vote"
        else None,
        mine_kind=mine.kind if mine else "",
        lease_expires_at=lease.expires_at if lease and lease.expires_at > now else None,
        can_vote=free and not closed,
        notice=_notice(may, free, closed, state),
        channels=tuple(json.loads(row.channels)),
        draft_dropped=dropped,
    )


def _draft(schema: LabelSchema, text: str) -> tuple[Answer | None, int]:
    """Return what of a draft can be gone on with, and how many parts cannot.

    A spoilt draft must not keep its person from the queue. Answers to questions that are asked no
    more, or with classes nobody knows, are asked for again; a class retired meanwhile stays, and
    regions do: to be changed by the person, who is told. None where nothing is left of a spoilt one.
    """
    read, lost = salvage(text)
    then = schema.translate(read)
    asked = {q.key: q for q in schema.item_questions}
    known = {k: frozenset(q.names) for k, q in asked.items()}
    choices = {
        k: v for k, v in then.choices.items() if v in known.get(k, ()) and not asked[k].several
    }
    multi = {
        k: v
        for k, v in then.multi.items()
        if k in asked and asked[k].several and known[k].issuperset(v)
    }
    lost += len(then.choices) + len(then.multi) - len(choices) - len(multi)
    kept = Answer(choices, then.regions, multi)
    return (None if lost and kept == Answer() else kept), lost


def _notice(may: bool, free: bool, closed: bool, state: ItemState) -> str:
    if not may:
        return "You may look at this item but not vote on it."
    if closed:
        return f"A lead has settled this item ({state.value}); it takes no more votes."
    if not free:
        return "This item takes no vote of yours now: every place on it is taken."
    return ""


def names_of(connection: Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    """Return every name of each item, the first given first."""
    names: dict[int, list[str]] = {i: [] for i in ids}
    query = (
        select(item_names.c.item_id, item_names.c.name)
        .where(item_names.c.item_id.in_(ids))
        .order_by(item_names.c.seq)
    )
    for row in connection.execute(query):
        names[row.item_id].append(row.name)
    return {i: found or [f"item {i}"] for i, found in names.items()}


def metadata_of(connection: Connection, ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """Return the metadata of each item that has some, as text: what is no text as JSON has it."""
    newest = (
        select(func.max(item_metadata.c.seq))
        .where(item_metadata.c.item_id.in_(ids))
        .group_by(item_metadata.c.item_id)
    )
    rows = connection.execute(select(item_metadata).where(item_metadata.c.seq.in_(newest)))
    return {
        r.item_id: {
            k: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)
            for k, v in json.loads(r.doc).items()
        }
        for r in rows
    }


def prelabels_of(
    connection: Connection, seqs: Sequence[int | None], schema: LabelSchema
) -> dict[int | None, PrelabelView]:
    """Return predictions by their number, in the names of `schema`."""
    wanted = [s for s in seqs if s is not None]
    query = (
        select(predictions, prediction_sets.c.name, models.c.backbone)
        .join(prediction_sets, prediction_sets.c.id == predictions.c.set_id)
        .outerjoin(models, models.c.id == prediction_sets.c.model_id)
        .where(predictions.c.seq.in_(wanted))
    )
    return {
        r.seq: PrelabelView(
            r.seq,
            r.label and schema.main.today(r.label),
            schema.translate(Answer.from_json(r.answer)),
            r.confidence,
            r.margin,
            r.name,
            _top(r.top, schema),
            f"{r.name} · {r.backbone}" if r.backbone else r.name,
        )
        for r in connection.execute(query)
    }


def _top(text: str | None, schema: LabelSchema) -> tuple[tuple[str, float], ...]:
    found: dict[str, float] = {}
    for name, probability in json.loads(text or "[]"):
        # Classes merged since: one's probability adds to the other's.
        today = schema.main.today(str(name))
        found[today] = found.get(today, 0.0) + float(probability)
    return tuple(sorted(found.items(), key=lambda pair: -pair[1]))


def _mine(connection: Connection, actor: Actor, ids: Sequence[int]) -> dict[int, Row]:
    rows = connection.execute(
        select(annotation_log)
        .where(annotation_log.c.item_id.in_(ids), annotation_log.c.person_id == actor.person_id)
        .order_by(annotation_log.c.revision)
    ).all()
    return _by_item(rows)  # later revisions overwrite earlier ones


def _own(connection: Connection, table: object, actor: Actor, ids: Sequence[int]) -> Sequence[Row]:
    return connection.execute(
        select(table).where(table.c.item_id.in_(ids), table.c.person_id == actor.person_id)  # type: ignore[call-overload, attr-defined]
    ).all()


def _by_item(rows: Sequence[Row], key: str = "item_id") -> dict[int, Row]:
    return {getattr(r, key): r for r in rows}
