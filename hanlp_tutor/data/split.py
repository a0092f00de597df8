"""Train, dev and test: 8:1:1, the same on every machine and in every Python.

Four ways to cut, by what must not be torn apart: :func:`split_blocks` (neighbours in a newspaper),
:func:`split_stratified` (nothing), :func:`split_groups` (a patient, a document), :func:`split_without_leaks` (texts
that are nearly the same). A split that others must get too is stored: :mod:`hanlp_tutor.data.stored_split`.

Order comes from SHA-256 of the seed and a number, not from :mod:`random`, whose ``shuffle`` may change between Pythons.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from hanlp_tutor.data.examples import LabelledText, TaggedText, group_of
from hanlp_tutor.data.relations import RelationText
from hanlp_tutor.errors import ConfigError

Example = TypeVar("Example", TaggedText, LabelledText, RelationText)


@dataclass(frozen=True)
class Split(Generic[Example]):
    """Examples to learn from, to choose by, and to report on."""

    train: Sequence[Example]
    dev: Sequence[Example]
    test: Sequence[Example]


def split_blocks(
    examples: Sequence[Example],
    *,
    block: int,
    ratio: tuple[float, float, float] = (8, 1, 1),
    seed: int = 1,
    may_start: Callable[[int], bool] | None = None,
) -> Split[Example]:
    """Split into blocks of consecutive examples, so that neighbours, which share names and phrases, stay in one set.

    Each set is in the order of its drawn blocks: a prefix of it is a sample of the whole, and inside a block examples
    stay in file order. The sets miss their share by less than one block.

    Args:
        examples: in the order of the file.
        block: examples per block, at least.
        ratio: of train, dev and test.
        seed: of the draw.
        may_start: whether a block may begin at this index (an article begins there); a block grows until one may.

    Raises:
        ConfigError: a block below 1, or an impossible ratio.
    """
    if block < 1:
        raise ConfigError(f"a block holds at least 1 example, not {block}.")
    _, dev_share, test_share = _shares(ratio)
    starts = [0]
    for index in range(1, len(examples)):
        if index - starts[-1] >= block and (may_start is None or may_start(index)):
            starts.append(index)
    ends = [*starts[1:], len(examples)]
    train: list[Example] = []
    dev: list[Example] = []
    test: list[Example] = []
    for drawn in _shuffled(len(starts), seed):
        if len(test) < test_share * len(examples):
            part = test
        elif len(dev) < dev_share * len(examples):
            part = dev
        else:
            part = train
        part.extend(examples[starts[drawn] : ends[drawn]])
    return Split(train, dev, test)


def split_stratified(
    examples: Sequence[Example], *, ratio: tuple[float, float, float] = (8, 1, 1), seed: int = 1
) -> Split[Example]:
    """Split at random, each label (for tagged texts: each set of entity types) in the same ratio in all sets.

    Systematic sampling: the examples, shuffled, are lined up label by label and dealt out evenly along that line. So
    sizes are right to one example in total and to two for each label, however rare. The sets come in shuffled order.

    Raises:
        ConfigError: an impossible ratio.
    """
    train_share, dev_share, test_share = _shares(ratio)
    order = _shuffled(len(examples), seed)
    rank = {index: position for position, index in enumerate(order)}
    line = sorted(order, key=lambda index: _stratum(examples[index]))  # stable: shuffled within a stratum
    test, rest = _deal(line, test_share)
    dev, train = _deal(rest, dev_share / (train_share + dev_share) if dev_share else 0.0)
    return Split(*([examples[index] for index in sorted(part, key=rank.__getitem__)] for part in (train, dev, test)))


def split_groups(
    examples: Sequence[Example],
    groups: Sequence[Hashable] | Callable[[Example], Hashable] | None = None,
    *,
    ratio: tuple[float, float, float] = (8, 1, 1),
    seed: int = 1,
) -> Split[Example]:
    """Split so that each group lies in one set, and stratify as far as that allows.

    The largest groups are placed first, each where most is missing of its labels and in total; groups of equal size are
    shuffled. The sets miss their share by about the largest group at most, and by less than three when all are single.
    They come in shuffled order.

    Args:
        examples: in any order.
        groups: the group of each example, such as a column of patients, or a function of an example. None: the group
            that an example itself names, as those of the corpus ``reviews`` do; one that names none stands alone.
        ratio: of train, dev and test.
        seed: of the draw.

    Raises:
        ConfigError: an impossible ratio, or another number of groups than of examples.
    """
    if groups is None:
        keys: list[Hashable] = [group_of(each) or number for number, each in enumerate(examples)]
    else:
        keys = [groups(example) for example in examples] if callable(groups) else list(groups)
    if len(keys) != len(examples):
        raise ConfigError(f"{len(examples)} examples have {len(keys)} groups; each needs exactly one.")
    order = _shuffled(len(examples), seed)
    members: defaultdict[Hashable, list[int]] = defaultdict(list)
    for index in order:
        members[keys[index]].append(index)
    strata = [_stratum(example) for example in examples]
    total = Counter(strata)
    shares = {number: share for number, share in enumerate(_shares(ratio)) if share}
    placed: dict[int, Counter] = {number: Counter() for number in shares}
    part_of = {}
    for group in sorted(members.values(), key=len, reverse=True):  # stable: shuffled among equals
        counts = Counter(strata[index] for index in group)

        def missing(part: int, counts: Counter = counts, size: int = len(group)) -> float:
            """In units of the whole: what the set would have to hold more, by stratum and in total."""
            have, share = placed[part], shares[part]
            by_stratum = sum(number * (total[s] - have[s] / share) for s, number in counts.items())
            return by_stratum + size * (len(examples) - have.total() / share)

        part = max(shares, key=missing)
        placed[part].update(counts)
        part_of.update(dict.fromkeys(group, part))
    return Split(*([examples[i] for i in order if part_of[i] == number] for number in range(3)))


def split_without_leaks(
    examples: Sequence[Example], *, ratio: tuple[float, float, float] = (8, 1, 1), seed: int = 1, threshold: float = 0.8
) -> Split[Example]:
    """Split so that texts that are the same or nearly so lie in one set: the audit then finds no leak.

    Args:
        examples: in any order.
        ratio: of train, dev and test.
        seed: of the draw.
        threshold: the similarity from which two texts belong together (:mod:`hanlp_tutor.data.near_duplicates`).

    Raises:
        ConfigError: an impossible ratio or threshold.
    """
    from hanlp_tutor.data.near_duplicates import NearTexts

    groups = list(range(len(examples)))
    for cluster in NearTexts((example.text for example in examples), threshold=threshold).clusters():
        for index in cluster:
            groups[index] = cluster[0]
    return split_groups(examples, groups, ratio=ratio, seed=seed)


def drop_duplicates(examples: Sequence[Example]) -> tuple[list[Example], int]:
    """Keep the first example of each text; return the rest's number too. A text in two sets of a split is a leak."""
    first: dict[str, Example] = {}
    for example in examples:
        first.setdefault(example.text, example)
    return list(first.values()), len(examples) - len(first)


def _shares(ratio: tuple[float, float, float]) -> tuple[float, float, float]:
    if len(ratio) != 3 or min(ratio) < 0 or sum(ratio) <= 0:
        raise ConfigError(f"a ratio is three numbers from 0 for train, dev and test, such as (8, 1, 1), not {ratio}.")
    total = sum(ratio)
    return ratio[0] / total, ratio[1] / total, ratio[2] / total


def _shuffled(count: int, seed: int) -> list[int]:
    return sorted(range(count), key=lambda index: hashlib.sha256(f"{seed}:{index}".encode()).digest())


def _stratum(example: TaggedText | LabelledText | RelationText) -> tuple[str, ...]:
    if isinstance(example, LabelledText):
        return (example.label,)
    if isinstance(example, RelationText):
        return example.gold_labels
    return tuple(sorted({span.label for span in example.spans}))


def _deal(line: list[int], share: float) -> tuple[list[int], list[int]]:
    """Take ``round(share * len(line))`` members at even distances; return the taken and the others."""
    wanted = round(share * len(line))
    taken = {(2 * k + 1) * len(line) // (2 * wanted) for k in range(wanted)}
    return [line[i] for i in sorted(taken)], [index for i, index in enumerate(line) if i not in taken]
