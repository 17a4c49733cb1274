"""Fourteen simulated days: who works when on what, and what comes of it, as acts in time order."""

from __future__ import annotations

import datetime as dt
import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.labels import Answer
from core.labels.compare import same_answer
from core.labels.schema import Task
from data.people import SimulatedPerson, answered, redrawn
from data.project import DemoItem, DemoProject

SKIP_REASONS = ("cannot tell", "too dark", "out of focus")
FLAGS = (
    "other: Two leaves lie on top of each other here, which one is meant?",
    "class-missing: I do not think any of our classes fits.",
    "bad-image: Too blurred to be of use to anybody.",
    "guideline-unclear: It does not say what to do with this one.",
)
BOX_FLAGS = (
    "bad-image: The whole field is out of focus.",
    "guideline-unclear: Are these two cells or one? It does not say.",
    "other: Stain deposit everywhere, please look.",
)
LEAD_REASONS = (
    "look-alike classes",
    "image quality",
    "guideline unclear",
    "careless vote",
    "pre-label misled",
)


@dataclass(frozen=True, slots=True)
class SimulatedAct:
    """One thing somebody did.

    Attributes:
        at: When it was sent, seconds since the epoch.
        person: Sign-in name.
        kind: vote, skip, flag, or the lead's decide, discard, neutral.
        answer: What was said; None for skip, flag, discard and neutral.
        reason: Of a skip or a decision; the comment of a flag; else empty.
        prelabel_shown: Whether the pre-label was on the screen.
        active_seconds: Time spent on it.
    """

    at: float
    person: str
    file: str
    kind: str
    answer: Answer | None
    reason: str
    prelabel_shown: bool
    active_seconds: float


@dataclass(frozen=True, slots=True)
class WorkPlan:
    """How much is worked on, and how.

    Attributes:
        overlap: Votes an item gets.
        most_votes: Votes it gets at most, when those disagree.
        days: Simulated days, the last one being that of `end`.
        worked_share: Share of the items anybody touches.
        blind_share: Share of the votes without the pre-label.
        decided_share: Share of the disputes the lead has got round to.
    """

    overlap: int = 2
    most_votes: int = 3
    days: int = 14
    worked_share: float = 0.60
    blind_share: float = 0.15
    decided_share: float = 0.85


@dataclass(slots=True)
class _Progress:
    """Where one item stands while the simulation runs."""

    item: DemoItem
    votes: dict[str, Answer] = field(default_factory=dict)
    seen_by: set[str] = field(default_factory=set)
    free_at: float = 0.0
    closed: bool = False
    dispute: str = ""


def simulate_work(
    project: DemoProject,
    prelabels: Mapping[str, tuple[Answer, float]],
    people: Sequence[SimulatedPerson],
    seed: int,
    end: dt.datetime,
    plan: WorkPlan | None = None,
) -> list[SimulatedAct]:
    """Return what the people did in the days up to `end`, in time order.

    Nobody votes twice on an item; an item gets `overlap` votes and one more where they
    disagree; an item with a planted error gets votes that agree on that error and nothing else.

    Args:
        project: The images and their truth.
        prelabels: File to what the model said, and how sure it was.
        people: Experts vote, leads decide.
        seed: Same seed, same acts.
        end: The simulation's last moment; its time zone is the people's.
        plan: Volumes; the default leaves about 40 % of the items untouched.
    """
    floor = _Floor(project, prelabels, seed, end, plan or WorkPlan())
    floor.vote([p for p in people if p.role != "lead"])
    for lead in (p for p in people if p.role == "lead"):
        floor.lead(lead)
    return sorted(floor.acts, key=lambda a: (a.at, a.person, a.file))


