"""Tiles known to be wrong, mixed into a grid: which may be planted, and what people overlooked.

What a person does with a planted tile is written to `overlook_probes` and is never a vote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from sqlalchemy import Connection, Select, func, select

from core.labels import Answer, Region
from core.labels.state import ItemState
from core.services.consensus.resolve import live_annotations
from core.services.grid.candidates import least_sure, raw_names
from core.services.grid.tiles import Candidate
from core.services.projects.project import ProjectView
from core.services.visibility.doubt import Sureness, one_more
from core.stats.intervals import Estimate, wilson
from core.store.tables import (
    annotation_log,
    decisions,
    final_labels,
    gold_answers,
    item_state,
    items,
    overlook_probes,
    predictions,
    probe_votes,
)

LOOKED_AT = 1000
"""Most settled items read in search of tiles to plant."""
SMALLEST_PAGE = 24
"""From this many tiles on at least one is planted where there is one to plant."""
MOST_REGIONS = 12
BLIND_VOTES = 2


@dataclass(frozen=True, slots=True)
class Noticed:
    """What became of one planted tile."""

    page: str
    item_id: int
    shown: str
    truth: str
    noticed: bool
    tiles: int


def how_many(tiles: int, share: float, chance: Random) -> int:
    """Return how many of a page's tiles to plant; the fraction left over is drawn."""
    wanted = tiles * share
    drawn = int(wanted) + (chance.random() < wanted % 1)
    return max(1, drawn) if tiles >= SMALLEST_PAGE and share > 0 else drawn


def plantable(
    connection: Connection,
    project: ProjectView,
    person_id: int,
    shown: str,
    count: int,
    chance: Random,
) -> list[Candidate]:
    """Return up to `count` items that can be shown as a class they are known not to be of.

    Where the model itself said that class, that is what is shown; else its confidence is left
    open, for the page to lend it one like its neighbours'.
    """
    if count < 1:
        return []
    rows = connection.execute(_settled(project, person_id)).all()
    known = truths(connection, [r.item_id for r in rows])
    said = set(raw_names(project, shown))
    honest: list[Candidate] = []
    made: list[Candidate] = []
    for row in rows:
        if row.item_id not in known:
            continue
        found = _shown_wrong(project, row, known[row.item_id], shown, said, chance)
        if found is not None:
            (honest if found.confidence is not None else made).append(found)
    chance.shuffle(honest)
    chance.shuffle(made)
    return (honest + made)[:count]


def lend_doubt(
    planted: Sequence[Candidate], real: Sequence[Candidate], chance: Random
) -> list[Candidate]:
    """Return planted tiles with numbers like those around them, where they have none."""
    page = [Sureness(c.confidence, c.doubt) for c in real]
    page += [Sureness(c.confidence, c.doubt) for c in planted if c.confidence is not None]
    regions = [Sureness(r.confidence, 0.0) for c in real for r in c.answer.regions]
    lent: list[Candidate] = []
    for one in planted:
        if one.confidence is None:
            lent.append(_as_sure(one, page, regions, chance))
        else:
            lent.append(one)
    return lent


def _as_sure(
    planted: Candidate, page: list[Sureness], regions: list[Sureness], chance: Random
) -> Candidate:
    """Return a planted item with numbers of its own, which are noted as taken."""
    page.append(one_more(page, chance))
    if not planted.answer.regions:
        return replace(planted, confidence=page[-1].confidence, doubt=page[-1].doubt)
    told: list[Region] = []
    for region in planted.answer.regions:
        regions.append(one_more(regions, chance))
        told.append(replace(region, confidence=regions[-1].confidence))
    return replace(
        planted,
        answer=replace(planted.answer, regions=tuple(told)),
        confidence=page[-1].confidence,
        doubt=least_sure(told, page[-1].confidence),
    )


def truths(connection: Connection, ids: Sequence[int]) -> dict[int, Answer]:
    """Return what items are known to show: their gold, a ruling, or what blind voters agree on."""
    found: dict[int, Answer] = {}
    settled = connection.execute(
        select(item_state.c.item_id, item_state.c.state, final_labels.c.answer)
        .join(final_labels, final_labels.c.seq == item_state.c.final_seq)
        .where(item_state.c.item_id.in_(ids), item_state.c.state.in_(_KNOWN))
    ).all()
    blind = _agreed_blindly(connection, [r.item_id for r in settled if r.state != "adjudicated"])
    for row in settled:
        if row.answer and (row.state == ItemState.ADJUDICATED.value or row.item_id in blind):
            found[row.item_id] = Answer.from_json(row.answer)
    newest = (
        select(func.max(gold_answers.c.seq))
        .where(gold_answers.c.item_id.in_(ids))
        .group_by(gold_answers.c.item_id)
    )
    gold = select(gold_answers).where(gold_answers.c.seq.in_(newest))
    found.update((r.item_id, Answer.from_json(r.answer)) for r in connection.execute(gold))
    return found


def gold_labels(
    connection: Connection, project: ProjectView, ids: Sequence[int]
) -> Mapping[int, str]:
    """Return the class of items that have a gold answer, where an item has one; no evaluate items."""
    newest = (
        select(func.max(gold_answers.c.seq))
        .where(gold_answers.c.item_id.in_(ids))
        .group_by(gold_answers.c.item_id)
    )
    rows = connection.execute(
        select(gold_answers.c.item_id, gold_answers.c.label)
        .join(items, items.c.id == gold_answers.c.item_id)
        .where(gold_answers.c.seq.in_(newest), items.c.use != "evaluate")
    )
    if project.schema.draws:
        return {}
    return {i: project.schema.main.today(label) for i, label in rows.tuples() if label}


