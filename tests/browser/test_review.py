"""Reviewing in a real browser, hands on the keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from core.labels import Answer, Region
from core.labels.schema import LabelSchema, Task, make_question
from core.services.accounts.keymap import LEFT
from core.services.accounts.preferences import Preferences, set_preferences
from core.services.projects.project import get_project
from core.services.review.adjudication import disputes
from core.services.review.drafts import save_draft
from core.services.review.leases import open_item
from core.store.tables import annotation_log
from tests.browser.reviewing import Place, Visit, add_project, place, press_on_next, review, saved
from tests.pages.house import CLASSES

__all__ = ["place"]

pytestmark = pytest.mark.browser


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


def test_the_pixels_of_the_next_image_are_here_before_its_key(place: Place, visit: Visit) -> None:
    """When a key brings the next image, its pixels are here already: nothing is waited for."""
    page = review(visit, place, "leo")
    page.wait_for_timeout(1500)
    page.evaluate(
        """() => {
          const deck = [...document.querySelectorAll("*")].map((e) => e.shadowRoot)
            .find((r) => r?.querySelector(".deck"));
          const picture = deck.querySelector(".picture");
          window.here = []; let pressed = false;
          window.addEventListener("keydown", () => { pressed = true; }, true);
          new MutationObserver(() => {
            const image = picture.querySelector("img");
            if (!pressed || !image) return;
            pressed = false;
            window.here.push(image.complete && image.naturalWidth > 0);
          }).observe(picture, { childList: true });
        }"""
    )
    for _ in range(15):
        page.keyboard.press("1")
        page.wait_for_timeout(250)
    here = page.evaluate("window.here")
    assert len(here) >= 13
    assert sum(here) >= len(here) - 1, here


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
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    other = context.new_page()
    other.goto(place.address)
    other.click("button[value=leo]")
    # It tries again by itself too: whichever comes first, the decision arrives, and once.
    page.get_by_role("button", name="Try again").evaluate_all("all => all.forEach(b => b.click())")
    expect(saved(page)).to_have_text("Saved 3", timeout=20_000)
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


def test_keys_typed_before_the_canvas_is_there_are_not_lost(place: Place, visit: Visit) -> None:
    """Open, pick the second box, remove it, save, the next image: in one go, each key does its work."""
    ws, ada = place.house.ws, place.house.actor("ada")
    page = review(visit, place, "ada", "cells")
    item = int(page.locator(".stage").get_attribute("data-item") or 0)
    label = get_project(ws, ada, "cells").schema.classes[0]
    boxes = tuple(Region(label, 100.0 * n, 50, 100.0 * n + 40, 90) for n in range(3))
    save_draft(ws, ada, "cells", item, Answer({}, boxes))
    page.goto(f"{place.address}/review?project=cells&item={item}")
    expect(page.locator(".deck .picture img")).to_be_visible(timeout=20_000)
    for key in ("Shift+E", "n", "n", "Delete", "s"):
        page.keyboard.press(key)
    expect(saved(page)).to_have_text("Saved 1", timeout=20_000)
    mine = open_item(ws, ada, "cells", item).mine
    assert mine is not None
    assert [r.box for r in mine.regions] == [boxes[0].box, boxes[2].box]
    page.keyboard.press("?")  # the deck has the keys again
    expect(page.locator("dialog[open]")).to_be_visible()


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
