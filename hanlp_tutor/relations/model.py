"""A classifier of marked sentences: entity markers around head and tail, the class from [CLS].

Baldini Soares et al. 2019, "Matching the Blanks", compare what may represent a pair; of their variants this is entity
markers with [CLS], because HanLP's classifier reads [CLS]: an export of this model is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from torch import Tensor

from hanlp_tutor.core.batching import Batch, Encoded
from hanlp_tutor.core.model import ClassificationModel
from hanlp_tutor.data.marking import choose_markers, mark, unmark
from hanlp_tutor.data.relation_files import parse_pair
from hanlp_tutor.data.relations import RelationText, negative_class, pair_from
from hanlp_tutor.data.windows import around
from hanlp_tutor.encoders import POSITIONS, Encoder
from hanlp_tutor.errors import DataError, EncoderError, InputError


class RelationModel(ClassificationModel):
    """The relation between two marked entities of a text.

    A Predictor takes pairs: ``{"head", "tail", "text"}``, ``(head, tail, text)``, a
    :class:`~hanlp_tutor.data.relations.RelationText`, as strings that object in JSON or those columns with tabs
    between, or a marked text as a plain classifier gets it. It answers
    ``{"text", "head", "tail", "relation", "score"}``; the score is the probability of the relation. Of a text that is
    longer than the encoder's window the part around head and tail is read, and the answer has ``"cut": True``.

    Attributes:
        extra: ``markers``, the four characters; ``negative``, the relation that means none, or None; ``type_pairs``,
            the types between which training had a relation, or None where it knew no types.
    """

    task = "relation"
    takes = '{"head": ..., "tail": ..., "text": ...}'

    def __init__(self, encoder: Encoder, labels: Sequence[str], **options: Any):
        super().__init__(encoder, labels, **options)
        markers = choose_markers(self._keeps)
        if markers is None:
            raise EncoderError(
                f"{encoder.name}: its vocabulary lacks brackets to mark two entities with, such as 「」 and 『』. Take "
                "another encoder."
            )
        negative = negative_class(dict.fromkeys(labels, 1))
        self.extra.update(markers=markers, negative=negative, type_pairs=None)

    @property
    def negative(self) -> str | None:
        """The relation that means none."""
        return self.extra["negative"]

    def may_relate(self, pair: RelationText) -> bool:
        """Whether training had a relation between the types of a pair; of one without types nothing is known."""
        pairs = self.extra["type_pairs"]
        return pairs is None or pair.types is None or list(pair.types) in pairs

    def marked(self, pair: RelationText) -> str:
        """The text of a pair with its four markers: what the model reads, and what its export is to be given."""
        head, tail = pair.spans
        return mark(pair.text, (head.start, head.end), (tail.start, tail.end), self.extra["markers"])

    def is_longer(self, pair: RelationText) -> bool:
        """Whether the marked text is more than one window, so that a part of it is read."""
        size = self.window - 2
        return len(pair.text) + 4 > size and len(self.encode_input(pair).ids) > size

    def encode(self, example: RelationText | str) -> Encoded:
        if isinstance(example, str):
            return super().encode(example)
        ids = self.text_encoder.whole(self.marked(example))
        if example.relation is None:
            return Encoded(ids, None, example.source)
        if example.relation not in self._label_ids:
            raise self.unknown_label(example.relation, example.source)
        return Encoded(ids, self._label_ids[example.relation], example.source)

    def encode_input(self, example: RelationText) -> Encoded:
        return self.encode(replace(example, relation=None))

    def collate(self, examples: Sequence[Encoded], *, max_length: int = POSITIONS) -> Batch:
        """As for every model, but a text that is too long is cut to one window, with both entities in it."""
        size = min(max_length, self.window) - 2
        cut = [each if len(each.ids) <= size else replace(each, ids=self._around(each.ids, size)) for each in examples]
        return super().collate(cut, max_length=max_length)

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

    def answer(self, texts: Sequence[RelationText], states: Tensor, batch: Batch) -> list[dict[str, Any]]:
        answers = super().answer(texts, states, batch)
        return [
            {
                "text": pair.text,
                "head": pair.head,
                "tail": pair.tail,
                "relation": found["label"],
                "score": found["score"],
                **({"cut": True} if self.is_longer(pair) else {}),
            }
            for pair, found in zip(texts, answers, strict=True)
        ]

    def _around(self, ids: list[int], size: int) -> list[int]:
        places = [place for place, token in enumerate(ids) if token in self._marker_ids]
        return [token for start, end in around(places, len(ids), size) for token in ids[start:end]]

    @cached_property
    def _marker_ids(self) -> frozenset[int]:
        return frozenset(self.tokenizer.convert_tokens_to_ids(list(self.extra["markers"])))

    def _keeps(self, character: str) -> bool:
        """Whether a character is one token, and the same one, wherever it stands."""
        token = self.tokenizer.convert_tokens_to_ids(character)
        contexts = (f"中{character}国", f"A{character}b", f"{character}1", f"。{character}")
        return token != self.text_encoder.unk_id and all(
            self.text_encoder.whole(text).count(token) == 1 for text in contexts
        )
