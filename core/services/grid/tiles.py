"""The tiles of a grid: which open items a model predicted to be of one class, and how they look."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Row, Select, func, or_, select

from core.access import Actor
from core.labels import Answer, Region
from core.labels.state import ItemState
from core.queue.claim import claim, held_leases, renew
from core.services.pictures.crops import crop_path
from core.services.pictures.images import image_path
from core.services.projects.project import ProjectView
from core.services.visibility.blind import blind_items, countable
from core.services.visibility.views import names_of
from core.services.workspace import Workspace
from core.store.tables import annotation_log, item_state, items, predictions

MOST_TILES = 100
LOOKED_AT = 2000
"""Most predictions read for one page or one overview of regions."""
COUNTED = 20_000
"""Most items counted one by one, where some of them may not be."""
REAL = "real"
_IN_ORDER = (item_state.c.boost.desc(), item_state.c.priority, item_state.c.item_id)
STEP = 10


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of the grid: an item, or one region of it.

    Attributes:
        index: Of the region within the answer that is shown; 0 for a whole item.
        image: Path of the picture without the app's base; ``&w=`` chooses a width.
        box: x1, y1, x2, y2 in pixels; None for a whole item.
    """

    index: int
    label: str
    confidence: float | None
    image: str
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """What gets one vote: an item with its tiles. Nothing in it tells what was planted.

    Attributes:
        image: Path of the whole picture.
        seq: The prediction that is shown.
        token: Proof that this person was shown this on this page.
        also: What the model says of the project's other questions.
        doubt: Lowest first; what the page is sorted by.
    """

    item_id: int
    name: str
    image: str
    width: int
    height: int
    seq: int
    token: str
    revision: int
    tiles: tuple[Tile, ...]
    also: tuple[str, ...]
    doubt: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that may come on the page, with what is shown of it.

    Attributes:
        answer: In today's names; of a planted item what is shown, not what is true.
        role: `REAL`, or which tile is known to be wrong.
    """

    item_id: int
    seq: int
    answer: Answer
    confidence: float | None
    doubt: float
    role: str = REAL

    def size(self, draws: bool) -> int:
        """Return how many tiles it makes."""
        return len(self.answer.regions) if draws else 1


def seal(ws: Workspace, *parts: object) -> str:
    """Return a keyed hash of what was shown to whom; a browser can neither make nor read it."""
    text = "\x1f".join(["grid", *map(str, parts)])
    return hmac.new(ws.secret(), text.encode(), hashlib.sha256).hexdigest()[:24]


def raw_names(project: ProjectView, name: str) -> list[str]:
    """Return every name under which predictions may have meant this class."""
    main = project.schema.main
    ever = (n for c in main.classes for n in (c.name, *c.former))
    return sorted({n for n in ever if main.today(n) == name})


def told_waiting(ws: Workspace, project: ProjectView, person_id: int, name: str, n: int) -> int:
    """Return up to how many tiles a person is told to wait of a class: a multiple of ten above n.

    The exact number beside a page's tiles would tell how many of them were planted. Where the
    tens begin is drawn for each person and class, so that a figure seen to fall tells no more.
    """
    if n <= 0:
        return 0
    drawn = 1 + int(seal(ws, "waiting", project.id, person_id, name), 16) % STEP
    return -(-(n + drawn) // STEP) * STEP


def needs_others(project: ProjectView) -> bool:
    """Return whether a vote holds answers that a tile does not ask for."""
    schema = project.schema
    return bool(len(schema.item_questions) > (0 if schema.draws else 1) or schema.region_questions)


# --- finding and claiming ---------------------------------------------------------------------


def find(
    connection: Connection, project: ProjectView, actor: Actor, name: str, left_out: Sequence[int]
) -> list[Candidate]:
    """Return open items predicted to be of a class, most suspicious first, that are not blind."""
    most = LOOKED_AT if project.schema.draws else 5 * MOST_TILES
    query = (
        _open(project, actor.person_id)
        .join(predictions, predictions.c.seq == item_state.c.prediction_seq)
        .add_columns(
            item_state.c.boost,
            item_state.c.priority,
            predictions.c.seq,
            predictions.c.answer,
            predictions.c.confidence,
            predictions.c.margin,
        )
        .where(item_state.c.item_id.not_in(left_out))
        .order_by(*_IN_ORDER)
        .limit(most)
    )
    # Name by name: each is read in order from the index of its class, which two at once are not.
    found_rows = [r for said in _says(project, name) for r in connection.execute(query.where(said))]
    rows = sorted(found_rows, key=lambda r: (-r.boost, r.priority, r.item_id))[:most]
    hidden = blind_items(connection, project, actor, [r.item_id for r in rows])
    found = [_candidate(project, r) for r in rows if r.item_id not in hidden]
    return [c for c in found if _shows(project, c.answer, name)]


def take(
    connection: Connection,
    ws: Workspace,
    project: ProjectView,
    person_id: int,
    found: Sequence[Candidate],
    tiles: int,
) -> list[Candidate]:
    """Lease candidates to a person in their order until they make so many tiles."""
    now, seconds = ws.clock(), ws.settings.lease_seconds
    held = held_leases(connection, project.id, person_id, now)
    room = max(0, ws.settings.lease_cap - len(held))
    draws, own = project.schema.draws, set(held)
    taken: list[Candidate] = []
    queue = list(found)
    while queue and tiles > 0:
        batch = list(_enough(queue, tiles, draws))
        queue = queue[len(batch) :]
        mine = [c.item_id for c in batch if c.item_id in own]
        renew(connection, person_id, mine, now, seconds)
        others = [c.item_id for c in batch if c.item_id not in own][:room]
        won = claim(
            connection, project.id, person_id, len(others), now, seconds, only=others
        ) if others else []  # fmt: skip
        room -= len(won)
        got = [c for c in batch if c.item_id in {*mine, *won}]
        tiles -= sum(c.size(draws) for c in got)
        taken += got
    return taken


def waiting_by_class(
    connection: Connection, project: ProjectView, actor: Actor
) -> Mapping[str, int]:
    """Return for how many open items (of regions: how many regions) each class was predicted.

    What the person may be blind to is not counted: the difference of two counts would tell.
    """
    told = countable(connection, project, actor)
    if project.schema.draws:
        return _waiting_regions(connection, project, actor.person_id, told)
    counts: Counter[str] = Counter()
    main, state = project.schema.main, item_state.c
    if told is not None:
        query = _open(project, actor.person_id).add_columns(state.predicted)
        query = query.where(state.predicted.is_not(None)).order_by(state.priority).limit(COUNTED)
        for row in connection.execute(query):
            counts[main.today(row.predicted)] += told(row.item_id)
        return +counts
    # Two counts, of all and of one's own: looking at each item costs seconds where there are many.
    of_class = (
        select(state.predicted, func.count())
        .where(
            state.project_id == project.id,
            state.state == ItemState.OPEN.value,
            state.predicted.is_not(None),
        )
        .group_by(state.predicted)
    )
    own = of_class.where(state.item_id.in_(_answered_by(project, actor.person_id)))
    for label, n in connection.execute(of_class).tuples():
        counts[main.today(label)] += n
    for label, n in connection.execute(own).tuples():
        counts[main.today(label)] -= n
    return +counts


def _waiting_regions(
    connection: Connection,
    project: ProjectView,
    person_id: int,
    told: Callable[[int], bool] | None,
) -> Mapping[str, int]:
    counts: Counter[str] = Counter()
    query = _open(project, person_id).add_columns(predictions.c.answer)
    query = query.join(predictions, predictions.c.seq == item_state.c.prediction_seq)
    for row in connection.execute(query.order_by(item_state.c.priority).limit(LOOKED_AT)):
        if told is None or told(row.item_id):
            regions = project.schema.translate(Answer.from_json(row.answer)).regions
            counts.update(r.label for r in regions)
    return counts


def _answered_by(project: ProjectView, person_id: int) -> Select:
    """Select the items on which an answer of a person stands."""
    return select(annotation_log.c.item_id).where(
        annotation_log.c.project_id == project.id,
        annotation_log.c.person_id == person_id,
        annotation_log.c.kind != "withdraw",
        ~_later_revision(),
    )


def _open(project: ProjectView, person_id: int) -> Select:
    answered = (
        select(annotation_log.c.seq)
        .where(
            annotation_log.c.item_id == item_state.c.item_id,
            annotation_log.c.person_id == person_id,
            annotation_log.c.kind != "withdraw",
            ~_later_revision(),
        )
        .correlate(item_state)
        .exists()
    )
    return select(item_state.c.item_id).where(
        item_state.c.project_id == project.id,
        item_state.c.state == ItemState.OPEN.value,
        item_state.c.votes < item_state.c.wanted,
        ~answered,
    )


def _later_revision() -> ColumnElement[bool]:
    later = annotation_log.alias("later")
    return (
        select(later.c.seq)
        .where(
            later.c.item_id == annotation_log.c.item_id,
            later.c.person_id == annotation_log.c.person_id,
            later.c.revision > annotation_log.c.revision,
        )
        .correlate(annotation_log)
        .exists()
    )


def _says(project: ProjectView, name: str) -> list[ColumnElement[bool]]:
    """Return conditions, no two of which hold for one item."""
    names = raw_names(project, name)
    if not project.schema.draws:
        return [item_state.c.predicted == n for n in names]
    # A first sieve over the JSON; what comes through is read properly.
    marks = [f'"label":{json.dumps(n, ensure_ascii=False)}' for n in names]
    return [or_(*(predictions.c.answer.contains(m, autoescape=True) for m in marks))]


def _candidate(project: ProjectView, row: Row) -> Candidate:
    answer = project.schema.translate(Answer.from_json(row.answer))
    if project.schema.draws:
        doubt = least_sure(answer.regions, row.confidence)
    else:
        doubt = row.margin if row.margin is not None else row.confidence or 0.0
    return Candidate(row.item_id, row.seq, answer, row.confidence, float(doubt))


def least_sure(regions: Iterable[Region], whole: float | None) -> float:
    """Return what a drawn answer is sorted by: its least sure region, else how sure it is as one."""
    sure = [r.confidence for r in regions if r.confidence is not None]
    return min(sure, default=whole or 0.0)


def _shows(project: ProjectView, answer: Answer, name: str) -> bool:
    if not project.schema.draws:
        return answer.choices.get(project.schema.main.key) == name
    fits = 0 < len(answer.regions) <= MOST_TILES
    return fits and any(r.label == name for r in answer.regions)


def _enough(queue: Iterable[Candidate], tiles: int, draws: bool) -> Iterator[Candidate]:
    for candidate in queue:
        if tiles <= 0:
            return
        tiles -= candidate.size(draws)
        yield candidate


# --- how they look ----------------------------------------------------------------------------


def units_of(
    connection: Connection,
    ws: Workspace,
    project: ProjectView,
    person_id: int,
    page: str,
    shown: str,
    chosen: Sequence[Candidate],
) -> list[Unit]:
    """Return what the browser gets, most suspicious first."""
    ids = [c.item_id for c in chosen]
    rows = {
        r.id: r
        for r in connection.execute(
            # By their keys alone: with the project SQLite would walk the whole of it.
            select(items.c.id, items.c.width, items.c.height, items.c.content_hash).where(
                items.c.id.in_(ids)
            )
        )
    }
    names, revisions = names_of(connection, ids), _revisions(connection, person_id, ids)
    return [
        _unit(ws, project, c, rows[c.item_id], names[c.item_id][0],
              token_of(ws, page, person_id, c.item_id, c.seq, shown, c.role), revisions.get(c.item_id, 0))
        for c in sorted(chosen, key=lambda c: (c.doubt, c.item_id))
    ]  # fmt: skip


def token_of(
    ws: Workspace, page: str, person_id: int, item_id: int, seq: int, shown: str, role: str
) -> str:
    """Return the proof that a person was shown an item in a role on a page."""
    return seal(ws, page, person_id, item_id, seq, shown, role)


def _unit(
    ws: Workspace,
    project: ProjectView,
    chosen: Candidate,
    row: Row,
    name: str,
    token: str,
    revision: int,
) -> Unit:
    whole, key = image_path(row.id, row.content_hash), project.schema.main.key
    others = [q for q in project.schema.item_questions if q.key != key]
    return Unit(
        item_id=row.id,
        name=name,
        image=whole,
        width=row.width,
        height=row.height,
        seq=chosen.seq,
        token=token,
        revision=revision,
        tiles=_region_tiles(ws, chosen, row)
        if project.schema.draws
        else (Tile(0, chosen.answer.choices[key], chosen.confidence, whole),),
        also=tuple(_words(chosen.answer.said(q.key)) for q in others),
        doubt=chosen.doubt,
    )


def _region_tiles(ws: Workspace, chosen: Candidate, row: Row) -> tuple[Tile, ...]:
    return tuple(
        Tile(i, r.label, r.confidence, crop_path(ws, row.id, row.content_hash, r.box), r.box)
        for i, r in enumerate(chosen.answer.regions)
    )


def _words(said: str | tuple[str, ...] | None) -> str:
    return ", ".join(said) if isinstance(said, tuple) else said or ""


def _revisions(connection: Connection, person_id: int, ids: Sequence[int]) -> dict[int, int]:
    rows = connection.execute(
        select(annotation_log.c.item_id, func.max(annotation_log.c.revision))
        .where(annotation_log.c.item_id.in_(ids), annotation_log.c.person_id == person_id)
        .group_by(annotation_log.c.item_id)
    )
    return dict(rows.tuples().all())
