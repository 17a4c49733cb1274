"""The policies held beside the one in force: kept in the session, checked whenever they are read."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.consensus.policy import Policy
from core.errors import InputError
from core.services.consensus.replay import MOST_OTHERS, replay
from core.services.consensus.replay_views import Replay
from core.services.projects.project import ProjectView
from core.ui import background
from core.ui.shell import PageContext
from core.ui.text import _

MOST_NAME = 40
SOON_SECONDS = 4.0
"""A page waits so long for a comparison before it shows how far it is instead."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A policy to be held beside the one in force, by a name its reader gave it."""

    name: str
    policy: Policy


@dataclass(slots=True)
class Comparison:
    """A comparison under way, or done.

    Attributes:
        asked: What it is about: versions in force and the documents of the policies.
        stop: Set to call it off.
    """

    asked: tuple[object, ...]
    work: background.Work[Replay]
    stop: threading.Event


def kept(slug: str) -> list[WhatIf]:
    """Return the policies kept in this session; what is no policy is left out."""
    found = st.session_state.get(_key(slug))
    rows = found if isinstance(found, list) else []
    return [one for row in rows[:MOST_OTHERS] if (one := _read(row)) is not None]


def _read(row: object) -> WhatIf | None:
    if not (isinstance(row, tuple) and len(row) == 2 and all(isinstance(v, str) for v in row)):
        return None
    try:
        return WhatIf(row[0][:MOST_NAME], Policy.from_json(row[1]))
    except InputError:
        return None


def add(slug: str, name: str, policy: Policy, in_force: Policy) -> WhatIf:
    """Keep one more policy and return it.

    Raises:
        InputError: There are four already, it is in force, or it is there already.
    """
    held = kept(slug)
    if len(held) >= MOST_OTHERS:
        raise InputError(
            _("Four policies are held beside the one in force already."),
            _("Take one away first."),
        )
    if policy == in_force:
        raise InputError(
            _("This is the policy in force; it is always the first column."),
            _("Change something first."),
        )
    same = next((c.name for c in held if c.policy == policy), None)
    if same is not None:
        raise InputError(
            _("The column “{name}” holds the same policy.").format(name=same),
            _("Change something first."),
        )
    made = WhatIf(_free_name(name.strip()[:MOST_NAME], held), policy)
    _keep(slug, [*held, made])
    return made


def _free_name(name: str, held: Sequence[WhatIf]) -> str:
    taken = {c.name for c in held}
    if name and name not in taken:
        return name
    stem = name[: MOST_NAME - 4] or _("What if")
    return next(n for i in range(1 + bool(name), 99) if (n := f"{stem} {i}") not in taken)


def take_away(slug: str, name: str) -> None:
    """Forget a policy that was kept."""
    _keep(slug, [c for c in kept(slug) if c.name != name])


def _keep(slug: str, columns: Sequence[WhatIf]) -> None:
    st.session_state[_key(slug)] = [(c.name, c.policy.to_json()) for c in columns]


def _key(slug: str) -> str:
    return f"policy.{slug}.columns"


# --- comparing --------------------------------------------------------------------------------


def compared(
    page: PageContext, project: ProjectView, columns: Sequence[WhatIf], *, anew: bool
) -> Comparison:
    """Return the comparison of these policies, begun if there is none; wait a little for it.

    Args:
        page: Who looks.
        project: Whose votes.
        columns: The policies beside the one in force.
        anew: Whether votes cast since the last one shall count.
    """
    key = f"policy.{project.slug}.comparison"
    documents = tuple(c.policy.to_json() for c in columns)
    asked = (project.policy_version, project.schema_version, documents)
    now = st.session_state.get(key)
    if isinstance(now, Comparison) and now.asked == asked and not anew:
        return now
    if isinstance(now, Comparison):
        now.stop.set()
    begun = _begin(page, project.slug, [c.policy for c in columns], asked)
    st.session_state[key] = begun
    begun.work.over.wait(SOON_SECONDS)
    return begun


def forget(slug: str) -> None:
    """Call a comparison off and forget it."""
    found = st.session_state.pop(f"policy.{slug}.comparison", None)
    if isinstance(found, Comparison):
        found.stop.set()


def _begin(
    page: PageContext, slug: str, policies: Sequence[Policy], asked: tuple[object, ...]
) -> Comparison:
    ws, actor, stop = page.ws, page.actor, threading.Event()

    def do(work: background.Work[Replay]) -> Replay:
        def told(what: str, done: int, total: int) -> None:
            if stop.is_set():
                raise InputError("The comparison was called off; nothing was changed.")
            work.report(what, done, total, None)

        return replay(ws, actor, slug, policies, told)

    return Comparison(asked, background.start(do), stop)
