"""Batches: examples of like length side by side, so that hardly any padding (填充) is computed.

Random batches of Chinese sentences waste two thirds of the computed tokens on padding; buckets by length waste a few
per cent. Order and membership are drawn anew each epoch from (seed, epoch) alone, so that a resumed run continues in
the middle of an epoch with the same batches.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

IGNORED = -100  # the label of padding; PyTorch's own default for "no loss here"


@dataclass(frozen=True, slots=True)
class Encoded:
    """One example as numbers.

    ``ids`` are token ids without [CLS] and [SEP]; ``labels`` one class per token (tagging), one class for the example
    (classification), or None when there is no gold; ``source`` is "file:line" of the example.
    """

    ids: list[int]
    labels: list[int] | int | None
    source: str


@dataclass
class Batch:
    """A padded micro-batch of B examples in W windows; W = B unless a text is longer than a window.

    Shapes: ``input_ids`` and ``attention_mask`` (W, T) with [CLS] and [SEP]; ``owner`` (W,) the example that a window
    belongs to; ``token_index`` (B, L) where in the flattened (W·T) encoder output each token of an example is read;
    ``labels`` (B, L) with IGNORED at padding, or (B,). ``valid`` counts the tokens (tagging) or examples
    (classification) that carry a loss; it is a plain int, so that knowing it costs no device synchronisation.
    """

    input_ids: Tensor
    attention_mask: Tensor
    owner: Tensor
    token_index: Tensor
    labels: Tensor | None
    lengths: list[int]
    valid: int
    windowed: bool
    sources: list[str]

    def to(self, device: torch.device) -> Batch:
        """Copy the tensors to a device, without waiting for it."""
        moved = {f.name: getattr(self, f.name) for f in fields(self)}
        for name, value in moved.items():
            if isinstance(value, Tensor):
                moved[name] = value.to(device, non_blocking=True)
        return Batch(**moved)


def windows(length: int, size: int) -> list[tuple[int, int]]:
    """Half-open spans that cover ``length`` tokens, each at most ``size`` long, neighbours overlapping by half.

    >>> windows(10, 4)
    [(0, 4), (2, 6), (4, 8), (6, 10)]
    """
    if length <= size:
        return [(0, length)]
    stride = size // 2
    spans = []
    for start in range(0, length, stride):
        spans.append((start, min(start + size, length)))
        if start + size >= length:
            break
    return spans


def window_of(token: int, count: int, size: int) -> int:
    """Which of ``count`` windows a token is read from: the one in whose middle it lies, for context on both sides.

    The same choice as HanLP's ``restore_from_sliding_window``, so that an exported model reads long texts as we do.
    """
    stride = size // 2
    return min(max(token - stride // 2, 0) // stride, count - 1)


def collate(examples: Sequence[Encoded], *, window: int, cls_id: int, sep_id: int, pad_id: int) -> Batch:
    """Pad examples to a batch; ``window`` is the longest row in tokens, [CLS] and [SEP] included."""
    size = window - 2
    rows: list[list[int]] = []
    owner: list[int] = []
    places: list[list[tuple[int, int]]] = []  # of each token: its row and column
    for number, example in enumerate(examples):
        spans = windows(len(example.ids), size)
        first = len(rows)
        for start, end in spans:
            rows.append([cls_id, *example.ids[start:end], sep_id])
            owner.append(number)
        kept = [window_of(i, len(spans), size) for i in range(len(example.ids))]
        places.append([(first + k, 1 + i - spans[k][0]) for i, k in enumerate(kept)])
    width = max(map(len, rows))
    length = max(len(example.ids) for example in examples)
    input_ids = torch.tensor([row + [pad_id] * (width - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    index = torch.tensor(
        [[row * width + column for row, column in place] + [0] * (length - len(place)) for place in places],
        dtype=torch.long,  # not what an empty list would give
    )
    labels, valid = _collate_labels(examples, length)
    return Batch(
        input_ids,
        mask,
        torch.tensor(owner),
        index.reshape(len(examples), length),
        labels,
        [len(example.ids) for example in examples],
        valid,
        len(rows) > len(examples),
        [example.source for example in examples],
    )


def _collate_labels(examples: Sequence[Encoded], length: int) -> tuple[Tensor | None, int]:
    gold = [example.labels for example in examples]
    if any(labels is None for labels in gold):
        return None, 0
    if isinstance(gold[0], int):
        return torch.tensor(gold), len(gold)
    padded = [labels + [IGNORED] * (length - len(labels)) for labels in gold]
    return torch.tensor(padded, dtype=torch.long), sum(label != IGNORED for labels in gold for label in labels)


def length_buckets(
    lengths: Sequence[int],
    *,
    batch_size: int,
    max_tokens: int,
    window: int = 512,
    shuffle: tuple[int, int] | None = None,
) -> list[list[int]]:
    """Group example numbers into batches of like length under a token budget.

    A batch holds at most ``batch_size`` examples and at most ``max_tokens`` computed tokens, padding included; an
    example that alone exceeds the budget is a batch of its own. ``shuffle=(seed, epoch)`` draws the batches at random:
    lengths are jittered by up to a tenth before sorting, so that neighbours change, and the batches are shuffled.
    Without it they come in order of length.
    """
    counts = [len(windows(length, window - 2)) for length in lengths]
    widest = [min(length + 2, window) for length in lengths]
    rng = random.Random(f"batches-{shuffle[0]}-{shuffle[1]}") if shuffle else None
    jitter = [rng.uniform(1.0, 1.1) if rng else 1.0 for _ in lengths]
    order = sorted(range(len(lengths)), key=lambda i: (widest[i] * jitter[i], i))
    batches: list[list[int]] = []
    width = rows = 0
    for i in order:
        wider = max(width, widest[i])
        if not batches or len(batches[-1]) >= batch_size or (rows + counts[i]) * wider > max_tokens:
            batches.append([])
            rows, wider = 0, widest[i]
        batches[-1].append(i)
        width, rows = wider, rows + counts[i]
    if rng:
        rng.shuffle(batches)
    return batches
