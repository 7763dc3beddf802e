"""Several processes that train one model, started by torchrun: DDP (Li et al. 2020) or FSDP2.

Control messages (token counts, requests to stop) are small numbers on the CPU, carried by gloo,
so that no process waits for its GPU to exchange them; gradients and weights use NCCL on CUDA.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.parallel import DistributedDataParallel

from mltranslate.errors import MltError
from mltranslate_train.model.attention import CrossAttention
from mltranslate_train.model.layers import CausalLayer, DecoderLayer, EncoderLayer

T = TypeVar("T")

_PATIENCE = timedelta(hours=12)
"""How long processes wait for one another: the first one may have a corpus to prepare."""


@dataclass(frozen=True, slots=True)
class World:
    """The processes that train together; without torchrun there is one."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    """Number of this process on its machine, and of its GPU."""

    @property
    def main(self) -> bool:
        """Whether this process is the one that logs, evaluates and saves."""
        return self.rank == 0

    def total(self, number: int) -> int:
        """Sum of all processes' numbers."""
        if self.size == 1:
            return number
        numbers = torch.tensor([number])
        dist.all_reduce(numbers)
        return int(numbers)

    def summed(self, value: Tensor) -> Tensor:
        """Sum of all processes' tensors, each on its device."""
        if self.size > 1:
            dist.all_reduce(value)
        return value

    def shared_out(self, work: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
        """What `work` makes of rows (N, …), of the same shape: each process does a part of them.

        All must have the same rows; `work` treats every row by itself.
        """
        if self.size == 1:
            return work(rows)
        share = -(-len(rows) // self.size)
        made = torch.zeros_like(rows[:1]).repeat(share * self.size, *[1] * (rows.dim() - 1))
        parts = list(made.chunk(self.size))
        mine = rows[self.rank * share : (self.rank + 1) * share]
        if len(mine):
            parts[self.rank][: len(mine)] = work(mine)
        dist.all_gather(parts, parts[self.rank].clone())
        return made[: len(rows)]

    def gathered(self, item: T) -> list[T]:
        """All processes' items, by rank."""
        items: list[Any] = [item] * self.size
        if self.size > 1:
            dist.all_gather_object(items, item)
        return items

    def on_main(self, work: Callable[[], T]) -> T:
        """What `work` gives in the main process, while the others wait for it.

        Raises:
            MltError: in the main process, what `work` raised.
            SystemExit: in the others then, with the error's exit code; one message is enough.
        """
        if self.size == 1:
            return work()
        outcome: list[Any] = [None, 0]
        error: MltError | None = None
        if self.main:
            try:
                outcome[0] = work()
            except MltError as caught:
                error, outcome[1] = caught, caught.exit_code
        dist.broadcast_object_list(outcome, src=0)
        if error:
            raise error
        if outcome[1]:
            raise SystemExit(outcome[1])
        given: T = outcome[0]
        return given


ALONE = World()
"""One process, which does everything."""


def launched_world() -> World:
    """What torchrun tells this process of its place, or a world of one."""
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
    return World(*(int(os.environ[name]) for name in names)) if names[1] in os.environ else World()


@contextmanager
def joined(world: World, device: torch.device) -> Iterator[None]:
    """Connect this process with the others, if there are any, and leave them at the end."""
    if world.size == 1:
        yield
        return
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=_PATIENCE)
    if not world.main:
        logging.getLogger(__package__).setLevel(logging.WARNING)  # the first process tells it
    try:
        yield
        # Caches of FSDP keep gloo's threads alive beyond the next line. While all wait here they
        # let go of the tensors they sent; in a process that is ending that would abort it.
        dist.barrier()
    finally:
        dist.destroy_process_group()


def parallelised(
    objective: nn.Module, units: list[nn.Module], how: str, device: torch.device, world: World
) -> nn.Module:
    """The module to call for training, its gradients averaged over all processes.

    Args:
        objective: everything that learns; its `forward` must be all that uses the weights.
        units: parts that FSDP gathers and frees one by one, each used by its own `forward` only.
        how: "ddp" or "fsdp"; FSDP shards `objective` in place.
        device: where this process computes.
        world: one process leaves the objective as it is.
    """
    if world.size == 1:
        return objective
    if how == "ddp":
        gpus = [device] if device.type == "cuda" else None
        # Every process makes the same constant buffers.
        return DistributedDataParallel(
            objective, device_ids=gpus, forward_sync_buffers=False, gradient_as_bucket_view=True
        )
    # The output of a unit's linear layer is a view; nothing here changes one in place.
    warnings.filterwarnings("ignore", "FSDP2-wrapped module .* returned a view", UserWarning)
    mesh = init_device_mesh(device.type, (world.size,))
    for unit in units:
        fully_shard(unit, mesh=mesh)
        if isinstance(unit, DecoderLayer):  # guided alignment uses it by another method
            register_fsdp_forward_method(unit, "aligned")
    fully_shard(objective, mesh=mesh)
    return objective


def sharding_units(model: nn.Module) -> list[nn.Module]:
    """Parts for FSDP, inner ones first: a Transformer's layers; other models stay in one piece.

    A decoder layer's keys and values of the source are made before the layer runs.
    """
    inner = [part.kv for part in model.modules() if isinstance(part, CrossAttention)]
    kinds = EncoderLayer, CausalLayer, DecoderLayer
    return [*inner, *(part for part in model.modules() if isinstance(part, kinds))]


@contextmanager
def gradients_shared(learner: nn.Module, now: bool) -> Iterator[None]:
    """While it is entered, a backward pass exchanges gradients only if `now`, else adds them up."""
    if isinstance(learner, FSDPModule):
        learner.set_requires_gradient_sync(now)
    alone = isinstance(learner, DistributedDataParallel) and not now
    with learner.no_sync() if alone else nullcontext():  # type: ignore[operator]
        yield


def whole(tensor: Tensor) -> Tensor:
    """All of a tensor that may be sharded; every process must ask for it."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def whole_on_main(tensors: Mapping[str, Tensor], world: World) -> dict[str, Tensor]:
    """Whole tensors in the main process, nothing in the others; every process must ask for them.

    They are put together one by one, so that no other process ever holds more than one; the main
    one keeps what was sharded in the CPU's memory, and what was not as it is.
    """
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        full = whole(tensor.detach())
        if world.main:
            found[name] = full.cpu() if isinstance(tensor, DTensor) else full
    return found


def local(tensor: Tensor) -> Tensor:
    """The part of this process of a tensor that may be sharded, sharing its memory."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def like(tensor: Tensor, pattern: Tensor) -> Tensor:
    """A whole tensor, placed and sharded as `pattern` is."""
    tensor = tensor.to(pattern.device)
    if not isinstance(pattern, DTensor):
        return tensor
    # Every process has all of it: nothing need be sent.
    return distribute_tensor(tensor, pattern.device_mesh, pattern.placements, src_data_rank=None)
