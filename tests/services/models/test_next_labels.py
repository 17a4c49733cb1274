"""What to label next: only items for training, by each way, with its random part."""

from __future__ import annotations

from typing import get_args

import pytest
from sqlalchemy import select

from core.errors import InputError
from core.services.accounts.people import operator
from core.services.models.next_labels import Strategy, next_labels
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.store.tables import item_state, items
from tests.pages.house import House
from tests.trained import SLUG


def opened(house: House) -> set[int]:
    """Let a third of the items for training have no label, as if never imported."""
    with house.ws.store.write() as connection:
        ids = sorted(
            connection.execute(
                select(items.c.id).where(items.c.project_id == 3, items.c.use == "train")
            ).scalars()
        )[::3]
        connection.execute(
            item_state.update()
            .where(item_state.c.item_id.in_(ids))
            .values(state="open", final_seq=None)
        )
    return set(ids)


@pytest.mark.parametrize("strategy", get_args(Strategy))
def test_every_way_chooses_among_the_items_for_training(trained: House, strategy) -> None:
    """No certify or evaluate item is ever chosen; same seed, same choice."""
    free = opened(trained)
    ws, mia = trained.ws, trained.actor("mia")
    more = {"quota": {"red": 3}, "other_id": 1}
    found = next_labels(ws, mia, SLUG, 2, strategy, 6, 5, **more)
    assert found == next_labels(ws, mia, SLUG, 2, strategy, 6, 5, **more)
    ids = [i.item_id for i in found.items]
    assert len(set(ids)) == len(ids) <= 6
    if strategy == "next-minute":
        assert {i.what for i in found.items} <= {"label", "second opinion", "adjudicate"}
        assert all(i.why.startswith("The ") for i in found.items if not i.by_chance)
        chance = [i.item_id for i in found.items if i.by_chance]
        assert found.drawn == len(chance) == 1
        assert set(chance) <= free
        return
    assert len(ids) == 6
    assert set(ids) <= free
    assert found.pool == len(free)
    assert (
        found.drawn == sum(i.by_chance for i in found.items) == (6 if strategy == "random" else 1)
    )


def test_what_cannot_be_chosen_is_said(trained: House) -> None:
    """No count, no second model, and nothing left to choose from."""
    ws, mia = trained.ws, trained.actor("mia")
    with pytest.raises(InputError, match="found 0"):
        next_labels(ws, mia, SLUG, 1, "margin", 0)
    opened(trained)
    with pytest.raises(InputError, match="needs another model"):
        next_labels(ws, mia, SLUG, 1, "disagreement", 3)
    late = ImportOptions(what="items")  # came after the models
    import_data(ws, operator(ws), SLUG, trained.source, late)
    assert {i.item_id for i in next_labels(ws, mia, SLUG, 1, "random", 500).items} == {
        i.item_id for i in next_labels(ws, mia, SLUG, 2, "random", 500).items
    }
