"""Near-duplicates and outliers of a set of embeddings."""

from __future__ import annotations

import numpy as np
import pytest

from core.learning.suspicious import alike
from core.learning.suspicious.alike import (
    apart,
    near_duplicates,
    nearest,
    nearest_in_cells,
    outliers,
)


def _unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def cloud() -> np.ndarray:
    """120 vectors of one kind; row 5 is nearly row 3, row 7 is row 3 again, row 9 points elsewhere."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(120, 24)) * 0.6 + 3 * np.eye(24)[0]
    rows[5] = rows[3] + rng.normal(size=24) * 1e-3
    rows[7] = rows[3]
    rows[9] = -3 * np.eye(24)[0] + rng.normal(size=24)
    return _unit(rows)


def test_the_nearest_are_those_of_a_full_sort(cloud, monkeypatch):
    """Blocks and partial sorting change nothing of what the nearest are."""
    monkeypatch.setattr(alike, "_BLOCK", 17)
    found = nearest(cloud, 4)
    distance = 1 - cloud @ cloud.T
    np.fill_diagonal(distance, 9)
    assert found.distance == pytest.approx(np.sort(distance, axis=1)[:, :4], abs=1e-5)
    assert (found.at != np.arange(120)[:, None]).all()


def test_neighbours_can_be_asked_of_some_alone(cloud):
    """Only the rows named are neighbours, and no row is its own."""
    some = np.array([2, 4, 6])
    found = nearest(cloud, 5, some)
    assert set(found.at.ravel()) == {2, 4, 6}
    assert 4 not in found.at[4]


def test_copies_are_one_group_and_strangers_are_none(cloud):
    """What is nearly the same picture is grouped, however many copies there are."""
    assert near_duplicates(nearest(cloud)) == [(3, 5, 7)]


def test_what_stands_apart_is_named_alone(cloud):
    """The one image unlike all others is the outlier, and how far it lies is told."""
    found = outliers(nearest(cloud))
    assert [o.row for o in found] == [9]
    assert found[0].times > 2


def test_few_images_have_no_usual_distance(cloud):
    """Of a handful nothing stands apart, and only the same picture is a duplicate."""
    near = nearest(cloud[:8])
    assert outliers(near) == []
    assert near_duplicates(near) == [(3, 5, 7)]
    assert near_duplicates(nearest(cloud[:1])) == []
    assert outliers(nearest(cloud[:0])) == []


def test_only_groups_of_several_kinds_are_apart():
    """A group whose rows are all labelled alike is no conflict, nor is one with a single label."""
    groups = [(0, 1), (2, 3, 4), (5, 6)]
    kind = ["a", "a", "a", "b", None, "a", None]
    assert apart(groups, kind) == [(2, 3)]


def test_cells_find_the_same_near_duplicates_as_looking_at_all():
    """Of 1,500 images in clumps, each pair nearly alike is found; most other neighbours as well."""
    rng = np.random.default_rng(1)
    clumps = rng.normal(size=(40, 32))
    rows = clumps[rng.integers(40, size=1_500)] + rng.normal(size=(1_500, 32)) * 0.7
    copies = rng.permutation(1_500)[:200]
    rows[copies[:100]] = rows[copies[100:]] + rng.normal(size=(100, 32)) * 1e-3
    vectors = _unit(rows)
    everywhere, heard = nearest(vectors), []
    found = nearest_in_cells(vectors, heard=lambda done, total: heard.append((done, total)))
    assert near_duplicates(found) == near_duplicates(everywhere)
    assert len(near_duplicates(found)) == 100
    same = np.mean([np.isin(a, b).mean() for a, b in zip(found.at, everywhere.at, strict=True)])
    assert same > 0.9
    assert heard[-1] == (1_500, 1_500)


def test_neighbours_of_some_rows_are_those_they_have_among_all(cloud):
    """Asking for a few rows, in any order, gives what asking for every row gives them."""
    some, every = np.array([9, 3, 80]), nearest(cloud, 4)
    assert (nearest(cloud, 4, None, some).at == every.at[some]).all()
