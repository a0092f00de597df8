"""Windows (滑动窗口): how a text that is longer than an encoder's positions is read, in training and service."""

from __future__ import annotations


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
