"""Splits that never leak: what belongs together stays together, classes stay in proportion.

A split is drawn for groups and never for single images of one. Which groups may be learnt from follows from
the record's *use*: a group with an item drawn for certifying is never in ``train``, one with an item
drawn for evaluating is in a split for testing alone. Everything follows from the plan and the images' content,
so the same plan splits the same images alike on every machine.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from core.errors import InputError

TRAIN, CERTIFY, EVALUATE = "train", "certify", "evaluate"
BY_USE = {TRAIN: "train", CERTIFY: "val", EVALUATE: "test"}
"""Which split an item's use means, where no shares are asked for."""
TUNING = frozenset({"val", "valid", "validation", "dev"})
"""Splits that decide about a model while it learns."""
LEFT_OUT = ""
LONGEST = 40
"""Letters of a split's name at most: files are called by it."""
_JOINTS = str.maketrans("", "", "-_")
PASSES = 3
MOST_GROUPS_POLISHED = 200_000
_ALLOWED = {TRAIN: 0, CERTIFY: 1, EVALUATE: 2}


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """How a version is split.

    Attributes:
        ratios: Split to share, adding up to 1; empty: by the use each item was drawn for.
        group_by: Metadata column whose values stay together (patient, clip, sender); empty for none.
        near: Whether look-alikes stay together too.
        seed: Of the draw.
        leave_out: Whether an item drawn for evaluating may be left out of all splits, so that the rest
            of its group can be learnt from; else the whole group follows it out of train.
    """

    ratios: tuple[tuple[str, float], ...] = ()
    group_by: str = ""
    near: bool = True
    seed: int = 0
    leave_out: bool = False

    def to_json(self) -> str:
        """Return canonical JSON: same plan, same text."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Member:
    """An item to be put into a split.

    Attributes:
        content_hash: Names it on every machine.
        use: train, certify or evaluate.
        group: Key of its group; empty where it stands alone.
        classes: Classes it shows to how often.
    """

    content_hash: str
    use: str
    group: str = ""
    classes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Share:
    """How near one split came to what was asked of it.

    Attributes:
        asked: Share of the items asked for.
        reached: Share of the items it has.
        per_class: Class to its count in this split.
        worst_class: Class whose share is furthest from that of the split, and by how much (signed).
    """

    split: str
    n: int
    asked: float
    reached: float
    per_class: Mapping[str, int]
    worst_class: tuple[str, float] | None

    @property
    def off(self) -> float:
        """Return how far the share is from the one asked for, signed."""
        return self.reached - self.asked


@dataclass(frozen=True, slots=True)
class Splits:
    """Who is in which split, and how well that came out.

    Attributes:
        of: Content hash to split; `LEFT_OUT` where it is in none.
        groups: How many groups of more than one item there are.
        largest: How many items the largest has.
        held_back: Items of use train that follow their group out of train.
        left_out: Items in no split.
    """

    of: Mapping[str, str]
    shares: tuple[Share, ...]
    groups: int
    largest: int
    held_back: int
    left_out: int

    @property
    def most_off(self) -> float:
        """Return the largest distance of a split's share from the one asked for."""
        return max((abs(s.off) for s in self.shares), default=0.0)


def parse_ratios(text: str) -> tuple[tuple[str, float], ...]:
    """Return shares given as ``train=0.8,val=0.1,test=0.1``; empty text asks for none.

    Raises:
        InputError: A part is no name with a number, a name comes twice, or the sum is not 1.
    """
    found: list[tuple[str, float]] = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, _, share = part.partition("=")
        try:
            found.append((name.strip(), float(share)))
        except ValueError as error:
            raise InputError(
                f"A split is given as name=share, found '{part}'.",
                "For example train=0.8,test=0.2.",
            ) from error
    return checked_ratios(found)


