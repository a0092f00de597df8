"""A trained model as an ONNX folder (:mod:`hanlp_tutor.serving.onnx_folder`), by PyTorch's own exporter.

The graph is encoder and linear layer, with any number of windows of any length. What is not a matter of tensors stands
beside it: the transitions of CRFs, a classifier's last layer (it comes after the windows of a long text are pooled),
the tokenizer, the labels. Before anything is written, the graph has to give the model's own answers.
"""

from __future__ import annotations

import io
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hanlp_tutor.core.heads import TaggingHead
from hanlp_tutor.core.model import ClassificationModel, Model
from hanlp_tutor.core.multitask import MultiTaskHead
from hanlp_tutor.core.predict import Predictor
from hanlp_tutor.errors import ConfigError, ModelError
from hanlp_tutor.extras import needs
from hanlp_tutor.files import may_replace, new_folder, write_file, write_json
from hanlp_tutor.serving.onnx_folder import CARD, FORMAT, GRAPH, HEAD, TASKS, TOKENIZER, sha256
from hanlp_tutor.serving.onnx_predictor import OnnxPredictor

OPSET = 18
LEAST_AGREEMENT = 0.995  # of the labels, between the model and its graph in whole numbers
_TRIED = ("北京大学的李明昨天到了上海。", "很好", "a", "房间很干净，早餐不错，服务员的态度也很好，下次还会再来。" * 3)


def export_onnx(model: Model, folder: str | Path, *, int8: Sequence[Any] | None = None) -> Path:
    """Write a model as an ONNX folder, whole or not at all.

    Args:
        model: a tagger, a classifier, a model of relations, or of several tasks with a segmenter.
        folder: new, or an earlier ONNX folder, which is replaced.
        int8: texts, or pairs, like those of the model's service: weights are stored and multiplied as whole numbers of
            8 bits, if on these 99.5 % of the labels stay what they were. None: 32-bit numbers.

    Raises:
        ConfigError: a package is not installed, or another kind of model.
        ModelError: the graph's answers are not the model's; nothing is written.
    """
    needs("onnx", "The export to ONNX")
    needs("onnxscript", "The export to ONNX")
    why = why_not(model)
    if why:
        raise ConfigError(f"this model cannot be exported to ONNX: {why}")
    folder = Path(folder)
    if not may_replace(folder, CARD):
        raise ModelError(f"{folder} exists and is no earlier ONNX folder. Choose a new folder.")
    tokenizer = getattr(model.tokenizer, "backend_tokenizer", None)
    with new_folder(folder) as scratch:
        _write_graph(model, scratch / GRAPH)
        write_file(scratch / HEAD, lambda file: np.savez(file, **_beside(model)))
        write_file(scratch / TOKENIZER, lambda file: file.write(tokenizer.to_str().encode("utf-8")))
        _write_card(model, scratch)
        _check_same(model, OnnxPredictor(scratch))
        if int8 is not None:
            agreement = _to_int8(model, scratch, list(int8))
            _write_card(model, scratch, **agreement)
    return folder


def why_not(model: Model) -> str:
    """Why a model cannot be exported to ONNX; empty when it can."""
    if model.task not in TASKS:
        return f"only models of {', '.join(TASKS)} can, this is of the task {model.task}."
    if model.task == "multitask" and "tok" not in model.tags:
        return "it finds no words in a raw text. Train it with tok too, or export it to HanLP."
    if getattr(model.tokenizer, "backend_tokenizer", None) is None:
        return (
            "its tokenizer is none of the library `tokenizers` (a fast one). Choose an encoder with a fast tokenizer."
        )
    return ""


class _Graph(nn.Module):
    """What is computed on ONNX Runtime: ids and mask (W, T) to scores of tags (W, T, C) or [CLS] states (W, H)."""

    def __init__(self, model: Model):
        super().__init__()
        self.encoder = model.encoder
        self.linear = None if isinstance(model, ClassificationModel) else _joined(list(_taggers(model).values()))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return hidden[:, 0] if self.linear is None else self.linear(hidden)


def _taggers(model: Model) -> dict[str, TaggingHead]:
    """The heads that score tags, by the prefix of their arrays beside the graph."""
    if isinstance(model.head, MultiTaskHead):
        return {f"{task}.": head for task, head in model.head.decoders.items()}
    return {"": model.head}


def _joined(heads: list[TaggingHead]) -> nn.Linear:
    """The linear layers of several heads as one, their classes one behind the other."""
    weight = torch.cat([head.classifier.weight for head in heads])
    joined = nn.Linear(weight.size(1), weight.size(0), device="meta")
    joined.weight = nn.Parameter(weight.detach())
    joined.bias = nn.Parameter(torch.cat([head.classifier.bias for head in heads]).detach())
    return joined


def _write_graph(model: Model, path: Path) -> None:
    graph = _Graph(model).to("cpu").eval()
    ids = torch.tensor([[model.text_encoder.cls_id, *[model.text_encoder.unk_id] * 9, model.text_encoder.sep_id]] * 3)
    rows, places = torch.export.Dim("rows", min=1, max=4096), torch.export.Dim("places", min=3, max=model.window)
    axes = {0: rows, 1: places}
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            graph,
            (ids, torch.ones_like(ids)),
            dynamo=True,
            opset_version=OPSET,
            input_names=["input_ids", "attention_mask"],
            output_names=["scores"],
            dynamic_shapes={"input_ids": axes, "attention_mask": axes},
            external_data=False,
        )
        program.save(str(path))


