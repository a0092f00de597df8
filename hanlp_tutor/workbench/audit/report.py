"""What an audit found: as text, as JSON, as a table in a notebook."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

SEVERITIES = ("error", "warning", "note")
KINDS = {
    "encoding": "a file that is not UTF-8, or a line that is not what the rest of its file is",
    "broken-line": "a line that the strict reader refuses; the audit goes on without it",
    "segmentation-digit": "tokens end in a digit that is no text; the audit goes on without it",
    "reader-note": "what the reader of this format left out or assumed",
    "no-blank-lines": "a column file whose sentences are not separated",
    "overlap": "entities that nest or overlap, which tags cannot; the audit goes on with the longest",
    "scheme": "two tagging schemes in one file",
    "invalid-transition": "a tag that cannot stand behind the one before it, such as I-X after O",
    "unknown-label": "a label of dev or test that train lacks",
    "similar-labels": "a rare label that looks like a misspelt frequent one, such as PRE beside PER",
    "conflict": "the same text with different tags or labels",
    "leak": "a text of the dev or test set that stands in another set too",
    "near-leak": "a text of the dev or test set that nearly stands in another set (Jaccard of 5-grams at least 0.8)",
    "group-leak": "texts of one group (``group_column``: a patient, a document) in two sets",
    "duplicate": "a text that stands twice in one set",
    "near-duplicate": "texts of one set that are nearly the same",
    "label-error": "a label that a model of the other texts contradicts; only on request",
    "blank-edge": "entities that begin or end with a blank or an invisible character",
    "missing-value": "texts that are empty, and texts or labels that are what a program writes for nothing (nan)",
    "class-balance": "labels too rare to learn, one that rules, labels that cannot be scored",
    "odd-character": "characters that are invisible, private, unassigned, broken, look-alikes, or of two widths",
    "long-text": "a text longer than one window of the encoder, and what becomes of it",
}
_SUBSETS = ("train", "dev", "test")
_SHOWN = 10  # findings of one kind in the text


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """By kind, severity, set and place."""
    kinds = list(KINDS)

    def place(finding: Finding) -> tuple[float, ...]:
        subset = _SUBSETS.index(finding.subset)
        severity = SEVERITIES.index(finding.severity)
        surest = finding.evidence.get("probability", 0.0)  # of label errors the least probable label comes first
        return kinds.index(finding.kind), severity, surest, subset, finding.line or 0, finding.index or 0

    return sorted(findings, key=place)


def times(number: int, first: str = ", first here") -> str:
    """``once`` or ``12 times, first here``."""
    return "once" if number == 1 else f"{number:,} times{first}"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong or worth a look.

    Args:
        kind: one of :data:`KINDS`.
        severity: ``error`` makes training fail or its scores wrong, ``warning`` wants a look, ``note`` is information.
        message: what is there.
        remedy: what to do.
        subset: ``train``, ``dev`` or ``test``.
        path: the file; empty for examples that come from none.
        line: the line in it, from 1, where one can be named.
        index: the example in its set, from 0, where the finding is about one.
        evidence: numbers and texts that the message is made from.
    """

    kind: str
    severity: str
    message: str
    remedy: str
    subset: str = ""
    path: str = ""
    line: int | None = None
    index: int | None = None
    evidence: dict[str, Any] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """``file:line``, or the set and the number of the example."""
        if self.path:
            return self.path if self.line is None else f"{self.path}:{self.line}"
        return self.subset if self.index is None else f"{self.subset}[{self.index}]"

    def __str__(self) -> str:
        return f"{self.where}: {self.message} {self.remedy}".rstrip()


@dataclass(frozen=True)
class Report:
    """The findings of an audit and what each set holds.

    A notebook shows it as a table; ``print`` shows the text.

    Args:
        task: ``ner`` or ``classify``.
        subsets: for each set its ``path``, ``format`` (what the file was read as), ``examples``, ``characters`` and
            ``labels`` (entities or examples by label).
        findings: by kind, in the order of the files.
    """

    task: str
    subsets: dict[str, dict[str, Any]]
    findings: Sequence[Finding]

    @property
    def counts(self) -> dict[str, int]:
        """Findings by severity."""
        counts = Counter(finding.severity for finding in self.findings)
        return {severity: counts[severity] for severity in SEVERITIES}

    def of(self, *kinds: str) -> list[Finding]:
        """The findings of these kinds."""
        return [finding for finding in self.findings if finding.kind in kinds]

    def kinds(self) -> dict[str, int]:
        """Findings by kind, in the order of the report."""
        return dict(Counter(finding.kind for finding in self.findings))

    def to_json(self) -> dict[str, Any]:
        """Everything, for programs; they rely on the keys ``sides`` and ``side``, which keep their first names."""
        findings = [asdict(finding) for finding in self.findings]
        return {
            "task": self.task,
            "sides": self.subsets,
            "counts": self.counts,
            "kinds": self.kinds(),
            "findings": [{"side" if key == "subset" else key: each[key] for key in each} for each in findings],
        }

    def to_text(self, shown: int = _SHOWN) -> str:
        """For people: the sets, then each kind with its first findings."""
        lines = [self._head(name) for name in self.subsets]
        for kind, severity in dict.fromkeys((finding.kind, finding.severity) for finding in self.findings):
            found = [finding for finding in self.of(kind) if finding.severity == severity]
            lines += ["", f"{severity.upper()} {kind} ({len(found):,}): {KINDS[kind]}"]
            common = found[0].remedy if len({finding.remedy for finding in found}) == 1 else ""
            for finding in found[:shown]:
                remedy = "" if common else f" {finding.remedy}"
                lines.append(f"  {finding.where}: {finding.message}{remedy}".rstrip())
            if len(found) > shown:
                lines.append(f"  ... and {len(found) - shown:,} more; the JSON report lists all.")
            if common:
                lines.append(f"  -> {common}")
        counts = [f"{number:,} {severity}{'' if number == 1 else 's'}" for severity, number in self.counts.items()]
        return "\n".join([*lines, "", ", ".join(counts)])

    def table(self) -> pd.DataFrame:
        """One row a finding."""
        import pandas as pd

        columns = ["severity", "kind", "where", "message", "remedy"]
        return pd.DataFrame([[getattr(each, name) for name in columns] for each in self.findings], columns=columns)

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        import pandas as pd

        frame = self.table().groupby("kind", sort=False).head(_SHOWN)
        with pd.option_context("display.max_colwidth", None):
            html = frame.to_html(index=False, border=0, justify="left")
        hidden = len(self.findings) - len(frame)
        more = f"<p>... and {hidden:,} more findings of these kinds.</p>" if hidden else ""
        # Jupyter puts text to the right
        return html.replace("<td>", '<td style="text-align: left">') + more

    def _head(self, name: str) -> str:
        subset = self.subsets[name]
        labels = ", ".join(f"{label} {number:,}" for label, number in subset["labels"].items())
        place = f" ({subset['path']}, read as {subset['format']})" if subset["path"] else ""
        size = f"{subset['examples']:,} examples, {subset['characters']:,} characters"
        return f"{name}{place}: {size}; {labels or 'no label'}"
