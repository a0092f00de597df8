"""The training, dev and test set as an audit sees them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hanlp_tutor.data.columns import Row
from hanlp_tutor.data.examples import LabelledText, TaggedText
from hanlp_tutor.data.relations import RelationText
from hanlp_tutor.workbench.audit.report import Finding


@dataclass
class Subset:
    """One of the three sets.

    Args:
        name: ``train``, ``dev`` or ``test``.
        task: ``ner``, ``classify`` or ``relation``.
        examples: what could be read.
        path: the file, empty when there is none.
        rows: for a column file the lines of each example, with their tags as written.
        scheme: of those tags.
        findings: from reading.
        form: the format that the file was read as; empty for examples.
    """

    name: str
    task: str
    examples: Sequence[TaggedText] | Sequence[LabelledText] | Sequence[RelationText]
    path: str = ""
    rows: list[list[Row]] | None = None
    scheme: str = "BIO"
    findings: list[Finding] = field(default_factory=list)
    form: str = ""

    def place(self, index: int, position: int = 0) -> dict[str, Any]:
        """Where an example, or a character of it, stands: the arguments of a :class:`Finding`."""
        path, _, number = self.examples[index].source.rpartition(":")
        line = int(number) if path and number.isdigit() else None
        if self.rows is not None:
            end = 0
            for row in self.rows[index]:
                end += len(row.token)
                if position < end:
                    line = row.number
                    break
        return {"subset": self.name, "path": path or self.path, "line": line, "index": index}

    def labels(self) -> Counter[str]:
        """How many entities, or examples, have each label; the most frequent first."""
        if self.task == "ner":
            counts = Counter(span.label for example in self.examples for span in example.spans)
        else:
            counts = Counter(map(label_of, self.examples))
        return Counter(dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))))

    def summary(self) -> dict[str, Any]:
        """For the head of a report."""
        characters = sum(len(example.text) for example in self.examples)
        return {
            "path": self.path,
            "format": self.form,
            "examples": len(self.examples),
            "characters": characters,
            "labels": dict(self.labels()),
        }


def label_of(example: LabelledText | RelationText) -> str:
    """The class of a text, or the relation in it."""
    return example.relation if isinstance(example, RelationText) else example.label
