"""What a person did with a page of the grid: votes, what waits for the deck, planted tiles.

What is not marked is confirmed as a vote for the class shown, what was given another class is a
vote for that one, and what was only marked waits in the person's own review deck. Planted tiles
make no vote, and get the receipts that they would get if they did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, select

from core.access import Action, Actor, require_signed_in
from core.errors import InputError, StorageError, TiebreakError
from core.labels import Answer
from core.labels.schema import check_class
from core.queue.claim import has_free_place
from core.services.grid import known as grid_known
from core.services.grid import probe_words
from core.services.grid.candidates import MOST_TILES
from core.services.grid.known import Noticed
from core.services.grid.page import hold_tiles
from core.services.grid.tiles import REAL, needs_others, token_of
from core.services.projects.project import ProjectView, project_for
from core.services.review.submission import Receipt, Submission, check_form
from core.services.review.submitting import submit_batch
from core.services.workspace import Workspace
from core.store.tables import predictions


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
        project = project_for(connection, actor, slug, Action.VOTE, counted=False)
        shown = _shown(connection, project, [d.seq for d in sent])
        gold = grid_known.gold_labels(connection, project, [d.item_id for d in sent])
    receipts: list[Receipt | None] = [None] * len(sent)
    planted: list[tuple[TileDecision, int]] = []
    votes: list[tuple[int, Submission]] = []
    for place, one in enumerate(sent):
        role = _role(ws, actor, one)
        answer = shown.get((one.item_id, one.seq))
        try:
            if role is None or answer is None:
                receipts[place] = _refused(one, _NOT_SHOWN)
            elif role != REAL:
                receipts[place] = _planted(ws, actor, project, one)
                planted.append((one, int(role.removeprefix("wrong:"))))
            elif one.kind == "vote" and "" in one.marks.values():
                receipts[place] = _to_deck(ws, actor, slug, one)
            else:
                votes.append((place, _submission(project, one, answer)))
        except StorageError:
            raise
        except TiebreakError as error:
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


_NO_PLACE = InputError(
    "Others hold every place on this item now, so it cannot wait in your deck.",
    "Leave it to them; nothing was saved for it.",
)


def _planted(ws: Workspace, actor: Actor, project: ProjectView, one: TileDecision) -> Receipt:
    """Answer for a planted tile as for any other, or a trial would tell them apart.

    Raises:
        InputError: A class, the UUID or the person's word on the other answers will not do.
        ConflictError: It was decided already, or is to be taken back before it was.
    """
    if one.kind == "vote" and "" in one.marks.values():
        with ws.store.read() as connection:
            voted = probe_words.stands(connection, actor.person_id, one.item_id)
        if voted and project.policy.overlap == 1:  # an item with all its votes cannot wait
            raise _NO_PLACE
        return Receipt(one.uuid, one.item_id, "saved", revision=one.base_revision)
    sent = Submission(one.uuid, one.item_id, one.kind, base_revision=one.base_revision)
    if one.kind == "vote":
        _check_others(project, one)
    check_form(sent)
    with ws.store.write() as connection:
        receipt = probe_words.receipt_of(connection, actor.person_id, sent)
        if one.kind == "vote" and receipt.status == "saved":
            for name in one.marks.values() or (one.shown,):
                check_class(project.schema.main, name, to_submit=True)
        probe_words.keep(connection, project, actor.person_id, sent, receipt, ws.clock())
    return receipt


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
        raise _NO_PLACE
    return Receipt(one.uuid, one.item_id, "saved", revision=one.base_revision)


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


def _refused(one: TileDecision, error: TiebreakError) -> Receipt:
    return Receipt(one.uuid, one.item_id, "refused", error.code, error.message, error.advice)
