"""Masked-language pre-training (预训练): how θ comes about before anyone fine-tunes it.

Every batch is a pure function of the seed and the step, so a run that was killed goes on exactly where it stopped.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from transformers import BertForMaskedLM

from hanlp_tutor.core.checkpoint import RunState, load_checkpoint, save_checkpoint
from hanlp_tutor.core.history import write_history
from hanlp_tutor.core.precision import choose_precision
from hanlp_tutor.device import allow_tf32, describe_device, settings_restored
from hanlp_tutor.encoders.mini import SPECIAL
from hanlp_tutor.errors import TrainingError
from hanlp_tutor.files import write_json
from hanlp_tutor.manifest import RESULT_FILE, manifest
from hanlp_tutor.pretraining.config import LONGEST_ROW, SHORT, PretrainConfig
from hanlp_tutor.pretraining.held_out import evaluate_masked, held_out_batches, masked_loss
from hanlp_tutor.pretraining.masked_batch import MaskedBatch, draw_batch
from hanlp_tutor.pretraining.masking import Masker, Words
from hanlp_tutor.pretraining.positions import repeat_positions
from hanlp_tutor.pretraining.text import PretrainingText
from hanlp_tutor.progress import Reporter
from hanlp_tutor.run_folder import digest

COLUMNS = ("step", "tokens", "loss", "accuracy", "lr", "held_out_loss", "held_out_accuracy", "seconds")
CLS = SPECIAL.index("[CLS]")


@dataclass(frozen=True)
class PretrainResult:
    """What a run came to: loss in nats a masked character, accuracy between 0 and 1, on text that it never read."""

    model: BertForMaskedLM
    held_out_loss: float
    held_out_accuracy: float
    rows: list[dict[str, Any]]


@settings_restored()
def pretrain(
    model: BertForMaskedLM,
    text: PretrainingText,
    held_out: PretrainingText,
    config: PretrainConfig,
    out: Path,
    *,
    words: Words | None = None,
    resume: bool = False,
) -> PretrainResult:
    """Train ``model`` on ``text`` and write history, checkpoint and metrics into ``out``.

    Args:
        model: changed in place.
        held_out: measured at ``config.eval_steps`` and at the end, always with the same rows and masks.
        words: spellings and similar words; macbert needs them.
        resume: go on from the checkpoint in ``out``, if there is one.

    Raises:
        TrainingError: the text is shorter than a row, the loss is no number, or a checkpoint is there and not to be
            resumed, or of another run.
    """
    if min(len(text.ids), len(held_out.ids)) < 2 * LONGEST_ROW:
        counts = f"{len(text.ids)} tokens of text and {len(held_out.ids)} held out"
        raise TrainingError(f"{counts} are too few: at least {2 * LONGEST_ROW} of each.")
    masker = Masker(
        config.recipe,
        mask_id=SPECIAL.index("[MASK]"),
        first_id=len(SPECIAL),
        vocabulary=model.config.vocab_size,
        words=words,
    )
    learner = _Learner(model, config)
    batches = held_out_batches(held_out, masker, CLS, config.seed)
    identity = {"configuration": _fingerprint(config), "text": text.fingerprint()}
    checkpoint, state = out / "checkpoint.pt", RunState()
    if resume and checkpoint.exists():
        now = {"config": config.model_dump(), "given": config}
        state = load_checkpoint(checkpoint, identity=identity, now=now, **learner.parts)
    elif checkpoint.exists():
        raise TrainingError(f"{out}: holds a run already. Continue it with --resume, or choose another --out.")
    write_json(out / "manifest.json", manifest(describe_device(learner.precision.device), config=config.model_dump(),
               text=list(text.sources), identity=identity))  # fmt: skip
    reporter = Reporter(config.steps, state.step)
    started = time.perf_counter() - state.seconds
    read = _Read()
    while state.step < config.steps:
        if state.step and state.step == config.first_longer_step:
            repeat_positions(model, SHORT)
        batch = _draw(text, masker, config, state.step)
        learner.update(batch, read)
        state.step += 1
        state.tokens += batch.ids.numel()
        evaluated = state.step % config.eval_steps == 0 or state.step == config.steps
        row = None
        if evaluated or state.step % config.log_steps == 0:
            row = read.row(state, learner.lr, time.perf_counter() - started)
            read = _Read()
            if evaluated:
                row["held_out_loss"], row["held_out_accuracy"] = evaluate_masked(model, batches, learner.precision)
                reporter.say(_line(row, config.steps))
            state.rows.append(row)
            state.seconds = row["seconds"]
        reporter.update(row)
        if evaluated:
            save_checkpoint(checkpoint, identity=identity, state=state, **learner.parts)
            write_history(out / "history.csv", state.rows, COLUMNS)
    reporter.close()
    last = state.rows[-1]
    result = PretrainResult(model, last["held_out_loss"], last["held_out_accuracy"], state.rows)
    write_json(out / RESULT_FILE, {"tokens": state.tokens, "seconds": state.seconds,
               "held_out_loss": result.held_out_loss, "held_out_accuracy": result.held_out_accuracy})  # fmt: skip
    return result


class _Learner:
    """All that learns, and how: the model, its optimiser and its learning rate.

    Attributes:
        parts: what a checkpoint has to hold.
    """

    def __init__(self, model: BertForMaskedLM, config: PretrainConfig):
        self.precision = choose_precision(config)
        allow_tf32(True, self.precision.device)
        self.model = model.to(self.precision.device).train()
        self._max_grad_norm = config.max_grad_norm
        self._optimizer = _optimizer(self.model, config)
        self._schedule = LambdaLR(self._optimizer, config.lr_factor)
        self._scaler = self.precision.scaler()
        self.parts = {
            "model": model,
            "optimizer": self._optimizer,
            "schedule": self._schedule,
            "scaler": self._scaler,
        }

    @property
    def lr(self) -> float:
        """Of the next update."""
        return self._schedule.get_last_lr()[0]

    def update(self, batch: MaskedBatch, read: _Read) -> None:
        """One step downhill; what was guessed on the way goes into ``read``."""
        batch = batch.to(self.precision.device)
        with self.precision.autocast():
            loss, right = masked_loss(self.model, batch)
        read.guessed.append((loss.detach(), right, len(batch.targets)))
        self._optimizer.zero_grad()
        self._scaler.scale(loss).backward()
        self._scaler.unscale_(self._optimizer)  # before clipping: a norm of scaled gradients means nothing
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self._max_grad_norm)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._schedule.step()  # it goes by the tokens that were read, those of a skipped update too


def _optimizer(model: nn.Module, config: PretrainConfig) -> torch.optim.Optimizer:
    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=config.lr, betas=(0.9, 0.98), fused=True)


def _draw(text: PretrainingText, masker: Masker, config: PretrainConfig, step: int) -> MaskedBatch:
    """The batch of an update."""
    rng = np.random.default_rng([config.seed, step])
    length = config.row_length(step, rng)
    return draw_batch(text, masker, length, config.batch_tokens // length, CLS, rng)


def _fingerprint(config: PretrainConfig) -> str:
    # checkpoints of earlier versions, which also knew sentence order, go on where they did without
    options = {**config.model_dump(), "sentence_order": False}
    return digest(json.dumps(options, sort_keys=True))


@dataclass
class _Read:
    """What was guessed right since the last row of the history; tensors of the device, read only for the next row."""

    guessed: list[tuple[Tensor, Tensor, int]] = field(default_factory=list)  # mean loss, right ones, masked positions

    def row(self, state: RunState, lr: float, seconds: float) -> dict[str, Any]:
        """A row of the history.

        Raises:
            TrainingError: the loss is no number.
        """
        count = sum(n for _, _, n in self.guessed)
        loss = sum(float(mean) * n for mean, _, n in self.guessed) / count
        if not np.isfinite(loss):
            raise TrainingError(
                f"update {state.step}: the loss is {loss}. Take a lower lr; the last checkpoint stands."
            )
        return {
            "step": state.step,
            "tokens": state.tokens,
            "loss": loss,
            "accuracy": sum(int(right) for _, right, _ in self.guessed) / count,
            "lr": lr,
            "seconds": seconds,
        }


def _line(row: dict[str, Any], steps: int) -> str:
    return (
        f"update {row['step']:>6}/{steps}  {row['tokens'] / 1e6:6.1f} M tokens  loss {row['loss']:.3f}  "
        f"held out: loss {row['held_out_loss']:.3f}, accuracy {row['held_out_accuracy']:.3f}  "
        f"{row['tokens'] / row['seconds']:,.0f} tokens/s"
    )
