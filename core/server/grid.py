"""What the grid asks and sends: pages of tiles, what was decided on them, crops of regions."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.access import Actor
from core.errors import InputError, TiebreakError
from core.server import reading
from core.server.guard import actor_of, error_reply, json_route
from core.server.images import picture_reply, width_step
from core.services.grid.candidates import MOST_TILES
from core.services.grid.page import (
    MOST_LEFT_OUT,
    GridPage,
    grid_page,
    hold_tiles,
    my_attention,
)
from core.services.grid.tiles import Unit
from core.services.grid.votes import TileDecision, decide_tiles
from core.services.pictures.crops import item_crop
from core.services.workspace import Workspace, current_workspace
from core.stats.intervals import Estimate

MOST_DECISIONS = 200


def routes(base: str) -> list[BaseRoute]:
    """Return the grid's routes, one project each, and the route of crops."""
    return [
        Route(f"{base}/files/grid/{{slug}}", page, methods=["GET"]),
        Route(f"{base}/files/grid/{{slug}}", decide, methods=["POST"]),
        Route(f"{base}/files/grid/{{slug}}/hold", hold, methods=["POST"]),
        Route(f"{base}/files/crop/{{item_id:int}}", crop, methods=["GET", "HEAD"]),
    ]


async def page(request: Request) -> Response:
    """Lease and return a page: ``?class=oak&count=60&exclude=1,2&classes=1``."""
    asked, slug = request.query_params, request.path_params["slug"]

    def work(ws: Workspace, actor: Actor, _sent: dict[str, Any]) -> dict[str, Any]:
        left_out = [i for i in asked.get("exclude", "").split(",") if i][:MOST_LEFT_OUT]
        found = grid_page(
            ws,
            actor,
            slug,
            asked.get("class") or None,
            reading.whole(asked.get("count", "60"), "count"),
            [reading.whole(i, "exclude") for i in left_out],
            asked.get("classes") == "1",
        )
        return page_json(found)

    return await json_route(request, work)


async def decide(request: Request) -> Response:
    """Save what was decided on a page, or take it back: ``{"tiles": [...]}``; a receipt for each."""
    slug = request.path_params["slug"]

    def work(ws: Workspace, actor: Actor, sent: dict[str, Any]) -> dict[str, Any]:
        read = [
            reading.row(row, "What was decided on a tile", _decision)
            for row in reading.rows(sent, "tiles", MOST_DECISIONS)
        ]
        good = [r for r in read if isinstance(r, TileDecision)]
        saved = iter(decide_tiles(ws, actor, slug, good))
        receipts = [next(saved) if isinstance(r, TileDecision) else r for r in read]
        rate = my_attention(ws, actor, slug)
        return {"receipts": [asdict(r) for r in receipts], "attention": _rate_json(rate)}

    return await json_route(request, work)


async def hold(request: Request) -> Response:
    """Keep items in hand while they are on the screen: ``{"item_ids": [1, 2]}``."""
    slug = request.path_params["slug"]

    def work(ws: Workspace, actor: Actor, sent: dict[str, Any]) -> dict[str, Any]:
        ids = [reading.whole(i, "item_ids") for i in reading.rows(sent, "item_ids", MOST_LEFT_OUT)]
        hold_tiles(ws, actor, slug, ids)
        return {"ok": True}

    return await json_route(request, work)


def crop(request: Request) -> Response:
    """Answer with the part of an item's picture around ``?box=x1,y1,x2,y2``, at most ``w`` wide."""
    ws, asked = current_workspace(), request.query_params
    try:
        found = item_crop(
            ws,
            actor_of(ws, request),
            request.path_params["item_id"],
            asked.get("box", ""),
            width_step(request),
            asked.get("s", ""),
        )
    except TiebreakError as error:
        return error_reply(error)
    return picture_reply(request, found)


# --- from and to JSON -------------------------------------------------------------------------


def page_json(found: GridPage) -> dict[str, Any]:
    """Return a page as the grid reads it."""
    return {
        "page": found.uuid,
        "class": found.predicted,
        "units": [_unit_json(u) for u in found.units],
        "classes": [asdict(c) for c in found.classes],
        "attention": _rate_json(found.attention),
        "others": found.others,
        "schema_version": found.schema_version,
        "guideline_version": found.guideline_version,
        "empty_reason": found.empty_reason,
    }


def _rate_json(rate: Estimate) -> dict[str, Any]:
    return {"value": rate.value, "low": rate.low, "high": rate.high, "n": rate.n}


def _unit_json(unit: Unit) -> dict[str, Any]:
    return {
        "item_id": unit.item_id,
        "name": unit.name,
        "image": unit.image,
        "width": unit.width,
        "height": unit.height,
        "seq": unit.seq,
        "token": unit.token,
        "revision": unit.revision,
        "also": list(unit.also),
        "tiles": [
            {
                "index": t.index,
                "label": t.label,
                "confidence": t.confidence,
                "image": t.image,
                "box": list(t.box) if t.box else None,
            }
            for t in unit.tiles
        ],
    }


def _decision(sent: dict[str, Any], uuid: str, item_id: int) -> TileDecision:
    return TileDecision(
        uuid=uuid,
        item_id=item_id,
        page=reading.text(sent, "page"),
        seq=reading.whole(sent.get("seq"), "seq"),
        shown=reading.text(sent, "shown"),
        token=reading.text(sent, "token"),
        kind="withdraw" if sent.get("kind") == "withdraw" else "vote",
        marks=_marks(sent.get("marks") or {}),
        others=sent.get("others") is True,
        base_revision=reading.whole(sent.get("base_revision", 0), "base_revision"),
        tiles=reading.whole(sent.get("tiles", 1), "tiles"),
        active_seconds=reading.real(sent.get("active_seconds", 0), "active_seconds"),
        started_at=reading.real(sent.get("started_at", 0), "started_at"),
        schema_version=_version(sent, "schema_version"),
        guideline_version=_version(sent, "guideline_version"),
    )


def _version(sent: dict[str, Any], name: str) -> int | None:
    return None if sent.get(name) is None else reading.whole(sent[name], name)


def _marks(sent: object) -> dict[int, str]:
    if not isinstance(sent, dict) or len(sent) > MOST_TILES:
        raise InputError("'marks' holds the class of each tile that was marked.")
    if not all(isinstance(v, str) for v in sent.values()):
        raise InputError("Each mark is the name of a class, or empty.")
    return {reading.whole(k, "marks"): v for k, v in sent.items()}
