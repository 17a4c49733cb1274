"""Who may review now: onboarding with a pass mark, automatic pauses, and a lead who resumes.

What is decided here is an event in `standings`, with the numbers it was decided on, and a line
in the audit; the newest event counts. It is looked at when a person asks for items, and when a lead
reads figures of people (`falling_short`), never while an answer is taken in, so that nothing in
time or receipt sets a planted item apart.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection, Row, func, select

from core.access import Action, Actor, Resource, require
from core.consensus.skill import Accuracy, accuracy
from core.errors import ConflictError, InputError, NotFound, ReviewPaused
from core.queue.claim import held_leases, release
from core.queue.plan import QueuePlan
from core.services.accounts.people import load_actor
from core.services.projects.project import ProjectView, project_for
from core.services.projects.queue_plans import plan_in_force
from core.services.review.planting import MIX, ONBOARDING, onboarding_in_hand, planting_for
from core.services.visibility.probes import may_be_probed
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import annotation_log, people, probe_leases, probe_votes, standings

PASSED, FAILED = "onboarding-passed", "onboarding-failed"
PAUSED, RESUMED = "paused", "resumed"

PAUSED_SENTENCE = "Reviewing is paused for you in this project; the lead knows."
FAILED_SENTENCE = (
    "You have been through the first items of this project, and too few answers were as they "
    "should be to go on; the lead knows and will talk to you."
)


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a person may review now.

    Attributes:
        refusal: A sentence that says why not; empty where they may.
        onboarding: How many onboarding items they have still to answer, those in hand too; 0
            where there is no onboarding or it is over.
    """

    refusal: str = ""
    onboarding: int = 0


@dataclass(frozen=True, slots=True)
class StandingEvent:
    """One event in a person's standing.

    Attributes:
        by: Who decided it; empty where nobody did.
    """

    seq: int
    person_id: int
    name: str
    what: str
    reason: str
    by: str
    at: float


def latest_event(connection: Connection, project_id: int, person_id: int) -> Row | None:
    """Return the newest event of a person in a project."""
    return connection.execute(
        select(standings)
        .where(standings.c.project_id == project_id, standings.c.person_id == person_id)
        .order_by(standings.c.seq.desc())
        .limit(1)
    ).first()


def admission(
    connection: Connection, project: ProjectView, actor: Actor, plan: QueuePlan | None = None
) -> Admission:
    """Return whether a person may review, as the record stands."""
    last = latest_event(connection, project.id, actor.person_id)
    if last is not None:
        refusal = {PAUSED: PAUSED_SENTENCE, FAILED: FAILED_SENTENCE}.get(last.what, "")
        return Admission(refusal)
    plan = plan or plan_in_force(connection, project.id)
    if not plan.onboarding or not may_be_probed(actor, project.id):
        return Admission()
    if _voted_before(connection, project, actor):
        return Admission()
    said = len(_answers(connection, project, actor.person_id, ONBOARDING))
    return Admission(onboarding=max(0, plan.onboarding - said))


def check_may_review(connection: Connection, project: ProjectView, actor: Actor) -> None:
    """Pass if a person may vote on ordinary items now.

    Raises:
        ReviewPaused: They are paused, or their onboarding is not over.
    """
    found = admission(connection, project, actor)
    if found.refusal:
        raise ReviewPaused(found.refusal, "Your work was kept as a draft.")
    if found.onboarding and _may_go_on(connection, project, actor):
        raise ReviewPaused(
            f"{found.onboarding} items come first in this project, before any other.",
            "Take the next one from the queue.",
        )


def _may_go_on(connection: Connection, project: ProjectView, actor: Actor) -> bool:
    """Return whether onboarding holds anything back: not where no gold was ever handed out."""
    mine = select(probe_leases.c.item_id).where(
        probe_leases.c.person_id == actor.person_id, probe_leases.c.project_id == project.id
    )
    said = _answers(connection, project, actor.person_id, ONBOARDING)
    return bool(said) or connection.execute(mine.limit(1)).first() is not None


def judged(
    ws: Workspace, connection: Connection, project: ProjectView, actor: Actor, plan: QueuePlan
) -> tuple[Admission, bool]:
    """Return whether a person may review, and whether their answers to gold call for an event."""
    now = admission(connection, project, actor, plan)
    if now.refusal or not (plan.gold_share or plan.onboarding):
        return now, False
    return now, _due(ws, connection, project, actor, plan, now) is not None


