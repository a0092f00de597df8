"""The checks of notebook 14: the best pair that exists, the tail of waiting times, an unknown fault."""

from __future__ import annotations

from collections.abc import Callable

from hanlp_tutor.teach.declared import Answers, cases, predicted, value

_COMPONENTS, _MODES = {"bearing": 0.6, "valve": 0.4}, {"leaking": 0.7, "overheating": 0.3}
_TYPES = ["bearing/overheating", "valve/leaking", "valve/stuck"]


@cases(
    {
        "the best component and the best mode are no type together": (_COMPONENTS, _MODES, _TYPES),
        "they are one": ({"bearing": 0.9, "valve": 0.1}, {"overheating": 0.8, "leaking": 0.2}, _TYPES),
        "a mode was never scored, so its probability is 0": ({"valve": 1.0}, {"stuck": 0.4, "leaking": 0.6}, _TYPES),
        "one half of a pair is sure, of another both are likely": (
            {"bearing": 0.7, "valve": 0.3}, {"overheating": 0.05, "leaking": 0.35, "stuck": 0.6}, _TYPES[:2]),
        "the component decides": ({"bearing": 0.2, "valve": 0.8}, {"leaking": 0.3, "overheating": 0.4, "stuck": 0.3},
                                  ["bearing/overheating", "valve/stuck"]),
        "the weaker half of the best pair is weaker than that of another": (
            _COMPONENTS, {"overheating": 0.35, "leaking": 0.4, "stuck": 0.25}, _TYPES[:2]),
    },
    "Go through the types that exist, not through all pairs.",
    "A type is component/mode: label.split('/') gives both, and its score is the product of their probabilities.",
    "max(types, key=...) with that product; .get(name, 0) for what has no probability.",
    otherwise="{given}: the best type is {right}, your function gives {found}.",
    then="Two small models speak about every pair that exists, also about one that training never held.",
)  # fmt: skip
def q14_1(components: dict[str, float], modes: dict[str, float], types: list[str]) -> Answers:
    """best_pair(components, modes, types) -> the most probable type that exists."""

    def best(score: Callable[[float, float], float]) -> str:
        pairs = {label: label.split("/") for label in types}
        return max(types, key=lambda label: score(components.get(pairs[label][0], 0), modes.get(pairs[label][1], 0)))

    right = best(lambda a, b: a * b)
    apart = f"{max(components, key=components.get)}/{max(modes, key=modes.get)}"
    wrong = {
        "you took the best component and the best mode, and they are no type together. Only types that exist count.":
            lambda found: found == apart and apart not in types,
        "the two probabilities are multiplied, not added: both halves have to be right.": best(lambda a, b: a + b),
        "you took the weaker half of each pair. Multiply: both halves have to be right.": best(min),
        "you looked at the component alone.": best(lambda a, b: a),
        "you looked at the mode alone.": best(lambda a, b: b),
    }  # fmt: skip
    return right, {reason: each for reason, each in wrong.items() if callable(each) or each != right}


q14_3 = value(
    "How often a shift of 20 logs meets at least one that takes longer than p99: 0.182.",
    1 - 0.99**20,
    "Longer than p99: one log in a hundred.",
    "How probable is it that *none* of 20 takes longer? Each stays below with 0.99.",
    "None of 20, and at least one of 20: one of the two happens, so their probabilities make 1.",
    wrong={
        "That is one log. The shift has 20 of them.": 0.01,
        "Twenty times one per cent counts shifts with two slow logs twice.": 0.2,
        "That is the probability that all 20 stay below.": 0.99**20,
        "A probability lies between 0 and 1.": lambda found: not 0 <= found <= 1,
    },
    otherwise="Not {found}. How probable is it that all 20 stay below p99?",
    then="Nearly one shift in five waits longer than p99. The tail is what people remember, not the mean.",
)


def _unknown(seen: float) -> str:
    return (
        "The threshold keeps nine of ten known logs. An unknown fault shares component or mode with known ones, "
        "so the model is often sure of the wrong type: doubt about the type is not the same as novelty. "
        f"{1 - seen:.0%} of the unknown ones would have been sent out under a wrong name."
    )


q14_2 = predicted(
    "Which share of the logs of unknown types a threshold rejects that keeps nine of ten known ones.",
    "The threshold rejects one of ten known logs. Does it reject more of the unknown ones?",
    "An unknown type is a new *pair*. Component and mode both occur in training, with others.",
    "A model that scores whole types is sure where the words fit one type well, and half of an unknown log fits.",
    because=_unknown,
    surprise=_unknown,
)
