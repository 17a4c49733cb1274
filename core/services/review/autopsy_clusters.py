"""Open disputes with their causes, gathered by cause and answers, each with an item of either side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.consensus.autopsy import CAUSES, Autopsy, Cause, Line
from core.consensus.autopsy_words import lines
from core.labels import Answer
from core.services.projects.project import ProjectView
from core.services.review.autopsy_record import Question, answer_for
from core.services.review.clauses import cause_words

MOST_FAR = 7
"""Images least like the others that are named."""


@dataclass(frozen=True, slots=True)
class DisputeAutopsy:
    """The likely cause of one open dispute.

    Attributes:
        kind: A `core.consensus.autopsy.Cause`.
        words: The cause in a sentence.
        scores: Of every cause, summing to 1; they order, they are not calibrated.
        evidence: What speaks for it, weightiest first; nobody is named.
        clause: What the guideline could say; empty where no rule would help.
        settles: How many open disputes the clause would settle, this one among them.
        cluster: Key of the disputes like it.
        pair: The two answers it is between, the leading first; empty where votes do not differ.
        lead: How far the first is ahead, 0 to 1.
        newest_seq: The newest thing said of the item when this was found.
    """

    item_id: int
    name: str
    image: str
    kind: str
    words: str
    scores: tuple[tuple[str, float], ...]
    evidence: tuple[Line, ...]
    clause: str
    settles: int
    cluster: str
    pair: tuple[str, ...]
    lead: float
    newest_seq: int


@dataclass(frozen=True, slots=True)
class Exemplar:
    """An item that shows one side of a cluster.

    Attributes:
        label: The answer it stands for.
        decided: Whether a lead decided it; else people agree on it.
    """

    item_id: int
    name: str
    image: str
    label: str
    decided: bool


@dataclass(frozen=True, slots=True)
class Cluster:
    """Open disputes of one cause between the same answers, on images that look alike.

    Attributes:
        question: Key of the question, `regions` for what is drawn.
        difference: What shapes differ in; empty for classes.
        pair: The answers in question; of a slip the leading first.
        favoured: The answer that most decided or said of these; empty where none is ahead.
        items: Number of each item, and the newest thing said of it; lowest number first.
        again: Other items people differed on between these, settled by now.
        clause: What the guideline could say; empty where no rule would help.
        good, bad: A settled item of each side that may be shown; None where there is none yet.
        answer: What to rule for all at once to give them `favoured`; None where no class is asked for.
        kin: How many open disputes of the cause between these answers there are, whatever they look like.
        likeness: Cosine of the image least like the others to their centre; None where none is embedded.
        far: Places in `items` of the images least like the others, the least first.
    """

    key: str
    kind: str
    words: str
    question: str
    difference: str
    pair: tuple[str, ...]
    favoured: str
    items: tuple[tuple[int, int], ...]
    names: tuple[str, ...]
    images: tuple[str, ...]
    again: int
    clause: str
    good: Exemplar | None
    bad: Exemplar | None
    answer: Answer | None
    kin: int = 0
    likeness: float | None = None
    far: tuple[int, ...] = ()

    @property
    def n(self) -> int:
        """Return how many open disputes there are."""
        return len(self.items)


@dataclass(frozen=True, slots=True)
class SaidOf:
    """What is known of items beside their votes.

    Attributes:
        newest: The newest thing said of each.
        name, image: Of the open disputes.
        hidden: Which may be no example: gold, and what is drawn for evaluation.
    """

    newest: Mapping[int, int]
    name: Mapping[int, str]
    image: Mapping[int, str]
    hidden: frozenset[int]


def single(asked: Question, done: Autopsy, said: SaidOf) -> list[DisputeAutopsy]:
    """Return the cause of each dispute on one question, in the order of its cases."""
    made = []
    for case, place in enumerate(asked.cases.item.tolist()):
        item_id = int(asked.ids[place])
        kind = CAUSES[int(done.cause[case])]
        pair = tuple(asked.names[k] for k in done.found.pair[case].tolist() if k >= 0)
        pair = pair if len(pair) == 2 else ()
        made.append(
            DisputeAutopsy(
                item_id=item_id,
                name=said.name[item_id],
                image=said.image[item_id],
                kind=kind.value,
                words=cause_words(kind, pair, str(asked.difference.get(item_id) or "")),
                scores=tuple(
                    (c.value, round(float(s), 4))
                    for c, s in zip(CAUSES, done.scores[case], strict=True)
                ),
                evidence=lines(done, case, asked.names),
                clause="",
                settles=1,
                cluster=_key(kind, asked, pair, asked.difference.get(item_id)),
                pair=pair,
                lead=float(np.nan_to_num(done.found.lead[case])),
                newest_seq=said.newest.get(item_id, 0),
            )
        )
    return made


def _key(kind: Cause, asked: Question, pair: tuple[str, ...], difference: str | None) -> str:
    sides = pair if kind is Cause.SLIP else tuple(sorted(pair))
    return "|".join((kind.value, asked.key, difference or "", *sides))


def clusters(
    project: ProjectView,
    asked: Question,
    done: Autopsy,
    causes: Sequence[DisputeAutopsy],
    said: SaidOf,
    likeness: Mapping[int, float],
) -> list[Cluster]:
    """Return the disputes of one group each; their clauses are still to be put.

    Args:
        project: Whose.
        asked: The question.
        done: What was found of its disputes.
        causes: One a case, under the keys of their groups.
        said: What is known of items.
        likeness: How like the centre of its group each item's image is.
    """
    members: dict[str, list[int]] = {}
    for case, dispute in enumerate(causes):
        members.setdefault(dispute.cluster, []).append(case)
    alike = Counter(_key_of(asked, d) for d in causes)
    examples = Examples.of(asked, said.hidden)
    return [
        _with_looks(
            _cluster(
                project, asked, done, disputes, cases, examples, alike[_key_of(asked, disputes[0])]
            ),
            likeness,
        )
        for cases in members.values()
        if (disputes := [causes[c] for c in cases])
    ]


def _key_of(asked: Question, dispute: DisputeAutopsy) -> str:
    """Return the key of all disputes of the same cause and answers."""
    difference = asked.difference.get(dispute.item_id)
    return _key(Cause(dispute.kind), asked, dispute.pair, difference)


def _with_looks(cluster: Cluster, likeness: Mapping[int, float]) -> Cluster:
    known = [(likeness[i], n) for n, (i, _) in enumerate(cluster.items) if i in likeness]
    if not known:
        return cluster
    least = sorted(known)[:MOST_FAR]
    return replace(cluster, likeness=least[0][0], far=tuple(n for _, n in least))


def _cluster(
    project: ProjectView,
    asked: Question,
    done: Autopsy,
    disputes: Sequence[DisputeAutopsy],
    cases: Sequence[int],
    examples: Examples,
    kin: int,
) -> Cluster:
    first = disputes[0]
    kind = Cause(first.kind)
    pair = first.pair if kind is Cause.SLIP else tuple(sorted(first.pair))
    difference = str(asked.difference.get(first.item_id) or "")
    met = _differed_on(asked, pair)
    favoured = _favoured(
        kind, pair, disputes, [examples.lead[i] for i in met if i in examples.lead]
    )
    good = examples.one(favoured, met)
    other = next((p for p in pair if p != favoured), "")
    bad = examples.one(other, met)
    again = max(int(done.found.again[cases[0]]) - kin + 1, 0) if pair else 0
    return Cluster(
        key=first.cluster,
        kind=kind.value,
        words=cause_words(kind, pair, difference),
        question=asked.key,
        difference=difference,
        pair=pair,
        favoured=favoured,
        items=tuple((d.item_id, d.newest_seq) for d in disputes),
        names=tuple(d.name for d in disputes),
        images=tuple(d.image for d in disputes),
        again=again,
        clause="",
        good=good,
        bad=bad,
        answer=_answer(project, asked, favoured),
        kin=kin,
    )


def _differed_on(asked: Question, pair: tuple[str, ...]) -> list[int]:
    """Return the items on which some said the one answer and some the other, lowest first."""
    if len(pair) < 2:
        return []
    record = asked.record
    a, b = (asked.names.index(p) for p in pair)
    every = np.arange(record.items)
    has_a = np.isin(every, record.item[record.label == a])
    has_b = np.isin(every, record.item[record.label == b])
    return [int(i) for i in asked.ids[has_a & has_b]]


def _favoured(
    kind: Cause, pair: tuple[str, ...], disputes: Sequence[DisputeAutopsy], decided: Sequence[str]
) -> str:
    """Return what leads mostly decided between the two, else what mostly leads; the first of equals."""
    if not pair or kind is Cause.SLIP:
        return pair[0] if pair else ""
    counted = Counter(d for d in decided if d in pair) or Counter(d.pair[0] for d in disputes)
    return min(pair, key=lambda p: (-counted[p], p))


@dataclass(frozen=True, slots=True)
class Examples:
    """What may be shown for the answers to one question: settled items, those in dispute never.

    Attributes:
        lead: What leads decided, by item, whether it may be shown or not.
        settled: What every item that may be shown was settled on.
        first: The item to show for each answer where people differed on none of them.
    """

    lead: Mapping[int, str]
    settled: Mapping[int, str]
    first: Mapping[str, int]

    @classmethod
    def of(cls, asked: Question, hidden: frozenset[int]) -> Examples:
        """Return what may be shown for the answers to a question."""
        codes = zip(asked.ids.tolist(), asked.record.settled.tolist(), strict=True)
        lead = {i: asked.names[code] for i, code in codes if code >= 0}
        settled = {i: label for i, label in asked.settled.items() if i not in hidden}
        ranked = sorted(settled, key=lambda i: (i in lead, -i))
        return cls(lead, settled, {settled[i]: i for i in ranked})

    def one(self, label: str, met: Sequence[int]) -> Exemplar | None:
        """Return the item that shows an answer best; None where no settled one does.

        Args:
            label: The answer.
            met: Items on which people differed about it: they show best where it begins.
        """
        differed = [i for i in met if self.settled.get(i) == label]
        found = min(differed, key=lambda i: (i not in self.lead, i), default=self.first.get(label))
        if found is None:
            return None
        return Exemplar(found, "", "", label, found in self.lead)


def _answer(project: ProjectView, asked: Question, favoured: str) -> Answer | None:
    """Return the answer that says the favoured one; None where no class is asked for."""
    found = next((q for q in project.schema.item_questions if q.key == asked.key), None)
    return None if found is None or project.schema.draws else answer_for(found, favoured)
