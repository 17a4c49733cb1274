"""Risk against coverage, the theatre's figures, and whether confidence matches accuracy."""

from __future__ import annotations

import time

import numpy as np
import pytest

from core.errors import InputError
from core.learning.calibration import reliability
from core.learning.certify import Candidates, Evidence, certify
from core.learning.curve import POINTS, Costs, risk_coverage, theatre

COSTS = Costs(seconds_per_item=9.0, wage_per_hour=40.0, currency="EUR")


@pytest.fixture
def drawn() -> tuple[Candidates, Evidence, np.ndarray]:
    """Give 4,000 items of two classes, 400 of them checked, 100 learnt from."""
    rng = np.random.default_rng(0)
    score = rng.random(4000).astype(np.float32)
    wrong = rng.random(4000) < 0.12 * (1 - score)
    group = np.where(rng.random(4000) < 0.3, "cat", "dog")
    trained = np.arange(4000) >= 3900
    checked = np.arange(400)
    return Candidates(np.arange(4000), score, group, trained), Evidence(checked, wrong[checked]), wrong  # fmt: skip


def test_the_curve_counts_what_lies_above_each_threshold(drawn):
    """Coverage, checks, errors and classes at each point equal a plain count."""
    pool, seen, wrong = drawn
    curve = risk_coverage(pool, seen)
    assert len(curve.coverage) == POINTS
    assert curve.groups == ("cat", "dog")
    for k in (0, 57, 200, 399):
        inside = pool.score >= curve.cuts.threshold[k]
        assert curve.coverage[k] == inside.mean()
        assert curve.cuts.sampled[k] == inside[:400].sum()
        assert curve.cuts.errors[k] == (inside & wrong)[:400].sum()
        free = inside[400:3900]
        assert curve.swept[k].tolist() == [(pool.group[400:3900][free] == g).sum() for g in ("cat", "dog")]  # fmt: skip
    assert curve.coverage[-1] == 1
    assert curve.area is not None
    assert 0 < curve.area < curve.risk[-1]


@pytest.mark.parametrize(("target", "delta"), [(0.05, 0.1), (0.05, 0.5), (0.08, 0.05), (0.2, 0.2)])
def test_the_theatre_plays_what_the_certificate_would_do(drawn, target, delta):
    """Where the scene says it certifies, a look at the same figures accepts the same items."""
    pool, seen, _ = drawn
    scene = theatre(risk_coverage(pool, seen), target, delta, COSTS)
    look = certify(pool, seen, target, delta)
    assert scene.certified == (look.threshold is not None)
    if scene.certified:
        assert scene.threshold == look.threshold
        assert scene.automated == len(look.accepted) == sum(n for _, n, _ in scene.classes)


def test_the_scene_tells_hours_money_and_errors(drawn):
    """What is automated times what an item costs, and the share found wrong of it."""
    pool, seen, _ = drawn
    scene = theatre(risk_coverage(pool, seen), 0.2, 0.2, COSTS)
    assert scene.certified
    assert scene.hours == pytest.approx(scene.automated * 9 / 3600)
    assert scene.money == pytest.approx(scene.hours * 40)
    assert scene.expected_errors == pytest.approx(scene.automated * scene.risk.value)
    assert scene.share == scene.automated / 4000
    assert [row[1] for row in scene.classes] == sorted((r[1] for r in scene.classes), reverse=True)


def test_what_cannot_be_promised_is_shown_as_a_guess(drawn):
    """A target out of reach shows where the checked ones were good enough, and promises nothing."""
    pool, seen, _ = drawn
    guess = theatre(risk_coverage(pool, seen), 0.01, 0.01, COSTS)
    assert not guess.certified
    assert "that is a guess and is not accepted" in guess.sentence
    assert guess.needs is not None
    assert f"Needs about {guess.needs:,} more checked items." in guess.sentence
    bad = Evidence(seen.item_ids, np.ones(400, bool))
    none = theatre(risk_coverage(pool, bad), 0.05, 0.1, COSTS)
    assert (none.threshold, none.automated, none.expected_errors) == (None, 0, None)
    assert none.needs is None
    assert "would not help" in none.sentence


@pytest.mark.parametrize("n", [1, 7, 41, 399])
def test_small_sets_have_a_curve_too(n: int):
    """Fewer items than points, or none checked, give a curve and a scene without complaint."""
    pool = Candidates(np.arange(n), np.linspace(0, 1, n))
    nothing = Evidence(np.zeros(0, np.int64), np.zeros(0, bool))
    curve = risk_coverage(pool, nothing)
    assert curve.area is None
    assert np.isnan(curve.risk).all()
    assert not theatre(curve, 0.05, 0.1, COSTS).certified


def test_a_drag_costs_little():
    """A scene over a million items looks at no more points than a screen could show."""
    rng = np.random.default_rng(1)
    pool = Candidates(np.arange(1_000_000), rng.random(1_000_000))
    seen = Evidence(np.arange(2000), rng.random(2000) < 0.03)
    curve = risk_coverage(pool, seen)
    assert len(curve.risk) == len(curve.cuts.step) <= POINTS
    started = time.perf_counter()
    scene = theatre(curve, 0.05, 0.1, COSTS)
    assert time.perf_counter() - started < 0.5
    assert scene.certified


# --- calibration ----------------------------------------------------------------------------------


def test_bins_hold_all_items_once_and_equal_confidences_together():
    """As many items in each bin as may be, none twice."""
    p = np.repeat([0.2, 0.6, 0.61, 0.9], [10, 50, 20, 20])
    found = reliability(p, np.arange(100) % 2 == 0, bins=5)
    assert sum(b.n for b in found.bins) == 100
    assert all(a.high < b.low for a, b in zip(found.bins, found.bins[1:], strict=False))
    assert found.bins[0].accuracy.n == found.bins[0].n


def test_a_known_miscalibration_is_measured():
    """Ten points too sure everywhere gives an error of about a tenth, its interval around it."""
    rng = np.random.default_rng(2)
    p = rng.uniform(0.3, 1, 4000)
    found = reliability(p, rng.random(4000) < p - 0.1)
    assert abs(found.ece.value - 0.1) < 0.02
    assert found.ece.low <= 0.1 <= found.ece.high
    assert found.ece.low > found.chance


def test_chance_alone_is_named_as_such():
    """Of a calibrated model the error is about what chance gives, and the interval starts at 0."""
    rng = np.random.default_rng(3)
    misses = 0
    for _ in range(20):
        p = rng.uniform(0.5, 1, 300)
        found = reliability(p, rng.random(300) < p)
        misses += found.ece.low > 0
        assert found.chance == pytest.approx(found.ece.value, abs=0.05)
    assert misses <= 3


def test_few_items_and_bad_ones():
    """Below 30 there is no figure; a confidence that is no probability is refused."""
    found = reliability(np.array([0.5, 0.9]), np.array([True, False]))
    assert (found.ece.value, found.ece.n, found.chance) == (None, 2, None)
    assert reliability(np.zeros(0), np.zeros(0, bool)).bins == ()
    for p in ([1.5, 0.5], [np.nan, 0.5], [0.5]):
        with pytest.raises(InputError):
            reliability(np.array(p), np.array([True, False]))
