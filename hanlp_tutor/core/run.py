"""The books of a run: where it stands, what it logs, what is due. What is done about it stands in the loop itself."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.ahead import Ahead
from hanlp_tutor.core.batching import Batch, Encodings
from hanlp_tutor.core.checkpoint import RunState, identity, load_checkpoint
from hanlp_tutor.core.history import HistoryFile, TensorBoard, check_finite, write_history
from hanlp_tutor.core.mixing import epoch_batches
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.optim import chosen, model_facts
from hanlp_tutor.core.out_of_memory import (
    cut,
    in_one_of_several,
    random_state,
    say_halved,
    set_random_state,
    single_example,
)
from hanlp_tutor.core.parallel import Team
from hanlp_tutor.core.precision import plain_encoder
from hanlp_tutor.core.task import task_of
from hanlp_tutor.data import LabelledText, TaggedText
from hanlp_tutor.data.examples import gold_counts
from hanlp_tutor.defaults import described
from hanlp_tutor.device import describe_device, peak_memory_mb, release_memory, synchronize, trim_heap
from hanlp_tutor.encoders import POSITIONS
from hanlp_tutor.errors import DataError, DivergedError, TrainingError
from hanlp_tutor.files import write_json
from hanlp_tutor.manifest import manifest, update_manifest
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
    """The books of one run of the loop in :mod:`hanlp_tutor.core.train`.

    Losses and norms are kept as tensors on the device and read only where a row of the history is made, so that the
    device is never waited for in between.

    Attributes:
        state: where the run stands, all of which a checkpoint holds.
        sample: some training examples, which each evaluation scores too: over-fitting shows there.
    """

    def __init__(
        self,
        model: Model,
        train: Examples,
        dev: Examples,
        config: TrainConfig,
        out: Path,
        device: torch.device,
        team: Team | None = None,
    ):
        if not train:
            raise TrainingError("There is no training example.")
        self.model, self.config, self.out, self.device, self.team = model, config, out, device, team or Team()
        self.train, self.dev = train, dev
        task_of(model).prepare(model, train)
        self.train_encoded = Encodings(model.encode, train)
        self.dev_encoded = Encodings(model.encode, dev)
        self.train_labels = gold_counts(train)
        unknown = sorted(self.train_labels.keys() - set(model.labels))
        if unknown:  # of a file that is read later; others have been encoded
            where = getattr(train, "path", None)
            raise DataError(f"the label {unknown[0]!r} is unknown to the model.", path=where, remedy="Correct it.")
        # a fixed random sample: the first lines of a corpus may be all of one kind
        sampled = random.Random(config.seed).sample(range(len(train)), min(TRAIN_SAMPLE, len(train)))
        self.sample, self.sample_encoded = [train[i] for i in sampled], [self.train_encoded[i] for i in sampled]
        self.valid_in_train = model.valid_of(self.train_encoded)
        k = config.gradient_accumulation_steps
        batches = (epoch_batches(self.train_encoded, config, epoch) for epoch in range(config.epochs))
        self.windows_per_epoch = [-(-len(micro) // k) for micro in batches]
        self.updates = sum(self.windows_per_epoch)
        self.identity = identity(model, train, dev, config)
        self.checkpoint = out / "checkpoint.pt"
        self.state = RunState()
        self._ahead = Ahead(self._made, on=device.type == "cuda" and self.train_encoded.at_hand)
        self.losses: list[tuple[Tensor, int, list[str]]] = []  # of each micro-batch, its update and its sources
        self.norms: list[Tensor] = []
        self.l2_terms: list[Tensor] = []
        self.tokens_since_row = 0
        self.epoch_ended = False
        self.row: dict[str, Any] | None = None  # of the update just done, if one was due

    def start(self, resume: bool, progress: str, **parts: Any) -> None:
        """Restore the checkpoint if ``resume``, write the manifest, start the clock."""
        release_memory()  # an earlier run's optimiser is in a cycle with its schedule (lesson 09: 1.3 GiB, now 0.9)
        self.parts, facts = parts, self._facts()
        if resume and self.checkpoint.exists():
            now = {**facts, "given": self.config}
            self.state = load_checkpoint(
                self.checkpoint, identity=self.identity, now=now, team=self.team, **parts
            )
        elif self.checkpoint.exists():
            raise TrainingError(
                f"{self.out}: holds a run already. Continue it with resume=True (--resume), or choose another folder."
            )
        if self.team.leads:  # of several processes one writes and speaks
            self._open_books(facts, progress)
        else:
            self.reporter = Reporter(self.updates, self.state.step, "none")
        self.clock = time.perf_counter() - self.state.seconds
        self.row_clock = time.perf_counter()

    def _open_books(self, facts: dict[str, Any], progress: str) -> None:
        """Begin manifest, history, board and report; say at once what will be missed later."""
        exports = {target: each.why_not(self.model) for target, each in task_of(self.model).exporters.items()}
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = f"no run folder can be made here ({error.strerror}). Choose another folder."
            raise TrainingError(f"{self.out}: {reason}") from None
        write_json(
            self.out / "manifest.json",
            manifest(
                describe_device(self.device),
                **facts,
                exports={target: reason or "possible" for target, reason in exports.items()},
                resumed_at=self.state.step or None,
                micro_batch=self.micro_batch,
                out_of_memory_at=self.state.halved_at,
            ),
        )
        self.history = HistoryFile(self.out / "history.csv", self.state.rows)
        self.board = TensorBoard(self.out / "tensorboard", self.state.step)
        self.reporter = Reporter(self.updates, self.state.step, progress)
        for target, reason in exports.items():
            if reason:  # known now, and bitter after hours of training
                self.reporter.say(f"This model will not export to {target}: {reason}")
        if self.model.window < POSITIONS:
            self.reporter.say(
                f"The encoder reads {self.model.window} tokens at once; longer texts take several windows."
            )

    def _facts(self) -> dict[str, Any]:
        """What the manifest says of the run before it begins."""
        choices = chosen(self.model, self.config, len(self.train))
        return {
            "seed": self.config.seed,
            "task": self.model.task,
            "encoder": self.model.encoder_name,
            **described(self.config, choices, self.model.crf, self.model.head.dropout.p),
            "data": {
                "train": self.identity["training data"],
                "dev": self.identity["dev data"],
                "train_examples": len(self.train),
                "dev_examples": len(self.dev),
                "train_labels": dict(self.train_labels),
                "dev_labels": dict(gold_counts(self.dev)),
            },
            "model": model_facts(self.model),
            "updates": self.updates,
        }

    def windows(self) -> Iterator[list[Batch]]:
        """The micro-batches of each update, on the CPU: epochs times windows, from where the run stands to its end.

        An accumulation window has fewer micro-batches at an epoch's end, and more of smaller size once memory ran out.
        """
        while not self.state.finished:
            epoch = self.state.epoch
            self._epoch_batches = epoch_batches(self.train_encoded, self.config, epoch)
            while self.state.epoch == epoch and not self.state.finished:
                self._before_window = random_state(self.device), len(self.losses), self.tokens_since_row
                yield self._window()

    def tokens_of(self, window: list[Batch]) -> float:
        """By which the summed loss of an update is divided; in several processes a mean, as their gradients are.

        Batches of like length (:func:`hanlp_tutor.core.batching.length_buckets`) have few tokens where sentences are
        short. Divided by its own, an update of short sentences moves the weights as far as one of long ones, and their
        tokens count for more than they are; ``loss_mean="corpus"`` divides all by what an update has in the mean, so
        that an epoch adds up to the mean over the training set.
        """
        if self.config.loss_mean == "corpus":
            return self.valid_in_train * self.config.epochs / self.updates / self.team.size
        return self.team.mean(sum(batch.valid for batch in window))

    def smaller_window(self, window: list[Batch]) -> list[Batch]:
        """Memory ran out in this accumulation window: forget its notes, cut all micro-batches in two, and say so.

        Raises:
            TrainingError: the micro-batch at which it ran out is a single example.
        """
        update = self.state.step + 1
        state, losses, self.tokens_since_row = self._before_window
        batch = window[len(self.losses) - losses]
        if self.team.size > 1:  # the others may be waiting already for what this one cannot give
            raise self._died("out-of-memory", in_one_of_several(update, self.team.rank, self.config))
        if len(batch.lengths) == 1:
            raise self._died("out-of-memory", single_example(update, batch))
        set_random_state(state, self.device)
        del self.losses[losses:]
        self.state.halved_at.append(update)
        update_manifest(self.out, micro_batch=self.micro_batch, out_of_memory_at=self.state.halved_at)
        say_halved(self.reporter, update, self.micro_batch, self.config)
        return self._window()

    @property
    def micro_batch(self) -> int:
        """How many examples a micro-batch has at most; fewer than ``batch_size`` once memory has run out."""
        return -(-self.config.batch_size // 2 ** len(self.state.halved_at))

    def _window(self) -> list[Batch]:
        state = self.state
        halvings, more = len(state.halved_at), state.window + 1 < self.windows_per_epoch[state.epoch]
        following = (state.epoch, state.window + 1, halvings) if more else None
        return self._ahead.take((state.epoch, state.window, halvings), following)

    def _made(self, place: tuple[int, int, int]) -> list[Batch]:
        """The micro-batches of an update: its window in the present epoch, and how often these have been cut in two."""
        _, window, halvings = place
        k = self.config.gradient_accumulation_steps
        micros = self._epoch_batches[window * k : (window + 1) * k]
        mine = self.team.share(micros, lambda micro, pieces: cut(micro, pieces * 2**halvings))
        batches = [
            self.model.collate([self.train_encoded[i] for i in piece], max_length=self.config.max_length)
            for piece in mine or micros[:1]
        ]
        return batches if mine else [batch.weightless() for batch in batches]  # nobody may miss when all add up

    def note_loss(self, loss: Tensor, batch: Batch) -> None:
        """Remember a micro-batch's share of the accumulation window's loss, without reading it."""
        self.losses.append((loss, self.state.step + 1, batch.sources))
        self.tokens_since_row += batch.tokens

    def note_l2(self, term: Tensor) -> None:
        """Remember the L2 term of an accumulation window."""
        self.l2_terms.append(term)

    def end_update(self, norm: Tensor, learning_rates: list[float]) -> None:
        """Count the update; make a row of the history where one is due.

        A row stands before every evaluation and checkpoint: nothing unread has to be carried through a checkpoint.

        Raises:
            DivergedError: a loss or gradient since the last row was no number.
        """
        state = self.state
        self.norms.append(norm)
        state.step += 1
        state.window += 1
        self.epoch_ended = state.window == self.windows_per_epoch[state.epoch]
        if self.epoch_ended:
            state.epoch, state.window = state.epoch + 1, 0
        state.finished = state.epoch == self.config.epochs
        self.row = None
        if self.evaluation_due() or self.checkpoint_due() or state.step % self.config.log_steps == 0:
            self.row = self._row(learning_rates)
            state.rows.append(self.row)

    def note_scores(self, examples: str, scores: dict[str, Any]) -> float:
        """Write the scores on ``train`` (the sample) or ``dev`` into the row; return the headline score of the task."""
        trim_heap()  # batches of all lengths have left holes in the heap, as large again as what is in use
        score = scores[task_of(self.model).headline]
        self.row[f"{examples}_score"] = score
        if examples == "dev":
            self.row.update(dev_loss=scores["loss"], dev_minority=scores["minority"])
        return score

    @property
    def best_score(self) -> float:
        """The best dev score so far; below all others before the first."""
        return -math.inf if self.state.best_score is None else self.state.best_score

    def keep_best(self, score: float) -> None:
        """Copy the weights to the CPU as the best so far, with their dev score; patience begins anew."""
        state = self.state
        state.best_score, state.best_step, state.bad_evaluations = score, state.step, 0
        state.best_state = None  # first, so that there are never two copies
        state.best_state = {
            name: tensor.detach().to("cpu", copy=True) for name, tensor in self.model.state_dict().items()
        }

    def finish(self) -> None:
        """Let this update be the last."""
        self.state.finished = True

    def agree(self) -> None:
        """Of several processes the first has evaluated; the others hear from it whether the run is to end."""
        if self.evaluation_due():
            self.state.finished = self.team.decided(self.state.finished)

    def report(self) -> None:
        """The update is over: its row, if it has one, goes to the file, the board and the person."""
        if self.row is not None:
            if self.team.leads:
                self.history.add(self.row)
                self.board.add(self.row)
            self.row_clock = time.perf_counter()  # here: evaluating and saving are no training
        self.reporter.update(self.row)

    def close(self) -> Result:
        """Give the model its best weights and say what the run came to."""
        state = self.state
        state.best_state, state.best_score, state.best_step = self.team.decided(
            (state.best_state, state.best_score, state.best_step)
        )
        if state.best_state is not None:
            self.model.load_state_dict(state.best_state)
        self.model.eval()
        plain_encoder(self.model, self.device)
        if self.team.leads:
            write_history(self.out / "history.csv", state.rows)
            self.board.close()
            if state.step < self.updates and state.bad_evaluations == self.config.patience:
                self.reporter.say(
                    f"Stopped early: no better dev score in {state.bad_evaluations} evaluations (patience "
                    f"{self.config.patience}). The weights of update {state.best_step:,} are kept, dev score "
                    f"{state.best_score:.3f}."
                )
        self.reporter.close()
        return Result(state.best_score, state.best_step, state.step, state.seconds, state.rows, self.out)

    def evaluation_due(self) -> bool:
        """After every ``eval_steps`` updates, else at the end of each epoch; and at the end of the run."""
        return self._due(self.config.eval_steps)

    def checkpoint_due(self) -> bool:
        """After every ``checkpoint_steps`` updates, else at the end of each epoch; and whenever the run ends."""
        due = self._due(self.config.checkpoint_steps)
        if due:
            self.state.seconds = time.perf_counter() - self.clock
        return due

    def _due(self, every: int | None) -> bool:
        return self.state.finished or (self.state.step % every == 0 if every else self.epoch_ended)

    def _row(self, learning_rates: list[float]) -> dict[str, Any]:
        """Read what was kept since the last row: the only place of the loop that waits for the device."""
        state, scaler = self.state, self.parts["scaler"]
        synchronize(self.device)
        losses = torch.stack([loss for loss, _, _ in self.losses]).cpu()
        norms = torch.stack(self.norms).cpu()
        failure, tokens = "", self.tokens_since_row
        try:
            check_finite(losses, norms, [x[1:] for x in self.losses], scaled=scaler.is_enabled(), fp16=self.config.fp16)
        except DivergedError as error:
            failure = str(error)
        failures, sums, counts = zip(*self.team.gather((failure, float(losses.double().sum()), tokens)), strict=True)
        if any(failures):  # where a loss was none, a process knows more than those that only got its gradient
            named = sorted(filter(None, failures), key=lambda text: not text.startswith("The loss"))
            raise self._died("diverged", DivergedError(named[0]))
        tokens = sum(counts)
        elapsed = time.perf_counter() - self.row_clock
        updates = state.step - (state.rows[-1]["step"] if state.rows else 0)
        state.tokens += tokens
        names = [group["name"] for group in self.parts["optimizer"].param_groups]
        by_part = {
            part: max((r for n, r in zip(names, learning_rates, strict=True) if n == part), default=None)
            for part in ("encoder", "head")
        }
        row = {
            "step": state.step,
            "epoch": state.epoch + (0 if self.epoch_ended else 1),
            "tokens": state.tokens,
            "loss": sum(sums) / len(sums) / updates,
            "l2": float(torch.stack(self.l2_terms).double().mean()) if self.l2_terms else None,
            "lr": by_part["encoder"],
            "head_lr": by_part["head"],
            "grad_norm": float(norms[-1]),
            "loss_scale": scaler.get_scale() if scaler.is_enabled() else None,
            "micro_batch": self.micro_batch,
            "seconds": time.perf_counter() - self.clock,
            "tokens_per_second": tokens / elapsed,
            "memory_mb": peak_memory_mb(self.device),
        }
        self.losses, self.norms, self.l2_terms, self.tokens_since_row = [], [], [], 0
        return row

    def _died(self, kind: str, error: TrainingError) -> TrainingError:
        """Write into the manifest why the run ends here."""
        self.reporter.close()
        if self.team.leads or kind != "diverged":  # of which all die together
            update_manifest(self.out, failed={"kind": kind, "step": self.state.step, "message": str(error)})
        return error
