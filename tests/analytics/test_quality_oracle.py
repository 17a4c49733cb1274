"""The quality page's own questions, against the same figures in plain Python from the same rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import combinations
from types import SimpleNamespace

import pytest

from core.analytics.asked import ALL, Filters
from core.analytics.boxes import box_accuracy, box_cases, box_confusion
from core.analytics.figures import f1_figure
from core.analytics.per_class import class_scores
from core.analytics.replica import Replica
from core.consensus.agreement import krippendorff_alpha
from core.consensus.counts import count_labels
from core.labels.answer import Answer
from core.labels.geometry import match_regions
from core.labels.schema import LabelSchema, Task, make_question
from core.services.analytics.calibration import calibration_of
from core.services.analytics.guideline_effect import AGREEMENT, effect_of
from core.services.analytics.noise import noise_of
from core.services.analytics.over_time import weeks_of
from core.services.analytics.rates import rates_of
from core.services.analytics.shapes import shapes_of
from core.services.analytics.three_ways import three_ways_of
from core.stats.label_noise import error_of
from tests.analytics import oracle
from tests.analytics.recorded import CLASSES, START, Recorder, random_project

REFERENCES = ("final", "gold", "adjudicated")
WORLDS = [("classification", 11), ("classification", 12), ("boxes", 13)]


def project_view(project, task):
    """Return what the services need to know of a project of the recorder."""
    schema = (
        LabelSchema(Task.CLASSIFICATION, (make_question("q", "Q", list(CLASSES)),))
        if task == "classification"
        else LabelSchema(Task.BOXES, (make_question("q", "Q", list(CLASSES)),))
    )
    policy = SimpleNamespace(iou_at_least=0.5)
    return SimpleNamespace(id=project, task=Task(task), schema=schema, policy=policy)


@pytest.fixture(scope="module", params=WORLDS, ids=lambda w: f"{w[0]}-{w[1]}")
def world(request, new_record):
    """Give (rows, project view, replica, workspace) of a random project beside another one."""
    task, seed = request.param
    store = new_record("sqlite")
    recorder, replica = Recorder(store), Replica(store)
    random_project(recorder, seed + 1000, task)
    project = random_project(recorder, seed, task)
    shown = [p for p in recorder.rows.predictions if p["project_id"] == project]
    votes = []
    person = recorder.people(f"newcomer {seed}")[0]
    for k, p in enumerate(shown[:12]):  # pre-labels shown: kept, changed, passed
        kind = "skip" if k % 4 == 3 else "vote"
        said = {"label": p["label"], "answer": p["answer"]} if k % 2 == 0 else {}
        if kind == "vote" and not said:
            other = shown[(k + 3) % len(shown)]
            said = {"label": other["label"], "answer": other["answer"]}
        votes.append({
            "project_id": project, "item_id": p["item_id"], "person_id": person, "kind": kind,
            "prelabel_shown": True, "prediction_seq": p["seq"], "at": START + 9e5 * (k % 3),
            "guideline_version": 1 + k % 2, **said,
        })  # fmt: skip
    recorder.votes(list({v["item_id"]: v for v in votes}.values()))
    recorder.add("guidelines", [
        {"project_id": project, "version": v, "doc": "d", "reason": "", "at": START + 86400 * v,
         "examples": "[]"} for v in (1, 2)
    ])  # fmt: skip
    replica.catch_up()
    yield recorder.rows, project_view(project, task), replica, SimpleNamespace(store=store)
    replica.close()
    store.close()


def live_votes(rows, project):
    """Return the live votes of an item, by person."""
    found = defaultdict(dict)
    for (item, person), row in oracle.live(rows, project).items():
        if row["kind"] == "vote":
            found[item][person] = row
    return found


def test_precision_recall_and_f1_equal_the_oracle(world):
    """By class, for the model and people, against each reference; regions by their pairs."""
    rows, project, replica, _ = world
    for whose in ("model", "people"):
        for against in REFERENCES:
            if project.task.draws:
                counted, _, _ = oracle.detection(rows, project.id, whose, against)
                ours = box_accuracy(replica, project.id, whose, against)
                for c in ours.classes:
                    true, found, drawn, right = counted[c.name]
                    estimate = f1_figure(c, 1).estimate
                    assert estimate.value == pytest.approx((found + right) / (true + drawn))
                    assert estimate.low <= estimate.value <= estimate.high
                continue
            used, left_out, _ = oracle.pairs(rows, project.id, whose, against)
            cells = Counter((t["label"], s["label"]) for s, t in used)
            for filters in (ALL, Filters(since=0.0)):  # from the roll-up, and from the rows
                ours = class_scores(replica, project.id, whose, against, filters, fewest=1)
                assert ours.left_out == left_out
                assert {c.name for c in ours.classes} == {x for cell in cells for x in cell}
                for c in ours.classes:
                    hit = cells[c.name, c.name]
                    true = sum(n for (t, _), n in cells.items() if t == c.name)
                    said = sum(n for (_, s), n in cells.items() if s == c.name)
                    assert (c.recall.n, c.recall.correct) == (true, hit)
                    assert (c.precision.n, c.precision.correct) == (said, hit)
                    assert c.f1.value == pytest.approx(2 * hit / (true + said))
                    assert c.f1.n == true + said - hit
                    assert c.f1.low <= c.f1.value <= c.f1.high


def test_calibration_looks_at_every_independent_prediction(world):
    """n and the shares right of all bins are the oracle's; regions have no figures."""
    rows, project, replica, _ = world
    for against in REFERENCES:
        found = calibration_of(replica, project, against)
        if project.task.draws:
            assert found.is_for_regions
            assert not found.reliability.bins
            continue
        used, left_out, _ = oracle.pairs(rows, project.id, "model", against)
        assert found.left_out == left_out
        assert sum(b.n for b in found.reliability.bins) == len(used)
        right = sum(round(b.n * b.accuracy.value) for b in found.reliability.bins)
        assert right == sum(s["label"] == t["label"] for s, t in used)


