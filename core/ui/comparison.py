"""The two choices every figure of rightness needs: whose word, against which truth; in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote

import streamlit as st

from core.analytics.asked import MODEL, PEOPLE, Against, Basis, Filters
from core.errors import InputError
from core.ui import states
from core.ui.choices import choose, put
from core.ui.text import _, many, mark
from core.ui.theme import draw

REFERENCES = {
    Against.FINAL: mark("The label in force"),
    Against.ADJUDICATED: mark("What a lead decided"),
    Against.GOLD: mark("Gold: known answers"),
    Against.EVALUATE: mark("Items drawn at random"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader asked for.

    Attributes:
        whose: "model", "people" or a person's name.
        against: The reference.
        filters: Items looked at.
        where: The filter as the address has it, empty for all items.
    """

    whose: str
    against: str
    filters: Filters
    where: str


def ask(people: Mapping[str, str], best: str) -> Asked:
    """Draw the choices and return them; all of them live in the address.

    Args:
        people: Name to display name of those who can be chosen.
        best: The reference to start with.
    """
    left, right = st.columns(2, gap="medium")
    with left:
        whose = choose(
            _("How right is"),
            "whose",
            {MODEL: _("The model"), PEOPLE: _("All people together"), **people},
            MODEL,
        )
    with right:
        names = {str(k): _(v) for k, v in REFERENCES.items()}
        against = choose(_("compared with"), "against", names, best)
    where = st.query_params.get("where", "")
    return Asked(whose, against, _filters(where), where)


def where_is(conditions: Sequence[tuple[str, str | None]]) -> str:
    """Return the address's parameter for items that meet all conditions; None is "has none"."""
    return "|".join(
        quote(column, safe="") + ("" if value is None else ":" + quote(value, safe=""))
        for column, value in conditions
    )


def in_words(conditions: Sequence[tuple[str, str | None]]) -> str:
    """Return conditions as the end of a sentence: camera is C and light is dusk."""
    return _(" and ").join(
        _("{column} is not known").format(column=column)
        if value is None
        else _("{column} is {value}").format(column=column, value=value)
        for column, value in conditions
    )


def draw_where(asked: Asked) -> None:
    """Say which items are looked at, where it is not all, with a way back."""
    if asked.where:
        draw_where_is(asked.filters)


def draw_where_is(filters: Filters) -> None:
    """Say which items a filter leaves, where it leaves any out, with a way to take each condition out."""
    if not filters.metadata:
        return
    left, right = st.columns([5, 1], vertical_alignment="center")
    conditions = list(filters.metadata.items())
    text = _("Only items where {conditions}").format(conditions=in_words(conditions))
    with left:
        draw("<div class='tb-banner' style='margin:0'><span>{t}</span></div>", t=text)
    right.button(
        _("All items"), key="where.clear", icon=":material/close:", width="stretch",
        on_click=lambda: put(where=None),
    )  # fmt: skip
    if len(conditions) > 1:
        _chips(conditions)


def _chips(conditions: Sequence[tuple[str, str | None]]) -> None:
    """Draw a button a condition that takes this one out of the address."""
    with st.container(horizontal=True, gap="small"):
        for place, one in enumerate(conditions):
            others = [*conditions[:place], *conditions[place + 1 :]]
            st.button(
                states.plain_markdown(in_words([one])), key=f"where.drop.{place}",
                icon=":material/close:", type="tertiary", on_click=put,
                kwargs={"where": where_is(others)}, help=_("Take this condition out."),
            )  # fmt: skip


def notes(basis: Basis, left_out: int, against: str, whose: str) -> list[str]:
    """Return what a reader must know to judge a figure of rightness."""
    found = []
    if basis is Basis.REVIEWED:
        found.append(
            _(
                "Careful: every label here rests on the very answer it is compared with. It flatters."
            )
        )
    elif basis is Basis.RANDOM:
        found.append(_("These items were drawn at random, so the figure holds for all items."))
    elif against == Against.GOLD:
        found.append(_("Gold items only, planted or not: their answers were known before."))
    elif against == Against.ADJUDICATED:
        found.append(
            _("Disputed items only: the hardest there are, so the figure is low by nature.")
        )
    else:
        found.append(_("Labelled items only: which items got labels was not drawn at random."))
    if left_out and whose == MODEL:
        found.append(
            many(
                "{n} label is left out: it rests on a vote given with the pre-label in view.",
                "{n} labels are left out: they rest on votes given with the pre-label in view.",
                left_out,
            )
        )
    elif left_out:
        found.append(
            many(
                "{n} vote is left out: the label rests on it.",
                "{n} votes are left out: the labels rest on them.",
                left_out,
            )
        )
    return found


def draw_notes(lines: list[str]) -> None:
    """Draw small notes below a figure."""
    for line in lines:
        draw("<div class='tb-muted tb-small' style='margin-top:.35rem'>{t}</div>", t=line)


def filters_in_address(teams: Sequence[str] = ()) -> Filters:
    """Return the items the address asks for, and of people these teams.

    Raises:
        InputError: The address cannot be read.
    """
    return replace(_filters(st.query_params.get("where", "")), teams=tuple(teams))


def conditions_of(where: str) -> tuple[tuple[str, str | None], ...]:
    """Return the conditions that `where_is` wrote.

    Raises:
        InputError: A column has no name.
    """
    found: list[tuple[str, str | None]] = []
    for part in filter(None, where.split("|")):
        column, colon, value = part.partition(":")
        if not column:
            raise InputError(
                "The address asks for items of a column without a name.", "Take 'where' out of it."
            )
        found.append((unquote(column), unquote(value) if colon else None))
    return tuple(found)


def _filters(where: str) -> Filters:
    return Filters(metadata=dict(conditions_of(where)))
