"""Autopsies from the record: causes, clusters, clauses, what may be shown, and what is remembered."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import insert, select

from core.clock import FakeClock, new_uuid
from core.consensus.policy import OnDisagreement, Policy
from core.errors import Forbidden
from core.labels import Answer
from core.labels.editing import Rename
from core.labels.schema import LabelSchema, Task, make_question
from core.services.accounts.people import operator
from core.services.consensus.fits import Asked, Fit, QuestionFit, fit_path, save_fit
from core.services.items.why import explain
from core.services.projects.project import NewProject, create_project
from core.services.review.autopsy import Autopsies, autopsies, autopsy_of
from core.services.review.autopsy_record import _skills, answer_for
from core.services.review.bulk import bulk_rule
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.steering.schemas import edit_schema
from core.services.workspace import Workspace
from core.store.tables import gold_answers, person_revisions
from tests.record import World, act, add_items, boxes, make_cast, rule, state_of, vote
from tests.services.items.test_about import WIDTH, train

Make = Callable[..., World]
TO_LEAD = Policy(on_disagreement=OnDisagreement.LEAD)
CATS, DISPUTES = 10, 8


@pytest.fixture
def camps(make: Make) -> World:
    """Give a project where one person calls them cats and another dogs, again and again."""
    world = make(n_items=CATS + DISPUTES, policy=TO_LEAD)
    for item_id in world.items[:CATS]:
        vote(world, world.cast.experts[0], item_id, "owl")
        vote(world, world.cast.experts[1], item_id, "owl")
    for item_id in world.items[CATS:]:
        vote(world, world.cast.experts[0], item_id, "cat")
        vote(world, world.cast.experts[1], item_id, "dog")
    return world


def told(world: World) -> Autopsies:
    """Return the autopsies as the lead sees them."""
    return autopsies(world.ws, world.cast.lead, world.slug)


def test_people_who_keep_to_a_side_are_a_gap_in_the_guideline(camps: World):
    """All are one cluster with a clause for all of them, and the evidence has its n."""
    found = told(camps)
    (cluster,) = found.clusters
    assert (cluster.kind, cluster.pair, cluster.n) == ("guideline-gap", ("cat", "dog"), DISPUTES)
    one = found.disputes[camps.items[CATS]]
    assert one.settles == DISPUTES
    assert "cat or dog?" in one.clause
    assert sum(s for _, s in one.scores) == pytest.approx(1, abs=1e-3)
    assert any("keeps to one side" in e.text and e.n == DISPUTES for e in one.evidence)
    assert "8 images" in cluster.clause


def test_nobody_is_named(camps: World):
    """Neither in words, evidence nor clause."""
    with camps.ws.store.read() as connection:
        names = connection.execute(select(person_revisions.c.display_name)).scalars().all()
    said = repr(told(camps))
    assert not any(n in said for n in names if n)


def test_a_cluster_is_settled_at_once_with_what_it_gives(camps: World):
    """Items, newest seqs and answer of a cluster are what a ruling on many takes."""
    (cluster,) = told(camps).clusters
    lead, answer = camps.cast.lead, cluster.answer
    assert answer == Answer({"label": cluster.favoured})
    made = bulk_rule(
        camps.ws, lead, camps.slug, cluster.items, "decide", answer, "as the clause says", new_uuid()
    )  # fmt: skip
    assert len(made.saved) == DISPUTES
    assert state_of(camps, camps.items[CATS])[:2] == ("adjudicated", cluster.favoured)
    assert told(camps).disputes == {}


def test_decided_items_say_which_way_and_are_the_exemplars(camps: World):
    """Leads decided dog: the clause favours dog, and shows the decided items."""
    first, second = camps.items[CATS : CATS + 2]
    rule(camps, camps.cast.lead, first, "decide", "dog")
    rule(camps, camps.cast.lead, second, "decide", "dog")
    (cluster,) = told(camps).clusters
    assert (cluster.favoured, cluster.n, cluster.again) == ("dog", DISPUTES - 2, 2)
    assert cluster.good is not None
    assert (cluster.good.item_id, cluster.good.decided, cluster.good.name) == (
        first, True, f"{CATS:05d}.png",
    )  # fmt: skip


def test_gold_is_never_an_example(camps: World):
    """A gold item may be in dispute; it is never an exemplar, another that was settled is."""
    first, second = camps.items[CATS : CATS + 2]
    for item_id in (first, second):
        rule(camps, camps.cast.lead, item_id, "decide", "dog")
    gold = {
        "project_id": camps.project.id, "item_id": first, "label": "dog",
        "answer": json.dumps({"choices": {"label": "dog"}, "regions": []}), "at": 1.0,
    }  # fmt: skip
    with camps.ws.store.write() as connection:
        connection.execute(insert(gold_answers), gold)
    (cluster,) = told(camps).clusters
    assert cluster.good is not None
    assert cluster.good.item_id == second


def test_the_pair_is_whole_and_settled_or_it_is_not_there(camps: World):
    """Items still in dispute show no side; once people agree on a dog and a cat, these do."""
    (cluster,) = told(camps).clusters
    assert (cluster.good, cluster.bad) == (None, None)
    rule(camps, camps.cast.lead, camps.items[CATS], "decide", "dog")
    for who in camps.cast.experts[:2]:
        vote(camps, who, camps.items[0], "cat", base=1)
    (cluster,) = told(camps).clusters
    good, bad = cluster.good, cluster.bad
    assert good is not None
    assert bad is not None
    assert (good.item_id, good.label, good.decided) == (camps.items[CATS], "dog", True)
    assert (bad.item_id, bad.label, bad.decided) == (camps.items[0], "cat", False)
    assert bad.name == "00000.png"
    assert f"dog: {good.name}; cat: {bad.name}" in cluster.clause


def test_it_is_remembered_until_something_is_said(camps: World):
    """The same object as long as nothing happens, another after a flag."""
    before = told(camps)
    assert told(camps) is before
    act(camps, camps.cast.experts[2], camps.items[0], "flag")
    after = told(camps)
    assert after is not before
    assert camps.items[0] in after.disputes


def test_one_disputes_cause_waits_for_no_other(camps: World, clock: FakeClock):
    """A vote elsewhere leaves it as it is for a minute; one on the item itself does not."""
    item, other = camps.items[CATS : CATS + 2]
    lead = camps.cast.lead

    def cause() -> object:
        return autopsy_of(camps.ws, lead, camps.slug, item)

    before = cause()
    vote(camps, camps.cast.experts[0], other, "owl", base=1)
    assert cause() is before
    clock.advance(61)
    assert cause() is not before
    before = cause()
    act(camps, camps.cast.experts[2], item, "flag")
    assert cause() is not before
    rule(camps, lead, item)
    assert cause() is None


def test_a_flag_that_calls_the_guideline_unclear_counts(make: Make):
    """Without any other evidence it is a gap, with its flag as the reason."""
    world = make(n_items=1, policy=TO_LEAD)
    act(
        world,
        world.cast.experts[0],
        world.items[0],
        "flag",
        reason="guideline-unclear: cat or lynx?",
    )
    one = told(world).disputes[world.items[0]]
    assert one.kind == "guideline-gap"
    assert "unclear" in one.evidence[0].text
    assert (one.pair, one.clause, one.settles) == ((), "", 0)


def test_nothing_in_dispute_is_nothing(make: Make):
    """No votes, no disputes, no clusters."""
    world = make(n_items=2)
    assert told(world) == Autopsies({}, ())
    assert autopsy_of(world.ws, world.cast.lead, world.slug, world.items[0]) is None


def test_boxes_differ_in_being_there(make: Make):
    """One draws a second box every time, the other never: presence, told without coordinates."""
    world = make(n_items=6, policy=TO_LEAD, task=Task.BOXES)
    few, both = boxes((1, 1, 20, 20)), boxes((1, 1, 20, 20), (30, 30, 50, 50))
    for item_id in world.items:
        for who, answer in zip(world.cast.experts, (few, both), strict=False):
            sent = Submission(new_uuid(), item_id, "vote", answer)
            submit(world.ws, who, world.slug, sent)
    (cluster,) = told(world).clusters
    assert (cluster.question, cluster.difference, cluster.n) == ("regions", "presence", 6)
    assert cluster.pair == ("cat drawn", "cat left out")
    assert cluster.answer is None
    assert "cat: draw it or not?" in cluster.clause


def test_a_renamed_class_is_read_in_todays_name(camps: World):
    """Votes given under the old name count for the new one."""

    edit_schema(
        camps.ws, camps.cast.lead, camps.slug, [Rename("label", 1, "lynx")], "it is a lynx", 1
    )
    (cluster,) = told(camps).clusters
    assert cluster.pair == ("cat", "lynx")


def test_an_expert_sees_none(camps: World):
    """Only who adjudicates."""
    with pytest.raises(Forbidden):
        autopsies(camps.ws, camps.cast.experts[0], camps.slug)


def test_where_nobody_differs_nothing_is_a_slip(make: Make):
    """Votes that agree and a flag calling the guideline unclear are a gap, however sure the votes are."""
    world = make(n_items=6)
    for item_id in world.items:
        for who in world.cast.experts[:2]:
            vote(world, who, item_id, "cat")
    act(world, world.cast.experts[2], world.items[0], "flag", reason="guideline-unclear: paws?")
    (found,) = told(world).disputes.values()
    assert (found.kind, found.pair) == ("guideline-gap", ())
    scores = dict(found.scores)
    assert max(scores[k] for k in ("slip", "taxonomy-overlap", "ambiguous-image")) < 0.02


def test_sets_of_classes_are_settled_at_once(sqlite_ws: Workspace):
    """People who differ in which classes to give: the favoured set is what a ruling on many takes."""
    world = tagged(sqlite_ws, ("cat", "dog", "owl"))
    for item_id in world.items:
        tag(world, 0, item_id, ("cat", "owl"))
        tag(world, 1, item_id, ())
    (cluster,) = told(world).clusters
    assert set(cluster.pair) == {"cat + owl", "none of them"}
    known = {
        "cat + owl": Answer(multi={"tags": ("cat", "owl")}),
        "none of them": Answer(multi={"tags": ()}),
    }
    assert cluster.answer == known[cluster.favoured]
    made = bulk_rule(
        world.ws, world.cast.lead, world.slug, cluster.items, "decide", known["cat + owl"],
        "ears", new_uuid(),
    )  # fmt: skip
    assert made.saved == tuple(world.items)
    why = explain(world.ws, world.cast.lead, world.slug, world.items[0])
    assert why.answer == known["cat + owl"]


def test_names_that_could_mean_two_sets_are_not_read_back():
    """A class named like a set, or like none: no answer is guessed; unknown and retired ones neither."""
    plain = make_question("tags", "Tags", ["cat", "owl"], several=True)
    assert answer_for(plain, "owl + cat") == Answer(multi={"tags": ("cat", "owl")})
    assert answer_for(plain, "cat + dog") is None
    assert answer_for(plain, "no answer") is None
    for odd in ("cat + owl", "none of them"):
        asked = make_question("tags", "Tags", ["cat", "owl", odd], several=True)
        assert answer_for(asked, odd) is None
    assert answer_for(make_question("kind", "Kind", ["cat + owl"]), "cat + owl") is not None


def tagged(ws: Workspace, names: tuple[str, ...]) -> World:
    """Give a project whose question takes several classes, with four items."""
    schema = LabelSchema(
        Task.CLASSIFICATION, (make_question("tags", "Tags", list(names), several=True),)
    )
    new = NewProject("tags", Task.CLASSIFICATION, schema=schema, policy=TO_LEAD)
    project = create_project(ws, operator(ws), new)
    return World(ws, project, add_items(ws, project, 4), make_cast(ws, "tags"))


def tag(world: World, nth: int, item_id: int, names: tuple[str, ...]) -> None:
    """Let an expert give an item its classes."""
    answer = Answer(multi={"tags": names})
    said = Submission(new_uuid(), item_id, "vote", answer, active_seconds=5)
    submit(world.ws, world.cast.experts[nth], world.slug, said)


def test_equal_votes_on_very_different_images_are_not_settled_as_one(camps: World):
    """Embeddings part a cluster; the clause is still for all, and the group says how alike it is."""
    whole = told(camps)
    rng = np.random.default_rng(0)
    vectors = {}
    for n, item in enumerate(camps.items):
        vector = rng.normal(0, 0.05, WIDTH)
        vector[0 if n < CATS + 5 else 1] += 1
        vectors[item] = (vector / np.linalg.norm(vector)).astype(np.float32)
    train(camps, vectors)
    found = told(camps)
    first, second = camps.items[CATS : CATS + 5], camps.items[CATS + 5 :]
    assert [[i for i, _ in c.items] for c in found.clusters] == [first, second]
    assert {c.kin for c in found.clusters} == {DISPUTES}
    assert all(c.clause for c in found.clusters)
    assert {d.settles for d in found.disputes.values()} == {DISPUTES}
    assert [c.again for c in found.clusters] == [whole.clusters[0].again] * 2
    for cluster in found.clusters:
        assert 0.8 < cluster.likeness <= 1
        assert sorted(cluster.far) == list(range(cluster.n))
        assert all(found.disputes[i].cluster == cluster.key for i, _ in cluster.items)


def test_without_embeddings_a_cluster_stays_whole(camps: World):
    """Nothing is known of how alike the images are, and nothing is said of it."""
    (cluster,) = told(camps).clusters
    assert (cluster.likeness, cluster.far, cluster.kin) == (None, (), DISPUTES)


def test_a_fits_tables_stand_under_the_names_of_today():
    """Answers the fit knows are put in place, others are any mistake; a stranger errs as all do."""
    table = np.array([[[0.9, 0.1], [0.2, 0.8]], [[0.7, 0.3], [0.4, 0.6]]], dtype=np.float32)
    part = QuestionFit(np.array([3.0, 1.0]), np.array([0.9, 0.7]), np.array([0.6, 0.4]), table)
    fit = Fit("dawid-skene", 9, np.array([4, 7]), {"label": Asked(("dog", "cat"), False, (part,))})
    found = _skills(fit, "label", ("cat", "no answer", "dog"), [7, 5, 4])
    assert found.confusion[2, 0] == pytest.approx([0.8, 0.001, 0.2])
    assert found.confusion[0, 2] == pytest.approx([0.3, 0.001, 0.7])
    assert found.confusion[1, 2] == pytest.approx([0.15, 0.001, 0.85])
    assert found.prior == pytest.approx([0.4, 0.001, 0.6])
    assert _skills(fit, "other", ("cat",), [7]) is None
    assert _skills(fit, "label", [f"class {n}" for n in range(5000)], [7]) is None


def test_causes_are_told_by_the_fit_once_there_is_one(camps: World):
    """A full resolve that fits makes them anew, and they are still told."""
    before = told(camps)
    fit = Fit("dawid-skene", 1, np.zeros(0, np.int64), {})
    save_fit(fit_path(camps.ws, camps.project), fit)
    again = told(camps)
    assert again is not before
    assert again.disputes.keys() == before.disputes.keys()
