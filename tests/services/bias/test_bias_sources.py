"""Measurement and confirmation bias on a real record: confounded people, labels that go with a site."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from core.analytics.asked import Filters
from core.cli.bias_effects import (
    confirmation_document,
    confirmation_text,
    measurement_document,
    measurement_text,
)
from core.cli.output import plain
from core.clock import FakeClock, new_uuid
from core.errors import Forbidden, InputError
from core.labels import Answer
from core.services.analytics.replicas import forget_replicas
from core.services.bias import anchoring
from core.services.bias import measurement_bias as sources
from core.services.bias.anchoring import AnchorRow
from core.services.bias.confirmation_bias import (
    Found,
    cell_items,
    confirmation_bias,
)
from core.services.bias.measurement_bias import measurement_bias
from core.services.bias.said_labels import BiasAsk
from core.services.bias.slice_ask import SliceAsk
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.workspace import Workspace, open_workspace
from core.stats.intervals import Estimate
from core.store.tables import predictions
from tests.record import World, make_world
from tests.worked import describe, know, predict

CAT, DOG = "cat", "dog"


@pytest.fixture(scope="module")
def ws(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Give one workspace for all tests here: they only read."""
    root = tmp_path_factory.mktemp("bias") / "ws"
    root.mkdir()
    shutil.copy(sqlite_template, root / "tiebreak.db")
    ws = open_workspace(root, FakeClock(1_700_000_000.0))
    yield ws
    forget_replicas()
    ws.store.close()


