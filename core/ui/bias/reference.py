"""What a dataset is held against on the bias page, kept in the address, and pictures behind a figure."""

from __future__ import annotations

import streamlit as st

from core.services.bias.reference_sets import Choices, Picture, Pictures, ReferenceAsk
from core.stats.intervals import Estimate
from core.ui import charts, states, urls, widgets
from core.ui.behind import item_link
from core.ui.bias.contents import tell
from core.ui.choices import choose, put
from core.ui.shell import PageContext
from core.ui.text import _, many
from core.ui.theme import Markup, draw, fill, join
from core.ui.widgets import muted

MOST_CHOICES = 400


def ask_reference(found: Choices) -> ReferenceAsk | None:
    """Draw the choice of a reference and return what is compared; None before one is chosen."""
    options = {"": _("Choose what your pictures are to be compared with")}
    options |= {slug: _("Project: {title}").format(title=t) for slug, t in found.projects.items()}
    pairs = [(c, v) for c, values in found.columns.items() for v in values][:MOST_CHOICES]
    options |= {
        f"{c}={v}": _("Items where {column} is {value}").format(column=c, value=v) for c, v in pairs
    }
    left, right = st.columns([2.4, 1], gap="medium")
    with left:
        against = choose(
            _("Compare with"), "reference", options, "",
            _("Pictures from where the model will work: a project of their own, or a value that marks them."),
        )  # fmt: skip
    with right:
        counted = choose(
            _("Of this project"),
            "counted",
            {"all": _("All items"), "labelled": _("Items with a label")},
            "all",
        )
    return ReferenceAsk(against, counted == "labelled") if against else None


def reference_in_address() -> ReferenceAsk | None:
    """Return what the address says is compared, for the panels below the one that asks."""
    against = st.query_params.get("reference", "")
    labelled = st.query_params.get("counted", "") == "labelled"
    return ReferenceAsk(against, labelled) if against else None


def reference_name(asked: ReferenceAsk) -> str:
    """Return what a reader calls the reference."""
    return asked.against.replace("=", ": ", 1)


def here_with(page: PageContext, **parameters: str) -> str:
    """Return this view's address with some parameters set."""
    kept = {k: v for k, v in st.query_params.items() if k != "project"}
    return urls.page("bias", project=page.slug, **{**kept, **parameters})


def linked(text: str, href: str) -> Markup:
    """Return a link in a table that stays in this tab."""
    return fill(
        "<a href='{href}' target='_self' style='color:inherit;font-weight:600'>{t}</a>",
        href=href, t=charts.shortened(text, 80),
    )  # fmt: skip


def cell(e: Estimate, unit: str = "%") -> Markup:
    """Return a figure with its interval below it, for a table."""
    if e.value is None:
        return muted(_("not enough data, n = {n}").format(n=f"{e.n:,}"))
    return fill(
        "{value}<div class='tb-muted tb-small'>{rest}n = {n}</div>",
        value=charts.amount(e.value, unit), rest=charts.interval(e, unit), n=f"{e.n:,}",
    )  # fmt: skip


def p_value(p: float | None) -> str:
    """Return a p as people read it."""
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def sentence(text: str, more: str = "") -> None:
    """Draw the one sentence a panel is about."""
    tell(text)
    below = fill("<div class='tb-muted' style='margin-top:.3rem'>{t}</div>", t=more) if more else ""
    draw(
        "<div style='font-size:1.08rem;font-weight:600;line-height:1.45'>{t}</div>{below}",
        t=text,
        below=below or Markup(),
    )


def choose_by_click(key: str, values: list[str], **clear: None) -> None:
    """Put what was clicked in a chart into the address under the last part of its key."""
    points = st.session_state[key].selection.points
    if points:
        place = round(float(points[0]["y"]))
        if 0 <= place < len(values):
            put(**{key.rpartition(".")[2]: values[place]}, **clear)


def draw_pictures(page: PageContext, found: Pictures, empty: str) -> None:
    """Draw pictures as tiles that lead to their items, and say how many are kept back."""
    if found.shown:
        tiles = join(_tile(page, p) for p in found.shown)
        draw("<div class='tb-examples'>{all}</div>", all=tiles)
    elif not found.withheld:
        states.empty(empty)
    said = many("{n} picture in all.", "{n} pictures in all.", found.total)
    if found.withheld:
        said += " " + many(
            "{n} is kept back: you could still vote on it. A manager sees it.",
            "{n} are kept back: you could still vote on them. A manager sees them.",
            found.withheld,
        )
    widgets.caption(said)


def _tile(page: PageContext, picture: Picture) -> Markup:
    href = (
        item_link(page, picture.item_id, picture.state)
        if picture.slug == page.slug
        else urls.page("items", project=picture.slug, item=str(picture.item_id))
    )
    return fill(
        "<figure style='border-top-width:1px;border-top-color:var(--tb-line)'>"
        "<a href='{href}' target='_self' style='color:inherit'><img src='{src}' alt='{name}' "
        "loading='lazy'></a><figcaption>{name} <span class='tb-muted'>{note}</span></figcaption></figure>",
        href=href,
        src=urls.path(picture.image + "&w=400"),
        name=picture.name,
        note=picture.note,
    )
