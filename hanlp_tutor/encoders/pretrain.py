"""Masked-language pre-training (预训练): how θ comes about before anyone fine-tunes it.

Every batch is a pure function of the seed and the step, so a run that was killed goes on exactly where it stopped.
The output layer, a third of the arithmetic at this size, is computed at the masked positions only.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import LambdaLR
from transformers import BertForMaskedLM

from hanlp_tutor.atomic import write_json
from hanlp_tutor.checkpoint import Progress, load_checkpoint, save_checkpoint
from hanlp_tutor.config import Options
from hanlp_tutor.encoders.masked_batch import MaskedBatch, draw_batch
from hanlp_tutor.encoders.masking import RECIPES, Masker, Words
from hanlp_tutor.encoders.mini import SPECIAL
from hanlp_tutor.encoders.positions import repeat_positions
from hanlp_tutor.encoders.pretraining_text import PretrainingText
from hanlp_tutor.encoders.sentence_order import OrderHead, Passages
from hanlp_tutor.errors import TrainingError
from hanlp_tutor.history import RESULT_FILE, manifest, write_history
from hanlp_tutor.precision import Precision, choose_precision, describe_device
from hanlp_tutor.progress import Reporter

COLUMNS = (
    "step",
    "tokens",
    "loss",
    "accuracy",
    "order_accuracy",
    "lr",
    "held_out_loss",
    "held_out_accuracy",
    "seconds",
)
SHORT, LONGER = 64, ((64, 0.4), (128, 0.4), (512, 0.2))  # row lengths in tokens, and how often each is drawn
HELD_OUT_ROWS, HELD_OUT_LENGTH = 256, 128
LONGEST_PASSAGE = 128  # few lines are longer
CLS, SEP = SPECIAL.index("[CLS]"), SPECIAL.index("[SEP]")


class PretrainConfig(Options):
    """Options of a pre-training run. Rates and sizes suit encoders of a few million parameters on a processor.

    The rate rises over ``warmup_tokens``, stays, and falls to zero over the last ``decay`` of the tokens, so that a run
    can be prolonged from where its rate still stood (a trapezoidal schedule; Zhai et al. 2022, section 3.5).
    """

    recipe: Literal["bert", "roberta-wwm", "macbert"] = RECIPES[0]
    tokens: int = Field(20_000_000, ge=1, description="to read in all, special tokens included")
    batch_tokens: int = Field(2048, ge=512, description="in an update; small ones leave the first plateau sooner")
    lr: float = Field(1e-3, gt=0, le=1)
    warmup_tokens: int = Field(400_000, ge=0)
    decay: float = Field(1.0, ge=0, le=1, description="share of the tokens over which the rate falls to zero")
    short_rows: float = Field(
        0.4, ge=0, le=1, description="share of the tokens read in rows of 64 before longer rows join"
    )
    sinusoidal_positions: bool = Field(
        False, description="begin with sines and cosines as positions (Vaswani et al. 2017) instead of random ones"
    )
    sentence_order: bool = Field(
        False, description="also ask [CLS] how two halves of a row stand to each other, in rows of 64 and 128"
    )
    weight_decay: float = Field(0.01, ge=0)
    max_grad_norm: float = Field(1.0, gt=0)
    fp16: bool = False
    bf16: bool = False
    allow_slow_precision: bool = False
    device: str = "auto"
    eval_steps: int = Field(500, ge=1)
    log_steps: int = Field(50, ge=1)
    seed: int = Field(1, ge=0, lt=2**32)

    @property
    def steps(self) -> int:
        """Updates of the whole run."""
        return max(1, self.tokens // self.batch_tokens)


@dataclass(frozen=True)
class PretrainResult:
    """What a run came to: loss in nats a masked character, accuracy between 0 and 1, on text that it never read."""

    model: BertForMaskedLM
    held_out_loss: float
    held_out_accuracy: float
    rows: list[dict[str, Any]]


def row_length(config: PretrainConfig, step: int, rng: np.random.Generator) -> int:
    """Tokens a row in update ``step`` (from 0): 64 at first, then a mixture that trains all 512 positions."""
    if step < config.short_rows * config.steps:
        return SHORT
    lengths, shares = zip(*LONGER, strict=True)
    return int(rng.choice(lengths, p=shares))


def masked_loss(model: BertForMaskedLM, batch: MaskedBatch, hidden: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Mean cross-entropy at the masked positions, a scalar, and how many of them were guessed right.

    Args:
        hidden: (R, T, H) of the batch, if it is there already.
    """
    hidden = model.bert(batch.ids).last_hidden_state if hidden is None else hidden
    logits = model.cls(hidden.flatten(0, 1)[batch.positions]).float()
    return cross_entropy(logits, batch.targets), (logits.argmax(-1) == batch.targets).sum()


