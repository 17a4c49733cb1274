"""What the review deck asks and sends: items to look at, decisions, drafts, leases. All JSON.

A decision sent straight here is acknowledged in 2 to 3 ms, where a rerun of the page takes 70.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.access import Actor
from core.errors import InputError
from core.labels import Answer, Region
from core.labels.region import Shape
from core.labels.schema import MAX_CLASS_NAME
from core.labels.shapes import MAX_POINTS
from core.server import reading
from core.server.guard import json_route
from core.services.review.claiming import claim_items, read_part
from core.services.review.drafts import save_draft
from core.services.review.leases import open_item, release_items, renew_leases
from core.services.review.submission import Submission, check_count
from core.services.review.submitting import submit_batch
from core.services.visibility.views import ReviewItem
from core.services.workspace import Workspace

MAX_SUBMISSIONS = 200
MAX_IDS = 500
MOST_METADATA = 300
"""Characters of one metadata value that the deck is given."""


def routes(base: str) -> list[BaseRoute]:
    """Return the deck's routes, one project each."""
    return [
        Route(f"{base}/files/queue/{{slug}}", queue, methods=["GET"]),
        Route(f"{base}/files/open/{{slug}}/{{item_id:int}}", one_item, methods=["GET"]),
        Route(f"{base}/files/decisions/{{slug}}", decisions, methods=["POST"]),
        Route(f"{base}/files/draft/{{slug}}", draft, methods=["POST"]),
        Route(f"{base}/files/release/{{slug}}", release, methods=["POST"]),
        Route(f"{base}/files/renew/{{slug}}", renew, methods=["POST"]),
    ]


async def queue(request: Request) -> Response:
    """Lease and return items: ``?count=10&order=least-confident&exclude=1,2``.

    What part of the queue: ``class=cat``, ``slice=column:value``, ``list=3``, ``queue=unsure``.
    """
    asked, slug = request.query_params, request.path_params["slug"]

    def work(ws: Workspace, actor: Actor, _sent: dict[str, Any]) -> dict[str, Any]:
        view = claim_items(
            ws,
            actor,
            slug,
            reading.whole(asked.get("count", "10"), "count"),
            asked.get("order", ""),
            [reading.whole(i, "exclude") for i in asked.get("exclude", "").split(",") if i][
                :MAX_IDS
            ],
            read_part(asked),
        )
        return {
            "items": [item_json(i) for i in view.items],
            "waiting": view.waiting,
            "done_today": view.done_today,
            "empty_reason": view.empty_reason,
            "notice": view.notice,
            "order": view.order,
            "elsewhere": [asdict(e) for e in view.elsewhere],
            "list": None if view.list is None else asdict(view.list),
        }

    return await json_route(request, work)


async def one_item(request: Request) -> Response:
    """Return one item by its number: the permalink, and what undo brings back."""
    slug, item_id = request.path_params["slug"], request.path_params["item_id"]
    return await json_route(
        request, lambda ws, actor, _: {"item": item_json(open_item(ws, actor, slug, item_id))}
    )


async def decisions(request: Request) -> Response:
    """Save a batch of decisions, ``{"submissions": [...]}``, and return a receipt for each."""
    slug = request.path_params["slug"]

    def work(ws: Workspace, actor: Actor, sent: dict[str, Any]) -> dict[str, Any]:
        rows = reading.rows(sent, "submissions", MAX_SUBMISSIONS)
        read = [reading.row(row, "A submission", _submission) for row in rows]
        saved = iter(submit_batch(ws, actor, slug, [r for r in read if isinstance(r, Submission)]))
        receipts = [next(saved) if isinstance(r, Submission) else r for r in read]
        return {"receipts": [asdict(r) for r in receipts]}

    return await json_route(request, work)


async def draft(request: Request) -> Response:
    """Keep unsent work: ``{"item_id": 5, "answer": {...}, "base_revision": 0}``."""
    slug = request.path_params["slug"]

    def work(ws: Workspace, actor: Actor, sent: dict[str, Any]) -> dict[str, Any]:
        item_id = reading.whole(sent.get("item_id"), "item_id")
        base_revision = reading.whole(sent.get("base_revision", 0), "base_revision")
        answer = read_answer(sent.get("answer"))
        return {"saved_at": save_draft(ws, actor, slug, item_id, answer, base_revision)}

    return await json_route(request, work)


async def release(request: Request) -> Response:
    """Give items back: ``{"item_ids": [1, 2]}``."""
    slug = request.path_params["slug"]

    def work(ws: Workspace, actor: Actor, sent: dict[str, Any]) -> dict[str, Any]:
        release_items(ws, actor, slug, _ids(sent))
        return {"ok": True}

    return await json_route(request, work)


async def renew(request: Request) -> Response:
    """Prolong leases: ``{"item_ids": [1, 2]}``."""
    slug = request.path_params["slug"]

    def work(ws: Workspace, actor: Actor, sent: dict[str, Any]) -> dict[str, Any]:
        renew_leases(ws, actor, slug, _ids(sent))
        return {"ok": True}

    return await json_route(request, work)


# --- from and to JSON -------------------------------------------------------------------------


