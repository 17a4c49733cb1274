"""The notary: what was written, read back and held against what was meant; the receipt says how it came out.

Pure: values in, a receipt out. Who writes and parses files is the caller.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from core.datasets.mistakes import Four, named, shares
from core.labels.answer import Answer
from core.labels.region import Region, Shape

SHOWN = 10
"""Examples kept of each thing that is wrong."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An image of a set: its upright size in pixels, what is said of it, and its split."""

    file: str
    width: int
    height: int
    answer: Answer
    split: str = ""


@dataclass(frozen=True, slots=True)
class Raw:
    """Four numbers of one line of a file as they stand, before anybody makes sense of them."""

    file: str
    line: int
    label: str
    numbers: Four


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at.

    Attributes:
        n: How many were looked at.
        wrong: How many of them are not as meant.
        sentence: What was found, for people.
        examples: Some of what is wrong.
    """

    name: str
    n: int
    wrong: int
    sentence: str
    examples: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Return whether nothing is wrong."""
        return self.wrong == 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the notary found.

    Attributes:
        counts: Split to class to count, as meant.
        classes: Class names by index, as meant and as read back.
        mistakes: Known mistakes that explain what is wrong, by how often.
        loss: What the format has no place for, one sentence each.
        dropped: Answers the version has and the files do not: "12 answers to 'Light'".
    """

    checks: tuple[Check, ...]
    counts: Mapping[str, Mapping[str, int]]
    classes: tuple[tuple[str, ...], tuple[str, ...]]
    mistakes: Mapping[str, int] = field(default_factory=dict)
    loss: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Return whether every check passed."""
        return all(c.passed for c in self.checks)

    def as_dict(self) -> dict[str, object]:
        """Return the receipt as JSON values."""
        return {
            "passed": self.passed,
            "checks": [{**asdict(c), "passed": c.passed} for c in self.checks],
            "counts": {s: dict(c) for s, c in self.counts.items()},
            "classes": {"written": list(self.classes[0]), "read": list(self.classes[1])},
            "mistakes": dict(self.mistakes),
            "loss": list(self.loss),
            "dropped": list(self.dropped),
        }


def notarise(
    meant: Sequence[Entry],
    read: Sequence[Entry],
    classes: tuple[Sequence[str], Sequence[str]],
    tolerance: Callable[[Entry], float],
    *,
    raw: Sequence[Raw] = (),
    refused: Sequence[str] = (),
    loss: Sequence[str] = (),
) -> Receipt:
    """Return what came of writing a set and reading it back.

    Args:
        meant: What was to be written, each image by its first name.
        read: What our parser makes of the files.
        classes: Names by index, as meant and as the files have them; both empty where the format has no
            numbers of classes.
        tolerance: How many pixels a coordinate of an image may be off.
        raw: The numbers of boxes as they stand in files of shares (YOLO).
        refused: What the parser left out, a sentence each.
        loss: What the format has no place for.
    """
    back = {e.file: e for e in read}
    found: Counter[str] = Counter()
    pairs = [(e, back[e.file]) for e in meant if e.file in back]
    checks = [_items(meant, back, read), _readable(refused)]
    if any(classes):  # a table has names alone: there is no order to be kept
        checks.append(_classes(*classes))
    drawn = any(e.answer.regions for e in (*meant, *read))
    if not drawn or any(a.answer.choices or a.answer.multi for a, _ in pairs):
        checks.append(_labels(pairs))
    if drawn:
        checks += [_regions(pairs), _places(pairs, tolerance, found)]
    if raw:
        checks.append(_shares(raw, meant, found))
    checks.append(_counts(meant, read))
    counts = {s: dict(sorted(c.items())) for s, c in sorted(_by_split(meant).items())}
    return Receipt(
        tuple(checks), counts, (tuple(classes[0]), tuple(classes[1])), dict(found.most_common()),
        tuple(loss),
    )  # fmt: skip


