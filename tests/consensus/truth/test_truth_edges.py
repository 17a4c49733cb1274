"""The odd tables of votes: one voter, ties everywhere, classes nobody said, gold against all."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from core.consensus.truth.gold_majority import gold_majority, gold_skill
from core.consensus.truth.majority import majority, weighted_majority
from core.consensus.truth.methods import infer
from core.consensus.truth.result import Why
from core.consensus.truth.votes import make_votes
from core.errors import InputError
from tests.consensus.truth.test_truth_properties import OURS

ALL = pytest.mark.parametrize("name", OURS)


@ALL
def test_one_voter_is_believed(name: str) -> None:
    """What a single worker says of each task is its label."""
    votes, _ = make_votes([0, 1, 2], [0, 0, 0], [1, 0, 1])
    found = infer(name, votes)
    assert found.label.tolist() == [1, 0, 1]
    assert found.why.tolist() == [Why.UNANIMOUS] * 3


@ALL
def test_ties_everywhere_fall_to_the_commoner_then_the_earlier_class(name: str) -> None:
    """Two workers who never agree: no nan, and the same class for all tasks alike."""
    votes, _ = make_votes([0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0])
    found = infer(name, votes)
    assert found.why.tolist() == [Why.TIE, Why.TIE]
    assert found.label.tolist() == [0, 0]
    np.testing.assert_allclose(found.probability, 0.5, atol=1e-3)


@ALL
def test_everyone_disagrees(name: str) -> None:
    """Each of four workers says another class: a label all the same, and no class is sure.

    Wawa alone is sure: by its rule, whom the tie rule made right has all the weight.
    """
    votes, _ = make_votes([0] * 4, [0, 1, 2, 3], [3, 2, 1, 0])
    found = infer(name, votes)
    assert found.label.tolist() == [0]
    assert found.confidence[0] < 0.5 or name == "wawa"


@ALL
def test_no_votes_at_all(name: str) -> None:
    """Empty columns give no label, and rows of the classes' shares."""
    none = infer(name, make_votes([], [], [])[0])
    assert none.label.shape == (0,)
    bare = infer(name, make_votes([], [], [], tasks=2, workers=1, classes=4)[0])
    assert bare.label.tolist() == [-1, -1]
    assert bare.why.tolist() == [Why.NO_VOTES] * 2
    np.testing.assert_allclose(bare.probability, 0.25)
    assert np.isnan(bare.workers.accuracy).all()


@ALL
def test_a_class_nobody_chose_is_no_label(name: str) -> None:
    """A class without votes gets none of the labels."""
    votes, _ = make_votes([0, 0, 1, 1, 2], [0, 1, 0, 1, 0], [0, 0, 2, 2, 0], classes=4)
    assert set(infer(name, votes).label.tolist()) <= {0, 2}


@ALL
def test_one_class_is_sure(name: str) -> None:
    """With a single class every task has it, with probability 1."""
    votes, _ = make_votes([0, 1], [0, 1], [0, 0])
    found = infer(name, votes)
    assert found.label.tolist() == [0, 0]
    np.testing.assert_allclose(found.probability, 1.0)


@ALL
def test_gold_stands_against_everyone(name: str) -> None:
    """Known answers stand though all say otherwise, and nothing breaks elsewhere."""
    votes, _ = make_votes(
        np.repeat(np.arange(4), 3), np.tile(np.arange(3), 4), np.zeros(12, dtype=int), classes=3
    )
    found = infer(name, votes, np.array([2, 2, 2, -1], dtype=np.int32))
    assert found.label[:3].tolist() == [2, 2, 2]
    assert found.label[3] >= 0
    assert np.all(np.isfinite(found.probability))


@ALL
def test_gold_of_another_shape_is_refused(name: str) -> None:
    """Gold for other tasks or classes is an error in words."""
    votes, _ = make_votes([0, 1], [0, 0], [0, 1])
    with pytest.raises(InputError, match="each of 2 tasks"):
        infer(name, votes, np.array([1], dtype=np.int32))
    with pytest.raises(InputError, match="classes 0 to 1"):
        infer(name, votes, np.array([1, 2], dtype=np.int32))


