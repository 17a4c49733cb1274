"""``python -m tests.bench.consensus [NAME …]``: run the consensus benchmarks, print one JSON document."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench.consensus import (
    accuracy,
    adaptive_overlap,
    alpha,
    model_as_voter,
    on_record,
    one_vote,
    regions,
    replay,
    truth,
)
from tests.bench.consensus.peers import peer_python

PARTS: dict[str, Callable[[Path, str], dict[str, object]]] = {
    "dawid_skene": truth.dawid_skene_beside_crowd_kit,
    "majority": truth.majority_beside_crowd_kit,
    "one_new_vote": truth.one_new_vote,
    "one_vote_in_the_record": one_vote.run,
    "alpha": alpha.run,
    "regions": regions.run,
    "model_as_voter": model_as_voter.run,
    "accuracy": accuracy.run,
    "adaptive_overlap": adaptive_overlap.run,
    "replay": replay.run,
    "replay_in_the_record": on_record.replay_in_the_record,
    "agreement_page": on_record.agreement_page,
}
"""Name to a call with an empty folder and the interpreter that has the peers."""


def main() -> None:
    """Run all of them, or those named, each in a folder that is removed afterwards."""
    asked = sys.argv[1:] or list(PARTS)
    if unknown := set(asked) - set(PARTS):
        raise SystemExit(
            f"No benchmark named {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}."
        )
    python = peer_python()
    doc: dict[str, object] = {"python": platform.python_version(), "cores": os.cpu_count()}
    for name in asked:
        with tempfile.TemporaryDirectory() as folder:
            sys.stderr.write(f"{name} …\n")
            doc[name] = PARTS[name](Path(folder), python)
    sys.stdout.write(json.dumps(doc, indent=1, ensure_ascii=False) + "\n")


main()
