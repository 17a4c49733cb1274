"""Attacks on reviewing: forged decisions, drafts and tiles (B101, B102, B106, A1, A5, A6, A14, A15)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from core.clock import new_uuid
from core.errors import InputError
from core.queue.filters import QueueFilter
from core.queue.plan import QueuePlan
from core.services.accounts.people import operator
from core.services.grid.page import grid_page, hold_tiles
from core.services.grid.votes import decide_tiles
from core.services.projects.project import get_project
from core.services.projects.queue_plans import set_queue_plan
from core.services.review.claiming import claim_items
from core.services.review.leases import open_item, release_items
from core.services.review.submission import Submission
from core.services.review.submitting import submit_batch
from core.services.steering.rules import set_guideline
from core.services.talk.writing import start_thread
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.services.workspace import Workspace
from core.store.tables import annotation_log, drafts, gold_answers
from tests.pages.conftest import furnished, house
from tests.pages.house import House
from tests.record import World, make_world, say, vote
from tests.server.conftest import SAME_SITE, Enter, TestClient, client, enter
from tests.services.grid.paging import decision, planted_world, predict

__all__ = ["client", "enter", "furnished", "house"]

Make = Callable[..., World]


def row(item_id: object, /, **other: Any) -> dict[str, Any]:
    """Return a good decision as the deck sends it, or what `other` makes of it."""
    return {
        "uuid": str(uuid.uuid4()), "item_id": item_id, "kind": "vote", "base_revision": 0,
        "answer": {"choices": {"label": "oak"}, "regions": []}, "active_seconds": 1, "started_at": 0,
    } | other  # fmt: skip


def send(client: TestClient, rows: object, path: str = "decisions", **other: Any) -> Any:
    """Post a body whose numbers JSON itself has no name for too."""
    body = json.dumps(rows if path != "decisions" else {"submissions": rows, **other})
    headers = {**SAME_SITE, "Content-Type": "application/json"}
    return client.post(f"/files/{path}/leaves", content=body, headers=headers)


def drawn(**region: Any) -> dict[str, Any]:
    """Return an answer with one region."""
    return {"choices": {}, "regions": [{"label": "oak", **region}]}


NAN, INF = float("nan"), float("inf")
BAD_ANSWERS = {
    "nan": drawn(box=[NAN, 0, 9, 9]),
    "infinity": drawn(box=[0, 0, INF, 9]),
    "text edge": drawn(box=["0", 0, 9, 9]),
    "three edges": drawn(box=[0, 0, 9]),
    "no box": drawn(),
    "shape list": drawn(box=[0, 0, 9, 9], shape=["box"]),
    "shape object": drawn(box=[0, 0, 9, 9], shape={}),
    "unknown shape": drawn(shape="circle", points=[[0, 0]]),
    "points object": drawn(shape="polygon", points={"0": [0, 0]}),
    "points deep": drawn(shape="polygon", points=[[[0, 0], 0]]),
    "points huge": drawn(shape="polygon", points=[[10**400, 0], [1, 1], [2, 0]]),
    "rle number": drawn(shape="mask", rle=7),
    "rle none": drawn(shape="mask", rle=None),
    "attributes list": drawn(box=[0, 0, 9, 9], attributes=[1]),
    "attributes deep": drawn(box=[0, 0, 9, 9], attributes={"a": {"b": 1}}),
    "label none": {"choices": {}, "regions": [{"label": None, "box": [0, 0, 9, 9]}]},
    "region text": {"choices": {}, "regions": ["box"]},
    "regions text": {"choices": {}, "regions": "boxes"},
    "choices list": {"choices": [["label", "oak"]], "regions": []},
    "multi text": {"choices": {}, "multi": {"label": "oak"}},
    "multi deep": {"choices": {}, "multi": {"label": [["oak"]]}},
    "boxes where none are asked": drawn(box=[0, 0, 9, 9]),
    "ten thousand": {"choices": {}, "regions": [{"label": "oak", "box": [0, 0, 9, 9]}] * 10_000},
    "no object": [],
    "text": "oak",
    "nul class": {"choices": {"label": "o\0k"}},
    "nul question": {"choices": {"la\0bel": "oak"}},
    "long class": {"choices": {"label": "x" * 100_000}},
    "markup class": {"choices": {"label": "<img src=x onerror=alert(1)>"}},
}


@pytest.mark.parametrize("bad", BAD_ANSWERS)
def test_a_malformed_answer_is_refused_alone(enter: Enter, bad: str) -> None:
    """B106: refused in one readable sentence, as a vote and as a draft; the vote beside it is saved."""
    browser = enter("leo")
    first, second = browser.get("/files/queue/leaves?count=2").json()["items"]
    rows = [row(first["item_id"], answer=BAD_ANSWERS[bad]), row(second["item_id"])]
    refused, saved = send(browser, rows).json()["receipts"]
    assert (refused["status"], saved["status"]) == ("refused", "saved")
    assert 10 < len(refused["message"]) < 600
    draft = {"item_id": first["item_id"], "answer": BAD_ANSWERS[bad], "base_revision": 0}
    reply = send(browser, draft, "draft")
    assert reply.status_code == 422
    assert 10 < len(reply.json()["error"]["message"]) < 600


BAD_ROWS: dict[str, Any] = {
    "null": None, "number": 5, "text": "vote", "list": [], "empty": {},
    "uuid nul": {"uuid": "\0" * 12}, "uuid short": {"uuid": "x"}, "uuid long": {"uuid": "x" * 65},
    "uuid object": {"uuid": {}}, "item nan": {"item_id": NAN}, "item list": {"item_id": [1]},
    "item minus": {"item_id": -1}, "item half": {"item_id": 1.5}, "item forged": {"item_id": 2**61},
    "kind none": {"kind": None}, "kind other": {"kind": "erase" * 10_000}, "vote of nothing": {"answer": None},
    "revision minus": {"base_revision": -1}, "revision huge": {"base_revision": 10**40},
    "seconds infinite": {"active_seconds": INF}, "seconds text": {"active_seconds": "1"},
    "started nan": {"started_at": NAN}, "prediction forged": {"prelabel_seq": 424242},
    "prediction text": {"prelabel_seq": "first"}, "schema text": {"schema_version": "x"},
    "reason long": {"kind": "flag", "reason": "x" * 3000}, "reason none": {"kind": "flag", "reason": " \u200b"},
    "reason object": {"kind": "skip", "reason": {"a": 1}},
}  # fmt: skip


@pytest.mark.parametrize("bad", BAD_ROWS)
def test_a_forged_row_is_refused_alone(enter: Enter, bad: str) -> None:
    """A1, B103: whatever a row holds, it is refused with a sentence and the row beside it is saved."""
    browser = enter("leo")
    first, second = browser.get("/files/queue/leaves?count=2").json()["items"]
    other = BAD_ROWS[bad]
    forged = row(first["item_id"], **other) if isinstance(other, dict) and other else other
    refused, saved = send(browser, [forged, row(second["item_id"])]).json()["receipts"]
    assert (refused["status"], saved["status"]) == ("refused", "saved")
    assert 10 < len(refused["message"]) < 600


def test_half_a_letter_costs_nobody_elses_decision(enter: Enter) -> None:
    """A lone surrogate (an emoji cut in two) in one comment: the other decisions are saved."""
    browser = enter("leo")
    first, second = browser.get("/files/queue/leaves?count=2").json()["items"]
    cut = row(first["item_id"], kind="flag", answer=None, reason="other: look \ud83d")
    receipts = send(browser, [cut, row(second["item_id"])]).json()["receipts"]
    assert [r["status"] for r in receipts] == ["saved", "saved"]


def test_of_doubled_keys_the_last_counts_and_is_checked(enter: Enter) -> None:
    """B102: what is read is what is checked, whichever of two same keys that is."""
    browser = enter("leo")
    item = browser.get("/files/queue/leaves?count=1").json()["items"][0]["item_id"]
    body = json.dumps({"submissions": [row(item)]}).replace('"oak"', '"oak", "label": "cow"')
    headers = {**SAME_SITE, "Content-Type": "application/json"}
    reply = browser.post("/files/decisions/leaves", content=body, headers=headers).json()
    assert reply["receipts"][0]["status"] == "refused"


def test_no_draft_is_larger_than_it_need_be(enter: Enter, house: House) -> None:
    """A14: ten megabytes of draft are refused whole, and what was kept before stays."""
    browser = enter("leo")
    item = browser.get("/files/queue/leaves?count=1").json()["items"][0]["item_id"]
    good = {"item_id": item, "answer": {"choices": {"label": "oak"}}, "base_revision": 0}
    assert send(browser, good, "draft").status_code == 200
    bomb = {**good, "answer": {"choices": {"label": "x" * 10_000_000}}}
    assert send(browser, bomb, "draft").status_code == 413
    assert browser.get(f"/files/open/leaves/{item}").json()["item"]["draft"]["choices"] == {
        "label": "oak"
    }


def test_another_persons_draft_is_never_given(enter: Enter, house: House) -> None:
    """A5: a colleague, a lead and a manager open the same item and see no draft."""
    browser = enter("ada")
    item = browser.get("/files/queue/leaves?count=1").json()["items"][0]["item_id"]
    draft = {"item_id": item, "answer": {"choices": {"label": "birch"}}, "base_revision": 0}
    assert send(browser, draft, "draft").status_code == 200
    for who in ("leo", "mia", "kim"):
        reply = enter(who).get(f"/files/open/leaves/{item}")
        assert "birch" not in reply.text
    assert enter("eve").get(f"/files/open/leaves/{item}").status_code == 404


def test_no_route_takes_an_item_of_another_project(enter: Enter, house: House) -> None:
    """A1, B101: by any route an item of another project is not there, and nothing is written."""
    with house.ws.store.read() as connection:
        item = connection.exec_driver_sql("SELECT min(id) FROM items").scalar_one()
        before = connection.execute(select(func.count()).select_from(annotation_log)).scalar_one()
    browser = enter("eve")
    headers = {**SAME_SITE, "Content-Type": "application/json"}
    told = row(item, answer={"choices": {}, "regions": []})
    receipts = browser.post("/files/decisions/cells", json={"submissions": [told]}, headers=headers)
    assert receipts.json()["receipts"][0]["code"] == "NOT_FOUND"
    kept = {"item_id": item, "answer": {"choices": {}, "regions": []}, "base_revision": 0}
    assert browser.post("/files/draft/cells", json=kept, headers=headers).status_code == 404
    said = {"uuid": new_uuid(), "kind": "comment", "item_id": item, "text": "hello"}
    assert browser.post("/files/comment/cells", json=said, headers=headers).status_code == 404
    for path in (f"/files/open/cells/{item}", f"/files/about/cells/{item}"):
        assert browser.get(path).status_code == 404
    for path in ("release", "renew", "grid"):
        name = f"/files/{path}/cells" + ("/hold" if path == "grid" else "")
        assert browser.post(name, json={"item_ids": [item]}, headers=headers).status_code == 200
    with house.ws.store.read() as connection:
        after = connection.execute(select(func.count()).select_from(annotation_log)).scalar_one()
        assert connection.execute(select(func.count()).select_from(drafts)).scalar_one() == 0
        held = connection.exec_driver_sql(
            f"SELECT count(*) FROM leases WHERE person_id = {house.people['eve']}"
        ).scalar_one()
    assert (before, held) == (after, 0)


def test_nobody_hoards_by_any_way_to_a_lease(sqlite_ws: Workspace) -> None:
    """A15: queue, permalinks and the grid's hold together give no more than the cap."""
    world = make_world(sqlite_ws, n_items=200)
    who, cap = world.cast.experts[0], sqlite_ws.settings.lease_cap
    claim_items(sqlite_ws, who, world.slug, 10_000)
    for item in world.items:
        open_item(sqlite_ws, who, world.slug, item)
    hold_tiles(sqlite_ws, who, world.slug, world.items)
    with sqlite_ws.store.read() as connection:
        held = connection.exec_driver_sql("SELECT count(*) FROM leases").scalar_one()
    assert held <= cap


