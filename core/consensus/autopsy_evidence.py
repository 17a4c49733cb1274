"""What speaks for one cause of a dispute or another, measured for all disputes at once.

Everything is a column over the disputes. What is unknown (no model, no seconds, nobody met this
pair before) is nan, and weighs nothing. Only pairs of classes that somebody said are looked at, so
memory grows with votes and not with people × classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.consensus.autopsy_pairs import (
    MOST_ANSWERS,
    NONE,
    Cases,
    Cells,
    Ints,
    Reals,
    Record,
    Skills,
    between,
    contested_pairs,
)

PRIOR_VOTES = 4.0
"""Votes the whole crowd's record counts for, beside a person's own."""


@dataclass(frozen=True, eq=False)
class Findings:
    """What was found about each dispute; shape (cases,) unless said. nan: unknown.

    Attributes:
        pair: The two answers it is between, the one that leads first, -1 without; (cases, 2).
        votes, answers, against: Votes, different answers, votes against the leading one.
        lead: How far the leading answer is ahead of the next, as a probability, 0 to 1.
        pace, slowest: Seconds of the votes against, and of all, over each person's own median.
        own_rate, own_n: How often those against take the second answer for the first, otherwise,
            and on how many items.
        again, met: Other items on which people differed between the two, and on which either was
            said.
        camps, camps_n: How far everyone keeps to a side of their own on the pair (1: always; 0: no
            more than chance), and how many pairs of votes say so.
        unclear: Flags calling the guideline unclear, on the item and on the pair's others.
        model_top, model_with, model_pair: The model's highest probability, that of the leading
            answer, and how evenly it splits between the two (1: half and half).
        near_top, near_n: Share of the commonest class among look-alikes, and how many there are.
        repeats, repeats_n: Share of silent repeats on the item that said the same.
    """

    pair: Ints
    votes: Ints
    answers: Ints
    against: Ints
    lead: Reals
    pace: Reals
    slowest: Reals
    own_rate: Reals
    own_n: Reals
    again: Ints
    met: Ints
    camps: Reals
    camps_n: Reals
    unclear: Ints
    model_top: Reals
    model_with: Reals
    model_pair: Reals
    near_top: Reals
    near_n: Ints
    repeats: Reals
    repeats_n: Ints


def find(record: Record, cases: Cases) -> Findings:
    """Return what the votes, the model, look-alikes and flags say of each dispute."""
    cells = Cells(record)
    contested = contested_pairs(cells, record.classes)
    right = _rightness(record, cells)
    pair, lead = _leading(record, cases, cells, right)
    inside = _votes_of(record, cases.item)
    against = inside.label == pair[inside.case, 1]
    pace = _pace(record)
    own_rate, own_n = _own_record(record, cells, inside, against, pair, lead)
    again, met, camps, camps_n, unclear = between(record, cases, cells, contested, pair)
    model_top, model_with, model_pair = _model(cases, pair)
    near_top, near_n = _near(cases.near)
    repeats, repeats_n = _repeats(record, cases.item)
    n = len(cases.item)
    return Findings(
        pair=pair,
        votes=np.bincount(inside.case, minlength=n),
        answers=np.bincount(cells.item, minlength=record.items)[cases.item],
        against=np.bincount(inside.case[against], minlength=n),
        lead=lead,
        pace=_median_by(inside.case[against], pace[inside.vote[against]], n),
        slowest=_median_by(inside.case, pace[inside.vote], n),
        own_rate=own_rate,
        own_n=own_n,
        again=again,
        met=met,
        camps=camps,
        camps_n=camps_n,
        unclear=unclear,
        model_top=model_top,
        model_with=model_with,
        model_pair=model_pair,
        near_top=near_top,
        near_n=near_n,
        repeats=repeats,
        repeats_n=repeats_n,
    )


def _model(cases: Cases, pair: Ints) -> tuple[Reals, Reals, Reals]:
    """Return the model's highest probability, that of the leading answer, and how even the two are."""
    shares = (cases.model_class[:, :, None] == pair[:, None, :]) & (pair[:, None, :] >= 0)
    of_pair = (shares * cases.model_share[:, :, None]).sum(axis=1)
    known = (cases.model_class >= 0).any(axis=1)
    top = np.where(known, cases.model_share.max(axis=1, initial=0.0), np.nan)
    first = np.where(known & (pair[:, 0] >= 0), of_pair[:, 0], np.nan)
    return top, first, np.where(known & (pair[:, 1] >= 0), 2 * of_pair.min(axis=1), np.nan)