def test_agreement_of_each_week_equals_the_oracle(world):
    """Items go by the week of their newest vote; alpha and percent are those of that week's items."""
    rows, project, replica, _ = world
    if project.task.draws:
        assert weeks_of(replica, project) == ()
        return
    weeks = defaultdict(list)
    for said in live_votes(rows, project.id).values():
        if len(said) > 1:
            day = datetime.fromtimestamp(max(r["at"] for r in said.values()), UTC).date()
            weeks[day - timedelta(days=day.weekday())].append([r["label"] for r in said.values()])
    ours = {w.begins: w for w in weeks_of(replica, project, fewest=1)}
    assert set(ours) == set(weeks)
    names = sorted({x for labels in weeks.values() for said in labels for x in said})
    for begins, labels in weeks.items():
        item = [i for i, said in enumerate(labels) for _ in said]
        code = [names.index(x) for said in labels for x in said]
        expected = krippendorff_alpha(count_labels(item, code, len(names)), replicates=0)
        assert ours[begins].alpha.n == len(labels)
        assert ours[begins].alpha.value == pytest.approx(expected.value)


def test_model_people_and_majority_are_compared_on_the_same_items(world):
    """Shares right, items and the paired differences equal the oracle's."""
    rows, project, replica, _ = world
    for against in ("gold", "adjudicated"):
        found = three_ways_of(replica, project, against, fewest=1)
        if project.task.draws:
            assert found.items == 0
            continue
        said = defaultdict(list)
        truth = oracle.truths(rows, project.id, against)
        for item, votes in live_votes(rows, project.id).items():
            if item in truth:
                said[item] = [
                    v["label"] for v in votes.values()
                    if not oracle.owns(rows, truth[item], v, "people")
                ]  # fmt: skip
        model = oracle.last_of(rows.predictions, project.id)
        marks = []
        for item, labels in said.items():
            top = Counter(labels).most_common(2)
            tie = len(top) == 2 and top[0][1] == top[1][1]
            if len(labels) > 1 and item in model and not tie:
                true = truth[item]["label"]
                marks.append((model[item]["label"] == true,
                              sum(x == true for x in labels) / len(labels), top[0][0] == true))  # fmt: skip
        assert found.items == len(marks)
        if marks:
            n = len(marks)
            assert found.model.value == pytest.approx(sum(m for m, _, _ in marks) / n)
            assert found.people.value == pytest.approx(sum(p for _, p, _ in marks) / n)
            assert found.consensus.value == pytest.approx(sum(c for _, _, c in marks) / n)
            gap = sum(c - p for _, p, c in marks) / n
            assert found.consensus_over_people.value == pytest.approx(gap)
            assert found.consensus_over_people.low <= gap <= found.consensus_over_people.high


