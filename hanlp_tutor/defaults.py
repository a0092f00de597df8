"""What a run takes where an option is not given: each value with its reason, by properties, never by a name.

An encoder is what it is whether it comes from the hub, from a folder or with the kit, so its name decides nothing here.
To add a default, write a function of properties that returns a :class:`Choice`, and call it in :func:`choose`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hanlp_tutor.config import TrainConfig

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


def choose(config: TrainConfig, *, parameters: int, pretrained: bool) -> dict[str, Choice]:
    """What the options leave open, by the option's name."""
    return {} if config.lr is not None else {"lr": encoder_lr(parameters, pretrained=pretrained)}


def described(config: TrainConfig, chosen: dict[str, Choice], crf: bool, dropout: float) -> dict[str, Any]:
    """For a manifest: ``config``, what holds; ``given``, what the user named; ``chosen``, with ``because`` for each.

    Args:
        crf, dropout: of the model, which keeps its own where the options say nothing of them.
    """
    given = {name: getattr(config, name) for name in sorted(config.model_fields_set - chosen.keys())}
    values = {name: choice.value for name, choice in chosen.items()}
    because = {name: choice.because for name, choice in chosen.items()}
    holds = {**config.model_dump(), **values, "crf": crf, "dropout": dropout}
    return {"config": holds, "given": given, "chosen": {**values, "because": because} if chosen else {}}
