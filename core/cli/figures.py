"""How figures stand in documents and lines of the terminal, the same in every command."""

from __future__ import annotations

from collections.abc import Sequence

from core.services.bias.slice_ask import Condition
from core.stats.intervals import Estimate


def estimate(e: Estimate) -> dict[str, object]:
    """Return a figure for a document: n, value and interval; shares are fractions."""
    return {"n": e.n, "value": e.value, "low": e.low, "high": e.high}


def named(conditions: Sequence[Condition]) -> str:
    """Return a slice's name: camera=C, light=dusk."""
    return ", ".join(f"{c}={'(not known)' if v is None else v}" for c, v in conditions)


def percent(share: float, digits: int = 1) -> str:
    """Return a share as people read it: 74.5 %."""
    return f"{100 * share:.{digits}f} %"


def p_value(p: float | None) -> str:
    """Return a p as people read it."""
    if p is None:
        return "-"
    return "<0.001" if p < 0.001 else f"{p:.3f}"
