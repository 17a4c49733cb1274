"""What people should look at next: by a model's doubts, by likeness, or by what a minute of them is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import Connection, Row, select

from core.access import Action, Actor
from core.errors import InputError
from core.labels.schema import Question
from core.labels.state import ItemState
from core.learning.reader import read_embeddings
from core.learning.select import Pool, Strategy, choose, disagreement_of
from core.learning.values import Predictions
from core.services.models.next_minute import NOT_YET, Offer, by_the_minute, votes_of
from core.services.models.stored import asked_question, folder_of, model_row, said_by
from core.services.pictures.images import image_path
from core.services.projects.project import ProjectView, project_for
from core.services.projects.training_rules import rules_in_force
from core.services.visibility.views import metadata_of, names_of
from core.services.workspace import Workspace
from core.store.tables import final_labels, item_state, items

__all__ = ["NextItem", "NextLabels", "Strategy", "next_labels"]

MOST = 5000
_CHUNK = 500
_MOST_COVERED = 5_000


@dataclass(frozen=True, slots=True)
class NextItem:
    """One item somebody should look at.

    Attributes:
        image: Path of the picture, below the base.
        state: Where it stands.
        what: ``label``, ``second opinion`` or ``adjudicate``.
        by_chance: Whether it comes from the random part.
        why: A sentence where there is one.
    """

    item_id: int
    name: str
    image: str
    state: ItemState
    what: str
    by_chance: bool
    why: str


@dataclass(frozen=True, slots=True)
class NextLabels:
    """What was chosen.

    Attributes:
        items: In the order to be looked at.
        pool: How many there were to choose from.
        drawn: How many of the chosen come from the random part.
    """

    items: tuple[NextItem, ...]
    pool: int
    drawn: int


def next_labels(
    ws: Workspace,
    actor: Actor,
    slug: str,
    model_id: int,
    strategy: Strategy,
    count: int,
    seed: int = 0,
    quota: Mapping[str, int] | None = None,
    other_id: int | None = None,
    column: str | None = None,
) -> NextLabels:
    """Return what to look at next out of the items for training; nothing is written.

    Items drawn for certifying and evaluating are never among them, and whether an item is accepted
    automatically plays no part: what is learnt from must not follow from a certificate.

    Args:
        ws: The workspace.
        actor: Who asks.
        slug: The project.
        model_id: Whose doubts count.
        strategy: As `core.learning.select` names them.
        count: How many items.
        seed: Of the random part and of ties between clusters.
        quota: For ``quota``: how many of each class as the model says it, or of each slice.
        other_id: For ``disagreement``: the other model.
        column: Of the metadata, for ``quota``: its values are the slices.

    Raises:
        InputError: The count or the strategy will not do, or another model is missing.
        NotFound: There is no such model.
        BadCheckpoint: A model's files are missing or damaged.
        Forbidden: The actor does not steer this project.
    """
    if not 1 <= count <= MOST:
        raise InputError(f"1 to {MOST:,} items are chosen at a time, found {count:,}.")
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.STEER)
        question = asked_question(project, None)
        row = model_row(connection, project, model_id)
        other = None if other_id is None else model_row(connection, project, other_id)
        stands = _stands(connection, project)
        share = rules_in_force(connection, project.id).random_share
        votes = votes_of(connection, project, question)
    said = said_by(ws, row, question)
    known = {i: r for i, r in stands.items() if r.use == "train"}
    open_ = np.array([known[i].state in NOT_YET for i in said.item_ids.tolist() if i in known])
    here = np.array([i in known for i in said.item_ids.tolist()], dtype=bool)
    free = np.flatnonzero(here)[open_] if len(open_) else np.zeros(0, np.int64)
    if strategy == "next-minute":
        drawn = _by_chance(said.item_ids[free], count, seed, share)
        offers, pool_size = by_the_minute(project, question, said, known, votes, free, count, drawn)
        return NextLabels(_views(ws, known, offers), pool_size, len(drawn))
    pool = _pool(ws, row, question, said, free, stands)
    if strategy == "k-centre":
        pool = replace(pool, labelled=_covered(ws, row, question, known, seed))
    if column is not None:
        pool = replace(pool, groups=_slices(ws, pool.item_ids, column))
    if strategy == "disagreement":
        pool = _with_another(ws, pool, question, said, free, other)
    chosen = choose(strategy, pool, count, seed, quota, share)
    return NextLabels(
        _views(
            ws, stands,
            [Offer(int(i), "label", bool(c)) for i, c in zip(chosen.item_ids, chosen.random_share, strict=True)],
        ),
        len(free), int(chosen.random_share.sum()),
    )  # fmt: skip


def _stands(connection: Connection, project: ProjectView) -> dict[int, Row]:
    rows = connection.execute(
        select(
            items.c.id, items.c.content_hash, items.c.use, item_state.c.state, final_labels.c.answer
        )
        .join(item_state, item_state.c.item_id == items.c.id)
        .outerjoin(final_labels, final_labels.c.seq == item_state.c.final_seq)
        .where(items.c.project_id == project.id)
    )
    return {r.id: r for r in rows}


def _pool(
    ws: Workspace,
    row: Row,
    question: Question,
    said: Predictions,
    free: np.ndarray,
    stands: Mapping[int, Row],
) -> Pool:
    ids = said.item_ids[free]
    table = said.probabilities[free]
    folder = folder_of(ws, row, question.key)
    hashes = [stands[int(i)].content_hash for i in ids]
    vectors, read = read_embeddings(folder, ws.cache / "embeddings", hashes)
    labelled = sum(r.state not in NOT_YET for r in stands.values())
    logs = np.log(np.clip(table, 1e-12, 1.0))
    return Pool(
        ids, said.confidence[free], said.margin[free], np.asarray(-(table * logs).sum(1)),
        vectors.astype(np.float32) if len(read) and read.all() else None,
        groups=np.array([said.classes[c] for c in table.argmax(1)], dtype=object) if len(ids) else None,
        n_labelled=labelled,
    )  # fmt: skip


def _covered(
    ws: Workspace, row: Row, question: Question, known: Mapping[int, Row], seed: int
) -> np.ndarray | None:
    """Return the vectors of what is labelled already, some of them where they are many."""
    hashes = [r.content_hash for r in known.values() if r.state not in NOT_YET]
    some = np.random.default_rng([seed, 3]).permutation(len(hashes))[:_MOST_COVERED]
    vectors, read = read_embeddings(
        folder_of(ws, row, question.key),
        ws.cache / "embeddings",
        [hashes[i] for i in sorted(some.tolist())],
    )
    return vectors[read].astype(np.float32) if read.any() else None


def _slices(ws: Workspace, ids: np.ndarray, column: str) -> np.ndarray:
    """Return each item's value in a column of the metadata, empty where it has none."""
    told: dict[int, dict[str, str]] = {}
    with ws.store.read() as connection:
        for start in range(0, len(ids), _CHUNK):
            told |= metadata_of(connection, ids[start : start + _CHUNK].tolist())
    return np.array([str(told.get(i, {}).get(column, "")) for i in ids.tolist()], dtype=object)


