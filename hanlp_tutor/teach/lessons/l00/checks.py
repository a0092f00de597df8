"""The checks of notebook 00: which half precision, points against per cent, half-open offsets."""

from __future__ import annotations

from hanlp_tutor.teach.declared import Answers, cases, value

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
    "fp16 is fast with tensor cores, which came with 7.0; bf16 came with 8.0.",
    'return "bf16" if capability >= (8, 0) else ... and go on with fp16 and float32 in the same way.',
    otherwise="{given}: its fastest training format is {right}, you return {found}.",
    then="The kit asks the same question before it trains, and refuses a format that would only be slower.",
)
def q00_1(capability: tuple[int, int]) -> Answers:
    """fastest_format(capability): "bf16", "fp16" or "float32" for a GPU's compute capability, bf16 preferred."""
    right = next(fastest for known, _, fastest in _GPUS if known == capability)
    wrong = {
        'expected is "bf16", "fp16" or "float32".': lambda given: given not in ("bf16", "fp16", "float32"),
        "bf16 is only emulated below (8, 0), and slow.": "bf16",
    }
    if right == "bf16":
        wrong["fp16 works there too, but bf16 does, and needs no loss scaling. Prefer it."] = "fp16"
    return right, wrong


q00_2 = value(
    "The F1 of random weights that the article implies, in per cent.",
    92.3 - 18.7,
    "A percentage point (百分点) is a difference of two percentages.",
    "So the random model's F1 plus 18.7 is the fine-tuned model's F1.",
    "92.3 - 18.7",
    wrong={
        "You divided: points are a difference.": 92.3 / 1.187,
        "You took 18.7 % off: points are not that.": 92.3 * (1 - 0.187),
        "The random model is the worse of the two.": 92.3 + 18.7,
        "That is right as a fraction; the article speaks in per cent.": (92.3 - 18.7) / 100,
    },
    otherwise="{found} is not it. Which two numbers of the article belong together here?",
    then="Keep this number in mind: notebook 03 trains such models, from random weights, beside pre-trained ones.",
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
    'return text[entity["start"]:entity["end"]]',
    otherwise="{given} is {right}, not {found}.",
    then="Also behind an emoji: offsets count characters as Python does, not bytes and not tokens.",
)
def q00_3(text: str, entity: dict) -> Answers:
    """cut(text, entity): the entity, cut out of the text."""
    start, end = entity["start"], entity["end"]
    return text[start:end], {"one character too long: the end is not part of the entity.": text[start : end + 1]}
