"""The quality page's figures where there is little or nothing, and the gate before each of them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from core.analytics.asked import Against
from core.cli.stats_text import quality_lines
from core.errors import Forbidden, InputError, NotFound
from core.services.analytics import figures
from core.services.analytics.calibration import calibration, overconfidence
from core.services.analytics.gold import gold_results
from core.services.analytics.guideline_effect import guideline_effect
from core.services.analytics.noise import Method, label_noise
from core.services.analytics.over_time import agreement_weeks
from core.services.analytics.people_quality import everybodys_quality
from core.services.analytics.precision import scores
from core.services.analytics.rates import rates
from core.services.analytics.replicas import forget_replicas
from core.services.analytics.shapes import shapes
from core.services.analytics.three_ways import three_ways
from core.store.tables import gold_answers, probe_votes
from tests.record import World, make_world, rule, say, vote
from tests.worked import know, predict, vote_all

CAT, DOG, OWL = "cat", "dog", "owl"
ASKED = {f.__name__: f for f in (agreement_weeks, calibration, figures.has_items, gold_results,
         guideline_effect, label_noise, rates, scores, shapes, three_ways)}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_replica_left() -> Iterator[None]:
    yield
    forget_replicas()


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED.keys())
def test_every_figure_asks_the_gate_first(world: World, ask):
    """An expert is refused, somebody of another project does not even learn that it exists."""
    elsewhere = make_world(world.ws, n_items=1, slug="cars")
    with pytest.raises(Forbidden):
        ask(world.ws, world.cast.experts[0], world.slug)
    with pytest.raises(NotFound):
        ask(world.ws, elsewhere.cast.manager, world.slug)
    assert ask(world.ws, world.cast.manager, world.slug) is not None


def test_an_empty_project_has_no_figure_and_no_nan(sqlite_ws):
    """Every value is null in strict JSON, every list of the schema's classes is there, text says so."""
    world = make_world(sqlite_ws, n_items=0)
    doc = figures.stats(world.ws, world.cast.manager, world.slug)
    text = json.dumps(doc, allow_nan=False)
    assert not figures.has_items(world.ws, world.cast.manager, world.slug)
    assert {"references", "calibration", "agreement_weeks", "three_ways", "rates", "gold",
            "guideline_effect", "label_noise", "shapes"} <= set(json.loads(text))  # fmt: skip
    assert doc["label_noise"]["method"] is None
    assert [c["class"] for c in doc["references"]["gold"]["per_class"]] == [CAT, DOG, OWL]
    lines = quality_lines(doc)
    assert "Planted gold answered rightly, every question: not enough data (n = 0)" in lines
    assert any(line.startswith("Guideline: one version only") for line in lines)


def test_one_annotator_without_gold_has_work_but_nothing_to_compare(world: World):
    """Votes of one person: rework has an n; agreement, noise, gold and three ways are undefined."""
    vote_all(world, 0, [CAT, DOG, CAT, DOG, CAT])
    me = world.cast.manager
    assert rates(world.ws, me, world.slug).rework.overall.n == 5
    assert agreement_weeks(world.ws, me, world.slug) == ()
    assert label_noise(world.ws, me, world.slug).best is None
    found = gold_results(world.ws, me, world.slug)
    assert (found.items, found.overall.n, found.overall.estimate.value) == (0, 0, None)
    assert three_ways(world.ws, me, world.slug).model.value is None
    assert all(
        c.f1.value is None for c in scores(world.ws, me, world.slug, "people").scores.classes
    )


def test_a_class_never_seen_stands_there_without_a_value(world: World):
    """Recall, precision and F1 of owl have n = 0 and no value; cat's are what they are."""
    know(world.ws, world.project, dict(zip(world.items, [CAT] * 4 + [DOG] * 2, strict=True)))
    predict(world.ws, world.project, dict(zip(world.items, [CAT] * 5 + [DOG], strict=True)))
    found = scores(world.ws, world.cast.manager, world.slug, "model", Against.GOLD).scores
    by_name = {c.name: c for c in found.classes}
    assert list(by_name) == [CAT, DOG, OWL]
    owl = by_name[OWL]
    assert (owl.recall.n, owl.precision.n, owl.f1.n) == (0, 0, 0)
    assert owl.f1.value is owl.recall.estimate.value is None
    assert by_name[CAT].precision.estimate.value == 0.8
    assert by_name[CAT].f1.value == pytest.approx(2 * 4 / (4 + 5))
    doc = figures.stats(world.ws, world.cast.manager, world.slug)
    assert doc["references"]["gold"]["per_class"][2]["precision"]["value"] is None


