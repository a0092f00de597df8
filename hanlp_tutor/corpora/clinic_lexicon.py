"""The words of the synthetic records, read from ``lexicons/clinic`` and dealt to the sets.

A *group* of illnesses (``groups.txt``: coronary disease, pneumonia, …) brings diseases, symptoms, drugs with their
usual dose, tests, findings, procedures and body parts that go together: a drug fits the group, not each disease in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from hanlp_tutor.corpora.composing import Draw, Part, read_table
from hanlp_tutor.corpora.dealing import Names

SCENARIO = "clinic"


@dataclass(frozen=True)
class Group:
    """Illnesses that share their symptoms, drugs and tests."""

    name: str
    department: str
    sex: str
    youngest: int
    oldest: int
    course: str


@dataclass(frozen=True)
class Lexicon:
    """The files of ``lexicons/clinic``.

    Args:
        groups: by name.
        names: ``names[kind][group]``, in the order of the file; kinds are those of the entities, but for tests, which
            are ``lab`` and ``imaging``.
        other_names: of a disease, procedure or test.
        doses: of a drug.
        labs: the row of a test with a value.
        directions: ``↑`` or ``↓`` by test and group.
        findings: by test and group, as parts.
        signs: group and symptom that nobody comes for alone.
        chronic: the group of an earlier illness.
        denied: the groups whose patients would not deny a disease.
        operations: earlier operation, its reason, the sex.
        confusions: what a character is mistyped as.
    """

    groups: dict[str, Group]
    names: dict[str, dict[str, list[str]]]
    other_names: dict[str, tuple[str, ...]]
    doses: dict[str, str]
    labs: dict[str, list[str]]
    directions: dict[tuple[str, str], str]
    findings: dict[tuple[str, str], list[list[Part]]]
    signs: frozenset[tuple[str, str]]
    chronic: dict[str, str]
    denied: dict[str, frozenset[str]]
    operations: list[list[str]]
    confusions: dict[str, str]


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """All words, read once."""
    groups = {}
    for name, department, sex, ages, course in read_table(SCENARIO, "groups.txt"):
        youngest, oldest = map(int, ages.split("-"))
        groups[name] = Group(name, department, sex, youngest, oldest, course)
    names: dict[str, dict[str, list[str]]] = {}
    other_names, doses, labs, directions = {}, {}, {}, {}
    signs = set()

    def add(kind: str, group: str, name: str) -> None:
        known = names.setdefault(kind, {}).setdefault(group, [])
        if name not in known:
            known.append(name)

    for kind in ("disease", "procedure"):
        for name, others, where in read_table(SCENARIO, f"{kind}s.txt"):
            other_names[name] = tuple(filter(None, others.split("/")))
            for group in where.split():
                add(kind, group, name)
    for name, where in read_table(SCENARIO, "symptoms.txt"):
        for group in where.split():
            add("symptom", group.lstrip("*"), name)
            if group.startswith("*"):
                signs.add((group[1:], name))
    for name, *sides in read_table(SCENARIO, "body_parts.txt"):
        for side, where in zip(("outside", "inside"), sides, strict=True):
            for group in where.split():
                add("body", f"{group} {side}", name)
    for name, dose, where in read_table(SCENARIO, "drugs.txt"):
        doses[name] = dose
        for group in where.split():
            add("drug", group, name)
    for row in read_table(SCENARIO, "tests.txt"):
        name, short, _, _, _, _, where = row
        labs[name] = row
        other_names[name] = (short,) if short else ()
        add("lab", "any", name)
        for group in where.split():
            add("lab", group[:-1], name)
            directions[name, group[:-1]] = group[-1]
    past = read_table(SCENARIO, "past.txt")
    for use, name, _ in past:
        add("drug" if use == "allergy" else "disease", use, name)
    operations = read_table(SCENARIO, "operations.txt")
    for operation, reason, _ in operations:
        add("procedure", "earlier", operation)
        add("disease", "earlier", reason)
    for name, department in read_table(SCENARIO, "departments.txt"):
        add("department", department, name)
    raw = read_table(SCENARIO, "findings.txt")
    for test, _, group in raw:
        add("imaging", group, test)
    marked = {name: kind for kind in ("symptom", "disease") for each in names[kind].values() for name in each}
    findings: dict[tuple[str, str], list[list[Part]]] = {}
    for test, finding, group in raw:
        findings.setdefault((test, group), []).append(_finding(finding, marked))
    return Lexicon(
        groups=groups,
        names=names,
        other_names=other_names,
        doses=doses,
        labs=labs,
        directions=directions,
        findings=findings,
        signs=frozenset(signs),
        chronic={name: group for use, name, group in past if use == "chronic"},
        denied={name: frozenset(groups_.split()) for use, name, groups_ in past if use == "denied"},
        operations=operations,
        confusions=dict(read_table(SCENARIO, "confusions.txt")),
    )


def _finding(text: str, marked: dict[str, str]) -> list[Part]:
    """The parts of a finding: body parts are written ``<so>``; names of the lexicon in it are found, longest first."""
    names = "|".join(map(re.escape, sorted(marked, key=lambda name: (-len(name), name))))
    parts = []
    for piece in re.split(f"(<[^<>]+>|{names})", text):
        if piece.startswith("<"):
            parts.append(Part(piece[1:-1], "body"))
        elif piece:
            parts.append(Part(piece, marked.get(piece, "")))
    return parts


class Words:
    """What one of the sets may say.

    Args:
        subset: ``train``, ``dev`` or ``test``.
        seed: deals the names.
        familiar: how often a name is one that all sets use.
        short: how often a disease or test is written in one of its other names.
    """

    def __init__(self, subset: str, seed: int, familiar: float, short: float):
        self.subset, self.familiar, self.short = subset, familiar, short
        self.lexicon = lexicon()
        deals = self.lexicon.names.items()
        self.names = {kind: Names(groups, Draw(SCENARIO, seed, "names", kind)) for kind, groups in deals}

    def pick(self, kind: str, group: str, draw: Draw, used: set[str]) -> str:
        """A name that is not used yet, where there is one."""
        return self.names[kind].pick(group, self.subset, draw, self.familiar, used)

    def usable(self, kind: str, group: str) -> tuple[list[str], list[str]]:
        """The names that all sets know, and those of this one alone."""
        return self.names[kind].usable(group, self.subset)

    def may_say(self, part: Part) -> bool:
        """Whether an entity belongs to no other set."""
        return not part.label or self.names[part.label].owner[part.name or part.text] in ("familiar", self.subset)

    def findings(self, test: str, group: str) -> list[list[Part]]:
        """The findings of a test that name nothing that belongs to another set."""
        return [each for each in self.lexicon.findings[test, group] if all(map(self.may_say, each))]