def classes_in(answer: Answer) -> Counter[str]:
    """Return how often each class is said: of regions where there are some, else of the image."""
    if answer.regions:
        return Counter(r.label for r in answer.regions)
    said = Counter(answer.choices.values())
    said.update(name for names in answer.multi.values() for name in names)
    return said


def _check(name: str, n: int, faults: Sequence[str], good: str, bad: str) -> Check:
    return Check(name, n, len(faults), bad if faults else good, tuple(faults[:SHOWN]))


def _items(meant: Sequence[Entry], back: Mapping[str, Entry], read: Sequence[Entry]) -> Check:
    known = {e.file for e in meant}
    faults = [f"{e.file} is missing" for e in meant if e.file not in back]
    faults += [f"{e.file} was never meant" for e in read if e.file not in known]
    good = f"All {len(meant):,} images are there."
    return _check("items", len(meant), faults, good, f"{len(faults):,} images differ.")


def _readable(refused: Sequence[str]) -> Check:
    bad = f"{len(refused):,} part{'' if len(refused) == 1 else 's'} of the files cannot be read."
    return _check("readable", len(refused), refused, "Every part of the files can be read.", bad)


def _classes(meant: Sequence[str], read: Sequence[str]) -> Check:
    size = max(len(meant), len(read))
    one, other = ([*c, *[""] * (size - len(c))] for c in (meant, read))
    faults = [
        f"{i} is '{b}', expected '{a}'" if b else f"{i} has no name, expected '{a}'"
        for i, (a, b) in enumerate(zip(one, other, strict=True))
        if a != b
    ]
    moved = faults and sorted(meant) == sorted(read)
    bad = "The classes stand in another order." if moved else f"{len(faults)} class names differ."
    named = f"The {len(meant)} classes of the label have the same numbers"
    if len(meant) == 1:
        named = "The class of the label has the same number"
    good = f"{named} on both sides."
    return _check("class order", size, faults, good, bad)


Pairs = Sequence[tuple[Entry, Entry]]


def _labels(pairs: Pairs) -> Check:
    asked = [(a, b) for a, b in pairs if a.answer.choices or a.answer.multi or b.answer.choices]
    faults = [
        f"{a.file}: {_said(b.answer)}, expected {_said(a.answer)}"
        for a, b in asked
        if (dict(a.answer.choices), dict(a.answer.multi))
        != (dict(b.answer.choices), dict(b.answer.multi))
    ]
    good = f"The labels of {len(asked):,} images are the same."
    return _check("labels", len(asked), faults, good, f"{len(faults):,} images have other labels.")


def _said(answer: Answer) -> str:
    said = [*answer.choices.values(), *(" + ".join(v) for v in answer.multi.values())]
    return ", ".join(said) or "nothing"


def _regions(pairs: Pairs) -> Check:
    total, faults = 0, []
    for a, b in pairs:
        total += len(a.answer.regions)
        one, other = _per_class(a.answer), _per_class(b.answer)
        if one != other:
            faults.append(f"{a.file}: {_told(other)}, expected {_told(one)}")
    good = f"All {total:,} regions are there, each with its class."
    bad = f"{len(faults):,} images have other regions or classes."
    return _check("regions", total, faults, good, bad)


def _per_class(answer: Answer) -> Counter[str]:
    return Counter(r.label for r in answer.regions)


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{n} {c}" for c, n in sorted(counts.items())) or "none"


def _places(pairs: Pairs, tolerance: Callable[[Entry], float], found: Counter[str]) -> Check:
    """Hold coordinates against each other: regions of a class in the order they were written."""
    total, furthest, faults = 0, 0.0, []
    for a, b in pairs:
        for one, other in _matched(a.answer.regions, b.answer.regions):
            total += 1
            off = _distance(one, other)
            furthest = max(furthest, off)
            if off > tolerance(a):
                faults.append(f"{a.file}: {one.label} {off:.2f} px off{_why(one, other, a, found)}")
    good = f"Coordinates are at most {furthest:.3f} px off."
    bad = f"{len(faults):,} of {total:,} regions lie elsewhere, up to {furthest:.1f} px off."
    return _check("coordinates", total, faults, good, bad)


