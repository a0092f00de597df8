"""What a diagnosis found: as text, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

# In the order of a report: what is certain comes before what is concluded from curves.
KINDS = {
    "diverged": "the loss or the gradient is no number any more (发散)",
    "out-of-memory": "the device's memory did not hold a micro-batch (显存不足)",
    "unfinished": "the run stops before its last update, without a word",
    "nothing-to-learn": "the training set shows nothing but O, or one class",
    "unseen-label": "dev or test has a label that training never showed (标签拼写不一致)",
    "misaligned": "the tags have slipped against the characters (错位)",
    "broken-tags": "many tags I-X continue no entity",
    "leak": "texts of dev or test stand in the training set (数据泄漏)",
    "unknown-characters": "the tokenizer does not know much of the text ([UNK])",
    "frozen-encoder": "the encoder does not learn, although the options freeze nothing (冻结)",
    "clipped-before-unscaling": "gradients were clipped before the loss scale was divided out",
    "one-answer": "the model predicts the same for everything, all O or one class (只预测一类)",
    "rate-too-high": "the learning rate destroys what the encoder knew",
    "rate-too-low": "the learning rate is too low to get anywhere (学习率过低)",
    "long-warm-up": "the warm-up eats the run (预热过长)",
    "random-weights": "an encoder that has read nothing learns slowly",
    "too-short": "the loss is still falling where the run ends",
    "noisy-labels": "the labels contradict each other, and the loss stays high (标注质量)",
    "over-fitting": "training goes on getting better, dev does not (过拟合)",
}


@dataclass(frozen=True)
class Finding:
    """One fault.

    Args:
        kind: one of :data:`KINDS`.
        message: what is wrong, with the numbers that show it.
        remedy: what to do.
        evidence: these numbers, for programs.
    """

    kind: str
    message: str
    remedy: str
    evidence: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}\n  -> {self.remedy}"


@dataclass(frozen=True)
class Diagnosis:
    """The findings of one run, the surest first; none of a run that has nothing wrong with it."""

    folder: Path
    findings: Sequence[Finding]

    @property
    def kinds(self) -> list[str]:
        """What was found, by kind."""
        return [finding.kind for finding in self.findings]

    def to_json(self) -> dict[str, Any]:
        """Everything, for programs."""
        findings = [asdict(finding) for finding in self.findings]
        return {"run": str(self.folder), "kinds": self.kinds, "findings": findings}

    def __str__(self) -> str:
        return "\n".join(map(str, self.findings)) or "Nothing is wrong with this run, as far as its folder tells."

    __repr__ = __str__


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """By the order of :data:`KINDS`."""
    order = list(KINDS)
    return sorted(findings, key=lambda finding: order.index(finding.kind))
