"""An encoder θ and a head φ as one module, with the labels and the tokenizer they belong to.

:class:`Model` is what all tasks share; a subclass says how an example becomes numbers, what its head is, and how logits
become predictions: :class:`TaggingModel` and :class:`ClassificationModel` here, several tasks on one encoder in
:mod:`hanlp_tutor.core.multitask`. What else depends on the task stands in :mod:`hanlp_tutor.core.task`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.batching import Batch, Encoded, Encodings, collate
from hanlp_tutor.core.heads import ClassificationHead, TaggingHead
from hanlp_tutor.core.scheme_head import SchemeHead
from hanlp_tutor.data import LabelledText, TaggedText
from hanlp_tutor.data.characters import TextEncoder
from hanlp_tutor.data.edges import visible_spans
from hanlp_tutor.encoders import POSITIONS, Encoder, packed
from hanlp_tutor.encoders.layers import HiddenDropout
from hanlp_tutor.encoders.masks import mask_for, takes_wide_mask
from hanlp_tutor.errors import DataError, TrainingError


class Model(nn.Module):
    """Encoder and head of one task.

    Args:
        encoder: θ with its tokenizer.
        labels: the classes in order of their ids: BIO tags with ``O`` first, or class names.
        dropout: of the head, and of the encoder's hidden states.
        crf: a CRF on top of the tag scores, where tags are scored.
        native: tags of another scheme, where the linear layer has those (:mod:`hanlp_tutor.core.scheme_head`).

    Attributes:
        task: the name of its :class:`~hanlp_tutor.core.task.Task`.
        temperature: by which all scores are divided before they become probabilities; predictions do not depend on it.
            Fitted by :func:`hanlp_tutor.workbench.calibration.fit_temperature`, for these very weights.
        computes_in: the number format of its matrix products, as it was trained; None is float32.
        extra: what else a model folder keeps of a model of this class, by name.
        unsaved: why a model folder cannot hold a model of this class; empty where it can.
    """

    task: str
    takes = "one text, a str"  # to predict
    computes_in: torch.dtype | None = None
    unsaved = ""
    by_character = True  # each character is read by itself: the tokenizer has to have one token for each

    def __init__(
        self,
        encoder: Encoder,
        labels: Sequence[str],
        *,
        dropout: float = 0.1,
        crf: bool = False,
        native: Sequence[str] | None = None,
    ):
        super().__init__()
        self.labels, self.crf, self.extra = tuple(labels), crf, dict[str, Any]()
        self.encoder_name, self.pretrained, self.temperature = encoder.name, encoder.pretrained, 1.0
        self.encoder, self.text_encoder = encoder.module, TextEncoder(encoder.tokenizer)
        self.window, self.dropout = encoder.window, HiddenDropout(encoder.module)
        takes_wide_mask(self.encoder)  # tried now, before anything is timed
        self._label_ids = {label: i for i, label in enumerate(self.labels)}
        self.head = self.new_head(self.labels, native, dropout)
        self.dropout.set(self, dropout)
        pooler = getattr(self.encoder, "pooler", None)
        if pooler is not None:  # no task reads it; it stays for the export's sake
            pooler.requires_grad_(False)

    def new_head(self, labels: Sequence[str], native: Sequence[str] | None, dropout: float) -> nn.Module:
        """A fresh φ for these classes, for this encoder."""
        raise NotImplementedError

    def encode(self, example: Any) -> Encoded:
        """One example, or a raw text without gold labels, as numbers.

        Raises:
            DataError: a label that the model does not know.
        """
        raise NotImplementedError

    def encode_input(self, example: Any) -> Encoded:
        """The same without the gold labels, among which may be some that the model does not know."""
        return self.encode(example.text)

    def valid_of(self, encoded: Encodings) -> int:
        """N of the loss: how many tokens, words or examples of the training set carry one."""
        raise NotImplementedError

    def decode(self, logits: Tensor, batch: Batch) -> list[Any]:
        """The predictions: tags of each text, or the class of each text."""
        raise NotImplementedError

    def as_input(self, given: Any) -> Any:
        """What a Predictor was given, as :meth:`encode` takes it; None where that is something else."""
        return given if isinstance(given, str) else None

    def blank(self, text: str, encoded: Encoded) -> dict[str, Any] | None:
        """The answer to a text in which there is nothing to read; None where there is something."""
        raise NotImplementedError

    def answer(self, texts: Sequence[str], states: Tensor, batch: Batch) -> list[dict[str, Any]]:
        """What :meth:`hanlp_tutor.Predictor.predict_many` returns for the texts of a batch.

        Args:
            texts: raw, as they were passed.
            states: of the batch, what the head reads (:meth:`~hanlp_tutor.core.heads.TaggingHead.read`).
            batch: the texts as numbers.
        """
        raise NotImplementedError

    @property
    def tokenizer(self) -> Any:
        """The Hugging Face tokenizer."""
        return self.text_encoder.tokenizer

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.head.parameters()).device

    def collate(self, examples: Sequence[Encoded], *, max_length: int = POSITIONS) -> Batch:
        """Pad encoded examples to a batch on the CPU, whose rows are no longer than the encoder's window."""
        text, length = self.text_encoder, min(max_length, self.window)
        return collate(examples, max_length=length, cls_id=text.cls_id, sep_id=text.sep_id, pad_id=text.pad_id)

    def hidden_states(self, batch: Batch) -> Tensor:
        """The encoder's last hidden states, (W, T, H)."""
        if packed.is_packed(self.encoder):
            return packed.hidden_states(self.encoder, batch.input_ids, batch.attention_mask, sum(batch.widths))
        mask = mask_for(self.encoder, batch.attention_mask, padded=batch.padded)
        return self.encoder(input_ids=batch.input_ids, attention_mask=mask).last_hidden_state

    def forward(self, batch: Batch) -> Tensor:
        """Logits: (B, L, C) for tagging, (B, C) for classification."""
        return self.head(self.hidden_states(batch), batch)

    def loss_sum(self, logits: Tensor, batch: Batch, weights: Any = None) -> Tensor:
        """Σ L_task over the valid tokens or examples, in float32; ``weights`` come from :meth:`loss_weights`."""
        return self.head.loss_sum(logits.float(), batch, weights)

    def probabilities(self, logits: Tensor, batch: Batch) -> Tensor:
        """p(class) at the model's temperature, shaped as the logits."""
        return self.head.probabilities(logits.float(), batch, self.temperature)

    def loss_weights(self, config: TrainConfig, counts: Counter[str]) -> Any:
        """A weight for each class, (C,), or None; ``balanced`` is N / (classes · count), as in scikit-learn.

        Args:
            config: the options of the run.
            counts: how often each label occurs in the training set.

        Raises:
            TrainingError: a weight for a class that does not exist.
        """
        if config.class_weights is None:
            return None
        if isinstance(config.class_weights, dict):
            unknown = config.class_weights.keys() - set(self.labels)
            if unknown:
                raise TrainingError(
                    f"class_weights names {sorted(unknown)[0]!r}; the classes are {', '.join(self.labels)}."
                )
            return torch.tensor([config.class_weights.get(label, 1.0) for label in self.labels], device=self.device)
        each = torch.tensor([counts[label] for label in self.labels]).clamp(min=1)
        return (counts.total() / (len(self.labels) * each)).to(self.device)

    def unknown_label(self, label: str, source: str) -> DataError:
        """The error for a gold label that the model does not have."""
        has = ", ".join(self.labels[:20]) + (", ..." if len(self.labels) > 20 else "")
        return DataError(
            f"label {label[:20]!r} is unknown to the model, which has {has}.",
            path=source or None,
            remedy="Correct it, or put an example of it into the training file.",
        )


