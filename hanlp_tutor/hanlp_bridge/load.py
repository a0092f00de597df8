"""A HanLP folder from anyone: looked through before it is trusted, then opened by HanLP or made a model of the kit.

HanLP 2.1 imports and calls whatever ``classpath`` a folder names, so a folder from a stranger can run code.
:func:`check_hanlp` reads it as data only and refuses what is not a plain model; :func:`load_hanlp` goes on from there
to a :class:`~hanlp_tutor.core.model.Model` that fine-tunes and exports like every other. HanLP is not imported here.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, AutoModel, AutoTokenizer

from hanlp_tutor.core.model import Model
from hanlp_tutor.core.task import task_named
from hanlp_tutor.damage import other_than_damage
from hanlp_tutor.data.schemes import parse_tag
from hanlp_tutor.encoders import Encoder, check_fit
from hanlp_tutor.encoders.acceptance import longest_window
from hanlp_tutor.errors import DataError, EncoderError, ModelError, first_line
from hanlp_tutor.hanlp_bridge.export import BY_CLASSPATH, FOLDERS
from hanlp_tutor.hanlp_bridge.multitask import KEEPS_TEXT

_MTL = "hanlp.components.mtl"
# What a folder may name: classes that only build a model, each looked at. Anything else in HanLP, and through its
# modules anything in Python, could be called with arguments of the folder's choice.
KNOWN = frozenset({
    *BY_CLASSPATH,
    "hanlp.components.taggers.transformers.transformer_tagger.TransformerTagger",
    "hanlp.components.tokenizers.transformer.TransformerTaggingTokenizer",
    f"{_MTL}.multi_task_learning.MultiTaskLearning",
    f"{_MTL}.tasks.ner.tag_ner.TaggingNamedEntityRecognition",
    f"{_MTL}.tasks.pos.TransformerTagging",
    f"{_MTL}.tasks.tok.tag_tok.TaggingTokenization",
    "hanlp.common.dataset.KMeansSamplerBuilder",
    "hanlp.common.dataset.SortingSamplerBuilder",
    "hanlp.layers.embeddings.contextual_word_embedding.ContextualWordEmbedding",
    "hanlp.layers.scalar_mix.ScalarMixWithDropoutBuilder",
})  # fmt: skip
VOCABULARIES = frozenset(f"hanlp.common.vocab.{name}" for name in ("CustomVocab", "LowercaseVocab", "VocabCounter",
                                                                "VocabWithFrequency", "VocabWithNone"))  # fmt: skip
LARGEST_JSON = 64 * 2**20  # bytes; HanLP's largest vocabulary has 5 MB
# No encoder in use comes near; beyond them building the model would only eat the memory.
LARGEST = {"num_hidden_layers": 200, "hidden_size": 20_000, "intermediate_size": 100_000, "vocab_size": 2_000_000,
           "max_position_embeddings": 100_000, "embedding_size": 20_000, "num_attention_heads": 1_000,
           "type_vocab_size": 1_000}  # fmt: skip
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
# Options under which HanLP computes something else than an encoder with a linear layer on top
_OTHER_MODEL = ("scalar_mix", "secondary_encoder", "extra_embeddings", "transformer_layers", "transform", "text_b_key")


def check_hanlp(folder: str | Path) -> dict[str, Any]:
    """Look through a HanLP folder without running anything in it; its ``config.json``.

    Checked: every class path, anywhere in the JSON, is a known one; the vocabularies are lists of texts; ``model.pt``
    is an archive of tensors without code, each as large as it says; the encoder's sizes are plausible and its folder
    brings no code; no file is a link to the outside. After that ``hanlp.load`` may have it. An encoder that the folder
    only names, on the hub, is not looked at.

    Raises:
        ModelError: with the file and the reason.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder.")
    if (folder / "meta.json").exists():
        raise ModelError(f"{folder / 'meta.json'}: HanLP would take it for a TensorFlow model of an older version.")
    config = _json_object(folder / "config.json")  # before going through what may be a whole disk
    for path in folder.rglob("*"):
        if not path.resolve().is_relative_to(folder.resolve()):
            raise ModelError(f"{path}: a link to the outside of the folder. Put the file itself there.")
        if path.suffix == ".json" and path.stat().st_size > LARGEST_JSON:
            raise ModelError(f"{path}: {path.stat().st_size:,} bytes, far more than such a file needs.")
    # of this class, which could fetch a table from anywhere, only the use that has none
    known = {name: value for name, value in config.items() if (name, value) != ("transform", KEEPS_TEXT)}
    for path in _class_paths(known):
        if not isinstance(path, str) or path not in KNOWN:
            raise ModelError(
                f"{folder / 'config.json'}: it names the class {path!r}, which is not among those that the kit knows "
                "to be harmless; loading it could run any code. Ask its author for a plain model."
            )
    if _wants_code(config):
        raise ModelError(f"{folder / 'config.json'}: it wants code from the hub to be run: refused.")
    if not isinstance(config.get("classpath"), str):
        raise ModelError(f"{folder / 'config.json'}: it names no class, so it is not a HanLP model.")
    for path in sorted(folder.glob("*vocabs.json")):
        _check_vocabularies(path)
    _read_weights(folder / "model.pt")
    for name in ("config.json", "tokenizer_config.json"):  # where transformers looks for code to run
        for path in folder.rglob(name):
            if path.parent != folder:
                _read_shape(path)
    return config


