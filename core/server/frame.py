"""What every request passes through: safe headers, the ways to the sign-in page and to the start."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.services.workspace import current_workspace
from core.web import COOKIE, SIGN_IN_PATH, read_token

_NOT_PAGES = ("/_stcore", "/static", "/media", "/component", "/account", "/files", "/healthz")


def routes(base: str) -> list[BaseRoute]:
    """Return the way to the start page under the name it has in the navigation.

    Streamlit knows its default page as ``/`` only and calls ``/home`` "page not found".
    """

    def home(request: Request) -> Response:
        query = request.url.query
        return RedirectResponse(f"{base}/" + (f"?{query}" if query else ""), 307)

    return [Route(f"{base}/home", home, methods=["GET"])]


class SafeHeaders:
    """Adds the headers that tell browsers to be strict with us."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and the reply back with the headers on it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_strict(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("X-Frame-Options", "SAMEORIGIN")
                headers.setdefault("Referrer-Policy", "same-origin")
            await send(message)

        await self.app(scope, receive, send_strict)


class TellBase:
    """Tells a page in the browser where its server is.

    Streamlit's page does not know: opened as ``/quality`` it first asks ``/quality/_stcore/health``, gets
    two errors, and waits half a second before it asks the right place.
    """

    def __init__(self, app: ASGIApp, base: str = "") -> None:
        self.app = app
        told = json.dumps(base).replace("<", "\\u003c")
        script = f"<script>window.__streamlit={{BACKEND_BASE_URL:location.origin+{told}}}</script>"
        self.base, self.script = base, script.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and write the script into the head of a page."""
        if scope["type"] != "http" or not opens_page(scope, self.base):
            await self.app(scope, receive, send)
            return
        # A packed page could not be written into; it is small, and few are opened.
        plain = [(k, v) for k, v in scope["headers"] if k != b"accept-encoding"]
        held: list[Message] = []

        async def write_into(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(message):
                held.append(message)
            elif not held:
                await send(message)
            else:
                held.append(message)
                if not message.get("more_body", False):
                    await self._send(held, send)

        await self.app({**scope, "headers": plain}, receive, write_into)

    async def _send(self, held: list[Message], send: Send) -> None:
        body = b"".join(m.get("body", b"") for m in held[1:])
        body = body.replace(b"<head>", b"<head>" + self.script, 1)
        MutableHeaders(scope=held[0])["Content-Length"] = str(len(body))
        await send(held[0])
        await send({"type": "http.response.body", "body": body})


def _is_page(start: Message) -> bool:
    kind = Headers(raw=start["headers"]).get("content-type", "")
    return bool(start["status"] == 200 and kind.startswith("text/html"))


class SignInFirst:
    """Sends a browser that opens a page without our cookie to the sign-in page and back.

    This is a courtesy: whether the session still stands is asked by every page and route itself.
    """

    def __init__(self, app: ASGIApp, base: str = "") -> None:
        self.app = app
        self.base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a redirect, or pass the request on."""
        if scope["type"] == "http" and opens_page(scope, self.base) and not _has_cookie(scope):
            query = scope["query_string"].decode("latin-1")
            target = scope["path"] + (f"?{query}" if query else "")
            where = f"{self.base}{SIGN_IN_PATH}?{urlencode({'next': target})}"
            reply = RedirectResponse(where, 303, headers={"Cache-Control": "no-store"})
            await reply(scope, receive, send)
            return
        await self.app(scope, receive, send)


def opens_page(scope: Scope, base: str) -> bool:
    """Return whether a browser opens one of our pages."""
    path = str(scope["path"])
    inside = path == base or path.startswith(f"{base}/")
    rest = path[len(base) :]
    # Pages may be nested one level: /review/_stcore/health is not a page either.
    wants_page = "text/html" in Headers(scope=scope).get("accept", "")
    return (
        scope["method"] == "GET"
        and inside
        and wants_page
        and not rest.startswith(_NOT_PAGES)
        and "/_stcore/" not in rest
    )


def _has_cookie(scope: Scope) -> bool:
    cookies = cookie_parser(Headers(scope=scope).get("cookie", ""))
    return read_token(current_workspace().secret(), cookies.get(COOKIE)) is not None
