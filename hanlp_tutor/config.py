"""The one contract of a training run, behind three doors: Python, the command line, a papermill parameter.

A misspelt name, a string where a number belongs and a value out of range are errors here, before anything is loaded,
and name the nearest right option. Names are the article's own where it has one.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from hanlp_tutor.errors import ConfigError, nearest


class Options(BaseModel):
    """A typed set of options that explains itself: what is wrong, and the nearest right name.

    Raises:
        ConfigError: an unknown option, a wrong type, a value out of range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=())
    ADDED: ClassVar[tuple[str, ...]] = ()  # options that the first version lacked, and did what is their default

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            known = list(type(self).model_fields)
            raise ConfigError("\n".join(_explain(item, known) for item in error.errors())) from None

    def canonical(self) -> str:
        """As JSON, by whose hash a run is known; of ``ADDED`` only what differs from what earlier versions did."""
        usual = {name for name in self.ADDED if getattr(self, name) == type(self).model_fields[name].default}
        return self.model_dump_json(exclude=usual)


class TrainConfig(Options):
    """Every option of a training run.

    Two learning rates, as the article advises: ``lr`` for the encoder θ, ``head_lr`` for the head φ. ``lr=None`` takes
    the learning rate that suits the encoder (:func:`hanlp_tutor.defaults.encoder_lr`): the article's 2e-5 for a
    pre-trained one of its size, more for a small one, far more for random weights. The other defaults, too,
    suit an encoder of that size; where a small one learns better by others, what is not given is chosen
    (:func:`hanlp_tutor.defaults.choose`), and the run's manifest says what and why.

    Raises:
        ConfigError: an unknown option (with the nearest known one), a wrong type, a value out of range.
    """

    ADDED: ClassVar[tuple[str, ...]] = ("tf32", "deterministic", "compile", "varlen", "loss_mean")

    # How long, how much at once
    epochs: int = Field(10, ge=1)
    batch_size: int = Field(32, ge=1, description="examples in a micro-batch, at most")
    max_batch_tokens: int | None = Field(None, ge=16, description="tokens in a micro-batch; None: 128 times batch_size")
    max_length: int = Field(512, ge=16, le=512, description="tokens in a window of text; longer texts take several")
    gradient_accumulation_steps: int = Field(1, ge=1, description="micro-batches in one update")
    loss_mean: Literal["update", "corpus"] = Field(
        "update", description="over the tokens of each update; corpus: a token weighs the same in every update"
    )

    # How fast
    lr: float | None = Field(None, gt=0, le=1, description="of the encoder θ; None: what suits the encoder")
    head_lr: float = Field(1e-3, gt=0, le=1, description="of the head φ")
    warmup_steps: int | float = Field(0.1, ge=0, description="whole steps, or a fraction of all steps below 1")
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    layerwise_decay: float = Field(1.0, gt=0, le=1, description="factor from each encoder layer to the one below")
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    max_grad_norm: float | None = Field(1.0, gt=0)

    # Regularisation
    weight_decay: float = Field(0.01, ge=0, description="decoupled for adamw; part of the gradient for adam and sgd")
    l2: float = Field(0.0, ge=0, description="the article's λ in Σ L + λ‖θ‖², Σ over all N tokens of the training set")
    l2_on: Literal["encoder", "all", "distance"] = "encoder"
    dropout: float = Field(0.1, ge=0, lt=1, description="of the head and of hidden states; attention keeps its own")
    freeze: str = Field("none", description="none, encoder (train the head only), or all-but-last-K")
    crf: bool = False
    class_weights: Literal["balanced"] | dict[str, float] | None = None

    # Which task how often, how much (multitask only)
    sampling_temperature: float = Field(1.0, ge=0, le=1, description="a task of n batches is drawn as often as n**this")
    task_weights: dict[str, float] | None = Field(None, description="factors of the tasks' losses; else 1")

    # How precise
    fp16: bool = False
    bf16: bool = False
    allow_slow_precision: bool = False
    gradient_checkpointing: bool = False
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1 ...")
    tf32: bool = Field(True, description="float32 products on a GPU that has it with 10 bits of mantissa, much faster")
    deterministic: bool | None = Field(
        None, description="same seed, same numbers, kernels permitting; None: on the CPU, where it costs little"
    )
    compile: bool = Field(False, description="torch.compile the encoder, on a GPU: minutes first, then faster updates")
    varlen: bool = Field(False, description="compute no padding, on a GPU in 16 bits; attention has no dropout then")

    # When to look, stop and save
    patience: int | None = Field(3, ge=1, description="evaluations without a better dev score; None: never stop early")
    eval_steps: int | None = Field(None, ge=1, description="updates between evaluations; None: once an epoch")
    checkpoint_steps: int | None = Field(None, ge=1, description="updates between checkpoints; None: once an epoch")
    log_steps: int = Field(10, ge=1, description="updates between rows of the history")
    seed: int = Field(1, ge=0, lt=2**32)

    @field_validator("freeze", mode="before")
    @classmethod
    def _none_is_none(cls, value: Any) -> Any:
        return "none" if value is None else value  # `-p freeze none` comes as None, like every other none

    @field_validator("freeze")
    @classmethod
    def _known_freeze(cls, value: str) -> str:
        if value not in ("none", "encoder") and not re.fullmatch(r"all-but-last-[1-9]\d*", value):
            raise ValueError("write none, encoder, or all-but-last-2 (any number of layers)")
        return value

    @field_validator("warmup_steps")
    @classmethod
    def _whole_or_fraction(cls, value: float) -> float:
        if isinstance(value, float) and value >= 1 and value != int(value):
            raise ValueError("write a whole number of steps, or a fraction below 1 of all steps")
        return value

    @field_validator("class_weights", "task_weights")
    @classmethod
    def _positive_weights(cls, value: Any) -> Any:
        if isinstance(value, dict) and (not value or min(value.values()) < 0 or max(value.values()) == 0):
            raise ValueError("weights are numbers from 0 up, at least one of them above 0")
        return value

    @model_validator(mode="after")
    def _one_precision(self) -> TrainConfig:
        if self.fp16 and self.bf16:
            raise ValueError("fp16 and bf16 exclude each other: choose one")
        if self.varlen and (self.compile or self.deterministic):
            other = "compile" if self.compile else "deterministic"
            raise ValueError(f"varlen and {other} exclude each other: choose one")
        if self.crf and self.class_weights is not None:
            raise ValueError("class_weights weigh single tags and a CRF scores whole sequences: choose one")
        if self.freeze == "encoder" and self.l2 and self.l2_on in ("encoder", "distance"):
            raise ValueError(f"l2 on a frozen encoder has no effect (l2_on={self.l2_on}): drop one of the two")
        return self

    @property
    def batch_tokens(self) -> int:
        """The token budget of a micro-batch: an average Chinese sentence is well below 128 characters."""
        return self.max_batch_tokens or 128 * self.batch_size

    def check_model(self, task: str, crf: bool) -> None:
        """Refuse what a model cannot follow, rather than record it and do something else.

        Args:
            task: of the model.
            crf: whether its head has a CRF.

        Raises:
            ConfigError: with what the model has instead.
        """
        if "crf" in self.model_fields_set and self.crf != crf:
            raise ConfigError(
                f"crf={self.crf}: the model has {'a' if crf else 'no'} CRF, and a head that is built stays as it is. "
                f"Leave crf out, or build the model anew with crf={self.crf}; only models that tag can have a CRF."
            )
        if crf and self.class_weights is not None:
            raise ConfigError("class_weights weigh single tags; the model's CRF scores whole sequences. Leave it out.")
        if task != "multitask" and (self.task_weights is not None or self.sampling_temperature != 1):
            name = "sampling_temperature" if self.task_weights is None else "task_weights"
            raise ConfigError(f"{name} is for a multi-task model, and this model has one task, {task}: leave it out.")

    def replace(self, **changes: Any) -> TrainConfig:
        """A copy with some options changed, checked like a new one; what was not given still counts as not given."""
        return TrainConfig(**{**self.model_dump(exclude_unset=True), **changes})

    def completed(self, values: dict[str, Any]) -> TrainConfig:
        """A copy in which options that were not given hold ``values``, and still count as not given."""
        full = TrainConfig(**{**values, **self.model_dump(exclude_unset=True)})
        return TrainConfig.model_construct(set(self.model_fields_set), **full.model_dump())


