"""One's own keys at the review deck: a preset, and a field per command."""

from __future__ import annotations

from itertools import groupby

import streamlit as st

from core.access import Actor
from core.errors import InputError
from core.services.accounts.keymap import COMMANDS, LEFT, PRESETS, STANDARD, effective
from core.services.accounts.preferences import Preferences, get_preferences, set_preferences
from core.services.workspace import Workspace
from core.ui.deck.texts_keys import command_text, group_text
from core.ui.states import say_error
from core.ui.text import _, mark
from core.ui.widgets import attempt, caption, section

_PRESETS = {STANDARD: mark("Standard"), LEFT: mark("Left hand: Q W E A S D")}
_COLUMNS = 2


def key_settings(ws: Workspace, actor: Actor) -> None:
    """Draw the keys of the actor, and what changes them."""
    mine = get_preferences(ws, actor)
    section(
        _("Keys at the review deck"),
        _("Every button there shows its key; the help sheet (?) lists what you set here."),
    )
    preset = _preset(ws, actor, mine)
    _fields(ws, actor, Preferences(preset, mine.keys if preset == mine.preset else {}))
    if mine.keys and st.button(
        _("Back to the preset"), key="me.keys.reset", icon=":material/undo:"
    ):
        attempt(
            lambda: set_preferences(ws, actor, Preferences(mine.preset)),
            _("The preset's keys are in force."),
        )


def _preset(ws: Workspace, actor: Actor, mine: Preferences) -> str:
    chosen = st.segmented_control(
        _("Start from"),
        list(PRESETS),
        default=mine.preset,
        format_func=lambda p: _(_PRESETS[p]),
        key="me.keys.preset",
        required=True,
    )
    if chosen != mine.preset:
        # The keys of one's own belonged to the other preset.
        attempt(
            lambda: set_preferences(ws, actor, Preferences(chosen)),
            _("The preset's keys are in force."),
        )
    return str(chosen)


def _fields(ws: Workspace, actor: Actor, shown: Preferences) -> None:
    with st.form("me.keys", border=True):
        caption(
            _(
                "One key or several with a blank between: A, Shift+Z, Space, Left, F2, +. "
                "An empty field leaves the command without a key. "
                "C, R and what the browser needs cannot be used."
            )
        )
        written = {
            name: text
            for group, names in groupby(COMMANDS, key=lambda n: COMMANDS[n].group)
            for name, text in _group(group, list(names), shown).items()
        }
        caption(
            _("The keys above are in force. Save only what you changed in the fields.")
            if not shown.keys
            else _("Your own keys are in force. Save what you change in the fields.")
        )
        if st.form_submit_button(_("Save changed keys"), icon=":material/keyboard:"):
            _save(ws, actor, shown.preset, written)


def _group(group: str, names: list[str], shown: Preferences) -> dict[str, str]:
    inforce = shown.keymap
    with st.expander(group_text(group), expanded=group == "answer"):
        columns = st.columns(_COLUMNS, gap="medium")
        return {
            name: columns[place % _COLUMNS].text_input(
                command_text(name),
                " ".join(inforce[name]),
                # Another preset has other values: a field keeps what was typed only for its own.
                key=f"me.keys.{shown.preset}.{'-'.join(inforce[name])}.{name}",
                max_chars=60,
            )
            for place, name in enumerate(names)
        }


def _save(ws: Workspace, actor: Actor, preset: str, written: dict[str, str]) -> None:
    wanted = {name: tuple(text.split()) for name, text in written.items()}
    try:
        effective(preset, wanted)
    except InputError as problem:
        say_error(problem)
        return
    attempt(
        lambda: set_preferences(ws, actor, Preferences(preset, wanted)),
        _("Your keys are saved; the review deck has them from its next opening on."),
    )
