"""Reviewing and ruling in a real browser, hands on the keyboard."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import select

from core.access import Role
from core.clock import new_uuid
from core.consensus.policy import OnDisagreement, Policy
from core.labels import Answer, Region
from core.labels.schema import LabelSchema, Task, make_question
from core.services.accounts.changing import add_person
from core.services.accounts.keymap import LEFT
from core.services.accounts.people import operator
from core.services.accounts.preferences import Preferences, set_preferences
from core.services.items.why import explain
from core.services.projects.project import NewProject, create_project
from core.services.review.adjudication import disputes
from core.services.review.claiming import claim_items
from core.services.review.leases import open_item
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.services.workspace import open_workspace
from core.store.tables import annotation_log
from tests.browser.conftest import serving
from tests.pages.house import CLASSES, House, furnish

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


@dataclass(frozen=True)
class Place:
    """A served workspace, and the same workspace seen from here."""

    address: str
    house: House

    def answers(self, who: str, slug: str = "leaves") -> list[tuple[str, str | None, int]]:
        """Return a person's answers on the record: kind, label, revision, oldest first."""
        project = {"leaves": 1, "cells": 2}[slug]
        with self.house.ws.store.read() as connection:
            rows = connection.execute(
                select(annotation_log.c.kind, annotation_log.c.label, annotation_log.c.revision)
                .where(
                    annotation_log.c.person_id == self.house.people[who],
                    annotation_log.c.project_id == project,
                )
                .order_by(annotation_log.c.seq)
            ).all()
        return [(r.kind, r.label, r.revision) for r in rows]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Give a server over a workspace with thirty leaves and three cell images."""
    house = furnish(open_workspace(tmp_path / "workspace"), tmp_path, images=30)
    cells = tmp_path / "cells"
    cells.mkdir()
    chance = random.Random(2)
    for n in range(3):
        colour = tuple(chance.randrange(256) for _ in range(3))
        Image.new("RGB", (640, 480), colour).save(cells / f"cell{n}.png")
    import_data(house.ws, operator(house.ws), "cells", cells, ImportOptions())
    with serving(house.ws.root) as address:
        yield Place(address, house)
    house.ws.store.close()


def review(visit: Visit, place: Place, who: str, slug: str = "leaves", **query: str) -> Page:
    """Open the deck as somebody and wait for its first image."""
    page = visit(f"{place.address}/", who)
    tail = "".join(f"&{k}={v}" for k, v in query.items())
    page.goto(f"{place.address}/review?project={slug}{tail}")
    expect(page.locator(".deck .picture img")).to_be_visible(timeout=20_000)
    return page


def press_on_next(page: Page, key: str) -> None:
    """Press a key and wait until another image is there."""
    before = page.locator(".stage").get_attribute("data-item")
    page.keyboard.press(key)
    expect(page.locator(".stage")).not_to_have_attribute("data-item", before or "")
    expect(page.locator(".deck .picture img")).to_be_visible()


def saved(page: Page) -> Locator:
    """Return what the deck says of what is on the record."""
    return page.locator(".deck .saved")


def test_a_session_by_keyboard_alone(place: Place, visit: Visit) -> None:
    """Digits choose, Space and X skip, Z takes back over the batch, Shift+Z decides again."""
    page = review(visit, place, "leo")
    for key in ("1", "2", "Space"):
        press_on_next(page, key)
    page.keyboard.press("x")
    press_on_next(page, "5")
    expect(saved(page)).to_have_text("Saved 4")
    assert [a[:2] for a in place.answers("leo")] == [
        ("vote", CLASSES[0]), ("vote", CLASSES[1]), ("skip", None), ("skip", None),
    ]  # fmt: skip
    press_on_next(page, "z")
    expect(saved(page)).to_have_text("Saved 3")
    assert place.answers("leo")[-1] == ("withdraw", None, 2)
    press_on_next(page, "Shift+Z")
    expect(saved(page)).to_have_text("Saved 4")
    assert place.answers("leo")[-1] == ("skip", None, 3)


def test_a_comment_is_text_and_not_keys(place: Place, visit: Visit) -> None:
    """Digits and letters typed into the flag's comment decide nothing; Enter sends it."""
    page = review(visit, place, "leo")
    page.keyboard.press("f")
    expect(page.locator("dialog textarea")).to_be_focused()
    page.keyboard.type("1 or 2? axz")
    press_on_next(page, "Enter")
    expect(saved(page)).to_have_text("Saved 1")
    assert [a[0] for a in place.answers("leo")] == ["flag"]
    row = disputes(place.house.ws, place.house.actor("leo"), "leaves")
    assert [r.flagged for r in row] == [True]


