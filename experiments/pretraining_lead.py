"""``python -m experiments.pretraining_lead``: how far pre-trained is ahead of random weights, draw by draw.

mini-bert and random weights of its shape, beside the classical baseline, on the People's Daily (NER) and the reviews
(classification), with 100 and 500 examples. Each draw takes other examples at random out of the whole training set, and
is the seed of everything else in its run: the learners are compared draw by draw. All train until the score on dev has
not risen for some evaluations, up to a limit (``epochs`` of the best evaluation is in the row). The learning rates of θ
are those that won on dev in ``results/encoders.json`` with 500 examples, where either stands between two worse ones.
The test set is read once, at the end of each run. What has been measured under the same settings is not measured again.
"""

import argparse
import random
import tempfile

from experiments.encoders import BASELINES, CORPORA, DEV, OPTIONS, classical, data_of, headline
from hanlp_tutor import TrainConfig, build_model, evaluate_model, fine_tune, load_corpus
from hanlp_tutor.core.task import label_set
from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.encoders import weights_of
from hanlp_tutor.encoders.mini import COMPARED
from hanlp_tutor.manifest import manifest
from hanlp_tutor.teach.results import Experiment

# with 500 examples the best on dev of 5e-5, 1e-4, 3e-4 and 1e-3, for both tasks
RATES = {COMPARED[0]: 3e-4, f"random:{COMPARED[0]}": 1e-4}
ORDER = (("ner", 100), ("classify", 100), ("ner", 500), ("classify", 500))
DRAWS = (1, 2, 3)
LIMIT = {100: 60, 500: 30}  # passes
PATIENCE, LEAST_UPDATES = 3, 60  # evaluations without a rise; updates between two evaluations, at least a pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", default="", help="measure only what begins so, such as ner/500")
    only = parser.parse_args().only
    settings = {"limit": LIMIT, "patience": PATIENCE, "least_updates": LEAST_UPDATES, "options": OPTIONS, "dev": DEV}
    experiment = Experiment("pretraining_lead", settings, manifest(describe_device(choose_device())))
    corpora = {task: load_corpus(name) for task, name in CORPORA.items()}
    for task, size in ORDER:
        if f"{task}/{size}".startswith(only):
            _measure(experiment, task, corpora[task], size)


def _measure(experiment: Experiment, task: str, corpus, size: int) -> None:
    data = {"data": data_of(corpus)}
    experiment.measure(
        f"{task}/{size}/{BASELINES[task]}",
        DRAWS,
        lambda draw: classical(task, drawn(corpus.train, size, draw), corpus.test),
        depends_on=data,
    )
    for encoder, lr in RATES.items():
        experiment.measure(
            f"{task}/{size}/{encoder}",
            DRAWS,
            lambda draw, encoder=encoder, lr=lr: _tested(task, corpus, size, encoder, lr, draw),
            depends_on={"lr": lr, **data, **weights_of(encoder)},
        )


def drawn(examples: list, size: int, draw: int) -> list:
    """``size`` examples at random; the first of a larger draw of the same number are another sample."""
    return random.Random(f"{draw}/{size}").sample(examples, size)


def _trained(task: str, corpus, size: int, encoder: str, lr: float, draw: int):
    train = drawn(corpus.train, size, draw)
    every = max(LEAST_UPDATES, -(-size // OPTIONS[task]["batch_size"]))
    config = TrainConfig(
        **{**OPTIONS[task], "patience": PATIENCE}, epochs=LIMIT[size], lr=lr, seed=draw, schedule="constant",
        eval_steps=every, checkpoint_steps=10**6,
    )  # fmt: skip
    model = build_model(task, encoder, label_set(task, corpus.train), config)
    with tempfile.TemporaryDirectory() as folder:
        return model, fine_tune(model, train, corpus.dev[:DEV], config, folder, progress="none")


def _tested(task: str, corpus, size: int, encoder: str, lr: float, draw: int) -> dict[str, float]:
    model, result = _trained(task, corpus, size, encoder, lr, draw)
    updates = -(-size // OPTIONS[task]["batch_size"])
    return {
        **headline(task, evaluate_model(model, corpus.test)),
        "best_dev": result.best_dev,
        "epochs": round(result.best_step / updates, 1),
        "lr": lr,
        "seconds": round(result.seconds, 1),
    }


if __name__ == "__main__":
    main()
