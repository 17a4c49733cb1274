"""What a person prefers at the deck: a preset of keys, and keys of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, select

from core.access import Actor, require_signed_in
from core.errors import InputError
from core.services.accounts.keymap import PRESETS, STANDARD, Keymap, effective
from core.services.workspace import Workspace
from core.store.tables import preferences


@dataclass(frozen=True, slots=True)
class Preferences:
    """Which keys a person uses.

    Attributes:
        preset: Name of the preset they start from.
        keys: Commands with keys of their own, those that differ from the preset.
    """

    preset: str = STANDARD
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def keymap(self) -> Keymap:
        """Return all commands with the keys in force."""
        return effective(self.preset, self.keys)


def get_preferences(ws: Workspace, actor: Actor) -> Preferences:
    """Return what the actor prefers; the default where nothing, or nothing readable, is kept.

    Raises:
        NotSignedIn: Nobody is signed in.
    """
    require_signed_in(actor)
    with ws.store.read() as connection:
        doc = connection.execute(
            select(preferences.c.doc).where(preferences.c.person_id == actor.person_id)
        ).scalar()
    try:
        return _read(json.loads(doc)) if doc else Preferences()
    except (ValueError, InputError):
        # Damaged, or of a time with other commands: nobody is locked out of the deck by that.
        return Preferences()


def set_preferences(ws: Workspace, actor: Actor, wanted: Preferences) -> Preferences:
    """Keep what the actor prefers and return it cleaned; durable before it returns.

    Raises:
        NotSignedIn: Nobody is signed in.
        InputError: The preset is unknown, or the keys do not go together.
    """
    require_signed_in(actor)
    inforce = effective(wanted.preset, wanted.keys)
    preset = PRESETS[wanted.preset]
    own = {name: inforce[name] for name in wanted.keys if inforce[name] != preset[name]}
    doc = json.dumps({"preset": wanted.preset, "keys": own}, ensure_ascii=False)
    with ws.store.write() as connection:
        connection.execute(delete(preferences).where(preferences.c.person_id == actor.person_id))
        connection.execute(
            preferences.insert(),
            {"person_id": actor.person_id, "doc": doc, "updated_at": ws.clock()},
        )
    return Preferences(wanted.preset, own)


def _read(doc: Any) -> Preferences:
    if not isinstance(doc, dict) or not isinstance(doc.get("keys", {}), dict):
        raise InputError("The preferences kept are no JSON object.")
    keys = doc.get("keys", {})
    if not all(_is_texts(k) for k in keys.values()) or not isinstance(doc.get("preset"), str):
        raise InputError("The preferences kept do not have the form of preferences.")
    found = Preferences(doc["preset"], {name: tuple(k) for name, k in keys.items()})
    effective(found.preset, found.keys)
    return found


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) for v in value)