def test_a_comment_cannot_spoil_a_flag(ws: Workspace) -> None:
    """A comment under the name the flag's own thread would have stops neither it nor its neighbours."""
    world = make_world(ws)
    who, ours = world.cast.experts[0], new_uuid()
    start_thread(ws, who, world.slug, world.items[0], "mine", f"flag-{ours}")
    sent = [
        Submission(ours, world.items[1], "flag", reason="other: look at this"),
        Submission(new_uuid(), world.items[2], "vote", say("cat")),
    ]
    receipts = submit_batch(ws, who, world.slug, sent)
    assert receipts[1].status == "saved"
    assert receipts[0].status in ("saved", "refused")


@pytest.mark.parametrize("length", [8, 59, 60, 64])
def test_a_flag_with_any_uuid_that_is_taken_opens_its_thread(ws: Workspace, length: int) -> None:
    """The thread's own name is longer than the flag's by five letters and must fit too."""
    world = make_world(ws)
    sent = Submission("u" * length, world.items[1], "flag", reason="other: look at this")
    [receipt] = submit_batch(ws, world.cast.experts[0], world.slug, [sent])
    assert receipt.status == "saved"


# --- which tile is planted --------------------------------------------------------------------


TRIALS: dict[str, dict[str, Any]] = {
    "take back what was never given": {"kind": "withdraw", "base_revision": 0},
    "a class that is none": {"marks": {0: "unicorn"}},
    "no uuid": {"uuid": "x"},
    "a uuid of control characters": {"uuid": "\0" * 12},
}


