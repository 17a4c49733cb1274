"""Policy documents nobody should write: each is refused in one sentence, none is half taken."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.consensus.policy import Policy, describe
from core.errors import InputError

RULE = {"kind": "slice", "key": "light", "value": "night", "skill": "dark"}

REFUSED = {
    "an unknown algorithm": {"algorithm": "guess"},
    "an algorithm that is no text": {"algorithm": 3},
    "a stop of another kind": {"stop": "soon"},
    "a lead of nothing": {"lead_of": 0},
    "a lead nobody can have": {"stop": "lead", "lead_of": 4, "max_votes": 3},
    "a lead beyond all votes": {"lead_of": 100},
    "a bound that is even odds": {"posterior_at_least": 0.5},
    "a bound that is certain": {"posterior_at_least": 1},
    "more votes than may be asked": {"stop": "lead", "overlap": 5, "on_disagreement": "lead"},
    "too few votes to fit": {"algorithm": "mace", "overlap": 5, "on_disagreement": "discard"},
    "a model beside a majority": {"model_votes": True},
    "a model that is one": {"model_votes": 1, "algorithm": "dawid-skene"},
    "no quorum": {"quorum": 0},
    "more than everybody": {"quorum": 1.01},
    "a huge number": {"quorum": 10**400},
    "a geometry nobody knows": {"geometry": "mode"},
    "regions of another kind": {"regions": "some"},
    "skills that are no list": {"skills": {"kind": "class"}},
    "a rule that is no rule": {"skills": ["birds"]},
    "a rule without its skill": {"skills": [{k: v for k, v in RULE.items() if k != "skill"}]},
    "a rule with more": {"skills": [{**RULE, "more": "yes"}]},
    "a rule of another kind": {"skills": [{**RULE, "kind": "person"}]},
    "a rule with a number": {"skills": [{**RULE, "value": 3}]},
    "a rule with nothing in it": {"skills": [{**RULE, "value": "  "}]},
    "a slice without its column": {"skills": [{**RULE, "key": ""}]},
    "a rule with a long name": {"skills": [{**RULE, "skill": "x" * 201}]},
    "too many rules": {"skills": [RULE] * 101},
    "a long column": {"conflict_column": "x" * 201},
    "a column that is a list": {"conflict_column": ["by"]},
    "a column nobody can write": {"conflict_column": "\ud800"},
    "a column with a NUL": {"conflict_column": "by\x00"},
}


@pytest.mark.parametrize("doc", REFUSED.values(), ids=REFUSED)
def test_a_document_out_of_bounds_is_refused(doc):
    """The sentence names what is wrong and is not endless."""
    with pytest.raises(InputError) as caught:
        Policy.from_json(json.dumps(doc))
    assert caught.value.message.endswith(".")
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize("name", ["overlap", "iou_at_least", "posterior_at_least", "quorum"])
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1", "null", "true"])
def test_numbers_that_are_none_are_refused(name, number):
    """What JSON readers take for numbers and are none never becomes part of a policy."""
    with pytest.raises(InputError):
        Policy.from_json(f'{{"{name}": {number}}}')


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"skills": ' + "[" * 50_000, "9" * 10_000, "{" + " " * 300_000, '"policy"'],
    ids=["deep", "deep inside", "long number", "huge", "a text"],
)
def test_texts_that_break_readers_are_refused(text):
    """Deep, long or huge: one sentence, no other error."""
    with pytest.raises(InputError):
        Policy.from_json(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"overlap": 2, "overlap": 3}', "overlap"),
        ('{"skills": [{"kind": "class", "key": "", "value": "a", "skill": "b", "skill": "c"}]}', "skill"),
    ],
    ids=["field", "rule"],
)  # fmt: skip
def test_a_field_said_twice_is_refused_by_name(text, name):
    """Of two values nobody knows which was meant; none is taken."""
    with pytest.raises(InputError, match=f"says '{name}' more than once"):
        Policy.from_json(text)


@pytest.mark.parametrize(
    ("doc", "says"),
    [
        ({"overlap": True}, "'overlap' must be a whole number, found true"),
        ({"overlap": 2.5}, "'overlap' must be a whole number, found 2.5"),
        ({"quorum": None}, "'quorum' must be a number, found null"),
        ({"model_votes": "yes"}, "'model_votes' must be true or false, found 'yes'"),
        ({"conflict_column": 3}, "'conflict_column' must be a text, found 3"),
        ({"stop": "soon"}, "'stop' must be one of count, lead, posterior, found 'soon'"),
        ({"skills": [{"kind": "class"}]}, "rules with the texts kind, key, value, skill, found"),
        ({"overlop": 2}, "A policy has no field named 'overlop'"),
        ([], "A policy is one JSON object of fields and values, found []"),
    ],
    ids=str,
)  # fmt: skip
def test_a_refusal_speaks_the_words_of_the_file(doc, says):
    """What a field must be is told as a person would write it, not as Python calls it."""
    with pytest.raises(InputError) as caught:
        Policy.from_json(json.dumps(doc))
    assert says in caught.value.message


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)
names = st.sampled_from([*Policy.__dataclass_fields__, "overlop"])


@given(st.dictionaries(names, json_values, max_size=4))
def test_whatever_is_in_it_a_document_is_a_policy_or_refused(doc):
    """No document leads to another error, and what is taken can be told and written again."""
    try:
        policy = Policy.from_json(json.dumps(doc))
    except InputError:
        return
    assert describe(policy)
    assert Policy.from_json(policy.to_json()) == policy
