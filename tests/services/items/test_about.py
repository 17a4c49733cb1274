"""What a person may know of an item beside their vote."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from core.access import Actor
from core.clock import new_uuid
from core.consensus.policy import Policy
from core.errors import NotFound
from core.jobs.rows import create_job
from core.labels import Answer, Region
from core.labels.schema import Task
from core.learning.cache import EmbeddingCache
from core.services.items.about import About, about_item
from core.services.items.past import answer_words
from core.services.models.prelabels import Prediction, store_predictions
from core.services.projects.project import load_project
from core.services.talk.writing import start_thread
from core.store.tables import dataset_versions, gold_answers, items, models
from tests.record import World, act, add_items, make_project, make_world, rule, say, vote

WIDTH = 8


def about(world: World, actor: Actor, item: int = 0) -> About:
    """Return what a person may know of one of the world's items."""
    return about_item(world.ws, actor, world.slug, world.items[item])


def told(found: About) -> list[tuple[str, str, str]]:
    """Return the history in short."""
    return [(r.kind, r.who, r.what) for r in found.history]


def predict(world: World, ids: list[int], label: str = "cat", model_id: int | None = None) -> None:
    """Put a pre-label in force."""
    rows = [Prediction(i, say(label), 0.9, 0.5) for i in ids]
    with world.ws.store.write() as connection:
        project = load_project(connection, world.slug)
        store_predictions(
            connection, project, rows, f"model {model_id}", world.ws.clock(), model_id=model_id
        )


def train(world: World, vectors: dict[int, np.ndarray]) -> int:
    """Leave what a training run leaves: a model row, its config, and embeddings of these items."""
    ws, lead = world.ws, world.cast.lead
    with ws.store.write() as connection:
        job_id = create_job(connection, world.project.id, "train", {}, lead.person_id, 1.0)
        version = {"project_id": world.project.id, "name": f"v{job_id}", "hash": "h", "folder": "f",
                   "n_items": 1, "by_id": lead.person_id, "at": 1.0}  # fmt: skip
        version_id = connection.execute(
            dataset_versions.insert().returning(dataset_versions.c.id), version
        ).scalar_one()
        row = {"project_id": world.project.id, "job_id": job_id, "dataset_version_id": version_id,
               "backbone": "mobilenet_v2", "folder": f"runs/pets/{job_id:05d}", "report": "{}",
               "at": 1.0}  # fmt: skip
        model_id = connection.execute(models.insert().returning(models.c.id), row).scalar_one()
        hashes = dict(connection.execute(items.select().with_only_columns(items.c.id, items.c.content_hash)).tuples().all())  # fmt: skip
    folder = ws.root / row["folder"] / "label"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"cache_key": "k", "width": WIDTH}))
    EmbeddingCache(ws.cache / "embeddings", "k", WIDTH).add(
        [hashes[i] for i in vectors], np.stack(list(vectors.values()))
    )
    return int(model_id)


def along(*angles: float) -> list[np.ndarray]:
    """Return unit vectors at these angles from the first axis: their cosines are easy to tell."""
    found = []
    for angle in angles:
        vector = np.zeros(WIDTH, dtype=np.float32)
        vector[:2] = np.cos(angle), np.sin(angle)
        found.append(vector)
    return found


def settle(world: World, item: int, label: str = "cat") -> None:
    """Let a lead settle an item."""
    rule(world, world.cast.lead2, world.items[item], "decide", label)


# --- history ----------------------------------------------------------------------------------


def test_before_voting_the_history_holds_ones_own_answers_alone(make: Callable[..., World]) -> None:
    """Nobody learns from it how many votes there are, whose or which (B: blind until voted)."""
    world = make()
    first, second = world.cast.experts[:2]
    predict(world, world.items)
    vote(world, first, world.items[0], "owl")
    act(world, second, world.items[0], "skip", reason="unsure")
    assert told(about(world, second)) == [
        ("imported", "", ""),
        ("prelabel", "model None", "cat"),
        ("skip", "Reviewer 2", ""),
    ]
    assert "owl" not in str(about(world, second))
    assert about(world, second).history[-1].mine
    lead = told(about(world, world.cast.lead))  # could still vote on it
    assert [kind for kind, _, _ in lead] == ["imported", "prelabel"]


def test_after_voting_everything_is_told_with_aliases(world: World) -> None:
    """Others' answers show, their names do not until the item is settled; a manager reads names."""
    first, second = world.cast.experts[:2]
    vote(world, first, world.items[0], "owl")
    vote(world, second, world.items[0], "cat")
    rows = about(world, second).history
    assert [(r.kind, r.who, r.what, r.mine) for r in rows if r.kind == "vote"] == [
        ("vote", "Reviewer 1", "owl", False),
        ("vote", "Reviewer 2", "cat", True),
    ]
    named = [who for kind, who, _ in told(about(world, world.cast.manager)) if kind == "vote"]
    assert named == [first.display_name, second.display_name]


def test_a_settled_item_tells_who_decided(world: World) -> None:
    """The ruling, its author and the label in force are part of the story."""
    vote(world, world.cast.experts[0], world.items[0], "owl")
    world.ws.clock.advance(60)
    settle(world, 0, "dog")
    rows = told(about(world, world.cast.experts[1]))
    assert ("vote", world.cast.experts[0].display_name, "owl") in rows
    assert rows[-2:] == [
        ("decide", world.cast.lead2.display_name, "dog"),
        ("settled", "adjudicated", "dog"),
    ]