def _matched(one: Sequence[Region], other: Sequence[Region]) -> list[tuple[Region, Region]]:
    waiting: dict[str, list[Region]] = {}
    for region in other:
        waiting.setdefault(region.label, []).append(region)
    found = []
    for region in one:
        left = waiting.get(region.label)
        if left:
            found.append((region, left.pop(0)))
    return found


def _distance(one: Region, other: Region) -> float:
    """Return the largest distance of a coordinate, pixels; of masks, of their boxes."""
    off = max(abs(a - b) for a, b in zip(one.box, other.box, strict=True))
    if one.shape is Shape.MASK or len(one.points) != len(other.points):
        return off if one.rle == other.rle and len(one.points) == len(other.points) else 1e9
    apart = [
        abs(a - b)
        for p, q in zip(one.points, other.points, strict=True)
        for a, b in zip(p, q, strict=True)
    ]
    return max(off, *apart) if apart else off


def _why(one: Region, other: Region, entry: Entry, found: Counter[str]) -> str:
    if one.shape is not Shape.BOX or entry.width < 1 or entry.height < 1:
        return ""
    size = (entry.width, entry.height)
    mistake = named(one.box, size, shares(other.box, size))
    if mistake is None:
        return ""
    found[mistake.name] += 1
    return f": {mistake.sentence}"


def _shares(raw: Sequence[Raw], meant: Sequence[Entry], found: Counter[str]) -> Check:
    """Look at numbers that should be shares: all in 0 to 1, none of them pixels, sides above 0."""
    known = {e.file: e for e in meant}
    seen: Counter[tuple[str, str]] = Counter()
    faults = []
    for line in raw:
        place = seen[line.file, line.label]
        seen[line.file, line.label] += 1
        if all(0 <= v <= 1 for v in line.numbers) and min(line.numbers[2:]) > 0:
            continue
        text = " ".join(f"{v:g}" for v in line.numbers)
        why = _named_line(line, place, known.get(line.file), found)
        faults.append(f"{line.file}, line {line.line}: {text} is not in shares of the image{why}")
    good = f"All numbers of {len(raw):,} lines are shares of the image, from 0 to 1."
    bad = f"{len(faults):,} of {len(raw):,} lines are not in shares of the image."
    return _check("normalisation", len(raw), faults, good, bad)


def _named_line(line: Raw, place: int, entry: Entry | None, found: Counter[str]) -> str:
    regions = [r for r in entry.answer.regions if r.label == line.label] if entry else []
    if entry is None or place >= len(regions):
        return ""
    size, box = (entry.width, entry.height), regions[place].box
    mistake = named(box, size, line.numbers)
    expected = " ".join(f"{v:.6f}" for v in shares(box, size))
    if mistake is None:
        return f", expected {expected}"
    found[mistake.name] += 1
    return f", expected {expected}: {mistake.sentence}"


def _by_split(entries: Sequence[Entry]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for e in entries:
        found.setdefault(e.split, Counter()).update(classes_in(e.answer))
    return found


def _counts(meant: Sequence[Entry], read: Sequence[Entry]) -> Check:
    one, other = _by_split(meant), _by_split(read)
    keys = sorted({(s, c) for found in (one, other) for s, k in found.items() for c in k})
    faults = [
        f"{s or 'no split'}, {c}: {other.get(s, Counter())[c]:,}, expected {one.get(s, Counter())[c]:,}"
        for s, c in keys
        if one.get(s, Counter())[c] != other.get(s, Counter())[c]
    ]
    splits, kinds = len(one), len({c for _, c in keys})
    # A class nobody was given is not among these, an answer to a further question is.
    drawn = any(e.answer.regions for e in meant)
    many = "" if kinds == 1 else "s" if not drawn else "es"
    what = (
        f"class{many} drawn"
        if drawn
        else f"answer{many} given, those to further questions included"
    )
    good = f"Counts agree in {splits} split{'' if splits == 1 else 's'}: {kinds} {what}."
    return _check("counts", len(keys), faults, good, f"{len(faults)} counts differ.")
