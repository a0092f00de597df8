"""The checks of notebook 16: markers, micro F1 without the negative class, what errors do along a pipeline."""

from __future__ import annotations

from collections.abc import Mapping

from hanlp_tutor.data.marking import mark
from hanlp_tutor.teach.declared import Answers, cases, predicted


@cases(
    {
        "head before tail": ("甲公司收购乙公司", (0, 3), (5, 8)),
        "tail before head": ("甲公司收购乙公司", (5, 8), (0, 3)),
        "next to each other": ("阿司匹林高血压", (0, 4), (4, 7)),
    },
    "Four places get a character: the start and the end of head, the start and the end of tail.",
    "What you insert moves everything behind it. Begin with the place that stands furthest to the right.",
    "Cut the text at the four places, in order, and join the pieces with the marker that belongs to each place.",
    then="Now one text with one pair is one example, and any classifier of texts can read it.",
)
def q16_1(text: str, head: tuple[int, int], tail: tuple[int, int]) -> Answers:
    """marked(text, head, tail) -> the text with 「」 around head and 『』 around tail."""
    naive = text
    for (start, end), (opening, closing) in ((head, "「」"), (tail, "『』")):
        naive = naive[:start] + opening + naive[start:end] + closing + naive[end:]
    right = mark(text, head, tail)
    wrong = {
        "head and tail are exchanged: 「」 belongs to the head.": mark(text, tail, head),
        "the first two markers have moved the second place. Begin on the right.": naive,
        "one kind of marker cannot tell who does what to whom.": right.replace("『", "「").replace("』", "」"),
    }
    return right, {said: value for said, value in wrong.items() if value != right}


_PAIRS = (
    (["treats", "unknown", "finds", "unknown"], ["treats", "treats", "unknown", "unknown"]),
    (["treats", "finds"], ["finds", "finds"]),
    (["unknown"] * 8 + ["treats"] * 2, ["unknown"] * 8 + ["treats", "unknown"]),
    (["unknown", "unknown"], ["unknown", "unknown"]),
)


@cases(
    [(*pair, "unknown") for pair in _PAIRS],
    "Right: gold and found agree, and are no negative class.",
    "Found are the pairs with a relation in `found`, wanted those with one in `gold`.",
    "A wrong relation in the place of another is wrong twice: among the found, and among the wanted. F1 is "
    "2 * right / (found + wanted), and 0 where there is neither.",
    then="A model that never finds a relation now gets what it deserves, however common the negative class is.",
)
def q16_2(gold: list[str], found: list[str], negative: str) -> Answers:
    """micro_f1(gold, found, negative) -> F1 over the relations, the negative class left out."""
    both = list(zip(gold, found, strict=True))
    right = sum(a == b != negative for a, b in both)
    said, wanted = (sum(each != negative for each in some) for some in (found, gold))
    f1 = 2 * right / (said + wanted) if said + wanted else 0.0
    agree = sum(a == b for a, b in both)
    wrong = {
        "that is the accuracy: pairs without a relation count too.": agree / len(both),
        "right pairs of the negative class are no found relations.":
            2 * agree / (said + wanted) if said + wanted else 1.0,
        "that is the recall.": right / wanted if wanted else ...,
        "that is the precision.": right / said if said else ...,
    }  # fmt: skip
    return f1, {said: value for said, value in wrong.items() if value is not ... and abs(value - f1) > 1e-6}


def _along(seen: Mapping[str, float]) -> str:
    last = min(seen, key=seen.get)
    return (
        f"{last!r} is lowest. A triple is right only if both entities and the relation are: errors of two models meet, "
        "and a missed entity takes all its relations with it. An invented entity adds pairs that should not be asked."
    )


q16_3 = predicted(
    "In which order the scores of the pipeline stand.",
    "A triple needs two entities. If each is right in 85 of 100 cases, in how many are both?",
    "With gold entities only the relation can be wrong.",
    "End to end multiplies: both entities right, then the relation. Entities alone have no such burden; whether "
    "they or the relations between gold entities are harder, the rules have shown you in part.",
    because=_along,
    surprise=_along,
    tie=0.01,
)
