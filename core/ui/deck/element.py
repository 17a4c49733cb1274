"""What our elements share: their style, how the browser gets their module, questions as JSON.

Each is a Components-v2 element. A line of inline script imports our module from the asset route,
so the browser keeps the modules and they may import each other; there is no build step.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.labels import Answer
from core.labels.schema import Question
from core.ui.text import _

STATIC = Path(__file__).with_name("static")
LOADER = (
    "export default async (c) => "
    "(await import(new URL(c.data.module, location.href).href)).default(c);"
)
# One file a part of the deck; "about.css" to "stage.css", every one in every element.
STYLE = "\n".join(p.read_text(encoding="utf-8") for p in sorted(STATIC.glob("*.css")))


def answer_data(answer: Answer | None) -> dict[str, Any] | None:
    """Return an answer in the deck's form: choices, and boxes as [x1, y1, x2, y2] in pixels."""
    return None if answer is None else json.loads(answer.to_json())


def questions_data(questions: Sequence[Question], every: bool = False) -> list[dict[str, Any]]:
    """Return questions with the classes that can be chosen now, or with all that ever could."""
    return [
        {
            "key": q.key,
            "title": _(q.title),
            "several": q.several,
            "classes": [
                {"name": c.name, "colour": c.colour, "key": c.key}
                for c in (q.classes if every else q.open_classes)
            ],
        }
        for q in questions
    ]
