"""When two answers to an item say the same: what a certificate and its audit go by."""

from __future__ import annotations

from core.labels import Answer, LabelSchema
from core.learning.detect.match import item_right


def agrees(schema: LabelSchema, true: Answer | None, said: Answer, iou: float) -> bool:
    """Return whether an answer is wholly what people say; no answer of theirs agrees with none.

    Regions pair one to one, of the same class and overlapping by `iou` or more, none missing and
    none besides; every question about the item is answered alike.
    """
    if true is None:
        return False
    same = true.choices == said.choices and true.multi == said.multi
    return same and (not schema.draws or item_right(true.regions, said.regions, iou))
