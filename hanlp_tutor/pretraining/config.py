"""The options of a pre-training run, and what follows from them for an update: its row length and learning rate."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from hanlp_tutor.config import Options
from hanlp_tutor.pretraining.masking import RECIPES

SHORT, LONGER = 64, ((64, 0.4), (128, 0.4), (512, 0.2))  # row lengths in tokens, and how often each is drawn
LONGEST_ROW = LONGER[-1][0]


class PretrainConfig(Options):
    """Options of a pre-training run. Learning rates and sizes suit encoders of a few million parameters on a processor.

    The learning rate rises over ``warmup_tokens``, stays, and falls to zero over the last ``decay`` of the tokens, so
    that a run can be prolonged from where it had not fallen yet (a trapezoidal schedule; Zhai et al. 2022, section
    3.5).
    """

    recipe: Literal["bert", "roberta-wwm", "macbert"] = RECIPES[0]
    tokens: int = Field(20_000_000, ge=1, description="to read in all, special tokens included")
    batch_tokens: int = Field(2048, ge=512, description="in an update; small ones leave the first plateau sooner")
    lr: float = Field(1e-3, gt=0, le=1)
    warmup_tokens: int = Field(400_000, ge=0)
    decay: float = Field(1.0, ge=0, le=1, description="share of the tokens over which the learning rate falls to zero")
    short_rows: float = Field(
        0.4, ge=0, le=1, description="share of the tokens read in rows of 64 before longer rows join"
    )
    sinusoidal_positions: bool = Field(
        False, description="begin with sines and cosines as positions (Vaswani et al. 2017) instead of random ones"
    )
    weight_decay: float = Field(0.01, ge=0)
    max_grad_norm: float = Field(1.0, gt=0)
    fp16: bool = False
    bf16: bool = False
    allow_slow_precision: bool = False
    device: str = "auto"
    eval_steps: int = Field(500, ge=1)
    log_steps: int = Field(50, ge=1)
    seed: int = Field(1, ge=0, lt=2**32)

    @model_validator(mode="after")
    def _one_precision(self) -> PretrainConfig:
        if self.fp16 and self.bf16:
            raise ValueError("fp16 and bf16 exclude each other: choose one")
        return self

    @property
    def steps(self) -> int:
        """Updates of the whole run."""
        return max(1, self.tokens // self.batch_tokens)

    @property
    def first_longer_step(self) -> int:
        """The first update that may read rows longer than 64."""
        return math.ceil(self.short_rows * self.steps)

    def row_length(self, step: int, rng: np.random.Generator) -> int:
        """Tokens a row in update ``step`` (from 0): 64 at first, then a mixture that trains all 512 positions."""
        if step < self.first_longer_step:
            return SHORT
        lengths, shares = zip(*LONGER, strict=True)
        return int(rng.choice(lengths, p=shares))

    def lr_factor(self, step: int) -> float:
        """What ``lr`` is multiplied by in update ``step`` (from 0)."""
        warmup = self.warmup_tokens // self.batch_tokens
        falling = self.decay * self.steps
        rising = min(1.0, (step + 1) / (warmup + 1))
        return min(rising, (self.steps - step) / falling if falling else 1.0)
