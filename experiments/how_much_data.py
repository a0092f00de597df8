"""``python -m experiments.how_much_data``: learning curves, on statutes, reviews and the newspaper. Two hours.

Each draw takes other examples at random, and is the seed of everything else in its run. On ``laws`` the split is drawn
too. Where whole statutes are kept on one side they are drawn at random, of each branch of law the same share whatever
their size, because the score depends on which statutes the test set gets. All learners read the first 64 characters of
an article (the SVM also whole ones: the cut costs it half a point on dev). The newspaper's curves of encoders are those
of ``experiments.encoders``; here is the CRF, with several draws, and the reviews, whole. The SVM's C is chosen on the
dev set of each run; the learning rate of θ once, on dev, with 1,000 articles. The test set is read once, at the end of
each run. Active selection (主动学习) labels what the model of the round before is least sure of, from a pool of all
training examples, against labels at random. ``--only laws/articles/2000`` measures the rows that begin so.

``laws`` is read from ``HANLP_TUTOR_DATA`` (or downloaded); its rows are left out where it cannot be had.
"""

import argparse
import random
import tempfile
from collections import Counter
from dataclasses import replace
from functools import lru_cache

from sklearn.model_selection import train_test_split

from experiments.encoders import BASELINES, CORPORA, OPTIONS, classical, data_of, headline
from experiments.pretraining_lead import drawn as sample
from hanlp_tutor import TrainConfig, build_model, evaluate_model, fine_tune, load_corpus
from hanlp_tutor.core.task import label_set
from hanlp_tutor.data.split import Split, split_stratified
from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.encoders import weights_of
from hanlp_tutor.encoders.mini import COMPARED
from hanlp_tutor.errors import DataError
from hanlp_tutor.manifest import manifest
from hanlp_tutor.teach.lessons.l15.selection import accuracies
from hanlp_tutor.teach.results import Experiment

CUT = 64  # characters of an article
DRAWS, STATUTE_DRAWS = (1, 2, 3), (1, 2, 3, 4, 5)
SIZES = (50, 100, 200, 500, 1000, 2000, 5000)
EPOCHS = {50: 16, 200: 8, 1000: 4, 2000: 3}  # of the encoders
LARGEST = {5000: 2}  # where their curves end; passes that their rows alone depend on
PASSES = EPOCHS | LARGEST
MORE = {200: 3, 2000: 2}  # times the passes: was a pre-trained encoder stopped before it had learnt?
RATES, RATE_AT = (3e-4, 1e-3), 1000
GRID = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)  # of C; whole statutes apart want a low one, single articles a high
HOW = {"articles": {}, "statutes": {"statutes": "at random"}}  # dealt out; another way begins the rows anew
TESTED = 1000  # articles of a test set that an encoder is asked about; the SVM reads the same
SVM, WHOLE = "SVM", "SVM, whole articles"
PROCEDURE, CRIMINAL = "诉讼与非诉讼程序法", "刑法"
PRETRAINED, RANDOM = COMPARED[0], f"random:{COMPARED[0]}"
REVIEW_RATES = {PRETRAINED: 3e-4, RANDOM: 1e-4}
ACTIVE = {"start": 100, "step": 100, "end": 1000}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", default="", help="measure only what begins so, such as laws/articles/2000")
    only = parser.parse_args().only
    settings = {"cut": CUT, "epochs": {str(n): k for n, k in EPOCHS.items()}, "tested": TESTED,
                "options": OPTIONS["classify"], "active": ACTIVE}  # fmt: skip
    experiment = Experiment("how_much_data", settings, manifest(describe_device(choose_device())))

    def measure(row: str, draws, run, **depends_on) -> None:
        if row.startswith(only):
            experiment.measure(row, draws, run, depends_on=depends_on)

    try:
        laws = data_of(load_corpus("laws", split="articles"))
    except DataError as error:
        print(f"laws is left out: {error}")
    else:
        _classical_laws(measure, laws)
    _classical(measure)
    if "laws" in locals():
        _fine_tuned_laws(experiment, measure, laws, only)
    _fine_tuned_reviews(measure)


def drawn(examples, size: int | None, draw: int) -> list:
    """``size`` examples at random, as ``experiments.pretraining_lead`` takes them; None: all."""
    return list(examples) if size is None else sample(list(examples), size, draw)


