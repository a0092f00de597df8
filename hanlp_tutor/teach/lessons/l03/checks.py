"""The checks of notebook 03: the parameters of a layer, the masking budget, whole words, memory."""

from __future__ import annotations

from typing import Any

from hanlp_tutor.teach.check import call, exercise, require, show


@exercise(
    "Attention has four square matrices: query, key, value and output, each with a bias.",
    "Feed-forward goes from hidden to inner size and back, with a bias each.",
    "Two LayerNorms of 2 * hidden: 4*(h*h + h) + (h*f + f) + (f*h + h) + 4*h.",
)
def q03_1(answer: Any) -> str:
    """layer(h, f): the parameters of one layer of hidden size h and inner size f."""
    for h, f in ((768, 3072), (8, 16)):
        right, value = 4 * (h * h + h) + 2 * h * f + f + h + 4 * h, call(answer, h, f)
        require(value != right - 4 * h, "Nearly: the two LayerNorms have a weight and a bias each.")
        require(value == right, f"h={h}, f={f} make {right:,} parameters; your function gives {show(value)}.")
    return "Feed-forward holds two thirds of a layer when f = 4h."


@exercise(
    "All three recipes choose the same share of the ordinary characters.",
    "Round to a whole number of characters.",
    "max(1, round(0.15 * n)): a short sentence has one chosen character too.",
)
def q03_2(answer: Any) -> str:
    """budget(n): how many of n characters are chosen."""
    for n in (100, 47, 2):
        right, value = max(1, round(0.15 * n)), call(answer, n)
        require(value == right, f"Of {n} characters {right} are chosen; your function gives {show(value)}.")
    return "The recipes differ in which characters they choose, not in how many."


@exercise(
    "Walk through the words and remember where each begins.",
    "Whole-word masking chooses every position of a word, or none.",
    "The positions of a word are range(begin, begin + len(word)).",
)
def q03_3(answer: Any) -> str:
    """positions(words, k): the character positions of word number k."""
    for words, k in ((["江泽民", "在", "北京"], 2), (["江泽民", "在", "北京"], 0), (["好"], 0)):
        begin = sum(map(len, words[:k]))
        right, value = list(range(begin, begin + len(words[k]))), list(call(answer, words, k))
        require(value == right, f"Word {k} of {words} is at {right}; your function gives {show(value)}.")
    return "BERT may hide one half of a word, and the other half gives it away; whole-word masking hides both."


@exercise(
    "fp32 spends four bytes on a parameter, fp16 two.",
    "AdamW keeps two moments per parameter in fp32, and there is a gradient too.",
    "Weights, gradient and two moments: four numbers of four bytes.",
)
def q03_4(answer: Any) -> str:
    """training_bytes(trainable, frozen): fp32 AdamW, without activations."""
    for trainable, frozen in ((100, 0), (10, 90)):
        right, value = 16 * trainable + 4 * frozen, call(answer, trainable, frozen)
        require(value == right, f"{trainable} trained and {frozen} frozen need {right} bytes; you give {show(value)}.")
    return "A frozen parameter costs its weight only: that is what head-only training saves."
