"""``python -m experiments.finetune_ner``: what `make run` reaches, over three seeds, beside its opponents.

The same sentences, the same test set and the same options as `make run`; about an hour on two cores. Random weights of
the same shape get their own rate and as many updates. The last rows say how far the encoder comes that `make run` uses,
and the feature CRF, with all training sentences: eight passes, an hour a seed. What has been measured under the same
settings is not measured again. ``--encoder NAME`` measures only one of the two, ``--all`` only the last rows, so that
they may run side by side.
"""

import argparse
import tempfile

from hanlp_tutor import TrainConfig, build_model, fine_tune, load_corpus
from hanlp_tutor.answers import answer_all
from hanlp_tutor.baselines import DictionaryMatcher, FeatureCRF
from hanlp_tutor.data import fingerprint
from hanlp_tutor.data.schemes import spans_from_bio
from hanlp_tutor.encoders import suggested_lr, weights_of
from hanlp_tutor.encoders.mini import DEFAULT_ENCODER
from hanlp_tutor.history import manifest
from hanlp_tutor.model import label_set
from hanlp_tutor.precision import choose_device, describe_device
from hanlp_tutor.results import Experiment
from hanlp_tutor.scores import recall_by_novelty, span_scores
from hanlp_tutor.teach.measured.encoders import ALL

CORPUS, SENTENCES, SEEDS = "peoples_daily", 10_000, (1, 2, 3)
ENCODERS = (DEFAULT_ENCODER, f"random:{DEFAULT_ENCODER}")
DEV_SENTENCES = 500
OPTIONS = {
    "epochs": 2,
    "batch_size": 16,
    "head_lr": 1e-2,
    "crf": True,
    "eval_steps": 400,
    "patience": 10,
}
ALL_OPTIONS = {**OPTIONS, "epochs": 8, "eval_steps": 1000, "patience": None}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--encoder", choices=ENCODERS, action="append", help="measure only this one's rows")
    parser.add_argument("--all", action="store_true", help="measure only the rows of all training sentences")
    arguments = parser.parse_args()
    encoders = () if arguments.all else arguments.encoder or ENCODERS
    corpus = load_corpus(CORPUS)
    train = corpus.train[:SENTENCES]
    dev = corpus.dev[:DEV_SENTENCES]
    data = {"train": fingerprint(train), "dev": fingerprint(dev), "test": fingerprint(corpus.test)}
    settings = {"corpus": CORPUS, "sentences": len(train), "options": OPTIONS, "data": data}
    experiment = Experiment("finetune_ner", settings, manifest(describe_device(choose_device())))
    texts = [e.text for e in corpus.test]

    def fine_tuned(encoder: str, seed: int, sentences=train, options=OPTIONS) -> dict[str, float]:
        config = TrainConfig(seed=seed, lr=suggested_lr(encoder), **options)
        model = build_model("ner", encoder, label_set("ner", sentences), config)
        with tempfile.TemporaryDirectory() as folder:
            result = fine_tune(model, sentences, dev, config, folder)
        answers, _, _ = answer_all(model, [model.encode(example) for example in corpus.test])
        return {**judged(sentences, map(spans_from_bio, answers)), "best_dev": result.best_dev}

    def opponent(kind: type, sentences=train) -> dict[str, float]:
        return judged(sentences, kind(sentences).predict(texts))

    def judged(sentences, predicted) -> dict[str, float]:
        predicted = list(predicted)
        scores = span_scores([e.spans for e in corpus.test], predicted)
        headline = {name: scores[name] for name in ("precision", "recall", "f1")}
        return {**headline, **recall_by_novelty(sentences, corpus.test, predicted)}

    # neither opponent draws a random number, so one run says all
    experiment.measure("dictionary", SEEDS[:1], lambda seed: opponent(DictionaryMatcher))
    experiment.measure("feature CRF", SEEDS[:1], lambda seed: opponent(FeatureCRF))
    for seed in SEEDS:  # seed by seed, so that an interrupted session leaves pairs
        for encoder in encoders:
            experiment.measure(
                encoder,
                (seed,),
                lambda seed, encoder=encoder: fine_tuned(encoder, seed),
                depends_on={"lr": suggested_lr(encoder), **weights_of(encoder)},
            )
    if arguments.all or not arguments.encoder:
        everything = {"train": fingerprint(corpus.train)}
        experiment.measure(
            f"feature CRF{ALL}",
            SEEDS[:1],
            lambda seed: opponent(FeatureCRF, corpus.train),
            depends_on=everything,
        )
        experiment.measure(
            f"{DEFAULT_ENCODER}{ALL}",
            SEEDS,
            lambda seed: fine_tuned(DEFAULT_ENCODER, seed, corpus.train, ALL_OPTIONS),
            depends_on={
                "lr": suggested_lr(DEFAULT_ENCODER),
                "options": ALL_OPTIONS,
                **everything,
                **weights_of(DEFAULT_ENCODER),
            },
        )


if __name__ == "__main__":
    main()
