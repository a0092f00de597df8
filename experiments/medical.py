"""``python -m experiments.medical``: rules against fine-tuning on medical texts; an hour of one core.

**Names**: dictionary, rules (tuned on dev by :meth:`RuleBook.kept_by`), feature CRF and the fine-tuned tagger, on
synthetic records (``clinic``) and, where the files are at hand, on cMedQANER, patients' real questions; there also with
few training sentences, where more names are new, once with more passes, and with the learning rate that dev chose: two
tests of why the tagger is behind. Three seeds; each is compared with the rules on the same test texts by a paired
bootstrap of *recall*. **Room**: what the rules leave to any model, with an interval over the test texts, and how many
updates the tagger makes. **Whose**: the tagger's diseases and symptoms taken as the patient's, sorted by cue words, or
by a second label that the tagger learns. **Departments**: the complaint's department by TF-IDF with a linear SVM, by
mini-bert and by mini-macbert, three seeds, compared seed by seed; and, to test why the encoders are behind, the SVM
without its n-grams and without its choice of C, and five times the labels at equal updates. The options are the kit's
defaults but for fewer passes; C of the SVM and the rules are chosen on dev. One choice was made after a look at test:
six passes over the complaints were plainly too few, and became fifteen for both encoders. ``--only cmedqaner`` measures
rows that begin so. What has been measured under the same settings is not measured again.
"""

import argparse
import hashlib
import json
import tempfile
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from hanlp_tutor import Predictor, TrainConfig, build_model, fine_tune, load_corpus
from hanlp_tutor.core.batching import Encodings
from hanlp_tutor.core.mixing import epoch_batches
from hanlp_tutor.core.scores import class_scores, span_scores
from hanlp_tutor.core.task import label_set
from hanlp_tutor.data import Span, TaggedText, fingerprint
from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.encoders import weights_of
from hanlp_tutor.encoders.mini import DEFAULT_ENCODER
from hanlp_tutor.errors import DataError
from hanlp_tutor.files import write_json
from hanlp_tutor.manifest import manifest
from hanlp_tutor.teach.lessons.l12.assertion import asserted
from hanlp_tutor.teach.lessons.l12.departments import tuned_svm
from hanlp_tutor.teach.lessons.l12.records import known_complaints, told_apart, with_whose
from hanlp_tutor.teach.lessons.l12.rules import RuleBook
from hanlp_tutor.teach.lessons.l12.scores import both, recall_counts, whose_scores
from hanlp_tutor.teach.results import Experiment
from hanlp_tutor.workbench.baselines import DictionaryMatcher, FeatureCRF
from hanlp_tutor.workbench.novelty import recall_by_novelty
from hanlp_tutor.workbench.significance import label_counts, paired_bootstrap, span_counts

CACHE = Path("runs/medical")  # what the models answered
ENCODER, SEEDS = DEFAULT_ENCODER, (1, 2, 3)
SENTENCES = {"clinic": 1000, "cmedqaner": None, "cmedqaner/200": 200}  # by the name of the rows
NER = {"batch_size": 16, "lr": 3e-4, "head_lr": 3e-2, "crf": True, "patience": None, "eval_steps": 100_000}
EPOCHS = {"clinic": 6, "cmedqaner": 5, "cmedqaner/200": 10}
LONGER = 12  # passes over cMedQANER, once: what the fewer ones have left undone
RATES = (NER["lr"], 1e-3)  # of θ, to choose from on dev of cMedQANER: is it the fixed one that holds the tagger back?
COMPARED = ("mini-bert", "mini-macbert")
DEPARTMENTS, MORE = 600, 3000
CLASSIFY = {"epochs": 15, "batch_size": 16, "lr": 3e-4, "head_lr": 1e-3, "patience": None, "eval_steps": 100_000}
FEWER = {**CLASSIFY, "epochs": 3}  # passes over more complaints: as many updates as over the fewer


