"""The checks of notebook 11: words from segmentation tags, shares of tasks, a tagger on wrong words, pseudo-labels."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hanlp_tutor.core.mixing import shares
from hanlp_tutor.teach.check import require, show
from hanlp_tutor.teach.declared import Answers, cases, value


@cases(
    {
        "words of two and three characters": ("我爱天安门", "SSBME"),
        "words of two characters": ("今日北京天气如何", "BEBEBEBE"),
        "a single character": ("好", "S"),
        "no text": ("", ""),
        "a B right behind a B begins a new word": ("北京人", "BBE"),
        "a last word without its E ends with the sentence": ("北京人", "BMM"),
        "the first character begins a word, whatever its tag": ("北京人", "MES"),
    },
    "A word begins where the tag is B or S. All other characters belong to the word before them.",
    "Walk over zip(text, tags): at B or S append a new word to the list, else lengthen the last one.",
    "A model may predict M first: words[-1] fails on an empty list, so begin a word there too.",
    then="HanLP reads the tags in the same way: two letters decide, and no sequence of tags is an error.",
)
def q11_1(text: str, tags: str) -> Answers:
    """words(text, tags) -> list of words, for any tags whatever."""
    begins = [k for k, tag in enumerate(tags) if tag in "BS" or k == 0]
    right = [text[k:end] for k, end in pairwise([*begins, len(text)])]
    wrong = {
        "A list of words, please.": lambda found: (
            type(found) is not list or any(type(word) is not str for word in found)
        ),
        "Segmentation neither loses nor adds characters.": lambda found: "".join(found) != text,
    }
    return right, wrong


_TAUS = (1, 0.5, 0)
_OF_NER = tuple(float(shares({"tok": 400, "ner": 25}, tau)["ner"]) for tau in _TAUS)
q11_2 = value(
    "How many of an epoch's batches are of ner, at τ = 1, 0.5 and 0, for 400 and 25.",
    _OF_NER,
    "The share of a task is n**τ divided by the sum of all n**τ.",
    "With τ = 0.5 take square roots: of 400 and of 25.",
    "The epoch has 425 batches in all, whatever τ is.",
    wrong={
        "These look like shares. How many *batches* of the 425 is that?": lambda values: max(values) <= 1,
        "The order is τ = 1, then 0.5, then 0: at 1 each batch comes once.": _OF_NER[::-1],
    },
    otherwise=tuple(f"τ = {t}: not {{found}}. What is 25**{t} over 400**{t} + 25**{t}?" for t in _TAUS),
    count="Three numbers, for τ = 1, 0.5 and 0; yours has {found}.",
    then=f"At τ = 0 each entity sentence is read {_OF_NER[2] / 25:.1f} times an epoch, and half of the others never.",
)

q11_3 = value(
    "(precision, recall) of 北京大学/nt 好/v against 北京/ns 大学/n 好/v, from raw text.",
    (1 / 2, 1 / 3),
    "Write the spans with their tags: gold (0, 2, ns), (2, 4, n), (4, 5, v). A find is right when all three agree.",
    "The segmenter joined the first two words; what stood there cannot be right any more, whatever its tag.",
    "One of two predicted words is right, one of three gold words was found.",
    wrong={
        "Between 0 and 1, please.": lambda values: max(values) > 1,
        "Precision and recall are exchanged.": (1 / 3, 1 / 2),
    },
    otherwise=(
        "Precision isn't {found}: how many predicted words are right?",
        "Recall is not {found}: of three gold words, how many were found?",
    ),
    then="One missing border cost two words and their tags: errors of the segmenter are inherited.",
)


def _in_order(given: Any) -> list[tuple[int, int, str]]:
    require(isinstance(given, list), f"A list of (start, end, label), please; this is {show(given)}.")
    return sorted(tuple(item) for item in given)


@cases(
    {
        "the old model's find stands free": ([(0, 2, "TIME")], [(5, 7, "LOC")]),
        "the old model's find lies inside a gold entity": ([(0, 4, "TIME")], [(2, 4, "LOC")]),
        "the old model's find encloses a gold entity": ([(2, 4, "TIME")], [(0, 6, "ORG")]),
        "one overlaps, one touches": ([(2, 4, "TIME")], [(3, 6, "ORG"), (6, 8, "PER")]),
        "neighbours do not overlap": ([(2, 4, "TIME")], [(0, 2, "PER")]),
        "nothing is marked by hand": ([], [(0, 1, "PER")]),
    },
    "Begin with the gold entities, and look at each find of the old model: does it share a character with any of them?",
    "Two half-open spans (a, b) and (c, d) share a character when a < d and c < b.",
    "sorted(gold + [f for f in found if not any(f[0] < g[1] and g[0] < f[1] for g in gold)])",
    read=_in_order,
    then="Now every sentence is labelled for every type: gold where people marked, the old model elsewhere.",
)
def q11_4(gold: list[tuple[int, int, str]], found: list[tuple[int, int, str]]) -> Answers:
    """complete(gold, found) -> gold and what of found overlaps no gold entity, in order."""
    right = sorted(gold + [f for f in found if not any(f[0] < g[1] and g[0] < f[1] for g in gold)])
    lost = "an entity was marked by hand and is gone. People win over models."
    return right, {lost: lambda merged: not set(gold) <= set(merged)}
