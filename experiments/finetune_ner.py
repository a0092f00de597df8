"""``python -m experiments.finetune_ner``: what `make run` reaches, over three seeds, beside its baselines.

The same sentences, the same test set and the same options as `make run`; an hour and a half on two cores. The learning
rate of θ is chosen on the whole dev set, with fewer sentences and one seed: random weights by themselves from the same
grid, the three encoders that are compared, alike in shape and reading, by mini-macbert, the one that has read more by
itself. All take as many updates. The last rows say how far each, and the feature CRF, come with all training sentences:
four passes, more than half an hour a seed. What has been measured under the same settings is not measured again.
``--encoder NAME`` measures only that one's rows of `make run`, with ``--all`` those of all sentences, so that several
processes may run side by side.
"""

import argparse
import tempfile
from collections.abc import Sequence

from hanlp_tutor import TrainConfig, build_model, evaluate_model, fine_tune, load_corpus
from hanlp_tutor.core.inference import predict_labels
from hanlp_tutor.core.scores import span_scores
from hanlp_tutor.core.task import label_set
from hanlp_tutor.data import fingerprint
from hanlp_tutor.data.schemes import spans_from_bio
from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.encoders import weights_of
from hanlp_tutor.encoders.mini import BEST_TAGGER, COMPARED, EMBEDDED
from hanlp_tutor.manifest import manifest
from hanlp_tutor.teach.encoder_results import ALL
from hanlp_tutor.teach.results import Experiment
from hanlp_tutor.workbench.baselines import DictionaryMatcher, FeatureCRF
from hanlp_tutor.workbench.novelty import recall_by_novelty

CORPUS, SENTENCES, SEEDS = "peoples_daily", 10_000, (1, 2, 3)
RANDOM, CHOOSER = f"random:{COMPARED[0]}", "mini-macbert"
ENCODERS = (BEST_TAGGER, RANDOM, *(name for name in EMBEDDED if name != BEST_TAGGER))  # all of one shape
DEV_SENTENCES = 500
GRID_SENTENCES, RATES = 2500, (3e-4, 6e-4, 1e-3, 2e-3)
OPTIONS = {
    "epochs": 2,
    "batch_size": 16,
    "head_lr": 1e-2,
    "crf": True,
    "eval_steps": 400,
    "patience": 10,
}
ALL_OPTIONS = {**OPTIONS, "epochs": 4, "eval_steps": 1000, "patience": None}


class Runs:
    """What is measured: learners, each from its training sentences to its scores on the test set."""

    def __init__(self, corpus):
        self.corpus = corpus
        self.train, self.dev = corpus.train[:SENTENCES], corpus.dev[:DEV_SENTENCES]

    def dev_f1(self, encoder: str, seed: int, lr: float) -> float:
        """F1 on the whole dev set, for a choice between learning rates."""
        model, _ = self._train(encoder, seed, lr, self.train[:GRID_SENTENCES], OPTIONS)
        return evaluate_model(model, self.corpus.dev)["f1"]

    def fine_tuned(self, encoder: str, seed: int, lr: float, sentences, options) -> dict[str, float]:
        """A fine-tuned encoder's scores, and how its run went by the F1 on dev."""
        model, result = self._train(encoder, seed, lr, sentences, options)
        predicted, _ = predict_labels(model, [model.encode(example) for example in self.corpus.test])
        dev_scores = [row["dev_score"] for row in result.history if row.get("dev_score") is not None]
        return {
            **self._scored(sentences, map(spans_from_bio, predicted)),
            "best_dev": result.best_dev,
            "best_step": result.best_step,
            "steps": result.steps,
            "last_dev": dev_scores[-1],
        }

    def baseline(self, kind: type, sentences) -> dict[str, float]:
        """A classical learner's scores."""
        return self._scored(sentences, kind(sentences).predict([example.text for example in self.corpus.test]))

    def _train(self, encoder: str, seed: int, lr: float, sentences, options):
        config = TrainConfig(seed=seed, lr=lr, **options)
        model = build_model("ner", encoder, label_set("ner", sentences), config)
        with tempfile.TemporaryDirectory() as folder:
            return model, fine_tune(model, sentences, self.dev, config, folder)

    def _scored(self, sentences, predicted) -> dict[str, float]:
        predicted = list(predicted)
        scores = span_scores([example.spans for example in self.corpus.test], predicted)
        headline = {name: scores[name] for name in ("precision", "recall", "f1")}
        return {**headline, **recall_by_novelty(sentences, self.corpus.test, predicted)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--encoder", choices=ENCODERS, action="append", help="measure only this one's rows")
    parser.add_argument("--all", action="store_true", help="the rows of all training sentences instead")
    arguments = parser.parse_args()
    corpus = load_corpus(CORPUS)
    runs = Runs(corpus)
    data = {"train": fingerprint(runs.train), "dev": fingerprint(runs.dev), "test": fingerprint(corpus.test)}
    settings = {"corpus": CORPUS, "sentences": len(runs.train), "options": OPTIONS, "data": data}
    experiment = Experiment("finetune_ner", settings, manifest(describe_device(choose_device())))
    encoders = arguments.encoder or ENCODERS
    if not arguments.all:
        _as_make_run(experiment, runs, encoders)
    if arguments.all or not arguments.encoder:
        _of_all_sentences(experiment, runs, encoders)


def _as_make_run(experiment: Experiment, runs: Runs, encoders: Sequence[str]) -> None:
    # neither baseline draws a random number, so one run says all
    experiment.measure("dictionary", SEEDS[:1], lambda seed: runs.baseline(DictionaryMatcher, runs.train))
    experiment.measure("feature CRF", SEEDS[:1], lambda seed: runs.baseline(FeatureCRF, runs.train))
    _fine_tuned(experiment, runs, encoders, runs.train, OPTIONS)


def _of_all_sentences(experiment: Experiment, runs: Runs, encoders: Sequence[str]) -> None:
    sentences = runs.corpus.train
    data = {"train": fingerprint(sentences)}
    experiment.measure(
        f"feature CRF{ALL}", SEEDS[:1], lambda seed: runs.baseline(FeatureCRF, sentences), depends_on=data
    )
    depends_on = {"options": ALL_OPTIONS, **data}
    _fine_tuned(experiment, runs, encoders, sentences, ALL_OPTIONS, suffix=ALL, depends_on=depends_on)


def _fine_tuned(
    experiment: Experiment, runs: Runs, encoders: Sequence[str], sentences, options, *, suffix="", depends_on=None
) -> None:
    """The rows of the encoders; seed by seed, so that an interrupted session leaves pairs."""
    lrs = {encoder: chosen_lr(experiment, runs, encoder) for encoder in encoders}
    for seed in SEEDS:
        for encoder, lr in lrs.items():
            experiment.measure(
                f"{encoder}{suffix}",
                (seed,),
                lambda seed, encoder=encoder, lr=lr: runs.fine_tuned(encoder, seed, lr, sentences, options),
                depends_on={"lr": lr, **(depends_on or {}), **weights_of(encoder)},
            )


def chosen_lr(experiment: Experiment, runs: Runs, encoder: str) -> float:
    """The learning rate of θ with the best dev score; measured on the first call."""
    encoder = CHOOSER if encoder in COMPARED else encoder
    return experiment.best_learning_rate(
        encoder,
        RATES,
        SEEDS[:1],
        lambda seed, lr: runs.dev_f1(encoder, seed, lr),
        depends_on={
            "sentences": GRID_SENTENCES,
            "whole_dev": fingerprint(runs.corpus.dev),
            **weights_of(encoder),
        },
    )


if __name__ == "__main__":
    main()
