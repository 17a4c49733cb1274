"""What to label next: each way's order, the random part, and the worth of a minute."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from core.errors import InputError, TrainingError
from core.learning.clusters import representatives
from core.learning.minute import Open, belief_labelled, belief_unlabelled, next_minute
from core.learning.select import Pool, Strategy, choose, disagreement_of, lowest
from core.learning.spread import farthest_first


def a_pool(n: int = 400, seed: int = 0) -> Pool:
    rng = np.random.default_rng(seed)
    said = rng.dirichlet([0.6] * 4, n)
    other = rng.dirichlet([0.6] * 4, n)
    top = np.sort(said, 1)
    return Pool(
        item_ids=np.arange(n) * 3 + 5,
        confidence=top[:, -1],
        margin=top[:, -1] - top[:, -2],
        entropy=-(said * np.log(said)).sum(1),
        vectors=rng.normal(size=(n, 8)).astype(np.float16),
        groups=np.array(["rose", "tulip", "daisy", "aster"])[said.argmax(1)],
        disagreement=disagreement_of(said, other),
        seconds=rng.uniform(1, 9, n),
        n_labelled=500,
    )


@pytest.mark.parametrize("strategy", get_args(Strategy))
def test_every_way_gives_as_many_as_asked_for_once_each(strategy):
    """No item twice, as many as asked, a tenth of them at random, the same for the same seed."""
    quota = {"rose": 5, "tulip": 90}
    chosen = choose(strategy, a_pool(), 60, 7, quota)
    assert len(set(chosen.item_ids.tolist())) == 60
    assert set(chosen.item_ids) <= set(a_pool().item_ids)
    assert (chosen.item_ids == choose(strategy, a_pool(), 60, 7, quota).item_ids).all()
    by_chance = 60 if strategy == "random" else 6
    assert chosen.random_share.sum() == by_chance
    assert chosen.draw_probability[chosen.random_share] == pytest.approx(by_chance / 400)
    assert (chosen.draw_probability[~chosen.random_share] == 1).all()


@pytest.mark.parametrize("strategy", get_args(Strategy))
def test_a_pool_smaller_than_asked_is_taken_whole(strategy):
    """All of it; and nothing of nothing."""
    quota = {"rose": 2}
    assert sorted(choose(strategy, a_pool(9), 50, 1, quota).item_ids) == [*a_pool(9).item_ids]
    assert len(choose(strategy, a_pool(9), 0, 1, quota).item_ids) == 0


@pytest.mark.parametrize(
    ("strategy", "doubt"),
    [
        ("least-confident", lambda p: 1 - p.confidence),
        ("margin", lambda p: 1 - p.margin),
        ("cold-then-margin", lambda p: 1 - p.margin),
        ("entropy", lambda p: p.entropy),
        ("disagreement", lambda p: p.disagreement),
        ("next-minute", lambda p: (1 - p.confidence) / p.seconds),
    ],
)
def test_what_is_most_in_doubt_comes_first(strategy, doubt):
    """The order is that of the whole pool sorted by the doubt; no item left out has more."""
    pool = a_pool()
    chosen = choose(strategy, pool, 50, 1, random_share=0)
    expected = pool.item_ids[np.lexsort((pool.item_ids, -doubt(pool).astype(np.float32)))[:50]]
    assert (chosen.item_ids == expected).all()
    assert (np.diff(chosen.score) <= 1e-6).all()


def test_ties_go_to_the_lower_number():
    """Equal values are told apart by the item alone, wherever the cut falls."""
    ids = np.array([9, 4, 7, 1, 3])
    assert ids[lowest(np.array([0.5, 0.5, 0.1, 0.5, 0.5]), 3, ids)].tolist() == [7, 1, 3]


def test_the_random_part_is_drawn_evenly():
    """Each item has the same chance, whatever a model says of it."""
    pool = a_pool(50)
    met = np.zeros(50)
    for seed in range(600):
        chosen = choose("margin", pool, 20, seed, random_share=0.5)
        met[np.searchsorted(pool.item_ids, chosen.item_ids[chosen.random_share])] += 1
    assert met / 600 == pytest.approx(0.2, abs=0.07)


def test_a_quota_is_filled_by_the_least_margins_of_each_group():
    """Short groups give what they have; what is left over goes by margin."""
    pool = a_pool()
    chosen = choose("quota", pool, 40, 1, {"aster": 12, "rose": 8}, random_share=0)
    group = pool.groups[np.searchsorted(pool.item_ids, chosen.item_ids)]
    asters = pool.item_ids[pool.groups == "aster"]
    least = asters[np.argsort(pool.margin[pool.groups == "aster"])[:12]]
    assert set(least) <= set(chosen.item_ids)
    assert (group[:20] == ["aster"] * 12 + ["rose"] * 8).all()


def test_cold_start_meets_every_group_before_doubts_count():
    """With few labels the typical ones come, however sure the model is of them."""
    rng = np.random.default_rng(2)
    of = rng.integers(0, 20, 2_000)
    pool = Pool(np.arange(2_000), vectors=np.eye(20, 24)[of] + rng.normal(0, 0.05, (2_000, 24)))
    assert len(set(of[choose("cold-then-margin", pool, 60, 3, random_share=0).item_ids])) >= 18


@pytest.mark.parametrize("width", [12, 90])
def test_representatives_of_some_rows_are_those_of_their_vectors(width):
    """Rows picked out of a larger table are treated as a table of their own."""
    rng = np.random.default_rng(4)
    vectors = rng.normal(size=(900, width)).astype(np.float16)
    rows = np.sort(rng.choice(900, 500, replace=False))
    found = representatives(vectors, 70, 1, rows)
    assert (found == representatives(vectors[rows], 70, 1)).all()
    assert len(np.unique(found)) == 70


def test_farthest_first_is_the_plain_greedy_one():
    """The distances computed ahead change nothing about which item is the farthest."""
    points = np.random.default_rng(6).normal(size=(700, 10)).astype(np.float32)
    covered = points[:5] + 0.01
    found, far = farthest_first(points, 120, covered)
    gap = np.linalg.norm(points[:, None].astype(float) - covered[None], axis=2).min(1)
    for place, distance in zip(found, far, strict=True):
        assert gap[place] == pytest.approx(gap.max(), abs=1e-3)
        assert distance == pytest.approx(gap[place], abs=1e-3)
        gap = np.minimum(gap, np.linalg.norm(points.astype(float) - points[place], axis=1))


def test_diverse_items_lie_apart_and_near_the_border():
    """Among the least margins, the chosen ones cover more than the very least do."""
    pool = a_pool(3_000)
    diverse = choose("k-centre", pool, 40, 1, random_share=0).item_ids
    rank = np.argsort(np.argsort(pool.margin))
    assert rank[np.searchsorted(pool.item_ids, diverse)].max() < 20 * 40
    margin = choose("margin", pool, 40, 1, random_share=0).item_ids

    def reach(ids):
        some = pool.vectors[np.searchsorted(pool.item_ids, ids)].astype(float)
        all_ = pool.vectors[rank < 800].astype(float)
        return np.linalg.norm(all_[:, None] - some[None], axis=2).min(1).max()

    assert reach(diverse) < reach(margin)


def test_disagreement_is_nothing_among_equals_and_most_among_opposites():
    """Models that say the same differ by 0; two sure of different classes by log 2."""
    sure = np.array([[1.0, 0.0], [0.5, 0.5]])
    assert disagreement_of(sure, sure) == pytest.approx([0, 0])
    assert disagreement_of(sure, sure[:, ::-1]) == pytest.approx([np.log(2), 0])


@pytest.mark.parametrize(
    "strategy",
    ["least-confident", "margin", "entropy", "quota", "disagreement", "next-minute"],
)
def test_without_a_model_doubt_cannot_be_asked_for(strategy):
    """The sentence says what is missing."""
    bare = Pool(np.arange(30), groups=np.array(["rose"] * 30))
    with pytest.raises(TrainingError, match="There is no model"):
        choose(strategy, bare, 5, 1, {"rose": 2})


def test_what_cannot_be_asked_for_is_refused():
    """No such way, no quota, no embeddings."""
    with pytest.raises(InputError, match="no way to choose named 'best'"):
        choose("best", a_pool(), 5, 1)
    with pytest.raises(InputError, match="needs a quota"):
        choose("quota", a_pool(), 5, 1)
    with pytest.raises(TrainingError, match="no embeddings"):
        choose("k-centre", replace(a_pool(), vectors=None), 5, 1)


def test_activelab_by_hand():
    """The formula of cleanlab's get_active_learning_scores, worked out for three items.

    Weights: model 0.8; annotators 0.5, 0.9, 0.4, mean 0.6; 4 classes.
    """
    unlabelled = belief_unlabelled(np.array([0.7, 0.25]), 0.8, 0.6, 4)
    assert unlabelled == pytest.approx([(0.7 * 0.8 + 0.25 * 0.6) / 1.4, 0.25])
    labelled = belief_labelled(np.array([0.9, 0.5]), np.array([1.4, 0.4]), 0.8, 0.6, 4)
    assert labelled == pytest.approx([(0.9 * 2.2 + 0.15) / 2.8, (0.5 * 1.2 + 0.15) / 1.8])


def test_the_next_minute_goes_where_most_errors_fall_by_the_second():
    """A doubtful cheap ruling before a label, a shaky label before one that is as sure."""
    new = Open(np.array([1, 2]), np.array([0.4, 0.95]), 0.9)
    settled = Open(np.array([3, 4]), np.array([0.6, 0.97]), 0.9)
    disputes = Open(np.array([5]), np.array([0.5]), 0.98)
    seconds = {"label": 4.0, "second opinion": 4.0, "adjudicate": 12.0}
    found = next_minute(new, settled, disputes, seconds, 10)
    assert [(m.item_id, m.what) for m in found] == [
        (1, "label"),
        (3, "second opinion"),
        (5, "adjudicate"),
    ]
    assert found[0].gain_per_second == pytest.approx(0.5 / 4)
    assert found[0].why == (
        "The model's answer is believed with 40%, whoever is asked is right in 90% and takes 4 s."
    )
    assert [m.item_id for m in next_minute(new, settled, disputes, seconds, 1)] == [1]
    assert next_minute(new, settled, disputes, seconds | {"adjudicate": 2.0}, 1)[0].item_id == 5


def test_a_person_less_sure_than_the_model_adds_nothing():
    """Below the belief there already is, an answer removes no error in expectation."""
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 4, 40_000)
    for belief, accuracy in ((0.5, 0.8), (0.9, 0.8)):
        model = np.where(
            rng.random(40_000) < belief, truth, (truth + rng.integers(1, 4, 40_000)) % 4
        )
        person = np.where(
            rng.random(40_000) < accuracy, truth, (truth + rng.integers(1, 4, 40_000)) % 4
        )
        best = person if accuracy > belief else model
        gained = (best == truth).mean() - (model == truth).mean()
        assert gained == pytest.approx(max(0, accuracy - belief), abs=0.01)
