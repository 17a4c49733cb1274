"""One side of the alpha benchmark in a process of its own: a line in, a round measured out.

Run by its path, with the environment of the side: ours, or the one that has `krippendorff`.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable

import numpy as np

Columns = tuple[np.ndarray, np.ndarray, np.ndarray]


def ours(columns: Columns, classes: int) -> Callable[[], float]:
    """Return our alpha of votes by item, person and class."""
    from core.consensus.agreement import krippendorff_alpha
    from core.consensus.counts import count_labels

    item, _, label = columns
    return lambda: krippendorff_alpha(count_labels(item, label, classes), replicates=0).value


def peer(columns: Columns, classes: int) -> Callable[[], float]:
    """Return the package's alpha of its table of people by items."""
    import krippendorff

    item, person, label = columns
    shape = (int(person.max()) + 1, int(item.max()) + 1)

    def alpha() -> float:
        table = np.full(shape, np.nan, np.float32)
        table[person, item] = label
        return float(
            krippendorff.alpha(
                reliability_data=table,
                level_of_measurement="nominal",
                value_domain=list(range(classes)),
            )
        )

    return alpha


def main() -> None:
    """Answer every line with seconds, value and growth of the largest memory, MB."""
    data = np.load(sys.argv[2])
    columns = (data["item"], data["person"], data["label"])
    alpha = {"ours": ours, "peer": peer}[sys.argv[1]](columns, int(data["classes"]))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in sys.stdin:
        began, cpu = time.perf_counter(), time.process_time()
        value = alpha()
        found = {
            "seconds": time.perf_counter() - began,
            "cpu": time.process_time() - cpu,
            "value": value,
            "grew_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
        }
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
