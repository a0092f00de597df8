"""The checks of notebook 00: a guess about new sentences, half-open offsets, points and per cent, half precision."""

from __future__ import annotations

from hanlp_tutor.teach.declared import Answers, cases, predicted, value

q00_1 = predicted(
    "The share of the names in new sentences that the model of a dozen sentences finds, in per cent.",
    "It finds nearly all names of the sentences that it was trained on. How do new sentences differ from those?",
    "A dozen sentences show a few dozen names. How many names of a newspaper have you seen after a dozen sentences?",
    "The encoder has read before, so it is not helpless; but nobody has told the head more than a dozen sentences.",
    because="A dozen sentences show the head too little. The encoder knows the characters, not yet what you look for.",
    surprise=lambda seen: (
        "The encoder has read much text, but not which parts of it are names: that is learned from a dozen sentences."
        if seen < 50
        else "More than half. So the encoder brings most of the knowledge, and the head needs few sentences."
    ),
)


@cases(
    [
        (text, {"start": start, "end": end, "label": "LOC", "score": 0.9})
        for text, start, end in (
            ("李明在上海工作。", 3, 5),
            ("😀张三到北京", 1, 3),
            ("上海", 0, 2),
            ("去iPhone店", 1, 7),
        )
    ],
    "text[a:b] begins with character a and ends before character b.",
    "The offsets are half-open (左闭右开), like Python's own slices: nothing needs to be added.",
    'An entity is a dictionary: entity["start"] and entity["end"] are the two borders of the slice.',
    otherwise="{given} is {right}, not {found}.",
    then="Also behind an emoji: offsets count characters as Python does, not bytes and not tokens.",
)
def q00_2(text: str, entity: dict) -> Answers:
    """cut(text, entity): the entity, cut out of the text."""
    start, end = entity["start"], entity["end"]
    return text[start:end], {"one character too long: the end is not part of the entity.": text[start : end + 1]}


q00_3 = value(
    "The F1 of random weights that the article implies, in per cent.",
    92.3 - 18.7,
    "A percentage point (百分点) is a difference of two percentages.",
    "提升 is said of the fine-tuned model. Which of the two has the higher F1?",
    "The random model's F1 plus 18.7 is the fine-tuned model's F1.",
    wrong={
        "You divided: points are a difference.": 92.3 / 1.187,
        "You took 18.7 % off: points are not that.": 92.3 * (1 - 0.187),
        "The random model is the worse of the two.": 92.3 + 18.7,
        "That is right as a fraction; the article speaks in per cent.": (92.3 - 18.7) / 100,
    },
    otherwise="{found} is not it. Which two numbers of the article belong together here?",
    then="Keep this number in mind: notebook 03 trains such models, from random weights, beside pre-trained ones.",
)

_GPUS = (  # compute capability, name, what is fast there (hanlp_tutor.device.is_fast)
    ((7, 5), "T4", "fp16"),
    ((8, 0), "A100", "bf16"),
    ((9, 0), "H100", "bf16"),
    ((7, 0), "V100", "fp16"),
    ((6, 1), "P40", "float32"),
)


@cases(
    {name: (capability,) for capability, name, _ in _GPUS},
    "Two limits are enough: one for bf16, a lower one for fp16. Python compares tuples: (7, 5) >= (7, 0).",
    "Ask for bf16 first, since it is preferred. What is left, ask for fp16.",
    "fp16 is fast with tensor cores, which came with 7.0; bf16 came with 8.0. What has neither keeps float32.",
    otherwise="{given}: its fastest training format is {right}, you return {found}.",
    then="The kit asks the same question before it trains, and refuses a format that would only be slower.",
)
def q00_4(capability: tuple[int, int]) -> Answers:
    """fastest_format(capability): "bf16", "fp16" or "float32" for a GPU's compute capability, bf16 preferred."""
    right = next(fastest for known, _, fastest in _GPUS if known == capability)
    wrong = {
        'expected is "bf16", "fp16" or "float32".': lambda given: given not in ("bf16", "fp16", "float32"),
        "bf16 is only emulated below (8, 0), and slow.": "bf16",
    }
    if right == "bf16":
        wrong["fp16 works there too, but bf16 does, and needs no loss scaling. Prefer it."] = "fp16"
    return right, wrong
