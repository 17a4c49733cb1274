"""``python -m tests.bench``: run every benchmark and print one JSON document."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from pathlib import Path

from tests.bench import imports, questions, queue, votes


def main() -> None:
    """Run them in a folder that is removed afterwards."""
    doc: dict[str, object] = {"python": platform.python_version(), "cores": os.cpu_count()}
    for bench in (votes, imports, questions, queue):
        with tempfile.TemporaryDirectory() as folder:
            sys.stderr.write(f"{bench.__name__} …\n")
            doc[bench.__name__.rpartition(".")[2]] = bench.run(Path(folder))
    sys.stdout.write(json.dumps(doc, indent=1) + "\n")


main()
