"""The grid: a page of tiles of one predicted class, of which a person marks what is wrong.

What is not marked is confirmed as a vote for the class shown, what was given another class is a
vote for that one, and what was only marked waits in the person's own review deck. A few tiles
are known to be wrong; see `grid_known`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from sqlalchemy import Connection, select

from core.access import Action, Actor, require_signed_in
from core.clock import new_uuid
from core.errors import InputError, StaleVersion, TiebreakError
from core.labels import Answer
from core.labels.schema import check_class
from core.queue.claim import claim, has_free_place, held_leases, renew
from core.services import grid_known, grid_tiles
from core.services.blind import countable
from core.services.grid_known import Noticed
from core.services.grid_tiles import MOST_TILES, REAL, Unit, needs_others, token_of, told_waiting
from core.services.projects import ProjectView, project_for
from core.services.queue_plans import plan_in_force
from core.services.review import Receipt, Submission, check_form, submit_batch
from core.services.workspace import Workspace
from core.stats.intervals import Estimate
from core.store.tables import predictions

MOST_LEFT_OUT = 500


@dataclass(frozen=True, slots=True)
class ClassCount:
    """A class, and up to how many tiles of it wait for this person, in tens."""

    name: str
    colour: str
    key: str
    waiting: int
    open: bool


@dataclass(frozen=True, slots=True)
class GridPage:
    """One page of the grid.

    Attributes:
        uuid: Of this page; each decision on it names it.
        predicted: The class of its tiles; None while none is chosen.
        classes: All classes, most waiting first; empty where they were not asked for.
        attention: Share of planted tiles this person noticed so far.
        others: Whether a vote also holds answers taken from the pre-label, so that the person
            has to agree to that.
        empty_reason: Why there is nothing to show; empty where there is.
    """

    uuid: str
    predicted: str | None
    units: tuple[Unit, ...]
    classes: tuple[ClassCount, ...]
    attention: Estimate
    others: bool
    schema_version: int
    guideline_version: int
    empty_reason: str = ""


@dataclass(frozen=True, slots=True)
class TileDecision:
    """What a person did with one item of a page, made on the client and sent until acknowledged.

    Attributes:
        uuid: Made by the client; a resend with the same one changes nothing.
        page, seq, shown, token: As the page gave them; `shown` is the page's class.
        kind: "vote" (or for the deck, which the marks tell), or "withdraw".
        marks: Index of each tile marked wrong, to the class it was given; "" without one.
        others: Whether the person agreed to take the other answers from the pre-label.
        tiles: How many tiles the page had.
    """

    uuid: str
    item_id: int
    page: str
    seq: int
    shown: str
    token: str
    kind: str = "vote"
    marks: Mapping[int, str] = field(default_factory=dict)
    others: bool = False
    base_revision: int = 0
    tiles: int = 1
    active_seconds: float = 0.0
    started_at: float = 0.0
    schema_version: int | None = None
    guideline_version: int | None = None


# --- pages ------------------------------------------------------------------------------------


def grid_page(
    ws: Workspace,
    actor: Actor,
    slug: str,
    predicted: str | None = None,
    count: int = 60,
    left_out: Sequence[int] = (),
    with_classes: bool = True,
) -> GridPage:
    """Lease a page of items whose prediction says a class, most suspicious first.

    Args:
        predicted: The class; None asks only which classes there are.
        left_out: Items not to show: on the screen already, or sent to the deck.
        with_classes: Whether to count what waits of each class.

    Raises:
        Forbidden: The actor may not vote here.
    """
    page = new_uuid()
    count = max(1, min(count, MOST_TILES))
    with ws.store.ephemeral() as connection:
        project = project_for(connection, actor, slug, Action.VOTE)
        reason = _no_grid(project, predicted)
        chosen: Sequence[grid_tiles.Candidate] = ()
        if predicted is not None and not reason:
            chosen = _chosen(connection, ws, project, actor, predicted, count, left_out, page)
        units = grid_tiles.units_of(
            connection, ws, project, actor.person_id, page, predicted or "", chosen
        )
        counts = (
            grid_tiles.waiting_by_class(connection, project, actor)
            if with_classes or (predicted and not units)
            else {}
        )
        rate = grid_known.attention(connection, project, actor.person_id)
        all_told = countable(connection, project, actor) is None
    if not units and not reason:
        reason = _why_empty(predicted, counts, all_told)
    return GridPage(
        uuid=page,
        predicted=predicted,
        units=tuple(units),
        classes=_classes(ws, project, actor.person_id, counts) if with_classes else (),
        attention=rate,
        others=needs_others(project),
        schema_version=project.schema_version,
        guideline_version=project.guideline_version,
        empty_reason=reason,
    )


def my_attention(ws: Workspace, actor: Actor, slug: str) -> Estimate:
    """Return the share of planted tiles the actor noticed in a project so far, with its interval.

    Raises:
        Forbidden: The actor may not see the project.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_OWN)
        return grid_known.attention(connection, project, actor.person_id)