@pytest.mark.parametrize("trial", TRIALS)
def test_no_trial_tells_a_planted_tile(sqlite_ws: Workspace, trial: str) -> None:
    """A6: what is refused of an ordinary tile is refused of a planted one in the same words."""
    world = planted_world(sqlite_ws)
    who = world.cast.experts[0]
    page = grid_page(sqlite_ws, who, world.slug, "cat", 24)
    assert {u.item_id for u in page.units} & set(world.items[-6:])
    sent = [decision(page, u, **TRIALS[trial]) for u in page.units]
    receipts = decide_tiles(sqlite_ws, who, world.slug, sent)
    assert len({(r.status, r.code, r.message, r.advice, r.revision) for r in receipts}) == 1
    assert receipts[0].status == "refused"
    again = grid_page(sqlite_ws, who, world.slug, "cat", 24)
    assert again.attention.n == 0


def test_no_number_tells_a_planted_tile(sqlite_ws: Workspace) -> None:
    """A6: where no two confidences are the same none is, and all have the same steps and order.

    Of pages where some are the same see tests/services/grid/test_doubt.py.
    """
    world = planted_world(sqlite_ws, open_items=60, known=6)
    # The model said dog of the planted ones, so their confidence as cats is made up.
    predict(world, dict.fromkeys(world.items[-6:], ("dog", 0.9)))
    predict(world, {i: ("cat", round(0.3 + n * 0.0071, 4)) for n, i in enumerate(world.items[:-6])})
    page = grid_page(sqlite_ws, world.cast.experts[0], world.slug, "cat", 60)
    assert {u.item_id for u in page.units} & set(world.items[-6:])
    shown = [u.tiles[0].confidence or 0.0 for u in page.units]
    assert len(set(shown)) == len(shown)
    assert {round(c * 10_000) % 71 for c in shown} == {3000 % 71}
    assert all(c == round(c, 4) for c in shown)
    assert shown == sorted(shown)


