"""Drafts of regions in a real browser: kept, given back, and left out where they are malformed."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from core.clock import new_uuid
from core.errors import TiebreakError
from core.labels import Answer
from core.labels.shapes import mask_region
from core.services.accounts.people import actor_of
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.store.tables import leases
from tests.browser.drawing import SIZE, Place, Visit, drag, edit, place, zoom

__all__ = ["place"]

pytestmark = pytest.mark.browser


def test_leaving_and_a_killed_tab_keep_a_draft(place: Place, visit: Visit) -> None:
    """What was drawn longer ago than a moment is on the server, whatever happens to the tab."""
    page = edit(visit, place, "dia", "boxes")
    zoom(page, 1)
    for n in range(8):  # without a pause that a waiting draft would wait for
        drag(page, (60 + 10 * n, 60), (100 + 10 * n, 100))
        page.keyboard.press("a")
        page.wait_for_timeout(120)
    assert place.draft("dia").regions
    page.wait_for_timeout(900)
    assert len(place.draft("dia").regions) == 8
    page.context.close()
    page = edit(visit, place, "dia", "boxes")
    expect(page.locator(".regionrow")).to_have_count(8)
    page.keyboard.press("n")
    page.keyboard.press("Delete")
    page.keyboard.press("Escape")
    expect(page.locator(".stage.editing")).to_have_count(0)
    expect(page.locator(".deck .saved")).to_contain_text("Draft kept")
    assert len(place.draft("dia").regions) == 7


def test_a_refused_save_comes_back_with_the_reason_and_everything_drawn(
    place: Place, visit: Visit
) -> None:
    """The lease ran out while somebody drew and others took the places: nothing is lost."""
    page = edit(visit, place, "ada", "masks")
    item_id = int(page.locator(".stage").get_attribute("data-item") or 0)
    zoom(page, 1)
    drag(page, (120, 120), (200, 140))
    with place.ws.store.ephemeral() as connection:
        connection.execute(
            update(leases).where(leases.c.person_id == place.people["ada"]).values(expires_at=1.0)
        )
    for name in ("ben", "cem", "dia"):
        _take(place, name, item_id)
    page.keyboard.press("s")
    problem = page.locator(".editpanel [role=alert]")
    expect(problem).to_be_visible()
    expect(problem).not_to_have_text("")
    expect(page.locator(".stage.editing")).to_have_attribute("data-item", str(item_id))
    expect(page.locator(".regionrow")).to_have_count(1)
    expect(page.locator(".deck .refusal")).to_have_count(0)


def _take(place: Place, who: str, item_id: int) -> None:
    """Vote on an item as somebody else, while there is a place."""
    mask = np.zeros((SIZE[1], SIZE[0]), dtype=bool)
    mask[5:50, 5:50] = True
    answer = Answer({}, (mask_region("nest", mask),))
    actor = actor_of(place.ws, place.people[who])
    try:
        submit(place.ws, actor, "masks", Submission(new_uuid(), item_id, "vote", answer))
    except TiebreakError:
        return


GOOD = {"label": "bird", "box": [100, 100, 200, 200], "confidence": 0.87}
SPOILT = [
    {"label": "bird"},
    {"label": "bird", "box": [None, 1, 2, 3]},
    {"label": "bird", "box": [-90, -80, -10, -10]},
    {"label": "bird", "shape": "star", "box": [1, 1, 5, 5]},
]


def test_malformed_drafts_are_left_out_with_a_sentence(place: Place, visit: Visit) -> None:
    """A draft that was spoilt opens with what can be read, and says how many could not."""
    page = edit(visit, place, "cem", "boxes", draft=[GOOD, *SPOILT])
    expect(page.locator(".regionrow")).to_have_count(1)
    expect(page.locator(".regionrow")).to_contain_text("87 %")
    expect(page.locator(".editpanel [role=alert]")).to_contain_text("4 of what was kept")
    page.keyboard.press("n")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".regionrow")).not_to_contain_text("87 %")
