"""What a look may go by: the population, and the certify items people have checked, in drawn order.

The certify items of a campaign lie in a random order fixed when it was opened. A look takes them from the
front for as long as people have answered: a prefix of a random order is a random draw. One that was
taken up and not settled counts as wrong, so that what is hard is never left out by being hard.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, select

from core.labels import Answer
from core.labels.state import ItemState
from core.services.certificates.believed import Believed
from core.services.consensus.draws import Arm, place
from core.services.consensus.rightness import agrees
from core.services.projects.project import ProjectView
from core.store.tables import annotation_log, arm_draws, final_labels, item_state, items

BY_PEOPLE = frozenset({ItemState.IMPORTED, ItemState.AGREED, ItemState.ADJUDICATED})
_NOT_ANSWERED = frozenset({ItemState.OPEN, ItemState.AUTO_ACCEPTED})


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one item stands.

    Attributes:
        taken_up: Somebody voted on it, was unsure of it or flagged it.
        settled_at: When its label came into force; 0 where it has none.
    """

    item_id: int
    content_hash: str
    use: str
    came_at: float
    state: ItemState
    taken_up: bool
    answer: str | None
    settled_at: float
    final_seq: int

    @property
    def answered(self) -> bool:
        """Return whether people have settled it, or begun to and not ended."""
        return self.state not in _NOT_ANSWERED or self.taken_up


@dataclass(frozen=True, slots=True)
class Sample:
    """The checked items of a look, in drawn order.

    Attributes:
        item_ids: What was checked.
        wrong: Of each, whether the model's answer is not the people's.
        unsettled: How many of them people took up and did not settle: counted as wrong.
        not_blind: Certify items answered beside the model's proposal: left out of everything.
        next_ids: Those whose turn is next.
    """

    item_ids: tuple[int, ...]
    wrong: tuple[bool, ...]
    unsettled: int
    not_blind: frozenset[int]
    next_ids: tuple[int, ...]

    @property
    def digest(self) -> str:
        """Return the SHA-256 of what the look rests on."""
        text = ",".join(f"{i}:{int(w)}" for i, w in zip(self.item_ids, self.wrong, strict=True))
        return hashlib.sha256(text.encode()).hexdigest()


def standings(connection: Connection, project: ProjectView) -> dict[int, Standing]:
    """Return where every item of a project stands, by number."""
    rows = connection.execute(
        select(
            items.c.id, items.c.content_hash, items.c.use, items.c.at, item_state.c.state,
            item_state.c.votes, item_state.c.unsure, item_state.c.flagged,
            final_labels.c.answer, final_labels.c.at.label("settled_at"),
            final_labels.c.seq,
        )
        .join(item_state, item_state.c.item_id == items.c.id)
        .outerjoin(final_labels, final_labels.c.seq == item_state.c.final_seq)
        .where(items.c.project_id == project.id)
        .order_by(items.c.id)
    )  # fmt: skip
    return {
        r.id: Standing(
            r.id, r.content_hash, r.use, r.at, ItemState(r.state),
            bool(r.votes or r.unsure or r.flagged), r.answer, r.settled_at or 0.0, r.seq or 0,
        )
        for r in rows
    }  # fmt: skip


def in_arm(connection: Connection, project_id: int, arm: Arm) -> list[int]:
    """Return the items drawn for a purpose, in the random order they lie in."""
    rows = connection.execute(
        select(arm_draws.c.item_id)
        .where(arm_draws.c.project_id == project_id, arm_draws.c.arm == arm.value)
        .distinct()
    )
    return sorted(rows.scalars(), key=lambda i: (place(i), i))


def shown_items(connection: Connection, project_id: int) -> frozenset[int]:
    """Return the items on which somebody voted beside the model's proposal."""
    rows = connection.execute(
        select(annotation_log.c.item_id)
        .where(
            annotation_log.c.project_id == project_id,
            annotation_log.c.kind == "vote",
            annotation_log.c.prelabel_shown,
        )
        .distinct()
    )
    return frozenset(rows.scalars())


