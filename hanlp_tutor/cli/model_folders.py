"""The models that commands are given: run folders, model folders, ONNX folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hanlp_tutor.errors import ModelError


def model_folder(path: Path) -> Path:
    """A model folder, or the one inside a run folder.

    Raises:
        ModelError: a run folder that has no model (yet); says what it has, and how to come to a model.
    """
    from hanlp_tutor.run_folder import why_no_model
    from hanlp_tutor.workbench.closing import kit

    inside = path / "model"
    if (inside / "model.json").exists():
        return inside
    reason = why_no_model(path, kit())
    if reason is not None:
        raise ModelError(f"{path}: {reason}")
    return path


def predicting_folder(path: Path) -> Path:
    """A model folder to predict with: an ONNX folder as it is, else as :func:`model_folder`."""
    from hanlp_tutor.serving.onnx_folder import is_onnx_folder

    return path if is_onnx_folder(path) else model_folder(path)


def predictor_of(folder: Path) -> Any:
    """The predictor of a :func:`predicting_folder`; for an ONNX folder torch is not even loaded."""
    from hanlp_tutor.serving.onnx_folder import is_onnx_folder

    if is_onnx_folder(folder):
        from hanlp_tutor.serving.onnx_predictor import OnnxPredictor as Predictor
    else:
        from hanlp_tutor.core.predict import Predictor
    return Predictor.load(folder)
