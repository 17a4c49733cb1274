"""Disputes of one cause between the same answers, told apart by what their images look like.

What is settled at once has to be alike: the same votes on very different images are no equal
disputes. Items without an embedding stay together; so do all of them before there is a model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from core.consensus.looks import groups_by_look, likeness_to_centre, unlike_below
from core.learning.neighbours import Neighbourhood
from core.services.review.autopsy_clusters import DisputeAutopsy


def by_look(
    causes: Sequence[DisputeAutopsy], hood: Neighbourhood | None
) -> tuple[list[DisputeAutopsy], Mapping[int, float]]:
    """Return the disputes under the key of their group, and how like its centre each item is.

    Args:
        causes: Under the key of their cause and answers, by item number.
        hood: The embeddings; None where there are none.

    Returns:
        The disputes in the same order; the cosine by item, of those with an embedding.
    """
    if hood is None or not len(hood):
        return list(causes), {}
    unlike = unlike_below(hood.vectors)
    members: dict[str, list[int]] = {}
    for place, cause in enumerate(causes):
        members.setdefault(cause.cluster, []).append(place)
    found, likeness = list(causes), dict[int, float]()
    for key, places in members.items():
        ids = np.array([causes[p].item_id for p in places], dtype=np.int64)
        at = np.minimum(np.searchsorted(hood.ids, ids), len(hood) - 1)
        here = np.flatnonzero(hood.ids[at] == ids)
        vectors = np.asarray(hood.vectors[at[here]])
        group = groups_by_look(vectors, unlike)
        for number in range(int(group.max(initial=-1)) + 1):
            mine = here[group == number]
            likes = likeness_to_centre(vectors[group == number])
            likeness.update(zip(ids[mine].tolist(), likes.tolist(), strict=True))
            if int(group.max()) == 0:
                continue
            for i in mine.tolist():
                found[places[i]] = replace(found[places[i]], cluster=f"{key}|{ids[mine[0]]}")
    return found, likeness
