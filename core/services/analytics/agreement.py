"""Agreement over any selection of votes, kept until the record gains anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from core.access import Actor
from core.analytics.asked import ALL, Filters, person_ids
from core.analytics.kept import once, told
from core.analytics.replica import Replica
from core.analytics.selected import MOST_DIFFERING, Differing, differing, guidelines_voted
from core.analytics.votes import vote_table
from core.labels.state import ItemState
from core.services.analytics.behind import is_withheld, names_by_number, rows_of
from core.services.analytics.replicas import open_figures
from core.services.consensus.agreement import (
    MOST_DRAWN_ITEMS,
    AgreementView,
    Scale,
    agreement_of,
    agreement_of_regions,
)
from core.services.consensus.answers import read_answers
from core.services.consensus.people_agreement import (
    Together,
    differing_regions,
    together,
    together_of_regions,
)
from core.services.pictures.images import image_path
from core.services.projects.project import ProjectView
from core.services.visibility.views import names_of
from core.services.workspace import Workspace

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SelectedAgreement:
    """How far people agree, over one selection of votes.

    Attributes:
        view: The coefficients.
        together: By class, pair and person; None where the label takes several answers.
        people: Number to (name, what others read) of everybody in `together`.
    """

    project: ProjectView
    view: AgreementView
    together: Together | None
    people: Mapping[int, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class DifferingItem:
    """An item two people call differently.

    Attributes:
        image: Path of the picture, below the base.
        first_said, second_said: Classes; how many regions where they are drawn.
        in_common: F1 of their regions; None for classes.
    """

    item_id: int
    name: str
    image: str
    state: ItemState
    first_said: str
    second_said: str
    in_common: float | None = None


@dataclass(frozen=True, slots=True)
class DifferingItems:
    """The items two people call differently.

    Attributes:
        withheld: Items not listed because the actor could still vote on, or decide, them.
    """

    items: tuple[DifferingItem, ...]
    withheld: int


def agreement(
    ws: Workspace,
    actor: Actor,
    slug: str,
    filters: Filters | None = None,
    scale: Scale = Scale.NAMES,
) -> SelectedAgreement:
    """Return how far people agree, over any selection of votes.

    Args:
        ws: The workspace.
        actor: Who asks.
        slug: The project.
        filters: Which votes: of whom, when, on what, called what, under which guideline.
        scale: What the classes are to each other.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: A name is nobody's.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    chosen = filters or ALL
    view, beside = _once(
        replica, project, chosen, f"agreement {scale}",
        lambda: _computed(ws, replica, project, chosen, scale),
    )  # fmt: skip
    ids = [] if beside is None else list(beside.pairs.people)
    ids += [] if beside is None else [person for person, _ in beside.effects]
    return SelectedAgreement(project, view, beside, names_by_number(ws, ids))


def guidelines(ws: Workspace, actor: Actor, slug: str) -> Mapping[int, int]:
    """Return the versions of the guideline live votes were given under, and how many votes each.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    return _once(replica, project, ALL, "guidelines", lambda: guidelines_voted(replica, project.id))


def differing_items(
    ws: Workspace,
    actor: Actor,
    slug: str,
    first: str,
    second: str,
    filters: Filters | None = None,
) -> DifferingItems:
    """Return the items two people call differently, newest first; of regions the least alike first.

    Items the actor could still vote on or decide are withheld: nobody sees an answer before
    giving their own.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: A name is nobody's.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    found = _differing(ws, replica, project, first, second, filters or ALL)
    rows = rows_of(ws, [d.item_id for d in found])
    shown = [d for d in found if not is_withheld(actor, project, rows[d.item_id].state)]
    with ws.store.read() as connection:
        names = names_of(connection, [d.item_id for d in shown])
    return DifferingItems(
        tuple(
            DifferingItem(
                d.item_id,
                names[d.item_id][0],
                image_path(d.item_id, rows[d.item_id].content_hash),
                ItemState(rows[d.item_id].state),
                d.first_said,
                d.second_said,
                d.in_common,
            )
            for d in shown
        ),
        len(found) - len(shown),
    )


def _computed(
    ws: Workspace, replica: Replica, project: ProjectView, filters: Filters, scale: Scale
) -> tuple[AgreementView, Together | None]:
    if project.task.draws:
        answers = read_answers(ws, replica, project, filters, MOST_DRAWN_ITEMS)
        return agreement_of_regions(project, answers), together_of_regions(project, answers)
    if project.schema.main.several:
        return agreement_of(ws, replica, project, filters, scale=scale), None
    votes = vote_table(replica, project.id, filters)
    view = agreement_of(ws, replica, project, filters, scale=scale, votes=votes)
    return view, together(project, votes)


def _differing(
    ws: Workspace,
    replica: Replica,
    project: ProjectView,
    first: str,
    second: str,
    filters: Filters,
) -> Sequence[Differing]:
    if not project.task.draws:
        return differing(replica, project.id, first, second, filters)
    one, _ = person_ids(replica, [first, second])
    pair = replace(filters, people=(first, second))
    answers = read_answers(ws, replica, project, pair, MOST_DRAWN_ITEMS)
    found = differing_regions(answers, one, project.policy.iou_at_least)
    return found[:MOST_DIFFERING]


def _once(
    replica: Replica, project: ProjectView, filters: Filters, what: str, ask: Callable[[], T]
) -> T:
    """Return the answer kept since the record last changed, or ask."""
    key = (what, project.schema_version, project.policy.iou_at_least, told(filters))
    return once(replica, project.id, key, ask)
