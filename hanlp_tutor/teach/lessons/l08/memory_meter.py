"""Measured memory and time: the highest number of bytes of tensors while a piece of code runs."""

from __future__ import annotations

import contextlib
import gc
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.train import fine_tune


def peak_bytes(run: Callable[[], Any], device: torch.device, *, before: int = 0) -> int:
    """The peak of all tensors while ``run()`` runs: by PyTorch's profiler on a CPU, by the allocator on a GPU.

    Args:
        run: what is measured.
        device: where its tensors are.
        before: bytes that are there already; the profiler sees only what is allocated and freed from now on.
    """
    gc.collect()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        run()
        return torch.cuda.max_memory_allocated(device)
    now = peak = before
    for size in _allocated_and_freed(run):
        now += size
        peak = max(peak, now)
    return peak


def kept_bytes(run: Callable[[], Any], device: torch.device) -> int:
    """What is still there of all that ``run()`` allocated, while its result is held.

    Of a forward pass that returns its loss, that is what it keeps for the backward pass.
    """
    gc.collect()
    if device.type == "cuda":
        before = torch.cuda.memory_allocated(device)
        held = run()
        kept = torch.cuda.memory_allocated(device) - before
        del held
        return kept
    return sum(_allocated_and_freed(run))


def _allocated_and_freed(run: Callable[[], Any]) -> list[int]:
    """Bytes of each allocation, and of each release below zero, in their order; the result is held to the end."""
    profiler = torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True)
    with _silent_standard_error():
        profiler.start()
    held = None
    try:
        held = run()
    finally:
        with _silent_standard_error():
            profiler.stop()
    del held
    events = [event for event in profiler.profiler.kineto_results.events() if event.name() == "[memory]"]
    return [event.nbytes() for event in sorted(events, key=lambda event: event.start_ns())]


def peak_of_training(model: Model, config: TrainConfig, train: Sequence[Any], device: torch.device) -> int:
    """The peak of a whole run of :func:`hanlp_tutor.fine_tune` without dev data, with the model that it trains."""

    def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            fine_tune(model, train, [], config, folder, progress="none")

    return peak_bytes(run, device, before=sum(tensor.nbytes for tensor in model.state_dict().values()))


@contextlib.contextmanager
def _silent_standard_error() -> Iterator[None]:
    """The profiler's library announces its start and its end there, which a notebook would show in red."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def seconds(run: Callable[[], Any], *, repeats: int = 3) -> float:
    """The shortest of several runs: whatever disturbs a run makes it longer."""
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        run()
        times.append(time.perf_counter() - begun)
    return min(times)
