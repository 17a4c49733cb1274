"""The cause of disputes in a sentence, and the clause a guideline could take up against them."""

from __future__ import annotations

from typing import Protocol

from core.consensus.autopsy import Cause
from core.labels.schema import Task
from core.services.review.drawn_words import drawn_cause, drawn_clause, is_about_drawing

_CAUSE = {
    Cause.SLIP: "Most likely '{b}' was a slip of the hand for '{a}'.",
    Cause.GAP: "People read the guideline differently between '{a}' and '{b}'.",
    Cause.OVERLAP: "Everybody confuses '{a}' and '{b}', both ways.",
    Cause.AMBIGUOUS: "It does not show clearly whether '{a}' or '{b}'.",
    Cause.UNKNOWN: "It is not clear why people differ between '{a}' and '{b}'.",
}
_ALONE = {
    Cause.GAP: "Somebody says that the guideline does not tell what this is.",
}


class Shown(Protocol):
    """A settled item that shows one side."""

    @property
    def name(self) -> str:
        """Return what it is called."""

    @property
    def label(self) -> str:
        """Return the answer it stands for."""


def cause_words(kind: Cause, pair: tuple[str, ...], difference: str = "") -> str:
    """Return the cause of a dispute in a sentence; `difference` is what shapes differ in."""
    if len(pair) < 2:
        return _ALONE.get(kind, "The votes do not differ; somebody flagged it.")
    general = _CAUSE[kind].format(a=pair[0], b=pair[1])
    return drawn_cause(kind, pair, difference) or general


def proposed_clause(
    kind: Cause,
    pair: tuple[str, ...],
    favoured: str,
    n: int,
    again: int,
    good: Shown | None,
    bad: Shown | None,
    difference: str = "",
    task: Task = Task.CLASSIFICATION,
) -> str:
    """Return a clause for the guideline, to be edited; empty where no rule would help.

    Args:
        kind: The cause.
        pair: The two answers.
        favoured: The one to prefer.
        n: Open disputes.
        again: Items already settled on which people differed likewise.
        good, bad: Items that show the favoured and the other answer.
        difference: What shapes differ in; empty for classes.
        task: What the project asks for.
    """
    if len(pair) < 2 or kind in (Cause.SLIP, Cause.UNKNOWN):
        return ""
    if is_about_drawing(difference):
        rule = drawn_clause(kind, pair, favoured, difference, task)
        return f"{rule} {_seen(n, again)}" if rule else ""
    other = next(p for p in pair if p != favoured)
    if kind is Cause.AMBIGUOUS:
        return (
            f"**Neither {favoured} nor {other} to be seen?** Do not guess: skip the image as unsure, or flag "
            f"it as a bad image. {_seen(n, again)}"
        )
    rule = _rule(kind, favoured, other)
    shown = [f"{e.label}: {e.name}" for e in (good, bad) if e is not None]
    examples = f" Examples: {'; '.join(shown)}." if shown else ""
    return f"{rule} {_seen(n, again)}{examples}"


def _rule(kind: Cause, favoured: str, other: str) -> str:
    """Return which of two classes to answer."""
    doubt = (
        f"where nothing speaks for *{favoured}*"
        if kind is Cause.GAP
        else "where it is beyond doubt"
    )
    rule = f"**{favoured} or {other}?** If both seem to fit, answer *{favoured}*."
    return f"{rule} Answer *{other}* only {doubt}."


def _seen(n: int, again: int) -> str:
    total = n + again
    return f"(People differed on {total} {'image' if total == 1 else 'images'}.)"
