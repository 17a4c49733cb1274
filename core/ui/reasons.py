"""Why a lead rules as they do, in a dialog: a reason given often, own words, or both."""

from __future__ import annotations

import streamlit as st

from core.services.review.submission import MAX_REASON
from core.ui.deck.texts_ruling import reason_templates
from core.ui.text import _


def reason_field(key: str) -> str:
    """Draw what a reason is given in, empty at first, and return it; own words follow a template."""
    template = st.pills(
        _("Reasons"), [text for _key, text in reason_templates()],
        key=f"{key}.template", label_visibility="collapsed",
    )  # fmt: skip
    words = st.text_input(
        _("Reason (required)"), max_chars=MAX_REASON - 100, key=key,
        placeholder=_("Why? The reviewers will read it."),
    )  # fmt: skip
    return ": ".join(part for part in (template or "", words.strip()) if part)
