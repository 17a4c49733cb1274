"""Two models of a project on the same frozen labels."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.errors import InputError, NotFound, StoreCorrupt
from core.labels.operations import Rename
from core.services.models.compare import compare
from core.services.models.promotion import list_models
from core.services.steering.schemas import edit_schema
from core.store.tables import items
from tests.pages.house import House
from tests.trained import SLUG


def test_both_are_judged_by_the_labels_none_has_learnt_from(trained: House) -> None:
    """The counts are those of the evaluate items, each image counted once, differences listed."""
    mia = trained.actor("mia")
    newer, older = (m.id for m in list_models(trained.ws, mia, SLUG))
    found = compare(trained.ws, mia, SLUG, older, newer)
    with trained.ws.store.read() as connection:
        rows = connection.execute(items.select().where(items.c.use == "evaluate")).all()
    whole = found.overall
    assert whole.first.n == len([r for r in rows if r.project_id == 3]) > 20
    assert whole.both + whole.only_first + whole.only_second + whole.neither == whole.first.n
    assert sum(g.first.n for g in found.classes) == whole.first.n
    assert (found.version, found.question, found.left_out) == ("training-1", "Label", 0)
    assert len(found.apart) == found.differing >= whole.only_first + whole.only_second
    assert {a.item_id for a in found.apart} <= {r.id for r in rows}


def test_a_renamed_class_is_the_same_class(trained: House) -> None:
    """Predictions made before a rename are read in today's names."""
    mia = trained.actor("mia")
    newer, older = (m.id for m in list_models(trained.ws, mia, SLUG))
    before = compare(trained.ws, mia, SLUG, older, newer)
    edit_schema(trained.ws, trained.actor("leo"), SLUG, [Rename("label", 0, "azure")], "x", 1)
    after = compare(trained.ws, mia, SLUG, older, newer)
    assert [g.label for g in after.classes] == ["azure", "green", "red"]
    assert after.overall == before.overall


def test_what_cannot_be_compared_is_said(trained: House) -> None:
    """One model twice, no such model, no such version, a version changed on disk."""
    ws, mia = trained.ws, trained.actor("mia")
    with pytest.raises(InputError, match="with itself"):
        compare(ws, mia, SLUG, 1, 1)
    with pytest.raises(NotFound, match="no model 99"):
        compare(ws, mia, SLUG, 1, 99)
    with pytest.raises(NotFound, match="no dataset version 'v9'"):
        compare(ws, mia, SLUG, 1, 2, version="v9")
    manifest = next(ws.versions.glob(f"{SLUG}/*/manifest.json"))
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "hash": "0" * 64}))
    with pytest.raises(StoreCorrupt, match="was changed on disk"):
        compare(ws, mia, SLUG, 1, 2)
    with pytest.raises(InputError, match="Unknown question"):
        compare(replace(trained).ws, mia, SLUG, 1, 2, question="mood")
