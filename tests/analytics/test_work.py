"""Pace, waiting, costs and fatigue: equal to plain Python on random projects."""

from __future__ import annotations

import statistics
from collections import defaultdict

import pytest

from core.analytics.asked import Filters
from core.analytics.costs import Wages, costs
from core.analytics.fatigue import fatigue
from core.analytics.paces import By, paces
from core.analytics.replica import Replica
from core.analytics.stages import Stage, bottleneck, waiting
from core.stats.forecast import days_left
from core.stats.rates import clustered_cost, clustered_rate, poisson_interval
from tests.analytics import oracle
from tests.analytics.recorded import START, Recorder, random_project

SEEDS = (3, 11)
DAY = 86_400


@pytest.fixture(scope="module", params=SEEDS)
def project(request, new_record):
    """Give a random project: its replica, its rows and its number, with two teams in it."""
    store = new_record("sqlite")
    recorder = Recorder(store)
    number = random_project(recorder, request.param)
    for row in recorder.rows.people[::2]:
        recorder.add("team_moves", [{"person_id": row["id"], "team": "N", "at": START}])
    replica = Replica(store)
    replica.catch_up()
    yield replica, recorder.rows, number
    replica.close()
    store.close()


def timed(rows, project, kinds=("vote", "skip", "flag")):
    """Return the timed answers in the order of the record."""
    return [
        r
        for r in rows.annotations
        if r["project_id"] == project and r["active_seconds"] and r["kind"] in kinds
    ]


@pytest.mark.parametrize("by", list(By))
def test_paces(project, by) -> None:
    """Items and answers per hour at work are what plain Python counts, group by group."""
    replica, rows, number = project
    names = {r["id"]: r["name"] for r in rows.people}
    teams = {r["person_id"]: r["team"] for r in rows.team_moves}
    said = defaultdict(list)
    for (item, _), row in oracle.live(rows, number).items():
        if row["kind"] == "vote":
            said[item].append(row["label"])
    sure = {}
    for row in rows.predictions:
        sure[row["item_id"]] = row["confidence"]
    key_of = {
        By.PERSON: lambda r: names[r["person_id"]],
        By.TEAM: lambda r: teams.get(r["person_id"], ""),
        By.CLASS: lambda r: r["label"],
        By.AGREEMENT: lambda r: _agreement(said.get(r["item_id"])),
        By.CONFIDENCE: lambda r: "low" if r["item_id"] in sure else None,
        By.PRELABEL: lambda r: "shown" if r["prelabel_shown"] else "hidden",
    }[by]
    seconds, answers, items, seen = defaultdict(float), defaultdict(int), defaultdict(int), set()
    for row in timed(rows, number):
        key = key_of(row)
        seconds[key] += row["active_seconds"]
        answers[key] += 1
        items[key] += (row["item_id"], row["person_id"]) not in seen
        seen.add((row["item_id"], row["person_id"]))
    found = {p.key: p for p in paces(replica, number, by, fewest=1)}
    assert set(found) == set(answers) - {None}
    for key, pace in found.items():
        assert pace.answers.n == answers[key]
        assert pace.hours == pytest.approx(seconds[key] / 3600)
        assert pace.answers.value == pytest.approx(answers[key] * 3600 / seconds[key])
        if items[key]:
            assert pace.items.value == pytest.approx(items[key] * 3600 / seconds[key])
        assert pace.answers.low <= pace.answers.value <= pace.answers.high


def _agreement(labels):
    if not labels:
        return None
    return "alone" if len(labels) < 2 else "split" if len(set(labels)) > 1 else "same"


