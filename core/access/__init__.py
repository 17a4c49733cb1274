"""Roles, actions and the one gate."""

from core.access.roles import (
    ANONYMOUS,
    Action,
    Actor,
    Resource,
    Role,
    can,
    can_anywhere,
    require,
    require_signed_in,
)

__all__ = [
    "ANONYMOUS",
    "Action",
    "Actor",
    "Resource",
    "Role",
    "can",
    "can_anywhere",
    "require",
    "require_signed_in",
]
