"""From a promise to accepted labels: looks, what they spend, what they refuse, accepting and recall."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import func, select

from core.errors import ConflictError, InputError, NotFound, StoreCorrupt
from core.services.certificates.accept import accept
from core.services.certificates.campaign import (
    certify_now,
    get_campaign,
    list_certificates,
    open_campaign,
    run_count,
)
from core.services.certificates.evidence import in_arm
from core.services.certificates.recall import affected, revoke, taken_back
from core.services.consensus.draws import Arm
from core.services.consensus.resolve import resolve
from core.services.models.datasets import freeze_labels
from core.stats.certificate import spend
from core.store.tables import acceptances, certificates, final_labels, item_state, models
from tests.record import add_items
from tests.services.certificates.planted import Planted, answer, plant, teach

TARGET, DELTA = 0.1, 0.1


@pytest.fixture
def planted(sqlite_ws) -> Planted:
    """Give a project with a model taught on sixty labels, and a campaign."""
    made = plant(sqlite_ws)
    answer(made, made.of_use("train")[:60])
    teach(made)
    sqlite_ws.clock.advance(10)
    open_campaign(made.ws, made.world.cast.lead, made.slug, TARGET, DELTA, reason="save time")
    return made


def look(planted: Planted, model: int = 1, **more):
    return certify_now(planted.ws, planted.world.cast.lead, planted.slug, model, **more)


def check(planted: Planted, count: int, wrong: frozenset[int] = frozenset()) -> list[int]:
    """Let people answer the next certify items in drawn order."""
    with planted.ws.store.read() as connection:
        order = in_arm(connection, planted.world.project.id, Arm.CERTIFY)
        done = set(
            connection.execute(select(item_state.c.item_id).where(item_state.c.votes > 0)).scalars()
        )
    ids = [i for i in order if i not in done][:count]
    answer(planted, ids, wrong)
    return ids


def states(planted: Planted) -> dict[str, int]:
    with planted.ws.store.read() as connection:
        rows = connection.execute(
            select(item_state.c.state, func.count()).group_by(item_state.c.state)
        )
        return dict(rows.tuples().all())


def test_certified_labels_count_and_are_right(planted: Planted):
    """Accepted items carry the model's label as final, and fewer than allowed are wrong."""
    check(planted, 120)
    found = look(planted)
    assert found.certified, found.sentence
    assert found.sampled <= 120
    assert found.bound is not None
    assert found.bound <= TARGET
    done = accept(planted.ws, planted.world.cast.lead, planted.slug, found.id, "looks good")
    with planted.ws.store.read() as connection:
        rows = connection.execute(
            select(item_state.c.item_id, item_state.c.label, final_labels.c.evidence)
            .join(final_labels, final_labels.c.seq == item_state.c.final_seq)
            .where(item_state.c.state == "auto-accepted")
        ).all()
    assert len(rows) == done.accepted == found.accepted > 200
    assert sum(r.label != planted.truth[r.item_id] for r in rows) <= TARGET * len(rows)
    assert all('"prediction": null' not in r.evidence for r in rows)
    assert done.withheld >= 5
    assert list_certificates(planted.ws, planted.world.cast.lead, planted.slug)[0].standing == len(
        rows
    )


def test_nothing_held_out_is_accepted(planted: Planted):
    """Neither evaluate items, nor the arm from scratch, nor anything people answered is accepted."""
    checked = check(planted, 120)
    accept(planted.ws, planted.world.cast.lead, planted.slug, look(planted).id, "good")
    with planted.ws.store.read() as connection:
        taken = set(
            connection.execute(
                select(acceptances.c.item_id).where(acceptances.c.kind == "accepted")
            ).scalars()
        )
        scratch = set(in_arm(connection, planted.world.project.id, Arm.SCRATCH))
    assert scratch
    assert not taken & scratch
    assert not taken & set(planted.of_use("evaluate"))
    assert not taken & {*checked, *planted.of_use("train")[:60]}


