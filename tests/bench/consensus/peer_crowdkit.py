"""Run by the second environment: labels by several of crowd-kit's methods, for several crowds."""

import json
import sys
import warnings

import numpy as np
import pandas as pd
from crowdkit import aggregation

METHODS = {
    "majority": aggregation.MajorityVote,
    "wawa": aggregation.Wawa,
    "dawid-skene": lambda: aggregation.DawidSkene(n_iter=100),
    "one-coin": lambda: aggregation.OneCoinDawidSkene(n_iter=100),
    "mace": lambda: aggregation.MACE(random_state=0),
    "mace, 1 start of 10": lambda: aggregation.MACE(n_restarts=1, n_iter=10, random_state=0),
    "glad": lambda: aggregation.GLAD(n_iter=30),
}

warnings.simplefilter("ignore")
asked, answered, options = np.load(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
out = {}
for i, methods in options["methods"].items():
    columns = {name: asked[f"{name}{i}"] for name in ("task", "worker", "label")}
    for method in methods:
        labels = METHODS[method]().fit_predict(pd.DataFrame(columns))
        out[f"{method}|{i}"] = labels.reindex(range(options["tasks"])).to_numpy()
np.savez(answered, **out)
sys.stdout.write("{}\n")
