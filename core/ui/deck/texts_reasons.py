"""Why an item is skipped or flagged, in words."""

from __future__ import annotations

from core.services.review.submission import FLAG_REASONS, SKIP_REASONS
from core.ui.text import _, mark

_SKIP = {
    "unsure": mark("I am not sure"),
    "image-unusable": mark("The image is unusable"),
    "wrong-subject": mark("It shows something else"),
    "several-subjects": mark("It shows several subjects"),
    "no-class-fits": mark("No class fits"),
    "other": mark("Another reason"),
}

_FLAG = {
    "guideline-unclear": mark("The guideline is unclear here"),
    "class-missing": mark("A class is missing"),
    "bad-image": mark("Something is wrong with the image"),
    "duplicate": mark("It is a duplicate"),
    "other": mark("Another reason"),
}


def skip_reasons() -> list[tuple[str, str]]:
    """Return the reasons for skipping: stable code, text."""
    return [(code, _(_SKIP[code])) for code in SKIP_REASONS]


def flag_reasons() -> list[tuple[str, str]]:
    """Return the reasons for flagging: stable code, text."""
    return [(code, _(_FLAG[code])) for code in FLAG_REASONS]


def flag_words(reason: str) -> str:
    """Return a flag's reason in words: a code, or a code with the person's comment after it."""
    code, _colon, comment = reason.partition(": ")
    known = _(_FLAG[code]) if code in _FLAG else code
    return f"{known}: {comment}" if comment else known