def same(a, b, draws):
    """Return whether an answer says what a pre-label says."""
    if not draws:
        return a["label"] == b["label"]
    sides = [
        sorted((r.label, *(round(x, 3) for x in r.box)) for r in Answer.from_json(x["answer"]).regions)
        for x in (a, b)
    ]  # fmt: skip
    return sides[0] == sides[1]


def test_acceptance_rejection_and_rework_equal_the_oracle(world):
    """In all, by class and by person."""
    rows, project, replica, ws = world
    ours = rates_of(ws, replica, project, fewest=1)
    guess = {p["seq"]: p for p in rows.predictions}
    firsts = [
        a for a in rows.annotations
        if a["project_id"] == project.id and a["revision"] == 1 and a["batch_id"] is None
    ]  # fmt: skip
    shown = [a for a in firsts if a["prelabel_shown"] and a["prediction_seq"]
             and a["kind"] in ("vote", "skip", "flag")]  # fmt: skip
    kept = [a for a in shown
            if a["kind"] == "vote" and same(a, guess[a["prediction_seq"]], project.task.draws)]  # fmt: skip
    passed = [a for a in shown if a["kind"] != "vote"]
    assert ours.accepted.overall.n == len(shown) > 0
    assert ours.accepted.overall.correct == len(kept) > 0
    assert ours.passed.overall.correct == len(passed)
    assert ours.rejected.overall.correct == len(shown) - len(kept) - len(passed)
    for f in ours.accepted.classes:
        mine = [a for a in shown if guess[a["prediction_seq"]]["label"] == f.name]
        assert (f.n, f.correct) == (len(mine), sum(a in kept for a in mine))
    votes = [a for a in firsts if a["kind"] == "vote" and a["label"] is not None]
    now, decided = oracle.live(rows, project.id), oracle.truths(rows, project.id, "adjudicated")
    later = [a for a in votes if now[a["item_id"], a["person_id"]]["label"] != a["label"]]
    over = [a for a in votes
            if a["item_id"] in decided and decided[a["item_id"]]["label"] != a["label"]]  # fmt: skip
    either = [a for a in votes if a in later or a in over]
    assert ours.rework.overall.n == len(votes)
    assert ours.revised.overall.correct == len(later)
    assert ours.overturned.overall.correct == len(over)
    assert ours.rework.overall.correct == len(either)
    assert sum(f.n for f in ours.rework.people) == len(votes)
    for f in ours.rework.classes:
        mine = [a for a in votes if a["label"] == f.name]
        assert (f.n, f.correct) == (len(mine), sum(a in either for a in mine))


def test_a_guidelines_days_and_versions_equal_the_oracle(world):
    """Items voted alike and votes right, by day, and by version before and after."""
    rows, project, replica, ws = world
    found = effect_of(ws, replica, project, AGREEMENT, fewest=1)
    assert (found.version, found.versions) == (2, (1, 2))
    if project.task.draws:
        assert found.points == ()
        return
    days, versions = defaultdict(list), defaultdict(list)
    for votes in live_votes(rows, project.id).values():
        pairs = defaultdict(list)
        for a, b in combinations([votes[p] for p in sorted(votes)], 2):
            late = b if b["at"] >= a["at"] else a
            day = datetime.fromtimestamp(late["at"], UTC).date()
            pairs[day, late["guideline_version"]].append(a["label"] == b["label"])
        for (day, version), alike in pairs.items():
            days[day].append(sum(alike) / len(alike))
            versions[version].append(sum(alike) / len(alike))
    assert {p.day: (pytest.approx(p.share), p.n) for p in found.points} == {
        d: (sum(x) / len(x), len(x)) for d, x in days.items()
    }
    assert found.before.n == len(versions[1])
    assert found.after.n == len(versions[2])
    if versions[2]:
        assert found.after.value == pytest.approx(sum(versions[2]) / len(versions[2]))
    right = effect_of(ws, replica, project, "gold", fewest=1)
    used, _, _ = oracle.pairs(rows, project.id, "people", "gold")
    assert sum(p.n for p in right.points) == len(used)
    assert sum(round(p.share * p.n) for p in right.points) == sum(
        s["label"] == t["label"] for s, t in used
    )


