"""A task: everything that depends on it, in one place. How its files are read, its labels, its scores, its headline.

To add one, see docs/architecture.md, "Where does it go?". This module does not import torch.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hanlp_tutor.core.mistakes import class_mistake, entity_mistake, surest_first
from hanlp_tutor.core.scores import class_scores, minority_share, span_scores
from hanlp_tutor.data import Split, read_examples, split_stratified
from hanlp_tutor.data.edges import visible_spans
from hanlp_tutor.data.examples import TaggedText, gold_counts, group_of
from hanlp_tutor.data.formats.format import check_options
from hanlp_tutor.data.schemes import Span, spans_from_bio
from hanlp_tutor.data.split import split_groups
from hanlp_tutor.data.words import (
    WORD_TASKS,
    TaggedWords,
    read_task_files,
    read_words,
    split_by_text,
    word_labels,
    word_starts,
)
from hanlp_tutor.errors import ConfigError, nearest

if TYPE_CHECKING:
    from hanlp_tutor.core.model import Model
    from hanlp_tutor.core.multitask import MultiTaskModel


class Task:
    """One task.

    Attributes:
        name: as ``--task`` takes it.
        headline: the score that chooses the best weights.
        several: it is several tasks at once, so counts and losses over all of it are of no one task.
        large: the format of its files that may be larger than memory; None: they are read whole.
        exporters: by target (``hanlp``) what writes its models there, and by ``why_not(model)`` says beforehand that
            it cannot; whoever can, registers itself.
    """

    name: str
    headline: str
    several: bool = False
    large: str | None = None

    def __init__(self) -> None:
        self.exporters: dict[str, Any] = {}

    def read(self, file: str | Path, **options: Any) -> list[Any]:
        """The examples of a file.

        Raises:
            DataError, ConfigError: as :func:`hanlp_tutor.read_examples`.
        """
        return read_examples(self.name, file, **options)

    def hold_out(self, examples: Sequence[Any], *, ratio: tuple[float, float, float], seed: int) -> Split:
        """Train, dev and test out of one file's examples; those of one group stay in one set."""
        if any(map(group_of, examples)):
            return split_groups(examples, ratio=ratio, seed=seed)
        return split_stratified(examples, ratio=ratio, seed=seed)

    def kept_whole(self, examples: Sequence[Any]) -> list[Hashable]:
        """For each example what :meth:`hold_out` does not tear apart; empty where it stands alone."""
        return [group_of(example) for example in examples]

    def admit(self, examples: list[Any], train: Sequence[Any]) -> list[Any]:
        """The examples of a file, but for those that a training set rules out."""
        return examples

    def counted(self, model: Model, examples: list[Any]) -> list[Any]:
        """The examples that a model is scored on: all, but for those that its training set rules out."""
        return examples

    def prepare(self, model: Model, train: Sequence[Any]) -> None:
        """Let a model know of its training set what its labels do not say."""

    def label_set(self, examples: Iterable[Any]) -> tuple[str, ...]:
        """The classes that occur, in a fixed order."""
        raise NotImplementedError

    def model_class(self) -> type[Model]:
        """The class of its models."""
        raise NotImplementedError

    def score(self, model: Model, examples: Sequence[Any], predictions: Sequence[Any]) -> dict[str, Any]:
        """The scores of the contract, and ``minority`` (:func:`~hanlp_tutor.core.scores.minority_share`).

        Args:
            model: that predicted.
            examples: with gold labels.
            predictions: what :meth:`Model.decode` gives, one an example.
        """
        raise NotImplementedError

    def inputs(self, examples: Sequence[Any]) -> list[Any]:
        """What a model of this task is asked: the texts."""
        return [example.text for example in examples]

    def said(self, example: Any, answer: dict[str, Any]) -> Any:
        """What an answer says of an example, as :meth:`score` takes it; not of several tasks, whose words it lacks."""
        raise NotImplementedError

    def of_contract(
        self, scores: dict[str, Any], model: Model, test: Sequence[Any], predict_many: Callable[..., Any]
    ) -> dict[str, Any]:
        """The scores of a test set that are told: those of the contract, without the others of :meth:`score`."""
        return {name: value for name, value in scores.items() if name not in ("loss", "minority", "mean")}

    def mistakes(
        self, model: Model, examples: Sequence[Any], predict_many: Callable[..., Any]
    ) -> list[dict[str, Any]]:
        """The examples that are predicted wrongly, those of which the model was surest first.

        Args:
            model: that predicts.
            examples: with gold labels.
            predict_many: from what the model reads to its answers.

        Returns:
            For each :func:`~hanlp_tutor.core.mistakes.entity_mistake` or ``class_mistake``.

        Raises:
            InputError: a multi-task model without a segmenter, which answers no raw text.
        """
        raise NotImplementedError

    def parts(self, scores: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """The tables in these scores, by the name of the part; one without a name, unless the task has several."""
        return {"": scores}


class EntityTask(Task):
    """Named entities (命名实体识别): a BIO tag for each character."""

    name, headline, large = "ner", "f1", "columns"

    def label_set(self, examples: Iterable[Any]) -> tuple[str, ...]:
        """O, then B-X and I-X of each type."""
        types = sorted({tag[2:] for tag in gold_counts(examples) if tag != "O"})
        return ("O", *(f"{position}-{kind}" for kind in types for position in "BI"))

    def model_class(self) -> type[Model]:
        from hanlp_tutor.core.model import TaggingModel

        return TaggingModel

    def score(self, model: Model, examples: Sequence[Any], predictions: Sequence[Any]) -> dict[str, Any]:
        """``{"precision", "recall", "f1", "per_type"}``, micro, exact span."""
        texts = [example.text for example in examples]
        scores = span_scores([example.spans for example in examples], [*map(visible_spans, predictions, texts)])
        return {**scores, "minority": minority_share(chain.from_iterable(predictions))}

    def said(self, example: Any, answer: dict[str, Any]) -> tuple[str, ...]:
        """The BIO tags of its entities."""
        return TaggedText.from_spans(example.text, _spans_and_scores(answer["entities"])[0]).tags

    def mistakes(
        self, model: Model, examples: Sequence[Any], predict_many: Callable[..., Any]
    ) -> list[dict[str, Any]]:
        """Texts with their entities that are missing and extra."""
        answers = predict_many(self.inputs(examples))
        return surest_first(
            entity_mistake(example, *_spans_and_scores(answer["entities"]))
            for example, answer in zip(examples, answers, strict=True)
        )


class ClassificationTask(Task):
    """A class for each text (文本分类)."""

    name, headline, large = "classify", "macro_f1", "labels"

    def label_set(self, examples: Iterable[Any]) -> tuple[str, ...]:
        """The names, sorted."""
        return tuple(sorted(gold_counts(examples)))

    def model_class(self) -> type[Model]:
        from hanlp_tutor.core.model import ClassificationModel

        return ClassificationModel

    def score(self, model: Model, examples: Sequence[Any], predictions: Sequence[Any]) -> dict[str, Any]:
        """``{"accuracy", "macro_f1", "micro_f1", "per_class"}``."""
        scores = class_scores([example.label for example in examples], predictions)
        return {**scores, "minority": minority_share(predictions)}

    def said(self, example: Any, answer: dict[str, Any]) -> str:
        """Its class."""
        return answer["label"]

    def mistakes(
        self, model: Model, examples: Sequence[Any], predict_many: Callable[..., Any]
    ) -> list[dict[str, Any]]:
        """Texts with their class and the one that was predicted."""
        answers = predict_many(self.inputs(examples))
        return surest_first(
            class_mistake(example, example.label, answer["label"], answer["score"], example.text)
            for example, answer in zip(examples, answers, strict=True)
        )


class MultiTask(Task):
    """Segmentation, part of speech and named entities on one encoder (多任务学习)."""

    name, headline, several = "multitask", "mean", True
    headlines = {"tok": "f1", "pos": "accuracy", "ner": "f1"}  # noqa: RUF012 - of the tasks in it

    def read(self, file: str | Path, **options: Any) -> list[TaggedWords]:
        """The examples of ``tok=FILE,pos=FILE,ner=FILE``.

        Raises:
            DataError, ConfigError: as :func:`hanlp_tutor.data.words.read_words`.
        """
        check_options(options, read_words, "reading files of a multi-task model")
        return read_task_files(file, **options)

    def hold_out(self, examples: Sequence[Any], *, ratio: tuple[float, float, float], seed: int) -> Split:
        """A sentence is in the same set in all its tasks."""
        return split_by_text(examples, ratio=ratio, seed=seed)

    def label_set(self, examples: Iterable[Any]) -> tuple[str, ...]:
        """Those of each task, as ``task/tag``."""
        return word_labels(examples)

    def model_class(self) -> type[Model]:
        from hanlp_tutor.core.multitask import MultiTaskModel

        return MultiTaskModel

    def score(self, model: MultiTaskModel, examples: Sequence[Any], predictions: Sequence[Any]) -> dict[str, Any]:
        """``{"tok": span scores of the words, "pos": class scores, "ner": span scores, "mean": of their headlines}``.

        Each task on its gold words. ``minority`` is the least of the tasks.
        """
        scores: dict[str, Any] = {}
        shares = []
        for task in model.tasks:
            mine = [i for i, example in enumerate(examples) if example.task == task]
            if mine:
                gold, found = [model.gold_tags(examples[i]) for i in mine], [predictions[i] for i in mine]
                scores[task] = _score_tags(task, gold, found, [examples[i].words for i in mine])
                shares.append(minority_share(chain.from_iterable(found)))
        mean = sum(scores[task][self.headlines[task]] for task in scores) / max(len(scores), 1)
        return {**scores, "mean": mean, "minority": min(shares, default=0.0)}

    def of_contract(
        self, scores: dict[str, Any], model: MultiTaskModel, test: Sequence[Any], predict_many: Callable[..., Any]
    ) -> dict[str, Any]:
        """As the base class, and under ``end_to_end`` of each task its scores from the raw text."""
        if "tok" in model.tasks:
            for task, found in self.end_to_end(model, test, predict_many).items():
                scores[task]["end_to_end"] = {name: found[name] for name in ("precision", "recall", "f1")}
        return super().of_contract(scores, model, test, predict_many)

    def end_to_end(
        self, model: MultiTaskModel, examples: Sequence[TaggedWords], predict_many: Callable[..., Any]
    ) -> dict[str, Any]:
        """The scores of each task from the raw text: a word's tag counts when the segmenter found that word, too.

        Args:
            model: with its ``tasks``.
            examples: with gold labels.
            predict_many: from raw texts to the model's answers.

        Returns:
            For each task span scores over characters, whose labels are ``word``, the tags, or the entity types.
        """
        texts = list(dict.fromkeys(example.text for example in examples))
        found = dict(zip(texts, predict_many(texts), strict=True))
        scores = {}
        for task in model.tasks:
            mine = [example for example in examples if example.task == task]
            if mine:
                predicted = [_spans_of(task, found[example.text]) for example in mine]
                scores[task] = span_scores([example.spans for example in mine], predicted)
        return scores

    def mistakes(
        self, model: Model, examples: Sequence[Any], predict_many: Callable[..., Any]
    ) -> list[dict[str, Any]]:
        """From the raw text, as :meth:`end_to_end`: sentences with words, tags or entities that are missing and extra.

        Each has ``task`` beside; those of entities come first, for only they have a score.
        """
        texts = list(dict.fromkeys(example.text for example in examples))
        found = dict(zip(texts, predict_many(texts), strict=True))
        wrong = []
        for example in examples:
            answer = found[example.text]
            spans = _spans_of(example.task, answer)
            scores = _spans_and_scores(answer["ner"])[1] if example.task == "ner" else [None] * len(spans)
            mistake = entity_mistake(example, spans, scores)
            if mistake is not None:
                wrong.append({"task": example.task, **mistake, "shown": f"{example.task}: {mistake['shown']}"})
        return surest_first(wrong)

    def parts(self, scores: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Of each task in it."""
        return {task: scores[task] for task in WORD_TASKS if task in scores}


TASKS: dict[str, Task] = {task.name: task for task in (EntityTask(), ClassificationTask(), MultiTask())}
ROOMS = {"relation": "hanlp_tutor.relations.task"}  # of tasks that join TASKS when they are first asked for


def task_named(name: str) -> Task:
    """A task by its name.

    Raises:
        ConfigError: there is none; says which there are.
    """
    if name in ROOMS:
        import_module(ROOMS[name])
    if name in TASKS:
        return TASKS[name]
    guess = nearest(str(name), TASKS | ROOMS)
    hint = f" Did you mean {guess!r}?" if guess else ""
    raise ConfigError(f"there is no task {name!r}; choose from {', '.join(TASKS | ROOMS)}.{hint}")


def measures_of(task: str | None) -> list[str]:
    """Under what names ``metrics.json`` may hold the score that sums a run up, the first that it has before others.

    Args:
        task: by name; None, or one that the kit has not: those of all tasks.
    """
    named = [task] if task in TASKS | ROOMS else [*TASKS, *ROOMS]
    found = []
    for each in map(task_named, dict.fromkeys(named)):
        parts = getattr(each, "headlines", {})
        found += [f"{part}.{score}" for part, score in reversed(parts.items())] or [each.headline]
    return [*(f"test.{name}" for name in found), "best_dev", *found, "accuracy"]


def task_of(model: Model) -> Task:
    """The task of a model."""
    return TASKS[model.task]


def label_set(task: str, examples: Iterable[Any]) -> tuple[str, ...]:
    """The classes that occur in examples of a task, in a fixed order; see its :meth:`Task.label_set`."""
    return task_named(task).label_set(examples)


def _score_tags(
    task: str, gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], words: Sequence[Sequence[str]]
) -> dict[str, Any]:
    """On gold words: positions count pieces (tok) or words (pos, ner)."""
    if task == "pos":
        return class_scores([*chain.from_iterable(gold)], [*chain.from_iterable(predicted)])
    if task == "ner":
        return span_scores([*map(spans_from_bio, gold)], [*map(visible_spans, predicted, words)])
    return span_scores([*map(_word_spans, gold)], [*map(_word_spans, predicted)])


def _spans_of(task: str, prediction: dict[str, Any]) -> list[Span]:
    if task == "ner":
        return [Span(entity["start"], entity["end"], entity["label"]) for entity in prediction["ner"]]
    labels = prediction["pos"] if task == "pos" else ["word"] * len(prediction["tok"])
    return [Span(start, end, label) for (start, end), label in zip(prediction["offsets"], labels, strict=True)]


def _spans_and_scores(entities: Sequence[dict[str, Any]]) -> tuple[list[Span], list[float]]:
    return [Span(e["start"], e["end"], e["label"]) for e in entities], [e["score"] for e in entities]


def _word_spans(tags: Sequence[str]) -> list[Span]:
    first = word_starts(tags)
    return [Span(start, end, "word") for start, end in zip(first, [*first[1:], len(tags)], strict=True)]
