"""Runs with a planted fault, for lesson 20, its experiment and the tests of diagnosis.

A :class:`Plan` is a run before it starts. :func:`plant` gives a healthy plan one fault and what that needs to show:
``over-fitting`` few sentences and no regularisation, ``long-warm-up`` a run that is as short as its warm-up.
:func:`carry_out` trains it with the kit's own loop and leaves an ordinary run folder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.batching import Batch
from hanlp_tutor.core.history import read_history
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.model_folder import build_model
from hanlp_tutor.core.precision import checkpoint_activations
from hanlp_tutor.core.run import Examples, Result
from hanlp_tutor.core.task import label_set
from hanlp_tutor.core.train import fine_tune
from hanlp_tutor.data import Span, TaggedText
from hanlp_tutor.errors import ConfigError, TrainingError, nearest
from hanlp_tutor.teach.planted import plant_label_errors
from hanlp_tutor.workbench.diagnose.facts import note_facts
from hanlp_tutor.workbench.diagnose.record import read_run


@dataclass(frozen=True)
class Plan:
    """A run before it starts: its data, its options, its encoder, and what is done to the model first."""

    train: Examples
    dev: Examples
    config: TrainConfig
    encoder: str = "mini-bert"
    prepare: Callable[[Model], None] | None = None

    @property
    def task(self) -> str:
        """``ner`` or ``classify``."""
        return "ner" if isinstance(self.train[0], TaggedText) else "classify"

    @property
    def updates_an_epoch(self) -> int:
        """As many as sentences of like length make."""
        return -(-len(self.train) // self.config.batch_size)


def carry_out(plan: Plan, out: str | Path) -> Result | None:
    """Train a plan into a run folder; None where the run died, as some of these have to."""
    model = build_model(plan.task, plan.encoder, label_set(plan.task, [*plan.train, *plan.dev]), plan.config)
    if plan.prepare:
        plan.prepare(model)
    try:
        return fine_tune(model, plan.train, plan.dev, plan.config, out, progress="none", on_start=note_facts)
    except TrainingError:
        return None


def plant(fault: str, plan: Plan) -> Plan:
    """The same run with one fault, and nothing else changed, but for what the fault needs to show at all.

    Raises:
        ConfigError: no such fault, or one that this task cannot have.
    """
    if fault not in FAULTS:
        guess = nearest(fault, FAULTS)
        hint = f"did you mean {guess!r}?" if guess else f"choose from {', '.join(FAULTS)}."
        raise ConfigError(f"there is no planted fault {fault!r}; {hint}")
    if plan.task not in FAULTS[fault][0]:
        raise ConfigError(f"the fault {fault!r} is one of {FAULTS[fault][0][0]} runs; this one is {plan.task}.")
    return FAULTS[fault][1](plan)


def shifted(example: TaggedText, places: int = 1) -> TaggedText:
    """Every tag ``places`` characters too late, as when a converter counts a title or a byte-order mark."""
    tags = ("O",) * places + example.tags[: len(example.tags) - places]
    return TaggedText(example.text, tags[: len(example.text)], example.source)


def renamed(example: TaggedText, old: str, new: str) -> TaggedText:
    """The same entities, one type spelt differently."""
    spans = [Span(s.start, s.end, new if s.label == old else s.label) for s in example.spans]
    return TaggedText.from_spans(example.text, spans, example.source)


def _over_fitting(plan: Plan) -> Plan:
    """A handful of examples, read again and again, without any regularisation."""
    few = _of_every_label(plan.train, max(16, len(plan.train) // 12))
    epochs = plan.config.epochs * len(plan.train) // len(few)  # as many updates
    options = {"epochs": epochs, "schedule": "constant", "dropout": 0.0, "weight_decay": 0.0, "patience": None}
    return replace(plan, train=few, config=plan.config.replace(**options))


def _low_learning_rate(plan: Plan) -> Plan:
    """Both learning rates at a hundredth."""
    lr = (plan.config.lr or 3e-4) / 100
    return replace(plan, config=plan.config.replace(lr=lr, head_lr=plan.config.head_lr / 100))


def _long_warm_up(plan: Plan) -> Plan:
    """The learning rate is still rising when the run is over; like a warm-up of 1,000 updates on a small corpus.

    The run is cut to a third as well: in as many updates as the healthy run has, a rising learning rate does no harm
    (lesson 20 shows all four).
    """
    epochs = max(1, plan.config.epochs // 3)
    return replace(plan, config=plan.config.replace(warmup_steps=plan.updates_an_epoch * epochs - 1, epochs=epochs))


def _high_learning_rate(plan: Plan) -> Plan:
    """The learning rate of the encoder a hundredfold."""
    return replace(plan, config=plan.config.replace(lr=min(1.0, 100 * (plan.config.lr or 3e-4))))


def _not_a_number(plan: Plan) -> Plan:
    """Plain SGD at the highest learning rate, unclipped."""
    options = {"optimizer": "sgd", "lr": 1.0, "head_lr": 1.0, "max_grad_norm": None, "warmup_steps": 0}
    return replace(plan, config=plan.config.replace(**options, weight_decay=0.0), prepare=_magnify)


def _magnify(model: Model) -> None:
    model.head.classifier.weight.data.mul_(1e4)


def _random_weights(plan: Plan) -> Plan:
    """An encoder that has read nothing, at the learning rate of one that has."""
    return replace(plan, encoder=f"random:{plan.encoder.removeprefix('random:')}")


def _noisy_labels(plan: Plan) -> Plan:
    """Nearly half of the classes are wrong in the training set."""
    return replace(plan, train=plant_label_errors(plan.train, 0.45, plan.config.seed)[0])


def _unseen_label(plan: Plan) -> Plan:
    """The commonest type is misspelt in the training set: PER becomes PRE, two letters exchanged."""
    labels = [span.label for example in plan.train for span in example.spans]
    label = max(sorted(set(labels)), key=labels.count)
    misspelt = label[:-2] + label[-1] + label[-2]
    return replace(plan, train=[renamed(example, label, misspelt) for example in plan.train])


def _misaligned(plan: Plan) -> Plan:
    """The training tags stand one character too late."""
    return replace(plan, train=[shifted(example) for example in plan.train])


def _leak(plan: Plan) -> Plan:
    """Half of the dev set stands in the training file as well, a few times over."""
    known = plan.dev[: len(plan.dev) // 2]
    return replace(plan, train=[*plan.train, *known, *known])


def _frozen(plan: Plan) -> Plan:
    """Yesterday the encoder was frozen to train the head; nobody has thawed it."""
    return replace(plan, prepare=lambda model: model.encoder.requires_grad_(False))


def _imbalance(plan: Plan) -> Plan:
    """One training example in fifty shows what is wanted, and the rest the commonest label."""
    rare = max(2, len(plan.train) // 50)
    wanted = "O" if plan.task == "ner" else max(sorted({e.label for e in plan.train}))
    if plan.task == "ner":
        empty = [TaggedText(e.text, ("O",) * len(e.text), e.source) for e in plan.train if e.spans]
        kept = _of_every_label([e for e in plan.train if e.spans], rare)
        return replace(plan, train=[*kept, *empty[len(kept) :], *[e for e in plan.train if not e.spans]])
    kept = [e for e in plan.train if e.label == wanted][:rare]
    return replace(plan, train=[*kept, *[e for e in plan.train if e.label != wanted]])


def _of_every_label(examples: Examples, count: int) -> list[Any]:
    """So many examples, or more, with every label among them: dev shall not ask for one that nobody has shown."""
    few: list[Any] = []
    shown: set[str] = set()
    for example in sorted(examples, key=lambda e: -len(_labels(e))):  # stable: the first of like ones
        if _labels(example) - shown:
            few.append(example)
            shown |= _labels(example)
    return few + [example for example in examples if example not in few][: max(0, count - len(few))]


def _labels(example: Any) -> set[str]:
    return {span.label for span in example.spans} if isinstance(example, TaggedText) else {example.label}


BOTH, TAGS, CLASSES = ("ner", "classify"), ("ner",), ("classify",)
FAULTS: dict[str, tuple[tuple[str, ...], Callable[[Plan], Plan]]] = {
    "over-fitting": (BOTH, _over_fitting),
    "rate-too-low": (BOTH, _low_learning_rate),
    "long-warm-up": (BOTH, _long_warm_up),
    "rate-too-high": (BOTH, _high_learning_rate),
    "diverged": (BOTH, _not_a_number),
    "random-weights": (BOTH, _random_weights),
    "noisy-labels": (CLASSES, _noisy_labels),
    "unseen-label": (TAGS, _unseen_label),
    "misaligned": (TAGS, _misaligned),
    "leak": (BOTH, _leak),
    "frozen-encoder": (BOTH, _frozen),
    "one-answer": (BOTH, _imbalance),
}

# The patients of lesson 20. Whoever reads on spoils the exercises for himself.
_WARD = {
    "A": "over-fitting",
    "B": "rate-too-low",
    "C": "long-warm-up",
    "D": "random-weights",
    "E": "unseen-label",
    "F": "misaligned",
    "G": "leak",
    "H": "frozen-encoder",
    "I": "one-answer",
    "J": "noisy-labels",
}


class Patient:
    """A run with a hidden fault: ``plan``, ``folder``, ``history``."""

    def __init__(self, plan: Plan, folder: Path):
        self.plan, self.folder = plan, folder
        carry_out(plan, folder)
        self.history = read_history(folder / "history.csv")
        (folder / "checkpoint.pt").unlink(missing_ok=True)  # 50 MB a patient, and nobody goes on with this run

    @property
    def symptoms(self) -> dict[str, str]:
        """The numbers that a table of patients shows."""
        last = [row for row in self.history if row["dev_score"] is not None][-1]
        top = max(self.history, key=lambda row: row["lr"] or 0.0)
        return {
            "updates": f"{last['step']:.0f}",
            "loss at the end": f"{read_run(self.folder).loss_over(0.8, 1.0):.3f}",
            "highest lr of θ": f"{top['lr']:.1g} at update {top['step']:.0f}" if top["lr"] else "none",
            "train score": f"{last['train_score']:.3f}",
            "dev score": f"{last['dev_score']:.3f}",
            "dev loss": f"{last['dev_loss']:.3f}",
        }


def admit(letter: str, plan: Plan, out: Path) -> Patient:
    """Give a healthy plan the fault of patient ``letter`` and train it; an empty letter is the healthy run."""
    return Patient(plant(_WARD[letter], plan) if letter else plan, out / (letter or "healthy"))


def tight_memory(model: Model, tokens: int) -> None:
    """Let the model run out of memory, in the words of PyTorch's allocator, on batches of more than so many tokens."""
    forward = model.forward

    def limited(batch: Batch) -> Tensor:
        if model.training and batch.input_ids.numel() > tokens:
            raise RuntimeError(f"DefaultCPUAllocator: can't allocate memory: {batch.input_ids.numel()} tokens (staged)")
        return forward(batch)

    model.forward = limited


