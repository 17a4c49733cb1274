"""What the ruling beside a dispute says: its buttons, its reasons, why nothing was decided."""

from __future__ import annotations

from typing import Any

from core.ui.deck.texts import search_texts
from core.ui.deck.texts_ruling_keys import ruling_keys
from core.ui.text import _

# Keys of the classes are digits, as in the deck; C and R belong to Streamlit.
_REASONS = ("G", "V", "H", "T", "U")


def reason_templates() -> list[tuple[str, str]]:
    """Return the reasons a lead gives most often, each with its key."""
    texts = (
        _("Guideline settles it"),
        _("Clearly visible"),
        _("Slip of the hand"),
        _("Gap in the guideline"),
        _("Image unclear"),
    )
    return list(zip(_REASONS, texts, strict=True))


def ruling_texts(shapes: bool = False) -> dict[str, Any]:
    """Return the texts of the ruling.

    Args:
        shapes: Whether something else than boxes is drawn.
    """
    return {
        **_asking(shapes),
        **_undecided(),
        "rail": _("The ruling"),
        "differs": _("Differs in: {what}"),
        "takes": _("Answers to take"),
        "hintTakes": _("{keys}: take"),
        "hintDigits": _("digits: answer"),
        "hintEdit": _("E: edit"),
        "hintReasons": _("{keys}: reason"),
        "hintSay": _("S: own words"),
        "hintAlike": _("L: like it"),
        "hintCause": _("A: cause"),
        "hintHelp": _("?: all keys"),
        "hintOthers": _("← →: others"),
        "hintParty": _("P: alone"),
        "hintFilter": _("F: filters"),
        "settles": _("Open disputes such a clause speaks to: {n}."),
        **_alike(),
        "closeHint": _("Esc closes."),
        "keys": ruling_keys(shapes),
        **search_texts(),
    }


def _alike() -> dict[str, str | dict[str, str]]:
    """Return what the row of settled cases says."""
    return {
        "alike": _("Settled cases like it"),
        "alikeN": _("Settled cases like it: {n}"),
        "alikeOne": _("{label}: {name}, {share} alike"),
        "noneAlike": _("People have settled nothing that looks like it yet."),
        "alikeLater": _(
            "Known after the first training: images are compared by what a model sees."
        ),
        "settledBy": {
            "agreed": _("votes agreed"),
            "adjudicated": _("a lead ruled"),
            "imported": _("imported as trusted"),
        },
    }


def _asking(shapes: bool) -> dict[str, str | dict[str, str]]:
    return {
        "reason": _("Reason"),
        "reasons": _("Reasons"),
        "reasonHint": _("Why? The reviewers will read it."),
        "allClasses": _("All {n} classes"),
        "confirmSet": _("Confirm {n}"),
        "confirmNone": _("None of them"),
        "noneOfThem": _("none of them"),
        "boxes": _("Regions: {n}") if shapes else _("Boxes: {n}"),
        "decide": _("Decide"),
        "decideFor": _("Decide: {label}"),
        "ways": {
            "neutral": _("No class fits"),
            "discard": _("Discard"),
            "send-back": _("More votes"),
        },
    }


def _undecided() -> dict[str, str | dict[str, str]]:
    """Return what is missing, and why a key decided nothing."""
    return {
        "lacksAnswer": _("D needs an answer to every question; N, X and B do not."),
        "lacksRegions": _("D needs an answer that was taken or edited; N, X and B do not."),
        "lacksReason": _("Now say why: D, N, X and B need a reason."),
        "lacksBoth": _("Pick an answer, say why: D, N, X and B need a reason."),
        "noReason": _("Not decided: say why first."),
        "noAnswer": _("Not decided: answer everything first."),
        "tooSoon": _("Not decided: this had only just come up. Look, then press again."),
        "changed": _("Somebody voted or ruled here while you looked: look again."),
        "offline": _("Not decided yet: no connection. It is sent as soon as it is back."),
        "decided": _("Decided. The next one is coming."),
        "elsewhere": _("{name}: {what}"),
        "elsewhereDone": _("{name} is decided: the connection is back."),
        "signedOut": _("Not decided: you are signed out. Sign in again; what you wrote is kept."),
        "otherPerson": _("Not decided: somebody else is signed in in this browser by now."),
        "refused": _("Not decided: {why}"),
        "refusedUnknown": _("the server did not take it."),
    }
