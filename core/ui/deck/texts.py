"""Every text the deck shows, in the reader's language. Looked up at each call, never kept."""

from __future__ import annotations

from core.services.review import FLAG_REASONS, SKIP_REASONS
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


def key_sheet(boxes: bool, more: bool) -> list[tuple[str, str]]:
    """Return the keys with what they do, in the order of the help sheet.

    Args:
        boxes: Whether boxes are drawn in this project.
        more: Whether an item has a further question, so that an answer does not always end it.
    """
    common = [
        ("Space", _("Skip: not sure")),
        ("X", _("Skip with a reason, 1 to 6")),
        ("F", _("Flag for the lead, with a comment")),
        ("Z Backspace", _("Undo the last decision")),
        ("Shift+Z", _("Redo")),
        ("← →", _("Previous, next, without deciding")),
        ("H", _("Show or hide the boxes")),
        ("I", _("Guideline")),
        ("L", _("Copy the link to this item")),
        ("? F1", _("This help")),
    ]
    if boxes:
        return [*_box_keys(more), *common]
    return [*_class_keys(more), *common]


def _box_keys(more: bool) -> list[tuple[str, str]]:
    if more:
        return [
            ("A Enter", _("Accept what is shown, next question or image")),
            ("E", _("Edit the boxes")),
            ("1 – 0", _("Choose a class, next question or image")),
            ("0", _("Nothing here: no boxes, where no class has this key")),
        ]
    return [
        ("A Enter", _("Accept the boxes shown, next image")),
        ("E", _("Edit the boxes")),
        ("0", _("Nothing here: no boxes, next image")),
    ]


def _class_keys(more: bool) -> list[tuple[str, str]]:
    if more:
        return [
            ("A Enter", _("Accept the pre-label, next question or image")),
            ("1 – 0", _("Choose a class, next question or image")),
        ]
    return [
        ("A Enter", _("Accept the pre-label, next image")),
        ("1 – 0", _("Choose a class, next image")),
    ]


def deck_texts() -> dict[str, str | dict[str, str]]:
    """Return the texts of the review deck by the names its modules use."""
    return {
        **_on_the_item(),
        **_about_the_work(),
        **_said(),
        **_viewing(),
        "boxSource": _box_sources(),
    }


def _on_the_item() -> dict[str, str]:
    return {
        "loading": _("Loading…"),
        "broken": _("This image cannot be shown"),
        "brokenAdvice": _("Skip it with X, or go on with →. Others see the same."),
        "tryAgain": _("Try again"),
        "prelabel": _("Pre-label"),
        "noPrelabel": _("No pre-label: choose a class."),
        "confidence": _("Confidence {value}"),
        "margin": _("{value} points ahead of the second class"),
        "marginOne": _("1 point ahead of the second class"),
        "prelabelMark": _("pre-label"),
        "chosenMark": _("your choice"),
        "boxes": _("Boxes: {n}"),
        "size": _("Size"),
        "known": _("About this image"),
        "mine": _("Your answer so far: {label}"),
        "takenBack": _("Taken back: {label}"),
        "questionOf": _("{n} of {all}"),
        "accept": _("Accept pre-label"),
        "acceptBoxes": _("Accept boxes"),
        "edit": _("Edit"),
        "nothingHere": _("Nothing here"),
        "skip": _("Skip"),
        "reasons": _("Skip, why"),
        "flag": _("Flag"),
        "undo": _("Undo"),
    }


