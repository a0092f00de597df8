"""A fault that training never saw: kept or rejected by how sure the model is of what it knows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hanlp_tutor.corpora.dealing import Options
from hanlp_tutor.corpora.faults import records, types


def held_out(count: int, *, seed: int = 1) -> tuple[str, ...]:
    """Types to leave out of training, drawn at random among all."""
    rng = np.random.default_rng(seed)
    return tuple(sorted(rng.choice(types(), size=count, replace=False).tolist()))


def threshold_keeping(scores: Sequence[float], share: float) -> float:
    """The highest threshold that at least ``share`` of these scores reach: what known logs of dev are asked to."""
    ordered = np.sort(np.asarray(scores, float))[::-1]
    return float(ordered[max(int(np.ceil(share * len(ordered))) - 1, 0)])


def kept_and_rejected(
    scores: Sequence[float], right: Sequence[bool], known: Sequence[bool], threshold: float
) -> dict[str, float]:
    """What a threshold does: known logs kept, unknown ones rejected, and how many of all that are kept are right.

    Args:
        scores: how sure, of each log.
        right: whether the prediction is; one of an unknown type never is.
        known: whether training held its type.
        threshold: a log is kept when its score is at least that.
    """
    kept, right, known = np.asarray(scores, float) >= threshold, np.asarray(right, bool), np.asarray(known, bool)
    return {
        "known kept": float(kept[known].mean()),
        "unknown rejected": float((~kept[~known]).mean()),
        "right of the kept": float(right[kept].mean()) if kept.any() else 0.0,
    }


def names_another(size: int, subset: str) -> list[bool]:
    """Whether a log names a second component in passing, as the generator knows it."""
    logs = records(Options(size))[subset]
    return [any(m.label == "component" and m.status == "other" for m in log.mentions) for log in logs]
