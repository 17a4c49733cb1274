"""The audit as people see it: how each scope stands, and drawing more items into it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, select

from core.access import Action, Actor
from core.errors import InputError
from core.services.certificates.events import event
from core.services.certificates.views import certificate_row
from core.services.consensus.audit_watch import (
    audited_items,
    checks,
    revoke_failing,
    run_test,
    scopes,
    standing_rows,
)
from core.services.consensus.draws import Arm
from core.services.consensus.resolve import resolve_items
from core.services.projects.project import project_for
from core.services.workspace import Workspace
from core.stats.betting import drift, rate_interval
from core.store.audit import append_audit
from core.store.tables import acceptances, arm_draws

DRIFT_WARNING = 1000.0
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class AuditRow:
    """How the audit of one scope stands.

    Attributes:
        drawn: Items of the scope's certificate drawn for the audit so far, of whatever class.
        n: Of the scope, settled by people.
        wrong: Of these, the model was wrong.
        low: Lower end of an interval that holds at every moment, 95 %.
        high: Upper end.
        e: The stake of the test now; the scope is taken back when it reaches `needed`.
        standing: Items that stand as accepted in the scope.
        revoked: Whether labels of the scope were taken back.
        drifting: Whether errors may have become more frequent: a warning, no proof.
    """

    certificate_id: int
    scope: str
    target: float
    drawn: int
    n: int
    wrong: int
    low: float
    high: float
    e: float
    needed: float
    standing: int
    revoked: bool
    drifting: bool


def audit_standing(ws: Workspace, actor: Actor, slug: str) -> list[AuditRow]:
    """Return how the audit of every scope accepted stands, the newest certificate first.

    Raises:
        Forbidden: The actor may not see figures here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_FIGURES, counted=False)
        used = list(
            connection.execute(
                select(acceptances.c.certificate_id)
                .where(acceptances.c.project_id == project.id)
                .distinct()
            ).scalars()
        )
        found = checks(connection, project)
        drawn = audited_items(connection, project.id)
        today = project.schema.main.today
        stands = {c: standing_rows(connection, c) for c in used}
        lost = {c: _revoked(connection, c) for c in used}
        rows = []
        for scope in scopes(connection, project, sorted(used, reverse=True)):
            of_class = scope.label is not None
            left = [
                r
                for r in stands[scope.certificate_id]
                if not of_class or (r.label and today(r.label) == scope.label)
            ]
            waiting = sum(d.certificate_id == scope.certificate_id for d in drawn.values())
            mine = [
                c.wrong
                for c in found
                if c.certificate_id == scope.certificate_id and scope.label in (None, c.label)
            ]
            test = run_test(scope, found)
            low, high = rate_interval(mine, _LEVEL)
            rows.append(
                AuditRow(
                    scope.certificate_id,
                    scope.name,
                    scope.target,
                    waiting,
                    len(mine),
                    sum(mine),
                    low,
                    high,
                    test.peak,
                    1 / scope.level,
                    len(left),
                    lost[scope.certificate_id] and not left,
                    drift(mine, scope.target) >= DRIFT_WARNING,
                )
            )
    return sorted(rows, key=lambda r: (-r.certificate_id, r.scope != "all", r.scope))


def watch_audit(ws: Workspace, actor: Actor, slug: str) -> list[int]:
    """Hold every scope's test against all answers so far and take back what fails; return the items.

    Every answer does this for its own item; this does it for all, after a change of rules, say.

    Raises:
        Forbidden: The actor may not promote here.
    """
    with ws.store.write() as connection:
        project = project_for(connection, actor, slug, Action.PROMOTE, counted=False)
        ids = sorted(audited_items(connection, project.id))
        again = revoke_failing(connection, project, ids, ws.clock())
        resolve_items(connection, project, again, ws.clock(), ws=ws)
    return again


def draw_audit(
    ws: Workspace, actor: Actor, slug: str, certificate_id: int, count: int, seed: int = 0
) -> int:
    """Send some accepted items, drawn at random, to people unseen; return how many.

    Raises:
        InputError: The count makes no sense.
        NotFound: There is no such certificate.
        Forbidden: The actor does not steer this project.
    """
    if count < 1:
        raise InputError(f"At least 1 item is drawn, found {count}.")
    with ws.store.write() as connection:
        project = project_for(connection, actor, slug, Action.STEER, counted=False)
        row = certificate_row(connection, project, certificate_id)
        standing = standing_rows(connection, row.id)
        rng = np.random.default_rng((seed, row.id, len(standing)))
        chosen = rng.permutation(len(standing))[:count]
        drawn = sorted((standing[n] for n in chosen.tolist()), key=lambda r: int(r.item_id))
        if not drawn:
            return 0
        at, share = ws.clock(), len(drawn) / len(standing)
        connection.execute(
            acceptances.insert(),
            [event(row, r.item_id, r.prediction_seq, "released", "drawn for the audit", at)
             for r in drawn],
        )  # fmt: skip
        connection.execute(
            arm_draws.insert(),
            [
                {
                    "project_id": project.id, "item_id": r.item_id, "arm": Arm.AUDIT.value,
                    "certificate_id": row.id, "draw_probability": share, "at": at,
                }
                for r in drawn
            ],
        )  # fmt: skip
        resolve_items(connection, project, [r.item_id for r in drawn], at, ws=ws)
        append_audit(
            connection, at, actor.name, "drawn for the audit", f"certificate {row.id}",
            project.id, {"items": len(drawn)},
        )  # fmt: skip
    return len(drawn)


def _revoked(connection: Connection, certificate_id: int) -> bool:
    query = select(acceptances.c.seq).where(
        acceptances.c.certificate_id == certificate_id, acceptances.c.kind == "revoked"
    )
    return connection.execute(query.limit(1)).first() is not None
