"""Which votes agreement is looked at over: choices that live in the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from core.analytics.asked import Filters
from core.services.analytics import figures
from core.services.consensus.agreement import Scale, scales_of
from core.services.projects.project import ProjectView
from core.ui import charts, comparison
from core.ui.choices import choose
from core.ui.shell import PageContext
from core.ui.text import _
from core.ui.widgets import caption

CHOICES = ("one", "other", "days", "called", "guideline", "scale", "where")
MOST_SLICES = 200
"""Slices offered; those of a column stand whole, or not at all."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The votes looked at.

    Attributes:
        filters: With the pair, where two people are chosen.
        everybody: The same without the pair.
        pair: The two names; empty where fewer are chosen.
        scale: What the classes are to each other.
    """

    filters: Filters
    everybody: Filters
    pair: tuple[str, ...]
    scale: Scale


def choose_votes(page: PageContext, project: ProjectView, base: Filters) -> Selection:
    """Draw the choices and return them.

    Args:
        page: The page.
        project: Its project.
        base: What the page looks at already: a slice.
    """
    people = figures.people_who_voted(page.ws, page.actor, page.slug)
    is_open = any(name in st.query_params for name in CHOICES)
    with st.expander(_("Choose the votes: whose, when, which items"), expanded=is_open):
        pair, since = _whose_and_when(page, people)
        called, guideline, scale = _which(page, project)
        _slice(page, base)
    everybody = replace(base, since=since, called=called, guideline=guideline)
    return Selection(replace(everybody, people=pair), everybody, pair, scale)


def _whose_and_when(
    page: PageContext, people: Mapping[str, str]
) -> tuple[tuple[str, ...], float | None]:
    left, middle, right = st.columns(3, gap="medium")
    with left:
        one = choose(_("Between"), "one", {"": _("All people"), **people}, "")
    with middle:
        rest = {name: shown for name, shown in people.items() if name != one}
        other = choose(_("and"), "other", {"": _("All people"), **rest}, "")
    with right:
        days = choose(
            _("Votes given"),
            "days",
            {
                "": _("At any time"),
                "30": _("In the last 30 days"),
                "7": _("In the last 7 days"),
                "1": _("Today"),
            },
            "",
        )
    if bool(one) != bool(other):
        caption(_("Choose a second person to look at the two alone."))
    return (one, other) if one and other else (), _since(page, days)


def _since(page: PageContext, days: str) -> float | None:
    if not days:
        return None
    zone = ZoneInfo(charts.reader_zone())
    today = datetime.fromtimestamp(page.ws.clock(), zone).date()
    return datetime.combine(today - timedelta(days=int(days) - 1), time(), zone).timestamp()


def _which(page: PageContext, project: ProjectView) -> tuple[str, int | None, Scale]:
    left, middle, right = st.columns(3, gap="medium")
    with left:
        called = choose(
            _("Items that somebody called"),
            "called",
            {"": _("Anything"), **{name: name for name in project.schema.classes}},
            "",
            _("Items all called something else are left out, so agreement is lower by nature."),
        )
    with middle:
        versions = figures.guidelines(page.ws, page.actor, page.slug)
        named = {
            str(v): _("Version {v} ({n} votes)").format(v=v, n=f"{n:,}")
            for v, n in versions.items()
        }
        guideline = choose(_("Under the guideline"), "guideline", {"": _("Any"), **named}, "")
    with right:
        scale = _scale(project)
    return called, int(guideline) if guideline else None, scale


def _slice(page: PageContext, base: Filters) -> None:
    """Draw the choice of a slice; it is the page's own, and holds for every figure on it."""
    offered = {"": _("All items")}
    if asked := list(base.metadata.items()):  # a slice of two columns, from the page on bias
        offered[comparison.where_is(asked)] = comparison.in_words(asked)
    for column, values in figures.slice_values(page.ws, page.actor, page.slug).items():
        if len(offered) + len(values) <= MOST_SLICES:
            found = ([(column, value)] for value in values)
            offered |= {comparison.where_is(c): comparison.in_words(c) for c in found}
    if len(offered) > 1:
        choose(
            _("Items where (the slice of the whole page)"), "where", offered, "",
            _("Holds for every figure on this page, not for agreement alone."),
        )  # fmt: skip


def _scale(project: ProjectView) -> Scale:
    names = {
        Scale.NAMES: _("Names: the same or not"),
        Scale.STEPS: _("Steps of a scale, in their order"),
        Scale.NUMBERS: _("Numbers, as they read"),
    }
    offered = {str(s): names[s] for s in scales_of(project)}
    return Scale(choose(_("The classes are"), "scale", offered, str(Scale.NAMES)))