def load_hanlp(folder: str | Path, *, transformer: str | None = None, device: str = "cpu") -> Model:
    """Open a HanLP NER or classification folder as a model: to predict, fine-tune further, extend and export again.

    The folder may be an export of the kit, also after a move, or what HanLP's own ``save()`` or ``fit()`` wrote. Its
    labels stay as they are, tags of BMES and IOBES too (:class:`~hanlp_tutor.core.scheme_head.SchemeHead`). A
    classifier of marked texts that the kit exported is a model of relations again.

    Args:
        folder: looked through by :func:`check_hanlp` first.
        transformer: the encoder's configuration and tokenizer, a folder or a name of the hub, where the HanLP folder
            does not hold them itself; you vouch for it. None takes ``folder/transformer``, or the name of the hub in
            ``config.json``.
        device: where to put it.

    Raises:
        ModelError: the check refuses it; another kind of model; an encoder outside the folder; weights that lack.
    """
    folder = Path(folder)
    config = check_hanlp(folder)
    task = BY_CLASSPATH.get(config["classpath"])
    if task not in ("ner", "classify"):
        raise ModelError(f"{folder}: a {config['classpath'].rsplit('.', 1)[1]}; load_hanlp opens NER and classifiers.")
    if task == "classify" and "relation" in config:
        task = "relation"
    unlike = [name for name in _OTHER_MODEL if config.get(name)]
    if unlike:
        raise ModelError(f"{folder}: trained with {unlike[0]}={config[unlike[0]]!r}, which the kit's models lack.")
    place = transformer or _transformer(folder, config)
    module, tokenizer = _empty_encoder(place)
    labels, native = _labels(folder / "vocabs.json", task)
    name, window = config.get("encoder_name") or str(config["transformer"]), longest_window(place, module, tokenizer)
    encoder = Encoder(name, module, tokenizer, True, window)
    model = task_named(task).model_class()(encoder, labels, crf=bool(config.get("crf")), native=native)
    if task == "relation":
        model.extra = _relation(config["relation"], folder / "config.json")
    _fill(model, _read_weights(folder / "model.pt"), folder)
    return model.to(device).eval()


