"""What the adjudication page sends: one ruling at a time, recorded before it is answered. JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.access import Actor
from core.errors import InputError
from core.server import reading
from core.server.decisions import read_answer
from core.server.guard import json_route
from core.services.review.ruling import Ruling, decide
from core.services.workspace import Workspace


def routes(base: str) -> list[BaseRoute]:
    """Return the route, one project each."""
    return [Route(f"{base}/files/ruling/{{slug}}", ruling, methods=["POST"])]


async def ruling(request: Request) -> Response:
    """Record a lead's decision, ``{"ruling": {...}}``, and return its receipt.

    ``{"uuid", "item_id", "kind", "answer", "reason", "votes_seen", "newest_seq",
    "decision_seen"}``: sent again under
    the same UUID it counts once.
    """
    slug = request.path_params["slug"]

    def work(ws: Workspace, actor: Actor, sent: dict[str, Any]) -> dict[str, Any]:
        return {"receipt": asdict(decide(ws, actor, slug, read_ruling(sent.get("ruling"))))}

    return await json_route(request, work)


def read_ruling(sent: object) -> Ruling:
    """Return the ruling a browser sent.

    Raises:
        InputError: It has not the form of one.
    """
    if not isinstance(sent, dict):
        raise InputError("The ruling is not a JSON object.")
    answer = sent.get("answer")
    return Ruling(
        uuid=reading.text(sent, "uuid"),
        item_id=reading.whole(sent.get("item_id"), "item_id"),
        kind=reading.text(sent, "kind"),
        answer=None if answer is None else read_answer(answer),
        reason=reading.text(sent, "reason"),
        votes_seen=reading.whole(sent.get("votes_seen"), "votes_seen"),
        newest_seq=reading.whole(sent.get("newest_seq"), "newest_seq"),
        decision_seen=reading.whole(sent.get("decision_seen"), "decision_seen"),
    )
