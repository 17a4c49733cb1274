"""A dataset against its reference: what differs, what is missing, whether both can be told apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.clock import new_uuid
from core.consensus.policy import Policy
from core.errors import Forbidden, InputError, NotFound
from core.intake.measures import NAMES
from core.labels.schema import Task
from core.learning.cache import EmbeddingCache
from core.learning.values import ImageRef
from core.learning.vectors import Vectors
from core.services.analytics.replicas import forget_replicas
from core.services.bias import embedding, measured
from core.services.bias import selection_columns as columns
from core.services.bias.embedding import embed_sets
from core.services.bias.object_sizes import object_sizes, size_pictures
from core.services.bias.reference_sets import (
    ReferenceAsk,
    pictures_of,
    pictures_to_show,
    references,
    two_sets,
)
from core.services.bias.selection_bias import selection_bias, selection_pictures
from core.services.bias.too_clean import Basis, telling_pictures, too_clean
from core.services.projects.project import ProjectView
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.workspace import Workspace
from tests.record import World, add_items, boxes, make_cast, make_project, make_world
from tests.worked import describe

FIELD = ReferenceAsk("source=field")
ONE = Policy(overlap=1)


@pytest.fixture(autouse=True)
def _no_replica_left() -> Iterator[None]:
    yield
    forget_replicas()


def keep_measures(ws: Workspace, project: ProjectView, brightness: np.ndarray) -> None:
    """Write measures as if the pictures had been looked at: all noise but the brightness."""
    hashes = pictures_of(ws, project).hashes
    rows = np.random.default_rng(len(hashes)).normal(50, 5, (len(hashes), len(NAMES)))
    rows[:, 0] = brightness
    measured._write(measured._folder(ws), hashes, rows)


@pytest.fixture
def split(sqlite_ws: Workspace) -> World:
    """Give 200 pictures, 60 of them of the field: darker, and mostly at night."""
    world = make_world(sqlite_ws, n_items=200)
    rng = np.random.default_rng(0)
    docs = {}
    for n, item in enumerate(world.items):
        field = n < 60
        docs[item] = {
            "source": "field" if field else "web",
            "light": "night" if (field and n % 2) or n % 40 == 0 else "day",
            "camera": "AB"[n % 2],
            "angle": f"{rng.normal():.3f}",
            "only": "x" if not field else "",
            "note": ("<b>x</b>", "=1+1")[n // 2 % 2],
        }
    docs[world.items[3]]["angle"] = "nan"
    describe(world.ws, world.project, docs)
    dark = np.where(np.arange(200) < 60, 40.0, 90.0) + rng.normal(0, 15, 200)
    keep_measures(world.ws, world.project, dark)
    return world


def test_what_differs_is_told_and_what_does_not_is_not(split: World):
    """Light and brightness differ with n, interval and adjusted p; camera, angle and noise do not."""
    view = selection_bias(split.ws, split.cast.manager, split.slug, FIELD)
    by_name = {c.column: c for c in view.columns}
    assert {c.column for c in view.differing} == {"light", "brightness"}
    light, dark = by_name["light"], by_name["brightness"]
    assert (light.here_n, light.there_n, light.test) == (140, 60, "chi-squared")
    assert light.variation.low > 0.3
    assert dark.test == "Kolmogorov-Smirnov"
    assert dark.medians[1] < dark.medians[0] - 30
    assert dark.above.high < 0.1
    assert by_name["camera"].variation.low == 0
    assert "source" not in by_name
    assert any("'only' was not compared" in n for n in view.notes)
    assert view.tested == len([c for c in view.columns if c.p is not None])


def test_a_hole_says_how_many_more_and_shows_the_references_pictures(split: World):
    """m more give the reference's share of what is missing, and m - 1 do not."""
    boss = split.cast.manager
    view = selection_bias(split.ws, boss, split.slug, FIELD)
    hole = next(h for h in view.holes if h.column == "light")
    assert hole.cell.value == "night"
    count, share = hole.cell.here_count, hole.cell.there.value
    m = int(hole.missing.value)
    assert (count + m) / (140 + m) >= share > (count + m - 1) / (140 + m - 1)
    assert hole.missing.low < m < hole.missing.high
    found = selection_pictures(split.ws, boss, split.slug, FIELD, "light", "night")
    assert found.total == hole.cell.there_count
    assert {p.item_id for p in found.shown} <= set(split.items[:60])
    own = selection_pictures(split.ws, boss, split.slug, FIELD, "light", "night", False)
    assert own.total == count
    with pytest.raises(InputError, match="to look at"):
        selection_pictures(split.ws, boss, split.slug, FIELD, "light", "<script>")


