"""Measure how hard the demo's leaves are: a probe on pretrained features, and a small network.

Run by hand: ``TORCH_HOME=<weights> python tests/experiments/leaf_difficulty.py FOLDER [SEED]``.
Each of 5 folds trains on about a quarter of the labels and is tested on all the rest.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import nn

from data.leaves import BAD_CAMERA, BAD_LIGHT, generate_leaves

FOLDS = 5
TRAIN_SHARE = 0.25
SMALL_PX = 64


def pixels(files: list[Path], size_px: int) -> torch.Tensor:
    """Return the images as (n, 3, size, size) between 0 and 1."""
    rows = [
        np.asarray(Image.open(f).convert("RGB").resize((size_px, size_px)), np.uint8) for f in files
    ]
    return torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2).float() / 255


def features(x: torch.Tensor) -> np.ndarray:
    """Return mobilenet_v2's pooled features."""
    from torchvision.models import mobilenet_v2

    net = mobilenet_v2(weights="IMAGENET1K_V1").features.eval()
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    out = []
    with torch.inference_mode():
        for batch in x.split(50):
            out.append(net((batch - mean[:, None, None]) / std[:, None, None]).mean((2, 3)))
    return torch.cat(out).numpy()


def probe(x: np.ndarray, y: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return the probe's prediction for every image."""
    scale = StandardScaler().fit(x[train])
    model = LogisticRegression(C=0.02, max_iter=400).fit(scale.transform(x[train]), y[train])
    return model.predict(scale.transform(x))


def small_network(x: torch.Tensor, y: np.ndarray, train: np.ndarray, seconds: float) -> np.ndarray:
    """Return the prediction of a four-block network trained from scratch for so long, processor seconds."""
    torch.manual_seed(0)
    blocks: list[nn.Module] = []
    for a, b in ((3, 24), (24, 48), (48, 96), (96, 128)):
        blocks += [nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(), nn.MaxPool2d(2)]
    net = nn.Sequential(
        *blocks,
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(512, int(y.max()) + 1),
    )
    x = (x - x.mean((2, 3), keepdim=True)) / (x.std((2, 3), keepdim=True) + 1e-3)
    target = torch.from_numpy(y)
    order = torch.from_numpy(np.flatnonzero(train))
    opt = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=1e-3)
    end = time.process_time() + seconds
    while (left := (end - time.process_time()) / seconds) > 0:
        for batch in order[torch.randperm(len(order))].split(32):
            turn = torch.rand(len(batch)) * 1.4 - 0.7
            zoom = 1 + torch.rand(len(batch)) * 0.3 - 0.15
            cos, sin, zero = torch.cos(turn) * zoom, torch.sin(turn) * zoom, torch.zeros(len(batch))
            flip = torch.where(torch.rand(len(batch)) < 0.5, -1.0, 1.0)
            theta = torch.stack(
                [torch.stack([cos * flip, -sin, zero], 1), torch.stack([sin * flip, cos, zero], 1)],
                1,
            )
            grid = nn.functional.affine_grid(
                theta, [len(batch), 3, SMALL_PX, SMALL_PX], align_corners=False
            )
            moved = nn.functional.grid_sample(
                x[batch], grid, padding_mode="reflection", align_corners=False
            )
            for group in opt.param_groups:
                group["lr"] = 3e-3 * max(0.02, left)
            opt.zero_grad()
            nn.functional.cross_entropy(net(moved), target[batch], label_smoothing=0.1).backward()
            opt.step()
    net.eval()
    with torch.inference_mode():
        return torch.cat([net(b).argmax(1) for b in x.split(100)]).numpy()


def main() -> None:
    """Draw, train, and print accuracies with n."""
    folder, seed = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 7
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 60.0
    begun = time.process_time()
    project = generate_leaves(folder, seed)
    print(f"drawn {len(project.items)} in {time.process_time() - begun:.1f} s of processor time")
    names = list(project.schema.classes)
    y = np.array([names.index(i.answer.choices["species"]) for i in project.items])
    state = np.array(
        [
            project.schema.questions[1].names.index(i.answer.choices["condition"])
            for i in project.items
        ]
    )
    bad = np.array(
        [
            i.metadata["camera"] == BAD_CAMERA and i.metadata["light"] == BAD_LIGHT
            for i in project.items
        ]
    )
    files = [i.data_path for i in project.items]
    embedded = features(pixels(files, 224))
    rng = np.random.default_rng(seed)
    folds = [rng.permutation(len(y)) < TRAIN_SHARE * len(y) for _ in range(FOLDS)]

    def report(name: str, runs: list[tuple[np.ndarray, np.ndarray]], truth: np.ndarray) -> None:
        hit = [np.mean((p == truth)[~t]) for p, t in runs]
        hit_bad = np.mean([np.mean((p == truth)[~t & bad]) for p, t in runs])
        hit_good = np.mean([np.mean((p == truth)[~t & ~bad]) for p, t in runs])
        print(
            f"{name}: {np.mean(hit):.3f} (folds {np.round(hit, 3)}, n test {int((~runs[0][1]).sum())}); bad slice {hit_bad:.3f} (n {bad.sum()}), rest {hit_good:.3f}",
            flush=True,
        )

    runs = [(probe(embedded, y, t), t) for t in folds]
    report("probe, species", runs, y)
    counts = np.zeros((len(names), len(names)), int)
    for p, t in runs:
        np.add.at(counts, (y[~t], p[~t]), 1)
    for name, row in zip(names, counts, strict=True):
        print(f"  {name:20s}", row)
    report("probe, condition", [(probe(embedded, state, t), t) for t in folds], state)
    small = pixels(files, SMALL_PX)
    if seconds:
        report(
            "small network, species",
            [(small_network(small, y, t, seconds), t) for t in folds[:2]],
            y,
        )


if __name__ == "__main__":
    main()
