"""Raw text in; entities with offsets and confidence, or a class, out. Nothing is cut, nothing normalised away.

Offsets count Unicode code points of the very string that was passed, half-open: ``text[start:end]`` is the entity. A
text longer than the encoder's 512 positions is read through windows that overlap by half; each character is read from
the window in whose middle it lies, so an entity across a window's border is found once, with context on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hanlp_tutor.core.batching import Batch, Encoded, length_buckets
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.model_folder import load_model
from hanlp_tutor.data.schemes import spans_from_bio
from hanlp_tutor.errors import InputError

BATCH_TEXTS = 64
BATCH_TOKENS = 4096  # computed at once, so that a text of any length needs the memory of eight windows


class Predictor:
    """A trained model in service.

    >>> predictor = Predictor.load("runs/05_finetune_ner/001/model")  # doctest: +SKIP
    >>> predictor.predict("张三来了。")  # doctest: +SKIP
    {'text': '张三来了。', 'entities': [{'start': 0, 'end': 2, 'label': 'PER', 'text': '张三', 'score': 0.98}]}
    """

    def __init__(self, model: Model):
        self.model = model

    @classmethod
    def load(cls, folder: str | Path, *, device: str = "cpu") -> Predictor:
        """Open a model folder that :func:`hanlp_tutor.save_model` wrote.

        Raises:
            ModelError: no such folder, or not a whole one.
        """
        return cls(load_model(folder, device=device))

    def predict(self, text: str) -> dict[str, Any]:
        """The answer for one text; see :meth:`predict_many`."""
        if not isinstance(text, str):
            raise InputError(f"predict takes one text, a str; this is {_kind(text)}. For several: predict_many(texts).")
        return self.predict_many([text])[0]

    def predict_many(self, texts: Iterable[str]) -> list[dict[str, Any]]:
        """The answers for many texts, in their order; batched by length inside.

        Returns:
            For ner ``{"text", "entities": [{"start", "end", "label", "text", "score"}]}``. The score of an entity is
            the geometric mean of the probabilities of its tags (marginals, with a CRF): 0.9 means that its
            characters were tagged with probability 0.9 on average, whatever its length. Text of white space alone has
            no entities.
            For multitask what :meth:`hanlp_tutor.core.multitask.MultiTaskModel.analyse` returns.
            For classify ``{"text", "label", "score"}``; the score is the probability of the label. Empty text gets a
            label too, as from HanLP: what the model makes of a text of which it sees nothing.

        Raises:
            InputError: something else than texts.
        """
        texts = _checked(texts)
        if self.model.task == "multitask":
            return self.model.analyse(texts)
        answers: list[Any] = [None] * len(texts)
        readable = [i for i, text in enumerate(texts) if self.model.task != "ner" or text.strip()]
        for i in set(range(len(texts))).difference(readable):
            answers[i] = {"text": texts[i], "entities": []}
        encoded = [self.model.encode(texts[i]) for i in readable]
        was_training = self.model.training
        self.model.eval()
        for numbers in length_buckets([len(e.ids) for e in encoded], batch_size=BATCH_TEXTS, max_tokens=BATCH_TOKENS):
            found = self._answer([texts[readable[k]] for k in numbers], [encoded[k] for k in numbers])
            for k, answer in zip(numbers, found, strict=True):
                answers[readable[k]] = answer
        self.model.train(was_training)
        return answers

    @torch.no_grad()
    def _answer(self, texts: list[str], encoded: list[Encoded]) -> list[dict[str, Any]]:
        batch = self.model.collate(encoded)
        logits = self._logits(batch)
        decoded = self.model.decode(logits, batch)
        p = self.model.probabilities(logits, batch).cpu()
        rows = zip(texts, decoded, p, strict=True)
        if self.model.task == "ner":
            return [_entities(text, tags, self._tag_scores(tags, row)) for text, tags, row in rows]
        return [
            {"text": text, "label": label, "score": float(row[self.model.labels.index(label)])}
            for text, label, row in rows
        ]

    def _tag_scores(self, tags: Sequence[str], p: Tensor) -> Tensor:
        """log p of each tag, (n,), from the (L, C) probabilities of a text; a marginal may round to 0 or above 1."""
        chosen = torch.tensor([self.model.labels.index(tag) for tag in tags])
        picked = p[: len(tags)].double().gather(1, chosen.unsqueeze(1)).squeeze(1)
        return picked.clamp(1e-12, 1.0).log()

    def _logits(self, batch: Batch) -> Tensor:
        """What ``model(batch)`` computes, at most BATCH_TOKENS at a time."""
        rows = max(1, BATCH_TOKENS // batch.input_ids.size(1))
        if len(batch.input_ids) <= rows:
            return self.model(batch.to(self.model.device))
        # only a text that exceeds the budget by itself comes here, so all windows are of one text
        parts = [self._windows(batch, first, first + rows) for first in range(0, len(batch.input_ids), rows)]
        if self.model.task == "ner":
            return torch.cat(parts, dim=1)
        return self.model.head(torch.cat(parts), batch.to(self.model.device))

    def _windows(self, batch: Batch, first: int, last: int) -> Tensor:
        """Of some windows the logits of the characters that are read there (1, l, C), or the [CLS] states (W, 1, H)."""
        width = batch.input_ids.size(1)
        place = batch.token_index[0]
        here = place[(place >= first * width) & (place < last * width)] - first * width
        part = replace(
            batch,
            input_ids=batch.input_ids[first:last],
            attention_mask=batch.attention_mask[first:last],
            token_index=here.unsqueeze(0),
            owner=batch.owner[first:last],
            lengths=[len(here)],
        )
        part = part.to(self.model.device)
        if self.model.task == "ner":
            return self.model(part)
        states = self.model.encoder(input_ids=part.input_ids, attention_mask=part.attention_mask).last_hidden_state
        return states[:, :1].clone()  # a view would keep all states of the chunk


def _entities(text: str, tags: Sequence[str], log_p: Tensor) -> dict[str, Any]:
    return {
        "text": text,
        "entities": [
            {
                "start": span.start,
                "end": span.end,
                "label": span.label,
                "text": text[span.start : span.end],
                "score": float(log_p[span.start : span.end].mean().exp()),
            }
            for span in spans_from_bio(tags)
        ],
    }


def _checked(texts: Iterable[str]) -> list[str]:
    if isinstance(texts, (str, bytes)) or not isinstance(texts, Iterable):
        raise InputError(f"predict_many takes a list of texts; this is {_kind(texts)}. For one text: predict(text).")
    texts = list(texts)
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(f"Text {number} of the list (counted from 0) is {_kind(text)}; pass a str.")
    return texts


def _kind(value: object) -> str:
    hint = " (decode it first: value.decode('utf-8'))" if isinstance(value, bytes) else ""
    hint = " (join its characters first: ''.join(value))" if isinstance(value, list) else hint
    return f"of type {type(value).__name__}{hint}"