class TaggingModel(Model):
    """One BIO tag for each character of a text (序列标注)."""

    task = "ner"

    def new_head(self, labels: Sequence[str], native: Sequence[str] | None, dropout: float) -> nn.Module:
        size = self.encoder.config.hidden_size
        if native is not None:
            return SchemeHead(size, labels, native, dropout=dropout, crf=self.crf)
        return TaggingHead(size, len(labels), dropout=dropout, crf=self.crf)

    def encode(self, example: TaggedText | str) -> Encoded:
        text = example if isinstance(example, str) else example.text
        ids = self.text_encoder.by_character(text)
        if isinstance(example, str):
            return Encoded(ids, None, "")
        if not ids:
            raise DataError("an example has no text.", path=example.source or None, remedy="Remove it.")
        try:
            return Encoded(ids, [self._label_ids[tag] for tag in example.tags], example.source)
        except KeyError as error:
            raise self.unknown_label(error.args[0], example.source) from None

    def valid_of(self, encoded: Encodings) -> int:
        return int(encoded.lengths.sum(dtype="int64"))

    def decode(self, logits: Tensor, batch: Batch) -> list[list[str]]:
        return [[self.labels[i] for i in row] for row in self.head.decode(logits.float(), batch)]

    def blank(self, text: str, encoded: Encoded) -> dict[str, Any] | None:
        return None if text.strip() else {"text": text, "entities": []}

    def answer(self, texts: Sequence[str], states: Tensor, batch: Batch) -> list[dict[str, Any]]:
        logits = self.head.logits(states, batch)
        rows = zip(texts, self.decode(logits, batch), self.probabilities(logits, batch).cpu(), strict=True)
        answers = []
        for text, tags, p in rows:
            scores = log_probabilities([self._label_ids[tag] for tag in tags], p)
            spans = visible_spans(tags, text)
            entities = [entity(text, s.start, s.end, s.label, scores[s.start : s.end]) for s in spans]
            answers.append({"text": text, "entities": entities})
        return answers