def checked_ratios(found: Sequence[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    """Return shares that can be drawn.

    Raises:
        InputError: A name will not do or comes twice, a share is not above 0, or the sum is not 1.
    """
    names = [n for n, _ in found]
    bad = [n for n in names if len(n) > LONGEST or not n.translate(_JOINTS).isalnum()]
    if bad or len(set(names)) != len(names):
        shown = ", ".join(f"'{n[:LONGEST]}'" for n in names[:10])
        raise InputError(
            f"Splits need names of letters and digits, at most {LONGEST} of them, each once; found "
            f"{shown}.",
            "For example train=0.8,val=0.1,test=0.1.",
        )
    total = sum(s for _, s in found)
    if found and (not all(0 < s <= 1 for _, s in found) or abs(total - 1) > 1e-6):
        raise InputError(
            f"The shares of the splits add up to {total:g}, expected 1, each above 0.",
            "For example train=0.8,val=0.1,test=0.1.",
        )
    return tuple(found)


def split(members: Sequence[Member], plan: SplitPlan) -> Splits:
    """Put every item into a split, groups whole, classes in proportion, the same for the same plan.

    Raises:
        InputError: Items drawn for evaluating have no split that they may be in.
    """
    ratios = plan.ratios or _shares_of_use(members)
    groups = _grouped(members)
    of = _drawn(groups, ratios, plan) if plan.ratios else _by_use(groups, plan)
    several = [len(g) for g in groups.values() if len(g) > 1]
    return Splits(
        of,
        tuple(_share(name, asked, members, of) for name, asked in ratios),
        len(several),
        max(several, default=0),
        sum(_held_back(g, of) for g in groups.values()),
        sum(s == LEFT_OUT for s in of.values()),
    )


def _held_back(group: Sequence[Member], of: Mapping[str, str]) -> int:
    if all(m.use == TRAIN for m in group):
        return 0
    return sum(m.use == TRAIN and of[m.content_hash] != "train" for m in group)


def leaks(members: Sequence[Member], of: Mapping[str, str]) -> list[str]:
    """Return the groups that lie in more than one split, and the items in train that may not be."""
    places: dict[str, set[str]] = defaultdict(set)
    for m in members:
        if m.group and of[m.content_hash] != LEFT_OUT:
            places[m.group].add(of[m.content_hash])
    torn = [g for g, found in sorted(places.items()) if len(found) > 1]
    return torn + [m.content_hash for m in members if not _may(m.use, of[m.content_hash])]


def _may(use: str, name: str) -> bool:
    if use == TRAIN or name == LEFT_OUT:
        return True
    return name != "train" and not (use == EVALUATE and name in TUNING)


def _shares_of_use(members: Sequence[Member]) -> tuple[tuple[str, float], ...]:
    counts = Counter(BY_USE.get(m.use, m.use) for m in members)
    total = max(1, len(members))
    return tuple((s, counts[s] / total) for s in BY_USE.values() if counts[s])


def _grouped(members: Sequence[Member]) -> dict[str, list[Member]]:
    found: dict[str, list[Member]] = defaultdict(list)
    for m in sorted(members, key=lambda m: m.content_hash):
        found[f"group:{m.group}" if m.group else f"item:{m.content_hash}"].append(m)
    return dict(found)


def _strictest(group: Sequence[Member]) -> str:
    return max((m.use for m in group), key=lambda u: _ALLOWED.get(u, 2))


def _by_use(groups: Mapping[str, Sequence[Member]], plan: SplitPlan) -> dict[str, str]:
    """Give each group the split of its strictest use, or leave out what holds it back."""
    of: dict[str, str] = {}
    for group in groups.values():
        use = _strictest(group)
        mixed = len({m.use for m in group}) > 1
        keeps = plan.leave_out and mixed and 2 * sum(m.use == TRAIN for m in group) > len(group)
        for m in group:
            if keeps:
                of[m.content_hash] = "train" if m.use == TRAIN else LEFT_OUT
            else:
                of[m.content_hash] = BY_USE.get(use, use)
    return of


# --- drawing to shares ------------------------------------------------------------------------


def _drawn(
    groups: Mapping[str, Sequence[Member]], ratios: Sequence[tuple[str, float]], plan: SplitPlan
) -> dict[str, str]:
    names = [n for n, _ in ratios]
    order = sorted(groups, key=lambda k: (-len(groups[k]), _draw(plan.seed, groups[k])))
    number = {
        c: i
        for i, c in enumerate(sorted({c for g in groups.values() for m in g for c in m.classes}), 1)
    }
    parts = [_part(groups[k], names, number, plan.leave_out) for k in order]
    _require_places(parts, names)
    place = _fill(parts, [s for _, s in ratios], _column(names), len(number) + 1)
    of: dict[str, str] = {}
    for key, at in zip(order, place, strict=True):
        for m in groups[key]:
            fits = _may(m.use, names[at])
            of[m.content_hash] = names[at] if fits else LEFT_OUT
    return of


def _column(names: Sequence[str]) -> int:
    return names.index("train") if "train" in names else -1


def _draw(seed: int, group: Sequence[Member]) -> str:
    return hashlib.sha256(f"{seed}:{group[0].content_hash}".encode()).hexdigest()


Adds = tuple[tuple[int, float], ...]
"""What a group adds to which counts: 0 is the number of items, the classes come after; no zeros."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A group to be placed.

    Attributes:
        whole: What it adds to a split.
        learnt: What it adds to train, where its held-out items would be left out.
        allowed: The splits it may be in, by number.
    """

    whole: Adds
    learnt: Adds
    allowed: tuple[int, ...]


def _part(
    group: Sequence[Member], names: Sequence[str], number: Mapping[str, int], leave_out: bool
) -> _Part:
    whole = _adds(group, number)
    taught = [m for m in group if m.use == TRAIN]
    learnt = whole if len(taught) == len(group) else _adds(taught, number)
    return _Part(whole, learnt, _allowed(group, names, leave_out))


def _adds(group: Sequence[Member], number: Mapping[str, int]) -> Adds:
    counts: Counter[int] = Counter()
    for m in group:
        for name, times in m.classes.items():
            counts[number[name]] += times
    found = sorted((c, float(n)) for c, n in counts.items() if n)
    return ((0, float(len(group))), *found) if group else ()


def _allowed(group: Sequence[Member], names: Sequence[str], leave_out: bool) -> tuple[int, ...]:
    some = any(m.use == TRAIN for m in group)
    return tuple(
        at
        for at, n in enumerate(names)
        if all(_may(m.use, n) for m in group) or (leave_out and some and n == "train")
    )


def _require_places(parts: Sequence[_Part], names: Sequence[str]) -> None:
    stuck = sum(not p.allowed for p in parts)
    if stuck:
        raise InputError(
            f"{stuck:,} group{' holds' if stuck == 1 else 's hold'} items drawn for certifying or evaluating, and none of the splits "
            f"{', '.join(names)} may take them: they are never learnt from.",
            "Ask for a split of another name as well, such as test=0.1.",
        )


def _fill(parts: Sequence[_Part], shares: Sequence[float], train: int, width: int) -> list[int]:
    """Return the split of each group: largest first, where counts come nearest to what is wanted.

    The distance is the sum of squares of (count - wanted) / total over items and, together as much
    again, over classes; a few passes then move single groups as long as that helps. Only the classes a
    group has can change by moving it, so a thousand classes cost no more than it has.
    """
    lack, weight = _wanting(parts, shares, width)
    place = [-1] * len(parts)
    passes = 1 + (PASSES if len(parts) <= MOST_GROUPS_POLISHED else 0)
    for _ in range(passes):
        moved = False
        for i, part in enumerate(parts):
            before = place[i]
            if before >= 0:
                _count(lack[before], part.learnt if before == train else part.whole, -1.0)
            best = min(part.allowed, key=lambda s, p=part: (_cost(lack, weight, p, s, train), s))  # type: ignore[misc]
            _count(lack[best], part.learnt if best == train else part.whole, 1.0)
            place[i] = best
            moved = moved or best != before
        if not moved:
            break
    return place


def _wanting(
    parts: Sequence[_Part], shares: Sequence[float], width: int
) -> tuple[list[list[float]], list[float]]:
    """Return count less wanted of each split (none are placed yet), and the weight of each count."""
    every = [0.0] * width
    for part in parts:
        _count(every, part.whole, 1.0)
    classes = 1.0 / max(1, width - 1)
    weight = [(classes if c else 1.0) / max(n, 1.0) ** 2 for c, n in enumerate(every)]
    return [[-share * n for n in every] for share in shares], weight


def _count(counts: list[float], adds: Adds, sign: float) -> None:
    for c, n in adds:
        counts[c] += sign * n


def _cost(
    lack: Sequence[Sequence[float]], weight: Sequence[float], part: _Part, at: int, train: int
) -> float:
    """Return by how much the distance grows with a group in a split."""
    adds, short = part.learnt if at == train else part.whole, lack[at]
    grows = 0.0
    for c, n in adds:
        grows += (2 * short[c] + n) * n * weight[c]
    if adds is part.whole:
        return grows
    # What is left out is lost: as bad as a tenth of so many items missing everywhere.
    left = part.whole[0][1] - (adds[0][1] if adds else 0.0)
    return grows + 0.1 * left * math.sqrt(weight[0])


def _share(name: str, asked: float, members: Sequence[Member], of: Mapping[str, str]) -> Share:
    mine: Counter[str] = Counter()
    every: Counter[str] = Counter()
    n = inside = 0
    for m in members:
        at = of[m.content_hash]
        if at == LEFT_OUT:
            continue
        inside += 1
        every.update(m.classes)
        if at == name:
            n += 1
            mine.update(m.classes)
    off = {c: mine[c] / every[c] - asked for c in every if every[c]}
    worst = max(sorted(off), key=lambda c: abs(off[c]), default=None)
    return Share(
        name, n, asked, n / max(1, inside), dict(sorted(mine.items())),
        None if worst is None else (worst, off[worst]),
    )  # fmt: skip
