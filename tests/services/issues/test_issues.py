"""Suspicious labels of a real record: found without torch, sent back once, not asked again."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest
from sqlalchemy import func, select

from core.clock import new_uuid
from core.consensus.policy import Policy
from core.errors import ConflictError, Forbidden, InputError, NotFound
from core.labels.state import ItemState
from core.learning.cache import EmbeddingCache
from core.services.issues.answers import ask_again, call_right, send_back
from core.services.issues.finding import NO_EMBEDDINGS, issues_of, known_issues
from core.services.issues.values import IssuesView, Kind
from core.services.workspace import Workspace, open_workspace
from core.store.tables import acknowledgements, audit, decisions, items
from tests.record import CLASSES, World, make_world, state_of, vote

N, WIDTH = 45, 16
WRONG, TWIN = 4, 7
"""Places of the item with a wrong label, and of one whose picture is nearly that of another class's."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """45 items of three classes that their embeddings tell apart; one label is wrong."""
    folder = tmp_path_factory.mktemp("issues")
    ws = open_workspace(folder / "workspace")
    world = make_world(ws, N, policy=Policy(overlap=1))
    for place, item in enumerate(world.items):
        label = CLASSES[(place + (place == WRONG)) % 3]
        vote(world, world.cast.experts[0], item, label)
    embed(world)
    yield world
    ws.store.close()


def embed(world: World) -> None:
    """Lay embeddings into the cache as an earlier look would have."""
    rng = np.random.default_rng(0)
    rows = np.array([np.eye(WIDTH)[p % 3] for p in range(N)]) + rng.normal(0, 0.12, (N, WIDTH))
    rows[TWIN + 3] = rows[TWIN] + rng.normal(0, 1e-4, WIDTH)
    with world.ws.store.read() as connection:
        hashes = list(
            connection.execute(select(items.c.content_hash).order_by(items.c.id)).scalars()
        )
    EmbeddingCache(world.ws.cache / "embeddings", "made", WIDTH).add(hashes, rows)
    place = world.ws.cache / "issues" / str(world.project.id)
    place.mkdir(parents=True)
    doc = {"cache_key": "made", "width": WIDTH, "backbone": "made", "notice": "", "unreadable": []}
    (place / "embeddings.json").write_text(json.dumps(doc))


def look(world: World, **asked: object) -> IssuesView:
    """Look as a manager does."""
    return issues_of(world.ws, world.cast.manager, world.slug, make=False, **asked)  # type: ignore[arg-type]


def test_the_wrong_label_comes_first_with_its_reason(made):
    """The label that is wrong is the most suspicious, with the class it should have, in plain words."""
    view = look(made)
    first = view.issues[0]
    assert (first.item, first.kind) == (made.items[WRONG], Kind.LABEL)
    assert (first.label, first.suggested) == (CLASSES[(WRONG + 1) % 3], CLASSES[WRONG % 3])
    assert "had not seen this label" in first.reason
    assert view.n == view.images == N
    assert "out of fold" in view.probabilities
    assert view.total == sum(view.kinds.values())
    scores = [i.score for i in view.issues if i.kind is Kind.LABEL]
    assert scores == sorted(scores, reverse=True)


def test_what_was_found_is_narrowed_by_kind_and_class(made):
    """The filters leave what they name, and the counts stay those of all."""
    view = look(made)
    some = known_issues(
        made.ws, made.cast.lead, made.slug, kinds=[Kind.LABEL], label=view.issues[0].label
    )
    assert some is not None
    assert some.may_answer
    assert {(i.kind, i.label) for i in some.issues} == {(Kind.LABEL, view.issues[0].label)}
    assert some.total == view.total
    assert not some.stale


def test_the_same_picture_twice_is_told_with_its_twin(made):
    """Nearly one picture under one label is a duplicate, named with the other."""
    found = [i for i in look(made).issues if i.kind is Kind.DUPLICATE]
    assert [(i.item, [o for o, _ in i.others]) for i in found] == [
        (made.items[TWIN + 3], [made.items[TWIN]])
    ]


def test_a_label_called_right_is_not_asked_again_until_that_is_taken_back(made):
    """It leaves the list, sent twice it is written once, and taken back it is there again."""
    lead, item = made.cast.lead, look(made).issues[0]
    said = (made.ws, lead, made.slug, item.item, item.kind.value, item.final_seq)
    uuid = new_uuid()
    assert call_right(*said, uuid).status == "saved"
    assert call_right(*said, uuid).status == "already-saved"
    after = look(made)
    assert item.item not in {i.item for i in after.issues if i.kind is item.kind}
    assert after.answered == 1
    with pytest.raises(ConflictError):
        ask_again(*said, uuid)
    assert ask_again(*said, new_uuid()).status == "saved"
    assert look(made).issues[0].item == item.item
    with made.ws.store.read() as connection:
        kept = connection.execute(select(func.count()).select_from(acknowledgements)).scalar()
        noted = connection.execute(select(audit.c.action).order_by(audit.c.seq.desc()).limit(2))
        assert [kept, *noted.scalars()] == [2, "suspicion called open", "suspicion called right"]


