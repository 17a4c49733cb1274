"""The model card and the recipe's preview: from the record and the project's own images."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
from PIL import Image

from core.labels.operations import AddClass
from core.services.models.card import model_card
from core.services.models.recipes_preview import NAMED, balance_of, preview_recipe
from core.services.models.skew import check_serving
from core.services.steering.schemas import edit_schema
from tests.pages.house import House
from tests.trained import SLUG


def test_a_card_says_what_the_model_learnt_and_where_it_is_weak(trained: House) -> None:
    """Data, figures, limits, the check and the history are all from the record."""
    ws, mia = trained.ws, trained.actor("mia")
    check_serving(ws, mia, SLUG, 1)
    edit_schema(ws, trained.actor("leo"), SLUG, [AddClass("label", "violet")], "x", 1)
    card = model_card(ws, mia, SLUG, 1)
    assert card.version[0] == "training-1"
    assert len(card.version[1]) == 64
    assert (card.mode, card.task, card.config["seed"]) == ("probe", "classification", 0)
    assert card.serving.passed
    assert [e.what for e in card.history] == ["promoted"]
    assert "'violet' was added" in card.stale
    assert card.no_causes == ""
    text = card.to_markdown()
    assert text.startswith("# Model 1 of Tints\n")
    for said in ("95 % interval", "Judged on fewer than 30 labels: blue", "No certificate yet"):
        assert said in text


def test_a_card_of_a_model_whose_files_are_gone_says_so(trained: House) -> None:
    """The rest of the card is still there."""
    for path in trained.ws.runs.glob(f"{SLUG}/*1/label/predictions.parquet"):
        path.unlink()
    card = model_card(trained.ws, trained.actor("mia"), SLUG, 1)
    assert "missing or damaged" in card.no_causes
    assert card.causes == ()


def pixels(address: str) -> np.ndarray:
    data = base64.b64decode(address.removeprefix("data:image/jpeg;base64,"))
    return np.asarray(Image.open(io.BytesIO(data)), dtype=np.float32)


def test_a_preview_shows_the_projects_own_images_varied(trained: House) -> None:
    """The first picture is the image itself; no recipe changes nothing, a strong one a lot, by seed."""
    ws, mia = trained.ws, trained.actor("mia")
    plain = preview_recipe(ws, mia, SLUG, NAMED["none"], images=2, variants=1)
    for row in plain:
        original, same = (pixels(p) for p in row.pictures)
        assert row.name.endswith(".png")
        assert np.abs(original - same).mean() < 2
    strong = preview_recipe(ws, mia, SLUG, NAMED["strong"], images=2, variants=2)
    again = preview_recipe(ws, mia, SLUG, NAMED["strong"], images=2, variants=2)
    other = preview_recipe(ws, mia, SLUG, NAMED["strong"], images=2, variants=2, seed=1)
    assert strong == again != other
    assert np.abs(pixels(strong[0].pictures[0]) - pixels(strong[0].pictures[1])).mean() > 5
    dark = replace(NAMED["none"], brightness=1.0)
    assert preview_recipe(ws, mia, SLUG, dark, images=1) != plain[:1]


def test_the_balance_is_that_of_the_training_labels(trained: House) -> None:
    """Even classes are even; their counts are those of the items for training."""
    found = balance_of(trained.ws, trained.actor("mia"), SLUG)
    assert set(found.counts) == {"blue", "green", "red"}
    assert 30 < sum(found.counts.values()) < 70
    assert found.missing == ()
