"""The checks of notebook 01: tags from spans, what a list of names finds, texts in two sets, a file to mend."""

from __future__ import annotations

from typing import Any

from hanlp_tutor.data import Span, TaggedText, from_bio
from hanlp_tutor.teach.check import exercise, require, show
from hanlp_tutor.teach.declared import Answers, cases, predicted
from hanlp_tutor.teach.lessons.l01.faulty_file import mends, places


@cases(
    {
        "a plain case": (8, [(0, 2, "PER"), (4, 8, "ORG")]),
        "an entity of one character has B- alone": (3, [(1, 2, "LOC")]),
        "two places side by side: the second begins with B- again": (4, [(0, 2, "LOC"), (2, 4, "LOC")]),
        "no entity at all": (3, []),
        "spans in any order": (6, [(3, 5, "PER"), (0, 2, "LOC")]),
    },
    'Begin with a list of so many O: tags = ["O"] * length.',
    "The character at `start` gets B-, those from `start + 1` up to, not including, `end` get I-.",
    "Two loops: one over the spans, and inside it one over the places of the span behind its first.",
    count="{right} characters want {right} tags; yours are {found}.",
    then="A list of spans and a line of tags say the same, as long as entities do not overlap.",
)
def q01_1(length: int, spans: list[tuple[int, int, str]]) -> Answers:
    """tags_of(length, spans) -> list of BIO tags; spans are (start, end, label), half-open."""
    right = list(TaggedText.from_spans("字" * length, [Span(*span) for span in spans]).tags)
    outside = {end: f"I-{label}" for _, end, label in spans}
    wrong = {
        "a list of tags is wanted, not one string.": lambda tags: isinstance(tags, str),
        "an entity begins with B-, also where no other stands before it.": from_bio(right, "IOB1"),
        "the type alone does not tell where an entity begins. Write B- and I-.": [tag[2:] or tag for tag in right],
        "`end` is half-open, the character there is outside.": [outside.get(k, tag) for k, tag in enumerate(right)],
    }
    return right, wrong


q01_2 = predicted(
    "The types of name in the order of the F1 with which a list of the training set's names finds them.",
    "The list finds what training has shown. Of which type do the same few names come again and again?",
    "And what does the list find that is no name there? 和平 may be somebody's first name, or peace.",
    "The newspaper names a capital every day, and a person perhaps once.",
    because="What comes again is found by a list; new people are in the newspaper every day, and a list misses them.",
    surprise=lambda seen: (
        f"The list finds {max(seen, key=seen.get)} best. Compare two columns: how often the type is marked in "
        "training, and by how many different names."
    ),
)

_TRAIN = ["今天天气很好", "这本书 不错", "酒店太吵", "屏幕有坏点"]
_TEST = ["酒店太吵", "服务周到", "这本书不错", "电池耐用", " 今天天气很好 "]


@cases(
    [(_TRAIN, _TEST), ([], _TEST)],
    'A set of the training texts answers "is it there?" at once.',
    'Remove the white space from both texts before you compare: "".join(text.split()).',
    "Compare the stripped forms, but put the text of `test` itself into the list that you return.",
    otherwise="Expected {right}, your function gives {found}.",
    then="Copies that differ by more than white space need the audit, which compares pieces of five characters.",
)
def q01_3(train: list[str], test: list[str]) -> Answers:
    """leaked(train, test) -> the test texts that stand in train too, white space aside, in the order of test."""
    known = {"".join(text.split()) for text in train}
    right = [text for text in test if "".join(text.split()) in known]
    wrong = {
        "a list of texts is wanted.": lambda found: isinstance(found, (bool, int, str)),
        "return a list, in the order of `test`; a set has no order.": lambda found: isinstance(found, set),
        "without a training text nothing can leak.": lambda found: not train and found,
        f"{test[2]} differs by a blank alone from {_TRAIN[1]!r}: a model reads the same. Leave it out.": test[:1],
        "these are the texts that are new. The others leak.": [text for text in test if text not in right],
        "right, but return the texts of `test` as they are, blanks included.": ["".join(t.split()) for t in right],
    }
    return right, wrong


_KINDS = {
    "transition": "a tag that continues nothing",
    "label": "a label that exists only by a slip of the hand",
    "conflict": "a sentence that stands twice, with different tags",
}
_ABOUT = {
    "transition": "The name begins there: B-, and the type of the tag that follows.",
    "label": "The type is misspelt; B- and I- are right.",
    "conflict": "Its twin has the tags that belong there.",
}


@exercise(
    "Read the findings from the top. A warning may be a fault, or only another view of an error.",
    "A finding names the first line of a fault. Look at the lines below it in the file: some are wrong too.",
    "Look for the kinds invalid-transition, similar-labels and conflict. Of two sentences that differ one is right.",
)
def q01_4(answer: Any) -> str:
    """The right tags of the wrong lines of the file: {line: tag}."""
    require(isinstance(answer, dict) and answer, f"A dictionary from line to tag is wanted, not {show(answer)}.")
    known, right = places(), mends()
    for number, tag in answer.items():
        require(isinstance(number, int), f"{show(number)} is no line number. Lines are counted from 1, blank ones too.")
        kind = known.get(number, (None,))[0]
        require(kind is not None, f"Line {number} is in order. Lines are counted from 1, blank ones too.")
        require(kind != "twin", f"Line {number} is of a sentence that stands twice; this one is right, its twin not.")
        require(number in right, f"Line {number} is in order: its character has the tag that it needs.")
        require(tag == right[number], f"Line {number} needs another tag than {show(tag)}. {_ABOUT[kind]}")
    missing = [number for number in right if number not in answer]
    if missing:
        begun = {known[number][0] for number in answer}
        kind = known[missing[0]][0]
        where = "more lines of it are wrong" if kind in begun else "it is still there"
        require(False, f"{len(answer)} of {len(right)} lines are mended. {_KINDS[kind].capitalize()}: {where}.")
    return "All three faults are mended, and no line that was right has changed. No score would have told you of them."
