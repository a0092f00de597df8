"""The checks of notebook 00: which half precision, points against per cent, half-open offsets."""

from __future__ import annotations

from typing import Any

from hanlp_tutor.teach.check import call, exercise, require, show

_GPUS = (  # compute capability, name, what is fast there (hanlp_tutor.core.precision.is_fast)
    ((7, 5), "T4", "fp16"),
    ((8, 0), "A100", "bf16"),
    ((9, 0), "H100", "bf16"),
    ((7, 0), "V100", "fp16"),
    ((6, 1), "P40", "float32"),
)
_ARTICLE_F1, _ARTICLE_POINTS = 92.3, 18.7


@exercise(
    "Two limits are enough: one for bf16, a lower one for fp16. Python compares tuples: (7, 5) >= (7, 0).",
    "fp16 is fast with tensor cores, which came with 7.0; bf16 came with 8.0.",
    'return "bf16" if capability >= (8, 0) else ... and go on with fp16 and float32 in the same way.',
)
def q00_1(answer: Any) -> str:
    """A function from a GPU's compute capability to "bf16", "fp16" or "float32", bf16 preferred."""
    for capability, name, right in _GPUS:
        given = call(answer, capability)
        require(
            given in ("bf16", "fp16", "float32"),
            f'Your function returns {show(given)}; expected is "bf16", "fp16" or "float32".',
        )
        require(
            (given, right) != ("bf16", "fp16"),
            f"A {name} has {capability}: bf16 is only emulated below (8, 0), and slow.",
        )
        require(
            (given, right) != ("fp16", "bf16"),
            f"A {name} has {capability}: fp16 works there too, but bf16 does, and needs no loss scaling. Prefer it.",
        )
        require(
            given == right, f"A {name} has {capability}; its fastest training format is {right}, you return {given}."
        )
    return "The kit asks the same question before it trains, and refuses a format that would only be slower."


@exercise(
    "A percentage point (百分点) is a difference of two percentages.",
    "So the random model's F1 plus 18.7 is the fine-tuned model's F1.",
    "92.3 - 18.7",
)
def q00_2(answer: Any) -> str:
    """The F1 of random weights that the article implies, in per cent."""
    value = float(answer)
    require(abs(value - _ARTICLE_F1 / (1 + _ARTICLE_POINTS / 100)) > 0.1, "You divided: points are a difference.")
    require(abs(value - _ARTICLE_F1 * (1 - _ARTICLE_POINTS / 100)) > 0.1, "You took 18.7 % off: points are not that.")
    require(abs(value - _ARTICLE_F1 - _ARTICLE_POINTS) > 0.1, "The random model is the worse of the two.")
    right = _ARTICLE_F1 - _ARTICLE_POINTS
    require(abs(value - right / 100) > 0.001, "That is right as a fraction; the article speaks in per cent.")
    require(abs(value - right) < 0.051, f"{value:g} is not it. Which two numbers of the article belong together here?")
    return "Keep this number in mind: notebook 05 trains exactly such a model, from random weights."


@exercise(
    "text[a:b] begins with character a and ends before character b.",
    "The offsets are half-open (左闭右开), like Python's own slices: nothing needs to be added.",
    'return text[entity["start"]:entity["end"]]',
)
def q00_3(answer: Any) -> str:
    """A function (text, entity) that cuts the entity out of the text."""
    cases = (("李明在上海工作。", 3, 5), ("😀张三到北京", 1, 3), ("上海", 0, 2), ("去iPhone店", 1, 7))
    for text, start, end in cases:
        given = call(answer, text, {"start": start, "end": end, "label": "LOC", "score": 0.9})
        require(
            given != text[start : end + 1] or end == len(text),
            f"{show(given)} is one character too long: the end is not part of the entity.",
        )
        require(
            given == text[start:end],
            f"In {show(text)}, {start} to {end} is {show(text[start:end])}, not {show(given)}.",
        )
    return "Also behind an emoji: offsets count characters as Python does, not bytes and not tokens."
