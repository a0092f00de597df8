"""``python -m experiments.audit``: how many planted label errors and leaks the audit finds, and what our splits hold.

Label errors are planted into a twentieth of the entities of the People's Daily and of the labels of the reviews. Copies
of training texts, edited by 0 to 16 characters, are planted into a test set. About ten minutes on one core; what has
been measured under the same settings is not measured again.
"""

from hanlp_tutor import load_corpus
from hanlp_tutor.data import LabelledText, TaggedText, fingerprint, split_stratified
from hanlp_tutor.data.near_duplicates import GRAM, THRESHOLD, similarity
from hanlp_tutor.data.split import split_without_leaks
from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.manifest import manifest
from hanlp_tutor.teach.planted import Planted, paraphrase, plant_label_errors, plant_tag_errors
from hanlp_tutor.teach.results import Experiment
from hanlp_tutor.workbench.audit import Report, audit

CORPORA = ("peoples_daily", "reviews")
SEEDS = (1, 2, 3)
PLANTED = {"peoples_daily": 2000, "reviews": 4000}  # sentences, texts
SHARE = 0.05
TOP = 100  # of the surest findings: as many as one reads in an hour
LEAKS, AMONG, EDITS, LONG = 500, 4000, (0, 1, 2, 4, 8, 16), 100


def main() -> None:
    corpora = {name: load_corpus(name) for name in CORPORA}
    settings = {"planted": PLANTED, "share": SHARE, "top": TOP, "leaks": LEAKS, "among": AMONG, "edits": EDITS,
                "long": LONG, "gram": GRAM, "threshold": THRESHOLD}  # fmt: skip
    experiment = Experiment("audit", settings, manifest(describe_device(choose_device())))
    for name, corpus in corpora.items():
        _measure(experiment, name, corpus)


def _measure(experiment: Experiment, name: str, corpus) -> None:
    subsets = (corpus.train, corpus.dev, corpus.test)
    everything = [example for subset in subsets for example in subset]
    data = {"data": [fingerprint(subset) for subset in subsets]}
    experiment.measure(f"split/{name}/ours", SEEDS[:1], lambda seed: _leaks_of(corpus), depends_on=data)
    for way, split in (("by example", split_stratified), ("without leaks", split_without_leaks)):
        experiment.measure(
            f"split/{name}/{way}", SEEDS, lambda seed, s=split: _leaks_of(s(everything, seed=seed)), depends_on=data
        )
    for edits in EDITS:
        experiment.measure(
            f"leaks/{name}/{edits}", SEEDS, lambda seed, n=edits: _found_leaks(corpus, n, seed), depends_on=data
        )
    experiment.measure(f"label errors/{name}", SEEDS, lambda seed: _found_errors(corpus, seed), depends_on=data)


def _leaks_of(split) -> dict[str, float]:
    report = audit(split.train, split.dev, split.test)
    found = report.of("leak", "near-leak")
    return {subset: sum(finding.subset == subset for finding in found) for subset in ("dev", "test")}


def _found_leaks(corpus, edits: int, seed: int) -> dict[str, float]:
    """Every eighth text of some training texts, edited, is the test set.

    ``near`` is the share that is still at 0.8 after its edits, ``found_of_near`` how many of those are found: 1 when
    there is none.
    """
    train = list(corpus.train[:AMONG])
    sources = train[seed :: AMONG // LEAKS]
    characters = "".join(sorted({character for example in train for character in example.text}))
    texts = [paraphrase(example.text, edits, seed, characters) for example in sources]
    # the tags no longer fit an edited text, and a search for leaks reads none
    test = [_untagged(example, text) for example, text in zip(sources, texts, strict=True)]
    found = {finding.index for finding in audit(train, test=test).of("leak", "near-leak")}
    near = {i for i, text in enumerate(texts) if similarity(text, sources[i].text) >= THRESHOLD}
    long = {i for i, example in enumerate(sources) if len(example) >= LONG}
    return {
        "recall": len(found) / len(texts),
        "recall_long": len(found & long) / len(long),
        "near": len(near) / len(texts),
        "found_of_near": len(found & near) / len(near) if near else 1.0,
    }


def _untagged(example, text: str):
    tagged = isinstance(example, TaggedText)
    return TaggedText(text, ("O",) * len(text)) if tagged else LabelledText(text, example.label)


def _found_errors(corpus, seed: int) -> dict[str, float]:
    plant = plant_tag_errors if corpus.task == "ner" else plant_label_errors
    examples, planted = plant(corpus.train[: PLANTED[corpus.name]], SHARE, seed)
    return scores(audit(examples, label_errors=True), planted)


def scores(report: Report, planted: list[Planted]) -> dict[str, float]:
    """A finding is right when it overlaps a planted error. Errors that were there before count as wrong findings."""
    found = [
        Planted(each.index, each.evidence.get("start", 0), each.evidence.get("end", 1), each.kind)
        for each in report.of("label-error")
    ]
    right = [any(_overlap(each, error) for error in planted) for each in found]
    hits = sum(any(_overlap(each, error) for each in found) for error in planted)
    return {
        "precision": sum(right) / max(len(right), 1),
        "recall": hits / len(planted),
        f"precision_top_{TOP}": sum(right[:TOP]) / TOP,
        "planted": len(planted),
        "flagged": len(right),
    }


def _overlap(one: Planted, other: Planted) -> bool:
    return one.index == other.index and one.start < other.end and other.start < one.end


if __name__ == "__main__":
    main()
