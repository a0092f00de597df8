"""Texts longer than one window of the encoder, and what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence

from hanlp_tutor.data.windows import windows
from hanlp_tutor.workbench.audit.report import Finding
from hanlp_tutor.workbench.audit.subsets import Subset

WINDOW = 510  # tokens beside [CLS] and [SEP] in 512 positions; a Chinese character is one token

_OVERLAP = "It becomes {} that overlap by half; nothing is cut: "
_FATE = {
    "ner": f"{_OVERLAP}each character is read from the window in whose middle it lies.",
    "classify": f"{_OVERLAP}the windows are read each by itself, and of each feature the greatest counts.",
    "relation": "It is laid around head and tail; what lies outside is not read.",
}
_REMEDY = {
    "ner": "Split it behind 。 where you can: short sentences train faster, and other programs cut silently.",
    "classify": "Keep the part that decides, where you can: other programs cut silently.",
    "relation": "Keep the sentence that holds head and tail, where you can.",
}


def check_lengths(subsets: Sequence[Subset]) -> list[Finding]:
    """One finding for each text over 510 characters."""
    findings = []
    for subset in subsets:
        for index, example in enumerate(subset.examples):
            length = len(example.text)
            if length <= WINDOW:
                continue
            number = 1 if subset.task == "relation" else len(windows(length, WINDOW))
            findings.append(
                Finding(
                    "long-text",
                    "note",
                    f"{length:,} characters, more than the {WINDOW} of one window. {_FATE[subset.task].format(number)}",
                    _REMEDY[subset.task],
                    **subset.place(index),
                    evidence={"characters": length, "windows": number},
                )
            )
    return findings
