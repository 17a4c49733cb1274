"""The same figures in plain Python, from the rows as they were written."""

from __future__ import annotations

import json
import math
import statistics
from collections import Counter, defaultdict
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from core.labels.answer import Answer
from core.labels.geometry import match_regions

LABELLED = {"imported", "auto-accepted", "agreed", "adjudicated"}


def live(rows, project):
    """Return the latest annotation of each (item, person)."""
    latest = {}
    for row in rows.annotations:
        key = row["item_id"], row["person_id"]
        if (
            row["project_id"] == project
            and row["revision"] > latest.get(key, {"revision": 0})["revision"]
        ):
            latest[key] = row
    return latest


def last_of(rows, project):
    """Return the last row of each item."""
    return {r["item_id"]: r for r in rows if r["project_id"] == project}


def truths(rows, project, against):
    """Return the reference of each item."""
    if against == "gold":
        return last_of(rows.gold_answers, project)
    found = {i: r for i, r in last_of(rows.final_labels, project).items() if r["state"] in LABELLED}
    use = {r["id"]: r["use"] for r in rows.items}
    if against == "adjudicated":
        found = {i: r for i, r in found.items() if r["state"] == "adjudicated"}
    if against == "evaluate":
        found = {i: r for i, r in found.items() if use[i] == "evaluate"}
    return found


def owns(rows, truth, statement, whose):
    """Return whether the truth rests on the statement."""
    if "evidence" not in truth:
        return False
    evidence = json.loads(truth["evidence"])
    votes = [rows.annotations[seq - 1] for seq in evidence["votes"]]
    if truth["state"] == "imported":
        return False
    if truth["state"] == "adjudicated":
        lead = rows.decisions[evidence["decision"] - 1]["person_id"]
        return whose != "model" and lead == statement["person_id"]
    if whose == "model":
        shown = any(v["prelabel_shown"] and v["label"] == truth["label"] for v in votes)
        return truth["state"] == "auto-accepted" or evidence["prediction"] is not None or shown
    return any(v["person_id"] == statement["person_id"] for v in votes)


def pairs(rows, project, whose, against, keep=lambda item, statement: True):
    """Return (statement, truth) pairs to use, how many are left out, and whether none was independent."""
    if whose == "model":
        said = list(last_of(rows.predictions, project).values())
    else:
        said = [r for r in live(rows, project).values() if r["kind"] == "vote"]
        names = {r["id"]: r["name"] for r in rows.people}
        said = [r for r in said if whose in ("people", names[r["person_id"]])]
    reference = truths(rows, project, against)
    every = [(s, reference[s["item_id"]]) for s in said if s["item_id"] in reference]
    every = [(s, t) for s, t in every if keep(s["item_id"], s)]
    free = [(s, t) for s, t in every if not owns(rows, t, s, whose)]
    if every and not free:
        return every, 0, True
    return free, len(every) - len(free), False


def counts(rows, project, whose, against, keep=lambda item, statement: True):
    """Return {class: (n, correct)}, {(truth, said): n}, left out, reviewed only."""
    used, left_out, reviewed = pairs(rows, project, whose, against, keep)
    by_class, cells = defaultdict(lambda: [0, 0]), Counter()
    for s, t in used:
        by_class[t["label"]][0] += 1
        by_class[t["label"]][1] += s["label"] == t["label"]
        cells[t["label"], s["label"]] += 1
    return {k: tuple(v) for k, v in by_class.items()}, dict(cells), left_out, reviewed


def value_text(value):
    """Return a metadata value as slices name it, None where it is missing."""
    if value is None or value == "":
        return None
    return (
        value
        if isinstance(value, str)
        else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    )


def number(value):
    """Return the number a metadata value reads as, None where it is none."""
    try:
        found = (
            float(value)
            if isinstance(value, str | int | float) and not isinstance(value, bool)
            else math.nan
        )
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def metadata(rows, project):
    """Return {item: document}, the latest."""
    return {i: json.loads(r["doc"]) for i, r in last_of(rows.item_metadata, project).items()}


def slice_counts(rows, project, column, whose, against):
    """Return {(value, low, high): (n, correct, rest n, rest correct)}."""
    docs = metadata(rows, project)
    numbers = {
        i: number(d.get(column)) for i, d in docs.items() if value_text(d.get(column)) is not None
    }
    known = sorted(n for n in numbers.values() if n is not None)
    edges = (
        sorted(set(np.quantile(known, [0, 0.2, 0.4, 0.6, 0.8, 1], method="inverted_cdf").tolist()))
        if len(set(known)) >= 13
        else []
    )

    def name(item):
        found = numbers.get(item)
        if edges and found is not None:
            place = sum(found > e for e in edges[1:-1])
            return f"{edges[place]:g} to {edges[place + 1]:g}", edges[place], edges[place + 1]
        return value_text(docs.get(item, {}).get(column)), None, None

    used, _, _ = pairs(rows, project, whose, against)
    inside = defaultdict(lambda: [0, 0])
    for s, t in used:
        inside[name(s["item_id"])][0] += 1
        inside[name(s["item_id"])][1] += s["label"] == t["label"]
    n, correct = (sum(v[i] for v in inside.values()) for i in (0, 1))
    return {k: (a, b, n - a, correct - b) for k, (a, b) in inside.items()}


