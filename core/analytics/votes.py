"""Who said what of which item, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.analytics.asked import ALL, Filters, filter_values
from core.analytics.replica import Replica


@dataclass(frozen=True, slots=True)
class VoteTable:
    """Every live vote, as arrays of one length, ordered by item and person.

    Attributes:
        item_id: Of each vote.
        person_id: Of each vote.
        label: Position of the class in `names`.
        names: Classes that were voted for, sorted.
        shown: Whether the vote was given with the pre-label shown.
    """

    item_id: NDArray[np.int64]
    person_id: NDArray[np.int64]
    label: NDArray[np.int64]
    names: tuple[str, ...]
    shown: NDArray[np.bool_]

    def blind(self) -> VoteTable:
        """Return the votes given without seeing the pre-label."""
        kept = ~self.shown
        return VoteTable(
            self.item_id[kept], self.person_id[kept], self.label[kept], self.names, self.shown[kept]
        )


def vote_table(replica: Replica, project_id: int, filters: Filters = ALL) -> VoteTable:
    """Return the live votes of a classification project; `prediction_set` is not looked at.

    Raises:
        NotFound: A name is nobody's.
        LimitExceeded: It took too long.
    """
    table = replica.arrow("vote_table", filter_values(replica, project_id, filters))
    encoded = table["label"].combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = pa.chunked_array(encoded.chunks).combine_chunks()
    found = encoded.dictionary.to_pylist()
    names = sorted(found)
    code = {name: i for i, name in enumerate(names)}
    recode = np.array([code[name] for name in found], dtype=np.int64)
    places = pc.cast(encoded.indices, pa.int64()).to_numpy(zero_copy_only=False)
    return VoteTable(
        table["item_id"].to_numpy(),
        table["person_id"].to_numpy(),
        recode[places],
        tuple(names),
        np.asarray(table["prelabel_shown"], dtype=np.bool_),
    )
