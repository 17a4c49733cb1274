"""Disputes about what is drawn: their cause in a sentence and their clause, for each kind of shape.

Outlines and boxes reach wide or tight; points have no extent, they are set in one place or another.
What people say of a thing is told by `core.consensus.shape_dispute`.
"""

from __future__ import annotations

import re

from core.consensus.autopsy import Cause
from core.consensus.shape_dispute import Difference
from core.labels.schema import Task

_THING = {
    "presence": re.compile(r"(?P<thing>.*) (?:left out|drawn)", re.DOTALL),
    "border": re.compile(r"(?P<thing>.*) drawn (?:wide|tight)", re.DOTALL),
    "place": re.compile(r"(?P<thing>.*) placed (?:higher|lower|further left|further right)", re.DOTALL),
    "points": re.compile(r"(?P<thing>.*) with (?:no|\d+) points?", re.DOTALL),
}  # fmt: skip

_CAUSE = {
    ("presence", Cause.GAP): "People read the guideline differently on whether to draw '{thing}'.",
    ("presence", Cause.OVERLAP): "The same people now draw '{thing}', now leave it out.",
    ("presence", Cause.AMBIGUOUS): "It does not show clearly whether '{thing}' is there.",
    ("presence", Cause.UNKNOWN): "It is not clear why some draw '{thing}' and others leave it out.",
    ("border", Cause.GAP): "People read the guideline differently on how far '{thing}' reaches.",
    ("border", Cause.OVERLAP): "The same people draw '{thing}' now wide, now tight.",
    ("border", Cause.AMBIGUOUS): "It does not show clearly where '{thing}' ends.",
    ("border", Cause.UNKNOWN): "It is not clear why some draw '{thing}' wide and others tight.",
    ("place", Cause.GAP): "People read the guideline differently on where the points of '{thing}' go.",
    ("place", Cause.OVERLAP): "The same people set the points of '{thing}' now here, now there.",
    ("place", Cause.AMBIGUOUS): "It does not show clearly where the points of '{thing}' are.",
    ("place", Cause.UNKNOWN): "It is not clear why people set the points of '{thing}' in other places.",
    ("points", Cause.GAP): "People read the guideline differently on which points of '{thing}' to set.",
    ("points", Cause.OVERLAP): "The same people set now more, now fewer points of '{thing}'.",
    ("points", Cause.AMBIGUOUS): "It does not show clearly which points of '{thing}' are there.",
    ("points", Cause.UNKNOWN): "It is not clear why some set more points of '{thing}' than others.",
}  # fmt: skip

_PRESENCE = {
    " left out": "**{thing}: draw it or not?** In doubt, leave it out.",
    " drawn": "**{thing}: draw it or not?** In doubt, draw it.",
}
_REACH = {
    (Task.BOXES, " wide"): "Draw the box so that all of it lies inside.",
    (Task.BOXES, " tight"): "Draw each side up to the last of it that shows, and no further.",
    (Task.POLYGONS, " wide"): "Draw the outline so that all of it lies inside.",
    (Task.POLYGONS, " tight"): "Draw the outline close, with nothing else inside.",
    (Task.MASKS, " wide"): "Paint so that all of it is covered.",
    (Task.MASKS, " tight"): "Paint what is surely part of it, and nothing else.",
}
_UNSEEN = {
    Task.BOXES: "Where a side of it does not show, put that side at the last part that does.",
    Task.POLYGONS: "Where its edge does not show, go on in line with the edge that does.",
    Task.MASKS: "Where its edge does not show, go on in line with the edge that does.",
}
_NOT_SEEN = "**{thing} not clearly to be seen?** Leave it out; flag the image as bad where nobody could tell."
_PLACE = "**{thing}: where does each point go?** Set it on the middle of what it is named for."
_HIDDEN = (
    "**A point of {thing} that does not show?** Mark it hidden where you can tell its place; leave "
    "it out where you cannot."
)


def drawn_cause(kind: Cause, pair: tuple[str, ...], difference: str) -> str:
    """Return the cause of a dispute about one thing drawn; empty where the general words fit."""
    about, thing = _about(pair, difference)
    return _CAUSE.get((about, kind), "").format(thing=thing)


def drawn_clause(
    kind: Cause, pair: tuple[str, ...], favoured: str, difference: str, task: Task
) -> str:
    """Return what a guideline could say of a thing drawn; empty where it is about classes."""
    about, thing = _about(pair, difference)
    unseen = kind is Cause.AMBIGUOUS
    if about == "presence":
        ending = next(e for e in _PRESENCE if favoured.endswith(e))
        return (_NOT_SEEN if unseen else _PRESENCE[ending]).format(thing=thing)
    if about == "border":
        reach = _REACH.get((task, favoured[favoured.rfind(" ") :]), "")
        told = _UNSEEN.get(task, "") if unseen else reach
        asked = "where does it end" if unseen else "how far does it reach"
        return f"**{thing}: {asked}?** {told}" if told else ""
    if not about:
        return ""
    return (_HIDDEN if unseen or about == "points" else _PLACE).format(thing=thing)


def is_about_drawing(difference: str) -> bool:
    """Return whether a dispute is about a thing's being there or its border, not about its class."""
    return difference in (Difference.PRESENCE, Difference.BORDER)


def _about(pair: tuple[str, ...], difference: str) -> tuple[str, str]:
    """Return what a dispute is about and the thing; empty where it is about classes."""
    if not is_about_drawing(difference):
        return "", ""
    kinds = ("presence",) if difference == Difference.PRESENCE else ("border", "place", "points")
    for kind in kinds:
        found = [_THING[kind].fullmatch(said) for said in pair]
        if found and found[0] is not None and None not in found:
            return kind, found[0]["thing"]
    return "", ""
