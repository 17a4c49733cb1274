"""The texts of the review deck, in the reader's language. Looked up at each call, never kept."""

from __future__ import annotations

from core.ui.deck.texts_about import about_texts
from core.ui.deck.texts_viewing import away_texts, viewing_texts
from core.ui.text import _, mark

_ORDERS = {
    "least-confident": mark("Least certain first"),
    "most-disputed": mark("Most disputed first"),
    "most-representative": mark("Most typical first"),
    "random": mark("Random order"),
    "oldest": mark("Oldest first"),
}


def order_texts() -> list[tuple[str, str]]:
    """Return the orders of the queue: stable code, text."""
    return [(code, _(text)) for code, text in _ORDERS.items()]


def deck_texts(shapes: bool = False) -> dict[str, str | dict[str, str]]:
    """Return the texts of the review deck by the names its modules use.

    Args:
        shapes: Whether the regions are something else than boxes.
    """
    return {
        **_on_the_item(),
        **_choosing(),
        **_about_the_work(),
        **_about_the_queue(),
        **_said(),
        **viewing_texts(),
        **about_texts(),
        "boxSource": _box_sources(),
        **(_of_shapes() if shapes else {}),
    }


def _on_the_item() -> dict[str, str]:
    return {
        "loading": _("Loading…"),
        "broken": _("This image cannot be shown"),
        "brokenAdvice": _("Skip it with {skip}, or go on with {next}. Others see the same."),
        "brokenDraft": _("Your draft of it is kept."),
        "draftDropped": _(
            "{n} of your draft could not be read and was left out; the rest is as it was."
        ),
        **away_texts(),
        "tryAgain": _("Try again"),
        "prelabel": _("Pre-label"),
        "noPrelabel": _("No pre-label: choose a class."),
        "confidence": _("Confidence {value}"),
        "margin": _("{value} points ahead of the second class"),
        "marginOne": _("1 point ahead of the second class"),
        "prelabelMark": _("pre-label"),
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


def _choosing() -> dict[str, str]:
    return {
        "rail": _("Answer"),
        "likely": _("Most likely"),
        "recent": _("Used lately"),
        "first": _("Classes"),
        "none": _("none of them"),
        "confirm": _("Confirm {n} classes"),
        "confirmOne": _("Confirm 1 class"),
        "confirmNone": _("Confirm: none of them"),
        "retired": _("“{name}” was retired and can no longer be chosen: choose another class."),
        "searchAll": _("Search all {n}"),
        **search_texts(),
        "ownKey": _("yours"),
        "changeKeys": _("Change keys"),
        "goodExample": _("Good example"),
        "badExample": _("Bad example"),
    }


def search_texts() -> dict[str, str]:
    """Return the texts of the sheet that finds a class, wherever it is opened."""
    return {
        "searchTitle": _("Search a class"),
        "searchPlaceholder": _("Type a name, its beginning or its initials"),
        "searchHits": _("Classes that fit"),
        "searchCount": _("{n} fit"),
        "searchNone": _("No class fits what you typed."),
        "searchHint": _("↑ ↓ Enter choose · Alt+digit picks · Esc closes"),
        "searchSeveral": _("Enter marks · Alt+digit marks · Esc goes back"),
        "chosenMark": _("your choice"),
    }


def _about_the_queue() -> dict[str, str | dict[str, str]]:
    return {
        "queueBar": _("Which items come"),
        "order": _("Order"),
        "listGone": _("{gone} of {all} are answered or held by others"),
        "listGoneOne": _("1 of {all} is answered or held by others"),
        "orderDefault": _("Order of the project"),
        "which": _("Which items"),
        "allItems": _("All items"),
        "queues": {"unsure": _("Somebody was unsure"), "flagged": _("Flagged")},
        "onlyClass": _("Pre-labelled as"),
        "anyClass": _("Any class"),
        "filters": {
            "queue": _("Only: {value}"),
            "class": _("Pre-labelled as {value}"),
            "slice": _("Slice {value}"),
            "list": _("List {value}"),
        },
        "dropFilter": _("Drop the filter: {filter}"),
        "nothingWith": _("Nothing left with this filter: {filter}"),
        "elsewhere": _("Work is waiting in other projects:"),
        "grid": _("Grid"),
        "otherPerson": _("Somebody else is signed in now in this browser. Nothing is lost."),
        "othersKept": _(
            "Another person's decisions wait in this tab: {n}. They are sent when that person "
            "signs in here again, and never under your name."
        ),
    }


def _about_the_work() -> dict[str, str]:
    return {
        "waiting": _("{n} waiting"),
        "saved": _("Saved {saved}"),
        "savedHere": _("Saved in this tab: {saved}. Answered today in this project: {today}."),
        "savedPending": _("Saved {saved} · pending {pending}"),
        "draftSaved": _("Draft kept {time}"),
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
        "closeGuideline": _("Close the guideline"),
        "noGuideline": _("This project has no guideline yet."),
        "help": _("Keys"),
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
        "acceptOrEdit": _("Now accept the boxes with {accept} or edit them with {edit}."),
        "stillLoading": _("The image is still loading."),
        "noPrelabelHere": _("There is no pre-label for this question: choose a class."),
        "noClass": _("No class has the key {digit}."),
        "noBoxes": _(
            "There are no boxes to accept: draw some with {edit}, or press {nothing} for nothing here."
        ),
        "editHint": _("Press {edit} to edit the boxes."),
        "openingCanvas": _("Opening the canvas."),
        "nothingToUndo": _("Nothing to undo."),
        "nothingToRedo": _("Nothing to redo."),
        "toldRight": _("{name}: that was right."),
        "toldWrong": _("{name}: not quite. The answer is: {truth}."),
        "lastOne": _("This is the last one."),
        "firstOne": _("This is the first one."),
        "overlayOn": _("Boxes shown."),
        "overlayOff": _("Boxes hidden."),
        "oneChannel": _("This image has no channels to look at one by one."),
        "marked": _("{name} marked. {n} in all."),
        "unmarked": _("{name} no longer marked. {n} in all."),
        "stepBack": _("One step back."),
        "stepForth": _("One step forth."),
        "copied": _("Link copied"),
    }


def _of_shapes() -> dict[str, str]:
    """Return the texts that speak of boxes, for polygons, keypoints and masks."""
    return {
        "boxes": _("Regions: {n}"),
        "acceptBoxes": _("Accept regions"),
        "nextBoxes": _("{name}. Regions: {n}."),
        "acceptOrEdit": _("Now accept the regions with {accept} or edit them with {edit}."),
        "noBoxes": _(
            "There are no regions to accept: draw some with {edit}, or press {nothing} for nothing here."
        ),
        "editHint": _("Press {edit} to edit the regions."),
        "overlayOn": _("Regions shown."),
        "overlayOff": _("Regions hidden."),
    }


def _box_sources() -> dict[str, str]:
    return {
        "draft": _("Your draft"),
        "mine": _("Your answer"),
        "prelabel": _("Pre-label"),
        "none": _("No pre-label: press {edit} to draw."),
    }
