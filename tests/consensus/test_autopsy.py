"""Autopsy: planted causes are found, the little known says little, and nobody's name matters."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from core.consensus.autopsy import CAUSES, Cause, autopsy
from core.consensus.autopsy_pairs import Cases, Record, Skills
from core.consensus.autopsy_words import lines
from core.consensus.shape_dispute import Difference, shape_votes
from core.consensus.truth.dawid_skene import dawid_skene
from core.consensus.truth.votes import make_votes
from core.labels import Answer
from core.labels.shapes import keypoints_region
from tests.consensus.crowd_with_causes import CLASSES, PEOPLE, Planted, plant
from tests.record import boxes

NAMES = [f"class {n}" for n in range(CLASSES)]


def found(planted: Planted) -> list[Cause]:
    """Return the cause told for each dispute."""
    return [CAUSES[c] for c in autopsy(planted.record, planted.cases).cause]


def accuracy(planted: Planted) -> float:
    """Return the share of disputes whose planted cause is told."""
    return float(np.mean([a == b for a, b in zip(found(planted), planted.cause, strict=True)]))


@pytest.mark.parametrize(
    ("known", "least"),
    [
        ({}, 0.95),
        ({"with_model": False}, 0.88),
        ({"with_seconds": False}, 0.83),
        ({"with_model": False, "with_seconds": False}, 0.8),
        ({"items": 400}, 0.94),
    ],
    ids=["everything", "no model", "no seconds", "votes and look-alikes", "a small project"],
)
def test_planted_causes_are_found(known: dict, least: float) -> None:
    """Of four causes, where a guess by the commonest would be right in 0.36, nearly all are told."""
    planted = [plant(seed, **known) for seed in range(4)]
    guess = max(Counter(c for p in planted for c in p.cause).values()) / sum(
        len(p.cause) for p in planted
    )
    assert guess < 0.4
    assert np.mean([accuracy(p) for p in planted]) >= least


def skilled(planted: Planted) -> Planted:
    """Return the same votes with what a fit of them all knows of the people."""
    r = planted.record
    votes, _ = make_votes(r.item, r.person, r.label, tasks=r.items, workers=PEOPLE, classes=CLASSES)
    fit = dawid_skene(votes)
    skills = Skills(np.maximum(fit.workers.confusion, 1e-3), np.maximum(fit.prior, 1e-3))
    return replace(planted, record=replace(r, skills=skills))


@pytest.mark.parametrize(
    ("known", "least"),
    [({}, 0.95), ({"with_model": False}, 0.88), ({"with_seconds": False}, 0.83)],
    ids=["everything", "no model", "no seconds"],
)
def test_planted_causes_are_found_by_a_fit_too(known: dict, least: float) -> None:
    """Everybody's table of mistakes in place of how often they are right tells as well."""
    assert np.mean([accuracy(skilled(plant(seed, **known))) for seed in range(3)]) >= least


def test_with_a_fit_the_lead_is_its_posterior() -> None:
    """Without a model's word, how far an answer leads is what the tables make of the votes."""
    record, cases = tiny((0, 0), (1, 1), (2, 1), classes=2)
    table = np.array([[[0.95, 0.05], [0.1, 0.9]]] + [[[0.6, 0.4], [0.45, 0.55]]] * 2)
    prior = np.array([0.3, 0.7])
    odds = prior * np.array([0.95 * 0.4 * 0.4, 0.1 * 0.55 * 0.55])
    share = np.sort(odds / odds.sum())[::-1]
    done = autopsy(replace(record, skills=Skills(table.astype(np.float32), prior)), cases)
    assert done.found.pair.tolist() == [[0, 1]]
    assert done.found.lead[0] == pytest.approx(share[0] - share[1], abs=1e-6)
    assert autopsy(record, cases).found.pair.tolist() == [[1, 0]]


def test_every_cause_is_found_on_its_own() -> None:
    """No cause is told well at another's expense: four in five of each."""
    planted = plant(11)
    told = found(planted)
    for cause in CAUSES[:4]:
        own = [a for a, b in zip(told, planted.cause, strict=True) if b is cause]
        assert sum(a is cause for a in own) >= 0.8 * len(own) > 20


def test_scores_sum_to_one_and_nothing_is_nan() -> None:
    """Whatever is unknown, the scores are probabilities."""
    planted = plant(3, 400, with_model=False, with_seconds=False)
    done = autopsy(planted.record, planted.cases)
    assert np.isfinite(done.scores).all()
    assert np.allclose(done.scores.sum(axis=1), 1.0)


def test_order_of_votes_and_names_of_people_do_not_matter() -> None:
    """The same votes shuffled, under other people's numbers, give the same scores."""
    planted = plant(5, 400)
    before = autopsy(planted.record, planted.cases).scores
    chance = np.random.default_rng(0)
    order = chance.permutation(len(planted.record.item))
    r = planted.record
    other = replace(
        r, item=r.item[order], person=chance.permutation(PEOPLE)[r.person[order]],
        label=r.label[order], seconds=r.seconds[order],
    )  # fmt: skip
    assert np.allclose(autopsy(other, planted.cases).scores, before)


