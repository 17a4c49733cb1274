"""What the demo's lead and experts did beside voting: examples, doubts, threads, a list, a plan."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, select

from core.access import Actor
from core.consensus.policy import OnDisagreement, Policy
from core.labels.schema import Task
from core.labels.state import ItemState
from core.services.items.lists import make_list
from core.services.projects.project import GuidelineExample, ProjectView, load_project
from core.services.projects.queue_plans import (
    ORDERS,
    PeopleChecks,
    new_plan,
    set_queue_plan,
)
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.steering.rules import set_guideline, set_policy
from core.services.talk.writing import reply, resolve_thread, start_thread
from core.services.workspace import Workspace
from core.store.tables import (
    annotation_log,
    gold_answers,
    item_names,
    item_state,
    items,
    predictions,
)
from data.project import DemoExample

WEIGHED = Policy(algorithm="dawid-skene", posterior_at_least=0.8)
"""Put in force at the end, for classes: close calls that a majority had settled come back."""
CLOSE = {
    Task.POLYGONS: Policy(on_disagreement=OnDisagreement.LEAD, iou_at_least=0.8),
    Task.KEYPOINTS: Policy(on_disagreement=OnDisagreement.LEAD, iou_at_least=0.95),
}
"""Put in force at the end, for outlines and points: what was drawn less alike than this comes back."""

UNSURE = 5
"""Items an expert left to somebody who knows better."""

LISTED = 20
BLIND_SHARE = 0.1
KNOWN_WRONG_SHARE = 0.04
GOLD_SHARE = 0.05
REPEAT_SHARE = 0.02
HOUR = 3600.0
DAY = 24 * HOUR

QUESTION = (
    "@{lead} I cannot decide between the first two suggestions: what tells them apart is out of "
    "focus here. What do we do with such a picture?"
)
ASIDE = "There is a second one in the corner. Which of the two do we mean?"
ANSWER = "The large one in the middle. What the picture's edge cuts off is not meant."

_SAID = uuid.UUID("5d6f3c0e-6a0b-4a55-9a57-0d0e64a1c9b2")


def show_examples(ws: Workspace, lead: Actor, slug: str, wanted: Sequence[DemoExample]) -> None:
    """Show, beside the guideline, the first allowed image of each thing that is worth showing.

    Evaluate items and gold are left out: their answers are to be found out.
    """
    with ws.store.read() as connection:
        project = load_project(connection, slug)
        allowed = _allowed(connection, project)
    chosen: dict[str, GuidelineExample] = {}
    for one in wanted:
        if one.file in allowed and one.note not in chosen:
            chosen[one.note] = GuidelineExample(allowed[one.file], one.good, one.note)
    if chosen:
        reason = "Show what the words mean"
        set_guideline(ws, lead, slug, project.guideline, reason, list(chosen.values()))


def _allowed(connection: Connection, project: ProjectView) -> dict[str, int]:
    gold = select(gold_answers.c.item_id).where(gold_answers.c.project_id == project.id)
    rows = connection.execute(
        select(item_names.c.name, items.c.id)
        .join(items, items.c.id == item_names.c.item_id)
        .where(items.c.project_id == project.id, items.c.use != "evaluate", items.c.id.not_in(gold))
    )
    return {r.name: r.id for r in rows}


def furnish(
    ws: Workspace,
    slug: str,
    experts: Sequence[Actor],
    lead: Actor,
    seed: int,
    end: float,
) -> None:
    """Leave what a team at work leaves behind: doubts, threads, a hand-picked list, a queue plan.

    Args:
        ws: Where.
        slug: The project.
        experts: At least two.
        lead: Who is asked, and steers.
        seed: Same seed, same items.
        end: The last simulated moment, seconds since the epoch.
    """
    with ws.store.read() as connection:
        project = load_project(connection, slug)
        untouched = _untouched(connection, project)
        settled = _in_state(connection, project, ItemState.AGREED)
        close = _closest(connection, project)
    chance = random.Random(f"doubts/{seed}/{slug}")
    doubtful = chance.sample(untouched, min(UNSURE, len(untouched)))
    for n, item_id in enumerate(doubtful):
        _leave(_at(ws, end - (UNSURE + 2 - n) * HOUR), experts[n % 2], slug, item_id)
    if doubtful:
        text = QUESTION.format(lead=lead.name)
        start_thread(_at(ws, end - 2 * HOUR), experts[0], slug, doubtful[0], text, _key(slug, 1))
    if settled:
        _talk(ws, slug, experts[1], lead, chance.choice(settled), end - 26 * HOUR)
    if close:
        make_list(_at(ws, end - HOUR), lead, slug, "Close calls", close)
    checks = PeopleChecks(gold_share=GOLD_SHARE, repeat_share=REPEAT_SHARE)
    gold = new_plan(ORDERS[0], 0.0, KNOWN_WRONG_SHARE, (), checks)
    set_queue_plan(_at(ws, end - 3 * DAY), lead, slug, gold, "Know how right we are")
    plan = new_plan(ORDERS[0], BLIND_SHARE, KNOWN_WRONG_SHARE, (), checks)
    reason = "Measure how far pre-labels sway us"
    set_queue_plan(_at(ws, end - HOUR), lead, slug, plan, reason)


def look_closer(ws: Workspace, lead: Actor, slug: str, task: Task, end: float) -> None:
    """Let the lead put a stricter policy in force half an hour before the end; boxes keep theirs."""
    now = _at(ws, end - HOUR / 2)
    if task is Task.CLASSIFICATION:
        reason = "Two against one is too little where the two mix these trees up"
        set_policy(now, lead, slug, WEIGHED, reason)
    elif task in CLOSE:
        set_policy(now, lead, slug, CLOSE[task], "I want to see what was drawn this differently")


def _leave(now: Workspace, who: Actor, slug: str, item_id: int) -> None:
    """Let an expert leave an item to the expert queue."""
    key = str(uuid.uuid5(_SAID, f"{slug}/unsure/{item_id}"))
    submit(now, who, slug, Submission(key, item_id, "skip", reason="unsure", active_seconds=14.0))


def _talk(ws: Workspace, slug: str, expert: Actor, lead: Actor, item_id: int, begun: float) -> None:
    """Let an expert ask and the lead answer; with that it is done."""
    asked = start_thread(_at(ws, begun), expert, slug, item_id, ASIDE, _key(slug, 2))
    reply(_at(ws, begun + HOUR), lead, slug, asked.thread, ANSWER, _key(slug, 3))
    resolve_thread(_at(ws, begun + HOUR + 5), lead, slug, asked.thread, _key(slug, 4))


def _key(slug: str, number: int) -> str:
    return str(uuid.uuid5(_SAID, f"{slug}/thread/{number}"))


def _untouched(connection: Connection, project: ProjectView) -> list[int]:
    """Return the open items nobody has said anything of."""
    said = select(annotation_log.c.item_id).where(annotation_log.c.project_id == project.id)
    touched = set(connection.execute(said).scalars())
    return [i for i in _in_state(connection, project, ItemState.OPEN) if i not in touched]


def _in_state(connection: Connection, project: ProjectView, state: ItemState) -> list[int]:
    found = connection.execute(
        select(item_state.c.item_id)
        .where(item_state.c.project_id == project.id, item_state.c.state == state)
        .order_by(item_state.c.item_id)
    )
    return list(found.scalars())


def _closest(connection: Connection, project: ProjectView) -> list[int]:
    """Return the open items whose two likeliest classes are closest to each other."""
    found = connection.execute(
        select(item_state.c.item_id)
        .join(predictions, predictions.c.seq == item_state.c.prediction_seq)
        .where(
            item_state.c.project_id == project.id,
            item_state.c.state == ItemState.OPEN,
            predictions.c.margin.is_not(None),
        )
        .order_by(predictions.c.margin, item_state.c.item_id)
        .limit(LISTED)
    )
    return list(found.scalars())


def _at(ws: Workspace, seconds: float) -> Workspace:
    """Return the same workspace at another time."""
    return replace(ws, clock=lambda: seconds)
