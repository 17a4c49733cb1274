"""Acceptances as inputs of consensus, on both kinds of record; the theatre beside the certificate."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from core.errors import InputError
from core.services.certificates.accept import accept
from core.services.certificates.audits import audit_standing, draw_audit
from core.services.certificates.campaign import certify_now, open_campaign
from core.services.certificates.evidence import in_arm
from core.services.certificates.recall import revoke
from core.services.certificates.theatre import riskiest_items, theatre_data
from core.services.consensus.draws import Arm
from core.services.grid.waiting import waiting_by_class
from core.services.items.why import explain
from core.services.projects.project import get_project
from core.services.review.leases import open_item
from core.store.tables import campaigns, item_state
from tests.record import act, state_of, vote
from tests.services.certificates.planted import Planted, answer, plant, teach


def begun(planted: Planted, checked: int = 120) -> Planted:
    """Teach a model, make a promise and let people answer the first certify items."""
    answer(planted, planted.of_use("train")[:60])
    teach(planted)
    open_campaign(planted.ws, planted.world.cast.lead, planted.slug, 0.1, 0.1, reason="try")
    with planted.ws.store.read() as connection:
        order = in_arm(connection, planted.world.project.id, Arm.CERTIFY)
    answer(planted, order[:checked])
    return planted


def accepted_items(planted: Planted) -> list[int]:
    with planted.ws.store.read() as connection:
        return list(
            connection.execute(
                select(item_state.c.item_id).where(item_state.c.state == "auto-accepted")
            ).scalars()
        )


def test_the_whole_way_on_each_kind_of_record(ws):
    """Accept, draw more for the audit, take all back: the same on SQLite and on PostgreSQL."""
    made = begun(plant(ws, 400), 90)
    lead = made.world.cast.lead
    found = certify_now(ws, lead, made.slug, 1)
    done = accept(ws, lead, made.slug, found.id, "good")
    assert len(accepted_items(made)) == done.accepted > 100
    assert draw_audit(ws, lead, made.slug, found.id, 3) == 3
    rows = audit_standing(ws, lead, made.slug)
    assert (rows[0].scope, rows[0].standing, rows[0].drawn) == (
        "all", done.accepted - 3, done.withheld + 3,
    )  # fmt: skip
    assert revoke(ws, lead, made.slug, found.id, "all", "try").revoked == done.accepted - 3
    assert accepted_items(made) == []


@pytest.fixture
def accepted(sqlite_ws) -> Planted:
    """Give a project in which the model's labels were accepted."""
    made = begun(plant(sqlite_ws))
    lead = made.world.cast.lead
    accept(made.ws, lead, made.slug, certify_now(made.ws, lead, made.slug, 1).id, "good")
    return made


def test_a_flag_sends_an_accepted_item_to_a_lead(accepted: Planted):
    """Somebody who sees an accepted label that looks wrong can still say so."""
    item, expert = accepted_items(accepted)[0], accepted.world.cast.experts[0]
    open_item(accepted.ws, expert, accepted.slug, item)
    act(accepted.world, expert, item, "flag")
    assert state_of(accepted.world, item)[0] == "dispute"


def test_votes_beat_an_acceptance(accepted: Planted):
    """An item taken back and voted on has the people's label; accepting is only an input."""
    lead, item = accepted.world.cast.lead, accepted_items(accepted)[0]
    revoke(accepted.ws, lead, accepted.slug, 1, "all", "try")
    vote(accepted.world, accepted.world.cast.experts[0], item, "owl")
    assert state_of(accepted.world, item)[:2] == ("agreed", "owl")


def test_an_accepted_label_says_why(accepted: Planted):
    """What explains an item names the model that decided it alone."""
    why = explain(accepted.ws, accepted.world.cast.lead, accepted.slug, accepted_items(accepted)[0])
    assert "alone" in str(why)


def test_counts_by_class_do_not_tell_of_drawn_items(accepted: Planted):
    """What a person answers blind is in no count by predicted class."""
    expert = accepted.world.cast.experts[0]
    project = get_project(accepted.ws, expert, accepted.slug)
    with accepted.ws.store.read() as connection:
        counted = sum(waiting_by_class(connection, project, expert).values())
        open_ = connection.execute(
            select(func.count()).where(
                item_state.c.state == "open", item_state.c.predicted.is_not(None)
            )
        ).scalar_one()
        drawn = {
            i
            for arm in (Arm.AUDIT, Arm.SCRATCH, Arm.EVALUATE)
            for i in in_arm(connection, project.id, arm)
            if state_of(accepted.world, i)[0] == "open"
        }
    assert len(drawn) > 20
    assert counted == open_ - len(drawn)


# --- the theatre --------------------------------------------------------------------------------


def test_the_theatre_agrees_with_the_certificate_and_spends_nothing(sqlite_ws):
    """Its scene automates what a look would about accept; hours follow from measured seconds."""
    made = begun(plant(sqlite_ws))
    lead = made.world.cast.lead
    data = theatre_data(made.ws, lead, made.slug, 1)
    assert data.checked >= 120
    assert data.seconds_measured
    assert data.costs.seconds_per_item == 4.0
    scene = data.scene(0.1, 0.05)
    found = certify_now(made.ws, lead, made.slug, 1)
    assert scene.certified == found.certified is True
    assert scene.automated == pytest.approx(found.accepted, rel=0.2)
    assert scene.hours == pytest.approx(scene.automated * 4 / 3600)
    assert {c for c, _, _ in scene.classes} == {"cat", "dog", "owl"}
    risky = riskiest_items(made.ws, lead, made.slug, data, scene.threshold or 0.0)
    assert len(risky) == 20
    assert [r.score for r in risky] == sorted(r.score for r in risky)
    assert all(r.score >= (scene.threshold or 0.0) for r in risky)
    with made.ws.store.read() as connection:
        assert connection.execute(select(func.count()).select_from(campaigns)).scalar() == 1


def test_a_theatre_without_checked_items_says_so(sqlite_ws):
    """Before anybody checked anything nothing is told and nothing breaks."""
    made = plant(sqlite_ws, 200)
    answer(made, made.of_use("train")[:60])
    data = theatre_data(made.ws, made.world.cast.lead, made.slug, teach(made))
    assert data.checked == 0
    assert "Nobody has checked" in data.sentence
    scene = data.scene(0.1, 0.1)
    assert not scene.certified
    with pytest.raises(InputError):
        data.scene(0.0, 0.1)
