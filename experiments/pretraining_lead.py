"""``python -m experiments.pretraining_lead``: how far pre-trained is ahead of random weights, draw by draw.

mini-bert and random weights of its shape, beside the classical baseline, on the People's Daily (NER) and the reviews
(classification), with 100, 500 and 2,000 examples. Each draw takes other examples at random out of the whole training
set, and is the seed of everything else in its run: the learners are compared draw by draw. All train until the score on
dev has not risen for some evaluations, up to a limit that none should reach (``epochs`` of the best evaluation is in
the row). The learning rate of θ is the best on dev in the first draw, from an open grid: it is widened until the best
stands between two others; 100 examples take that of 500. The test set is read once, at the end of each run. Hours on
one core; what has been measured under the same settings is not measured again.
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
from hanlp_tutor.teach.results import GRID, Experiment

PRETRAINED, RANDOM = COMPARED[0], f"random:{COMPARED[0]}"
RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)  # the ladder; a search begins at START and goes where dev rises
START = {PRETRAINED: 3e-4, RANDOM: 1e-4}
ORDER = (("ner", 500), ("classify", 500), ("ner", 100), ("classify", 100), ("ner", 2000), ("classify", 2000))
DRAWS = {100: (1, 2, 3), 500: (1, 2, 3), 2000: (1,)}
LIMIT = {100: 60, 500: 30, 2000: 12}  # passes
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
        DRAWS[size],
        lambda draw: classical(task, drawn(corpus.train, size, draw), corpus.test),
        depends_on=data,
    )
    for encoder in (PRETRAINED, RANDOM):
        depends_on = {**data, **weights_of(encoder)}
        lr = _best_rate(experiment, task, corpus, max(size, 500), encoder, depends_on)
        experiment.measure(
            f"{task}/{size}/{encoder}",
            DRAWS[size],
            lambda draw, encoder=encoder, lr=lr: _tested(task, corpus, size, encoder, lr, draw),
            depends_on={"lr": lr, **depends_on},
        )


def drawn(examples: list, size: int, draw: int) -> list:
    """``size`` examples at random; the first of a larger draw of the same number are another sample."""
    return random.Random(f"{draw}/{size}").sample(examples, size)


def _best_rate(experiment: Experiment, task: str, corpus, size: int, encoder: str, depends_on: dict) -> float:
    """The learning rate with the best dev score in the first draw, with a worse one on either side of it."""
    scores: dict[float, float] = {}
    place = RATES.index(START[encoder])
    while True:
        for lr in RATES[max(0, place - 1) : place + 2]:
            row = f"{GRID}{task}/{size}/{encoder}/lr={lr:g}"
            if lr not in scores:
                experiment.measure(
                    row,
                    DRAWS[size][:1],
                    lambda draw, lr=lr: {"dev": _trained(task, corpus, size, encoder, lr, draw)[1].best_dev},
                    depends_on=depends_on,
                )
                scores[lr] = experiment.content["rows"][row]["median"]["dev"]
        best = RATES.index(max(scores, key=scores.get))
        if best == place:
            return RATES[place]
        place = best


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
