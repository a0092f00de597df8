"""The checks of notebook 03: the parameters of a layer, the masking budget, whole words, memory."""

from __future__ import annotations

from hanlp_tutor.teach.declared import Answers, cases


@cases(
    [(768, 3072), (8, 16)],
    "Attention has four square matrices: query, key, value and output, each with a bias.",
    "Feed-forward goes from hidden to inner size and back, with a bias each.",
    "Two LayerNorms of 2 * hidden: 4*(h*h + h) + (h*f + f) + (f*h + h) + 4*h.",
    otherwise="{given}: there are {right} parameters; your function gives {found}.",
    then="Feed-forward holds two thirds of a layer when f = 4h.",
)
def q03_1(h: int, f: int) -> Answers:
    """layer(h, f): the parameters of one layer of hidden size h and inner size f."""
    right = 4 * (h * h + h) + 2 * h * f + f + h + 4 * h
    return right, {"nearly: the two LayerNorms have a weight and a bias each.": right - 4 * h}


@cases(
    [(100,), (47,), (2,)],
    "All three recipes choose the same share of the ordinary characters.",
    "Round to a whole number of characters.",
    "max(1, round(0.15 * n)): a short sentence has one chosen character too.",
    otherwise="{given}: {right} are chosen; your function gives {found}.",
    then="The recipes differ in which characters they choose, not in how many.",
)
def q03_2(n: int) -> Answers:
    """budget(n): how many of n characters are chosen."""
    return max(1, round(0.15 * n)), {}


@cases(
    [(["江泽民", "在", "北京"], 2), (["江泽民", "在", "北京"], 0), (["好"], 0)],
    "Walk through the words and remember where each begins.",
    "Whole-word masking chooses every position of a word, or none.",
    "The positions of a word are range(begin, begin + len(word)).",
    otherwise="{given}: the word is at {right}; your function gives {found}.",
    then="BERT may hide one half of a word, and the other half gives it away; whole-word masking hides both.",
)
def q03_3(words: list[str], k: int) -> Answers:
    """positions(words, k): the character positions of word number k."""
    begin = sum(map(len, words[:k]))
    return list(range(begin, begin + len(words[k]))), {}


@cases(
    [(100, 0), (10, 90)],
    "fp32 spends four bytes on a parameter, fp16 two.",
    "AdamW keeps two moments per parameter in fp32, and there is a gradient too.",
    "Weights, gradient and two moments: four numbers of four bytes.",
    otherwise="{given}: they need {right} bytes; you give {found}.",
    then="A frozen parameter costs its weight only: that is what head-only training saves.",
)
def q03_4(trainable: int, frozen: int) -> Answers:
    """training_bytes(trainable, frozen): fp32 AdamW, without activations."""
    return 16 * trainable + 4 * frozen, {}
