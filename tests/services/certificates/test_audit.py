"""The audit: unrecognisable items, a test at every answer, recall of what fails, and what was saved."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from core.clock import new_uuid
from core.labels import Answer
from core.queue.plan import QueuePlan
from core.server.decisions import item_json
from core.services.analytics.replicas import open_figures
from core.services.certificates import savings
from core.services.certificates.accept import accept
from core.services.certificates.audits import audit_standing, draw_audit, watch_audit
from core.services.certificates.campaign import certify_now, open_campaign
from core.services.certificates.evidence import in_arm
from core.services.certificates.savings import measured_savings
from core.services.consensus.draws import Arm
from core.services.projects.queue_plans import set_queue_plan
from core.services.projects.training_rules import (
    TrainingRules,
    get_training_rules,
    set_training_rules,
)
from core.services.review.claiming import claim_items
from core.services.review.leases import open_item
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.store.tables import acceptances, annotation_log, arm_draws, gold_answers, item_state
from tests.record import CLASSES, say
from tests.services.certificates.planted import Planted, answer, answered, plant, teach


@pytest.fixture
def accepted(sqlite_ws) -> Planted:
    """Give a project in which the model's labels were accepted and a share withheld for the audit."""
    made = plant(sqlite_ws)
    lead = made.world.cast.lead
    answer(made, made.of_use("train")[:60])
    teach(made)
    set_training_rules(made.ws, lead, made.slug, TrainingRules(audit_share=0.2), "check many")
    open_campaign(made.ws, lead, made.slug, 0.1, 0.1, reason="save time")
    with made.ws.store.read() as connection:
        order = in_arm(connection, made.world.project.id, Arm.CERTIFY)
    answer(made, order[:120])
    found = certify_now(made.ws, lead, made.slug, 1)
    accept(made.ws, lead, made.slug, found.id, "good")
    return made


def in_audit(planted: Planted) -> list[int]:
    with planted.ws.store.read() as connection:
        return in_arm(connection, planted.world.project.id, Arm.AUDIT)


def standing(planted: Planted) -> list[int]:
    with planted.ws.store.read() as connection:
        return list(
            connection.execute(
                select(item_state.c.item_id).where(item_state.c.state == "auto-accepted")
            ).scalars()
        )


def test_an_audit_item_is_sent_as_any_other_blind_one(accepted: Planted):
    """What the deck is sent of it is another blind item's, byte for byte, but for what names the item."""
    expert, audit = accepted.world.cast.experts[0], in_audit(accepted)[0]
    with accepted.ws.store.read() as connection:
        others = in_arm(connection, accepted.world.project.id, Arm.SCRATCH)
    other = next(i for i in others if i not in accepted.of_use("train")[:60])
    sent = []
    for item in (audit, other):
        view = open_item(accepted.ws, expert, accepted.slug, item)
        doc = json.dumps(item_json(view), sort_keys=True)
        named = (view.image.rpartition("=")[2], f"{view.name}", f"/{item}?", f'"item_id": {item},')
        for name in named:
            doc = doc.replace(name, "…")
        sent.append(doc.encode())
    assert sent[0] == sent[1]
    assert view.prelabel is None
    assert view.can_vote


def test_audit_items_come_in_the_queue_at_places_that_say_nothing(accepted: Planted):
    """They are claimed among other items, not in a block at either end."""
    expert = accepted.world.cast.experts[1]
    audit = set(in_audit(accepted))
    got: list[int] = []
    for _ in range(6):
        view = claim_items(accepted.ws, expert, accepted.slug, 20, exclude=got)
        got += [v.item_id for v in view.items]
    places = [n for n, i in enumerate(got) if i in audit]
    assert len(places) >= 5
    assert len(set(got) - audit) >= 5
    assert max(places) - min(places) > len(places)


def test_answers_to_audit_items_never_show_the_model(accepted: Planted):
    """A client that claims to have shown the pre-label is corrected: it was not sent one."""
    expert, item = accepted.world.cast.experts[0], in_audit(accepted)[0]
    open_item(accepted.ws, expert, accepted.slug, item)
    sent = Submission(new_uuid(), item, "vote", say("cat"), prelabel_shown=True)
    submit(accepted.ws, expert, accepted.slug, sent)
    with accepted.ws.store.read() as connection:
        row = connection.execute(
            select(annotation_log).where(annotation_log.c.uuid == sent.uuid)
        ).one()
    assert not row.prelabel_shown


def test_right_answers_take_nothing_back(accepted: Planted):
    """Audit items answered as the model did leave everything standing, and the stake falls."""
    before = standing(accepted)
    answer(accepted, in_audit(accepted)[:40])
    assert standing(accepted) == before
    row = audit_standing(accepted.ws, accepted.world.cast.lead, accepted.slug)[0]
    assert (row.scope, row.revoked, row.standing) == ("all", False, len(before))
    assert row.n == 40
    assert row.wrong <= 3
    assert row.low <= row.wrong / row.n <= row.high < 0.4
    assert row.e < row.needed


def test_wrong_answers_take_back_what_failed(accepted: Planted):
    """When people keep contradicting the model, the vote that proves it also takes the labels back."""
    before, audit = standing(accepted), in_audit(accepted)
    n = 0
    while len(standing(accepted)) == len(before):
        answer(accepted, [audit[n]], frozenset([audit[n]]))
        n += 1
    assert 2 <= n <= 12
    rows = audit_standing(accepted.ws, accepted.world.cast.lead, accepted.slug)
    assert any(r.revoked and r.e >= r.needed for r in rows)
    for item in audit[n : n + 12]:
        answer(accepted, [item], frozenset([item]))
    assert standing(accepted) == []
    with accepted.ws.store.read() as connection:
        kinds = connection.execute(
            select(acceptances.c.kind, acceptances.c.reason).where(acceptances.c.kind == "revoked")
        ).all()
        states = set(
            connection.execute(
                select(item_state.c.state).where(item_state.c.item_id.in_(before))
            ).scalars()
        )
    assert len(kinds) == len(before)
    assert all(k.reason.startswith("audit: ") for k in kinds)
    assert states == {"open"}
    assert watch_audit(accepted.ws, accepted.world.cast.lead, accepted.slug) == []