_KNOWN = (ItemState.ADJUDICATED.value, ItemState.AGREED.value)


def _agreed_blindly(connection: Connection, ids: Sequence[int]) -> set[int]:
    """Return the items with enough live votes of people who did not see what the model says."""
    votes: dict[int, int] = {}
    for row in live_annotations(connection, ids):
        if row.kind == "vote" and not row.prelabel_shown:
            votes[row.item_id] = votes.get(row.item_id, 0) + 1
    return {i for i, n in votes.items() if n >= BLIND_VOTES}


def _settled(project: ProjectView, person_id: int) -> Select:
    """Select items that may have a known label and that this person has nothing to do with.

    No open ones: what was planted would come to the person again, to be voted on, and so be known
    for gold; and they may have to be answered without the model's word.
    """
    mine = [
        select(table.c.seq)
        .where(table.c.item_id == item_state.c.item_id, table.c.person_id == person_id)
        .correlate(item_state)
        .exists()
        for table in (annotation_log, decisions, overlook_probes, probe_votes)
    ]
    return (
        select(
            item_state.c.item_id,
            item_state.c.state,
            predictions.c.seq,
            predictions.c.answer,
            predictions.c.label,
            predictions.c.confidence,
            predictions.c.margin,
        )
        .join(predictions, predictions.c.seq == item_state.c.prediction_seq)
        .join(items, items.c.id == item_state.c.item_id)
        .where(
            item_state.c.project_id == project.id,
            items.c.use != "evaluate",
            item_state.c.state.in_(_KNOWN),
            *(~m for m in mine),
        )
        .order_by(item_state.c.priority, item_state.c.item_id)
        .limit(LOOKED_AT)
    )


def _shown_wrong(
    project: ProjectView, row: object, truth: Answer, shown: str, said: set[str], chance: Random
) -> Candidate | None:
    """Return how an item is shown as `shown`, None where that is right or cannot be."""
    item_id, seq = row.item_id, row.seq  # type: ignore[attr-defined]
    truth = project.schema.translate(truth)
    if project.schema.draws:
        return _wrong_region(item_id, seq, truth, shown, chance)
    key = project.schema.main.key
    if truth.choices.get(key) in (None, shown):
        return None
    answer = project.schema.translate(Answer.from_json(row.answer))  # type: ignore[attr-defined]
    answer = replace(answer, choices={**answer.choices, key: shown})
    genuine = row.label in said  # type: ignore[attr-defined]
    confidence = row.confidence if genuine else None  # type: ignore[attr-defined]
    doubt = row.margin if row.margin is not None else confidence  # type: ignore[attr-defined]
    return Candidate(item_id, seq, answer, confidence, float(doubt or 0.0), "wrong:0")


def _wrong_region(
    item_id: int, seq: int, truth: Answer, shown: str, chance: Random
) -> Candidate | None:
    places = [i for i, r in enumerate(truth.regions) if r.label != shown]
    if not places or len(truth.regions) > MOST_REGIONS:
        return None
    wrong = chance.choice(places)
    regions = tuple(
        replace(r, label=shown if i == wrong else r.label) for i, r in enumerate(truth.regions)
    )
    return Candidate(item_id, seq, replace(truth, regions=regions), None, 0.0, f"wrong:{wrong}")


# --- what was overlooked ----------------------------------------------------------------------


def noted(connection: Connection, person_id: int, pages: Sequence[str]) -> set[tuple[str, int]]:
    """Return the planted tiles (page, item) of these pages a person has decided on."""
    rows = connection.execute(
        select(overlook_probes.c.page_uuid, overlook_probes.c.item_id).where(
            overlook_probes.c.page_uuid.in_(set(pages)), overlook_probes.c.person_id == person_id
        )
    )
    return set(rows.tuples())


def note_probes(
    connection: Connection,
    project: ProjectView,
    person_id: int,
    seen: Sequence[Noticed],
    at: float,
) -> None:
    """Write what a person did with planted tiles; of each page the first word counts."""
    there = noted(connection, person_id, [s.page for s in seen])
    fresh: Mapping[tuple[str, int], Noticed] = {
        (s.page, s.item_id): s for s in reversed(seen) if (s.page, s.item_id) not in there
    }
    if fresh:
        connection.execute(
            overlook_probes.insert(),
            [
                {
                    "page_uuid": s.page, "project_id": project.id, "item_id": s.item_id,
                    "person_id": person_id, "shown": s.shown, "truth": s.truth,
                    "noticed": s.noticed, "tiles": s.tiles, "at": at,
                }
                for s in fresh.values()
            ],
        )  # fmt: skip


def attention(connection: Connection, project: ProjectView, person_id: int) -> Estimate:
    """Return the share of planted tiles a person noticed in a project so far.

    Those on open items count once the items are settled: else the figure, which the person sees
    move, would tell which item has a gold answer while the vote on it can still be changed.
    """
    found: Sequence[bool] = (
        connection.execute(
            select(overlook_probes.c.noticed)
            .join(item_state, item_state.c.item_id == overlook_probes.c.item_id)
            .where(
                item_state.c.state != ItemState.OPEN.value,
                overlook_probes.c.project_id == project.id,
                overlook_probes.c.person_id == person_id,
            )
        )
        .scalars()
        .all()
    )
    return wilson(sum(found), len(found))
