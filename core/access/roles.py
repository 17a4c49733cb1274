"""Who may do what: the one table, and the one gate that reads it.

The table is that of the product's role matrix; tests and the documentation are made from it.
A permission question is always (actor, action, resource); what the table does not grant is
refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.errors import Forbidden, NotSignedIn


class Role(StrEnum):
    """What a person is in a project, or everywhere. Roles add up."""

    EXPERT = "expert"
    LEAD = "lead"
    MANAGER = "manager"
    ADMIN = "admin"
    WORKER = "worker"


class Action(StrEnum):
    """Everything one may ask of the services."""

    SEE_PROJECT = "see project"
    SEE_IMAGE = "see image"
    VOTE = "claim, draft, submit, skip, flag on own item"
    SEE_OWN = "read own annotations and figures"
    SEE_OTHERS_VOTES = "read others' votes before voting"
    ADJUDICATE = "adjudicate, overturn, send back"
    SEE_GOLD = "see or set gold"
    STEER = "edit guideline, schema, priorities and policy"
    EXCHANGE = "import, export, freeze version"
    TRAIN = "start or cancel training, pre-label"
    PROMOTE = "promote or roll back a model"
    WRITE_RUN = "write run status and artefacts"
    SEE_FIGURES = "analytics: totals and per person"
    CREATE_PROJECT = "create a project"
    MANAGE_PEOPLE = "people, roles, backup, restore"


_STEERING = frozenset({Role.LEAD, Role.MANAGER, Role.ADMIN})
_ANYBODY = frozenset({Role.EXPERT, *_STEERING})

MATRIX: dict[Action, frozenset[Role]] = {
    Action.SEE_PROJECT: _ANYBODY,
    Action.SEE_IMAGE: _ANYBODY,
    Action.VOTE: frozenset({Role.EXPERT, Role.LEAD}),
    Action.SEE_OWN: _ANYBODY,
    Action.SEE_OTHERS_VOTES: frozenset({Role.MANAGER, Role.ADMIN}),
    Action.ADJUDICATE: frozenset({Role.LEAD}),
    Action.SEE_GOLD: _STEERING,
    Action.STEER: _STEERING,
    Action.EXCHANGE: _STEERING,
    Action.TRAIN: _STEERING,
    Action.PROMOTE: _STEERING,
    Action.WRITE_RUN: frozenset({Role.WORKER}),
    Action.SEE_FIGURES: _STEERING,
    Action.CREATE_PROJECT: frozenset({Role.MANAGER, Role.ADMIN}),
    Action.MANAGE_PEOPLE: frozenset({Role.ADMIN}),
}

OWNED = frozenset({Action.VOTE, Action.SEE_OWN, Action.WRITE_RUN})
"""Actions that need the resource, where it has an owner, to be the actor's own."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who asks, with the roles read from the record for this very question.

    Attributes:
        person_id: The person's id; 0 for nobody.
        name: Unique name.
        display_name: What others read.
        roles: (role, project id) pairs; a project id of None means every project.
        active: Whether the account may act.
        language: Code of the language the person reads, "en" by default.
    """

    person_id: int
    name: str
    display_name: str
    roles: frozenset[tuple[Role, int | None]]
    active: bool = True
    language: str = "en"

    def roles_in(self, project_id: int | None) -> frozenset[Role]:
        """Return the roles that count for a project; None asks for roles held everywhere."""
        return frozenset(r for r, p in self.roles if p is None or p == project_id)


ANONYMOUS = Actor(0, "", "", frozenset(), active=False)


@dataclass(frozen=True, slots=True)
class Resource:
    """What an action touches.

    Attributes:
        project_id: The project, or None for what belongs to none.
        owner_id: The person it belongs to, where it belongs to one.
    """

    project_id: int | None = None
    owner_id: int | None = None


ANY = Resource()


def can(actor: Actor, action: Action, resource: Resource = ANY) -> bool:
    """Return whether the actor may do this to that."""
    if not actor.active or not MATRIX.get(action, frozenset()) & actor.roles_in(
        resource.project_id
    ):
        return False
    return action not in OWNED or resource.owner_id in (None, actor.person_id)


def can_anywhere(actor: Actor, action: Action) -> bool:
    """Return whether the actor may do this in at least one project (for navigation only)."""
    return actor.active and any(role in MATRIX[action] for role, _ in actor.roles)


def require_signed_in(actor: Actor) -> None:
    """Pass if somebody asks, whatever their roles.

    Raises:
        NotSignedIn: Nobody is signed in, or the account was disabled.
    """
    if not actor.person_id or not actor.active:
        raise NotSignedIn("Nobody is signed in here.", "Sign in and try again.")


def require(actor: Actor, action: Action, resource: Resource = ANY) -> None:
    """Pass if the actor may.

    Raises:
        NotSignedIn: Nobody is signed in, or the account was disabled.
        Forbidden: The roles do not allow it.
    """
    require_signed_in(actor)
    if not can(actor, action, resource):
        raise Forbidden(
            f"'{actor.name}' may not {action.value} here.", "Ask an admin for the role."
        )