def kept_mb(
    model: Model, batch: Batch, dtype: torch.dtype | None = None, *, gradient_checkpointing: bool = False
) -> float:
    """MiB that a forward pass keeps for the backward pass: the tensors it made that are alive when the loss is there.

    Args:
        model: in training mode.
        batch: on the model's device.
        dtype: of autocast; None: float32.
        gradient_checkpointing: keep no activations inside the layers; switched off again at the end.
    """
    if gradient_checkpointing:
        checkpoint_activations(model, TrainConfig(gradient_checkpointing=True))
    with _Made() as made, torch.autocast(model.device.type, dtype, enabled=dtype is not None):
        loss = model.loss_sum(model(batch), batch)
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    alive = {place: size for place, (storage, size) in made.storages.items() if not storage.expired()}
    del loss
    if gradient_checkpointing:
        # its name from transformers 5.2x on, where the older one warns
        disable = getattr(model.encoder, "activation_checkpointing_disable", None)
        (disable or model.encoder.gradient_checkpointing_disable)()
    return sum(size for place, size in alive.items() if place not in own) / 2**20


class _Made(TorchDispatchMode):
    """Remembers, weakly, the storage of every tensor that an operation returns."""

    def __init__(self) -> None:
        super().__init__()
        self.storages: dict[int, tuple[StorageWeakRef, int]] = {}

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), options: Any = None) -> Any:
        result = function(*arguments, **(options or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                self.storages[storage.data_ptr()] = StorageWeakRef(storage), storage.nbytes()
        return result