def test_label_noise_counts_what_the_oracle_counts(world, monkeypatch):
    """Labels on gold, and how often two blind votes differ, which gives the error of one vote."""
    rows, project, replica, ws = world
    monkeypatch.setattr("core.services.analytics.noise.FEWEST", 1)
    monkeypatch.setattr("core.stats.label_noise.noise_from_votes.__defaults__", (1, 0))
    found = noise_of(ws, replica, project, Filters(uses=("train", "certify", "evaluate")))
    if project.task.draws:
        assert found.best is None
        return
    final, gold = (oracle.truths(rows, project.id, a) for a in ("final", "gold"))
    both = [(final[i]["label"], gold[i]["label"]) for i in gold if i in final]
    assert found.gold.n == len(both)
    assert found.gold.value == pytest.approx(sum(a != b for a, b in both) / len(both))
    shares = []
    for votes in live_votes(rows, project.id).values():
        labels = [v["label"] for v in votes.values() if not v["prelabel_shown"]]
        pairs = list(combinations(labels, 2))
        if pairs:
            shares.append(sum(a != b for a, b in pairs) / len(pairs))
    assert found.single_vote.n == len(shares)
    expected = float(error_of([sum(shares) / len(shares)], len(CLASSES))[0])
    assert found.single_vote.value == pytest.approx(expected)


def test_presence_count_and_area_per_image_equal_the_oracle(world):
    """By class over all images both sides answered, for the model and people."""
    rows, project, replica, _ = world
    for whose in ("model", "people"):
        found = shapes_of(replica, project, whose, "final", fewest=1)
        if not project.task.draws:
            assert found.classes == ()
            continue
        used, left_out, _ = oracle.pairs(rows, project.id, whose, "final")
        assert found.left_out == left_out
        for c in found.classes:
            assert c.images == len(used)
            true, said = ([_regions(x["answer"], c.name) for x in side]
                          for side in zip(*[(t, s) for s, t in used], strict=True))  # fmt: skip
            n = len(used)
            assert c.present.value == pytest.approx(sum(bool(t) for t in true) / n)
            assert c.count.value == pytest.approx(sum(map(len, true)) / n)
            off = sum(len(s) - len(t) for t, s in zip(true, said, strict=True)) / n
            assert c.count_off.value == pytest.approx(off)
            alike = sum(bool(t) == bool(s) for t, s in zip(true, said, strict=True)) / n
            assert c.present_right.value == pytest.approx(alike)
            area = sum(sum(t) for t in true)
            assert c.area.value == pytest.approx(area / n)
            if area:
                assert c.area_ratio.value == pytest.approx(sum(sum(s) for s in said) / area)


def _regions(answer, name):
    """Return the areas of an answer's regions of one class."""
    regions = [r for r in Answer.from_json(answer).regions if r.label == name]
    return [(r.x2 - r.x1) * (r.y2 - r.y1) for r in regions]


def test_behind_each_square_of_regions_are_its_items(world):
    """For every cell of the confusion against each reference, extra and missed regions too."""
    rows, project, replica, _ = world
    if not project.task.draws:
        pytest.skip("nothing is drawn here")
    for against in REFERENCES:
        used, _, _ = oracle.pairs(rows, project.id, "people", against)
        behind = defaultdict(set)
        for said, truth in used:
            t, s = (Answer.from_json(x["answer"]).regions for x in (truth, said))
            matched = match_regions(t, s, 0.5, same_class=False)
            cells = {(t[i].label, s[j].label) for i, j, _ in matched}
            cells |= {(r.label, None) for i, r in enumerate(t) if i not in {m[0] for m in matched}}
            cells |= {(None, r.label) for j, r in enumerate(s) if j not in {m[1] for m in matched}}
            for cell in cells:
                behind[cell].add((said["item_id"], said["person_id"]))
        shown = box_confusion(replica, project.id, "people", against).cells
        assert {(c.truth, c.said) for c in shown} == set(behind)
        for (truth, said), expected in behind.items():
            found = box_cases(replica, project.id, "people", against, truth, said)
            assert set(found) == expected
