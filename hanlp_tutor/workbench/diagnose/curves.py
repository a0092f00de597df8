"""Faults that only the course of a run shows: what is left of the loss, how far dev stays behind, what is predicted.

These are conclusions, not counts, so they keep silent where a fault of the data or of the program explains the curves.
The thresholds were chosen on runs of the People's Daily and of the reviews with seed 1, and mended where two tests
(seeds 2 to 7, 11 to 22 and 31 to 42, medical questions) gave false alarms; ``experiments/troubleshooting.py`` holds
them to seeds that none of these has seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from hanlp_tutor.workbench.diagnose.record import Record
from hanlp_tutor.workbench.diagnose.report import Finding

# Of the frequencies' loss left at the end: little more than frequencies was learnt. Most tags are O and easily so.
STUCK = {"ner": 0.35, "classify": 0.75}
FAR = 5.0  # times the learning rate that suits the encoder, up or down
_WARM, _SILENT = 0.5, 0.15
_RISES = ((1.2, 0.97), (1.5, 0.9))  # of dev loss over its least, and the train score beside which it is over-fitting
_FALLING = 0.85  # of the loss in the middle of the run, at its end
_FEW = 40  # updates, below which a loss that falls at all is still on its way, and blames no label
# Of the frequencies' loss, on dev: nothing that holds there was learnt. And training examples that should do better.
_NOTHING, _ENOUGH = 0.9, 100


def one_answer(run: Record) -> Iterator[Finding]:
    """Predictions that are all O, or all one class, by a training set that hardly shows anything else."""
    last, train, dev = run.last, run.fact("data", "train_labels"), run.fact("data", "dev_labels")
    if not last or last.get("dev_minority") is None or not train or not dev or run.several_tasks:
        return
    given, wanted, shown = last["dev_minority"], _minority(dev), _minority(train)
    if given >= _SILENT * wanted or shown > wanted / 3:
        return
    commonest = max(train, key=train.get)
    unit = "tags" if run.task == "ner" else "examples"
    yield Finding(
        "one-answer",
        f"{1 - given:.1%} of the dev predictions are {_named(commonest)}; {wanted:.1%} of the gold {unit} of dev are "
        f"something else, but only {shown:.1%} of those of train ({sum(train.values()):,} {unit}).",
        "Add examples of the rare labels, or leave out some of the common ones; class_weights='balanced' weighs them "
        "anew. Watch F1 of each type: accuracy looks splendid here.",
        {"dev_minority": given, "dev_gold_minority": wanted, "train_minority": shown},
    )


def rate_too_high(run: Record) -> Iterator[Finding]:
    """Nothing is learnt, at a learning rate far above what suits the encoder."""
    lr, suited = run.fact("config", "lr"), run.fact("model", "suggested_lr")
    if _stuck(run) and lr and suited and lr >= FAR * suited and _learns(run):
        yield Finding(
            "rate-too-high",
            f"{_left(run)}. This is at lr={lr:g}, {lr / suited:,.0f} times what suits this encoder ({suited:g}).",
            f"lr={suited:g}, and a warm-up of a tenth of the run.",
            {"lr": lr, "suggested_lr": suited, "left": run.left},
        )


def rate_too_low(run: Record) -> Iterator[Finding]:
    """Nothing is learnt, at a learning rate far below what suits the encoder."""
    lr, suited = run.fact("config", "lr"), run.fact("model", "suggested_lr")
    if _stuck(run) and lr and suited and lr <= suited / FAR and _learns(run):
        yield Finding(
            "rate-too-low",
            f"{_left(run)}. This is at lr={lr:g}, where {suited:g} suits; head_lr={run.fact('config', 'head_lr'):g}.",
            f"lr={suited:g}, and a head_lr of 1e-3 to 1e-2.",
            {"lr": lr, "suggested_lr": suited, "left": run.left},
        )


def long_warm_up(run: Record) -> Iterator[Finding]:
    """Nothing is learnt, because the learning rate was never where it should have been."""
    updates, warmup = run.fact("updates"), run.fact("config", "warmup_steps")
    if not updates or warmup is None or not _stuck(run):
        return
    share = warmup if isinstance(warmup, float) and warmup < 1 else warmup / updates
    if share > _WARM:
        yield Finding(
            "long-warm-up",
            f"{_left(run)}. For {share:.0%} of the {updates:,} updates the learning rate was still "
            f"rising (warmup_steps={warmup:g}).",
            "warmup_steps=0.1, a tenth of all updates; a fixed number such as 1000 is for runs of tens of thousands.",
            {"warmup_share": share, "updates": updates, "left": run.left},
        )


def random_weights(run: Record) -> Iterator[Finding]:
    """Nothing is learnt, by an encoder that has read nothing."""
    if _stuck(run) and run.fact("model", "pretrained") is False:
        yield Finding(
            "random-weights",
            f"{_left(run)}. The encoder {run.fact('encoder')!r} started from random weights.",
            f"encoder={str(run.fact('encoder')).removeprefix('random:')!r}: pre-trained. From random weights it takes "
            "a higher learning rate (1e-3) and many times the updates.",
            {"pretrained": False, "left": run.left},
        )


def too_short(run: Record) -> Iterator[Finding]:
    """Nothing much is learnt yet, and both losses are still on their way down."""
    middle, end, rows = run.loss_over(0.4, 0.6), run.loss_over(0.8, 1.0), run.evaluations
    falling = 1.0 if _few_updates(run) else _FALLING
    if not (_stuck(run) and middle and end and end < falling * middle and len(rows) > 1):
        return
    before, after = rows[(len(rows) - 1) // 2]["dev_loss"], rows[-1]["dev_loss"]
    if after < falling * before:
        yield Finding(
            "too-short",
            f"{_left(run)}. It was still falling: {middle:.3f} in the middle of the run, {end:.3f} at its end; and so "
            f"was the dev loss, from {before:.3f} to {after:.3f}.{_counted(run)}",
            f"More epochs than {run.fact('config', 'epochs')}, or more data.",
            {"middle": middle, "end": end, "dev_middle": before, "dev_end": after, "left": run.left},
        )


def noisy_labels(run: Record) -> Iterator[Finding]:
    """Pre-trained, at a usual learning rate, long enough, and nothing learnt that holds for dev."""
    if _few_updates(run):
        return
    rows, guess = run.evaluations, _entropy(run.fact("data", "dev_labels") or {})
    if not rows or not run.floor or not guess:
        return
    least, best = min(row["dev_loss"] for row in rows), max(row["dev_score"] for row in rows)
    # where dev is better than guessing, something holds that was learnt, however high dropout keeps the loss
    guessing = least > _NOTHING * guess and best < _chance(run)
    memorised = guessing and (run.fact("data", "train_examples") or 0) >= _ENOUGH
    if not (memorised or (_stuck(run) and (guessing or least >= guess))):
        return
    yield Finding(
        "noisy-labels",
        f"{_left(run)}. On dev the least loss was {least:.3f}, where frequencies alone give {guess:.3f}, and the best "
        f"score was {best:.3f}. Neither the encoder nor the learning rate nor the warm-up explains that. Labels "
        "that contradict each other cannot be learnt, only memorised.",
        "`hanlp-tutor audit TRAIN --label-errors` lists the most doubtful ones: read twenty. If they are right, the "
        "task is hard: more examples, or a larger encoder.",
        {"left": run.left, "least_dev_loss": least, "dev_floor": guess, "best_dev": best},
    )


def over_fitting(run: Record) -> Iterator[Finding]:
    """Dev loss rises from its least while the training set is memorised."""
    rows = [row for row in run.evaluations if row.get("dev_loss") is not None and row.get("train_score") is not None]
    if len(rows) < 3:
        return
    last, least = rows[-1], min(rows, key=lambda row: row["dev_loss"])
    rise, gap = last["dev_loss"] / max(least["dev_loss"], 1e-12), last["train_score"] - last["dev_score"]
    if gap < 0.1 or not any(rise >= least_rise and last["train_score"] >= score for least_rise, score in _RISES):
        return
    yield Finding(
        "over-fitting",
        f"The dev loss has risen from {least['dev_loss']:.3f} (update {least['step']:.0f}) to {last['dev_loss']:.3f}, "
        f"{rise:.2f} times as much, while train reached {last['train_score']:.3f} and dev stayed at "
        f"{last['dev_score']:.3f}.",
        "More data helps most. Fewer epochs, or patience=3, which keeps the best weights anyway; dropout=0.3; "
        "lesson 20 has measured what each brings.",
        {"rise": rise, "gap": gap, "train_score": last["train_score"], "dev_score": last["dev_score"]},
    )


def conclusions(run: Record, known: set[str]) -> list[Finding]:
    """What the curves say beyond the faults that are known already; of several causes of one trouble the likeliest."""
    if (known & {"diverged", "out-of-memory"} and run.fact("failed")) or "nothing-to-learn" in known:
        return []
    certain = known & {"frozen-encoder", "clipped-before-unscaling", "misaligned", "unseen-label", "broken-tags"}
    silent: tuple[Rule, ...] = (one_answer,)
    slow: tuple[Rule, ...] = (rate_too_high, rate_too_low, long_warm_up, random_weights, too_short, noisy_labels)
    for rule in (*silent, *slow):
        if certain:
            break
        found = list(rule(run))
        if found:
            return found
    return [] if known & {"misaligned", "unseen-label"} else list(over_fitting(run))


Rule = Callable[[Record], Iterator[Finding]]


def _stuck(run: Record) -> bool:
    return run.left is not None and run.left > STUCK.get(run.task, 0.5)


def _few_updates(run: Record) -> bool:
    """Whether it took so few updates, planned or until patience ended it, that what they did not learn says nothing."""
    return (_taken(run) or _FEW) < _FEW


def _taken(run: Record) -> int | None:
    """The updates that were planned, or those up to the last evaluation where patience ended the run before."""
    counts = (run.fact("updates"), run.evaluations[-1]["step"] if run.evaluations else None)
    return min((round(count) for count in counts if count), default=None)


def _counted(run: Record) -> str:
    return f" It had {_taken(run):,} updates in all." if _few_updates(run) else ""


def _learns(run: Record) -> bool:
    return run.fact("config", "freeze") != "encoder"


def _left(run: Record) -> str:
    loss, share = run.loss_over(0.8, 1.0), run.left
    beside = "no better" if share >= 1 else f"so {share:.0%} of that is left"
    return (
        f"The training loss ends at {loss:.3f}; knowing only how frequent each label is would give {run.floor:.3f}, "
        + beside
    )


def _entropy(labels: dict[str, int]) -> float:
    counts = [count for count in labels.values() if count]
    return -sum(count / sum(counts) * math.log(count / sum(counts)) for count in counts)


def _chance(run: Record) -> float:
    """The dev score that guessing hardly exceeds: of k classes 1/k, and what so few examples can add by luck."""
    if run.task == "ner":
        return _SILENT  # entities are not guessed, but a few frequent names are soon known
    labels = run.fact("data", "dev_labels") or {}
    share, examples = 1 / max(2, len(labels)), max(1, sum(labels.values()))
    return share + 2 * math.sqrt(share * (1 - share) / examples)  # two standard errors of a binomial share


def _minority(labels: dict[str, int]) -> float:
    return 1 - max(labels.values()) / sum(labels.values()) if labels else 0.0


def _named(label: str) -> str:
    return "O" if label == "O" else repr(label)
