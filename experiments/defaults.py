"""``python -m experiments.defaults``: which options a run should get that names none, chosen on dev sets alone.

The kit's default encoder on five data sets with 500 to 3,000 training examples: entities of the newspaper, of medical
questions and of social media, classes of reviews and of statutes (no statute stands in two sets). Each recipe makes as
many passes (:func:`hanlp_tutor.defaults.passes`); the baseline learns from the same ones. No test set is read. The
sets of social media and of questions are downloaded by ``load_corpus``; the statutes are read from ``--laws FILE`` and
left out without it.
About two core-hours; what has been measured is not measured again.
"""

import argparse
import math
import random
import tempfile
from pathlib import Path
from typing import Any

from hanlp_tutor import load_corpus
from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model_folder import build_model
from hanlp_tutor.core.scores import class_scores, span_scores
from hanlp_tutor.core.task import label_set
from hanlp_tutor.core.train import fine_tune
from hanlp_tutor.data import LabelledText, fingerprint
from hanlp_tutor.data.split import split_groups
from hanlp_tutor.defaults import (
    BATCH_SIZE,
    FEWEST_EPOCHS,
    HEAD_LEARNING_RATES,
    LEARNING_RATE_OF_RANDOM_WEIGHTS,
    LEARNING_RATES,
    MOST_EPOCHS,
    SMALL,
    TEXTS,
    WITHOUT_CRF,
    passes,
)
from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.encoders import weights_of
from hanlp_tutor.manifest import manifest
from hanlp_tutor.teach.results import Experiment, current_rows
from hanlp_tutor.workbench.baselines import FeatureCRF, ngram_classifier

ENCODER, DEV, SEED = "mini-roberta-wwm-ext", 400, 1
NER = ("newspaper", "weibo", "cmedqaner")
RECIPES = {
    "ner": {
        "1e-3, head 1e-2, CRF": {"lr": 1e-3, "head_lr": 1e-2, "crf": True},
        "3e-4, head 1e-2, CRF": {"lr": 3e-4, "head_lr": 1e-2, "crf": True},
        "3e-4, head 3e-2, CRF": {"lr": 3e-4, "head_lr": 3e-2, "crf": True},
        "3e-4, head 1e-3": {"lr": 3e-4, "head_lr": 1e-3, "crf": False},
    },
    "classify": {
        "3e-4, head 1e-3": {"lr": 3e-4, "head_lr": 1e-3},
        "1e-3, head 1e-2": {"lr": 1e-3, "head_lr": 1e-2},
        "3e-4, head 1e-2": {"lr": 3e-4, "head_lr": 1e-2},
    },
}
# All recipes are tried on the first set of a task; on the others those that were near the best there.
FIRST = ("newspaper 500", "reviews 500", "laws 600")
LATER = ("3e-4, head 1e-2, CRF", "3e-4, head 3e-2, CRF", "3e-4, head 1e-3", "3e-4, head 1e-2")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--laws", type=Path, help="articles.tsv: article<TAB>branch of law<TAB>statute")
    laws = parser.parse_args().laws
    settings = {"encoder": ENCODER, "batch_size": BATCH_SIZE, "dev": DEV}
    experiment = Experiment("defaults", settings, manifest(describe_device(choose_device())))
    for name, (task, train, dev) in data_sets(laws).items():
        data = {"data": [fingerprint(train)[:16], fingerprint(dev)[:16]]}
        experiment.measure(
            f"{name}/baseline", (SEED,), lambda _, t=task, a=train, d=dev: baseline(t, a, d), depends_on=data
        )
        for recipe, options in RECIPES[task].items():
            if name not in FIRST and (recipe not in LATER or options.get("crf") is False):
                continue
            experiment.measure(
                f"{name}/{recipe}",
                (SEED,),
                lambda seed, t=task, a=train, d=dev, o=options: fine_tuned(t, a, d, o, seed),
                depends_on={**data, "passes": passes(len(train)), **weights_of(ENCODER)},
            )


def data_sets(laws: Path | None) -> dict[str, tuple[str, list, list]]:
    """Task, training and dev examples by name, the cheap ones first."""
    newspaper, reviews = load_corpus("peoples_daily"), load_corpus("reviews")
    sets = {}
    for name in ("weibo", "cmedqaner"):
        corpus = load_corpus(name)
        sets[f"{name} {len(corpus.train):,}"] = ("ner", list(corpus.train), list(corpus.dev))
    for size in (500, 2000):
        sets[f"newspaper {size:,}"] = ("ner", list(newspaper.train[:size]), list(newspaper.dev[:DEV]))
        sets[f"reviews {size:,}"] = ("classify", list(reviews.train[:size]), list(reviews.dev[:DEV]))
    if laws:
        lines = [line.split("\t") for line in laws.read_text(encoding="utf-8").splitlines()]
        split = split_groups([LabelledText(text, branch, group=statute) for text, branch, statute in lines])
        mixed = [random.Random(SEED).sample(part, len(part)) for part in (split.train, split.dev)]
        for size in (600, 3000):  # the statutes of one branch may all stand on one side: that branch is left out
            train = mixed[0][:size]
            known = {example.label for example in train}
            dev = [example for example in mixed[1] if example.label in known][:DEV]
            sets[f"laws {size:,}"] = ("classify", train, dev)
    return dict(sorted(sets.items(), key=lambda each: (each[0].startswith("laws"), len(each[1][1]))))


