"""How sure it is that all of an image's regions are right."""

from __future__ import annotations

import numpy as np
import pytest

from core.labels.region import Region
from core.learning.region_score import features, scores


def box(x: float, sure: float, label: str = "cell") -> Region:
    return Region(label, x, 0, x + 10, 10, sure)


def test_the_figures_of_regions() -> None:
    """Least confidence, product, expected errors, count and overlap; nothing found is no doubt."""
    assert features([]).tolist() == [1.0, 0.0, 0.0, 0.0, 0.0]
    found = features([box(0, 0.5), box(5, 0.8), box(100, 1.0)])
    assert found[0] == 0.5
    assert found[1] == pytest.approx(np.log(0.4))
    assert found[2] == pytest.approx(0.7)
    assert found[3] == pytest.approx(np.log(4))
    assert found[4] == pytest.approx(1 / 3)
    assert features([box(0, 0.5), box(0, 0.5, "other")])[4] == 0


def test_with_few_checked_images_the_product_stands_in() -> None:
    """Below ten of each outcome nothing is fitted."""
    figures = np.array([features([box(0, 0.5), box(50, 0.5)]), features([])])
    assert scores(figures, np.array([0]), np.array([True])).tolist() == pytest.approx([0.25, 1.0])


def test_the_fit_learns_what_makes_images_wrong() -> None:
    """Where crowds alone make errors, images without crowds come out surer, in probability."""
    rng = np.random.default_rng(0)
    crowded = rng.random(400) < 0.5
    figures = np.array(
        [features([box(0, 0.7), box(4 if c else 60, 0.7)]) for c in crowded.tolist()]
    )
    right = np.where(crowded, rng.random(400) < 0.2, rng.random(400) < 0.95)
    found = scores(figures, np.arange(200), right[:200])
    assert found[~crowded].min() > found[crowded].max()
    assert found[~crowded].mean() == pytest.approx(0.95, abs=0.08)
    assert found[crowded].mean() == pytest.approx(0.2, abs=0.1)
