"""Texts that are nearly the same: Jaccard similarity of their character 5-grams at least 0.8.

Comparing all pairs of 20,000 texts would take an hour. But two texts that share so much share one of their *rarest*
grams too: of n grams at least 0.8 n are common to both, so these cannot all lie outside the n - 0.8 n + 1 rarest
(prefix filtering: Chaudhuri, Ganti and Kaushik 2006; Bayardo, Ma and Srikant 2007, "Scaling Up All Pairs Similarity
Search"). Only such pairs are compared, so every near pair is found, and nothing else.

What five characters see: one substituted character changes five 5-grams, so it takes a text of 49 characters to stay at
0.8 with one of them, and twice that with two far apart. Case, width (NFKC) and white space are no difference.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from hanlp_tutor.errors import ConfigError

GRAM = 5
THRESHOLD = 0.8


def normalised(text: str) -> str:
    """What is compared: NFKC, casefolded, without white space."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def similarity(one: str, other: str) -> float:
    """Jaccard similarity of the 5-grams of two texts, from 0 to 1; a shorter text is one gram."""
    return _jaccard(_grams(normalised(one)), _grams(normalised(other)))


class NearTexts:
    """Texts ready to be compared; all results are their indices.

    Args:
        texts: any strings; those without a visible character are near to nothing.
        threshold: the least similarity that counts as near, above 0 and up to 1; the lower, the longer it takes.

    Raises:
        ConfigError: another threshold.
    """

    def __init__(self, texts: Iterable[str], *, threshold: float = THRESHOLD):
        if not 0 < threshold <= 1:
            raise ConfigError(f"the threshold of near duplicates is above 0 and at most 1, not {threshold}.")
        self.threshold = threshold
        self._texts = [normalised(text) for text in texts]
        distinct = dict.fromkeys(text for text in self._texts if text)
        often = Counter(gram for text in distinct for gram in _grams(text))
        self._rarest = {text: self._rarest_grams(text, often) for text in distinct}

    def clusters(self, members: Sequence[int] | None = None) -> list[list[int]]:
        """Groups of two and more that are connected by near pairs, in order of appearance.

        Args:
            members: the texts to group; None: all.
        """
        from scipy.cluster.hierarchy import DisjointSet

        members = range(len(self._texts)) if members is None else members
        index, connected = defaultdict(list), DisjointSet()
        for text in dict.fromkeys(self._texts[i] for i in members if self._texts[i]):
            connected.add(text)
            grams = _grams(text)
            for other in self._proposed(text, index):
                if not connected.connected(text, other) and _jaccard(grams, _grams(other)) >= self.threshold:
                    connected.merge(text, other)
            self._insert(text, index)
        groups: dict[str, list[int]] = {}
        for i in members:
            if self._texts[i]:
                groups.setdefault(connected[self._texts[i]], []).append(i)
        return [group for group in groups.values() if len(group) > 1]

    def counterparts(self, members: Sequence[int], others: Sequence[int]) -> dict[int, tuple[int, float]]:
        """For each member that is near to one of the others, that other (the nearest of them) and the similarity."""
        index, first = defaultdict(list), {}
        for i in others:
            text = self._texts[i]
            if text and text not in first:
                first[text] = i
                self._insert(text, index)
        found = {}
        for i in members:
            text = self._texts[i]
            if text in first:
                found[i] = (first[text], 1.0)
            elif text:
                grams = _grams(text)
                scores = [(_jaccard(grams, _grams(other)), -first[other]) for other in self._proposed(text, index)]
                best, place = max(scores, default=(0.0, 0))
                if best >= self.threshold:
                    found[i] = (-place, best)
        return found

    def _rarest_grams(self, text: str, often: Counter[str]) -> list[str]:
        """Of n grams the n - ceil(threshold n) + 1 that stand in the fewest texts."""
        grams = sorted(_grams(text), key=lambda gram: (often[gram], gram))
        shared = math.ceil(self.threshold * len(grams) - 1e-9)  # 0.7 · 30 is not to become 22 by rounding
        return grams[: len(grams) - shared + 1]

    def _insert(self, text: str, index: dict[str, list[str]]) -> None:
        for gram in self._rarest[text]:
            index[gram].append(text)

    def _proposed(self, text: str, index: dict[str, list[str]]) -> set[str]:
        """The texts of the index that may be near: they have one of the rarest grams in common."""
        return {other for gram in self._rarest[text] for other in index[gram]}


def _grams(text: str) -> set[str]:
    return {text[i : i + GRAM] for i in range(max(1, len(text) - GRAM + 1))}


def _jaccard(one: set[str], other: set[str]) -> float:
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)