def test_the_next_image_is_there_at_once(place: Place, visit: Visit) -> None:
    """Key to painted image, prefetched: well below what a person notices."""
    page = review(visit, place, "leo")
    page.wait_for_timeout(1500)
    page.evaluate(
        """() => {
          const deck = [...document.querySelectorAll("*")].map((e) => e.shadowRoot)
            .find((r) => r?.querySelector(".deck"));
          const picture = deck.querySelector(".picture");
          window.took = []; let pressed = 0;
          window.addEventListener("keydown", () => { pressed = performance.now(); }, true);
          new MutationObserver(() => {
            if (!pressed || !picture.querySelector("img")) return;
            const since = pressed; pressed = 0;
            requestAnimationFrame(() => setTimeout(() => window.took.push(performance.now() - since)));
          }).observe(picture, { childList: true });
        }"""
    )
    for _ in range(15):
        page.keyboard.press("1")
        page.wait_for_timeout(250)
    took = sorted(page.evaluate("window.took"))
    assert len(took) >= 13
    assert took[len(took) // 2] < 100, took


def test_nothing_is_lost_without_network_or_session(place: Place, chromium: Browser) -> None:
    """Pending says so; a reload, and signing in again, send it; every decision counts once."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.goto(place.address)
    page.click("button[value=leo]")
    page.goto(f"{place.address}/review?project=leaves")
    expect(page.locator(".deck .picture img")).to_be_visible(timeout=20_000)
    page.route("**/files/decisions/**", lambda route: route.abort())
    press_on_next(page, "1")
    press_on_next(page, "2")
    expect(saved(page)).to_have_text("Saved 0 · pending 2")
    expect(page.locator(".trouble")).to_contain_text("Reconnecting")
    assert place.answers("leo") == []
    page.unroute("**/files/decisions/**")
    page.reload()
    expect(saved(page)).to_have_text("Saved 2", timeout=20_000)
    expect(page.locator(".deck .picture img")).to_be_visible()
    page.evaluate("fetch('/account/logout', {method: 'POST'})")
    page.wait_for_timeout(300)
    press_on_next(page, "3")
    expect(page.locator(".trouble")).to_contain_text("Nothing is lost")
    other = context.new_page()
    other.goto(place.address)
    other.click("button[value=leo]")
    other.close()
    page.get_by_role("button", name="Try again").click()
    expect(saved(page)).to_have_text("Saved 3")
    expect(page.locator(".trouble")).to_be_hidden()
    assert [a[:2] for a in place.answers("leo")] == [("vote", c) for c in CLASSES]
    context.close()


def test_an_answer_given_in_another_tab_is_told_not_overwritten(place: Place, visit: Visit) -> None:
    """F27: one answer stands, the second comes back with its sentence."""
    page = review(visit, place, "leo", item="9")
    second = page.context.new_page()
    second.goto(f"{place.address}/review?project=leaves&item=9")
    expect(second.locator(".deck .picture img")).to_be_visible(timeout=20_000)
    press_on_next(second, "1")
    expect(saved(second)).to_have_text("Saved 1")
    page.bring_to_front()
    press_on_next(page, "2")
    expect(page.locator(".refusal")).to_contain_text("that answer stands")
    expect(saved(page)).to_have_text("Saved 0")
    assert [a[:2] for a in place.answers("leo")] == [("vote", CLASSES[0])]


def test_a_box_drawn_on_the_canvas_is_where_it_was_drawn(place: Place, visit: Visit) -> None:
    """Shift+E opens the canvas, a drag draws, S saves; off by no more than the mouse's own pixel."""
    page = review(visit, place, "ada", "cells")
    item = int(page.locator(".stage").get_attribute("data-item") or 0)
    page.keyboard.press("Shift+E")
    canvas = page.locator("canvas.upper-canvas")
    expect(canvas).to_be_visible(timeout=20_000)
    expect(page.get_by_role("button", name="Save, next image")).to_be_enabled()
    page.wait_for_timeout(800)
    area = canvas.bounding_box()
    assert area is not None
    x, y = round(area["x"]) + 60, round(area["y"]) + 80
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 120, y + 90, steps=6)
    page.mouse.up()
    expect(page.get_by_text("Draft saved")).to_be_visible()
    page.keyboard.press("s")
    expect(page.locator(".deck .picture img")).to_be_visible()
    mine = open_item(place.house.ws, place.house.actor("ada"), "cells", item).mine
    assert mine is not None
    scale = 640 / area["width"]
    left, top = (x - area["x"]) * scale, (y - area["y"]) * scale
    wanted = (left, top, left + 120 * scale, top + 90 * scale)
    assert max(abs(a - b) for a, b in zip(mine.regions[0].box, wanted, strict=True)) <= 1.1 * scale
    page.keyboard.press("z")
    expect(page.locator(".stage")).to_have_attribute("data-item", str(item))
    expect(saved(page)).to_have_text("Saved 0")