def test_an_unknown_method_is_refused_with_the_known_ones() -> None:
    """The error names the methods there are."""
    with pytest.raises(InputError, match=r"'oracle'.*majority.*dawid-skene"):
        infer("oracle", make_votes([0], [0], [0])[0])


def test_the_compiler_is_not_imported_before_it_is_needed() -> None:
    """Importing the methods, and a small majority, load no numba."""
    code = (
        "import sys; from core.consensus.truth.methods import infer;"
        "from core.consensus.truth.votes import make_votes;"
        "infer('majority', make_votes([0], [0], [0])[0]); sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_weights_decide() -> None:
    """One worker of weight 3 outweighs two of weight 1, and the result says so."""
    votes, _ = make_votes([0, 0, 0], [0, 1, 2], [1, 0, 0])
    found = weighted_majority(votes, [3, 1, 1])
    assert found.label.tolist() == [1]
    assert found.why.tolist() == [Why.WEIGHED]
    np.testing.assert_allclose(found.probability, [[0.4, 0.6]], rtol=1e-6)
    assert weighted_majority(votes, [0, 0, 0]).label.tolist() == [0]


@pytest.mark.parametrize("weight", [[1], [1, -1, 1], [1, np.nan, 1]], ids=["few", "below 0", "nan"])
def test_weights_that_are_none_are_refused(weight) -> None:
    """Weights are a number from 0 up for each worker."""
    votes, _ = make_votes([0, 0, 0], [0, 1, 2], [1, 0, 0])
    with pytest.raises(InputError, match="each of 3 workers"):
        weighted_majority(votes, weight)


def test_skills_come_from_gold_alone() -> None:
    """Who was right on gold outweighs two who were wrong there; who saw none has the pooled skill."""
    task = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]
    worker = [0, 1, 2, 0, 1, 2, 0, 1, 2, 3]
    label = [0, 1, 1, 0, 1, 1, 0, 1, 1, 1]
    votes, _ = make_votes(task, worker, label)
    gold = np.array([0, 0, -1, -1], dtype=np.int32)
    skill = gold_skill(votes, gold, 1.0)
    assert skill[0] > 2 * skill[1]
    np.testing.assert_allclose(skill[3], (2 + 1) / (6 + 2))
    assert gold_majority(votes, gold=gold, prior_votes=1.0).label.tolist() == [0, 0, 0, 1]


def test_a_tie_falls_to_the_commoner_class() -> None:
    """Of equal counts the class said more often overall wins, though it is the later one."""
    votes, _ = make_votes([0, 0, 1, 2], [0, 1, 0, 0], [0, 1, 1, 1])
    found = majority(votes)
    assert found.label.tolist() == [1, 1, 1]
    assert found.why.tolist() == [Why.TIE, Why.UNANIMOUS, Why.UNANIMOUS]


def test_the_last_vote_of_a_worker_counts() -> None:
    """Of two votes of a worker on a task the later one stands, and is reported."""
    votes, replaced = make_votes([0, 1, 0, 0], [0, 0, 1, 0], [0, 1, 1, 2])
    assert replaced == 1
    assert (votes.task.tolist(), votes.worker.tolist(), votes.label.tolist()) == (
        [0, 0, 1],
        [1, 0, 0],
        [1, 2, 1],
    )


@pytest.mark.parametrize(
    "columns",
    [([0], [0], [0, 1]), ([-1], [0], [0]), ([0], [0], [5]), ([0.5], [0], [0])],
    ids=["lengths", "negative", "beyond", "half"],
)
def test_columns_that_are_none_are_refused(columns) -> None:
    """Columns are whole numbers within range, of one length."""
    with pytest.raises(InputError):
        make_votes(*columns, classes=3)


def test_numbers_too_large_to_pack_are_ordered_all_the_same() -> None:
    """Sizes whose product passes 64 bits give the same order."""
    huge = {"tasks": 2**31 - 1, "workers": 2**31 - 1, "classes": 4}
    votes, _ = make_votes([5, 3, 3], [1, 2**31 - 2, 0], [0, 1, 1], **huge)
    assert votes.task.tolist() == [3, 3, 5]
    assert votes.worker.tolist() == [0, 2**31 - 2, 1]
