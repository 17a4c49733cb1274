"""What the pages and the routes beside them agree on: the cookie, addresses, whether routes are live.

Knows neither Streamlit nor Starlette, so both sides may import it.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from itsdangerous import BadSignature, Signer

COOKIE = "tiebreak_session"
BROWSER_COOKIE = "tiebreak_browser"
"""Who signed in here last; outlives signing out, so a second account in one browser is noticed."""
SIGN_IN_PATH = "/account/login"
SIGN_OUT_PATH = "/account/logout"

DECK_FOLDER = Path(__file__).resolve().parent / "ui" / "deck" / "static"

_live: list[bool] = []


def routes_started() -> None:
    """Note that this process serves our routes; the lifespan calls it."""
    _live.append(True)


def routes_live() -> bool:
    """Return whether our routes are served by this process."""
    return bool(_live)


@lru_cache(maxsize=1)
def deck_revision() -> str:
    """Return a short hash of every file of the deck; part of their address, so caches can be bold."""
    found = hashlib.sha256()
    for file in sorted(p for p in DECK_FOLDER.rglob("*") if p.is_file()):
        found.update(file.relative_to(DECK_FOLDER).as_posix().encode() + b"\0")
        found.update(file.read_bytes())
    return found.hexdigest()[:12]


def deck_path(name: str = "deck.js") -> str:
    """Return the path of one of the deck's files, without the app's base."""
    return f"/files/deck/{deck_revision()}/{name}"


def sign_token(secret: bytes, token: str) -> str:
    """Return the cookie's value for a session token."""
    return _signer(secret).sign(token.encode()).decode()


def read_token(secret: bytes, cookie: str | None) -> str | None:
    """Return the session token in a cookie's value, or None if we did not sign it."""
    if not cookie:
        return None
    try:
        return _signer(secret).unsign(cookie.encode()).decode()
    except (BadSignature, UnicodeError):
        return None


def sign_browser(secret: bytes, person_id: int) -> str:
    """Return the value of the cookie that tells who signed in last in this browser."""
    return _signer(secret, BROWSER_COOKIE).sign(str(person_id)).decode()


def read_browser(secret: bytes, cookie: str | None) -> int:
    """Return who signed in last in this browser; 0 where nobody did or we did not sign it."""
    try:
        return int(_signer(secret, BROWSER_COOKIE).unsign((cookie or "").encode()))
    except (BadSignature, ValueError):
        return 0


def safe_next(target: str, base: str) -> str:
    """Return where to go after signing in: the target if it lies within this app, else its home."""
    home = f"{base}/"
    try:
        parts = urlsplit(target)
    except ValueError:
        return home
    ours = target.startswith(home) and not target.startswith("//")
    clean = "\\" not in target and target.isprintable() and not parts.scheme and not parts.netloc
    inside = not parts.path.startswith(f"{base}/account")
    return target if ours and clean and inside else home


def _signer(secret: bytes, salt: str = COOKIE) -> Signer:
    return Signer(secret, salt=salt, digest_method=hashlib.sha256)