def test_a_full_resolve_changes_no_accepted_label(planted: Planted):
    """Acceptances are inputs: deriving everything anew gives the same labels, and so does again."""
    check(planted, 120)
    accept(planted.ws, planted.world.cast.lead, planted.slug, look(planted).id, "good")
    before = states(planted)
    assert resolve(planted.ws, planted.world.cast.lead, planted.slug).changed == 0
    assert states(planted) == before


def test_each_look_spends_its_share_and_a_resend_spends_nothing(planted: Planted):
    """Two looks spend δ/2 and its next share; the same look again is the one there was."""
    check(planted, 20)
    first = look(planted)
    assert first.outcome == "refused"
    assert first.needs
    assert look(planted) == first
    check(planted, 100)
    second = look(planted)
    assert (first.look, second.look) == (1, 2)
    assert first.delta_spent == pytest.approx(spend(DELTA, 1)) == pytest.approx(DELTA / 2)
    assert second.delta_spent == pytest.approx(spend(DELTA, 2))
    view = get_campaign(planted.ws, planted.world.cast.lead, planted.slug)
    assert view is not None
    assert view.delta_spent == pytest.approx(first.delta_spent + second.delta_spent)
    assert view.delta_left == pytest.approx(second.delta_left)
    assert view.looks == 2


def test_accepting_again_changes_nothing(planted: Planted):
    """A resent acceptance gives the same figures and writes no row."""
    check(planted, 120)
    found = look(planted)
    once = accept(planted.ws, planted.world.cast.lead, planted.slug, found.id, "good")
    with planted.ws.store.read() as connection:
        rows = connection.execute(select(func.count()).select_from(acceptances)).scalar()
    again = accept(planted.ws, planted.world.cast.lead, planted.slug, found.id, "good")
    assert (once.accepted, once.withheld) == (again.accepted, again.withheld)
    with planted.ws.store.read() as connection:
        assert connection.execute(select(func.count()).select_from(acceptances)).scalar() == rows


def test_an_acceptance_broken_off_is_finished_by_the_next(planted: Planted, monkeypatch):
    """When the process dies after the events, the same call again settles what is left."""
    check(planted, 120)
    found, lead = look(planted), planted.world.cast.lead

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("core.services.certificates.accept.settle", dies)
        with pytest.raises(KeyboardInterrupt):
            accept(planted.ws, lead, planted.slug, found.id, "good")
    assert "auto-accepted" not in states(planted)
    done = accept(planted.ws, lead, planted.slug, found.id, "good")
    assert states(planted)["auto-accepted"] == done.accepted == found.accepted


def test_only_a_prefix_of_the_drawn_order_counts(planted: Planted):
    """Answers beyond the first certify item nobody took up are not a random draw and wait."""
    with planted.ws.store.read() as connection:
        order = in_arm(connection, planted.world.project.id, Arm.CERTIFY)
    answer(planted, [*order[:10], *order[11:120]])
    assert look(planted).sampled <= 10


def test_errors_among_the_checked_refuse(planted: Planted):
    """Where people contradict the model, nothing is certified and the sentence says what to do."""
    with planted.ws.store.read() as connection:
        order = in_arm(connection, planted.world.project.id, Arm.CERTIFY)
    check(planted, 120, frozenset(order[:120:4]))
    found = look(planted)
    assert found.outcome == "refused"
    assert found.accepted == 0
    assert "never sure enough" in found.sentence or "Cannot certify" in found.sentence
    with pytest.raises(ConflictError, match="refused"):
        accept(planted.ws, planted.world.cast.lead, planted.slug, found.id, "still")


def test_only_the_newest_look_may_be_accepted(planted: Planted):
    """An older certificate gives way to the look after it."""
    check(planted, 120)
    first = look(planted)
    check(planted, 10)
    second = look(planted)
    with pytest.raises(ConflictError, match="not the newest look"):
        accept(planted.ws, planted.world.cast.lead, planted.slug, first.id, "late")
    accept(planted.ws, planted.world.cast.lead, planted.slug, second.id, "good")


