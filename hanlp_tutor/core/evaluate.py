"""How good is it: a model's predictions on examples with gold labels, scored.

Of a multi-task model each task on its gold words, and from the raw text (end to end).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hanlp_tutor.core.batching import Encoded
from hanlp_tutor.core.inference import answer_all
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.multitask import MultiTaskModel
from hanlp_tutor.core.scores import class_scores, headline, minority_share, span_scores
from hanlp_tutor.data import LabelledText, TaggedText
from hanlp_tutor.data.schemes import Span, spans_from_bio
from hanlp_tutor.data.words import TaggedWords


def evaluate_model(
    model: Model, examples: Sequence[TaggedText | LabelledText], *, encoded: Sequence[Encoded] | None = None
) -> dict[str, Any]:
    """Predict every example and score against its gold.

    Args:
        model: on any device; its training mode is left as it was.
        examples: with gold labels.
        encoded: the same examples as numbers, when the caller has them already.

    Returns:
        The scores of the task, with ``loss``: the mean over valid tokens or examples; 0 when ``encoded`` has no gold;
        and ``minority``: the share of the answers (tags, classes) that are not the commonest one. At 0 the model gives
        one answer to everything.
    """
    if model.task == "multitask":
        return evaluate_tasks(model, examples, encoded)
    if encoded is None:
        encoded = [model.encode(example) for example in examples]
    answers, loss, _ = answer_all(model, encoded)
    if model.task == "ner":
        gold = [example.spans for example in examples]
        scores = span_scores(gold, [spans_from_bio(tags) for tags in answers])
    else:
        scores = class_scores([example.label for example in examples], answers)
    given = (tag for tags in answers for tag in tags) if model.task == "ner" else answers
    return {**scores, "loss": loss, "minority": minority_share(given)}


def evaluate_tasks(
    model: MultiTaskModel, examples: Sequence[TaggedWords], encoded: Sequence[Encoded] | None = None
) -> dict[str, Any]:
    """The scores of each task on its gold words, ``mean`` (of their headlines) and ``loss`` (over all that is tagged).

    Returns:
        ``{"tok": span scores of the words, "pos": class scores, "ner": span scores, "mean", "loss", "minority"}``
    """
    encoded = [model.encode(example) for example in examples] if encoded is None else encoded
    scores: dict[str, Any] = {}
    losses, counts, minorities = 0.0, 0, []
    for task in model.tasks:
        mine = [numbers for numbers in encoded if numbers.task == task]
        if not mine:
            continue
        answers, loss, valid = answer_all(model, mine)
        gold = [[model.tags[task][i] for i in numbers.labels] for numbers in mine]
        scores[task] = _scores(task, gold, answers)
        losses, counts = losses + loss * valid, counts + valid
        minorities.append(minority_share(tag for tags in answers for tag in tags))
    mean = sum(scores[task][headline(task)] for task in scores) / max(len(scores), 1)
    return {**scores, "mean": mean, "loss": losses / max(counts, 1), "minority": min(minorities, default=0.0)}


def task_test_scores(model: MultiTaskModel, examples: Sequence[TaggedWords]) -> dict[str, Any]:
    """The scores of each task as :func:`evaluate_tasks`, and where there is a segmenter ``end_to_end``: P, R and F1.

    A tag that the model does not know is gold that it misses.
    """
    scores = {}
    gold = {task: [example for example in examples if example.task == task] for task in model.tasks}
    for task, mine in gold.items():
        if mine:
            # any known tag will do: what is predicted does not depend on the gold
            bare = [replace(e, tags=(model.tags[task][0],) * len(e.tags)) for e in mine]
            answers, _, _ = answer_all(model, [model.encode(example) for example in bare])
            wanted = [list(example.tags) for example in mine]
            if task == "tok":
                encoded = [model.encode(example).labels for example in mine]
                wanted = [[model.tags["tok"][i] for i in row] for row in encoded]
            scores[task] = _scores(task, wanted, answers)
    if "tok" in model.tasks:
        for task, found in end_to_end(model, examples).items():
            scores[task]["end_to_end"] = {name: found[name] for name in ("precision", "recall", "f1")}
    return scores


def end_to_end(model: MultiTaskModel, examples: Sequence[TaggedWords]) -> dict[str, Any]:
    """The scores of each task from the raw text: a word's tag counts when the segmenter found that word, too.

    Returns:
        For each task span scores over characters, whose labels are ``word``, the tags, or the entity types.
    """
    texts = list(dict.fromkeys(example.text for example in examples))
    found = dict(zip(texts, model.analyse(texts), strict=True))
    scores = {}
    for task in model.tasks:
        mine = [example for example in examples if example.task == task]
        if mine:
            gold = [example.spans for example in mine]
            scores[task] = span_scores(gold, [_spans(task, found[example.text]) for example in mine])
    return scores


def _spans(task: str, answer: dict[str, Any]) -> list[Span]:
    if task == "ner":
        return [Span(entity["start"], entity["end"], entity["label"]) for entity in answer["ner"]]
    labels = answer["pos"] if task == "pos" else ["word"] * len(answer["tok"])
    return [Span(start, end, label) for (start, end), label in zip(answer["offsets"], labels, strict=True)]


def _scores(task: str, gold: list[list[str]], answers: list[list[str]]) -> dict[str, Any]:
    """On gold words: positions count pieces (tok) or words (ner)."""
    if task == "pos":
        return class_scores([tag for tags in gold for tag in tags], [tag for tags in answers for tag in tags])
    if task == "ner":
        return span_scores(list(map(spans_from_bio, gold)), list(map(spans_from_bio, answers)))
    return span_scores(list(map(_word_spans, gold)), list(map(_word_spans, answers)))


def _word_spans(tags: Sequence[str]) -> list[Span]:
    first = [number for number, tag in enumerate(tags) if number == 0 or tag in "BS"]
    return [Span(start, end, "word") for start, end in zip(first, [*first[1:], len(tags)], strict=True)]
