"""How good is it: a model's predictions on examples with gold labels, scored. The only place where that is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hanlp_tutor.core.batching import Encoded
from hanlp_tutor.core.inference import predict_labels
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.multitask import MultiTaskModel
from hanlp_tutor.core.predict import Predictor
from hanlp_tutor.core.scores import span_scores
from hanlp_tutor.core.task import task_of
from hanlp_tutor.data import Span
from hanlp_tutor.data.known_labels import check_known
from hanlp_tutor.data.words import TaggedWords


def evaluate_model(
    model: Model, examples: Sequence[Any], *, encoded: Sequence[Encoded] | None = None
) -> dict[str, Any]:
    """Predict every example and score against its gold labels.

    Args:
        model: on any device; its training mode is left as it was.
        examples: of the model's task, with gold labels. Of a multi-task model each task is predicted on its gold words.
        encoded: the same examples as numbers, when the caller has them already.

    Returns:
        The scores of the task (:meth:`hanlp_tutor.core.task.Task.score`), with ``loss``: the mean over tokens, words or
        examples; 0 when ``encoded`` has no gold labels; and ``minority``: the share of the predictions (tags, classes)
        that are not the commonest one. At 0 the model predicts one and the same for everything.
    """
    if encoded is None:
        encoded = [model.encode(example) for example in examples]
    predictions, loss = predict_labels(model, encoded)
    return {**task_of(model).score(model, examples, predictions), "loss": loss}


def score_on_test(model: Model, test: Sequence[Any]) -> dict[str, Any]:
    """The scores of a test set, those of the contract alone. Gold labels that training lacked are missed, and noted.

    Of a multi-task model those of each task on gold words, and under ``end_to_end`` its scores from the raw text.
    A set of which the model knows no label is a DataError.
    """
    check_known(model.task, model.labels, test)
    scores = evaluate_model(model, test, encoded=[model.encode_input(example) for example in test])
    if task_of(model).several and "tok" in model.tasks:
        for task, found in end_to_end(model, test).items():
            scores[task]["end_to_end"] = {name: found[name] for name in ("precision", "recall", "f1")}
    return {name: value for name, value in scores.items() if name not in ("loss", "minority", "mean")}


def end_to_end(model: MultiTaskModel, examples: Sequence[TaggedWords]) -> dict[str, Any]:
    """The scores of each task from the raw text: a word's tag counts when the segmenter found that word, too.

    Returns:
        For each task span scores over characters, whose labels are ``word``, the tags, or the entity types.
    """
    texts = list(dict.fromkeys(example.text for example in examples))
    found = dict(zip(texts, Predictor(model).predict_many(texts), strict=True))
    scores = {}
    for task in model.tasks:
        mine = [example for example in examples if example.task == task]
        if mine:
            predicted = [_spans_of(task, found[example.text]) for example in mine]
            scores[task] = span_scores([example.spans for example in mine], predicted)
    return scores


def _spans_of(task: str, prediction: dict[str, Any]) -> list[Span]:
    if task == "ner":
        return [Span(entity["start"], entity["end"], entity["label"]) for entity in prediction["ner"]]
    labels = prediction["pos"] if task == "pos" else ["word"] * len(prediction["tok"])
    return [Span(start, end, label) for (start, end), label in zip(prediction["offsets"], labels, strict=True)]