def test_a_newer_look_replaces_what_the_older_accepted(planted: Planted):
    """What the new region leaves out goes back to people; what it keeps stands on its word."""
    check(planted, 120)
    accept(planted.ws, planted.world.cast.lead, planted.slug, look(planted).id, "good")
    with planted.ws.store.read() as connection:
        left = connection.execute(
            select(item_state.c.item_id).where(item_state.c.state == "open")
        ).scalars()
        mine = [i for i in left if planted.use[i] == "train"][:30]
    planted.ws.clock.advance(10)
    answer(planted, mine)
    planted.ws.clock.advance(10)
    model = teach(planted, seed=1)
    planted.ws.clock.advance(10)
    again = look(planted, model)
    assert again.outcome == "refused"
    assert "since the model was trained" in again.sentence


def test_a_count_takes_the_surest_and_at_least_a_hundred(planted: Planted):
    """The count rule: at least a hundred where there are as many, all where there are fewer."""
    assert [run_count(n, r) for n, r in ((80, 10), (500, 10), (500, 300), (500, 900))] == [
        80, 100, 300, 500,
    ]  # fmt: skip
    assert run_count(500, None) == 500
    check(planted, 150)
    found = look(planted, count=150)
    assert found.accepted <= 150


def test_a_new_target_is_a_new_campaign_and_says_so(planted: Planted):
    """Raising the target after a look ends the old promise; the same promise again is no new one."""
    lead = planted.world.cast.lead
    check(planted, 120)
    found = look(planted)
    same = open_campaign(planted.ws, lead, planted.slug, TARGET, DELTA, reason="again")
    assert same.id == found.campaign_id
    other = open_campaign(planted.ws, lead, planted.slug, 0.2, DELTA, reason="be laxer")
    assert "raised from 10 % to 20 % after a look" in other.notice
    assert (other.looks, other.delta_spent) == (0, 0)
    with pytest.raises(ConflictError, match="promise that has ended"):
        accept(planted.ws, lead, planted.slug, found.id, "old one")


def test_images_after_the_draw_are_not_covered(planted: Planted):
    """What is imported once the campaign is open is no part of its population, and the look says so."""
    planted.ws.clock.advance(10)
    late = add_items(planted.ws, planted.world.project, 3, first=10_000)
    check(planted, 120)
    found = look(planted)
    assert "3 images came after the draw; they are not covered." in found.sentence
    accept(planted.ws, planted.world.cast.lead, planted.slug, found.id, "good")
    with planted.ws.store.read() as connection:
        rows = connection.execute(
            select(item_state.c.state).where(item_state.c.item_id.in_(late))
        ).scalars()
        assert set(rows) == {"open"}


def test_recall_lists_every_item_and_version(planted: Planted):
    """Taking a class back frees its items and names the versions that keep its labels."""
    lead = planted.world.cast.lead
    check(planted, 120)
    found = look(planted)
    accept(planted.ws, lead, planted.slug, found.id, "good")
    version = freeze_labels(planted.ws, lead, planted.slug, "with the model's labels")
    seen = affected(planted.ws, lead, planted.slug, found.id, "class:cat")
    assert seen.revoked == 0
    back = revoke(planted.ws, lead, planted.slug, found.id, "class:cat", "too many are dogs")
    assert back.item_ids == seen.item_ids
    assert back.revoked == len(back.item_ids) > 20
    assert [(v.name, v.items) for v in back.versions] == [(version.name, back.revoked)]
    with planted.ws.store.read() as connection:
        rows = connection.execute(
            select(item_state.c.state, item_state.c.wanted).where(
                item_state.c.item_id.in_(back.item_ids)
            )
        ).all()
    assert {(r.state, r.wanted) for r in rows} == {("open", 1)}
    assert revoke(planted.ws, lead, planted.slug, found.id, "class:cat", "again").revoked == 0
    rest = revoke(planted.ws, lead, planted.slug, found.id, "all", "all of it")
    assert rest.revoked == found.accepted - back.revoked
    assert "auto-accepted" not in states(planted)
    told = taken_back(planted.ws, lead, planted.slug)
    assert [(t.reason, len(t.items)) for t in told] == [
        ("all of it", rest.revoked),
        ("too many are dogs", back.revoked),
    ]
    assert [v.name for v in told[0].versions] == [version.name]
    with pytest.raises(ConflictError, match="taken back"):
        look(planted)