class _Floor:
    """The room people work in: the clock, the heap of items, the acts so far."""

    def __init__(
        self,
        project: DemoProject,
        prelabels: Mapping[str, tuple[Answer, float]],
        seed: int,
        end: dt.datetime,
        plan: WorkPlan,
    ) -> None:
        self.project, self.prelabels, self.end, self.plan = project, prelabels, end, plan
        self.rng = np.random.default_rng([seed, 21])
        self.draws = project.schema.draws
        self.flags = BOX_FLAGS if project.schema.task is Task.BOXES else FLAGS
        self.acts: list[SimulatedAct] = []
        self.queue = self._queue()
        self.all = list(self.queue)

    def _queue(self) -> list[_Progress]:
        """Return the items to be worked on: doubtful ones rather first, known ones among them, planted in time."""
        items = [i for i in self.project.items if i.file not in self.project.duplicates]
        wanted = round(self.plan.worked_share * len(self.project.items))
        planted = [i for i in items if i.planted]
        known = [i for i in items if not i.planted and i.file in self.project.known]
        others = [i for i in items if not i.planted and i.file not in self.project.known]

        def turn(item: DemoItem) -> float:
            sure = self.prelabels[item.file][1] if item.file in self.prelabels else 0.5
            return 0.35 * sure + float(self.rng.random())

        order = sorted(others, key=turn)[: max(0, wanted - len(planted) - len(known))]
        for item in known:
            order.insert(int(self.rng.integers(0, len(order) + 1)), item)
        for item in planted:
            order.insert(int(self.rng.integers(0, int(0.75 * len(order)) + 1)), item)
        return [_Progress(i) for i in order]

    def sessions(self, person: SimulatedPerson) -> list[float]:
        """Return when the person sits down to work, seconds since the epoch."""
        starts = []
        for back in range(self.plan.days - 1, -1, -1):
            day = self.end.date() - dt.timedelta(days=back)
            weekend = day.weekday() >= 5
            for hour, odds in ((9.2, 0.80), (13.7, 0.62)):
                if self.rng.random() >= (0.07 if weekend else odds):
                    continue
                at = dt.datetime.combine(day, dt.time(), self.end.tzinfo).timestamp()
                at += 3600 * (hour + float(self.rng.normal(0, 0.4)))
                if at < self.end.timestamp() - 1800:
                    starts.append(at)
        return starts or [self.end.timestamp() - 3 * 86400]

    def vote(self, experts: Sequence[SimulatedPerson]) -> None:
        """Run every expert's sessions, interleaved as the clock has it."""
        heap: list[tuple[float, int, int]] = []
        agenda = [self.sessions(p) for p in experts]
        for k, starts in enumerate(agenda):
            heap += [(at, k, 0) for at in starts]
        heapq.heapify(heap)
        left = [len(starts) for starts in agenda]
        whole = sum(p.share for p in experts) or 1.0
        while heap:
            now, k, quota = heapq.heappop(heap)
            if quota == 0:
                ahead = sum(
                    experts[j].share * left[j] / len(agenda[j]) for j in range(len(experts))
                )
                mine = experts[k].share / len(agenda[k])
                wanted = self._votes_wanted() * mine / max(ahead, mine / whole)
                quota = max(3, round(wanted * float(self.rng.uniform(0.75, 1.25)))) + 1
                left[k] -= 1
            if quota <= 1 or now >= self.end.timestamp():
                continue
            progress = self._next(experts[k], now)
            if progress is None:
                continue
            sent = self._handle(experts[k], progress, now)
            pause = float(self.rng.exponential(1.6))
            if self.rng.random() < 0.03:
                pause += float(self.rng.uniform(60, 420))
            heapq.heappush(heap, (sent + pause, k, quota - 1))

    def _votes_wanted(self) -> int:
        return sum(self._needs(p) for p in self.queue)

    def _needs(self, progress: _Progress) -> int:
        if progress.closed:
            return 0
        target = self.plan.overlap
        if len(progress.votes) >= target and not self._agreed(progress):
            target = self.plan.most_votes
        return max(0, target - len(progress.votes))

    def _agreed(self, progress: _Progress) -> bool:
        """Return whether a majority stands behind one answer to every question."""
        votes = list(progress.votes.values())
        if self.draws:
            best = max(sum(same_answer(a, b) for b in votes) for a in votes)
            return best * 2 > len(votes)
        for question in self.project.schema.item_questions:
            count = Counter(v.choices[question.key] for v in votes)
            if count.most_common(1)[0][1] * 2 <= len(votes):
                return False
        return True

    def _next(self, person: SimulatedPerson, now: float) -> _Progress | None:
        """Return one of the next items the person may have."""
        window = []
        for progress in self.queue:
            if progress.closed or person.name in progress.seen_by or progress.free_at > now:
                continue
            window.append(progress)
            if len(window) == 40:
                break
        return window[int(self.rng.integers(len(window)))] if window else None

    def _handle(self, person: SimulatedPerson, progress: _Progress, now: float) -> float:
        """Let the person do something with the item; return when it was sent."""
        item, rng = progress.item, self.rng
        progress.seen_by.add(person.name)
        said = self.prelabels.get(item.file)
        shown = said[0] if said and rng.random() >= self.plan.blind_share else None
        kind, reason, answer = self._reaction(person, item, shown, now)
        seconds = self._seconds(person, item, shown, answer)
        sent = now + seconds
        if sent >= self.end.timestamp():
            progress.seen_by.discard(person.name)
            return sent
        self.acts.append(
            SimulatedAct(
                round(sent, 3),
                person.name,
                item.file,
                kind,
                answer,
                reason,
                shown is not None,
                round(seconds, 2),
            )
        )
        progress.free_at = sent + 1
        if answer is not None:
            progress.votes[person.name] = answer
        self._settle(progress, kind)
        return sent

    def _reaction(
        self, person: SimulatedPerson, item: DemoItem, shown: Answer | None, now: float
    ) -> tuple[str, str, Answer | None]:
        rng = self.rng
        if item.planted is not None:
            return "vote", "", redrawn(item.planted, item.size, rng)
        odds = 0.006 + 0.05 * item.difficulty
        draw = rng.random()
        if draw < odds:
            return "skip", str(rng.choice(SKIP_REASONS)), None
        if draw < odds + 0.012 + 0.03 * item.difficulty:
            return "flag", str(rng.choice(self.flags)), None
        at = dt.datetime.fromtimestamp(now, self.end.tzinfo)
        return (
            "vote",
            "",
            answered(person, self.project, item, shown, at.hour + at.minute / 60, rng),
        )

    def _seconds(
        self, person: SimulatedPerson, item: DemoItem, shown: Answer | None, answer: Answer | None
    ) -> float:
        """Return the active time: longer for hard images, without a pre-label, for corrections."""
        median = person.pace_seconds * (0.7 + 1.2 * item.difficulty)
        if self.draws:
            median *= 3.0 + 0.12 * len(item.answer.regions) + (0 if shown else 5)
        elif shown is None:
            median *= 1.35
        corrected = shown is not None and answer is not None and not self._passes(shown, answer)
        return float(median * (1.5 if corrected else 1.0) * np.exp(self.rng.normal(0, 0.42)))

    def _passes(self, shown: Answer, answer: Answer) -> bool:
        if self.draws:
            return same_answer(shown, answer)
        return all(answer.choices.get(k) == v for k, v in shown.choices.items())

    def _settle(self, progress: _Progress, kind: str) -> None:
        if kind == "flag":
            progress.closed, progress.dispute = True, "flag"
        elif progress.votes and self._needs(progress) == 0:
            progress.closed = True
            if not self._agreed(progress):
                progress.dispute = "votes"
        if progress.closed:
            self.queue.remove(progress)

    def lead(self, person: SimulatedPerson) -> None:
        """Let the lead decide most disputes, in the first sitting after they arose."""
        sittings = self.sessions(person)
        busy: dict[float, float] = {}
        for progress in sorted((p for p in self.all if p.dispute), key=lambda p: p.free_at):
            later = [s for s in sittings if s > progress.free_at]
            if not later or self.rng.random() >= self.plan.decided_share:
                continue
            at = busy.get(later[0], later[0])
            seconds = float(person.pace_seconds * np.exp(self.rng.normal(0.2, 0.4)))
            at += seconds + float(self.rng.exponential(6))
            busy[later[0]] = at
            if at < self.end.timestamp():
                self.acts.append(self._decision(person, progress, at, seconds))

    def _decision(
        self, person: SimulatedPerson, progress: _Progress, at: float, seconds: float
    ) -> SimulatedAct:
        item, rng = progress.item, self.rng
        kind, answer = "decide", redrawn(item.answer, item.size, rng, 0.008)
        reason = str(rng.choice(LEAD_REASONS, p=[0.4, 0.2, 0.15, 0.15, 0.1]))
        if progress.dispute == "flag" and rng.random() < 0.15 + 0.5 * item.difficulty:
            kind, reason = "discard", "image quality"
        elif progress.dispute == "flag" and rng.random() < 0.2:
            kind, reason = "neutral", "guideline unclear"
        return SimulatedAct(
            round(at, 3), person.name, item.file, kind, answer if kind == "decide" else None,
            reason, False, round(seconds, 2),
        )  # fmt: skip
