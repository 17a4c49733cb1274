"""The retrain page's states of a campaign: refused, certified, accepted, taken back, saved; what next; simulated."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import EmptyTrainingSet
from core.services.certificates.accept import accept
from core.services.certificates.campaign import certify_now, list_certificates
from core.services.certificates.simulation import Simulation, Way
from core.services.consensus.draws import Arm
from core.services.items.lists import list_lists
from core.services.models.datasets import freeze_labels
from core.services.workspace import current_workspace, open_workspace
from core.ui import simulation
from core.ui.background import Work
from core.ui.simulation import Running
from tests.pages.browser import Visit, words
from tests.pages.campaign import SLUG, Campaign, arm, make_campaign, promise
from tests.services.certificates.planted import answer


@pytest.fixture(scope="module")
def planted_once(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Campaign:
    """Plant the project."""
    root = tmp_path_factory.mktemp("campaign") / "workspace"
    root.mkdir()
    shutil.copy(sqlite_template, root / "tiebreak.db")
    made = make_campaign(open_workspace(root))
    made.house.ws.store.close()
    return made


@pytest.fixture
def made(
    planted_once: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Campaign]:
    """Give a copy of it, open as this process's own."""
    root = tmp_path / "workspace"
    shutil.copytree(planted_once.house.ws.root, root)
    monkeypatch.setenv("TIEBREAK_WORKSPACE", str(root))
    current_workspace.cache_clear()
    ws = current_workspace()
    once = planted_once.planted
    planted = replace(once, world=replace(once.world, ws=ws))
    yield Campaign(replace(planted_once.house, ws=ws), planted)
    ws.store.close()
    current_workspace.cache_clear()


def view(made: Campaign, monkeypatch: pytest.MonkeyPatch, name: str, **query: str):
    at = Visit(made.house, monkeypatch, "mia").open("retrain", project=SLUG, view=name, **query)
    assert not at.exception
    return at


def test_a_refusal_says_how_many_more_checks_it_needs(made: Campaign, monkeypatch) -> None:
    """A look at a strict promise refuses in a sentence, and so does the theatre at that target."""
    promise(made, target=0.02)
    at = view(made, monkeypatch, "certificate")
    at.button(key="certificate.look").click().run()
    text = words(at)
    assert "Refused." in text
    assert "Needs about" in text
    assert "No certificate." in text
    assert "more checked item" in text
    assert not [b for b in at.button if b.label == "Accept"]


def test_accepting_what_a_look_certified(made: Campaign, monkeypatch) -> None:
    """Certified, accepted for a reason, and the audit stands below with n and interval."""
    promise(made)
    at = view(made, monkeypatch, "certificate")
    at.button(key="certificate.look").click().run()
    assert "Certified." in words(at)
    assert "A first look at as much evidence would certify this." in words(at)
    (why,) = [i for i in at.text_input if "accept" in i.form_id]
    why.input("the look says so")
    next(b for b in at.button if b.label == "Accept").click().run()
    text = words(at)
    assert not at.exception
    assert "labels stand on its word" in text
    assert "Audit of what was accepted" in text
    assert "was taken back" not in text


def test_what_the_audit_takes_back_is_listed_with_all_it_reached(
    made: Campaign, monkeypatch
) -> None:
    """Items and dataset versions stand there though nobody pressed anything, and become a list."""
    promise(made)
    planted, lead = made.planted, made.planted.world.cast.lead
    found = certify_now(planted.ws, lead, SLUG, 2)
    accept(planted.ws, lead, SLUG, found.id, "good")
    version = freeze_labels(planted.ws, lead, SLUG, "after accepting")
    for item in arm(planted, Arm.AUDIT)[:14]:
        answer(planted, [item], frozenset([item]))
    at = view(made, monkeypatch, "certificate")
    text = words(at)
    assert "labels were taken back." in text
    assert "checked were wrong" in text
    assert f"{version.name} (" in text
    assert "taken back</span>" in text
    assert "Certified once; nothing stands on its word any more" in text
    keep = next(b for b in at.button if b.label == "Keep as a list to review")
    keep.click().run()
    (kept,) = list_lists(planted.ws, lead, SLUG)
    assert kept.items > 10


def test_a_promise_may_be_about_slices(made: Campaign, monkeypatch) -> None:
    """Each class and each value of a metadata column can be asked for."""
    at = view(made, monkeypatch, "certificate")
    (scope,) = [s for s in at.selectbox if s.label == "For"]
    assert scope.options == [
        "all items together", "each class by itself", "each value of camera by itself",
    ]  # fmt: skip


def test_the_theatre_takes_no_target_of_nothing(made: Campaign, monkeypatch) -> None:
    """The least target is above 0, and errors, hours and money come with what they rest on."""
    promise(made)
    at = view(made, monkeypatch, "certificate")
    assert at.slider(key="theatre.target").min > 0
    assert at.slider(key="theatre.sure").max < 100
    text = words(at)
    assert "EUR an hour" in text
    assert text.count("<li><a") == 20  # the riskiest, as images
    at.slider(key="theatre.target").set_value(0.5).run()
    assert "No certificate." in words(at)


def test_the_theatre_answers_a_drag_without_spending_anything(made: Campaign, monkeypatch) -> None:
    """Another target gives another scene; no look is taken by it."""
    at = view(made, monkeypatch, "certificate")
    assert "Nothing is accepted automatically" in words(at)
    before = words(at)
    at.slider(key="theatre.target").set_value(20.0).run()
    after = words(at)
    assert before != after
    for said in ("Nobody would label", "hours saved", "Risk against coverage", "Classes swept up",
                 "Calibration error (ECE)"):  # fmt: skip
        assert said in after
    assert not list_certificates(made.planted.ws, made.house.actor("mia"), SLUG)


