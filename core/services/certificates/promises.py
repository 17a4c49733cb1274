"""Promises: a bound on the errors of what is auto-accepted, and the draws fixed when it is made."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from sqlalchemy import Connection, Row, func, select

from core.access import Action, Actor
from core.errors import InputError, NotFound
from core.services.certificates.events import settle
from core.services.certificates.evidence import standings
from core.services.consensus.draws import Arm, place
from core.services.projects.project import ProjectView, project_for
from core.services.projects.training_rules import TrainingRules, rules_in_force
from core.services.workspace import Workspace
from core.stats.certificate import Ladder, spend
from core.store.audit import append_audit
from core.store.tables import arm_draws, campaigns, certificates, item_metadata, items

LEAST_AUDIT = 30
"""So many accepted items at least are checked by people, where there are as many."""


@dataclass(frozen=True, slots=True)
class CampaignView:
    """A promise: with confidence 1 - delta, at most `target` of what stands as auto-accepted is wrong.

    Attributes:
        scope: ``all``, ``classes``, or ``slices:<column>``.
        iou: From which overlap on a region counts as right.
        looks: Looks spent so far.
        delta_spent: By them.
        next_delta: What the next look spends.
        certify_items: How many were drawn for certifying.
        notice: What a person should know of it, or empty.
    """

    id: int
    target: float
    delta: float
    scope: str
    iou: float
    reason: str
    at: float
    looks: int
    delta_spent: float
    next_delta: float
    certify_items: int
    notice: str = ""

    @property
    def delta_left(self) -> float:
        """Return what later looks may still err, all together."""
        return max(0.0, self.delta - self.delta_spent)


def open_campaign(
    ws: Workspace,
    actor: Actor,
    slug: str,
    target: float,
    delta: float,
    scope: str = "all",
    iou: float = 0.5,
    reason: str = "",
) -> CampaignView:
    """Make a promise and fix its draws; the same promise again is the one in force.

    Raises:
        InputError: Target, delta, scope or overlap will not do, or there is no reason.
        Forbidden: The actor does not steer this project.
    """
    said = reason.strip()
    _check(target, delta, scope, iou)
    if not said:
        raise InputError("A campaign needs a reason.", "Say in a few words why.")
    with ws.store.read() as connection:
        _check_column(connection, project_for(connection, actor, slug, Action.STEER), scope)
    with ws.store.write() as connection:
        project = project_for(connection, actor, slug, Action.STEER)
        last = newest_campaign(connection, project.id)
        if last is not None and (last.target, last.delta, last.scope, last.iou) == (
            target, delta, scope, iou,
        ):  # fmt: skip
            return campaign_view(connection, last)
        ladder = Ladder()
        row = {
            "project_id": project.id, "target": target, "delta": delta, "scope": scope, "iou": iou,
            "doc": json.dumps({"starts": ladder.starts, "steps": ladder.steps}),
            "reason": said, "by_id": actor.person_id, "at": ws.clock(),
        }  # fmt: skip
        connection.execute(campaigns.insert(), row)
        drawn = _draw(connection, project, rules_in_force(connection, project.id), row["at"])
        append_audit(
            connection, ws.clock(), actor.name, "campaign opened", slug, project.id,
            {"target": target, "delta": delta, "scope": scope, "reason": said},
        )  # fmt: skip
        made = newest_campaign(connection, project.id)
        assert made is not None
        view = campaign_view(connection, made, _told(connection, last, target))
    settle(ws, project, drawn)  # to their places in the queue
    return view


def get_campaign(ws: Workspace, actor: Actor, slug: str) -> CampaignView | None:
    """Return the promise in force, or None.

    Raises:
        Forbidden: The actor may not see figures here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_FIGURES, counted=False)
        row = newest_campaign(connection, project.id)
        return None if row is None else campaign_view(connection, row)


def campaign_in_force(connection: Connection, project: ProjectView) -> Row:
    """Return the row of the promise in force within the caller's transaction.

    Raises:
        NotFound: None was made.
    """
    row = newest_campaign(connection, project.id)
    if row is None:
        raise NotFound(
            f"'{project.slug}' has no campaign: nobody said which error is allowed.",
            "Open one with a target and a confidence.",
        )
    return row


def newest_campaign(connection: Connection, project_id: int) -> Row | None:
    """Return the row of a project's newest promise, or None."""
    return connection.execute(
        select(campaigns)
        .where(campaigns.c.project_id == project_id)
        .order_by(campaigns.c.id.desc())
        .limit(1)
    ).first()


def looks_of(connection: Connection, campaign_id: int) -> int:
    """Return how many looks a campaign has spent."""
    found = connection.execute(
        select(func.max(certificates.c.look)).where(certificates.c.campaign_id == campaign_id)
    ).scalar()
    return int(found or 0)


