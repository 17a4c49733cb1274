"""Keys of one's own: presets that hold, conflicts that are named, preferences that last."""

from __future__ import annotations

import json

import pytest

from core.access import ANONYMOUS
from core.errors import InputError, NotSignedIn
from core.services.accounts.keymap import (
    COMMANDS,
    LEFT,
    PRESETS,
    RESERVED,
    STANDARD,
    check_keymap,
    clean_key,
    effective,
)
from core.services.accounts.preferences import Preferences, get_preferences, set_preferences
from core.services.workspace import Workspace
from core.store.tables import preferences
from tests.record import make_world


@pytest.mark.parametrize("preset", list(PRESETS))
def test_a_preset_has_every_command_and_no_conflict(preset: str) -> None:
    """Both presets pass the check that a person's own keys must pass."""
    found = effective(preset, {})
    assert list(found) == list(COMMANDS)
    assert found == PRESETS[preset]
    assert not {k for keys in found.values() for k in keys} & set(RESERVED)


def test_the_left_hand_needs_no_right_hand() -> None:
    """Accept, six classes, skip, flag, undo, next and zoom lie under the left hand."""
    under = set("QWEASDFGZXVBT12345") | {"Space"}
    keys = effective(LEFT, {})
    wanted = ["accept", "skip", "flag", "undo", "redo", "next", "previous", "zoomIn", "zoomOut",
              "toggleFit", "reasons", "edit", *(f"choose{n}" for n in range(1, 7))]  # fmt: skip
    for name in wanted:
        assert keys[name][0].removeprefix("Shift+") in under, name
    assert [keys[f"choose{n}"][0] for n in range(1, 7)] == list("QWEASD")


@pytest.mark.parametrize(
    ("typed", "key"),
    [("a", "A"), (" shift+z ", "Shift+Z"), ("SPACE", "Space"), ("left", "Left"), ("f1", "F1"),
     ("?", "?"), ("ä", "ä"), ("Shift+0", "Shift+0"), ("+", "+"), ("shift+left", "Shift+Left")],
)  # fmt: skip
def test_a_key_is_read_as_people_write_it(typed: str, key: str) -> None:
    """Case and blanks do not matter."""
    assert clean_key(typed) == key


@pytest.mark.parametrize(
    ("typed", "why"),
    [("c", "Streamlit"), ("Shift+R", "Streamlit"), ("F5", "browser"), ("Tab", "button to button"),
     ("esc", "closes"), ("Ctrl+S", "Ctrl, Alt and Cmd"), ("alt+1", "Ctrl, Alt and Cmd"),
     ("", "no key"), ("AB", "no key"), ("\u200b", "no key"), ("Shift+?", "depends"),
     ("Shift+", "no key"), ("\n", "no key")],
)  # fmt: skip
def test_a_key_that_is_not_ours_is_refused_with_the_reason(typed: str, why: str) -> None:
    """The sentence says who has the key."""
    with pytest.raises(InputError, match=why):
        clean_key(typed)


def test_a_conflict_names_both_commands() -> None:
    """Nobody has to guess which other command has the key."""
    with pytest.raises(InputError, match=r"'F' is wanted .*'Flag for the lead' and 'Comment'"):
        effective(STANDARD, {"thread": ("f",)})
    assert effective(STANDARD, {"thread": ("F",), "flag": ("T",)})["flag"] == ("T",)


def test_unknown_commands_and_presets_are_refused() -> None:
    """A forged command is input like any other."""
    with pytest.raises(InputError, match="no command"):
        check_keymap({"format disk": ("A",)})
    with pytest.raises(InputError, match="no preset"):
        effective("dvorak", {})
    with pytest.raises(InputError, match="at most 4"):
        check_keymap({"accept": tuple("QWEAS")})
    assert check_keymap({"accept": ("a", "A")}) == {"accept": ("A",)}


def test_preferences_last_and_are_ones_own(sqlite_ws: Workspace) -> None:
    """They are kept cleaned, only where they differ, and nobody else gets them."""
    world = make_world(sqlite_ws)
    me, other = world.cast.experts[:2]
    assert get_preferences(sqlite_ws, me) == Preferences()
    kept = set_preferences(
        sqlite_ws, me, Preferences(LEFT, {"flag": ("j",), "undo": ("Z", "Backspace")})
    )
    assert kept == Preferences(LEFT, {"flag": ("J",)})
    assert get_preferences(sqlite_ws, me) == kept
    assert kept.keymap["flag"] == ("J",)
    assert get_preferences(sqlite_ws, other) == Preferences()
    assert set_preferences(sqlite_ws, me, Preferences()) == get_preferences(sqlite_ws, me)


def test_refused_keys_change_nothing(sqlite_ws: Workspace) -> None:
    """After a conflict the keys kept before are still in force."""
    me = make_world(sqlite_ws).cast.experts[0]
    kept = set_preferences(sqlite_ws, me, Preferences(LEFT))
    with pytest.raises(InputError, match="two commands"):
        set_preferences(sqlite_ws, me, Preferences(LEFT, {"flag": ("Z",)}))
    assert get_preferences(sqlite_ws, me) == kept


@pytest.mark.parametrize(
    "doc",
    ["", "{", "[]", "null", '{"preset": 3}', '{"preset": "standard", "keys": []}',
     json.dumps({"preset": "standard", "keys": {"flag": "F"}}),
     json.dumps({"preset": "standard", "keys": {"flag": ["Z"]}}),
     json.dumps({"preset": "gone", "keys": {}}), json.dumps({"preset": "standard", "keys": {"gone": ["J"]}})],
)  # fmt: skip
def test_damaged_preferences_fall_back_to_the_default(sqlite_ws: Workspace, doc: str) -> None:
    """A bad document locks nobody out of the deck."""
    me = make_world(sqlite_ws).cast.experts[0]
    with sqlite_ws.store.write() as connection:
        connection.execute(
            preferences.insert(), {"person_id": me.person_id, "doc": doc, "updated_at": 1.0}
        )
    assert get_preferences(sqlite_ws, me) == Preferences()


def test_nobody_has_no_preferences(sqlite_ws: Workspace) -> None:
    """One must be signed in to have keys of one's own."""
    with pytest.raises(NotSignedIn):
        get_preferences(sqlite_ws, ANONYMOUS)
    with pytest.raises(NotSignedIn):
        set_preferences(sqlite_ws, ANONYMOUS, Preferences())