def _with_another(
    ws: Workspace,
    pool: Pool,
    question: Question,
    said: Predictions,
    free: np.ndarray,
    other: Row | None,
) -> Pool:
    if other is None:
        raise InputError("Disagreement needs another model.", "Choose two models.")
    rival = said_by(ws, other, question)
    at = {int(i): n for n, i in enumerate(rival.item_ids)}
    if missing := [int(i) for i in said.item_ids[free] if int(i) not in at]:
        raise InputError(
            f"Model {other.id} has no answer for {len(missing)} of these items.",
            "Choose a model trained since they came.",
        )
    names = tuple(dict.fromkeys([*said.classes, *rival.classes]))
    tables = [
        _columns(said, names)[free],
        _columns(rival, names)[[at[int(i)] for i in said.item_ids[free]]],
    ]
    return Pool(pool.item_ids, disagreement=disagreement_of(*tables), n_labelled=pool.n_labelled)


def _columns(said: Predictions, names: Sequence[str]) -> np.ndarray:
    found = np.zeros((len(said.item_ids), len(names)), np.float32)
    for column, name in enumerate(said.classes):
        found[:, names.index(name)] = said.probabilities[:, column]
    return found


def _by_chance(ids: np.ndarray, count: int, seed: int, share: float) -> list[int]:
    """Draw the part that stays random for honest evaluation out of what nobody has labelled."""
    many = min(round(share * count), len(ids))
    return [int(i) for i in np.random.default_rng(seed).choice(ids, many, replace=False)]


def _views(
    ws: Workspace, stands: Mapping[int, Row], offers: Sequence[Offer]
) -> tuple[NextItem, ...]:
    with ws.store.read() as connection:
        names = names_of(connection, [o.item_id for o in offers])
    return tuple(
        NextItem(
            o.item_id, names[o.item_id][0], image_path(o.item_id, stands[o.item_id].content_hash),
            ItemState(stands[o.item_id].state), o.what, o.by_chance, o.why,
        )
        for o in offers
    )  # fmt: skip
