"""How a model of relations reads a pair and says what it found: all of it that needs no torch.

:class:`~hanlp_tutor.relations.model.RelationModel` reads so, and its export to ONNX
(:mod:`hanlp_tutor.serving.onnx_predictor`) by the same lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hanlp_tutor.data.characters import TextEncoder
from hanlp_tutor.data.marking import mark, unmark
from hanlp_tutor.data.relation_files import parse_pair
from hanlp_tutor.data.relations import RelationText, pair_from
from hanlp_tutor.data.windows import around
from hanlp_tutor.errors import DataError, InputError


class ReadsPairs:
    """From a pair to token ids, and from a class to an answer.

    Attributes:
        text_encoder: of the model.
        window: of its encoder, in tokens, [CLS] and [SEP] included.
        extra: ``markers``, the four characters; ``negative``, the relation that means none, or None; ``type_pairs``,
            the types between which training had a relation, or None where it knew no types.
    """

    text_encoder: TextEncoder
    window: int
    extra: dict[str, Any]

    @property
    def negative(self) -> str | None:
        """The relation that means none."""
        return self.extra["negative"]

    def may_relate(self, pair: RelationText) -> bool:
        """Whether training had a relation between the types of a pair; of one without types nothing is known."""
        pairs = self.extra["type_pairs"]
        return pairs is None or pair.types is None or list(pair.types) in pairs

    def as_input(self, given: Any) -> RelationText:
        """A pair.

        Raises:
            InputError: no pair; a head or tail that does not stand in its text.
        """
        found = unmark(given, self.extra["markers"]) if isinstance(given, str) else None
        if found is not None:
            text, head, tail = found
            given = {"head": text[slice(*head)], "tail": text[slice(*tail)], "text": text, "starts": (head[0], tail[0])}
        try:
            return parse_pair(given) if isinstance(given, str) else pair_from(given)
        except DataError as error:
            raise InputError(f"{error.message} {error.remedy or ''}".strip()) from None

    def marked(self, pair: RelationText) -> str:
        """The text of a pair with its four markers: what the model reads, and what its export is to be given."""
        head, tail = pair.spans
        return mark(pair.text, (head.start, head.end), (tail.start, tail.end), self.extra["markers"])

    def ids_of(self, pair: RelationText) -> list[int]:
        """The token ids of the marked text, however long, without [CLS] and [SEP]."""
        return self.text_encoder.whole(self.marked(pair))

    def is_longer(self, pair: RelationText) -> bool:
        """Whether the marked text is more than one window, so that a part of it is read."""
        size = self.window - 2
        # a tokenizer takes a character apart into four at most (NFD), so a short text need not be read twice
        return 4 * len(pair.text) + 4 > size and len(self.ids_of(pair)) > size

    def within(self, ids: list[int], size: int) -> list[int]:
        """At most ``size`` of the ids, those around the markers."""
        if len(ids) <= size:
            return ids
        places = [place for place, token in enumerate(ids) if token in self._marker_ids]
        return [token for start, end in around(places, len(ids), size) for token in ids[start:end]]

    def said(self, pair: RelationText, relation: str, score: float) -> dict[str, Any]:
        """The answer to a pair, as ``predict`` returns it."""
        cut = {"cut": True} if self.is_longer(pair) else {}
        return {"text": pair.text, "head": pair.head, "tail": pair.tail, "relation": relation, "score": score, **cut}

    @cached_property
    def _marker_ids(self) -> frozenset[int]:
        return frozenset(self.text_encoder.tokenizer.convert_tokens_to_ids(list(self.extra["markers"])))


@dataclass
class PairReader(ReadsPairs):
    """The same beside a model without torch."""

    text_encoder: TextEncoder
    window: int
    extra: dict[str, Any]
