"""Fine-tuning: images a second beside the bare model's step, and what it gains over a probe."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision import models

from core.learning.backbones import Backbone, device_at_hand
from core.learning.group import Group
from core.learning.pixels import Pixels
from core.learning.recipes import NAMED
from core.learning.tune.loop import TrainLoop
from core.learning.tune.network import row_losses
from core.learning.tune.values import Lesson, TuneSettings
from core.learning.values import ImageRef

NAME, IMAGES, STEPS = "mobilenet_v2", 96, 6
SIZES = {"cpu": 96, "cuda": 224}
GOAL_ON_A_GPU = 0.8


def run(folder: Path) -> dict[str, object]:
    """Return how near the loop comes to the bare model with its data already on the device."""
    device = device_at_hand()
    size = SIZES[device.type]
    images = _drawn(folder / "images")
    targets = np.eye(4, dtype=np.float32)[np.arange(IMAGES) % 4]
    rows = np.arange(IMAGES)
    lesson = Lesson(targets, np.ones(IMAGES, np.float32), rows, rows[:0])
    settings = TuneSettings(
        size=size, batch=16 if device.type == "cpu" else 128, recipe=NAMED["standard"]
    )
    pixels = Pixels(images, size * 8 // 7)
    loop = TrainLoop(_backbone(size), pixels, lesson, settings, Group(), device)
    loop.plan_steps(STEPS)
    tuned = loop.run()
    bare = _bare(loop, size, settings.batch, device)
    share = tuned.images_per_second / bare
    on_gpu = device.type == "cuda"
    return {
        "device": device.type,
        "network": f"{NAME} at {size} px",
        "images_per_second": round(tuned.images_per_second, 1),
        "bare_model_images_per_second": round(bare, 1),
        "share_of_the_bare_model": round(share, 3),
        "goal": GOAL_ON_A_GPU if on_gpu else "0.8 on a GPU: not measured here",
        "met": share >= GOAL_ON_A_GPU if on_gpu else None,
        "precision": tuned.standing.precision.to_dict(),
        "steps": STEPS,
        "two_step_probe": "float32, float32 channels last and bfloat16 channels last were timed",
    }


def _bare(loop: TrainLoop, size: int, batch: int, device: torch.device) -> float:
    """Return images a second of forward, backward and step alone, in the precision chosen."""
    model, how = loop.model, loop.standing.precision
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4)
    x = how.laid(torch.randn(batch, 3, size, size, device=device))
    targets = torch.eye(4, device=device)[torch.arange(batch, device=device) % 4]
    model.learning()
    started = 0.0
    for step in range(STEPS + 2):
        if step == 2:
            started = time.perf_counter()
        optimiser.zero_grad()
        with how.cast(device.type):
            scores = model(x)
        loss = row_losses(scores.float(), targets, False).mean()
        loss.backward()
        optimiser.step()
        loss.item()
    return batch * STEPS / (time.perf_counter() - started)


def _backbone(size: int) -> Backbone:
    torch.manual_seed(0)
    return Backbone(NAME, models.get_model(NAME).eval(), "pretrained", "0" * 64, size)


def _drawn(folder: Path) -> list[ImageRef]:
    folder.mkdir()
    rng = np.random.default_rng(1)
    found = []
    for n in range(IMAGES):
        path = folder / f"{n}.jpg"
        noise = rng.integers(0, 200, (120, 160, 3))
        noise[..., n % 3] += 50
        Image.fromarray(noise.astype(np.uint8)).save(path)
        found.append(ImageRef(n, f"{n:064x}", path))
    return found
