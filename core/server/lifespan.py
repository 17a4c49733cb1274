"""What happens once when the server starts."""

from __future__ import annotations

import gc
import logging
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.web import routes_started

log = logging.getLogger("tiebreak.server")

TURN_S = 0.0005
"""How long a thread may keep the interpreter while others wait; 5 ms is Python's own choice.

A vote asks the record some thirty times and waits for its turn after each: beside ten readers of
figures, that made up most of its time.
"""


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Answer small requests at once, and let the pages know that our routes are served."""
    set_nodelay()
    take_short_turns()
    routes_started()
    yield


def take_short_turns() -> None:
    """Let votes have the interpreter soon where figures are computed beside them."""
    sys.setswitchinterval(TURN_S)


def set_nodelay() -> int:
    """Switch off Nagle's delay on the listening sockets and return on how many.

    Streamlit binds its socket with protocol 0, for which asyncio leaves the delay on; every
    small reply on a kept-alive connection then takes 44 ms instead of 0.3.
    """
    found = 0
    for thing in gc.get_objects():
        try:
            if _is_tcp(thing):
                thing.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                found += 1
        except (OSError, ReferenceError):  # a socket that is closing is none of our concern
            log.debug("nodelay_skipped")
    return found


def _is_tcp(thing: object) -> bool:
    # type() and not isinstance(): the latter would wake proxies of other libraries.
    return (
        issubclass(type(thing), socket.socket)
        and thing.fileno() >= 0  # type: ignore[attr-defined]
        and thing.type == socket.SOCK_STREAM  # type: ignore[attr-defined]
        and thing.family in (socket.AF_INET, socket.AF_INET6)  # type: ignore[attr-defined]
    )
