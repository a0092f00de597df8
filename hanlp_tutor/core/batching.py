"""Batches: examples of like length side by side, so that hardly any padding (填充) is computed.

Random batches of Chinese sentences waste two thirds of the computed tokens on padding; buckets by length waste a few
per cent. Order and membership are drawn anew each epoch from (seed, epoch) alone, so that a resumed run continues in
the middle of an epoch with the same batches.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from hanlp_tutor.data.windows import window_of, windows

_SLICE = 1 << 16  # examples that are Python numbers at a time
IGNORED = -100  # the label of padding; PyTorch's own default for "no loss here"
# How far lengths are jittered. Among many examples there are neighbours enough within a twentieth, which halves the
# padding; among few, a batch would have nearly the same members in each epoch.
JITTER_OF_FEW, JITTER_OF_MANY, MANY = 0.1, 0.05, 5000


@dataclass(frozen=True, slots=True)
class Encoded:
    """One example as numbers.

    ``ids`` are token ids without [CLS] and [SEP]; ``labels`` one class per token (tagging), one class for the example
    (classification), or None when there is no gold; ``source`` is "file:line" of the example. Where words are tagged
    instead of tokens, ``words`` is the number of the word that each token belongs to, from 0 up, and ``labels`` has one
    class a word. ``task`` is that of the example in a multi-task model.
    """

    ids: list[int]
    labels: list[int] | int | None
    source: str
    words: list[int] | None = None
    task: str = ""

    @property
    def units(self) -> int:
        """How many tokens, or words, are tagged."""
        return len(self.ids) if self.words is None else max(self.words, default=-1) + 1


class Encodings(Sequence[Encoded]):
    """Examples as numbers: made at once, or each when it is needed where the examples themselves lie in a file.

    Args:
        encode: :meth:`hanlp_tutor.core.model.Model.encode`.
        examples: a sequence; one with ``lengths`` (:mod:`hanlp_tutor.data.large`) is not read now.

    ``lengths`` are the tokens of each example. Of one in a file they are its characters, which is the same for tagging
    and as good as never less for classification; they only choose who shares a batch.
    """

    def __init__(self, encode: Callable[[Any], Encoded], examples: Sequence[Any]):
        stored = getattr(examples, "lengths", None)
        self._encode, self._examples = encode, examples
        self._made = [encode(example) for example in examples] if stored is None else None
        self.tasks = [each.task for each in self._made or ()]
        made = self._made or ()
        self.lengths = np.array([len(each.ids) for each in made], dtype=np.int64) if stored is None else stored

    @property
    def at_hand(self) -> bool:
        """Whether all are made already, so that reading one touches no file and no tokenizer."""
        return self._made is not None

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, index: int) -> Encoded:
        return self._encode(self._examples[index]) if self._made is None else self._made[index]


@dataclass
class Batch:
    """A padded micro-batch of B examples in W windows; W = B unless a text is longer than a window.

    Shapes: ``input_ids`` and ``attention_mask`` (W, T) with [CLS] and [SEP]; ``owner`` (W,) the example that a window
    belongs to; ``token_index`` (B, L) where in the flattened (W·T) encoder output each token of an example is read;
    ``labels`` (B, L) with IGNORED at padding, or (B,). ``valid`` counts the tokens (tagging) or examples
    (classification) that carry a loss, ``padded`` says whether a row is shorter than another, ``widths`` (W,) how many
    tokens each has; they are plain values, so that knowing them costs no device synchronisation. Where words are
    tagged, ``words`` (B, L) holds each token's word, and the number of words, max(``lengths``), at padding; ``labels``
    are then (B, max(``lengths``)) and ``lengths`` count words. ``tokens`` always counts tokens. All examples are of one
    ``task``. ``texts`` are there where somebody has put them. ``BY_ROW`` names what has a row a window.
    """

    BY_ROW: ClassVar[tuple[str, ...]] = ("input_ids", "attention_mask", "widths")

    input_ids: Tensor
    attention_mask: Tensor
    owner: Tensor
    token_index: Tensor
    labels: Tensor | None
    lengths: list[int]
    valid: int
    windowed: bool
    sources: list[str]
    tokens: int
    words: Tensor | None = None
    task: str = ""
    padded: bool = True
    texts: list[str] | None = None
    widths: list[int] = field(default_factory=list)

    def to(self, device: torch.device) -> Batch:
        """Copy the tensors to a device, without waiting for it."""
        return self._with_each(lambda tensor: tensor.to(device, non_blocking=True))

    def pinned(self) -> Batch:
        """The tensors in page-locked memory, from which a GPU copies by itself while it computes."""
        return self._with_each(Tensor.pin_memory)

    def _with_each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        tensors = {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}
        return replace(self, **{name: change(value) for name, value in tensors.items()})

    def weightless(self) -> Batch:
        """The same texts without a gold label that counts: loss and gradients of it are 0."""
        return replace(self, labels=torch.full_like(self.labels, IGNORED), valid=0, tokens=0)


def collate(examples: Sequence[Encoded], *, max_length: int, cls_id: int, sep_id: int, pad_id: int) -> Batch:
    """Pad examples to a batch; ``max_length`` is that of a row in tokens, [CLS] and [SEP] included."""
    size = max_length - 2
    lengths = [len(example.ids) for example in examples]
    spans = [windows(length, size) for length in lengths]
    firsts = np.cumsum([0, *map(len, spans)]).tolist()  # of each example: its first row
    rows = [example.ids[start:end] for example, of in zip(examples, spans, strict=True) for start, end in of]
    ends = np.array([len(row) + 1 for row in rows])
    width = int(ends.max()) + 1
    input_ids = _padded([[cls_id, *row, sep_id] for row in rows], width, pad_id)
    places = []  # of each token: where it stands in the flattened rows
    for first, length, of in zip(firsts, lengths, spans, strict=False):
        if len(of) == 1:
            places.append(range(first * width + 1, first * width + 1 + length))
        else:
            kept = [window_of(i, len(of), size) for i in range(length)]
            places.append([(first + k) * width + 1 + i - of[k][0] for i, k in enumerate(kept)])
    units = [example.units for example in examples]
    labels, valid = _collate_labels(examples, max(units))
    words = None
    if examples[0].words is not None:
        words = torch.from_numpy(_padded([each.words for each in examples], max(lengths), max(units)))
    return Batch(
        torch.from_numpy(input_ids),
        torch.from_numpy((np.arange(width) <= ends[:, None]).astype(np.int64)),
        torch.from_numpy(np.repeat(np.arange(len(spans)), list(map(len, spans)))),
        torch.from_numpy(_padded(places, max(lengths), 0)),
        labels,
        units,
        valid,
        len(rows) > len(examples),
        [example.source for example in examples],
        sum(lengths),
        words,
        examples[0].task,
        int(ends.min()) + 1 < width,
        widths=(ends + 1).tolist(),
    )


def _padded(rows: Sequence[Sequence[int]], width: int, fill: int) -> np.ndarray:
    """Rows of unequal lengths as one array, filled up at their ends."""
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    padded = np.full((len(rows), width), fill, np.int64)
    padded[np.arange(width) < lengths[:, None]] = np.fromiter(chain.from_iterable(rows), np.int64, lengths.sum())
    return padded


def _collate_labels(examples: Sequence[Encoded], length: int) -> tuple[Tensor | None, int]:
    gold = [example.labels for example in examples]
    if any(labels is None for labels in gold):
        return None, 0
    if isinstance(gold[0], int):
        return torch.tensor(gold), len(gold)
    padded = _padded(gold, length, IGNORED)
    return torch.from_numpy(padded), int((padded != IGNORED).sum())


class Buckets(Sequence[list[int]]):
    """Batches of example numbers; they are made when they are needed, so that ten million examples fit.

    Args:
        order: all example numbers, batch behind batch.
        bounds: ``(batches, 2)``, where in ``order`` each batch begins and ends.
    """

    def __init__(self, order: np.ndarray, bounds: np.ndarray):
        self._order, self._bounds = order, bounds

    def __len__(self) -> int:
        return len(self._bounds)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self._order[start:end].tolist() for start, end in self._bounds[index]]
        start, end = self._bounds[index]
        return self._order[start:end].tolist()


def length_buckets(
    lengths: Sequence[int] | np.ndarray,
    *,
    batch_size: int,
    max_tokens: int,
    max_length: int = 512,
    shuffle: tuple[int, int] | None = None,
) -> Buckets:
    """Group example numbers into batches of like length under a token budget.

    A batch holds at most ``batch_size`` examples and at most ``max_tokens`` computed tokens, padding included; an
    example that alone exceeds the budget is a batch of its own. ``shuffle=(seed, epoch)`` draws the batches at random:
    lengths are jittered by up to a tenth before sorting (a twentieth, if there are MANY), so that neighbours change,
    and the batches are shuffled. Without it they come in order of length. A row of an example has at most
    ``max_length`` tokens; a longer example counts with all its windows.
    """
    lengths = np.asarray(lengths, dtype=np.int64)
    widest = np.minimum(lengths + 2, max_length)
    keys = widest.astype(np.float64)
    rng = random.Random(f"batches-{shuffle[0]}-{shuffle[1]}") if shuffle else None
    if rng:
        most = 1 + (JITTER_OF_FEW if len(keys) < MANY else JITTER_OF_MANY)
        keys *= np.fromiter((rng.uniform(1.0, most) for _ in range(len(keys))), np.float64, len(keys))
    order = np.argsort(keys, kind="stable").astype(np.int32)
    del keys
    starts: list[int] = []
    size = width = rows = 0  # of the last batch
    for first in range(0, len(order), _SLICE):
        part = order[first : first + _SLICE]
        for place, (wide, count) in enumerate(
            zip(widest[part].tolist(), _window_counts(lengths[part], max_length - 2).tolist(), strict=True), first
        ):
            width, rows, size = max(width, wide), rows + count, size + 1
            if size > batch_size or rows * width > max_tokens or not starts:
                starts.append(place)
                size, width, rows = 1, wide, count
    places = list(range(len(starts)))
    if rng:
        rng.shuffle(places)
    bounds = np.array([starts, [*starts[1:], len(order)][: len(starts)]], dtype=np.int64).T
    return Buckets(order, bounds[places])


def _window_counts(lengths: np.ndarray, size: int) -> np.ndarray:
    """``len(windows(length, size))`` of each length."""
    stride = size // 2
    return np.where(lengths <= size, 1, 1 - (size - lengths) // stride)