def test_the_theatre_of_a_model_nobody_checked(made: Campaign, monkeypatch) -> None:
    """Evaluate items alone make a curve; the saving says what is missing, with n."""
    at = view(made, monkeypatch, "certificate")
    text = words(at)
    assert "Not enough data: 0 items were labelled from scratch and timed; 30 are needed." in text
    assert "up to 70 %" in text


def test_the_measured_saving_stands_beside_the_claim(made: Campaign, monkeypatch) -> None:
    """With 30 items timed from scratch there is a figure with its interval and n."""
    promise(made)
    answer(made.planted, arm(made.planted, Arm.SCRATCH)[:40])
    text = words(view(made, monkeypatch, "certificate"))
    assert "Measured saving" in text
    assert "95 % interval" in text
    assert "Claim: up to 70 %." in text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"by": "margin"}, "Where the two likeliest classes are closest"),
        ({"by": "k-centre"}, "Farthest first among"),
        ({"by": "disagreement"}, "By how much their answers differ"),
        ({"by": "quota"}, "Classes as the model says them"),
        ({"by": "quota", "of": "camera"}, "Classes as the model says them"),
    ],
    ids=lambda v: "-".join(v.values()) if isinstance(v, dict) else None,
)
def test_each_way_to_choose_is_explained(made: Campaign, monkeypatch, query, said) -> None:
    """A plain sentence stands below the choice, and a random part is always there."""
    text = words(view(made, monkeypatch, "next", **query))
    assert said in text
    assert "100 of " in text
    assert "10 of them are drawn at random" in text


def test_a_quota_of_one_camera_brings_that_camera(made: Campaign, monkeypatch) -> None:
    """Of slices as of classes: those left out come only to fill up or by chance."""
    at = view(made, monkeypatch, "next", by="quota", of="camera")
    at.multiselect(key="next.quota.camera").set_value(["A"]).run()
    at.number_input(key="next.count").set_value(20).run()
    place = {i: n for n, i in enumerate(made.planted.world.items)}
    shown = [int(p.split("item=")[1].split("'")[0]) for p in words(at).split("<li><a")[1:]]
    assert len(shown) == 20
    assert sum(place[i] % 2 for i in shown) <= 2  # the random tenth


RESULT = Simulation(
    human_share=0.31, low=0.28, high=0.35, auto_error=0.021, auto_error_max=0.044,
    runs_over_target=0.0, runs_low=0.0, runs_high=0.28, final_accuracy=0.985, seeds=10, n=500,
    refused_runs=1, target_error=0.05, confidence=0.9, seconds=12.0, spending=(0.05,),
    table=(
        Way("manual", 1.0, 0.0, 0.0, 1.0), Way("automatic", 0.0, 0.12, 1.0, 0.88),
        Way("point threshold", 0.2, 0.07, 0.8, 0.94), Way("certificate", 0.31, 0.021, 0.0, 0.985),
    ),
    runs=(),
)  # fmt: skip


def simulated(made: Campaign, monkeypatch, work: Work[Simulation]):
    visit = Visit(made.house, monkeypatch, "mia")
    running = Running(work)
    key = (str(made.house.ws.root), SLUG, "mia")
    monkeypatch.setitem(simulation._newest, key, running)
    at = visit.open("retrain", project=SLUG, view="simulate")
    assert not at.exception
    return at, running


def test_a_simulation_under_way_can_be_stopped(made: Campaign, monkeypatch) -> None:
    """Phase, share and time left are there, and a button that stops it."""
    work: Work[Simulation] = Work("campaigns", 3, 10, 21.0)
    at, running = simulated(made, monkeypatch, work)
    (bar,) = at.get("progress")
    assert bar.proto.text == "Running campaigns · 3 of 10 · about 21 seconds left"
    at.button(key="simulate.stop").click().run()
    assert running.stop.is_set()


def test_a_simulation_is_there_for_its_reader_in_a_new_session(made: Campaign, monkeypatch) -> None:
    """Who reloads the page finds what runs; nobody else sees it."""
    simulated(made, monkeypatch, Work("campaigns", 3, 10, 21.0))
    again = Visit(made.house, monkeypatch, "mia").open("retrain", project=SLUG, view="simulate")
    assert len(again.get("progress")) == 1
    other = Visit(made.house, monkeypatch, "leo").open("retrain", project=SLUG, view="simulate")
    assert len(other.get("progress")) == 0


def test_a_simulation_holds_four_ways_side_by_side(made: Campaign, monkeypatch) -> None:
    """Ours, everybody, nobody and the usual threshold; figures with their range, n and interval."""
    work: Work[Simulation] = Work(result=RESULT)
    work.over.set()
    text = words(simulated(made, monkeypatch, work)[0])
    for said in ("People label everything", "The model labels everything", "Tiebreak&#x27;s certificate",
                 "A threshold on the validation estimate", "Over 10 campaigns on 500 images",
                 "28.0 – 35.0 % over 10 campaigns", "0.0 – 28.0 %, n = 10",
                 "In 1 campaign nothing was accepted"):  # fmt: skip
        assert said in text


def test_a_simulation_that_cannot_be_says_why(made: Campaign, monkeypatch) -> None:
    """Too few known labels: one sentence and what to do."""
    work: Work[Simulation] = Work(error=EmptyTrainingSet("Found 3 labels.", "Import labels."))
    work.over.set()
    text = words(simulated(made, monkeypatch, work)[0])
    assert "Found 3 labels." in text
    assert "Import labels." in text
