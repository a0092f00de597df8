"""``python -m experiments.encoders``: what pre-training buys, at 100, 500 and 2,000 training sentences.

The embedded encoders and the random one of the same shape, on the People's Daily (NER) and the reviews
(classification), three seeds, beside a feature CRF and an n-gram classifier; all sentences of the People's Daily, the
size ``all``, are those of ``python -m experiments.finetune_ner --all``. Random weights and pre-trained ones choose
their learning rate from the same grid on the dev set, with the first seed, and where that cannot tell learning rates
apart with all three: for 100 sentences at 500, else at the size itself, because few updates want a higher learning
rate than many. The three encoders that are compared, alike in shape and reading, share the learning rate that
mini-bert chose; the one that has read more chooses its own. All take as many steps; the test set is read once, at the
end of each run. Hours on two cores; what has been measured under the same settings is not measured again, and the
cheap rows come first. ``--only ner/500`` measures rows that begin so, ``--encoder NAME`` only those of one encoder
(``baseline`` for the classical learners); several such processes may run side by side.
"""

import argparse
import tempfile

from hanlp_tutor import TrainConfig, build_model, evaluate_model, fine_tune, load_corpus
from hanlp_tutor.core.scores import class_scores, span_scores
from hanlp_tutor.core.task import label_set
from hanlp_tutor.data import fingerprint
from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.encoders import weights_of
from hanlp_tutor.encoders.mini import COMPARED, EMBEDDED
from hanlp_tutor.manifest import manifest
from hanlp_tutor.teach.results import Experiment
from hanlp_tutor.workbench.baselines import FeatureCRF, ngram_classifier

ENCODERS = (*EMBEDDED, f"random:{COMPARED[0]}")
CORPORA = {"ner": "peoples_daily", "classify": "reviews"}
SIZES = {"500": 500, "100": 100, "2000": 2000, "all": None}  # in the order of measuring
# Passes over the training sentences: few sentences need many, and all encoders get the same number of steps.
EPOCHS = {
    "ner": {"100": 24, "500": 12, "2000": 6},
    "classify": {"100": 20, "500": 8, "2000": 4},
}
RATES = {
    "ner": {"500": (5e-5, 1e-4, 3e-4, 1e-3), "2000": (1e-4, 3e-4, 1e-3, 2e-3)},
    "classify": {"500": (5e-5, 1e-4, 3e-4, 1e-3, 2e-3), "2000": (1e-4, 3e-4, 1e-3, 2e-3)},
}
TIE = 0.01  # learning rates that are no further apart by the first seed are tried with every seed
OPTIONS = {
    "ner": {"batch_size": 16, "head_lr": 1e-2, "crf": True, "patience": None},
    "classify": {"batch_size": 16, "head_lr": 1e-3, "patience": None},
}
DEV, SEEDS = 400, (1, 2, 3)
BASELINES = {"ner": "feature CRF", "classify": "n-gram classifier"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", default="", help="measure only rows whose name begins so, such as ner/500")
    parser.add_argument("--encoder", choices=[*ENCODERS, "baseline"], help="measure only this one's rows")
    arguments = parser.parse_args()
    corpora = {task: load_corpus(name) for task, name in CORPORA.items()}
    experiment = Experiment("encoders", _settings(), manifest(describe_device(choose_device())))
    for size in SIZES:
        for task, corpus in corpora.items():
            if size in EPOCHS[task]:
                _measure(experiment, task, corpus, size, arguments)


def _measure(experiment: Experiment, task: str, corpus, size: str, arguments: argparse.Namespace) -> None:
    def wanted(row: str, encoder: str) -> bool:
        return row.startswith(arguments.only) and arguments.encoder in (None, encoder)

    row = f"{task}/{size}/{BASELINES[task]}"
    if wanted(row, "baseline"):
        experiment.measure(
            row,
            SEEDS[:1],
            lambda seed: classical(task, corpus.train[: SIZES[size]], corpus.test),
            depends_on={"data": data_of(corpus)},
        )
    for encoder in ENCODERS:
        row = f"{task}/{size}/{encoder}"
        if wanted(row, encoder):
            lr = chosen_lr(experiment, task, corpus, size, encoder)
            experiment.measure(
                row,
                SEEDS,
                lambda seed, encoder=encoder, lr=lr: _fine_tuned(task, corpus, size, encoder, lr, seed),
                depends_on={"lr": lr, "data": data_of(corpus), **weights_of(encoder)},
            )


def chosen_lr(experiment: Experiment, task: str, corpus, size: str, encoder: str) -> float:
    """The learning rate of θ with the best dev score at this size (at 500 for 100); measured on the first call."""
    size = "500" if size == "100" else size
    encoder = COMPARED[0] if encoder in COMPARED else encoder
    return experiment.best_learning_rate(
        f"{task}/{size}/{encoder}",
        RATES[task][size],
        SEEDS,
        lambda seed, lr: _run(task, corpus, size, encoder, lr, seed)[1],
        tie=TIE,
        depends_on={"data": data_of(corpus), **weights_of(encoder)},
    )


def _fine_tuned(task: str, corpus, size: str, encoder: str, lr: float, seed: int) -> dict[str, float]:
    model, best_dev, seconds = _run(task, corpus, size, encoder, lr, seed)
    return {**headline(task, evaluate_model(model, corpus.test)), "best_dev": best_dev, "lr": lr, "seconds": seconds}


def _run(task: str, corpus, size: str, encoder: str, lr: float, seed: int):
    train = corpus.train[: SIZES[size]]
    config = TrainConfig(
        **OPTIONS[task], epochs=EPOCHS[task][size], lr=lr, seed=seed, **_evaluations(task, size, train)
    )
    # the task's labels, also those that so few sentences happen to lack
    model = build_model(task, encoder, label_set(task, corpus.train), config)
    with tempfile.TemporaryDirectory() as folder:
        result = fine_tune(model, train, corpus.dev[:DEV], config, folder, progress="none")
    return model, result.best_dev, round(result.seconds, 1)


def _evaluations(task: str, size: str, train) -> dict[str, int]:
    """Five evaluations on dev a run; one after each of 40 epochs would cost more than the training."""
    updates = EPOCHS[task][size] * -(-len(train) // OPTIONS[task]["batch_size"])
    return {"eval_steps": max(1, updates // 5), "checkpoint_steps": updates}


def classical(task: str, train: list, test: list) -> dict[str, float]:
    """The scores of the classical baseline on a test set."""
    texts = [example.text for example in test]
    if task == "ner":
        return headline(task, span_scores([e.spans for e in test], FeatureCRF(train).predict(texts)))
    classifier = ngram_classifier().fit([e.text for e in train], [e.label for e in train])
    return headline(task, class_scores([e.label for e in test], list(classifier.predict(texts))))


def headline(task: str, scores: dict) -> dict[str, float]:
    """What a row holds of a model's scores."""
    names = ("precision", "recall", "f1") if task == "ner" else ("accuracy", "macro_f1")
    return {name: scores[name] for name in names}


def data_of(corpus) -> dict[str, str]:
    """A hash a set; of a row, not of the file: a mended split of one corpus leaves the rows of the other."""
    return {subset: fingerprint(getattr(corpus, subset))[:16] for subset in ("train", "dev", "test")}


def _settings() -> dict:
    return {
        "sizes": SIZES,
        "epochs": EPOCHS,
        "options": OPTIONS,
        "dev": DEV,
    }


if __name__ == "__main__":
    main()
