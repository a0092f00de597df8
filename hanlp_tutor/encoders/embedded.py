"""The encoders that the kit carries: weights in half precision and a card that says where they come from."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor
from transformers import BertForMaskedLM

from hanlp_tutor.damage import other_than_damage
from hanlp_tutor.encoders.folder import write_transformer
from hanlp_tutor.encoders.mini import EMBEDDED, mini_config, mini_tokenizer
from hanlp_tutor.errors import EncoderError, first_line, nearest
from hanlp_tutor.files import new_folder, write_file, write_json

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable  # Python 3.11

WEIGHTS, CARD, README = "model.safetensors", "card.json", "README.md"
_MEASURED_ON = ("peoples_daily", "reviews")
_WHOLE_REVIEWS = "belong to a review"  # so the provenance of the reviews ends since no review is in two sets


def read_card(name: str) -> dict[str, Any]:
    """What an embedded encoder has read, by which recipe, and how well it guesses masked characters.

    Raises:
        EncoderError: there is no such encoder, or its weights are not in this installation.
    """
    return json.loads(_file(name, CARD).read_text(encoding="utf-8"))


def load_masked_lm(name: str) -> BertForMaskedLM:
    """An embedded encoder with the output layer of its pre-training, in float32: it guesses masked characters.

    Raises:
        EncoderError: as :func:`read_card`.
    """
    path = _file(name, WEIGHTS)
    try:
        model = BertForMaskedLM(mini_config())
        model.load_state_dict(_tied(load(path.read_bytes())))
    except (OSError, MemoryError, RuntimeError, KeyError, ValueError, SafetensorError) as error:
        damage = f"{path}: not the whole weights of {name} ({first_line(error)}). Install the kit again."
        raise EncoderError(other_than_damage(str(path), error) or damage) from error
    return model.eval()


def read_masked_lm(folder: Path) -> tuple[BertForMaskedLM, dict[str, Any]]:
    """What :func:`save_masked_lm` wrote: the model in float32, and its card.

    Raises:
        EncoderError: the folder holds no such encoder, or one of another shape.
    """
    model = BertForMaskedLM(mini_config())
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        model.load_state_dict(_tied(load((folder / WEIGHTS).read_bytes())))
    except (OSError, MemoryError, RuntimeError, KeyError, ValueError, SafetensorError) as error:
        reason = f"{folder}: its weights do not fit this version's shape ({first_line(error)})."
        if isinstance(error, OSError):
            reason = f"{folder}: no encoder that this kit pre-trained ({error.strerror}: {error.filename})."
        raise EncoderError(other_than_damage(folder, error) or reason) from None
    return model.eval(), card


def save_masked_lm(model: BertForMaskedLM, card: dict[str, Any], folder: Path) -> None:
    """Write a Hugging Face folder (weights in half precision, tokenizer, configuration) with its card.

    The folder opens by its path in :func:`hanlp_tutor.encoders.load_encoder` and in transformers.
    """
    shared = {"cls.predictions.decoder.weight", "cls.predictions.decoder.bias"}  # the same tensors under other names
    half = {
        name: value.detach().to("cpu", torch.float16).contiguous()
        for name, value in model.state_dict().items()
        if name not in shared
    }
    unfit = [name for name, value in half.items() if not torch.isfinite(value).all()]
    if unfit:
        raise EncoderError(f"{unfit[0]} has values that half precision cannot hold; nothing was written.")
    content = save(half, metadata={"format": "pt"})
    with new_folder(folder) as scratch:
        write_transformer(mini_config(), mini_tokenizer(), scratch)
        write_file(scratch / WEIGHTS, lambda file: file.write(content))
        write_json(scratch / CARD, {**card, "sha256": hashlib.sha256(content).hexdigest()})
        write_file(scratch / README, lambda file: file.write(render_card(card).encode("utf-8")))
        configuration = json.loads((scratch / "config.json").read_text(encoding="utf-8"))
        write_json(scratch / "config.json", {**configuration, "architectures": ["BertForMaskedLM"]})


def render_card(card: dict[str, Any]) -> str:
    """The card as a page to read; every number in it comes from the card."""
    stages = "\n".join(
        f"| {stage['recipe']} | {stage['tokens'] / 1e6:.1f} | {_million(stage.get('characters'))} | {stage['lr']:g} | "
        f"{stage['held_out_loss']:.3f} | "
        f"{stage['held_out_accuracy']:.3f} | {stage['seconds'] / 60:.0f} | {stage['device']} | {stage['date'][:10]} |"
        for stage in card["stages"]
    )
    text = "\n".join(
        f"| {source['source']} | {source['lines']:,} | {source['characters']:,} |" for source in card["text"]
    )
    return f"""# {card["name"]}

