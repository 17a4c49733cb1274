"""What the roll-ups hang on, in arrays: who said what of which item, and what is held to be true.

The copy answers questions; finding the few votes of some items among ten million there takes longer
than a page may. So the columns the roll-ups need are kept beside it, about thirty bytes a vote, and
every vote points at the one before it on the same item. The ledger can be filled again from the copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa

from core.analytics.arrays import (
    Array,
    Codes,
    Column,
    Mask,
    Numbers,
    Tally,
    Words,
    floats,
    grouped_maximum,
    integers,
    narrowed,
    truths,
)
from core.analytics.entries import (
    ACCEPTED,
    ADJUDICATED,
    IMPORTED,
    NO_BIN,
    OPEN,
    Items,
    References,
    Statements,
    Votes,
)

QUARTER = 900.0  # seconds
MOST_RESERVED = 40_000_000  # rows there is room for before there are any
ROUNDS = 8  # votes on one item among new ones that are strung together one by one


class Ledger:
    """The arrays, brought up to date row by row with the copy.

    Attributes:
        stale: Rows by table that stand no longer: their sequence numbers.
    """

    def __init__(self) -> None:
        self.labels, self.uses, self.kinds = Words(), Words(), Words("vote")
        self.states = Words("open", "imported", "auto-accepted", "agreed", "adjudicated")
        self.projects, self.people, self.decisions = Numbers(), Numbers(), Numbers()
        self.items, self.votes = Items(), Votes()
        self.decider = Column(np.int8)
        self.rests = Column(np.int8)  # people, one label's after the other's
        self.stale: dict[str, list[Codes]] = {}
        self._moves: list[tuple[Codes, Codes, Codes, Codes]] = []
        self._today: dict[int, dict[int, int]] = {}

    def reserve(self, items: int, votes: int) -> None:
        """Have room for so many items and votes, and for as many again."""
        for columns, size in ((self.items, items), (self.votes, votes)):
            for column in vars(columns).values():
                if isinstance(column, Column):
                    column.reserve(min(2 * size, MOST_RESERVED))

    def rename(self, names: Iterable[tuple[int, str, str]]) -> None:
        """Take over what former names of classes mean today: rows of project, name, today."""
        self._today = {}
        for project, name, today in names:
            [place] = self.projects.places(np.array([project]))
            means = self._today.setdefault(int(place), {})
            means[self.labels.code(name)] = self.labels.code(today)

    def today(self, project: Array, label: Array) -> Array:
        """Return what labels are called today, given the places of their projects."""
        found = label.astype(np.int64) if self._today else label
        for place, means in self._today.items():
            now = np.arange(-1, len(self.labels.all))
            now[np.array(list(means)) + 1] = list(means.values())
            there = project == place
            found[there] = now[found[there] + 1]
        return found

    # --- rows as they come ------------------------------------------------------------------

    def add_items(self, rows: pa.Table) -> None:
        """Take new items; they are open from their time on."""
        self.items.numbers.add(integers(rows["id"]))
        project, at = self.projects.places(integers(rows["project_id"])), floats(rows["at"])
        self.items.project.add(project)
        self.items.use.add(self.uses.codes(rows["use"]))
        self.items.since.add(at)
        self.items.grow()
        self._note_moves(project, _quarter(at), np.full(len(at), OPEN), None)

    def add_votes(self, rows: pa.Table) -> None:
        """Take what people said; the rows have a pace_bin."""
        votes, first = self.votes, self.votes.numbers.size
        votes.numbers.add(integers(rows["seq"]))
        votes.person.add(self.people.places(integers(rows["person_id"])))
        votes.kind.add(self.kinds.codes(rows["kind"]))
        votes.label.add(self.labels.codes(rows["label"]))
        votes.revision.add(integers(rows["revision"]))
        votes.shown.add(truths(rows["prelabel_shown"]))
        votes.done_here.add(rows["batch_id"].is_null().to_numpy())
        votes.bin.add(integers(rows["pace_bin"], NO_BIN))
        votes.previous.grow(votes.numbers.size)
        self._string(self.items.numbers.places(integers(rows["item_id"])), first)

    def _string(self, item: Codes, first: int) -> None:
        """Let each new vote point at one before it on its item; in which order does not matter."""
        latest, rest = self.items.latest, np.arange(len(item))
        for _ in range(ROUNDS):
            before = latest[item[rest]]
            latest.put(item[rest], first + rest)
            last = latest[item[rest]] == first + rest
            self.votes.previous.put(first + rest[last], before[last])
            rest = rest[~last]
            if not len(rest):
                return
        order = rest[np.argsort(item[rest], kind="stable")]
        same = np.append(False, item[order][1:] == item[order][:-1])
        before = np.where(same, first + np.append(0, order[:-1]), latest[item[order]])
        self.votes.previous.put(first + order, before)
        latest.put(item[order], first + order)

    def add_decisions(self, rows: pa.Table) -> None:
        """Take who decided."""
        self.decisions.add(integers(rows["seq"]))
        self.decider.add(self.people.places(integers(rows["person_id"])))

    def add_golds(self, rows: pa.Table) -> None:
        """Take gold answers; the latest of an item stands."""
        where = self._newest("gold_answers", self.items.gold_seq, rows)
        self.items.gold.put(where, self.labels.codes(rows["label"]))

    def add_guesses(self, rows: pa.Table) -> None:
        """Take predictions; the latest of an item stands."""
        where = self._newest("predictions", self.items.guess_seq, rows)
        self.items.guess.put(where, self.labels.codes(rows["label"]))

    def _newest(self, table: str, column: Column, rows: pa.Table) -> Codes:
        """Write the numbers of rows to their items, keep those that stand no longer; return places."""
        where, seq = self.items.numbers.places(integers(rows["item_id"])), integers(rows["seq"])
        before = column[where]
        column.put(where, seq)
        gone = np.concatenate([before[before >= 0].astype(np.int64), seq[column[where] != seq]])
        if len(gone):
            self.stale.setdefault(table, []).append(narrowed(gone)[0])
        return where

    def add_finals(self, rows: pa.Table, evidence: pa.Table) -> pa.Table:
        """Take labels in force; return the rows of ``final`` for those that are the last here.

        Args:
            rows: Rows of the record's table.
            evidence: For each: the decision, whether there was a prediction, the votes' numbers.
        """
        items = self.items
        state, label = self.states.codes(rows["state"]), self.labels.codes(rows["label"])
        where = self._newest("final", items.final_seq, rows)
        people, n, on_model = self._rests_on(where, state, label, evidence)
        last = items.final_seq[where] == integers(rows["seq"])
        since = self._move(where, state, floats(rows["at"]), bool(last.all()))
        start = len(self.rests) + np.cumsum(n) - n
        self.rests.add(people)
        for column, values in (
            (items.state, state), (items.label, label), (items.on_model, on_model),
            (items.rest_start, start), (items.rest_n, n), (items.since, since),
        ):  # fmt: skip
            column.put(where, values)
        offsets = pa.array(np.append(0, np.cumsum(n)), pa.int32())
        made = pa.table({
            "seq": rows["seq"], "project_id": rows["project_id"], "item_id": rows["item_id"],
            "state": rows["state"], "label": rows["label"],
            "rests_on": pa.ListArray.from_arrays(offsets, self.people.at(people)),
            "rests_on_model": on_model, "since": since, "use": self.uses.texts(items.use[where]),
        })  # fmt: skip
        return made if last.all() else made.filter(pa.array(last))

    def _rests_on(
        self, where: Codes, state: Codes, label: Codes, evidence: pa.Table
    ) -> tuple[Codes, Codes, Mask]:
        """Return the people labels rest on, how many each, and whether the model had a say."""
        lists = evidence["votes"].combine_chunks()
        row = lists.value_parent_indices().to_numpy().astype(np.int64)
        vote = self.votes.numbers.places(integers(lists.flatten()))
        row, vote = row[vote >= 0], vote[vote >= 0]
        project = self.items.project[where]
        said = self.today(project[row], self.votes.label[vote])
        shown = self.votes.shown[vote] & (said == self.today(project, label)[row])
        on_model = (state == ACCEPTED) | truths(evidence["modelled"])
        on_model[row[shown]] = True
        theirs = (state == ADJUDICATED) | (state == IMPORTED)
        on_model[theirs] = False
        row, people = row[~theirs[row]], self.votes.person[vote][~theirs[row]].astype(np.int64)
        decision = self.decisions.places(integers(evidence["decision"]))
        led = np.flatnonzero((state == ADJUDICATED) & (decision >= 0))
        if len(led):
            row = np.concatenate([row, led])
            order = np.argsort(row, kind="stable")
            people = np.concatenate([people, self.decider[decision[led]]])[order]
        return people, np.bincount(row, minlength=len(where)), on_model

    def _move(self, where: Codes, state: Codes, at: Array, alone: bool) -> Array:
        """Let items enter states and leave those before; return since when each is in its own.

        `alone` says that no item is there twice.

        A clock that went back takes nothing back: a state begins when it was written, or with the
        one before it, whichever is later.
        """
        since, before = (
            np.maximum(self.items.since[where], at),
            self.items.state[where].astype(np.int64),
        )
        if not alone:
            order = np.argsort(where, kind="stable")
            item = where[order]
            same = np.flatnonzero(item[1:] == item[:-1]) + 1
            before[order[same]] = state[order[same - 1]]
            since[order] = grouped_maximum(since[order], narrowed(item)[1])
        moved = before != state
        project = self.items.project[where][moved]
        self._note_moves(project, _quarter(since[moved]), state[moved], before[moved])
        return since

    def _note_moves(self, project: Array, quarter: Codes, into: Codes, out: Codes | None) -> None:
        quarters, place = narrowed(quarter)
        tally = Tally(self.projects.size, len(quarters), len(self.states.all))
        tally.add(1, project, place, into)
        if out is not None:
            tally.add(-1, project, place, out)
        (places, place, state), n = tally.found()
        self._moves.append((places, quarters[place], state, n))

    # --- read again from the copy -----------------------------------------------------------

    def restore_finals(self, rows: pa.Table) -> None:
        """Take labels in force from ``final``, as they were worked out before."""
        items, lists = self.items, rows["rests_on"].combine_chunks()
        where = items.numbers.places(integers(rows["item_id"]))
        n = lists.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64)
        start = len(self.rests) + np.cumsum(n) - n
        self.rests.add(self.people.places(integers(lists.flatten())))
        for column, values in (
            (items.final_seq, integers(rows["seq"])), (items.state, self.states.codes(rows["state"])),
            (items.label, self.labels.codes(rows["label"])),
            (items.on_model, truths(rows["rests_on_model"])), (items.since, floats(rows["since"])),
            (items.rest_start, start), (items.rest_n, n),
        ):  # fmt: skip
            column.put(where, values)

    def forget_changes(self) -> None:
        """Drop what was noted to be written: it is written, or was before."""
        self.stale, self._moves = {}, []

    # --- what there is ----------------------------------------------------------------------

    def references(self, items: Codes) -> References:
        """Return what is true of items now, by their places."""
        of, project = self.items, self.items.project[items]
        state = of.state[items]
        known = (state >= IMPORTED) & (state <= ADJUDICATED)
        return References(
            of.final_seq[items], self.today(project, np.where(known, of.label[items], -1)),
            state == ADJUDICATED, of.on_model[items], of.rest_start[items], of.rest_n[items],
            of.gold_seq[items], self.today(project, of.gold[items]),
            of.guess_seq[items], self.today(project, of.guess[items]),
        )  # fmt: skip

    def statements(self, items: Codes, seen: int) -> Statements:
        """Return all that was said of items, by their places.

        Args:
            items: Places.
            seen: How many votes were counted before.
        """
        item, nth, place = self._walk(items)
        return Statements(item, nth, place, *self._standing(item, place, seen))

    def _walk(self, items: Codes) -> tuple[Codes, Array, Codes]:
        """Follow the votes of each item from the last one back."""
        place, item = self.items.latest[items], np.arange(len(items))
        none: Codes = np.empty(0, np.int64)
        found = [(none, none, none)]
        while len(place):
            there = place >= 0
            place, item = place[there], item[there]
            found.append((item, np.full(len(item), len(found) - 1, np.int16), place))
            place = self.votes.previous[place]
        items, nths, places = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return items, nths, places

    def _standing(self, item: Codes, place: Codes, seen: int) -> tuple[Mask, Mask]:
        """Tell what counted before and counts now: only a later revision takes back what one said."""
        was, stands = place < seen, np.ones(len(place), np.bool_)
        revision = self.votes.revision[place]
        again = np.zeros(int(item.max(initial=-1)) + 1, np.bool_)
        again[item[revision > 1]] = True
        rows = np.flatnonzero(again[item])
        who = item[rows] * (self.people.size + 1) + self.votes.person[place[rows]]
        (found, group), revision = narrowed(who), revision[rows]
        for standing, some in ((stands, np.ones(len(rows), np.bool_)), (was, was[rows])):
            newest = np.full(len(found), -1, np.int64)
            np.maximum.at(newest, group[some], revision[some])
            standing[rows] = some & (revision == newest[group])
        return was, stands

    def moves(self) -> Mapping[str, pa.Array]:
        """Return the rows of ``state_moves`` noted since they were written last."""
        none = np.empty(0, np.int64)
        project, quarter, state, n = (
            (np.concatenate([none, *parts]) for parts in zip(*self._moves, strict=True))
            if self._moves
            else (none,) * 4
        )
        return {
            "project_id": pa.array(self.projects.at(project)), "quarter": pa.array(quarter),
            "state": self.states.texts(state), "change": pa.array(n),
        }  # fmt: skip


def _quarter(at: Array) -> Codes:
    found: Codes = np.floor(at / QUARTER).astype(np.int64)
    return found