def hold_tiles(ws: Workspace, actor: Actor, slug: str, item_ids: Sequence[int]) -> int:
    """Keep items of a page in hand: prolong leases, take lapsed ones back where a place is free.

    Raises:
        Forbidden: The actor may not vote here.
    """
    now, seconds = ws.clock(), ws.settings.lease_seconds
    with ws.store.ephemeral() as connection:
        project = project_for(connection, actor, slug, Action.VOTE)
        held = held_leases(connection, project.id, actor.person_id, now)
        kept = renew(connection, actor.person_id, item_ids, now, seconds)
        room = max(0, ws.settings.lease_cap - len(held))
        lapsed = [i for i in item_ids if i not in set(held)][:room]
        if lapsed:
            kept += len(
                claim(connection, project.id, actor.person_id, room, now, seconds, only=lapsed)
            )
    return kept


def _chosen(
    connection: Connection,
    ws: Workspace,
    project: ProjectView,
    actor: Actor,
    predicted: str,
    count: int,
    left_out: Sequence[int],
    page: str,
) -> list[grid_tiles.Candidate]:
    chance = Random(page)
    found = grid_tiles.find(connection, project, actor, predicted, left_out)
    share = plan_in_force(connection, project.id).known_wrong_share
    draws = project.schema.draws
    there = sum(c.size(draws) for c in found)
    wanted = grid_known.how_many(min(count, there), share, chance) if there else 0
    # More tiles than the figure the person was told leaves room for would show in its place.
    told = told_waiting(ws, project, actor.person_id, predicted, there)
    if there < count:
        wanted = min(wanted, told - 1 - there)
    planted = [
        c
        for c in grid_known.plantable(
            connection, project, actor.person_id, predicted, wanted, chance
        )
        if c.item_id not in left_out
    ]
    planted_ids = {c.item_id for c in planted}
    found = [c for c in found if c.item_id not in planted_ids]
    room = count - sum(c.size(draws) for c in planted)
    real = grid_tiles.take(connection, ws, project, actor.person_id, found, room)
    return [*real, *grid_known.lend_doubt(planted, real, chance)] if real else []


def _no_grid(project: ProjectView, predicted: str | None) -> str:
    main = project.schema.main
    if main.several:
        return (
            f"'{main.title}' takes several classes, so its images are not sorted into a grid; "
            "review them one by one."
        )
    if predicted is None or predicted in main.open_names:
        return ""
    if predicted in main.names:
        return f"The class '{predicted}' was retired: its images are reviewed one by one."
    return f"This project has no class '{predicted[:80]}'. It may have been renamed."


def _why_empty(predicted: str | None, counts: Mapping[str, int], all_told: bool) -> str:
    if predicted is None:
        return "" if counts else (
            "The model has not said anything yet of the images that wait for you. "
            "A lead can pre-label them under Retrain."
        )  # fmt: skip
    if not all_told:  # whether any is left must not be told either
        return (
            f"No image predicted '{predicted}' waits for you here; those you are to judge without "
            "the model's word come in the review deck."
        )
    if counts.get(predicted):
        return f"The images predicted '{predicted}' are being looked at by others right now."
    return f"No image predicted '{predicted}' waits for you any more."


