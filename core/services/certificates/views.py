"""What the looks of a project found, as people read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Row, func, select

from core.access import Action, Actor
from core.errors import NotFound, StoreCorrupt, one_of
from core.services.certificates import kept
from core.services.projects.project import ProjectView, project_for
from core.services.workspace import Workspace
from core.stats.certificate import spend
from core.store.tables import acceptances, campaigns, certificates

CERTIFIED, REFUSED = "certified", "refused"


@dataclass(frozen=True, slots=True)
class CertificateView:
    """What a look found.

    Attributes:
        scope: ``all``, ``class:<name>`` or ``slice:<column>=<value>``.
        bound: Upper bound of the share of wrong labels among what may be accepted.
        needs: About how many more checked items would help; None where none would.
        accepted_at: When it was acted on; None while it was not.
        standing: How many items stand as accepted on its word now.
    """

    id: int
    campaign_id: int
    model_id: int
    look: int
    scope: str
    outcome: str
    sentence: str
    threshold: float | None
    region: int
    sampled: int
    errors: int
    bound: float | None
    accepted: int
    needs: int | None
    delta_spent: float
    target: float
    delta: float
    delta_left: float
    at: float
    accepted_at: float | None = None
    standing: int = 0

    @property
    def certified(self) -> bool:
        """Return whether something may be accepted on its word."""
        return self.outcome == CERTIFIED


def list_certificates(ws: Workspace, actor: Actor, slug: str) -> list[CertificateView]:
    """Return what every look found, the newest first.

    Raises:
        Forbidden: The actor may not see figures here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_FIGURES, counted=False)
        return certificate_views(connection, ws.root, certificate_rows(connection, project))


def certificate_rows(
    connection: Connection,
    project: ProjectView,
    campaign_id: int | None = None,
    look: int | None = None,
) -> list[Row]:
    """Return the rows of certificates with their promise, newest first."""
    query = (
        select(certificates, campaigns.c.target, campaigns.c.delta, campaigns.c.iou)
        .join(campaigns, campaigns.c.id == certificates.c.campaign_id)
        .where(certificates.c.project_id == project.id)
        .order_by(certificates.c.id.desc())
    )
    if campaign_id is not None:
        query = query.where(certificates.c.campaign_id == campaign_id)
    if look is not None:
        query = query.where(certificates.c.look == look)
    return list(connection.execute(query).all())


def certificate_row(connection: Connection, project: ProjectView, certificate_id: int) -> Row:
    """Return the row of one certificate with its promise.

    Raises:
        NotFound: The project has no such certificate.
    """
    found = [r for r in certificate_rows(connection, project) if r.id == certificate_id]
    if not found:
        raise NotFound(
            f"There is no certificate {certificate_id} in '{project.slug}'.",
            one_of((r.id for r in certificate_rows(connection, project)), "There is none yet."),
        )
    return found[0]


def certificate_views(connection: Connection, root: Path, rows: list[Row]) -> list[CertificateView]:
    """Return certificates as people read them, in the order given."""
    since = _accepted_at(connection, [r.id for r in rows])
    count = standing_count(connection, list(since))
    return [_view(root, r, since.get(r.id), count.get(r.id, 0)) for r in rows]


def standing_count(connection: Connection, ids: list[int]) -> dict[int, int]:
    """Return how many items stand as accepted on the word of each certificate."""
    later = acceptances.alias("later")
    newer = (
        select(later.c.seq)
        .where(later.c.item_id == acceptances.c.item_id, later.c.seq > acceptances.c.seq)
        .exists()
    )
    rows = connection.execute(
        select(acceptances.c.certificate_id, func.count())
        .where(acceptances.c.certificate_id.in_(ids), acceptances.c.kind == "accepted", ~newer)
        .group_by(acceptances.c.certificate_id)
    )
    return dict(rows.tuples().all())


def _accepted_at(connection: Connection, ids: list[int]) -> dict[int, float]:
    rows = connection.execute(
        select(acceptances.c.certificate_id, func.min(acceptances.c.at))
        .where(acceptances.c.certificate_id.in_(ids))
        .group_by(acceptances.c.certificate_id)
    )
    return dict(rows.tuples().all())


def _view(root: Path, row: Row, since: float | None, standing: int) -> CertificateView:
    spent = sum(spend(row.delta, k) for k in range(1, row.look + 1))
    return CertificateView(
        row.id, row.campaign_id, row.model_id, row.look, row.scope, row.outcome, row.sentence,
        row.threshold, row.n_region, row.n_sampled, row.n_wrong, row.bound, row.n_accepted,
        _needs(root / row.folder, row.scope), row.delta_spent, row.target, row.delta,
        max(0.0, row.delta - spent), row.at, since, standing,
    )  # fmt: skip


def _needs(folder: Path, scope: str) -> int | None:
    try:
        needs = kept.read_about(folder).get("needs")
    except StoreCorrupt:
        return None
    found = needs.get(scope) if isinstance(needs, dict) else None
    return found if isinstance(found, int) else None
