"""What some items add to the roll-ups now, less what they added before: counted over arrays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from core.analytics.arrays import Array, Codes, Mask, Tally, narrowed
from core.analytics.entries import NO_BIN, UNTIMED, References, Statements
from core.analytics.ledger import Ledger

VOTE = 0
Rows = Mapping[str, pa.Array]


def changes(
    ledger: Ledger, items: Codes, before: References | None, seen: int
) -> tuple[dict[str, Rows], Codes]:
    """Return the rows of each roll-up, and the places of votes that stand no longer.

    Args:
        ledger: With all rows taken.
        items: The places of the items.
        before: What was true of them; None where nothing was counted.
        seen: How many votes were counted before.
    """
    now = ledger.references(items)
    said = ledger.statements(items, seen)
    counted = _Counted(ledger, items, said, before or _nothing(now), now)
    found = {
        "pair_counts": counted.pairs(),
        "live_counts": counted.live(),
        "agreement_counts": counted.agreement(),
        "done_paces": counted.paces(seen),
    }
    return found, said.place[~said.stands & (said.was | (said.place >= seen))]


def _nothing(now: References) -> References:
    """Return references like others, as they were before anything was true."""
    none = np.full(len(now.final), -1)
    no = np.zeros(len(none), np.bool_)
    return References(none, none, no, no, none, np.zeros_like(none), none, none, none, none)


class _Counted:
    """The statements on some items beside what was true of them, and is."""

    def __init__(
        self, ledger: Ledger, items: Codes, said: Statements, was: References, now: References
    ) -> None:
        self.ledger, self.said, self.was, self.now = ledger, said, was, now
        self.project, self.use = ledger.items.project[items], ledger.items.use[items]
        self.votes = ledger.votes

    def _labels(self, rows: Codes) -> Array:
        """Return what the votes among statements say, -1 for all that are none or name no class."""
        place = self.said.place[rows]
        label = np.where(self.votes.kind[place] == VOTE, self.votes.label[place], -1)
        return self.ledger.today(self.project[self.said.item[rows]], label)

    def pairs(self) -> Rows:
        """Count statements beside references, of people and of the model."""
        of = self.ledger
        labels = len(of.labels.all) + 1
        tally = Tally(
            of.projects.size, 2, 2, len(of.uses.all), of.people.size + 1, 3, 2, labels, labels
        )
        for is_gold in (False, True):
            changed = self._changed(is_gold)
            self._add_people(tally, is_gold, changed)
            self._add_model(tally, is_gold, changed | (self.was.guess_seq != self.now.guess_seq))
        (project, gold, decided, use, who, shown, own, truth, label), n = tally.found()
        people = of.people.at(np.maximum(who - 1, 0)) if of.people.size else who
        return {
            "project_id": pa.array(of.projects.at(project)), "gold": pa.array(gold == 1),
            "decided": pa.array(decided == 1), "use": of.uses.texts(use),
            "who": pa.array(people, mask=who == 0), "shown": pa.array(shown == 1, mask=shown == 2),
            "own": pa.array(own == 1), "truth": of.labels.texts(truth),
            "said": of.labels.texts(label), "n": pa.array(n),
        }  # fmt: skip

    def _changed(self, is_gold: bool) -> Mask:
        """Tell the items whose reference is another one."""
        if is_gold:
            return np.asarray(self.was.gold_seq != self.now.gold_seq)
        return np.asarray(self.was.final_seq != self.now.final_seq)

    def _add_people(self, tally: Tally, is_gold: bool, changed: Mask) -> None:
        said = self.said
        rows = np.flatnonzero((said.was != said.stands) | changed[said.item])
        label, item = self._labels(rows), said.item[rows]
        person, shown = self.votes.person[said.place[rows]], self.votes.shown[said.place[rows]]
        for sign, true, counts in ((-1, self.was, said.was), (1, self.now, said.stands)):
            truth = (true.gold if is_gold else true.final)[item]
            there = np.flatnonzero(counts[rows] & (label >= 0) & (truth >= 0))
            here, who = item[there], person[there]
            tally.add(
                sign, self.project[here], is_gold, 0 if is_gold else true.decided[here],
                self.use[here], who.astype(np.int64) + 1, shown[there],
                False if is_gold else self._own(true, here, who), truth[there], label[there],
            )  # fmt: skip

    def _own(self, true: References, item: Codes, person: Array) -> Mask:
        """Tell the statements of people the truth rests on."""
        own = np.zeros(len(item), np.bool_)
        start, n = true.rest_start, true.rest_n
        rows, nth = np.flatnonzero(n[item] > 0), 0
        while len(rows):
            own[rows] |= self.ledger.rests[start[item[rows]] + nth] == person[rows]
            nth += 1
            rows = rows[n[item[rows]] > nth]
        return own

    def _add_model(self, tally: Tally, is_gold: bool, changed: Mask) -> None:
        for sign, true in ((-1, self.was), (1, self.now)):
            truth = true.gold if is_gold else true.final
            item = np.flatnonzero(changed & (truth >= 0) & (true.guess >= 0))
            own = False if is_gold else true.on_model[item]
            tally.add(
                sign, self.project[item], is_gold, 0 if is_gold else true.decided[item],
                self.use[item], 0, 2, own, truth[item], true.guess[item],
            )  # fmt: skip

    def live(self) -> Rows:
        """Count people's last words."""
        of, said = self.ledger, self.said
        rows = np.flatnonzero(said.was != said.stands)
        place, kind = said.place[rows], self.votes.kind[said.place[rows]]
        bins, nth = narrowed(np.where(kind == VOTE, self.votes.bin[place], NO_BIN))
        tally = Tally(of.projects.size, of.people.size, len(of.kinds.all), 2, len(bins))
        columns = (
            self.project[said.item[rows]], self.votes.person[place], kind, self.votes.shown[place], nth
        )  # fmt: skip
        for sign, counts in ((-1, said.was[rows]), (1, said.stands[rows])):
            tally.add(sign, *(column[counts] for column in columns))
        (project, person, kind, shown, place), n = tally.found()
        found = bins[place]
        return {
            "project_id": pa.array(of.projects.at(project)), "person_id": pa.array(of.people.at(person)),
            "kind": of.kinds.texts(kind), "shown": pa.array(shown == 1),
            "bin": pa.array(found, mask=found == NO_BIN), "n": pa.array(n),
        }  # fmt: skip

    def agreement(self) -> Rows:
        """Count, for each person, on how many items how many of the others said the same."""
        of, said = self.ledger, self.said
        moved = np.zeros(len(self.project), np.bool_)
        moved[said.item[said.was != said.stands]] = True
        rows = np.flatnonzero(moved[said.item] & (said.was | said.stands))
        label = self._labels(rows)
        rows, label = rows[label >= 0], label[label >= 0]
        item, nth, person = said.item[rows], said.nth[rows], self.votes.person[said.place[rows]]
        counted = [
            (sign, mask, *_others(item[mask], nth[mask], label[mask]))
            for sign, mask in ((-1, said.was[rows]), (1, said.stands[rows]))
        ]
        most = 1 + max(int(others.max(initial=0)) for _, _, others, _ in counted)
        tally = Tally(of.projects.size, of.people.size, most, most)
        project = self.project[item]
        for sign, mask, others, same in counted:
            joined = others > 0
            columns = (project[mask], person[mask], others, same)
            tally.add(sign, *(column[joined] for column in columns))
        (project, person, others, same), n = tally.found()
        return {
            "project_id": pa.array(of.projects.at(project)), "person_id": pa.array(of.people.at(person)),
            "others": pa.array(others), "same": pa.array(same), "items": pa.array(n),
        }  # fmt: skip

    def paces(self, seen: int) -> Rows:
        """Count how long new votes given here took: every revision counts, and stays."""
        of, said = self.ledger, self.said
        rows = np.flatnonzero(said.place >= seen)
        place = said.place[rows]
        bins = self.votes.bin[place]
        timed = (self.votes.kind[place] == VOTE) & self.votes.done_here[place]
        timed &= (bins != NO_BIN) & (bins != UNTIMED)
        bins, nth = narrowed(bins[timed])
        tally = Tally(of.projects.size, of.people.size, len(bins))
        tally.add(1, self.project[said.item[rows[timed]]], self.votes.person[place[timed]], nth)
        (project, person, place), n = tally.found()
        return {
            "project_id": pa.array(of.projects.at(project)), "person_id": pa.array(of.people.at(person)),
            "bin": pa.array(bins[place]), "n": pa.array(n),
        }  # fmt: skip


MOST_ABREAST = 16
"""Votes on one item that are held against each other all at once."""


def _others(item: Codes, nth: Array, label: Array) -> tuple[Array, Array]:
    """Return, for each vote that counts, how many others there are, and how many say the same.

    Args:
        item: Place of the item, in no order.
        nth: Which of the item's votes it is; no two are the same.
        label: What it says, a number from 0 on.
    """
    deep = int(nth.max(initial=-1)) + 1
    if deep > MOST_ABREAST:
        _, cell = np.unique(item * (int(label.max()) + 1) + label, return_inverse=True)
        return np.bincount(item)[item] - 1, np.bincount(cell)[cell] - 1
    said = np.full((deep, int(item.max(initial=-1)) + 1), -1, np.int32)
    said[nth, item] = label
    many, same = np.zeros(said.shape[1], np.int16), np.full(said.shape, -1, np.int16)
    for one in range(deep):
        many += said[one] >= 0
        for other in range(deep):
            same[one] += said[one] == said[other]
    return many[item] - 1, same[nth, item]
