"""Why a newspaper is split in blocks: how near the same names stand, and how many leak into a test set."""

from __future__ import annotations

from collections.abc import Sequence

from hanlp_tutor.corpora import Corpus
from hanlp_tutor.data import Split, TaggedText


def in_file_order(corpus: Corpus) -> list[TaggedText]:
    """All lines of a corpus as the newspaper printed them, by the line number of their source."""
    lines = [*corpus.train, *corpus.dev, *corpus.test]
    return sorted(lines, key=lambda example: int(example.source.rpartition(":")[2]))


def recurrence(lines: Sequence[TaggedText], distance: int, label: str = "PER") -> float:
    """The probability that a name of a line stands in the line ``distance`` further on as well.

    The last lines are followed by the first. 0 without any name.
    """
    names = [{e.text[s.start : s.end] for s in e.spans if s.label == label} for e in lines]
    total = sum(map(len, names))
    again = sum(len(here & names[(i + distance) % len(names)]) for i, here in enumerate(names))
    return again / total if total else 0.0


def known_share(split: Split[TaggedText]) -> float:
    """The share of the test set's entities whose string occurs as an entity in the training set."""
    known = {e.text[s.start : s.end] for e in split.train for s in e.spans}
    wanted = [e.text[s.start : s.end] for e in split.test for s in e.spans]
    return sum(name in known for name in wanted) / len(wanted) if wanted else 0.0
