"""Teach a trained model more without its forgetting what it knew (增量学习，不遗忘).

Sentences in which only the *new* type is marked say of every old entity: this is none. A model that goes on learning
from them alone unlearns its old types. That is a conflict of labels (标签冲突) and mended in the data; the catastrophic
forgetting of McCloskey and Cohen (1989) needs no wrong label. Three remedies add up:

* **pseudo-labels** (伪标签): the old model marks its own types in the new sentences (Monaikul et al. 2021, "Continual
  Learning for Named Entity Recognition");
* **replay** (重放): old examples are learnt again beside the new ones. Of the new type they say nothing, so a copy of
  the model that has learnt from the new sentences alone marks it there;
* **regularisation** (正则化): options of the run, ``freeze``, or ``l2`` with ``l2_on="distance"``, which holds θ near
  where it was. By itself it keeps nothing here (results/multitask.json): the head alone can unlearn a type.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.inference import predict_labels
from hanlp_tutor.core.model import Model, draw_weights
from hanlp_tutor.core.multitask import MultiTaskModel
from hanlp_tutor.core.run import Result
from hanlp_tutor.core.scores import span_scores
from hanlp_tutor.core.train import fine_tune
from hanlp_tutor.data import Span, TaggedText
from hanlp_tutor.data.edges import visible_spans
from hanlp_tutor.data.words import WORD_TASKS
from hanlp_tutor.encoders import Encoder
from hanlp_tutor.errors import ConfigError, ModelError, TrainingError
from hanlp_tutor.workbench.add_labels import add_labels
from hanlp_tutor.workbench.diagnose.facts import note_facts

PSEUDO = "pseudo"


def add_task(model: MultiTaskModel, labels: Iterable[str], *, seed: int = 1) -> MultiTaskModel:
    """A copy of a multi-task model with one task more: a fresh decoder beside those that it has.

    Args:
        model: stays as it is.
        labels: of the new task, written ``task/tag``, as :func:`hanlp_tutor.data.words.word_labels` gives them.
        seed: of the decoder's weights.

    Raises:
        ModelError: labels of a task that the model has.
    """
    added = [label for label in labels if label not in model.labels]
    known = [label for label in added if label.partition("/")[0] in model.tasks]
    if known or not added:
        raise ModelError(f"{(known or ['no label'])[0]}: add_task takes labels of a task that the model lacks; it has "
                         f"{', '.join(model.tasks)}.")  # fmt: skip
    together = {label.partition("/")[0] for label in (*model.labels, *added)}
    ordered = [label for task in WORD_TASKS if task in together for label in (*model.labels, *added)
               if label.startswith(task + "/")]  # fmt: skip
    encoder = Encoder(model.encoder_name, copy.deepcopy(model.encoder), model.tokenizer, model.pretrained, model.window)
    torch.manual_seed(seed)
    grown = MultiTaskModel(encoder, ordered, dropout=model.head.dropout.p, crf=model.crf)
    for task, decoder in grown.head.decoders.items():
        if task in model.tasks:
            decoder.load_state_dict(model.head.decoders[task].state_dict())
        else:
            draw_weights(decoder)
    return grown.to(model.device).train(model.training)


@dataclass(frozen=True)
class Extension:
    """What came of :func:`extend`: the model, its run, and the scores before and after."""

    model: Model
    result: Result
    old_types: tuple[str, ...]
    new_types: tuple[str, ...]
    before: dict[str, Any]  # {"old": span scores on the old types, "new": on the new ones}, empty without a test
    after: dict[str, Any]

    @property
    def forgotten(self) -> float:
        """How many points of F1 on the old types were lost; below 0 when they were gained."""
        return 100 * (self.before["old"]["f1"] - self.after["old"]["f1"])

    def report(self) -> list[dict[str, Any]]:
        """A row for each type, and one for all old and all new ones: F1 before and after, the difference in points."""
        rows = []
        for kind, types in (("old", self.old_types), ("new", self.new_types)):
            if kind not in self.after:
                continue
            scores = [{**each[kind]["per_type"], f"all {kind} types": each[kind]} for each in (self.before, self.after)]
            for name in (*types, f"all {kind} types"):
                first, then = (each.get(name, {"f1": 0.0})["f1"] for each in scores)
                rows.append({"type": name, "before": first, "after": then, "points": 100 * (then - first)})
        return rows


def extend(
    model: Model,
    new: Sequence[TaggedText],
    config: TrainConfig,
    out: str | Path,
    *,
    replay: Sequence[TaggedText] | str | None = PSEUDO,
    dev: Sequence[TaggedText] = (),
    old_test: Sequence[TaggedText] = (),
    new_test: Sequence[TaggedText] = (),
    progress: str = "auto",
) -> Extension:
    """Teach a model of entities the types that only ``new`` has.

    A type that occurs in ``new`` counts as marked there; of the others, nothing is known there.

    Args:
        model: a trained model of the task ``ner``; stays as it is.
        new: sentences with the new types.
        config: of the run; ``freeze`` and ``l2_on="distance"`` hold it back further.
        out: the run folder.
        replay: old examples to learn again; ``"pseudo"``: none, but the old model marks its types in the new sentences
            (which it does for old examples too); None: learn from ``new`` alone, and forget.
        dev: with all types marked; chooses the weights.
        old_test: the old types are scored on it, before and after.
        new_test: the new types are.
        progress: as for :func:`fine_tune`.

    Raises:
        ModelError: another task; TrainingError: no type in ``new`` is new; ConfigError: another ``replay``.
    """
    if model.task != "ner":
        raise ModelError(f"extend teaches entity types; this model's task is {model.task}.")
    if isinstance(replay, str) and replay != PSEUDO:
        raise ConfigError(f"replay={replay!r}: pass old examples, {PSEUDO!r} or None.")
    known, marked = types_of(model), {span.label for example in new for span in example.spans}
    added = tuple(sorted(marked - set(known)))
    if not added:
        raise TrainingError(f"The model knows every type of the new sentences ({', '.join(sorted(marked))}): there is "
                            "nothing to add. Go on with fine_tune.")  # fmt: skip
    grown = add_labels(model, added, seed=config.seed)
    train = list(new)
    if replay is not None:
        train = complete(model, new, [kind for kind in known if kind not in marked])
    if replay is not None and not isinstance(replay, str):
        teacher = add_labels(model, added, seed=config.seed)
        fine_tune(teacher, new, [], config, Path(out) / "teacher", progress="none")
        train += complete(teacher, replay, added)
    tests = {"old": (old_test, known), "new": (new_test, added)}
    before = {kind: scores_of(model, test, types) for kind, (test, types) in tests.items() if test}
    result = fine_tune(grown, train, dev, config, out, progress=progress, on_start=note_facts)
    after = {kind: scores_of(grown, test, types) for kind, (test, types) in tests.items() if test}
    return Extension(grown, result, known, added, before, after)


def types_of(model: Model) -> tuple[str, ...]:
    """The entity types of a model, in the order of its labels."""
    return tuple(label[2:] for label in model.labels if label.startswith("B-"))


def complete(model: Model, examples: Sequence[TaggedText], types: Iterable[str]) -> list[TaggedText]:
    """The examples with what the model finds of ``types``, wherever no entity is marked already."""
    completed = []
    for example, found in zip(examples, _found(model, examples, types), strict=True):
        taken = {place for span in example.spans for place in range(span.start, span.end)}
        free = [span for span in found if taken.isdisjoint(range(span.start, span.end))]
        completed.append(TaggedText.from_spans(example.text, [*example.spans, *free], example.source))
    return completed


def scores_of(model: Model, test: Sequence[TaggedText], types: Iterable[str]) -> dict[str, Any]:
    """Span scores on some types alone: what the test does not mark, it cannot judge."""
    types = set(types)
    gold = [[span for span in example.spans if span.label in types] for example in test]
    return span_scores(gold, _found(model, test, types))


def _found(model: Model, examples: Sequence[TaggedText], types: Iterable[str]) -> list[list[Span]]:
    wanted = set(types)
    predictions, _ = predict_labels(model, [model.encode_input(example) for example in examples])
    spans = map(visible_spans, predictions, (example.text for example in examples))
    return [[span for span in found if span.label in wanted] for found in spans]
