"""Pictures of items, for those who may see them: in a few fixed widths, and large ones in tiles."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.errors import TiebreakError
from core.server.guard import actor_of, error_reply
from core.services.pictures.images import WIDTHS, Rendition, item_image
from core.services.pictures.tiles import item_tile
from core.services.workspace import current_workspace

# A year for this browser alone: the address holds the content's hash. "Vary: Cookie" because
# without it the browser goes on showing the picture after its reader has signed out.
CACHED = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Vary": "Cookie",
    "X-Content-Type-Options": "nosniff",
}


# One request at a time makes an image's tiles; the others wait here without holding a thread.
_turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()


def routes(base: str) -> list[BaseRoute]:
    """Return the routes of pictures and tiles."""
    where = f"{base}/files/tile/{{item_id:int}}/{{level:int}}/{{x:int}}_{{y:int}}"
    return [
        Route(f"{base}/files/item/{{item_id:int}}", item, methods=["GET", "HEAD"]),
        Route(where, tile, methods=["GET", "HEAD"]),
    ]


def item(request: Request) -> Response:
    """Answer with an item's picture, or 304 if the browser holds it already."""
    ws = current_workspace()
    channel = request.query_params.get("channel", "")
    try:
        found = item_image(
            ws,
            actor_of(ws, request),
            request.path_params["item_id"],
            width_step(request),
            channel,
        )
    except TiebreakError as error:
        return error_reply(error)
    return picture_reply(request, found)


async def tile(request: Request) -> Response:
    """Answer with one tile of an item's picture, or 304 if the browser holds it already."""
    async with _turns.setdefault(request.path_params["item_id"], asyncio.Lock()):
        try:
            found = await run_in_threadpool(_tile, request)
        except TiebreakError as error:
            return error_reply(error)
    return picture_reply(request, found)


def _tile(request: Request) -> Rendition:
    ws, at = current_workspace(), request.path_params
    channel = request.query_params.get("channel", "")
    actor = actor_of(ws, request)
    return item_tile(ws, actor, at["item_id"], at["level"], at["x"], at["y"], channel)


def picture_reply(request: Request, found: Rendition) -> Response:
    """Return a picture as a reply that may be kept for good, or 304 if the browser holds it."""
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
