"""What a synthetic corpus promises: its sets share no template, few names; its label noise; its options.

Each template belongs to one of the sets. Of the names, some are *familiar*: all sets may use them. The others belong to
one set alone, so that a test text speaks of things that training never named.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hanlp_tutor.corpora.composing import Draw, Template
from hanlp_tutor.data import LabelledText
from hanlp_tutor.errors import ConfigError

Item = TypeVar("Item")
Name = TypeVar("Name", bound=Hashable)

SUBSETS = ("train", "dev", "test")
NOISE = 0.02  # of the labels of the training set; those of dev and test are right, so that a score means what it says
DIFFICULTY = 0.5
_TEMPLATES_HELD_OUT = {"dev": 0.16, "test": 0.24}
# How the names of a group are dealt after its first, which is familiar: the most usual name stands first in its file.
_ROUND = ("test", "dev", "train", "test", "dev", "train", "test", "dev", "train", "familiar")


@dataclass(frozen=True)
class Options:
    """What a synthetic corpus is made by.

    Args:
        size: training examples; the first ones of a larger set are those of a smaller one. Dev and test do not change.
        seed: of all draws; another seed deals templates and names anew.
        difficulty: 0 (plain words, known names) to 1; see the scenario.
    """

    size: int
    seed: int = 1
    difficulty: float = DIFFICULTY

    def __post_init__(self) -> None:
        if isinstance(self.size, bool) or not isinstance(self.size, int) or self.size < 1:
            raise ConfigError(f"size is a whole number of training examples from 1, not {self.size!r}.")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int):
            raise ConfigError(f"seed is a whole number, not {self.seed!r}.")
        if not 0 <= self.difficulty <= 1:
            raise ConfigError(f"difficulty is a number from 0 to 1, not {self.difficulty!r}.")


def deal_templates(sections: dict[str, list[Template]], draw: Draw) -> dict[str, dict[str, list[Template]]]:
    """By set and section: 60 % of each section's templates for training, 16 % for dev, 24 % for test; one at least.

    Raises:
        ValueError: a section with fewer than three templates.
    """
    dealt: dict[str, dict[str, list[Template]]] = {subset: {} for subset in SUBSETS}
    for section, templates in sections.items():
        if len(templates) < len(SUBSETS):
            raise ValueError(f"section {section} has {len(templates)} templates, too few for three sets.")
        rest = draw.shuffled(templates)
        for subset, share in _TEMPLATES_HELD_OUT.items():
            count = max(1, round(share * len(templates)))
            dealt[subset][section], rest = rest[:count], rest[count:]
        dealt["train"][section] = rest
    return dealt


class Names:
    """Names that are dealt to the sets, by group (such as the drugs for one kind of disease).

    Args:
        groups: the names of each group, the most usual one first. A name may stand in several groups.
        draw: deals them.
    """

    def __init__(self, groups: dict[str, Sequence[Name]], draw: Draw):
        self.groups = groups
        self.owner: dict[Name, str] = {names[0]: "familiar" for names in groups.values()}
        for names in groups.values():
            rest = [name for name in names if name not in self.owner]
            # where a group begins in the round is drawn, or small groups would all lack the same set
            start = draw.below(3)
            for number, name in enumerate(draw.shuffled(rest)):
                self.owner[name] = _ROUND[(start + number) % len(_ROUND)]

    def usable(self, group: str, subset: str) -> tuple[list[Name], list[Name]]:
        """The familiar names of a group, and those that belong to the set alone."""
        names = self.groups[group]
        own = [name for name in names if self.owner[name] == subset]
        return [name for name in names if self.owner[name] == "familiar"], own

    def pick(self, group: str, subset: str, draw: Draw, familiar: float, used: Iterable[Name] = ()) -> Name:
        """A name of the group that the set may use, one that is not used yet where there is such.

        Args:
            group: whose names.
            subset: ``train``, ``dev`` or ``test``.
            draw: decides.
            familiar: how often it is one that all sets may use.
            used: names that the text has already.
        """
        taken = set(used)
        known, own = ([name for name in names if name not in taken] for names in self.usable(group, subset))
        known = known or own or self.usable(group, subset)[0]
        return draw.pick(known if not own or draw.chance(familiar) else own)


def distinct(
    make: Callable[[], Item | None], count: int, seen: set[str], examples: Callable[[Item], int] | None = None
) -> list[Item]:
    """Items with ``.text`` that no set has yet, until they hold ``count`` examples.

    Args:
        make: one more; None is tried again.
        count: of examples, at least.
        seen: the texts of all sets; grows.
        examples: how many an item holds, one where not given.
    """
    found: list[Item] = []
    tries = held = 0
    while held < count:
        tries += 1
        if tries > 100 * count + 1000:
            raise ConfigError(f"the grammar yields no {count} different texts; ask for a smaller size.")
        item = make()
        if item is not None and item.text not in seen:
            seen.add(item.text)
            found.append(item)
            held += examples(item) if examples else 1
    return found


def in_sets(
    maker: Callable[[str], Callable[[], Item | None]],
    counts: Mapping[str, int],
    examples: Callable[[Item], int] | None = None,
) -> dict[str, list[Item]]:
    """The items of each set, no text twice.

    Args:
        maker: from a set to what makes its items.
        counts: examples of each set.
        examples: as for :func:`distinct`.
    """
    seen: set[str] = set()
    # training last: its texts are those that are in no other set, however many
    found = {subset: distinct(maker(subset), counts[subset], seen, examples) for subset in reversed(SUBSETS)}
    return {subset: found[subset] for subset in SUBSETS}


def labelled(name: str, records: Mapping[str, Sequence[Any]], labels: Sequence[str], noise: Draw) -> dict[str, Any]:
    """Records with ``.text`` and ``.label`` as examples by set; of those of training a share gets a wrong label.

    Args:
        name: of the corpus, for the examples' sources.
        records: by set.
        labels: all classes.
        noise: draws which label is wrong.
    """
    return {
        subset: tuple(
            LabelledText(
                record.text,
                other(record.label, labels, noise) if subset == "train" and noise.chance(NOISE) else record.label,
                f"{name}/{subset}:{number}",
            )
            for number, record in enumerate(found, 1)
        )
        for subset, found in records.items()
    }


def other(label: str, labels: Sequence[str], draw: Draw) -> str:
    """A wrong label."""
    return draw.pick([each for each in labels if each != label])