@lru_cache(maxsize=len(STATUTE_DRAWS))
def laws_split(split: str, draw: int):
    """Train, dev and test: another set of statutes on each side, or the articles dealt out anew."""
    corpus = load_corpus("laws", split=split)
    if split == "articles":
        return split_stratified([*corpus.train, *corpus.dev, *corpus.test], seed=draw)
    articles = [*corpus.train, *corpus.dev, *corpus.test]
    branch = {e.group: e.label for e in articles}
    branches = Counter(branch.values())
    statutes = [name for name in branch if branches[branch[name]] > 1]  # the only one of its branch can but be learnt
    rest, test = _dealt(statutes, branch, 0.1, draw)
    _, dev = _dealt(rest, branch, 1 / 9, draw)
    parts = {"dev": set(dev), "test": set(test)}
    held_out = {name: [e for e in articles if e.group in some] for name, some in parts.items()}
    return Split([e for e in articles if e.group not in parts["dev"] | parts["test"]], **held_out)


def _dealt(statutes: list[str], branch: dict[str, str], share: float, draw: int):
    """Statutes at random, of each branch the same share, whatever their size."""
    return train_test_split(statutes, test_size=share, stratify=[branch[s] for s in statutes], random_state=draw)


def _sets(split: str, size: int | None, draw: int):
    parts = laws_split(split, draw)
    test = random.Random(draw).sample(list(parts.test), min(TESTED, len(parts.test)))
    return drawn(parts.train, size, draw), parts.dev, test


def _classical_laws(measure, laws) -> None:
    for split in ("articles", "statutes"):
        draws = STATUTE_DRAWS if split == "statutes" else DRAWS
        data = {**laws, **HOW[split]}
        measure(f"nearest/{split}", draws, lambda draw, split=split: _nearest(split, draw), data=data)
        if split == "articles":
            row = f"nearest/{split}, own statute left out"
            measure(row, draws, lambda draw: _nearest("articles", draw, own_statute=False), data=data)
        else:
            measure(f"mix/{split}", draws, _mix, data=data)
        for size in (*SIZES, None):
            for learner, cut in ((SVM, CUT), (WHOLE, None)):
                measure(
                    f"laws/{split}/{size or 'all'}/{learner}",
                    draws,
                    lambda draw, split=split, size=size, cut=cut: _svm(*_sets(split, size, draw), cut),
                    grid=GRID,
                    data=data,
                )


def _statute(article) -> tuple[str, str]:
    return article.group, article.label


def _mix(draw: int) -> dict[str, float]:
    """How far the draws by statute are draws: what their test sets share, and what dealing whole statutes does to two
    branches that are hardly more than one statute each."""
    tests = {d: laws_split("statutes", d).test for d in STATUTE_DRAWS}
    always = set.intersection(*({_statute(e) for e in test} for test in tests.values()))
    train, test = laws_split("statutes", draw).train, tests[draw]

    def share(articles, branch: str) -> float:
        return sum(e.label == branch for e in articles) / len(articles)

    return {
        "statutes": len({_statute(e) for e in test}),
        "statutes in every test": len(always),
        "of statutes in every test": sum(_statute(e) in always for e in test) / len(test),
        "procedure, test": share(test, PROCEDURE),
        "procedure, training": share(train, PROCEDURE),
        "criminal, test": share(test, CRIMINAL),
        "criminal, training": share(train, CRIMINAL),
    }


def _nearest(split: str, draw: int, *, own_statute: bool = True) -> dict[str, float]:
    """Why the splits differ: is the nearest training article of the same statute, and of the right branch?

    Without ``own_statute`` each test article is compared with the training articles of all other statutes alone.
    """
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    train, _, test = _sets(split, 2000, draw)
    vectors = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    x = vectors.fit_transform([e.text for e in train])
    alike = (vectors.transform([e.text for e in test]) @ x.T).toarray()
    if not own_statute:
        alike[np.array([[_statute(a) == _statute(e) for a in train] for e in test])] = -1
    at = alike.argmax(axis=1)
    same = np.array([_statute(train[i]) == _statute(e) for i, e in zip(at, test, strict=True)])
    right = np.array([train[i].label == e.label for i, e in zip(at, test, strict=True)])
    known = {_statute(e) for e in train}
    return {
        "statute_in_training": float(np.mean([_statute(e) in known for e in test])),
        "nearest_of_same_statute": float(same.mean()),
        "accuracy": float(right.mean()),
        "accuracy_of_other_statutes": float(right[~same].mean()),
    }


def _svm(train, dev, test, cut: int | None) -> dict[str, float]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics import accuracy_score, f1_score
    from sklearn.svm import LinearSVC

    texts = [[e.text[:cut] for e in part] for part in (train, dev, test)]
    vectors = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    x = vectors.fit_transform(texts[0])
    on_dev, y = vectors.transform(texts[1]), [e.label for e in dev]
    models = {c: LinearSVC(C=c).fit(x, [e.label for e in train]) for c in GRID}
    scores = {c: accuracy_score(y, model.predict(on_dev)) for c, model in models.items()}
    best = max(scores, key=scores.get)
    gold, found = [e.label for e in test], models[best].predict(vectors.transform(texts[2]))
    return {
        "accuracy": accuracy_score(gold, found),
        "macro_f1": f1_score(gold, found, average="macro"),
        "best_dev": scores[best],
        "C": best,
    }


