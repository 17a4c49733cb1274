"""What labels cost at the rates in force, and setting what an hour of a team costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from sqlalchemy import Connection, select

from core.access import Action, Actor
from core.analytics.asked import ALL, Filters
from core.analytics.costs import Cost, Costs, Wages, costs
from core.analytics.figures import FEWEST
from core.analytics.kept import once
from core.analytics.replica import Replica
from core.errors import InputError
from core.services.accounts.teams import checked_team, teams_in_force
from core.services.analytics.forecast import WAITS
from core.services.analytics.replicas import open_figures
from core.services.projects.project import project_for
from core.services.projects.training_rules import rules_in_force
from core.services.workspace import Workspace
from core.stats.intervals import Estimate
from core.store.audit import append_audit
from core.store.tables import team_rates

MOST_WAGE = 1e9


@dataclass(frozen=True, slots=True)
class CostsView:
    """Costs with the rates they are told at.

    Attributes:
        costs: In time and money.
        wage_per_hour: Of everybody whose team has no rate of its own; 0 where none is set.
        currency: Of all rates.
        rates: Team to what an hour of it costs, where it has a rate of its own.
        teams: Every team there is.
        left: Items that wait to be settled now, whatever the filters.
        rest: What these will take at what a final label took; n counts the labels it rests on.
    """

    costs: Costs
    wage_per_hour: float
    currency: str
    rates: Mapping[str, float]
    teams: tuple[str, ...]
    left: int
    rest: Cost

    @property
    def is_paid(self) -> bool:
        """Return whether anybody's time has a rate."""
        return self.wage_per_hour > 0 or any(self.rates.values())


def costs_of(ws: Workspace, actor: Actor, slug: str, filters: Filters | None = None) -> CostsView:
    """Return what labels cost; the rates in force hold for all work, also that done before.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: A name is nobody's.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    with ws.store.read() as connection:
        rules = rules_in_force(connection, project.id)
        rates = _rates(connection, project.id)
        teams = teams_in_force(connection)
    wages = Wages(rules.wage_per_hour, {i: rates[t] for i, t in teams.items() if t in rates})
    fewest = max(FEWEST, ws.settings.smallest_group)
    found = costs(replica, project.id, wages, filters or ALL, fewest)
    names = tuple(sorted(set(teams.values()) | set(rates), key=str.casefold))
    left = once(replica, project.id, ("waiting",), lambda: _waiting(replica, project.id))
    each = found.finals
    rest = Cost(_times(each.seconds, left), _times(each.money, left))
    return CostsView(found, rules.wage_per_hour, rules.currency, rates, names, left, rest)


def _waiting(replica: Replica, project_id: int) -> int:
    rows = replica.query("states", {"project": project_id})
    return int(sum(r["items"] for r in rows if r["state"] in WAITS))


def _times(each: Estimate, n: int) -> Estimate:
    value, low, high = (None if v is None else n * v for v in (each.value, each.low, each.high))
    return Estimate(value, low, high, each.n)


def set_team_rate(
    ws: Workspace, actor: Actor, slug: str, team: str, wage_per_hour: float | None
) -> None:
    """Set what an hour of a team costs in a project; None for the project's own wage again.

    Raises:
        InputError: No team is named, or that is no wage.
        Forbidden: The actor does not steer this project.
        NotFound: There is no such project for the actor.
    """
    name = checked_team(team)
    if not name:
        raise InputError("A rate needs a team.", "Name the team or vendor it is for.")
    if wage_per_hour is not None and not (
        isfinite(wage_per_hour) and 0 <= wage_per_hour < MOST_WAGE
    ):
        raise InputError(f"A wage is a number from 0 up, found {wage_per_hour:g}.")
    with ws.store.write() as connection:
        project = project_for(connection, actor, slug, Action.STEER, counted=False)
        if _rates(connection, project.id).get(name) == wage_per_hour:
            return
        row = {"project_id": project.id, "team": name, "wage_per_hour": wage_per_hour}
        now = ws.clock()
        connection.execute(
            team_rates.insert(), {**row, "by_id": actor.person_id or None, "at": now}
        )
        append_audit(connection, now, actor.name, "team rate set", slug, project.id,
                     {"team": name, "wage_per_hour": wage_per_hour})  # fmt: skip


def _rates(connection: Connection, project_id: int) -> dict[str, float]:
    rows = connection.execute(
        select(team_rates.c.team, team_rates.c.wage_per_hour)
        .where(team_rates.c.project_id == project_id)
        .order_by(team_rates.c.seq)
    )
    newest = dict(rows.tuples().all())  # later rows overwrite
    return {team: float(wage) for team, wage in newest.items() if wage is not None}
