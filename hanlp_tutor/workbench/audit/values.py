"""Entities with blank edges, empty texts, and what a program writes where there was nothing."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence

from hanlp_tutor.data.edges import UNSEEN
from hanlp_tutor.data.examples import TaggedText
from hanlp_tutor.workbench.audit.labels import first_place
from hanlp_tutor.workbench.audit.report import Finding, times
from hanlp_tutor.workbench.audit.subsets import Subset

# What pandas, Excel, SQL and JSON write for an empty cell. NA is a usual name for "no relation", so it is none of them.
_NOTHING = {"nan", "none", "null", "n/a", "#n/a", "<na>", "nat", "undefined"}


def unseen(character: str) -> bool:
    """Whether a character is a blank or invisible."""
    return unicodedata.category(character) in UNSEEN


def check_edges(subsets: Sequence[Subset]) -> list[Finding]:
    """One finding for each entity that begins or ends with what no one sees."""
    findings = []
    for subset in subsets:
        for index, example in enumerate(subset.examples):
            for span in example.spans if isinstance(example, TaggedText) else ():
                covered = example.text[span.start : span.end]
                edges = [character for character in (covered[0], covered[-1]) if unseen(character)]
                if not edges:
                    continue
                names = ", ".join(dict.fromkeys(f"U+{ord(edge):04X}" for edge in edges))
                blank = all(map(unseen, covered))
                what = "holds nothing but" if blank else "begins with" if unseen(covered[0]) else "ends with"
                findings.append(
                    Finding(
                        "blank-edge",
                        "error" if blank else "warning",
                        f"the entity {span.label} {covered[:30]!r} {what} a blank or an invisible character ({names}).",
                        "Leave it out of the entity: the model learns edges as they are annotated.",
                        **subset.place(index, span.start),
                        evidence={"label": span.label, "text": covered, "characters": names},
                    )
                )
    return findings


def check_values(subsets: Sequence[Subset]) -> list[Finding]:
    """Empty texts, and ``nan`` and its like as a text or a label; one finding for each kind and set."""
    findings = []
    for subset in subsets:
        empty = [i for i, example in enumerate(subset.examples) if all(map(unseen, example.text))]
        if empty:
            findings.append(
                Finding(
                    "missing-value",
                    "error" if subset.task == "ner" else "warning",
                    f"a text without any visible character, {times(len(empty))}.",
                    "Remove it, or export its text again: there is nothing to read in it.",
                    **subset.place(empty[0]),
                    evidence={"empty": len(empty)},
                )
            )
        words = Counter(text for example in subset.examples if _is_nothing(text := example.text.strip()))
        for text, number in words.items():
            index = next(i for i, example in enumerate(subset.examples) if example.text.strip() == text)
            findings.append(_nothing("text", text, number, subset.place(index)))
        for label, number in subset.labels().items():
            if _is_nothing(label.strip()):
                findings.append(_nothing("label", label, number, first_place(subset, label)))
    return findings


def _is_nothing(text: str) -> bool:
    return unicodedata.normalize("NFKC", text).casefold() in _NOTHING


def _nothing(what: str, text: str, number: int, place: dict) -> Finding:
    return Finding(
        "missing-value",
        "warning",
        f"the {what} {text!r} ({times(number)}) is what a program writes for an empty cell.",
        f"Fill in the {what}, or remove the line; if {text!r} is meant, leave it.",
        **place,
        evidence={what: text, "count": number},
    )
