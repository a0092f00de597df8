"""Write an encoder's configuration and tokenizer as a Hugging Face folder that other versions can open too.

What is read back must be whole: see :func:`whole_tokenizer`.
"""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

from transformers import PretrainedConfig, PreTrainedTokenizerBase

from hanlp_tutor.files import write_json


def write_transformer(config: PretrainedConfig, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """``config.json`` and the tokenizer's files, without weights; ``folder`` is made."""
    config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    # The kit holds its weights in float32. What the encoder's authors stored them in would decide, on loading, in
    # what the others are rounded.
    _amend(folder / "config.json", dtype="float32")
    # transformers 5 writes a class name that 4.57 does not know; both know the older one
    if _read(folder / "tokenizer_config.json").get("tokenizer_class") == "TokenizersBackend":
        _amend(folder / "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")


def whole_tokenizer(folder: Path) -> Path:
    """The folder, refused where :func:`write_transformer` wrote it and it has lost the tokenizer's settings.

    transformers would take those of the architecture, and lower or strip letters that the model learned as they are:
    other predictions, and no error.

    Raises:
        FileNotFoundError: there is no ``tokenizer_config.json``.
    """
    path = folder / "tokenizer_config.json"
    if not path.is_file():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    return folder


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def _amend(path: Path, **values: Any) -> None:
    card = _read(path)
    card.pop("torch_dtype", None)  # the older name of dtype
    write_json(path, {**card, **values})
