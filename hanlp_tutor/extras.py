"""Packages that training, prediction and export do without: which extra brings each, and what to do without it."""

from __future__ import annotations

import importlib
from types import ModuleType

from hanlp_tutor.errors import ConfigError

# Extra of pyproject.toml -> the modules that its packages bring
EXTRAS = {
    "adapters": ("peft",),
    "audit": ("cleanlab", "sklearn_crfsuite"),
    "tensorboard": ("tensorboard",),
    "tune": ("optuna",),
    "sweep": ("distributed",),
    "course": ("ipykernel", "jupyterquiz", "matplotlib", "nbclient", "nbformat", "pandas", "papermill", "seqeval"),
    "large": ("pyarrow",),
    "pretrain": ("gensim", "rjieba"),
    "serve": ("fastapi", "onnx", "onnxruntime", "onnxscript", "prometheus_client", "uvicorn"),
    "ocr": ("rapidocr", "rapidfuzz", "onnxruntime"),  # behind serve: who lacks onnxruntime mostly wants that one
}
COURSE = ("adapters", "audit", "ocr", "tensorboard", "tune", "course")  # `course` brings those before it too


def needs(module: str, what: str, otherwise: str = "") -> ModuleType:
    """Import a module that an extra brings.

    Args:
        module: its name.
        what: cannot be had without it; the beginning of the error.
        otherwise: another way out; the end of the error.

    Raises:
        ConfigError: it is not installed; says how to get it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:  # it is there, and lacks something itself
            raise
        raise missing(module, what, otherwise) from None


def missing(module: str, what: str, otherwise: str = "") -> ConfigError:
    """The error of :func:`needs`."""
    last = f", or {otherwise}" if otherwise else ""
    return ConfigError(f"{what} needs {distribution(module)}, which is not installed: {how_to_install(module)}{last}.")


def how_to_install(*modules: str) -> str:
    """pip's line for modules of one extra: by the extra, or by themselves."""
    extra = extra_of(modules[0])
    return f'pip install "hanlp-tutor[{extra}]", or pip install {" ".join(map(distribution, modules))}'


def extra_of(module: str | None) -> str | None:
    """The extra that brings a module; None for all others."""
    return next((extra for extra, modules in EXTRAS.items() if (module or "").partition(".")[0] in modules), None)


def distribution(module: str) -> str:
    """What pip calls a module of an extra."""
    return module.replace("_", "-")
