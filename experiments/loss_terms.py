"""``python -m experiments.loss_terms``: what each λ does: on the sum of the losses, on their mean, as AdamW's decay.

Each seed draws its own training sentences; within a seed all rows have the same sentences, the same start and the same
number of updates, and only the regularisation differs. λ stands in the loss (Adam without a decay of its own, as the
article writes): on the sum of the losses or on their mean, of θ, of θ and φ, or of the distance from θ₀; or it is
AdamW's decoupled decay. All scores are of the dev set, for so many variants would use a test set up. Beside them:
how far θ went, and what became of the characters that no training sentence has. The lesson also asks what λ would do
under SGD at its own learning rate: five are tried on dev, with one seed. Half an hour on one core; what has been
measured under the same settings is not measured again.
"""

import random
import tempfile

import torch

from hanlp_tutor import TrainConfig, build_model, evaluate_model, fine_tune, load_corpus
from hanlp_tutor.core.task import label_set
from hanlp_tutor.data import fingerprint
from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.encoders import weights_of
from hanlp_tutor.encoders.mini import LESSON_ENCODER
from hanlp_tutor.manifest import manifest
from hanlp_tutor.teach.lessons.l02.loss_terms import moved
from hanlp_tutor.teach.results import Experiment

CORPUS, SENTENCES, LONGEST, DEV, SEEDS = "peoples_daily", 200, 60, 300, (1, 2, 3, 4)
OPTIONS = {"epochs": 12, "batch_size": 16, "lr": 3e-4, "head_lr": 1e-2, "weight_decay": 0.0, "patience": None}
IN_LOSS = {"optimizer": "adam"}
ON_MEAN = "l2_on_mean"  # λ of the mean loss: N times as much of the sum, which is what the option l2 means
SGD_LR = (0.01, 0.03, 0.1, 0.3, 1.0)  # for θ and φ alike
ROWS = {
    "nothing": {},
    "AdamW's decay 0.01": {"weight_decay": 0.01},
    "AdamW's decay 0.1": {"weight_decay": 0.1},
    "AdamW's decay 10": {"weight_decay": 10.0},
    "λ = 0.01 on the sum": {**IN_LOSS, "l2": 0.01},
    "λ = 0.1 on the sum": {**IN_LOSS, "l2": 0.1},
    "λ = 0.01 on the mean": {**IN_LOSS, ON_MEAN: 0.01},
    "λ = 0.1 on the mean": {**IN_LOSS, ON_MEAN: 0.1},
    "λ = 0.1 on θ and φ": {**IN_LOSS, "l2": 0.1, "l2_on": "all"},
    "λ = 0.1 on the distance": {**IN_LOSS, "l2": 0.1, "l2_on": "distance"},
    "λ = 10 on the distance": {**IN_LOSS, "l2": 10.0, "l2_on": "distance"},
}


def main() -> None:
    corpus = load_corpus(CORPUS)
    pool = [e for e in corpus.train if len(e.text) <= LONGEST]
    dev = [e for e in corpus.dev if len(e.text) <= LONGEST][:DEV]
    labels = label_set("ner", corpus.train)
    settings = {
        "corpus": CORPUS,
        "encoder": LESSON_ENCODER,
        "options": OPTIONS,
        "data": {"drawn from": fingerprint(pool), "dev": fingerprint(dev)},
        "sentences": SENTENCES,
        "updates": OPTIONS["epochs"] * -(-SENTENCES // OPTIONS["batch_size"]),
    }
    experiment = Experiment("loss_terms", settings, manifest(describe_device(choose_device())))

    def run(seed: int, options: dict) -> dict[str, float]:
        train = random.Random(seed).sample(pool, SENTENCES)
        characters = sum(len(e.text) for e in train)
        options = {"l2_on": "encoder", **options}
        if ON_MEAN in options:
            options["l2"] = options.pop(ON_MEAN) * characters
        config = TrainConfig(crf=False, **{**OPTIONS, **options, "seed": seed})
        model = build_model("ner", LESSON_ENCODER, labels, config)
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        seen = torch.tensor(sorted({i for e in train for i in model.encode(e).ids}))
        with tempfile.TemporaryDirectory() as folder:
            result = fine_tune(model, train, [], config, folder, progress="none")
        scores, known = evaluate_model(model, dev), evaluate_model(model, train)
        return {
            "dev_f1": scores["f1"],
            "dev_loss": scores["loss"],
            "train_f1": known["f1"],
            "train_loss": known["loss"],
            "characters": characters,
            "updates": result.steps,
            **moved(before, model, seen),
        }

    for seed in SEEDS:  # seed by seed, so that an interrupted run leaves comparable rows
        for row, options in ROWS.items():
            experiment.measure(
                row,
                (seed,),
                lambda seed, o=options: run(seed, o),
                depends_on={**options, **weights_of(LESSON_ENCODER)},
            )

    def sgd(seed: int, lr: float) -> float:
        return run(seed, {"optimizer": "sgd", "lr": lr, "head_lr": lr})["dev_f1"]

    experiment.best_learning_rate("sgd", SGD_LR, SEEDS[:1], sgd, depends_on=weights_of(LESSON_ENCODER))


if __name__ == "__main__":
    main()