def campaign_view(connection: Connection, row: Row, notice: str = "") -> CampaignView:
    """Return a promise with what it has spent."""
    looks = looks_of(connection, row.id)
    spent = sum(spend(row.delta, k) for k in range(1, looks + 1))
    drawn = connection.execute(
        select(func.count(arm_draws.c.item_id.distinct())).where(
            arm_draws.c.project_id == row.project_id, arm_draws.c.arm == Arm.CERTIFY.value
        )
    ).scalar_one()
    return CampaignView(
        row.id, row.target, row.delta, row.scope, row.iou, row.reason, row.at, looks, spent,
        spend(row.delta, looks + 1), drawn, notice,
    )  # fmt: skip


def audit_share(rules: TrainingRules, open_items: int) -> float:
    """Return the share of open items kept for the audit: the rule's, and enough to tell anything."""
    if rules.audit_share == 0 or open_items == 0:
        return 0.0
    return min(0.5, max(rules.audit_share, LEAST_AUDIT / open_items))


def _check(target: float, delta: float, scope: str, iou: float) -> None:
    for what, value in (("target error", target), ("share of campaigns that may fail", delta)):
        if not 0 < value < 1:
            raise InputError(
                f"A {what} lies between 0 and 1, found {value:g}.",
                "Correct it; no campaign was opened.",
            )
    if not 0 < iou <= 1:
        raise InputError(f"An overlap lies above 0 and up to 1, found {iou:g}.")
    kind, _, column = scope.partition(":")
    if scope not in ("all", "classes") and not (kind == "slices" and column.strip()):
        raise InputError(
            f"A campaign is about 'all', 'classes' or 'slices:<column>', found '{scope[:80]}'.",
            "Choose one of these; no campaign was opened.",
        )


def _check_column(connection: Connection, project: ProjectView, scope: str) -> None:
    """Refuse slices by a column that no item has: every look at it would be spent on nothing.

    Raises:
        InputError: No item's metadata names the column.
    """
    kind, _, column = scope.partition(":")
    if kind != "slices":
        return
    query = (
        select(item_metadata.c.doc)
        .join(items, items.c.id == item_metadata.c.item_id)
        .where(items.c.project_id == project.id)
    )
    known: set[str] = set()
    for doc in connection.execute(query).scalars():
        known |= set(json.loads(doc))
        if column in known:
            return
    there = f"There are {', '.join(sorted(known)[:10])}" if known else "No item has any metadata"
    raise InputError(
        f"No item of '{project.slug}' has a metadata column '{column[:80]}'; no campaign was opened.",
        f"{there}; choose a column that is there, or 'all'.",
    )


def _draw(
    connection: Connection, project: ProjectView, rules: TrainingRules, at: object
) -> list[int]:
    """Write down what was drawn for certifying, evaluating and timing from scratch; return it all."""
    before = {
        (r.item_id, r.arm)
        for r in connection.execute(
            select(arm_draws.c.item_id, arm_draws.c.arm).where(arm_draws.c.project_id == project.id)
        )
    }
    shares = dict(zip(("train", "certify", "evaluate"), project.use_shares, strict=True))
    drawn: list[tuple[int, str, float]] = []
    for one in standings(connection, project).values():
        if one.use in (Arm.CERTIFY.value, Arm.EVALUATE.value):
            drawn.append((one.item_id, one.use, shares[one.use]))
        elif not one.answered and _scratch(project.slug, one.content_hash) < rules.random_arm:
            drawn.append((one.item_id, Arm.SCRATCH.value, rules.random_arm))
    fresh = [d for d in drawn if d[:2] not in before]
    # In drawn order, so that the record shows it.
    rows = [
        {"project_id": project.id, "item_id": i, "arm": arm, "draw_probability": share, "at": at}
        for i, arm, share in sorted(fresh, key=lambda d: (place(d[0]), d[0]))
    ]
    if rows:
        connection.execute(arm_draws.insert(), rows)
    return [i for i, _arm, _share in fresh]


def _scratch(slug: str, content_hash: str) -> float:
    digest = hashlib.sha256(f"scratch:{slug}:{content_hash}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _told(connection: Connection, last: Row | None, target: float) -> str:
    """Return what it means that another promise was in force."""
    if last is None:
        return ""
    if not looks_of(connection, last.id):
        return ""
    if target == last.target:
        return "This is a new campaign; the old promise ends here."
    way = "raised" if target > last.target else "lowered"
    return (
        f"The target was {way} from {_percent(last.target)} to {_percent(target)} after a look: "
        "that is a new campaign; the old promise ends here."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
