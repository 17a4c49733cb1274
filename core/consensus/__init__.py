"""Votes to labels: policy, settling, region fusion, agreement, annotator skill. Pure functions."""

from core.consensus.policy import OnDisagreement, Policy, describe
from core.consensus.settle import (
    Decision,
    DecisionKind,
    Evidence,
    Inferred,
    InferredAnswer,
    Outcome,
    Reason,
    Vote,
    settle,
)

__all__ = [
    "Decision",
    "DecisionKind",
    "Evidence",
    "Inferred",
    "InferredAnswer",
    "OnDisagreement",
    "Outcome",
    "Policy",
    "Reason",
    "Vote",
    "describe",
    "settle",
]
