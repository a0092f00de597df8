"""``hanlp-tutor pretrain``: from text files to a folder that ``load_encoder`` opens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import BertForMaskedLM

from hanlp_tutor.corpora import load_corpus
from hanlp_tutor.data.characters import TextEncoder
from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.encoders.embedded import load_masked_lm, read_card, read_masked_lm, save_masked_lm
from hanlp_tutor.encoders.mini import EMBEDDED, mini_config, mini_tokenizer
from hanlp_tutor.errors import ConfigError
from hanlp_tutor.manifest import manifest
from hanlp_tutor.pretraining.config import PretrainConfig
from hanlp_tutor.pretraining.held_out import HELD_OUT_LENGTH, HELD_OUT_ROWS
from hanlp_tutor.pretraining.loop import pretrain
from hanlp_tutor.pretraining.masking import Words
from hanlp_tutor.pretraining.positions import sinusoidal_positions
from hanlp_tutor.pretraining.similar import similar_words
from hanlp_tutor.pretraining.text import (
    CORPORA,
    PretrainingText,
    held_out_lines,
    read_text,
    training_lines,
)

PARAGRAPH = "\n\n"
RECIPE_NOTES = {
    "bert": "15 % of the characters, each by itself (Devlin et al. 2019); without next-sentence prediction.",
    "roberta-wwm": (
        "Whole words, 15 % of the characters (Cui et al. 2021); without next-sentence prediction, as there."
    ),
    "macbert": (
        "Runs of one to four whole words, replaced by similar words instead of [MASK] (Cui et al. 2020); without "
        "sentence-order prediction."
    ),
}


def pretrain_job(
    config: PretrainConfig,
    out: Path,
    *,
    files: Sequence[Path] = (),
    start: str | None = None,
    name: str | None = None,
    resume: bool = False,
) -> dict[str, Any]:
    """Pre-train on the kit's corpora and ``files``; write ``out/encoder`` with its card.

    Args:
        start: an embedded encoder or a folder that an earlier run wrote, to go on from; None for random weights.
        files: UTF-8, one text a line. What ``NAME.licence`` beside ``NAME.txt`` says goes on the card.
        name: the encoder's name on its card.

    Returns:
        ``{"encoder", "tokens", "held_out_loss", "held_out_accuracy", "seconds"}``.

    Raises:
        ConfigError, DataError, TrainingError: as the parts.
    """
    if (out / "encoder").exists() and not resume:
        raise ConfigError(f"{out}: holds a finished run. Choose another --out.")
    model, before = _start(start, config)  # one that is not there is refused before any text is read
    out.mkdir(parents=True, exist_ok=True)
    encoder = TextEncoder(mini_tokenizer())
    text = read_text(encoder, training_lines(files))
    held_out = read_text(encoder, held_out_lines(), known=text.vocabulary)
    words = masking_words(text, held_out, encoder, config.seed) if config.recipe == "macbert" else None
    result = pretrain(model, text, held_out, config, out, words=words, resume=resume)
    stage = {
        "recipe": config.recipe,
        "tokens": result.rows[-1]["tokens"],
        "lr": config.lr,
        "held_out_loss": result.held_out_loss,
        "held_out_accuracy": result.held_out_accuracy,
        "seconds": round(result.rows[-1]["seconds"], 1),
        "text": text.fingerprint(),
        "text_of_corpora": text.fingerprint([str(s["source"]) for s in text.sources if s["source"] in CORPORA]),
        "characters": sum(int(source["characters"]) for source in text.sources),
        "curve": [
            {name: round(row[name], 4) for name in ("tokens", "held_out_loss", "held_out_accuracy")}
            for row in result.rows
            if "held_out_loss" in row
        ],
        **manifest(describe_device(choose_device(config.device)), config=config.model_dump()),
    }
    del stage["command"]  # a card travels, the folders of the machine that made it do not
    card = _card(name or out.name, config, text, stage, before, files)
    save_masked_lm(result.model, card, out / "encoder")
    return {"encoder": str(out / "encoder"), **{key: stage[key] for key in
            ("tokens", "held_out_loss", "held_out_accuracy", "seconds")}}  # fmt: skip


def _start(start: str | None, config: PretrainConfig) -> tuple[BertForMaskedLM, dict[str, Any]]:
    """The model to train, and its card as far as it has one.

    Dropout is off in pre-training: the text is seen a few times only, and a model of this size under-fits it.
    """
    torch.manual_seed(config.seed)
    shape = mini_config()
    shape.hidden_dropout_prob = 0.0
    model = BertForMaskedLM(shape)
    if start is None:
        if config.sinusoidal_positions:
            sinusoidal_positions(model)
        return model, {}
    if start in EMBEDDED:
        before, card = load_masked_lm(start), read_card(start)
    else:
        before, card = read_masked_lm(Path(start))
    model.load_state_dict(before.state_dict())
    return model, card


def masking_words(text: PretrainingText, held_out: PretrainingText, encoder: TextEncoder, seed: int) -> Words:
    """MacBERT's words: all spellings, similar words learned from the training text alone.

    ``held_out`` has the numbers of ``text`` for their common words: otherwise its masks would swap the wrong words.
    """
    spelling = [tuple(encoder.by_character(word)) for word in held_out.vocabulary]
    return Words(spelling, similar_words(text.sentences(), text.vocabulary, seed=seed))


def _card(
    name: str,
    config: PretrainConfig,
    text: PretrainingText,
    stage: dict[str, Any],
    before: dict[str, Any],
    files: Sequence[Path],
) -> dict[str, Any]:
    """The card of an encoder after a stage; what it read in the stages before, and whose text that is, stays on it."""
    shape = mini_config()
    stages = [*before.get("stages", []), stage]
    read = {source["source"] for source in text.sources}
    read_before = [source for source in before.get("text", []) if source["source"] not in read]
    provenance = [f"{corpus.provenance} {corpus.licence}" for corpus in map(load_corpus, CORPORA)]
    provenance += [_licence(Path(file)) for file in files]
    names_before = {source["source"] for source in read_before}
    provenance += [
        paragraph
        for paragraph in before.get("provenance", "").split(PARAGRAPH)
        if paragraph.partition(":")[0] in names_before
    ]
    return {
        "name": name,
        "recipe": config.recipe,
        "recipe_note": RECIPE_NOTES[config.recipe],
        "layers": shape.num_hidden_layers,
        "hidden_size": shape.hidden_size,
        "vocabulary": shape.vocab_size,
        "parameters": sum(p.numel() for p in BertForMaskedLM(shape).parameters()),
        "tokens": sum(stage["tokens"] for stage in stages),
        "stages": stages,
        "text": [*text.sources, *read_before],
        "held_out_note": f"its masks on {HELD_OUT_ROWS} rows of {HELD_OUT_LENGTH} tokens from the dev sets of the "
        f"corpora {' and '.join(CORPORA)}. Recipes with other masks ask other questions, so compare stages of one "
        "recipe only.",
        "provenance": PARAGRAPH.join(provenance),
    }


def _licence(file: Path) -> str:
    beside = file.with_suffix(".licence")
    known = beside.read_text(encoding="utf-8").strip() if beside.is_file() else "of unstated provenance"
    return f"{file.stem}: {' '.join(known.split(PARAGRAPH))}"
