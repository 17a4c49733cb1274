"""The policy as a value: bounds, JSON, and what it says of itself."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.consensus.policy import (
    OnDisagreement,
    Policy,
    RegionGeometry,
    RegionsBy,
    SkillKind,
    SkillRule,
    Stop,
    describe,
)
from core.consensus.settle import Reason
from core.errors import InputError
from core.services.items.why import WHY_STATE

POLICIES = st.builds(
    lambda overlap, rule, more, iou, own: Policy(overlap, rule, overlap + more, iou, own),
    st.integers(1, 9),
    st.sampled_from(OnDisagreement),
    st.integers(0, 9),
    st.floats(0.01, 1),
    st.booleans(),
)


@given(POLICIES)
def test_a_policy_survives_json(policy):
    """What is written is read back equal, and written again the same."""
    again = Policy.from_json(policy.to_json())
    assert again == policy
    assert again.to_json() == policy.to_json()
    assert type(again.on_disagreement) is OnDisagreement


def test_absent_fields_keep_their_default():
    """A shorter document, say of an older version, is still a policy."""
    assert Policy.from_json('{"overlap": 1}') == Policy(overlap=1)


@pytest.mark.parametrize(
    "fields",
    [
        {"overlap": 0},
        {"overlap": 100},
        {"overlap": 4},  # above the default most votes
        {"overlap": 2, "max_votes": 1},
        {"iou_at_least": 0.0},
        {"iou_at_least": 1.5},
        {"iou_at_least": float("nan")},
    ],
)
def test_numbers_out_of_bounds_are_refused(fields):
    """A policy that could never settle anything cannot be made."""
    with pytest.raises(InputError):
        Policy(**fields)


def test_most_votes_bind_only_where_more_are_asked():
    """A policy that never asks for a third vote may have any overlap."""
    assert Policy(overlap=5, on_disagreement=OnDisagreement.LEAD).overlap == 5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "3",
        '{"overlop": 2}',
        '{"overlap": "2"}',
        '{"overlap": true}',
        '{"overlap": 2.5}',
        '{"on_disagreement": "vote"}',
        '{"on_disagreement": []}',
        '{"iou_at_least": "half"}',
        '{"adjudicate_own": 1}',
    ],
)
def test_text_that_is_no_policy_is_refused(text):
    """Unknown fields and values of the wrong kind are refused with a sentence."""
    with pytest.raises(InputError) as caught:
        Policy.from_json(text)
    assert caught.value.message.endswith((".", "]"))


@given(POLICIES)
def test_a_description_tells_policies_apart(policy):
    """The plain text names the overlap's bound, the count of votes and what follows a difference."""
    text = describe(policy)
    bound = f"{policy.iou_at_least * 100:.0f} %"
    assert bound in text
    assert bound not in describe(policy, boxes=False)
    assert policy.overlap == 1 or f"{policy.overlap} people" in text
    word = {"third-vote": "", "discard": "discarded", "neutral": "no label", "lead": "lead decides"}
    assert word[policy.on_disagreement] in text


def test_json_is_canonical():
    """Keys are sorted, so equal policies have equal hashes."""
    doc = json.loads(Policy().to_json())
    assert list(doc) == sorted(doc)


WIDE = Policy(
    overlap=3,
    max_votes=7,
    algorithm="dawid-skene",
    stop=Stop.POSTERIOR,
    posterior_at_least=0.9,
    model_votes=True,
    regions=RegionsBy.EACH,
    quorum=0.6,
    geometry=RegionGeometry.WEIGHTED,
    skills=(SkillRule(SkillKind.CLASS, "", "owl", "birds"),),
    conflict_column="photographer",
)


def test_a_policy_of_before_is_written_as_before():
    """New fields at their default are left out, so what was stored still compares and hashes equal."""
    old = (
        '{"adjudicate_own":false,"iou_at_least":0.5,"max_votes":3,"on_disagreement":"third-vote",'
        '"overlap":2}'
    )
    assert Policy().to_json() == old
    assert Policy.from_json(old) == Policy()


def test_every_field_survives_json():
    """Also lists of rules and words out of a choice come back as what they were."""
    again = Policy.from_json(WIDE.to_json())
    assert again == WIDE
    assert type(again.stop) is Stop
    assert type(again.skills[0].kind) is SkillKind


def test_the_description_says_all_of_it():
    """Every rule of a policy is in its plain words, and none that it has not."""
    said, plain = describe(WIDE), describe(Policy())
    for words in ("90 % sure", "up to 7 votes", "The model counts", "60 % of the people", "birds",
                  "photographer"):  # fmt: skip
        assert words in said
        assert words not in plain
    ahead = describe(Policy(stop=Stop.LEAD, lead_of=2))
    assert "2 votes ahead" in ahead


def test_every_reason_has_a_sentence():
    """Whatever settling gives as its reason can be told to people."""
    assert {str(r) for r in Reason} <= set(WHY_STATE)
