"""The processes of one run: who is who, and the few things they tell one another.

``torchrun`` sets RANK, WORLD_SIZE and where to meet; without it there is a group of one, and
nothing here costs anything. The first process alone writes files and the record.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor
from torch import distributed as dist

from core.errors import WorkerDied

PATIENCE = timedelta(hours=6)
"""While the leader embeds and predicts the others wait for it; one that dies is noticed at once."""
STEP_PATIENCE = timedelta(minutes=10)
"""Within a step nobody has more to do than the others: who is silent for longer hangs."""

_OPENED: list[Group] = []


class Group:
    """The processes that train together.

    Attributes:
        rank: This process's number; 0 leads.
        world: How many there are.
        at_work: Whether a step is shared just now; then nobody may say anything else.
    """

    def __init__(self, rank: int = 0, world: int = 1) -> None:
        self.rank, self.world, self.at_work = rank, world, False

    @property
    def leads(self) -> bool:
        """Return whether this process writes files and the record."""
        return self.rank == 0

    def part(self, n: int) -> slice:
        """Return which of n rows are this process's."""
        return slice(n * self.rank // self.world, n * (self.rank + 1) // self.world)

    def total(self, tensor: Tensor) -> Tensor:
        """Return the sum over all processes, in place.

        Raises:
            WorkerDied: Another process ended, or was silent for too long.
        """
        if self.world > 1:
            try:
                work = dist.all_reduce(tensor, async_op=True)
                # A GPU's sums are not waited for here; every step also sums figures on the CPU.
                work.wait(STEP_PATIENCE) if tensor.device.type == "cpu" else work.wait()
            except RuntimeError as error:
                if not _is_silence(error):
                    raise
                raise WorkerDied(
                    f"One of the {self.world} processes of this run ended or fell silent; the last "
                    "checkpoint is kept.",
                    "Resume the run, with fewer processes if it happens again.",
                ) from error
        return tensor

    def told(self, value: Any) -> Any:
        """Return the leader's value; it must be picklable."""
        if self.world == 1:
            return value
        box = [value if self.leads else None]
        dist.broadcast_object_list(box, src=0)
        return box[0]

    def device(self, device: torch.device) -> torch.device:
        """Return this process's own device of that kind."""
        if device.type != "cuda":
            return device
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))

    def close(self) -> None:
        """Leave the group; processes still in a step notice that and end."""
        if self.world > 1 and dist.is_initialized():
            dist.destroy_process_group()


def open_group() -> Group:
    """Return the group that torchrun's variables describe, the same each time; without them, of one.

    Raises:
        RuntimeError: The others did not come.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        return Group()
    if _OPENED and dist.is_initialized():
        return _OPENED[0]
    if not dist.is_initialized():
        cuda = torch.cuda.is_available()
        if cuda:
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo", timeout=PATIENCE)
    _OPENED[:] = [Group(dist.get_rank(), world)]
    return _OPENED[0]


def _is_silence(error: RuntimeError) -> bool:
    """Return whether an exchange failed because another process did not take part."""
    words = str(error).lower()
    return any(said in words for said in ("timed out", "connection", "peer"))