def test_only_what_tells_an_answer_is_kept_back(split: World):
    """A lead may vote on open pictures: their light may be seen, what is drawn in them may not."""
    lead, boss = split.cast.lead, split.cast.manager
    seen = selection_pictures(split.ws, lead, split.slug, FIELD, "light", "night")
    assert seen.shown
    assert seen.withheld == 0
    some = split.items[:5]
    for who, withheld in ((lead, 5), (boss, 0)):
        found = pictures_to_show(split.ws, who, split.project, some, tells_answer=True)
        assert (len(found.shown), found.withheld) == (5 - withheld, withheld)


def test_random_halves_do_not_differ(sqlite_ws: Workspace):
    """Of eight null cases hardly any is called a difference."""
    world = make_world(sqlite_ws, n_items=120)
    rng = np.random.default_rng(1)
    docs = {
        i: {f"half{k}": "ab"[rng.integers(2)] for k in range(8)} | {"camera": "AB"[n % 2]}
        for n, i in enumerate(world.items)
    }
    describe(world.ws, world.project, docs)
    keep_measures(world.ws, world.project, rng.normal(80, 10, 120))
    boss, called = world.cast.manager, 0
    for k in range(8):
        asked = ReferenceAsk(f"half{k}=a")
        view = selection_bias(world.ws, boss, world.slug, asked)
        called += any(not c.column.startswith("half") for c in view.differing)
        called += too_clean(world.ws, boss, world.slug, asked).is_told
    assert called <= 2


def test_a_classifier_tells_the_field_and_how_many_to_add(split: World):
    """By measures where nothing is embedded; the most telling property leads; frames follow from n."""
    boss = split.cast.manager
    view = too_clean(split.ws, boss, split.slug, FIELD, 0.3)
    assert view.basis is Basis.MEASURES
    assert view.is_told
    assert view.auc.low > 0.85
    assert view.tells[0].name == "brightness"
    frames = view.frames
    m, here, there = frames.frames.value, frames.here.value, frames.there.value
    assert (140 * here + m * there) / (140 + m) >= 0.3
    assert frames.frames.low <= m <= frames.frames.high
    assert frames.at_hand == 60
    shown = telling_pictures(split.ws, boss, split.slug, FIELD)
    assert {p.item_id for p in shown.shown} <= set(split.items[:60])
    with pytest.raises(InputError, match="between 0 and 1"):
        too_clean(split.ws, boss, split.slug, FIELD, float("nan"))


def test_another_project_is_a_reference_for_who_may_see_it(sqlite_ws: Workspace):
    """Both projects' columns meet; who has no figures in the other is told it is not there."""
    world = make_world(sqlite_ws, n_items=40)
    other = make_project(sqlite_ws, "field")
    ids = add_items(sqlite_ws, other, 30)
    describe(sqlite_ws, world.project, {i: {"light": "day"} for i in world.items})
    describe(
        sqlite_ws, other, {i: {"light": "day" if n % 2 else "night"} for n, i in enumerate(ids)}
    )
    asked = ReferenceAsk("field")
    admin = world.cast.admin
    view = selection_bias(sqlite_ws, admin, world.slug, asked)
    assert [h.cell.value for h in view.holes] == ["night"]
    assert (view.unmeasured_here, view.unmeasured_there) == (40, 30)
    assert too_clean(sqlite_ws, admin, world.slug, asked).auc.value is None
    found = selection_pictures(sqlite_ws, admin, world.slug, asked, "light", "night")
    assert {p.slug for p in found.shown} == {"field"}
    assert "field" in references(sqlite_ws, admin, world.slug).projects
    boss = world.cast.manager
    assert "field" not in references(sqlite_ws, boss, world.slug).projects
    with pytest.raises(NotFound):
        selection_bias(sqlite_ws, boss, world.slug, asked)
    # A project without pictures, and one with a single picture, are too little, not an error.
    empty = make_project(sqlite_ws, "empty")
    make_cast(sqlite_ws, "empty", 1)
    for count in (0, 1):
        add_items(sqlite_ws, empty, count)
        view = selection_bias(sqlite_ws, admin, world.slug, ReferenceAsk("empty"))
        assert not view.sets.is_enough
        assert not view.columns
        assert selection_bias(sqlite_ws, admin, "empty", ReferenceAsk(world.slug)).tested == 0


@pytest.mark.parametrize(
    "against", ["", "pets", "source=", "=field", "source=mars", "colour=red", "'; DROP--=1", "="]
)
def test_nonsense_is_refused_in_a_sentence(split: World, against: str):
    """Nothing named, the project itself, an unknown column or value: said, with what there is."""
    with pytest.raises(InputError):
        two_sets(split.ws, split.cast.manager, split.slug, ReferenceAsk(against))


