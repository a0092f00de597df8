"""The text that OCR read laid beside the text that was printed: where gold spans are now, and how much was misread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from unicodedata import normalize

from hanlp_tutor.data.schemes import Span
from hanlp_tutor.extras import needs


class Landed(NamedTuple):
    """A gold span on the text that was read.

    Args:
        gold: on the printed text.
        span: on the text read; None where nothing of it was read.
        intact: every character was read as it was printed, its width too, and none came between.
    """

    gold: Span
    span: Span | None
    intact: bool


def error_rate(printed: str, read: str) -> float:
    """Character error rate (字符错误率): the least number of edits from one to the other, over the printed characters.

    White space does not count: where a line ends is a matter of layout. Nor does the width of a sign, such as ： for :,
    which is a matter of spelling: both texts are compared in Unicode's form NFKC. What was read beside what was
    printed, such as a stamp, counts as inserted.
    """
    printed, read = (_plain(normalize("NFKC", text)) for text in (printed, read))
    return _edits().distance(printed, read) / max(len(printed), 1)


def land(spans: Iterable[Span], printed: str, read: str) -> list[Landed]:
    """Carry gold spans over to the text that was read, along the shortest edit between the two texts.

    Args:
        spans: of ``printed``, in any order.
        printed, read: both in reading order.
    """
    before, after = _places(printed, read)
    found = []
    for gold in spans:
        start, end = before[gold.start], after[gold.end - 1]
        span = Span(start, end, gold.label) if start < end else None
        same = span is not None and _plain(printed[gold.start : gold.end]) == _plain(read[start:end])
        found.append(Landed(gold, span, same))
    return found


def _places(printed: str, read: str) -> tuple[list[int], list[int]]:
    """Of each printed character where what was read for it begins and ends; equal where nothing was."""
    before, after = [0] * len(printed), [0] * len(printed)
    for what, start, end, to, _ in _edits().opcodes(printed, read):
        for i in range(start, end):
            before[i] = to + (i - start if what != "delete" else 0)
            after[i] = before[i] + (what != "delete")
    return before, after


def _plain(text: str) -> str:
    return "".join(text.split())


def _edits():
    return needs("rapidfuzz.distance.Levenshtein", "Aligning what was read")


def split_errors(landed: Sequence[Landed], found: Iterable[Span]) -> dict[str, int]:
    """How gold entities end: ``right``, ``misread`` (an error of the OCR), ``missed`` (read, an error of the model).

    Args:
        landed: the gold spans of a page on the text read.
        found: what a model found on that text; an entity counts if its ends and its label agree.

    Returns:
        The three counts, and ``invented``: found spans that are no gold entity.
    """
    found = set(found)
    counts = {"right": 0, "misread": 0, "missed": 0}
    for each in landed:
        counts["misread" if not each.intact else "right" if each.span in found else "missed"] += 1
    return {**counts, "invented": len(found - {each.span for each in landed})}
