"""Ruling on disputes in a real browser: typed fast, reloaded, cut off, in sight on a laptop."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from core.access import Role
from core.clock import new_uuid
from core.consensus.policy import OnDisagreement, Policy
from core.labels import Answer, Region
from core.labels.schema import LabelSchema, Task, make_question
from core.services.accounts.changing import add_person
from core.services.accounts.people import operator
from core.services.items.why import explain
from core.services.projects.project import NewProject, create_project
from core.services.review.adjudication import disputes
from core.services.review.claiming import claim_items
from core.services.review.leases import open_item
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from tests.browser.reviewing import Place, Visit, add_project, place

__all__ = ["place"]

pytestmark = pytest.mark.browser


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


def looked_at(page: Page) -> None:
    """Wait for a dispute that may be long in coming on a busy machine: nobody rules on what is not there."""
    expect(page.get_by_role("button", name="Decide")).to_be_enabled(timeout=20_000)
    expect(page.locator(".votes .picture img")).to_be_visible(timeout=20_000)


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
        looked_at(page)
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
        expect(page.get_by_text("Q W: take · digits: answer")).to_be_in_viewport(ratio=1)
        for name in (*kinds, *states, "Image unclear", *rulings):
            expect(page.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
        page.keyboard.press("1")
        expect(page.get_by_role("button", name="fresh").locator("kbd")).to_have_text("1")
        page.keyboard.press("2")
        page.keyboard.press("g")
        expect(page.get_by_role("button", name="Decide: oak, dry")).to_be_visible()
        page.keyboard.press("d")
        expect(page.get_by_role("textbox", name="Reason")).to_have_value("")
        looked_at(page)
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