def test_an_answer_about_another_label_or_nothing_known_is_refused(made):
    """A label that changed since, an unknown kind, a missing UUID, a foreign item and an expert are all refused."""
    lead, item = made.cast.lead, look(made).issues[0]
    ws, slug = made.ws, made.slug
    with pytest.raises(ConflictError):
        call_right(ws, lead, slug, item.item, "label", item.final_seq + 9_999, new_uuid())
    with pytest.raises(InputError):
        call_right(ws, lead, slug, item.item, "mood", item.final_seq, new_uuid())
    with pytest.raises(InputError):
        call_right(ws, lead, slug, item.item, "label", item.final_seq, "")
    with pytest.raises(NotFound):
        call_right(ws, lead, slug, 999_999, "label", 0, new_uuid())
    for actor in (made.cast.experts[1], made.cast.manager):
        with pytest.raises(Forbidden):
            send_back(ws, actor, slug, item.item, "wrong", new_uuid())
    with pytest.raises(Forbidden):
        issues_of(ws, made.cast.experts[1], slug)


def test_a_label_sent_back_is_reviewed_once_more(made):
    """It is open at once and leaves the list; sent again nothing changes; one more vote settles it."""
    lead, item = made.cast.lead, made.items[WRONG + 3]
    final = state_of(made, item)
    assert final[0] == ItemState.AGREED.value
    uuid = new_uuid()
    assert send_back(made.ws, lead, made.slug, item, "looks wrong", uuid).status == "saved"
    assert send_back(made.ws, lead, made.slug, item, "looks wrong", uuid).status == "already-saved"
    again = send_back(made.ws, lead, made.slug, item, "looks wrong", new_uuid())
    assert again.status == "already-open"
    assert state_of(made, item)[0] == ItemState.OPEN.value
    known = known_issues(made.ws, lead, made.slug)
    assert known is not None
    assert known.stale
    assert item not in {i.item for i in known.issues}
    assert known.labelled == known.n - 1, "the label sent back is in force no more"
    with made.ws.store.read() as connection:
        ruled = select(func.count()).where(decisions.c.item_id == item)
        assert connection.execute(ruled).scalar() == 1
    with pytest.raises(InputError):
        send_back(made.ws, lead, made.slug, made.items[0], " ", new_uuid())
    vote(made, made.cast.experts[1], item, final[1] or "")
    assert state_of(made, item)[0] == ItemState.AGREED.value


def test_a_kept_file_that_is_damaged_is_found_anew(made):
    """What was found is a file to be thrown away at will."""
    before = look(made)
    file = made.ws.cache / "issues" / str(made.project.id) / "found.json"
    file.write_text('{"format": 2, "found": [{}]}')
    assert known_issues(made.ws, made.cast.lead, made.slug) is None
    assert look(made).issues == before.issues


def test_without_labels_or_embeddings_it_is_said(sqlite_ws: Workspace):
    """A new project has nothing to doubt, and says so; one without items as well."""
    world = make_world(sqlite_ws, 3)
    view = look(world)
    assert view.issues == ()
    assert view.n == 0
    assert NO_EMBEDDINGS in view.notes
    assert any("no label" in note for note in view.notes)
    assert known_issues(sqlite_ws, world.cast.lead, world.slug) is not None


def test_one_class_alone_cannot_be_judged(sqlite_ws: Workspace):
    """All labels alike leave nothing to hold them against; that is a note, no failure."""
    world = make_world(sqlite_ws, N, policy=Policy(overlap=1))
    for item in world.items[:6]:
        vote(world, world.cast.experts[0], item, "cat")
    embed(world)
    view = look(world)
    assert not [i for i in view.issues if i.kind is Kind.LABEL]
    assert any("not judged" in note for note in view.notes)


def test_a_class_with_one_example_is_not_called_wrong(sqlite_ws: Workspace):
    """Held out, its class is unknown to the model: it is left out with a note, not accused."""
    world = make_world(sqlite_ws, N, policy=Policy(overlap=1))
    for place, item in enumerate(world.items[:13]):
        label = "owl" if place == 12 else CLASSES[place % 2]
        vote(world, world.cast.experts[0], item, label)
    embed(world)
    view = look(world)
    assert world.items[12] not in {i.item for i in view.issues if i.kind is Kind.LABEL}
    assert any("owl" in note for note in view.notes)
