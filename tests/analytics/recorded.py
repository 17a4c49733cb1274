"""Small random projects written straight into the record, and the same rows as plain Python."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Boolean, Text, insert

from core.labels.answer import Answer
from core.labels.region import Region
from core.store import tables as t
from core.store.store import Store

START = 1_780_000_000.0
CLASSES = ("cat", "dog", "Ωmega 한글", "it's; DROP TABLE --", "x")
VALUES = (
    "a", "b", 5, "5", 2.5, True, None, "", "x' OR 1=1", [1, 2], {"k": "v"}, "NaN", "한", "(missing)",
)  # fmt: skip


@dataclass
class Rows:
    """Everything written so far, table by table, as the rows stand in the record."""

    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def __getattr__(self, name: str) -> list[dict[str, Any]]:
        return self.tables.setdefault(name, [])


def _filler(kind: Any) -> Any:
    """Return something for a column that these tests say nothing about."""
    return "" if isinstance(kind, Text) else False if isinstance(kind, Boolean) else 0


class Recorder:
    """Writes rows in one record transaction each call, and remembers them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.rows = Rows()
        self.now = START + 6e5

    def add(self, name: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Write rows of one table and return them with their numbers."""
        table = t.metadata.tables[name]
        key = "seq" if "seq" in table.c else "id"
        known = self.rows.tables.setdefault(name, [])
        needed = {c.name: _filler(c.type) for c in table.c if not c.nullable and c.name != key}
        full = [{key: len(known) + i + 1, **needed, **r} for i, r in enumerate(rows)]
        if full:
            with self.store.write() as connection:
                connection.execute(insert(table), full)
        known.extend(full)
        return full

    def project(self, slug: str = "p", task: str = "classification") -> int:
        """Write a project and return its number."""
        row = {"slug": slug, "title": slug, "task": task, "simulated": False, "at": START}
        return self.add("projects", [{**row, "required_metadata": "[]", "use_shares": "[]"}])[0][
            "id"
        ]

    def people(self, *names: str) -> list[int]:
        """Write people and return their numbers."""
        row = {"kind": "person", "simulated": False, "at": START}
        return [r["id"] for r in self.add("people", [{"name": n, **row} for n in names])]

    def items(self, project: int, n: int, use: Any = lambda i: "train") -> list[int]:
        """Write items and return their numbers."""
        first = len(self.rows.items) + 1
        rows = [
            {
                "project_id": project, "content_hash": f"h{first + i}", "location": "x", "width": 640,
                "height": 480, "format": "PNG", "size_bytes": 1, "use": use(i), "use_probability": 0.8,
                "at": START + i,
            }
            for i in range(n)
        ]  # fmt: skip
        return [r["id"] for r in self.add("items", rows)]

    def votes(self, rows: list[dict[str, Any]]) -> list[int]:
        """Write annotations, filling what is not given, and return their numbers."""
        first = len(self.rows.annotations)
        full = [
            {
                "uuid": f"u{first + i}", "revision": 1, "kind": "vote", "label": None, "answer": None,
                "reason": "", "schema_version": 1, "guideline_version": 1, "prediction_seq": None,
                "prelabel_shown": False, "active_seconds": None, "started_at": None, "batch_id": None,
                "at": START + 1000, **r,
            }
            for i, r in enumerate(rows)
        ]  # fmt: skip
        return [r["seq"] for r in self.add("annotations", full)]

    def predictions(self, project: int, rows: list[dict[str, Any]], name: str = "m") -> list[int]:
        """Write one prediction set and return the numbers of its predictions."""
        one = {"project_id": project, "model_id": None, "batch_id": None, "name": name, "at": START}
        made = self.add("prediction_sets", [one])[0]["id"]
        base = {
            "set_id": made,
            "project_id": project,
            "label": None,
            "confidence": 0.5,
            "margin": 0.1,
        }
        full = [{**base, "answer": Answer().to_json(), **r} for r in rows]
        return [r["seq"] for r in self.add("predictions", full)]

    def finals(self, project: int, rows: list[dict[str, Any]]) -> list[int]:
        """Write final labels, evidence given as a dict, and return their numbers."""
        base = {
            "project_id": project, "label": None, "answer": None, "probability": None, "reason": "",
            "policy_version": 1, "schema_version": 1, "at": START + 2000,
        }  # fmt: skip
        empty = {"votes": [], "flags": [], "decision": None, "imported": None, "prediction": None}
        full = [
            {**base, **r, "evidence": json.dumps({**empty, **r.get("evidence", {})})} for r in rows
        ]
        return [r["seq"] for r in self.add("final_labels", full)]

    def decisions(self, project: int, rows: list[dict[str, Any]]) -> list[int]:
        """Write decisions and return their numbers."""
        first = len(self.rows.decisions)
        base = {
            "project_id": project, "kind": "decide", "label": None, "answer": None, "reason": "r",
            "votes_seen": 2, "guideline_version": 1, "at": START + 1500,
        }  # fmt: skip
        return [
            r["seq"]
            for r in self.add(
                "decisions", [{"uuid": f"d{first + i}", **base, **r} for i, r in enumerate(rows)]
            )
        ]

    def said(self, name: str, project: int, rows: list[dict[str, Any]]) -> list[int]:
        """Write gold answers or imported labels and return their numbers."""
        base = {
            "project_id": project,
            "label": None,
            "answer": Answer().to_json(),
            "batch_id": None,
            "at": START,
        }
        return [r["seq"] for r in self.add(name, [{**base, **r} for r in rows])]

    def metadata(self, project: int, docs: list[tuple[int, Any]]) -> None:
        """Write metadata documents; a str goes in as it is."""
        self.add(
            "item_metadata",
            [
                {
                    "project_id": project, "item_id": i, "batch_id": None, "at": START,
                    "doc": d if isinstance(d, str) else json.dumps(d, ensure_ascii=False),
                }
                for i, d in docs
            ],
        )  # fmt: skip


def random_project(recorder: Recorder, seed: int, task: str = "classification") -> int:
    """Write a random project of up to 60 items with all there can be, in several steps."""
    rng = random.Random(seed)
    project = recorder.project(f"p{seed}", task)
    people = recorder.people(
        *(f"{seed}-{n}" for n in ("ann", "Böb", "송", "'; --")[: rng.randint(1, 4)])
    )
    items = recorder.items(
        project, rng.randint(1, 60), lambda i: rng.choice(["train", "certify", "evaluate"])
    )
    classes = CLASSES[: rng.randint(2, 5)]
    for _ in range(2):
        _one_round(recorder, rng, project, people, items, classes, task)
    return project


def answer(rng: random.Random, task: str, classes: tuple[str, ...]) -> dict[str, Any]:
    """Return a random label and answer."""
    if task == "classification":
        label = rng.choice(classes)
        return {"label": label, "answer": Answer({"q": label}).to_json()}
    regions = []
    for _ in range(rng.randint(0, 4)):
        x, y = rng.choice([0, 30, 60]) + rng.random() * 12, rng.choice([0, 40]) + rng.random() * 12
        regions.append(Region(rng.choice(classes), x, y, x + 40, y + 40))
    return {"label": None, "answer": Answer(regions=tuple(regions)).to_json()}


def _later(recorder: Recorder) -> float:
    """Return the time of the last label, so that time goes on with the sequence."""
    recorder.now += 4e4
    return recorder.now


def _one_round(recorder, rng, project, people, items, classes, task) -> None:
    some = lambda share: [i for i in items if rng.random() < share]  # noqa: E731
    revisions: dict[tuple[int, int], int] = {}
    for row in recorder.rows.annotations:
        revisions[row["item_id"], row["person_id"]] = row["revision"]
    votes = []
    for item in items:
        for person in people:
            for _ in range(rng.choice([0, 1, 1, 2])):
                revision = revisions[item, person] = revisions.get((item, person), 0) + 1
                kind = rng.choice(["vote"] * 6 + ["skip", "flag", "withdraw"])
                at = START + rng.random() * 5e5
                votes.append({
                    "project_id": project, "item_id": item, "person_id": person, "kind": kind,
                    "revision": revision, "prelabel_shown": rng.random() < 0.3, "at": at,
                    "active_seconds": rng.choice([None, rng.random() * 60]),
                    "started_at": rng.choice([None, at - rng.random() * 100]),
                    **(answer(rng, task, classes) if kind == "vote" else {}),
                })  # fmt: skip
    recorder.votes(votes)
    predictions = recorder.predictions(
        project,
        [{"item_id": i, **answer(rng, task, classes)} for i in some(0.8)],
        f"m{rng.random()}",
    )
    recorder.said(
        "gold_answers", project, [{"item_id": i, **answer(rng, task, classes)} for i in some(0.3)]
    )
    decided = recorder.decisions(
        project,
        [
            {"item_id": i, "person_id": rng.choice(people), "at": START + rng.random() * 5e5}
            for i in some(0.3)
        ],
    )
    by_item: dict[int, list[int]] = {}
    for row in recorder.rows.annotations:
        by_item.setdefault(row["item_id"], []).append(row["seq"])
    decision_of = {
        r["item_id"]: r["seq"] for r in recorder.rows.decisions if r["seq"] in set(decided)
    }
    finals = []
    for item in some(0.7):
        state = rng.choice(
            ["open", "dispute", "imported", "auto-accepted", "agreed", "agreed", "neutral"]
        )
        state = "adjudicated" if item in decision_of else state
        said = by_item.get(item, [])
        finals.append({
            "item_id": item, "state": state, "at": _later(recorder) + rng.random() * 4e4,
            "evidence": {
                "votes": sorted(rng.sample(said, min(len(said), rng.randint(0, 3)))),
                "decision": decision_of.get(item),
                "prediction": rng.choice(predictions) if state == "auto-accepted" and predictions else None,
            },
            **(answer(rng, task, classes) if state not in ("open", "dispute", "neutral") else {}),
        })  # fmt: skip
    recorder.finals(project, finals)
    recorder.metadata(
        project,
        [
            (i, {
                **({"camera": rng.choice(VALUES)} if rng.random() < 0.8 else {}),
                **({"brightness": rng.choice([rng.random() * 100, round(rng.random() * 9)])} if rng.random() < 0.9 else {}),
                **({"mixed": rng.choice([rng.random(), "n/a", "12"])} if rng.random() < 0.9 else {}),
            })
            for i in some(0.9)
        ],
    )  # fmt: skip