def test_an_item_with_gold_comes_once_and_is_voted_on(sqlite_ws: Workspace) -> None:
    """A6: it is a tile like any other, its vote counts, and no figure moves while it is open."""
    world = make_world(sqlite_ws, n_items=30, n_experts=3)
    predict(world, {i: ("cat", 0.3 + n / 1000) for n, i in enumerate(world.items)})
    gold = world.items[3]
    give_gold(world, gold, "dog")
    who = world.cast.experts[0]
    page = grid_page(sqlite_ws, who, world.slug, "cat", 30)
    assert sorted(u.item_id for u in page.units) == world.items
    receipts = decide_tiles(sqlite_ws, who, world.slug, [decision(page, u) for u in page.units])
    assert {(r.status, r.revision) for r in receipts} == {("saved", 1)}
    assert grid_page(sqlite_ws, who, world.slug).attention.n == 0
    assert not claim_items(sqlite_ws, who, world.slug, 40).items
    vote(world, world.cast.experts[1], gold)  # settled: now it may be known
    assert grid_page(sqlite_ws, who, world.slug).attention.n == 1


def give_gold(world: World, item: int, label: str) -> None:
    """Say what an item really shows."""
    gold = {"project_id": world.project.id, "item_id": item, "label": label, "answer": say(label).to_json(), "at": 1.0}  # fmt: skip
    with world.ws.store.write() as connection:
        connection.execute(gold_answers.insert(), gold)


