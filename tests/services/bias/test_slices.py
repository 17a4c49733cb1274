"""Slices as page and command line get them: gate, planted bias, measures, bounty, hostile metadata."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from core.analytics.asked import Filters
from core.errors import InputError, NotFound
from core.intake.measures import NAMES
from core.labels.schema import Task
from core.services.analytics.replicas import forget_replicas
from core.services.bias import measured
from core.services.bias.bounties import queued_bounties, take_back_bounty
from core.services.bias.measured import measure_items, measured_now, read_measures
from core.services.bias.slice_ask import SliceAsk
from core.services.bias.slice_items import make_bounty, slice_bounty, slice_items
from core.services.bias.slice_prepare import prepare
from core.services.bias.slices import slices_of
from core.services.projects.queue_plans import get_queue_plan
from core.services.workspace import Workspace
from core.store.tables import item_list_rows, items
from tests.record import SIDE, World, make_world
from tests.worked import describe, know, predict, vote_all

CAT, DOG = "cat", "dog"


@pytest.fixture(autouse=True)
def _no_replica_left() -> Iterator[None]:
    yield
    forget_replicas()


@pytest.fixture
def biased(sqlite_ws: Workspace) -> World:
    """Give a project whose model fails under camera C at dusk, and hardly anywhere else."""
    world = make_world(sqlite_ws, n_items=240)
    known = world.items[:216]
    know(world.ws, world.project, dict.fromkeys(known, CAT))
    conditions = {
        i: {
            "camera": "ABC"[n % 3],
            "light": ("sun", "dusk")[n // 3 % 2],
            "file": f"{n}.png",
            "row": "1",
            "note": ("<b>x</b>", "=1+1")[n % 2],
        }
        for n, i in enumerate(world.items)
    }
    describe(world.ws, world.project, conditions)
    said = {}
    for n, (i, doc) in enumerate(conditions.items()):
        bad = doc["camera"] == "C" and doc["light"] == "dusk"
        said[i] = DOG if (bad and n % 8 != 3) or n % 20 == 0 else CAT
    predict(world.ws, world.project, said)
    return world


def _ask(**more: object) -> SliceAsk:
    return SliceAsk(whose="model", against="gold", **more)  # type: ignore[arg-type]


PLANTED = (("camera", "C"), ("light", "dusk"))


def test_the_planted_pair_is_first_and_sure(biased: World):
    """Two columns together lead, whatever else there is; what names items is left out and said."""
    view = slices_of(biased.ws, biased.cast.manager, biased.slug, _ask())
    assert view.rows[0].conditions == PLANTED
    assert view.worst is view.rows[0]
    row = view.rows[0]
    assert (row.inside.n, row.items, row.rest.n) == (36, 36, 180)
    assert row.gap.high is not None
    assert row.gap.high < -0.3
    assert row.inside.value is not None
    assert row.shrunken.value is not None
    assert row.inside.value < row.shrunken.value
    assert {c.name for c in view.columns} >= {"camera", "light", "note"}
    assert any("'file'" in n for n in view.notes)
    parts = {r.conditions: r.explained_by for r in view.rows if len(r.conditions) == 1}
    assert parts[("camera", "C"),] == PLANTED


def test_columns_can_be_chosen_and_are_paired(biased: World):
    """By camera and light there are their values and pairs; an unknown column is named."""
    boss = biased.cast.manager
    view = slices_of(biased.ws, boss, biased.slug, _ask(by=("camera", "light")))
    assert {c for r in view.rows for c, _ in r.conditions} == {"camera", "light"}
    assert view.tested == 3 + 2 + 6
    assert view.rows[0].conditions == PLANTED
    with pytest.raises(InputError, match="no column 'weather'"):
        slices_of(biased.ws, boss, biased.slug, _ask(by=("weather",)))


def test_a_filter_and_a_larger_smallest_n_leave_slices_out(biased: World):
    """Only what the filter leaves is compared; what is too small is counted, not shown."""
    boss = biased.cast.manager
    view = slices_of(
        biased.ws,
        boss,
        biased.slug,
        _ask(by=("camera",), filters=Filters(metadata={"light": "dusk"})),
    )
    assert view.overall.n == 108
    large = slices_of(biased.ws, boss, biased.slug, _ask(by=("camera", "light"), fewest=80))
    assert {len(r.conditions) for r in large.rows} == {1}
    assert {c for r in large.rows for c, _ in r.conditions} == {"light"}
    assert large.suppressed == 3


def test_groups_below_the_setting_are_never_shown(biased: World):
    """Who asks for slices of one answer still gets none below the smallest group."""
    view = slices_of(biased.ws, biased.cast.manager, biased.slug, _ask(fewest=1))
    assert view.asked.fewest == biased.ws.settings.smallest_group
    assert all(r.inside.n >= view.asked.fewest for r in view.rows)


@pytest.mark.parametrize(
    "ask",
    [
        SliceAsk("beauty"),
        SliceAsk("recall"),
        SliceAsk("recall", "unicorn"),
        SliceAsk(whose="model", against="truth"),
        SliceAsk(tz="Mars/Olympus"),
        SliceAsk(margin=float("nan")),
    ],
)
def test_nonsense_is_refused_in_a_sentence(biased: World, ask: SliceAsk):
    """An unknown figure, class, reference, zone or margin is the asker's mistake and said so."""
    with pytest.raises(InputError):
        slices_of(biased.ws, biased.cast.manager, biased.slug, ask)