def _classical(measure) -> None:
    for task, name in CORPORA.items():
        corpus = load_corpus(name)
        for size in (*SIZES, None):
            draws = DRAWS if size else (1,)
            if size or task == "classify":  # all of the newspaper are in results/finetune_ner.json
                measure(
                    f"{name}/{size or 'all'}/{BASELINES[task]}",
                    draws,
                    lambda draw, task=task, corpus=corpus, size=size: classical(
                        task, drawn(corpus.train, size, draw), corpus.test
                    ),
                    data=data_of(corpus),
                )
        if task == "classify":
            for how in ("uncertain", "random"):
                measure(
                    f"active/{name}/{how}",
                    STATUTE_DRAWS,
                    lambda draw, how=how, corpus=corpus: accuracies(corpus.train, corpus.test, how, draw, **ACTIVE),
                    data=data_of(corpus),
                )


def _fine_tuned_laws(experiment: Experiment, measure, data, only: str) -> None:
    for encoder, plan in (
        (PRETRAINED, {"articles": (5000, 2000, 1000, 200, 50), "statutes": (5000, 2000, 200)}),
        (RANDOM, {"articles": (2000, 1000, 200, 50), "statutes": (2000,)}),
    ):
        rows = [f"laws/{split}/{size}/{encoder}" for split in plan for size in plan[split]]
        rows += [f"more passes/{size}" for size in MORE] if encoder == PRETRAINED else []
        if not any(row.startswith(only) for row in rows):
            continue
        depends_on = {"data": data, **weights_of(encoder)}
        lr = experiment.best_learning_rate(
            f"laws/{encoder}",
            RATES,
            DRAWS[:1],
            lambda draw, lr, encoder=encoder: _fine_tuned("articles", RATE_AT, encoder, lr, draw, dev=True)["accuracy"],
            depends_on=depends_on,
        )
        for split, sizes in plan.items():
            for size in sizes:
                measure(
                    f"laws/{split}/{size}/{encoder}",
                    DRAWS,
                    lambda draw, split=split, size=size, encoder=encoder, lr=lr: _fine_tuned(
                        split, size, encoder, lr, draw
                    ),
                    lr=lr,
                    **{**depends_on, **_largest(size), "data": {**data, **HOW[split]}},
                )
                if split == "articles" and encoder == PRETRAINED and size in MORE:
                    measure(
                        f"more passes/{size}",
                        DRAWS,
                        lambda draw, size=size, lr=lr: _fine_tuned(
                            "articles", size, PRETRAINED, lr, draw, times=MORE[size]
                        ),
                        lr=lr,
                        **depends_on,
                    )


def _fine_tuned(
    split: str, size: int, encoder: str, lr: float, draw: int, *, times: int = 1, dev: bool = False
) -> dict[str, float]:
    train, dev_set, test = _sets(split, size, draw)
    if dev:
        test = dev_set[:TESTED]
    train, test = ([replace(e, text=e.text[:CUT]) for e in part] for part in (train, test))
    return _scored(
        train, test, label_set("classify", laws_split(split, draw).train), times * PASSES[size], encoder, lr, draw
    )


def _largest(size: int) -> dict[str, int]:
    return {"epochs": LARGEST[size]} if size in LARGEST else {}


def _fine_tuned_reviews(measure) -> None:
    """With the rates that won on dev with 500 reviews, in ``results/encoders.json``."""
    corpus = load_corpus("reviews")
    labels, test = label_set("classify", corpus.train), list(corpus.test)[:TESTED]
    for size in (1000, 200, 5000):
        for encoder, lr in REVIEW_RATES.items():
            measure(
                f"reviews/{size}/{encoder}",
                DRAWS,
                lambda draw, size=size, encoder=encoder, lr=lr: _scored(
                    drawn(corpus.train, size, draw), test, labels, PASSES[size], encoder, lr, draw
                ),
                lr=lr,
                **_largest(size),
                data=data_of(corpus),
                **weights_of(encoder),
            )


def _scored(train, test, labels, epochs: int, encoder: str, lr: float, draw: int) -> dict[str, float]:
    config = TrainConfig(**OPTIONS["classify"], epochs=epochs, lr=lr, seed=draw, checkpoint_steps=10**6)
    model = build_model("classify", encoder, labels, config)
    with tempfile.TemporaryDirectory() as folder:
        result = fine_tune(model, train, [], config, folder, progress="none")
    return {**headline("classify", evaluate_model(model, test)), "lr": lr, "seconds": round(result.seconds, 1)}


if __name__ == "__main__":
    main()