def _classes(
    ws: Workspace, project: ProjectView, person_id: int, counts: Mapping[str, int]
) -> tuple[ClassCount, ...]:
    main = project.schema.main
    choosable = set(main.open_names)
    told = {n: told_waiting(ws, project, person_id, n, c) for n, c in counts.items()}
    found = [
        ClassCount(c.name, c.colour, c.key, told.get(c.name, 0), c.name in choosable)
        for c in main.classes
        if c.name in choosable or (c.name in main.names and told.get(c.name))
    ]
    return tuple(sorted(found, key=lambda c: -c.waiting))


# --- decisions --------------------------------------------------------------------------------


def decide_tiles(
    ws: Workspace, actor: Actor, slug: str, sent: Sequence[TileDecision]
) -> list[Receipt]:
    """Save what a person did with the items of a page, each on its own, and return a receipt each.

    Raises:
        NotSignedIn: Nobody is signed in; the client keeps everything and sends it again.
        Forbidden: The actor may not vote here.
        StorageError: The record cannot be written now; what was saved stays saved.
    """
    require_signed_in(actor)
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.VOTE)
        shown = _shown(connection, project, [d.seq for d in sent])
        gold = grid_known.gold_labels(connection, project, [d.item_id for d in sent])
        there = grid_known.noted(connection, actor.person_id, [d.page for d in sent])
    receipts: list[Receipt | None] = [None] * len(sent)
    planted: list[tuple[TileDecision, int]] = []
    votes: list[tuple[int, Submission]] = []
    for place, one in enumerate(sent):
        role = _role(ws, actor, one)
        answer = shown.get((one.item_id, one.seq))
        if role is None or answer is None:
            receipts[place] = _refused(one, _NOT_SHOWN)
        elif role != REAL:
            try:
                _check_planted(project, one, (one.page, one.item_id) in there)
            except TiebreakError as error:
                receipts[place] = _refused(one, error)
                continue
            there.add((one.page, one.item_id))
            planted.append((one, int(role.removeprefix("wrong:"))))
            receipts[place] = _taken(one)
        elif one.kind == "vote" and "" in one.marks.values():
            receipts[place] = _to_deck(ws, actor, slug, one)
        else:
            try:
                votes.append((place, _submission(project, one, answer)))
            except InputError as error:
                receipts[place] = _refused(one, error)
    saved = submit_batch(ws, actor, slug, [s for _, s in votes])
    for (place, _), receipt in zip(votes, saved, strict=True):
        receipts[place] = receipt
    # Open items with a gold answer come as any other tile does and are voted on.
    met = [
        (one, 0)
        for one, receipt in zip(sent, receipts, strict=True)
        if one.item_id in gold and receipt is not None and receipt.status != "refused"
        if gold[one.item_id] != one.shown and _role(ws, actor, one) == REAL
    ]
    _note(ws, actor, project, [*planted, *met])
    return [r for r in receipts if r is not None]


_NOT_SHOWN = InputError(
    "This tile is not one of a page you were given.", "Load the page again and decide anew."
)


def _check_planted(project: ProjectView, one: TileDecision, decided: bool) -> None:
    """Refuse of a planted tile what is refused of any other, or a trial would tell them apart.

    Raises:
        InputError: A class, the UUID or the person's word on the other answers will not do.
        StaleVersion: It is to be taken back before anything was decided.
    """
    if one.kind != "vote":
        if not decided:
            raise StaleVersion(
                "There is no answer of yours on this item to take back.", "Go on with the next one."
            )
        return
    if "" in one.marks.values():
        return
    _check_others(project, one)
    check_form(Submission(one.uuid, one.item_id, one.kind))
    for name in one.marks.values() or (one.shown,):
        check_class(project.schema.main, name, to_submit=True)


def _check_others(project: ProjectView, one: TileDecision) -> None:
    if needs_others(project) and not one.others:
        raise InputError(
            "This project asks more than a tile shows.",
            "Agree to take the other answers from the pre-label, or review the item in the deck.",
        )


