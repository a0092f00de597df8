"""A classifier of marked sentences: entity markers around head and tail, the class from [CLS].

Baldini Soares et al. 2019, "Matching the Blanks", compare what may represent a pair; of their variants this is entity
markers with [CLS], because HanLP's classifier reads [CLS]: an export of this model is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from hanlp_tutor.core.batching import Batch, Encoded
from hanlp_tutor.core.model import ClassificationModel
from hanlp_tutor.data.marking import choose_markers
from hanlp_tutor.data.relations import RelationText, negative_class
from hanlp_tutor.encoders import POSITIONS, Encoder
from hanlp_tutor.errors import EncoderError
from hanlp_tutor.relations.reading import ReadsPairs


class RelationModel(ReadsPairs, ClassificationModel):
    """The relation between two marked entities of a text.

    A Predictor takes pairs: ``{"head", "tail", "text"}``, ``(head, tail, text)``, a
    :class:`~hanlp_tutor.data.relations.RelationText`, as strings that object in JSON or those columns with tabs
    between, or a marked text as a plain classifier gets it. It answers
    ``{"text", "head", "tail", "relation", "score"}``; the score is the probability of the relation. Of a text that is
    longer than the encoder's window the part around head and tail is read, and the answer has ``"cut": True``.
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

    def encode(self, example: RelationText | str) -> Encoded:
        if isinstance(example, str):
            return super().encode(example)
        ids = self.ids_of(example)
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
        cut = [each if len(each.ids) <= size else replace(each, ids=self.within(each.ids, size)) for each in examples]
        return super().collate(cut, max_length=max_length)

    def answer(self, texts: Sequence[RelationText], states: Tensor, batch: Batch) -> list[dict[str, Any]]:
        answers = super().answer(texts, states, batch)
        return [self.said(pair, each["label"], each["score"]) for pair, each in zip(texts, answers, strict=True)]

    def _keeps(self, character: str) -> bool:
        """Whether a character is one token, and the same one, wherever it stands."""
        token = self.tokenizer.convert_tokens_to_ids(character)
        contexts = (f"中{character}国", f"A{character}b", f"{character}1", f"。{character}")
        return token != self.text_encoder.unk_id and all(
            self.text_encoder.whole(text).count(token) == 1 for text in contexts
        )
