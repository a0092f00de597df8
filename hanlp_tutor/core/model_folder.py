"""Models by task: built from an encoder's name, saved to a folder, opened again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel, AutoTokenizer

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model import Model, draw_weights
from hanlp_tutor.core.task import task_named
from hanlp_tutor.damage import other_than_damage
from hanlp_tutor.defaults import needs_crf
from hanlp_tutor.device import choose_device, is_fast
from hanlp_tutor.encoders import Encoder, check_fit, load_encoder
from hanlp_tutor.encoders.acceptance import longest_window
from hanlp_tutor.encoders.folder import whole_tokenizer, write_transformer
from hanlp_tutor.encoders.layers import size
from hanlp_tutor.errors import ModelError, first_line
from hanlp_tutor.files import may_replace, new_folder, write_json
from hanlp_tutor.run_folder import why_no_model

_NAMES = {None: "float32", torch.bfloat16: "bf16", torch.float16: "fp16"}
FORMAT = 1  # of the model folder; a newer number is refused by an older kit


def build_model(task: str, encoder: str, labels: Sequence[str], config: TrainConfig) -> Model:
    """A model ready for training: the encoder by name, a fresh head, both drawn from ``config.seed``; with a CRF where
    that is asked for, or left open and :func:`hanlp_tutor.defaults.needs_crf` says so.

    Raises:
        EncoderError: the encoder is not to be had. ConfigError: an unknown task.
    """
    kind = task_named(task).model_class()
    loaded = load_encoder(encoder, seed=config.seed, by_character=kind.by_character)
    torch.manual_seed(config.seed)  # the head does not depend on how many numbers the encoder drew
    crf = needs_crf(config, task=task, parameters=size(loaded.module), pretrained=loaded.pretrained)
    model = kind(loaded, labels, dropout=config.dropout, crf=config.crf or crf is not None)
    draw_weights(model.head)
    return model.train()


def save_model(model: Model, folder: str | Path) -> Path:
    """Write a model folder, whole or not at all: ``model.json``, ``model.safetensors``, ``transformer/``.

    An earlier model in its place is replaced.

    Raises:
        ModelError: the folder holds something else, or the model has an adapter.
    """
    folder = Path(folder)
    check_plain(model)
    if not may_replace(folder, "model.json"):
        raise ModelError(f"{folder} exists and is no earlier model. Choose a new folder.")
    with new_folder(folder) as scratch:
        write_json(
            scratch / "model.json",
            {
                "format": FORMAT,
                "task": model.task,
                "labels": list(model.labels),
                "crf": model.crf,
                "encoder": model.encoder_name,
                "pretrained": model.pretrained,
                "dropout": model.head.dropout.p,
                "window": model.window,
                "temperature": model.temperature,
                "precision": _NAMES[model.computes_in],
                "native": getattr(model.head, "native", None),
                **model.extra,
            },
        )
        state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
        save_file(state, scratch / "model.safetensors", metadata={"format": "pt"})
        write_transformer(model.encoder.config, model.tokenizer, scratch / "transformer")
    return folder


def check_plain(model: Model) -> None:
    """Refuse to write a model whose encoder has parts that nobody could open again.

    Raises:
        ModelError: it has an adapter, or its class has no folder.
    """
    if model.unsaved:
        raise ModelError(model.unsaved)
    if hasattr(model.encoder, "adapter"):
        raise ModelError("The model has an adapter: merge(model) first, or keep it by itself with save_adapter().")


def load_model(folder: str | Path, *, device: str = "cpu") -> Model:
    """Open a model folder; nothing outside it is read, no code in it is run.

    A model that was trained in fp16 or bf16 computes so here too where the device does it in hardware.

    Args:
        device: ``auto`` takes a GPU when there is one.

    Raises:
        ModelError: no such folder, a file missing or damaged, a newer kit's format; not to be read here.
        ConfigError: a device that is not there.
    """
    folder, place = Path(folder), choose_device(device)
    try:
        card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        if card["format"] > FORMAT:
            raise ModelError(f"{folder}: written by a newer version of the kit (format {card['format']}). Upgrade.")
        local = {"local_files_only": True, "trust_remote_code": False}
        module = AutoModel.from_config(AutoConfig.from_pretrained(folder / "transformer", **local))
        tokenizer = AutoTokenizer.from_pretrained(whole_tokenizer(folder / "transformer"), **local)
        check_fit("its encoder", module, tokenizer)  # without its files, transformers makes up an empty tokenizer
        window = card.get("window") or longest_window("its encoder", module, tokenizer)  # older folders have none
        model = task_named(card["task"]).model_class()(
            Encoder(card["encoder"], module, tokenizer, card["pretrained"], window),
            card["labels"],
            dropout=card["dropout"],
            crf=card["crf"],
            native=card.get("native"),
        )
        model.load_state_dict(load_file(folder / "model.safetensors"))
        model.temperature = float(card.get("temperature", 1.0))  # older folders have none
        model.extra = {name: card[name] for name in model.extra}
        trained_in = next((dtype for dtype, name in _NAMES.items() if name == card.get("precision")), None)
        if trained_in is not None and is_fast(place, card["precision"]):
            model.computes_in = trained_in
        return model.to(place).eval()
    except ModelError:
        raise
    except Exception as error:  # what a damaged file makes the libraries raise is anything
        damage = f"not a whole model folder ({first_line(error)}). Save or export it again."
        why = f"{folder}: {why_no_model(folder) or damage}"
        raise ModelError(other_than_damage(folder, error) or why) from error
