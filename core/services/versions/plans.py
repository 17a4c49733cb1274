"""A split plan from what people type."""

from __future__ import annotations

from core.datasets.splits import SplitPlan, parse_ratios

__all__ = ["SplitPlan", "made_plan"]


def made_plan(
    ratios: str = "",
    group_by: str = "",
    near: bool = True,
    seed: int = 0,
    leave_out: bool = False,
) -> SplitPlan:
    """Return the plan that was asked for in words.

    Raises:
        InputError: The shares cannot be read, or do not add up to 1.
    """
    return SplitPlan(parse_ratios(ratios), group_by.strip(), near, seed, leave_out)