def _shown(
    connection: Connection, project: ProjectView, seqs: Sequence[int]
) -> dict[tuple[int, int], Answer]:
    rows = connection.execute(
        select(predictions.c.seq, predictions.c.item_id, predictions.c.answer).where(
            predictions.c.seq.in_(seqs), predictions.c.project_id == project.id
        )
    )
    return {(r.item_id, r.seq): project.schema.translate(Answer.from_json(r.answer)) for r in rows}


def _role(ws: Workspace, actor: Actor, one: TileDecision) -> str | None:
    """Return in which role the item was shown to this person, None where it was not."""
    for role in (REAL, *(f"wrong:{i}" for i in range(MOST_TILES))):
        if one.token == token_of(
            ws, one.page, actor.person_id, one.item_id, one.seq, one.shown, role
        ):
            return role
    return None


def _submission(project: ProjectView, one: TileDecision, shown: Answer) -> Submission:
    plain = Submission(
        uuid=one.uuid,
        item_id=one.item_id,
        kind=one.kind,
        base_revision=one.base_revision,
        prelabel_seq=one.seq,
        prelabel_shown=True,
        active_seconds=one.active_seconds,
        started_at=one.started_at,
        schema_version=one.schema_version,
        guideline_version=one.guideline_version,
        via="grid",
    )
    if one.kind != "vote":
        return plain
    _check_others(project, one)
    return replace(plain, answer=_answer(project, one, shown))


def _answer(project: ProjectView, one: TileDecision, shown: Answer) -> Answer:
    if not project.schema.draws:
        choices = {**shown.choices, project.schema.main.key: one.marks.get(0, one.shown)}
        return replace(shown, choices=choices)
    if any(not 0 <= i < len(shown.regions) for i in one.marks):
        raise _NOT_SHOWN
    return replace(
        shown,
        regions=tuple(
            replace(r, label=one.marks.get(i, r.label), confidence=None)
            for i, r in enumerate(shown.regions)
        ),
    )


def _to_deck(ws: Workspace, actor: Actor, slug: str, one: TileDecision) -> Receipt:
    """Keep a marked item in the actor's hand: it comes first in the own review deck."""
    hold_tiles(ws, actor, slug, [one.item_id])
    with ws.store.read() as connection:
        free = has_free_place(connection, one.item_id, actor.person_id, ws.clock())
    if not free:
        return _refused(
            one,
            InputError(
                "Others hold every place on this item now, so it cannot wait in your deck.",
                "Leave it to them; nothing was saved for it.",
            ),
        )
    return _taken(one)


def _note(
    ws: Workspace,
    actor: Actor,
    project: ProjectView,
    planted: Sequence[tuple[TileDecision, int]],
) -> None:
    seen = [(one, wrong) for one, wrong in planted if one.kind == "vote"]
    if not seen:
        return
    with ws.store.write() as connection:
        known = grid_known.truths(connection, [one.item_id for one, _ in seen])
        rows = [
            Noticed(one.page, one.item_id, one.shown, _truth(project, known[one.item_id], wrong),
                    one.marks.get(wrong, one.shown) != one.shown, max(1, min(one.tiles, MOST_TILES)))
            for one, wrong in seen
            if one.item_id in known
        ]  # fmt: skip
        grid_known.note_probes(connection, project, actor.person_id, rows, ws.clock())


def _truth(project: ProjectView, known: Answer, wrong: int) -> str:
    known = project.schema.translate(known)
    if project.schema.draws:
        return known.regions[wrong].label if wrong < len(known.regions) else ""
    return known.choices.get(project.schema.main.key, "")


def _taken(one: TileDecision) -> Receipt:
    """Return the receipt of what made no vote, as it would read if it had."""
    waits = one.kind == "vote" and "" in one.marks.values()
    return Receipt(one.uuid, one.item_id, "saved", revision=one.base_revision + (not waits))


def _refused(one: TileDecision, error: TiebreakError) -> Receipt:
    return Receipt(one.uuid, one.item_id, "refused", error.code, error.message, error.advice)
