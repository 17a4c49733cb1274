"""Reading the record: all of it in a process of its own, then what came in since."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

from core.analytics.replica import Replica
from core.services.workspace import open_workspace
from tests.bench.analytics._events import EVENTS, copy_of, laid_out
from tests.bench.analytics._timed import timed

ZONE = "Europe/Berlin"

COLD = """
import json, resource, sys, time
from pathlib import Path
from core.analytics.replica import Replica
from core.services.workspace import open_workspace
ws = open_workspace(Path(sys.argv[1]))
own = lambda: resource.getrusage(resource.RUSAGE_SELF)
before = own().ru_maxrss
started, worked = time.perf_counter(), time.process_time()
replica = Replica(ws.store)
rows = replica.catch_up().rows
seconds, cpu = time.perf_counter() - started, time.process_time() - worked
children = resource.getrusage(resource.RUSAGE_CHILDREN)
replica.close()
print(json.dumps({"rows": rows, "seconds": round(seconds, 2), "cpu_seconds": round(cpu, 2),
    "readers_cpu_seconds": round(children.ru_utime + children.ru_stime, 2),
    "resident_mb_before": before >> 10, "resident_mb_most": own().ru_maxrss >> 10}))
"""

_ADD = """
import sys
from pathlib import Path
from tests.bench.analytics._events import add_votes
add_votes(Path(sys.argv[1]), *map(int, sys.argv[2:5]))
"""


def run(folder: Path) -> dict[str, object]:
    """Return what a cold rebuild, a million new events and a thousand take; on SQLite."""
    root = copy_of(laid_out(), folder)
    cold = json.loads(python(COLD, str(root)))
    ws = open_workspace(root)
    replica = Replica(ws.store, seconds=600)
    replica.catch_up()
    replica.keep_days(ZONE)
    at = EVENTS
    found: dict[str, object] = {}
    for new, times in ((1_000, 6), (EVENTS // 10, 3), (1_000, 5)):
        rounds = []
        for _ in range(times):
            python(_ADD, str(root), str(EVENTS), str(at), str(at + new))
            at += new
            os.sync()  # what fills the record must not be writing still
            rounds.append(timed(replica.catch_up, rounds=1, warm=0))
        found[f"{new}_new_events{'_again' if f'{new}_new_events' in found else ''}"] = rounds
    replica.close()
    ws.store.close()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    load = round(os.getloadavg()[1], 1)
    return {"events": EVENTS, "cold": cold, **found, "resident_mb_most": most, "load": load}


def python(code: str, *arguments: str) -> str:
    """Run code in another process: the driver that fills the record must not run in this one."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout
