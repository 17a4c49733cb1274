"""The project-wide fit: what it learns, what one vote's provisional label makes of it, what it may not see."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import select

from core.clock import new_uuid
from core.consensus.policy import (
    ALGORITHMS,
    OnDisagreement,
    Policy,
    RegionGeometry,
    RegionsBy,
    Stop,
)
from core.labels import Answer
from core.labels.schema import Task
from core.services.consensus.dry_run import dry_run
from core.services.consensus.fits import Fit, fit_path, load_fit, save_fit
from core.services.consensus.inference import fit_of, fit_project
from core.services.consensus.resolve import gather, outcome_of, resolve, resolve_items
from core.services.models.prelabels import Prediction, store_predictions
from core.services.projects.project import NewProject, create_project, get_project
from core.services.review.adjudication import disputes
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.steering.rules import set_policy
from core.store.tables import annotation_log, final_labels, gold_answers, item_state
from tests.record import CLASSES, World, add_items, boxes, make_cast, make_world, say, vote

GOOD, BAD = 0.95, 0.45
FITS = Policy(overlap=3, max_votes=6, algorithm="dawid-skene")


def crowd(ws, items: int = 60, seed: int = 1, order: int = 0, people: tuple[int, ...] = range(5)):
    """Make a project with three votes of five people an item, two of them good."""
    world = make_world(ws, n_items=items, n_experts=6, policy=Policy(overlap=3, max_votes=6))
    draw = np.random.default_rng(seed)
    truth = draw.integers(0, 3, items)
    said = []
    for n, item in enumerate(world.items):
        for who in draw.choice(5, 3, replace=False).tolist():
            right = draw.random() < (GOOD if who < 2 else BAD)
            label = int(truth[n]) if right else int(draw.integers(0, 3))
            said.append((item, people[who], CLASSES[label]))
    if order:
        said = [said[i] for i in np.random.default_rng(order).permutation(len(said))]
    write(world, [(item, who, say(label)) for item, who, label in said])
    return world, [CLASSES[t] for t in truth]


def write(world: World, said: list[tuple[int, int, Answer]]) -> None:
    """Write votes straight into the record."""
    key = world.project.schema.main.key
    rows = [
        {
            "uuid": new_uuid(), "project_id": world.project.id, "item_id": item,
            "person_id": world.cast.experts[who].person_id, "revision": 1, "kind": "vote",
            "label": answer.choices.get(key), "answer": answer.to_json(), "reason": "",
            "schema_version": 1, "guideline_version": 1, "prediction_seq": None,
            "prelabel_shown": False, "active_seconds": 1.0, "started_at": None, "via": "deck",
            "queue": "", "batch_id": None, "at": 1.0,
        }
        for item, who, answer in said
    ]  # fmt: skip
    with world.ws.store.write() as connection:
        connection.execute(annotation_log.insert(), rows)


def adopt(world: World, policy: Policy) -> World:
    """Put a policy in force and return the world with it."""
    project = set_policy(world.ws, world.cast.lead, world.slug, policy, "try it")
    return replace(world, project=project)


def in_force(world: World) -> dict[int, tuple]:
    """Return state, label, probability and evidence of each item."""
    query = select(
        item_state.c.item_id, item_state.c.state, item_state.c.label,
        final_labels.c.probability, final_labels.c.evidence,
    ).outerjoin(final_labels, final_labels.c.seq == item_state.c.final_seq)  # fmt: skip
    with world.ws.store.read() as connection:
        return {r[0]: tuple(r[1:]) for r in connection.execute(query)}


def is_provisional(row: tuple) -> bool:
    return bool(row[3]) and json.loads(row[3]).get("provisional", False)


def test_one_vote_is_provisional_until_a_full_resolve(ws):
    """The item voted on is marked; a full resolve takes the mark away; a second one changes nothing."""
    world, _ = crowd(ws)
    world = adopt(world, FITS)
    before = in_force(world)
    open_items = [i for i, row in before.items() if row[0] == "open"]
    assert open_items
    assert not any(map(is_provisional, before.values()))
    for item in open_items[:8]:
        vote(world, world.cast.experts[5], item, "cat")
    now = in_force(world)
    changed = {i for i in now if now[i] != before[i]}
    assert changed <= set(open_items[:8])
    assert any(is_provisional(now[i]) for i in changed)
    resolve(world.ws, world.cast.lead, world.slug)
    after = in_force(world)
    assert not any(map(is_provisional, after.values()))
    assert resolve(world.ws, world.cast.lead, world.slug).changed == 0
    assert in_force(world) == after


def test_an_unchanged_item_settles_the_same_by_the_last_fit(sqlite_ws):
    """Right after a full resolve, one item by the stored fit comes to what the whole came to."""
    world, _ = crowd(sqlite_ws)
    world = adopt(world, FITS)
    with world.ws.store.read() as connection:
        gathered = gather(connection, world.items, world.project.schema)
    for item, row in in_force(world).items():
        outcome = outcome_of(world.ws, world.project, item, gathered[item])
        assert (outcome.state.value, outcome.answer and outcome.answer.choices["label"]) == row[:2]


def test_neither_order_nor_names_change_a_fit(sqlite_ws, tmp_path_factory, sqlite_template):
    """The same votes in another order by people in another order of numbers give the same labels."""
    from tests.services.consensus.test_resolve import fresh

    worlds = [crowd(sqlite_ws)[0]]
    other = fresh(sqlite_template, tmp_path_factory)
    worlds.append(crowd(other, order=9, people=(4, 2, 0, 1, 3))[0])
    states = [
        [row[:3] for _, row in sorted(in_force(adopt(world, FITS)).items())] for world in worlds
    ]
    other.store.close()
    assert [s[:2] for s in states[0]] == [s[:2] for s in states[1]]
    told = [[s[2] for s in rows if s[2] is not None] for rows in states]
    assert told[0] == pytest.approx(told[1], abs=2e-4)


def test_good_people_outweigh_and_are_known(sqlite_ws):
    """The fit tells who is right, by class too, and its labels are right more often than a majority's."""
    world, truth = crowd(sqlite_ws, items=200)
    world = adopt(world, FITS)
    with world.ws.store.read() as connection:
        fit = fit_of(world.ws, connection, world.project)
    people = [p.person_id for p in world.cast.experts]
    accuracy = [fit.accuracy(p) for p in people]
    assert min(accuracy[:2]) > max(accuracy[2:5]) + 0.1
    assert accuracy[5] is None
    assert set(fit.per_class(people[0])) == set(CLASSES)
    assert sum(fit.prior().values()) == pytest.approx(1)
    labels = [row[1] for _, row in sorted(in_force(world).items())]
    known = [a == b for a, b in zip(labels, truth, strict=True) if a]
    assert np.mean(known) > 0.9


