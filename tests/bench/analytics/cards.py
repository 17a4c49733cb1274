"""Every card of the dashboard, from the roll-ups and from the copied rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.analytics import drill, people, progress, rightness, work
from core.analytics.asked import Filters
from core.analytics.replica import Replica
from core.services.workspace import open_workspace
from tests.bench.analytics._events import EVENTS, laid_out
from tests.bench.analytics._timed import timed

ZONE = "Europe/Berlin"
PROJECT = 1
FROM_ROWS = Filters(since=0.0)  # asks the copied rows for what the roll-ups hold


def run(folder: Path) -> dict[str, object]:
    """Return how long each card takes, warm; the target is 100 ms each from the roll-ups."""
    ws = open_workspace(laid_out())
    replica = Replica(ws.store, seconds=600, remembered=0)
    replica.catch_up()
    cards = {name: timed(ask) for name, ask in _cards(replica, Filters()).items()}
    rows = {name: timed(ask, 3) for name, ask in _cards(replica, FROM_ROWS).items()}
    one_site = Filters(metadata={"site": "s1"})
    filtered = {name: timed(ask, 3) for name, ask in _cards(replica, one_site).items()}
    replica.close()
    ws.store.close()
    slowest = max(c["p50_ms"] for c in cards.values())
    return {"events": EVENTS, "slowest_card_p50_ms": slowest, "from_roll_ups": cards,
            "from_rows": rows, "one_site_in_eight": filtered}  # fmt: skip


def _cards(replica: Replica, filters: Filters) -> dict[str, Callable[[], object]]:
    ask: dict[str, Callable[[], object]] = {
        f"{what.__name__}_{whose}_{against}": lambda what=what, whose=whose, against=against: what(
            replica, PROJECT, whose, against, filters
        )
        for what in (rightness.per_class_accuracy, rightness.confusion)
        for whose, against in (("model", "final"), ("people", "final"), ("people", "gold"))
    }
    ask["throughput"] = lambda: work.throughput(replica, PROJECT, ZONE, filters)
    if filters.metadata:
        return ask
    ask["durations"] = lambda: drill.durations(replica, PROJECT, filters)
    ask["duration_bins"] = lambda: drill.duration_bins(replica, PROJECT, filters)
    ask["people"] = lambda: people.person_table(
        replica, PROJECT, None if filters.since is None else 1e12
    )
    ask["progress"] = lambda: progress.progress(replica, PROJECT, ZONE)
    return ask
