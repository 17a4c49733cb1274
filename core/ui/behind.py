"""Rows of the items behind a figure: the picture, a link to where one may act on it, its state."""

from __future__ import annotations

from dataclasses import dataclass

from core.access import Action, Resource, can
from core.labels.state import ItemState
from core.ui import urls
from core.ui.shell import PageContext
from core.ui.text import _, many
from core.ui.theme import Markup, fill
from core.ui.widgets import state_name


@dataclass(frozen=True, slots=True)
class Linked:
    """What a row of the table needs of an item.

    Attributes:
        image: Path of the picture, below the base.
    """

    item_id: int
    name: str
    image: str
    state: ItemState


def item_cells(page: PageContext, item: Linked, below: str) -> list[Markup | str]:
    """Return picture, linked name with a small line below it, and state."""
    picture = fill(
        "<img src='{src}' alt='' loading='lazy' style='width:56px;height:42px;object-fit:cover;"
        "border-radius:6px;display:block'>",
        src=urls.path(item.image + "&w=400"),
    )
    link = fill(
        "<a href='{href}' target='_self' style='color:inherit'>{name}</a>",
        href=item_link(page, item.item_id, item.state),
        name=item.name,
    )
    small = fill("<div class='tb-muted tb-small'>{t}</div>", t=below)
    return [picture, Markup(link + small), state_name(item.state)]


def item_link(page: PageContext, item_id: int, state: ItemState) -> str:
    """Return where the reader may act on an item, or look at it."""
    here = Resource(page.project.id if page.project else None)
    where = "items"
    if state is ItemState.DISPUTE and can(page.actor, Action.ADJUDICATE, here):
        where = "adjudicate"
    elif can(page.actor, Action.VOTE, here):
        where = "review"
    return urls.page(where, project=page.slug, item=str(item_id))


def count_in_words(found: int, listed: int, withheld: int) -> str:
    """Return how many items there are, how many of them are listed, and how many are kept back.

    Args:
        found: Items the reader may see.
        listed: The most a list shows.
        withheld: Items not told, as the reader could still vote on them.
    """
    text = many("{n} item", "{n} items", found)
    if found > listed:
        text += " · " + _("the first {n} are shown").format(n=listed)
    return text + withheld_in_words(withheld)


def withheld_in_words(n: int) -> str:
    """Return, as the end of a line, that so many more are not shown; nothing for none."""
    if not n:
        return ""
    return " · " + many(
        "{n} more is not shown: you could still vote on it; a manager sees it",
        "{n} more are not shown: you could still vote on them; a manager sees them",
        n,
    )
