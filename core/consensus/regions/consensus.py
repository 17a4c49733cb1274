"""Consensus region by region: what there is, what it is, and where, from several people's answers.

Existence by quorum as CVAT merges; class and attributes by vote; geometry as `Geometry` says.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from core.consensus.regions.blend import blend
from core.consensus.regions.clusters import Cluster, clusters_of
from core.consensus.regions.order import place
from core.consensus.regions.result import Dispute, FusedRegion, FusedRegions, PersonRecord
from core.consensus.regions.voting import Elected, counted, elect, leaders
from core.consensus.regions.ways import Geometry
from core.errors import InputError
from core.labels.answer import Answer
from core.labels.schema import LabelSchema

_EVEN = 1e-9


def consensus_of(
    answers: Sequence[Answer],
    *,
    iou_at_least: float = 0.5,
    quorum: float = 0.5,
    geometry: Geometry | None = None,
    weights: Sequence[float] | None = None,
    outlines: Sequence[float] | None = None,
    schema: LabelSchema | None = None,
) -> FusedRegions:
    """Return the regions that people agree on, those in dispute, and each person's record.

    A region is in where at least ceil(quorum × people who answered) drew it; with weights, where
    those who drew it have at least that share of the weight. Its class is the one with the largest
    weight among those who drew it; of equals the one that won more regions of the item outright,
    then the first in schema order. Each attribute likewise, without the middle rule.

    Args:
        answers: One answer a person; an answer without regions says that nothing is there.
        iou_at_least: Likeness from which two regions may be one thing.
        quorum: Share of the people who must have drawn a region.
        geometry: How several regions become one.
        weights: How much each person counts, in the order of the answers.
        outlines: How much each person's outlines count where several become one; as `weights` if
            not given.
        schema: For the order of classes and of the answers to attributes; else by alphabet.

    Raises:
        InputError: A bound, the quorum or a weight is none.
    """
    _check_share("Likeness", iou_at_least)
    _check_share("Quorum", quorum)
    weighed = _checked_weights(weights, len(answers))
    drawn = weighed if outlines is None else _checked_weights(outlines, len(answers))
    how = geometry or Geometry()
    found = clusters_of([a.regions for a in answers], iou_at_least, weighed)
    classes = [counted((m.region.label, weighed[m.person]) for m in c) for c in found]
    order = schema.classes if schema else ()
    wins = Counter(first[0] for v in classes if len(first := leaders(v)) == 1)
    elected = [elect(v, order, wins) for v in classes]
    asked = {q.key: q.names for q in schema.region_questions} if schema else {}
    made = [
        _fused(c, e, asked, weighed, drawn, quorum, how)
        for c, e in zip(found, elected, strict=True)
    ]
    there = [f.dispute is not Dispute.TOO_FEW for f in made]
    return FusedRegions(
        _sorted(f for f, kept in zip(made, there, strict=True) if kept),
        _sorted(f for f, kept in zip(made, there, strict=True) if not kept),
        _records(found, elected, there, answers),
    )


def _fused(
    cluster: Cluster,
    elected: Elected,
    asked: Mapping[str, Sequence[str]],
    weights: Sequence[float],
    outlines: Sequence[float],
    quorum: float,
    how: Geometry,
) -> FusedRegion:
    told = [weights[m.person] for m in cluster]
    region = blend([m.region for m in cluster], how, [outlines[m.person] for m in cluster])
    attributes = _attributes(cluster, asked, told)
    if region.label != elected.name or region.attributes != attributes:
        region = replace(region, label=elected.name, attributes=attributes)
    share = min(1.0, math.fsum(told) / math.fsum(weights))
    tie = Dispute.CLASS_TIE if elected.tied else None
    dispute = tie if share >= quorum * (1 - _EVEN) else Dispute.TOO_FEW
    by = tuple(sorted(m.person for m in cluster))
    return FusedRegion(region, by, len(weights), share, elected.shares, dispute)


def _attributes(
    cluster: Cluster, asked: Mapping[str, Sequence[str]], weights: Sequence[float]
) -> tuple[tuple[str, str], ...]:
    """Return the answer to each question about the region, by vote of those who answered it."""
    first = cluster[0].region.attributes
    if all(m.region.attributes == first for m in cluster):
        return first
    told: dict[str, list[tuple[str, float]]] = {}
    for member, weight in zip(cluster, weights, strict=True):
        for key, name in member.region.attributes:
            told.setdefault(key, []).append((name, weight))
    return tuple(
        (key, elect(counted(votes), asked.get(key, ())).name) for key, votes in sorted(told.items())
    )


def _records(
    found: Sequence[Cluster],
    elected: Sequence[Elected],
    there: Sequence[bool],
    answers: Sequence[Answer],
) -> tuple[PersonRecord, ...]:
    kept, right = [0] * len(answers), [0] * len(answers)
    for cluster, name, known in zip(found, (e.name for e in elected), there, strict=True):
        for member in cluster if known else ():
            kept[member.person] += 1
            right[member.person] += member.region.label == name
    wanted = sum(there)
    return tuple(
        PersonRecord(len(a.regions), k, r, wanted)
        for a, k, r in zip(answers, kept, right, strict=True)
    )


def _sorted(found: Iterable[FusedRegion]) -> tuple[FusedRegion, ...]:
    return tuple(sorted(found, key=lambda f: (place(f.region), -f.people, f.classes)))


def _check_share(what: str, value: float) -> None:
    if not 0 < value <= 1:
        raise InputError(f"{what} must lie above 0 and at most at 1, found {value!r}.")


def _checked_weights(weights: Sequence[float] | None, people: int) -> list[float]:
    if weights is None:
        return [1.0] * people
    found = [float(w) for w in weights]
    good = all(math.isfinite(w) and w >= 0 for w in found) and (not people or any(found))
    if len(found) != people or not good:
        raise InputError(
            f"Expected {people} weights, none below 0 and not all 0; found {len(found)}: {found[:20]}."
        )
    return found
