"""What the bias page is asked: the figure, whose, against what, by which columns. All of it lives in
the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote, unquote

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.analytics.asked import MODEL, PEOPLE
from core.analytics.slice_facts import COMPARED, Metric
from core.services.analytics.figures import people_who_voted
from core.services.bias.slice_ask import FEWEST, Condition, SliceAsk
from core.services.bias.slices import ColumnView, SlicesView
from core.ui import comparison
from core.ui.choices import choose, put
from core.ui.shell import PageContext
from core.ui.teams import choose_team, teams_of
from core.ui.text import _, mark
from core.ui.zones import draw_zone

METRICS = {
    Metric.ACCURACY: mark("Accuracy"),
    Metric.RECALL: mark("Recall of a class"),
    Metric.AGREEMENT: mark("Agreement between people"),
    Metric.TIME: mark("Time for a vote"),
    Metric.REWORK: mark("Votes done again"),
    Metric.REJECTED: mark("Votes a lead ruled against"),
    Metric.CERTIFICATE: mark("Error of the model on certified items"),
}

COLUMNS = {
    "class": mark("True class"),
    "person": mark("Person"),
    "hour": mark("Hour of the day"),
    "weekday": mark("Weekday"),
    "week": mark("Week"),
    "model version": mark("Model version"),
    "pre-label": mark("Pre-label"),
    "guideline": mark("Guideline version"),
    "looks like": mark("Looks like"),
    "brightness": mark("Brightness"),
    "contrast": mark("Contrast"),
    "sharpness": mark("Sharpness"),
    "warmth": mark("Warmth of colour"),
    "tint": mark("Tint of colour"),
    "width": mark("Width"),
    "height": mark("Height"),
    "megapixels": mark("Megapixels"),
    "aspect": mark("Width to height"),
}

LEAST = (10, 20, 50, 100, 200)
ANY = "best"
"""Stands for everybody, and for the reference that leaves most to compare, in the address."""


def ask(page: PageContext) -> tuple[SliceAsk, DeltaGenerator]:
    """Draw the choices but the columns, and return what is asked, and the place left for those."""
    names = {m.value: _(t) for m, t in METRICS.items()}
    first, second, third, fourth = st.columns([1.3, 1.2, 1.2, 0.8], gap="medium")
    with first:
        metric = choose(_("Figure"), "metric", names, Metric.ACCURACY.value)
    of_class, whose, against = "", "", ""
    classes = page.project.schema.classes if page.project else ()
    with second:
        if metric == Metric.RECALL and classes:
            of_class = choose(_("of the class"), "class", {c: c for c in classes}, classes[0])
        elif metric in COMPARED:
            whose = _whose(page)
    with third:
        if metric == Metric.RECALL:
            whose = _whose(page)
        elif metric == Metric.ACCURACY:
            against = _against()
    with fourth:
        least = choose(
            _("At least"), "least", {str(n): f"n = {n}" for n in LEAST}, str(FEWEST),
            _("Slices of fewer are neither compared nor shown."),
        )  # fmt: skip
    by_team = bool(teams_of(page)) and (metric not in COMPARED or whose != MODEL)
    zone_at, *team_at, columns_at = st.columns(
        [1.3, *([1.2] if by_team else []), 2.1 if by_team else 3.3], gap="medium"
    )
    with zone_at:
        zone = draw_zone()
    team: tuple[str, ...] = ()
    for place in team_at:
        with place:
            team = choose_team(page)
    asked = SliceAsk(
        metric, of_class, whose, against, tuple(_listed("by")),
        comparison.filters_in_address(team), fewest=int(least), tz=zone,
    )  # fmt: skip
    return asked, columns_at


def _whose(page: PageContext) -> str:
    people = people_who_voted(page.ws, page.actor, page.slug)
    names = {
        ANY: _("Everybody, people and the model"),
        MODEL: _("The model"),
        PEOPLE: _("All people together"),
        **people,
    }
    found = choose(_("How right is"), "whose", names, ANY)
    return "" if found == ANY else found


def _against() -> str:
    names = {ANY: _("What leaves most to compare")}
    names |= {str(k): _(v) for k, v in comparison.REFERENCES.items()}
    found = choose(_("compared with"), "against", names, ANY)
    return "" if found == ANY else found


def ask_columns(columns: Sequence[ColumnView], place: DeltaGenerator) -> None:
    """Draw the choice of columns; it is in the address, so a change comes with the next run."""
    names = {c.name: column_name(c.name) for c in columns}
    key = "bias.by"
    st.session_state[key] = [c for c in _listed("by") if c in names]
    place.multiselect(
        _("By which columns and their pairs"),
        list(names),
        format_func=lambda c: names.get(c, c),
        key=key,
        placeholder=_("Everything there is: all columns and all pairs"),
        on_change=_columns_chosen,
    )


def _columns_chosen() -> None:
    chosen = st.session_state["bias.by"]
    put(by="|".join(quote(c, safe="") for c in chosen) or None, slice=None)


def _listed(name: str) -> list[str]:
    return [unquote(part) for part in st.query_params.get(name, "").split("|") if part]


def conditions_in_address(view: SlicesView) -> tuple[Condition, ...]:
    """Return the slice the reader chose; the dearest one where none is chosen."""
    asked = st.query_params.get("slice", "")
    if asked:
        return comparison.conditions_of(asked)
    first = view.worst or next(iter(view.rows), None)
    return first.conditions if first else ()


def column_name(column: str) -> str:
    """Return what a reader calls a column: taken_at: month is "taken at (month)"."""
    known = COLUMNS.get(column)
    if known:
        return _(known)
    base, colon, part = column.partition(": ")
    shown = " ".join(base.replace("_", " ").split()) or base
    return f"{shown} ({part})" if colon else shown


def name_in_sentence(column: str) -> str:
    """Return the same within a sentence: our own names begin small there, those of the data stay."""
    name = column_name(column)
    return name[:1].lower() + name[1:] if column in COLUMNS else name


def slice_name(conditions: Sequence[Condition], people: Mapping[str, str]) -> str:
    """Return a slice as a label: camera: C · light: dusk."""
    return " · ".join(
        f"{column_name(column)}: {_value(column, value, people)}" for column, value in conditions
    )


def _value(column: str, value: str | None, people: Mapping[str, str]) -> str:
    if value is None:
        return _("not known")
    return people.get(value, value) if column == "person" else value