def test_a_lost_or_spoilt_fit_is_as_none(sqlite_ws):
    """Without the file votes are counted; nothing fails, and a full resolve makes it anew."""
    world, _ = crowd(sqlite_ws)
    world = adopt(world, FITS)
    path = fit_path(world.ws, world.project)
    waiting = [i for i, row in in_force(world).items() if row[0] == "open"]
    spoilt_ones = (b"", b"no archive", path.read_bytes()[:200])
    for spoilt, item in zip(spoilt_ones, waiting, strict=False):
        path.write_bytes(spoilt)
        assert load_fit(path) is None
        with world.ws.store.read() as connection:
            assert fit_of(world.ws, connection, world.project) is None
        vote(world, world.cast.experts[5], item, "owl")
    path.unlink()
    resolve(world.ws, world.cast.lead, world.slug)
    assert load_fit(path) is not None


def gold(world: World, item: int, label: str) -> None:
    """Write a known answer."""
    with world.ws.store.write() as connection:
        row = {
            "project_id": world.project.id, "item_id": item, "label": label,
            "answer": say(label).to_json(), "batch_id": None, "at": 1.0,
        }  # fmt: skip
        connection.execute(gold_answers.insert(), row)


def learnt(world: World) -> list[float]:
    """Return what a fit believes of each person."""
    with world.ws.store.read() as connection:
        fit = fit_project(connection, world.project).fit
    return [fit.accuracy(p.person_id) for p in world.cast.experts[:5]]


