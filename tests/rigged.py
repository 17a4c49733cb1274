"""Weights of a published detector, changed to see people everywhere."""

from __future__ import annotations

from pathlib import Path

NAME = "ssdlite320_mobilenet_v3_large"


def weights_that_see_people(folder: Path) -> Path:
    """Write random weights whose last layer says "person" of every place; return the file."""
    import torch
    from torchvision import models

    torch.manual_seed(0)
    network = models.get_model(NAME, weights=None, weights_backbone=None)
    categories = models.get_model_weights(NAME).DEFAULT.meta["categories"]
    state = network.state_dict()
    for key, value in state.items():
        of_classes = key.startswith("head.classification_head") and key.endswith(".bias")
        if of_classes and value.numel() % len(categories) == 0:
            value.zero_().view(-1, len(categories))[:, categories.index("person")] = 12.0
    path = folder / "all-people.pth"
    torch.save(state, path)
    return path
