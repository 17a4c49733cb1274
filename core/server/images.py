"""Pictures of items, for those who may see them, in a few fixed widths."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.errors import TiebreakError
from core.server.guard import actor_of, error_reply
from core.services.images import WIDTHS, item_image
from core.services.workspace import current_workspace


# A year for this browser alone: the address holds the content's hash. "Vary: Cookie" because
# without it the browser goes on showing the picture after its reader has signed out.
CACHED = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Vary": "Cookie",
    "X-Content-Type-Options": "nosniff",
}


def routes(base: str) -> list[BaseRoute]:
    """Return the image route."""
    return [Route(f"{base}/files/item/{{item_id:int}}", item, methods=["GET", "HEAD"])]


def item(request: Request) -> Response:
    """Answer with an item's picture, or 304 if the browser holds it already."""
    ws = current_workspace()
    try:
        found = item_image(
            ws, actor_of(ws, request), request.path_params["item_id"], width_step(request)
        )
    except TiebreakError as error:
        return error_reply(error)
    headers = {**CACHED, "ETag": found.etag}
    if request.headers.get("if-none-match") == found.etag:
        return Response(status_code=304, headers=headers)
    return Response(found.body, media_type=found.media_type, headers=headers)


def width_step(request: Request) -> int | None:
    """Return the smallest of our widths that is at least the one asked for; None: as large as it is."""
    asked = request.query_params.get("w", "")
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 6):
        return None
    return next((w for w in WIDTHS if w >= int(asked)), WIDTHS[-1])