# --- what a blind item was predicted to be ----------------------------------------------------


def blind_world(ws: Workspace) -> World:
    """Every item is to be answered without the model's word; one is predicted an owl."""
    world = make_world(ws, n_items=8)
    predict(world, {i: ("owl" if i == world.items[4] else "cat", 0.5) for i in world.items})
    set_queue_plan(ws, world.cast.manager, world.slug, QueuePlan(blind_share=1.0), "measure")
    return world


def told(world: World, part: QueueFilter) -> tuple[int, str]:
    """Return how many wait of a part of the queue, and what is said of it."""
    view = claim_items(world.ws, world.cast.experts[0], world.slug, 3, part=part)
    assert not view.items
    return view.waiting, view.empty_reason.replace("owl", "cat")


def test_no_count_tells_a_hidden_pre_label(ws: Workspace) -> None:
    """A6: neither how many wait of a class, nor why none do, differs by what is predicted."""
    world = blind_world(ws)
    owl, cat = (QueueFilter(predicted=name) for name in ("owl", "cat"))
    assert told(world, owl) == told(world, cat)
    assert told(world, owl)[0] == told(world, QueueFilter(predicted="dog"))[0]
    # In hand or not, skipped or not: the counts by class stay.
    who = world.cast.experts[0]
    before = told(world, owl)
    open_item(ws, who, world.slug, world.items[4])
    assert told(world, owl) == before
    counted = {c.name: c.waiting for c in grid_page(ws, who, world.slug).classes}
    assert set(counted.values()) == {0}
    release_items(ws, who, world.slug, [world.items[4]])


def test_what_is_not_blind_is_still_counted(ws: Workspace) -> None:
    """With half of the items blind, the others are counted by class as before."""
    half = QueuePlan(blind_share=0.5)
    sees = make_world(ws, slug="open", n_items=8)
    predict(sees, dict.fromkeys(sees.items, ("cat", 0.5)))
    set_queue_plan(ws, sees.cast.manager, sees.slug, half, "measure")
    who = sees.cast.experts[0]
    shown = [i for i in sees.items if open_item(ws, who, sees.slug, i).prelabel is not None]
    release_items(ws, who, sees.slug, sees.items)
    assert 0 < len(shown) < 8
    waiting = claim_items(ws, who, sees.slug, 0, part=QueueFilter(predicted="cat")).waiting
    assert waiting == len(shown)
    [counted] = [c.waiting for c in grid_page(ws, who, sees.slug).classes if c.name == "cat"]
    assert len(shown) < counted < len(shown) + 20  # told in tens, see the grid's figure


# --- more than a page can hold ----------------------------------------------------------------


def test_a_book_is_no_guideline(world: World) -> None:
    """A14: a megabyte is refused in a sentence, and the guideline in force stays."""
    with pytest.raises(InputError, match="at most 100,000"):
        set_guideline(world.ws, world.cast.lead, world.slug, "x" * 1_000_000, "all we know")
    assert get_project(world.ws, world.cast.lead, world.slug).guideline_version == 1


