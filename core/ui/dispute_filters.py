"""Which disputes are asked for: the filters, kept in the address, and what is said where they leave none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from core.consensus.value import NOTHING
from core.errors import InputError
from core.services.review.adjudication import DisputeList
from core.services.review.dispute_filter import DisputeFilter
from core.ui import states
from core.ui.text import _, many, mark
from core.ui.widgets import caption

PARTS = ("pair", "person", "slice", "reason", "flagged")
MOST_ASKED = 1_000  # characters of one part of the address
_REASONS = {
    "flagged": mark("Somebody flagged it"),
    "votes-differ": mark("Votes differ"),
    "no-majority": mark("No majority"),
}
_TITLES = {
    "pair": mark("Classes"),
    "person": mark("Person"),
    "slice": mark("Slice"),
    "reason": mark("Reason"),
    "flagged": mark("Flagged"),
}


def asked_filter() -> DisputeFilter:
    """Return what the address asks for; an address that cannot be read is told and asks for all."""
    query = st.query_params
    try:
        return DisputeFilter.from_query({p: query[p][:MOST_ASKED] for p in PARTS if query.get(p)})
    except InputError as problem:
        states.say_error(problem)
        return DisputeFilter()


def ask(asked: DisputeFilter) -> None:
    """Put a filter into the address."""
    query = asked.to_query()
    for part in PARTS:
        if part in query:
            st.query_params[part] = query[part]
        else:
            st.query_params.pop(part, None)


def popover(found: DisputeList, asked: DisputeFilter) -> None:
    """Draw the filters behind a button that says how many are on."""
    on = len(asked.parts)
    label = _("Filter ({n})").format(n=on) if on else _("Filter")
    with st.popover(label, key="tb-filter"):
        caption(_told(found))
        choices = found.choices
        _pick("pair", dict(choices.pairs), asked.pair, _pair_words, asked)
        _pick(
            "person", {i: n for i, _name, n in choices.people}, asked.person or None,
            _names(found), asked,
        )  # fmt: skip
        slices = {(c, value): n for c, values in choices.columns for value, n in values}
        part = (asked.slice_key, asked.slice_value) if asked.slice_key else None
        _pick("slice", slices, part, ": ".join, asked)
        _pick("reason", dict(choices.reasons), asked.reason or None, reason_words, asked)
        st.checkbox(
            _("Only flagged ({n})").format(n=f"{choices.flagged:,}"),
            value=asked.flagged,
            key="tb-filter-flagged",
            on_change=_flag,
            args=(asked,),
        )
        st.button(
            _("Show all disputes"), key="tb-filter-none", disabled=not on, width="stretch",
            on_click=_take, args=(DisputeFilter(),),
        )  # fmt: skip
        caption(_("Flagged ones first, then by uncertainty × importance."))


def nothing_meets(found: DisputeList, asked: DisputeFilter) -> None:
    """Say which filter leaves nothing, and offer each way out."""
    named = ", ".join(_said(found, asked))
    states.show(
        "search",
        _("No dispute meets this filter"),
        _("Asked for: {what}. {all}").format(what=named, all=_in_all(found)),
    )
    with st.container(horizontal=True, horizontal_alignment="center"):
        for part in asked.parts if len(asked.parts) > 1 else ():
            st.button(
                _("Without {part}: {n}").format(part=_(_TITLES[part]), n=f"{found.less[part]:,}"),
                key=f"tb-less-{part}",
                disabled=not found.less[part],
                on_click=_take,
                args=(asked.without(part),),
            )
        st.button(
            _("Show all disputes"), key="tb-less-all", type="primary",
            on_click=_take, args=(DisputeFilter(),),
        )  # fmt: skip


def _said(found: DisputeList, asked: DisputeFilter) -> list[str]:
    """Return in words what is asked for, part by part."""
    words = {
        "pair": _pair_words(asked.pair) if asked.pair else "",
        "person": _names(found)(asked.person),
        "slice": f"{asked.slice_key}: {asked.slice_value}",
        "reason": reason_words(asked.reason),
        "flagged": _("flagged"),
    }
    return [words[part] for part in asked.parts]


def reason_words(reason: str) -> str:
    """Return why an item is in dispute, in a few words."""
    return _(_REASONS[reason]) if reason in _REASONS else reason


def _in_all(found: DisputeList) -> str:
    return many("There is {n} dispute in all.", "There are {n} disputes in all.", found.total)


def _told(found: DisputeList) -> str:
    return _("{n} of {m} disputes").format(n=f"{len(found.rows):,}", m=f"{found.total:,}")


def _pair_words(pair: tuple[str, str]) -> str:
    one, other = pair
    return f"{other} / {_('nothing drawn')}" if one == NOTHING else f"{one} / {other}"


def _names(found: DisputeList) -> Callable[[int], str]:
    names = {i: name for i, name, _n in found.choices.people}
    return lambda i: names.get(i, _("person {n}").format(n=i))


def _pick(
    part: str,
    counts: dict[Any, int],
    now: Any,
    words: Callable[[Any], str],
    asked: DisputeFilter,
) -> None:
    """Draw one filter; what the address asks for can be taken away even where nothing has it."""
    options: list[Any] = [None, *_with(counts, now)]
    title = _(_TITLES[part])

    def said(value: Any) -> str:
        if value is None:
            return _("{title}: all").format(title=title)
        return f"{words(value)} ({counts.get(value, 0):,})"

    st.selectbox(
        title,
        options,
        index=options.index(now),
        format_func=said,
        key=f"tb-filter-{part}",
        label_visibility="collapsed",
        placeholder=said(None),
        on_change=_picked,
        args=(part, asked),
    )


def _with(counts: Iterable[Any], now: Any) -> Sequence[Any]:
    found = list(counts)
    return found if now is None or now in found else [now, *found]


def _picked(part: str, asked: DisputeFilter) -> None:
    value, rest = st.session_state.get(f"tb-filter-{part}"), asked.without(part)
    if value is not None:
        new: dict[str, Any] = {part: value}
        if part == "slice":
            new = {"slice_key": value[0], "slice_value": value[1]}
        rest = replace(rest, **new)
    _go(rest)


def _flag(asked: DisputeFilter) -> None:
    _go(replace(asked, flagged=bool(st.session_state.get("tb-filter-flagged"))))


def _take(asked: DisputeFilter) -> None:
    """Take a filter that was not picked from the lists: these have to follow."""
    for part in PARTS:
        st.session_state.pop(f"tb-filter-{part}", None)
    _go(asked)


def _go(asked: DisputeFilter) -> None:
    ask(asked)
    st.query_params.pop("item", None)
