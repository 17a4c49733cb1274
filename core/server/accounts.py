"""Signing in and out: plain pages and forms that work without JavaScript or websocket."""

from __future__ import annotations

import ipaddress
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from core.errors import NotSignedIn, TiebreakError
from core.server import sign_in_page
from core.server.guard import NO_STORE, error_reply, require_same_origin, token_of
from core.services.accounts.people import has_people
from core.services.accounts.sessions import (
    DemoPerson,
    demo_people,
    session_actor,
    sign_in,
    sign_in_demo,
    sign_out,
)
from core.services.workspace import Workspace, current_workspace
from core.web import (
    BROWSER_COOKIE,
    COOKIE,
    SIGN_IN_PATH,
    SIGN_OUT_PATH,
    read_browser,
    safe_next,
    sign_browser,
    sign_token,
)

MAX_FORM_BYTES = 10_000
YEAR_SECONDS = 365 * 24 * 3600


def routes(base: str) -> list[BaseRoute]:
    """Return the account routes."""

    async def login(request: Request) -> Response:
        form = await _form(request)
        return await run_in_threadpool(_login, request, base, form)

    async def demo(request: Request) -> Response:
        form = await _form(request)
        return await run_in_threadpool(_demo, request, base, form)

    def show(request: Request) -> Response:
        return _page(request, base, request.query_params.get("next", ""))

    def logout(request: Request) -> Response:
        return _logout(request, base)

    return [
        Route(f"{base}{SIGN_IN_PATH}", show, methods=["GET"]),
        Route(f"{base}{SIGN_IN_PATH}", login, methods=["POST"]),
        Route(f"{base}/account/demo", demo, methods=["POST"]),
        Route(f"{base}{SIGN_OUT_PATH}", logout, methods=["POST"]),
    ]


def one_click(ws: Workspace, request: Request) -> list[DemoPerson]:
    """Return the simulated people one may become with a click: only in a demo, only on loopback."""
    return demo_people(ws) if ws.settings.demo and on_loopback(request) else []


def on_loopback(request: Request) -> bool:
    """Return whether both ends of the connection are this machine, with no proxy in between."""
    proxied = {"forwarded", "x-forwarded-for", "x-real-ip", "via"} & set(request.headers.keys())
    ends = (request.scope.get("server") or ("", 0))[0], (request.client or ("", 0))[0]
    named = request.url.hostname in ("localhost", "127.0.0.1", "::1")
    return not proxied and named and all(_is_loopback(end) for end in ends)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _page(
    request: Request, base: str, target: str, error: TiebreakError | None = None, name: str = ""
) -> Response:
    ws = current_workspace()
    text = sign_in_page.render(
        sign_in_page.SignInPage(
            base=base,
            target=safe_next(target, base),
            language=sign_in_page.preferred(request.headers.get("accept-language", "")),
            demo=tuple(one_click(ws, request)),
            anybody=has_people(ws),
            error=error,
            name=name,
        )
    )
    headers = {**NO_STORE, "Content-Security-Policy": sign_in_page.POLICY}
    return Response(text, 200 if error is None else 401, headers=headers, media_type="text/html")


def _login(request: Request, base: str, form: dict[str, str]) -> Response:
    ws, name, target = current_workspace(), form.get("name", ""), form.get("next", "")
    try:
        require_same_origin(request)
    except TiebreakError as error:
        return error_reply(error)
    address = request.client.host if request.client else ""
    before = read_browser(ws.secret(), request.cookies.get(BROWSER_COOKIE))
    try:
        token = sign_in(ws, name, form.get("password", ""), address, before)
    except NotSignedIn as error:
        return _page(request, base, target, error, name)
    reply = _enter(request, ws, base, token, target)
    now = session_actor(ws, token).person_id
    _keep(request, reply, base, BROWSER_COOKIE, sign_browser(ws.secret(), now), YEAR_SECONDS)
    return reply


def _demo(request: Request, base: str, form: dict[str, str]) -> Response:
    ws, target = current_workspace(), form.get("next", "")
    try:
        require_same_origin(request)
        if not one_click(ws, request):
            raise NotSignedIn("One-click sign-in works only in a demo on this machine.", "Sign in.")
        token = sign_in_demo(ws, form.get("name", ""))
    except TiebreakError as error:
        return error_reply(error)
    return _enter(request, ws, base, token, target)


def _enter(request: Request, ws: Workspace, base: str, token: str, target: str) -> Response:
    """Set the fresh cookie and go on; the redirect lets the websocket start with it."""
    old = token_of(ws, request)
    if old is not None:
        sign_out(ws, old)
    reply = RedirectResponse(safe_next(target, base), 303, headers=NO_STORE)
    seconds = int(ws.settings.session_hours * 3600)
    _keep(request, reply, base, COOKIE, sign_token(ws.secret(), token), seconds)
    return reply


def _keep(
    request: Request, reply: Response, base: str, name: str, value: str, seconds: int
) -> None:
    reply.set_cookie(
        name,
        value,
        max_age=seconds,
        path=base or "/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )


def _logout(request: Request, base: str) -> Response:
    ws = current_workspace()
    try:
        require_same_origin(request)
    except TiebreakError as error:
        return error_reply(error)
    token = token_of(ws, request)
    if token is not None:
        sign_out(ws, token)
    reply = RedirectResponse(f"{base}{SIGN_IN_PATH}", 303, headers=NO_STORE)
    reply.delete_cookie(COOKIE, path=base or "/")
    return reply


async def _form(request: Request) -> dict[str, str]:
    """Return a small form's fields; too much is as good as nothing."""
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_FORM_BYTES:
            return {}
    fields = parse_qs(raw.decode("utf-8", "replace"), keep_blank_values=True)
    return {k: v[-1] for k, v in fields.items()}
