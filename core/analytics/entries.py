"""What the ledger holds: columns of items and of votes, and what is asked of it about some items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.analytics.arrays import Array, Codes, Column, Mask, Numbers

NO_BIN = -(2**31)  # of a vote whose time is not known
UNTIMED = -99_999  # the bin of one that took none
OPEN, IMPORTED, ACCEPTED, AGREED, ADJUDICATED = range(5)


class Items:
    """The items: their project, what is said of them in force, and the last vote on each."""

    def __init__(self) -> None:
        self.numbers = Numbers()
        self.project = Column(np.int8)
        self.use = Column(np.int8)
        self.since = Column(np.float64)  # when the item came into its state
        self.state = Column(np.int8, OPEN)
        self.latest = Column(np.int32, -1)  # place of the vote that came last
        self.final_seq = Column(np.int32, -1)
        self.label = Column(np.int8, -1)
        self.on_model = Column(np.bool_)
        self.rest_start = Column(np.int32)  # where the people its label rests on begin
        self.rest_n = Column(np.int8)
        self.gold_seq = Column(np.int32, -1)
        self.gold = Column(np.int8, -1)
        self.guess_seq = Column(np.int32, -1)
        self.guess = Column(np.int8, -1)

    def grow(self) -> None:
        """Make room for all items there are, nothing said of the new ones."""
        for column in vars(self).values():
            if isinstance(column, Column):
                column.grow(self.numbers.size)


class Votes:
    """Everything people said, in the order of the record."""

    def __init__(self) -> None:
        self.numbers = Numbers()
        self.person = Column(np.int8)
        self.kind = Column(np.int8)
        self.label = Column(np.int8, -1)
        self.revision = Column(np.int8)
        self.shown = Column(np.bool_)
        self.done_here = Column(np.bool_)  # not imported
        self.bin = Column(np.int32)
        self.previous = Column(np.int32, -1)  # place of the vote before on the same item


@dataclass(frozen=True, slots=True)
class References:
    """What is held to be true of some items at one moment, and what the model says; -1 is none.

    Labels are those of today. `rest_start` and `rest_n` tell the people a label in force rests on.
    """

    final_seq: Array
    final: Array
    decided: Mask
    on_model: Mask
    rest_start: Array
    rest_n: Array
    gold_seq: Array
    gold: Array
    guess_seq: Array
    guess: Array


@dataclass(frozen=True, slots=True)
class Statements:
    """All that was ever said of some items, by its place among the votes.

    `item` is the place among the items, `nth` counts the votes on one from the last one back. A vote
    `was` counted before, and `stands` now.
    """

    item: Codes
    nth: Array
    place: Codes
    was: Mask
    stands: Mask
