"""Who asks, from where, and how a refusal is said: shared by all routes."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.access import Actor
from core.errors import (
    AccessError,
    ConflictError,
    Forbidden,
    InputError,
    LimitExceeded,
    NotFound,
    NotSignedIn,
    OtherPerson,
    StorageError,
    TiebreakError,
)
from core.services.accounts.sessions import session_actor
from core.services.workspace import Workspace, current_workspace
from core.web import COOKIE, read_token

log = logging.getLogger("tiebreak.server")

NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
MAX_BODY_BYTES = 8_000_000

# The first that fits decides.
_STATUS: tuple[tuple[type[TiebreakError], int], ...] = (
    (NotSignedIn, 401),
    (AccessError, 403),
    (NotFound, 404),
    (ConflictError, 409),
    (LimitExceeded, 413),
    (InputError, 422),
    (StorageError, 503),
    (TiebreakError, 500),
)


def actor_of(ws: Workspace, request: Request) -> Actor:
    """Return who holds the request's cookie, roles read afresh; nobody without one."""
    return session_actor(ws, token_of(ws, request))


def token_of(ws: Workspace, request: Request) -> str | None:
    """Return the session token of the request's cookie, if we signed it."""
    return read_token(ws.secret(), request.cookies.get(COOKIE))


def require_same_origin(request: Request) -> None:
    """Pass if the request was made by one of our own pages.

    Raises:
        Forbidden: Another site made it, or nothing says who did.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        ours = site in ("same-origin", "none")
    else:
        origin = request.headers.get("origin", "")
        ours = bool(origin) and _netloc(origin) == request.headers.get("host")
    if not ours:
        raise Forbidden("This request came from another site.", "Use the app's own pages.")


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def error_reply(error: TiebreakError) -> Response:
    """Return an error as JSON: its stable code, a sentence, what to do next."""
    status = next(code for kind, code in _STATUS if isinstance(error, kind))
    body = {"error": {"code": error.code, "message": error.message, "advice": error.advice}}
    return JSONResponse(body, status, headers=NO_STORE)


async def json_route(
    request: Request, work: Callable[[Workspace, Actor, dict[str, Any]], dict[str, Any]]
) -> Response:
    """Run a JSON route's work in a thread, with who asks and what was sent; say errors as JSON."""
    try:
        sent = {} if request.method == "GET" else await _body(request)
        found = await run_in_threadpool(_run, request, work, sent)
    except TiebreakError as error:
        return error_reply(error)
    except Exception:
        log.exception("route_failed path=%s", request.url.path)
        return error_reply(TiebreakError("Something went wrong on our side.", "Try again."))
    return JSONResponse(found, headers=NO_STORE)


def _run(
    request: Request,
    work: Callable[[Workspace, Actor, dict[str, Any]], dict[str, Any]],
    sent: dict[str, Any],
) -> dict[str, Any]:
    ws = current_workspace()
    actor = actor_of(ws, request)
    if not actor.person_id:
        raise NotSignedIn("Nobody is signed in here.", "Sign in and try again; nothing was lost.")
    _require_same_person(request, actor)
    return work(ws, actor, sent)


def _require_same_person(request: Request, actor: Actor) -> None:
    """Pass if the page speaks for whoever is signed in; one that names nobody passes too.

    Raises:
        OtherPerson: Somebody else signed in since the page was opened.
    """
    named = request.headers.get("tiebreak-person")
    if named is not None and named != str(actor.person_id):
        raise OtherPerson(
            "Somebody else is signed in in this browser now.",
            "Sign in as yourself and try again; nothing was lost.",
        )


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


async def _body(request: Request) -> dict[str, Any]:
    """Return the JSON object that was sent by one of our own pages."""
    require_same_origin(request)
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        raise InputError("This route takes application/json.")
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY_BYTES:
            raise LimitExceeded(f"More than {MAX_BODY_BYTES:,} bytes were sent at once.")
    try:
        sent = json.loads(raw)
        # A lone surrogate, say of an emoji cut in two, could be neither stored nor answered.
        text = json.dumps(sent, ensure_ascii=False)
        if not _is_text(text):
            sent = json.loads(text.encode(errors="replace"))
    except (ValueError, RecursionError) as error:
        raise InputError("What was sent is not JSON text.") from error
    if not isinstance(sent, dict):
        raise InputError("What was sent is not a JSON object.")
    return sent
