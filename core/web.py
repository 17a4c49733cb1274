"""What the pages and the routes beside them agree on: the cookie, addresses, whether routes are live.

Knows neither Streamlit nor Starlette, so both sides may import it.
"""

from __future__ import annotations

import hashlib
from urllib.parse import urlsplit

from itsdangerous import BadSignature, Signer

COOKIE = "tiebreak_session"
SIGN_IN_PATH = "/account/login"
SIGN_OUT_PATH = "/account/logout"

_live: list[bool] = []


def routes_started() -> None:
    """Note that this process serves our routes; the lifespan calls it."""
    _live.append(True)


def routes_live() -> bool:
    """Return whether our routes are served by this process."""
    return bool(_live)


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


def safe_next(target: str, base: str) -> str:
    """Return where to go after signing in: the target if it lies within this app, else its home."""
    home = f"{base}/"
    parts = urlsplit(target)
    ours = target.startswith(home) and not target.startswith("//")
    clean = "\\" not in target and target.isprintable() and not parts.scheme and not parts.netloc
    inside = not parts.path.startswith(f"{base}/account")
    return target if ours and clean and inside else home


def _signer(secret: bytes) -> Signer:
    return Signer(secret, salt=COOKIE, digest_method=hashlib.sha256)
