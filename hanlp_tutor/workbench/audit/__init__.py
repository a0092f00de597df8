"""``audit``: what is wrong with labelled data, before an hour of training says F1 = 0."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hanlp_tutor.data.examples import LabelledText, TaggedText
from hanlp_tutor.data.relations import RelationText, check_negative, negative_class, plausible, type_pairs
from hanlp_tutor.errors import ConfigError
from hanlp_tutor.workbench.audit.characters import check_characters
from hanlp_tutor.workbench.audit.duplicates import check_duplicates, check_groups
from hanlp_tutor.workbench.audit.labels import check_balance, check_labels, check_transitions
from hanlp_tutor.workbench.audit.lengths import check_lengths
from hanlp_tutor.workbench.audit.reading import Reading, read_subset
from hanlp_tutor.workbench.audit.report import KINDS, Finding, Report, in_order
from hanlp_tutor.workbench.audit.subsets import Subset
from hanlp_tutor.workbench.audit.values import check_edges, check_values

__all__ = ["KINDS", "Finding", "Report", "audit"]

Source = str | Path | Sequence[TaggedText] | Sequence[LabelledText] | Sequence[RelationText]


def audit(
    train: Source,
    dev: Source | None = None,
    test: Source | None = None,
    *,
    task: str | None = None,
    label_errors: bool = False,
    format: str | None = None,
    scheme: str | None = None,
    strip_segmentation_digits: bool = False,
    encoding: str | None = None,
    overlaps: str | None = None,
    **options: Any,
) -> Report:
    """Look for everything that :data:`KINDS` names.

    Args:
        train, dev, test: files, or examples. A file that the strict reader refuses is read as far as it can be, and
            each line that it refuses becomes a finding.
        task: ``ner``, ``classify`` or ``relation``; None: what the examples are, or what the training file looks like.
        label_errors: also look for probable label errors by cross-validation, which takes minutes instead of seconds.
        format, scheme, strip_segmentation_digits, encoding, overlaps: of the files, as
            :func:`hanlp_tutor.data.read_examples` takes them; None detects. Overlapping entities are findings, unless
            ``overlaps`` is ``longest``.
        options: of the format's own reader, such as ``annotator``.

    Raises:
        DataError: a file of which nothing can be read.
        ConfigError: no such task, format, scheme, encoding or option; examples of another task.
    """
    if task not in (None, "ner", "classify", "relation"):
        raise ConfigError(f"an audit is for the task ner, classify or relation, not {task!r}.")
    reading = Reading(format, scheme, strip_segmentation_digits, encoding, overlaps, options)
    subsets: list[Subset] = []
    for name, source in (("train", train), ("dev", dev), ("test", test)):
        if source is not None:
            subsets.append(read_subset(name, source, task or (subsets[0].task if subsets else None), reading))
    task = subsets[0].task
    if task == "relation":  # as training takes them
        negative = negative_class(subsets[0].examples)
        check_negative(subsets[0].examples)
        pairs = type_pairs(subsets[0].examples, negative)
        for subset in subsets:
            subset.examples = plausible(subset.examples, pairs, negative)
    findings = [finding for subset in subsets for finding in subset.findings]
    if task == "ner":
        findings += check_transitions(subsets)
    findings += check_labels(subsets)
    findings += check_duplicates(subsets)
    findings += check_groups(subsets)
    findings += check_balance(subsets)
    findings += check_characters(subsets)
    findings += check_edges(subsets)
    findings += check_values(subsets)
    findings += check_lengths(subsets)
    if label_errors:
        from hanlp_tutor.workbench.audit.label_errors import check_label_errors

        findings += check_label_errors(subsets)
    return Report(task, {subset.name: subset.summary() for subset in subsets}, in_order(findings))
