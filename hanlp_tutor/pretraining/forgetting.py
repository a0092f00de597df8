"""What fine-tuning makes an encoder forget (灾难性遗忘): the held-out evaluation of its pre-training, repeated.

Fine-tuning throws the output layer of pre-training away. Here the encoder as it is now gets that very layer back, as
it was, and guesses hidden characters of text that nobody has trained on: rows, masks and seed are those of the
encoder's card, so before the first update the result is the card's (mini-macbert's masks need its similar words:
it is evaluated with BERT's masks).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import torch
from torch import nn
from transformers import AutoTokenizer, BertForMaskedLM
from transformers.utils import logging as transformers_logging

from hanlp_tutor.core.precision import Precision
from hanlp_tutor.data.characters import TextEncoder
from hanlp_tutor.encoders import RANDOM
from hanlp_tutor.encoders.embedded import load_masked_lm, read_card
from hanlp_tutor.encoders.mini import EMBEDDED, mini_tokenizer
from hanlp_tutor.errors import ConfigError, EncoderError, first_line
from hanlp_tutor.pretraining.held_out import HELD_OUT_LENGTH, HELD_OUT_ROWS, evaluate_masked, held_out_batches
from hanlp_tutor.pretraining.masking import Masker
from hanlp_tutor.pretraining.text import held_out_lines, read_text

T = TypeVar("T")


class MaskedEvaluation:
    """Hidden characters of held-out text, and the output layer of one encoder's pre-training.

    Args:
        name: of an embedded encoder, or of a BERT with its output layer (the hub's ``bert-base-chinese``, a folder).
        rows: how many rows of 128 tokens; all of them give the card's figure.
        lines: ``(source, words)`` to be evaluated on; None: the dev sets of the kit's corpora, as on the cards.
            Without rjieba (the extra ``pretrain``) that is the newspaper alone, whose words are marked.
        seed: of the draw of rows and masks; None: the card's. Two encoders are compared on one draw only.

    Attributes:
        card: loss and accuracy by the encoder's card, where that was the same evaluation; otherwise None.

    Raises:
        EncoderError: the encoder never guessed characters, or ``lines`` are shorter than two rows.
    """

    def __init__(
        self,
        name: str,
        *,
        rows: int = HELD_OUT_ROWS,
        lines: Iterable[tuple[str, list[str]]] | None = None,
        seed: int | None = None,
    ):
        self.name = name
        self.masked_lm, self.tokenizer = _masked_lm(name)
        self._own = self.masked_lm.bert
        lines, whole = _held_out() if lines is None else (lines, False)
        recipe, own_seed, self.card = "bert", 1, None
        if name in EMBEDDED:
            last = read_card(name)["stages"][-1]
            own_seed = last["config"]["seed"]
            # macbert's own masks need its similar words; it knows BERT's masks from the stage that all three share
            recipe = "bert" if last["recipe"] == "macbert" else last["recipe"]
            if whole and recipe == last["recipe"] and seed in (None, own_seed):
                self.card = last["held_out_loss"], last["held_out_accuracy"]
        special = self.tokenizer.all_special_ids
        masker = Masker(
            recipe,
            mask_id=self.tokenizer.mask_token_id,
            first_id=max(special) + 1,
            vocabulary=self.masked_lm.config.vocab_size,
        )
        text = read_text(TextEncoder(self.tokenizer), lines)
        if len(text.ids) < 2 * HELD_OUT_LENGTH:
            raise EncoderError(
                f"{len(text.ids)} tokens of text are too few for an evaluation: at least {2 * HELD_OUT_LENGTH}."
            )
        drawn_by = own_seed if seed is None else seed
        self.batches = held_out_batches(text, masker, self.tokenizer.cls_token_id, drawn_by, rows)

    @property
    def masked_tokens(self) -> int:
        """How many tokens are masked, and have to be predicted."""
        return sum(len(batch.targets) for batch in self.batches)

    def evaluate(self, encoder: nn.Module | None = None) -> tuple[float, float]:
        """Mean loss in nats a hidden character, and the share of them that is guessed right.

        Args:
            encoder: the θ to be evaluated, left as it is; None: θ₀, as it was before any fine-tuning.
        """
        encoder = self._own if encoder is None else encoder
        device = next(encoder.parameters()).device
        precision = Precision(device, None)
        return self._with(encoder, lambda: evaluate_masked(self.masked_lm.to(device), self.batches, precision))

    def guess(self, encoder: nn.Module | None, text: str, count: int = 3) -> list[tuple[str, float]]:
        """The best guesses for the first ``[MASK]`` of a text, with their probabilities.

        Raises:
            EncoderError: the text has no ``[MASK]``.
        """
        encoder = self._own if encoder is None else encoder
        device = next(encoder.parameters()).device
        ids = self.tokenizer(text, return_tensors="pt")["input_ids"].to(device)
        holes = (ids[0] == self.tokenizer.mask_token_id).nonzero().flatten().tolist()
        if not holes:
            raise EncoderError(
                f"{text!r} has no {self.tokenizer.mask_token}: write it where a character is to be guessed."
            )
        with torch.no_grad():
            logits = self._with(encoder, lambda: self.masked_lm.to(device)(ids).logits[0, holes[0]])
        top = logits.float().softmax(-1).topk(count)
        pairs = zip(top.indices.tolist(), top.values.tolist(), strict=True)
        return [(self.tokenizer.decode([token]), p) for token, p in pairs]

    def _with(self, encoder: nn.Module, compute: Callable[[], T]) -> T:
        """Put an encoder under the old output layer, compute, and put everything back as it was."""
        was_training = encoder.training
        self.masked_lm.bert = encoder  # the output layer keeps the character vectors of θ₀: they are not tied any more
        self.masked_lm.eval()
        try:
            return compute()
        finally:
            encoder.train(was_training)
            self.masked_lm.bert = self._own
            self.masked_lm.cpu()


def _held_out() -> tuple[list[tuple[str, list[str]]], bool]:
    """The lines that the cards' figures are of, and whether all of them: the reviews are cut into words by an extra."""
    lines = []
    try:
        for line in held_out_lines():
            lines.append(line)
    except ConfigError:
        return lines, False
    return lines, True


def _masked_lm(name: str) -> tuple[BertForMaskedLM, Any]:
    """The encoder with the output layer of its pre-training, in float32, and its tokenizer."""
    if name in EMBEDDED:
        return load_masked_lm(name), mini_tokenizer()
    if name.startswith(RANDOM):
        raise EncoderError(f"{name}: random weights were never pre-trained, so there is nothing to forget.")
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        model, report = BertForMaskedLM.from_pretrained(name, dtype=torch.float32, output_loading_info=True)
        tokenizer = AutoTokenizer.from_pretrained(name)
    except Exception as error:  # what a foreign or absent file makes the libraries raise is anything
        raise EncoderError(
            f"{name}: no BERT with the output layer of its pre-training is to be had ({first_line(error)})."
        ) from error
    finally:
        transformers_logging.set_verbosity(verbosity)
    lost = sorted(key for key in report["missing_keys"] if not key.startswith("bert.pooler"))
    if lost:
        raise EncoderError(
            f"{name}: the output layer of its pre-training is not in the file ({lost[0]} is missing), so the "
            "evaluation would be of a random one. Take the encoder as its authors published it."
        )
    return model.eval(), tokenizer
