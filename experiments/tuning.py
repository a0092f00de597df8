"""``python -m experiments.tuning``: learning rates, batch sizes, and what a search gains for what it costs.

Short sentences of the People's Daily (人民日报) with at least one entity, three seeds:

- ``rate/LR``: the article's grid {1e-5, 2e-5, 5e-5} and one for small encoders; all else equal.
- ``batch/...``: 16, 32 and 64 examples a batch, until two thirds of the score of batch 16 are reached: updates, tokens
  and seconds of training; at one learning rate, and with one that grows with the batch (Goyal et al. 2017).
- ``search/...``: TPE and random search, both with the same pruning, and the options that one begins with. The two are
  compared twice: after the same number of tokens, and after the same seconds of the processor. (Seconds of the wall
  clock would measure what else the machine did.) Dev chooses; the test set is read once, by each search's winner.
  ``search/random`` is random search without pruning, by tokens alone, as it was measured first.

About 45 minutes on one core; what has been measured under the same settings is not measured again. The first seed's TPE
search is kept in ``results/recorded_search.json`` for a lesson without Optuna.
"""

import shutil
import tempfile
import time
from pathlib import Path

from hanlp_tutor import TrainConfig, build_model, evaluate_model, fine_tune, load_corpus, tune
from hanlp_tutor.core.task import label_set
from hanlp_tutor.data import Split, fingerprint
from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.encoders import weights_of
from hanlp_tutor.encoders.mini import LESSON_ENCODER
from hanlp_tutor.manifest import manifest
from hanlp_tutor.teach.lessons.l09.convergence import best_within, reaching
from hanlp_tutor.teach.results import Experiment

CORPUS, LONGEST, SEEDS, ENCODER = "peoples_daily", 50, (1, 2, 3), LESSON_ENCODER
TRAIN, DEV, TEST = 192, 150, 400  # a multiple of every batch size: no batch is smaller than it says
BASE = {"epochs": 6, "batch_size": 16, "head_lr": 1e-3, "patience": None}
RATES = (1e-5, 2e-5, 5e-5, 2e-4, 5e-4, 1e-3, 2e-3)
BATCHES, SCALED = (16, 32, 64), (32, 64)
BATCH = {"lr": 3e-4, "head_lr": 3e-3, "schedule": "constant", "warmup_steps": 0}  # constant learning rates
LOOK = 128  # training examples between two evaluations on dev
WAY, MOST_EPOCHS = 2 / 3, 20
SPACE = {"lr": "1e-5..3e-3:log", "head_lr": "1e-3..3e-2:log", "batch_size": "8,16,32", "dropout": "0..0.3"}
BUDGET = 12  # runs' worth of tokens that a search may read
MARKS = (1, 2, 4, 6, 8, 10, 12)
SECONDS = (25, 50, 100, 150, 200)  # of the processor, one thread: what a search has found after so many
OF_THE_PROCESS = {"seconds": "of the process"}


def main(folder: Path | None = None, seeds: tuple[int, ...] = SEEDS) -> None:
    split = short_sentences()
    experiment = Experiment("tuning", _settings(split), manifest(describe_device(choose_device())), folder)
    given = weights_of(ENCODER)
    for lr in RATES:
        experiment.measure(f"rate/{lr:g}", seeds, lambda seed, lr=lr: _score(split, seed, lr=lr), depends_on=given)
    _batches(experiment, split, seeds)
    clock = {**given, **OF_THE_PROCESS}
    experiment.measure("search/default", seeds, lambda seed: _without_search(split, seed), depends_on=clock)
    for seed in seeds:  # seed by seed, so that an interrupted session leaves pairs
        for row, sampler in (("search/tpe", "tpe"), ("search/random, pruned", "random")):
            experiment.measure(
                row,
                (seed,),
                lambda seed, sampler=sampler: _search(split, seed, sampler, experiment.path.parent),
                depends_on=clock,
            )


def short_sentences() -> Split:
    """Sentences with an entity and at most LONGEST characters, so that a run takes seconds."""
    corpus = load_corpus(CORPUS)
    subsets = zip((corpus.train, corpus.dev, corpus.test), (TRAIN, DEV, TEST), strict=True)
    return Split(*([e for e in subset if len(e.text) <= LONGEST and e.spans][:count] for subset, count in subsets))


