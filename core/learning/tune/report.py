"""What is told of a network that has learnt: how good it is, and what a person should know."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from core.learning import evaluate
from core.learning.tune.material import said
from core.learning.tune.values import Lesson, Standing
from core.learning.values import Example, Predictions, TrainingReport, TrainingRequest


def judged_report(
    request: TrainingRequest,
    predictions: Predictions,
    held: set[int],
    lesson: Lesson,
    temperature: float,
) -> TrainingReport:
    """Return the report of how good the predictions are.

    Args:
        held: Items held back from the loop, to judge by where nothing better is there.
    """
    row_of = {int(i): n for n, i in enumerate(predictions.item_ids)}
    judged = [e for e in request.examples if e.use == "evaluate" and e.image.item_id in row_of]
    on = request.judged_on
    if len(judged) < evaluate.ENOUGH_TO_EVALUATE:
        judged = [e for e in request.examples if e.image.item_id in held & set(row_of)]
        on = "held-out" if judged else "none"
    counts = Counter(c for e in request.examples if e.use == "train" for c in said(e, request))
    base = TrainingReport(
        "done", request.backbone, evaluate.overall(on, 0, 0), n_train=len(lesson.learnt),
        class_balance={c: counts[c] for c in request.classes}, temperature=temperature,
    )  # fmt: skip
    table = predictions.probabilities[[row_of[e.image.item_id] for e in judged]]
    compare = _sets if request.several else _classes
    return compare(base, on, judged, table, request.classes)


def _sets(
    base: TrainingReport,
    on: str,
    judged: list[Example],
    table: np.ndarray,
    classes: tuple[str, ...],
) -> TrainingReport:
    number = {c: i for i, c in enumerate(classes)}
    truth = np.zeros(table.shape, dtype=bool)
    for row, e in enumerate(judged):
        truth[row, [number[c] for c in e.labels]] = True
    guess = table > 0.5
    return replace(
        base,
        eval=evaluate.overall(on, int((truth == guess).all(1).sum()), len(truth)),
        per_class=evaluate.set_rows(truth, guess, classes),
        sets=evaluate.set_scores(truth, table, guess, classes),
    )


def _classes(
    base: TrainingReport,
    on: str,
    judged: list[Example],
    table: np.ndarray,
    classes: tuple[str, ...],
) -> TrainingReport:
    number = {c: i for i, c in enumerate(classes)}
    true = np.array([number[e.label] for e in judged], dtype=int)
    guess = table.argmax(1) if judged else np.zeros(0, dtype=int)
    confusion = evaluate.confusion_matrix(true, guess, len(number))
    return replace(
        base,
        eval=evaluate.overall(on, int((true == guess).sum()), len(true)),
        per_class=evaluate.per_class(confusion, classes),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
    )


def notice_of(standing: Standing, lesson: Lesson, before: str) -> str:
    """Return what a person should know of a run.

    Args:
        before: What was to be known of the network it began with.
    """
    told = [before, *standing.halved]
    if standing.stopped == "nan":
        told.append(
            f"The loss became NaN after step {standing.step}; the best state before, of step "
            f"{standing.best_step}, was kept."
        )
    if standing.stopped == "time":
        told.append(
            "The time was up before the last step; the best state was kept. More minutes may give a better one."
        )
    if not len(lesson.judged):
        told.append(
            "There were too few labels to hold any back, so the confidence is not calibrated."
        )
    return " ".join(s for s in told if s)


def precision_of(standing: Standing) -> str:
    """Return in words how the steps computed."""
    how = standing.precision
    first = "bfloat16" if how.bfloat16 else "float32"
    return f"{first}, channels last" if how.channels_last else first