def judge(ws: Workspace, project: ProjectView, actor: Actor, plan: QueuePlan) -> Admission:
    """Write the event that a person's answers to gold call for; return whether they may review."""
    with ws.store.write() as connection:
        now = admission(connection, project, actor, plan)
        due = None if now.refusal else _due(ws, connection, project, actor, plan, now)
        if due is not None:
            what, reason, numbers = due
            note_standing(
                connection, project, actor.person_id, actor.name, what, reason, None, numbers,
                ws.clock(),
            )  # fmt: skip
        return admission(connection, project, actor, plan)


Due = tuple[str, str, dict[str, float]]


def _due(
    ws: Workspace,
    connection: Connection,
    project: ProjectView,
    actor: Actor,
    plan: QueuePlan,
    now: Admission,
) -> Due | None:
    if not may_be_probed(actor, project.id):
        return None
    if _in_onboarding(connection, project, actor, plan):
        return _onboarding_due(ws, connection, project, actor, plan, now)
    if not (plan.gold_share or plan.onboarding):
        return None
    marks = mixed_marks(connection, project, actor.person_id)
    if not marks.falls_short(plan.target):
        return None
    reason = (
        f"{marks.right} of {marks.n} answers to mixed-in gold were right; the target is "
        f"{plan.target * 100:.0f} %."
    )
    return PAUSED, reason, _numbers(marks, plan.target)


def _in_onboarding(
    connection: Connection, project: ProjectView, actor: Actor, plan: QueuePlan
) -> bool:
    return (
        plan.onboarding > 0
        and latest_event(connection, project.id, actor.person_id) is None
        and not _voted_before(connection, project, actor)
    )


def _onboarding_due(
    ws: Workspace,
    connection: Connection,
    project: ProjectView,
    actor: Actor,
    plan: QueuePlan,
    now: Admission,
) -> Due | None:
    said = _answers(connection, project, actor.person_id, ONBOARDING)
    if not said:
        return None
    if now.onboarding:
        # With less gold than the plan asks for, what there is decides.
        if onboarding_in_hand(connection, project.id, actor.person_id, ws.clock()):
            return None
        found = planting_for(ws, connection, project, actor, plan, now.onboarding)
        if found is not None and found.golds:
            return None
    marks = accuracy([bool(r.right) for r in said])
    what = PASSED if marks.right >= plan.pass_mark * marks.n - 1e-9 else FAILED
    reason = (
        f"{marks.right} of {marks.n} onboarding answers were right; the pass mark is "
        f"{plan.pass_mark * 100:.0f} %."
    )
    return what, reason, _numbers(marks, plan.pass_mark)


def _numbers(marks: Accuracy, bound: float) -> dict[str, float]:
    return {"right": marks.right, "n": marks.n, "bound": bound, "below": marks.below(bound)}


def mixed_marks(
    connection: Connection, project: ProjectView, person_id: int, until: float | None = None
) -> Accuracy:
    """Return how a person did on mixed-in gold, since a lead last resumed them.

    Args:
        connection, project, person_id: Whose answers, and where.
        until: Only answers before this moment; None for all.
    """
    resumed = connection.execute(
        select(func.max(standings.c.at)).where(
            standings.c.project_id == project.id, standings.c.person_id == person_id,
            standings.c.what == RESUMED,
        )
    ).scalar()  # fmt: skip
    rows = _answers(connection, project, person_id, MIX)
    # A skip is no answer here: who is unsure may say so.
    return accuracy(
        [
            bool(r.right)
            for r in rows
            if r.right is not None and r.at > (resumed or 0.0) and (until is None or r.at < until)
        ]
    )


def _answers(
    connection: Connection, project: ProjectView, person_id: int, purpose: str
) -> list[Row]:
    """Return a person's newest word on each gold item of a purpose, those taken back left out."""
    rows = connection.execute(
        select(probe_votes)
        .where(
            probe_votes.c.project_id == project.id,
            probe_votes.c.person_id == person_id,
            probe_votes.c.kind == "gold",
            probe_votes.c.purpose == purpose,
        )
        .order_by(probe_votes.c.seq)
    )
    newest = {r.item_id: r for r in rows}
    return [r for r in newest.values() if r.word != "withdraw"]


def _voted_before(connection: Connection, project: ProjectView, actor: Actor) -> bool:
    mine = select(annotation_log.c.seq).where(
        annotation_log.c.project_id == project.id,
        annotation_log.c.person_id == actor.person_id,
        annotation_log.c.kind == "vote",
    )
    return connection.execute(mine.limit(1)).first() is not None


# --- events -----------------------------------------------------------------------------------


