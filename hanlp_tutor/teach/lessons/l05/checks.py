"""The checks of notebook 05: BIO tags, exact-span scores, the longest match, a warm-up that ends, new names."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hanlp_tutor.data.schemes import spans_from_bio
from hanlp_tutor.teach.check import call, exercise, require, show
from hanlp_tutor.teach.declared import predicted, value

SENTENCE = "李明从上海到北京大学"
TAGS = ("B-PER", "I-PER", "O", "B-LOC", "I-LOC", "O", "B-ORG", "I-ORG", "I-ORG", "I-ORG")


@exercise(
    "Write the characters in a row and put one tag under each: O where no name is.",
    "The first character of an entity gets B-, all others of it I-, and behind the hyphen stands the type.",
    "There are three entities; the last has four characters and is a university, so an organisation.",
)
def q05_1(answer: Any) -> str:
    """The BIO tags of SENTENCE, as a list or as one string with spaces."""
    tags = answer.split() if isinstance(answer, str) else list(answer)
    require(
        len(tags) == len(SENTENCE),
        f"The sentence has {len(SENTENCE)} characters and your answer {len(tags)} tags: each character gets one.",
    )
    for place, (character, tag) in enumerate(zip(SENTENCE, tags, strict=True)):
        here = f"Character {place} ({character})"
        require(isinstance(tag, str), f"{here}: a tag is text, this is {show(tag)}.")
        require(
            tag[:2] not in ("M-", "E-", "S-"),
            f"{here}: {tag} belongs to BMES or IOBES. In BIO an entity's last character has I- like the others.",
        )
        require(
            tag == "O" or (tag[:2] in ("B-", "I-") and tag[2:] in ("PER", "LOC", "ORG")),
            f"{here}: {tag!r} is no tag of this corpus. They are O, and B- or I- with PER, LOC or ORG.",
        )
    found = spans_from_bio(tags)
    require(
        not any(span.start == 6 and span.end == 8 for span in found),
        "北京 alone is a place, but here it is part of the name 北京大学, and flat tags hold one entity at a place: "
        "the longest.",
    )
    for place, (character, tag, right) in enumerate(zip(SENTENCE, tags, TAGS, strict=True)):
        here = f"Character {place} ({character})"
        require(
            not (tag[:2] == "I-" and right[:2] == "B-"),
            f"{here}: an entity begins with B-, otherwise two names side by side would be one.",
        )
        require(
            not (tag[:2] == "B-" and right[:2] == "I-"),
            f"{here}: B- begins a new entity here; inside one it is I-.",
        )
        require((tag == "O") == (right == "O"), f"{here}: is it part of a name or not? You wrote {tag}.")
        require(tag == right, f"{here}: {tag[2:]} is not the type of this name.")
    return "One tag per character: that is all a tagging model ever predicts."


q05_2 = value(
    "(precision, recall, F1) of the table in the notebook: 2 right, 5 predicted, 4 gold.",
    (2 / 5, 2 / 4, 4 / 9),
    "An entity is right when start, end and label all agree. Count those first.",
    "Precision divides the right ones by all predicted ones, recall divides them by all gold ones.",
    "F1 is the harmonic mean, 2PR / (P + R), not the mean of the two.",
    wrong={
        "These look like per cent. Scores are between 0 and 1 here.": lambda values: max(values) > 1,
        "You let 中国 count for 中国银行 and the wrong type of 上海 too. Only exact agreement counts.": (0.8, 1.0, ...),
        "Three right? Look at the label of 上海 and at the end of 中国 again.": (3 / 5, 3 / 4, ...),
        "Precision and recall are exchanged: precision asks how many of the *predicted* are right.": (0.5, 0.4, ...),
        "That is the mean of the two; F1 is their harmonic mean, 2PR / (P + R).": (0.4, 0.5, 0.45),
    },
    otherwise=(
        "Precision is not {found}: how many of the predicted entities are exactly right?",
        "Recall is not {found}: how many of the gold entities were found exactly?",
        "F1 is not {found}: it is 2PR / (P + R).",
    ),
    count="The answer is three numbers, precision, recall and F1; yours has {found}.",
    then="A border that is one character off costs twice: one wrong prediction and one missed entity.",
)

_DICTIONARY = {"北京": "LOC", "北京大学": "ORG", "大学城": "LOC", "张三": "PER"}
_CASES = (
    ("张三在这里", [(0, 2, "PER")], "张三 at the very beginning"),
    ("我找张三", [(2, 4, "PER")], "张三 at the very end"),
    ("今天下雨", [], "a sentence without any entry"),
    ("在北京大学", [(1, 5, "ORG")], "北京大学, which begins like 北京"),
    ("北京北京", [(0, 2, "LOC"), (2, 4, "LOC")], "北京 twice"),
    ("在北京大学城", [(1, 5, "ORG")], "北京大学城: after the match 北京大学 one goes on behind it"),
    ("张三去北京大街", [(0, 2, "PER"), (3, 5, "LOC")], "北京大街, where 北京大学 almost matches"),
    ("", [], "the empty text"),
)


@exercise(
    "Walk from left to right; at each place try the longest piece of text first, then shorter ones.",
    "After a match go on at its end; without one go on at the next character.",
    "start = 0; while start < len(text): for end in range(len(text), start, -1): if text[start:end] in dictionary: ...",
)
def q05_3(answer: Any) -> str:
    """longest_match(text, dictionary) -> [(start, end, label), ...], half-open, without overlap."""
    for text, right, what in _CASES:
        found = sorted(_as_tuple(item) for item in call(answer, text, _DICTIONARY))
        shifted = [(start, end - 1, label) for start, end, label in right]
        require(
            found == right or found != shifted or not right,
            f"Ends are half-open: text[start:end] is the entity, so {show(text)} gives {right}, not {found}.",
        )
        shorter = [item for item in right if any(f[0] == item[0] and f[1] < item[1] for f in found)]
        require(
            not shorter,
            f"{show(text)}: you found {found}. 北京 is in the dictionary, but a longer entry begins at the same place.",
        )
        overlap = any(left[1] > following[0] for left, following in pairwise(found))
        require(not overlap, f"{show(text)}: {found} overlap. After a match one goes on at its end.")
        require(found == right, f"{show(text)} ({what}): expected {right}, your function gives {found}.")
    return "That is the whole dictionary matcher; a trie does the same without trying every length."


def _as_tuple(item: Any) -> tuple[int, int, str]:
    start, end, label = (item.start, item.end, item.label) if hasattr(item, "label") else item
    return int(start), int(end), str(label)


BATCH, EPOCHS, WARMUP = 32, 10, 1000


@exercise(
    "How many updates does one epoch over N sentences have, with 32 in a batch?",
    "All updates are epochs times that; warm-up shall be at most a tenth of them.",
    "1,000 warm-up updates are a tenth of 10,000, so of 1,000 in each of the 10 epochs.",
)
def q05_4(answer: Any) -> str:
    """The least N for which 1,000 warm-up updates are at most a tenth of all: 31,969 (32,000 is close enough)."""
    sentences = float(answer)
    require(sentences > 0 and sentences == int(sentences), "A corpus has a whole number of sentences, above 0.")
    per_epoch = -(-int(sentences) // BATCH)
    updates = per_epoch * EPOCHS
    known = f"{int(sentences):,} sentences make {per_epoch:,} updates an epoch, {updates:,} in all"
    require(updates > WARMUP, f"{known}: the learning rate would still be rising when training ends.")
    require(updates >= 10 * WARMUP, f"{known}: warm-up would take {WARMUP / updates:.0%} of them, more than a tenth.")
    require(sentences <= BATCH * WARMUP, f"{known}: more than enough. What is the least?")
    return "Far more than the thousand or so that the article says suffice: on small data give warm-up as a fraction."


def _of_new_names(seen: dict[str, float]) -> str:
    if seen["fine-tuned"] > seen["feature CRF"]:
        return (
            "The dictionary cannot know a new name. The CRF has a weight for each character and pair that training "
            "has shown; the encoder turns the whole sentence into vectors, and finds more of what it never saw."
        )
    return (
        "The dictionary cannot know a new name. In this run the encoder was trained too briefly to use its "
        "context; the CRF already knows what stands around names."
    )


q05_5 = predicted(
    "The three methods by their recall of names that training has not shown, the highest first.",
    "One of the three can be told without any run: what does it do with a text that is in none of its entries?",
    "F1 counts seen and new names together, and precision too: its order need not be this one.",
    "Which of the two others looks at more than five characters around each place?",
    because=_of_new_names,
    surprise=lambda seen: f"{_of_new_names(seen)} Which column of the tables above did you order them by?",
)
