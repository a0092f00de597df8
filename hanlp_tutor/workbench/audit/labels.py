"""Tags that cannot follow one another, labels that train lacks or that look misspelt, and how often each occurs."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal

from hanlp_tutor.data.schemes import from_bio, to_bio
from hanlp_tutor.errors import nearest
from hanlp_tutor.workbench.audit.report import Finding, times
from hanlp_tutor.workbench.audit.subsets import Subset, label_of

FEW = 10  # examples (entities) of a label, below which nothing reliable is learnt or measured
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{0,18})?")
_LISTED, _LONGEST = 50, 40  # labels that one message lists, and characters of one
_RARE = 0.1  # of the frequency of the label that it may be a misspelling of
_RULES = 0.8  # of the examples in one class: accuracy says little from here on
_EMPTY = 0.9  # of the sentences without any entity


def check_transitions(subsets: Sequence[Subset]) -> list[Finding]:
    """Tags that differ from what a writer of their scheme would have written for the entities that are read."""
    findings = []
    for subset in subsets:
        sentences = [
            [(row.tag, len(row.token)) for row in subset.rows[i]] if subset.rows else [(tag, 1) for tag in example.tags]
            for i, example in enumerate(subset.examples)
        ]
        for index, sentence in enumerate(sentences):
            tags = [tag for tag, _ in sentence]
            starts = [0]
            for _, length in sentence:
                starts.append(starts[-1] + length)
            for position, read in _mended(tags, subset.scheme):
                tag = tags[position]
                before = tags[position - 1] if position else "the beginning"
                after = tags[position + 1] if position + 1 < len(tags) else "the end"
                findings.append(
                    Finding(
                        "invalid-transition",
                        "error",
                        f"{tag} cannot stand between {before} and {after} in {subset.scheme}: read as {read}.",
                        "Write what it is read as, if that is what is meant, or mend its neighbours.",
                        **subset.place(index, starts[position]),
                        evidence={"tag": tag, "before": before, "after": after, "read": read},
                    )
                )
    return findings


def _mended(tags: list[str], scheme: str) -> Iterator[tuple[int, str]]:
    """Where reading and writing again changes a tag, and what it becomes; an entity changed throughout counts once."""
    canonical = from_bio(to_bio(tags, scheme), scheme)
    changed = False
    for position, (tag, right) in enumerate(zip(tags, canonical, strict=True)):
        if tag != right and (not changed or right[0] in "BS"):
            yield position, right
        changed = tag != right


def check_labels(subsets: Sequence[Subset]) -> list[Finding]:
    """Labels that train lacks, and labels that look like a misspelling of another."""
    train, *others = subsets
    known = train.labels()
    findings = []
    for subset in others:
        for label, number in subset.labels().items():
            if label not in known:
                alike = (other for other in known if _plain(other) == _plain(label))
                guess = next(alike, None) or nearest(label, known)
                hint = f" Did you mean {guess}?" if guess else ""
                findings.append(
                    Finding(
                        "unknown-label",
                        "error",
                        f"the label {label!r} ({times(number)}) does not occur in train.{hint}",
                        "It can never be predicted, and lowers the score: mend it, or move examples to train.",
                        **first_place(subset, label),
                        evidence={"label": label, "count": number, "nearest": guess},
                    )
                )
    total = sum((subset.labels() for subset in subsets), Counter())
    for label, likely in similar_labels(total):
        subset = next(subset for subset in subsets if label in subset.labels())
        same = _plain(label) == _plain(likely)
        only = ": they differ only in case, width, blanks, separators or how a number is written" if same else ""
        findings.append(
            Finding(
                "similar-labels",
                "warning",
                f"the label {label!r} ({times(total[label])}) looks like {likely!r} ({times(total[likely], '')})"
                f"{only}.",
                "If it is a misspelling, mend it; otherwise leave it.",
                **first_place(subset, label),
                evidence={"label": label, "likely": likely, "counts": [total[label], total[likely]]},
            )
        )
    return findings


def first_place(subset: Subset, label: str) -> dict:
    """Where a label first stands in a set."""
    for index, example in enumerate(subset.examples):
        if subset.task != "ner" and label_of(example) == label:
            return subset.place(index)
        for span in example.spans if subset.task == "ner" else ():
            if span.label == label:
                return subset.place(index, span.start)
    raise KeyError(label)


def similar_labels(counts: Counter[str]) -> list[tuple[str, str]]:
    """Pairs of a label and a more frequent one that it is probably a misspelling of.

    Misspelt is what differs in case, width, blanks, separators or as a number (1, 1.0) only, or is rare beside the
    other and differs by one slip of the keyboard. A label whose parts all occur in other labels is no slip: ``GPE.NOM``
    beside ``GPE.NAM`` and ``PER.NOM``.
    """
    parts = Counter(part for label in counts for part in set(_parts(label)))
    pairs = []
    for label in sorted(counts):
        rarer = [other for other in counts if (counts[other], other) > (counts[label], label)]
        alike = [other for other in rarer if _plain(other) == _plain(label)]
        composed = len(_parts(label)) > 1 and all(parts[part] > 1 for part in _parts(label))
        if not alike and not composed:
            alike = [o for o in rarer if counts[label] <= max(_RARE * counts[o], 1) and one_slip(label, o)]
        if alike:
            pairs.append((label, max(alike, key=lambda other: (counts[other], other))))
    return pairs


def one_slip(one: str, other: str) -> bool:
    """Two neighbours swapped, one character too many, one Latin letter for another in three or more, or cut short.

    A Chinese character for another makes another word (体育, 教育), and a digit for another another number.
    """
    short, long = sorted((one.casefold(), other.casefold()), key=len)
    if len(short) == len(long):
        places = [i for i, (a, b) in enumerate(zip(short, long, strict=True)) if a != b]
        if len(places) == 2 and places[1] == places[0] + 1:
            return short[places[0]] == long[places[1]] and short[places[1]] == long[places[0]]
        latin = all((c[places[0]].isascii() and c[places[0]].isalpha()) for c in (short, long)) if places else False
        return len(places) == 1 and latin and len(short) >= 3
    if len(long) == len(short) + 1:
        dropped = [long[:i] + long[i + 1 :] for i in range(len(long)) if not long[i].isdigit()]
        return len(short) >= 2 and short in dropped
    return short.isascii() and len(short) >= 3 and long.startswith(short)


def _plain(label: str) -> str:
    """A label without what may differ by mistake: width, case, invisible characters, separators, 1.0 for 1."""
    visible = (each for each in unicodedata.normalize("NFKC", label) if unicodedata.category(each) not in ("Cf", "Cc"))
    text = "".join(visible).strip().casefold()
    if _NUMBER.fullmatch(text):
        return f"number {Decimal(text).normalize():f}"
    return re.sub(r"[\s._/-]", "", text)


def _parts(label: str) -> list[str]:
    return re.split(r"[\s._/-]+", label)


def check_balance(subsets: Sequence[Subset]) -> list[Finding]:
    """What is too rare to learn, so frequent that accuracy says nothing, or impossible to score."""
    train, *others = subsets
    counts, total = train.labels(), len(train.examples)
    unit = "entities" if train.task == "ner" else "examples"
    place = {"subset": train.name, "path": train.path}
    findings = []
    if not counts:
        remedy = "Check that the tags are the last column, and that the annotation was exported."
        return [Finding("class-balance", "error", "no entity in train: only O can be learnt.", remedy, **place)]
    rare = {label: number for label, number in counts.items() if number < FEW}
    if rare:
        shown = [f"{label[:_LONGEST]} {number}" for label, number in rare.items()]
        listed = ", ".join(shown[:_LISTED]) + (f", ... ({len(shown):,} in all)" if len(shown) > _LISTED else "")
        message = f"labels with fewer than {FEW} {unit} in train: {listed}."
        remedy = "Annotate more of them, join them with another label, or expect nothing of them."
        findings.append(Finding("class-balance", "warning", message, remedy, **place, evidence={"rare": rare}))
    label, number = next(iter(counts.items()))
    if train.task != "ner" and len(counts) == 1:
        message = f"all examples in train are {label!r}: with one class there is nothing to learn."
        remedy = "Check that the labels were exported, and that the right column is read."
        findings.append(Finding("class-balance", "error", message, remedy, **place, evidence={"label": label}))
    elif train.task != "ner" and number >= _RULES * total:
        message = f"{number / total:.0%} of train are {label!r}: always to predict that reaches this accuracy."
        remedy = "Read macro F1 instead of accuracy; class_weights may help."
        share = {"label": label, "share": number / total}
        findings.append(Finding("class-balance", "warning", message, remedy, **place, evidence=share))
    empty = sum(not example.spans for example in train.examples) if train.task == "ner" else 0
    if empty >= _EMPTY * total:
        message = f"{empty / total:.0%} of the sentences in train hold no entity."
        remedy = "Leave some of them out, or expect a slow start with F1 = 0."
        share = {"share": empty / total}
        findings.append(Finding("class-balance", "warning", message, remedy, **place, evidence=share))
    return findings + [finding for subset in others for finding in _unscored(subset, counts)]


def _unscored(subset: Subset, counts: Counter[str]) -> Iterator[Finding]:
    missing = [label for label in counts if label not in subset.labels()]
    if missing:
        message = f"{subset.name} lacks labels of train, which it cannot score: {', '.join(missing)}."
        remedy = "Split stratified by label, or hold out more."
        where = {"subset": subset.name, "path": subset.path, "evidence": {"missing": missing}}
        yield Finding("class-balance", "warning", message, remedy, **where)
