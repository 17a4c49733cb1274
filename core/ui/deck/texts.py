"""Every text the deck shows, in the reader's language. Looked up at each call, never kept."""

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


Rows = list[tuple[list[str], str]]
"""Rows of the help sheet: the commands a row tells of, and what they do."""


def key_sheet(
    boxes: bool,
    more: bool,
    several: bool = False,
    many: bool = False,
    grid: bool = False,
    shapes: bool = False,
) -> list[tuple[str, Rows]]:
    """Return what every command does, in groups, in the order of the help sheet.

    Args:
        boxes: Whether regions are drawn in this project.
        more: Whether an item has a further question, so that an answer does not always end it.
        several: Whether a question takes several classes.
        many: Whether a question has so many classes that they are searched.
        grid: Whether there is a grid page.
        shapes: Whether the regions are something else than boxes.
    """
    answering = [
        *(_region_rows(more, shapes) if boxes else _class_rows(more)),
        *([(["confirm"], _("Confirm the classes marked, none of them too"))] if several else []),
        *([(["search"], _("Search a class by typing"))] if many else []),
        (["skip"], _("Skip: not sure")),
        (["reasons"], _("Skip with a reason, 1 to 6")),
        (["flag"], _("Flag for the lead, with a comment")),
    ]
    moving = [
        (["undo"], _("Undo the last step or decision")),
        (["redo"], _("Redo")),
        (["previous", "next"], _("Previous, next, without deciding")),
        *([(["grid"], _("Many at once: the grid"))] if grid else []),
    ]
    drawing: Rows = [
        (["edit"], _("Edit what is drawn")),
        (["canvas"], _("Open the drawing canvas")),
        (["nextObject", "previousObject"], _("Next, previous object")),
    ]
    return [
        (_("Answer"), answering),
        (_("Move"), moving),
        *([(_("Draw"), drawing)] if boxes else []),
        (_("Look"), _looking_rows()),
        (_("More"), _further_rows()),
    ]


def _looking_rows() -> Rows:
    return [
        (["zoomIn", "zoomOut"], _("Zoom in, out; the wheel too, drag moves")),
        (["toggleFit"], _("Whole image or 100 %")),
        (["actual"], _("100 % while held; 0 too, where no class has it")),
        (["panLeft", "panRight", "panUp", "panDown"], _("Move the view")),
        (["adjust"], _("Brightness, contrast, view")),
        (["overlay"], _("Show or hide what is drawn")),
        (["opacity"], _("Overlay stronger or fainter")),
        (["channel"], _("Channels one by one")),
    ]


def _further_rows() -> Rows:
    return [
        (["thread"], _("Comment, ask the lead")),
        (["info"], _("Guideline")),
        (["link"], _("Copy the link to this item")),
        (["help"], _("This help")),
    ]


_CHOOSE = [f"choose{digit}" for digit in "1234567890"]


def _region_rows(more: bool, shapes: bool) -> Rows:
    if more:
        nothing = (
            _("Nothing here: no regions, where no class has this key")
            if shapes
            else _("Nothing here: no boxes, where no class has this key")
        )
        return [
            (["accept"], _("Accept what is shown, next question or image")),
            (_CHOOSE, _("Choose a class, next question or image")),
            (["choose0"], nothing),
        ]
    if shapes:
        return [
            (["accept"], _("Accept the regions shown, next image")),
            (["choose0"], _("Nothing here: no regions, next image")),
        ]
    return [
        (["accept"], _("Accept the boxes shown, next image")),
        (["choose0"], _("Nothing here: no boxes, next image")),
    ]


def _class_rows(more: bool) -> Rows:
    if more:
        return [
            (["accept"], _("Accept the pre-label, next question or image")),
            (_CHOOSE, _("Choose a class, next question or image")),
        ]
    return [
        (["accept"], _("Accept the pre-label, next image")),
        (_CHOOSE, _("Choose a class, next image")),
    ]


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


_COMMANDS = {
    **dict.fromkeys(_CHOOSE, mark("Class {n}")),
    "accept": mark("Accept the pre-label"),
    "confirm": mark("Confirm what is chosen"),
    "search": mark("Search a class"),
    "skip": mark("Skip, not sure"),
    "reasons": mark("Skip with a reason"),
    "flag": mark("Flag for the lead"),
    "undo": mark("Undo"),
    "redo": mark("Redo"),
    "previous": mark("Previous item"),
    "next": mark("Next item"),
    "grid": mark("Go to the grid"),
    "zoomIn": mark("Zoom in"),
    "zoomOut": mark("Zoom out"),
    "toggleFit": mark("Whole image or 100 %"),
    "actual": mark("100 % while held"),
    "panLeft": mark("Move the view left"),
    "panRight": mark("Move the view right"),
    "panUp": mark("Move the view up"),
    "panDown": mark("Move the view down"),
    "adjust": mark("Brightness and contrast"),
    "overlay": mark("Show or hide what is drawn"),
    "opacity": mark("Overlay opacity"),
    "channel": mark("Next channel"),
    "edit": mark("Edit what is drawn"),
    "canvas": mark("Open the drawing canvas"),
    "nextObject": mark("Next object"),
    "previousObject": mark("Previous object"),
    "thread": mark("Comment"),
    "link": mark("Copy the link"),
    "info": mark("Guideline"),
    "help": mark("Help"),
}


