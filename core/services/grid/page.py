"""The grid: a page of tiles of one predicted class, of which a person marks what is wrong.

What is done with it is in `votes`; a few tiles are known to be wrong, see `known`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from sqlalchemy import Connection

from core.access import Action, Actor
from core.clock import new_uuid
from core.queue.barred import barred_items
from core.queue.claim import claim, held_leases, renew
from core.services.grid import candidates, known
from core.services.grid.candidates import MOST_TILES
from core.services.grid.tiles import Candidate, Unit, needs_others, seal, units_of
from core.services.grid.waiting import told_waiting, waiting_by_class
from core.services.projects.project import ProjectView, project_for
from core.services.projects.queue_plans import plan_in_force
from core.services.visibility.blind import countable
from core.services.visibility.eligible import barred_for
from core.services.workspace import Workspace
from core.stats.intervals import Estimate

MOST_LEFT_OUT = 500


@dataclass(frozen=True, slots=True)
class ClassCount:
    """A class, and up to how many tiles of it wait for this person, in tens."""

    name: str
    colour: str
    key: str
    waiting: int
    open: bool


@dataclass(frozen=True, slots=True)
class GridPage:
    """One page of the grid.

    Attributes:
        uuid: Of this page; each decision on it names it.
        predicted: The class of its tiles; None while none is chosen.
        classes: All classes, most waiting first; empty where they were not asked for.
        attention: Share of planted tiles this person noticed so far.
        others: Whether a vote also holds answers taken from the pre-label, so that the person
            has to agree to that.
        empty_reason: Why there is nothing to show; empty where there is.
    """

    uuid: str
    predicted: str | None
    units: tuple[Unit, ...]
    classes: tuple[ClassCount, ...]
    attention: Estimate
    others: bool
    schema_version: int
    guideline_version: int
    empty_reason: str = ""


def grid_page(
    ws: Workspace,
    actor: Actor,
    slug: str,
    predicted: str | None = None,
    count: int = 60,
    left_out: Sequence[int] = (),
    with_classes: bool = True,
) -> GridPage:
    """Lease a page of items whose prediction says a class, most suspicious first.

    Args:
        predicted: The class; None asks only which classes there are.
        left_out: Items not to show: on the screen already, or sent to the deck.
        with_classes: Whether to count what waits of each class.

    Raises:
        Forbidden: The actor may not vote here.
    """
    page = new_uuid()
    count = max(1, min(count, MOST_TILES))
    with ws.store.ephemeral() as connection:
        project = project_for(connection, actor, slug, Action.VOTE, counted=False)
        reason = _no_grid(project, predicted)
        chosen: Sequence[Candidate] = ()
        if predicted is not None and not reason:
            chosen = _chosen(connection, ws, project, actor, predicted, count, left_out, page)
        units = units_of(connection, ws, project, actor.person_id, page, predicted or "", chosen)
        rate = known.attention(connection, project, actor.person_id)
    counts: Mapping[str, int] = {}
    with ws.store.read() as connection:  # counting a million takes longer than a lease may
        if with_classes or (predicted and not units):
            counts = waiting_by_class(connection, project, actor)
        all_told = countable(connection, project, actor) is None
    if not units and not reason:
        reason = _why_empty(predicted, counts, all_told)
    return GridPage(
        uuid=page,
        predicted=predicted,
        units=tuple(units),
        classes=_classes(ws, project, actor.person_id, counts) if with_classes else (),
        attention=rate,
        others=needs_others(project),
        schema_version=project.schema_version,
        guideline_version=project.guideline_version,
        empty_reason=reason,
    )


def my_attention(ws: Workspace, actor: Actor, slug: str) -> Estimate:
    """Return the share of planted tiles the actor noticed in a project so far, with its interval.

    Raises:
        Forbidden: The actor may not see the project.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_OWN, counted=False)
        return known.attention(connection, project, actor.person_id)


