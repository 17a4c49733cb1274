"""Run by the peers' environment: one way of one library on a pool in memory; prints one JSON line."""

import json
import sys
import time
import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression

warnings.simplefilter("ignore")
what, pool_file, head_file, picks, answered = sys.argv[1:]
pool = np.load(pool_file).astype(np.float32)
head, count = np.load(head_file), int(picks)
model = LogisticRegression(max_iter=1).fit(pool[:200], np.arange(200) % len(head["bias"]))
model.coef_, model.intercept_ = head["weight"], head["bias"]
unlabelled = np.full(len(pool), np.nan)


def modal_margin():
    from modAL.uncertainty import margin_sampling

    return margin_sampling(model, pool, n_instances=count)[0]


def activeml_margin():
    from skactiveml.classifier import SklearnClassifier
    from skactiveml.pool import UncertaintySampling

    wrapped = SklearnClassifier(model, classes=np.arange(len(head["bias"])))
    wrapped.fit(pool[:200], np.arange(200) % len(head["bias"]))
    wrapped.estimator_.coef_, wrapped.estimator_.intercept_ = head["weight"], head["bias"]
    way = UncertaintySampling(method="margin_sampling", random_state=0)
    return way.query(pool, unlabelled, wrapped, fit_clf=False, batch_size=count)


def activeml_diverse():
    from skactiveml.pool import CoreSet

    return CoreSet(random_state=0).query(pool, unlabelled, batch_size=count)


def activeml_cold_start():
    from skactiveml.pool import TypiClust

    return TypiClust(random_state=0).query(pool, unlabelled, batch_size=count)


begun, spent = time.perf_counter(), time.process_time()
found = globals()[what]()
took = {
    "seconds": round(time.perf_counter() - begun, 3),
    "cpu_seconds": round(time.process_time() - spent, 3),
}
np.save(answered, np.asarray(found).ravel())
sys.stdout.write(json.dumps(took) + "\n")
