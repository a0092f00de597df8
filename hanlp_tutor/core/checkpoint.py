"""Save and resume, bit for bit: everything that the next update depends on, in one file.

The file is written beside its place, flushed and renamed, so that ``kill -9`` at any moment, inside the write too,
leaves the last whole checkpoint. It is read with ``weights_only``: a checkpoint from a stranger runs no code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.parallel import Team
from hanlp_tutor.damage import load_archive, other_than_damage
from hanlp_tutor.data import fingerprint
from hanlp_tutor.errors import TrainingError, first_line
from hanlp_tutor.files import write_file
from hanlp_tutor.run_folder import digest, other_run

FORMAT = 1
_CONTENT = {"format", "identity", "progress", "parts", "rng", "cuda_rng"}


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
        "configuration": digest(config.canonical()),
        "training data": fingerprint(train),
        "dev data": fingerprint(dev),
        "labels": digest(repr(model.labels)),
        "encoder": digest(model.encoder_name),
    }


def save_checkpoint(
    path: Path, *, identity: dict[str, str], state: RunState, team: Team | None = None, **parts: Any
) -> None:
    """Write a checkpoint; ``parts`` are objects with ``state_dict()`` (model, optimiser, schedule, scaler).

    ``identity`` comes from :func:`identity`. Of several processes each calls this, and the first writes.
    """
    team = team or Team()
    generators = team.gather(_random_states())
    if not team.leads:
        return
    content = {
        "format": FORMAT,
        "identity": identity,
        "progress": vars(state),  # the name that format 1 has for it
        "parts": {name: part.state_dict() for name, part in parts.items()},
        **generators[0],
        "others": generators[1:],  # of several processes
    }
    write_file(path, lambda file: torch.save(content, file))


def _random_states() -> dict[str, Any]:
    return {
        "rng": torch.get_rng_state(),
        "cuda_rng": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def load_checkpoint(
    path: Path,
    *,
    identity: dict[str, str],
    now: dict[str, Any] | None = None,
    team: Team | None = None,
    **parts: Any,
) -> RunState:
    """Restore every part and the random generators in place, and return where the run stood.

    ``now`` is for the error about another run (:func:`hanlp_tutor.run_folder.other_run`).

    Raises:
        TrainingError: damaged; whole, but not to be read here (:mod:`hanlp_tutor.damage`); written by another version,
            or of another run (names what differs).
    """
    try:
        content = load_archive(path)
        if content["format"] == FORMAT and not content.keys() >= _CONTENT:
            raise KeyError(f"{min(_CONTENT - content.keys())} is missing")
    except FileNotFoundError:
        raise TrainingError(f"{path}: there is no checkpoint to go on from. Begin without --resume.") from None
    except Exception as error:  # what unpickling a file of any content may raise is anything
        damage = f"{path}: not a whole checkpoint ({first_line(error)}). Delete it to start anew."
        raise TrainingError(other_than_damage(path, error) or damage) from error
    if content["format"] != FORMAT:
        raise TrainingError(f"{path}: a checkpoint of format {content['format']}, this version reads {FORMAT}.")
    if any(content["identity"].get(name) != value for name, value in identity.items()):
        difference = other_run(path.parent, content["identity"], identity, now or {})
        raise TrainingError(f"{path}: belongs to another run: {difference}")
    team, generators = team or Team(), [content, *content.get("others", ())]  # earlier versions have no others
    if len(generators) != team.size:
        began = "one process" if len(generators) == 1 else f"{len(generators)} processes"
        how = "without torchrun" if len(generators) == 1 else f"by torchrun --nproc_per_node {len(generators)}"
        raise TrainingError(f"{path}: of a run of {began}, and here are {team.size}. Resume it {how}.")
    try:
        stored = {"penalty": {}, "scaler": {}, **content["parts"]}  # earlier versions have none
        for name, part in parts.items():
            part.load_state_dict(stored[name])
        mine = generators[team.rank]
        torch.set_rng_state(mine["rng"])
        for number, state in enumerate(mine["cuda_rng"][: torch.cuda.device_count()]):  # another machine has fewer
            torch.cuda.set_rng_state(state, number)
        return RunState(**content["progress"])
    except Exception as error:
        unfit = f"{path}: whole, but not of this model, device or version ({first_line(error)}). Resume with the "
        unfit += "encoder and kind of device that the run was begun with, or start a new run in another folder."
        raise TrainingError(other_than_damage(path, error) or unfit) from error
