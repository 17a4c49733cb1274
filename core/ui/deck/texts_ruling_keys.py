"""What every key beside a dispute does: its help sheet."""

from __future__ import annotations

from typing import Any

from core.ui.text import _


def ruling_keys(shapes: bool = False) -> dict[str, Any]:
    """Return the help sheet of the ruling: titles, and rows of keys and what they do.

    Args:
        shapes: Whether something else than boxes is drawn.
    """
    return {
        "title": _("Keys"),
        "titles": {
            "answer": _("Answer"),
            "reason": _("Reason"),
            "rule": _("Rule"),
            "look": _("Look"),
        },
        "answering": [
            (["1", "0"], _("The class with this digit, 1 to 9 and 0")),
            (["/"], _("Search a class by typing, where there are many")),
            (["Enter"], _("Confirm the classes marked, where several may be given")),
            (["Backspace"], _("Take the last class back")),
        ],
        "drawing": [(["E"], _("Edit regions") if shapes else _("Edit boxes"))],
        "parties": [
            (["P", "Shift+P"], _("One party's regions alone: the next, the one before")),
        ],
        "reasoning": [(["S"], _("Own words; Enter or Esc ends them"))],
        "ruling": [
            (["D"], _("Decide")),
            (["N"], _("No class fits")),
            (["X"], _("Discard")),
            (["B"], _("More votes")),
        ],
        "looking": [
            (["Left", "Right"], _("Previous, next dispute")),
            (["L"], _("Settled cases like it")),
            (["A"], _("Why it is a dispute: evidence and clause")),
            (["F"], _("Filters")),
            (["?"], _("This help")),
        ],
    }