def note_standing(
    connection: Connection,
    project: ProjectView,
    person_id: int,
    name: str,
    what: str,
    reason: str,
    by: Actor | None,
    numbers: dict[str, float],
    at: float,
) -> None:
    """Write an event and its audit line; who may not go on gives back what they hold."""
    row = {
        "project_id": project.id, "person_id": person_id, "what": what, "reason": reason,
        "by_id": by.person_id if by else None, "doc": json.dumps(numbers, sort_keys=True), "at": at,
    }  # fmt: skip
    connection.execute(standings.insert(), row)
    if what in (PAUSED, FAILED):
        release(connection, person_id, held_leases(connection, project.id, person_id, at), at)
        mine = (probe_leases.c.person_id == person_id, probe_leases.c.project_id == project.id)
        connection.execute(probe_leases.update().where(*mine).values(expires_at=at))
    append_audit(
        connection, at, by.name if by else "tiebreak", f"review {what}", name, project.id,
        {"reason": reason, **numbers},
    )  # fmt: skip


def resume_person(
    ws: Workspace, actor: Actor, slug: str, person_id: int, reason: str
) -> StandingEvent:
    """Let a paused person, or one who failed the onboarding, review again.

    Raises:
        InputError: No reason was given.
        ConflictError: The person may review already.
        NotFound: There is no such person in the project.
        Forbidden: The actor does not steer this project.
    """
    return _set(ws, actor, slug, person_id, RESUMED, reason)


def pause_person(
    ws: Workspace, actor: Actor, slug: str, person_id: int, reason: str
) -> StandingEvent:
    """Pause a person's reviewing in a project; what they hold goes back, drafts stay.

    Raises:
        InputError: No reason was given.
        ConflictError: The person is paused already.
        NotFound: There is no such person in the project.
        Forbidden: The actor does not steer this project.
    """
    return _set(ws, actor, slug, person_id, PAUSED, reason)


def _set(
    ws: Workspace, actor: Actor, slug: str, person_id: int, what: str, reason: str
) -> StandingEvent:
    with ws.store.write() as connection:
        project = project_for(connection, actor, slug, Action.STEER, counted=False)
        if not reason.strip() or len(reason) > 2000:
            raise InputError("This needs a reason of at most 2,000 characters.", "Say why.")
        known = connection.execute(
            select(people.c.id).where(people.c.id == person_id, people.c.kind == "person")
        ).first()
        person = load_actor(connection, person_id) if known else None
        if person is None or not person.roles_in(project.id):
            raise NotFound(f"There is no person {person_id} in '{slug}'.", "Reload the page.")
        last = latest_event(connection, project.id, person_id)
        stopped = last is not None and last.what in (PAUSED, FAILED)
        if stopped == (what == PAUSED):
            raise ConflictError(
                f"'{person.display_name}' {'is paused' if stopped else 'may review'} already; "
                "nothing was changed.",
                "Reload the page.",
            )
        note_standing(
            connection, project, person_id, person.name, what, reason.strip(), actor, {},
            ws.clock(),
        )  # fmt: skip
        return _events(connection, project, person_id)[0]


def standing_events(ws: Workspace, actor: Actor, slug: str) -> list[StandingEvent]:
    """Return what happened to people's standing in a project, newest first.

    Raises:
        Forbidden: The actor may not see figures of people here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_FIGURES, counted=False)
        require(actor, Action.SEE_FIGURES, Resource(project.id))
        return _events(connection, project, None)


def stopped_people(connection: Connection, project_id: int) -> list[int]:
    """Return who is paused or failed the onboarding, and waits for a lead."""
    newest = (
        select(func.max(standings.c.seq))
        .where(standings.c.project_id == project_id)
        .group_by(standings.c.person_id)
    )
    return list(
        connection.execute(
            select(standings.c.person_id)
            .where(standings.c.seq.in_(newest), standings.c.what.in_((PAUSED, FAILED)))
            .order_by(standings.c.seq)
        ).scalars()
    )


def _events(
    connection: Connection, project: ProjectView, person_id: int | None
) -> list[StandingEvent]:
    query = select(standings).where(standings.c.project_id == project.id)
    if person_id is not None:
        query = query.where(standings.c.person_id == person_id)
    rows = connection.execute(query.order_by(standings.c.seq.desc())).all()
    ids = {r.person_id for r in rows} | {r.by_id for r in rows if r.by_id}
    names = {i: load_actor(connection, i).display_name for i in ids}
    return [
        StandingEvent(
            r.seq, r.person_id, names[r.person_id], r.what, r.reason, names.get(r.by_id, ""), r.at
        )
        for r in rows
    ]
