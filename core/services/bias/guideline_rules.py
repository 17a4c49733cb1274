"""The executable guideline: its rules measured on every picture and region, and what breaks them.

Rules stand in the guideline's text (`core.labels.rules`). Beside them, limits are proposed from what
became of pictures: which were discarded, skipped, flagged or answered wrongly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select

from core.access import Action, Actor
from core.analytics.cells import Floats
from core.errors import InputError, one_of
from core.labels.rules import (
    About,
    BadRule,
    Rule,
    read_rules,
)
from core.labels.state import LABELLED, ItemState
from core.services.analytics.replicas import open_figures
from core.services.bias.learned_limits import LearnedLimit, learned_limits
from core.services.bias.reference_sets import (
    Picture,
    Pictures,
    pictures_to_show,
)
from core.services.bias.rule_values import Known, Values, known_of, values_for
from core.services.bias.slice_items import BountyQueue, queue_first
from core.services.projects.project import ProjectView, project_for
from core.services.workspace import Workspace
from core.stats.bootstrap import clustered_ratio
from core.stats.intervals import Estimate, wilson
from core.store.tables import item_state

MOST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class RuleFigure:
    """One rule, measured.

    Attributes:
        broken: Pictures, or regions, beyond its limits.
        share: Of those measured, with its interval; of regions clustered by picture.
        measured, unmeasured: Pictures or regions with a value, and pictures without.
        items: Pictures with anything beyond.
        problem: Why nothing can be measured; empty where something can.
    """

    rule: Rule
    broken: int
    share: Estimate
    measured: int
    unmeasured: int
    items: int
    problem: str


@dataclass(frozen=True, slots=True)
class RulesView:
    """A guideline's rules against what there is.

    Attributes:
        figures: In the order they are written.
        refused: Lines that are no rules.
        limits: Proposed ones, the surest first.
        items: Pictures of the project.
        unmeasured: Of them not measured yet.
    """

    project: ProjectView
    figures: tuple[RuleFigure, ...]
    refused: tuple[BadRule, ...]
    limits: tuple[LearnedLimit, ...]
    items: int
    unmeasured: int


@dataclass(frozen=True, slots=True)
class Violation:
    """A picture, or a region in it, that breaks a rule.

    Attributes:
        value: What was found, in the unit of the limit.
        limit: The limit it is beyond.
        label: The region's class; empty of a picture.
    """

    picture: Picture
    value: float
    limit: float
    label: str


@dataclass(frozen=True, slots=True)
class Violations:
    """What breaks one rule, the furthest beyond first.

    Attributes:
        items: Pictures with anything beyond.
        open, settled: Of them, how many wait for votes, and how many have a label in force.
        withheld: Pictures not listed because their regions would tell the actor an answer that is
            still to be given.
    """

    rule: Rule
    rows: tuple[Violation, ...]
    items: int
    open: int
    settled: int
    withheld: int


def rules_view(ws: Workspace, actor: Actor, slug: str) -> RulesView:
    """Return the rules of a project's guideline, measured, and the limits the record proposes.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor.
        LimitExceeded: It took too long.
    """
    known = known_of(ws, *open_figures(ws, actor, slug))
    read = read_rules(known.project.guideline)
    unmeasured = int(np.isnan(known.measures[:, 0]).sum()) if len(known.measures) else 0
    return RulesView(
        known.project, tuple(_figure(known, r) for r in read.rules), read.refused,
        learned_limits(known, read.rules), len(known.pictures), unmeasured,
    )  # fmt: skip


def rule_violations(ws: Workspace, actor: Actor, slug: str, line: int) -> Violations:
    """Return what breaks the rule in a line of the guideline.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor.
        InputError: There is no rule in that line.
        LimitExceeded: It took too long.
    """
    known = known_of(ws, *open_figures(ws, actor, slug))
    rule, beyond = _beyond(known, line)
    states = _states(ws, known.project)
    ids = list(dict.fromkeys(beyond.item.tolist()))
    drawn = rule.about is About.OBJECT
    pictures = pictures_to_show(ws, actor, known.project, ids, most=MOST_SHOWN, tells_answer=drawn)
    return Violations(
        rule, tuple(_rows(rule, beyond, pictures)), len(ids),
        sum(states.get(i) == ItemState.OPEN.value for i in ids),
        sum(states.get(i) in LABELLED for i in ids), pictures.withheld,
    )  # fmt: skip


def send_violations_first(ws: Workspace, actor: Actor, slug: str, line: int) -> BountyQueue:
    """Put the open pictures that break a rule at the head of everybody's queue.

    Raises:
        Forbidden: The actor may not see figures here, or does not steer this project.
        NotFound: There is no such project for the actor.
        InputError: There is no rule in that line, or no open picture breaks it.
        LimitExceeded: It took too long.
    """
    with ws.store.read() as connection:
        project_for(connection, actor, slug, Action.STEER, counted=False)
    known = known_of(ws, *open_figures(ws, actor, slug))
    rule, beyond = _beyond(known, line)
    states = _states(ws, known.project)
    waiting = [
        i for i in dict.fromkeys(beyond.item.tolist()) if states.get(i) == ItemState.OPEN.value
    ]
    if not waiting:
        raise InputError(
            "Nothing was queued: no picture that waits for votes breaks this rule.",
            "Send labelled ones back first.",
        )
    return queue_first(
        ws, actor, slug, f"Breaks: {rule.text}", waiting, f"Breaks a rule: {rule.text}"
    )


def settled_violations(ws: Workspace, actor: Actor, slug: str, line: int) -> tuple[int, ...]:
    """Return the pictures with a label in force that break a rule, the furthest beyond first.

    Raises:
        Forbidden: The actor may not see figures here, or rules on nothing.
        NotFound: There is no such project for the actor.
        InputError: There is no rule in that line.
        LimitExceeded: It took too long.
    """
    with ws.store.read() as connection:
        project_for(connection, actor, slug, Action.ADJUDICATE, counted=False)
    known = known_of(ws, *open_figures(ws, actor, slug))
    _, beyond = _beyond(known, line)
    states = _states(ws, known.project)
    return tuple(i for i in dict.fromkeys(beyond.item.tolist()) if states.get(i) in LABELLED)


# --- rules ----------------------------------------------------------------------------------------


def _figure(known: Known, rule: Rule) -> RuleFigure:
    values = values_for(known, rule)
    if isinstance(values, str):
        return RuleFigure(rule, 0, Estimate(None, None, None, 0), 0, len(known.pictures), 0, values)
    bad = ~_allowed(rule, values.value)
    measured = len(np.unique(values.item))
    return RuleFigure(
        rule, int(bad.sum()), _share(rule, values, bad), len(values.item),
        len(known.pictures) - measured, len(np.unique(values.item[bad])), "",
    )  # fmt: skip


def _share(rule: Rule, values: Values, bad: np.ndarray) -> Estimate:
    if rule.about is About.OBJECT:
        return clustered_ratio(values.item, bad.astype(np.float64), np.ones(len(bad)))
    return wilson(int(bad.sum()), len(bad))


def _allowed(rule: Rule, value: Floats) -> np.ndarray:
    allowed = np.ones(len(value), dtype=np.bool_)
    if rule.low is not None:
        allowed &= value >= rule.low
    if rule.high is not None:
        allowed &= value <= rule.high
    return allowed


def _beyond(known: Known, line: int) -> tuple[Rule, Values]:
    """Return a rule and what is beyond its limits, the furthest first.

    Raises:
        InputError: There is no rule in that line.
    """
    rules = read_rules(known.project.guideline).rules
    rule = next((r for r in rules if r.line == line), None)
    if rule is None:
        raise InputError(
            f"There is no rule in line {line} of the guideline; it may have been changed since.",
            one_of((f"line {r.line}" for r in rules), "The guideline has no rules."),
        )
    values = values_for(known, rule)
    if isinstance(values, str):
        raise InputError(values, "Change the rule, or bring what it measures.")
    bad = values.where(~_allowed(rule, values.value))
    far = np.array([abs(v - _limit(rule, v)) for v in bad.value.tolist()])
    return rule, bad.where(np.lexsort((bad.item, -far))) if len(far) else bad


def _limit(rule: Rule, value: float) -> float:
    """Return the limit a value is beyond."""
    if rule.low is not None and value < rule.low:
        return rule.low
    return rule.high if rule.high is not None else value


def _rows(rule: Rule, beyond: Values, pictures: Pictures) -> Iterator[Violation]:
    shown = {p.item_id: p for p in pictures.shown}
    rows = zip(beyond.item.tolist(), beyond.value.tolist(), beyond.label.tolist(), strict=True)
    told = 0
    for item, value, label in rows:
        if item in shown and told < MOST_SHOWN:
            told += 1
            yield Violation(shown[item], value, _limit(rule, value), label)


def _states(ws: Workspace, project: ProjectView) -> dict[int, str]:
    with ws.store.read() as connection:
        rows = connection.execute(
            select(item_state.c.item_id, item_state.c.state).where(
                item_state.c.project_id == project.id
            )
        )
        return {r.item_id: r.state for r in rows}
