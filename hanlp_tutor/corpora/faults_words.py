"""What failed and what is seen of it: the components, failure modes and words of the synthetic maintenance logs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from hanlp_tutor.corpora.composing import Draw, Part, read_table
from hanlp_tutor.corpora.dealing import Names

SCENARIO = "faults"
_NUMBER = re.compile(r"\{(\d+)-(\d+)\}")
_DATES = ("{}月{}日", "{}/{}", "{}.{}")


@dataclass(frozen=True)
class Component:
    """A component, the machines that have it, and what happens to it."""

    name: str
    family: str
    machines: tuple[str, ...]
    names: tuple[str, ...]
    modes: tuple[str, ...]
    trade: str


def parts_of(label: str) -> tuple[str, str]:
    """``(component, mode)`` of a label."""
    component, _, mode = label.partition("/")
    return component, mode


@lru_cache(maxsize=1)
def components() -> dict[str, Component]:
    """All components by name."""
    families = {family: (tuple(modes.split()), trade) for family, modes, trade in read_table(SCENARIO, "families.txt")}
    return {
        name: Component(name, family, tuple(machines.split()), (name, *others.split("/")), *families[family])
        for name, family, machines, others in read_table(SCENARIO, "components.txt")
    }


@lru_cache(maxsize=1)
def types() -> tuple[str, ...]:
    """All labels, component by component."""
    return tuple(f"{each.name}/{mode}" for each in components().values() for mode in each.modes)


class Words:
    """The words that one of the sets may use."""

    def __init__(self, subset: str, seed: int, familiar: float):
        self.subset, self.familiar = subset, familiar
        symptoms: dict[str, list[str]] = {}
        self.fits: dict[str, set[str]] = {}
        for mode, text, families in read_table(SCENARIO, "modes.txt"):
            symptoms.setdefault(mode, []).append(text)
            self.fits[text] = set(families.split())
        self.symptoms = symptoms
        others: dict[str, list[str]] = {}
        for kind, text in read_table(SCENARIO, "others.txt"):
            others.setdefault(kind, []).append(text)
        self.modes = list(symptoms)
        self.letters = {name: letters for name, letters, _ in read_table(SCENARIO, "machines.txt")}
        groups = {
            "component": {each.name: list(each.names[1:]) for each in components().values()},
            "symptom": symptoms,
            "machine": {name: [name, *more.split("/")] for name, _, more in read_table(SCENARIO, "machines.txt")},
            "other": others,
        }
        self._names = {kind: Names(each, Draw(SCENARIO, seed, "names", kind)) for kind, each in groups.items()}

    def pick(self, kind: str, group: str, draw: Draw, used: set[str]) -> str:
        """A name that is not used yet, where there is one."""
        return self._names[kind].pick(group, self.subset, draw, self.familiar, used)


class Fault:
    """One fault: fills the slots of its log."""

    def __init__(self, words: Words, draw: Draw, label: str, official: float):
        self.words, self.draw, self.official = words, draw, official
        name, self.mode = parts_of(label)
        self.component = self.other = components()[name]
        self.machine = draw.pick(self.component.machines)
        self._used: set[str] = set()
        self._named = {name}
        self._filled: dict[str, list[Part]] = {}

    def fill(self, slot: str) -> list[Part]:
        """The parts for a slot: each time the same ones, but for numbers and what is named in passing."""
        if slot in self._filled:
            return self._filled[slot]
        kind = slot.rstrip("0123456789")
        parts = _FILL[kind](self)
        if kind not in _ALWAYS_NEW:
            self._filled[slot] = parts
        return parts

    def failed(self) -> list[Part]:
        return [Part(self._name_of(self.component), "component")]

    def _name_of(self, component: Component) -> str:
        """The official name, or one of the shop floor."""
        if self.draw.chance(self.official):
            return component.name
        return self.words.pick("component", component.name, self.draw, self._used)

    def sound(self) -> list[Part]:
        """Another component of the same machine, of the same family where there is one, every second time."""
        others = [each for each in components().values() if each.name not in self._named]
        near = [each for each in others if self.machine in each.machines]
        alike = [each for each in near if each.family == self.component.family]
        self.other = self.draw.pick(alike if alike and self.draw.chance(0.5) else near or others)
        self._named.add(self.other.name)
        return [Part(self._name_of(self.other), "component", "other")]

    def symptom(self) -> list[Part]:
        return [self._symptom(self.mode, self.component.family, "")]

    def other_symptom(self) -> list[Part]:
        """What might have been seen of the component that was named in passing, but was not."""
        return [self._symptom(self.draw.pick(self.other.modes), self.other.family, "other")]

    def _symptom(self, mode: str, family: str, status: str) -> Part:
        elsewhere = {text for text in self.words.symptoms[mode] if family not in (self.words.fits[text] or {family})}
        name = self.words.pick("symptom", mode, self.draw, self._used | elsewhere)
        self._used.add(name)
        text = _NUMBER.sub(lambda found: str(self.draw.between(int(found[1]), int(found[2]))), name)
        return Part(text, "symptom", status, name)

    def tag(self, machine: str) -> list[Part]:
        """A machine as a log names it: 3#离心泵, P-203A, 离心泵P-203A."""
        name = self.words.pick("machine", machine, self.draw, self._used)
        code = f"{self.words.letters[machine]}-{self.draw.between(1, 4)}{self.draw.between(1, 19):02d}"
        code += self.draw.pick(("", "", "A", "B"))
        text = self.draw.pick((f"{self.draw.between(1, 9)}#{name}", code, name + code, name))
        return [Part(text, "machine")]

    def code(self) -> list[Part]:
        """What the controller shows: a number for the mode, or for one that followed."""
        mode = self.mode if self.draw.chance(0.75) else self.draw.pick(self.words.modes)
        number = 101 + 7 * self.words.modes.index(mode)
        return [Part(f"{self.draw.pick(('E', 'AL', 'F', 'ERR'))}{number}")]

    def word(self, kind: str) -> list[Part]:
        """A person, a place or an action."""
        text = self.words.pick("other", kind, self.draw, self._used)
        self._used.add(text)
        return [Part(text, kind.split()[0])]


Filler = Callable[[Fault], list[Part]]


def _number(low: int, high: int) -> Filler:
    return lambda fault: [Part(str(fault.draw.between(low, high)))]


def _plain(make: Callable[[Draw], str]) -> Filler:
    return lambda fault: [Part(make(fault.draw))]


_ALWAYS_NEW = frozenset(("数", "时", "他件", "他象", "法"))

_FILL: dict[str, Filler] = {
    "件": Fault.failed,
    "象": Fault.symptom,
    "他件": Fault.sound,
    "他象": Fault.other_symptom,
    "机": lambda fault: fault.tag(fault.machine),
    "码": Fault.code,
    "人": lambda fault: fault.word("person"),
    "区": lambda fault: fault.word("place"),
    "法": lambda fault: fault.word(f"action {fault.component.trade}"),
    "数": _number(2, 9),
    "温": _number(8, 38),
    "时": _plain(lambda draw: f"{draw.below(24):02d}:{draw.below(60):02d}"),
    "月日": _plain(lambda draw: draw.pick(_DATES).format(draw.between(1, 12), draw.between(1, 28))),
    "单号": _plain(lambda draw: f"WO{draw.between(2100, 2599)}{draw.between(100, 999)}"),
}
