"""What the kit learns from: a text with one tag per character, or a text with one label."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from hanlp_tutor.data.schemes import Span, spans_from_bio
from hanlp_tutor.errors import DataError

__all__ = ["LabelledText", "Span", "TaggedText", "fingerprint", "gold_counts"]


@dataclass(frozen=True)
class TaggedText:
    """A text and its BIO tags, exactly one per Unicode code point.

    Args:
        text: any string; white space is text like everything else.
        tags: ``O``, ``B-X`` or ``I-X``.
        source: where it comes from, ``file:line`` of its first token; no part of its identity.

    Raises:
        DataError: the numbers of tags and code points differ, or a tag is not BIO.
    """

    text: str
    tags: tuple[str, ...]
    source: str = field(default="", compare=False)
    group: str = field(default="", compare=False, kw_only=True)  # so that no field of a subclass moves behind it

    def __post_init__(self) -> None:
        object.__setattr__(self, "tags", tuple(self.tags))
        if len(self.tags) != len(self.text):
            raise DataError(
                f"{len(self.text)} characters have {len(self.tags)} tags.",
                path=self.source or None,
                remedy="Give each Unicode code point exactly one tag.",
            )
        for tag in set(self.tags):
            if tag != "O" and not (tag[:2] in ("B-", "I-") and len(tag) > 2):
                raise DataError(
                    f"{tag!r} is no BIO tag.",
                    path=self.source or None,
                    remedy="Use O, B-X and I-X; to_bio() converts from other schemes.",
                )

    def __len__(self) -> int:
        return len(self.text)

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """The entities in order of appearance."""
        return tuple(spans_from_bio(self.tags))

    @classmethod
    def from_spans(cls, text: str, spans: Iterable[Span], source: str = "", group: str = "") -> TaggedText:
        """Tag ``text`` with entities that lie inside it and do not overlap, in any order.

        Raises:
            DataError: an entity that is empty, unnamed, outside the text, or overlaps another (BIO cannot nest).
        """
        tags = ["O"] * len(text)
        for span in spans:
            if not (0 <= span.start < span.end <= len(text) and span.label):
                raise DataError(f"{span} does not fit into a text of {len(text)} characters.", path=source or None)
            if any(tag != "O" for tag in tags[span.start : span.end]):
                raise DataError(
                    f"{span} overlaps another entity.",
                    path=source or None,
                    remedy="BIO tags hold no nested or overlapping entities: keep one of the two.",
                )
            tags[span.start : span.end] = [f"B-{span.label}"] + [f"I-{span.label}"] * (span.end - span.start - 1)
        return cls(text, tuple(tags), source, group=group)


@dataclass(frozen=True)
class LabelledText:
    """A text and its class; ``source`` as for :class:`TaggedText`.

    Args:
        text: any string.
        label: its class.
        source: where it comes from.
        group: what must not be torn apart by a split, such as the review that several texts are parts of; empty where
            the text stands alone. Like ``source`` no part of its identity.
    """

    text: str
    label: str
    source: str = field(default="", compare=False)
    group: str = field(default="", compare=False)

    def __len__(self) -> int:
        return len(self.text)


def group_of(example: Any) -> str:
    """What an example must not be torn apart from in a split; empty where it stands alone, or its kind has no group."""
    return getattr(example, "group", "")


def gold_counts(examples: Iterable[TaggedText | LabelledText]) -> Counter[str]:
    """How often each tag (of a character) or label (of a text) occurs.

    A large corpus (:mod:`hanlp_tutor.data.large`) has counted when it was prepared: that is taken.
    """
    counted = getattr(examples, "gold_counts", None)
    if counted is not None:
        return counted
    counts: Counter[str] = Counter()
    for example in examples:
        counts.update(_gold_labels(example))
    return counts


def fingerprint(examples: Iterable[TaggedText | LabelledText]) -> str:
    """SHA-256 (hex) of the examples' texts, tags and labels in their order: equal data, equal fingerprint.

    The sources are left out, so that the same file in another folder has the same fingerprint. That of a large corpus
    was taken when it was prepared.
    """
    taken = getattr(examples, "fingerprint", None)
    if taken is not None:
        return taken
    digest = hashlib.sha256()
    for example in examples:
        digest.update(fingerprint_part(example))
    return digest.hexdigest()


def fingerprint_part(example: TaggedText | LabelledText) -> bytes:
    """What one example adds to the bytes that :func:`fingerprint` hashes."""
    text = getattr(example, "segmented", example.text)  # equal text and tags on other words are other data
    given = [type(example).__name__, text, " ".join(_gold_labels(example)), *getattr(example, "given", ())]
    parts = [part.encode("utf-8", "surrogatepass") for part in given]
    # the length keeps ("ab", "c") apart from ("a", "bc")
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)


def _gold_labels(example: Any) -> tuple[str, ...]:
    """What is to be predicted: a tag a character, a label, or what the kind of example says by itself."""
    if isinstance(example, TaggedText):
        return example.tags
    return example.gold_labels if hasattr(example, "gold_labels") else (example.label,)
