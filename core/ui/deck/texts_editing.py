"""Every text of the deck's editor of regions, in the reader's language; looked up at each call."""

from __future__ import annotations

from core.labels.region import Shape
from core.ui.text import _

Texts = dict[str, str | list[str] | dict[str, str]]


def editing_texts() -> Texts:
    """Return the texts of the editor by the names its modules use."""
    return {**_panel(), **_said(), **_said_of_shapes(), **_said_of_questions()}


def editing_keys(shape: Shape | None, questions: bool) -> list[tuple[str, str]]:
    """Return the editor's keys, several apart by a blank, with what they do.

    Args:
        shape: What is drawn; None where nothing is.
        questions: Whether something is asked of each region.
    """
    if shape is None:
        return []
    return [
        *_shape_keys(shape),
        ("1 – 0", _("Class of the selected one, or of the next")),
        ("/", _("Find a class by typing, where there are more than ten")),
        *([("Q", _("Next question about the selected one; digits answer"))] if questions else []),
        ("N P Tab", _("Next, previous")),
        ("← ↑ → ↓", _("Move what is selected by 1 px, with Shift by 10 px; else the crosshair")),
        ("D", _("Duplicate")),
        ("Del", _("Delete")),
        ("T", _("Type the coordinates; Esc goes back to the image")),
        ("Z ⇧Z", _("Undo, redo in here")),
        ("+ − G", _("Zoom in, out, whole image; the wheel too, Space and drag moves")),
        ("H", _("Show or hide what is drawn")),
        ("S", _("Save, next image")),
        ("Esc", _("Break off; then leave, the work stays as a draft")),
        ("{canvas}", _("Open the drawing canvas instead")),
    ]


def _shape_keys(shape: Shape) -> list[tuple[str, str]]:
    begin = ("A", _("Draw a new one, with mouse or crosshair"))
    aim = ("Ctrl+←", _("Crosshair to the next line of the grid"))
    if shape is Shape.BOX:
        return [
            begin,
            ("Enter Space", _("Set a corner at the crosshair, then the one across")),
            aim,
            ("Alt+←", _("Move the right and the lower edge")),
        ]
    if shape is Shape.POLYGON:
        return [
            begin,
            ("Enter Space", _("Set a corner at the crosshair; twice in one place closes")),
            aim,
            ("⇧Enter", _("Close the polygon")),
            ("Enter", _("On a selected one: take its corners in hand, one by one")),
            ("I", _("Put a corner after the one in hand; Del takes it away")),
            ("Alt+←", _("Make it wider, narrower, higher, lower")),
        ]
    if shape is Shape.KEYPOINTS:
        return [
            begin,
            ("Enter Space", _("Place the next point at the crosshair")),
            aim,
            ("V", _("Hidden or visible")),
            ("X", _("This point is not there")),
            ("Enter", _("On a selected one: take its points in hand, one by one")),
            ("Alt+←", _("Make it wider, narrower, higher, lower")),
        ]
    return [
        begin,
        ("Enter Space", _("Paint a dab at the crosshair")),
        aim,
        ("B E", _("Brush, eraser")),
        ("[ ]", _("Smaller, larger brush; Alt and the wheel too")),
        ("Alt+←", _("Move the mask")),
    ]


def _panel() -> Texts:
    return {
        "stageName": _("Image, editing what is drawn. Question mark for the keys."),
        "panelName": _("Editor"),
        "heading": {
            "box": _("Boxes"),
            "polygon": _("Polygons"),
            "keypoints": _("Keypoints"),
            "mask": _("Masks"),
        },
        "count": _("{n} drawn"),
        "undo": _("Undo"),
        "redo": _("Redo"),
        "save": _("Save, next image"),
        "duplicate": _("Duplicate"),
        "remove": _("Delete"),
        "leave": _("Back"),
        "canvas": _("Drawing canvas"),
        "classOfThis": _("Class of the selected one"),
        "classOfNext": _("Class of the next one"),
        "fresh": {
            "box": _("New box"),
            "polygon": _("New polygon"),
            "keypoints": _("New set"),
            "mask": _("New mask"),
        },
        "brush": _("Brush"),
        "eraser": _("Eraser"),
        "brushDiameter": _("Width"),
        "pointsTitle": _("Points"),
        "pointsSet": _("{n} of {all} set"),
        "pointState": _("{name}: {state}"),
        "pointStates": [_("not there"), _("hidden"), _("visible")],
        "hiddenKey": _("Hidden"),
        "absentKey": _("Not there"),
        "listName": _("What is drawn"),
        "emptyList": _("Nothing yet. Draw on the image, or press A and use the arrows and Enter."),
        "rowName": _("{n}: {label} {note}"),
        "numbersTitle": _("Image pixels"),
        "vertexOf": _("Point {n} of {all}, image pixels"),
        "cornerHint": _("{place}. Enter takes the points in hand."),
        "dropped": _(
            "{n} of what was kept could not be read and was left out; the rest is as it was."
        ),
        "tooMany": _(
            "{n} more than the {most} an image may have are not shown here; they are in the draft until you change something."
        ),
    }


