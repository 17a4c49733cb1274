"""What each person said in all, and how it stands against gold and against the others."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from core.analytics.replica import Replica


@dataclass(frozen=True, slots=True)
class Shares:
    """On so many items, so many of the others' votes said the same."""

    others: int
    same: int
    items: int


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person's live statements in a project.

    Attributes:
        person: Name.
        kind: person, operator or annotator.
        votes: Live votes.
        blind_votes: Of them, given without seeing the pre-label.
        skips, flags: Items whose last word of this person is a skip or a flag.
        median_seconds: Median active time of a vote; None where none was measured.
        gold_n, gold_correct: Votes on gold items, and how many were right.
        agreement: How often others who voted on the same item said the same.
    """

    person: str
    kind: str
    votes: int
    blind_votes: int
    skips: int
    flags: int
    median_seconds: float | None
    gold_n: int
    gold_correct: int
    agreement: tuple[Shares, ...]


def people_seen(replica: Replica, project_id: int) -> tuple[str, ...]:
    """Return the names of everybody in `person_table`, who said something in a project, in order.

    Raises:
        LimitExceeded: It took too long.
    """
    return tuple(r["name"] for r in replica.query("people_seen", {"project": project_id}))


def person_table(
    replica: Replica, project_id: int, until: float | None = None
) -> tuple[PersonRow, ...]:
    """Return everybody who said something in a project, by name; of words before `until`.

    Raises:
        LimitExceeded: It took too long.
    """
    values = {"project": project_id, "until": until}
    rolled = "_rolled" if until is None else ""
    shares: dict[int, list[Shares]] = defaultdict(list)
    for r in replica.query(f"person_agreement{rolled}", values):
        shares[r["person_id"]].append(Shares(int(r["others"]), r["same"], r["items"]))
    return tuple(
        PersonRow(**{k: v for k, v in r.items() if k != "person_id"}, agreement=tuple(shares[r["person_id"]]))
        for r in replica.query(f"person_table{rolled}", values)
    )  # fmt: skip
