"""The simulated people: who they are, their habits, and what each would answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from zlib import crc32

import numpy as np

from core.labels import Answer, Region
from data.boxes import from_nothing, is_small, jittered, other_class
from data.project import DemoItem, DemoProject


@dataclass(frozen=True, slots=True)
class SimulatedPerson:
    """Somebody who labels, with skill and habits.

    Attributes:
        name: Sign-in name.
        display_name: What people read.
        role: expert or lead.
        accuracy: Share of middling images named right unaided.
        carefulness: The same for the second question and for finding every box.
        stamps: How often a shown pre-label is passed on unlooked at.
        pace_seconds: Median active time for a middling classification.
        share: Of the team's votes.
        confuses: A pair of classes mixed up, and how often.
        reads: A class taken for another where the guideline leaves room: on one image in so many, always
            the same ones.
        weak: Class to additional error.
        tires: Growth of the error for each hour after 13:00.
    """

    name: str
    display_name: str
    role: str = "expert"
    accuracy: float = 0.95
    carefulness: float = 0.96
    stamps: float = 0.05
    pace_seconds: float = 6.0
    share: float = 0.25
    confuses: tuple[str, str, float] | None = None
    reads: tuple[str, str, int] | None = None
    weak: Mapping[str, float] = field(default_factory=dict)
    tires: float = 0.0


LONE_LEAFLETS = ("Rowan", "White willow", 3)
"""One rowan in three has lost all leaflets but one; half the team calls it a willow, and no rule says."""

PEOPLE = (
    SimulatedPerson(
        "ingrid", "Ingrid Solberg", accuracy=0.985, carefulness=0.985, stamps=0.0,
        pace_seconds=9.5, share=0.20,
    ),
    SimulatedPerson(
        "marcus", "Marcus Bell", accuracy=0.93, carefulness=0.92, stamps=0.60,
        pace_seconds=2.4, share=0.34,
    ),
    SimulatedPerson(
        "yuna", "Yuna Choi", accuracy=0.965, carefulness=0.96, stamps=0.04, pace_seconds=5.2,
        share=0.25, confuses=("Beech", "Hornbeam", 0.34), reads=LONE_LEAFLETS,
    ),
    SimulatedPerson(
        "diego", "Diego Ramos", accuracy=0.93, carefulness=0.91, stamps=0.15, pace_seconds=7.0,
        share=0.21, weak={"Sycamore": 0.10, "Norway maple": 0.08, "Silver birch": 0.06, "Platelets": 0.05},
        tires=0.30, reads=LONE_LEAFLETS,
    ),
    SimulatedPerson(
        "ruth", "Ruth Achterberg", role="lead", accuracy=0.99, carefulness=0.99, stamps=0.0,
        pace_seconds=18.0, share=0.0,
    ),
)  # fmt: skip
"""Four experts and the lead of the demo set."""


def default_people() -> tuple[SimulatedPerson, ...]:
    """Return the four experts and the lead of the demo set."""
    return PEOPLE


def answered(
    person: SimulatedPerson,
    project: DemoProject,
    item: DemoItem,
    shown: Answer | None,
    hour: float,
    rng: np.random.Generator,
) -> Answer:
    """Return what the person says of the item.

    Args:
        person: Who answers.
        project: Whose schema it is.
        item: What is looked at.
        shown: The pre-label on the screen, None for a blind vote.
        hour: Local hour of the day.
        rng: Source of randomness.
    """
    tired = 1 + person.tires * max(0.0, hour - 13)
    if project.schema.draws:
        return _regions(person, item, project.schema.classes, shown, tired, rng)
    choices = {}
    for question in project.schema.item_questions:
        true = item.answer.choices[question.key]
        said = shown.choices.get(question.key) if shown else None
        main = question.key == project.schema.main.key
        alike = project.alike.get(true, "") if main else ""
        error = _error(person, item, true, main, tired)
        choices[question.key] = _choice(person, item, true, said, alike, question.names, error, rng)
    return Answer(choices)


def _error(person: SimulatedPerson, item: DemoItem, true: str, main: bool, tired: float) -> float:
    base = 1 - (person.accuracy if main else person.carefulness)
    error = base * (0.5 + 1.8 * item.difficulty) + (person.weak.get(true, 0.0) if main else 0.0)
    # Hard pictures are hard for everybody, however good.
    return min(0.8, error * tired + 0.3 * max(0.0, item.difficulty - 0.42))


def _choice(
    person: SimulatedPerson,
    item: DemoItem,
    true: str,
    said: str | None,
    alike: str,
    names: tuple[str, ...],
    error: float,
    rng: np.random.Generator,
) -> str:
    if said and rng.random() < person.stamps:
        return said
    habit = _by_habit(person, item, true, rng)
    if habit:
        return habit
    if rng.random() >= error:
        # A wrong suggestion sways even those who look.
        return said if said and said != true and rng.random() < 1.2 * error else true
    if said == true and rng.random() < 0.35:
        return true
    if alike in names and rng.random() < 0.7:
        return alike
    others = [n for n in names if n != true]
    return others[int(rng.integers(len(others)))]


def _by_habit(person: SimulatedPerson, item: DemoItem, true: str, rng: np.random.Generator) -> str:
    """Return the class a person takes this one for out of habit; empty where they look."""
    if person.confuses and true in person.confuses[:2] and rng.random() < person.confuses[2]:
        a, b, _ = person.confuses
        return b if true == a else a
    if person.reads and true == person.reads[0]:
        return person.reads[1] if crc32(item.file.encode()) % person.reads[2] == 0 else ""
    return ""


def _regions(
    person: SimulatedPerson,
    item: DemoItem,
    names: tuple[str, ...],
    shown: Answer | None,
    tired: float,
    rng: np.random.Generator,
) -> Answer:
    if shown and rng.random() < person.stamps:
        kept = tuple(
            replace(r, confidence=None) for r in shown.regions if (r.confidence or 1) > 0.5
        )
        return Answer({}, kept)
    slip = (1 - person.carefulness) * tired * (0.5 + item.difficulty)
    regions: list[Region] = []
    for true in item.answer.regions:
        small = is_small(true, item.answer.regions)
        if rng.random() < slip * (1.6 if small else 0.05) + person.weak.get(true.label, 0):
            continue
        box = jittered(true, 0.012 + 0.3 * slip * (1.5 if small else 1), item.size, rng)
        if rng.random() < 0.10 * slip:
            box = replace(box, label=other_class(box.label, names, rng))
        regions.append(box)
    for _ in range(rng.poisson(0.6 * slip) if item.answer.regions else 0):
        regions.append(from_nothing(item.answer, item.size, rng))
    return Answer({}, tuple(regions))


def redrawn(
    answer: Answer, size: tuple[int, int], rng: np.random.Generator, share: float = 0.012
) -> Answer:
    """Return the same answer with its regions drawn anew by a steady hand."""
    return Answer(
        dict(answer.choices), tuple(jittered(r, share, size, rng) for r in answer.regions)
    )
