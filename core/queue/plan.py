"""The queue plan: what a lead sets about the order in which people see items. Pure values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from math import isfinite

from core.errors import InputError

MOST_BOOST = 5
MOST_BOOSTS = 50
MOST_TEXT = 500
MOST_NAMED_ITEMS = 500
MOST_GOLD = 0.5
MOST_REPEATS = 0.2
MOST_ONBOARDING = 200


class Order(StrEnum):
    """What a person sees first."""

    LEAST_CONFIDENT = "least-confident"
    MOST_DISPUTED = "most-disputed"
    MOST_REPRESENTATIVE = "most-representative"
    RANDOM = "random"
    OLDEST = "oldest"


class BoostKind(StrEnum):
    """What a boost moves forward or back."""

    CLASS = "class"
    SLICE = "slice"
    LIST = "list"
    ITEMS = "items"


@dataclass(frozen=True, slots=True)
class Boost:
    """Items that come sooner (level above 0) or later (below 0) than the order alone would say.

    Attributes:
        key: The metadata column of a slice; empty for the other kinds.
        value: The predicted class, the metadata value, the number of a list, or item numbers
            separated by commas.
        level: -5 to 5, not 0. Where several boosts meet on an item, the strongest counts.

    Raises:
        InputError: The kind, the level or the value will not do.
    """

    kind: str
    key: str
    value: str
    level: int

    def __post_init__(self) -> None:
        if self.kind not in tuple(BoostKind):
            raise InputError(
                f"Unknown kind of boost '{self.kind[:40]}'; expected {[k.value for k in BoostKind]}."
            )
        if not -MOST_BOOST <= self.level <= MOST_BOOST or self.level == 0:
            raise InputError(
                f"A boost lies between -{MOST_BOOST} and {MOST_BOOST} and is not 0, "
                f"found {self.level}."
            )
        if not self.value.strip() or len(self.value) > 10 * MOST_TEXT or len(self.key) > MOST_TEXT:
            raise InputError("A boost needs a value of a reasonable length.")
        if (self.kind == BoostKind.SLICE) != bool(self.key.strip()):
            raise InputError("A boost of a slice names its metadata column; others name none.")
        if self.kind in (BoostKind.LIST, BoostKind.ITEMS):
            self.numbers()

    def numbers(self) -> tuple[int, ...]:
        """Return the list's number, or the items' numbers.

        Raises:
            InputError: They are no whole numbers, or too many.
        """
        parts = [p.strip() for p in self.value.split(",") if p.strip()]
        most = 1 if self.kind == BoostKind.LIST else MOST_NAMED_ITEMS
        if not all(p.isascii() and p.isdigit() and len(p) <= 18 for p in parts):
            raise InputError(f"Numbers are expected, found '{self.value[:40]}'.")
        if not 1 <= len(parts) <= most:
            raise InputError(
                f"A boost of this kind names 1 to {most} of them, found {len(parts)}.",
                "Make a list of the items and boost the list.",
            )
        return tuple(int(p) for p in parts)


@dataclass(frozen=True, slots=True)
class QueuePlan:
    """One version of how a project's queue runs.

    Attributes:
        order: What comes first where nobody asks for another order.
        blind_share: Share of items shown without their pre-label, 0 to 1.
        known_wrong_share: Share of a grid's tiles that are known to be wrong, 0 to 0.5.
        boosts: What a lead moved forward or back.
        gold_share: Share of what a person is handed that is gold, 0 to 0.5.
        repeat_share: Share of it that they voted on before, 0 to 0.2.
        onboarding: So many gold items first, before a person's first vote, 0 to 200.
        pass_mark: Share of these to be answered right, 0 to 1.
        target: Accuracy on gold below which a person is paused, 0 to 1.
        feedback: Whether the right answer is told after each onboarding item.

    Raises:
        InputError: A value is out of bounds.
    """

    order: str = Order.LEAST_CONFIDENT.value
    blind_share: float = 0.0
    known_wrong_share: float = 0.04
    boosts: tuple[Boost, ...] = ()
    gold_share: float = 0.0
    repeat_share: float = 0.0
    onboarding: int = 0
    pass_mark: float = 0.8
    target: float = 0.8
    feedback: bool = False

    def __post_init__(self) -> None:
        if self.order not in tuple(Order):
            raise InputError(
                f"Unknown order '{self.order[:40]}'; expected one of {[o.value for o in Order]}."
            )
        _check_share("share of blind items", self.blind_share, 1.0)
        _check_share("share of tiles known to be wrong", self.known_wrong_share, 0.5)
        _check_share("share of gold", self.gold_share, MOST_GOLD)
        _check_share("share of repeats", self.repeat_share, MOST_REPEATS)
        _check_share("pass mark", self.pass_mark, 1.0)
        _check_share("target", self.target, 1.0)
        if not 0 <= self.onboarding <= MOST_ONBOARDING:
            raise InputError(
                f"Onboarding has 0 to {MOST_ONBOARDING} items, found {self.onboarding}."
            )
        if len(self.boosts) > MOST_BOOSTS:
            raise InputError(
                f"At most {MOST_BOOSTS} boosts fit, found {len(self.boosts)}.", "Remove some."
            )

    def to_json(self) -> str:
        """Return canonical JSON: same plan, same text; what came later is told where it is set."""
        doc = {k: v for k, v in asdict(self).items() if k not in _LATER or v != _LATER[k]}
        return json.dumps(doc, sort_keys=True, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> QueuePlan:
        """Return the plan that `to_json` wrote; fields that are absent keep their default.

        Raises:
            InputError: The text is no plan, or a field is unknown or out of bounds.
        """
        try:
            doc = json.loads(text)
        except ValueError as e:
            raise InputError(f"This text is not a queue plan: {text[:100]!r}.") from e
        if not isinstance(doc, dict) or not doc.keys() <= _READ.keys():
            raise InputError(f"A queue plan has the fields {sorted(_READ)}, found {text[:100]!r}.")
        read = {name: _READ[name](name, value) for name, value in doc.items()}
        return QueuePlan(**read)  # type: ignore[arg-type]  # each reader gives its field's type


# Fields of later versions: a plan without them reads, and writes, as it always did.
_LATER: dict[str, object] = {
    "gold_share": 0.0,
    "repeat_share": 0.0,
    "onboarding": 0,
    "pass_mark": 0.8,
    "target": 0.8,
    "feedback": False,
}


def _check_share(what: str, share: float, most: float) -> None:
    if not (isfinite(share) and 0 <= share <= most):
        raise InputError(f"The {what} lies between 0 and {most:g}, found {share:g}.")


def _read_text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise InputError(f"The plan's {name} is to be a text, found {value!r}.")
    return value


def _read_number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"The plan's {name} is to be a number, found {value!r}.")
    return float(value)


def _read_count(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"The plan's {name} is to be a whole number, found {value!r}.")
    return value


def _read_flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InputError(f"The plan's {name} is to be true or false, found {value!r}.")
    return value


def _read_boosts(name: str, value: object) -> tuple[Boost, ...]:
    if not isinstance(value, list):
        raise InputError(f"The plan's {name} are to be a list, found {value!r}.")
    return tuple(_read_boost(v) for v in value)


def _read_boost(value: object) -> Boost:
    names = [f.name for f in fields(Boost)]
    if not isinstance(value, dict) or value.keys() != set(names):
        raise InputError(f"A boost has the fields {names}, found {str(value)[:100]}.")
    level = value["level"]
    if isinstance(level, bool) or not isinstance(level, int):
        raise InputError(f"A boost's level is a whole number, found {level!r}.")
    kind, key, text = (_read_text(n, value[n]) for n in ("kind", "key", "value"))
    return Boost(kind, key, text, level)


_READ: dict[str, Callable[[str, object], object]] = {
    "order": _read_text,
    "blind_share": _read_number,
    "known_wrong_share": _read_number,
    "boosts": _read_boosts,
    "gold_share": _read_number,
    "repeat_share": _read_number,
    "onboarding": _read_count,
    "pass_mark": _read_number,
    "target": _read_number,
    "feedback": _read_flag,
}


ORDER_WORDS = {
    Order.LEAST_CONFIDENT: "the items the model is least sure of",
    Order.MOST_DISPUTED: "the items whose votes differ most",
    Order.MOST_REPRESENTATIVE: "the items most typical of the whole set",
    Order.RANDOM: "items in a random order",
    Order.OLDEST: "the items imported first",
}


def describe_plan(plan: QueuePlan, list_names: dict[int, str] | None = None) -> str:
    """Return the plan in a few plain sentences."""
    sentences = [f"People see {ORDER_WORDS[Order(plan.order)]} first."]
    for boost in sorted(plan.boosts, key=lambda b: (-b.level, b.kind, b.key, b.value)):
        sentences.append(f"{describe_boost(boost, list_names or {})}.")
    sentences.append(
        f"{plan.blind_share * 100:.0f} % of the items are shown without what the model proposes."
        if plan.blind_share
        else "Every item is shown with what the model proposes."
    )
    sentences.append(
        f"About {plan.known_wrong_share * 100:.0f} % of a grid's tiles are known to be wrong, "
        "to see what is overlooked."
        if plan.known_wrong_share
        else "Grids hold no tiles known to be wrong, so what is overlooked is not measured."
    )
    return " ".join([*sentences, *_about_people(plan)])


def _about_people(plan: QueuePlan) -> list[str]:
    sentences = []
    if plan.onboarding:
        told = "is told the right answer after each" if plan.feedback else "is told how it went"
        sentences.append(
            f"An expert begins with {plan.onboarding} gold items, {told}, and goes on to real "
            f"items with {plan.pass_mark * 100:.0f} % of them right."
        )
    if plan.gold_share:
        sentences.append(
            f"About {plan.gold_share * 100:g} % of what a person is handed is gold, "
            "unrecognisable; these answers are no votes."
        )
    if plan.gold_share or plan.onboarding:
        sentences.append(
            f"Who is almost surely right less than {plan.target * 100:.0f} % of the time is paused "
            "until a lead resumes them."
        )
    if plan.repeat_share:
        sentences.append(
            f"About {plan.repeat_share * 100:g} % are items the person answered before, "
            "to see whether they answer the same again."
        )
    return sentences


def describe_boost(boost: Boost, list_names: Mapping[int, str]) -> str:
    """Return a boost in a few plain words."""
    when = "Before all others" if boost.level > 0 else "After all others"
    return f"{when} ({boost.level:+d}): {_boosted(boost, list_names)}"


def _boosted(boost: Boost, list_names: Mapping[int, str]) -> str:
    if boost.kind == BoostKind.CLASS:
        return f"items predicted '{boost.value}'"
    if boost.kind == BoostKind.SLICE:
        return f"items whose {boost.key} is '{boost.value}'"
    numbers = boost.numbers()
    if boost.kind == BoostKind.LIST:
        return f"the list '{list_names.get(numbers[0], str(numbers[0]))}'"
    return f"{len(numbers)} named items" if len(numbers) > 1 else f"item {numbers[0]}"