def test_every_figure_can_be_sliced(biased: World):
    """Votes give agreement, time, rework and rejection; an unknown person is not found."""
    for who in (0, 1):
        vote_all(
            biased, who, [CAT if i % 3 else DOG for i in range(30 + 10 * who)], seconds=3.0 + who
        )
    boss = biased.cast.manager
    for metric in ("agreement", "time", "rework", "rejected", "certificate"):
        view = slices_of(biased.ws, boss, biased.slug, SliceAsk(metric, fewest=10))
        assert view.asked.metric == metric
    times = slices_of(biased.ws, boss, biased.slug, SliceAsk("time", fewest=10, by=("person",)))
    names = {r.conditions[0][1]: r.inside.value for r in times.rows}
    assert names == {
        biased.cast.experts[0].name: pytest.approx(3.0),
        biased.cast.experts[1].name: pytest.approx(4.0),
    }
    agreed = slices_of(biased.ws, boss, biased.slug, SliceAsk("agreement", fewest=10))
    assert (agreed.overall.value, agreed.overall.n) == (1.0, 30)
    recall = slices_of(biased.ws, boss, biased.slug, _ask(metric="recall", of_class=CAT))
    assert recall.overall.n == 216
    with pytest.raises(NotFound):
        slices_of(biased.ws, boss, biased.slug, SliceAsk(whose="nobody"))


def test_everybody_is_asked_where_both_have_enough(biased: World):
    """With votes on known items the model counts as one more person, and has its name among them."""
    vote_all(biased, 0, [CAT] * 40)
    view = slices_of(biased.ws, biased.cast.manager, biased.slug, SliceAsk(by=("person",)))
    assert (view.asked.whose, view.asked.against) == ("everybody", "gold")
    assert view.overall.n == 256
    assert {r.conditions[0][1] for r in view.rows} == {"(the model)", biased.cast.experts[0].name}


def test_an_empty_project_has_no_slices(sqlite_ws: Workspace):
    """Nothing said, nothing known: no rows and no error, for classes and for boxes."""
    for slug, task in (("pets", Task.CLASSIFICATION), ("cells", Task.BOXES)):
        world = make_world(sqlite_ws, n_items=0, slug=slug, task=task)
        view = slices_of(world.ws, world.cast.operator, slug)
        assert (view.rows, view.overall.value) == ((), None)


# --- what is behind ---------------------------------------------------------------------------


def test_the_items_behind_a_slice_are_those_that_are_wrong(biased: World):
    """Worst first, only wrong ones; what one could still vote on is kept back from a lead."""
    found = slice_items(biased.ws, biased.cast.manager, biased.slug, _ask(), PLANTED)
    assert found.total == 36
    assert len(found.items) == 36 - round((found.figure.value or 0) * 36)
    assert all(i.wrong == 1 for i in found.items)
    kept = slice_items(biased.ws, biased.cast.lead, biased.slug, _ask(), PLANTED)
    assert (kept.items, kept.withheld) == ((), len(found.items))
    with pytest.raises(InputError, match="no slice"):
        slice_items(biased.ws, biased.cast.manager, biased.slug, _ask(), [("camera", "Z")])