def test_gold_teaches_who_is_right_and_that_of_evaluate_items_does_not(sqlite_ws):
    """Invariant 8: an evaluate item's known answer changes nothing that is learnt of anybody."""
    world, truth = crowd(sqlite_ws, items=40)
    world = adopt(world, FITS)
    before = learnt(world)
    added = add_items(world.ws, world.project, 1, "evaluate", first=900)
    write(world, [(added[0], who, say("cat")) for who in range(3)])
    silent = learnt(world)
    gold(world, added[0], "owl")
    assert learnt(world) == silent
    for item, label in zip(world.items[:10], truth, strict=False):
        gold(world, item, label)
    assert learnt(world) != before


def test_an_item_with_gold_is_labelled_by_its_votes(sqlite_ws):
    """Gold is no vote: where people contradict it, it does not become the label."""
    world, _ = crowd(sqlite_ws)
    world = adopt(world, FITS)
    differing = next(i for i, row in in_force(world).items() if row[0] == "agreed" and row[2] < 1)
    label = in_force(world)[differing][1]
    gold(world, differing, next(c for c in CLASSES if c != label))
    resolve(world.ws, world.cast.lead, world.slug)
    now = in_force(world)[differing]
    assert now[1] in (label, None)


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_every_algorithm_settles_a_project(sqlite_ws, algorithm):
    """Each gives labels with probabilities from 0 to 1, and gives them again."""
    world, _ = crowd(sqlite_ws, items=20)
    world = adopt(world, Policy(overlap=3, max_votes=6, algorithm=algorithm))
    rows = in_force(world).values()
    assert any(row[0] == "agreed" for row in rows)
    assert all(row[2] is None or 0 <= row[2] <= 1 for row in rows)
    assert resolve(world.ws, world.cast.lead, world.slug).changed == 0
    vote(world, world.cast.experts[5], world.items[0], "cat")


def test_the_model_counts_beside_blind_votes(ws):
    """A model that is right makes more items sure enough than people alone."""
    world, truth = crowd(ws, items=150)
    said = [
        Prediction(i, say(t), 0.9, top=((t, 0.9), (next(c for c in CLASSES if c != t), 0.06)))
        for i, t in zip(world.items, truth, strict=True)
    ]
    with world.ws.store.write() as connection:
        store_predictions(connection, world.project, said, "model", 1.0)
    alone = in_force(adopt(world, FITS))
    world = adopt(world, replace(FITS, model_votes=True))
    beside = in_force(world)
    settled = [sum(r[0] == "agreed" for r in rows.values()) for rows in (alone, beside)]
    assert settled[1] > settled[0]
    assert resolve(world.ws, world.cast.lead, world.slug).changed == 0


def test_questions_are_fitted_each_on_its_own(sqlite_ws):
    """One with one answer and one with several: both are inferred, both survive the cache."""
    lead = make_world(sqlite_ws, slug="else", n_items=0).cast.operator
    project = create_project(
        sqlite_ws, lead,
        NewProject("many", Task.CLASSIFICATION, CLASSES, questions={"seen": ["tail", "ear"]},
                   several=["seen"], policy=Policy(overlap=3, max_votes=6)),
    )  # fmt: skip
    items = add_items(sqlite_ws, project, 30)
    world = World(sqlite_ws, project, items, make_cast(sqlite_ws, "many", 4))
    draw = np.random.default_rng(3)
    parts = [(), ("tail",), ("ear",), ("tail", "ear")]
    said = []
    for item in items:
        label, seen = CLASSES[draw.integers(3)], parts[draw.integers(4)]
        for who in range(3):
            off = draw.random() < 0.25 * who
            answer = Answer(
                {"label": CLASSES[draw.integers(3)] if off else label}, (),
                {"seen": parts[draw.integers(4)] if off else seen},
            )  # fmt: skip
            said.append((item, who, answer))
    write(world, said)
    world = adopt(world, FITS)
    with sqlite_ws.store.read() as connection:
        fit = fit_of(sqlite_ws, connection, world.project)
    assert list(fit.questions) == ["label", "seen"]
    assert len(fit.questions["seen"].parts) == 2
    first = world.cast.experts[0].person_id
    assert fit.accuracy(first, "seen") > fit.accuracy(world.cast.experts[2].person_id, "seen")
    assert any(row[0] == "agreed" for row in in_force(world).values())
    assert resolve(sqlite_ws, world.cast.lead, "many").changed == 0


