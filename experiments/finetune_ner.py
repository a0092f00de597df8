"""``python -m experiments.finetune_ner``: what `make run` reaches, over three seeds, beside its opponents.

The same sentences, the same test set and the same options as `make run`; about half an hour on two cores. What has
been measured under the same settings is not measured again.
"""

import tempfile

from hanlp_tutor import TrainConfig, build_model, evaluate_model, fine_tune, load_corpus
from hanlp_tutor.baselines import DictionaryMatcher, FeatureCRF
from hanlp_tutor.data import fingerprint
from hanlp_tutor.evaluate import span_scores
from hanlp_tutor.history import manifest
from hanlp_tutor.model import label_set
from hanlp_tutor.precision import choose_device, describe_device
from hanlp_tutor.results import Experiment

CORPUS, ENCODER, SENTENCES, SEEDS = "peoples_daily", "random:mini-bert", 10_000, (1, 2, 3)
DEV_SENTENCES = 500
OPTIONS = {
    "epochs": 2,
    "batch_size": 16,
    "lr": 1e-3,
    "head_lr": 1e-2,
    "crf": True,
    "eval_steps": 400,
    "patience": 10,
}


def main() -> None:
    corpus = load_corpus(CORPUS)
    train = corpus.train[:SENTENCES]
    dev = corpus.dev[:DEV_SENTENCES]
    data = {"train": fingerprint(train), "dev": fingerprint(dev), "test": fingerprint(corpus.test)}
    settings = {"corpus": CORPUS, "encoder": ENCODER, "sentences": len(train), "options": OPTIONS, "data": data}
    experiment = Experiment("finetune_ner", settings, manifest(describe_device(choose_device())))
    gold, texts = [e.spans for e in corpus.test], [e.text for e in corpus.test]

    def fine_tuned(seed: int) -> dict[str, float]:
        config = TrainConfig(seed=seed, **OPTIONS)
        model = build_model("ner", ENCODER, label_set("ner", train), config)
        with tempfile.TemporaryDirectory() as folder:
            result = fine_tune(model, train, dev, config, folder)
        scores = evaluate_model(model, corpus.test)
        return {**_headline(scores), "best_dev": result.best_dev}

    def opponent(kind: type) -> dict[str, float]:
        return _headline(span_scores(gold, kind(train).predict(texts)))

    # neither opponent draws a random number, so one run says all
    experiment.measure("dictionary", SEEDS[:1], lambda seed: opponent(DictionaryMatcher))
    experiment.measure("feature CRF", SEEDS[:1], lambda seed: opponent(FeatureCRF))
    experiment.measure(ENCODER, SEEDS, fine_tuned)


def _headline(scores: dict) -> dict[str, float]:
    return {name: scores[name] for name in ("precision", "recall", "f1")}


if __name__ == "__main__":
    main()
