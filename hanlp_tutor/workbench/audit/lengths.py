"""Texts longer than one window of the encoder, and what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence

from hanlp_tutor.workbench.audit.report import Finding
from hanlp_tutor.workbench.audit.subsets import Subset

WINDOW = 510  # tokens beside [CLS] and [SEP] in 512 positions; a Chinese character is one token

_FATE = {
    "ner": "nothing is cut: each character is read from the window in whose middle it lies.",
    "classify": "nothing is cut: the windows are read each by itself, and of each feature the greatest counts.",
}
_FATE["relation"] = _FATE["ner"]
_REMEDY = {
    "ner": "Split it behind 。 where you can: short sentences train faster, and other programs cut silently.",
    "classify": "Keep the part that decides, where you can: other programs cut silently.",
    "relation": "Keep the sentence that holds head and tail: other programs cut silently.",
}


def check_lengths(subsets: Sequence[Subset]) -> list[Finding]:
    """One finding for each text over 510 characters."""
    findings = []
    for subset in subsets:
        for index, example in enumerate(subset.examples):
            length = len(example.text)
            if length <= WINDOW:
                continue
            number = 1 + -(-(length - WINDOW) // (WINDOW // 2))  # hanlp_tutor.core.batching.windows, without its torch
            findings.append(
                Finding(
                    "long-text",
                    "note",
                    f"{length:,} characters, more than the {WINDOW} of one window. It becomes {number} that overlap by "
                    f"half; {_FATE[subset.task]}",
                    _REMEDY[subset.task],
                    **subset.place(index),
                    evidence={"characters": length, "windows": number},
                )
            )
    return findings
