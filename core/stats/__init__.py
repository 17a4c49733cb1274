"""Statistics everyone shares: intervals, bootstrap, proportions, multiple comparisons. Pure functions."""

from core.stats.intervals import UNDEFINED, Estimate, clopper_pearson, wilson

__all__ = ["UNDEFINED", "Estimate", "clopper_pearson", "wilson"]
