"""Routes beside Streamlit: accounts, images, the deck's decisions and assets, health.

Everything here is plain Starlette and sits below the app's base path, which Streamlit does not
put in front of foreign routes by itself. Sign-in needs no websocket and no JavaScript.
"""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from core.server import (
    about,
    accounts,
    assets,
    decisions,
    frame,
    grid,
    health,
    images,
    issues,
    rulings,
)
from core.server.frame import SafeHeaders, SignInFirst, TellBase
from core.server.lifespan import lifespan

__all__ = ["lifespan", "middleware", "routes"]


def routes(base: str = "") -> list[BaseRoute]:
    """Return our routes below a base path (empty, or ``/lab``)."""
    modules = (about, accounts, assets, decisions, frame, grid, health, images, issues, rulings)
    return [route for module in modules for route in module.routes(base)]


def middleware(base: str = "") -> list[Middleware]:
    """Return what every request passes through, outermost first."""
    return [
        Middleware(SafeHeaders),
        Middleware(SignInFirst, base=base),
        Middleware(TellBase, base=base),
    ]
