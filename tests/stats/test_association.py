"""Labels and attributes: strength, cells, and what is left beyond the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats.contingency import association as cramers_v

from core.errors import InputError
from core.stats.association import Answers, answers_of, association, beyond_truth, cells_of


def single(label: np.ndarray, labels: int) -> Answers:
    """Return one answer an item."""
    n = len(label)
    return answers_of(np.arange(n), label, np.ones(n), n, labels)


def test_strength_is_cramers_v_less_its_bias():
    """Of many items it is the textbook's V; of independent ones the interval reaches nothing."""
    rng = np.random.default_rng(0)
    site = rng.integers(0, 4, 20_000)
    label = np.where(rng.random(20_000) < 0.3, site % 3, rng.integers(0, 3, 20_000))
    found = association(site, 4, single(label, 3))
    table = np.zeros((4, 3), dtype=int)
    np.add.at(table, (site, label), 1)
    assert found.strength.value == pytest.approx(cramers_v(table, method="cramer"), abs=0.005)
    assert found.strength.low < found.strength.value < found.strength.high
    assert found.p < 1e-6
    alike = association(site, 4, single(rng.integers(0, 3, 20_000), 3))
    assert alike.strength.low == 0
    assert alike.p > 0.001


def test_strength_holds_its_level():
    """Independent labels are called associated about one time in twenty; intervals hold zero."""
    rng = np.random.default_rng(1)
    ps, held = [], []
    for _ in range(200):
        site, label = rng.integers(0, 3, 300), rng.integers(0, 4, 300)
        found = association(site, 3, single(label, 4))
        ps.append(found.p)
        held.append(found.strength.low == 0)
    assert 0.01 <= np.mean(np.array(ps) < 0.05) <= 0.1
    assert np.mean(held) >= 0.94


def test_many_votes_on_one_item_are_one_item():
    """Ten equal votes on each item change nothing; ten that differ count as shares."""
    rng = np.random.default_rng(2)
    site, label = rng.integers(0, 2, 400), rng.integers(0, 3, 400)
    once = cells_of(site, 2, single(label, 3))
    tenfold = cells_of(site, 2, answers_of(np.arange(400), label, np.full(400, 10.0), 400, 3))
    assert np.allclose(once.p, tenfold.p)
    assert np.allclose(once.n, tenfold.n)
    halves = answers_of(np.repeat([0, 1], 2), np.array([0, 1, 0, 1]), np.ones(4), 2, 2)
    assert halves.share.tolist() == [0.5] * 4


def test_a_cell_says_how_many_times_as_often():
    """Ratio, difference and residual are those of the shares; what is rare is not told."""
    site = np.repeat([0, 1], 500)
    label = np.r_[np.repeat([0, 1], [200, 300]), np.repeat([0, 1], [100, 400])]
    found = cells_of(site, 2, single(label, 2), fewest=20)
    assert found.ratio[0, 0] == pytest.approx(2.0, abs=0.02)
    assert found.ratio_low[0, 0] < 2 < found.ratio_high[0, 0]
    assert found.gap[0, 0] == pytest.approx(0.2)
    assert found.residual[0, 0] == pytest.approx(0.2 / np.sqrt(0.21 * (1 / 500 + 1 / 500)))
    assert found.is_enough.all()
    rare = np.zeros(1000, dtype=int)
    rare[:4] = 1
    assert not cells_of(site, 2, single(rare, 2)).is_enough[:, 1].any()
    assert not cells_of(site, 2, single(label, 2), fewest=600).is_enough.any()


def test_what_truly_grows_there_is_no_bias():
    """A class twice as frequent at a site, mistaken the same everywhere, leaves nothing beyond."""
    rng = np.random.default_rng(3)
    n = 6000
    site = rng.integers(0, 2, n)
    truth = np.where(rng.random(n) < np.where(site == 0, 0.6, 0.3), 0, 1)
    said = np.where(rng.random(n) < 0.15, 1 - truth, truth)
    assert cells_of(site, 2, single(said, 2)).p[0, 0] < 1e-6
    left = beyond_truth(site, 2, single(said, 2), truth)
    assert left.is_enough.all()
    assert left.p[0, 0] > 0.001
    assert left.low[0, 0] < 0 < left.high[0, 0]


def test_what_is_only_said_there_is_told():
    """Equally frequent, but over-called at one site: the truth does not account for it."""
    rng = np.random.default_rng(4)
    n = 4000
    site, truth = rng.integers(0, 3, n), rng.integers(0, 3, n)
    over = (site == 1) & (truth != 0) & (rng.random(n) < 0.2)
    left = beyond_truth(site, 3, single(np.where(over, 0, truth), 3), truth)
    assert left.gap[1, 0] == pytest.approx(0.2 * 2 / 3, abs=0.03)
    assert left.low[1, 0] > 0.08
    assert left.p[1, 0] < 1e-9
    assert left.gap[0, 0] < 0


def test_unknown_truth_and_left_out_items_are_no_evidence():
    """Items without a value, an answer or a truth count nowhere."""
    site, label = np.array([0, 1, -1, 0]), np.array([0, 1, 0, 1])
    said = answers_of(np.array([0, 1, 2]), label[:3], np.ones(3), 4, 2)
    assert cells_of(site, 2, said).n.tolist() == [1, 1]
    left = beyond_truth(site, 2, said, np.array([-1, 1, 0, 0]))
    assert left.n.tolist() == [0, 1]
    assert not left.is_enough.any()
    assert association(np.zeros(4, dtype=int), 1, said).strength.value is None
    with pytest.raises(InputError):
        answers_of(np.array([0]), np.array([0, 1]), np.ones(2), 1, 2)
