"""Classes renamed and merged, as the figures count them."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from core.analytics.people import person_table
from core.analytics.replica import Replica
from core.analytics.rightness import confusion, per_class_accuracy
from core.analytics.votes import vote_table
from core.labels.operations import Merge, Rename
from core.services.models.prelabels import Prediction, store_predictions
from core.services.projects.project import load_project
from core.store.tables import gold_answers
from tests.record import World, say
from tests.services.steering.editing import both, edit


def furnish_figures(world: World) -> None:
    """Write predictions and gold beside the votes, so that every figure has something to say."""
    said = ["cat", "dog", "owl", "cat", "dog", "owl"]
    with world.ws.store.write() as connection:
        store_predictions(
            connection, load_project(connection, world.slug),
            [Prediction(i, say(s), 0.6) for i, s in zip(world.items, said, strict=True)], "m", 1.0,
        )  # fmt: skip
        connection.execute(
            insert(gold_answers),
            [{"project_id": world.project.id, "item_id": i, "label": "cat",
              "answer": say("cat").to_json(), "batch_id": None, "at": 1.0}
             for i in world.items],
        )  # fmt: skip
    for item, pair in zip(
        world.items, [("cat", "cat"), ("dog", "dog"), ("cat", "dog"), ("owl", "owl"),
                      ("cat", "cat"), ("dog", "cat")], strict=True,
    ):  # fmt: skip
        both(world, item, *pair)


def figures(replica: Replica, project: int) -> dict[str, object]:
    """Return the figures that compare labels, the classes themselves left out."""
    replica.catch_up()
    found: dict[str, object] = {}
    for whose in ("model", "people"):
        for against in ("final", "gold"):
            of = per_class_accuracy(replica, project, whose, against).classes
            found[f"{whose}/{against}"] = sorted((r.n, r.correct) for r in of)
            cells = confusion(replica, project, whose, against).cells
            found[f"{whose}/{against}/cells"] = sorted((c.truth == c.said, c.n) for c in cells)
    people = person_table(replica, project)
    found["people"] = [(p.person, p.votes, p.gold_n, p.gold_correct) for p in people]
    table = vote_table(replica, project)
    found["votes"] = sorted(zip(table.item_id.tolist(), table.person_id.tolist(), strict=True))
    return found


@pytest.mark.parametrize("fresh", [True, False], ids=["rebuilt", "caught-up"])
def test_a_rename_changes_no_figure(make, fresh):
    """Accuracy, confusion, gold and agreement are those of before, whether copied anew or not."""
    world = make()
    furnish_figures(world)
    replica = Replica(world.ws.store)
    before = figures(replica, world.project.id)
    edit(world, Rename("label", 0, "feline"), Rename("label", 1, "hound"))
    if fresh:
        replica.rebuild()
    after = figures(replica, world.project.id)
    names = {c.truth for c in confusion(replica, world.project.id, "people", "final").cells}
    replica.close()
    assert after == before
    assert names <= {"feline", "hound", "owl"}


def test_a_merge_counts_both_classes_as_one(make):
    """What differed only by the two classes is right now; everything else is as it was."""
    world = make()
    furnish_figures(world)
    replica = Replica(world.ws.store)
    replica.catch_up()
    edit(world, Merge("label", 1, 0))
    edit(world, Rename("label", 0, "pet"))
    replica.catch_up()
    table = vote_table(replica, world.project.id)
    rows = {r.name: (r.n, r.correct) for r in
            per_class_accuracy(replica, world.project.id, "model", "gold").classes}  # fmt: skip
    people = {p.person: (p.gold_n, p.gold_correct) for p in person_table(replica, world.project.id)}
    replica.close()
    assert table.names == ("owl", "pet")
    assert rows == {"pet": (6, 4)}
    assert set(people.values()) == {(6, 5)}
