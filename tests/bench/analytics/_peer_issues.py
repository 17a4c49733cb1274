"""Run by the peers' environment: cleanlab's batched mode on a table, and its scores of labels; JSON lines."""

import json
import sys
import time
import warnings

import numpy as np
from cleanlab.experimental.label_issues_batched import find_label_issues_batched
from cleanlab.rank import get_label_quality_scores

warnings.simplefilter("ignore")
table, labels = np.load(sys.argv[1]), np.load(sys.argv[2])
METHODS = ("self_confidence", "normalized_margin")
SCORES = (*METHODS, "confidence_weighted_entropy")


def batched(method, batch):
    """Return the batched mode's times and how many labels it flags."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = find_label_issues_batched(
        labels, table, batch_size=batch, n_jobs=1, verbose=False,
        quality_score_kwargs={"method": method},
    )  # fmt: skip
    took = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    return took | {"flagged": len(found)}


if sys.argv[3] == "batched":
    for _ in sys.stdin:
        said = {
            f"{m}, batches of {b:,}": batched(m, b) for m in METHODS for b in (100_000, 1_000_000)
        }
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
else:
    adjusted = [(m, a) for m in SCORES for a in (False, True)][:-1]
    quality = {
        f"{m}{', adjusted' if a else ''}": get_label_quality_scores(
            labels, table.astype(np.float64), method=m, adjust_pred_probs=a
        ).tolist()
        for m, a in adjusted
    }
    sys.stdout.write(json.dumps(quality) + "\n")