def test_models_are_named_with_their_backbone(world: World) -> None:
    """Each model version that spoke of the item has its line."""
    model_id = train(world, dict(zip(world.items, along(0, 1, 2, 3, 4, 5), strict=True)))
    predict(world, world.items, "owl", model_id)
    rows = told(about(world, world.cast.experts[0]))
    assert ("prelabel", f"model {model_id} · mobilenet_v2", "owl") in rows


def test_an_answer_is_said_in_a_few_words(sqlite_ws) -> None:
    """Choices, several classes, and how many regions of each class."""
    world = make_world(sqlite_ws, task=Task.BOXES, slug="cells")
    drawn = Answer(
        {}, (Region("cat", 1, 1, 9, 9), Region("cat", 5, 5, 20, 20), Region("owl", 1, 1, 4, 4))
    )
    assert answer_words(world.project, drawn) == "2 × cat, 1 × owl"
    assert answer_words(world.project, Answer({})) == "–"


# --- neighbours -------------------------------------------------------------------------------


def test_neighbours_are_the_labelled_items_most_alike(make: Callable[..., World]) -> None:
    """Settled ones only, most similar first, with label and likeness; oneself is none."""
    world = make()
    train(world, dict(zip(world.items, along(0, 0.9, 0.3, 0.6, 0.1, 1.2), strict=True)))
    for item, label in ((1, "dog"), (2, "cat"), (3, "owl")):
        settle(world, item, label)
    vote(
        world, world.cast.experts[1], world.items[4], "owl"
    )  # open: its label is nobody's business
    found = about(world, world.cast.experts[0]).neighbours
    assert [(n.item_id, n.label) for n in found] == [
        (world.items[2], "cat"), (world.items[3], "owl"), (world.items[1], "dog")
    ]  # fmt: skip
    assert [n.similarity for n in found] == pytest.approx(
        np.cos([0.3, 0.6, 0.9]).tolist(), abs=2e-3
    )
    assert found[0].name == "00002.png"
    assert found[0].image.startswith(f"/files/item/{world.items[2]}?v=")


def test_evaluate_items_and_gold_are_nobodys_neighbours(world: World) -> None:
    """The yardstick and what is asked unseen never show their labels here."""
    yardstick = add_items(world.ws, world.project, 1, use="evaluate", first=100)[0]
    ids = [*world.items, yardstick]
    train(world, dict(zip(ids, along(0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.05), strict=True)))
    for item in (1, 2):
        settle(world, item)
    rule(world, world.cast.lead2, yardstick, "decide", "cat")
    with world.ws.store.write() as connection:
        row = {"project_id": world.project.id, "item_id": world.items[1], "label": "cat",
               "answer": say("cat").to_json(), "batch_id": None, "at": 1.0}  # fmt: skip
        connection.execute(gold_answers.insert(), row)
    found = about(world, world.cast.experts[0])
    assert [n.item_id for n in found.neighbours] == [world.items[2]]


def test_few_labelled_among_many_are_found_all_the_same(sqlite_ws) -> None:
    """Where the nearest hundreds have no label, the labelled ones far off are shown, eight at most."""
    world = make_world(sqlite_ws, n_items=700, policy=Policy())
    angles = np.linspace(0, 1.5, 700)
    train(world, dict(zip(world.items, along(*angles), strict=True)))
    for item in range(690, 700):
        settle(world, item)
    found = about(world, world.cast.experts[0]).neighbours
    assert [n.item_id for n in found] == world.items[690:698]


def test_without_embeddings_it_says_so(world: World) -> None:
    """Before the first training nothing is embedded; an item imported since is not either."""
    assert not about(world, world.cast.experts[0]).embedded
    train(world, dict(zip(world.items[:3], along(0, 1, 2), strict=True)))
    first = about(world, world.cast.experts[0])
    assert (first.embedded, first.neighbours) == (True, ())
    assert not about(world, world.cast.experts[0], 5).embedded


# --- forged asks ------------------------------------------------------------------------------


def test_items_of_another_project_are_not_there(world: World) -> None:
    """A forged number gives the same answer as one that never was (A1)."""
    foreign = add_items(world.ws, make_project(world.ws, "plants"), 1)[0]
    said = []
    for item_id in (foreign, 10**6):
        with pytest.raises(NotFound) as refused:
            about_item(world.ws, world.cast.lead, world.slug, item_id)
        said.append(str(refused.value).replace(str(item_id), "X"))
    assert said[0] == said[1]


def test_threads_and_names_come_along(world: World) -> None:
    """The discussion one may read, and who can be named."""
    expert = world.cast.experts[0]
    start_thread(
        world.ws, world.cast.lead, world.slug, world.items[0], "Mind the ears.", new_uuid()
    )
    mine = start_thread(world.ws, expert, world.slug, world.items[0], "Which ears?", new_uuid())
    found = about(world, expert)
    assert [t.thread for t in found.threads] == [mine.thread]
    assert len(about(world, world.cast.lead).threads) == 2
    assert expert.name in {p.name for p in found.people}
