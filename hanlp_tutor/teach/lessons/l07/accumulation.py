"""What notebook 07 shows of gradient accumulation: gradients, what is kept for the backward pass, other libraries."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from hanlp_tutor.core.batching import Batch, Encoded
from hanlp_tutor.core.model import Model

Micro = Sequence[Encoded]


def gradient(model: Model, micro_batches: Iterable[Micro], divisors: Iterable[float]) -> Tensor:
    """The gradient of Σ (loss of a micro-batch / its divisor) by all trained parameters, as one vector.

    The model keeps its mode: in training mode dropout draws anew for each micro-batch.
    """
    model.zero_grad(set_to_none=True)
    for micro, divisor in zip(micro_batches, divisors, strict=True):
        batch = model.collate(micro).to(model.device)
        (model.loss_sum(model(batch), batch) / divisor).backward()
    found = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
    model.zero_grad(set_to_none=True)
    return found


@contextmanager
def optimizer_gradients(model: nn.Module) -> Iterator[list[Tensor]]:
    """A list that gets, before each step of any optimiser, the model's gradient as one vector, clipped if it was."""
    found: list[Tensor] = []

    def note(*_: Any) -> None:
        found.append(torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]))

    handle = register_optimizer_step_pre_hook(note)
    try:
        yield found
    finally:
        handle.remove()


def set_dropout(model: nn.Module, p: float) -> None:
    """Set every dropout (随机失活) of a model, that of the attention included, to ``p``."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = p


def has_trainer() -> bool:
    """Whether the Hugging Face Trainer can run here: it needs the package accelerate."""
    return find_spec("accelerate") is not None


def valid(micro: Micro) -> int:
    """How many losses a micro-batch sums: tokens for tagging, examples for classification."""
    return sum(len(e.labels) if isinstance(e.labels, list) else 1 for e in micro)


def relative_error(found: Tensor, reference: Tensor) -> float:
    """‖found - reference‖ / ‖reference‖"""
    return float((found - reference).norm() / reference.norm())


def split(examples: Micro, size: int) -> list[Micro]:
    """Micro-batches of ``size`` in the given order, the last one smaller where it does not divide."""
    return [examples[i : i + size] for i in range(0, len(examples), size)]


def kept_bytes(model: Model, batch: Batch) -> int:
    """Bytes of tensors that the forward pass keeps for the backward pass (激活值), weights and batch not counted.

    On any device, exactly, by PyTorch's own hooks: each storage once.
    """
    batch = batch.to(model.device)
    own = {tensor.untyped_storage().data_ptr() for tensor in [*model.parameters(), *model.buffers()]}
    own |= {value.untyped_storage().data_ptr() for value in vars(batch).values() if isinstance(value, Tensor)}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        loss = model.loss_sum(model(batch), batch)
    total = sum(kept.values())
    del loss  # not before: a freed storage's address may be given to another tensor
    return total


def mean_gradient(draw: Callable[[], Tensor], count: int) -> Tensor:
    """The mean of ``count`` gradients, each drawn by a call; one is held at a time."""
    return sum(draw() for _ in range(count)) / count


def averaging_out(
    draw: Callable[[], Tensor], target: Tensor, sizes: Sequence[int]
) -> list[tuple[float, float, float, float]]:
    """How far means of k drawn gradients are from ``target``, for each k of the ascending ``sizes``.

    As many gradients are drawn as the last size says; for a smaller k they are cut into groups of k, in their order.

    Returns:
        Points for :func:`hanlp_tutor.teach.plots.curves`: (k, median over the groups, least, greatest).
    """
    sums = {k: torch.zeros_like(target) for k in sizes}
    errors: dict[int, list[float]] = {k: [] for k in sizes}
    for number in range(1, sizes[-1] + 1):
        drawn = draw()
        for k in sizes:
            sums[k] += drawn
            if number % k == 0:
                errors[k].append(relative_error(sums[k] / k, target))
                sums[k].zero_()
    return [(float(k), statistics.median(found), min(found), max(found)) for k, found in errors.items()]


def divided(length: float, pieces: int, *, within: float = 0.05) -> str:
    """What the length of a library's gradient says of its divisor.

    Args:
        length: of its gradient, in lengths of the right one.
        pieces: micro-batches of the window.
    """
    if abs(length - 1) < within:
        return "right, the losses were divided by the count of the whole window."
    if abs(length / pieces - 1) < within:
        return (
            f"{length:.2f} times too long, as many times as there are micro-batches: nobody divided by {pieces}."
        )
    return f"{length:.2f} times as long as it should be, which neither of the usual divisors explains."


def trainers_gradient(
    model: Model, examples: Micro, batch_size: int, accumulation: int, loss: Callable[..., Tensor] | None = None
) -> tuple[Tensor, float]:
    """What the Hugging Face Trainer gives its optimiser in its first update, and the loss that it reports.

    It trains ``BertForTokenClassification`` from our weights on these examples in their order, without dropout.

    Args:
        model: a BERT with a tagging head without CRF; not changed.
        examples: encoded, in the order of the batches.
        batch_size, accumulation: ``per_device_train_batch_size`` and ``gradient_accumulation_steps``.
        loss: ``compute_loss_func(outputs, labels, num_items_in_batch)``; None: the model's own loss.

    Returns:
        The gradient in the order of :func:`gradient`, and ``train_loss``.
    """
    from torch.utils.data import SequentialSampler
    from transformers import PrinterCallback, Trainer, TrainingArguments

    class InOrder(Trainer):
        def _get_train_sampler(self, *_: Any) -> SequentialSampler:
            return SequentialSampler(self.train_dataset)

    theirs = _token_classifier(model)
    text = model.text_encoder
    rows = [{"input_ids": [text.cls_id, *e.ids, text.sep_id], "labels": [-100, *e.labels, -100]} for e in examples]
    with tempfile.TemporaryDirectory() as folder, optimizer_gradients(theirs) as found:
        arguments = TrainingArguments(
            output_dir=folder,
            num_train_epochs=1,
            per_device_train_batch_size=batch_size,
            gradient_accumulation_steps=accumulation,
            max_grad_norm=0.0,
            optim="sgd",
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            use_cpu=model.device.type == "cpu",
        )
        trainer = InOrder(
            model=theirs, args=arguments, train_dataset=rows, data_collator=_padded, compute_loss_func=loss
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return found[0].to(model.device), trainer.state.log_history[-1]["train_loss"]


def _token_classifier(model: Model) -> nn.Module:
    """Hugging Face's own tagging model with our weights, without dropout."""
    from transformers import BertConfig, BertForTokenClassification

    shape = model.encoder.config.to_dict() | {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    shape["id2label"] = dict(enumerate(model.labels))
    shape["label2id"] = {label: i for i, label in enumerate(model.labels)}
    theirs = BertForTokenClassification(BertConfig(**shape))
    encoder = {name: tensor for name, tensor in model.encoder.state_dict().items() if not name.startswith("pooler")}
    theirs.bert.load_state_dict(encoder)
    theirs.classifier.load_state_dict(model.head.classifier.state_dict())
    return theirs


def _padded(rows: list[dict[str, list[int]]]) -> dict[str, Tensor]:
    width = max(len(row["input_ids"]) for row in rows)

    def fill(name: str, value: int) -> Tensor:
        return torch.tensor([row[name] + [value] * (width - len(row[name])) for row in rows])

    mask = [[1] * len(row["input_ids"]) + [0] * (width - len(row["input_ids"])) for row in rows]
    return {
        "input_ids": fill("input_ids", 0),
        "attention_mask": torch.tensor(mask),
        "labels": fill("labels", -100),
    }
