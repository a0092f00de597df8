"""How far it is to a dev score: in updates, examples, tokens and seconds of training; and how far a search got."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def reaching(history: Sequence[Mapping[str, Any]], goal: float, batch_size: int) -> dict[str, float]:
    """What it took until an evaluation first gave ``goal`` or more; all that was spent if none did.

    Args:
        history: rows of a run.
        goal: a dev score.
        batch_size: examples in an update.

    Returns:
        ``reached`` (1 or 0), ``updates``, ``examples`` (updates times batch size), ``tokens``, and ``seconds`` of
        training alone, without evaluations.
    """
    seconds = before = 0.0
    for row in history:
        seconds += (row["tokens"] - before) / row["tokens_per_second"]
        before = row["tokens"]
        if row.get("dev_score") is not None and row["dev_score"] >= goal:
            break
    reached = row.get("dev_score") is not None and row["dev_score"] >= goal
    return {
        "reached": float(reached),
        "updates": row["step"],
        "examples": row["step"] * batch_size,
        "tokens": row["tokens"],
        "seconds": seconds,
    }


def dev_scores(history: Sequence[Mapping[str, Any]]) -> list[float]:
    """The dev score of each evaluation."""
    return [row["dev_score"] for row in history if row.get("dev_score") is not None]


def best_within(trials: Sequence[Mapping[str, Any]], budget: float, *, of: str = "tokens") -> float:
    """The best dev score among the complete trials that ended within a budget; the first counts in any case.

    Args:
        trials: in their order.
        budget: of all trials together.
        of: what of each trial is counted: its tokens, or its seconds.
    """
    best, spent = 0.0, 0.0
    for number, row in enumerate(trials):
        spent += row[of]
        if row["state"] == "complete" and (spent <= budget * 1.001 or number == 0):
            best = max(best, row["dev"])
    return best