def test_a_vote_changed_or_overturned_is_rework(world: World):
    """One is changed by its person, one overturned by a lead, one stands."""
    first = world.cast.experts[0]
    for item in world.items[:3]:
        vote(world, first, item, CAT)
    vote(world, first, world.items[0], DOG, base=1)
    vote(world, world.cast.experts[1], world.items[1], OWL)
    rule(world, world.cast.lead, world.items[1], label=OWL)
    found = rates(world.ws, world.cast.manager, world.slug)
    assert (found.revised.overall.correct, found.overturned.overall.correct) == (1, 1)
    assert (found.rework.overall.n, found.rework.overall.correct) == (4, 2)


def test_gold_answers_are_judged_by_the_gold_in_force(world: World):
    """Five answers as recorded; where gold changed since, the answer is judged anew."""
    know(world.ws, world.project, dict.fromkeys(world.items, CAT))
    person = world.cast.experts[0].person_id
    with world.ws.store.write() as connection:
        golds = {r.item_id: r.seq for r in connection.execute(gold_answers.select())}
        rows = [
            {
                "uuid": f"g{n}", "project_id": world.project.id, "item_id": i, "person_id": person,
                "revision": 1, "kind": "gold", "purpose": "mix", "word": "vote",
                "label": label, "answer": say(label).to_json(), "reason": "", "right": label == CAT,
                "gold_seq": golds[i], "schema_version": 1, "guideline_version": 1,
                "prelabel_shown": False, "at": world.ws.clock(),
            }
            for n, (i, label) in enumerate(zip(world.items, [CAT, CAT, CAT, DOG, DOG], strict=False))
        ]  # fmt: skip
        connection.execute(probe_votes.insert(), rows)
    me = world.cast.manager
    assert gold_results(world.ws, me, world.slug).overall.correct == 3
    know(world.ws, world.project, {world.items[3]: DOG})
    found = gold_results(world.ws, me, world.slug)
    assert (found.overall.n, found.overall.correct) == (5, 4)
    assert {f.name: (f.n, f.correct) for f in found.classes} == {CAT: (4, 3), DOG: (1, 1)}
    assert found.people[0].n == 5
    team = {q.person_id: q.overall for q in everybodys_quality(world.ws, me, world.slug)}
    assert found.people[0].estimate == team[person], "Quality and Team tell the same of a person"


def test_labels_in_force_are_no_reference_for_their_own_consensus(world: World):
    """The majority made them: it says so instead of comparing."""
    with pytest.raises(InputError, match="cannot be held against"):
        three_ways(world.ws, world.cast.manager, world.slug, "final")


def test_noise_by_gold_comes_first_once_thirty_labels_are_checked(sqlite_ws):
    """Thirty-two agreed labels on gold, four wrong: an eighth; votes give their own figure beside it."""
    world = make_world(sqlite_ws, n_items=32)
    for who in (0, 1):
        vote_all(world, who, [CAT] * 32)
    know(world.ws, world.project,
         dict(zip(world.items, [CAT] * 28 + [DOG] * 4, strict=True)))  # fmt: skip
    found = label_noise(world.ws, world.cast.manager, world.slug)
    assert (found.best, found.gold.value, found.gold.n) == (Method.GOLD, 0.125, 32)
    assert found.votes.value == pytest.approx(0, abs=1e-6)
    assert found.votes.high > 0


def test_a_model_too_sure_of_itself_is_told_so(sqlite_ws):
    """Sure to 70 %, right on half of 40: 20 points too sure, and the error's interval is above chance."""
    world = make_world(sqlite_ws, n_items=40)
    know(world.ws, world.project, dict.fromkeys(world.items, CAT))
    predict(world.ws, world.project, {i: (CAT, DOG)[n % 2] for n, i in enumerate(world.items)})
    view = calibration(world.ws, world.cast.manager, world.slug, "gold")
    assert view.reliability.ece.n == 40
    assert view.reliability.ece.value == pytest.approx(0.2)
    assert overconfidence(view) == pytest.approx(0.2)
