"""How much memory a run will need, before it is begun (显存估算).

One update is rehearsed on tensors that have a shape, a type and a device but no content (PyTorch's fake tensors): every
operation of the real loop happens, nothing is computed, and each block that would be allocated or freed is counted.
So the estimate knows of whatever changes the memory: autocast, checkpointing, frozen layers, a CRF, the optimiser.

It counts tensors. Beside them a process has its libraries (half a GiB or more), and a GPU its context.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core import inference
from hanlp_tutor.core.batching import Batch, Encodings, windows
from hanlp_tutor.core.mixing import epoch_batches
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.optim import L2Penalty, build_optimizer, parameter_groups
from hanlp_tutor.core.precision import Precision, apply_options, choose_precision
from hanlp_tutor.encoders import POSITIONS
from hanlp_tutor.errors import TrainingError

KINDS = ("weights", "gradients", "optimiser", "copies", "activations")
MIB = 2**20


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes of tensors at the fullest moment of a run.

    Attributes:
        parts: bytes by kind. ``weights`` θ and φ; ``gradients`` as far as they exist at that moment; ``optimiser`` its
            moments; ``copies`` θ₀ of an L2 term on the distance, and on a CPU the best weights so far;
            ``activations`` what the forward pass keeps for the backward pass (or an evaluation needs), and scratch.
        moment: ``forward``, ``backward``, ``step`` or ``evaluation``: when it is.
        rows, width: the largest micro-batch, padding included.
    """

    parts: dict[str, int]
    moment: str
    rows: int
    width: int

    @property
    def peak(self) -> int:
        """All of it, in bytes."""
        return sum(self.parts.values())

    def __str__(self) -> str:
        lines = [f"{kind:<12}{size / MIB:>10,.1f} MiB" for kind, size in self.parts.items()]
        where = f"in the {self.moment} of {self.rows} x {self.width} tokens"
        return "\n".join([*lines, f"{'peak':<12}{self.peak / MIB:>10,.1f} MiB, {where}"])


def estimate_memory(model: Model, config: TrainConfig, train: Sequence[Any], dev: Sequence[Any] = ()) -> MemoryEstimate:
    """What :func:`hanlp_tutor.fine_tune` will need at most, from the shapes of its largest micro-batch.

    Costs a second or so and no memory; with a CRF a hundredth of a second for each token of the longest sentence.

    Args:
        model: on any device; it is not changed.
        config: of the run; its device and number format are rehearsed.
        train, dev: as for the run. With dev data, a copy of the best weights is kept.

    Raises:
        TrainingError: no training data. ConfigError: what the run would refuse.
    """
    if not train:
        raise TrainingError("There is no training example.")
    precision = choose_precision(config)
    encoded = Encodings(model.encode, train)
    batches = [group for epoch in range(config.epochs) for group in epoch_batches(encoded, config, epoch)]
    largest = _collated(model, [(encoded, group) for group in batches], config.max_length)
    scored = [encoded, Encodings(model.encode, dev)] if dev else [encoded]
    evaluated = _collated(
        model, [(each, group) for each in scored for group in _evaluation(each, model.window)], POSITIONS
    )
    count = BlockCount()
    with FakeTensorMode() as fake, count:
        largest, evaluated = (_without_content(batch, fake).to(precision.device) for batch in (largest, evaluated))
        twin = _twin(model, precision.device)
        copies = bool(dev) and precision.device.type == "cpu" and (config.epochs > 1 or config.eval_steps is not None)
        rehearsal = _Rehearsal(twin, config, count, keeps_best=copies)
        rehearsal.update([largest] * (2 if config.gradient_accumulation_steps > 1 else 1), precision)
        rehearsal.evaluate(evaluated, precision)
    rows, width = (evaluated if count.moment_of_peak == "evaluation" else largest).input_ids.shape
    return MemoryEstimate(count.at_peak(KINDS), count.moment_of_peak, rows, width)


