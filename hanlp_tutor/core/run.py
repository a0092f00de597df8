"""The books of a run: where it stands, what it logs, when it evaluates, saves and stops."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.batching import Batch, Encodings
from hanlp_tutor.core.checkpoint import Progress, identity, load_checkpoint, save_checkpoint
from hanlp_tutor.core.divergence import check_finite
from hanlp_tutor.core.evaluate import evaluate_model
from hanlp_tutor.core.history import TensorBoard, manifest, update_manifest, write_history, write_manifest
from hanlp_tutor.core.mixing import epoch_batches
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.optim import encoder_lr, model_facts
from hanlp_tutor.core.out_of_memory import (
    cut,
    random_state,
    release_memory,
    say_halved,
    set_random_state,
    single_example,
)
from hanlp_tutor.core.precision import describe_device, peak_memory_mb, synchronize
from hanlp_tutor.core.scores import headline
from hanlp_tutor.data import LabelledText, TaggedText
from hanlp_tutor.data.examples import answer_counts
from hanlp_tutor.errors import DataError, DivergedError, TrainingError
from hanlp_tutor.progress import Reporter

Examples = Sequence[TaggedText] | Sequence[LabelledText]
TRAIN_SAMPLE = 200  # training examples scored at each evaluation: enough to see over-fitting, cheap enough to repeat


@dataclass(frozen=True)
class Result:
    """What a run came to; ``best_dev`` is the headline score of the weights that the model now has."""

    best_dev: float | None
    best_step: int
    steps: int
    seconds: float
    history: list[dict[str, Any]]
    out: Path


class Run:
    """One run of the loop in :mod:`hanlp_tutor.core.train`.

    Losses and norms are kept as tensors on the device and read only where a row of the history is made, so that the
    device is never waited for in between.
    """

    def __init__(
        self,
        model: Model,
        train: Examples,
        dev: Examples,
        config: TrainConfig,
        out: Path,
        device: torch.device,
        on_evaluation: Callable[[dict[str, Any]], bool | None] | None = None,
    ):
        if not train:
            raise TrainingError("There is no training example.")
        self.on_evaluation = on_evaluation
        self.model, self.config, self.out, self.device = model, config, out, device
        self.train, self.dev = train, dev
        self.train_encoded = Encodings(model.encode, train)
        self.dev_encoded = Encodings(model.encode, dev)
        self.train_labels = answer_counts(train)
        unknown = sorted(self.train_labels.keys() - set(model.labels))
        if unknown:  # of a file that is read later; others have been encoded
            where = getattr(train, "path", None)
            raise DataError(f"the label {unknown[0]!r} is unknown to the model.", path=where, remedy="Correct it.")
        # a fixed random sample: the first lines of a corpus may be all of one kind
        self.sample = random.Random(config.seed).sample(range(len(train)), min(TRAIN_SAMPLE, len(train)))
        self.valid_in_train = model.valid_of(self.train_encoded)
        k = config.gradient_accumulation_steps
        batches = (epoch_batches(self.train_encoded, config, epoch) for epoch in range(config.epochs))
        self.windows_per_epoch = [-(-len(micro) // k) for micro in batches]
        self.updates = sum(self.windows_per_epoch)
        self.identity = identity(model, train, dev, config)
        self.progress = Progress()
        self.losses: list[tuple[Tensor, int, list[str]]] = []  # of each micro-batch, its update and its sources
        self.norms: list[Tensor] = []
        self.l2_terms: list[Tensor] = []
        self.tokens_since_row = 0
        self._batches_now: tuple[int, Sequence[list[int]]] = (-1, [])

    @property
    def finished(self) -> bool:
        """Whether the last update is done or patience has run out."""
        return self.progress.finished

    def start(self, resume: bool, progress: str, **parts: Any) -> None:
        """Restore the checkpoint if asked to, write the manifest, start the clock."""
        checkpoint = self.out / "checkpoint.pt"
        self.parts = {"model": self.model, **parts}
        if resume and checkpoint.exists():
            self.progress = load_checkpoint(checkpoint, identity=self.identity, **self.parts)
        elif checkpoint.exists():
            raise TrainingError(
                f"{self.out}: holds a run already. Continue it with resume=True (--resume), or choose another folder."
            )
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainingError(f"{self.out}: no run folder can be made here ({error.strerror}).") from None
        write_manifest(
            self.out / "manifest.json",
            manifest(
                describe_device(self.device),
                seed=self.config.seed,
                task=self.model.task,
                encoder=self.model.encoder_name,
                config={**self.config.model_dump(), "lr": encoder_lr(self.model, self.config)},
                data={
                    "train": self.identity["training data"],
                    "dev": self.identity["dev data"],
                    "train_examples": len(self.train),
                    "dev_examples": len(self.dev),
                    "train_labels": dict(self.train_labels),
                    "dev_labels": dict(answer_counts(self.dev)),
                },
                model=model_facts(self.model),
                updates=self.updates,
                resumed_at=self.progress.step or None,
                micro_batch=self.micro_batch,
                out_of_memory_at=self.progress.halved_at,
            ),
        )
        self.board = TensorBoard(self.out / "tensorboard", self.progress.step)
        self.reporter = Reporter(self.updates, self.progress.step, progress)
        self.clock = time.perf_counter() - self.progress.seconds
        self.row_clock = time.perf_counter()

    def next_window(self) -> list[Batch]:
        """The micro-batches of the next update, on the CPU; fewer at an epoch's end, more once memory ran out."""
        progress, k = self.progress, self.config.gradient_accumulation_steps
        if self._batches_now[0] != progress.epoch:
            self._batches_now = (progress.epoch, epoch_batches(self.train_encoded, self.config, progress.epoch))
        self._before_window = random_state(self.device), len(self.losses), self.tokens_since_row
        return [
            self.model.collate([self.train_encoded[i] for i in piece], window=self.config.max_length)
            for micro in self._batches_now[1][progress.window * k : (progress.window + 1) * k]
            for piece in cut(micro, 2 ** len(progress.halved_at))
        ]

    @property
    def micro_batch(self) -> int:
        """How many examples a micro-batch has at most; fewer than ``batch_size`` once memory has run out."""
        return -(-self.config.batch_size // 2 ** len(self.progress.halved_at))

    def halve_micro_batches(self, batch: Batch) -> None:
        """Memory ran out at this batch: forget its window, cut it and all others further, and say so.

        Raises:
            TrainingError: the batch is a single example.
        """
        update = self.progress.step + 1
        if len(batch.lengths) == 1:
            raise self._died("out-of-memory", single_example(update, batch))
        state, losses, self.tokens_since_row = self._before_window
        set_random_state(state, self.device)
        del self.losses[losses:]
        self.progress.halved_at.append(update)
        update_manifest(self.out, micro_batch=self.micro_batch, out_of_memory_at=self.progress.halved_at)
        say_halved(self.reporter, update, self.micro_batch, self.config)

    def note_loss(self, loss: Tensor, batch: Batch) -> None:
        """Remember a micro-batch's share of the window's loss, without reading it."""
        self.losses.append((loss, self.progress.step + 1, batch.sources))
        self.tokens_since_row += batch.tokens

    def note_l2(self, term: Tensor) -> None:
        """Remember the L2 term of a window."""
        self.l2_terms.append(term)

    def end_of_update(self, norm: Tensor, rates: list[float], scaler: torch.amp.GradScaler) -> None:
        """Count the update; make a row, evaluate and save where they are due."""
        progress = self.progress
        self.norms.append(norm)
        progress.step += 1
        progress.window += 1
        epoch_ends = progress.window == self.windows_per_epoch[progress.epoch]
        if epoch_ends:
            progress.epoch, progress.window = progress.epoch + 1, 0
        last = progress.epoch == self.config.epochs
        evaluates = last or (progress.step % self.config.eval_steps == 0 if self.config.eval_steps else epoch_ends)
        saves = last or (
            progress.step % self.config.checkpoint_steps == 0 if self.config.checkpoint_steps else epoch_ends
        )
        row = None
        # a row before every evaluation and checkpoint: nothing unread has to be carried through a checkpoint
        if evaluates or saves or progress.step % self.config.log_steps == 0:
            row = self._row(rates, scaler, epoch_ends)
            if evaluates:
                row.update(self._evaluate())
            progress.rows.append(row)
            self.board.add(row)
            write_history(self.out / "history.csv", progress.rows)
        out_of_patience = self.config.patience and progress.bad_evaluations >= self.config.patience
        progress.finished = last or bool(self.dev and out_of_patience)
        if evaluates and self.on_evaluation is not None and self.on_evaluation(dict(row)):
            progress.finished = True
        if saves or progress.finished:
            progress.seconds = time.perf_counter() - self.clock
            save_checkpoint(self.out / "checkpoint.pt", identity=self.identity, progress=progress, **self.parts)
        if row is not None:
            self.row_clock = time.perf_counter()  # here: evaluating and saving are no training
        self.reporter.update(row)

    def close(self) -> Result:
        """Give the model its best weights and say what the run came to."""
        progress = self.progress
        if progress.best_state is not None:
            self.model.load_state_dict(progress.best_state)
        self.model.eval()
        write_history(self.out / "history.csv", progress.rows)
        self.board.close()
        self.reporter.close()
        score, best = progress.best_score, progress.best_step
        return Result(score, best, progress.step, progress.seconds, progress.rows, self.out)

    def _row(self, rates: list[float], scaler: torch.amp.GradScaler, epoch_ends: bool) -> dict[str, Any]:
        """Read what was kept since the last row: the only place of the loop that waits for the device."""
        progress = self.progress
        synchronize(self.device)
        losses = torch.stack([loss for loss, _, _ in self.losses]).cpu()
        norms = torch.stack(self.norms).cpu()
        try:
            check_finite(losses, norms, [x[1:] for x in self.losses], scaled=scaler.is_enabled(), fp16=self.config.fp16)
        except DivergedError as error:
            self._died("diverged", error)
            raise
        elapsed = time.perf_counter() - self.row_clock
        updates = progress.step - (progress.rows[-1]["step"] if progress.rows else 0)
        progress.tokens += self.tokens_since_row
        names = [group["name"] for group in self.parts["optimizer"].param_groups]
        by_part = {
            part: max((r for n, r in zip(names, rates, strict=True) if n == part), default=None)
            for part in ("encoder", "head")
        }
        row = {
            "step": progress.step,
            "epoch": progress.epoch + (0 if epoch_ends else 1),
            "tokens": progress.tokens,
            "loss": float(losses.double().sum()) / updates,
            "l2": float(torch.stack(self.l2_terms).double().mean()) if self.l2_terms else None,
            "lr": by_part["encoder"],
            "head_lr": by_part["head"],
            "grad_norm": float(norms[-1]),
            "loss_scale": scaler.get_scale() if scaler.is_enabled() else None,
            "micro_batch": self.micro_batch,
            "seconds": time.perf_counter() - self.clock,
            "tokens_per_second": self.tokens_since_row / elapsed,
            "memory_mb": peak_memory_mb(self.device),
        }
        self.losses, self.norms, self.l2_terms, self.tokens_since_row = [], [], [], 0
        return row

    def _died(self, kind: str, error: TrainingError) -> TrainingError:
        """Leave word in the manifest of why the run ends here."""
        self.reporter.close()
        update_manifest(self.out, failed={"kind": kind, "step": self.progress.step, "message": str(error)})
        return error

    def _evaluate(self) -> dict[str, float]:
        """Dev loss and score, the score on a sample of the training set; keeps the best weights."""
        progress, key = self.progress, headline(self.model.task)
        sample = evaluate_model(
            self.model, [self.train[i] for i in self.sample], encoded=[self.train_encoded[i] for i in self.sample]
        )
        if not self.dev:
            return {"train_score": sample[key]}
        scores = evaluate_model(self.model, self.dev, encoded=self.dev_encoded)
        release_memory()  # batches of all lengths have left holes in the heap, as large again as what is in use
        if progress.best_score is None or scores[key] > progress.best_score:
            progress.best_score, progress.best_step, progress.bad_evaluations = scores[key], progress.step, 0
            progress.best_state = None  # first, so that there are never two copies
            progress.best_state = {
                name: tensor.detach().to("cpu", copy=True) for name, tensor in self.model.state_dict().items()
            }
        else:
            progress.bad_evaluations += 1
        return {
            "dev_loss": scores["loss"],
            "dev_score": scores[key],
            "train_score": sample[key],
            "dev_minority": scores["minority"],
        }
