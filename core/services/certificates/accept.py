"""Acting on a certificate: the labels it covers count, a share of them goes to people unseen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, select

from core.access import Action, Actor
from core.errors import ConflictError
from core.labels import Answer
from core.labels.state import ItemState
from core.services.certificates import kept
from core.services.certificates.events import event, reason_given, settle, unsettled
from core.services.certificates.promises import looks_of, newest_campaign
from core.services.certificates.views import CERTIFIED, certificate_row
from core.services.consensus.audit_watch import standing_rows
from core.services.consensus.draws import Arm
from core.services.consensus.rightness import agrees
from core.services.models.prelabels import Prediction, store_predictions
from core.services.projects.project import ProjectView, project_for
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import (
    acceptances,
    arm_draws,
    certificates,
    final_labels,
    item_state,
    prediction_sets,
    predictions,
)

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class AcceptedView:
    """What accepting did.

    Attributes:
        accepted: Items whose label now is the model's.
        withheld: Items that would have been, kept for people to check unseen.
        released: Items accepted before that go back to people.
    """

    certificate_id: int
    accepted: int
    withheld: int
    released: int
    sentence: str


def accept(
    ws: Workspace, actor: Actor, slug: str, certificate_id: int, reason: str
) -> AcceptedView:
    """Let the model's labels count for what a certificate covers; again changes nothing.

    Raises:
        InputError: No reason was given.
        ConflictError: It refused, a later look or promise replaced it, or people found errors since.
        NotFound: There is no such certificate.
        StoreCorrupt: What the look left was changed on disk.
        Forbidden: The actor may not promote here.
    """
    said = reason_given(reason)
    with ws.store.write() as connection:
        project = project_for(connection, actor, slug, Action.PROMOTE)
        row = certificate_row(connection, project, certificate_id)
        done, touched = _accepted_before(connection, row.id), unsettled(connection, row.id)
        if done is None:
            _check_current(connection, project, row)
            found = kept.read_items(ws.root / row.folder)
            region = [one for one in found if one.scope == row.scope]
            open_ = _still_open(connection, [one.item_id for one in region])
            _check_promise(connection, project, row, region, open_)
            done, touched = _accept(ws, connection, project, row, region, open_, said)
            append_audit(
                connection, ws.clock(), actor.name, "auto-accepted", f"certificate {row.id}",
                project.id, {"accepted": done.accepted, "withheld": done.withheld, "reason": said},
            )  # fmt: skip
    settle(ws, project, touched)
    return done


def _accepted_before(connection: Connection, certificate_id: int) -> AcceptedView | None:
    rows = connection.execute(
        select(acceptances.c.kind, acceptances.c.reason).where(
            acceptances.c.certificate_id == certificate_id,
            acceptances.c.kind.in_(("accepted", "withheld")),
        )
    ).all()
    if not rows:
        return None
    kinds = [r.kind for r in rows]
    accepted, withheld = kinds.count("accepted"), kinds.count("withheld")
    return AcceptedView(certificate_id, accepted, withheld, 0, _told(accepted, withheld, 0))


def _told(accepted: int, withheld: int, released: int) -> str:
    back = f" {released:,} accepted before go back to people." if released else ""
    return (
        f"{accepted:,} labels of the model count now; {withheld:,} more are checked by people "
        f"unseen.{back}"
    )


def _check_current(connection: Connection, project: ProjectView, row: Row) -> None:
    if row.outcome != CERTIFIED:
        raise ConflictError(
            f"Certificate {row.id} refused: nothing may be accepted on its word.", row.sentence
        )
    newest = newest_campaign(connection, project.id)
    if newest is None or newest.id != row.campaign_id:
        raise ConflictError(
            f"Certificate {row.id} belongs to a promise that has ended.", "Look under the new one."
        )
    if looks_of(connection, row.campaign_id) != row.look:
        raise ConflictError(
            f"Certificate {row.id} is not the newest look of its campaign.",
            "Accept what the newest look certified, or look again.",
        )


def _still_open(connection: Connection, ids: Sequence[int]) -> set[int]:
    """Return which of the items people have not begun to answer."""
    found: set[int] = set()
    for start in range(0, len(ids), _CHUNK):
        rows = connection.execute(
            select(item_state.c.item_id).where(
                item_state.c.item_id.in_(ids[start : start + _CHUNK]),
                item_state.c.state.in_((ItemState.OPEN.value, ItemState.AUTO_ACCEPTED.value)),
                item_state.c.votes == 0,
                item_state.c.unsure == 0,
            )
        )
        found.update(rows.scalars())
    return found


def _check_promise(
    connection: Connection,
    project: ProjectView,
    row: Row,
    region: Sequence[kept.KeptItem],
    open_: set[int],
) -> None:
    """Hold what is left against the bound: what people answered since, and found wrong, is known."""
    meant = [one for one in region if one.part == "accepted"]
    gone = [one for one in meant if one.item_id not in open_]
    wrong = sum(_found_wrong(connection, project, row.iou, gone))
    most = (row.bound or 0.0) * len(meant) - wrong
    if not meant or most > row.target * (len(meant) - len(gone)) + 1e-9:
        raise ConflictError(
            f"People have answered {len(gone):,} of the {len(meant):,} items since the look; for the "
            "rest alone it promises nothing.",
            "Look again.",
        )


def _found_wrong(
    connection: Connection, project: ProjectView, iou: float, gone: Sequence[kept.KeptItem]
) -> list[bool]:
    said = {one.item_id: one.answer for one in gone}
    found: list[bool] = []
    ids = list(said)
    for start in range(0, len(ids), _CHUNK):
        rows = connection.execute(
            select(item_state.c.item_id, final_labels.c.answer)
            .join(final_labels, final_labels.c.seq == item_state.c.final_seq)
            .where(
                item_state.c.item_id.in_(ids[start : start + _CHUNK]),
                final_labels.c.answer.is_not(None),
                item_state.c.state != ItemState.AUTO_ACCEPTED.value,
            )
        )
        translate = project.schema.translate
        found += [
            not agrees(
                project.schema,
                translate(Answer.from_json(r.answer)),
                translate(Answer.from_json(said[r.item_id])),
                iou,
            )
            for r in rows
        ]
    return found


def _accept(
    ws: Workspace,
    connection: Connection,
    project: ProjectView,
    row: Row,
    region: Sequence[kept.KeptItem],
    open_: set[int],
    reason: str,
) -> tuple[AcceptedView, list[int]]:
    """Write the events and return what was done, and the items to be settled anew."""
    at = ws.clock()
    # All that is open gets its prediction anew, so that none looks different from the others.
    shown = [one for one in region if one.item_id in open_]
    seqs = _predicted(connection, project, row, shown, at)
    before = _standing_elsewhere(connection, project, row)
    taken = [one.item_id for one in shown if one.part == "accepted"]
    held = [one.item_id for one in shown if one.part == "audit"]
    inside = {*taken, *held}
    released = {r.item_id: r for r in before if r.item_id not in inside}
    note = f"certificate {row.id}: {reason}"
    rows = [event(row, i, seqs[i], "accepted", note, at) for i in taken]
    rows += [event(row, i, seqs[i], "withheld", note, at) for i in held]
    rows += [
        event(row, i, r.prediction_seq, "released", "in no region of the newer look", at)
        for i, r in released.items()
    ]
    # Written in the order of items: nothing tells apart what the audit took.
    connection.execute(acceptances.insert(), sorted(rows, key=lambda r: int(str(r["item_id"]))))
    _draw(connection, row, held, len(held) / max(1, len(held) + len(taken)), at)
    told = _told(len(taken), len(held), len(released))
    done = AcceptedView(row.id, len(taken), len(held), len(released), told)
    return done, sorted({*inside, *released})


def _predicted(
    connection: Connection,
    project: ProjectView,
    row: Row,
    shown: Sequence[kept.KeptItem],
    at: float,
) -> dict[int, int]:
    """Store what is believed of the items as the model's predictions; return their numbers."""
    typical = _typicality(connection, [one.item_id for one in shown])
    store_predictions(
        connection,
        project,
        [
            Prediction(
                one.item_id, Answer.from_json(one.answer), one.score, one.margin,
                tuple((str(c), float(p)) for c, p in json.loads(one.top)),
                typical.get(one.item_id),
            )
            for one in shown
        ],
        f"model {row.model_id}",
        at,
        model_id=row.model_id,
    )  # fmt: skip
    newest = connection.execute(
        select(prediction_sets.c.id)
        .where(prediction_sets.c.project_id == project.id)
        .order_by(prediction_sets.c.id.desc())
        .limit(1)
    ).scalar_one()
    rows = connection.execute(
        select(predictions.c.item_id, predictions.c.seq).where(predictions.c.set_id == newest)
    )
    return dict(rows.tuples().all())