def test_a_dispute_is_settled_by_keyboard_and_the_next_opens(place: Place, visit: Visit) -> None:
    """A class, a reason, D: three keys."""
    ada, leo = place.house.actor("ada"), place.house.actor("leo")
    for item in claim_items(place.house.ws, ada, "leaves", 2).items:
        flagged = Submission(new_uuid(), item.item_id, "flag", reason="other: look")
        submit(place.house.ws, ada, "leaves", flagged)
    first, second = (r.item_id for r in disputes(place.house.ws, leo, "leaves"))
    page = visit(f"{place.address}/", "leo")
    page.goto(f"{place.address}/adjudicate?project=leaves")
    expect(page.locator(".votes .picture img")).to_be_visible(timeout=20_000)
    page.wait_for_timeout(600)
    page.keyboard.press("2")
    expect(page.get_by_role("button", name="Decide: oak")).to_be_visible()
    page.keyboard.press("g")
    expect(page.get_by_role("button", name="Decide: oak")).to_be_enabled()
    page.keyboard.press("d")
    expect(page.get_by_text("1 of 1")).to_be_visible()
    assert explain(place.house.ws, leo, "leaves", first).label == "oak"
    assert [r.item_id for r in disputes(place.house.ws, leo, "leaves")] == [second]


def dispute(place: Place, slug: str, number: int) -> list[int]:
    """Bring items of a project into dispute, and return them in the lead's order."""
    ws, ada = place.house.ws, place.house.actor("ada")
    for item in claim_items(ws, ada, slug, number).items:
        flagged = Submission(new_uuid(), item.item_id, "flag", reason="other: look")
        submit(ws, ada, slug, flagged)
    return [r.item_id for r in disputes(ws, place.house.actor("leo"), slug)]


def adjudicate(visit: Visit, place: Place, slug: str = "leaves") -> Page:
    """Open the disputes as the lead and look at the first."""
    page = visit(f"{place.address}/", "leo")
    page.goto(f"{place.address}/adjudicate?project={slug}")
    expect(page.locator(".votes .picture img")).to_be_visible(timeout=20_000)
    page.wait_for_timeout(900)
    return page


