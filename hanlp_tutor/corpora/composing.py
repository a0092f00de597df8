"""How a synthetic text is composed: seeded draws, sentence templates, parts that become exact spans, typing errors.

A scenario (``clinic``, ``laundering``, ``faults``) keeps its words and its sentences as text files in ``lexicons/``. A
sentence is a template of three signs::

    [患者|病人]{久}前[无明显诱因]出现{症}

``[a|b]`` is one of its alternatives, ``[a]`` is there or not, and ``{slot}`` is filled by the scenario.
"""

from __future__ import annotations

import hashlib
import random
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, product
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")

LEXICONS = Path(__file__).with_name("lexicons")


class Draw:
    """Seeded draws, the same in every Python.

    Of :mod:`random` only ``random()`` is promised to keep its sequence, and only integers as seeds are used: everything
    here is made of these two.

    Args:
        seed: anything that prints, such as ``("clinic", 1, "train")``; equal seeds, equal draws.
    """

    def __init__(self, *seed: object):
        digest = hashlib.sha256("\t".join(map(str, seed)).encode()).digest()
        self._unit = random.Random(int.from_bytes(digest[:8], "big")).random

    def chance(self, probability: float) -> bool:
        return self._unit() < probability

    def below(self, count: int) -> int:
        """0 to ``count - 1``."""
        return int(self._unit() * count)

    def between(self, low: int, high: int) -> int:
        """``low`` to ``high``, both included."""
        return low + self.below(high - low + 1)

    def pick(self, items: Sequence[Item]) -> Item:
        return items[self.below(len(items))]

    def weighted(self, items: Sequence[Item], weights: Iterable[float]) -> Item:
        bounds = list(accumulate(weights))
        return items[bisect_right(bounds, self._unit() * bounds[-1], hi=len(items) - 1)]

    def shuffled(self, items: Iterable[Item]) -> list[Item]:
        rest = list(items)
        for last in range(len(rest) - 1, 0, -1):
            other = self.below(last + 1)
            rest[last], rest[other] = rest[other], rest[last]
        return rest


@dataclass(frozen=True)
class Slot:
    """A place in a template that the scenario fills."""

    name: str


@dataclass(frozen=True)
class Template:
    """A sentence with alternatives and slots.

    Args:
        name: ``file:line``, by which it is dealt to one of the sets.
        pattern: as the module's docstring says.
    """

    name: str
    pattern: str

    @cached_property
    def _tree(self) -> list:
        tree, rest = _sequence(self.pattern, 0)
        if rest != len(self.pattern):
            raise ValueError(f"{self.name}: a bracket is closed that was not opened: {self.pattern}")
        return tree

    def expand(self, draw: Draw) -> list[str | Slot]:
        """One of its readings: text and slots in their order."""
        found: list[str | Slot] = []
        _expand(self._tree, draw, found)
        return found

    def skeletons(self) -> set[str]:
        """All its readings, slots by the kind of their filling, without punctuation: what two sets must not share."""
        return {"".join(reading) for reading in _readings(self._tree)}


def _sequence(pattern: str, place: int) -> tuple[list, int]:
    """The nodes up to a closing sign: text, a slot, or a tuple of alternatives, each a list of nodes."""
    nodes: list = []
    while place < len(pattern) and pattern[place] not in "|]":
        if pattern[place] == "[":
            options = []
            while pattern[place] != "]":
                option, place = _sequence(pattern, place + 1)
                options.append(option)
                if place == len(pattern):
                    raise ValueError(f"a bracket is not closed: {pattern}")
            nodes.append(tuple(options) if len(options) > 1 else (options[0], []))
            place += 1
        elif pattern[place] == "{":
            end = pattern.index("}", place)
            nodes.append(Slot(pattern[place + 1 : end]))
            place = end + 1
        else:
            end = next((i for i in range(place, len(pattern)) if pattern[i] in "[]{|"), len(pattern))
            nodes.append(pattern[place:end])
            place = end
    return nodes, place


