"""The two choices every figure of rightness needs: whose word, against which truth; in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from core.analytics.asked import MODEL, PEOPLE, Against, Basis, Filters
from core.errors import InputError
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
        where: "column:value" of the filter, empty for all items.
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


def where_is(column: str, value: str | None) -> str:
    """Return the address's parameter for items with this value; "column" alone for none."""
    return column if value is None else f"{column}:{value}"


def draw_where(asked: Asked) -> None:
    """Say which items are looked at, where it is not all, with a way back."""
    if not asked.where:
        return
    left, right = st.columns([5, 1], vertical_alignment="center")
    column, colon, value = asked.where.partition(":")
    text = (
        _("Only items where {column} is {value}").format(column=column, value=value)
        if colon
        else _("Only items without {column}").format(column=column)
    )
    with left:
        draw("<div class='tb-banner' style='margin:0'><span>{t}</span></div>", t=text)
    right.button(
        _("All items"), key="where.clear", icon=":material/close:", width="stretch",
        on_click=lambda: put(where=None),
    )  # fmt: skip


def subject(whose: str, people: Mapping[str, str]) -> str:
    """Return whose word it is, as the subject of a sentence."""
    if whose == MODEL:
        return _("the model")
    return _("people") if whose == PEOPLE else people.get(whose, whose)


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
        found.append(_("Gold items only: their answers were known before."))
    else:
        found.append(_("Reviewed items only: the queue shows doubtful items first."))
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


def _filters(where: str) -> Filters:
    if not where:
        return Filters()
    column, colon, value = where.partition(":")
    if not column:
        raise InputError("The address asks for items of a column without a name.", "Take it out.")
    return Filters(metadata={column: value if colon else None})
