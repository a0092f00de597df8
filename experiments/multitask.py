"""``python -m experiments.multitask``: tasks trained together and apart; new types without forgetting the old.

The People's Daily, lines of at most 60 characters, three seeds (five where joint training is compared with each task
alone), three quarters of an hour on a quiet core. **Tasks**: many sentences in words and tags, few with entities, as it
usually is. Each task alone, with as many passes as the joint model makes, and again with as many *updates*; all three
together at three sampling temperatures and with a heavier entity task; entities added later to a trained segmenter and
tagger. **Types**: a model of persons, places and organisations learns times (the words tagged ``t``) from 300 sentences
that have some, and only those marked, with and without what keeps the old types; and with all types marked by hand,
which is the upper bound. Each task and type is scored on the test set once, at the end.
``--only extend`` measures rows that begin so. What has been measured under the same settings is not measured again.
"""

import argparse
import tempfile
from functools import lru_cache
from pathlib import Path

from hanlp_tutor import TrainConfig, build_model, extend, fine_tune, load_corpus
from hanlp_tutor.core.evaluate import end_to_end, evaluate_model
from hanlp_tutor.core.task import label_set
from hanlp_tutor.corpora.peoples_daily import tag_pos, word_tasks
from hanlp_tutor.data import TaggedText, fingerprint
from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.encoders import weights_of
from hanlp_tutor.encoders.mini import LESSON_ENCODER
from hanlp_tutor.manifest import manifest
from hanlp_tutor.teach.results import Experiment
from hanlp_tutor.workbench.extend import add_task

ENCODER, SEEDS, LONGEST = LESSON_ENCODER, (1, 2, 3), 60
SENTENCES = {"tok": 300, "pos": 300, "ner": 75}
DEV, TEST = 150, 300
OPTIONS = {"epochs": 5, "batch_size": 16, "lr": 3e-4, "head_lr": 3e-3, "patience": None, "eval_steps": 1000}
# Together: everything that differs from one pass over each task's own batches.
JOINT = {
    "joint": {},
    "joint, temperature 0.5": {"sampling_temperature": 0.5},
    "joint, temperature 0": {"sampling_temperature": 0.0},
    # Clipping makes the gradient of an accumulation window of one task as long whatever its weight: task weights are
    # felt where an accumulation window holds several tasks.
    "joint, windows of 3": {"batch_size": 5, "gradient_accumulation_steps": 3},
    "joint, windows of 3, ner weighs 3": {
        "batch_size": 5,
        "gradient_accumulation_steps": 3,
        "task_weights": {"ner": 3.0},
    },
}
# Alone, with the updates of the joint model: 43 batches an epoch together, of which 19 are tok's, 19 pos's and 5 ner's.
# Whole epochs, so that tok and pos make 209 updates for its 215; the rows say how many.
EPOCHS_FOR_EQUAL_UPDATES = {"tok": 11, "pos": 11, "ner": 43}
MORE_SEEDS = (4, 5)  # of the rows that these are compared with
ADDED = {"ner added, θ frozen": {"freeze": "encoder"}, "ner added, θ free": {}}
OLD, NEW = 900, 300
NER_OPTIONS = {"epochs": 6, "batch_size": 16, "lr": 3e-4, "head_lr": 1e-2, "crf": True, "patience": None}
EXTENSION = {"epochs": 4, "lr": 2e-4, "eval_steps": 1000}
FROZEN = {"freeze": "encoder"}
DISTANCE = {"l2": 100.0, "l2_on": "distance"}
EXTENSIONS = {
    "nothing": (None, {}),
    "frozen encoder": (None, FROZEN),
    "L2-SP": (None, DISTANCE),
    "pseudo-labels": ("pseudo", {}),
    "replay": ("old", {}),
}
BY_HAND = {  # the upper bounds: every type marked in the new sentences, and in the replayed ones too
    "all types by hand": False,
    "all types by hand, replay": True,
}


