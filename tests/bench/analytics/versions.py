"""Dataset versions at size: freezing, telling two apart, writing one out, and looking for look-alikes.

``python -m tests.bench.analytics versions``. Environment: VERSIONS_ITEMS (100000). The images of this
record are rows alone, so look-alikes are measured apart, over grey values that are drawn.
"""

from __future__ import annotations

import os
import resource
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from sqlalchemy import text

from core.datasets.splits import SplitPlan
from core.intake.alike import SIDE, look_alikes
from core.services.accounts.people import operator
from core.services.versions.differing import diff_versions
from core.services.versions.exporting import write_version
from core.services.versions.lineage import label_lineage
from core.services.versions.snapshot import snapshot
from core.services.workspace import Workspace, open_workspace
from tests.bench.analytics import _events
from tests.bench.made import SLUG

T = TypeVar("T")
PLAN = SplitPlan((("train", 0.8), ("val", 0.1), ("test", 0.1)), group_by="site", near=False)


def run(folder: Path) -> dict[str, object]:
    """Return CPU and wall seconds of each step, and the memory the process came to hold."""
    n = int(os.environ.get("VERSIONS_ITEMS", "100000"))
    ws = _labelled(folder, n)
    me = operator(ws)
    before = _resident_mib()
    told: dict[str, object] = {
        "items": n,
        "load": os.getloadavg()[0],
        "resident_mib_before": before,
    }
    told["snapshot"], first = _timed(lambda: snapshot(ws, me, SLUG, "v1", _alone(PLAN)))
    _relabel(ws)
    told["snapshot_of_changed"], _ = _timed(lambda: snapshot(ws, me, SLUG, "v2", _alone(PLAN)))
    told["diff_by_slice"], found = _timed(lambda: diff_versions(ws, me, SLUG, "v1", "v2", "site"))
    told["changed"] = found.kinds["changed"]
    for form in ("csv", "coco"):
        out = folder / f"out-{form}"
        told[f"export_{form}"], made = _timed(
            lambda f=form, o=out: write_version(ws, me, SLUG, "v1", f, o)  # type: ignore[misc]
        )
        told[f"receipt_{form}"] = made.receipt.passed
        shutil.rmtree(out)
    told["lineage_of_a_label"], _ = _timed(lambda: label_lineage(ws, me, SLUG, 5))
    told["resident_mib_most"] = _resident_mib()
    told["look_alikes"] = _alike(n)
    told["file_mib"] = round(sum(p.stat().st_size for p in first.folder.iterdir()) / 2**20, 1)
    ws.store.close()
    return told


def _alone(plan: SplitPlan) -> SplitPlan:
    """Return the plan without its column: a hundred thousand groups of one are the hard case."""
    return SplitPlan(plan.ratios, "", plan.near)


def _labelled(folder: Path, n: int) -> Workspace:
    """Lay out a record of n items, each with a name and its label in force."""
    root = _events.lay_out(folder, n * 3 * 51 // 50 + 3)
    ws = open_workspace(root)
    with ws.store.write() as connection:
        connection.execute(
            text(
                "UPDATE item_state SET final_seq = (SELECT max(seq) FROM final_labels f "
                "WHERE f.item_id = item_state.item_id), state = (SELECT state FROM final_labels f "
                "WHERE f.item_id = item_state.item_id)"
            )
        )
        connection.execute(
            text(
                "INSERT INTO item_names (project_id, item_id, name, at) "
                "SELECT project_id, id, 'images/' || id || '.jpg', at FROM items"
            )
        )
    return ws


def _relabel(ws: Workspace) -> None:
    """Give one item in a hundred another label."""
    with ws.store.write() as connection:
        connection.execute(
            text(
                "INSERT INTO final_labels (project_id, item_id, state, label, answer, probability, "
                "reason, policy_version, schema_version, evidence, at) SELECT project_id, item_id, "
                "'adjudicated', 'c3', '{\"choices\":{\"label\":\"c3\"},\"regions\":[]}', 1.0, '', "
                "policy_version, schema_version, evidence, at + 1 FROM final_labels "
                "WHERE item_id % 100 = 7"
            )
        )
        connection.execute(
            text(
                "UPDATE item_state SET final_seq = (SELECT max(seq) FROM final_labels f "
                "WHERE f.item_id = item_state.item_id) WHERE item_id % 100 = 7"
            )
        )


def _timed(call: Callable[[], T]) -> tuple[dict[str, float], T]:
    wall, cpu = time.perf_counter(), time.process_time()
    found = call()
    return {
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "seconds": round(time.perf_counter() - wall, 2),
    }, found


def _resident_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _alike(n: int) -> dict[str, object]:
    """Look for one pair in fifty among smooth pictures that are drawn."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 255, (n, 4, 4)).astype(np.float32)
    fine = np.repeat(np.repeat(coarse, SIDE // 4, 1), SIDE // 4, 2)
    fine += rng.normal(0, 6, fine.shape)
    copies = np.arange(0, n // 50)
    fine[n - 1 - copies] = fine[copies] + rng.normal(0, 0.5, fine[copies].shape)
    greys = np.clip(fine, 0, 255).astype(np.uint8).reshape(n, SIDE * SIDE)
    told, groups = _timed(lambda: look_alikes(greys))
    return {**told, "pairs_drawn": len(copies), "groups_found": len(groups)}
