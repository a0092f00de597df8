"""To HanLP's own model folders: what :func:`export_hanlp` writes, plain ``hanlp.load(folder)`` opens, without our code.

The folder is self-contained: ``config.json``, ``vocabs.json`` (one a task in a multi-task folder), ``model.pt`` as
HanLP 2.1 writes them, and in ``transformer/`` the encoder's configuration and tokenizer. HanLP wants an absolute path
to the latter; :func:`relocate` mends it when the folder has moved. HanLP itself is not imported here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, AutoModel, AutoTokenizer

from hanlp_tutor.core.model import Model
from hanlp_tutor.core.model_folder import check_plain
from hanlp_tutor.core.task import task_named, task_of
from hanlp_tutor.encoders.folder import write_transformer
from hanlp_tutor.errors import ModelError
from hanlp_tutor.files import new_folder, write_file, write_json
from hanlp_tutor.hanlp_bridge.folders import ClassifierFolder, EntityFolder, HanLPFolder, RelationFolder
from hanlp_tutor.hanlp_bridge.multitask import MultiTaskFolder
from hanlp_tutor.hanlp_bridge.positions import cut_to_window

FOLDERS: dict[str, HanLPFolder] = {
    "ner": EntityFolder(),
    "relation": RelationFolder(),  # whose class is that of the next: a classifier of marked texts
    "classify": ClassifierFolder(),
    "multitask": MultiTaskFolder(),
}
for _task, _folder in FOLDERS.items():
    task_named(_task).exporters["hanlp"] = _folder
BY_CLASSPATH = {folder.classpath: task for task, folder in FOLDERS.items()}
FILES = ("config.json", "model.pt", "transformer/config.json", "transformer/tokenizer_config.json")


def export_hanlp(model: Model, folder: str | Path) -> Path:
    """Write a folder for plain ``hanlp.load``, whole or not at all; an earlier export in its place is replaced.

    Every weight goes in, frozen ones too: HanLP loads with ``strict=False`` and would leave a missing one random.

    Returns:
        The absolute path, which is what ``hanlp.load`` wants.

    Raises:
        ModelError: a folder that holds something else, or an encoder that HanLP would misread.
    """
    folder = Path(folder).resolve()
    if "hanlp" not in task_of(model).exporters:
        raise ModelError(f"HanLP has no component for the task {model.task}.")
    form: HanLPFolder = task_of(model).exporters["hanlp"]
    _check_place(folder)
    check_plain(model)
    form.check(model)
    with new_folder(folder) as scratch:
        shape, encoder = cut_to_window(model.encoder)
        write_transformer(shape, model.tokenizer, scratch / "transformer")
        write_json(scratch / "config.json", form.config(model, folder / "transformer"))
        for name, content in form.vocabs(model).items():
            write_json(scratch / name, content)
        weights = _weights(model, encoder, form.encoder_prefix)
        write_file(scratch / "model.pt", lambda file: torch.save(weights, file))
        (scratch / "README.md").write_text(form.readme(model), encoding="utf-8")
        _check_whole(model, form.encoder_prefix, scratch)
    return folder


@dataclass(frozen=True)
class Relocation:
    """What :func:`relocate` found and what it wrote; ``str()`` says it in a sentence."""

    folder: Path
    before: str
    after: str

    def __str__(self) -> str:
        if self.before == self.after:
            return f"{self.folder}: nothing to mend, config.json names its own transformer folder."
        return f"{self.folder}: config.json named {self.before}, now {self.after}."


def relocate(folder: str | Path) -> Relocation:
    """Mend a HanLP folder that was moved or copied: let ``config.json`` name the ``transformer/`` beside it.

    Raises:
        ModelError: not a whole exported folder, or one with links in it, through which writing would leave it.
    """
    folder = Path(folder).resolve()
    config = _read_export(folder)
    for name in ("config.json", "config.json.partial", "transformer"):
        if (folder / name).is_symlink():
            raise ModelError(
                f"{folder / name} is a link. Put the real file or folder there: relocate changes nothing "
                "outside the folder."
            )
    holder = _holder(config)
    before, after = holder["transformer"], str(folder / "transformer")
    if before != after:
        _check_path(folder)
        holder["transformer"] = after
        write_json(folder / "config.json", config)
    return Relocation(folder, before, after)


def _read_export(folder: Path) -> dict[str, Any]:
    """The config.json of an exported folder."""
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder.")
    missing = [name for name in FILES if not (folder / name).is_file()]
    missing = missing or ([] if any(folder.glob("*vocabs.json")) else ["vocabs.json"])
    if missing:
        hint = " It is the kit's own model folder: export it first." if (folder / "model.json").exists() else ""
        raise ModelError(f"{folder}: not a HanLP folder exported by the kit, {missing[0]} is missing.{hint}")
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if isinstance(_holder(config)["transformer"], str):
            return config
    except (ValueError, KeyError, TypeError):  # ValueError: no JSON, no UTF-8
        pass
    raise ModelError(f"{folder}: its config.json is not that of a folder exported for HanLP. Export the model again.")


def _holder(config: dict[str, Any]) -> dict[str, Any]:
    """The part of a configuration that holds the path ``transformer``."""
    return FOLDERS[BY_CLASSPATH[config["classpath"]]].holder(config)


def _check_place(folder: Path) -> None:
    """An export replaces a whole folder, so it may only replace an export."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        try:
            _read_export(folder)
        except ModelError:
            raise ModelError(f"{folder} exists and is no earlier export. Choose a new folder.") from None
    _check_path(folder)


def _check_path(folder: Path) -> None:
    """HanLP takes some paths for something else (TransformerComponent.on_config_ready, load_from_meta_file)."""
    if "albert_chinese" in str(folder) or folder.suffix == ".json":
        raise ModelError(
            f"{folder}: HanLP misreads a path that contains 'albert_chinese' or ends in '.json'. Choose another name."
        )


def _weights(model: Model, encoder: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """All weights under HanLP's names, on the CPU, in float32."""
    state = {prefix + name: tensor for name, tensor in encoder.items()}
    state |= model.head.state_dict()  # the heads bear HanLP's names
    return {
        name: tensor.detach().cpu().float() if tensor.is_floating_point() else tensor.cpu()
        for name, tensor in state.items()
    }


def _check_whole(model: Model, prefix: str, folder: Path) -> None:
    """What HanLP will build from the folder is in the folder, in the right shapes, and reads text as the model does.

    Raises:
        ModelError: our bug, or a transformers version that does not read what it wrote; better now than in service.
    """
    with torch.device("meta"):
        encoder = AutoModel.from_config(AutoConfig.from_pretrained(folder / "transformer", local_files_only=True))
    wanted = {prefix + name: tensor.shape for name, tensor in encoder.state_dict().items()}
    wanted |= {name: tensor.shape for name, tensor in model.head.state_dict().items()}
    written = torch.load(folder / "model.pt", map_location="cpu", weights_only=True, mmap=True)
    wrong = [
        name
        for name in wanted | written
        if name not in written or name not in wanted or written[name].shape != wanted[name]
    ]
    if wrong:
        raise ModelError(f"The export is not what HanLP would build: {wrong[0]} and {len(wrong) - 1} more differ.")
    tokenizer = AutoTokenizer.from_pretrained(folder / "transformer", local_files_only=True)
    probe = "".join(map(chr, range(0x4E00, 0x4F00))) + "Ａa1 ３％，。\u3000😀"
    if tokenizer(probe)["input_ids"] != model.tokenizer(probe)["input_ids"]:
        raise ModelError(f"The tokenizer of {model.encoder_name} reads differently once saved: HanLP could not use it.")