def main(folder: Path | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", default="", help="measure only rows whose name begins so, such as extend")
    parser.add_argument("--seeds", type=int, nargs="+", help="instead of those of each row")
    parser.add_argument("--folder", type=Path, default=folder, help="instead of results/")
    given = parser.parse_args()
    experiment = Experiment("multitask", _settings(), manifest(describe_device(choose_device())), given.folder)
    for row, (measure, what, seeds, own_settings) in _rows().items():
        if row.startswith(given.only):
            experiment.measure(
                row,
                given.seeds or seeds,
                lambda seed, measure=measure, what=what: measure(what, seed),
                depends_on=weights_of(ENCODER) | own_settings,
            )


def _rows() -> dict[str, tuple]:
    """By name of the row: what measures it and of what, its seeds, and settings that only this row depends on."""
    rows = {f"tasks/{task} alone": (_alone, task, SEEDS, {}) for task in SENTENCES}
    rows |= {f"tasks/{task} alone, equal updates": (_alone_longer, task, SEEDS + MORE_SEEDS, {"epochs": epochs})
             for task, epochs in EPOCHS_FOR_EQUAL_UPDATES.items()}  # fmt: skip
    rows |= {f"tasks/{name}": (_joint, options, SEEDS if options else SEEDS + MORE_SEEDS, {})
             for name, options in JOINT.items()}  # fmt: skip
    rows |= {f"tasks/{name}": (_added, options, SEEDS, {}) for name, options in ADDED.items()}
    rows |= {f"extend/{name}": (_extended, name, SEEDS, {}) for name in EXTENSIONS}
    rows |= {f"extend/{name}": (_by_hand, replay, SEEDS, {"replay": replay}) for name, replay in BY_HAND.items()}
    return rows


@lru_cache(maxsize=1)
def _short_lines() -> dict[str, list]:
    """Short lines of each set of the corpus; those of the training set are read from its front."""
    corpus = load_corpus("peoples_daily")
    sizes = {"train": OLD + 10 * NEW, "dev": DEV, "test": TEST}
    return {name: [e for e in getattr(corpus, name) if len(e) <= LONGEST][:size] for name, size in sizes.items()}


def _words(subset: str, tasks=tuple(SENTENCES)) -> list:
    lines = _short_lines()[subset]
    return [e for task in tasks for e in word_tasks(lines[: SENTENCES[task]] if subset == "train" else lines, [task])]


def _labels(tasks=tuple(SENTENCES)) -> tuple[str, ...]:
    """Also those that the first sentences happen to lack, so that every model has the same labels to choose from."""
    return label_set("multitask", word_tasks(load_corpus("peoples_daily").train, tasks))


def _trained(tasks, seed: int, **options):
    config = TrainConfig(seed=seed, **{**OPTIONS, **options})
    model = build_model("multitask", ENCODER, _labels(tasks), config)
    with tempfile.TemporaryDirectory() as run:
        fine_tune(model, _words("train", tasks), [], config, run, progress="none")
    return model


def _alone(task: str, seed: int) -> dict[str, float]:
    return _scores(_trained((task,), seed))


def _alone_longer(task: str, seed: int) -> dict[str, float]:
    """Alone, until about as many updates are made as the joint model makes."""
    return _scores(_trained((task,), seed, epochs=EPOCHS_FOR_EQUAL_UPDATES[task]))


def _joint(options: dict, seed: int) -> dict[str, float]:
    return _scores(_trained(tuple(SENTENCES), seed, **options))


@lru_cache(maxsize=1)
def _segmenter_and_tagger(seed: int):
    return _trained(("tok", "pos"), seed)


def _added(options: dict, seed: int) -> dict[str, float]:
    """Entities for a trained segmenter and tagger, from the sentences with entities alone."""
    config = TrainConfig(seed=seed, **{**OPTIONS, **options})
    model = add_task(_segmenter_and_tagger(seed), [f for f in _labels() if f.startswith("ner/")], seed=seed)
    with tempfile.TemporaryDirectory() as run:
        fine_tune(model, _words("train", ("ner",)), [], config, run, progress="none")
    return _scores(model)


def _scores(model) -> dict[str, float]:
    """On gold words; and, where there is a segmenter, the F1 from raw text."""
    test = [e for e in _words("test", model.tasks) if set(model.labels).issuperset(e.gold_labels)]
    scores = evaluate_model(model, test)
    found = {task: scores[task]["accuracy" if task == "pos" else "f1"] for task in model.tasks}
    if "tok" in model.tasks:
        found |= {f"{task} from text": value["f1"] for task, value in end_to_end(model, test).items() if task != "tok"}
    return found


@lru_cache(maxsize=1)
def _recogniser(seed: int):
    config = TrainConfig(seed=seed, **NER_OPTIONS)
    old = _short_lines()["train"][:OLD]
    model = build_model("ner", ENCODER, label_set("ner", old), config)
    with tempfile.TemporaryDirectory() as run:
        fine_tune(model, old, _short_lines()["dev"], config, run, progress="none")
    return model


def _extended(name: str, seed: int) -> dict[str, float]:
    replay, options = EXTENSIONS[name]
    old, new = _old_and_new()
    return _extension(new, seed, replay=old[: 2 * NEW] if replay == "old" else replay, **options)


def _by_hand(replay: bool, seed: int) -> dict[str, float]:
    """What perfect labels would give: persons, places, organisations and times marked in every sentence."""
    old, new = _old_and_new()
    gold = {e.text: e.spans for e in _short_lines()["train"]}
    times = tag_pos(old[: 2 * NEW], "t", "TIME") if replay else []
    whole = [TaggedText.from_spans(e.text, [*gold[e.text], *e.spans], e.source) for e in [*new, *times]]
    return _extension(whole, seed, replay=None)


def _old_and_new() -> tuple[list, list]:
    """Sentences with the old types marked, and others with times marked, and nothing else."""
    lines = _short_lines()["train"]
    return lines[:OLD], [e for e in tag_pos(lines[OLD:], "t", "TIME") if e.spans][:NEW]


def _extension(new: list, seed: int, *, replay, **options) -> dict[str, float]:
    config = TrainConfig(seed=seed, **{**NER_OPTIONS, **EXTENSION, **options})
    with tempfile.TemporaryDirectory() as run:
        extension = extend(
            _recogniser(seed), new, config, run, replay=replay,
            old_test=_short_lines()["test"], new_test=tag_pos(_short_lines()["test"], "t", "TIME"), progress="none",
        )  # fmt: skip
    values = {f"{row['type']} {when}": row[when] for row in extension.report() for when in ("before", "after")}
    return {**values, "forgotten": extension.forgotten}


def _settings() -> dict:
    data = {subset: fingerprint(lines) for subset, lines in _short_lines().items()}
    return {"encoder": ENCODER, "longest": LONGEST, "sentences": SENTENCES, "options": OPTIONS, "joint": JOINT,
            "added": ADDED, "old": OLD, "new": NEW, "ner_options": NER_OPTIONS, "extension": EXTENSION,
            "extensions": EXTENSIONS, "data": data}  # fmt: skip


if __name__ == "__main__":
    main()