def config_from_yaml(path: str | Path, overrides: dict[str, Any] | None = None) -> TrainConfig:
    """Read a YAML file of options; ``overrides`` (``-p`` on the command line) win over it.

    Raises:
        ConfigError: see :func:`read_yaml`, or what :class:`TrainConfig` refuses.
    """
    return TrainConfig(**{**read_yaml(path), **(overrides or {})})


def read_yaml(path: str | Path) -> dict[str, Any]:
    """A YAML file of options, by name.

    Raises:
        ConfigError: no such file, no YAML, a name twice, no mapping, or a key that is no name.
    """
    try:
        values = yaml.load(Path(path).read_text(encoding="utf-8"), Loader=_EachKeyOnce) or {}
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}{_where(error)}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected lines of `option: value`.")
    unnamed = [name for name in values if not isinstance(name, str)]
    if unnamed:
        raise ConfigError(f"{path}: {unnamed[0]!r} is no option name.")
    return values


class _TwiceError(yaml.MarkedYAMLError):
    """A mapping names a key twice."""


class _EachKeyOnce(yaml.SafeLoader):
    """YAML whose mappings name each key once; of a repeated one PyYAML takes the last, without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # no name of an option; PyYAML refuses it
            if (key.tag, key.value) in seen:  # '1' and 1 are two
                twice = f"{key.value} stands here twice; keep one"
                raise _TwiceError(problem=twice, problem_mark=key.start_mark)
            seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep)


def _where(error: Exception) -> str:
    """``:LINE``, where the error knows it."""
    mark = getattr(error, "problem_mark", None)
    return f":{mark.line + 1}" if mark else ""


def parse_value(text: str) -> Any:
    """The value of ``-p NAME VALUE``: a number, true/false, none, text, or YAML's ``'1'`` and ``{a: 1}``.

    >>> [parse_value(text) for text in ("3", "2e-5", "true", "none", "linear", "'3'", "{NR: 2}")]
    [3, 2e-05, True, None, 'linear', '3', {'NR': 2}]

    Raises:
        ConfigError: a mapping that names a key twice.
    """
    lowered = text.strip().lower()
    if lowered[:1] + lowered[-1:] in ("''", '""', "{}", "[]") and len(lowered) > 1:
        try:
            return yaml.load(text, Loader=_EachKeyOnce)
        except _TwiceError as error:
            raise ConfigError(f"{text}: {error.problem}.") from None
        except yaml.YAMLError:
            pass
    if lowered in ("true", "false"):
        return lowered == "true"
    if lowered in ("none", "null"):
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def typed_value(value: Any) -> str:
    """The reverse of :func:`parse_value`: what is typed for a value, before the quotes of a shell."""
    if value is None:
        return "none"
    if isinstance(value, (dict, list)):
        return yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6).strip()
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if _read_back(value) == value:
        return value  # text like 1 or true needs quotes
    return f'"{value}"' if not set(value) & set('"\\') else "'" + value.replace("'", "''") + "'"


def _read_back(text: str) -> Any:
    """What it is when it is typed; ``...`` where it is refused."""
    try:
        return parse_value(text)
    except ConfigError:
        return ...


# What people type who come from the Hugging Face Trainer; no spelling leads from these names to ours.
_OF_THE_TRAINER = {
    "learning_rate": "lr",
    "num_train_epochs": "epochs",
    "num_epochs": "epochs",
    "per_device_train_batch_size": "batch_size",
    "warmup_ratio": "warmup_steps",
    "early_stopping_patience": "patience",
    "lr_scheduler_type": "schedule",
}


def option_meant(name: str) -> str | None:
    """The option that a name stands for: its own, or that of the Trainer's option; None if it is neither."""
    meant = _OF_THE_TRAINER.get(name, name)
    return meant if meant in TrainConfig.model_fields else None


def unknown_option(name: str, known: list[str]) -> str:
    """The message for a misspelt option, with the nearest right name."""
    meant = option_meant(name)
    guess = meant if meant in known else nearest(name, known)
    return f"unknown option {name!r}." + (
        f" Did you mean {guess!r}?" if guess else f" Known: {', '.join(sorted(known))}."
    )


def _explain(item: dict[str, Any], known: list[str]) -> str:
    """One line a student can act on, from one entry of pydantic's error list."""
    name = str(item["loc"][0]) if item["loc"] else ""
    if item["type"] == "extra_forbidden":
        return unknown_option(name, known)
    message = item["msg"].removeprefix("Value error, ")
    if not name:
        return message + "."
    value = item["input"]
    remedy = _remedy_for_text(value) if isinstance(value, str) else ""
    return f"{name}={value!r}: {message}.{remedy}"


def _remedy_for_text(value: str) -> str:
    parsed = _read_back(value)
    if isinstance(parsed, str):
        return ""
    plain = re.sub(r"^(\d+)e", r"\1.0e", value.strip())
    hint = f" (YAML reads {value} as text; write {plain})" if plain != value else ""
    return f" It is text: write it without quotes{hint}."