def _others_say(record: Record, cells: Cells) -> Ints:
    """Return of each vote what a lead decided, else what most of the others said; -1 on a tie."""
    decided = record.settled[record.item]
    found = np.full(len(record.item), NONE, dtype=np.int64)
    best = np.full(len(record.item), 0, dtype=np.int64)
    start = cells.start[np.searchsorted(cells.items, record.item)]
    size = cells.per_item[np.searchsorted(cells.items, record.item)]
    for apart in range(min(int(cells.per_item.max(initial=0)), MOST_ANSWERS)):
        inside = apart < size
        cell = np.where(inside, start + apart, 0)
        count = np.where(inside, cells.count[cell], 0) - (inside & (cell == cells.of_vote))
        found = np.where(count > best, cells.label[cell], np.where(count == best, NONE, found))
        best = np.maximum(best, count)
    found[best == 0] = NONE
    return np.where(decided >= 0, decided, found)


def _rightness(record: Record, cells: Cells) -> Reals:
    """Return how often each person says what the others say, drawn towards the crowd's mean."""
    said = _others_say(record, cells)
    people = int(record.person.max(initial=-1)) + 1
    known = said >= 0
    hits = np.bincount(record.person[known & (said == record.label)], minlength=people)
    n = np.bincount(record.person[known], minlength=people)
    mean = (hits.sum() + 8.0) / (n.sum() + 10.0)
    return np.asarray((hits + PRIOR_VOTES * mean) / (n + PRIOR_VOTES))


def _leading(record: Record, cases: Cases, cells: Cells, right: Reals) -> tuple[Ints, Reals]:
    """Return the two answers each dispute is between, the leading first, and by how much it leads.

    Each vote weighs the log-odds of its person being right; where a fit knows who takes what for
    what, it is the evidence of that. The model weighs as one careful vote.
    """
    case_of = np.full(record.items, NONE, dtype=np.int64)
    case_of[cases.item] = np.arange(len(cases.item))
    pair = np.full((len(cases.item), 2), NONE, dtype=np.int64)
    lead = np.full(len(cases.item), np.nan)
    frequency = np.bincount(cells.label, minlength=record.classes)
    of_case = np.flatnonzero(case_of[cells.item] >= 0)
    case = case_of[cells.item[of_case]]
    model = _model_at(cases, case, cells.label[of_case])
    weight = (
        _by_rightness(record, cells, of_case, right)
        if record.skills is None
        else _by_skill(record, record.skills, cells, of_case)
    )
    score = weight + np.log(np.clip(model, 0.02, 1.0)) - np.log(0.02)
    order = np.lexsort((-cells.label[of_case], frequency[cells.label[of_case]], score, case))[::-1]
    case, label, score = case[order], cells.label[of_case][order], score[order]
    starts = np.flatnonzero(np.append(True, case[1:] != case[:-1])[: len(case)])
    pair[case[starts], 0] = label[starts]
    if not len(starts):
        return pair, lead
    share = np.exp(score - np.repeat(score[starts], np.diff(np.append(starts, len(case)))))
    total = np.add.reduceat(share, starts)
    second = starts[np.diff(np.append(starts, len(case))) > 1] + 1
    pair[case[second], 1] = label[second]
    lead[case[starts]] = 1 / total
    lead[case[second]] -= share[second] * lead[case[second]]
    return pair, lead


def _by_rightness(record: Record, cells: Cells, of_case: Ints, right: Reals) -> Reals:
    """Return the summed log-odds of who gave some answers."""
    odds = np.log(right / (1 - right) * max(record.classes - 1, 1))
    told = odds[record.person] if len(odds) else None
    return np.bincount(cells.of_vote, told, minlength=len(cells.item))[of_case].astype(np.float64)


def _by_skill(record: Record, skills: Skills, cells: Cells, of_case: Ints) -> Reals:
    """Return log P(answer, all votes on its item) of some answers, by everybody's table of mistakes."""
    order = np.argsort(record.item, kind="stable")
    item, label = cells.item[of_case], cells.label[of_case]
    start = np.searchsorted(record.item[order], item)
    count = np.searchsorted(record.item[order], item, side="right") - start
    row = np.repeat(np.arange(len(of_case)), count)
    vote = order[np.arange(len(row)) - np.repeat(np.cumsum(count) - count - start, count)]
    chance = skills.confusion[record.person[vote], label[row], record.label[vote]]
    told = np.bincount(row, np.log(chance.astype(np.float64)), minlength=len(of_case))
    return np.asarray(told + np.log(skills.prior[label]))


def _model_at(cases: Cases, case: Ints, label: Ints) -> Reals:
    """Return the model's probability of a class for a dispute; even where there is no model."""
    if not cases.model_class.shape[1]:
        return np.full(len(case), 0.02)
    said = np.where(cases.model_class[case] == label[:, None], cases.model_share[case], 0.0)
    return np.asarray(said.sum(axis=1))