# --- sizes ----------------------------------------------------------------------------------------


@pytest.fixture
def drawn(sqlite_ws: Workspace) -> World:
    """Give 30 drawn pictures of 64 pixels: 15 of the field with small cats, 15 with large ones."""
    world = make_world(sqlite_ws, n_items=30, task=Task.BOXES, policy=ONE)
    ids = world.items
    docs = {i: {"source": "field" if n < 15 else "web"} for n, i in enumerate(ids)}
    describe(world.ws, world.project, docs)
    for n, item in enumerate(ids):
        side = 4 if n < 15 and n % 3 else 30
        answer = boxes((0, 0, side, side), (34, 34, 34 + side, 34 + side))
        sent = Submission(new_uuid(), item, "vote", answer)
        submit(world.ws, world.cast.experts[0], world.slug, sent)
    return world


def test_sizes_that_the_reference_has_and_you_have_not(drawn: World):
    """Shares are clustered by picture, COCO's bounds in pixels; the missing size is named with n."""
    boss = drawn.cast.manager
    alone = object_sizes(drawn.ws, boss, drawn.slug)
    cats = next(c for c in alone.classes if c.label == "cat")
    assert (cats.regions, cats.images) == (60, 30)
    assert cats.coco[0].value == 1.0
    assert cats.bins[2].here_count == 20
    assert not alone.holes
    view = object_sizes(drawn.ws, boss, drawn.slug, FIELD)
    (hole,) = view.holes
    assert hole.label == "cat"
    assert hole.bin.low < 4 / 64 < hole.bin.high
    assert (hole.bin.here_count, hole.bin.there_count) == (0, 20)
    assert hole.missing.value == 60
    found = size_pictures(drawn.ws, boss, drawn.slug, FIELD, "cat", 2)
    assert found.total == 10
    assert size_pictures(drawn.ws, boss, drawn.slug, FIELD, "cat", 5, False).total == 15
    with pytest.raises(InputError):
        size_pictures(drawn.ws, boss, drawn.slug, FIELD, "cat", 99)

    dogs = next(c for c in alone.classes if c.label == "dog")
    assert dogs.quartiles is None
    assert all(e.value is None for e in dogs.coco)


def test_pictures_are_embedded_on_demand_and_then_compared(
    split: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both sides are embedded, a network is taught on the project's own alone; looks then are a column."""
    boss, given = split.cast.manager, {}
    keep_measures(split.ws, split.project, np.full(200, 50.0))
    assert not selection_bias(split.ws, boss, split.slug, FIELD).looked_alike

    def drawn(images: list[ImageRef], *_: object, learn_from: list[ImageRef]) -> Vectors:
        given["all"], given["learnt"] = images, learn_from
        rows = np.zeros((len(images), 8), np.float32)
        rows[np.arange(len(images)), [i.item_id % 8 for i in images]] = 1
        EmbeddingCache(split.ws.cache / "embeddings", "made", 8).add(
            [i.content_hash for i in images], rows
        )
        return Vectors(np.array([i.item_id for i in images]), rows, "", 0, "made")

    monkeypatch.setattr(embedding, "vectors_of", drawn)
    monkeypatch.setattr(embedding, "readable_refs", lambda _ws, rows: {
        r.id: ImageRef(r.id, r.content_hash, Path("none")) for r in rows
    })  # fmt: skip
    heard: list[str] = []
    made = embed_sets(split.ws, boss, split.slug, FIELD, lambda phase, *_: heard.append(phase))
    assert (made.pictures, heard) == (200, ["looking for the pictures"])
    assert {i.item_id for i in given["all"]} == set(split.items)
    assert {i.item_id for i in given["learnt"]} <= set(split.items)
    view = selection_bias(split.ws, boss, split.slug, FIELD)
    assert view.looked_alike
    assert "looks like" in {c.column for c in view.columns}
    with pytest.raises(Forbidden):
        embed_sets(split.ws, split.cast.experts[0], split.slug, FIELD, lambda *_: None)


def test_a_column_that_is_the_reference_under_another_name_is_left_out() -> None:
    """Hours that are dusk or not tell nothing beside dusk; a camera used at both does."""
    dusk = np.array([False] * 60 + [True] * 40)
    hours = np.array([9, 10, 11] * 20 + [18, 19] * 20)
    assert columns._gives_away(hours, dusk)
    assert columns._gives_away(np.where(np.arange(100) == 0, 18, hours), dusk)  # one is not enough
    assert not columns._gives_away(np.where(np.arange(100) < 5, 18, hours), dusk)
    cameras = np.array([0, 1] * 50)
    assert not columns._gives_away(cameras, dusk)
    assert not columns._gives_away(np.full(100, -1), dusk)
