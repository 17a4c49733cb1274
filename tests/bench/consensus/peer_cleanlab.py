"""Run by the second environment: cleanlab's consensus of people and a model."""

import json
import sys
import time
import warnings

import numpy as np
import pandas as pd
from cleanlab.multiannotator import get_label_quality_multiannotator

warnings.simplefilter("ignore")
asked, answered, options = np.load(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
word = asked["word"].astype(np.float64)
table = np.full((len(word), options["workers"]), np.nan)
table[asked["task"], asked["worker"]] = asked["label"]
labels, word = pd.DataFrame(table), word / word.sum(axis=1, keepdims=True)
wall, cpu = time.perf_counter(), time.process_time()
found = get_label_quality_multiannotator(labels, word, verbose=False)
took = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
np.savez(answered, label=found["label_quality"]["consensus_label"].to_numpy())
sys.stdout.write(json.dumps(took) + "\n")