def item_json(item: ReviewItem) -> dict[str, Any]:
    """Return an item as the deck reads it; the deck's page uses the same."""
    found = {f.name: getattr(item, f.name) for f in fields(item)}
    found["metadata"] = {k: _brief(v) for k, v in item.metadata.items()}
    found["draft"] = answer_json(item.draft)
    found["mine"] = answer_json(item.mine)
    if item.prelabel is not None:
        prelabel = {f.name: getattr(item.prelabel, f.name) for f in fields(item.prelabel)}
        found["prelabel"] = {**prelabel, "answer": answer_json(item.prelabel.answer)}
    return found


def _brief(value: str) -> str:
    """Cut a long value: a window of items travels with each request; the items page has it whole."""
    return value if len(value) <= MOST_METADATA else f"{value[:MOST_METADATA]}…"


def answer_json(answer: Answer | None) -> dict[str, Any] | None:
    """Return an answer as the deck reads it: choices, and boxes as [x1, y1, x2, y2] in pixels."""
    if answer is None:
        return None
    return answer.to_dict()


def read_answer(sent: object) -> Answer:
    """Return the answer a browser sent.

    Raises:
        InputError: It has not the form of an answer.
    """
    if not isinstance(sent, dict):
        raise InputError("The answer is not a JSON object.")
    choices, regions = sent.get("choices") or {}, sent.get("regions") or []
    if not isinstance(choices, dict) or not isinstance(regions, list):
        raise InputError("An answer holds 'choices' (an object) and 'regions' (a list).")
    check_count(len(regions))
    if not all(isinstance(v, str) for v in choices.values()):
        raise InputError("Each choice is the name of a class.")
    multi = sent.get("multi") or {}
    if not isinstance(multi, dict) or not all(_is_texts(v) for v in multi.values()):
        raise InputError("An answer's 'multi' holds a list of class names for each question.")
    return Answer(
        dict(choices),
        tuple(_read_region(r) for r in regions),
        {k: tuple(v) for k, v in multi.items()},
    )


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) for v in value)


def _read_region(sent: object) -> Region:
    if not isinstance(sent, dict) or not isinstance(sent.get("label"), str):
        raise InputError("A box needs the name of its class.")
    if len(sent["label"]) > MAX_CLASS_NAME:
        raise InputError(f"A region's class has a name of over {MAX_CLASS_NAME} characters.")
    label, shape = sent["label"], sent.get("shape", "box")
    if shape not in tuple(Shape):
        raise InputError(f"A region of '{label}' has an unknown shape '{str(shape)[:40]}'.")
    attributes = _read_attributes(label, sent.get("attributes") or {})
    # Bounding boxes of the other shapes are made anew from their points when they are checked.
    if shape == Shape.MASK:
        return Region(
            label,
            0,
            0,
            0,
            0,
            None,
            Shape.MASK,
            rle=reading.text(sent, "rle"),
            attributes=attributes,
        )
    if shape != Shape.BOX:
        points = _read_points(label, sent.get("points"))
        return Region(label, 0, 0, 0, 0, None, Shape(shape), points, attributes=attributes)
    edges = sent.get("box")
    if not isinstance(edges, list) or len(edges) != 4:
        raise InputError(f"Box of '{sent['label']}': expected x1, y1, x2, y2.")
    x1, y1, x2, y2 = (reading.real(v, "box") for v in edges)
    return Region(label, x1, y1, x2, y2, attributes=attributes)


def _read_attributes(label: str, sent: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(sent, dict) or not all(isinstance(v, str) for v in sent.values()):
        raise InputError(f"A region of '{label}' has attributes that are no names of classes.")
    return tuple(sorted(sent.items()))


def _read_points(label: str, sent: object) -> tuple[tuple[float, ...], ...]:
    if not isinstance(sent, list) or len(sent) > MAX_POINTS:
        raise InputError(f"A region of '{label}' has no list of at most {MAX_POINTS:,} points.")
    if not all(isinstance(p, list) and 2 <= len(p) <= 3 for p in sent):
        raise InputError(f"A region of '{label}' has a point that is not x, y.")
    return tuple(tuple(reading.real(v, "points") for v in p) for p in sent)


def _submission(sent: dict[str, Any], uuid: str, item_id: int) -> Submission:
    answer, prelabel = sent.get("answer"), sent.get("prelabel_seq")
    return Submission(
        uuid=uuid,
        item_id=item_id,
        kind=reading.text(sent, "kind"),
        answer=None if answer is None else read_answer(answer),
        reason=reading.text(sent, "reason"),
        base_revision=reading.whole(sent.get("base_revision", 0), "base_revision"),
        prelabel_seq=None if prelabel is None else reading.whole(prelabel, "prelabel_seq"),
        prelabel_shown=sent.get("prelabel_shown") is True,
        active_seconds=reading.real(sent.get("active_seconds", 0), "active_seconds"),
        started_at=reading.real(sent.get("started_at", 0), "started_at"),
        schema_version=_version(sent, "schema_version"),
        guideline_version=_version(sent, "guideline_version"),
    )


def _version(sent: dict[str, Any], name: str) -> int | None:
    return None if sent.get(name) is None else reading.whole(sent[name], name)


def _ids(sent: dict[str, Any]) -> list[int]:
    return [reading.whole(i, "item_ids") for i in reading.rows(sent, "item_ids", MAX_IDS)]
