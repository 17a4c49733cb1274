"""What the deck asks and says beside a vote: an item's history, neighbours and threads. All JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.access import Actor
from core.errors import InputError
from core.server.guard import json_route
from core.server.reading import text, whole
from core.services.items.about import about_item
from core.services.talk.threads import Kind, ThreadView, item_threads
from core.services.talk.writing import reopen_thread, reply, resolve_thread, start_thread
from core.services.workspace import Workspace


def routes(base: str) -> list[BaseRoute]:
    """Return the routes, one project each."""
    return [
        Route(f"{base}/files/about/{{slug}}/{{item_id:int}}", about, methods=["GET"]),
        Route(f"{base}/files/comment/{{slug}}", comment, methods=["POST"]),
    ]


async def about(request: Request) -> Response:
    """Return what this person may know of an item."""
    slug, item_id = request.path_params["slug"], request.path_params["item_id"]

    def work(ws: Workspace, actor: Actor, _sent: dict[str, Any]) -> dict[str, Any]:
        return asdict(about_item(ws, actor, slug, whole(item_id, "item_id")))

    return await json_route(request, work)


async def comment(request: Request) -> Response:
    """Say something on an item and return its threads.

    ``{"uuid", "kind", "item_id", "thread", "text"}``: a comment without a thread begins one on the
    item; resolve and reopen take a thread and no text.
    """
    slug = request.path_params["slug"]

    def work(ws: Workspace, actor: Actor, sent: dict[str, Any]) -> dict[str, Any]:
        uuid, kind = text(sent, "uuid"), text(sent, "kind")
        if sent.get("thread") is None:
            if kind != Kind.COMMENT:
                raise InputError(f"A thread begins with a comment, found '{kind[:40]}'.")
            item_id = whole(sent.get("item_id"), "item_id")
            said = start_thread(ws, actor, slug, item_id, text(sent, "text"), uuid)
        else:
            said = _in_thread(ws, actor, slug, whole(sent["thread"], "thread"), sent)
        threads = item_threads(ws, actor, slug, said.item_id)
        return {"item_id": said.item_id, "threads": [asdict(t) for t in threads]}

    return await json_route(request, work)


def _in_thread(
    ws: Workspace, actor: Actor, slug: str, thread: int, sent: dict[str, Any]
) -> ThreadView:
    uuid, kind = text(sent, "uuid"), text(sent, "kind")
    if kind == Kind.COMMENT:
        return reply(ws, actor, slug, thread, text(sent, "text"), uuid)
    if kind == Kind.RESOLVE:
        return resolve_thread(ws, actor, slug, thread, uuid)
    if kind == Kind.REOPEN:
        return reopen_thread(ws, actor, slug, thread, uuid)
    raise InputError(f"'kind' is one of {[k.value for k in Kind]}, found '{kind[:40]}'.")
