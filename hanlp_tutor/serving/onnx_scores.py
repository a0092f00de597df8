"""The scores of an ONNX folder on labelled examples, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hanlp_tutor.core.task import task_named
from hanlp_tutor.data.known_labels import check_known
from hanlp_tutor.serving.onnx_predictor import OnnxPredictor


def score_onnx(predictor: OnnxPredictor, test: Sequence[Any]) -> dict[str, Any]:
    """As :func:`hanlp_tutor.core.evaluate.score_on_test` scores a model."""
    check_known(predictor.task, predictor.labels, test)
    task = task_named(predictor.task)
    given = test if predictor.task in ("relation", "multitask") else [example.text for example in test]
    found: list[Any] = predictor.tags(given)
    if predictor.task in ("classify", "relation"):
        found = [label for (label,) in found]
    return task.of_contract(task.score(predictor.model, test, found), predictor.model, test, predictor.predict_many)
