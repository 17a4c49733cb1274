"""The rules of training in force: who promotes, what is drawn by chance, what an hour costs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from math import isfinite

from sqlalchemy import Connection, Row, select

from core.access import Action, Actor
from core.errors import InputError
from core.services.projects.project import insert_version, project_for
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import training_rules

MOST_CURRENCY = 12


@dataclass(frozen=True, slots=True)
class TrainingRules:
    """One version of the rules.

    Attributes:
        two_people: Whether a promotion needs a second person.
        audit_share: Share of what is auto-accepted that people check unseen, 0 to 0.5.
        random_arm: Share of items labelled from scratch and never auto-accepted, 0 to 0.5.
        random_share: Share of what is chosen for labelling that is drawn at random, 0 to 1.
        wage_per_hour: What an hour of a person costs.
        currency: Of the wage.

    Raises:
        InputError: A value is out of bounds.
    """

    two_people: bool = False
    audit_share: float = 0.02
    random_arm: float = 0.02
    random_share: float = 0.1
    wage_per_hour: float = 0.0
    currency: str = ""

    def __post_init__(self) -> None:
        for what, share, most in (
            ("share checked in the audit", self.audit_share, 0.5),
            ("share labelled from scratch", self.random_arm, 0.5),
            ("share drawn at random", self.random_share, 1.0),
        ):
            if not 0 <= share <= most:
                raise InputError(f"The {what} lies between 0 and {most:g}, found {share:g}.")
        if not (isfinite(self.wage_per_hour) and 0 <= self.wage_per_hour < 1e9):
            raise InputError(f"A wage is a number from 0 up, found {self.wage_per_hour:g}.")
        if len(self.currency) > MOST_CURRENCY or not (self.currency or "x").isprintable():
            raise InputError(f"A currency has at most {MOST_CURRENCY} characters.")

    def to_json(self) -> str:
        """Return canonical JSON: same rules, same text."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @staticmethod
    def from_json(text: str) -> TrainingRules:
        """Return the rules that `to_json` wrote; what is unknown is left out."""
        known = {f.name for f in fields(TrainingRules)}
        return TrainingRules(**{k: v for k, v in json.loads(text).items() if k in known})


@dataclass(frozen=True, slots=True)
class RulesView:
    """The rules in force; version 0 are those a project starts with."""

    rules: TrainingRules
    version: int
    reason: str = ""


def rules_in_force(connection: Connection, project_id: int) -> TrainingRules:
    """Return a project's rules within the caller's transaction; the defaults where none are set."""
    row = _newest(connection, project_id)
    return TrainingRules() if row is None else TrainingRules.from_json(row.doc)


def get_training_rules(ws: Workspace, actor: Actor, slug: str) -> RulesView:
    """Return the rules in force with their version.

    Raises:
        Forbidden: The actor may not train here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.TRAIN, counted=False)
        row = _newest(connection, project.id)
    if row is None:
        return RulesView(TrainingRules(), 0)
    return RulesView(TrainingRules.from_json(row.doc), row.version, row.reason)


def set_training_rules(
    ws: Workspace, actor: Actor, slug: str, rules: TrainingRules, reason: str
) -> RulesView:
    """Put new rules in force.

    Raises:
        InputError: No reason was given.
        Forbidden: The actor does not steer this project.
    """
    said = reason.strip()
    if not said:
        raise InputError("A new version needs a reason.", "Say in a few words why.")
    with ws.store.write() as connection:
        project = project_for(connection, actor, slug, Action.STEER, counted=False)
        last = _newest(connection, project.id)
        before = TrainingRules() if last is None else TrainingRules.from_json(last.doc)
        version = 0 if last is None else int(last.version)
        if rules == before:
            return RulesView(rules, version, last.reason if last else "")
        now = ws.clock()
        insert_version(
            connection, training_rules, project.id, version + 1, rules.to_json(), said,
            actor.person_id, now,
        )  # fmt: skip
        append_audit(
            connection, now, actor.name, "training rules set", slug, project.id,
            {"version": version + 1, "reason": said},
        )  # fmt: skip
    return RulesView(rules, version + 1, said)


def _newest(connection: Connection, project_id: int) -> Row | None:
    return connection.execute(
        select(training_rules)
        .where(training_rules.c.project_id == project_id)
        .order_by(training_rules.c.version.desc())
        .limit(1)
    ).first()
