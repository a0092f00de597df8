"""When memory runs out in the middle of an update (显存不足): the same update once more, in smaller micro-batches.

Halving the micro-batch and doubling the accumulation leaves the effective batch as it is: the same examples, the same
gradient up to rounding (notebook 07). Only dropout draws other masks.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import torch

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.batching import Batch
from hanlp_tutor.device import give_back_memory, is_out_of_memory
from hanlp_tutor.errors import TrainingError, first_line
from hanlp_tutor.progress import Reporter

REMEDIES = (
    "What else saves memory: gradient_checkpointing=True; fp16=True or bf16=True on a device that has it; "
    "optimizer='sgd', which keeps no moments; freeze='all-but-last-1'; shorter texts; a smaller encoder. "
    "hanlp_tutor.estimate_memory says beforehand what a run needs."
)

P, R = ParamSpec("P"), TypeVar("R")
Accumulate = Callable[[list[Batch]], None]


class MemoryWarning(UserWarning):
    """Memory ran out and the run went on with smaller micro-batches."""


def explain_out_of_memory(run: Callable[P, R]) -> Callable[P, R]:
    """Say what to do where memory runs out outside the micro-batches: weights, optimiser state, evaluation.

    Raises:
        TrainingError: in place of the allocator's error, with remedies.
    """

    @functools.wraps(run)
    def explained(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return run(*args, **kwargs)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            reason = first_line(error) or "MemoryError"
            raise TrainingError(f"Memory ran out where no smaller micro-batch helps ({reason}). {REMEDIES}") from error

    return explained


def smaller_when_memory_runs_out(
    smaller_window: Callable[[list[Batch]], list[Batch]],
) -> Callable[[Accumulate], Accumulate]:
    """Do an accumulation window once more where memory ran out, in micro-batches of half the size, until it fits.

    Args:
        smaller_window: gives the window in smaller micro-batches (:meth:`hanlp_tutor.core.run.Run.smaller_window`).

    Raises:
        TrainingError: not even a single example fits.
    """

    def wrap(accumulate: Accumulate) -> Accumulate:
        @functools.wraps(accumulate)
        def until_it_fits(window: list[Batch]) -> None:
            while True:
                try:
                    return accumulate(window)
                except (RuntimeError, MemoryError) as error:
                    if not is_out_of_memory(error):
                        raise
                # here the error is gone, and with it the frames that held the activations
                give_back_memory()
                window = smaller_window(window)

        return until_it_fits

    return wrap


def cut(micro_batch: list[int], divisor: int) -> list[list[int]]:
    """A micro-batch in at most ``divisor`` pieces of like size, in order.

    >>> cut([1, 2, 3, 4, 5], 2)
    [[1, 2, 3], [4, 5]]
    """
    size = -(-len(micro_batch) // divisor)
    return [micro_batch[start : start + size] for start in range(0, len(micro_batch), size)]


def random_state(device: torch.device) -> list[torch.Tensor]:
    """Of the generators that dropout draws from; reading it does not wait for a GPU."""
    return [torch.get_rng_state(), *([torch.cuda.get_rng_state(device)] if device.type == "cuda" else [])]


def set_random_state(state: list[torch.Tensor], device: torch.device) -> None:
    """Put back what :func:`random_state` gave."""
    torch.set_rng_state(state[0])
    if device.type == "cuda":
        torch.cuda.set_rng_state(state[1], device)


def say_halved(reporter: Reporter, update: int, micro_batch: int, config: TrainConfig) -> None:
    """Inform a person, and a program by a :class:`MemoryWarning`, that from here on micro-batches are smaller."""
    message = (
        f"Memory ran out at update {update}. It is done again with at most {micro_batch} examples in a micro-batch; "
        f"batch_size={config.batch_size} was too much here. Each update still learns from the same examples."
    )
    reporter.say(message)
    warnings.warn(message, MemoryWarning, stacklevel=6)


def single_example(update: int, batch: Batch) -> TrainingError:
    """The error for a micro-batch that cannot be halved."""
    return TrainingError(
        f"Memory ran out at update {update}, with a single example of {batch.lengths[0]:,} tokens in the micro-batch "
        f"({batch.sources[0] or 'no source'}). {REMEDIES}"
    )


def in_one_of_several(update: int, rank: int, config: TrainConfig) -> TrainingError:
    """The error for one of several processes, which all have to take the same step."""
    return TrainingError(
        f"Memory ran out at update {update} in process {rank} (counted from 0); several processes end together. Take a "
        f"smaller batch_size than {config.batch_size} and more gradient_accumulation_steps. {REMEDIES}"
    )