def test_keys_typed_fast_rule_on_one_dispute_and_on_no_other(place: Place, visit: Visit) -> None:
    """At any pace a class, a reason, D decide; a key for the old one does nothing to the next."""
    ws, leo = place.house.ws, place.house.actor("leo")
    items = dispute(place, "leaves", 7)
    page = adjudicate(visit, place)
    for done, gap in enumerate((0, 60, 120, 250, 330, 350), 1):
        for key in "2gdx":
            page.keyboard.press(key)
            page.wait_for_timeout(gap)
        left = len(items) - done
        expect(page.get_by_text(f"1 of {left}", exact=True)).to_be_visible()
        page.wait_for_timeout(1200)
        assert [r.item_id for r in disputes(ws, leo, "leaves")] == items[done:], gap
        why = explain(ws, leo, "leaves", items[done - 1])
        assert why.label == "oak", gap
        assert any("Guideline settles it" in s for s in why.sentences)
        expect(page.get_by_role("textbox", name="Reason")).to_have_value("")
    page.keyboard.press("x")
    expect(page.get_by_role("alert")).to_have_text("Not decided: say why first.")
    assert [r.item_id for r in disputes(ws, leo, "leaves")] == items[6:]


def test_a_reason_typed_and_a_ruling_at_once(place: Place, visit: Visit) -> None:
    """The text, Enter and D at once, then X: one item is decided for that text, the next is not."""
    ws, leo = place.house.ws, place.house.actor("leo")
    items = dispute(place, "leaves", 2)
    page = adjudicate(visit, place)
    page.keyboard.press("2")
    reason = page.get_by_role("textbox", name="Reason")
    reason.click()
    page.keyboard.type("lobed leaf")
    page.get_by_role("button", name="Decide").click()
    page.wait_for_timeout(100)
    page.keyboard.press("x")
    expect(page.get_by_text("1 of 1", exact=True)).to_be_visible()
    page.wait_for_timeout(800)
    assert any("lobed leaf" in s for s in explain(ws, leo, "leaves", items[0]).sentences)
    assert [r.item_id for r in disputes(ws, leo, "leaves")] == items[1:]
    expect(reason).to_have_value("")


def test_a_ruling_outlives_a_reload_and_a_lost_connection(place: Place, chromium: Browser) -> None:
    """What was picked and said is there after a reload; a ruling that met no server is sent later."""
    ws, leo = place.house.ws, place.house.actor("leo")
    items = dispute(place, "leaves", 2)
    # A context of its own: the browser writes refused connections to its console.
    page = chromium.new_context(viewport={"width": 1280, "height": 720}).new_page()
    page.goto(f"{place.address}/adjudicate?project=leaves")
    page.click("button[value=leo]")
    expect(page.locator(".votes .picture img")).to_be_visible(timeout=20_000)
    page.keyboard.type("2g")
    page.reload()
    expect(page.get_by_role("button", name="Decide: oak")).to_be_visible(timeout=20_000)
    expect(page.get_by_role("textbox", name="Reason")).to_have_value("Guideline settles it")
    expect(page.locator(".votes .picture img")).to_be_visible(timeout=20_000)
    page.route("**/files/ruling/**", lambda route: route.abort())
    page.wait_for_timeout(500)
    page.keyboard.type("dx")
    expect(page.get_by_role("alert")).to_contain_text("Not decided yet: no connection")
    assert [r.item_id for r in disputes(ws, leo, "leaves")] == items
    page.unroute("**/files/ruling/**")
    expect(page.get_by_text("1 of 1", exact=True)).to_be_visible(timeout=20_000)
    assert explain(ws, leo, "leaves", items[0]).label == "oak"
    expect(page.get_by_role("textbox", name="Reason")).to_have_value("")
    page.context.close()


