"""The executable guideline: its rules measured on every picture and region, and what breaks them.

Rules stand in the guideline's text (`core.labels.rules`). Beside them, limits are proposed from what
became of pictures: which were discarded, skipped, flagged or answered wrongly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select

from core.access import Action, Actor
from core.analytics.cells import Floats, Ints
from core.analytics.replica import Replica
from core.errors import InputError
from core.intake.measures import NAMES
from core.labels.rules import (
    METADATA,
    About,
    BadRule,
    Rule,
    read_rules,
    rule_line,
)
from core.labels.state import LABELLED, ItemState
from core.services.analytics.measured import read_measures
from core.services.analytics.reference_sets import (
    Picture,
    Pictures,
    PictureSet,
    pictures_of,
    pictures_to_show,
)
from core.services.analytics.replicas import open_figures
from core.services.analytics.slice_items import BountyQueue, queue_first
from core.services.projects.project import ProjectView, project_for
from core.services.workspace import Workspace
from core.stats.bootstrap import clustered_ratio
from core.stats.intervals import Estimate, wilson
from core.stats.multiple import benjamini_hochberg
from core.stats.thresholds import Threshold, learned_threshold
from core.store.tables import item_state

SURE = 0.05
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
class LearnedLimit:
    """A limit the record proposes.

    Attributes:
        subject: The property as a rule names it.
        n, bad: Pictures that came to an end or were passed on; of them those that went wrong.
        found: None where there is not enough data.
        adjusted_p: For all properties looked at.
        line: The rule to write; empty where there is none.
        in_force: The rule that the guideline has about the same property, as it is written.
    """

    subject: str
    n: int
    bad: int
    found: Threshold | None
    adjusted_p: float | None
    line: str
    in_force: str

    @property
    def is_sure(self) -> bool:
        """Return whether pictures beyond the limit surely go wrong more often."""
        gap = None if self.found is None else self.found.difference.low
        return (
            self.adjusted_p is not None and self.adjusted_p < SURE and gap is not None and gap > 0
        )


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
    known = _known(ws, *open_figures(ws, actor, slug))
    read = read_rules(known.project.guideline)
    unmeasured = int(np.isnan(known.measures[:, 0]).sum()) if len(known.measures) else 0
    return RulesView(
        known.project, tuple(_figure(known, r) for r in read.rules), read.refused,
        _limits(known, read.rules), len(known.pictures), unmeasured,
    )  # fmt: skip


def rule_violations(ws: Workspace, actor: Actor, slug: str, line: int) -> Violations:
    """Return what breaks the rule in a line of the guideline.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor.
        InputError: There is no rule in that line.
        LimitExceeded: It took too long.
    """
    known = _known(ws, *open_figures(ws, actor, slug))
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
    known = _known(ws, *open_figures(ws, actor, slug))
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
    known = _known(ws, *open_figures(ws, actor, slug))
    _, beyond = _beyond(known, line)
    states = _states(ws, known.project)
    return tuple(i for i in dict.fromkeys(beyond.item.tolist()) if states.get(i) in LABELLED)


# --- what is known --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Values:
    """Values of one property: arrays of one length; an item may have several, one a region."""

    item: Ints
    value: Floats
    label: np.ndarray

    def where(self, chosen: np.ndarray) -> _Values:
        return _Values(self.item[chosen], self.value[chosen], self.label[chosen])


@dataclass(frozen=True, slots=True)
class _Known:
    """All that is measured of a project; columns of metadata that hold a number for some item."""

    project: ProjectView
    replica: Replica
    pictures: PictureSet
    measures: Floats
    columns: dict[str, _Values]
    regions: dict[str, _Values]


def _known(ws: Workspace, project: ProjectView, replica: Replica) -> _Known:
    pictures = pictures_of(ws, project)
    measures = read_measures(ws, pictures.hashes)
    regions = _regions(replica, pictures) if project.task.draws else {}
    return _Known(project, replica, pictures, measures, _columns(replica, project), regions)


def _columns(replica: Replica, project: ProjectView) -> dict[str, _Values]:
    table = replica.arrow("slice_columns", {"project": project.id})
    number = table["number"].to_numpy().astype(np.float64)
    item = np.asarray(table["item_id"].to_numpy(), dtype=np.int64)
    keys = np.array(table["key"].to_pylist(), dtype=object)
    found = {}
    for key in sorted(set(keys.tolist())):
        own = (keys == key) & np.isfinite(number)
        found[key] = _Values(item[own], number[own], np.full(int(own.sum()), "", dtype=object))
    return found


def _regions(replica: Replica, pictures: PictureSet) -> dict[str, _Values]:
    """Return share of the picture, shorter side and width over height of each region in force."""
    table = replica.arrow("region_sizes", {"project": pictures.project.id, "predicted": False})
    label = np.array(table["label"].to_pylist(), dtype=object)
    item = np.asarray(table["item_id"].to_numpy(), dtype=np.int64)
    edges = (table[c].to_numpy().astype(np.float64) for c in ("x1", "y1", "x2", "y2"))
    x1, y1, x2, y2 = edges
    wide, high = x2 - x1, y2 - y1
    sound = np.isfinite(wide) & np.isfinite(high) & (wide > 0) & (high > 0)
    sound &= np.isin(item, pictures.ids)
    item, label, wide, high = item[sound], label[sound], wide[sound], high[sound]
    frame = pictures.sizes[np.searchsorted(pictures.ids, item)].prod(1)
    values = {
        "object size": np.clip(wide * high / np.maximum(frame, 1.0), 0.0, 1.0),
        "object pixels": np.minimum(wide, high),
        "object aspect": wide / high,
    }
    return {name: _Values(item, value, label) for name, value in values.items()}


def _of_picture(known: _Known, name: str) -> _Values:
    column = known.measures[:, NAMES.index(name)]
    sound = np.isfinite(column)
    nobody = np.full(int(sound.sum()), "", dtype=object)
    return _Values(known.pictures.ids[sound], column[sound], nobody)


def _values(known: _Known, rule: Rule) -> _Values | str:
    """Return what was measured for a rule, or why nothing can be."""
    if rule.about is About.PICTURE:
        return _of_picture(known, rule.subject)
    if rule.about is About.METADATA:
        found = known.columns.get(rule.subject)
        return found or f"No item has a metadata column '{rule.subject[:60]}'."
    if not known.project.task.draws:
        return "Nothing is drawn in this project, so there is no object to measure."
    if rule.label and rule.label not in known.project.schema.classes:
        return f"There is no class '{rule.label[:60]}' in this project."
    values = known.regions[rule.subject]
    return values.where(values.label == rule.label) if rule.label else values


# --- rules ----------------------------------------------------------------------------------------


def _figure(known: _Known, rule: Rule) -> RuleFigure:
    values = _values(known, rule)
    if isinstance(values, str):
        return RuleFigure(rule, 0, Estimate(None, None, None, 0), 0, len(known.pictures), 0, values)
    bad = ~_allowed(rule, values.value)
    measured = len(np.unique(values.item))
    return RuleFigure(
        rule, int(bad.sum()), _share(rule, values, bad), len(values.item),
        len(known.pictures) - measured, len(np.unique(values.item[bad])), "",
    )  # fmt: skip


def _share(rule: Rule, values: _Values, bad: np.ndarray) -> Estimate:
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


def _beyond(known: _Known, line: int) -> tuple[Rule, _Values]:
    """Return a rule and what is beyond its limits, the furthest first.

    Raises:
        InputError: There is no rule in that line.
    """
    rules = read_rules(known.project.guideline).rules
    rule = next((r for r in rules if r.line == line), None)
    if rule is None:
        raise InputError(
            f"There is no rule in line {line} of the guideline.",
            "It may have been changed since; choose one from the list.",
        )
    values = _values(known, rule)
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


def _rows(rule: Rule, beyond: _Values, pictures: Pictures) -> Iterator[Violation]:
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


# --- limits ---------------------------------------------------------------------------------------


def _limits(known: _Known, rules: Sequence[Rule]) -> tuple[LearnedLimit, ...]:
    """Return a limit for every property that has numbers, the surest first."""
    item, bad = _outcomes(known)
    found: list[tuple[str, int, int, Threshold | None]] = []
    for subject, values in _numeric(known):
        place = np.searchsorted(item, values.item)
        place[place == len(item)] = 0
        seen = (item[place] == values.item) if len(item) else np.zeros(len(values.item), np.bool_)
        own, went = values.value[seen], bad[place[seen]] if len(item) else np.zeros(0, np.bool_)
        if len(np.unique(own)) > 1 or not len(own):
            found.append((subject, len(own), int(went.sum()), learned_threshold(own, went)))
    ps = benjamini_hochberg([None if t is None else t.p for *_, t in found])
    limits = [
        LearnedLimit(s, n, b, t, p, _line(s, t), _in_force(s, rules))
        for (s, n, b, t), p in zip(found, ps, strict=True)
    ]
    return tuple(sorted(limits, key=lambda x: (x.adjusted_p is None, x.adjusted_p or 0, x.subject)))


def _outcomes(known: _Known) -> tuple[Ints, np.ndarray]:
    """Return the pictures that came to an end or were passed on, and which of them went wrong."""
    table = known.replica.arrow("item_outcomes", {"project": known.project.id})
    item = np.asarray(table["item_id"].to_numpy(), dtype=np.int64)
    state = np.array(table["state"].to_pylist(), dtype=object)
    passed, votes, wrong = (
        table[c].to_numpy().astype(np.int64) for c in ("passed_on", "votes", "wrong")
    )
    given_up = np.isin(state, [ItemState.DISCARDED.value, ItemState.NEUTRAL.value])
    settled = np.isin(state, [s.value for s in LABELLED]) & (votes > 0)
    looked_at = given_up | settled | (passed > 0)
    bad = given_up | (passed > 0) | (wrong > 0)
    return item[looked_at], bad[looked_at]


def _numeric(known: _Known) -> Iterator[tuple[str, _Values]]:
    """Yield every property with numbers; of an object the smallest of a picture stands for it."""
    if np.isfinite(known.measures).any():
        yield from ((name, _of_picture(known, name)) for name in NAMES)
    for name, values in known.columns.items():
        if len(values.item):
            yield f"{METADATA} {name}", values
    for name in ("object size", "object pixels"):
        if (regions := known.regions.get(name)) is not None and len(regions.item):
            order = np.lexsort((regions.value, regions.item))
            _, first = np.unique(regions.item[order], return_index=True)
            yield name, regions.where(order[first])


def _line(subject: str, found: Threshold | None) -> str:
    if found is None or found.limit.value is None:
        return ""
    low, high = (found.limit.value, None) if found.at_least else (None, found.limit.value)
    return rule_line(subject, low, high)


def _in_force(subject: str, rules: Sequence[Rule]) -> str:
    for rule in rules:
        own = f"{METADATA} {rule.subject}" if rule.about is About.METADATA else rule.subject
        if own == subject:
            return rule.text
    return ""
