"""A model in service: as ONNX without torch, over HTTP, or over files of any size."""

from __future__ import annotations

from typing import Any

__all__ = ["Batching", "Limits", "create_app"]

_PLACES = {"create_app": "app", "Batching": "batcher", "Limits": "gate"}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
