"""The scores of an ONNX folder on labelled examples, without torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hanlp_tutor.core.task import task_named
from hanlp_tutor.data.known_labels import check_known
from hanlp_tutor.serving.onnx_predictor import OnnxPredictor


def score_onnx(
    predictor: OnnxPredictor, test: Sequence[Any], *, predict_many: Callable[..., Any] | None = None
) -> dict[str, Any]:
    """As :func:`hanlp_tutor.core.evaluate.score_on_test` scores a model."""
    check_known(predictor.task, predictor.labels, test)
    task = task_named(predictor.task)
    if predict_many is not None and not task.several:
        found: list[Any] = [*map(task.said, test, predict_many(task.inputs(test)))]
    else:
        found = predictor.tags(test if task.several else task.inputs(test))
        if predictor.task in ("classify", "relation"):
            found = [label for (label,) in found]
    scores = task.score(predictor.model, test, found)
    return task.of_contract(scores, predictor.model, test, predict_many or predictor.predict_many)
