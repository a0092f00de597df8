"""How well a classifier does on types with few examples, and which half of a label it gets wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from hanlp_tutor.core.scores import class_scores
from hanlp_tutor.corpora.faults import parts_of

# Of how many training examples: the least of each group; the last has no upper border.
GROUPS = (0, 1, 5, 10, 20, 50)


def group_names(groups: Sequence[int] = GROUPS) -> list[str]:
    """``0``, ``1 to 4``, ..., ``50 or more``."""
    names = [f"{low} to {high - 1}" if high - 1 > low else f"{low}" for low, high in pairwise(groups)]
    return [*names, f"{groups[-1]} or more"]


def f1_by_examples(
    train: Sequence[str], gold: Sequence[str], predicted: Sequence[str], groups: Sequence[int] = GROUPS
) -> dict[str, dict[str, float]]:
    """By number of training examples of a type: its types in the test set, their logs, and the mean of their F1.

    Args:
        train: labels of the training set.
        gold, predicted: of the test set.
        groups: the least number of each group.

    Returns:
        ``{"types", "logs", "f1"}`` of each group that the test set has; F1 of a type counts its false alarms too.
    """
    counts, wanted = Counter(train), Counter(gold)
    of_type = class_scores(list(gold), list(predicted))["per_class"]
    found: dict[str, dict[str, float]] = {}
    for place, name in enumerate(group_names(groups)):
        high = groups[place + 1] if place + 1 < len(groups) else float("inf")
        types = [label for label in wanted if groups[place] <= counts[label] < high]
        if types:
            f1 = sum(of_type[label]["f1"] for label in types) / len(types)
            found[name] = {"types": len(types), "logs": sum(wanted[label] for label in types), "f1": f1}
    return found


def macro_f1(gold: Sequence[str], predicted: Sequence[str]) -> float:
    """The mean F1 of the types that the test set has: one that it lacks can only be a false alarm of another."""
    of_type = class_scores(list(gold), list(predicted))["per_class"]
    wanted = set(gold)
    return sum(of_type[label]["f1"] for label in wanted) / len(wanted)


def halves(gold: Sequence[str], predicted: Sequence[str]) -> dict[str, float]:
    """Shares of the logs: all right, only the mode wrong, only the component wrong, both wrong."""
    names = {(True, True): "right", (True, False): "mode wrong", (False, True): "component wrong"}
    counts = Counter(
        names.get(tuple(a == b for a, b in zip(parts_of(g), parts_of(p), strict=True)), "both wrong")
        for g, p in zip(gold, predicted, strict=True)
    )
    return {name: counts[name] / len(gold) for name in (*names.values(), "both wrong")}
