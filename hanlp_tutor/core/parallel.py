"""One model in several processes, a device each (数据并行): ``torchrun --nproc_per_node 2 -m hanlp_tutor.cli train``.

All processes hold the same weights and take the same step as one process would: the micro-batches of an accumulation
window are dealt out, in smaller pieces where they do not come out even, and the gradients are added up by PyTorch's
DistributedDataParallel while the last of them goes backward. The first process, rank 0, evaluates, decides and writes;
the others wait for its word. What is said between them as numbers of Python never touches a GPU.

Alone, which is the usual case, everything here hands on what it was given.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from hanlp_tutor.core.batching import Batch
from hanlp_tutor.errors import ConfigError

TIMEOUT = timedelta(days=2)  # for rank 0 to evaluate; a process that is gone is noticed at once
# How Gloo and NCCL say that another process is gone
_GONE = ("connection closed by peer", "connection reset by peer", "broken pipe", "connection refused", "socket closed",
         "remote process exited")  # fmt: skip

T = TypeVar("T")


@dataclass
class Team:
    """The processes that train one model.

    Attributes:
        rank: of this one, from 0 up.
        size: how many there are.
    """

    rank: int = 0
    size: int = 1
    _learner: nn.Module | None = field(default=None, repr=False)

    @property
    def leads(self) -> bool:
        """Whether this process evaluates, decides and writes."""
        return self.rank == 0

    def learner(self, model: nn.Module, task: str) -> nn.Module:
        """What the loop calls forward: the model itself, or in several processes one that adds up their gradients.

        Raises:
            ConfigError: a model of several tasks.
        """
        if self.size == 1:
            return model
        if task == "multitask":  # a window trains the decoders of some tasks, and which differs between processes
            raise ConfigError("A model of several tasks is trained in one process: start it without torchrun.")
        device = next(model.parameters()).device
        self._learner = DistributedDataParallel(model, device_ids=[device] if device.type == "cuda" else None)
        return self._learner

    def each(self, window: Sequence[Batch]) -> Iterator[Batch]:
        """The micro-batches of a window; when the last goes backward, the gradients of all processes are averaged."""
        if self._learner is not None:
            for batch in window[:-1]:
                with self._learner.no_sync():
                    yield batch
            window = window[-1:]
        yield from window

    def share(self, micro_batches: Sequence[list[int]], cut: Any) -> list[list[int]]:
        """This process's pieces of a window's micro-batches, as many as every other's, or one less where none is left.

        Args:
            micro_batches: numbers of examples.
            cut: (micro-batch, number of pieces) -> pieces.
        """
        divisor = self.size // math.gcd(len(micro_batches), self.size)
        return [piece for micro in micro_batches for piece in cut(micro, divisor)][self.rank :: self.size]

    def mean(self, number: int) -> float:
        """The mean over the processes of what each has."""
        if self.size == 1:
            return number
        total = torch.tensor(number)
        dist.all_reduce(total)
        return int(total) / self.size

    def gather(self, given: T) -> list[T]:
        """What each process gave, in the order of their ranks."""
        if self.size == 1:
            return [given]
        found: list[Any] = [None] * self.size
        dist.all_gather_object(found, given)
        return found

    def decided(self, given: T) -> T:
        """What the first process gave."""
        if self.size == 1:
            return given
        said = [given]
        dist.broadcast_object_list(said, src=0)
        return said[0]


def join() -> Team:
    """The processes that torchrun started, this one among them; or this one alone.

    Raises:
        ConfigError: more processes than GPUs.
    """
    if not (dist.is_available() and dist.is_torchelastic_launched()) or os.environ.get("WORLD_SIZE", "1") == "1":
        return Team()
    if not dist.is_initialized():
        gpus, here = torch.cuda.device_count(), int(os.environ["LOCAL_WORLD_SIZE"])
        if 0 < gpus < here:
            raise ConfigError(f"{here} processes and {gpus} GPUs: each takes one. Use --nproc_per_node {gpus}.")
        if gpus:
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo", timeout=TIMEOUT)
    return Team(dist.get_rank(), dist.get_world_size())


def leave() -> None:
    """This process needs the others no more."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def is_gone(error: BaseException) -> bool:
    """Whether an error says that another process is gone; why, that one knows."""
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _GONE)


def first_to_speak() -> bool:
    """Whether no other process has asked this before, so that of one failure there is one message.

    It is kept by torchrun itself, which outlives its processes.
    """
    try:
        store = dist.TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), timeout=timedelta(seconds=5))
        return store.add("hanlp_tutor/spoken", 1) == 1
    except (RuntimeError, OSError):  # better twice than not at all
        return True