def _json_object(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ModelError(f"{path.parent}: not a HanLP folder, {path.name} is missing.")
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # ValueError: no JSON, no UTF-8
        raise ModelError(f"{path}: not JSON ({first_line(error)}). Copy the folder again.") from None
    except OSError as error:
        raise ModelError(other_than_damage(path, error) or f"{path}: cannot be read ({error.strerror}).") from None
    if not isinstance(value, dict):
        raise ModelError(f"{path}: a JSON object belongs here, this is a {type(value).__name__}.")
    return value


def _class_paths(value: Any) -> Iterator[Any]:
    """All that HanLP might import: class paths at any depth, under both of their names."""
    if isinstance(value, dict):
        yield from (value[name] for name in ("classpath", "class_path") if name in value)
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _class_paths(each)


def _wants_code(value: Any) -> bool:
    """Whether options for transformers, at any depth, are more than the harmless one that HanLP itself puts there."""
    if isinstance(value, list):
        return any(map(_wants_code, value))
    if not isinstance(value, dict):
        return False
    options = value.get("transformer_args") or {}
    harmless = isinstance(options, dict) and options.keys() <= {"output_hidden_states"}
    return not harmless or "trust_remote_code" in value or any(map(_wants_code, value.values()))


def _check_vocabularies(path: Path) -> None:
    stack = [_json_object(path)]
    while stack:
        for name, value in stack.pop().items():
            if not isinstance(value, dict):
                raise ModelError(f"{path}: {name!r} is no vocabulary.")
            if "idx_to_token" not in value:
                stack.append(value)
                continue
            tokens = value["idx_to_token"]
            if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
                raise ModelError(f"{path}: the vocabulary {name!r} is not a list of texts.")
            if value.get("type") is not None and value["type"] not in VOCABULARIES:
                raise ModelError(f"{path}: it names the class {value['type']!r}, which the kit does not know.")


def _read_weights(path: Path) -> dict[str, Tensor]:
    """Tensors by name, mapped from the file; no code in it is run, and none can pretend to be larger than it is."""
    if not path.is_file():
        raise ModelError(f"{path.parent}: not a HanLP folder, {path.name} is missing.")
    try:
        with open(path, "rb") as file:
            archive = zipfile.is_zipfile(file)  # of a path it would take a missing right for another format
        weights = torch.load(path, map_location="cpu", weights_only=True, mmap=True) if archive else None
    except UnpicklingError as error:
        raise ModelError(f"{path}: holds more than tensors ({first_line(error)}).") from None
    except Exception as error:  # what a damaged or malicious file makes it raise is anything
        damage = f"{path}: holds more than tensors, or is damaged ({first_line(error)})."
        raise ModelError(other_than_damage(path, error) or damage) from None
    if not archive:
        raise ModelError(f"{path}: not an archive of tensors. The older format, a bare pickle, can run code: refused.")
    if not isinstance(weights, dict) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) and tensor.layout == torch.strided
        for name, tensor in weights.items()
    ):
        raise ModelError(f"{path}: not weights by name.")
    for name, tensor in weights.items():
        if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
            raise ModelError(f"{path}: {name} says that it is larger than what is stored of it.")
    return weights


def _read_shape(path: Path) -> None:
    """Refuse the configuration of an encoder, or of its tokenizer, that brings code or has implausible sizes."""
    shape = _json_object(path)
    if "auto_map" in shape:
        raise ModelError(f"{path}: it wants code of its own to be run (auto_map): refused.")
    for name, largest in LARGEST.items():
        size, least = shape.get(name, 1), 0 if name == "type_vocab_size" else 1  # DeBERTa-v2 has no types of tokens
        if not isinstance(size, int) or not least <= size <= largest:
            raise ModelError(f"{path}: {name}={size!r} is not plausible ({least} to {largest:,}).")


def _transformer(folder: Path, config: dict[str, Any]) -> str:
    if (beside := folder / "transformer").is_dir():
        if (beside / "tokenizer.json").is_file() and not (beside / "tokenizer_config.json").is_file():
            # transformers would take the architecture's settings, and lower letters or not by them
            raise ModelError(f"{beside}: the tokenizer's settings are lost: tokenizer_config.json is missing. Copy it "
                             "from where the folder was, or export the model again.")  # fmt: skip
        return str(beside)
    name = config.get("transformer")
    if isinstance(name, str) and _HUB_NAME.fullmatch(name) and not Path(name).exists():
        return name
    raise ModelError(
        f"{folder}: its encoder is {name!r}, outside the folder. If you trust what is there, say so with "
        f"load_hanlp(folder, transformer={name!r}); it is the encoder's configuration and tokenizer."
    )


