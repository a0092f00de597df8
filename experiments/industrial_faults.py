"""``python -m experiments.industrial_faults``: 281 types of faults, 4,000 logs, fine-tuned and classical. An hour.

The logs are synthetic (:mod:`hanlp_tutor.corpora.faults`): nothing here says how a model would sort those of a plant.
Three draws of 4,000 logs without overlap; the settings of the linear SVM are chosen on dev for each draw, the learning
rate of the fine-tuned model once. Written are accuracy and macro F1, F1 by number of training examples, which half of a
label is wrong, what a second component named in passing does; one large head against a model of components and one of
modes; what becomes of types that training did not hold; and how long one log takes on one core.
"""

import argparse
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from hanlp_tutor import Predictor, TrainConfig, build_model, fine_tune, load_corpus, load_model, save_model
from hanlp_tutor.corpora.dealing import Options
from hanlp_tutor.corpora.faults import parts_of, records, types
from hanlp_tutor.data import LabelledText, fingerprint
from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.encoders import weights_of
from hanlp_tutor.errors import ModelError
from hanlp_tutor.manifest import manifest
from hanlp_tutor.teach.classical import tuned
from hanlp_tutor.teach.lessons.l14.base_shape import base_classifier
from hanlp_tutor.teach.lessons.l14.hierarchy import joint
from hanlp_tutor.teach.lessons.l14.latency import latency
from hanlp_tutor.teach.lessons.l14.tail import GROUPS, f1_by_examples, group_names, halves, macro_f1
from hanlp_tutor.teach.lessons.l14.unknown import held_out, kept_and_rejected, names_another, threshold_keeping
from hanlp_tutor.teach.results import Experiment
from hanlp_tutor.workbench.calibration import class_probabilities

ENCODER, LOGS, DRAWS = "mini-bert", 4000, (1, 2, 3)
SIZE = LOGS * len(DRAWS)
OPTIONS = {"epochs": 4, "batch_size": 16, "head_lr": 1e-2, "patience": None}
RATES = (1e-3,)  # what dev of the encoders' experiment likes at this size; another one is a row more
UNKNOWN, KEPT = 40, 0.9  # types left out of training; the share of dev's known logs that the threshold keeps
FEW = 5  # examples of a type, at most, where frequent ones are cut
NGRAMS, STRENGTHS = ((1, 2),), (3.0, 10.0, 30.0, 100.0, 300.0)
SVM, TIMED = "linear SVM", 300

# From texts to a score of each class: probabilities' logarithms, or margins.
Scores = Callable[[Sequence[str]], np.ndarray]


class Logs:
    """The sets, and whether a test log names a second component."""

    def __init__(self, test: int | None = None):
        corpus = load_corpus("faults", size=SIZE)
        self.pool, self.dev, self.test = corpus.train, corpus.dev, corpus.test[:test]
        self.texts, self.gold = [e.text for e in self.test], [e.label for e in self.test]
        self.passing = np.array(names_another(SIZE, "test")[:test])

    def train(self, draw: int, without: Sequence[str] = ()) -> list[LabelledText]:
        """4,000 logs; without some types those of them that are left."""
        return [e for e in self.pool[(draw - 1) * LOGS : draw * LOGS] if e.label not in without]


def main(
    folder: Path | None = None,
    draws=DRAWS,
    test: int | None = None,
    models=Path("runs/industrial_faults"),
    classical_only: bool = False,
) -> None:
    logs = Logs(test)
    data = {"train": fingerprint(logs.pool), "dev": fingerprint(logs.dev), "test": fingerprint(logs.test)}
    settings = {"encoder": ENCODER, "sentences": LOGS, "data": data, "synthetic": True,
                "types": len(types()), "unknown": UNKNOWN, "kept": KEPT}  # fmt: skip
    experiment = Experiment("industrial_faults", settings, manifest(describe_device(choose_device())), folder)
    _measure_classical(experiment, logs, draws)
    if not classical_only:
        _measure_fine_tuned(experiment, logs, draws, models)