def pretrain(
    model: BertForMaskedLM,
    text: PretrainingText,
    held_out: PretrainingText,
    config: PretrainConfig,
    out: Path,
    *,
    words: Words | None = None,
    border_ids: Sequence[int] = (),
    resume: bool = False,
) -> PretrainResult:
    """Train ``model`` on ``text`` and write history, checkpoint and metrics into ``out``.

    Args:
        model: changed in place.
        held_out: measured at ``config.eval_steps`` and at the end, always with the same rows and masks.
        words: spellings and similar words; macbert needs them.
        border_ids: token ids behind which a clause ends; ``config.sentence_order`` needs them.
        resume: go on from the checkpoint in ``out``.

    Raises:
        TrainingError: the text is shorter than a row, the loss is no number, or the checkpoint is another run's.
    """
    if min(len(text.ids), len(held_out.ids)) < 2 * LONGER[-1][0]:
        raise TrainingError(f"{len(text.ids)} tokens of text are too few: at least {2 * LONGER[-1][0]} on either side.")
    precision = choose_precision(config)
    model.to(precision.device).train()
    masker = Masker(
        config.recipe,
        mask_id=SPECIAL.index("[MASK]"),
        first_id=len(SPECIAL),
        vocabulary=model.config.vocab_size,
        words=words,
    )
    draw = _drawing(text, masker, config, border_ids)
    order = OrderHead(model.config.hidden_size, config.seed).to(precision.device) if config.sentence_order else None
    learning = nn.ModuleList([model] if order is None else [model, order])
    optimizer = _optimizer(learning, config)
    schedule = LambdaLR(optimizer, _rate(config))
    identity = {
        "configuration": hashlib.sha256(json.dumps(config.model_dump(), sort_keys=True).encode()).hexdigest(),
        "text": text.fingerprint(),
    }
    checkpoint = out / "checkpoint.pt"
    progress = Progress()
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    if order is not None:
        parts["order"] = order
    if resume:
        progress = load_checkpoint(checkpoint, identity=identity, **parts)
    write_json(out / "manifest.json", manifest(describe_device(precision.device), config=config.model_dump(),
               text=list(text.sources), identity=identity))  # fmt: skip
    exam = [
        draw_batch(held_out, masker, HELD_OUT_LENGTH, 16, CLS, np.random.default_rng([config.seed, 2**31, part]))
        for part in range(HELD_OUT_ROWS // 16)
    ]
    reporter = Reporter(config.steps, progress.step)
    started = time.perf_counter() - progress.seconds
    read = _Read()
    while progress.step < config.steps:
        if progress.step and progress.step == _switch(config):
            repeat_positions(model, SHORT)
        batch = draw(progress.step).to(precision.device)
        with precision.autocast():
            hidden = model.bert(batch.ids).last_hidden_state
            loss, right = masked_loss(model, batch, hidden)
            total = loss
            if batch.order is not None:
                order_loss, in_order = order(hidden[:, 0], batch.order)
                total = loss + order_loss
                read.ordered.append((in_order, len(batch.order)))
        optimizer.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(learning.parameters(), config.max_grad_norm)
        optimizer.step()
        schedule.step()
        progress.step += 1
        progress.tokens += batch.ids.numel()
        read.guessed.append((loss.detach(), right, len(batch.targets)))
        examined = progress.step % config.eval_steps == 0 or progress.step == config.steps
        row = None
        if examined or progress.step % config.log_steps == 0:
            row = read.row(progress, schedule.get_last_lr()[0], time.perf_counter() - started)
            read = _Read()
            if examined:
                row["held_out_loss"], row["held_out_accuracy"] = examine(model, exam, precision)
                reporter.say(_line(row, config.steps))
            progress.rows.append(row)
            progress.seconds = row["seconds"]
        reporter.update(row)
        if examined:
            save_checkpoint(checkpoint, identity=identity, progress=progress, **parts)
            write_history(out / "history.csv", progress.rows, COLUMNS)
    reporter.close()
    last = progress.rows[-1]
    result = PretrainResult(model, last["held_out_loss"], last["held_out_accuracy"], progress.rows)
    write_json(out / RESULT_FILE, {"tokens": progress.tokens, "seconds": progress.seconds,
               "held_out_loss": result.held_out_loss, "held_out_accuracy": result.held_out_accuracy})  # fmt: skip
    return result


def _drawing(
    text: PretrainingText, masker: Masker, config: PretrainConfig, border_ids: Sequence[int]
) -> Callable[[int], MaskedBatch]:
    """From the number of an update to its batch."""
    passages = Passages(text, border_ids) if config.sentence_order else None

    def draw(step: int) -> MaskedBatch:
        rng = np.random.default_rng([config.seed, step])
        length = row_length(config, step, rng)
        rows = config.batch_tokens // length
        if passages is None or length > LONGEST_PASSAGE:
            return draw_batch(text, masker, length, rows, CLS, rng)
        return passages.draw_batch(masker, length, rows, CLS, SEP, rng)

    return draw


@dataclass
class _Read:
    """What was guessed right since the last row of the history; tensors of the device, read only for the next row."""

    guessed: list[tuple[Tensor, Tensor, int]] = field(default_factory=list)  # mean loss, right ones, masked positions
    ordered: list[tuple[Tensor, int]] = field(default_factory=list)  # right ones, passages

    def row(self, progress: Progress, lr: float, seconds: float) -> dict[str, Any]:
        """A row of the history.

        Raises:
            TrainingError: the loss is no number.
        """
        count = sum(n for _, _, n in self.guessed)
        loss = sum(float(mean) * n for mean, _, n in self.guessed) / count
        if not np.isfinite(loss):
            raise TrainingError(
                f"update {progress.step}: the loss is {loss}. Take a lower lr; the last checkpoint stands."
            )
        row = {
            "step": progress.step,
            "tokens": progress.tokens,
            "loss": loss,
            "accuracy": sum(int(right) for _, right, _ in self.guessed) / count,
            "lr": lr,
            "seconds": seconds,
        }
        if self.ordered:
            right, passages = (sum(int(value) for value in column) for column in zip(*self.ordered, strict=True))
            row["order_accuracy"] = right / passages
        return row


@torch.no_grad()
def examine(model: BertForMaskedLM, batches: list[MaskedBatch], precision: Precision) -> tuple[float, float]:
    """Mean loss in nats and accuracy over all masked positions of ``batches``."""
    was_training = model.training
    model.eval()
    loss, right, count = 0.0, 0, 0
    for batch in batches:
        batch = batch.to(precision.device)
        with precision.autocast():
            mean, correct = masked_loss(model, batch)
        loss += float(mean) * len(batch.targets)
        right += int(correct)
        count += len(batch.targets)
    model.train(was_training)
    return loss / count, right / count


def _optimizer(model: nn.Module, config: PretrainConfig) -> torch.optim.Optimizer:
    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=config.lr, betas=(0.9, 0.98), fused=True)


def _rate(config: PretrainConfig) -> Callable[[int], float]:
    warmup = config.warmup_tokens // config.batch_tokens
    falling = config.decay * config.steps

    def factor(step: int) -> float:
        rising = min(1.0, (step + 1) / (warmup + 1))
        return min(rising, (config.steps - step) / falling if falling else 1.0)

    return factor


def _switch(config: PretrainConfig) -> int:
    """The first step with longer rows."""
    return int(np.ceil(config.short_rows * config.steps))


def _line(row: dict[str, Any], steps: int) -> str:
    order = f"order {row['order_accuracy']:.3f}  " if "order_accuracy" in row else ""
    return (
        f"update {row['step']:>6}/{steps}  {row['tokens'] / 1e6:6.1f} M tokens  loss {row['loss']:.3f}  {order}"
        f"held out: loss {row['held_out_loss']:.3f}, accuracy {row['held_out_accuracy']:.3f}  "
        f"{row['tokens'] / row['seconds']:,.0f} tokens/s"
    )
