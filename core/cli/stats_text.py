"""The figures of quality as lines for people, for ``tiebreak stats``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.cli.figures import percent

Doc = Mapping[str, Any]

RATES = {
    "accepted": "Pre-labels kept unchanged",
    "rejected": "Pre-labels changed",
    "passed": "Pre-labels passed on (skip, flag)",
    "rework": "First votes redone",
}
METHODS = {
    "gold": "held against gold",
    "audit": "by audit of what the model decided",
    "votes": "from how often blind votes differ",
}


def quality_lines(doc: Doc) -> list[str]:
    """Return one line a figure, each with n and its interval or "not enough data"."""
    lines = [
        f"Accuracy against {name} labels, first question: {_share(found['accuracy'])}"
        for name, found in doc["references"].items()
    ]
    lines.append(f"Calibration error of the model (ECE): {_share(doc['calibration']['ece'])}")
    for name, found in doc["three_ways"].items():
        if found["items"]:
            shares = ", ".join(f"{w} {_share(found[w])}" for w in ("model", "people", "consensus"))
            lines.append(f"On the same items, against {name}: {shares}")
    lines += [f"{text}: {_share(doc['rates'][name])}" for name, text in RATES.items()]
    lines.append(f"Planted gold answered rightly, every question: {_share(doc['gold'])}")
    return [*lines, *_guideline(doc["guideline_effect"]), _noise(doc["label_noise"])]


def _share(found: Doc) -> str:
    if found["value"] is None:
        return f"not enough data (n = {found['n']:,})"
    ends = "" if found["low"] is None else f"{percent(found['low'])} to {percent(found['high'])}, "
    return f"{percent(found['value'])} ({ends}n = {found['n']:,})"


def _guideline(found: Doc) -> list[str]:
    if found["version"] is None:
        return ["Guideline: one version only, nothing to compare"]
    return [
        f"Guideline version {found['version']} (from {found['changed']}), {found['outcome']}: "
        f"before {_share(found['before'])}, after {_share(found['after'])}; "
        f"step on that day {_share(found['level'])}"
    ]


def _noise(found: Doc) -> str:
    how = f", {METHODS[found['method']]}" if found["method"] else ""
    return f"Final labels that are wrong{how}: {_share(found)}"
