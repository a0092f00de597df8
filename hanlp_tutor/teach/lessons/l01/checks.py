"""The checks of notebook 01: tags from spans, texts in two sets, and three faults planted into a file."""

from __future__ import annotations

from typing import Any

from hanlp_tutor.data import Span, TaggedText, from_bio
from hanlp_tutor.teach.check import exercise, require, show
from hanlp_tutor.teach.declared import Answers, cases
from hanlp_tutor.teach.lessons.l01.faulty_file import places


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
    'for start, end, label in spans: tags[start] = f"B-{label}", and a second loop for the rest.',
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


_TRAIN = ["今天天气很好", "这本书 不错", "酒店太吵", "屏幕有坏点"]
_TEST = ["酒店太吵", "服务周到", "这本书不错", "电池耐用", " 今天天气很好 "]


@cases(
    [(_TRAIN, _TEST), ([], _TEST)],
    'A set of the training texts answers "is it there?" at once.',
    'Remove the white space from both texts before you compare: "".join(text.split()).',
    '[text for text in test if "".join(text.split()) in known], where known is a set made the same way.',
    otherwise="Expected {right}, your function gives {found}.",
    then="Copies that differ by more than white space need the audit, which compares pieces of five characters.",
)
def q01_2(train: list[str], test: list[str]) -> Answers:
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


@exercise(
    "print(audit(file)) lists what it found. A warning may be a fault, or only another view of an error.",
    "Each finding begins with file:line. One names two places: which of the two sentences is tagged as it should be?",
    "Look for the kinds invalid-transition, similar-labels and conflict.",
)
def q01_3(answer: Any) -> str:
    """Three line numbers of the file, one for each fault."""
    require(isinstance(answer, (list, tuple, set)), f"A list of three line numbers is wanted, not {show(answer)}.")
    numbers = [int(number) for number in answer]
    known, found = places(), {}
    for number in numbers:
        kind = known.get(number, (None,))[0]
        require(kind is not None, f"Line {number} is in order. Lines are counted from 1, blank ones too.")
        require(
            kind != "twin", f"Line {number} belongs to a sentence that stands twice; this one is right, its twin not."
        )
        require(kind not in found, f"Lines {found.get(kind)} and {number} are one and the same fault: {_KINDS[kind]}.")
        found[kind] = number
    missing = [what for kind, what in _KINDS.items() if kind not in found]
    require(not missing, f"{len(found)} of 3 found. Still there: {missing[0] if missing else ''}.")
    listed = "; ".join(f"line {number} ({known[number][1]}): {_KINDS[kind]}" for kind, number in found.items())
    return f"All three: {listed}. No score would have told you."
