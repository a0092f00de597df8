"""What a run takes where an option is not given: each value with its reason, by properties, never by a name.

An encoder is what it is whether it comes from the hub, from a folder or with the kit, so its name decides nothing here.
The article's values, the defaults of :class:`~hanlp_tutor.config.TrainConfig`, hold for an encoder of the article's
size; a small one learns by those below, chosen on dev sets (results/defaults.json, docs/defaults.md).
To add a default, write a function of properties that returns a :class:`Choice`, and call it in :func:`choose`.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.manifest import read_manifest

# Encoders of at most so many parameters, pre-trained: the learning rate of θ that suits them, and who says so.
LEARNING_RATES = (
    # the embedded ones (4.3 million): dev scores differ little from 1e-4 to 1e-3 where sentences are read many times
    # (grid rows of results/encoders.json); in two passes over the newspaper 1e-3 is ahead (results/finetune_ner.json);
    # ELECTRA-small (14 million) is fine-tuned at 3e-4 (Clark et al. 2020)
    (20e6, 3e-4),
    # small BERTs (29 and 41 million) are fine-tuned at 3e-5 to 3e-4 (Turc et al. 2019); between its neighbours
    (50e6, 1e-4),
    (math.inf, 2e-5),  # the article's learning rate, for an encoder of 110 million parameters
)
LEARNING_RATE_OF_RANDOM_WEIGHTS = 1e-3  # they have nothing to preserve and everything to learn

# Of pre-trained encoders of at most so many parameters, by task; a multi-task model keeps the article's values
SMALL = LEARNING_RATES[0][0]
HEAD_LEARNING_RATES = {"ner": 3e-2, "classify": 1e-3, "relation": 1e-3}  # of relations that of classes
WITHOUT_CRF = 1e-2  # of a tagger's head that was asked for without a CRF: 3e-2 was measured with one alone
BATCH_SIZE = 16
TEXTS, FEWEST_EPOCHS, MOST_EPOCHS = 16_000, 10, 20
BUILT, LEARNT = ("crf",), ("head_lr", "batch_size", "epochs", "patience")  # chosen with the model; with the run


@dataclass(frozen=True)
class Choice:
    """A value that nobody gave, and the property that it was chosen by."""

    value: Any
    because: str


def encoder_lr(parameters: int, *, pretrained: bool) -> Choice:
    """The learning rate of θ that suits an encoder.

    Args:
        parameters: that a pass goes through (:func:`hanlp_tutor.encoders.layers.size`).
        pretrained: whether the weights have learnt anything yet.
    """
    millions = f"{parameters / 1e6:.1f} million parameters"
    if not pretrained:
        return Choice(LEARNING_RATE_OF_RANDOM_WEIGHTS, f"the encoder's weights are random ({millions})")
    most, lr = next(row for row in LEARNING_RATES if parameters <= row[0])
    bounds = f"up to {most / 1e6:.0f} million" if most < math.inf else f"over {LEARNING_RATES[-2][0] / 1e6:.0f} million"
    return Choice(lr, f"the encoder is pre-trained and has {millions} ({bounds}: {lr:g})")


def needs_crf(config: TrainConfig, *, task: str, parameters: int, pretrained: bool) -> Choice | None:
    """Whether a model that is built from these options has a CRF; None where they say it, and where it has none."""
    settled = config.crf or "crf" in config.model_fields_set or config.class_weights  # which a CRF cannot follow
    if settled or task != "ner" or not _small(parameters, pretrained):
        return None
    return Choice(True, f"a tagger on {_small_encoder(parameters)}")


def choose(
    config: TrainConfig,
    *,
    parameters: int,
    pretrained: bool,
    task: str | None = None,
    crf: bool = False,
    examples: int = 0,
) -> dict[str, Choice]:
    """What the options leave open, by the option's name.

    Args:
        config: the options; those that were not given are open.
        parameters: of the encoder, that a pass goes through.
        pretrained: whether its weights have learnt anything yet.
        task, crf: of the model, which was built with a CRF or without.
        examples: of the training set.
    """
    choices = {} if config.lr is not None else {"lr": encoder_lr(parameters, pretrained=pretrained)}
    if task not in HEAD_LEARNING_RATES or not _small(parameters, pretrained):
        return choices
    small = _small_encoder(parameters)
    epochs = passes(examples)
    several = f"{examples:,} training examples: {TEXTS:,} texts in {FEWEST_EPOCHS} to {MOST_EPOCHS} passes"
    plain = task == "ner" and not crf
    head_lr = WITHOUT_CRF if plain else HEAD_LEARNING_RATES[task]
    choices["head_lr"] = Choice(head_lr, f"{small}, task {task}{' without a CRF' if plain else ''}")
    choices["batch_size"] = Choice(BATCH_SIZE, small)
    choices["epochs"] = Choice(epochs, f"{small}; {several}")
    if not {"epochs", "eval_steps"} & config.model_fields_set:
        choices["patience"] = Choice(max(3, epochs // 4), f"a quarter of {epochs} epochs, at least 3")
    if crf and (choice := needs_crf(config, task=task, parameters=parameters, pretrained=pretrained)):
        choices["crf"] = choice
    given = config.model_fields_set - {"lr"}
    return {name: choice for name, choice in choices.items() if name not in given}


def passes(examples: int) -> int:
    """Over a training set: until 16,000 texts are read, but at least 10 and at most 20."""
    return min(MOST_EPOCHS, max(FEWEST_EPOCHS, -(-TEXTS // max(1, examples))))


def _small(parameters: int, pretrained: bool) -> bool:
    return pretrained and parameters <= SMALL


def _small_encoder(parameters: int) -> str:
    return f"a pre-trained encoder of {parameters / 1e6:.1f} million parameters (up to {SMALL / 1e6:.0f} million)"


def settled(config: TrainConfig, choices: dict[str, Choice], resumed: str | Path | None = None) -> TrainConfig:
    """The options that a run of the loop goes by: what is not given as it was chosen, or as the resumed run had it.

    ``lr`` stays open where it was: :func:`hanlp_tutor.core.optim.encoder_lr` asks the model.
    """
    values = {name: choices[name].value for name in LEARNT if name in choices}
    return config.completed(values | (begun_with(resumed, config, LEARNT) if resumed else {}))


def begun_with(folder: str | Path, config: TrainConfig, names: tuple[str, ...]) -> dict[str, Any]:
    """Of these options, those that are not given, as the run in this folder was begun with them, if there is one.

    So a run of an earlier version, which had other defaults, goes on as it began.
    """
    before: dict[str, Any] = {}
    with suppress(OSError, ValueError):  # a damaged one; the checkpoint says what differs
        before = read_manifest(Path(folder)).get("config", {})
    return {name: before[name] for name in names if name in before and name not in config.model_fields_set}


def described(config: TrainConfig, chosen: dict[str, Choice], crf: bool, dropout: float) -> dict[str, Any]:
    """For a manifest: ``config``, what holds; ``given``, what the user named; ``chosen``, with ``because`` for each.

    Args:
        config: settled (:func:`settled`).
        chosen: what was chosen for it; where it holds something else, it has that from the run that it resumes.
        crf, dropout: of the model, which keeps its own where the options say nothing of them.
    """
    given = {name: getattr(config, name) for name in sorted(config.model_fields_set - chosen.keys())}
    kept = {name: getattr(config, name) for name in chosen.keys() & set(LEARNT)}
    values = {name: kept.get(name, choice.value) for name, choice in chosen.items()}
    because = {
        name: choice.because if values[name] == choice.value else "the run was begun with it"
        for name, choice in chosen.items()
    }
    holds = {**config.model_dump(), **values, "crf": crf, "dropout": dropout}
    return {"config": holds, "given": given, "chosen": {**values, "because": because} if chosen else {}}
