"""Recipes as values: what is refused, and that they survive being written down."""

from __future__ import annotations

import json

import pytest

from core.errors import InputError
from core.learning.recipes import Recipe, read_recipe, recipe_from


def test_a_recipe_survives_being_written_down():
    """Through JSON and back it is the same."""
    recipe = Recipe(mixup=0.2, rotate=0.1, balance="over")
    assert recipe_from(json.loads(json.dumps(recipe.to_dict()))) == recipe
    assert recipe_from({}) == Recipe()


@pytest.mark.parametrize(
    "doc",
    [{"flip": 1.5}, {"flip": float("nan")}, {"flip": "much"}, {"flip": True}, {"flop": 0.5},
     {"balance": "odd"}, {"crop": None}, {"mixup": -0.1}],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_in_words(doc: dict[str, object]):
    """Unknown names and values out of range give a sentence."""
    with pytest.raises(InputError, match="recipe"):
        recipe_from(doc)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "[1]", '{"flip": 1e400}', "\x00"])
def test_a_file_that_is_no_recipe_is_refused_in_words(tmp_path, text):
    """However it is broken, nested without end included."""
    path = tmp_path / "own.json"
    path.write_text(text)
    with pytest.raises(InputError, match="recipe"):
        read_recipe(str(path))
