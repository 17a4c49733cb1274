"""The keys of the review deck: what can be commanded, which keys do it, which keys are not ours.

A key is written as a person writes it: ``A``, ``Shift+Z``, ``Space``, ``Left``, ``F1``, ``+``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.errors import InputError

Keymap = dict[str, tuple[str, ...]]

MOST_KEYS = 4
"""Keys one command may have."""

NAMED = (
    "Enter", "Space", "Backspace", "Delete", "Insert", "Home", "End", "PageUp", "PageDown",
    "Left", "Right", "Up", "Down", "F1", "F2", "F4", "F8", "F9", "F10",
)  # fmt: skip
_SHIFTED = "Shift+"


@dataclass(frozen=True, slots=True)
class Command:
    """Something the deck can be told.

    Attributes:
        title: What it does, in a few words, for sentences about it.
        group: ``answer``, ``move``, ``look``, ``draw`` or ``more``: where the help sheet lists it.
        keys: Its keys in the standard preset.
    """

    title: str
    group: str
    keys: tuple[str, ...]


COMMANDS: Mapping[str, Command] = {
    **{
        f"choose{digit}": Command(f"Class {place}", "answer", (digit,))
        for place, digit in enumerate("1234567890", start=1)
    },
    "accept": Command("Accept the pre-label", "answer", ("A",)),
    "confirm": Command("Confirm what is chosen", "answer", ("Enter",)),
    "search": Command("Search a class", "answer", ("/",)),
    "skip": Command("Skip, not sure", "answer", ("Space",)),
    "reasons": Command("Skip with a reason", "answer", ("X",)),
    "flag": Command("Flag for the lead", "answer", ("F",)),
    "undo": Command("Undo", "move", ("Z", "Backspace")),
    "redo": Command("Redo", "move", ("Shift+Z",)),
    "previous": Command("Previous item", "move", ("Left",)),
    "next": Command("Next item", "move", ("Right",)),
    "grid": Command("Go to the grid", "move", ("G",)),
    "zoomIn": Command("Zoom in", "look", ("+", "=")),
    "zoomOut": Command("Zoom out", "look", ("-", "_")),
    "toggleFit": Command("Whole image or 100 %", "look", ("V",)),
    "actual": Command("100 % while held", "look", ("Shift+0",)),
    "panLeft": Command("Move the view left", "look", ("Shift+Left",)),
    "panRight": Command("Move the view right", "look", ("Shift+Right",)),
    "panUp": Command("Move the view up", "look", ("Shift+Up",)),
    "panDown": Command("Move the view down", "look", ("Shift+Down",)),
    "adjust": Command("Brightness and contrast", "look", ("B",)),
    "overlay": Command("Show or hide what is drawn", "look", ("H",)),
    "opacity": Command("Overlay opacity", "look", ("O",)),
    "channel": Command("Next channel", "look", ("K",)),
    "edit": Command("Edit what is drawn", "draw", ("E",)),
    "canvas": Command("Open the drawing canvas", "draw", ("Shift+E",)),
    "nextObject": Command("Next object", "draw", ("N",)),
    "previousObject": Command("Previous object", "draw", ("P",)),
    "thread": Command("Comment", "more", ("T",)),
    "link": Command("Copy the link", "more", ("L",)),
    "info": Command("Guideline", "more", ("I",)),
    "help": Command("Help", "more", ("?", "F1")),
}

# One hand on Q W E A S D, the thumb on Space; what is rarely wanted keeps its key elsewhere.
_LEFT_HAND: Mapping[str, tuple[str, ...]] = {
    **{f"choose{n}": (str(n), key) for n, key in enumerate("QWEASD", start=1)},
    "accept": ("Space",),
    "skip": ("X",),
    "reasons": ("Shift+X",),
    "search": ("/", "Shift+S"),
    "next": ("G", "Right"),
    "previous": ("Shift+G", "Left"),
    "grid": ("Shift+Q",),
    "zoomIn": ("B", "+", "="),
    "zoomOut": ("Shift+B", "-", "_"),
    "adjust": ("Shift+V",),
    "overlay": ("Shift+A", "H"),
    "edit": ("T",),
    "canvas": ("Shift+T",),
    "nextObject": ("Shift+D", "N"),
    "previousObject": ("Shift+W", "P"),
    "thread": ("Shift+F",),
}

STANDARD, LEFT = "standard", "left-hand"

PRESETS: Mapping[str, Keymap] = {
    STANDARD: {name: command.keys for name, command in COMMANDS.items()},
    # The letter is the key shown; the digit above it goes on working.
    LEFT: {
        name: tuple(sorted(_LEFT_HAND.get(name, command.keys), key=str.isdigit))
        for name, command in COMMANDS.items()
    },
}

_STREAMLIT = "Streamlit has it for its own menu"
_BROWSER = "the browser needs it"
RESERVED: Mapping[str, str] = {
    "C": _STREAMLIT,
    "R": _STREAMLIT,
    "Shift+C": _STREAMLIT,
    "Shift+R": _STREAMLIT,
    "Tab": "it moves from button to button",
    "Shift+Tab": "it moves from button to button",
    "Escape": "it closes what lies over the page",
    "Esc": "it closes what lies over the page",
    **dict.fromkeys(("F3", "F5", "F6", "F7", "F11", "F12", "Shift+F10", "Shift+Insert"), _BROWSER),
}
"""Keys that are not ours, each with the reason."""


def clean_key(text: str) -> str:
    """Return a key as we write it, however it was typed.

    Raises:
        InputError: It is no key, or one the browser or Streamlit has.
    """
    given = text.strip()
    shifted = given[:6].lower() == "shift+" and len(given) > len(_SHIFTED)
    plain = given[len(_SHIFTED) :] if shifted else given
    if any(given.lower().startswith(m) for m in ("ctrl+", "alt+", "cmd+", "meta+", "option+")):
        raise InputError(
            f"'{given[:30]}' cannot be used: the browser has keys with Ctrl, Alt and Cmd.",
            "Use the key alone or with Shift+.",
        )
    named = next((n for n in (*NAMED, *RESERVED) if n.lower() == plain.lower()), "")
    if named:
        key = (_SHIFTED if shifted else "") + named
    elif len(plain) == 1 and plain.isprintable() and not plain.isspace():
        key = _character(plain, shifted)
    else:
        raise InputError(
            f"'{given[:30]}' is no key we know.",
            f"Write one character, or one of {', '.join(NAMED)}; Shift+ may stand in front.",
        )
    if key in RESERVED:
        raise InputError(f"'{key}' cannot be used: {RESERVED[key]}.", "Choose another key.")
    return key


def _character(plain: str, shifted: bool) -> str:
    if plain.isascii() and plain.isalnum():
        return (_SHIFTED if shifted else "") + plain.upper()
    if shifted:
        raise InputError(
            f"'Shift+{plain}' depends on the keyboard.", "Write the character it makes."
        )
    return plain


def check_keymap(mapping: Mapping[str, Sequence[str]]) -> Keymap:
    """Return a keymap with its keys cleaned.

    Raises:
        InputError: A command is unknown, a key is not ours to use, or two commands have the same.
    """
    taken: dict[str, str] = {}
    cleaned: Keymap = {}
    for name, keys in mapping.items():
        if name not in COMMANDS:
            raise InputError(f"There is no command '{name[:40]}'.", "Choose one of the list.")
        if len(keys) > MOST_KEYS:
            raise InputError(f"'{COMMANDS[name].title}' has {len(keys)} keys, at most {MOST_KEYS}.")
        cleaned[name] = tuple(dict.fromkeys(clean_key(k) for k in keys))
        for key in cleaned[name]:
            other = taken.setdefault(key, name)
            if other != name:
                raise InputError(
                    f"'{key}' is wanted by two commands: '{COMMANDS[other].title}' and "
                    f"'{COMMANDS[name].title}'.",
                    "Give one of them another key; nothing was changed.",
                )
    return cleaned


def effective(preset: str, mapping: Mapping[str, Sequence[str]]) -> Keymap:
    """Return the keys in force: those of a preset, with a person's own in place of them.

    Raises:
        InputError: The preset is unknown, or the keys do not go together; see `check_keymap`.
    """
    if preset not in PRESETS:
        raise InputError(f"There is no preset '{preset[:40]}'.", f"Choose {' or '.join(PRESETS)}.")
    return check_keymap({**PRESETS[preset], **mapping})
