"""What the page of suspicious labels sends: one answer at a time, recorded before it is answered. JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.access import Actor
from core.errors import InputError
from core.server import reading
from core.server.guard import json_route
from core.services.issues.answers import Sent, ask_again, call_right, send_back
from core.services.workspace import Workspace


def routes(base: str) -> list[BaseRoute]:
    """Return the route, one project each."""
    return [Route(f"{base}/files/issue/{{slug}}", answer, methods=["POST"])]


async def answer(request: Request) -> Response:
    """Record what a lead says to a suspicion, ``{"answer": {...}}``, and return its receipt.

    ``{"uuid", "do", "item_id", "kind", "final_seq", "reason"}`` with do: back, right or again; sent again
    under the same UUID it counts once.
    """
    slug = request.path_params["slug"]

    def work(ws: Workspace, actor: Actor, sent: dict[str, Any]) -> dict[str, Any]:
        return {"receipt": asdict(_answered(ws, actor, slug, sent.get("answer")))}

    return await json_route(request, work)


def _answered(ws: Workspace, actor: Actor, slug: str, sent: object) -> Sent:
    if not isinstance(sent, dict):
        raise InputError("The answer is not a JSON object.")
    uuid, do = reading.text(sent, "uuid"), reading.text(sent, "do")
    item_id = reading.whole(sent.get("item_id"), "item_id")
    if do == "back":
        return send_back(ws, actor, slug, item_id, reading.text(sent, "reason"), uuid)
    if do not in ("right", "again"):
        raise InputError(f"Unknown answer '{do[:80]}'; expected back, right or again.")
    say = call_right if do == "right" else ask_again
    final_seq = reading.whole(sent.get("final_seq"), "final_seq")
    return say(ws, actor, slug, item_id, reading.text(sent, "kind"), final_seq, uuid)