def test_a_bounty_counts_and_queues_what_is_missing(biased: World):
    """So many open items of the slice, drawn by chance, become a list at the head of the plan."""
    boss = biased.cast.manager
    bounty = slice_bounty(biased.ws, boss, biased.slug, _ask(), PLANTED, 3.0)
    assert (bounty.waiting, bounty.offered) == (4, 4)
    assert bounty.needed > 700  # three points take a thousand or so at this share
    assert bounty.half is not None
    assert bounty.half > bounty.reached > 0.1  # four more images make no figure sure
    wide = slice_bounty(biased.ws, boss, biased.slug, _ask(), PLANTED, 100 * bounty.half - 0.2)
    assert 0 < wide.needed == wide.offered <= 4
    assert wide.reached <= wide.target
    made = make_bounty(biased.ws, boss, biased.slug, _ask(), PLANTED, 3.0)
    assert made.items == bounty.offered
    boosts = get_queue_plan(biased.ws, boss, biased.slug).plan.boosts
    assert [(b.kind, b.value, b.level) for b in boosts] == [("list", str(made.list_id), 5)]
    with biased.ws.store.read() as connection:
        listed = set(
            connection.execute(
                select(item_list_rows.c.item_id).where(item_list_rows.c.list_id == made.list_id)
            ).scalars()
        )
    assert listed <= set(biased.items[216:])
    again = make_bounty(biased.ws, boss, biased.slug, _ask(), PLANTED, 3.0)
    assert again.name == f"{made.name} (2)"
    queued = queued_bounties(biased.ws, boss, biased.slug, PLANTED)
    assert [(b.list_id, b.items, b.done) for b in queued] == [
        (made.list_id, 4, 0), (again.list_id, 4, 0)
    ]  # fmt: skip
    assert queued_bounties(biased.ws, boss, biased.slug, [("camera", "another")]) == ()
    take_back_bounty(biased.ws, boss, biased.slug, again.list_id)
    assert queued_bounties(biased.ws, boss, biased.slug, PLANTED) == queued[:1]
    with pytest.raises(NotFound, match="does not come first any more"):
        take_back_bounty(biased.ws, boss, biased.slug, again.list_id)


def test_a_bounty_of_what_is_no_slice_of_images_is_refused(biased: World):
    """Hours cannot be labelled more; a time has no share; points are points."""
    vote_all(biased, 0, [CAT] * 30)
    boss = biased.cast.manager
    person = [("person", biased.cast.experts[0].name)]
    with pytest.raises(InputError, match="belongs to the statement"):
        slice_bounty(biased.ws, boss, biased.slug, SliceAsk(whose="everybody"), person, 3.0)
    with pytest.raises(InputError, match="narrows a share"):
        slice_bounty(biased.ws, boss, biased.slug, SliceAsk("time"), PLANTED, 3.0)
    with pytest.raises(InputError, match="between 0 and 50"):
        slice_bounty(biased.ws, boss, biased.slug, _ask(), PLANTED, 0.0)


# --- measures ---------------------------------------------------------------------------------


def test_images_are_measured_once_and_become_columns(biased: World):
    """Bright and dark images are told apart; what cannot be read is counted; nothing is done twice."""
    boss, ws = biased.cast.manager, biased.ws
    with ws.store.read() as connection:
        rows_of = select(items.c.id, items.c.content_hash, items.c.location)
        found_items = {r.id: r for r in connection.execute(rows_of)}
    hashes = {i: r.content_hash for i, r in found_items.items()}
    for n, i in enumerate(biased.items[:40]):
        Image.new("RGB", (SIDE, SIDE), (n * 6,) * 3).save(ws.root / found_items[i].location)
    seen: list[int] = []
    found = measure_items(ws, boss, biased.slug, lambda _p, done, _t, _s: seen.append(done))
    assert (found.known, found.unreadable) == (40, 200)
    assert seen == sorted(seen)
    rows = read_measures(ws, [hashes[i] for i in biased.items])
    assert rows[:40, NAMES.index("brightness")] == pytest.approx(np.arange(40) * 6, abs=1)
    assert np.isnan(rows[40:]).all()
    assert measured_now(ws, boss, biased.slug).missing == 200
    view = slices_of(ws, boss, biased.slug, _ask(fewest=2, by=("brightness",)))
    assert view.unmeasured == 200
    for file in (ws.cache / "measures").rglob("*.parquet"):
        file.write_bytes(b"damaged")
    measured._read.cache_clear()
    assert measured_now(ws, boss, biased.slug).missing == 240


def test_a_model_works_at_no_hour(biased: World):
    """Hours and weeks are those of people: of a model alone there are none, beside people it is in none."""
    vote_all(biased, 0, [CAT] * 30)
    boss = biased.cast.manager
    alone = slices_of(biased.ws, boss, biased.slug, SliceAsk(whose="model"))
    assert not {"hour", "weekday", "week"} & {c.name for c in alone.columns}
    ready = prepare(biased.ws, boss, biased.slug, SliceAsk(whose="everybody", against="gold"))
    codes = {c.name: k for c, k in zip(ready.columns, ready.codes, strict=True)}
    person = next(c for c in ready.columns if c.name == "person")
    model = [v.name for v in person.values].index("(the model)")
    for name in {"hour", "weekday", "week"} & set(codes):
        assert (codes[name][codes["person"] == model] == -1).all()