def _measure_classical(experiment: Experiment, logs: Logs, draws: Sequence[int]) -> None:
    experiment.measure("most frequent type", draws[:1], lambda draw: _most_frequent(logs, draw))
    tuned_by = {"strengths": STRENGTHS}
    rows = {
        SVM: lambda draw: _of_svm(logs, draw),
        f"{SVM}, component and mode": lambda draw: _of_two(logs, draw, _svm),
        f"{SVM}, at most {FEW} a type": lambda draw: _cut(logs, draw),
        f"{SVM}, without {UNKNOWN} types": lambda draw: _unknown(logs, draw, _svm),
        f"{SVM}, component and mode, {UNKNOWN} types only listed": lambda draw: _listed(logs, draw, _svm),
    }
    for row, run in rows.items():
        experiment.measure(row, draws, run, depends_on=tuned_by)
    experiment.measure(f"logs, at most {FEW} a type", draws, lambda draw: _left_by_the_cut(logs, draw))


def _measure_fine_tuned(experiment: Experiment, logs: Logs, draws: Sequence[int], models: Path) -> None:
    weights, tried = {"options": OPTIONS, **weights_of(ENCODER)}, {}

    def dev(draw: int, lr: float) -> float:
        tried[draw, lr] = _train(logs.train(draw), types(), lr, draw)
        return macro_f1(
            [e.label for e in logs.dev], _best(_reads(tried[draw, lr])([e.text for e in logs.dev]), types())
        )

    lr = experiment.best_learning_rate("fine-tuned", RATES, draws[:1], dev, depends_on=weights)
    depends_on = {"lr": lr, **weights}

    def learn(train, dev, labels, seed) -> Scores:
        return _reads(_train(train, labels, lr, seed))

    def one_head(draw: int) -> dict[str, float]:
        model = tried.pop((draw, lr), None) or _train(logs.train(draw), types(), lr, draw)
        if draw == draws[0]:
            save_model(model, models / f"lr-{lr:g}")  # to be timed
        return _measures(logs, draw, types(), _reads(model))

    experiment.measure("fine-tuned", draws[:1], one_head, depends_on=depends_on)
    tried.clear()
    if not (models / f"lr-{lr:g}").exists():
        one_head(draws[0])
    _time(experiment, logs, models / f"lr-{lr:g}", depends_on)
    for some in (draws[:1], draws):  # of an interrupted session all rows have the first draw
        experiment.measure("fine-tuned", some, one_head, depends_on=depends_on)
        name = "fine-tuned, component and mode"
        experiment.measure(name, some, lambda d: _of_two(logs, d, learn), depends_on=depends_on)
        name = f"fine-tuned, without {UNKNOWN} types"
        experiment.measure(name, some, lambda d: _unknown(logs, d, learn), depends_on=depends_on)


def _svm(train, dev, labels, seed) -> Scores:
    pipeline = tuned(SVM, train, dev, ngrams=NGRAMS, strengths=STRENGTHS).pipeline
    known = {label: place for place, label in enumerate(pipeline.classes_)}
    columns = [known.get(label) for label in labels]

    def read(texts):
        margins = pipeline.decision_function(texts)
        never = np.full(len(margins), -np.inf)  # of a class that this draw lacks
        return np.stack([never if place is None else margins[:, place] for place in columns], axis=1)

    return read


def _train(train, labels, lr: float, seed: int):
    config = TrainConfig(lr=lr, seed=seed, eval_steps=10**6, checkpoint_steps=10**6, **OPTIONS)
    model = build_model("classify", ENCODER, labels, config)
    with tempfile.TemporaryDirectory() as folder:
        fine_tune(model, train, [], config, folder, progress="none")
    return model


def _reads(model) -> Scores:
    return lambda texts: np.log(np.clip(class_probabilities(model, texts), 1e-12, 1))


def _best(scores: np.ndarray, labels: Sequence[str]) -> list[str]:
    return [labels[place] for place in scores.argmax(1)]


