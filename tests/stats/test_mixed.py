"""Mixed effects told apart: against known truth, when confounded, at the edges, with honest intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from core.errors import InputError
from core.stats.mixed import Fitted, Separated, count_cells, fit_crossed, separate, variance_shares


def draw(
    seed: int, n: int, cameras: tuple[float, ...], people: tuple[float, ...], classes: int = 5
):
    """Return levels, sizes, and whether each statement is right; the log odds add up."""
    rng = np.random.default_rng(seed)
    camera, who = rng.integers(0, len(cameras), n), rng.integers(0, len(people), n)
    species = rng.integers(0, classes, n)
    odds = 2.0 + np.array(cameras)[camera] + np.array(people)[who]
    odds += rng.normal(0, 0.5, classes)[species]
    right = (rng.random(n) < expit(odds)).astype(float)
    return [camera, who, species], (len(cameras), len(people), classes), right


def told(levels, sizes, right, cluster=None) -> Fitted:
    """Return the model of single statements, an item each unless told."""
    n = len(right)
    return fit_crossed(
        levels, sizes, np.ones(n), right, np.arange(n) if cluster is None else cluster
    )


def holds(found: Separated, true: float) -> bool:
    """Return whether the interval of a difference holds what is true."""
    return bool(found.gap.low <= true <= found.gap.high)


def test_who_only_has_the_bad_camera_is_not_blamed():
    """As it comes the person looks bad; the model blames the camera, and another person rightly."""
    rng = np.random.default_rng(0)
    n = 5000
    who, camera, species = rng.integers(0, 8, n), rng.integers(0, 4, n), rng.integers(0, 6, n)
    camera[who == 7] = 3
    right = (rng.random(n) < expit(2.2 - 1.5 * (camera == 3) - 1.0 * (who == 2))).astype(float)
    fitted = told([camera, who, species], (4, 8, 6), right)
    cameras, people = separate(fitted, 0), separate(fitted, 1)
    assert right[who == 7].mean() - right[who != 7].mean() < -0.12
    assert people[7].gap.low > -0.03
    assert people[2].gap.high < -0.1
    assert cameras[3].gap.high < -0.2
    assert cameras[3].p < 1e-6
    assert all(c.gap.low > 0 for c in cameras[:3])


def test_intervals_hold_what_is_true_as_often_as_they_say():
    """Over many drawn worlds about 95 % of the intervals hold the true difference."""
    cameras, held = (-0.6, 0.0, 0.6), []
    for seed in range(25):
        people = tuple(np.random.default_rng([seed, 1]).normal(0, 0.6, 10))
        levels, sizes, right = draw(seed, 900, cameras, people)
        fitted = told(levels, sizes, right)
        base = np.random.default_rng(seed)
        base.integers(0, 3, 900), base.integers(0, 10, 900), base.integers(0, 5, 900)
        species = base.normal(0, 0.5, 5)[levels[2]]
        for factor, truth in ((0, cameras), (1, people)):
            other = (np.array(people)[levels[1]], np.array(cameras)[levels[0]])[factor]
            rates = np.array([expit(2.0 + t + other + species).mean() for t in truth])
            weight = fitted.cells.weight(factor)
            for i, found in enumerate(separate(fitted, factor)):
                rest = (weight @ rates - weight[i] * rates[i]) / (weight.sum() - weight[i])
                held.append(holds(found, rates[i] - rest))
    assert 0.90 <= np.mean(held) <= 0.985


def test_answers_on_one_item_are_not_independent():
    """The same answers three times over leave the interval as wide, not narrower by a root of three."""
    levels, sizes, right = draw(3, 600, (0.0, 0.8), (0.0, 0.4, -0.4))
    single = separate(told(levels, sizes, right), 0)[0].gap
    thrice = told(
        [np.tile(x, 3) for x in levels], sizes, np.tile(right, 3), np.tile(np.arange(600), 3)
    )
    tripled = separate(thrice, 0)[0].gap
    assert tripled.high - tripled.low > 0.9 * (single.high - single.low)


def test_a_camera_that_was_never_wrong_has_a_finite_effect():
    """Where nothing went wrong, or everything, there are ends between minus one and one."""
    levels, sizes, right = draw(1, 400, (0.0, 0.0, 0.0), (0.0, 0.2))
    right[levels[0] == 2] = 1.0
    found = separate(told(levels, sizes, right), 0)[2]
    assert 0 < found.gap.value < 0.3
    assert -1 <= found.gap.low < found.gap.high <= 1
    assert found.rate.high <= 1
    for constant in (0.0, 1.0):
        alike = told(levels, sizes, np.full(400, constant))
        assert all(holds(s, 0.0) for s in separate(alike, 0))


def test_variance_is_laid_to_whom_it_belongs():
    """People who differ widely have the larger part; alike cameras hardly any; parts add up to one."""
    people = (-1.5, -0.8, -0.2, 0.3, 0.9, 1.5, -1.1, 1.2)
    levels, sizes, right = draw(5, 6000, (0.0, 0.05, 0.0), people)
    parts, rest = variance_shares(told(levels, sizes, right))
    camera, person, _species = parts
    assert sum(p.value for p in [*parts, rest]) == pytest.approx(1)
    assert person.value > 10 * camera.value
    assert all(p.low <= p.value <= p.high for p in [*parts, rest])
    assert (camera.n, person.n, rest.n) == (3, 8, 6000)


def test_a_single_factor_is_the_plain_difference():
    """Without any random factor the separated difference is nearly the raw one."""
    levels, _sizes, right = draw(7, 3000, (0.0, -0.9), (0.0, 0.0))
    camera = levels[0]
    found = separate(told([camera], (2,), right), 0)[1]
    raw = right[camera == 1].mean() - right[camera == 0].mean()
    assert found.gap.value == pytest.approx(raw, abs=0.01)


def test_cells_hold_what_statements_held():
    """Sums by cell are those of the statements, however many cells there could be."""
    rng = np.random.default_rng(2)
    for sizes in ((3, 4), (3000, 4000)):
        levels = [rng.integers(0, s, 500) for s in sizes]
        right = rng.integers(0, 2, 500).astype(float)
        cells = count_cells(levels, sizes, np.ones(500), right)
        assert (cells.n.sum(), cells.hits.sum()) == (500, right.sum())
        first = cells.levels[0] == levels[0][0]
        assert cells.n[first].sum() == (levels[0] == levels[0][0]).sum()


def test_nonsense_is_refused():
    """No statements, or a level that is none, is the asker's mistake."""
    with pytest.raises(InputError):
        fit_crossed([np.zeros(0, dtype=int)], [2], np.zeros(0), np.zeros(0), np.zeros(0, dtype=int))
    with pytest.raises(InputError):
        told([np.array([0, 2])], (2,), np.ones(2))
