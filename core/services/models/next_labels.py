"""What people should look at next: by a model's doubts, by likeness, or by what a minute of them is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
from sqlalchemy import Connection, Row, select

from core.access import Action, Actor
from core.errors import InputError
from core.labels import Answer
from core.labels.schema import Question
from core.labels.state import ItemState
from core.learning.minute import Open, belief_labelled, belief_unlabelled, next_minute
from core.learning.reader import read_embeddings
from core.learning.select import Pool, Strategy, choose, disagreement_of
from core.learning.values import Predictions
from core.services.models.stored import asked_question, folder_of, model_row, said_by
from core.services.pictures.images import image_path
from core.services.projects.project import ProjectView, project_for
from core.services.projects.training_rules import rules_in_force
from core.services.visibility.views import metadata_of, names_of
from core.services.workspace import Workspace
from core.store.tables import annotation_log, final_labels, item_state, items

__all__ = ["NextItem", "NextLabels", "Strategy", "next_labels"]

MOST = 5000
DEFAULT_SECONDS = 5.0
RULING = 3.0
"""A ruling takes so many times as long as a vote, while nothing else is known."""
PEOPLE = 0.95
"""How often a person is right, while too few votes tell."""
_VOTES = 5000
_CHUNK = 500
_BEST = 0.995
_MOST_COVERED = 5_000
_NOT_YET = (ItemState.OPEN.value, ItemState.AUTO_ACCEPTED.value)


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
        votes = _votes(connection, project, question)
    said = said_by(ws, row, question)
    known = {i: r for i, r in stands.items() if r.use == "train"}
    open_ = np.array([known[i].state in _NOT_YET for i in said.item_ids.tolist() if i in known])
    here = np.array([i in known for i in said.item_ids.tolist()], dtype=bool)
    free = np.flatnonzero(here)[open_] if len(open_) else np.zeros(0, np.int64)
    if strategy == "next-minute":
        drawn = _by_chance(said.item_ids[free], count, seed, share)
        return _by_the_minute(ws, project, question, said, known, votes, free, count, drawn)
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
            [(int(i), "label", bool(c), "") for i, c in zip(chosen.item_ids, chosen.random_share, strict=True)],
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
    labelled = sum(r.state not in _NOT_YET for r in stands.values())
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
    hashes = [r.content_hash for r in known.values() if r.state not in _NOT_YET]
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


# --- the next minute --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Votes:
    """Newest answers by item, and the active seconds of the newest votes."""

    by_item: Mapping[int, Sequence[str]]
    seconds: float


def _votes(connection: Connection, project: ProjectView, question: Question) -> _Votes:
    rows = connection.execute(
        select(
            annotation_log.c.item_id, annotation_log.c.person_id, annotation_log.c.kind,
            annotation_log.c.answer, annotation_log.c.active_seconds,
        )
        .where(annotation_log.c.project_id == project.id)
        .order_by(annotation_log.c.seq)
    ).all()  # fmt: skip
    newest = {(r.item_id, r.person_id): r for r in rows}
    found: dict[int, list[str]] = {}
    for r in newest.values():
        if r.kind == "vote" and r.answer:
            answer = project.schema.translate(Answer.from_json(r.answer))
            if (said := answer.choices.get(question.key)) is not None:
                found.setdefault(r.item_id, []).append(said)
    took = [float(r.active_seconds) for r in rows[-_VOTES:] if r.active_seconds]
    return _Votes(found, fmean(took) if took else DEFAULT_SECONDS)


def _by_the_minute(
    ws: Workspace,
    project: ProjectView,
    question: Question,
    said: Predictions,
    known: Mapping[int, Row],
    votes: _Votes,
    free: np.ndarray,
    count: int,
    drawn: Sequence[int],
) -> NextLabels:
    """Choose between a new label, a second opinion and a ruling, by expected errors a second.

    What was drawn by chance comes last, to be labelled.
    """
    place = {int(i): n for n, i in enumerate(said.item_ids)}
    people, classes = _accuracy_of_people(votes), max(2, len(said.classes))
    labels = {i: label for i, r in known.items() if (label := _label(project, question, r))}
    weight, model = _weights(said, place, labels, people)
    settled = [i for i in labels if i in place]
    disputed = [i for i, r in known.items() if r.state == ItemState.DISPUTE and i in place]

    def belief(ids: Sequence[int]) -> np.ndarray:
        quality = [_quality(said, place[i], votes.by_item.get(i, ()), labels.get(i), people, weight, model)
                   for i in ids]  # fmt: skip
        given = np.array([weight * max(1, len(votes.by_item.get(i, ()))) for i in ids])
        return belief_labelled(np.array(quality), given, model, weight, classes)

    # An item someone has begun on is in the queue already.
    chance = set(drawn)
    fresh = [int(i) for i in said.item_ids[free] if int(i) not in votes.by_item and i not in chance]
    sure = said.confidence[[place[i] for i in fresh]]
    offers = next_minute(
        Open(np.array(fresh, np.int64), belief_unlabelled(sure, model, weight, classes), people),
        Open(np.array(settled, np.int64), belief(settled), people),
        Open(np.array(disputed, np.int64), belief(disputed), 1 - (1 - people) / 2),
        {"label": votes.seconds, "second opinion": votes.seconds, "adjudicate": RULING * votes.seconds},
        count - len(drawn),
    )  # fmt: skip
    rows = [(m.item_id, str(m.what), False, m.why) for m in offers]
    rows += [(i, "label", True, "") for i in drawn]
    pool = len(drawn) + len(fresh) + len(settled) + len(disputed)
    return NextLabels(_views(ws, known, rows), pool, len(drawn))


def _by_chance(ids: np.ndarray, count: int, seed: int, share: float) -> list[int]:
    """Draw the part that stays random for honest evaluation out of what nobody has labelled."""
    many = min(round(share * count), len(ids))
    return [int(i) for i in np.random.default_rng(seed).choice(ids, many, replace=False)]


def _label(project: ProjectView, question: Question, row: Row) -> str | None:
    if row.answer is None or row.state in _NOT_YET:
        return None
    return project.schema.translate(Answer.from_json(row.answer)).choices.get(question.key)


def _accuracy_of_people(votes: _Votes) -> float:
    """Return how often one person's vote is right, told by how often two agree."""
    pairs = [(v[0], v[1]) for v in votes.by_item.values() if len(v) > 1]
    if len(pairs) < 30:
        return PEOPLE
    agree = sum(a == b for a, b in pairs) / len(pairs)
    return float(min(_BEST, max(0.5, agree**0.5)))  # both right; two alike mistakes are rare