def _most_frequent(logs: Logs, draw: int) -> dict[str, float]:
    label = Counter(e.label for e in logs.train(draw)).most_common(1)[0][0]
    found = [label] * len(logs.gold)
    return {"accuracy": halves(logs.gold, found)["right"], "macro_f1": macro_f1(logs.gold, found)}


def _of_svm(logs: Logs, draw: int) -> dict[str, float]:
    return _measures(logs, draw, types(), _svm(logs.train(draw), logs.dev, types(), draw))


def _measures(logs: Logs, draw: int, labels: Sequence[str], read: Scores) -> dict[str, float]:
    return _judged(logs, [e.label for e in logs.train(draw)], _best(read(logs.texts), labels))


def _judged(logs: Logs, trained_on: list[str], found: list[str]) -> dict[str, float]:
    """All that is said of the predictions for the test set."""
    right = np.array([a == b for a, b in zip(found, logs.gold, strict=True)])
    by_examples = f1_by_examples(trained_on, logs.gold, found)
    by_examples.pop("0", None)  # in one draw there is such a type, in another there is none
    return {
        "accuracy": float(right.mean()),
        "macro_f1": macro_f1(logs.gold, found),
        **{f"f1, {name}": group["f1"] for name, group in by_examples.items()},
        **{f"types, {name}": group["types"] for name, group in by_examples.items()},
        **halves(logs.gold, found),
        "accuracy, one component named": float(right[~logs.passing].mean()),
        "accuracy, a second one in passing": float(right[logs.passing].mean()),
    }


def _of_two(logs: Logs, draw: int, learn) -> dict[str, float]:
    """A model of components and one of modes, and the best pair that exists."""
    return _judged(logs, [e.label for e in logs.train(draw)], _pairs(logs, logs.train(draw), draw, learn))


def _pairs(logs: Logs, train: list[LabelledText], draw: int, learn) -> list[str]:
    parts = []
    for half in (0, 1):
        names = tuple(dict.fromkeys(parts_of(label)[half] for label in types()))
        sets = [[LabelledText(e.text, parts_of(e.label)[half]) for e in each] for each in (train, logs.dev)]
        parts += [learn(*sets, names, draw)(logs.texts), names]
    return _best(joint(*parts, types()), types())


def _listed(logs: Logs, draw: int, learn) -> dict[str, float]:
    """Types of which training holds no log, but the plant's list of faults names them: two models can say them."""
    out = held_out(UNKNOWN, seed=draw)
    found = _pairs(logs, logs.train(draw, out), draw, learn)
    right = np.array([a == b for a, b in zip(found, logs.gold, strict=True)])
    known = np.array([label not in out for label in logs.gold])
    return {"accuracy of the known": float(right[known].mean()), "accuracy of the listed": float(right[~known].mean())}


def _cut(logs: Logs, draw: int) -> dict[str, float]:
    """Frequent types with as few examples as rare ones: is it the number that makes a type hard?"""
    train = [example for example, _ in _few(logs, draw)]
    found = _best(_svm(train, logs.dev, types(), draw)(logs.texts), types())
    # the groups are those of the whole draw, so that the same types are compared
    return {"logs": len(train), **_judged(logs, [e.label for e in logs.train(draw)], found)}


def _few(logs: Logs, draw: int) -> list[tuple[LabelledText, bool]]:
    """The first ``FEW`` logs of each type, and whether their label was made wrong on purpose."""
    true = [log.label for log in records(Options(SIZE))["train"][(draw - 1) * LOGS : draw * LOGS]]
    seen: Counter[str] = Counter()
    left = []
    for example, label in zip(logs.train(draw), true, strict=True):
        seen[example.label] += 1
        if seen[example.label] <= FEW:
            left.append((example, example.label != label))
    return left


def _left_by_the_cut(logs: Logs, draw: int) -> dict[str, float]:
    """By number of training examples: the logs that a type keeps when it is cut, and how many of them are mislabelled.

    Wrong labels are spread evenly over the types, so a rare type has more of them among its few.
    """
    counts, few = Counter(e.label for e in logs.train(draw)), _few(logs, draw)
    found = {}
    for name, (low, high) in zip(group_names(), pairwise((*GROUPS, float("inf"))), strict=True):
        types_there = {label for label in logs.gold if low <= counts[label] < high}
        wrong = [each for example, each in few if example.label in types_there]
        if wrong:
            found[f"logs a type, {name}"] = len(wrong) / len(types_there)
            found[f"mislabelled, {name}"] = sum(wrong) / len(wrong)
    return found


