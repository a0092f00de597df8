"""Texts that stand twice: in one set a waste, in two sets a leak, with two labels a contradiction. And torn groups."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from hanlp_tutor.data.examples import LabelledText, TaggedText, group_of
from hanlp_tutor.data.near_duplicates import NearTexts
from hanlp_tutor.data.relations import RelationText
from hanlp_tutor.workbench.audit.report import Finding
from hanlp_tutor.workbench.audit.subsets import Subset, label_of

Example = TaggedText | LabelledText | RelationText

_LEAK = "Remove one of the two, or split again with split_without_leaks: a score on known texts is no score."
_QUOTED = 30  # characters of a text in a message


def check_duplicates(subsets: Sequence[Subset]) -> list[Finding]:
    """Conflicts, leaks and duplicates, exact and near."""
    members = [(subset, index) for subset in subsets for index in range(len(subset.examples))]
    same: defaultdict[str, list[int]] = defaultdict(list)
    for number, (subset, index) in enumerate(members):
        same[subset.examples[index].text].append(number)
    groups = [[members[number] for number in group] for group in same.values() if len(group) > 1]
    by_input: defaultdict[object, list[tuple[Subset, int]]] = defaultdict(list)
    for member in members:
        by_input[_input(_example(member))].append(member)
    repeated = [group for group in by_input.values() if len(group) > 1]
    near = NearTexts(subset.examples[index].text for subset, index in members)
    return [
        *_conflicts(repeated),
        *_leaks(groups),
        *_near_leaks(subsets, members, same, near),
        *_duplicates(repeated),
        *_near_duplicates(subsets, members, same, near),
    ]


def _conflicts(groups: list) -> list[Finding]:
    findings = []
    for group in groups:
        labels = Counter(_labels(subset.examples[index]) for subset, index in group)
        if len(labels) > 1:
            first = _labels(_example(group[0]))
            other = next(member for member in group if _labels(_example(member)) != first)
            findings.append(
                Finding(
                    "conflict",
                    "error",
                    f"{_quoted(other)}: {_difference(_example(other), _example(group[0]))} in {_where(group[0])}.",
                    "Decide which is right, and mend or remove the other.",
                    **other[0].place(other[1]),
                    evidence={"places": [_where(member) for member in group]},
                )
            )
    return findings


def _leaks(groups: list) -> list[Finding]:
    findings = []
    for group, last, often in _torn(groups):
        findings.append(
            Finding(
                "leak",
                "error",
                f"{_quoted(last)} stands in {_where(group[0])} too ({often}).",
                _LEAK,
                **last[0].place(last[1]),
                evidence={"places": [_where(member) for member in group]},
            )
        )
    return findings


def _near_leaks(subsets: Sequence[Subset], members: list, same: dict, near: NearTexts) -> list[Finding]:
    """For dev what is near in train; for test what is near in train or dev."""
    findings = []
    numbers = {subset.name: [n for n, (owner, _) in enumerate(members) if owner is subset] for subset in subsets}
    for later, subset in enumerate(subsets[1:], 1):
        before = [number for earlier in subsets[:later] for number in numbers[earlier.name]]
        own = [  # the others are leaks already
            number
            for number in numbers[subset.name]
            if all(members[twin][0] is subset for twin in same[_example(members[number]).text])
        ]
        for number, (other, similarity) in near.counterparts(own, before).items():
            findings.append(
                Finding(
                    "near-leak",
                    "error",
                    f"{_quoted(members[number])} is nearly (Jaccard {similarity:.2f}) {_quoted(members[other])} in "
                    f"{_where(members[other])}{_disagreement(members[number], members[other])}.",
                    _LEAK,
                    **subset.place(members[number][1]),
                    evidence={"other": _where(members[other]), "similarity": round(similarity, 4)},
                )
            )
    return findings


def check_groups(subsets: Sequence[Subset]) -> list[Finding]:
    """Groups, such as patients, of which texts stand in more than one set."""
    members: defaultdict[str, list[tuple[Subset, int]]] = defaultdict(list)
    for subset in subsets:
        for index, example in enumerate(subset.examples):
            if group := group_of(example):
                members[group].append((subset, index))
    findings = []
    for texts, last, often in _torn(members.values()):
        group = group_of(_example(last))
        findings.append(
            Finding(
                "group-leak",
                "error",
                f"{_quoted(last)} is of the group {group!r}, which stands in {_where(texts[0])} too ({often}).",
                "Put all texts of a group into one set (split_groups); train divides one file so by itself.",
                **last[0].place(last[1]),
                evidence={"group": group, "places": [_where(member) for member in texts]},
            )
        )
    return findings


def _torn(groups: Iterable[list]) -> Iterator[tuple[list, tuple[Subset, int], str]]:
    """Those that stand in several sets: their members, the last that is in another set than the first, how often."""
    for group in groups:
        names = Counter(subset.name for subset, _ in group)
        if len(names) > 1:
            last = next(member for member in reversed(group) if member[0] is not group[0][0])
            yield group, last, ", ".join(f"{number} in {name}" for name, number in names.items())


def _duplicates(groups: list) -> list[Finding]:
    findings = []
    for group in groups:
        alike: dict[tuple, list] = {}
        for member in group:
            alike.setdefault((member[0].name, _copied(_example(member))), []).append(member)
        for (name, _), inside in alike.items():
            if len(inside) > 1:
                findings.append(
                    Finding(
                        "duplicate",
                        "warning",
                        f"{_quoted(inside[1])} stands {len(inside)} times in {name}, first in {_where(inside[0])}.",
                        "Keep one (drop_duplicates): each copy counts as much as a text of its own.",
                        **inside[1][0].place(inside[1][1]),
                        evidence={"places": [_where(member) for member in inside]},
                    )
                )
    return findings


def _copied(example: Example) -> str | None:
    """What a copy has in common with its original besides the text: with another relation a pair is a conflict."""
    return example.relation if isinstance(example, RelationText) else None


def _near_duplicates(subsets: Sequence[Subset], members: list, same: dict, near: NearTexts) -> list[Finding]:
    findings = []
    first = {group[0] for group in _by_subset(members, same)}  # one of each text and set
    for subset in subsets:
        own = [number for number in sorted(first) if members[number][0] is subset]
        for cluster in near.clusters(own):
            group = [members[number] for number in cluster]
            findings.append(
                Finding(
                    "near-duplicate",
                    "warning",
                    f"{_quoted(group[1])} is one of {len(group)} texts that are nearly the same; the first is "
                    f"{_quoted(group[0])} in {_where(group[0])}{_disagreement(group[1], group[0])}.",
                    "Keep one, or keep them in one set (split_without_leaks).",
                    **subset.place(group[1][1]),
                    evidence={"places": [_where(member) for member in group]},
                )
            )
    return findings


def _by_subset(members: list, same: dict) -> list[list[int]]:
    groups: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for text, numbers in same.items():
        for number in numbers:
            groups[members[number][0].name, text].append(number)
    return list(groups.values())


def _example(member: tuple[Subset, int]) -> Example:
    return member[0].examples[member[1]]


def _where(member: tuple[Subset, int]) -> str:
    return Finding("", "", "", "", **member[0].place(member[1])).where


def _quoted(member: tuple[Subset, int]) -> str:
    text = _example(member).text
    return repr(text if len(text) <= _QUOTED else text[: _QUOTED - 3] + "...")


def _input(example: Example) -> object:
    """What is to be labelled: of a sentence with several relations each pair by itself."""
    return (example.text, *example.given) if isinstance(example, RelationText) else example.text


def _labels(example: Example) -> object:
    return example.spans if isinstance(example, TaggedText) else label_of(example)


def _difference(here: Example, there: Example) -> str:
    if isinstance(here, RelationText):
        return f"the pair {here.head!r}, {here.tail!r} is {here.relation!r} here, and {there.relation!r}"
    if not isinstance(here, TaggedText):
        return f"{label_of(here)!r} here, {label_of(there)!r}"
    only = [sorted(set(one.spans) - set(other.spans)) for one, other in ((here, there), (there, here))]
    shown = [
        ", ".join(f"{span.label} {here.text[span.start : span.end]}" for span in spans) or "nothing" for spans in only
    ]
    return f"{shown[0]} here, {shown[1]}"


def _disagreement(one: tuple[Subset, int], other: tuple[Subset, int]) -> str:
    mine, its = _example(one), _example(other)
    if isinstance(mine, LabelledText) and mine.label != its.label:
        return f", but {mine.label!r} here and {its.label!r} there"
    return ""
