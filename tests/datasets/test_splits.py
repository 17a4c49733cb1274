"""Splits: groups whole, classes in proportion, what judges a model never among what it learns from."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets.splits import LEFT_OUT, Member, SplitPlan, leaks, parse_ratios, split
from core.errors import InputError

RATIOS = (("train", 0.8), ("val", 0.1), ("test", 0.1))


def member(n: int, use: str = "train", group: str = "", label: str = "cat") -> Member:
    return Member(hashlib.sha256(str(n).encode()).hexdigest(), use, group, {label: 1})


@st.composite
def projects(draw: st.DrawFn) -> list[Member]:
    """Draw items with groups of all sizes, three classes, one rare, and drawn uses."""
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["train", "train", "train", "train", "certify", "evaluate"]),
                st.sampled_from(["", "", "a", "b", "c", "d", "e", "f"]),
                st.sampled_from(["cat", "cat", "dog", "owl"]),
            ),
            min_size=1,
            max_size=60,
        )
    )
    return [member(n, *row) for n, row in enumerate(rows)]


@given(projects(), st.sampled_from([(), RATIOS]), st.integers(0, 3), st.booleans())
def test_nothing_ever_leaks(items, ratios, seed, leave_out):
    """No group lies in two splits, and what was drawn for evaluating is never learnt from."""
    plan = SplitPlan(ratios, seed=seed, leave_out=leave_out)
    found = split(items, plan)
    assert leaks(items, found.of) == []
    assert set(found.of) == {m.content_hash for m in items}
    for m in items:
        assert m.use == "train" or found.of[m.content_hash] != "train"
    if not leave_out:
        assert LEFT_OUT not in found.of.values()


@given(projects(), st.randoms(use_true_random=False))
def test_the_same_plan_gives_the_same_splits_in_any_order(items, random):
    """Neither the order of rows nor of groups counts; the seed does."""
    plan = SplitPlan(RATIOS, seed=5)
    mixed = list(items)
    random.shuffle(mixed)
    assert split(mixed, plan).of == split(items, plan).of


def test_classes_and_shares_are_kept_where_groups_allow():
    """A thousand items of three classes in groups of ten come within two points of what is asked."""
    items = [
        member(n, group=f"g{n // 10}", label=("cat", "dog", "owl")[0 if n % 20 < 12 else 1 + n % 2])
        for n in range(1000)
    ]
    found = split(items, SplitPlan(RATIOS))
    assert found.most_off <= 0.02
    assert max(abs(s.worst_class[1]) for s in found.shares) <= 0.02
    assert found.groups == 100
    assert found.largest == 10
    assert split(items, SplitPlan(RATIOS, seed=1)).of != found.of


def test_a_rare_class_is_in_every_split_that_can_have_it():
    """Ten of a thousand are shared out by the class, not by luck."""
    items = [member(n, label="rare" if n < 10 else "cat") for n in range(1000)]
    found = split(items, SplitPlan(RATIOS))
    assert [s.per_class["rare"] for s in found.shares] == [8, 1, 1]


def test_a_group_too_large_for_its_share_is_told_not_torn():
    """Half of all images are of one sender: the balance says how far off that is."""
    items = [member(n, group="big" if n < 50 else f"g{n}") for n in range(100)]
    found = split(items, SplitPlan((("train", 0.3), ("test", 0.7))))
    assert leaks(items, found.of) == []
    assert found.largest == 50
    assert sum(s.n for s in found.shares) == 100


def test_by_use_a_group_follows_its_strictest_member():
    """Twins of an item drawn for evaluating go with it; where asked, it is left out instead."""
    items = [member(n, group="twins") for n in range(4)] + [member(9, "evaluate", "twins")]
    items += [member(20), member(21, "certify")]
    found = split(items, SplitPlan())
    assert [found.of[m.content_hash] for m in items] == ["test"] * 5 + ["train", "val"]
    assert found.held_back == 4
    kept = split(items, SplitPlan(leave_out=True))
    assert [kept.of[m.content_hash] for m in items] == ["train"] * 4 + [LEFT_OUT, "train", "val"]
    assert kept.left_out == 1


def test_a_leak_is_seen():
    """The check that guards the splits can fail."""
    items = [member(1, group="a"), member(2, group="a"), member(3, "evaluate")]
    torn = {items[0].content_hash: "train", items[1].content_hash: "test"}
    assert leaks(items, torn | {items[2].content_hash: "train"}) == ["a", items[2].content_hash]
    assert leaks([replace(items[2])], {items[2].content_hash: "val"}) == [items[2].content_hash]


def test_evaluate_items_need_a_split_of_their_own():
    """With train and val alone there is no place for what judges the model."""
    with pytest.raises(InputError, match="never learnt from"):
        split([member(1), member(2, "evaluate")], SplitPlan((("train", 0.9), ("val", 0.1))))


@pytest.mark.parametrize(
    "text", ["train", "train=x", "train=0.5", "train=0.5,train=0.5", "a/b=1", "train=1.5,test=-0.5"]
)
def test_shares_that_will_not_do_are_refused(text):
    """What is no name with a share, or does not add up to one."""
    with pytest.raises(InputError):
        parse_ratios(text)


def test_shares_are_read():
    """Names and shares in the order given; nothing asks for the uses."""
    assert parse_ratios("train=0.8, val=0.1,test=0.1") == RATIOS
    assert parse_ratios("") == ()
