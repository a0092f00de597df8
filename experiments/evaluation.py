"""``python -m experiments.evaluation``: is a difference of two models more than luck? Twenty minutes of one core.

The same encoder with a CRF and with a plain softmax on top, five seeds each, on 1,000 short training sentences,
scored on the whole test set. Written are the scores, their standard error over test sentences, and paired
bootstraps: the CRF against the softmax of the same seed, and each model against itself with the next seed. What a run
got right in which sentence is kept in ``runs/evaluation``, so an interrupted experiment goes on where it stood.
"""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from hanlp_tutor import Predictor, TrainConfig, build_model, fine_tune, load_corpus
from hanlp_tutor.core.task import label_set
from hanlp_tutor.data import Span, fingerprint
from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.encoders import weights_of
from hanlp_tutor.files import write_json
from hanlp_tutor.manifest import manifest
from hanlp_tutor.teach.results import Experiment
from hanlp_tutor.workbench.significance import bootstrap_interval, in_blocks, paired_bootstrap, span_counts

ENCODER, SENTENCES, LONGEST, DEV, SEEDS = "mini-bert", 1000, 80, 200, (1, 2, 3, 4, 5)
MODELS = {"with a CRF": True, "with a softmax": False}
OPTIONS = {"epochs": 4, "batch_size": 16, "lr": 3e-4, "head_lr": 1e-2, "patience": None}
STORY = 10  # lines: neighbours tell one story (lesson 05)


def main(folder: Path | None = None, cache: Path = Path("runs/evaluation"), seeds=SEEDS, test_sentences=None) -> None:
    corpus = load_corpus("peoples_daily")
    train = [example for example in corpus.train if len(example.text) <= LONGEST][:SENTENCES]
    dev, test = corpus.dev[:DEV], corpus.test[:test_sentences]
    data = {"train": fingerprint(train), "dev": fingerprint(dev), "test": fingerprint(test)}
    settings = {"encoder": ENCODER, "sentences": len(train), "test": len(test), "options": OPTIONS, "data": data}
    experiment = Experiment("evaluation", settings, manifest(describe_device(choose_device())), folder)
    depends_on = weights_of(ENCODER)

    def counts(name: str, seed: int) -> np.ndarray:
        key = hashlib.sha256(json.dumps([settings, depends_on, name, seed]).encode()).hexdigest()[:16]
        kept = cache / f"{key}.json"
        if not kept.exists():
            cache.mkdir(parents=True, exist_ok=True)
            write_json(kept, _run(MODELS[name], seed, train, dev, test, corpus).tolist())
        return np.array(json.loads(kept.read_text(encoding="utf-8")))

    for seed in seeds:  # seed by seed, so that an interrupted session leaves pairs
        for name in MODELS:
            experiment.measure(name, (seed,), lambda s, name=name: _scores(counts(name, s)), depends_on=depends_on)
    following = dict(zip(seeds, [*seeds[1:], seeds[0]], strict=True))
    crf, softmax = MODELS
    experiment.measure(
        "CRF against softmax", seeds, lambda s: _compared(counts(crf, s), counts(softmax, s)), depends_on=depends_on
    )
    for name in MODELS:
        experiment.measure(
            f"{name}, against its next seed",
            seeds,
            lambda s, name=name: _compared(counts(name, s), counts(name, following[s])),
            depends_on=depends_on,
        )


def _run(crf: bool, seed: int, train, dev, test, corpus) -> np.ndarray:
    """Right, found and wanted entities of each test sentence, by a freshly trained model."""
    # two evaluations on dev: more would cost more than the training
    updates = OPTIONS["epochs"] * -(-len(train) // OPTIONS["batch_size"])
    config = TrainConfig(seed=seed, crf=crf, eval_steps=max(1, updates // 2), checkpoint_steps=updates, **OPTIONS)
    model = build_model("ner", ENCODER, label_set("ner", corpus.train), config)
    with tempfile.TemporaryDirectory() as folder:
        fine_tune(model, train, dev, config, folder, progress="none")
    predictions = Predictor(model).predict_many([example.text for example in test])
    found = [[Span(e["start"], e["end"], e["label"]) for e in each["entities"]] for each in predictions]
    return span_counts([example.spans for example in test], found)


def _scores(counts: np.ndarray) -> dict[str, float]:
    right, found, wanted = (int(total) for total in counts.sum(axis=0))
    interval, by_story = bootstrap_interval(counts), bootstrap_interval(in_blocks(counts, STORY))
    return {
        "f1": interval.value,
        "precision": right / max(found, 1),
        "recall": right / wanted,
        "low": interval.low,
        "high": interval.high,
        "standard_error": interval.standard_error,
        "standard_error_by_story": by_story.standard_error,
    }


def _compared(a: np.ndarray, b: np.ndarray) -> dict[str, Any]:
    found = paired_bootstrap(a, b)
    return {name: getattr(found, name) for name in ("difference", "low", "high", "standard_error", "p")}


if __name__ == "__main__":
    main()
