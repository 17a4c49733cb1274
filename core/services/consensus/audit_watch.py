"""The audit of what was auto-accepted: items drawn from it, answered blind, and a test at every answer.

A test for each certificate and, where it is about all, for each class it accepts, by betting (`RateTest`):
whatever the number of answers looked at, a scope whose errors are within the target is taken back
with a chance of at most `LEVEL` over all its tests together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, func, select

from core.labels import Answer
from core.labels.state import ItemState
from core.services.consensus.draws import Arm
from core.services.consensus.gathering import latest_of
from core.services.consensus.rightness import agrees
from core.services.projects.project import ProjectView
from core.stats.betting import RateTest
from core.store.audit import append_audit
from core.store.tables import (
    acceptances,
    arm_draws,
    campaigns,
    certificates,
    final_labels,
    item_state,
    predictions,
)

LEVEL = 0.05
AUDITED = ("withheld", "released")
_CHUNK = 500
_ANSWERED = frozenset(
    {
        ItemState.AGREED, ItemState.ADJUDICATED, ItemState.IMPORTED, ItemState.NEUTRAL,
        ItemState.DISCARDED,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Check:
    """One item of the audit that people have settled.

    Attributes:
        label: The class that was, or would have been, accepted; None for regions.
        wrong: Whether people say otherwise.
    """

    item_id: int
    certificate_id: int
    label: str | None
    wrong: bool
    order: int


@dataclass(frozen=True, slots=True)
class Scope:
    """One test: a certificate, and the class it is about or None for all it accepted."""

    certificate_id: int
    name: str
    label: str | None
    target: float
    level: float
    accepted: int


def audited_items(connection: Connection, project_id: int) -> dict[int, Row]:
    """Return the newest acceptance of every item drawn for the audit, of those not taken back."""
    ids = list(
        connection.execute(
            select(arm_draws.c.item_id).where(
                arm_draws.c.project_id == project_id, arm_draws.c.arm == Arm.AUDIT.value
            )
        ).scalars()
    )
    found: dict[int, Row] = {}
    for start in range(0, len(ids), _CHUNK):
        for row in latest_of(connection, acceptances, ids[start : start + _CHUNK]):
            if row.kind in AUDITED:
                found[row.item_id] = row
    return found


def checks(connection: Connection, project: ProjectView) -> list[Check]:
    """Return the settled items of the audit, in the order they were settled."""
    drawn = audited_items(connection, project.id)
    bounds = _bounds(connection, {row.certificate_id for row in drawn.values()})
    found: list[Check] = []
    ids = list(drawn)
    for start in range(0, len(ids), _CHUNK):
        some = ids[start : start + _CHUNK]
        said = _said(connection, project, [drawn[i].prediction_seq for i in some])
        rows = connection.execute(
            select(item_state.c.item_id, item_state.c.state, final_labels.c.answer,
                   final_labels.c.seq)
            .join(final_labels, final_labels.c.seq == item_state.c.final_seq)
            .where(item_state.c.item_id.in_(some))
        )  # fmt: skip
        for row in rows:
            if row.state not in _ANSWERED:
                continue
            answer = said[drawn[row.item_id].prediction_seq]
            true = project.schema.translate(Answer.from_json(row.answer)) if row.answer else None
            label = answer.choices.get(project.schema.main.key)
            certificate = drawn[row.item_id].certificate_id
            right = agrees(project.schema, true, answer, bounds[certificate])
            found.append(Check(row.item_id, certificate, label, not right, row.seq))
    return sorted(found, key=lambda c: c.order)


def scopes(
    connection: Connection, project: ProjectView, certificate_ids: Sequence[int]
) -> list[Scope]:
    """Return the tests of some certificates: of all they accepted, and class by class."""
    rows = connection.execute(
        select(certificates.c.id, certificates.c.scope, campaigns.c.target)
        .join(campaigns, campaigns.c.id == certificates.c.campaign_id)
        .where(certificates.c.id.in_(certificate_ids))
        .order_by(certificates.c.id)
    ).all()
    found: list[Scope] = []
    for row in rows:
        sizes = _accepted_by_class(connection, project, row.id)
        by_class = {c: n for c, n in sizes.items() if c is not None} if row.scope == "all" else {}
        level = LEVEL / (1 + len(by_class))
        found.append(Scope(row.id, row.scope, None, row.target, level, sum(sizes.values())))
        found += [
            Scope(row.id, f"class:{label}", label, row.target, level, n)
            for label, n in sorted(by_class.items())
        ]
    return found


def run_test(scope: Scope, found: Sequence[Check]) -> RateTest:
    """Return the test of a scope after every check of its own."""
    test = RateTest(scope.target, scope.level, max(scope.accepted, 1))
    for check in found:
        mine = check.certificate_id == scope.certificate_id
        if mine and scope.label in (None, check.label) and test.n < max(scope.accepted, 1):
            test.add(check.wrong)
    return test


def revoke_failing(
    connection: Connection, project: ProjectView, ids: Sequence[int], at: float
) -> list[int]:
    """Take back what the audit shows to be wrong too often, if one of these items tells so.

    Returns:
        The items that are to be settled anew.
    """
    touched = _audited_among(connection, ids)
    if not touched:
        return []
    found = checks(connection, project)
    # Only a wrong answer can make a test fail.
    failing = {c.certificate_id for c in found if c.wrong and c.item_id in touched}
    again: list[int] = []
    for scope in scopes(connection, project, sorted(failing)):
        test = run_test(scope, found)
        if test.shown:
            reason = f"audit: {test.wrong} of {test.n} checked were wrong, {scope.target:g} allowed"
            items = revoke_rows(connection, project, scope, reason, at)
            if items:
                append_audit(
                    connection, at, "audit", "auto-acceptance revoked",
                    f"certificate {scope.certificate_id}", project.id,
                    {"scope": scope.name, "items": len(items), "wrong": test.wrong, "n": test.n},
                )  # fmt: skip
            again += items
    return again


def revoke_rows(
    connection: Connection, project: ProjectView, scope: Scope, reason: str, at: float
) -> list[int]:
    """Write that a scope's labels are taken back; return the items, to be settled anew."""
    standing = standing_rows(connection, scope.certificate_id)
    if scope.label is not None:
        today = project.schema.main.today
        standing = [r for r in standing if r.label and today(r.label) == scope.label]
    rows = [
        {
            "project_id": project.id, "item_id": r.item_id, "certificate_id": r.certificate_id,
            "prediction_seq": r.prediction_seq, "kind": "revoked", "reason": reason, "at": at,
        }
        for r in standing
    ]  # fmt: skip
    if rows:
        connection.execute(acceptances.insert(), rows)
    return [r.item_id for r in standing]