def test_two_questions_and_the_ruling_fit_on_a_laptop(place: Place, visit: Visit) -> None:
    """At 1280 by 720, before and after a ruling: no chip is cut, and digits are on the one in hand."""
    kinds = ["oak", "elm", "ash", "birch", "lime", "beech"]
    states = ["fresh", "dry", "torn", "eaten", "mouldy"]
    schema = LabelSchema(
        Task.CLASSIFICATION,
        (make_question("label", "Species", kinds), make_question("state", "State", states)),
    )
    add_project(place, "two", schema, Policy(on_disagreement=OnDisagreement.LEAD))
    house = place.house
    for who in ("ivo", "una"):
        house.people[who] = add_person(
            house.ws, operator(house.ws), who, who, roles=[(Role.EXPERT, None)]
        )
    for item in claim_items(house.ws, house.actor("ivo"), "two", 3).items:
        for who, said in (("ivo", ("oak", "dry")), ("una", ("elm", "torn"))):
            open_item(house.ws, house.actor(who), "two", item.item_id)
            answer = Answer(dict(zip(("label", "state"), said, strict=True)))
            vote = Submission(new_uuid(), item.item_id, "vote", answer)
            submit(house.ws, house.actor(who), "two", vote)
    page = adjudicate(visit, place, "two")
    # Each chip keeps the colour of its class.
    colours = "b => getComputedStyle(b.querySelector('.swatch')).backgroundColor"
    assert page.get_by_role("button", name="oak").evaluate(colours) != "rgba(0, 0, 0, 0)"
    rulings = ("Decide", "No class fits", "Discard", "More votes")
    for _ in range(2):
        expect(page.get_by_text("Q W: take an answer · digits: answer")).to_be_in_viewport(ratio=1)
        for name in (*kinds, *states, "Image unclear", *rulings):
            expect(page.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
        page.keyboard.press("1")
        expect(page.get_by_role("button", name="fresh").locator("kbd")).to_have_text("1")
        page.keyboard.press("2")
        page.keyboard.press("g")
        expect(page.get_by_role("button", name="Decide: oak, dry")).to_be_visible()
        page.keyboard.press("d")
        expect(page.get_by_role("textbox", name="Reason")).to_have_value("")
        page.wait_for_timeout(900)


def test_a_ruling_is_in_sight_on_a_laptop(place: Place, visit: Visit) -> None:
    """With ten classes the reason and every ruling still lie inside 1280 by 720."""
    ws, boss, classes = place.house.ws, operator(place.house.ws), [f"Class {n}" for n in range(10)]
    create_project(ws, boss, NewProject("many", Task.CLASSIFICATION, classes, title="Many"))
    import_data(ws, boss, "many", place.house.source, ImportOptions())
    item = claim_items(ws, place.house.actor("ada"), "many", 1).items[0]
    flagged = Submission(new_uuid(), item.item_id, "flag", reason="other: look")
    submit(ws, place.house.actor("ada"), "many", flagged)
    page = visit(f"{place.address}/", "leo")
    page.goto(f"{place.address}/adjudicate?project=many")
    expect(page.locator(".votes .picture img")).to_be_visible(timeout=20_000)
    for name in ("Class 9", "Image unclear", "Decide", "No class fits", "Discard", "More votes"):
        expect(page.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("textbox", name="Reason")).to_be_in_viewport(ratio=1)


def test_boxes_of_a_dispute_lie_on_the_image(place: Place, visit: Visit) -> None:
    """Everybody's boxes are drawn in the image's own pixels, each with its hue and dash."""
    ada = place.house.actor("ada")
    item = claim_items(place.house.ws, ada, "cells", 1).items[0]
    answer = Answer({}, (Region("neutrophil", 64, 48, 320, 240),))
    submit(place.house.ws, ada, "cells", Submission(new_uuid(), item.item_id, "vote", answer))
    eve = place.house.actor("eve")
    open_item(place.house.ws, eve, "cells", item.item_id)
    submit(
        place.house.ws, eve, "cells", Submission(new_uuid(), item.item_id, "flag", reason="other")
    )
    page = visit(f"{place.address}/", "leo")
    page.goto(f"{place.address}/adjudicate?project=cells")
    image = page.locator(".votes .picture img")
    expect(image).to_be_visible(timeout=20_000)
    edge = page.locator(".votes .overlay g.box rect").nth(1)
    expect(edge).to_have_attribute("x", "64")
    shown, drawn = page.locator(".votes .picture").bounding_box(), edge.bounding_box()
    assert shown is not None
    assert drawn is not None
    scale = min(shown["width"] / 640, shown["height"] / 480)
    left = shown["x"] + (shown["width"] - 640 * scale) / 2
    assert abs(drawn["x"] + drawn["width"] / 2 - (left + 192 * scale)) < 2


def add_project(place: Place, slug: str, schema: LabelSchema, policy: Policy | None = None) -> None:
    """Make a classification project over the place's images."""
    boss = operator(place.house.ws)
    new = NewProject(slug, schema.task, title=slug, schema=schema, policy=policy or Policy())
    create_project(place.house.ws, boss, new)
    import_data(place.house.ws, boss, slug, place.house.source, ImportOptions())


def test_a_class_among_a_thousand_is_found_by_typing(place: Place, visit: Visit) -> None:
    """Slash, a few letters, Enter; then it is under 6, and no thousand buttons are drawn."""
    names = [f"species {n}" for n in range(999)] + ["Acer campestre"]
    schema = LabelSchema(Task.CLASSIFICATION, (make_question("label", "Species", names),))
    add_project(place, "many", schema)
    page = review(visit, place, "leo", "many")
    assert page.locator(".rail .class").count() <= 10
    page.keyboard.press("/")
    expect(page.locator("dialog .find")).to_be_focused()
    page.keyboard.type("ac ca")
    expect(page.locator("dialog .hit")).to_have_count(1)
    press_on_next(page, "Enter")
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Acer campestre")).to_have_attribute(
        "aria-keyshortcuts", "6"
    )
    press_on_next(page, "6")
    expect(saved(page)).to_have_text("Saved 2")
    with place.house.ws.store.read() as connection:
        labels = connection.execute(select(annotation_log.c.label)).scalars().all()
    assert labels[-2:] == ["Acer campestre"] * 2


