"""Faults of the run as a program: what stopped it, what it left standing still, the order of its steps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from statistics import median

from hanlp_tutor.workbench.diagnose.record import Record
from hanlp_tutor.workbench.diagnose.report import Finding

_MEMORY = re.compile(r"out of memory|allocate memory|not enough memory|MemoryError", re.IGNORECASE)
_LESS_MEMORY = (
    "Halve batch_size and double gradient_accumulation_steps (the same update), set gradient_checkpointing=True, "
    "lower max_length, and on a GPU that has it fp16 or bf16."
)


def died(run: Record) -> Iterator[Finding]:
    """A run that wrote down why it ended."""
    failed = run.fact("failed")
    if not failed:
        return
    message = str(failed.get("message", ""))
    evidence = {"step": failed.get("step"), "message": message}
    if failed.get("kind") == "diverged":
        yield Finding(
            "diverged",
            message.split(" Lower lr")[0] or "The loss became NaN.",
            "Lower the learning rate by ten and lengthen the warm-up; keep max_grad_norm=1. In fp16 try bf16. If it is "
            f"always the same example, look at it. (This run: {_learning_rates(run)}.)",
            evidence,
        )
    elif failed.get("kind") == "out-of-memory" or _MEMORY.search(message):
        yield Finding("out-of-memory", message or "The memory did not suffice.", _LESS_MEMORY, evidence)


def fell_back(run: Record) -> Iterator[Finding]:
    """A run that went on in smaller micro-batches than its options say."""
    halved, now, wanted = run.fact("out_of_memory_at"), run.fact("micro_batch"), run.fact("config", "batch_size")
    if halved and now and wanted and not run.fact("failed"):
        times = "once" if len(halved) == 1 else f"{len(halved)} times"
        yield Finding(
            "out-of-memory",
            f"The memory did not hold micro-batches of {wanted} examples. The run halved them {times}, first at update "
            f"{halved[0]}, and went on with {now}; each update still learnt from the same examples.",
            f"The result is sound. To spare the attempts write batch_size={now} and gradient_accumulation_steps="
            f"{(run.fact('config', 'gradient_accumulation_steps') or 1) * -(-wanted // now)}; or "
            "gradient_checkpointing=True, or a lower max_length.",
            {"batch_size": wanted, "micro_batch": now, "at": halved},
        )


def unfinished(run: Record) -> Iterator[Finding]:
    """A history that stops in the middle: the process was killed, or the machine took it away."""
    updates = run.fact("updates")
    if run.fact("failed") or run.metrics or not updates or _patience_ran_out(run):
        return
    done = int(run.history[-1]["step"]) if run.history else 0
    if done < updates:
        memory = run.history[-1].get("memory_mb") if run.history else None
        used = f", when the process had used {memory:,.0f} MiB at most" if memory else ""
        yield Finding(
            "unfinished",
            f"The history ends after {done:,} of {updates:,} updates{used}. The run goes on still, or its process was "
            "killed from outside, by the system for want of memory, by Colab or by hand, which leaves no message.",
            "Continue it with resume=True (--resume). If it stops at the same place again, it is the memory. "
            + _LESS_MEMORY,
            {"done": done, "updates": updates, "memory_mb": memory},
        )


def frozen_encoder(run: Record) -> Iterator[Finding]:
    """Parameters of θ that stand still although the options freeze nothing."""
    encoder = run.fact("model", "encoder")
    if not encoder or run.fact("config", "freeze") != "none" or encoder["trainable"] == encoder["parameters"]:
        return
    yield Finding(
        "frozen-encoder",
        f"Of the encoder's {encoder['parameters']:,} parameters {encoder['trainable']:,} are trained, though the "
        "options say freeze='none': requires_grad was switched off before.",
        "model.encoder.requires_grad_(True) before fine_tune, or build the model anew. If it is meant, say so with "
        "freeze='encoder'.",
        dict(encoder),
    )


def clipped_before_unscaling(run: Record) -> Iterator[Finding]:
    """Gradient norms that go with the loss scale: they were taken while the scale was still in them."""
    rows = [row for row in run.history if row.get("loss_scale") and row.get("grad_norm") is not None]
    scales, norms = [row["loss_scale"] for row in rows], [row["grad_norm"] for row in rows]
    limit = run.fact("config", "max_grad_norm") or 1.0
    if len(rows) < 4 or median(scales) < 64:
        return
    middle = median(norm for norm in norms if norm == norm)
    at_limit = [norm * scale / limit for norm, scale in zip(norms, scales, strict=True)]
    before = middle > 50 * limit and 1e-3 < middle / median(scales) < 1e3  # logged: the norm before clipping
    after = sum(0.9 < ratio < 1.1 for ratio in at_limit) > 0.8 * len(rows)  # logged: what clipping has left of it
    if not (before or after):
        return
    shown = f"about {middle:,.0f}, the loss scale times a usual norm" if before else f"{middle:.2g}, the limit"
    yield Finding(
        "clipped-before-unscaling",
        f"The gradient norms are {shown}{'' if before else ' divided by the loss scale'} (scale {median(scales):,.0f}, "
        f"limit {limit:g}): every gradient was cut to the limit and then divided by the scale, to next to nothing.",
        "scaler.unscale_(optimizer) first, then clip_grad_norm_, then scaler.step(optimizer), as "
        "hanlp_tutor/core/train.py does.",
        {"grad_norm": middle, "loss_scale": median(scales), "max_grad_norm": limit},
    )


def _patience_ran_out(run: Record) -> bool:
    patience, scores = run.fact("config", "patience"), [row["dev_score"] for row in run.evaluations]
    if not patience or not scores:
        return False
    return len(scores) - 1 - scores.index(max(scores)) >= patience


def _learning_rates(run: Record) -> str:
    config = run.fact("config") or {}
    return ", ".join(f"{name}={config[name]:g}" for name in ("lr", "head_lr") if config.get(name))


RULES = (died, fell_back, unfinished, frozen_encoder, clipped_before_unscaling)
