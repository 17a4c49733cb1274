"""The words of a question: whose statements, against which truth, of which items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analytics.replica import Replica
from core.errors import InputError, NotFound

MODEL = "model"
PEOPLE = "people"
NOBODY = -1


class Against(StrEnum):
    """What is held to be true."""

    FINAL = "final"
    """The label in force."""
    GOLD = "gold"
    """The known answer of gold items."""
    ADJUDICATED = "adjudicated"
    """Labels a lead decided."""
    EVALUATE = "evaluate"
    """The label in force of items drawn at random for evaluation."""


class Basis(StrEnum):
    """What a figure rests on, for the reader to judge it by."""

    RANDOM = "drawn at random"
    INDEPENDENT = "independent"
    """No truth rests on the statement it is compared with; items came up as the queue chose."""
    REVIEWED = "reviewed items only"
    """Nothing independent is left: every truth here rests on the very statement it is compared with."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which statements and items a question looks at; empty means all.

    Attributes:
        since, until: Time of the vote, or of the prediction set; seconds since the epoch,
            `until` itself excluded.
        people: Names; only where people are looked at.
        teams: Teams or vendors, "" for people of none; only where people are looked at.
        uses: Of train, certify, evaluate.
        metadata: Column to the value it must have, None for items that have none.
        prediction_set: Which predictions; None for the latest of each item.
        blind_only: Leave out votes given with the pre-label shown.
        guideline: Version of the guideline the vote was given under; None for any.
        called: Only items that somebody called this class; empty for all. This and `guideline`
            are looked at where people's agreement is.
    """

    since: float | None = None
    until: float | None = None
    people: Sequence[str] = ()
    uses: Sequence[str] = ()
    metadata: Mapping[str, str | None] = field(default_factory=dict)
    prediction_set: int | None = None
    blind_only: bool = False
    guideline: int | None = None
    called: str = ""
    teams: Sequence[str] = ()


ALL = Filters()


def filter_values(replica: Replica, project_id: int, filters: Filters) -> dict[str, Any]:
    """Return the values of the parameters every question shares.

    Raises:
        NotFound: A name in the filter is nobody's.
    """
    return {
        "project": project_id,
        "people": _people_of(replica, filters),
        "prediction_set": filters.prediction_set,
        "blind_only": filters.blind_only,
        "since": filters.since,
        "until": filters.until,
        "guideline": filters.guideline,
        "called": filters.called,
        "uses": list(filters.uses),
        "keys": list(filters.metadata),
        "vals": list(filters.metadata.values()),
    }


def comparison_values(
    replica: Replica, project_id: int, whose: str, against: str, filters: Filters
) -> dict[str, Any]:
    """Return the parameters of a question that compares statements with a truth.

    Raises:
        NotFound: `whose` is neither "model" nor "people" nor anybody's name.
        InputError: `against` is no reference.
    """
    values = filter_values(replica, project_id, filters)
    if whose not in (MODEL, PEOPLE):
        one = person_ids(replica, [whose])
        if values["people"] and one[0] not in values["people"]:
            one = [NOBODY]  # asked of one person among others: nothing
        values["people"] = one
    try:
        reference = Against(against).value
    except ValueError as error:
        raise InputError(
            f"Unknown reference '{against}'; expected one of {[a.value for a in Against]}."
        ) from error
    return {**values, "whose": MODEL if whose == MODEL else PEOPLE, "against": reference}


def _people_of(replica: Replica, filters: Filters) -> list[int]:
    """Return the people a filter leaves; empty for everybody, nobody's number for nobody."""
    named = person_ids(replica, filters.people)
    if not filters.teams:
        return named
    rows = replica.query("team_people", {"teams": list(filters.teams)})
    members = {int(r["id"]) for r in rows}
    kept = members.intersection(named) if named else members
    return sorted(kept) or [NOBODY]


def person_ids(replica: Replica, names: Sequence[str]) -> list[int]:
    """Return the numbers of people in the order of their names given.

    Raises:
        NotFound: A name is nobody's.
    """
    if not names:
        return []
    known = {r["name"]: int(r["id"]) for r in replica.query("person", {"names": list(names)})}
    for name in names:
        if name not in known:
            raise NotFound(f"There is nobody called '{name}' here.", "Check the spelling.")
    return [known[name] for name in names]


def reference_basis(own: Sequence[bool] | NDArray[np.bool_], against: str) -> tuple[Basis, int]:
    """Return what statements rest on and how many are left out, as `independent` does for counts.

    Args:
        own: Of each statement, whether the truth rests on it.
        against: The reference.
    """
    rests = int(np.count_nonzero(own))
    if len(own) and rests == len(own):
        return Basis.REVIEWED, 0
    return Basis.RANDOM if against == Against.EVALUATE else Basis.INDEPENDENT, rests


def independent(
    rows: Sequence[Mapping[str, Any]], against: str
) -> tuple[list[Mapping[str, Any]], Basis, int]:
    """Return the rows whose truth does not rest on the statement, or all where none is left.

    Args:
        rows: Counted pairs with ``own`` and ``n``.
        against: The reference.

    Returns:
        Rows to use, what they rest on, and how many pairs were left out.
    """
    kept = [r for r in rows if not r["own"]]
    if rows and not kept:
        return list(rows), Basis.REVIEWED, 0
    left_out = sum(int(r["n"]) for r in rows) - sum(int(r["n"]) for r in kept)
    return kept, Basis.RANDOM if against == Against.EVALUATE else Basis.INDEPENDENT, left_out