def test_a_class_that_fails_goes_alone(accepted: Planted):
    """Errors in one class take that class back and leave the others standing."""
    with accepted.ws.store.read() as connection:
        predicted = dict(
            connection.execute(select(item_state.c.item_id, item_state.c.predicted)).tuples().all()
        )
    answer(accepted, [i for i in in_audit(accepted) if predicted[i] != "cat"])
    for item in [i for i in in_audit(accepted) if predicted[i] == "cat"][:8]:
        answer(accepted, [item], frozenset([item]))
        if not any(predicted[i] == "cat" for i in standing(accepted)):
            break
    left = {predicted[i] for i in standing(accepted)}
    assert left == {"dog", "owl"}


def test_more_may_be_drawn_later(accepted: Planted):
    """Accepted items drawn at random go back to people, blind, with the chance they had."""
    lead, before = accepted.world.cast.lead, standing(accepted)
    assert draw_audit(accepted.ws, lead, accepted.slug, 1, 10, seed=3) == 10
    gone = set(before) - set(standing(accepted))
    assert len(gone) == 10
    with accepted.ws.store.read() as connection:
        rows = connection.execute(
            select(arm_draws).where(arm_draws.c.arm == "audit", arm_draws.c.item_id.in_(gone))
        ).all()
    assert {round(r.draw_probability, 6) for r in rows} == {round(10 / len(before), 6)}
    item = min(gone)
    view = open_item(accepted.ws, accepted.world.cast.experts[0], accepted.slug, item)
    assert view.prelabel is None
    assert view.can_vote


def test_drawn_items_stay_blind_under_any_plan(accepted: Planted):
    """A queue plan without blind items does not lift it."""
    lead = accepted.world.cast.lead
    set_queue_plan(accepted.ws, lead, accepted.slug, QueuePlan(order="random"), "mix")
    item = in_audit(accepted)[0]
    assert (
        open_item(accepted.ws, accepted.world.cast.experts[0], accepted.slug, item).prelabel is None
    )


# --- what was saved -----------------------------------------------------------------------------


def test_too_few_timed_items_tell_nothing(accepted: Planted):
    """Below thirty items labelled from scratch there is no figure, only how many there are."""
    found = measured_savings(accepted.ws, accepted.world.cast.lead, accepted.slug)
    assert found.saving is None
    assert found.sentence.startswith("Not enough data")
    assert found.claim == 0.7


def test_the_measured_saving_covers_the_planted_one(sqlite_ws):
    """What people spent on each settled item, against what an item from scratch takes; exactly."""
    seconds = (3.0, 4.0, 5.0)
    made = plant(sqlite_ws)
    lead = made.world.cast.lead
    first = made.of_use("train")[:60]
    answer(made, first, seconds=seconds)
    teach(made)
    set_training_rules(made.ws, lead, made.slug, TrainingRules(random_arm=0.2), "measure well")
    open_campaign(made.ws, lead, made.slug, 0.1, 0.1, reason="save time")
    with made.ws.store.read() as connection:
        order = in_arm(connection, made.world.project.id, Arm.CERTIFY)
        scratch = in_arm(connection, made.world.project.id, Arm.SCRATCH)
    answer(made, [*order[:120], *scratch], seconds=seconds)
    accept(made.ws, lead, made.slug, certify_now(made.ws, lead, made.slug, 1).id, "good")
    found = measured_savings(made.ws, lead, made.slug)
    took = {i: seconds[i % 3] for i in answered(made)}
    an_item = sum(took[i] for i in scratch) / len(scratch)
    truth = 1 - sum(took.values()) / (len(took) + len(standing(made))) / an_item
    assert found.n == len(scratch) >= 30
    assert found.saving == pytest.approx(truth)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= truth <= found.high
    assert "Claim: up to 70 %" in found.sentence
    # Labels counted in the copy are what whole answers read from the record say.
    known = [
        {"project_id": made.world.project.id, "item_id": i, "label": CLASSES[0], "batch_id": None, "at": 1.0,
         "answer": Answer({"label": CLASSES[0]}).to_json()}
        for i in took
    ]  # fmt: skip
    with made.ws.store.write() as connection:
        connection.execute(gold_answers.insert(), known)
    project, replica = open_figures(made.ws, lead, made.slug)
    arm = frozenset(scratch)
    with made.ws.store.read() as connection:
        read = savings._read(connection, project, arm)
    assert savings._counted(replica, project, arm) == read
    assert 0 < read[0][True] < read[1][True]


def test_rules_are_versioned_with_a_reason(sqlite_ws):
    """The rules in force are the newest; the same again is no new version."""
    made = plant(sqlite_ws, 20)
    lead = made.world.cast.lead
    assert get_training_rules(made.ws, lead, made.slug).version == 0
    rules = TrainingRules(two_people=True, wage_per_hour=20.0, currency="EUR")
    set_training_rules(made.ws, lead, made.slug, rules, "four eyes")
    again = set_training_rules(made.ws, lead, made.slug, rules, "once more")
    assert (again.version, again.reason) == (1, "four eyes")
    assert get_training_rules(made.ws, lead, made.slug).rules == rules
