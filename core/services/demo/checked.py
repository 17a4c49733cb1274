"""What the demo's experts said of gold and of items they were asked a second time."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import Connection, Row, Select, select

from core.access import Actor
from core.labels import Answer
from core.queue.probes import hold_probes
from core.services.demo.replay import at_time
from core.services.projects.project import load_project
from core.services.review.planting import MIX
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.workspace import Workspace
from core.store.tables import annotation_log, gold_answers, item_names, items
from data.people import SimulatedPerson, answered
from data.project import DemoProject

GOLD_EACH = 30
REPEATS_EACH = 12
SPREAD_SECONDS = 2 * 86_400.0
NOON = 12.0

_SAID = uuid.UUID("c0a0e3d2-5b1e-4b0a-8a44-6a7d1b0f2f55")


def check_people(
    ws: Workspace,
    project: DemoProject,
    team: Sequence[SimulatedPerson],
    actors: Mapping[str, Actor],
    shown: Mapping[str, tuple[Answer, float]],
    seed: int,
    end: float,
) -> None:
    """Let each expert answer gold and repeats as they answer all else, in the last two days.

    Args:
        ws: Where.
        project: Whose items, with their truth.
        team: Who works.
        actors: The same people, by name.
        shown: The pre-label of each file.
        seed: Same seed, same answers.
        end: The last simulated moment, seconds since the epoch.
    """
    of_file = {i.file: i for i in project.items}
    for person in (p for p in team if p.role == "expert"):
        chance = random.Random(f"checked/{seed}/{project.slug}/{person.name}")
        rng = np.random.default_rng(chance.randrange(2**32))
        with ws.store.read() as connection:
            here, mine = load_project(connection, project.slug).id, actors[person.name].person_id
            found = _handed_out(connection, here, mine, frozenset(of_file), chance)
        for n, (item_id, file, kind) in enumerate(found):
            now = at_time(ws, end - SPREAD_SECONDS * (1 - n / len(found)))
            seen = shown[file][0] if file in shown else None
            answer = answered(person, project, of_file[file], seen, NOON, rng)
            _say(now, actors[person.name], project.slug, item_id, kind, answer, person, chance)


def _handed_out(
    connection: Connection, here: int, person_id: int, files: frozenset[str], chance: random.Random
) -> list[tuple[int, str, str]]:
    """Return what is planted for a person: item, file and kind, in the order it comes."""
    mine = select(annotation_log.c.item_id).where(
        annotation_log.c.project_id == here, annotation_log.c.person_id == person_id
    )
    gold = select(gold_answers.c.item_id).where(gold_answers.c.project_id == here)
    named = (
        select(items.c.id, item_names.c.name)
        .join(item_names, item_names.c.item_id == items.c.id)
        .order_by(item_names.c.name)
    )
    golds = _by_a_known_name(
        connection,
        named.where(items.c.id.in_(gold), items.c.id.not_in(mine), items.c.use != "evaluate"),
        files,
    )
    voted = _by_a_known_name(
        connection, named.where(items.c.id.in_(mine.where(annotation_log.c.kind == "vote"))), files
    )
    chosen = [(r.id, r.name, "gold") for r in _some(golds, GOLD_EACH, chance)]
    chosen += [(r.id, r.name, "repeat") for r in _some(voted, REPEATS_EACH, chance)]
    chance.shuffle(chosen)
    return chosen


def _by_a_known_name(connection: Connection, query: Select, files: frozenset[str]) -> list[Row]:
    """Return each item once: copies of an image share an item, and only one name is the demo's."""
    rows = [r for r in connection.execute(query) if r.name in files]
    return list({r.id: r for r in rows}.values())


def _some(rows: Sequence, most: int, chance: random.Random) -> list:
    return chance.sample(list(rows), min(most, len(rows) // 2))


def _say(
    now: Workspace,
    actor: Actor,
    slug: str,
    item_id: int,
    kind: str,
    answer: Answer,
    person: SimulatedPerson,
    chance: random.Random,
) -> None:
    with now.store.ephemeral() as connection:
        here, at = load_project(connection, slug).id, now.clock()
        hold_probes(connection, here, actor.person_id, [(item_id, kind, MIX)], at, 600.0)
    key = str(uuid.uuid5(_SAID, f"{slug}/{actor.name}/{item_id}"))
    seconds = person.pace_seconds * chance.uniform(0.6, 1.8)
    submit(now, actor, slug, Submission(key, item_id, "vote", answer, active_seconds=seconds))