def _empty_encoder(place: str) -> tuple[Any, Any]:
    """The encoder's architecture with memory that is not filled yet, and its tokenizer."""
    local = Path(place).is_dir()
    if local:
        _read_shape(Path(place) / "config.json")
    options = {"local_files_only": local, "trust_remote_code": False}
    try:
        module = AutoModel.from_config(AutoConfig.from_pretrained(place, **options)).float()
        tokenizer = AutoTokenizer.from_pretrained(place, **options)
        check_fit("its encoder", module, tokenizer)
    except EncoderError as error:
        raise ModelError(str(error)) from None
    except Exception as error:  # what a damaged or foreign file makes the libraries raise is anything
        none = f"{place}: no encoder's configuration and tokenizer there ({first_line(error)})."
        raise ModelError(other_than_damage(place, error) or none) from error
    return module, tokenizer


def _labels(path: Path, task: str) -> tuple[list[str], list[str] | None]:
    """The model's classes and, where they are not BIO tags, the tags of its linear layer."""
    name = "tag" if task == "ner" else "label"
    tokens = _json_object(path).get(name, {}).get("idx_to_token") or []
    if not tokens or len(set(tokens)) != len(tokens):
        raise ModelError(f"{path}: no list of {name}s, each different.")
    if task != "ner":
        return tokens, None
    try:
        tags = [parse_tag(tag) for tag in tokens]
    except DataError as error:
        raise ModelError(f"{path}: these are not the tags of entities: {error.message}") from None
    if "O" not in tokens:
        raise ModelError(f"{path}: the tag O is missing.")
    if {f"{letter}-{kind}" if kind else "O" for letter, kind in tags if letter in "BIO"} == set(tokens):
        return tokens, None
    kinds = sorted({kind for _, kind in tags} - {""})
    return ["O", *(f"{letter}-{kind}" for kind in kinds for letter in "BI")], tokens


def _relation(told: Any, path: Path) -> dict[str, Any]:
    """What the kit has written for a model of relations: markers, negative class, pairs of types."""
    told = told if isinstance(told, dict) else {}
    markers, negative, pairs = (told.get(name) for name in ("markers", "negative", "type_pairs"))
    pairs_right = pairs is None or (
        isinstance(pairs, list)
        and all(isinstance(each, list) and len(each) == 2 and all(isinstance(t, str) for t in each) for each in pairs)
    )
    markers_right = isinstance(markers, str) and len(markers) == 4 == len(set(markers))
    if not (markers_right and pairs_right and (negative is None or isinstance(negative, str))):
        raise ModelError(f"{path}: 'relation' is not what the kit writes there. Export the model again.")
    return {"markers": markers, "negative": negative, "type_pairs": pairs}


def _fill(model: Model, weights: dict[str, Tensor], folder: Path) -> None:
    """Every weight of the model comes from the file, in its shape."""
    prefix = FOLDERS[model.task].encoder_prefix
    parts = {f"{prefix}{name}": tensor for name, tensor in model.encoder.state_dict().items()}
    parts |= model.head.state_dict()
    optional = {name for name in parts if ".pooler." in name or name.endswith("position_ids")}
    lost = sorted(parts.keys() - weights.keys() - optional)
    if lost:
        raise ModelError(
            f"{folder / 'model.pt'}: {len(lost)} weights are missing, among them {lost[0]}. HanLP's save() leaves out "
            "frozen layers: save again with save_weights(folder, trainable_only=False)."
        )
    for name in parts:  # in the model's order, so that the same folder gets the same message
        if name in weights and parts[name].shape != weights[name].shape:
            raise ModelError(
                f"{folder / 'model.pt'}: {name} has the shape {tuple(weights[name].shape)}, "
                f"{tuple(parts[name].shape)} is expected."
            )
        parts[name].copy_(weights[name])