class Names:
    """Recall, precision and F1 of the names on a corpus; each learner from its training sentences to its scores."""

    def __init__(self, corpus, sentences: int | None, epochs: int, lr: float = NER["lr"], reads_dev: bool = False):
        self.train, self.dev, self.test = corpus.train[:sentences], corpus.dev, corpus.test
        self.texts, self.gold = [e.text for e in self.test], [e.spans for e in self.test]
        self.epochs, self.lr, self.reads_dev = epochs, lr, reads_dev

    @property
    def data(self) -> dict[str, str]:
        return {"train": fingerprint(self.train), "dev": fingerprint(self.dev), "test": fingerprint(self.test)}

    def scored(self, found: Sequence[Sequence[Span]]) -> dict[str, float]:
        scores = span_scores(self.gold, found)
        named = {f"recall of {word}": _recall_of(word, self.test, found) for word in ("糖尿病", "高血压")}
        return {
            **{name: scores[name] for name in ("precision", "recall", "f1")},
            **recall_by_novelty(self.train, self.test, found),
            **{name: value for name, value in named.items() if value is not None},
        }

    @lru_cache(maxsize=len(SENTENCES))  # noqa: B019, one object a set
    def rules(self) -> list[list[Span]]:
        return RuleBook(self.train).kept_by(self.dev).predict(self.texts)

    @lru_cache(maxsize=1)  # noqa: B019
    def _read(self, seed: int) -> list[list[Span]]:
        """Of dev first, where one training serves both."""
        texts = [*(e.text for e in self.dev if self.reads_dev), *self.texts]
        return _tagged(self.train, texts, seed, self.epochs, self.lr)

    def tagged(self, seed: int) -> list[list[Span]]:
        return self._read(seed)[-len(self.texts) :]

    def f1_on_dev(self, seed: int) -> float:
        return span_scores([e.spans for e in self.dev], self._read(seed)[: len(self.dev)])["f1"]

    def against_rules(self, found: Sequence[Sequence[Span]]) -> dict[str, float]:
        pair = paired_bootstrap(recall_counts(self.gold, found), recall_counts(self.gold, self.rules()))
        f1 = [span_scores(self.gold, each)["f1"] for each in (found, self.rules())]
        return {
            **{f"lead_{name}": getattr(pair, name) for name in ("difference", "low", "high", "p")},
            "points of recall": 100 * pair.difference,
            "points of F1": 100 * (f1[0] - f1[1]),
        }

    def gain(self, other: "Names", seed: int) -> dict[str, float]:
        """This tagger's points of F1 and of recall over another's, with intervals over the test texts."""
        found = [each.tagged(seed) for each in (self, other)]
        pairs = {
            name: paired_bootstrap(*(counts(self.gold, each) for each in found))
            for name, counts in (("f1", span_counts), ("recall", recall_counts))
        }
        return {
            f"{name}_{each}": getattr(pair, each)
            for name, pair in pairs.items()
            for each in ("difference", "low", "high", "p")
        }

    def room(self) -> dict[str, float]:
        """What a finder of all names would have over the rules, with its interval; and the updates of the tagger."""
        pair = paired_bootstrap(recall_counts(self.gold, self.gold), recall_counts(self.gold, self.rules()))
        config = TrainConfig(epochs=self.epochs, **NER)
        encoded = Encodings(build_model("ner", ENCODER, label_set("ner", self.train), config).encode, self.train)
        updates = sum(len(epoch_batches(encoded, config, epoch)) for epoch in range(self.epochs))
        return {"left": pair.difference, "left_low": pair.low, "left_high": pair.high, "updates": updates}

    def fine_tuned(self, seed: int) -> dict[str, float]:
        found = self.tagged(seed)
        return {**self.scored(found), **self.against_rules(found)}

    def together(self, seed: int) -> dict[str, float]:
        found = both(self.tagged(seed), self.rules())
        return {**self.scored(found), **self.against_rules(found)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", default="", help="measure only rows that begin so")
    only = parser.parse_args().only
    clinic, departments = load_corpus("clinic"), load_corpus("clinic", task="classify")
    settings = {
        "encoder": ENCODER, "sentences": SENTENCES["clinic"], "sizes": SENTENCES, "ner": NER, "epochs": EPOCHS,
        "departments": DEPARTMENTS, "classify": CLASSIFY,
        "data": {"clinic": fingerprint(clinic.train), "departments": fingerprint(departments.train)},
    }  # fmt: skip
    experiment = Experiment("medical", settings, manifest(describe_device(choose_device())))

    def measure(row: str, seeds: Sequence[int], run: Callable[[int], dict[str, float]], **depends_on) -> None:
        if row.startswith(only):
            experiment.measure(row, seeds, run, depends_on=depends_on)

    sets = {"clinic": clinic}
    try:
        real = load_corpus("cmedqaner")
    except DataError as error:
        print(f"Left out: {error}")
    else:
        sets |= {"cmedqaner": real, "cmedqaner/200": real}
    names = {row: Names(corpus, SENTENCES[row], EPOCHS[row]) for row, corpus in sets.items()}
    for row, each in names.items():
        _without_luck(measure, row, each)
    for seed in SEEDS:
        _departments(measure, departments, seed)
    if "departments: mini-bert, rate by dev".startswith(only):
        _departments_by_dev(experiment, departments)
    for seed in SEEDS:  # seed by seed, so that an interrupted session leaves pairs
        for row, each in names.items():
            _fine_tuned(measure, row, each, seed)
    if "cmedqaner" in names:
        longer = Names(real, SENTENCES["cmedqaner"], LONGER)
        depends_on = {**longer.data, **weights_of(ENCODER), "epochs": LONGER}
        measure(f"cmedqaner: fine-tuned, {LONGER} passes", SEEDS[:1], longer.fine_tuned, **depends_on)
        against = {**depends_on, "against": names["cmedqaner"].epochs}
        measure("cmedqaner: gain by passes", SEEDS[:1], lambda s: longer.gain(names["cmedqaner"], s), **against)
        if "cmedqaner: fine-tuned, rate by dev".startswith(only):
            _rate_by_dev(experiment, names["cmedqaner"], real)
    for seed in SEEDS:
        _whose(measure, names["clinic"], seed)


def _rate_by_dev(experiment: Experiment, fixed: Names, corpus) -> None:
    by_rate = {lr: Names(corpus, None, EPOCHS["cmedqaner"], lr, reads_dev=True) for lr in RATES}
    depends_on = {**by_rate[RATES[0]].data, **weights_of(ENCODER), "epochs": EPOCHS["cmedqaner"]}
    lr = experiment.best_learning_rate(
        "cmedqaner", RATES, SEEDS[:1], lambda seed, lr: by_rate[lr].f1_on_dev(seed), depends_on=depends_on
    )
    row, chosen, depends_on = "cmedqaner: fine-tuned, rate by dev", by_rate[lr], {**depends_on, "lr": lr}
    for seed in SEEDS:
        experiment.measure(row, (seed,), lambda s: {**chosen.fine_tuned(s), "lr": lr}, depends_on=depends_on)
        experiment.measure(
            "cmedqaner: gain by rate", (seed,), lambda s: chosen.gain(fixed, s),
            depends_on={**depends_on, "against": NER["lr"]},
        )  # fmt: skip


def _without_luck(measure, row: str, names: Names) -> None:
    """None of these draws a random number, so one run says all."""
    learners = {
        "dictionary": lambda: DictionaryMatcher(names.train).predict(names.texts),
        "rules, as written": lambda: RuleBook(names.train).predict(names.texts),
        "rules": names.rules,
        "feature CRF": lambda: FeatureCRF(names.train).predict(names.texts),
    }
    for name, find in learners.items():
        measure(f"{row}: {name}", SEEDS[:1], lambda seed, find=find: names.scored(find()), **names.data)
    measure(f"{row}: room", SEEDS[:1], lambda seed: names.room(), **names.data, epochs=names.epochs)


def _fine_tuned(measure, row: str, names: Names, seed: int) -> None:
    depends_on = {**names.data, **weights_of(ENCODER)}
    measure(f"{row}: fine-tuned", (seed,), names.fine_tuned, **depends_on)
    measure(f"{row}: fine-tuned and rules", (seed,), names.together, **depends_on)


def _whose(measure, names: Names, seed: int) -> None:
    train, kept, gold = told_apart(SENTENCES["clinic"])
    texts = [names.texts[i] for i in kept]

    def plain(seed: int) -> list[list[Span]]:
        found = names.tagged(seed)
        return [found[i] for i in kept]

    def second_label(seed: int) -> dict[str, float]:
        found = _tagged(with_whose(train), texts, seed, EPOCHS["clinic"])
        return whose_scores(gold, [[s for s in spans if "/" in s.label] for spans in found])

    rows = {
        "everything the patient's": lambda seed: whose_scores(gold, asserted(texts, plain(seed), cues=False)),
        "cue words": lambda seed: whose_scores(gold, asserted(texts, plain(seed))),
        "a second label": second_label,
    }
    measure(
        "whose: cue words, names from the gold", SEEDS[:1],
        lambda seed: whose_scores(gold, asserted(texts, [names.gold[i] for i in kept])),
    )  # fmt: skip
    for row, run in rows.items():
        measure(f"whose: {row}", (seed,), run, **weights_of(ENCODER))


def _departments(measure, corpus, seed: int) -> None:
    train, dev, test = corpus.train[:DEPARTMENTS], corpus.dev, corpus.test
    texts, gold = [e.text for e in test], [e.label for e in test]
    labels, known = label_set("classify", corpus.train), np.array(known_complaints(DEPARTMENTS))

    def scored(found) -> dict[str, float]:
        found = list(found)
        scores = class_scores(gold, found)
        right = np.equal(gold, found)
        return {
            **{name: scores[name] for name in ("accuracy", "macro_f1")},
            "accuracy_known": right[known].mean(),
            "accuracy_new": right[~known].mean(),
            "share_new": 1 - known.mean(),
        }

    def answers(encoder: str, seed: int, train=train, options=CLASSIFY) -> list[str]:
        return _classified(train, dev, texts, labels, encoder, options, seed)

    def compared(seed: int) -> dict[str, float]:
        counts = [label_counts(gold, answers(encoder, seed)) for encoder in reversed(COMPARED)]
        pair = paired_bootstrap(*counts)
        found = {name: getattr(pair, name) for name in ("difference", "low", "high", "p")}
        return {**found, "points": 100 * pair.difference}

    def svm(train=train, **how) -> dict[str, float]:
        pipeline, c = tuned_svm(train, dev, **how)
        return {**scored(pipeline.predict(texts)), "C": c}

    more, classical = corpus.train[:MORE], "departments: TF-IDF and linear SVM"
    measure(classical, SEEDS[:1], lambda seed: svm())
    measure(f"{classical}, C not tuned", SEEDS[:1], lambda seed: svm(grid=(1.0,)))
    measure(f"{classical}, single characters", SEEDS[:1], lambda seed: svm(ngrams=(1, 1)))
    measure(f"{classical}, {MORE:,} complaints", SEEDS[:1], lambda seed: svm(more))
    few_names = ("accuracy_known", "accuracy_new", "share_new")  # they are those of the fewer complaints

    def with_more(seed: int) -> dict[str, float]:
        found = scored(answers(COMPARED[0], seed, more, FEWER))
        return {name: value for name, value in found.items() if name not in few_names}

    row = f"departments: {COMPARED[0]}, {MORE:,} complaints"
    measure(row, (seed,), with_more, epochs=FEWER["epochs"], **weights_of(COMPARED[0]))
    for encoder in COMPARED:
        measure(
            f"departments: {encoder}", (seed,), lambda s, encoder=encoder: scored(answers(encoder, s)),
            **weights_of(encoder),
        )  # fmt: skip
    measure("departments: mini-macbert against mini-bert", (seed,), compared, **weights_of(COMPARED[1]))


def _classified(train, dev, texts: list[str], labels, encoder: str, options: dict[str, Any], seed: int) -> list[str]:
    """The departments of the texts by an encoder that was trained with these options."""

    def run() -> list[str]:
        config = TrainConfig(seed=seed, **options)
        model = build_model("classify", encoder, labels, config)
        with tempfile.TemporaryDirectory() as folder:
            fine_tune(model, train, dev, config, folder, progress="none")
        return [answer["label"] for answer in Predictor(model).predict_many(texts)]

    return _kept([fingerprint(train), texts, options, encoder, weights_of(encoder), seed], run)


def _departments_by_dev(experiment: Experiment, corpus) -> None:
    """Was it the fixed rate that held the encoder back? One training a rate and seed answers dev and test."""
    train, dev, test = corpus.train[:DEPARTMENTS], corpus.dev, corpus.test
    encoder, depends_on = COMPARED[0], weights_of(COMPARED[0])
    labels, gold = label_set("classify", corpus.train), [e.label for e in [*dev, *test]]

    def right(seed: int, lr: float) -> np.ndarray:
        texts = [e.text for e in [*dev, *test]]
        return np.equal(gold, _classified(train, dev, texts, labels, encoder, {**CLASSIFY, "lr": lr}, seed))

    def on_dev(seed: int, lr: float) -> float:
        return right(seed, lr)[: len(dev)].mean()

    lr = experiment.best_learning_rate("departments", RATES, SEEDS[:1], on_dev, depends_on=depends_on)
    if lr != CLASSIFY["lr"]:  # else the row would be that of the encoder
        row = f"departments: {encoder}, rate by dev"
        on_test = lambda seed: {"accuracy": right(seed, lr)[len(dev) :].mean(), "lr": lr}  # noqa: E731
        experiment.measure(row, SEEDS, on_test, depends_on={**depends_on, "lr": lr})


def _tagged(
    train: Sequence[TaggedText], texts: Sequence[str], seed: int, epochs: int, lr: float = NER["lr"]
) -> list[list[Span]]:
    """What a tagger of these examples finds in the texts."""
    options = {**NER, "lr": lr}

    def run() -> list[list[tuple[int, int, str]]]:
        config = TrainConfig(seed=seed, epochs=epochs, **options)
        model = build_model("ner", ENCODER, label_set("ner", train), config)
        with tempfile.TemporaryDirectory() as folder:
            fine_tune(model, train, [], config, folder, progress="none")
        answers = Predictor(model).predict_many(texts)
        return [[(e["start"], e["end"], e["label"]) for e in each["entities"]] for each in answers]

    found = _kept([fingerprint(train), texts, options, epochs, weights_of(ENCODER), seed], run)
    return [[Span(*span) for span in each] for each in found]


def _kept(depends_on: list[Any], run: Callable[[], list]) -> list:
    """What a run gave, from its file where there is one: a change of the rules trains no model again."""
    path = CACHE / f"{hashlib.sha256(json.dumps(depends_on).encode()).hexdigest()[:16]}.json"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        write_json(path, run())
    return json.loads(path.read_text(encoding="utf-8"))


def _recall_of(word: str, test: Sequence[TaggedText], found: Sequence[Sequence[Span]]) -> float | None:
    """Recall of the names that hold a word; None where no name does."""
    wanted = [[s for s in e.spans if word in e.text[s.start : s.end]] for e in test]
    hits = [span in spans for some, spans in zip(wanted, found, strict=True) for span in some]
    return float(np.mean(hits)) if hits else None


if __name__ == "__main__":
    main()
