"""Where an entity begins and ends to the eye: never in white space or in a character that nobody sees.

A tagger reads a blank as the token that stands for everything unknown, a rare surname among it, and so takes one into
an entity now and then. Inside of an entity a blank is text (``Li Ming``); at its edges it is a fault, and every
prediction of the kit is cut there: in evaluation, in service, in calibration.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from hanlp_tutor.data.schemes import Span, spans_from_bio

# Unicode's white space (Z), controls (Cc), and what only formats (Cf): zero-width spaces, marks of direction, BOM
UNSEEN = {"Zs", "Zl", "Zp", "Cc", "Cf"}
# Letters and symbols without a shape (Hangul fillers, Khmer vowels that are never written, the blank of Braille), and
# what only chooses the shape of the sign before it
SHAPELESS = frozenset("\u115f\u1160\u3164\uffa0\u17b4\u17b5\u2800\u034f\u180b\u180c\u180d\u180f"
                       + "".join(map(chr, range(0xFE00, 0xFE10))))  # fmt: skip
# Which of two forms the ideograph before them has: a name may end in one, but none begins with it
_VARIANTS = ("\U000e0100", "\U000e01ef")


@lru_cache(maxsize=1 << 16)
def is_blank(token: str) -> bool:
    """Whether nothing of a character, or of a word, is seen."""
    return all(unicodedata.category(c) in UNSEEN or c in SHAPELESS for c in token)


def without_blank_edges(tokens: Sequence[str], start: int, end: int) -> tuple[int, int]:
    """What is seen of ``tokens[start:end]``: its offsets; start and end are equal where nothing is.

    Args:
        tokens: a text, or a list of characters or words.

    >>> without_blank_edges("  Li Ming ", 1, 10)
    (2, 9)
    """
    while start < end and (is_blank(tokens[start]) or _VARIANTS[0] <= tokens[start][:1] <= _VARIANTS[1]):
        start += 1
    while start < end and is_blank(tokens[end - 1]):
        end -= 1
    return start, end


def visible_spans(tags: Sequence[str], tokens: Sequence[str]) -> list[Span]:
    """The entities that predicted BIO tags mean, in order, without blank edges; those that are blank alone are none.

    Args:
        tags: one a token.
        tokens: a text, or a list of characters or words; the offsets count these.
    """
    spans = []
    for span in spans_from_bio(tags):
        start, end = without_blank_edges(tokens, span.start, span.end)
        if start < end:
            spans.append(Span(start, end, span.label))
    return spans