def test_a_dry_run_tells_what_adopting_does(ws):
    """States after are those that then come true, and nothing is written before."""
    world, _ = crowd(ws)
    resolve(world.ws, world.cast.lead, world.slug)
    before = in_force(world)
    for policy in (FITS, replace(FITS, algorithm="wawa"), Policy(3, max_votes=6, stop=Stop.LEAD)):
        would = dry_run(world.ws, world.cast.lead, world.slug, policy)
        assert in_force(world) == before
        assert sum(would.after.values()) == would.items == len(world.items)
        adopt(world, policy)
        found = resolve(world.ws, world.cast.lead, world.slug)
        assert {k: v for k, v in would.after.items() if v} == found.states
        again = dry_run(world.ws, world.cast.lead, world.slug)
        assert (again.changed, again.reopened, again.labels_changed) == (0, 0, 0)
        before = in_force(world)


def test_a_fit_of_another_policy_or_schema_is_not_taken(sqlite_ws):
    """Its name holds versions and the policy itself, so none is taken for another's."""
    world, _ = crowd(sqlite_ws, items=10)
    first = adopt(world, FITS).project
    second = adopt(world, replace(FITS, algorithm="one-coin")).project
    paths = {
        fit_path(world.ws, p)
        for p in (
            first,
            second,
            replace(first, schema_version=2),
            get_project(world.ws, world.cast.lead, world.slug),
        )
    }
    assert len(paths) == 3


WEIGHS = Policy(
    overlap=3, max_votes=4, regions=RegionsBy.EACH, geometry=RegionGeometry.WEIGHTED,
    iou_at_least=0.4,
)  # fmt: skip


def drawn_off(ws, items: int = 30) -> World:
    """Make a project of boxes; the first of three people draws much closer to what is there."""
    world = make_world(ws, n_items=items, policy=WEIGHS, task=Task.BOXES)
    draw, said = np.random.default_rng(2), []
    for item in world.items:
        for who, off in enumerate((0.2, 4.0, 4.0)):
            edges = np.array([10, 10, 50, 50]) + draw.normal(0, off, 4)
            said.append((item, who, boxes(tuple(edges.tolist()))))
    write(world, said)
    return world


def test_who_draws_closely_counts_more_where_nothing_else_is_asked(ws):
    """A project of boxes learns it from the drawings: the label lies nearer than the mean."""
    world = drawn_off(ws)
    resolve(world.ws, world.cast.operator, world.slug)
    with world.ws.store.read() as connection:
        fit = fit_of(world.ws, connection, get_project(world.ws, world.cast.lead, world.slug))
    ids = [e.person_id for e in world.cast.experts[:4]]
    count = fit.outlines(ids)
    assert set(count) == {str(i) for i in ids[:3]}
    assert count[str(ids[0])] > 3 * max(count[str(i)] for i in ids[1:3])
    rows = in_force(world)
    with world.ws.store.read() as connection:
        found = gather(connection, world.items, world.project.schema)
    off, plain = [], []
    for item in world.items:
        edges = np.array([v.answer.regions[0].box for _, v in found[item].votes])
        label = outcome_of(world.ws, world.project, item, found[item]).answer.regions[0].box
        off.append(np.abs(np.array(label) - [10, 10, 50, 50]).mean())
        plain.append(np.abs(edges.mean(axis=0) - [10, 10, 50, 50]).mean())
    assert np.mean(off) < 0.5 * np.mean(plain)
    assert not any(is_provisional(row) for row in rows.values())


