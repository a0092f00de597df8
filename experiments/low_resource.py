"""``python -m experiments.low_resource``: few labels, few parameters. About half an hour on one core.

Reviews (classification) with 16, 64 and 256 labels a class, the People's Daily (NER) with 50, 200 and 1,000 sentences:
everything learns; the head alone (frozen encoder); the head with BitFit, LoRA or a prompt of invented tokens. On the
reviews also a cloze, whose head is that of pre-training: with no label, and with everything learning
(pattern-exploiting training). A draw is other examples at random, and the seed of everything else in its run.

All methods take the same updates at one size, at the learning rate that was best on dev with the middle size (accuracy
or F1, the first draw); a grid whose best rate lies at its edge is extended. Of a frozen encoder it is that of the head;
in the other methods the head learns at one rate, and that of a cloze, which is pre-trained, like the encoder. Reviews
are cut, longer sentences are left out: what is left takes minutes. The test set is read once, at the end of each run.
Seconds are those of the processor, for the training alone; memory is that of the tensors at the fullest moment,
rehearsed.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Sequence
from functools import cache, lru_cache

from experiments.encoders import data_of
from experiments.pretraining_lead import drawn
from hanlp_tutor import TrainConfig, build_model, evaluate_model, fine_tune, load_corpus
from hanlp_tutor.core.task import label_set
from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.encoders import weights_of
from hanlp_tutor.encoders.mini import DEFAULT_ENCODER
from hanlp_tutor.manifest import manifest
from hanlp_tutor.teach.lessons.l17.cloze import PATTERN, calibrate, cloze_model
from hanlp_tutor.teach.lessons.l17.few import cut, few_of_each
from hanlp_tutor.teach.results import Experiment
from hanlp_tutor.workbench.adapters import DEFAULTS, METHODS, attach, trainable
from hanlp_tutor.workbench.memory import MIB, estimate_memory

ENCODER, DRAWS, CHOSEN_ON = DEFAULT_ENCODER, (1, 2, 3), (1,)
CORPORA = {"classify": "reviews", "ner": "peoples_daily"}
SCORE = {"classify": "accuracy", "ner": "f1"}
LONGEST = 48  # characters
# of size (labels a class; sentences) the passes: 80 to 250 updates
EPOCHS = {"classify": {16: 20, 64: 8, 256: 3}, "ner": {50: 15, 200: 6, 1000: 2}}
MIDDLE = {"classify": 64, "ner": 200}
OPTIONS = {"batch_size": 8, "patience": None, "eval_steps": 10**6, "checkpoint_steps": 10**6, "crf": False}
DEV, TEST = {"classify": 400, "ner": 300}, {"classify": 1000, "ner": 500}
FULL, FROZEN, CLOZE, REWORDED = "full", "frozen", "cloze", "cloze, reworded"
PATTERNS = {CLOZE: PATTERN, REWORDED: "总之很[MASK]。"}  # the second: of five the best on labelled dev
# of the encoder, or of what is attached to it; of the head, where it alone learns
RATES = {FROZEN: (3e-3, 1e-2, 3e-2), FULL: (1e-4, 3e-4, 1e-3), CLOZE: (1e-4, 3e-4, 1e-3), "bitfit": (1e-3, 3e-3, 1e-2),
         "lora": (1e-3, 3e-3, 1e-2), "prompt": (3e-3, 1e-2, 3e-2)}  # fmt: skip
FARTHEST = (1e-6, 1.0)
HEAD_LR = 1e-2  # of a fresh head above an encoder in which something learns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", default="", help="measure only what begins so, such as reviews/64")
    parser.add_argument("--draws", type=int, default=len(DRAWS), help="how many")
    arguments = parser.parse_args()
    settings = {"encoder": ENCODER, "epochs": EPOCHS, "middle": MIDDLE, "longest": LONGEST, "options": OPTIONS,
                "dev": DEV, "test": TEST, "adapters": DEFAULTS, "patterns": PATTERNS}  # fmt: skip
    experiment = Experiment("low_resource", settings, manifest(describe_device(choose_device())))
    reviews, news = (Study(experiment, task) for task in CORPORA)
    reviews.without_labels()
    # the small sizes first, and whole draws, so that an interrupted session leaves pairs
    for study, places in ((reviews, (0, 1)), (news, (0, 1)), (reviews, (2,)), (news, (2,))):
        study.choose()
        for place in places:
            for draw in range(1, arguments.draws + 1):
                study.measure(place, draw, study.methods, arguments.only)
    for place in range(3):
        for draw in range(1, arguments.draws + 1):  # at the rate that the first wording chose
            reviews.measure(place, draw, (REWORDED,), arguments.only)


class Study:
    """The rows of one task."""

    def __init__(self, experiment: Experiment, task: str):
        self.experiment, self.task, self.name = experiment, task, CORPORA[task]
        corpus = load_corpus(self.name)
        self.depends_on = {"data": data_of(corpus), **weights_of(ENCODER)}
        self.labels = label_set(task, corpus.train)
        self.train = self._short(corpus.train)
        self.dev, self.test = (
            random.Random(0).sample(self._short(part), sizes[task])
            for part, sizes in ((corpus.dev, DEV), (corpus.test, TEST))
        )
        self.methods = (FROZEN, FULL, *METHODS, *((CLOZE,) if task == "classify" else ()))

    def _short(self, examples) -> list:
        if self.task == "classify":
            return cut(examples, LONGEST)
        return [each for each in examples if len(each.text) <= LONGEST]

    @lru_cache(maxsize=1)  # noqa: B019 - the process ends with the study
    def drawn(self, size: int, draw: int) -> list:
        """``size`` sentences, or as many texts of each class, at random."""
        return drawn(self.train, size, draw) if self.task == "ner" else few_of_each(self.train, size, draw)

    def without_labels(self) -> None:
        """What the cloze says before it has seen a label, as it is and calibrated."""
        for name in PATTERNS if self.task == "classify" else ():
            for said, change in (("", lambda model: model), (", calibrated", calibrate)):
                self.experiment.measure(
                    f"{self.name}/0/{name}{said}",
                    DRAWS[:1],
                    lambda draw, name=name, change=change: self._scored(change(self._model(name, draw)), dev=True),
                    depends_on=self.depends_on,
                )

    def choose(self) -> None:
        """The learning rate of each method, on dev, with the middle size."""
        self.rates: dict[str, float] = {}
        for method in self.methods:
            self.rates[method] = self._best(method, list(RATES[method]))

    def _best(self, method: str, rates: list[float]) -> float:
        on = {**self.depends_on, "head": None if method in (FROZEN, *PATTERNS) else HEAD_LR}
        while True:
            best = self.experiment.best_learning_rate(
                f"{self.name}/{method}", rates, CHOSEN_ON, lambda draw, lr: self._dev(method, lr, draw),
                depends_on=on,
            )  # fmt: skip
            further = {rates[0]: rates[0] / 3, rates[-1]: rates[-1] * 3}.get(best)
            if further is None or not FARTHEST[0] < further < FARTHEST[1]:
                return best
            rates = sorted([*rates, float(f"{further:.0e}")])

    def measure(self, place: int, draw: int, methods: Sequence[str], only: str) -> None:
        """Some methods at one of the sizes, on one draw."""
        size = list(EPOCHS[self.task])[place]
        for method in methods:
            row, lr = f"{self.name}/{size}/{method}", self.rates[CLOZE if method in PATTERNS else method]
            if row.startswith(only):
                self.experiment.measure(
                    row,
                    (draw,),
                    lambda draw, method=method, lr=lr: self._tested(method, size, lr, draw),
                    depends_on={**self.depends_on, "lr": lr, "head_lr": self._head_lr(method, lr)},
                )

    def _head_lr(self, method: str, lr: float) -> float:
        return lr if method in (FROZEN, *PATTERNS) else HEAD_LR

    def _config(self, method: str, size: int, lr: float, draw: int) -> TrainConfig:
        return TrainConfig(**OPTIONS, epochs=EPOCHS[self.task][size], lr=lr, head_lr=self._head_lr(method, lr),
                           freeze="encoder" if method == FROZEN else "none", seed=draw)  # fmt: skip

    def _model(self, method: str, draw: int):
        config = TrainConfig(**OPTIONS, seed=draw)
        if method in PATTERNS:
            return cloze_model(ENCODER, config, pattern=PATTERNS[method])
        model = build_model(self.task, ENCODER, self.labels, config)
        return attach(model, method) if method in METHODS else model

    def _trained(self, method: str, size: int, lr: float, draw: int):
        model, train, config = self._model(method, draw), self.drawn(size, draw), self._config(method, size, lr, draw)
        if method in PATTERNS:
            calibrate(model)
        began = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            fine_tune(model, train, [], config, folder, progress="none")
        return model, round(time.process_time() - began, 2)

    @cache  # noqa: B019
    def _memory(self, method: str, size: int) -> float:
        """MiB; of the first draw, the others' longest texts are as long."""
        config = self._config(method, size, 1e-3, 1)  # at any rate
        return round(estimate_memory(self._model(method, 1), config, self.drawn(size, 1)).peak / MIB, 1)

    def _scored(self, model, *, dev: bool = False) -> dict[str, float]:
        wanted = ("f1", "precision", "recall") if self.task == "ner" else ("accuracy", "macro_f1")
        scores = evaluate_model(model.eval(), self.test)
        found = {name: scores[name] for name in wanted}
        return {**found, "dev": evaluate_model(model, self.dev)[SCORE[self.task]]} if dev else found

    def _dev(self, method: str, lr: float, draw: int) -> float:
        model, _ = self._trained(method, MIDDLE[self.task], lr, draw)
        return evaluate_model(model, self.dev)[SCORE[self.task]]

    def _tested(self, method: str, size: int, lr: float, draw: int) -> dict[str, float]:
        model, seconds = self._trained(method, size, lr, draw)
        learns = trainable(model)
        count = learns["adapter"] + learns["head"]
        return {**self._scored(model), "trainable": count, "share": count / learns["parameters"], "seconds": seconds,
                "memory_mib": self._memory(method, size), "lr": lr}  # fmt: skip


if __name__ == "__main__":
    main()
