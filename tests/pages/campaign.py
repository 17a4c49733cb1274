"""A house whose project has two probes on planted vectors and checked items: no image is embedded, nothing trained for long."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from core.access import Role
from core.services.accounts.changing import add_person
from core.services.accounts.people import operator
from core.services.certificates.campaign import open_campaign
from core.services.certificates.evidence import in_arm
from core.services.consensus.draws import Arm
from core.services.projects.training_rules import TrainingRules, set_training_rules
from core.services.workspace import Workspace
from core.store.tables import item_metadata
from tests.pages.house import House
from tests.services.certificates.planted import Planted, answer, plant, teach

SLUG = "pets"
ITEMS = 500


@dataclass(frozen=True)
class Campaign:
    """The house, and what was planted in it."""

    house: House
    planted: Planted


def make_campaign(ws: Workspace) -> Campaign:
    """Plant the project: evaluate labels, two models, cameras in the metadata, a manager, a wage."""
    planted = plant(ws, ITEMS, noise=0.6)
    lead = planted.world.cast.lead
    with ws.store.write() as connection:
        connection.execute(
            item_metadata.insert(),
            [
                {
                    "project_id": planted.world.project.id,
                    "item_id": i,
                    "doc": json.dumps({"camera": "AB"[n % 2]}),
                    "at": ws.clock(),
                }
                for n, i in enumerate(planted.world.items)
            ],
        )
    train = planted.of_use("train")
    answer(planted, [*train[:12], *planted.of_use("evaluate")])
    teach(planted)
    answer(planted, train[12:60])
    teach(planted, seed=1)
    rules = TrainingRules(audit_share=0.2, random_arm=0.2, wage_per_hour=30.0, currency="EUR")
    set_training_rules(ws, lead, SLUG, rules, "check many")
    people = {"lead": lead.person_id, "mia": _manager(ws)}
    return Campaign(House(ws, people, ws.root), planted)


def promise(made: Campaign, target: float = 0.1, scope: str = "all") -> None:
    """Open a campaign and let the first items it drew be checked."""
    planted = made.planted
    lead = planted.world.cast.lead
    open_campaign(planted.ws, lead, SLUG, target, 0.1, scope, reason="save time")
    answer(planted, arm(planted, Arm.CERTIFY)[:110])


def arm(planted: Planted, which: Arm) -> list[int]:
    """Return the items drawn for a purpose, in the order they were drawn."""
    with planted.ws.store.read() as connection:
        return in_arm(connection, planted.world.project.id, which)


def draw_images(root: Path) -> None:
    """Write the images that the planted items name."""
    rng = np.random.default_rng(0)
    for k in range(ITEMS):
        Image.fromarray(rng.integers(0, 255, (8, 8, 3), np.uint8)).resize((64, 64)).save(
            root / f"{k}.png"
        )


def _manager(ws: Workspace) -> int:
    roles = [(Role.MANAGER, None)]
    return add_person(ws, operator(ws), "mia", "Mia Manager", roles=roles, simulated=True)
