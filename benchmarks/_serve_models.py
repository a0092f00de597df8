"""The models that ``benchmarks.serve`` serves, and what it measures of them without a server."""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any


def make(task: str, folder: Path) -> None:
    """A model, fine-tuned for a minute or (``base``) not at all, with its exports beside it."""
    from benchmarks.serve import ENCODER, SENTENCES
    from hanlp_tutor import TrainConfig, build_model, export_hanlp, fine_tune, load_corpus, save_model
    from hanlp_tutor.core.task import label_set
    from hanlp_tutor.errors import ModelError
    from hanlp_tutor.teach.lessons.l14.base_shape import base_classifier

    kind = "ner" if task == "ner" else "classify"
    corpus = load_corpus({"ner": "peoples_daily", "classify": "reviews"}.get(task, "faults"))
    config = TrainConfig(epochs=2, batch_size=16, lr=1e-3 if kind == "ner" else 3e-4, head_lr=1e-2, patience=None)
    labels = label_set(kind, corpus.train)
    model = base_classifier(labels) if task == "base" else build_model(kind, ENCODER, labels, config)
    if task != "base":
        train = [each for each in corpus.train if len(each.text) <= 80][:SENTENCES]
        fine_tune(model, train, corpus.dev[:100], config, folder / "run", progress="none")
    save_model(model, folder / "model")
    if task != "base":
        from hanlp_tutor.serving.onnx_export import export_onnx

        export_hanlp(model, folder / "hanlp")
        export_onnx(model, folder / "onnx")
        with suppress(ModelError):  # refused where too many labels would change
            export_onnx(model, folder / "int8", int8=[each.text for each in corpus.dev[:500]])
    (folder / "done").touch()


def opened(what: str, folder: Path) -> Any:
    """From texts to answers."""
    if what == "hanlp":
        import hanlp

        return hanlp.load(str((folder / "hanlp").resolve()), verbose=False)
    if what == "kit":
        from hanlp_tutor import Predictor

        return Predictor.load(folder / "model").predict_many
    from hanlp_tutor.serving.onnx_predictor import OnnxPredictor

    return OnnxPredictor(folder / what, threads=1).predict_many


def one_text(what: str, folder: Path) -> dict[str, float]:
    """Milliseconds of a text of 47 characters, each a new one."""
    from benchmarks.serve import LENGTH
    from hanlp_tutor import load_corpus
    from hanlp_tutor.teach.lessons.l14.latency import latency

    longer = [each.text for each in load_corpus("peoples_daily").test if len(each.text) >= LENGTH]
    found = latency(opened(what, folder), [[text[:LENGTH]] for text in longer[:300]], warm_up=20)
    return {"p50_ms": found["p50"], "p99_ms": found["p99"]}


def bulk(what: str, folder: Path) -> dict[str, float]:
    """Reviews a second, from one list."""
    from benchmarks.serve import REVIEWS
    from hanlp_tutor import load_corpus

    corpus = load_corpus("reviews")
    texts = [each.text for each in (*corpus.train, *corpus.dev)][:REVIEWS]
    predict = opened(what, folder)
    predict(texts[:64])
    began = time.perf_counter()
    predict(texts)
    return {"per_second": len(texts) / (time.perf_counter() - began), "reviews": len(texts)}


if __name__ == "__main__":
    if sys.argv[1].startswith("--"):
        print(json.dumps({"--one-text": one_text, "--bulk": bulk}[sys.argv[1]](sys.argv[2], Path(sys.argv[3]))))
    else:
        make(sys.argv[1], Path(sys.argv[2]))
