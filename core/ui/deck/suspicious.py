"""The list of suspicious labels as one element: rows, the image in hand with its evidence, two answers.

Answers are recorded by a route of ours (core/server/issues.py) before a row says so; Python hears nothing of
them until the page runs again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.services.issues.values import Issue, IssuesView, Kind
from core.ui import urls
from core.ui.deck.element import LOADER, STYLE
from core.ui.text import _, mark
from core.web import deck_path

KEY = "tb-suspicious"
# C and R belong to Streamlit.
KEYMAP = {
    "next": ["J", "Down"],
    "previous": ["K", "Up"],
    "back": ["B"],
    "right": ["O"],
    "undo": ["U"],
}
KIND_NAMES = {
    Kind.LABEL: mark("Another class likelier"),
    Kind.CONFLICT: mark("Same picture, other label"),
    Kind.SWAPPED: mark("Region of another class"),
    Kind.OVERLOOKED: mark("Region overlooked"),
    Kind.BADLY_LOCATED: mark("Region badly located"),
    Kind.LEAKAGE: mark("On both sides of the split"),
    Kind.OUTLIER: mark("Unlike all others"),
    Kind.DUPLICATE: mark("Picture there twice"),
}

_list = st.components.v2.component("tiebreak_suspicious", css=STYLE, js=LOADER)


def suspicious_list(slug: str, view: IssuesView, images: Mapping[int, str], person_id: int) -> None:
    """Mount the list.

    Args:
        slug: The project.
        view: What is listed, and how many more there are.
        images: Path of the picture of every further item they are about.
        person_id: Who looks.
    """
    rows = [_row(slug, issue, images) for issue in view.issues]
    revision = hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]
    _list(
        key=KEY,
        data={
            "module": urls.path(deck_path("suspicious.js")),
            "issues": rows,
            "total": view.matching,
            "revision": revision,
            "person": person_id,
            "may": view.may_answer,
            "keymap": KEYMAP,
            "urls": {"answer": urls.path(f"/files/issue/{slug}"), "base": urls.base()},
            "texts": suspicious_texts(),
        },
    )


def _row(slug: str, issue: Issue, images: Mapping[int, str]) -> dict[str, Any]:
    given = issue.label or _("no label")
    change = f"{given} → {issue.suggested}" if issue.suggested else given
    return {
        "item": issue.item,
        "file": issue.file,
        "kind": issue.kind.value,
        "kindName": _(KIND_NAMES[issue.kind]),
        "question": issue.question,
        "label": issue.label,
        "suggested": issue.suggested,
        "change": change,
        "score": issue.score,
        "reason": issue.reason,
        "why": _("Suspicious label ({score}): {reason}").format(
            score=f"{issue.score:.2f}", reason=issue.reason
        ),
        "final_seq": issue.final_seq,
        "box": list(issue.box) or None,
        "size": list(issue.size),
        "image": issue.image,
        "link": urls.page("items", project=slug, item=str(issue.item)),
        "others": [
            {
                "file": name,
                "link": urls.page("items", project=slug, item=str(item)),
                "image": images.get(item, ""),
            }
            for item, name in issue.others[:6]
        ],
    }


def suspicious_texts() -> dict[str, str]:
    """Return every text of the element by its key."""
    return {
        "list": _("Suspicious labels, the most suspicious first"),
        "pane": _("The label in hand"),
        "count": _("{i} of {n}, {left} without an answer"),
        "given": _("Given label"),
        "says": _("The evidence says"),
        "question": _("Question"),
        "score": _("Suspicion"),
        "noLabel": _("no label"),
        "alt": _("{file}, labelled {label}"),
        "others": _("Compare with"),
        "back": _("Back to review"),
        "right": _("It is right"),
        "undo": _("Take that back"),
        "previous": _("Previous"),
        "next": _("Next"),
        "sending": _("Saving …"),
        "sentBack": _("Sent back to review"),
        "calledRight": _("Called right"),
        "wasOpen": _("Was waiting for people already"),
        "toldBack": _("{file} was sent back to review."),
        "toldRight": _("{file} was called right; it is not asked again."),
        "waiting": _("The server cannot be reached; what you said is sent as soon as it can."),
        "failed": _("That was not recorded. Try again."),
        "saidAlready": _("This one has its answer already."),
        "noUndo": _(
            "Only what was called right can be taken back here; a ruling is overturned under Adjudicate."
        ),
        "mayNot": _("Leads send labels back or call them right; you may look."),
    }
