"""The checks of notebook 11: words from tags, vectors of words, shares of tasks, wrong words, what keeps old types."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from hanlp_tutor.core.mixing import shares
from hanlp_tutor.teach.check import call, exercise, require, show
from hanlp_tutor.teach.declared import Answers, cases, predicted, value


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


@exercise(
    "states.split(lengths) cuts a tensor into pieces of so many rows each.",
    "The mean over the rows of a piece is piece.mean(0): one vector of H numbers.",
    "torch.stack makes one tensor of a list of vectors that are equally long.",
)
def q11_2(answer: Any) -> str:
    """word_means(states, lengths): states (characters, H) of a sentence -> (words, H)."""
    import torch

    generator = torch.Generator().manual_seed(1)
    for lengths, size in (([2, 1, 3], 4), ([1], 3), ([4], 2), ([1, 1, 2], 5)):
        states = torch.randn(sum(lengths), size, generator=generator)
        pieces = states.split(lengths)
        right = torch.stack([piece.mean(0) for piece in pieces])
        found = call(answer, states, lengths)
        given = f"For words of {lengths} characters, H = {size}: "
        require(isinstance(found, torch.Tensor), f"{given}a tensor, please; this is {show(found)}.")
        require(found.shape == right.shape, f"{given}the shape should be {tuple(right.shape)}, "
                                            f"yours is {tuple(found.shape)}.")  # fmt: skip
        found = found.to(right.dtype)
        wrong = {
            "these are the sums. A mean divides by the length of the word.": [piece.sum(0) for piece in pieces],
            "these are the first characters of the words.": [piece[0] for piece in pieces],
            "these are the last characters of the words.": [piece[-1] for piece in pieces],
            "each word has the mean over the whole sentence.": [states.mean(0)] * len(lengths),
        }
        agrees = torch.allclose(found, right, atol=1e-5)
        for reason, vectors in wrong.items():
            require(agrees or not torch.allclose(found, torch.stack(vectors), atol=1e-5), given + reason)
        require(agrees, f"{given}the vectors differ. Does each word begin where the one before it ended?")
    return "The head of pos and ner sees these vectors alone: a wrong word mixes the characters of two."


_TAUS = (1, 0.5, 0)
_OF_NER = tuple(float(shares({"tok": 400, "ner": 25}, tau)["ner"]) for tau in _TAUS)
q11_3 = value(
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

q11_4 = value(
    "(precision, recall) of 北京大学/nt 好/v against 北京/ns 大学/n 好/v, from raw text.",
    (1 / 2, 1 / 3),
    "Write the spans with their tags: gold (0, 2, ns), (2, 4, n), (4, 5, v). A find is right when all three agree.",
    "The segmenter joined the first two words; what stood there cannot be right any more, whatever its tag.",
    "Precision divides by the predicted words, recall by the gold words. How many are there of each?",
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


def _what_kept_them(seen: Mapping[str, float]) -> str:
    nothing, frozen, pseudo = (seen[name] for name in ("new sentences alone", "θ frozen", "pseudo-labels"))
    if pseudo <= max(nothing, frozen) + _TIE:
        return "Here the three are alike. Did the model know the old types at all? Look at F1 before."
    useless = "Freezing θ kept nothing" if frozen <= nothing + _TIE else "Freezing θ kept less"
    return f"{useless}: the new sentences label every old entity O, and the head learns that. Pseudo-labels mend them."


_TIE = 0.02
q11_5 = predicted(
    "Which of three ways keeps most of the old types.",
    "What can still change when θ is frozen?",
    "A person stands in a new sentence. Which label does each of its characters have there, in each of the three ways?",
    "In two of the ways the labels of the new sentences are the same. Ask what the loss wants of the head there.",
    because=_what_kept_them,
    surprise=lambda seen: f"{_what_kept_them(seen)} Which labels did you think the old entities have there?",
    tie=_TIE,
)
