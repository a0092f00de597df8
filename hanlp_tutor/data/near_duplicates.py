"""Texts that are nearly the same: Jaccard similarity of their character 5-grams at least 0.8.

Comparing all pairs of 20,000 texts would take an hour. MinHash sketches in bands of a locality-sensitive hash (Broder
1997; Leskovec, Rajaraman and Ullman, *Mining of Massive Datasets*, chapter 3), by datasketch, propose the few pairs
that may be near; each is then verified on the texts themselves, so nothing is called near that is not.

What five characters see: one substituted character changes five 5-grams, so it takes a text of 49 characters to stay at
0.8 with one of them, and twice that with two far apart. Case, width (NFKC) and white space are no difference.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from hanlp_tutor.errors import ConfigError

GRAM = 5
THRESHOLD = 0.8
# A pair at Jaccard J shares at least one of 25 bands of 5 rows with probability 1 - (1 - J**5)**25: 0.99995 at 0.8,
# 0.99 at 0.7, 0.55 at 0.5.
_BANDS, _ROWS = 25, 5
_LEAST_THRESHOLD = 0.7


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
        threshold: the least similarity that counts as near, from 0.7 to 1.

    Raises:
        ConfigError: another threshold: below 0.7 the sketches miss too much.
    """

    def __init__(self, texts: Iterable[str], *, threshold: float = THRESHOLD):
        if not _LEAST_THRESHOLD <= threshold <= 1:
            raise ConfigError(f"the threshold of near duplicates is from {_LEAST_THRESHOLD} to 1, not {threshold}.")
        from datasketch import MinHash

        self.threshold = threshold
        self._texts = [normalised(text) for text in texts]
        self._distinct = {text: None for text in self._texts if text}  # in order of appearance
        blank = MinHash(num_perm=_BANDS * _ROWS)
        for text in self._distinct:
            sketch = blank.copy()
            sketch.update_batch([gram.encode("utf-8", "surrogatepass") for gram in _grams(text)])
            self._distinct[text] = sketch

    def clusters(self, members: Sequence[int] | None = None) -> list[list[int]]:
        """Groups of two and more that are connected by near pairs, in order of appearance.

        Args:
            members: the texts to group; None: all.
        """
        members = range(len(self._texts)) if members is None else members
        index, parent = self._index(), {}
        for text in dict.fromkeys(self._texts[i] for i in members if self._texts[i]):
            parent[text] = text
            grams = _grams(text)
            for other in index.query(self._distinct[text]):
                root = _root(parent, other)
                if root != parent[text] and _jaccard(grams, _grams(other)) >= self.threshold:
                    # the older root stays, so that a chain never forms a circle
                    parent[parent[text]] = parent[text] = root
            index.insert(text, self._distinct[text], check_duplication=False)
        groups: dict[str, list[int]] = {}
        for i in members:
            if self._texts[i]:
                groups.setdefault(_root(parent, self._texts[i]), []).append(i)
        return [group for group in groups.values() if len(group) > 1]

    def counterparts(self, members: Sequence[int], others: Sequence[int]) -> dict[int, tuple[int, float]]:
        """For each member that is near to one of the others, that other (the nearest of them) and the similarity."""
        index, first = self._index(), {}
        for i in others:
            text = self._texts[i]
            if text and text not in first:
                first[text] = i
                index.insert(text, self._distinct[text], check_duplication=False)
        found = {}
        for i in members:
            text = self._texts[i]
            if text in first:
                found[i] = (first[text], 1.0)
            elif text:
                grams, proposed = _grams(text), index.query(self._distinct[text])
                scores = [(_jaccard(grams, _grams(other)), -first[other]) for other in proposed]
                best, place = max(scores, default=(0.0, 0))
                if best >= self.threshold:
                    found[i] = (-place, best)
        return found

    def _index(self):
        from datasketch import MinHashLSH

        return MinHashLSH(num_perm=_BANDS * _ROWS, params=(_BANDS, _ROWS))


def _grams(text: str) -> set[str]:
    return {text[i : i + GRAM] for i in range(max(1, len(text) - GRAM + 1))}


def _jaccard(one: set[str], other: set[str]) -> float:
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)


def _root(parent: dict[str, str], text: str) -> str:
    while parent[text] != text:
        parent[text] = text = parent[parent[text]]
    return text