def _weights(
    said: Predictions, place: Mapping[int, int], labels: Mapping[int, str], people: float
) -> tuple[float, float]:
    """Return the weight of a person and of the model: how far each beats always saying one class."""
    top = said.top1
    judged = [(top[place[i]], label) for i, label in labels.items() if i in place]
    counts: dict[str, int] = {}
    for _said, label in judged:
        counts[label] = counts.get(label, 0) + 1
    base = max(counts.values(), default=0) / max(1, len(judged))
    base = min(base, 0.99)
    right = sum(a == b for a, b in judged) / max(1, len(judged))
    return max(0.05, 1 - (1 - people) / (1 - base)), max(0.05, 1 - (1 - right) / (1 - base))


def _quality(
    said: Predictions,
    row: int,
    votes: Sequence[str],
    label: str | None,
    people: float,
    weight: float,
    model: float,
) -> float:
    """Return how far model and votes bear a label out (CROWDLAB), the best one where there is none."""
    heard = list(votes) or ([label] if label else [])
    if label is None:
        label = max(sorted(set(heard)), key=heard.count, default=said.classes[0])
    column = said.classes.index(label) if label in said.classes else None
    machine = float(said.probabilities[row, column]) if column is not None else 0.0
    rest = (1 - people) / max(1, len(said.classes) - 1)
    spoken = sum(weight * (people if v == label else rest) for v in heard)
    return (model * machine + spoken) / (model + weight * len(heard))


def _views(
    ws: Workspace, stands: Mapping[int, Row], rows: Sequence[tuple[int, str, bool, str]]
) -> tuple[NextItem, ...]:
    with ws.store.read() as connection:
        names = names_of(connection, [r[0] for r in rows])
    return tuple(
        NextItem(
            i, names[i][0], image_path(i, stands[i].content_hash), ItemState(stands[i].state), what,
            chance, why,
        )
        for i, what, chance, why in rows
    )  # fmt: skip
