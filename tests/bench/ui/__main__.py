"""``python -m tests.bench.ui [NAME …]``: run the browser benchmarks and print one JSON document."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench import queue
from tests.bench.ui import deck, grid, human, load, shapes
from tests.bench.ui.served import browser


def _in_browser(bench: Callable[..., dict[str, object]]) -> Callable[[Path], dict[str, object]]:
    def run(folder: Path) -> dict[str, object]:
        with browser() as chrome:
            return bench(folder, chrome)

    return run


BENCHES: dict[str, Callable[[Path], dict[str, object]]] = {
    "key_to_next_image": _in_browser(deck.run),
    "shapes": _in_browser(shapes.run),
    "grid": _in_browser(grid.run),
    "items_per_hour": _in_browser(human.run),
    "people_at_once": load.run,
    "queue": queue.run,
}


def main() -> None:
    """Run all of them, or those named, each in a folder that is removed afterwards."""
    asked = sys.argv[1:] or list(BENCHES)
    doc: dict[str, object] = {"cores": os.cpu_count()}
    for name in asked:
        with tempfile.TemporaryDirectory() as folder:
            sys.stderr.write(f"{name} …\n")
            doc[name] = BENCHES[name](Path(folder))
    sys.stdout.write(json.dumps(doc, indent=1) + "\n")


main()