@pytest.fixture(scope="module")
def said(ws: Workspace) -> World:
    """Give 240 images of three cameras at two sites; at the river too much is called a cat.

    The truth alternates, gold knows it of all; the model is wrong under camera C, at the river
    whatever it sees is called a cat one time in three, and 50 images have votes.
    """
    world = make_world(ws, n_items=240)
    rng = np.random.default_rng(0)
    truth = {i: (CAT, DOG)[int(rng.integers(2))] for i in world.items}
    know(world.ws, world.project, truth)
    docs, guesses = {}, {}
    for n, i in enumerate(world.items):
        docs[i] = {"camera": "ABC"[n % 3], "site": ("river", "hill")[n // 3 % 2], "only": "one"}
        wrong = docs[i]["camera"] == "C" and n % 2
        said = {CAT: DOG, DOG: CAT}[truth[i]] if wrong else truth[i]
        guesses[i] = CAT if docs[i]["site"] == "river" and rng.random() < 0.35 else said
    describe(world.ws, world.project, docs)
    predict(world.ws, world.project, guesses)
    with world.ws.store.read() as connection:
        rows = connection.execute(select(predictions.c.item_id, predictions.c.seq)).all()
    seqs = {r.item_id: r.seq for r in rows}
    for who, shown in ((0, True), (1, False)):
        for i in world.items[:50]:
            sent = Submission(
                new_uuid(), i, "vote", Answer({"label": truth[i]}), active_seconds=4.0,
                prelabel_shown=shown, prelabel_seq=seqs[i],
            )  # fmt: skip
            submit(world.ws, world.cast.experts[who], world.slug, sent)
    return world


def _ask(**more: object) -> SliceAsk:
    return SliceAsk(whose="model", against="gold", **more)  # type: ignore[arg-type]


def test_the_camera_is_told_apart_with_n_and_interval(said: World):
    """Camera C is surely worse of its own; raw and own stand side by side; parts add up."""
    view = measurement_bias(said.ws, said.cast.manager, said.slug, _ask())
    assert view.column == "camera"
    worst = view.values[0]
    assert (worst.name, worst.n, worst.is_sure) == ("C", 80, True)
    assert worst.own.high < -0.15
    assert worst.raw.value < -0.2
    assert not view.people
    assert sum(p.share.value for p in view.parts) == pytest.approx(1)
    assert [p.name for p in view.parts] == ["camera", "class", ""]


def test_the_camera_is_what_is_told_apart_though_another_column_differs_more(
    said: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The question is of the camera; what differs most is had by asking for it."""
    monkeypatch.setattr(sources, "_chance", lambda _ready, c: float(c.name == "camera"))
    boss = said.cast.manager
    assert measurement_bias(said.ws, boss, said.slug, _ask()).column == "camera"
    assert measurement_bias(said.ws, boss, said.slug, _ask(), sources.MOST).column != "camera"


def test_people_are_told_apart_from_the_camera(said: World):
    """With everybody looked at, people and the model are effects too, ranked only if separate."""
    view = measurement_bias(
        said.ws, said.cast.manager, said.slug,
        SliceAsk(whose="everybody", against="gold", fewest=10), "camera",
    )  # fmt: skip
    names = {e.name for e in view.people}
    assert names == {said.cast.experts[0].name, said.cast.experts[1].name, "(the model)"}
    by_name = {e.name: e for e in view.people}
    assert by_name["(the model)"].own.value < 0
    first, second = (by_name[said.cast.experts[k].name].standing for k in (0, 1))
    assert first.rank is None
    assert second.rank is None


def test_small_groups_and_little_data_are_kept_back(said: World):
    """Values of few statements are counted, not shown; of few statements in all nothing is told."""
    boss = said.cast.manager
    large = measurement_bias(said.ws, boss, said.slug, _ask(fewest=81), "site")
    assert (len(large.values), large.suppressed) == (2, 0)
    people = SliceAsk(whose="everybody", against="gold", fewest=60)
    shown = measurement_bias(said.ws, boss, said.slug, people, "site")
    assert ([e.name for e in shown.people], shown.suppressed) == (["(the model)"], 2)
    few = measurement_bias(
        said.ws, boss, said.slug, _ask(filters=Filters(metadata={"camera": "A"})), "site"
    )
    assert not few.is_enough
    assert few.statements == 80


@pytest.mark.parametrize(
    ("asked", "column"), [(SliceAsk("time"), ""), (SliceAsk("beauty"), ""), (_ask(), "weather")]
)
def test_what_cannot_be_told_apart_is_said(said: World, asked: SliceAsk, column: str):
    """Times, unknown figures and unknown columns are refused in a sentence."""
    with pytest.raises(InputError):
        measurement_bias(said.ws, said.cast.manager, said.slug, asked, column)


def test_a_label_that_goes_with_a_site_is_told_beside_the_truth(said: World):
    """Cat is said too often at the river, and the truth does not account for it."""
    view = confirmation_bias(said.ws, said.cast.manager, said.slug, BiasAsk("model"))
    assert (view.asked.against, view.items, view.known) == ("gold", 240, 240)
    river = next(c for c in view.cells if (c.value, c.label) == ("river", CAT))
    assert river.found is Found.BEYOND
    assert river.excess.low > 0.05
    assert river.ratio.low > 1
    assert river.items == 120
    assert view.cells[0].column == "site"
    assert view.columns[0].column == "site"
    assert view.columns[0].beyond == 4  # two sites, two labels
    camera = [c for c in view.cells if c.column == "camera"]
    assert all(c.found is not Found.BEYOND for c in camera)
    assert "file order" in {c.column for c in view.columns}
    assert "only" not in {c.column for c in view.columns}


def test_the_items_behind_are_the_wrong_ones_first(said: World):
    """Of the river's cats those that truly are dogs come first; voters see nothing open."""
    boss, asked = said.cast.manager, BiasAsk("model")
    found = cell_items(said.ws, boss, said.slug, asked, ("site", "river"), CAT)
    assert found.items[0].truth == DOG
    assert [i.truth for i in found.items] == sorted([i.truth for i in found.items], reverse=True)
    assert found.withheld == 0
    lead = cell_items(said.ws, said.cast.lead, said.slug, asked, ("site", "river"), CAT)
    assert lead.total == found.total
    assert lead.withheld > 0
    for where, label in ((("site", "moon"), CAT), (("sky", "blue"), CAT), (("site", "river"), "?")):
        with pytest.raises(InputError):
            cell_items(said.ws, boss, said.slug, asked, where, label)


def test_a_pre_label_in_view_is_held_against_blind_votes(said: World):
    """Both arms have shares with n; the pull is their difference, for all classes and each."""
    view = confirmation_bias(said.ws, said.cast.manager, said.slug)
    assert view.asked.said == "people"
    first = view.anchors[0]
    assert (first.label, first.shown.n, first.blind.n) == ("", 50, 50)
    assert first.pull.value == pytest.approx(0)
    assert first.pull.low < 0 < first.pull.high
    assert not first.is_sure
    assert [p > 0.5 for a in view.anchors if (p := a.adjusted_p) is not None] == [True] * 3
    filtered = BiasAsk(filters=Filters(metadata={"camera": "A"}))
    part = confirmation_bias(said.ws, said.cast.manager, said.slug, filtered)
    assert part.anchors[0].shown.n < 50


def test_nobody_else_may_ask_and_nonsense_is_refused(said: World):
    """Figures are for those who steer; unknown sayers and references, and regions, are refused."""
    for ask in (confirmation_bias, measurement_bias):
        with pytest.raises(Forbidden):
            ask(said.ws, said.cast.experts[0], said.slug)
    for asked in (BiasAsk("dogs"), BiasAsk(against="final")):
        with pytest.raises(InputError):
            confirmation_bias(said.ws, said.cast.manager, said.slug, asked)


def test_an_empty_project_and_regions_have_states(sqlite_ws: Workspace):
    """Without anything said there is nothing to tell, and no error; boxes are refused with a reason."""
    empty = make_world(sqlite_ws, n_items=3)
    boss = empty.cast.manager
    assert not measurement_bias(empty.ws, boss, empty.slug).is_enough
    for said in ("people", "model", "labels"):
        view = confirmation_bias(empty.ws, boss, empty.slug, BiasAsk(said))
        assert (view.cells, view.anchors, view.tested) == ((), (), 0)
    forget_replicas()


def test_the_terminal_tells_the_same_effects_and_associations(said: World):
    """Each effect and group is named as in `tiebreak slices`, with n, value and interval, in JSON and in lines."""
    apart = measurement_bias(said.ws, said.cast.manager, said.slug, _ask())
    doc = json.loads(json.dumps(plain(measurement_document(apart))))
    effect = doc["effects"][0]
    assert (effect["slice"], effect["n"], effect["sure"]) == ("camera=C", 80, True)
    assert effect["of_its_own"]["low"] < effect["of_its_own"]["value"] < -0.15
    assert effect["conditions"] == [{"column": "camera", "value": "C"}]
    line = next(t for t in measurement_text(apart).splitlines() if t.startswith("camera=C"))
    assert f"{effect['of_its_own']['value'] * 100:+.1f} (" in line
    goes = confirmation_bias(said.ws, said.cast.manager, said.slug, BiasAsk("model"))
    doc = json.loads(json.dumps(plain(confirmation_document(goes))))
    group = next(g for g in doc["groups"] if (g["slice"], g["label"]) == ("site=river", CAT))
    assert group["verdict"] == "beyond"
    assert group["times_as_often"]["low"] > 1
    assert group["beyond_truth"]["n"] == group["n"]
    assert "cat where site=river" in confirmation_text(goes)


def test_one_class_of_many_whose_interval_leaves_zero_out_is_not_called_sure() -> None:
    """An interval that ends at zero has p = 0.05; eleven classes looked at take a smaller one."""
    nothing = Estimate(None, None, None, 3)

    def row(label: str, pull: Estimate) -> AnchorRow:
        return AnchorRow(label, nothing, nothing, pull)

    ends_at_zero, lone = Estimate(0.2, 0.0, 0.4, 99), Estimate(0.26, 0.02, 0.48, 99)
    [whole] = anchoring._judged([row("", ends_at_zero)])
    assert whole.adjusted_p == pytest.approx(0.05, abs=1e-6)
    flat = [row(str(n), Estimate(0.01, -0.2, 0.2, 99)) for n in range(10)]
    judged = anchoring._judged([row("", nothing), row("rare", lone), *flat])
    assert judged[0].adjusted_p is None
    assert 0.05 < (judged[1].adjusted_p or 0.0) < 0.5
    assert [r.is_sure for r in anchoring._judged([row("", nothing), row("alone", lone)])] == [
        False,
        True,
    ]
