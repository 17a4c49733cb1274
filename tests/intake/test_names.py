"""Names: which are safe, and which item they mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.intake import NameIndex, name_fault

KNOWN = ["daisy/x.jpg", "images/roses/y.jpg", "a/z.jpg", "b/z.jpg", "only.png", "é.jpg"]


@pytest.mark.parametrize(
    ("given_name", "found"),
    [
        ("daisy/x.jpg", "daisy/x.jpg"),
        ("images/daisy/x.jpg", "daisy/x.jpg"),
        ("x.jpg", "daisy/x.jpg"),
        ("roses/y.jpg", "images/roses/y.jpg"),
        (r"C:\photos\daisy\x.jpg", "daisy/x.jpg"),
        ("./daisy//x.jpg", "daisy/x.jpg"),
        ("/home/someone/daisy/x.jpg", "daisy/x.jpg"),
        ("a/z.jpg", "a/z.jpg"),
        ("only.tif", "only.png"),
        ("only", "only.png"),
        ("deep/only", "only.png"),
        ("e\u0301.jpg", "é.jpg"),
    ],
)
def test_a_name_finds_the_one_item_that_is_meant(given_name, found):
    """Exact match, then path suffix either way, then without extension."""
    assert NameIndex(KNOWN).resolve(given_name) == found


@pytest.mark.parametrize(
    ("given_name", "reason"),
    [
        ("z.jpg", "several"),
        ("z", "several"),
        ("roses/x.jpg", "no image"),
        ("xx.jpg", "no image"),
        ("aisy/x.jpg", "no image"),
        ("../daisy/x.jpg", "'..'"),
        ("", "no image"),
    ],
)
def test_a_name_that_fits_none_or_several_finds_none_and_says_why(given_name, reason):
    """Nothing is guessed: parts of components never match, and two fits are no fit."""
    match = NameIndex(KNOWN).find(given_name)
    assert match.name is None
    assert reason in match.reason


def test_the_whole_path_beats_a_suffix():
    """An item of exactly that path is meant, though another ends the same way."""
    index = NameIndex(["x.jpg", "deep/x.jpg"])
    assert index.resolve("x.jpg") == "x.jpg"
    assert index.resolve("deep/x.jpg") == "deep/x.jpg"


@given(st.lists(st.text("ab/", min_size=1, max_size=8), max_size=6), st.text("ab/.\\:", max_size=9))
def test_resolving_gives_a_known_name_or_none(names, name):
    """Whatever is asked, the answer is one of the names, and each name finds itself."""
    index = NameIndex(names)
    assert index.resolve(name) in {None, *names}
    assert all(index.resolve(n) == n for n in names)


@pytest.mark.parametrize(
    "name",
    [
        "x.jpg",
        "a b/c-d_(1).png",
        "daisy/花.jpg",
        "한국/사진.jpg",
        "😀.png",
        "console.jpg",
        "a" * 255,
    ],
)
def test_ordinary_names_in_any_script_are_safe(name):
    """Letters, spaces and emoji are fine."""
    assert name_fault(name) is None