A small Chinese encoder (BERT architecture, {card["layers"]} layers, hidden size {card["hidden_size"]}, \
{card["parameters"] / 1e6:.2f} million parameters, {card["vocabulary"]:,} tokens, one a character), pre-trained for \
teaching: it shows on a laptop what pre-training buys and how three recipes differ. Weights are stored \
in half precision.

**Recipe**: {card["recipe"]}. {card["recipe_note"]}

| stage | million tokens | of a text of million characters | peak learning rate | held-out loss (nats) | \
held-out accuracy | minutes | device | date |
|---|---|---|---|---|---|---|---|---|
{stages}

Held-out figures are of the stage's own recipe: {card["held_out_note"]}

**Text** of all stages, each source as it was last read (no sentence of ten or more characters from a dev or test set \
of the kit's corpora is in it):

| source | lines | characters |
|---|---|---|
{text}

{card["provenance"]}

{_what_was_read(card)}\
**What it is not**: a replacement for a 100-million-parameter model. It has read {card["tokens"] / 1e6:.0f} million \
tokens where BERT-base read billions, knows no more than what that text says, reads every English word letter by \
letter, and repeats whatever stands there. Do not use it to generate or to judge facts.
"""


def _what_was_read(card: dict[str, Any]) -> str:
    """A paragraph on how much of the text belongs to the corpora that the lessons measure on; none where none does."""
    characters = {source["source"]: source["characters"] for source in card["text"]}
    own = [name for name in characters if name in _MEASURED_ON]
    if not own:
        return ""
    share = sum(characters[name] for name in own) / sum(characters.values())
    text = (
        f"**What it has read of the tasks**: {share:.0%} of these characters are the unlabelled training texts of "
        f"{' and '.join(own)}, on which the kit's lessons measure it: task-adaptive pre-training (Gururangan et al. "
        "2020, Don't Stop Pretraining). Its lead over random weights there is what this text buys, not any text."
    )
    if "reviews" in own and _WHOLE_REVIEWS not in card["provenance"]:
        text += (
            " When it read the reviews, their training set still held lines that are parts of a review of which dev or "
            "test hold another part. These have been dropped since; what was read, unlabelled, was read."
        )
    return text + "\n\n"


def _million(characters: int | None) -> str:
    return f"{characters / 1e6:.1f}" if characters else "2.5"  # the first stages, of both corpora, did not note it


def _tied(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """float32, with the output layer under its other names again."""
    full = {name: value.float() for name, value in weights.items()}
    full["cls.predictions.decoder.weight"] = full["bert.embeddings.word_embeddings.weight"]
    full["cls.predictions.decoder.bias"] = full["cls.predictions.bias"]
    return full


def _file(name: str, file: str) -> Traversable:
    if name not in EMBEDDED:
        guess = nearest(name, EMBEDDED)
        hint = f"Did you mean {guess!r}?" if guess else f"Choose from {', '.join(EMBEDDED)}."
        raise EncoderError(f"There is no embedded encoder {name!r}. {hint}")
    path = files("hanlp_tutor.encoders").joinpath("weights", name, file)
    if not path.is_file():
        raise EncoderError(
            f"The pre-trained weights of {name!r} are missing from this installation: install the kit again, or use "
            f"'random:{name}', the same shape with random weights."
        )
    return path