class ClassificationModel(Model):
    """One class for a whole text (文本分类)."""

    task, by_character = "classify", False

    def __init__(self, encoder: Encoder, labels: Sequence[str], *, crf: bool = False, **options: Any):
        super().__init__(encoder, labels, crf=False, **options)  # a CRF scores sequences of tags

    def new_head(self, labels: Sequence[str], native: Sequence[str] | None, dropout: float) -> nn.Module:
        return ClassificationHead(self.encoder.config.hidden_size, len(labels), dropout=dropout)

    def encode(self, example: LabelledText | str) -> Encoded:
        if isinstance(example, str):
            return Encoded(self.text_encoder.whole(example), None, "")
        if example.label not in self._label_ids:
            raise self.unknown_label(example.label, example.source)
        return Encoded(self.text_encoder.whole(example.text), self._label_ids[example.label], example.source)

    def valid_of(self, encoded: Encodings) -> int:
        return len(encoded)

    def decode(self, logits: Tensor, batch: Batch) -> list[str]:
        return [self.labels[i] for i in self.head.decode(logits.float(), batch)]

    def blank(self, text: str, encoded: Encoded) -> None:
        """Empty text gets a label too, as from HanLP: what the model makes of a text of which it sees nothing."""

    def answer(self, texts: Sequence[str], states: Tensor, batch: Batch) -> list[dict[str, Any]]:
        logits = self.head.logits(states, batch)
        rows = zip(texts, self.decode(logits, batch), self.probabilities(logits, batch).cpu(), strict=True)
        return [{"text": text, "label": label, "score": float(p[self._label_ids[label]])} for text, label, p in rows]


def log_probabilities(tags: Sequence[int], p: Tensor) -> Tensor:
    """log p of each chosen tag, (n,), from the (L, C) probabilities of a text; a marginal may round to 0 or above 1."""
    picked = p[: len(tags)].double().gather(1, torch.tensor(tags, dtype=torch.long).unsqueeze(1)).squeeze(1)
    return picked.clamp(1e-12, 1.0).log()


def entity(text: str, start: int, end: int, label: str, log_p: Tensor) -> dict[str, Any]:
    """An entity as `predict` returns it; its score is the geometric mean of the probabilities of its tags."""
    return {"start": start, "end": end, "label": label, "text": text[start:end], "score": float(log_p.mean().exp())}


def draw_weights(head: nn.Module) -> None:
    """Fresh weights for the linear layers of a head, as BERT draws its own (Devlin et al. 2019)."""
    for layer in head.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)
