"""Train, dev and test: 8:1:1, the same on every machine and in every Python.

Order comes from SHA-256 of the seed and a number, not from :mod:`random`, whose ``shuffle`` may change between Pythons.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from hanlp_tutor.data.examples import LabelledText, TaggedText
from hanlp_tutor.errors import ConfigError

Example = TypeVar("Example", TaggedText, LabelledText)


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
    """Split into blocks of consecutive examples, so that neighbours, which share names and phrases, stay on one side.

    Each side is in the order of its drawn blocks: a prefix of it is a sample of the whole, and inside a block examples
    stay in file order. Sides miss their share by less than one block.

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
            side = test
        elif len(dev) < dev_share * len(examples):
            side = dev
        else:
            side = train
        side.extend(examples[starts[drawn] : ends[drawn]])
    return Split(train, dev, test)


def split_stratified(
    examples: Sequence[Example], *, ratio: tuple[float, float, float] = (8, 1, 1), seed: int = 1
) -> Split[Example]:
    """Split at random, each label (for tagged texts: each set of entity types) in the same ratio on all sides.

    Systematic sampling: the examples, shuffled, are lined up label by label and dealt out evenly along that line. So
    sizes are right to one example in total and to two for each label, however rare. Sides come in shuffled order.

    Raises:
        ConfigError: an impossible ratio.
    """
    train_share, dev_share, test_share = _shares(ratio)
    order = _shuffled(len(examples), seed)
    rank = {index: position for position, index in enumerate(order)}
    line = sorted(order, key=lambda index: _stratum(examples[index]))  # stable: shuffled within a stratum
    test, rest = _deal(line, test_share)
    dev, train = _deal(rest, dev_share / (train_share + dev_share) if dev_share else 0.0)
    return Split(*([examples[index] for index in sorted(side, key=rank.__getitem__)] for side in (train, dev, test)))


def drop_duplicates(examples: Sequence[Example]) -> tuple[list[Example], int]:
    """Keep the first example of each text; return the rest's number too. A text on two sides of a split is a leak."""
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


def _stratum(example: TaggedText | LabelledText) -> tuple[str, ...]:
    if isinstance(example, LabelledText):
        return (example.label,)
    return tuple(sorted({span.label for span in example.spans}))


def _deal(line: list[int], share: float) -> tuple[list[int], list[int]]:
    """Take ``round(share * len(line))`` members at even distances; return the taken and the others."""
    wanted = round(share * len(line))
    taken = {(2 * k + 1) * len(line) // (2 * wanted) for k in range(wanted)}
    return [line[i] for i in sorted(taken)], [index for i, index in enumerate(line) if i not in taken]
