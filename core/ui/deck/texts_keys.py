"""What every key and command of the deck does: the help sheet and the settings."""

from __future__ import annotations

from core.ui.text import _, mark

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
