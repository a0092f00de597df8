"""The checks of notebook 11: words from segmentation tags, shares of tasks, a tagger on wrong words, pseudo-labels."""

from __future__ import annotations

from typing import Any

from hanlp_tutor.core.mixing import shares
from hanlp_tutor.teach.check import call, exercise, require, show

_SENTENCES = (
    ("我爱天安门", "SSBME", ["我", "爱", "天安门"]),
    ("今日北京天气如何", "BEBEBEBE", ["今日", "北京", "天气", "如何"]),
    ("好", "S", ["好"]),
    ("", "", []),
)
_ODD = (
    ("北京人", "BBE", ["北", "京人"], "a B right behind a B begins a new word"),
    ("北京人", "BMM", ["北京人"], "a last word without its E ends with the sentence"),
    ("北京人", "MES", ["北京", "人"], "the first character begins a word, whatever its tag"),
)


@exercise(
    "A word begins where the tag is B or S. All other characters belong to the word before them.",
    "Walk over zip(text, tags): at B or S append a new word to the list, else lengthen the last one.",
    "A model may predict M first: words[-1] fails on an empty list, so begin a word there too.",
)
def q11_1(answer: Any) -> str:
    """words(text, tags) -> list of words, for any tags whatever."""
    for text, tags, right in _SENTENCES:
        found = call(answer, text, tags)
        require(
            isinstance(found, list) and all(isinstance(word, str) for word in found),
            f"A list of words, please; {show(text)} gave {show(found)}.",
        )
        require(
            "".join(found) == text,
            f"{show(text)}: your words join to {show(''.join(found))}. Segmentation neither loses nor adds characters.",
        )
        require(found == right, f"{show(text)} with {tags}: expected {right}, your function gives {show(found)}.")
    for text, tags, right, why in _ODD:
        found = call(answer, text, tags)
        require(found == right, f"{show(text)} with {tags}: {why}, so {right}; your function gives {show(found)}.")
    return "HanLP reads the tags in the same way: two letters decide, and no sequence of tags is an error."


_COUNTS = {"tok": 400, "ner": 25}


@exercise(
    "The share of a task is n**τ divided by the sum of all n**τ.",
    "With τ = 0.5 take square roots: of 400 and of 25.",
    "The epoch has 425 batches in all, whatever τ is.",
)
def q11_2(answer: Any) -> str:
    """How many of an epoch's batches are of ner, at τ = 1, 0.5 and 0, for 400 and 25."""
    values = [float(value) for value in answer]
    require(len(values) == 3, f"Three numbers, for τ = 1, 0.5 and 0; yours has {len(values)}.")
    right = [shares(_COUNTS, tau)["ner"] for tau in (1.0, 0.5, 0.0)]
    require(max(values) > 1, "These look like shares. How many *batches* of the 425 is that?")
    require(values != right[::-1], "The order is τ = 1, then 0.5, then 0: at 1 each batch comes once.")
    for tau, value, wanted in zip((1, 0.5, 0), values, right, strict=True):
        require(abs(value - wanted) <= 1, f"τ = {tau}: not {value:g}. What is 25**{tau} over 400**{tau} + 25**{tau}?")
    return f"So at τ = 0 each entity sentence is read {right[2] / 25:.1f} times an epoch, and of the others half never."


@exercise(
    "Write the spans with their tags: gold (0, 2, ns), (2, 4, n), (4, 5, v). A find is right when all three agree.",
    "The segmenter joined the first two words; what stood there cannot be right any more, whatever its tag.",
    "One of two predicted words is right, one of three gold words was found.",
)
def q11_3(answer: Any) -> str:
    """(precision, recall) of 北京大学/nt 好/v against 北京/ns 大学/n 好/v, from raw text."""
    precision, recall = (float(value) for value in answer)
    require(max(precision, recall) <= 1, "Between 0 and 1, please.")
    require((precision, recall) != (1 / 3, 1 / 2), "Precision and recall are exchanged.")
    require(abs(precision - 1 / 2) < 0.006, f"Precision isn't {precision:.3g}: how many predicted words are right?")
    require(abs(recall - 1 / 3) < 0.006, f"Recall is not {recall:.3g}: of three gold words, how many were found?")
    return "One missing border cost two words and their tags: errors of the segmenter are inherited."


_PSEUDO = (
    ([(0, 2, "TIME")], [(5, 7, "LOC")], [(0, 2, "TIME"), (5, 7, "LOC")], "the old model's find stands free"),
    ([(0, 4, "TIME")], [(2, 4, "LOC")], [(0, 4, "TIME")], "the old model's find lies inside a gold entity"),
    ([(2, 4, "TIME")], [(0, 6, "ORG")], [(2, 4, "TIME")], "the old model's find encloses a gold entity"),
    ([(2, 4, "TIME")], [(3, 6, "ORG"), (6, 8, "PER")], [(2, 4, "TIME"), (6, 8, "PER")], "one overlaps, one touches"),
    ([(2, 4, "TIME")], [(0, 2, "PER")], [(0, 2, "PER"), (2, 4, "TIME")], "neighbours do not overlap"),
    ([], [(0, 1, "PER")], [(0, 1, "PER")], "nothing is marked by hand"),
)


@exercise(
    "Begin with the gold entities, and look at each find of the old model: does it share a character with any of them?",
    "Two half-open spans (a, b) and (c, d) share a character when a < d and c < b.",
    "sorted(gold + [f for f in found if not any(f[0] < g[1] and g[0] < f[1] for g in gold)])",
)
def q11_4(answer: Any) -> str:
    """complete(gold, found) -> gold and what of found overlaps no gold entity, in order."""
    for gold, found, right, what in _PSEUDO:
        given = call(answer, gold, found)
        require(isinstance(given, list), f"A list of (start, end, label), please; this is {show(given)}.")
        merged = sorted(tuple(item) for item in given)
        lost = [item for item in gold if item not in merged]
        require(not lost, f"{what}: {lost} was marked by hand and is gone. People win over models.")
        require(merged == right, f"gold {gold}, found {found} ({what}): expected {right}, yours gives {merged}.")
    return "Now every sentence says something of every type: gold where people marked, the old model elsewhere."