def _said() -> Texts:
    return {
        "opened": _("Editing {name}. Drawn: {n}."),
        "drawn": _("{label} drawn. {n} in all."),
        "deleted": _("Deleted. {n} left."),
        "duplicated": _("Duplicated."),
        "selected": _("{n} of {all}: {label}, x {x1} to {x2}, y {y1} to {y2}."),
        "at": _("x {x1} to {x2}, y {y1} to {y2}."),
        "crosshairAt": _("Crosshair at {x}, {y}."),
        "nothingSelected": _("Nothing is selected: N takes the next one."),
        "noRegions": _("Nothing is drawn yet: A begins."),
        "nothingToUndo": _("Nothing to undo in here."),
        "nothingToRedo": _("Nothing to redo in here."),
        "brokenOff": _("Broken off."),
        "halfDrawn": _("Something is half drawn: finish it, or break it off with Esc."),
        "full": _("{n} on one image is the most."),
        "tooSmall": _("That is too small: less than a pixel."),
        "coordinateRefused": _("These numbers make no area in the image; nothing was changed."),
        "noNumbers": _("There are no numbers to type here: select one first."),
        "overlayShown": _("What is drawn is shown."),
        "overlayHiddenNow": _("What is drawn is hidden: H shows it."),
        "noClassFor": _("No class has the key {digit}."),
        "nextClass": _("The next one: {label}."),
        "relabelled": _("Now {label}."),
    }


def _said_of_shapes() -> Texts:
    return {
        "fresh_box": _("New {label}: drag a box, or set two corners with Enter."),
        "fresh_polygon": _("New {label}: click the corners, or set them with Enter."),
        "fresh_keypoints": _("New {label}: click the points in order, or set them with Enter."),
        "fresh_mask": _("New {label}: paint, or dab with Enter."),
        "cornerSet": _("Corner at {x}, {y}. Now the one across."),
        "boxArrows": _(
            "Arrows move this box, with Alt its right and lower edge. A draws a new one."
        ),
        "cornersSet": _("Corners: {n}."),
        "cornersNeeded": _("A polygon needs three corners."),
        "threeCorners": _("Three corners must stay; without a corner in hand, Del deletes it all."),
        "vertexDeleted": _("Corner taken away."),
        "vertexInserted": _("Corner put in."),
        "vertexInHand": _("Point {n} of {all} in hand at {x}, {y}."),
        "nowPoint": _("Now: {name}. V if it is hidden, X if it is not there."),
        "nextHidden": _("The next point is hidden."),
        "nextVisible": _("The next point is visible."),
        "pointVisible": _("{name}: visible."),
        "pointHidden": _("{name}: hidden."),
        "noPointInHand": _("No point is in hand: Enter takes the next one."),
        "nothingToErase": _("Select the mask to erase from: N takes the next one."),
        "erasedAll": _("Nothing of it was left, so it is gone."),
        "dabbed": _("Painted."),
        "dabErased": _("Erased."),
        "brushInHand": _("Brush."),
        "eraserInHand": _("Eraser."),
        "brushSize": _("Brush {n} px wide."),
    }


def _said_of_questions() -> Texts:
    return {
        "noQuestions": _("Nothing is asked of what is drawn here."),
        "nowAsked": _("Now: {question} Digits answer, Esc leaves it open."),
        "answered": _("{value}."),
        "unanswered": _("Number {n}, {label}, has no answer yet: {question}"),
    }
