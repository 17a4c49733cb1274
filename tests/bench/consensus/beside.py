"""Asking a peer that lives in the second environment: arrays out, arrays and seconds back.

Seconds are the peer's own, without starting Python and without reading and writing the arrays.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def ask(python, script, arrays, **options):
    """Return what a script beside this file, run by `python`, answers: arrays and figures by name."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "asked.npz", Path(folder) / "answered.npz"
        np.savez(asked, **arrays)
        command = [python, HERE / script, asked, answered, json.dumps(options)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        with np.load(answered) as found:
            return dict(found), json.loads(done.stdout.splitlines()[-1])
