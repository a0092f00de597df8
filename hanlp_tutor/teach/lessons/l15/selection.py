"""Active selection (主动学习): which texts to have labelled next, and what it brings with an n-gram classifier."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from hanlp_tutor.data import LabelledText
from hanlp_tutor.workbench.baselines import ngram_classifier


def least_sure(probabilities: np.ndarray, count: int) -> list[int]:
    """The rows whose two best classes are closest (margin sampling, Scheffer et al. 2001), the closest first.

    Args:
        probabilities: (texts, classes).
        count: rows to return, at most.
    """
    best = np.sort(probabilities, axis=1)
    margins = best[:, -1] - best[:, -2] if best.shape[1] > 1 else np.zeros(len(best))
    return np.argsort(margins, kind="stable")[:count].tolist()


def accuracies(
    pool: Sequence[LabelledText],
    test: Sequence[LabelledText],
    how: str,
    draw: int,
    *,
    start: int,
    step: int,
    end: int,
) -> dict[str, float]:
    """Test accuracy by number of labels, for labels chosen in rounds.

    Args:
        pool: labelled in truth; a label is looked at when its text has been chosen.
        test: to score on.
        how: ``uncertain``, what the last model is least sure of, or ``random``.
        draw: seed of the first labels and of random ones; the first are the same for both.
        start, step, end: labels at first, a round, in all; fewer where the pool has fewer.
    """
    order = random.Random(draw).sample(range(len(pool)), len(pool))
    chosen, found = order[:start], {}
    gold = [each.label for each in test]
    while True:
        model = ngram_classifier().fit([pool[i].text for i in chosen], [pool[i].label for i in chosen])
        right = np.array(model.predict([each.text for each in test])) == np.array(gold)
        found[str(len(chosen))] = float(right.mean())
        if len(chosen) + step > min(end, len(pool)):
            return found
        known = set(chosen)
        rest = [i for i in order if i not in known]
        if how == "uncertain":
            sure = model.predict_proba([pool[i].text for i in rest])
            chosen = [*chosen, *(rest[k] for k in least_sure(sure, step))]
        else:
            chosen = [*chosen, *rest[:step]]