def days(rows, project, tz):
    """Return {(day, person): row} of work done."""
    zone = ZoneInfo(tz)
    names = {r["id"]: r["name"] for r in rows.people}
    found = defaultdict(
        lambda: {
            "decision": 0,
            "vote": 0,
            "skip": 0,
            "flag": 0,
            "active": [],
            "voting": [],
            "elapsed": [],
        }
    )
    for r in rows.annotations + [
        {**d, "kind": "decision", "batch_id": None} for d in rows.decisions
    ]:
        if r["project_id"] != project or r["batch_id"] is not None:
            continue
        row = found[datetime.fromtimestamp(r["at"], zone).date(), names[r["person_id"]]]
        if r["kind"] in row:
            row[r["kind"]] += 1
        if r.get("active_seconds") is not None:
            row["active"].append(r["active_seconds"])
            if r["kind"] == "vote":
                row["voting"].append(r["active_seconds"])
        if r.get("started_at") is not None:
            row["elapsed"].append(r["at"] - r["started_at"])
    return {
        k: (v["decision"], v["vote"], v["skip"], v["flag"], sum(v["active"]),
            statistics.median(v["voting"]) if v["voting"] else None, sum(v["elapsed"]))
        for k, v in found.items()
    }  # fmt: skip


def history(rows, project, tz):
    """Return {day: {state: items}} at the end of each day on which something changed."""
    zone = ZoneInfo(tz)
    events = [(r["at"], r["id"], 0, "open") for r in rows.items if r["project_id"] == project]
    events += [
        (r["at"], r["item_id"], r["seq"], r["state"])
        for r in rows.final_labels
        if r["project_id"] == project
    ]
    by_day = defaultdict(list)
    for at, item, seq, state in events:
        by_day[datetime.fromtimestamp(at, zone).date()].append((seq, item, state))
    now, found, before = {}, {}, None
    for day in sorted(by_day):
        for _, item, state in sorted(by_day[day]):
            now[item] = state
        counted = dict(Counter(now.values()))
        if counted != before:
            found[day] = before = counted
    return found


def person_counts(rows, project):
    """Return {name: (votes, blind, skips, flags, gold n, gold correct, items compared, agreeing)}."""
    names = {r["id"]: r["name"] for r in rows.people}
    latest, gold = live(rows, project), truths(rows, project, "gold")
    votes = defaultdict(dict)
    for (item, person), row in latest.items():
        if row["kind"] == "vote":
            votes[item][person] = row["label"]
    found = {}
    for person in {p for (_, p), r in latest.items() if r["kind"] != "withdraw"}:
        mine = [r for (_, p), r in latest.items() if p == person]
        voted = [r for r in mine if r["kind"] == "vote"]
        tested = [r for r in voted if r["item_id"] in gold]
        shares = []
        for r in voted:
            others = [v for p, v in votes[r["item_id"]].items() if p != person]
            if others:
                shares.append(sum(v == r["label"] for v in others) / len(others))
        found[names[person]] = (
            len(voted), sum(not r["prelabel_shown"] for r in voted),
            sum(r["kind"] == "skip" for r in mine), sum(r["kind"] == "flag" for r in mine),
            len(tested), sum(r["label"] == gold[r["item_id"]]["label"] for r in tested),
            len(shares), math.fsum(shares),
        )  # fmt: skip
    return found


def detection(rows, project, whose, against):
    """Return {class: (true, found, drawn, right)}, answers and right items."""
    used, _, _ = pairs(rows, project, whose, against)
    found = defaultdict(lambda: [0, 0, 0, 0])
    whole = 0
    for s, t in used:
        truth, said = Answer.from_json(t["answer"]).regions, Answer.from_json(s["answer"]).regions
        matched = match_regions(truth, said, 0.5)
        for place, regions in ((0, truth), (2, said)):
            for r in regions:
                found[r.label][place] += 1
        for i, _, _ in matched:
            found[truth[i].label][1] += 1
            found[truth[i].label][3] += 1
        whole += len(matched) == len(truth) == len(said)
    return {k: tuple(v) for k, v in found.items()}, len(used), whole


def box_cells(rows, project, whose, against):
    """Return {(truth, said): n} with None for missed and extra boxes."""
    used, _, _ = pairs(rows, project, whose, against)
    cells = Counter()
    for s, t in used:
        truth, said = Answer.from_json(t["answer"]).regions, Answer.from_json(s["answer"]).regions
        matched = match_regions(truth, said, 0.5, same_class=False)
        cells.update((truth[i].label, said[j].label) for i, j, _ in matched)
        cells.update(
            (r.label, None) for i, r in enumerate(truth) if i not in {m[0] for m in matched}
        )
        cells.update(
            (None, r.label) for j, r in enumerate(said) if j not in {m[1] for m in matched}
        )
    return dict(cells)