def test_several_classes_and_one_in_turn(place: Place, visit: Visit) -> None:
    """Digits mark, Z unmarks, Enter confirms, none too; Z takes back over the end of the item."""
    schema = LabelSchema(
        Task.CLASSIFICATION,
        (
            make_question("label", "Species", ["oak", "elm"]),
            make_question("tags", "Seen", ["wet", "torn", "ill"], several=True),
        ),
    )
    add_project(place, "tags", schema)
    page = review(visit, place, "leo", "tags")
    for key in "1321":
        page.keyboard.press(key)
    page.keyboard.press("z")
    marked = page.locator(".class.several[aria-pressed=true] .name")
    expect(marked).to_have_text(["torn", "ill"])
    expect(page.get_by_role("button", name="Confirm 2 classes")).to_be_visible()
    press_on_next(page, "Enter")
    page.keyboard.press("2")
    expect(page.get_by_role("button", name="Confirm: none of them")).to_be_visible()
    press_on_next(page, "Enter")
    expect(saved(page)).to_have_text("Saved 2")
    with place.house.ws.store.read() as connection:
        sent = connection.execute(select(annotation_log.c.answer)).scalars().all()
    answers = [Answer.from_json(a) for a in sent][-2:]
    assert [(a.choices["label"], a.multi["tags"]) for a in answers] == [
        ("oak", ("torn", "ill")), ("elm", ()),
    ]  # fmt: skip
    press_on_next(page, "z")
    expect(saved(page)).to_have_text("Saved 1")


def test_ones_own_keys_are_in_force_and_shown(place: Place, visit: Visit) -> None:
    """The left hand decides with Q, J flags because the person said so, and the help says it."""
    leo = place.house.actor("leo")
    set_preferences(place.house.ws, leo, Preferences(LEFT, {"flag": ("J",)}))
    page = review(visit, place, "leo")
    expect(page.locator(".rail .class .cap")).to_have_text(["Q", "W", "E"])
    readout = page.locator(".stage .readout")
    fitted = readout.inner_text()
    page.keyboard.down("0")  # no class wants it here, so holding it shows 100 %
    expect(readout).to_have_text("100 %")
    page.keyboard.up("0")
    expect(readout).to_have_text(fitted)
    press_on_next(page, "w")
    press_on_next(page, "x")
    page.keyboard.press("?")
    expect(page.locator("dialog .own")).to_have_text(["yours"])
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    expect(page.locator("dialog")).to_have_count(0)
    page.keyboard.press("j")
    press_on_next(page, "Enter")
    expect(saved(page)).to_have_text("Saved 3")
    assert [a[:2] for a in place.answers("leo")] == [
        ("vote", CLASSES[1]), ("skip", None), ("flag", None),
    ]  # fmt: skip


