"""THE training loop, written for a GPU and right on a CPU.

One update of the article's rule: for a window of n of the N valid tokens (examples, for classification)

    (1/n) Σ L_task(f(x_i; θ, φ), y_i) + (λ/N) ‖θ‖²

goes backward, micro-batch by micro-batch; its gradient is unscaled, clipped, and moves θ at ``lr`` and φ at
``head_lr``. Where memory runs out, the same window goes once more in smaller micro-batches. Read :func:`fine_tune` from
top to bottom; :class:`~hanlp_tutor.core.run.Run` only keeps the books.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.optim import L2Penalty, build_optimizer, build_schedule, freeze, parameter_groups
from hanlp_tutor.core.out_of_memory import explain_out_of_memory, is_out_of_memory
from hanlp_tutor.core.precision import choose_precision, limit_threads
from hanlp_tutor.core.run import Examples, Result, Run
from hanlp_tutor.data.examples import answer_counts
from hanlp_tutor.errors import TrainingError


@explain_out_of_memory
def fine_tune(
    model: Model,
    train: Examples,
    dev: Examples,
    config: TrainConfig,
    out: str | Path,
    *,
    resume: bool = False,
    progress: str = "auto",
    on_start: Callable[[Run], None] | None = None,
    on_evaluation: Callable[[dict[str, Any]], bool | None] | None = None,
) -> Result:
    """Fine-tune a model; it ends with the best weights by dev score (the last ones when ``dev`` is empty).

    Args:
        model: from :func:`hanlp_tutor.build_model`; changed in place.
        train, dev: examples of the model's task. An empty ``dev`` turns early stopping and best weights off.
        config: the options.
        out: the run folder; gets ``history.csv``, ``manifest.json``, ``checkpoint.pt``, ``tensorboard/``.
        resume: continue from ``out/checkpoint.pt``, on the CPU to bit-identical weights and history.
        progress: ``auto``, ``bar``, ``lines`` or ``none``.
        on_start: called with the run once its manifest is written, before the first update.
        on_evaluation: called with the history row after each evaluation; True ends the run there.

    Raises:
        DivergedError: a NaN or infinite loss or gradient (names the batch).
        TrainingError: no training data, a folder that holds another run, no memory for a single example.
        ConfigError: options that do not fit the model, the device or the number of updates.
        DataError: a label that the model does not have.
    """
    limit_threads()
    precision = choose_precision(config)
    device = precision.device
    _make_deterministic(config.seed, device)
    model.to(device).train()
    model.temperature = 1.0  # one that was fitted before belongs to other weights
    freeze(model, config)
    checkpoint_activations(model, config)

    optimizer = build_optimizer(parameter_groups(model, config), config)
    scaler = precision.scaler()
    penalty = L2Penalty(model, config)
    run = Run(model, train, dev, config, Path(out), device, on_evaluation)
    schedule = build_schedule(optimizer, config, run.updates)
    weights = _class_weights(model, train, config, device)
    run.start(resume, progress, optimizer=optimizer, schedule=schedule, scaler=scaler)
    if on_start is not None:
        on_start(run)

    while not run.finished:
        optimizer.zero_grad(set_to_none=True)
        window = run.next_window()
        n = sum(batch.valid for batch in window)
        try:
            for batch in window:
                batch = batch.to(device)
                with precision.autocast():
                    logits = model(batch)
                loss = model.loss_sum(logits, batch, weights) / n  # by the valid tokens of the whole window
                scaler.scale(loss).backward()
                run.note_loss(loss.detach(), batch)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            run.halve_micro_batches(batch)
            logits = loss = None  # they hold the activations that did not fit
            continue  # the same examples once more, and none of the gradients so far
        if config.l2:
            l2_term = config.l2 / run.valid_in_train * penalty()  # λ/N ‖θ‖², once a window
            scaler.scale(l2_term).backward()
            run.note_l2(l2_term.detach())
        scaler.unscale_(optimizer)  # before clipping: a norm of scaled gradients means nothing
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), config.max_grad_norm or math.inf)
        scaler.step(optimizer)  # skipped by the scaler when a gradient overflowed
        scaler.update()
        lr_now = schedule.get_last_lr()
        schedule.step()
        run.end_of_update(norm, lr_now, scaler)

    return run.close()


def _make_deterministic(seed: int, device: torch.device) -> None:
    """Same seed, same numbers: deterministic algorithms where PyTorch has them, a warning where it has not."""
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS's own condition for determinism
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.manual_seed(seed)


def checkpoint_activations(model: Model, config: TrainConfig) -> None:
    """Recompute activations in the backward pass instead of keeping them (梯度检查点, Chen et al. 2016)."""
    if not config.gradient_checkpointing:
        return
    model.encoder.config.use_cache = False  # an encoder has no cache; transformers would warn of it all the same
    enable = getattr(model.encoder, "activation_checkpointing_enable", None)  # its name from transformers 5.2x on
    (enable or model.encoder.gradient_checkpointing_enable)({"use_reentrant": False})


def _class_weights(model: Model, train: Examples, config: TrainConfig, device: torch.device) -> Any:
    """A weight for each class; ``balanced`` is N / (classes · count), as in scikit-learn. For multitask one a task.

    Raises:
        TrainingError: a weight for a class that does not exist.
    """
    if model.task == "multitask":
        return model.task_factors(config)
    if config.class_weights is None:
        return None
    if isinstance(config.class_weights, dict):
        unknown = config.class_weights.keys() - set(model.labels)
        if unknown:
            raise TrainingError(
                f"class_weights names {sorted(unknown)[0]!r}; the classes are {', '.join(model.labels)}."
            )
        return torch.tensor([config.class_weights.get(label, 1.0) for label in model.labels], device=device)
    answers = answer_counts(train)
    counts = torch.tensor([answers[label] for label in model.labels]).clamp(min=1)
    return (answers.total() / (len(model.labels) * counts)).to(device)