def standing_rows(connection: Connection, certificate_id: int) -> list[Row]:
    """Return the acceptances that stand on the word of a certificate, with their class."""
    later = acceptances.alias("later")
    newer = (
        select(later.c.seq)
        .where(later.c.item_id == acceptances.c.item_id, later.c.seq > acceptances.c.seq)
        .exists()
    )
    query = (
        select(acceptances, predictions.c.label)
        .join(predictions, predictions.c.seq == acceptances.c.prediction_seq)
        .where(
            acceptances.c.certificate_id == certificate_id,
            acceptances.c.kind == "accepted",
            ~newer,
        )
        .order_by(acceptances.c.item_id)
    )
    return list(connection.execute(query).all())


def _accepted_by_class(
    connection: Connection, project: ProjectView, certificate_id: int
) -> dict[str | None, int]:
    """Return how many items of each class were in a certificate's region, the audit's included."""
    rows = connection.execute(
        select(predictions.c.label, func.count(acceptances.c.item_id.distinct()))
        .join(predictions, predictions.c.seq == acceptances.c.prediction_seq)
        .where(
            acceptances.c.certificate_id == certificate_id,
            acceptances.c.kind.in_(("accepted", "withheld")),
        )
        .group_by(predictions.c.label)
    )
    found: dict[str | None, int] = defaultdict(int)
    for label, n in rows.tuples():
        found[None if label is None else project.schema.main.today(label)] += n
    return dict(found)


def _bounds(connection: Connection, ids: set[int]) -> dict[int, float]:
    """Return from which overlap on a region is right, by certificate."""
    rows = connection.execute(
        select(certificates.c.id, campaigns.c.iou)
        .join(campaigns, campaigns.c.id == certificates.c.campaign_id)
        .where(certificates.c.id.in_(ids))
    )
    return dict(rows.tuples().all())


def _said(connection: Connection, project: ProjectView, seqs: Sequence[int]) -> dict[int, Answer]:
    rows = connection.execute(
        select(predictions.c.seq, predictions.c.answer).where(predictions.c.seq.in_(seqs))
    )
    return {r.seq: project.schema.translate(Answer.from_json(r.answer)) for r in rows}


def _audited_among(connection: Connection, ids: Sequence[int]) -> set[int]:
    found: set[int] = set()
    for start in range(0, len(ids), _CHUNK):
        rows = connection.execute(
            select(arm_draws.c.item_id).where(
                arm_draws.c.item_id.in_(ids[start : start + _CHUNK]),
                arm_draws.c.arm == Arm.AUDIT.value,
            )
        )
        found.update(rows.scalars())
    return found
