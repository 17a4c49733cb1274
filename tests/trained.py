"""A workspace whose project has two real models, trained in this process in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.labels.schema import Task
from core.services.accounts.people import operator
from core.services.models.training import queue_training
from core.services.models.worker import run_job
from core.services.projects.project import NewProject, create_project
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.services.workspace import open_workspace
from tests.pages.house import House, furnish

SLUG = "tints"
TINTS = ("blue", "green", "red")
PER_CLASS = 40


def make_trained(folder: Path, models: int = 2) -> House:
    """Furnish a house, add a project of tinted noise with every label, train models on it; closed again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIEBREAK_OFFLINE", "true")
        patch.setenv("TIEBREAK_SELF_TRAINING_SECONDS", "1")
        house = furnish(open_workspace(folder / "workspace"), folder)
        op = operator(house.ws)
        shares = (0.4, 0.2, 0.4)
        new = NewProject(SLUG, Task.CLASSIFICATION, TINTS, title="Tints", use_shares=shares)
        create_project(house.ws, op, new)
        source = _pictures(folder / "tints")
        import_data(
            house.ws,
            op,
            SLUG,
            source,
            ImportOptions(what="labels", format="folder", in_place=False),
        )
        for seed in range(models):
            run_job(
                house.ws,
                queue_training(house.ws, house.actor("mia"), SLUG, "mobilenet_v3_small", seed).id,
            )
    house.ws.store.close()
    return house


def _pictures(source: Path) -> Path:
    rng = np.random.default_rng(3)
    for channel, tint in enumerate(("red", "green", "blue")):
        (source / tint).mkdir(parents=True)
        for n in range(PER_CLASS):
            pixels = rng.integers(0, 170, (32, 32, 3))
            # Not every image shows its class well: models should have something to differ on.
            pixels[..., channel] += int(rng.integers(0, 30))
            image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
            image.save(source / tint / f"{tint}{n:03d}.png")
    return source
