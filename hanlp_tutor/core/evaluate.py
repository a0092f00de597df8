"""How good is it: a model's predictions on examples with gold labels, scored. The only place where that is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hanlp_tutor.core.batching import Encoded
from hanlp_tutor.core.inference import predict_labels
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.predict import Predictor
from hanlp_tutor.core.task import task_of
from hanlp_tutor.data.edges import visible_spans
from hanlp_tutor.data.known_labels import check_known


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


def score_on_test(
    model: Model, test: Sequence[Any], *, predict_many: Callable[..., Any] | None = None
) -> dict[str, Any]:
    """The scores of a test set, those of the contract alone. Gold labels that training lacked are missed, and noted.

    Of a multi-task model those of each task on gold words, and under ``end_to_end`` its scores from the raw text.
    A set of which the model knows no label is a DataError.

    Args:
        model: any.
        test: of its task.
        predict_many: from inputs to answers, where somebody needs these too: the scores are then made of them.
    """
    check_known(model.task, model.labels, test)
    task = task_of(model)
    if predict_many is not None and not task.several:
        answers = predict_many(task.inputs(test))
        scores = task.score(model, test, [*map(task.said, test, answers)])
    else:
        scores = evaluate_model(model, test, encoded=[model.encode_input(example) for example in test])
    return task.of_contract(scores, model, test, predict_many or Predictor(model).predict_many)


def answers_of(model: Model, examples: Sequence[Any]) -> list[Any]:
    """What a model of one task says of each example: its entities as spans, or its class.

    As :func:`score_on_test` scores them: the gold labels are not looked at.
    """
    predictions, _ = predict_labels(model, [model.encode_input(example) for example in examples])
    if model.task != "ner":
        return predictions
    return [*map(visible_spans, predictions, (example.text for example in examples))]


def end_to_end(model: Model, examples: Sequence[Any]) -> dict[str, Any]:
    """:meth:`hanlp_tutor.core.task.MultiTask.end_to_end` of a model."""
    return task_of(model).end_to_end(model, examples, Predictor(model).predict_many)