def test_active_against_elapsed(project) -> None:
    """The share at work is of answers whose beginning is known, over whole days of persons."""
    replica, rows, number = project
    names = {r["id"]: r["name"] for r in rows.people}
    parts, days = defaultdict(lambda: [0.0, 0.0]), defaultdict(set)
    for row in timed(rows, number):
        if row["started_at"] is not None and row["at"] > row["started_at"]:
            part = parts[names[row["person_id"]]]
            part[0] += row["active_seconds"]
            part[1] += max(row["at"] - row["started_at"], row["active_seconds"])
            days[names[row["person_id"]]].add(row["at"] // DAY)
    for pace in paces(replica, number, By.PERSON, fewest=1):
        if pace.key in parts:
            assert pace.active.value == pytest.approx(parts[pace.key][0] / parts[pace.key][1])
            assert 0 <= pace.active.value <= 1
            assert pace.active.n == len(days[pace.key])


def test_waiting(project) -> None:
    """How many wait where, and the median of how long, are what plain Python says."""
    replica, rows, number = project
    now = START + 40 * DAY
    finals = oracle.last_of(rows.final_labels, number)
    votes = defaultdict(list)
    for (item, _), row in oracle.live(rows, number).items():
        if row["kind"] == "vote":
            votes[item].append(row["at"])
    waits = defaultdict(list)
    for item in (r for r in rows.items if r["project_id"] == number):
        last = finals.get(item["id"], {"state": "open", "at": item["at"]})
        if last["state"] not in ("open", "dispute"):
            continue
        waits[Stage.ALL].append(now - item["at"])
        if last["state"] == "dispute":
            waits[Stage.LEAD].append(now - last["at"])
        else:
            stage = Stage.FURTHER if votes[item["id"]] else Stage.FIRST
            waits[stage].append(now - max([item["at"], last["at"], *votes[item["id"]]]))
    for found in waiting(replica, number, now, fewest=1):
        assert found.n == len(waits[found.stage])
        if found.n:
            assert found.seconds.value == pytest.approx(statistics.median(waits[found.stage]))
            assert found.longest_seconds == pytest.approx(max(waits[found.stage]))
            assert found.seconds.low <= found.seconds.value <= found.seconds.high


def test_costs(project) -> None:
    """Time and money per vote, final label, corrected error and class are plain sums."""
    replica, rows, number = project
    payees = {rows.people[0]["id"]: 36.0}
    work = timed(rows, number, ("vote", "skip", "flag", "withdraw"))
    seconds, money, first = defaultdict(float), defaultdict(float), {}
    for row in work:
        seconds[row["item_id"]] += row["active_seconds"]
        money[row["item_id"]] += row["active_seconds"] / 3600 * payees.get(row["person_id"], 18.0)
        first.setdefault(row["item_id"], row["active_seconds"])
    ended = {
        i: r["label"]
        for i, r in oracle.last_of(rows.final_labels, number).items()
        if r["state"] in ("agreed", "adjudicated") and i in seconds
    }
    votes = sum(
        1
        for (item, _), r in oracle.live(rows, number).items()
        if r["kind"] == "vote" and item in seconds
    )
    found = costs(replica, number, Wages(18.0, payees), fewest=1)
    assert found.seconds == pytest.approx(sum(seconds.values()))
    assert found.money == pytest.approx(sum(money.values()))
    assert found.votes.seconds.n == votes
    assert found.votes.money.value == pytest.approx(sum(money.values()) / votes)
    assert found.finals.seconds.n == len(ended)
    assert found.finals.seconds.value == pytest.approx(sum(seconds[i] for i in ended) / len(ended))
    by_class = {c.name: c for c in found.classes}
    assert set(by_class) == set(ended.values())
    for name, cost in by_class.items():
        ids = [i for i, label in ended.items() if label == name]
        assert cost.labels == pytest.approx(len(ids))
        assert cost.labelling_seconds == pytest.approx(sum(first[i] for i in ids))
        assert cost.review_seconds == pytest.approx(sum(seconds[i] - first[i] for i in ids))
        assert cost.money == pytest.approx(sum(money[i] for i in ids))


def test_corrected_errors_cost_all_the_checking(sqlite_recorder) -> None:
    """Ten items with a pre-label, four wrong: finding one costs the time of two and a half."""
    recorder = sqlite_recorder
    number = recorder.project()
    [person] = recorder.people("ann")
    items = recorder.items(number, 11)
    known = recorder.predictions(number, [{"item_id": i, "label": "cat"} for i in items[:10]])
    said = ["dog"] * 4 + ["cat"] * 6
    votes = recorder.votes([
        {"project_id": number, "item_id": i, "person_id": person, "label": label,
         "prediction_seq": p, "active_seconds": 6.0}
        for i, label, p in zip(items, [*said, "owl"], [*known, None], strict=True)
    ])  # fmt: skip
    recorder.finals(number, [
        {"item_id": i, "state": "agreed", "label": label, "evidence": {"votes": [v]}}
        for i, label, v in zip(items, [*said, "owl"], votes, strict=True)
    ])  # fmt: skip
    replica = Replica(recorder.store)
    try:
        replica.catch_up()
        found = costs(replica, number, Wages(60.0), fewest=1)
    finally:
        replica.close()
    assert found.checked == 10
    assert found.corrected.seconds.n == 4
    assert found.corrected.seconds.value == pytest.approx(15.0)
    assert found.corrected.money.value == pytest.approx(0.25)


def test_fatigue(project) -> None:
    """Answers, pace and accuracy by hour of a sitting and of the day are plain counts."""
    replica, rows, number = project
    truth = {i: r["label"] for i, r in oracle.truths(rows, number, "gold").items()}
    alive = {r["seq"] for r in oracle.live(rows, number).values() if r["kind"] == "vote"}
    by_person = defaultdict(list)
    for row in timed(rows, number):
        by_person[row["person_id"]].append(row)
    count, seconds, judged, right = (defaultdict(float) for _ in range(4))
    for mine in by_person.values():
        sittings = []
        for row in sorted(mine, key=lambda r: (r["at"], r["seq"])):
            if not sittings or row["at"] - sittings[-1][-1]["at"] > 1800:
                sittings.append([])
            sittings[-1].append(row)
        for sitting in sittings:
            begin = min(r["at"] - r["active_seconds"] for r in sitting)
            for row in sitting:
                for key in (
                    ("sitting", min(7, int((row["at"] - begin) // 3600))),
                    ("day", int(row["at"] % DAY // 3600)),
                ):
                    count[key] += 1
                    seconds[key] += row["active_seconds"]
                    if row["seq"] in alive and row["item_id"] in truth:
                        judged[key] += 1
                        right[key] += row["label"] == truth[row["item_id"]]
    found = fatigue(replica, number, "gold", fewest=1)
    for what, hours in (("sitting", found.sitting), ("day", found.day)):
        assert [h.hour for h in hours] == sorted(h for w, h in count if w == what)
        for h in hours:
            key = (what, h.hour)
            assert h.pace.n == count[key]
            assert h.pace.value == pytest.approx(count[key] * 3600 / seconds[key])
            assert h.accuracy.n == judged[key]
            if judged[key]:
                assert h.accuracy.value == pytest.approx(right[key] / judged[key])


def test_filters_hold(project) -> None:
    """A team's hours and everybody else's add up to all hours; before the beginning there are none."""
    replica, _rows, number = project
    hours = {
        teams: sum(p.hours for p in paces(replica, number, By.PERSON, filters=Filters(teams=teams)))
        for teams in ((), ("N",), ("",))
    }
    assert hours["N",] + hours["",] == pytest.approx(hours[()])
    assert paces(replica, number, By.PERSON, filters=Filters(until=START)) == ()


def test_rates_have_exact_ends() -> None:
    """Garwood's ends of a count of 10 are 4.80 and 18.39; alike clusters get no narrower."""
    assert poisson_interval(10) == pytest.approx((4.795, 18.390), abs=1e-3)
    assert poisson_interval(0) == pytest.approx((0.0, 3.689), abs=1e-3)
    rate = clustered_rate([5, 5], [0.5, 0.5])
    assert (rate.value, rate.n) == (10.0, 10)
    assert (rate.low, rate.high) == pytest.approx((4.795, 18.390), abs=1e-3)
    cost = clustered_cost([0.5, 0.5], [5, 5])
    assert (cost.low, cost.high) == pytest.approx((1 / 18.390, 1 / 4.795), rel=1e-3)
    assert clustered_rate([1], [0.0]).value is None
    assert clustered_rate([], []).value is None


def test_the_forecast_says_when_and_when_not() -> None:
    """Steady days end on the day; few days say nothing; nothing done never ends."""
    steady = days_left(100, [10.0] * 14)
    assert (steady.days, steady.low, steady.high) == (10, 10, 10)
    uneven = days_left(100, [0.0, 20.0] * 7)
    assert uneven.low < 8 <= uneven.days <= 12 < uneven.high
    assert days_left(100, [10.0] * 6).days is None
    assert days_left(100, [0.0] * 14).days is None
    assert days_left(0, []).days == 0


def test_a_bottleneck_needs_separate_intervals(project) -> None:
    """Where one stage surely waits longest it is named; else none is."""
    replica, _rows, number = project
    stages = waiting(replica, number, START + 40 * DAY, fewest=1)
    named = bottleneck(stages)
    if named is not None:
        one = next(w for w in stages if w.stage is named)
        others = [w for w in stages if w.n and w.stage not in (named, Stage.ALL)]
        assert all(one.seconds.low > w.seconds.high for w in others)
