"""The plan of a run: settings found by a search, kept so that a resumed run learns the same way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from core.errors import BadCheckpoint, InputError
from core.learning.files import write_durably
from core.learning.recipes import recipe_from
from core.learning.tune.search import Trial
from core.learning.tune.values import Lesson, TuneSettings
from core.learning.values import TrainingRequest

_PLAN = "plan.json"


def about(
    request: TrainingRequest, weights_hash: str, lesson: Lesson, settings: TuneSettings
) -> dict[str, object]:
    """Return what must be the same for a run to be gone on with."""
    labels = hashlib.sha256(lesson.targets.tobytes() + lesson.learnt.tobytes()).hexdigest()
    return {
        "labels": labels, "backbone": weights_hash, "seed": request.seed,
        "recipe": settings.recipe.to_dict(), "mode": request.mode, "size": settings.size,
    }  # fmt: skip


def read_plan(folder: Path, now: Mapping[str, object]) -> dict | None:
    """Return the plan of the run to resume; None where it ended before there was one.

    Args:
        folder: Of the run.
        now: What the run is about, as it is asked for.

    Raises:
        BadCheckpoint: It is damaged.
        InputError: It had other labels, another network or recipe.
    """
    try:
        plan = json.loads((folder / _PLAN).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise BadCheckpoint(
            f"{_PLAN} of the run to resume cannot be read: {error}.", "Start it anew."
        ) from error
    other = [k for k, v in now.items() if plan["about"].get(k) != json.loads(json.dumps(v))]
    if other:
        raise InputError(
            f"The run to resume differs in its {', '.join(other)}; nothing was changed.",
            "Resume it as it was, or start a new one.",
        )
    return dict(plan)


def followed(plan: Mapping, settings: TuneSettings) -> tuple[TuneSettings, tuple[Trial, ...]]:
    """Return the settings as a plan has them, and the trials by which they were found."""
    found = replace(
        settings, rate=plan["rate"], decay=plan["decay"], recipe=recipe_from(plan["recipe"])
    )
    return found, tuple(Trial(**t) for t in plan["trials"])


def keep_plan(
    folder: Path, now: Mapping[str, object], settings: TuneSettings, trials: Sequence[Trial]
) -> None:
    """Write the plan of a run.

    Raises:
        DiskFull: It could not be written.
    """
    doc = {
        "about": now, "rate": settings.rate, "decay": settings.decay,
        "recipe": settings.recipe.to_dict(), "trials": [t.to_dict() for t in trials],
    }  # fmt: skip
    write_durably(folder / _PLAN, json.dumps(doc, indent=1).encode())
