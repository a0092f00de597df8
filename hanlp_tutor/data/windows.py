"""What of a text an encoder reads at once: windows that overlap, or one around what matters."""

from __future__ import annotations

from collections.abc import Sequence


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


def around(places: Sequence[int], length: int, size: int) -> list[tuple[int, int]]:
    """What of a sequence that is too long is kept: ``size`` elements around certain places, in one part or in two.

    >>> around([40, 44, 50, 53], 100, 30)
    [(32, 62)]
    >>> around([10, 14, 80, 83], 100, 30)
    [(10, 25), (69, 84)]

    Args:
        places: of the markers.
        length: of the sequence.
        size: that may be kept.

    Returns:
        Half-open parts: one with as much on both sides, moved where it would stick out; where first and last place are
        too far apart for one, what follows the first and what precedes the last, half of ``size`` each.
    """
    if length <= size:
        return [(0, length)]
    first, last = min(places, default=0), max(places, default=0) + 1
    if last - first > size:
        return [(first, first + size // 2), (last - (size - size // 2), last)]
    start = min(max(0, first - (size - (last - first)) // 2), length - size)
    return [(start, start + size)]
