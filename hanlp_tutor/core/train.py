"""THE training loop, written for a GPU and right on a CPU.

One update of the article's rule: for an accumulation window of n of the N valid tokens (examples in classification)

    (1/n) Σ L_task(f(x_i; θ, φ), y_i) + (λ/N) ‖θ‖²

goes backward, micro-batch by micro-batch; its gradient is unscaled, clipped, and moves θ at ``lr`` and φ at
``head_lr``. Read :func:`fine_tune` from top to bottom: it says when the run evaluates, what counts as best, when
patience ends it and when it saves. :class:`~hanlp_tutor.core.run.Run` keeps the books.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.batching import Batch
from hanlp_tutor.core.checkpoint import save_checkpoint
from hanlp_tutor.core.evaluate import evaluate_model
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.optim import L2Penalty, build_optimizer, build_schedule, chosen, parameter_groups
from hanlp_tutor.core.out_of_memory import explain_out_of_memory, smaller_when_memory_runs_out
from hanlp_tutor.core.parallel import join
from hanlp_tutor.core.precision import set_up
from hanlp_tutor.core.run import Examples, Result, Run
from hanlp_tutor.defaults import settled
from hanlp_tutor.device import settings_restored


@settings_restored()
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
    team = join()  # this process alone, or those that torchrun started
    config = settled(config, chosen(model, config, len(train)), resumed=out if resume else None)  # no option is open
    precision = set_up(model, config, team.rank)  # device, number format, threads, what is frozen; model.train()
    learner = team.learner(model, model.task)  # the model; in several processes it adds up their gradients
    scaler = precision.scaler()
    optimizer = build_optimizer(parameter_groups(model, config), config)
    penalty = L2Penalty(model, config)
    run = Run(model, train, dev, config, Path(out), precision.device, team)  # all examples become numbers here
    schedule = build_schedule(optimizer, config, run.updates)
    loss_weights = model.loss_weights(config, run.train_labels)  # of the classes; in a multi-task model, of the tasks
    # the manifest is written; when a run is resumed, its checkpoint is loaded into these five
    run.start(resume, progress, model=model, optimizer=optimizer, schedule=schedule, scaler=scaler, penalty=penalty)
    if on_start is not None and team.leads:
        on_start(run)

    @smaller_when_memory_runs_out(run.smaller_window)  # calls it again, for the same examples in smaller pieces
    def accumulate_gradients(window: list[Batch]) -> None:
        optimizer.zero_grad(set_to_none=True)
        n = run.tokens_of(window)
        for batch in team.each(window):
            batch = batch.to(precision.device)
            with precision.autocast():
                logits = learner(batch)
            loss = model.loss_sum(logits, batch, loss_weights) / n  # float32; n is that of the whole window
            scaler.scale(loss).backward()
            run.note_loss(loss.detach(), batch)  # the last step: what is noted did fit into memory

    for window in run.windows():  # epochs x windows, from where a resumed run stood, until the run is finished
        accumulate_gradients(window)
        if config.l2:
            l2_term = config.l2 / run.valid_in_train * penalty()  # λ/N ‖θ‖², once a window
            scaler.scale(l2_term).backward()
            run.note_l2(l2_term.detach())
        scaler.unscale_(optimizer)  # before clipping: a norm of scaled gradients means nothing
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), config.max_grad_norm or math.inf)  # inf: measure only
        scaler.step(optimizer)  # skipped by the scaler when a gradient overflowed; the update counts all the same
        scaler.update()
        lr_of_this_update = schedule.get_last_lr()
        if not scaler.is_enabled() or norm.isfinite():  # a skipped update moves no schedule; to know, fp16 waits here
            schedule.step()
        run.end_update(norm, lr_of_this_update)  # counts it; a row of the history where one is due, which finds NaNs

        if run.evaluation_due() and team.leads:  # every eval_steps updates, else after each epoch; and at the end
            run.note_scores("train", evaluate_model(model, run.sample, encoded=run.sample_encoded))
            if dev:
                score = run.note_scores("dev", evaluate_model(model, dev, encoded=run.dev_encoded))
                if score > run.best_score:  # the task's headline score: F1, macro F1, a mean; an equal one is no better
                    run.keep_best(score)
                else:
                    run.state.bad_evaluations += 1
                if run.state.bad_evaluations == config.patience:  # so many in a row were no better
                    run.finish()
            if on_evaluation is not None and on_evaluation(dict(run.row)):
                run.finish()
        run.agree()  # several processes: whether it goes on is decided by the first
        if run.checkpoint_due():  # every checkpoint_steps updates, else after each epoch; and when the run ends
            save_checkpoint(run.checkpoint, identity=run.identity, state=run.state, team=team, **run.parts)
        run.report()

    return run.close()  # the model gets its best weights; without dev data it keeps the last