class BlockCount(TorchDispatchMode):
    """Counts the blocks of memory that operations allocate, each from its allocation until nothing refers to it."""

    def __init__(self):
        super().__init__()
        self.moment = self.moment_of_peak = ""
        self._now = self._peak = self._time = self._time_of_peak = 0
        self._alive: dict[int, _Block] = {}
        self._all: list[_Block] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if func is torch.ops.aten._local_scalar_dense.default:
            return True  # a library asks whether its input is in order; there is no content to look at
        out = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(out):
            if isinstance(leaf, Tensor):
                self.note(leaf, "activations")
        return out

    def note(self, tensor: Tensor, kind: str) -> None:
        """Count a tensor's block, or say of what kind a counted one is."""
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._alive:
            if kind != "activations":
                self._alive[key].kind = kind
            return
        self._time += 1
        block = self._alive[key] = _Block(storage.nbytes(), kind, self._time)
        self._all.append(block)
        weakref.finalize(storage, self._freed, key)
        self._now += block.size
        if self._now > self._peak:
            self._peak, self._time_of_peak, self.moment_of_peak = self._now, self._time, self.moment

    def forget_peak(self) -> None:
        """Begin to look for the fullest moment now."""
        self._peak = 0

    def at_peak(self, kinds: Sequence[str]) -> dict[str, int]:
        """Bytes by kind at the fullest moment; a block that became a gradient later on counts as one."""
        then = [block for block in self._all if block.born <= self._time_of_peak < block.freed]
        return {kind: sum(block.size for block in then if block.kind == kind) for kind in kinds}

    def _freed(self, key: int) -> None:
        block = self._alive.pop(key)
        block.freed = self._time + 1
        self._now -= block.size


@dataclass
class _Block:
    size: int
    kind: str
    born: int
    freed: float = float("inf")


class _Rehearsal:
    """The loop of :mod:`hanlp_tutor.core.train` with tensors that hold nothing, to the update when all state exists."""

    def __init__(self, model: Model, config: TrainConfig, count: BlockCount, *, keeps_best: bool):
        self.model, self.config, self.count = model, config, count
        for tensor in (*model.parameters(), *model.buffers()):
            count.note(tensor, "weights")
        model.train()
        apply_options(model, config)
        self.penalty = L2Penalty(model, config)
        self.copies = [*(self.penalty.origin or ())]
        if keeps_best:
            self.copies += [tensor.detach().clone() for tensor in model.state_dict().values()]
        for tensor in self.copies:
            count.note(tensor, "copies")
        self.optimizer = build_optimizer(parameter_groups(model, config), config)
        trained = [p for group in self.optimizer.param_groups for p in group["params"]]
        for parameter in trained:
            parameter.grad = torch.zeros_like(parameter)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        for tensor in tree_leaves([*self.optimizer.state.values()]):
            count.note(tensor, "optimiser")
        count.forget_peak()

    def update(self, window: Sequence[Batch], precision: Precision) -> None:
        config, count = self.config, self.count
        for batch in window:
            count.moment = "forward"
            with precision.autocast():
                logits = self.model(batch)
            loss = self.model.loss_sum(logits, batch) / batch.valid
            count.moment = "backward"
            loss.backward()
        if config.l2:
            (self.penalty() * config.l2).backward()
        for parameter in self.model.parameters():
            if parameter.grad is not None:
                count.note(parameter.grad, "gradients")
        count.moment = "step"
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.max_grad_norm or torch.inf)
        self.optimizer.step()

    @torch.no_grad()
    def evaluate(self, batch: Batch, precision: Precision) -> None:
        self.count.moment = "evaluation"  # the gradients of the last update are still there
        self.model.eval()
        with precision.autocast():
            self.model.loss_sum(self.model.head.logits(inference.states_of(self.model, batch), batch), batch)


def _evaluation(encoded: Encodings, window: int) -> list[list[int]]:
    """The batches of an evaluation, by number of the examples."""
    return inference.batches_of(encoded.lengths, encoded.tasks or [""] * len(encoded), window)


def _collated(model: Model, groups: list[tuple[Encodings, list[int]]], max_length: int) -> Batch:
    """The group with the most tokens, padding included, as a batch."""

    def tokens(group: tuple[Encodings, list[int]]) -> tuple[int, int]:
        lengths = [int(group[0].lengths[i]) for i in group[1]]
        width = min(max(lengths) + 2, max_length)
        return width * sum(len(windows(length, max_length - 2)) for length in lengths), width

    encoded, numbers = max(groups, key=tokens)
    return model.collate([encoded[i] for i in numbers], max_length=max_length)


def _twin(model: Model, device: torch.device) -> Model:
    """A copy whose tensors have no content; to be called where tensors are fake. The tokenizer is shared."""
    known: dict[int, Any] = {id(model.text_encoder): model.text_encoder}
    for tensor in (*model.parameters(), *model.buffers()):
        empty = torch.empty(tensor.shape, dtype=tensor.dtype, device=device)
        known[id(tensor)] = nn.Parameter(empty, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else empty
    return copy.deepcopy(model, known)


def _without_content(batch: Batch, fake: FakeTensorMode) -> Batch:
    values = {field.name: getattr(batch, field.name) for field in fields(batch)}
    return Batch(**{name: fake.from_tensor(v) if isinstance(v, Tensor) else v for name, v in values.items()})
