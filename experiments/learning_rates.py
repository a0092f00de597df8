"""``python -m experiments.learning_rates``: what a pair of learning rates gains, and what it makes the encoder forget.

A few hundred sentences of the People's Daily, one encoder, three seeds; only the learning rates of θ and φ differ. The
article's four recipes, the same four at learning rates that suit a small encoder, and four learning rates of θ with
three of φ. Each run gives the F1 on dev and test, how far each part of the model moved, and the held-out
masked loss and accuracy of the encoder before and after. Forty minutes on a quiet core; what has been measured under
the same settings is not measured again. ``--only "3e-4"`` measures rows whose name begins so, ``--seeds 1`` some seeds,
``--folder DIR`` writes elsewhere.
"""

import argparse
import tempfile
from pathlib import Path

from hanlp_tutor import TrainConfig, build_model, evaluate_model, fine_tune, load_corpus
from hanlp_tutor.core.task import label_set
from hanlp_tutor.data import fingerprint
from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.encoders import weights_of
from hanlp_tutor.manifest import manifest
from hanlp_tutor.pretraining.forgetting import MaskedEvaluation
from hanlp_tutor.teach.lessons.l06.drift import copy_of, distance, drift
from hanlp_tutor.teach.lessons.l06.results import recipe_name
from hanlp_tutor.teach.results import Experiment

ENCODER = "mini-bert"
SENTENCES, DEV, TEST, SEEDS = 240, 300, 400, (1, 2, 3)
OPTIONS = {"epochs": 5, "batch_size": 8, "crf": True, "patience": None}
# The layers' factor takes a three-layer encoder as far down as 0.95, the best of Sun et al. 2019, takes twelve layers.
LAYERS = 0.8
ARTICLE = ((2e-5, 2e-5, 1.0), (1e-3, 1e-3, 1.0), (2e-5, 1e-3, 1.0), (2e-5, 1e-3, LAYERS))
SMALL = ((3e-4, 3e-4, 1.0), (1e-2, 1e-2, 1.0), (3e-4, 1e-2, 1.0), (3e-4, 1e-2, LAYERS))
# Every learning rate of θ with every one of φ; some of these pairs stand above, too
GRID = tuple((lr, head_lr, 1.0) for lr in (2e-5, 1e-4, 3e-4, 1e-3) for head_lr in (1e-3, 1e-2, 3e-2))
BEYOND = ((3e-3, 1e-2, 1.0),)  # where the learning rate of θ becomes too large


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", default="", help='measure only rows whose name begins so, such as "3e-4"')
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="measure only these seeds")
    parser.add_argument("--folder", type=Path, help="of the result file, to try something out")
    arguments = parser.parse_args()
    corpus = load_corpus("peoples_daily")
    masked = MaskedEvaluation(ENCODER)
    before = masked.evaluate()
    experiment = Experiment(
        "learning_rates", _settings(corpus), manifest(describe_device(choose_device())), arguments.folder
    )
    for seed in arguments.seeds:  # the first seed of every recipe before the second of any
        for lr, head_lr, layers in dict.fromkeys((*ARTICLE, *SMALL, *GRID, *BEYOND)):
            row = recipe_name(lr, head_lr, layers)
            if row.startswith(arguments.only):
                recipe = {"lr": lr, "head_lr": head_lr, "layerwise_decay": layers}
                experiment.measure(
                    row,
                    [seed],
                    lambda seed, recipe=recipe: _run(corpus, masked, before, recipe, seed),
                    depends_on=weights_of(ENCODER),
                )


def _run(
    corpus, masked: MaskedEvaluation, before: tuple[float, float], recipe: dict, seed: int
) -> dict[str, float]:
    train = corpus.train[:SENTENCES]
    config = TrainConfig(**OPTIONS, **recipe, seed=seed, eval_steps=10**6, checkpoint_steps=10**6)
    model = build_model("ner", ENCODER, label_set("ner", corpus.train), config)
    start = copy_of(model)
    with tempfile.TemporaryDirectory() as folder:
        # the last weights, not the best by dev: every recipe makes all its updates
        result = fine_tune(model, train, [], config, folder, progress="none")
    loss, accuracy = masked.evaluate(model.encoder)
    return {
        **recipe,
        "updates": result.steps,
        "dev_f1": evaluate_model(model, corpus.dev[:DEV])["f1"],
        "test_f1": evaluate_model(model, corpus.test[:TEST])["f1"],
        "masked_loss_before": before[0],
        "masked_accuracy_before": before[1],
        "masked_loss": loss,
        "masked_accuracy": accuracy,
        **{f"drift {part}": value for part, value in drift(start, model).items()},
        **{f"distance {part}": value for part, value in distance(start, model).items()},
        "seconds": round(result.seconds, 1),
    }


def _settings(corpus) -> dict:
    return {
        "encoder": ENCODER,
        "sentences": SENTENCES,
        "dev": DEV,
        "test": TEST,
        "options": OPTIONS,
        "article": [recipe_name(*recipe) for recipe in ARTICLE],
        "small": [recipe_name(*recipe) for recipe in SMALL],
        "data": {subset: fingerprint(getattr(corpus, subset)) for subset in ("train", "dev", "test")},
    }


if __name__ == "__main__":
    main()
