"""Every text the grid shows, in the reader's language. Looked up at each call, never kept."""

from __future__ import annotations

from core.ui.deck.texts import search_texts
from core.ui.text import _


def grid_texts(shapes: bool = False) -> dict[str, str]:
    """Return the grid's texts by the names its modules use.

    Args:
        shapes: Whether the regions are something else than boxes.
    """
    said = {**_page_texts(), **_state_texts(), **_spoken_texts(), **_sheet_texts()}
    return {**said, **_of_shapes()} if shapes else said


def grid_keys() -> list[tuple[str, str]]:
    """Return the keys with what they do, in the order of the help sheet."""
    return [
        ("← → ↑ ↓", _("Move from tile to tile; with Shift, mark on the way")),
        ("Space X", _("Mark the tile as wrong, or take the mark off")),
        ("1 – 0", _("Give what is marked another class")),
        ("/", _("Find a class by typing")),
        ("A", _("Mark all, or none")),
        ("T", _("Take the other answers from the pre-label, or not")),
        ("Enter", _("Confirm the rest of the page")),
        ("Z Backspace", _("Take the last page back")),
        ("+ -", _("More or fewer tiles on a page")),
        ("I", _("Hold: the whole image, large")),
        ("L", _("Copy the link to this item")),
        ("Esc", _("Choose another class")),
        ("? F1", _("This help")),
    ]


def _of_shapes() -> dict[str, str]:
    """Return the texts that speak of boxes, for polygons, keypoints and masks."""
    return {
        "confirmBoxes": _("Confirm {n} regions as shown"),
        "boxHint": _(
            "Tiles show what the model drew, not what it missed: hold I for the whole image. "
            "Regions of one image are tied together and make one vote; if one is only marked, the "
            "image waits in your review deck."
        ),
    }


def _page_texts() -> dict[str, str]:
    return {
        "classes": _("Classes"),
        "waiting": _("up to {n} waiting"),
        "waitingShort": _("up to {n}"),
        "perPage": _("Tiles on a page"),
        "help": _("Help"),
        "undo": _("Undo page"),
        "giveClass": _("Give what is marked another class"),
        "giveThis": _("What is marked is {name}"),
        "search": _("Find…"),
        "confirm": _("Confirm {n} as {name}"),
        "confirmBoxes": _("Confirm {n} boxes as shown"),
        "changed": _("{n} to another class"),
        "marked": _("{n} to your deck"),
        "broken": _("{n} without a picture, left out"),
        "wrong": _("wrong"),
        "noPicture": _("No picture"),
        "others": _("Take the other answers from the pre-label (shown on each tile)"),
        "boxHint": _(
            "Tiles show what the model drew, not what it missed: hold I for the whole image. "
            "Boxes of one image are tied together and make one vote; if one is only marked, the "
            "image waits in your review deck."
        ),
        "attention": _(
            "Some tiles are known to be wrong, to see what is overlooked. You noticed {p} % of "
            "{n} so far (95 % interval {low} to {high} %)."
        ),
        "attentionNone": _("Some tiles are known to be wrong, to see what is overlooked."),
    }


def _state_texts() -> dict[str, str]:
    return {
        "saved": _("Saved {n}"),
        "savedPending": _("Saved {n} · pending {m}"),
        "signedOut": _("You are signed out. What you decided is kept here; sign in again."),
        "forbidden": _("Your role no longer allows this. What you decided is kept here."),
        "offline": _("The server cannot be reached. What you decided is kept here and sent again."),
        "retry": _("Try again"),
        "refusedNote": _("{n} could not be saved: see the last tiles, with the reason."),
        "confirmAnyway": _("Confirm"),
        "reallyConfirm": _("You have looked at {n} tiles for {s} s. Confirm them?"),
        "unseen": _("{n} tiles further down have not been on the screen. Confirm them too?"),
        "pickTitle": _("Which class do you want to look through?"),
        "pickText": _(
            "Each page shows images the model predicted to be of one class, the most doubtful "
            "first. Mark what is wrong, confirm the rest with one key."
        ),
        "retired": _("retired"),
        "emptyTitle": _("No more {name}"),
        "troubleTitle": _("The page could not be loaded"),
        "loading": _("Loading…"),
    }


def _spoken_texts() -> dict[str, str]:
    return {
        "listLabel": _("Tiles predicted {name}"),
        "sayPage": _("{n} tiles predicted {name}"),
        "sayUnmarked": _("not marked"),
        "sayWrong": _("marked wrong"),
        "sayGiven": _("given class {name}"),
        "sayMarked": _("{n} marked"),
        "sayDone": _("{n} confirmed as {name}, {m} sent to your deck"),
        "sayUndone": _("Page taken back, {n} votes withdrawn"),
        "noClass": _("No class has the key {digit}"),
        "agreeFirst": _(
            "This project asks more than the class. May the other answers be taken from the "
            "pre-label, as each tile shows them?"
        ),
        "agree": _("Take them"),
        "othersOn": _("The other answers are taken from the pre-label"),
        "othersOff": _("The other answers are not taken from the pre-label"),
        "stillLoading": _("The pictures are still loading"),
        "nothingToUndo": _("There is no page to take back"),
        "copied": _("Link copied"),
        "copyByHand": _("Copy this link"),
    }


def _sheet_texts() -> dict[str, str]:
    return {
        "closeHint": _("Esc closes"),
        **search_texts(),
    }