def _about_the_work() -> dict[str, str]:
    return {
        "waiting": _("{n} waiting"),
        "saved": _("Saved {saved}"),
        "savedPending": _("Saved {saved} · pending {pending}"),
        "draftSaved": _("Draft saved {time}"),
        "draftUnsaved": _("Draft kept here, not saved yet"),
        "reconnecting": _(
            "Reconnecting… Go on working: what is not saved yet is kept and sent again."
        ),
        "signedOut": _("You were signed out. Nothing is lost."),
        "signIn": _("Sign in again"),
        "kept": _("What you decided is kept in this tab and sent when that is settled."),
        "refused": _("Not saved: {name}."),
        "openAgain": _("Open again"),
        "dismiss": _("Dismiss"),
        "nothingLeft": _("Nothing left for you here"),
        "empty": _("You have answered everything that has a place for you."),
        "emptyPending": _("Waiting for {pending} decisions to be saved."),
        "lookAgain": _("Look again"),
        "refusedPage": _("The queue could not be opened"),
        "noSuchItem": _("This item cannot be shown"),
        "toQueue": _("Go to the queue"),
        "guideline": _("Guideline"),
        "noGuideline": _("This project has no guideline yet."),
        "help": _("Keys"),
        "helpButton": _("Keys ?"),
        "whySkip": _("Why skip this one?"),
        "closeHint": _("Esc closes."),
        "flagTitle": _("Flag for the lead"),
        "flagReason": _("Reason"),
        "flagComment": _("What should the lead look at?"),
        "sendFlag": _("Flag, next image"),
        "cancel": _("Cancel"),
    }


def _said() -> dict[str, str]:
    """Return what is told to a screen reader."""
    return {
        "decided": _("{name}: {label}."),
        "undone": _("Undone: {name}."),
        "skipped": _("skipped"),
        "flagged": _("flagged"),
        "nextItem": _("{name}. Pre-label {label}, {sure}."),
        "nextPlain": _("{name}. No pre-label."),
        "nextBoxes": _("{name}. Boxes: {n}."),
        "nowAsk": _("Now: {question}"),
        "acceptOrEdit": _("Now accept the boxes with A or edit them with E."),
        "stillLoading": _("The image is still loading."),
        "noPrelabelHere": _("There is no pre-label for this question: choose a class."),
        "noClass": _("No class has the key {digit}."),
        "noBoxes": _(
            "There are no boxes to accept: draw some with E, or press 0 for nothing here."
        ),
        "editHint": _("Press E to edit the boxes."),
        "openingCanvas": _("Opening the canvas."),
        "nothingToUndo": _("Nothing to undo."),
        "nothingToRedo": _("Nothing to redo."),
        "lastOne": _("This is the last one."),
        "firstOne": _("This is the first one."),
        "overlayOn": _("Boxes shown."),
        "overlayOff": _("Boxes hidden."),
        "copied": _("Link copied"),
    }


def _box_sources() -> dict[str, str]:
    return {
        "draft": _("Your draft"),
        "mine": _("Your answer"),
        "prelabel": _("Pre-label"),
        "none": _("No pre-label: press E to draw."),
    }


def _viewing() -> dict[str, str | dict[str, str]]:
    """Return the texts of the stage: zoom, light, channels."""
    return {
        "stage": _("Image"),
        "zoom": _("Zoom and view"),
        "zoomIn": _("Zoom in"),
        "zoomOut": _("Zoom out"),
        "fit": _("Fit"),
        "toggleFit": _("Whole image or 100 %"),
        "adjust": _("Brightness, contrast and view"),
        "sliders": {
            "brightness": _("Brightness"),
            "contrast": _("Contrast"),
            "gamma": _("Gamma"),
            "opacity": _("Overlay"),
        },
        "altered": _("{name} {value}"),
        "sharp": _("Sharp pixels when enlarged"),
        "keepZoom": _("Keep the zoom for the next image"),
        "resetView": _("Reset"),
        "closeView": _("Close"),
        "channelOf": _("Channel {n} of {all}: {name}"),
        "colours": {"R": _("red"), "G": _("green"), "B": _("blue")},
        "overlayHidden": _("Overlay hidden"),
    }


def votes_texts() -> dict[str, str | dict[str, str]]:
    """Return the texts of the votes over a disputed image."""
    return {
        **_viewing(),
        "loading": _("Loading…"),
        "broken": _("This image cannot be shown"),
        "brokenAdvice": _("You can still rule on it by what was said of it."),
        "tryAgain": _("Try again"),
        "boxes": _("Boxes: {n}"),
        "noBoxes": _("No boxes"),
        "only": _("Show only this one"),
        "all": _("Show all"),
    }
