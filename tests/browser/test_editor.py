"""Drawing and correcting regions in the deck, in a real browser, read back from the record."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from core.labels import Region
from core.labels.operations import Retire
from core.labels.shapes import mask_pixels
from core.services.accounts.people import operator
from core.services.steering.schemas import edit_schema
from tests.browser.drawing import (
    SIZE,
    Place,
    Visit,
    at,
    drag,
    edit,
    near,
    place,
    press,
    save,
    whereabouts,
    zoom,
)

__all__ = ["place"]

pytestmark = pytest.mark.browser

VIEWS = [
    pytest.param(1.0, 1, "ada", id="100%"),
    pytest.param(2.7, 1, "ben", id="270%"),
    pytest.param(1.0, 2, "cem", id="dpr2"),
]


@pytest.mark.parametrize(("scale", "dpr", "who"), VIEWS)
def test_every_shape_is_stored_where_it_was_drawn(
    place: Place, visit: Visit, scale: float, dpr: int, who: str
) -> None:
    """On a picture that EXIF turns, at any zoom and pixel ratio, to half an image pixel."""
    options = {"device_scale_factor": dpr}
    page = edit(visit, place, who, "boxes", **options)
    zoom(page, scale)
    drag(page, (120.5, 90), (210, 181.5))
    save(page)
    [box] = place.vote(who, "boxes").regions
    assert near(box.box, (120.5, 90, 210, 181.5)), box

    page = edit(visit, place, who, "polygons", **options)
    zoom(page, scale)
    ring = [(100, 100), (190, 110.5), (200, 190), (120, 180)]
    for corner in ring:
        press(page, *corner)
    page.keyboard.press("Enter")
    page.keyboard.press("q")
    page.keyboard.press("2")
    save(page)
    [polygon] = place.vote(who, "polygons").regions
    assert near(polygon.points, ring), polygon
    assert polygon.attributes == (("occluded", "no"),)

    page = edit(visit, place, who, "keypoints", **options)
    zoom(page, scale)
    press(page, 110, 120)
    page.keyboard.press("v")
    press(page, 170, 200.5)
    page.keyboard.press("x")
    save(page)
    [points] = place.vote(who, "keypoints").regions
    assert near(points.points, [(110, 120, 2), (170, 200.5, 1), (0, 0, 0)]), points

    page = edit(visit, place, who, "masks", **options)
    zoom(page, scale)
    drag(page, (120, 120), (180, 120), (180, 160))
    save(page)
    [mask] = place.vote(who, "masks").regions
    radius = 12  # a fiftieth of the shorter side
    assert near(mask.box, (120 - radius, 120 - radius, 180 + radius, 160 + radius), 1), mask
    pixels = mask_pixels(mask, SIZE[1], SIZE[0])
    assert pixels[120, 150]
    assert pixels[150, 180]
    assert not pixels[150, 150]


def test_a_box_without_a_mouse(place: Place, visit: Visit) -> None:
    """Crosshair, corners, class, nudge, one edge, a duplicate taken away, numbers, save: keys alone."""
    page = edit(visit, place, "dia", "boxes")
    page.keyboard.press("a")
    said = page.locator(".editsaid")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("ArrowUp")
    expect(said).to_have_text("Crosshair at 270, 399.")
    page.keyboard.press("Enter")
    for _ in range(5):
        page.keyboard.press("Shift+ArrowRight")
    for _ in range(4):
        page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Space")
    page.keyboard.press("2")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Control+d")
    page.keyboard.press("Delete")
    expect(page.locator(".regionrow")).to_have_count(1)
    expect(said).to_have_text("Deleted. 1 left.")
    page.keyboard.press("t")
    page.keyboard.type("250.5")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator(".stage.editing")).to_be_focused()
    save(page)
    assert place.vote("dia", "boxes").regions == (Region("nest", 250.5, 399, 321, 440),)


def test_a_new_set_of_keypoints_is_one_set(place: Place, visit: Visit) -> None:
    """After A the clicks, and Enter at the crosshair, place the points of one set; the panel counts."""
    page = edit(visit, place, "ada", "keypoints")
    zoom(page, 1)
    rows, count = page.locator(".regionrow"), page.locator(".pointcount")
    page.keyboard.press("a")
    press(page, 110, 120)
    expect(count).to_have_text("1 of 3 set")
    press(page, 170, 200)
    expect(count).to_have_text("2 of 3 set")
    press(page, 230, 150)
    expect(count).to_have_text("3 of 3 set")
    expect(rows).to_have_count(1)
    page.keyboard.press("a")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowDown")
        page.keyboard.press("Enter")
    expect(rows).to_have_count(2)
    save(page)
    drawn, keyed = place.vote("ada", "keypoints").regions
    assert near(drawn.points, [(110, 120, 2), (170, 200, 2), (230, 150, 2)]), drawn
    assert [p[2] for p in keyed.points] == [2, 2, 2]
    assert keyed.points[2][1] - keyed.points[0][1] == 20


def test_the_list_shows_what_was_drawn_and_selected(place: Place, visit: Visit) -> None:
    """However long the list, the row in hand is in sight, also once its numbers took their room."""
    many = [{"label": "bird", "box": [5 * n, 5, 5 * n + 4, 30]} for n in range(60)]
    page = edit(visit, place, "cem", "boxes", draft=many)
    zoom(page, 1)
    inside = """(row) => {
      const [r, l] = [row.getBoundingClientRect(), row.parentElement.getBoundingClientRect()];
      return r.top >= l.top - 1 && r.bottom <= l.bottom + 1;
    }"""
    chosen = page.locator(".regionrow[aria-selected=true]")
    page.keyboard.press("a")
    drag(page, (120, 120), (200, 220))
    page.wait_for_timeout(150)
    expect(chosen).to_have_attribute("aria-label", "61: bird ")
    assert chosen.evaluate(inside)
    press(page, 400, 300)
    expect(chosen).to_have_count(0)
    page.locator(".regionlist").evaluate("(list) => { list.scrollTop = 0; }")
    page.mouse.click(*at(page, 160, 160))
    page.wait_for_timeout(150)
    assert chosen.evaluate(inside)


def test_what_is_offered_where_nothing_is_drawn_yet(place: Place, visit: Visit) -> None:
    """Without a pre-label Edit is the strong action and no overlay is spoken of; labels fit their words."""
    page = edit(visit, place, "ben", "boxes")
    page.keyboard.press("Escape")
    expect(page.locator(".stage.editing")).to_have_count(0)
    strong = page.locator(".rail:not(.editpanel) .action.strong")
    expect(strong).to_have_text("EditE")
    expect(page.locator(".question .muted").first).to_contain_text("press E to draw")
    page.keyboard.press("o")
    expect(page.locator(".badge")).to_have_count(0)
    page.keyboard.press("e")
    expect(page.locator(".stage.editing")).to_be_focused()
    page.wait_for_timeout(100)
    zoom(page, 1)
    drag(page, (120, 120), (200, 220))
    page.keyboard.press("Escape")
    expect(page.locator(".badge")).to_have_text("Overlay 60 %")
    room = page.locator(".overlay .chip").evaluate(
        "(chip) => chip.querySelector('rect').width.baseVal.value - chip.querySelector('text').getComputedTextLength()"
    )
    assert 8 <= room <= 12


def test_a_thousand_boxes_stay_usable(place: Place, visit: Visit) -> None:
    """Stepping, nudging and zooming among a thousand boxes is done within a few frames."""
    many = [
        {"label": "bird", "box": [x * 18, y * 20, x * 18 + 14, y * 20 + 15]}
        for x in range(32)
        for y in range(32)
    ][:1000]
    page = edit(visit, place, "cem", "boxes", draft=many)
    expect(page.locator(".regionrow")).to_have_count(1000)
    took = {}
    for name, key in (("step", "n"), ("nudge", "ArrowRight"), ("zoom", "+"), ("delete", "Delete")):
        took[name] = page.evaluate(
            """async (key) => {
              const root = [...document.querySelectorAll("*")].map((e) => e.shadowRoot).find((r) => r?.querySelector(".deck"));
              const all = [];
              for (let n = 0; n < 12; n += 1) {
                const start = performance.now();
                root.querySelector(".stage").dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true, cancelable: true }));
                await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
                all.push(performance.now() - start);
              }
              return all.sort((a, b) => a - b)[6];
            }""",
            key,
        )
    print("a thousand boxes, ms to the frame:", {k: round(v, 1) for k, v in took.items()})
    assert max(took.values()) < 150, took
    expect(page.locator(".regionrow")).to_have_count(988)


def test_the_image_moves_under_the_hand_and_nothing_is_drawn(place: Place, visit: Visit) -> None:
    """Space and drag pan, the wheel zooms, Alt and the wheel size the brush, H shows the bare image."""
    page = edit(visit, place, "ben", "masks")
    zoom(page, 1)
    before = whereabouts(page)
    x, y = at(page, 150, 150)
    page.mouse.move(x, y)
    page.keyboard.down("Space")
    page.mouse.down()
    page.mouse.move(x + 40, y + 30, steps=5)
    page.mouse.up()
    page.keyboard.up("Space")
    page.wait_for_timeout(100)
    after = whereabouts(page)
    assert (round(after["left"] - before["left"]), round(after["top"] - before["top"])) == (40, 30)
    expect(page.locator(".regionrow")).to_have_count(0)
    width = page.locator(".brushsize .num")
    expect(width).to_have_text("24 px")
    page.keyboard.down("Alt")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Alt")
    expect(width).to_have_text("30 px")
    assert whereabouts(page)["scale"] == after["scale"]
    page.keyboard.press("h")
    expect(page.locator(".editing.offsight")).to_have_count(1)


def test_masks_by_key_and_eraser(place: Place, visit: Visit) -> None:
    """Dabs, the eraser, a second object and an undo, without a mouse."""
    page = edit(visit, place, "dia", "masks")
    page.keyboard.press("Enter")
    page.keyboard.press("a")
    page.keyboard.press("2")
    page.keyboard.press("Control+ArrowRight")
    page.keyboard.press("Space")
    expect(page.locator(".regionrow")).to_have_count(2)
    page.keyboard.press("e")
    for _ in range(12):
        page.keyboard.press("]")
    page.keyboard.press("Enter")
    expect(page.locator(".regionrow")).to_have_count(1)
    page.keyboard.press("z")
    expect(page.locator(".regionrow")).to_have_count(2)
    save(page)
    bird, nest = place.vote("dia", "masks").regions
    assert (bird.label, nest.label) == ("bird", "nest")
    assert near(bird.box, (288, 388, 312, 412))
    assert nest.box[0] > bird.box[2]


def test_many_classes_are_found_by_typing(place: Place, visit: Visit) -> None:
    """A slash opens the search; what is picked is the class of the selected region."""
    page = edit(visit, place, "ada", "many", draft=[{"label": "kind 3", "box": [9, 9, 99, 99]}])
    page.keyboard.press("Tab")
    page.keyboard.press("/")
    page.keyboard.type("kind 37")
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator(".regionrow")).to_contain_text("kind 37")
    expect(page.locator(".stage.editing")).to_be_focused()


def test_a_class_retired_while_drawing_is_told_and_nothing_is_lost(
    place: Place, visit: Visit
) -> None:
    """The server refuses the save in its words; another class, and it is saved."""
    page = edit(visit, place, "ada", "changing")
    zoom(page, 1)
    drag(page, (100, 100), (200, 220))
    edit_schema(place.ws, operator(place.ws), "changing", [Retire("label", 0)], "not needed", 1)
    page.keyboard.press("s")
    expect(page.locator(".editpanel [role=alert]")).to_contain_text("retired")
    expect(page.locator(".regionrow")).to_have_count(1)
    page.keyboard.press("n")
    page.keyboard.press("2")
    save(page)
    [box] = place.vote("ada", "changing").regions
    assert box.label == "nest"
    assert near(box.box, (100, 100, 200, 220))


SELECTED: dict[str, list[object]] = {
    "boxes": [{"label": "bird", "box": [100, 100, 200, 200]}],
    "polygons": [
        {
            "label": "bird",
            "shape": "polygon",
            "box": [10, 10, 200, 200],
            "points": [[10, 10], [200, 20], [150, 200]],
        }
    ],
    "keypoints": [
        {
            "label": "bird",
            "shape": "keypoints",
            "box": [50, 50, 90, 90],
            "points": [[50, 50, 2], [90, 90, 1], [0, 0, 0]],
        }
    ],
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault_in_the_editor(place: Place, visit: Visit, scheme: str) -> None:
    """Every shape's editor with something selected: nothing serious in what is ours."""
    found = []
    for slug, draft in SELECTED.items():
        page = edit(visit, place, "cem", slug, draft=draft, color_scheme=scheme)
        page.keyboard.press("n")
        page.keyboard.press("q")
        page.wait_for_timeout(300)
        report = Axe().run(page, options={"resultTypes": ["violations"]}).response
        found += [
            f"{slug} {fault['id']} {node['html'][:160]}"
            for fault in report["violations"]
            if fault["impact"] in ("serious", "critical")
            for node in fault["nodes"]
            if "st-emotion" not in node["html"]  # Streamlit's own
        ]
    assert found == []