def _score(split: Split, seed: int, *, test: bool = False, **options) -> dict[str, float]:
    config = TrainConfig(**{**BASE, **options}, crf=False, seed=seed)
    model, result = _run(split, config)
    scores = {"dev": result.best_dev, "seconds": result.seconds}
    return {**scores, "test": evaluate_model(model, split.test)["f1"]} if test else scores


def _without_search(split: Split, seed: int) -> dict[str, float]:
    began = time.process_time()
    scores = _score(split, seed, test=True)
    return {**scores, "seconds": time.process_time() - began}


def _run(split: Split, config: TrainConfig, on_evaluation=None):
    model = build_model("ner", ENCODER, label_set("ner", split.train), config)
    config = config.replace(checkpoint_steps=10**6)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        result = fine_tune(model, split.train, split.dev, config, out, progress="none", on_evaluation=on_evaluation)
    return model, result


def _batches(experiment: Experiment, split: Split, seeds: tuple[int, ...]) -> None:
    """How far it is to one dev score, by batch size."""
    given = weights_of(ENCODER)
    experiment.measure("batch/goal", seeds, lambda seed: _score(split, seed, **BATCH), depends_on=given)
    goal = round(WAY * experiment.content["rows"]["batch/goal"]["median"]["dev"], 3)
    for size in BATCHES:
        for name, lr in {"one rate": BATCH["lr"], "scaled rate": BATCH["lr"] * size / BATCHES[0]}.items():
            if name == "one rate" or size in SCALED:
                experiment.measure(
                    f"batch/{size}/{name}",
                    seeds,
                    lambda seed, size=size, lr=lr: _until(split, goal, size, lr, seed),
                    depends_on={"goal": goal, **given},
                )


def _until(split: Split, goal: float, size: int, lr: float, seed: int) -> dict[str, float]:
    head_lr = BATCH["head_lr"] * lr / BATCH["lr"]
    options = {**BASE, **BATCH, "batch_size": size, "lr": lr, "head_lr": head_lr, "epochs": MOST_EPOCHS}
    config = TrainConfig(**options, crf=False, eval_steps=LOOK // size, seed=seed)
    _, result = _run(split, config, lambda row: row["dev_score"] >= goal)
    return {**reaching(result.history, goal, size), "lr": lr}


def _search(split: Split, seed: int, sampler: str, results: Path) -> dict[str, float]:
    """One search, until both budgets are spent; a trial in which a budget ends still belongs to it."""
    config = TrainConfig(**BASE, crf=False, seed=seed)
    budget = BUDGET * BASE["epochs"] * sum(len(e.text) for e in split.train)
    seconds: list[float] = []  # of each trial
    within = None  # the search as it was when the tokens were spent
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "study"
        while within is None or sum(seconds) < SECONDS[-1]:
            began = time.process_time()
            search = tune(
                "ner", split, ENCODER, config, SPACE, len(seconds) + 1, out, sampler=sampler, progress="none"
            )
            seconds.append(time.process_time() - began)
            if within is None and sum(row["tokens"] for row in search.trials) >= budget:
                within = search
                if sampler == "tpe" and seed == SEEDS[0]:
                    shutil.copy(out / "search.json", results / "recorded_search.json")
    score = _score(split, seed, test=True, **within.trials[within.best_trial]["options"])
    timed = [{**row, "spent": spent} for row, spent in zip(search.trials, seconds, strict=True)]
    return {
        "dev": within.best_dev,
        "test": score["test"],
        "seconds": sum(seconds[: len(within.trials)]),
        "trials": len(within.trials),
        "pruned": sum(row["state"] == "pruned" for row in within.trials),
        **{f"dev@{mark}": best_within(search.trials, mark * budget / BUDGET) for mark in MARKS},
        **{f"dev in {mark} s": best_within(timed, mark, of="spent") for mark in SECONDS},
        "trials in all": len(search.trials),
        "seconds in all": sum(seconds),
    }


def _settings(split: Split) -> dict:
    return {
        "corpus": CORPUS,
        "longest": LONGEST,
        "sentences": len(split.train),
        "encoder": ENCODER,
        "base": BASE,
        "batch": {**BATCH, "look": LOOK, "way": WAY, "most_epochs": MOST_EPOCHS},
        "space": SPACE,
        "budget": BUDGET,
        "data": {subset: fingerprint(getattr(split, subset)) for subset in ("train", "dev", "test")},
    }


if __name__ == "__main__":
    main()
