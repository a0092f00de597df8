"""One interface to a model in service, wherever it comes from: a folder of the kit, one of HanLP, or an ONNX folder.

What it answers is what ``hanlp-tutor predict --json`` prints; a class comes with the probabilities of the likeliest.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hanlp_tutor.manifest import versions
from hanlp_tutor.serving.onnx_folder import CARD, GRAPH, is_onnx_folder, sha256

if TYPE_CHECKING:  # an ONNX folder is served without torch
    from hanlp_tutor.core.model import Model

SHOWN = 10  # probabilities of classes in an answer, the likeliest


class Served:
    """A model in service.

    Attributes:
        kind: ``kit``, ``hanlp`` or ``onnx``.
        task: ``ner``, ``classify``, ``relation``, ``multitask``; of another HanLP folder its class's name.
        labels: entity types, classes or relations; by task for several.
        checksum: sha256 of the weights' file; None of a model that came from no folder.
        card: what its folder says of it.
    """

    kind: str
    task: str
    labels: Any
    checksum: str | None = None

    def __init__(self) -> None:
        self.card: dict[str, Any] = {}

    @property
    def takes_pairs(self) -> bool:
        """Whether it takes pairs of entities instead of texts."""
        return self.task == "relation"

    def parse(self, given: Any) -> Any:
        """A text or pair as it was sent, ready for :meth:`answer`.

        Raises:
            InputError: it is none.
        """
        return given

    def answer(self, inputs: Sequence[Any]) -> list[dict[str, Any]]:
        """Answers in the order of the inputs."""
        raise NotImplementedError

    def describe(self) -> dict[str, Any]:
        """For ``GET /model``."""
        return {
            "kind": self.kind,
            "task": self.task,
            "labels": self.labels,
            "checksum": self.checksum,
            "versions": versions(),
            "card": self.card,
        }


class _Kit(Served):
    kind = "kit"

    def __init__(self, model: Model):
        super().__init__()
        from hanlp_tutor.core.predict import Predictor

        self._predictor = Predictor(model)
        self.task = model.task
        self.labels = _shown_by_task(getattr(model, "tags", None), model.labels)

    def parse(self, given: Any) -> Any:
        return self._predictor.model.as_input(given) if self.takes_pairs else given

    def answer(self, inputs: Sequence[Any]) -> list[dict[str, Any]]:
        if self.task not in ("classify", "relation"):
            return self._predictor.predict_many(inputs)
        from hanlp_tutor.core.inference import in_order, infer

        model = self._predictor.model

        def read(numbers: list[int], states: Any, batch: Any) -> list[dict[str, Any]]:
            found = model.answer([inputs[n] for n in numbers], states, batch)
            p = model.probabilities(model.head.logits(states, batch), batch).tolist()
            rows = zip(found, p, strict=True)
            return [{**each, "probabilities": _likeliest(model.labels, row)} for each, row in rows]

        return in_order(infer(model, [model.encode(each) for each in inputs], read), len(inputs))


class _Onnx(Served):
    kind = "onnx"

    def __init__(self, folder: Path, threads: int | None):
        super().__init__()
        from hanlp_tutor.serving.onnx_predictor import OnnxPredictor

        self._predictor = OnnxPredictor(folder, threads=threads)
        self.task = self._predictor.task
        self.labels = _shown_by_task(getattr(self._predictor.model, "tags", None), self._predictor.labels)
        self.checksum = checksum(folder)
        self.card = {name: value for name, value in self._predictor.card.items() if name not in ("sha256", "labels")}

    def parse(self, given: Any) -> Any:
        return self._predictor.model.as_input(given) if self.takes_pairs else given

    def answer(self, inputs: Sequence[Any]) -> list[dict[str, Any]]:
        return self._predictor.predict_many(inputs, probabilities=SHOWN)


class _HanLP(Served):
    """What plain HanLP makes of its folder; :func:`hanlp_tutor.hanlp_bridge.load.check_hanlp` has looked it through."""

    kind = "hanlp"

    def __init__(self, folder: Path):
        super().__init__()
        from hanlp_tutor.hanlp_bridge.article import HanLP
        from hanlp_tutor.hanlp_bridge.export import BY_CLASSPATH

        loaded = HanLP.load(folder)
        self._component = loaded.component
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.card = {name: config[name] for name in ("classpath", "transformer", "hanlp_version") if name in config}
        self.task = BY_CLASSPATH.get(config["classpath"], config["classpath"].rpartition(".")[2])
        self.checksum = checksum(folder)
        path = folder / "vocabs.json"  # a model of several tasks has none
        vocabularies = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        kept = [each.get("idx_to_token") or [] for name, each in vocabularies.items() if name in ("tag", "label")]
        self.labels = _shown(kept[0]) if kept else sorted(getattr(self._component, "tasks", {}))

    def answer(self, inputs: Sequence[str]) -> list[dict[str, Any]]:
        answers: list[dict[str, Any]] = [_nothing(self.task, text) for text in inputs]
        read = [n for n, text in enumerate(inputs) if text.strip()]
        if not read:
            return answers
        texts = [inputs[n] for n in read]
        if self.task == "ner":
            of_texts = self._component([list(text) for text in texts])
            found = [_entities(text, each) for text, each in zip(texts, of_texts, strict=True)]
        elif self.task == "classify":
            found = [{"text": t, "label": label} for t, label in zip(texts, self._component(texts), strict=True)]
        elif self.task == "multitask":
            of_tasks = dict(self._component(texts))
            found = [
                {"text": text, **{task: values[k] for task, values in of_tasks.items()}} for k, text in enumerate(texts)
            ]
        else:
            found = [{"text": t, "output": each} for t, each in zip(texts, self._component(texts), strict=True)]
        for number, each in zip(read, found, strict=True):
            answers[number] = each
        return answers


def open_model(model: Any, *, threads: int | None = None) -> Served:
    """A model in service, from its folder or an opened one.

    Args:
        model: a folder of the kit, a run folder, a folder of HanLP, an ONNX folder; or a ``Model`` or ``Predictor``.
        threads: within one computation; None: as many as there are cores.

    Raises:
        ModelError: no model, or one that is refused, with the reason.
    """
    if isinstance(model, Served):
        return model
    if not isinstance(model, (str, Path)):
        return _Kit(getattr(model, "model", model))
    folder = Path(model)
    folder = folder / "model" if (folder / "model" / "model.json").exists() else folder
    if is_onnx_folder(folder):
        return _Onnx(folder, threads)
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    if (folder / "config.json").exists() and not (folder / "model.json").exists():
        return _HanLP(folder)
    from hanlp_tutor.core.model_folder import load_model

    served = _Kit(load_model(folder, device="auto"))
    served.checksum = checksum(folder)
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    served.card = {name: value for name, value in card.items() if name not in ("labels", "tasks")}
    return served


def checksum(folder: Path) -> str:
    """sha256 of a model folder's weights; an ONNX folder says its own, which is checked when it is opened."""
    if is_onnx_folder(folder):
        return json.loads((folder / CARD).read_text(encoding="utf-8"))["sha256"][GRAPH]
    return sha256(next(folder / name for name in ("model.safetensors", "model.pt") if (folder / name).is_file()))


def _likeliest(labels: Sequence[str], p: Sequence[float]) -> dict[str, float]:
    order = sorted(range(len(p)), key=lambda n: -p[n])[:SHOWN]
    return {labels[n]: p[n] for n in order}


def _shown(labels: Sequence[str]) -> list[str]:
    """Types of entities instead of their tags; classes as they are."""
    if "O" not in labels:
        return list(labels)
    return sorted({label.partition("-")[2] for label in labels} - {""})


def _shown_by_task(tags: dict[str, Sequence[str]] | None, labels: Sequence[str]) -> Any:
    return {name: _shown(each) for name, each in tags.items()} if tags else _shown(labels)


def _nothing(task: str, text: str) -> dict[str, Any]:
    return {"text": text, "entities": []} if task == "ner" else {"text": text}


def _entities(text: str, found: Sequence[Sequence[Any]]) -> dict[str, Any]:
    places = ((label, start, end) for _, label, start, end in found)
    rows = [{"start": a, "end": b, "label": label, "text": text[a:b]} for label, a, b in places]
    return {"text": text, "entities": rows}