def drawn_sample(
    order: Sequence[int],
    stands: Mapping[int, Standing],
    shown: frozenset[int],
    believed: Believed,
    project: ProjectView,
    since: float = 0.0,
    iou: float = 0.5,
) -> Sample:
    """Return the checked items at the front of the drawn order.

    Args:
        order: The certify items in drawn order.
        stands: Where every item stands.
        shown: Items answered beside the model's proposal.
        believed: What the model says.
        project: Whose.
        since: Labels settled up to then do not count, nor do their items: the model was taught by
            what they led to.
        iou: From which overlap on a region is right.
    """
    row_of = {i: n for n, i in enumerate(believed.item_ids.tolist())}
    found: list[int] = []
    wrong: list[bool] = []
    unsettled = 0
    known = [i for i in order if i in row_of and not _stale(stands[i], since)]
    usable = [i for i in known if i not in shown]
    for item_id in usable:
        if not stands[item_id].answered:
            break
        found.append(item_id)
        wrong.append(_is_wrong(stands[item_id], believed, row_of[item_id], project, iou))
        unsettled += stands[item_id].state not in BY_PEOPLE
    left_out = frozenset(known) & shown | (frozenset(order) - frozenset(known))
    return Sample(tuple(found), tuple(wrong), unsettled, left_out, tuple(usable[len(found) :]))


def _stale(standing: Standing, since: float) -> bool:
    return standing.state in BY_PEOPLE and 0 < standing.settled_at <= since


def _is_wrong(
    standing: Standing, believed: Believed, row: int, project: ProjectView, iou: float
) -> bool:
    if standing.state not in BY_PEOPLE or standing.answer is None:
        return True
    true = project.schema.translate(Answer.from_json(standing.answer))
    return not agrees(project.schema, true, believed.answer(row), iou)


@dataclass(frozen=True, slots=True)
class Population:
    """Which items a look is about.

    Attributes:
        rows: Rows of what is believed, of the items in it.
        closed: Of each, whether it may not be accepted: people labelled it, or it is kept for the audit.
        audited: Of each, whether it is kept for the audit.
        late: Items that came after the draw: not covered.
    """

    rows: np.ndarray
    closed: np.ndarray
    audited: np.ndarray
    late: int


def population(
    believed: Believed,
    stands: Mapping[int, Standing],
    sample: Sample,
    scratch: frozenset[int],
    opened_at: float,
    audit_share: float,
    salt: str,
    keep: Sequence[int] = (),
) -> Population:
    """Return the items of a look; what is kept for the audit is drawn before it by a hash.

    Args:
        believed: What the model says.
        stands: Where every item stands.
        sample: What was checked.
        scratch: Labelled from scratch: no part of it.
        opened_at: Items that came later are no part of it.
        audit_share: Of the open items, kept for the audit.
        salt: Of that draw.
        keep: Items that are part of it though they were drawn for evaluation.
    """
    kept_anyway = frozenset(keep)
    checked = frozenset(sample.item_ids)
    rows, closed, audited = [], [], []
    for row, item_id in enumerate(believed.item_ids.tolist()):
        one = stands[item_id]
        if one.came_at > opened_at:
            continue
        apart = one.use == "evaluate" or item_id in scratch or item_id in sample.not_blind
        if apart and item_id not in kept_anyway:
            continue
        open_ = not one.answered and item_id not in believed.trained
        kept = open_ and one.use == "train" and _drawn(salt, one.content_hash) < audit_share
        rows.append(row)
        # A checked item that the model learnt from stays marked, so that the look refuses it.
        taught = item_id in believed.trained
        closed.append(taught or (item_id not in checked and (kept or not open_)))
        audited.append(kept)
    late = sum(one.came_at > opened_at for one in stands.values())
    return Population(
        np.array(rows, dtype=np.int64), np.array(closed, dtype=bool), np.array(audited, dtype=bool),
        late,
    )  # fmt: skip


def _drawn(salt: str, content_hash: str) -> float:
    digest = hashlib.sha256(f"{salt}:{content_hash}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
