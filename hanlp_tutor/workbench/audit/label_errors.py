"""Probable label errors: what a model of the other texts contradicts, by confident learning (Northcutt et al. 2021).

Each text is checked by a cheap model that has not seen it: a CRF on characters for entities, a logistic regression on
n-grams for classes (:mod:`hanlp_tutor.workbench.baselines`), in cross-validation over all sets together. From these
out-of-sample probabilities cleanlab decides what is noise of the labels and what is weakness of the model. Copies of a
text stay in one fold, or one would vouch for the error of the other.

Half of what is flagged may be right: hard or rare cases look like errors. ``python -m experiments.audit`` measures on
planted errors how many are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from hanlp_tutor.data.examples import TaggedText
from hanlp_tutor.data.schemes import Span, spans_from_bio
from hanlp_tutor.workbench.audit.report import Finding
from hanlp_tutor.workbench.audit.subsets import Subset

FOLDS = {"ner": 3, "classify": 5}  # a CRF takes its time
FEWEST = 50  # texts; with fewer the model knows nothing
# On planted errors better than cleanlab's default, prune_by_noise_rate: a third more of what it flags is one, for a
# tenth less of them found.
_FILTER = "confident_learning"
_SEED = 1
_REMEDY = "Read the text and decide: the model may be wrong."


def check_label_errors(subsets: Sequence[Subset]) -> list[Finding]:
    """One finding for each label, or stretch of tags, that is probably wrong; the surest first."""
    task = subsets[0].task
    if task == "relation":
        message = "label errors of relations are not looked for: the cheap models do not see head and tail."
        return [Finding("label-error", "note", message, "", subsets[0].name, subsets[0].path)]
    members = [(subset, index) for subset in subsets for index, example in enumerate(subset.examples) if example.text]
    labels = Counter(_stratum(subset.examples[index]) for subset, index in members)
    rare = {label for label, number in labels.items() if task == "classify" and number < FOLDS[task]}
    members = [(subset, index) for subset, index in members if _stratum(subset.examples[index]) not in rare]
    findings = []
    if rare:
        remedy = f"A label needs {FOLDS[task]} texts, one for each fold."
        message = f"not checked, too rare: {', '.join(sorted(rare))}."
        findings.append(Finding("label-error", "note", message, remedy, subsets[0].name, subsets[0].path))
    if len(members) < FEWEST or (task == "classify" and len(labels) - len(rare) < 2):
        message = f"label errors were not looked for: {len(members)} texts are too few, or all have one label."
        return [
            *findings,
            Finding("label-error", "note", message, f"{FEWEST} are needed.", subsets[0].name, subsets[0].path),
        ]
    look = _tag_errors if task == "ner" else _class_errors
    return [*findings, *look(members)]


def _class_errors(members: list[tuple[Subset, int]]) -> Iterator[Finding]:
    import numpy as np
    from cleanlab.filter import find_label_issues

    from hanlp_tutor.workbench.baselines import ngram_classifier

    examples = [subset.examples[index] for subset, index in members]
    names = sorted({example.label for example in examples})
    given = np.array([names.index(example.label) for example in examples])
    probabilities = np.zeros((len(examples), len(names)))
    for train, held_out in _folds(examples, FOLDS["classify"]):
        model = ngram_classifier().fit([examples[i].text for i in train], given[train])
        probabilities[np.ix_(held_out, model[-1].classes_)] = model.predict_proba([examples[i].text for i in held_out])
    ranked = {"filter_by": _FILTER, "return_indices_ranked_by": "self_confidence"}
    for number in find_label_issues(given, probabilities, n_jobs=1, **ranked):
        subset, index = members[number]
        own, best = probabilities[number, given[number]], int(probabilities[number].argmax())
        if best == given[number]:
            continue
        text = examples[number].text
        shown = text if len(text) <= 40 else text[:37] + "..."
        yield Finding(
            "label-error",
            "warning",
            f"{shown!r} is labelled {examples[number].label!r}; a model of the "
            f"other texts gives that {own:.2f}, and {names[best]!r} {probabilities[number, best]:.2f}.",
            _REMEDY,
            **subset.place(index),
            evidence={"given": examples[number].label, "expected": names[best], "probability": round(float(own), 4)},
        )


def _tag_errors(members: list[tuple[Subset, int]]) -> Iterator[Finding]:
    import numpy as np
    from cleanlab.token_classification.filter import find_label_issues

    from hanlp_tutor.workbench.baselines import FeatureCRF

    examples = [subset.examples[index] for subset, index in members]
    tags = sorted({tag for example in examples for tag in example.tags})
    number_of = {tag: number for number, tag in enumerate(tags)}
    if len(tags) == 1:
        return
    probabilities: list[Any] = [None] * len(examples)
    for train, held_out in _folds(examples, FOLDS["ner"]):
        model = FeatureCRF([examples[i] for i in train])
        for i in held_out:
            rows = model.marginals(examples[i].text)
            probabilities[i] = np.array([[row.get(tag, 0.0) for tag in tags] for row in rows], dtype=np.float32)
    given = [[number_of[tag] for tag in example.tags] for example in examples]
    flagged: dict[int, list[int]] = {}
    for number, position in find_label_issues(given, probabilities, filter_by=_FILTER, n_jobs=1):
        flagged.setdefault(int(number), []).append(int(position))
    for number, positions in flagged.items():
        subset, index = members[number]
        example = examples[number]
        expected = spans_from_bio([tags[best] for best in probabilities[number].argmax(1)])
        for start, end in _stretches([*example.spans, *expected], positions):
            own = [span for span in example.spans if start <= span.start < end]
            other = [span for span in expected if start <= span.start < end]
            if own == other:
                continue
            surest = min(float(probabilities[number][i, given[number][i]]) for i in range(start, end))
            yield Finding(
                "label-error",
                "warning",
                f"{_said(example, own)} in {_around(example.text, start, end)!r}; a model of the other texts expects "
                f"{_said(example, other)}, and finds the tags here only {surest:.2f} probable.",
                _REMEDY,
                **subset.place(index, start),
                evidence={
                    "start": start,
                    "end": end,
                    "given": _said(example, own),
                    "expected": _said(example, other),
                    "probability": round(surest, 4),
                },
            )


def _folds(examples: Sequence[Any], number: int) -> Iterator[tuple[Any, Any]]:
    """Indices to learn from and to check; each label in each fold, and the copies of a text in one."""
    from sklearn.model_selection import StratifiedGroupKFold

    strata = [_stratum(example) for example in examples]
    if min(Counter(strata).values()) < number:  # nearly all sentences have entities: nothing to balance
        strata = [""] * len(strata)
    folds = StratifiedGroupKFold(number, shuffle=True, random_state=_SEED)
    return folds.split(examples, strata, [example.text for example in examples])


def _stratum(example: Any) -> str:
    if isinstance(example, TaggedText):
        return "some" if example.spans else "none"
    return example.label


def _stretches(spans: Sequence[Span], positions: Sequence[int]) -> list[tuple[int, int]]:
    """The entities that hold a flagged position, joined where they overlap."""
    stretches: list[tuple[int, int]] = []
    for span in sorted(set(spans)):
        if stretches and span.start < stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(stretches[-1][1], span.end))
        else:
            stretches.append((span.start, span.end))
    return [(start, end) for start, end in stretches if any(start <= p < end for p in positions)]


def _said(example: TaggedText, spans: Sequence[Span]) -> str:
    return ", ".join(f"{span.label} {example.text[span.start : span.end]}" for span in spans) or "no entity"


def _around(text: str, start: int, end: int) -> str:
    first, last = max(0, start - 8), min(len(text), end + 8)
    return ("..." if first else "") + text[first:last] + ("..." if last < len(text) else "")
