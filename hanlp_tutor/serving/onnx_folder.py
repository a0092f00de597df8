"""An ONNX folder: what is in it, and how it is checked when it is opened.

``model.onnx``       encoder and linear layer: token ids and mask (W, T) to scores (W, T, C), or [CLS] states (W, H);
                     of several tasks the scores of all their tags, one task behind the other
``head.npz``         what stands beside the graph: transitions of CRFs, or the linear layer of a classifier
``tokenizer.json``   of the library ``tokenizers``
``onnx.json``        task, labels, window, temperature, the ids of special tokens, number format, sha256 of the others;
                     how pairs are marked, tags of another scheme than BIO
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from hanlp_tutor.errors import ModelError

CARD, GRAPH, HEAD, TOKENIZER = "onnx.json", "model.onnx", "head.npz", "tokenizer.json"
FORMAT = 2  # 1: before tags of another scheme
TASKS = ("ner", "classify", "relation", "multitask")


def is_onnx_folder(folder: str | Path) -> bool:
    """Whether a folder looks like one, whole or not."""
    folder = Path(folder)
    return (folder / CARD).is_file() or ((folder / GRAPH).is_file() and not (folder / "model.json").exists())


def sha256(path: Path) -> str:
    """Of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _sha256(file)


def _sha256(file: Any) -> str:
    digest = hashlib.sha256()  # Python 3.10 has no file_digest
    for block in iter(lambda: file.read(1 << 20), b""):
        digest.update(block)
    return digest.hexdigest()


def read_card(folder: Path) -> dict[str, Any]:
    """The card of a whole folder.

    Raises:
        ModelError: no such folder, a file missing or changed, a newer kit's format.
    """
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        form, task, files = card["format"], card["task"], card["sha256"]
    except FileNotFoundError:
        if (folder / GRAPH).is_file():
            raise ModelError(
                f"{folder}: {CARD} is missing. Copy the whole folder, or export the model again."
            ) from None
        raise ModelError(
            f"{folder}: no ONNX folder, it has no {CARD}. Write one with `export MODEL {folder} --to onnx`."
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder / CARD}: cannot be read ({error}). Export the model again.") from None
    if form > FORMAT:
        raise ModelError(f"{folder}: written by a newer version of the kit (format {form}). Upgrade.")
    if task not in TASKS:
        raise ModelError(f"{folder}: the task {task!r} is unknown here. Upgrade, or export the model again.")
    for name in (GRAPH, HEAD, TOKENIZER):
        if not (folder / name).is_file():
            raise ModelError(f"{folder}: {name} is missing. Copy the whole folder, or export the model again.")
        if sha256(folder / name) != files.get(name):
            raise ModelError(f"{folder}: {name} is damaged or was changed. Copy it again, or export the model again.")
    return card
