"""Raw text in; entities with offsets and confidence, or a class, out. Nothing is cut, nothing normalised away.

Offsets count Unicode code points of the very string that was passed, half-open: ``text[start:end]`` is the entity. A
text longer than the encoder's 512 positions is read through windows that overlap by half; each character is read from
the window in whose middle it lies, so an entity across a window's border is found once, with context on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from torch import Tensor

from hanlp_tutor.core.batching import Batch
from hanlp_tutor.core.inference import infer
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.model_folder import load_model
from hanlp_tutor.data.texts import check_list, kind_of
from hanlp_tutor.encoders.layers import evaluating
from hanlp_tutor.errors import InputError


class Predictor:
    """A trained model in service.

    >>> predictor = Predictor.load("runs/05_finetune_ner/001/model")  # doctest: +SKIP
    >>> predictor.predict("张三来了。")  # doctest: +SKIP
    {'text': '张三来了。', 'entities': [{'start': 0, 'end': 2, 'label': 'PER', 'text': '张三', 'score': 0.98}]}
    """

    def __init__(self, model: Model):
        self.model = evaluating(model, model.text_encoder)

    @classmethod
    def load(cls, folder: str | Path, *, device: str = "auto") -> Predictor:
        """Open a model folder that :func:`hanlp_tutor.save_model` wrote, by default on a GPU when there is one.

        Raises:
            ModelError: no such folder, or not a whole one.
        """
        return cls(load_model(folder, device=device))

    def predict(self, text: str) -> dict[str, Any]:
        """The prediction for one text; see :meth:`predict_many`."""
        if self.model.as_input(text) is None:
            takes = f"predict takes {self.model.takes}; this is {kind_of(text)}."
            raise InputError(f"{takes} For several: predict_many(texts).")
        return self.predict_many([text])[0]

    def predict_many(self, texts: Iterable[str]) -> list[dict[str, Any]]:
        """The predictions for many texts, in their order; batched by length inside.

        Returns:
            For ner ``{"text", "entities": [{"start", "end", "label", "text", "score"}]}``. The score of an entity is
            the geometric mean of the probabilities of its tags (marginals, with a CRF): 0.9 means that its
            characters were tagged with probability 0.9 on average, whatever its length. Text of white space alone has
            no entities.
            For multitask what :meth:`hanlp_tutor.core.multitask.MultiTaskModel.answer` returns.
            For classify ``{"text", "label", "score"}``; the score is the probability of the label. Empty text gets a
            label too, as from HanLP: what the model makes of a text of which it sees nothing.
            For relation see :class:`hanlp_tutor.relations.model.RelationModel`, which takes pairs instead of texts.

        Raises:
            InputError: something else than texts, or a multi-task model without a segmenter.
        """
        texts = _checked(texts, self.model)
        model = evaluating(self.model, self.model.text_encoder)  # it may have been trained further since
        encoded = [model.encode(text) for text in texts]
        answers = [model.blank(text, each) for text, each in zip(texts, encoded, strict=True)]
        readable = [i for i, answer in enumerate(answers) if answer is None]

        def read(numbers: list[int], states: Tensor, batch: Batch) -> list[dict[str, Any]]:
            return model.answer([texts[readable[k]] for k in numbers], states, batch)

        for numbers, found in infer(model, [encoded[i] for i in readable], read):
            for k, answer in zip(numbers, found, strict=True):
                answers[readable[k]] = answer
        return answers


def _checked(texts: Iterable[Any], model: Model) -> list[Any]:
    inputs = []
    for number, text in enumerate(check_list(texts)):
        inputs.append(model.as_input(text))
        if inputs[-1] is None:
            raise InputError(f"Text {number} of the list (counted from 0) is {kind_of(text)}; pass {model.takes}.")
    return inputs
