"""The evidence on a dispute in sentences, each with its n: what speaks for the cause first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.consensus.autopsy import CAUSES, WEIGHTS, Autopsy, Cause, Line
from core.consensus.autopsy_evidence import Findings

MOST_LINES = 5
_WORTH = 0.25
"""Least part of the score a sentence is worth."""
_INDIRECT = frozenset({"quick", "model-lost"})
"""Evidence that, where it does not hold, is no reason to believe in anything but a slip."""
_BY_EXCLUSION = "Nothing seen here speaks for it by itself; the other causes fit worse."


def lines(done: Autopsy, case: int, names: Sequence[str]) -> tuple[Line, ...]:
    """Return what speaks for the cause found, the weightiest first; nobody is named.

    What only speaks against the other causes is left out: it is no reason to believe this one.

    Args:
        done: The autopsy.
        case: Which dispute.
        names: Of the answers, by their numbers.
    """
    cause = CAUSES[int(done.cause[case])]
    if cause is Cause.UNKNOWN:
        return (_too_little(done.found, case),)
    column = CAUSES.index(cause)
    found = []
    for name, weights in WEIGHTS.items():
        value = float(done.weighed[name][case])
        others = (sum(weights) - weights[column]) / (len(weights) - 1)
        gain = value * (weights[column] - others)
        indirect = value < 0 and name in _INDIRECT and cause is not Cause.SLIP
        if gain > _WORTH and value * weights[column] > 0 and not indirect:
            found.append((gain, name))
    found.sort(key=lambda f: (-f[0], f[1]))
    if not found:
        return (Line(_BY_EXCLUSION, int(done.found.votes[case])),)
    return tuple(_line(done, case, name, names) for _, name in found[:MOST_LINES])


def _too_little(found: Findings, case: int) -> Line:
    n = int(found.votes[case])
    if found.pair[case, 1] < 0:
        return Line("The votes do not differ; somebody flagged it for another reason.", n)
    return Line("Neither these votes nor earlier ones point to one cause.", n)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a sentence is made from: the findings, which dispute, its two answers, for or against."""

    found: Findings
    case: int
    first: str
    second: str
    holds: bool

    def of(self, name: str) -> float:
        """Return one finding."""
        return float(getattr(self.found, name)[self.case])

    def n(self, name: str) -> int:
        """Return one finding that counts."""
        return round(self.of(name))

    @property
    def pair(self) -> str:
        return f"'{self.first}' and '{self.second}'"


def _line(done: Autopsy, case: int, name: str, names: Sequence[str]) -> Line:
    first, second = (names[k] if k >= 0 else "" for k in done.found.pair[case].tolist())
    return _SAY[name](_Seen(done.found, case, first, second, bool(done.weighed[name][case] > 0)))


def _alone(s: _Seen) -> Line:
    n = s.n("votes")
    if s.holds:
        return Line(f"{s.n('against')} of {n} said '{s.second}', the others '{s.first}'.", n)
    return Line(f"The votes fall evenly between {s.pair}.", n)


def _torn(s: _Seen) -> Line:
    ahead = "No answer is clearly ahead" if s.holds else f"'{s.first}' is clearly ahead"
    return Line(f"{ahead} once votes are weighed by who cast them.", s.n("votes"))


def _quick(s: _Seen) -> Line:
    pace = f"{s.of('pace'):.1f} × their usual time"
    how = f"was quick: {pace}" if s.holds else f"did not hurry: {pace}"
    return Line(f"Who said '{s.second}' {how}.", s.n("against"))


def _slow(s: _Seen) -> Line:
    pace = f"{s.of('slowest'):.1f} × their usual time"
    how = f"took long: {pace}" if s.holds else f"took no longer than usual: {pace}"
    return Line(f"People here {how}.", s.n("votes"))


def _unlike(s: _Seen) -> Line:
    rate = f"in {s.of('own_rate'):.0%} of such images"
    return Line(f"Who said '{s.second}' otherwise takes '{s.first}' for it {rate}.", s.n("own_n"))


def _again(s: _Seen) -> Line:
    n, met = s.n("again"), s.n("met")
    return Line(f"People differed between {s.pair} on {n} of {met} other images with either.", met)


def _camps(s: _Seen) -> Line:
    n = s.n("again") + 1
    if s.holds:
        return Line(f"Between {s.pair} each person keeps to one side, not all to the same.", n)
    return Line(f"Between {s.pair} the same people say now one, now the other.", n)


def _unclear(s: _Seen) -> Line:
    n = s.n("unclear")
    return Line(f"The guideline was called unclear in {n} {'flag' if n == 1 else 'flags'}.", n)


def _model_split(s: _Seen) -> Line:
    text = "splits between the same two" if s.holds else "does not confuse the two"
    return Line(f"The model {text}.", 1)


def _model_sure(s: _Seen) -> Line:
    return Line(f"The model gives '{s.first}' {s.of('model_with'):.0%}.", 1)


def _model_lost(s: _Seen) -> Line:
    return Line(f"The model's favourite has {s.of('model_top'):.0%}.", 1)


def _mixed(s: _Seen) -> Line:
    n, share = s.n("near_n"), s.of("near_top")
    return Line(f"Of the {n} settled images most alike {share:.0%} have one label.", n)


def _many(s: _Seen) -> Line:
    return Line(f"{s.n('answers')} different answers were given.", s.n("votes"))


def _unsteady(s: _Seen) -> Line:
    text = f"Asked again, people said the same in {s.of('repeats'):.0%}."
    return Line(text, s.n("repeats_n"))


_SAY: dict[str, Callable[[_Seen], Line]] = {
    "alone": _alone, "torn": _torn, "quick": _quick, "slow": _slow, "unlike": _unlike,
    "again": _again, "camps": _camps, "unclear": _unclear, "model-split": _model_split,
    "model-sure": _model_sure, "model-lost": _model_lost, "mixed": _mixed, "many": _many,
    "unsteady": _unsteady,
}  # fmt: skip