def _beside(model: Model) -> dict[str, np.ndarray]:
    """What stands beside the graph."""
    if isinstance(model, ClassificationModel):
        head = model.head.classifier
        return {"weight": head.weight.detach().cpu().numpy(), "bias": head.bias.detach().cpu().numpy()}
    found = {}
    for prefix, tagger in _taggers(model).items():
        if (crf := tagger.crf) is not None:
            parts = {"start": crf.start_transitions, "between": crf.transitions, "end": crf.end_transitions}
            found |= {prefix + name: part.detach().cpu().numpy() for name, part in parts.items()}
    return found


def _write_card(model: Model, folder: Path, **more: Any) -> None:
    text = model.text_encoder
    card = {
        "format": FORMAT,
        "task": model.task,
        "labels": list(model.labels),
        "native": getattr(model.head, "native", None),
        "extra": model.extra,
        "window": model.window,
        "temperature": model.temperature,
        "encoder": model.encoder_name,
        "special": {"cls": text.cls_id, "sep": text.sep_id, "pad": text.pad_id, "unk": text.unk_id},
        "numbers": "float32",
        **more,
    }
    write_json(folder / CARD, {**card, "sha256": {name: sha256(folder / name) for name in (GRAPH, HEAD, TOKENIZER)}})


def _check_same(model: Model, exported: OnnxPredictor) -> None:
    """A few texts, one of them longer than a window: the same answers, scores within rounding."""
    texts: list[Any] = [*_TRIED, _TRIED[0] * (2 + model.window // len(_TRIED[0]))]
    if model.task == "relation":
        last = len(texts[-1]) - len(_TRIED[0])
        pairs = {0: ("李明", "上海", None), 3: ("早餐", "服务员", None), 4: ("李明", "上海", (last + 5, 11))}
        texts = [{"head": a, "tail": b, "text": texts[n], "starts": starts} for n, (a, b, starts) in pairs.items()]
    for mine, other in zip(Predictor(model).predict_many(texts), exported.predict_many(texts), strict=True):
        if not _same(mine, other):
            answers = (f"{each!r:.500}" for each in (other, mine))
            raise ModelError("the ONNX graph answers {}, the model {}; nothing was written.".format(*answers))


def _same(mine: Any, other: Any) -> bool:
    """Whether answers are the same, their scores within rounding."""
    if isinstance(mine, float) and isinstance(other, float):
        return abs(mine - other) < 1e-3
    if isinstance(mine, dict) and isinstance(other, dict):
        return mine.keys() == other.keys() and all(_same(mine[name], other[name]) for name in mine)
    if isinstance(mine, list) and isinstance(other, list):
        return len(mine) == len(other) and all(map(_same, mine, other))
    return mine == other


def _to_int8(model: Model, folder: Path, texts: list[Any]) -> dict[str, Any]:
    """Replace the graph by one whose weights are whole numbers, if its labels are the same.

    Raises:
        ModelError: they are not, or there is nothing to compare on.
    """
    quantization = needs("onnxruntime.quantization", "The export to ONNX with int8")
    wanted = _labels(OnnxPredictor(folder), texts)
    if not any(wanted):
        raise ModelError("int8 is compared with 32-bit numbers on texts, and there is none. Name a file of texts.")
    small = folder / "int8.onnx"
    with _quiet():
        quantization.quantize_dynamic(folder / GRAPH, small, weight_type=quantization.QuantType.QInt8, per_channel=True)
    os.replace(small, folder / GRAPH)
    _write_card(model, folder)
    pairs = [pair for pair in zip(wanted, _labels(OnnxPredictor(folder), texts), strict=True) if any(pair)]
    agreement = sum(a == b for a, b in pairs) / len(pairs)
    if agreement < LEAST_AGREEMENT:
        raise ModelError(
            f"with int8 only {agreement:.2%} of {len(pairs):,} labels stay what they were, less than "
            f"{LEAST_AGREEMENT:.1%}; nothing was written. Export it without --int8."
        )
    return {"numbers": "int8", "agreement": {"labels": len(pairs), "same": agreement}}


def _labels(predictor: OnnxPredictor, texts: list[Any]) -> list[str]:
    """The label of each character, or of each text, which int8 may change.

    Of several tasks each has a label for each character; it is empty where no word is.
    """
    if predictor.task == "relation":
        texts = [predictor.model.as_input(each) for each in texts]
    if predictor.task != "multitask":
        return [label for row in predictor.tags(texts) for label in row]
    found: list[str] = []
    for answer in predictor.predict_many(texts):
        words = answer["offsets"]
        parts = [[(*place, "word") for place in words]]
        if "pos" in answer:
            parts.append([(*place, tag) for place, tag in zip(words, answer["pos"], strict=True)])
        if "ner" in answer:
            entities = [(each["start"], each["end"], each["label"]) for each in answer["ner"]]
            parts.append([*((*place, "O") for place in words), *entities])
        for part in parts:
            said = [""] * len(answer["text"])
            for start, end, label in part:
                rest = "O" if label == "O" else f"I-{label}"
                said[start:end] = [rest if label == "O" else f"B-{label}", *[rest] * (end - start - 1)]
            found += said
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter tells at length how it goes."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
