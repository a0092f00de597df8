"""To HanLP's own model folders: what :func:`export_hanlp` writes, plain ``hanlp.load(folder)`` opens, without our code.

The folder is self-contained: ``config.json``, ``vocabs.json`` (one a task in a multi-task folder), ``model.pt`` as
HanLP 2.1 writes them, and in ``transformer/`` the encoder's configuration and tokenizer. HanLP wants an absolute path
to the latter; :func:`relocate` mends it when the folder has moved. HanLP itself is not imported here.
"""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, AutoModel, AutoTokenizer

from hanlp_tutor.core.model import Model
from hanlp_tutor.encoders import POSITIONS
from hanlp_tutor.encoders.folder import write_transformer
from hanlp_tutor.errors import ModelError
from hanlp_tutor.files import new_folder, write_file, write_json
from hanlp_tutor.hanlp_bridge import multitask
from hanlp_tutor.hanlp_bridge.readme import readme

CLASSPATH = {
    "ner": "hanlp.components.ner.transformer_ner.TransformerNamedEntityRecognizer",
    "classify": "hanlp.components.classifiers.transformer_classifier.TransformerClassifier",
    "multitask": multitask.CLASSPATH,
}
HANLP_VERSION = "2.1.5"
ENCODER_PREFIX = {"ner": "encoder.transformer.", "classify": "transformer.", "multitask": "encoder.transformer."}
FILES = ("config.json", "model.pt", "transformer/config.json")


def export_hanlp(model: Model, folder: str | Path) -> Path:
    """Write a folder for plain ``hanlp.load``, whole or not at all; an earlier export in its place is replaced.

    Every weight goes in, frozen ones too: HanLP loads with ``strict=False`` and would leave a missing one random.

    Returns:
        The absolute path, which is what ``hanlp.load`` wants.

    Raises:
        ModelError: a folder that holds something else, or an encoder that HanLP would misread.
    """
    folder = Path(folder).resolve()
    _check_place(folder)
    _check_encoder(model)
    with new_folder(folder) as scratch:
        write_transformer(model.encoder.config, model.tokenizer, scratch / "transformer")
        write_json(scratch / "config.json", _config(model, folder / "transformer"))
        for name, content in _vocabs(model).items():
            write_json(scratch / name, content)
        write_file(scratch / "model.pt", lambda file: torch.save(_weights(model), file))
        (scratch / "README.md").write_text(readme(model.task, model.labels), encoding="utf-8")
        _check_whole(model, scratch)
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
    holder = _names_transformer(config)
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
        if config["classpath"] in CLASSPATH.values() and isinstance(_names_transformer(config)["transformer"], str):
            return config
    except (ValueError, KeyError, TypeError):  # ValueError: no JSON, no UTF-8
        pass
    raise ModelError(f"{folder}: its config.json is not that of a folder exported for HanLP. Export the model again.")


def _names_transformer(config: dict[str, Any]) -> dict[str, Any]:
    """The part of a configuration that holds the path ``transformer``; that of a multi-task model is one level down."""
    return config["encoder"] if config["classpath"] == multitask.CLASSPATH else config


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


def _check_encoder(model: Model) -> None:
    positions = model.encoder.config.max_position_embeddings
    if model.task != "classify" and positions != POSITIONS:
        # its tokenizer cuts windows of 512, its encoder reads them back as windows of max_position_embeddings
        raise ModelError(
            f"{model.encoder_name} has {positions} positions; HanLP reads texts over {POSITIONS - 2} "
            f"characters wrongly unless they are {POSITIONS}. Take an encoder with {POSITIONS}."
        )
    third = list(inspect.signature(type(model.encoder).forward).parameters)[3]
    if model.task == "classify" and third != "token_type_ids":
        raise ModelError(
            f"{model.encoder_name} takes {third!r} where HanLP's classifier passes token types. "
            "Take an encoder of the BERT family."
        )


def _config(model: Model, transformer: Path) -> dict[str, Any]:
    """Every key that HanLP 2.1.5 reads to load, predict and evaluate; a missing one is a KeyError there."""
    if model.task == "multitask":
        return multitask.config(model, transformer)
    shared = {
        "classpath": CLASSPATH[model.task],
        "hanlp_version": HANLP_VERSION,
        "transformer": str(transformer),
        "encoder_name": model.encoder_name,  # for load_hanlp; HanLP does not read it
        "average_subwords": False,
        "scalar_mix": None,
        "word_dropout": None,
        "hidden_dropout": None,
        "ret_raw_hidden_states": False,
        "gradient_accumulation": 1,
        "batch_max_tokens": None,
    }
    if model.task == "classify":
        # False: texts over 510 tokens are windowed, not cut
        return shared | {
            "text_a_key": "text",
            "text_b_key": None,
            "label_key": "label",
            "max_seq_length": POSITIONS,
            "truncate_long_sequences": False,
            # one long text makes HanLP compute as many windows for each text of its batch: 32 of them would take
            # gigabytes
            "batch_size": 8,
        }
    return shared | {
        "crf": model.crf,
        "token_key": "token",
        "tagging_scheme": getattr(model.head, "scheme", "BIO"),
        "delimiter_in_entity": "",
        "merge_types": None,
        "tagset": None,
        "secondary_encoder": None,
        "extra_embeddings": None,
        "transform": None,
        "max_seq_len": None,
        "sent_delimiter": None,
        "char_level": False,
        "hard_constraint": False,
        "reduction": "sum",
        "sampler_builder": None,
        # 1: restore_from_sliding_window puts the windows of a batch together as those of its longest text, and
        # mislays the last characters of every other text over 382
        "batch_size": 1,
    }


def _vocabs(model: Model) -> dict[str, Any]:
    """The vocabulary files by name."""
    if model.task == "multitask":
        return multitask.vocabs(model)
    name, unknown = ("tag", "O") if model.task == "ner" else ("label", None)
    labels = list(getattr(model.head, "native", model.labels))
    classes = {"idx_to_token": labels, "pad_token": None, "unk_token": unknown, "mutable": False}
    return {"vocabs.json": {name: classes}}


def _weights(model: Model) -> dict[str, Tensor]:
    """All weights under HanLP's names, on the CPU, in float32."""
    prefix = ENCODER_PREFIX[model.task]
    state = {prefix + name: tensor for name, tensor in model.encoder.state_dict().items()}
    state |= model.head.state_dict()  # the heads bear HanLP's names
    return {
        name: tensor.detach().cpu().float() if tensor.is_floating_point() else tensor.cpu()
        for name, tensor in state.items()
    }


def _check_whole(model: Model, folder: Path) -> None:
    """What HanLP will build from the folder is in the folder, in the right shapes, and reads text as the model does.

    Raises:
        ModelError: our bug, or a transformers version that does not read what it wrote; better now than in service.
    """
    with torch.device("meta"):
        encoder = AutoModel.from_config(AutoConfig.from_pretrained(folder / "transformer", local_files_only=True))
    wanted = {ENCODER_PREFIX[model.task] + name: tensor.shape for name, tensor in encoder.state_dict().items()}
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