def _expand(nodes: list, draw: Draw, found: list[str | Slot]) -> None:
    for node in nodes:
        if isinstance(node, tuple):
            _expand(draw.pick(node), draw, found)
        else:
            found.append(node)


def _readings(nodes: list) -> Iterator[tuple[str, ...]]:
    choices = []
    for node in nodes:
        if isinstance(node, tuple):
            choices.append([text for option in node for text in map("".join, _readings(option))])
        else:
            text = f"{{{node.name.rstrip('0123456789')}}}" if isinstance(node, Slot) else node
            choices.append(["".join(sign for sign in text if sign in "{}" or sign.isalnum())])
    yield from product(*choices)


@dataclass(frozen=True)
class Part:
    """A stretch of a text.

    Args:
        text: as it will stand there.
        label: of the entity that it is, empty for plain text.
        status: of an entity, such as ``absent`` for one that is denied.
        name: under which its owner finds it again, whatever the spelling.
        link: of an entity in a sentence with relations: entities with the same one belong together.
    """

    text: str
    label: str = ""
    status: str = ""
    name: str = ""
    link: str = ""


@dataclass(frozen=True)
class Mention:
    """An entity in a composed text, ``text[start:end]``; the rest as for :class:`Part`."""

    start: int
    end: int
    label: str
    status: str = ""
    name: str = ""
    link: str = ""

    def text(self, of: str) -> str:
        """How it is written there."""
        return of[self.start : self.end]


def join(parts: Iterable[Part]) -> tuple[str, tuple[Mention, ...]]:
    """The text of the parts, and the entities in it with their places."""
    texts, mentions, length = [], [], 0
    for part in parts:
        if part.label:
            end = length + len(part.text)
            mentions.append(Mention(length, end, part.label, part.status, part.name or part.text, part.link))
        texts.append(part.text)
        length += len(part.text)
    return "".join(texts), tuple(mentions)


def listed(items: Sequence[list[Part]], comma: str, last: str = "") -> list[Part]:
    """Several parts as a list: ``a、b`` with ``comma``, and ``last`` before the last one where given."""
    found: list[Part] = []
    for number, item in enumerate(items):
        if number:
            found.append(Part(last if last and number == len(items) - 1 else comma))
        found.extend(item)
    return found


def mistype(parts: Iterable[Part], draw: Draw, confusions: dict[str, str], rate: float) -> list[Part]:
    """The parts with typing errors: a character that sounds or looks alike, or one typed twice.

    The parts stay what they are, so that an entity with an error in it is still marked as a whole.

    Args:
        parts: of a text.
        draw: decides where.
        confusions: what each character is mistaken for, one or several.
        rate: errors a character that has a confusion.
    """
    found = []
    for part in parts:
        text = []
        for sign in part.text:
            if sign in confusions and draw.chance(rate):
                text.append(sign * 2 if draw.chance(0.15) else draw.pick(confusions[sign]))
            else:
                text.append(sign)
        typed = "".join(text)
        found.append(part if typed == part.text else replace(part, text=typed, name=part.name or part.text))
    return found


def read_table(scenario: str, name: str) -> list[list[str]]:
    """The lines of a lexicon, each a list of its tab-separated cells; lines that begin with ``#`` are comments."""
    lines = (LEXICONS / scenario / name).read_text(encoding="utf-8").split("\n")
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def read_templates(scenario: str, name: str = "sentences.txt") -> dict[str, list[Template]]:
    """The templates of a scenario by section; ``## section`` begins one."""
    sections: dict[str, list[Template]] = {}
    lines = (LEXICONS / scenario / name).read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(lines, 1):
        if line.startswith("## "):
            current = sections.setdefault(line[3:].split()[0], [])
        elif line and not line.startswith("#"):
            current.append(Template(f"{name}:{number}", line))
    return sections
