"""The cause of disputes in a sentence, and the clause a guideline could take up against them."""

from __future__ import annotations

from typing import Protocol

from core.consensus.autopsy import Cause

_CAUSE = {
    Cause.SLIP: "Most likely '{b}' was a slip of the hand for '{a}'.",
    Cause.GAP: "People read the guideline differently between '{a}' and '{b}'.",
    Cause.OVERLAP: "Everybody confuses '{a}' and '{b}', both ways.",
    Cause.AMBIGUOUS: "It does not show clearly whether '{a}' or '{b}'.",
    Cause.UNKNOWN: "It is not clear why people differ between '{a}' and '{b}'.",
}
_DRAWN = (
    (" left out", "{thing}: draw it or not?", "In doubt, leave it out."),
    (" drawn", "{thing}: draw it or not?", "In doubt, draw it."),
    (" drawn wide", "{thing}: how far does it reach?", "Draw it so that all of it lies inside."),
    (" drawn tight", "{thing}: how far does it reach?", "Draw it close, with nothing else inside."),
)
_ALONE = {
    Cause.GAP: "Somebody says that the guideline does not tell what this is.",
}


class Shown(Protocol):
    """An item that shows one side."""

    @property
    def name(self) -> str:
        """Return what it is called."""

    @property
    def label(self) -> str:
        """Return the answer it stands for."""

    @property
    def decided(self) -> bool:
        """Return whether a lead decided it; what is still in dispute is no example yet."""


def cause_words(kind: Cause, pair: tuple[str, ...]) -> str:
    """Return the cause of a dispute in a sentence."""
    if len(pair) < 2:
        return _ALONE.get(kind, "The votes do not differ; somebody flagged it.")
    return _CAUSE[kind].format(a=pair[0], b=pair[1])


def proposed_clause(
    kind: Cause,
    pair: tuple[str, ...],
    favoured: str,
    n: int,
    again: int,
    good: Shown | None,
    bad: Shown | None,
) -> str:
    """Return a clause for the guideline, to be edited; empty where no rule would help.

    Args:
        kind: The cause.
        pair: The two answers.
        favoured: The one to prefer.
        n: Open disputes.
        again: Items already settled on which people differed likewise.
        good, bad: Items that show the favoured and the other answer.
    """
    if len(pair) < 2 or kind in (Cause.SLIP, Cause.UNKNOWN):
        return ""
    other = next(p for p in pair if p != favoured)
    if kind is Cause.AMBIGUOUS:
        return (
            f"**Neither {favoured} nor {other} to be seen?** Do not guess: skip the image as unsure, or flag "
            f"it as a bad image. {_seen(n, again)}"
        )
    rule = _rule(kind, favoured, other)
    shown = [f"{e.label}: {e.name}" for e in (good, bad) if e is not None and e.decided]
    examples = f" Examples: {'; '.join(shown)}." if shown else ""
    return f"{rule} {_seen(n, again)}{examples}"


def _rule(kind: Cause, favoured: str, other: str) -> str:
    """Return what to do: of drawings about whether a thing is drawn, or how far it reaches."""
    for ending, question, do in _DRAWN:
        if favoured.endswith(ending):
            thing = favoured.removesuffix(ending)
            return f"**{question.format(thing=thing)}** {do}"
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