def fine_tuned(task: str, train: list, dev: list, options: dict, seed: int) -> dict[str, float]:
    """The best of eight looks at dev, and after which share of the run it was had."""
    updates = passes(len(train)) * -(-len(train) // BATCH_SIZE)
    config = TrainConfig(
        **options, epochs=passes(len(train)), batch_size=BATCH_SIZE, patience=None, seed=seed,
        eval_steps=max(1, updates // 8), checkpoint_steps=updates,
    )  # fmt: skip
    model = build_model(task, ENCODER, label_set(task, train), config)
    with tempfile.TemporaryDirectory() as folder:
        result = fine_tune(model, train, dev, config, folder, progress="none")
    scores = [row["dev_score"] for row in result.history if row.get("dev_score") is not None]
    return {"dev": result.best_dev, "best_at": (scores.index(max(scores)) + 1) / len(scores),
            "last": scores[-1], "seconds": round(result.seconds, 1)}  # fmt: skip


def baseline(task: str, train: list, dev: list) -> dict[str, float]:
    """The feature CRF's F1, or the macro F1 of n-grams with a linear model, on dev."""
    texts = [example.text for example in dev]
    if task == "ner":
        predicted = FeatureCRF(train).predict(texts)
        return {"dev": span_scores([example.spans for example in dev], predicted)["f1"]}
    model = ngram_classifier().fit([e.text for e in train], [e.label for e in train])
    return {"dev": class_scores([e.label for e in dev], list(model.predict(texts)))["macro_f1"]}


def choices() -> str:
    """The table of what is chosen when."""
    small = f"pre-trained, up to {SMALL / 1e6:.0f} million parameters"
    rows = [("lr", f"{LEARNING_RATE_OF_RANDOM_WEIGHTS:g}", "random weights, of any size")]
    over = ""
    for most, lr in LEARNING_RATES:
        size = f"up to {most / 1e6:.0f} million" if most < math.inf else over
        rows.append(("lr", f"{lr:g}", f"pre-trained, {size} parameters"))
        over = f"over {most / 1e6:.0f} million"
    as_classes = {"relation": " (as classify; not measured here)"}
    rows += [
        ("head_lr", f"{lr:g}", f"{small}; {task}{as_classes.get(task, '')}") for task, lr in HEAD_LEARNING_RATES.items()
    ]
    rows += [
        ("head_lr", f"{WITHOUT_CRF:g}", f"{small}; ner, where a CRF was refused (not measured here)"),
        ("crf", "true", f"{small}; ner, without class_weights"),
        ("batch_size", str(BATCH_SIZE), f"{small}; one task"),
        ("epochs", f"until {TEXTS:,} texts are read, {FEWEST_EPOCHS} to {MOST_EPOCHS}", f"{small}; one task"),
        ("patience", "a quarter of the epochs, at least 3", "where the epochs are chosen and eval_steps is not given"),
    ]
    fields = TrainConfig.model_fields
    names = ("head_lr", "crf", "batch_size", "epochs", "patience")
    otherwise = ", ".join(f"`{name}` {str(fields[name].default).lower()}" for name in names)
    lines = ["| not given | chosen | where |", "|---|---|---|", *(f"| `{a}` | {b} | {c} |" for a, b, c in rows)]
    return "\n".join([*lines, "", f"Everywhere else: {otherwise}."])


def measured(content: dict[str, Any]) -> str:
    """The tables of dev scores, a line a data set."""
    scores: dict[str, dict[str, float]] = {}
    for name, row in current_rows(content).items():
        data, _, recipe = name.partition("/")
        scores.setdefault(data, {})[recipe] = row["median"]["dev"]
    lines = []
    for task, score, first in (("ner", "F1", "feature CRF"), ("classify", "macro F1", "n-grams with a linear model")):
        columns = [f"{score} on dev", first, *RECIPES[task]]
        lines += [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
        for data, found in scores.items():
            if (data.split()[0] in NER) == (task == "ner"):
                cells = (found.get(each) for each in ("baseline", *RECIPES[task]))
                cells = ("not measured" if score is None else f"{100 * score:.1f}" for score in cells)
                lines.append(f"| {data} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join([*lines, f"One seed; measured by `{content['command_line']}`."])


if __name__ == "__main__":
    main()
