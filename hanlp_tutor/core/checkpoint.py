"""Save and resume, bit for bit: everything that the next update depends on, in one file.

The file is written beside its place, flushed and renamed, so that ``kill -9`` at any moment, inside the write too,
leaves the last whole checkpoint. It is read with ``weights_only``: a checkpoint from a stranger runs no code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from zipfile import BadZipFile, ZipFile

import torch
from torch import Tensor

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model import Model
from hanlp_tutor.data import fingerprint
from hanlp_tutor.errors import TrainingError, first_line
from hanlp_tutor.files import write_file

FORMAT = 1
# What unpickling and filling in a file of any content may raise.
_DAMAGE = (OSError, RuntimeError, LookupError, TypeError, ValueError, AttributeError, EOFError)
_DAMAGE += (UnpicklingError, BadZipFile)


@dataclass
class RunState:
    """Where a run stands: what the loop has done and what it has seen so far.

    ``epoch`` and ``window`` name the next accumulation window to train on; ``best_state`` holds the best weights on the
    CPU; ``halved_at`` the updates at which memory ran out, each of which halved the micro-batches from there on.
    """

    epoch: int = 0
    window: int = 0
    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    best_score: float | None = None
    best_step: int = 0
    best_state: dict[str, Tensor] | None = None
    bad_evaluations: int = 0
    finished: bool = False
    halved_at: list[int] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)


def identity(model: Model, train: Sequence[Any], dev: Sequence[Any], config: TrainConfig) -> dict[str, str]:
    """Hashes of what has to be the same when a run is resumed."""
    return {
        "configuration": _digest(config.model_dump_json()),
        "training data": fingerprint(train),
        "dev data": fingerprint(dev),
        "labels": _digest(repr(model.labels)),
        "encoder": _digest(model.encoder_name),
    }


def save_checkpoint(path: Path, *, identity: dict[str, str], state: RunState, **parts: Any) -> None:
    """Write a checkpoint; ``parts`` are objects with ``state_dict()`` (model, optimiser, schedule, scaler).

    ``identity`` comes from :func:`identity`.
    """
    content = {
        "format": FORMAT,
        "identity": identity,
        "progress": vars(state),  # the name that format 1 has for it
        "parts": {name: part.state_dict() for name, part in parts.items()},
        "rng": torch.get_rng_state(),
        "cuda_rng": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    write_file(path, lambda file: torch.save(content, file))


def load_checkpoint(path: Path, *, identity: dict[str, str], **parts: Any) -> RunState:
    """Restore every part and the random generators in place, and return where the run stood.

    Raises:
        TrainingError: damaged, written by another version, or of another run (names what differs).
    """
    try:
        with ZipFile(path) as archive:  # PyTorch writes check sums and does not look at them
            if archive.testzip() is not None:
                raise BadZipFile("a check sum is wrong")
        content = torch.load(path, map_location="cpu", weights_only=True)
        if content["format"] != FORMAT:
            raise TrainingError(f"{path}: a checkpoint of format {content['format']}, this version reads {FORMAT}.")
        differing = [name for name, value in identity.items() if content["identity"].get(name) != value]
        if differing:
            raise TrainingError(
                f"{path}: belongs to another run: {' and '.join(differing)} differ. Resume with what "
                "the run was started with, or start a new run in another folder."
            )
        stored = {"penalty": {}, **content["parts"]}  # earlier versions have none
        for name, part in parts.items():
            part.load_state_dict(stored[name])
        torch.set_rng_state(content["rng"])
        if content["cuda_rng"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(content["cuda_rng"])
        return RunState(**content["progress"])
    except _DAMAGE as error:
        raise TrainingError(
            f"{path}: not a whole checkpoint ({first_line(error)}). Delete it to start anew."
        ) from error


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