def command_text(name: str) -> str:
    """Return what a command of the deck is called in the settings."""
    place = _CHOOSE.index(name) + 1 if name in _CHOOSE else 0
    return _(_COMMANDS[name]).format(n=place)


def group_text(group: str) -> str:
    """Return the heading of a group of commands."""
    texts = {"answer": _("Answer"), "move": _("Move"), "look": _("Look"), "draw": _("Draw")}
    return texts.get(group, _("More"))


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
        **_viewing(),
        **_about(),
        "boxSource": _box_sources(),
        **(_of_shapes() if shapes else {}),
    }


def _away() -> dict[str, str]:
    return {
        "away": _("The picture is on its way: no connection."),
        "awaySignedOut": _("The picture is on its way: you were signed out."),
        "awayFaulty": _("The picture is not here yet: the server has a fault with it."),
        "awayAdvice": _("It appears by itself. What you decide is kept."),
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
        **_away(),
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


def _viewing() -> dict[str, str | dict[str, str]]:
    """Return the texts of the stage: zoom, light, channels."""
    return {
        "stage": _("Image"),
        "zoom": _("Zoom and view"),
        "coarse": _("Finer detail could not be loaded here"),
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
        "allChannels": _("All channels"),
        "nextChannel": _("Channels one by one"),
        "colours": {"R": _("red"), "G": _("green"), "B": _("blue")},
        "overlayHidden": _("Overlay hidden"),
    }


def _about() -> dict[str, str | dict[str, str]]:
    """Return the texts of what is known of an item beside the vote, and of its discussion."""
    return {
        "history": _("History"),
        "alike": _("Similar labelled images"),
        "discussion": _("Discussion"),
        "discussionOpen": _("Discussion ({n} open)"),
        "aboutOffline": _("This cannot be loaded now. Reviewing goes on without it."),
        "alikeLater": _("Neighbours appear after the first training or pre-labelling."),
        "noneAlike": _("No labelled image is like this one yet."),
        "alikeOne": _("{label}: {name}, {share} alike"),
        "you": _("You"),
        "historyKinds": {
            "imported": _("Imported, {when}"),
            "prelabel": _("{who}: {what}, {when}"),
            "vote": _("{who} said {what}, {when}"),
            "skip": _("{who} skipped it, {when}"),
            "flag": _("{who} flagged it, {when}"),
            "withdraw": _("{who} took the answer back, {when}"),
            "decide": _("{who} decided: {what}, {when}"),
            "discard": _("{who} discarded the image, {when}"),
            "neutral": _("{who} found that no class fits, {when}"),
            "send-back": _("{who} sent it back for more votes, {when}"),
            "settled": _("Label in force: {what}, {when}"),
        },
        "settledStates": {
            "dispute": _("in dispute"),
            "neutral": _("no class fits"),
            "discarded": _("discarded"),
        },
        "threadOpen": _("Open, comments: {n}"),
        "threadClosed": _("Resolved, comments: {n}"),
        "threadKinds": {
            "resolve": _("{who} resolved it, {when}"),
            "reopen": _("{who} opened it again, {when}"),
        },
        "reply": _("Reply"),
        "resolve": _("Resolve"),
        "reopen": _("Open again"),
        "replyTo": _("In the thread: {text}"),
        "newThread": _("New thread"),
        "people": _("People"),
        "comment": _("Comment"),
        "commentHint": _("Enter sends, Shift+Enter breaks the line, @ names somebody, Esc leaves."),
        "notSent": _("Not sent; the text is kept here. Press Enter to try again."),
    }


def votes_texts(shapes: bool = False) -> dict[str, str | dict[str, str]]:
    """Return the texts of the votes over a disputed image.

    Args:
        shapes: Whether something else than boxes is drawn.
    """
    return {
        **_viewing(),
        "loading": _("Loading…"),
        "broken": _("This image cannot be shown"),
        "brokenAdvice": _("You can still rule on it by what was said of it."),
        **_away(),
        "awayAdvice": _("It appears by itself."),
        "tryAgain": _("Try again"),
        "boxes": _("Regions: {n}") if shapes else _("Boxes: {n}"),
        "noBoxes": _("No regions") if shapes else _("No boxes"),
        "noneOfThem": _("none of them"),
        "only": _("Show only this one"),
        "all": _("Show all"),
    }
