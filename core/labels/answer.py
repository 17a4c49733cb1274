"""An answer: what somebody (a person, a model, a file) says of one item."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.labels.region import Region


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of one item, complete: one choice per question, and the regions.

    Attributes:
        choices: Question key to class name. The first question of the schema is the
            item's *label*. Empty for a pure box project.
        regions: Boxes in original image pixels. Empty for classification; an empty tuple in
            a box project says "nothing here", which is an answer too.
    """

    choices: Mapping[str, str] = field(default_factory=dict)
    regions: tuple[Region, ...] = ()

    def to_json(self) -> str:
        """Return canonical JSON: same answer, same text."""
        return json.dumps(
            {
                "choices": dict(sorted(self.choices.items())),
                "regions": [
                    {
                        "label": r.label,
                        "box": [round(v, 3) for v in r.box],
                        **({} if r.confidence is None else {"confidence": round(r.confidence, 6)}),
                    }
                    for r in self.regions
                ],
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )

    @staticmethod
    def from_json(text: str) -> Answer:
        """Return the answer that `to_json` wrote.

        Raises:
            ValueError: The text is not such a document.
        """
        doc = json.loads(text)
        return Answer(
            choices=dict(doc.get("choices", {})),
            regions=tuple(
                Region(r["label"], *_edges(r["box"]), r.get("confidence"))
                for r in doc.get("regions", [])
            ),
        )


def _edges(box: Sequence[float]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = map(float, box)
    return (x1, y1, x2, y2)