def test_a_label_weighed_by_the_last_drawings_is_provisional(ws):
    """A vote settles its item by the weights there are, and says that a full resolve may tell otherwise."""
    world = drawn_off(ws)
    resolve(world.ws, world.cast.operator, world.slug)
    (item,) = add_items(world.ws, world.project, 1, first=len(world.items))
    for who in range(3):
        edges = (10.0 + 2 * who, 10.0, 50.0, 50.0)
        sent = Submission(new_uuid(), item, "vote", boxes(edges), active_seconds=2)
        submit(world.ws, world.cast.experts[who], world.slug, sent)
    assert is_provisional(in_force(world)[item])
    resolve(world.ws, world.cast.operator, world.slug)
    assert not is_provisional(in_force(world)[item])


def test_old_fits_are_swept_and_those_of_other_projects_stay(sqlite_ws):
    """The newest few of a project are kept, and what a killed writer left is deleted once it is old."""
    folder = sqlite_ws.cache / "consensus"
    none = np.zeros(0, dtype=np.int64)
    fit = Fit("dawid-skene", 1, none, {})
    save_fit(folder / "12-1-1-other.npz", fit)
    left = folder / "1-1-1-old.npz.77.88.part"
    left.write_bytes(b"half")
    os.utime(left, (1.0, 1.0))
    for n in range(7):
        save_fit(folder / f"1-{n}-1-x.npz", fit)
        os.utime(folder / f"1-{n}-1-x.npz", (1000.0 + n, 1000.0 + n))
    found = sorted(p.name for p in folder.iterdir())
    assert found == ["1-3-1-x.npz", "1-4-1-x.npz", "1-5-1-x.npz", "1-6-1-x.npz", "12-1-1-other.npz"]
    assert load_fit(folder / "1-6-1-x.npz").algorithm == "dawid-skene"


def test_disputes_are_as_open_as_the_last_fit_leaves_them(sqlite_ws):
    """Two careful people who differ leave more open than a careful and a careless one."""
    policy = Policy(overlap=2, on_disagreement=OnDisagreement.LEAD)
    world = make_world(sqlite_ws, n_items=150, policy=policy)
    draw, said, between = np.random.default_rng(5), [], {}
    for item in world.items:
        truth = int(draw.integers(0, 3))
        pair = tuple(sorted(draw.choice(4, 2, replace=False).tolist()))
        between[item] = pair
        for who in pair:
            right = draw.random() < (0.35 if who == 3 else 0.92)
            said.append((item, who, say(CLASSES[truth if right else int(draw.integers(0, 3))])))
    write(world, said)
    with world.ws.store.write() as connection:
        resolve_items(connection, world.project, None, 1.0)
    before = {r.item_id: r for r in disputes(world.ws, world.cast.operator, world.slug)}
    assert {r.uncertainty for r in before.values()} == {1.0}
    resolve(world.ws, world.cast.operator, world.slug)
    after = {r.item_id: r for r in disputes(world.ws, world.cast.operator, world.slug)}
    assert after.keys() == before.keys()
    careless = [r.uncertainty for i, r in after.items() if 3 in between[i]]
    careful = [r.uncertainty for i, r in after.items() if 3 not in between[i]]
    assert len(careful) > 5
    assert np.mean(careless) < 0.8 * np.mean(careful)
    assert all(r.differs == before[i].differs and r.uncertainty > 0 for i, r in after.items())


def test_the_fit_tells_how_probable_each_class_is(sqlite_ws):
    """The chances are those the inferred answer is the largest of; of several answers the least sure class."""
    world, _ = crowd(sqlite_ws)
    world = adopt(world, FITS)
    resolve(world.ws, world.cast.operator, world.slug)
    with world.ws.store.read() as connection:
        fit = fit_of(world.ws, connection, world.project)
        found = gather(connection, world.items[:20], world.project.schema)
    for item, told in found.items():
        votes = [(int(v.person), dict(v.answer.choices)) for _, v in told.votes]
        chances, inferred = fit.chances(item, votes)["label"], fit.infer(item, votes)
        assert sum(chances) == pytest.approx(1)
        assert max(chances) == pytest.approx(inferred.questions["label"].probability, abs=1e-4)
    assert fit.chances(item, []) == {}
