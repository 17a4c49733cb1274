"""Whether the app can do its work, for a container's probe; says nothing else."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from core.errors import StorageError
from core.server.guard import NO_STORE
from core.services.workspace import current_workspace


def routes(base: str) -> list[BaseRoute]:
    """Return the health route."""
    return [Route(f"{base}/healthz", healthz, methods=["GET"])]


def healthz(_request: Request) -> Response:
    """Answer 200 if the record can be read, else 503."""
    try:
        current_workspace().store.ping()
    except StorageError as error:
        return JSONResponse({"ok": False, "code": error.code}, 503, headers=NO_STORE)
    return JSONResponse({"ok": True}, headers=NO_STORE)
