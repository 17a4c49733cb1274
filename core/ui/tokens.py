"""The visual language in numbers: colours that mean something, the same in every chart and card.

Surfaces, text and the accent are set for light and dark in ``.streamlit/config.toml``; what is
here must read on both. Colours follow Okabe-Ito and Tol: told apart by colour-blind readers, and
never the only carrier of a meaning.
"""

from __future__ import annotations

from core.labels.state import ItemState

ACCENT = "#2F6FDE"
GOOD = "#1B9E77"
WARN = "#D98200"
BAD = "#D1495B"
MUTED = "#8B95A3"

STATE_COLOURS: dict[str, str] = {
    ItemState.OPEN: "#9AA5B4",
    ItemState.DISPUTE: "#E69F00",
    ItemState.IMPORTED: "#6A8FC7",
    ItemState.AUTO_ACCEPTED: "#56B4E9",
    ItemState.AGREED: "#1B9E77",
    ItemState.ADJUDICATED: "#AA4499",
    ItemState.NEUTRAL: "#A5A58D",
    ItemState.DISCARDED: "#6B7280",
}

# In the order in which an item gets there; bars are stacked in it.
STATE_ORDER: tuple[str, ...] = (
    ItemState.IMPORTED,
    ItemState.AUTO_ACCEPTED,
    ItemState.AGREED,
    ItemState.ADJUDICATED,
    ItemState.NEUTRAL,
    ItemState.DISCARDED,
    ItemState.DISPUTE,
    ItemState.OPEN,
)