def test_classes_are_certified_one_by_one(sqlite_ws):
    """A campaign about classes gives each its own certificate, which stand beside one another."""
    made = plant(sqlite_ws, 900)
    answer(made, made.of_use("train")[:60])
    teach(made)
    lead = made.world.cast.lead
    open_campaign(made.ws, lead, made.slug, 0.2, 0.2, "classes", reason="class by class")
    check(made, 250)
    look(made)
    found = {c.scope: c for c in list_certificates(made.ws, lead, made.slug)}
    assert set(found) == {"class:cat", "class:dog", "class:owl"}
    assert sum(c.delta_spent for c in found.values()) == pytest.approx(0.1)
    good = [c for c in found.values() if c.certified]
    assert len(good) >= 2
    for one in good:
        accept(made.ws, lead, made.slug, one.id, "good")
    assert states(made)["auto-accepted"] == sum(c.accepted for c in good)


def test_a_changed_file_of_the_look_is_refused(planted: Planted):
    """What a look left on disk is checked before anything is accepted on its word."""
    check(planted, 120)
    found = look(planted)
    with planted.ws.store.read() as connection:
        folder = connection.execute(select(certificates.c.folder)).scalar_one()
    path = planted.ws.root / folder / "items.parquet"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(StoreCorrupt, match="changed after it was written"):
        accept(planted.ws, planted.world.cast.lead, planted.slug, found.id, "good")
    assert "auto-accepted" not in states(planted)


@pytest.mark.parametrize(
    ("target", "delta", "scope", "reason"),
    [
        (0.0, 0.1, "all", "x"),
        (0.05, 1.0, "all", "x"),
        (0.05, 0.1, "rose", "x"),
        (0.05, 0.1, "slices:nowhere", "x"),
        (0.1, 0.2, "all", " "),
    ],
)
def test_a_promise_that_makes_no_sense_is_refused(planted: Planted, target, delta, scope, reason):
    """Target and delta lie between 0 and 1, the scope is known and there is a reason."""
    with pytest.raises(InputError):
        open_campaign(
            planted.ws, planted.world.cast.lead, planted.slug, target, delta, scope, reason=reason
        )


def test_a_look_needs_a_model_and_a_promise(sqlite_ws):
    """Without a campaign, or with a model of another project, nothing is spent."""
    made = plant(sqlite_ws, 60)
    with pytest.raises(NotFound, match="no campaign"):
        certify_now(made.ws, made.world.cast.lead, made.slug, 1)
    open_campaign(made.ws, made.world.cast.lead, made.slug, 0.1, 0.1, reason="try")
    with pytest.raises(NotFound, match="no model 9"):
        certify_now(made.ws, made.world.cast.lead, made.slug, 9)


def test_a_student_taught_by_its_own_answers_is_refused(planted: Planted):
    """Checked items do not stand for images it answered itself; the look is not spent."""
    check(planted, 30)
    report = {"rounds": [{"round": 1, "taken": 40, "kept": True}]}
    with planted.ws.store.write() as connection:
        row = connection.execute(select(models)).mappings().one()
        taught = {k: v for k, v in row.items() if k != "id"}
        taught |= {"mode": "student", "report": json.dumps(report)}
        student = connection.execute(models.insert().returning(models.c.id), taught).scalar_one()
    with pytest.raises(ConflictError, match="its own answers"):
        look(planted, student)
    with planted.ws.store.read() as connection:
        assert connection.execute(select(func.count()).select_from(certificates)).scalar() == 0
