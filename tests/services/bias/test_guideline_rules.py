"""Rules of a guideline measured on pictures and regions, what breaks them, and limits learnt."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from core.clock import new_uuid
from core.errors import Forbidden, InputError
from core.labels.schema import Task
from core.services.analytics.replicas import forget_replicas, open_figures
from core.services.bias import learned_limits
from core.services.bias.guideline_rules import (
    rule_violations,
    rules_view,
    send_violations_first,
    settled_violations,
)
from core.services.bias.rule_values import known_of
from core.services.projects.queue_plans import get_queue_plan
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.steering.rules import set_guideline
from core.services.workspace import Workspace
from tests.record import World, act, boxes, make_world, vote
from tests.services.bias.test_selection import ONE, keep_measures
from tests.worked import describe

RULES = """# Pets

```rules
brightness at least 40
metadata angle between -30 and 30
brigthness at least 3
metadata height above 3
metadata nothing at least 3
object size at least 1 %
```
"""


@pytest.fixture(autouse=True)
def _no_replica_left() -> Iterator[None]:
    yield
    forget_replicas()


@pytest.fixture
def ruled(sqlite_ws: Workspace) -> World:
    """Give 30 pictures, the first ten dark, one of them settled, and angles of which some are words."""
    world = make_world(sqlite_ws, n_items=30, policy=ONE)
    keep_measures(world.ws, world.project, np.where(np.arange(30) < 10, 20.0 - np.arange(30), 90.0))
    angle = {
        i: {"angle": "45" if n == 5 else "wide" if n == 6 else "0"}
        for n, i in enumerate(world.items)
    }
    describe(world.ws, world.project, angle)
    set_guideline(world.ws, world.cast.lead, world.slug, RULES, "rules")
    vote(world, world.cast.experts[0], world.items[0])
    return world


def test_rules_are_measured_with_n_and_interval(ruled: World):
    """Counts, shares and what is not measured; a rule nothing can be measured for says why."""
    view = rules_view(ruled.ws, ruled.cast.manager, ruled.slug)
    light, angle, nothing, size = view.figures
    assert (light.broken, light.measured, light.items) == (10, 30, 10)
    assert light.share.low < 1 / 3 < light.share.high
    assert (angle.broken, angle.measured, angle.unmeasured) == (1, 29, 1)
    assert "no metadata column" in nothing.problem or "No item has" in nothing.problem
    assert "Nothing is drawn" in size.problem
    assert [b.line for b in view.refused] == [6, 7]
    assert all(x.found is None for x in view.limits)


def test_violations_are_listed_the_furthest_first(ruled: World):
    """Value against limit, for who may vote too: light tells no answer; an unknown line is said."""
    found = rule_violations(ruled.ws, ruled.cast.manager, ruled.slug, 4)
    assert [v.picture.item_id for v in found.rows] == ruled.items[9::-1]
    assert (found.rows[0].value, found.rows[0].limit) == (11.0, 40.0)
    assert (found.items, found.open, found.settled) == (10, 9, 1)
    lead = rule_violations(ruled.ws, ruled.cast.lead, ruled.slug, 4)
    assert len(lead.rows) == 10
    with pytest.raises(InputError, match="no rule in line 99"):
        rule_violations(ruled.ws, ruled.cast.lead, ruled.slug, 99)


def test_open_ones_come_first_for_everybody(ruled: World):
    """The queue plan gets a list of them; who does not steer is refused and nothing is written."""
    with pytest.raises(Forbidden):
        send_violations_first(ruled.ws, ruled.cast.experts[0], ruled.slug, 4)
    made = send_violations_first(ruled.ws, ruled.cast.lead, ruled.slug, 4)
    assert made.items == 9
    assert made.name == "Breaks: brightness at least 40"
    plan = get_queue_plan(ruled.ws, ruled.cast.lead, ruled.slug).plan
    assert plan.boosts[-1].value == str(made.list_id)
    assert settled_violations(ruled.ws, ruled.cast.lead, ruled.slug, 4) == (ruled.items[0],)
    set_guideline(ruled.ws, ruled.cast.lead, ruled.slug, "```rules\nwidth at least 1\n```", "x")
    with pytest.raises(InputError, match="Nothing was queued"):
        send_violations_first(ruled.ws, ruled.cast.lead, ruled.slug, 2)


def test_regions_are_measured_by_class(sqlite_ws: Workspace):
    """A rule for a class measures its regions alone; an unknown class is said."""
    world = make_world(sqlite_ws, n_items=4, task=Task.BOXES, policy=ONE)
    answer = boxes((0, 0, 4, 8), (10, 10, 50, 50))
    for item in world.items[:3]:
        sent = Submission(new_uuid(), item, "vote", answer)
        submit(world.ws, world.cast.experts[0], world.slug, sent)
    text = "```rules\nobject pixels at least 24\nfor dog: object pixels at least 24\nfor cow: object size at most 9 %\n```"
    set_guideline(world.ws, world.cast.lead, world.slug, text, "rules")
    every, dogs, cows = rules_view(world.ws, world.cast.manager, world.slug).figures
    assert (every.broken, every.measured, every.items, every.share.n) == (3, 6, 3, 3)
    assert (dogs.measured, dogs.share.value) == (0, None)
    assert "no class 'cow'" in cows.problem
    row = rule_violations(world.ws, world.cast.manager, world.slug, 2).rows[0]
    assert (row.label, row.value, row.limit) == ("cat", 4.0, 24.0)


def test_what_went_wrong_is_counted(ruled: World):
    """Skipped, discarded or voted otherwise than the label counts; nobody's item does not."""
    who = ruled.cast.experts
    act(ruled, who[0], ruled.items[1], "skip", reason="too dark")
    known = known_of(ruled.ws, *open_figures(ruled.ws, ruled.cast.manager, ruled.slug))
    item, bad = learned_limits._outcomes(known)
    assert dict(zip(item.tolist(), bad.tolist(), strict=True)) == {
        ruled.items[0]: False,
        ruled.items[1]: True,
    }


def test_a_limit_is_learnt_from_what_went_wrong(sqlite_ws: Workspace, monkeypatch):
    """Dark pictures were skipped: the record proposes a limit near it, with both shares."""
    world = make_world(sqlite_ws, n_items=200)
    light = np.linspace(0, 200, 200)
    keep_measures(world.ws, world.project, light)
    ids, bad = np.array(world.items), (light < 60) & (np.arange(200) % 5 > 0)
    monkeypatch.setattr(learned_limits, "_outcomes", lambda _known: (ids, bad))
    first = rules_view(world.ws, world.cast.manager, world.slug).limits[0]
    assert first.subject == "brightness"
    assert first.is_sure
    assert first.found.limit.value == pytest.approx(60, abs=15)
    assert first.line.startswith("brightness at least ")
    assert first.found.outside.value > first.found.inside.value + 0.3
