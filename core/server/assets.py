"""The review deck's own modules, by an address that changes whenever one of them does."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.web import DECK_FOLDER, deck_revision

_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def routes(base: str) -> list[BaseRoute]:
    """Return the asset route."""
    return [Route(f"{base}/files/deck/{{revision}}/{{name:path}}", asset, methods=["GET", "HEAD"])]


def asset(request: Request) -> Response:
    """Answer with one of the deck's files; anything outside its folder is not there."""
    name = request.path_params["name"]
    folder = DECK_FOLDER.resolve()
    file = (folder / name[:200]).resolve()
    kind = _TYPES.get(file.suffix)
    if kind is None or not file.is_relative_to(folder) or not file.is_file():
        return Response("Not found.", 404, media_type="text/plain")
    current = request.path_params["revision"] == deck_revision()
    # An address of an older version still works, but is not to be kept under that name.
    keep = "public, max-age=31536000, immutable" if current else "no-store"
    headers = {"Cache-Control": keep, "X-Content-Type-Options": "nosniff"}
    return Response(file.read_bytes(), media_type=kind, headers=headers)
