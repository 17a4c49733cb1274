"""``python -m tests.bench.analytics [NAME …]``: run the analytics benchmarks, print one JSON document."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.bench import analytics

Part = Callable[[Path], dict[str, object]]


def parts() -> Mapping[str, Part | None]:
    """Return every module beside this one by name, with its ``run``; None where it has none."""
    found = {}
    for info in pkgutil.iter_modules(analytics.__path__):
        if not info.name.startswith("_"):
            module = importlib.import_module(f"{analytics.__name__}.{info.name}")
            found[info.name] = getattr(module, "run", None)
    return found


def main() -> None:
    """Run all of them, or those named, each in a folder that is removed afterwards."""
    runs = {name: run for name, run in parts().items() if run is not None}
    asked = [a.replace("-", "_") for a in sys.argv[1:]] or list(runs)
    if unknown := set(asked) - set(runs):
        raise SystemExit(
            f"No benchmark named {', '.join(sorted(unknown))}; there are {', '.join(runs)}."
        )
    doc: dict[str, object] = {"python": platform.python_version(), "cores": os.cpu_count()}
    for name in asked:
        with tempfile.TemporaryDirectory() as folder:
            sys.stderr.write(f"{name} …\n")
            doc[name] = runs[name](Path(folder))
    sys.stdout.write(json.dumps(doc, indent=1, ensure_ascii=False) + "\n")


main()