def test_a_filter_is_in_the_address_and_can_be_dropped(place: Place, visit: Visit) -> None:
    """Choosing changes the address without a reload; nothing left names the filter and the way on."""
    page = review(visit, place, "leo")
    page.evaluate("window.stayed = true")
    page.get_by_label("Order", exact=True).select_option("random")
    expect(page).to_have_url(re.compile("order=random"))
    expect(page.locator(".deck .picture img")).to_be_visible()
    page.get_by_label("Which items", exact=True).select_option("unsure")
    expect(page).to_have_url(re.compile("order=random&queue=unsure"))
    expect(page.locator(".state h2")).to_contain_text("Only: Somebody was unsure")
    page.locator(".state").get_by_role("button", name="All items").click()
    expect(page.locator(".deck .picture img")).to_be_visible()
    expect(page).to_have_url(re.compile(r"project=leaves&order=random$"))
    press_on_next(page, "1")
    expect(saved(page)).to_have_text("Saved 1")
    assert page.evaluate("window.stayed")
    page.goto(f"{place.address}/review?project=leaves&slice=site:nowhere")
    expect(page.locator(".state h2")).to_contain_text("Slice site:nowhere", timeout=20_000)


def test_a_double_click_decides_one_item(place: Place, visit: Visit) -> None:
    """The second click falls on the next item's button and is not meant for it."""
    page = review(visit, place, "leo")
    page.wait_for_timeout(800)
    page.get_by_role("button", name=CLASSES[0]).dblclick()
    expect(saved(page)).to_have_text("Saved 1")
    page.wait_for_timeout(900)
    assert [a[:2] for a in place.answers("leo")] == [("vote", CLASSES[0])]
    page.get_by_role("button", name=CLASSES[1]).click()
    expect(saved(page)).to_have_text("Saved 2")


def test_nobody_decides_in_another_persons_name(place: Place, chromium: Browser) -> None:
    """Somebody else signs in in the same browser: nothing is sent under their name or lost."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.goto(place.address)
    page.click("button[value=leo]")
    page.goto(f"{place.address}/review?project=leaves")
    expect(page.locator(".deck .picture img")).to_be_visible(timeout=20_000)
    page.wait_for_timeout(800)

    def become(who: str) -> None:
        other = context.new_page()
        other.goto(place.address)
        other.evaluate("fetch('/account/logout', {method: 'POST'})")
        other.wait_for_timeout(300)
        other.goto(place.address)
        other.click(f"button[value={who}]")
        other.wait_for_selector(".tb-header, .tb-state")
        other.close()

    before = place.answers("ada")
    become("ada")
    press_on_next(page, "1")
    expect(page.locator(".trouble")).to_contain_text("Somebody else is signed in")
    expect(saved(page)).to_have_text("Saved 0 · pending 1")
    assert (place.answers("ada"), place.answers("leo")) == (before, [])
    page.reload()
    expect(page.locator(".elsewise")).to_contain_text(
        "Another person's decisions wait in this tab: 1."
    )
    become("leo")
    page.reload()
    expect(saved(page)).to_have_text("Saved 1", timeout=20_000)
    assert [a[:2] for a in place.answers("leo")] == [("vote", CLASSES[0])]
    context.close()


def test_ten_classes_and_the_actions_fit_on_a_laptop(place: Place, visit: Visit) -> None:
    """At 1280 by 720 nothing one needs to answer has to be scrolled to."""
    classes = [f"A class with a name {n}" for n in range(10)]
    schema = LabelSchema(Task.CLASSIFICATION, (make_question("label", "Species", classes),))
    add_project(place, "ten", schema)
    page = review(visit, place, "leo", "ten")
    for name in (classes[0], classes[9], "Accept pre-label", "Flag", "Undo"):
        expect(page.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
