"""What every request passes through: safe headers, the ways to the sign-in page and to the start."""

from __future__ import annotations

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


class SignInFirst:
    """Sends a browser that opens a page without our cookie to the sign-in page and back.

    This is a courtesy: whether the session still stands is asked by every page and route itself.
    """

    def __init__(self, app: ASGIApp, base: str = "") -> None:
        self.app = app
        self.base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a redirect, or pass the request on."""
        if scope["type"] == "http" and self._opens_page(scope) and not _has_cookie(scope):
            query = scope["query_string"].decode("latin-1")
            target = scope["path"] + (f"?{query}" if query else "")
            where = f"{self.base}{SIGN_IN_PATH}?{urlencode({'next': target})}"
            reply = RedirectResponse(where, 303, headers={"Cache-Control": "no-store"})
            await reply(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _opens_page(self, scope: Scope) -> bool:
        path = str(scope["path"])
        inside = path == self.base or path.startswith(f"{self.base}/")
        rest = path[len(self.base) :]
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
