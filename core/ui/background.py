"""Work of a minute or so that must survive its reader's next click: a thread the page watches.

A script run can be stopped at any Streamlit call, so an import must not run inside one. The
thread knows nothing of Streamlit; what it did is in the record, whoever is still watching.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from core.errors import TiebreakError

log = logging.getLogger("tiebreak.ui")

T = TypeVar("T")


@dataclass(slots=True)
class Work(Generic[T]):
    """One piece of work under way.

    Attributes:
        phase: What it is doing.
        done: How much of `total` is done.
        seconds_left: An estimate, where there is one.
        result: What it gave, once it is over.
        error: Why it stopped, if it failed.
    """

    phase: str = ""
    done: int = 0
    total: int = 0
    seconds_left: float | None = None
    result: T | None = None
    error: TiebreakError | None = None
    over: threading.Event = field(default_factory=threading.Event)

    def report(self, phase: str, done: int, total: int, seconds_left: float | None) -> None:
        """Note how far the work is."""
        self.phase, self.done, self.total, self.seconds_left = phase, done, total, seconds_left


def start(do: Callable[[Work[T]], T]) -> Work[T]:
    """Do something in a thread of its own and return what one can watch."""
    work: Work[T] = Work()

    def run() -> None:
        try:
            work.result = do(work)
        except TiebreakError as error:
            work.error = error
        except Exception:
            log.exception("background_work_failed")
            work.error = TiebreakError(
                "Something went wrong on our side; what was stored before is kept.",
                "Try again; the details are in the server's log.",
            )
        finally:
            work.over.set()

    threading.Thread(target=run, name="tiebreak-work", daemon=True).start()
    return work