def _unknown(logs: Logs, draw: int, learn) -> dict[str, float]:
    """Types that training did not hold: a threshold from dev's known logs, and what it does on test."""
    from sklearn.metrics import roc_auc_score

    out = held_out(UNKNOWN, seed=draw)
    labels = tuple(label for label in types() if label not in out)
    known_dev = [e for e in logs.dev if e.label not in out]
    read = learn(logs.train(draw, out), known_dev, labels, draw)
    threshold = threshold_keeping(read([e.text for e in known_dev]).max(1), KEPT)
    scores = read(logs.texts)
    known = np.array([label not in out for label in logs.gold])
    right = np.array([a == b for a, b in zip(_best(scores, labels), logs.gold, strict=True)])
    return {
        "unknown": float((~known).mean()),
        "accuracy of the known": float(right[known].mean()),
        "right without a threshold": float(right.mean()),
        **kept_and_rejected(scores.max(1), right, known, threshold),
        "wrong known rejected": float((scores.max(1) < threshold)[known & ~right].mean()),
        "auroc": float(roc_auc_score(known, scores.max(1))),
    }


def _time(experiment: Experiment, logs: Logs, folder: Path, depends_on: dict) -> None:
    """One log at a time on one core, in turn; ``load`` is how many programs wanted the machine meanwhile."""
    import torch

    from hanlp_tutor.serving import onnx_export
    from hanlp_tutor.serving.onnx_predictor import OnnxPredictor

    torch.set_num_threads(1)
    texts = logs.texts[:TIMED]

    def timed(predictor) -> dict[str, float]:
        return {**latency(predictor.predict, texts), "load": os.getloadavg()[0]}

    def as_onnx(model, int8: bool, least: float) -> dict[str, float]:
        onnx_export.LEAST_AGREEMENT, kept = least, onnx_export.LEAST_AGREEMENT
        try:
            with tempfile.TemporaryDirectory() as scratch:
                path = onnx_export.export_onnx(model, Path(scratch, "model"), int8=logs.texts if int8 else None)
                predictor = OnnxPredictor(path, threads=1)
                agreement = predictor.card.get("agreement", {}).get("same", 1.0)
                size = (path / "model.onnx").stat().st_size / 1e6
                return {**timed(predictor), "labels kept": agreement, "megabytes": size}
        finally:
            onnx_export.LEAST_AGREEMENT = kept

    def refused(model) -> float:
        """1 where the kit's own export refuses int8, because too many labels change."""
        try:
            with tempfile.TemporaryDirectory() as scratch:
                onnx_export.export_onnx(model, Path(scratch, "model"), int8=logs.texts)
        except ModelError:
            return 1.0
        return 0.0

    small = load_model(folder)
    experiment.measure("latency/mini-bert, eager", (1,), lambda _: timed(Predictor(small)), depends_on=depends_on)
    experiment.measure("latency/mini-bert, ONNX", (1,), lambda _: as_onnx(small, False, 1.0), depends_on=depends_on)
    experiment.measure(
        "latency/mini-bert, ONNX int8",
        (1,),
        lambda _: {**as_onnx(small, True, 0.0), "refused": refused(small)},
        depends_on=depends_on,
    )
    large = base_classifier(types())
    experiment.measure("latency/bert-base, eager", (1,), lambda _: timed(Predictor(large)))
    experiment.measure("latency/bert-base, ONNX", (1,), lambda _: as_onnx(large, False, 0.0))
    # random weights: that labels change says nothing, only the time counts
    experiment.measure("latency/bert-base, ONNX int8", (1,), lambda _: as_onnx(large, True, 0.0))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--classical", action="store_true", help="only the rows of the classical learner, minutes")
    main(classical_only=parser.parse_args().classical)
