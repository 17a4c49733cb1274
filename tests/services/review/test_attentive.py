"""An attentive reviewer: who keeps all that is ever shown, and a classifier, cannot tell gold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from core.access import Actor
from core.consensus.policy import Policy
from core.queue.plan import QueuePlan
from core.queue.probes import Lent
from core.server.decisions import item_json
from core.services.items.about import about_item
from core.services.items.search import find_items
from core.services.items.why import explain
from core.services.models.prelabels import Prediction, store_predictions
from core.services.projects.queue_plans import set_queue_plan
from core.services.review import choosing
from core.services.review.claiming import claim_items
from core.services.visibility.guises import Standing
from core.services.workspace import Workspace
from core.store.tables import gold_answers, probe_votes
from tests.record import CLASSES, World, make_world, say, vote

WINDOW, LOW = 14, 8
ITEMS, GOLD, EACH = 720, 140, 150


@pytest.fixture(autouse=True)
def same_places(sqlite_ws: Workspace) -> None:
    """Give the workspace the same secret each time, so that the outcome is always the same."""
    (sqlite_ws.root / "secret").write_bytes(b"an attentive reviewer's secret!!")


def settled_world(ws: Workspace, blind: float = 0.0) -> World:
    """Make a project whose gold was settled long ago, and of which the model is far more sure."""
    world = make_world(ws, n_items=ITEMS, n_experts=4, policy=Policy(overlap=1))
    rng = np.random.default_rng(11)
    gold = {int(i) for i in rng.choice(world.items, GOLD, replace=False)}
    rows = []
    for item in world.items:
        scores = rng.normal(size=len(CLASSES)) * (6.0 if item in gold else 1.2)
        p = np.exp(scores - scores.max())
        p = (p / p.sum()).astype(np.float32).astype(float)
        order = np.argsort(-p)
        top = tuple((CLASSES[i], float(p[i])) for i in order)
        rows.append(Prediction(item, say(top[0][0]), top[0][1], top[0][1] - top[1][1], top))
    with world.ws.store.write() as connection:
        store_predictions(connection, world.project, rows, "model 1", world.ws.clock())
    for item in gold:
        vote(world, world.cast.experts[3], item)
    with world.ws.store.write() as connection:
        connection.execute(
            gold_answers.insert(),
            [
                {"project_id": world.project.id, "item_id": i, "label": "cat",
                 "answer": say("cat").to_json(), "batch_id": None, "at": world.ws.clock()}
                for i in sorted(gold)
            ],
        )  # fmt: skip
    plan = QueuePlan(gold_share=0.2, blind_share=blind)
    set_queue_plan(world.ws, world.cast.lead, world.slug, plan, "for a test")
    return world


@dataclass
class Seen:
    """Everything that was ever shown of one item, as numbers and as texts."""

    item_id: int
    numbers: dict[str, float] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


def scan(world: World, actor: Actor) -> dict[int, str]:
    """Look every item up beforehand, in each way there is."""
    found = {f.item_id: f"{f.state} {f.label}" for f in find_items(world.ws, actor, world.slug)}
    for item in world.items[::12]:
        why = explain(world.ws, actor, world.slug, item)
        about = about_item(world.ws, actor, world.slug, item)
        kinds = [h.kind for h in about.history]
        found[item] += f" {why.state} {why.label} {why.sentences} {kinds} {len(about.neighbours)}"
    return found


def work(world: World, actor: Actor, order: str, before: dict[int, str], each: int) -> list[Seen]:
    """Answer as a person at the deck does, and keep what comes in."""
    held: list[dict[str, Any]] = []
    seen: list[Seen] = []
    row: list[dict[str, Any]] = []
    last: tuple[int, int] | None = None
    plain = set(world.items) - set(world.items[::12])
    while len(seen) < each:
        if len(held) < LOW:
            view = claim_items(
                world.ws, actor, world.slug, WINDOW - len(held), order,
                [h["item_id"] for h in held],
            )  # fmt: skip
            held += [item_json(i) for i in view.items]
            if not held:
                break
            again = claim_items(world.ws, actor, world.slug, len(held), order)
            told = (view.waiting + len(held), view.done_today)
            step = (0, 0) if last is None else (last[0] - told[0], told[1] - last[1])
            last = told
            ids = [h["item_id"] for h in held]
            reloaded = [i.item_id for i in again.items]
            places = {
                h["item_id"]: n
                for n, h in enumerate(sorted(held, key=lambda h: reloaded.index(h["item_id"])))
            }
            numbers = {i.item_id: item_json(i) for i in again.items}
            for n, h in enumerate(held):
                h.setdefault("moved", abs(places[ids[n]] - n))
                h.setdefault("waiting", step[0] - step[1])
                h.setdefault("done", step[1])
                assert numbers[h["item_id"]]["prelabel"] == h["prelabel"]
        one = held.pop(0)
        row.append(one)
        vote(world, actor, one["item_id"], "cat")
        about = about_item(world.ws, actor, world.slug, one["item_id"])
        why = explain(world.ws, actor, world.slug, one["item_id"])
        shape = {
            k: v
            for k, v in one.items()
            if k not in ("item_id", "name", "image", "prelabel", "moved", "waiting", "done")
        }
        pre = one["prelabel"] or {}
        seen.append(
            Seen(
                one["item_id"],
                {"moved": one["moved"], "waiting": one["waiting"], "done": one["done"],
                 "blind": float(one["prelabel"] is None)},
                {
                    "shape": json.dumps(shape, sort_keys=True, default=str),
                    "before": before[one["item_id"]] if one["item_id"] in plain else "",
                    "prelabel": f"{sorted(pre)} {pre.get('source')} {pre.get('model')}",
                    "after": str([(h.kind, h.who, h.mine) for h in about.history]),
                    "why": str((why.state, why.label, why.model, why.sentences)),
                },
            )
        )  # fmt: skip
    add_row(seen, row)
    return seen


def add_row(seen: Sequence[Seen], row: Sequence[dict[str, Any]]) -> None:
    """Add what the numbers tell beside those of the items before and after."""
    sure = np.array([(r["prelabel"] or {}).get("confidence") or np.nan for r in row])
    known = np.flatnonzero(~np.isnan(sure))
    line = sure[known]
    for at, n in enumerate(known):
        pre = row[n]["prelabel"]
        near = np.delete(line[max(0, at - 5) : at + 6], min(at, 5))
        steps = np.abs(np.diff(line[max(0, at - 3) : at + 4])) + 1e-9
        gap = [abs(line[at] - line[at + d]) for d in (-1, 1) if 0 <= at + d < len(line)]
        others = [p for _, p in pre["top"][1:]]
        seen[n].numbers |= {
            "off": float(abs(line[at] - np.median(near))),
            "out": float(max(0.0, near.min() - line[at]) + max(0.0, line[at] - near.max())),
            "gap": float(np.log(sum(gap) / len(gap) / np.mean(steps) + 1e-6)),
            "narrow": float(np.log(min(gap) / np.mean(steps) + 1e-6)),
            "margin": float(pre["margin"] / pre["confidence"]),
            "second": float(others[0] / pre["confidence"]),
            "sum": float(pre["confidence"] + sum(others) - 1),
            "agrees": float(abs(pre["confidence"] - others[0] - pre["margin"]) > 1e-9),
            "fine": float(float(np.float32(pre["confidence"])) == pre["confidence"]),
            "round": float(all(float(np.float32(p)) == p for p in others)),
            "digits": float(len(repr(pre["margin"]))),
            "sure": float(pre["confidence"]),
        }


def table(seen: Sequence[Seen]) -> np.ndarray:
    """Return a row of numbers for each item; a text is told by how common it is."""
    names = sorted({k for s in seen for k in s.numbers})
    columns = [[s.numbers.get(k, 0.0) for s in seen] for k in names]
    for key in seen[0].texts:
        said = [s.texts[key] for s in seen]
        values = {v: said.count(v) / len(said) for v in set(said)}
        columns.append([values[v] for v in said])
    x = np.array(columns, float).T
    spread = x.std(0)
    x = (x - x.mean(0)) / np.where(spread > 0, spread, 1)
    return np.hstack([x, np.clip(x, -3, 3) ** 2])


def auc(score: np.ndarray, truth: np.ndarray) -> float:
    """Return how often a planted item scores above a real one."""
    above = score[truth][:, None] - score[~truth][None, :]
    return float((above > 0).mean() + (above == 0).mean() / 2)


def told_apart(x: np.ndarray, truth: np.ndarray, person: np.ndarray) -> float:
    """Return the AUC of a logistic regression on people it was not fitted to."""
    scores = np.zeros(len(truth))
    for who in np.unique(person):
        fit = person != who
        design = np.hstack([x, np.ones((len(x), 1))])
        weights = np.zeros(design.shape[1])
        for _ in range(800):
            p = 1 / (1 + np.exp(-np.clip(design[fit] @ weights, -30, 30)))
            weights -= 0.5 * (design[fit].T @ (p - truth[fit]) / fit.sum() + 1e-3 * weights)
        scores[~fit] = design[~fit] @ weights
        scores[~fit] -= scores[~fit].mean()
    return auc(scores, truth)


def by_chance(truth: np.ndarray) -> float:
    """Return the AUC that chance alone passes once in a thousand: Hanley and McNeil at one half."""
    planted, real = int(truth.sum()), int((~truth).sum())
    return float(0.5 + 3.1 * np.sqrt((planted + real + 1) / (12 * planted * real)))


def all_seen(
    world: World, order: str, people: int = 3, each: int = EACH
) -> tuple[list[Seen], np.ndarray, np.ndarray]:
    """Let people work one after the other; return what they saw, the truth, and who."""
    seen: list[Seen] = []
    person: list[int] = []
    truth: list[bool] = []
    for n, actor in enumerate(world.cast.experts[:people]):
        found = work(world, actor, order, scan(world, actor), each)
        with world.ws.store.read() as connection:
            mine = select(probe_votes.c.item_id).where(probe_votes.c.person_id == actor.person_id)
            planted = set(connection.execute(mine).scalars())
        seen += found
        person += [n] * len(found)
        truth += [s.item_id in planted for s in found]
    return seen, np.array(truth), np.array(person)


@pytest.mark.parametrize(("order", "blind"), [("least-confident", 0.0), ("random", 0.2)])
def test_nobody_can_tell_planted_from_real(sqlite_ws: Workspace, order: str, blind: float):
    """Over 450 items, a fifth of them planted, a classifier does no better than chance.

    The bound is that of an AUC of one half: about 0.61 with some 85 planted and 365 real items.
    """
    world = settled_world(sqlite_ws, blind)
    seen, truth, person = all_seen(world, order)
    assert truth.sum() > 0.15 * len(truth) > 60
    assert told_apart(table(seen), truth, person) < by_chance(truth)


def test_the_classifier_would_notice(sqlite_ws: Workspace, monkeypatch: pytest.MonkeyPatch):
    """With nothing lent to what is planted the same classifier tells most of it."""

    def as_they_are(planted: Sequence[Standing], *_: object) -> list[Lent]:
        return [Lent(one.item_id, one.boost, one.priority, None) for one in planted]

    monkeypatch.setattr(choosing, "disguise", as_they_are)
    seen, truth, person = all_seen(settled_world(sqlite_ws), "least-confident", 2, 60)
    assert told_apart(table(seen), truth, person) > 0.9