def test_long_metadata_does_not_swell_the_queue(enter: Enter, house: House, tmp_path: Path) -> None:
    """A14: 200 columns of 10 kB: the deck's window stays small, the values are cut and marked."""
    names = [f"column {n}" for n in range(200)]
    table = tmp_path / "about.csv"
    lines = [",".join(["file", *names])]
    lines += [",".join([f"leaf{i}.png", *["v" * 10_000] * 200]) for i in range(3)]
    table.write_text("\n".join(lines) + "\n")
    import_data(house.ws, operator(house.ws), "leaves", table, ImportOptions("items"))
    reply = enter("leo").get("/files/queue/leaves?count=6")
    assert len(reply.content) < 300_000
    shown = [v for i in reply.json()["items"] for v in i["metadata"].values()]
    assert shown
    assert {len(v) for v in shown} == {301}


# --- who may ask ------------------------------------------------------------------------------


ROUTES = (
    ("get", "queue/{p}?count=1", "vote"), ("get", "grid/{p}?classes=1", "vote"),
    ("get", "open/{p}/{i}", "see"), ("get", "about/{p}/{i}", "see"),
    ("get", "item/{i}?w=200", "see"), ("get", "crop/{i}?box=0,0,9,9", "see"), ("get", "tile/{i}/0/0_0", "see"),
    ("post", "decisions/{p}", "vote"), ("post", "draft/{p}", "vote"), ("post", "release/{p}", "vote"),
    ("post", "renew/{p}", "vote"), ("post", "grid/{p}", "vote"), ("post", "grid/{p}/hold", "vote"),
    ("post", "comment/{p}", "see"),
)  # fmt: skip


def body_of(path: str, item: int) -> dict[str, Any]:
    """Return what a good page would send there."""
    bodies: dict[str, dict[str, Any]] = {
        "decisions": {"submissions": [row(item)]},
        "draft": {"item_id": item, "answer": {"choices": {"label": "oak"}}},
        "comment": {"uuid": new_uuid(), "kind": "comment", "item_id": item, "text": "look"},
        "hold": {"item_ids": [item]}, "grid": {"tiles": []},
    }  # fmt: skip
    name = (
        path.rsplit("/", maxsplit=1)[-1]
        if path.endswith("hold")
        else path.split("/", maxsplit=1)[0]
    )
    return bodies.get(name, {"item_ids": [item]})


@pytest.mark.parametrize(("method", "path", "need"), ROUTES, ids=[r[1] for r in ROUTES])
def test_every_route_asks_who_it_is(
    enter: Enter, client: TestClient, house: House, method: str, path: str, need: str
) -> None:
    """A2, A23: nobody 401, a stranger as if it were not there, a manager looks but does not vote."""
    with house.ws.store.read() as connection:
        item = int(connection.exec_driver_sql("SELECT max(id) FROM items").scalar_one())
    where = "/files/" + path.format(p="leaves", i=item)

    def ask(browser: TestClient) -> int:
        if method == "get":
            return int(browser.get(where).status_code)
        return int(browser.post(where, json=body_of(path, item), headers=SAME_SITE).status_code)

    def refused(browser: TestClient) -> bool:
        """Return whether all was refused; decisions are, each in its own receipt."""
        if not path.startswith("decisions"):
            return ask(browser) in (403, 404)
        reply = browser.post(where, json=body_of(path, item), headers=SAME_SITE).json()
        return {r["code"] for r in reply["receipts"]} <= {"FORBIDDEN", "NOT_FOUND"}

    assert ask(client) == 401
    assert refused(enter("eve"))
    assert refused(enter("mia")) is (need == "vote")
    assert ask(enter("ada")) in (200, 404 if "tile" in path else 200)
    assert ask(enter("leo")) in (200, 404 if "tile" in path else 200)


def test_every_route_of_the_deck_is_asked_above() -> None:
    """A new route has to be put to nobody, a stranger and a manager too."""
    from core.server import about, decisions, grid, images

    known = {
        p.split("?")[0].split("/{")[0] + ("/hold" if p.endswith("hold") else "")
        for _, p, _ in ROUTES
    }
    for module in (about, decisions, grid, images):
        for route in module.routes(""):
            name = route.path.removeprefix("/files/")  # type: ignore[attr-defined]
            assert name.split("/{")[0] + ("/hold" if name.endswith("hold") else "") in known, name