def tiny(*said: tuple[int, int], classes: int = 3, unclear: int = 0) -> tuple[Record, Cases]:
    """Return a project whose only votes are these (person, class) on its only item."""
    people, labels = np.array([s[0] for s in said], int), np.array([s[1] for s in said], int)
    n = len(said)
    record = Record(
        np.zeros(n, int), people, labels, np.full(n, np.nan), 1, classes, np.array([-1])
    )
    none = np.zeros((1, 0))
    return record, Cases(
        np.array([0]), none.astype(int), none, none.astype(int), np.array([unclear])
    )


def test_two_votes_and_nothing_else_are_too_little() -> None:
    """One against one on the only item says nothing of why."""
    done = autopsy(*tiny((0, 0), (1, 1)))
    assert CAUSES[done.cause[0]] is Cause.UNKNOWN
    assert lines(done, 0, NAMES)[0].n == 2


@pytest.mark.parametrize("said", [(), ((0, 1),), ((0, 1), (1, 1))], ids=["none", "one", "agreed"])
def test_a_flag_without_a_difference_is_left_to_the_lead(said: tuple) -> None:
    """Where no votes differ, no cause is told and nothing breaks."""
    done = autopsy(*tiny(*said))
    assert CAUSES[done.cause[0]] is Cause.UNKNOWN
    assert "do not differ" in lines(done, 0, NAMES)[0].text


def test_a_flag_on_the_guideline_is_a_gap() -> None:
    """Somebody says the guideline does not tell: that is the evidence."""
    done = autopsy(*tiny((0, 0), (1, 1), unclear=1))
    assert CAUSES[done.cause[0]] is Cause.GAP
    assert "unclear in 1 flag" in " ".join(x.text for x in lines(done, 0, NAMES))


def test_sentences_carry_their_n_and_fit_the_cause() -> None:
    """Each line says what was seen on how many; a gap speaks of sides kept."""
    planted = plant(1)
    done = autopsy(planted.record, planted.cases)
    for case in range(len(planted.cause)):
        assert all(x.n >= 1 for x in lines(done, case, NAMES) if "unclear" not in x.text)
    gap = next(i for i, c in enumerate(done.cause) if CAUSES[c] is Cause.GAP)
    told = [x.text for x in lines(done, gap, NAMES)]
    assert any("keeps to one side" in t for t in told)
    assert any("'class 0'" in t and "'class 1'" in t for t in told)


def test_what_only_speaks_against_another_cause_is_no_evidence() -> None:
    """That nobody hurried, or that the model has a favourite, makes no image unclear and no gap."""
    planted = plant(2)
    done = autopsy(planted.record, planted.cases)
    told = {c: " ".join(x.text for x in lines(done, c, NAMES)) for c in range(len(planted.cause))}
    slip = CAUSES.index(Cause.SLIP)
    assert not any("did not hurry" in t for t in told.values())
    assert not any("favourite has 9" in t for c, t in told.items() if done.cause[c] != slip)
    quiet = {name: np.zeros_like(value) for name, value in done.weighed.items()}
    case = next(i for i, c in enumerate(done.cause) if CAUSES[c] is Cause.AMBIGUOUS)
    quiet["quick"][case] = -1.0
    (only,) = lines(replace(done, weighed=quiet), case, NAMES)
    assert "Nothing seen here speaks for it by itself" in only.text
    assert only.n == 3


# --- shapes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("drawn", "difference", "said"),
    [
        (
            [[(0, 0, 10, 10)], [(0, 0, 10, 10), (40, 40, 50, 50)]],
            Difference.PRESENCE,
            ("cat left out", "cat drawn"),
        ),
        (
            [[(0, 0, 10, 10)], [(0, 0, 10, 16)]],
            Difference.BORDER,
            ("cat drawn tight", "cat drawn wide"),
        ),
        ([[(0, 0, 10, 10)], [(0, 0, 10, 10)]], None, ("the same", "the same")),
        ([[], []], None, ("the same", "the same")),
    ],
    ids=["a box more", "a wider box", "the same", "nothing drawn"],
)
def test_differences_of_shapes_become_answers(drawn, difference, said) -> None:
    """A thing more or a border further out is told from the class, and who said which."""
    told = shape_votes([boxes(*edges) for edges in drawn], 0.8)
    assert (told.difference, told.said) == (difference, said)


def test_a_class_of_one_thing_is_a_difference_of_classes() -> None:
    """Two boxes in one place under two names, whatever their borders."""
    told = shape_votes([boxes((0, 0, 10, 10)), boxes((0, 1, 10, 11), label="dog")], 0.5)
    assert told.difference is Difference.CLASS
    assert told.said == ("cat", "dog")


@pytest.mark.parametrize(
    ("tips", "said"),
    [
        (((40, 40, 2), (40, 90, 2)), ("leaf placed higher", "leaf placed lower")),
        (((40, 40, 2), (80, 41, 2)), ("leaf placed further left", "leaf placed further right")),
        (((40, 40, 2), (0, 0, 0)), ("leaf with 4 points", "leaf with 3 points")),
    ],
    ids=["up and down", "side by side", "one point less"],
)
def test_points_are_set_apart_not_wide_or_tight(tips, said) -> None:
    """Points have no extent: they differ in where they are, or in which there are."""
    rest = ((10.0, 10.0, 2), (10.0, 60.0, 2), (60.0, 10.0, 2))
    drawn = [Answer(regions=(keypoints_region("leaf", [*rest, tip]),)) for tip in tips]
    told = shape_votes(drawn, 0.99)
    assert (told.difference, told.said) == (Difference.BORDER, said)