@dataclass(frozen=True, eq=False)
class _Inside:
    """The votes on the disputes: their case, their row in the record, person and class."""

    case: Ints
    vote: Ints
    person: Ints
    label: Ints


def _votes_of(record: Record, item: Ints) -> _Inside:
    case_of = np.full(record.items, NONE, dtype=np.int64)
    case_of[item] = np.arange(len(item))
    vote = np.flatnonzero(case_of[record.item] >= 0)
    return _Inside(case_of[record.item[vote]], vote, record.person[vote], record.label[vote])


def _pace(record: Record) -> Reals:
    """Return each vote's seconds over its person's own median."""
    people = int(record.person.max(initial=-1)) + 1
    known = np.isfinite(record.seconds) & (record.seconds > 0)
    usual = _median_by(record.person[known], record.seconds[known], people)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where(known, record.seconds / usual[record.person], np.nan)
    return np.asarray(found)


def _own_record(
    record: Record,
    cells: Cells,
    inside: _Inside,
    against: NDArray[np.bool_],
    pair: Ints,
    lead: Reals,
) -> tuple[Reals, Reals]:
    """Return how often those against make this very mistake elsewhere, and on how many items.

    Where a fit knows, by its table of their mistakes, less what this very vote gave to it.
    """
    size, people = record.classes, int(record.person.max(initial=-1)) + 1
    truth = _others_say(record, cells)
    told = truth >= 0
    cell = (record.person * size + truth) * size + record.label
    seen, seen_n = np.unique(cell[told], return_counts=True)
    met, met_n = np.unique((record.person * size + truth)[told], return_counts=True)
    all_seen, all_seen_n = np.unique((truth * size + record.label)[told], return_counts=True)
    all_met = np.bincount(truth[told], minlength=size)
    case, person = inside.case[against], inside.person[against]
    first, second = pair[case, 0], pair[case, 1]
    vote = inside.vote[against]
    itself = told[vote] & (truth[vote] == first)  # what is to be explained does not explain
    made: Reals = _count(seen, seen_n, (person * size + first) * size + second) - itself * 1.0
    n = _count(met, met_n, person * size + first) - itself
    if record.common >= 0:
        n += _count(met, met_n, person * size + record.common)
    if record.skills is not None:
        share = record.skills.confusion[person, first, second]
        made = np.clip(share * (n + 1) - (1 + np.nan_to_num(lead[case])) / 2, 0, n)
    same = all_met[record.common] if record.common >= 0 else 0
    crowd = (_count(all_seen, all_seen_n, first * size + second) + 0.5) / (
        all_met[first] + same + 10.0
    )
    rate = (made + PRIOR_VOTES * crowd) / (n + PRIOR_VOTES)
    cases = len(pair)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(case, rate, minlength=cases) / np.bincount(case, minlength=cases)
        many = np.bincount(case, n, minlength=cases) / np.bincount(case, minlength=cases)
    return mean, np.nan_to_num(many) if people else np.zeros(cases)


def _count(keys: Ints, counts: Ints, wanted: Ints) -> Ints:
    """Return the count under each wanted key of a sorted list; 0 where it is not there."""
    if not len(keys):
        return np.zeros(len(wanted), dtype=np.int64)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, counts[place], 0)


def _near(near: Ints) -> tuple[Reals, Ints]:
    """Return the share of the commonest class among look-alikes, and how many there are."""
    n = (near >= 0).sum(axis=1)
    if not near.shape[1]:
        return np.full(len(near), np.nan), n
    most = np.max(
        [((near == near[:, [j]]) & (near >= 0)).sum(axis=1) for j in range(near.shape[1])], axis=0
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(n > 0, most / n, np.nan), n


def _repeats(record: Record, item: Ints) -> tuple[Reals, Ints]:
    n = np.bincount(record.repeat_item, minlength=record.items)[item]
    same = np.bincount(record.repeat_item, record.repeat_same, minlength=record.items)[item]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(n > 0, same / n, np.nan), n


def _median_by(group: Ints, value: Reals, n: int) -> Reals:
    """Return the median of each group's known values, shape (n,); nan where there are none."""
    known = np.isfinite(value)
    group, value = group[known], value[known]
    order = np.lexsort((value, group))
    ordered, count = value[order], np.bincount(group, minlength=n)
    start = np.cumsum(count) - count
    found = np.full(n, np.nan)
    has = count > 0
    low, high = start[has] + (count[has] - 1) // 2, start[has] + count[has] // 2
    found[has] = (ordered[low] + ordered[high]) / 2
    return found