def hold_tiles(ws: Workspace, actor: Actor, slug: str, item_ids: Sequence[int]) -> int:
    """Keep items of a page in hand: prolong leases, take lapsed ones back where a place is free.

    Raises:
        Forbidden: The actor may not vote here.
    """
    now, seconds = ws.clock(), ws.settings.lease_seconds
    with ws.store.ephemeral() as connection:
        project = project_for(connection, actor, slug, Action.VOTE, counted=False)
        held = held_leases(connection, project.id, actor.person_id, now)
        kept = renew(connection, actor.person_id, item_ids, now, seconds)
        room = max(0, ws.settings.lease_cap - len(held))
        lapsed = [i for i in item_ids if i not in set(held)][:room]
        barred = barred_items(connection, barred_for(connection, project, actor), lapsed)
        lapsed = [i for i in lapsed if i not in barred]
        if lapsed:
            kept += len(
                claim(connection, project.id, actor.person_id, room, now, seconds, only=lapsed)
            )
    return kept


def _chosen(
    connection: Connection,
    ws: Workspace,
    project: ProjectView,
    actor: Actor,
    predicted: str,
    count: int,
    left_out: Sequence[int],
    page: str,
) -> list[Candidate]:
    # Not by the page's name alone, which the browser gets: it could draw the same again.
    chance = Random(seal(ws, page))
    found = candidates.find(connection, project, actor, predicted, left_out)
    share = plan_in_force(connection, project.id).known_wrong_share
    draws = project.schema.draws
    there = sum(c.size(draws) for c in found)
    wanted = known.how_many(min(count, there), share, chance) if there else 0
    # More tiles than the figure the person was told leaves room for would show in its place.
    told = told_waiting(ws, project, actor.person_id, predicted, there)
    if there < count:
        wanted = min(wanted, told - 1 - there)
    planted = [
        c
        for c in known.plantable(connection, project, actor.person_id, predicted, wanted, chance)
        if c.item_id not in left_out
    ]
    planted_ids = {c.item_id for c in planted}
    found = [c for c in found if c.item_id not in planted_ids]
    room = count - sum(c.size(draws) for c in planted)
    real = candidates.take(connection, ws, project, actor.person_id, found, room)
    return [*real, *known.lend_doubt(planted, real, chance)] if real else []


def _no_grid(project: ProjectView, predicted: str | None) -> str:
    main = project.schema.main
    if main.several:
        return (
            f"'{main.title}' takes several classes, so its images are not sorted into a grid; "
            "review them one by one."
        )
    if predicted is None or predicted in main.open_names:
        return ""
    if predicted in main.names:
        return f"The class '{predicted}' was retired: its images are reviewed one by one."
    return f"This project has no class '{predicted[:80]}'. It may have been renamed."


def _why_empty(predicted: str | None, counts: Mapping[str, int], all_told: bool) -> str:
    if predicted is None:
        return "" if counts else (
            "The model has not said anything yet of the images that wait for you. "
            "A lead can pre-label them under Retrain."
        )  # fmt: skip
    if not all_told:  # whether any is left must not be told either
        return (
            f"No image predicted '{predicted}' waits for you here; those you are to judge without "
            "the model's word come in the review deck."
        )
    if counts.get(predicted):
        return f"The images predicted '{predicted}' are being looked at by others right now."
    return f"No image predicted '{predicted}' waits for you any more."


def _classes(
    ws: Workspace, project: ProjectView, person_id: int, counts: Mapping[str, int]
) -> tuple[ClassCount, ...]:
    main = project.schema.main
    choosable = set(main.open_names)
    told = {n: told_waiting(ws, project, person_id, n, c) for n, c in counts.items()}
    found = [
        ClassCount(c.name, c.colour, c.key, told.get(c.name, 0), c.name in choosable)
        for c in main.classes
        if c.name in choosable or (c.name in main.names and told.get(c.name))
    ]
    return tuple(sorted(found, key=lambda c: -c.waiting))
