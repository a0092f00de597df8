"""Few examples: drawn at random, as many of each class, and short."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace

from hanlp_tutor.data import LabelledText


def cut(texts: Iterable[LabelledText], longest: int) -> list[LabelledText]:
    """The first ``longest`` characters of each text."""
    return [replace(each, text=each.text[:longest]) for each in texts]


def few_of_each(texts: Sequence[LabelledText], size: int, draw: int) -> list[LabelledText]:
    """``size`` texts of each class at random, class after class in the order of their names; all where there are fewer.

    Args:
        texts: to draw from.
        size: of each class.
        draw: its number; the texts of a larger draw of the same number are others.
    """
    dealt, found = random.Random(f"{draw}/{size}"), []
    for label in sorted({each.label for each in texts}):
        of_class = [each for each in texts if each.label == label]
        found += dealt.sample(of_class, min(size, len(of_class)))
    return found