def _typicality(connection: Connection, ids: Sequence[int]) -> dict[int, float]:
    found: dict[int, float] = {}
    for start in range(0, len(ids), _CHUNK):
        rows = connection.execute(
            select(item_state.c.item_id, item_state.c.typicality).where(
                item_state.c.item_id.in_(ids[start : start + _CHUNK])
            )
        )
        found.update(rows.tuples().all())
    return found


def _standing_elsewhere(connection: Connection, project: ProjectView, row: Row) -> list[Row]:
    """Return what stands on the word of certificates that this one replaces.

    A certificate about all replaces every other; one about a class or slice those about all, and the
    earlier ones about the same.
    """
    used = connection.execute(
        select(certificates.c.id, certificates.c.scope)
        .where(certificates.c.project_id == project.id, certificates.c.id != row.id)
        .where(certificates.c.id.in_(select(acceptances.c.certificate_id).distinct()))
    ).all()
    replaced = [u.id for u in used if row.scope == "all" or u.scope in ("all", row.scope)]
    return [r for i in replaced for r in standing_rows(connection, i)]


def _draw(
    connection: Connection, row: Row, ids: Sequence[int], probability: float, at: float
) -> None:
    rows = [
        {
            "project_id": row.project_id, "item_id": i, "arm": Arm.AUDIT.value,
            "certificate_id": row.id, "draw_probability": probability, "at": at,
        }
        for i in ids
    ]  # fmt: skip
    if rows:
        connection.execute(arm_draws.insert(), rows)
