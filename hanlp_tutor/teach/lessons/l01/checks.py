"""The checks of notebook 01: tags from spans, texts on two sides, and three faults planted into a file."""

from __future__ import annotations

from typing import Any

from hanlp_tutor.data import Span, TaggedText, from_bio
from hanlp_tutor.teach.check import NotYet, call, exercise, require, show
from hanlp_tutor.teach.lessons.l01.faulty_file import places

_SPANS = (
    (8, [(0, 2, "PER"), (4, 8, "ORG")], "a plain case"),
    (3, [(1, 2, "LOC")], "an entity of one character has B- alone"),
    (4, [(0, 2, "LOC"), (2, 4, "LOC")], "two places side by side: the second begins with B- again"),
    (3, [], "no entity at all"),
    (6, [(3, 5, "PER"), (0, 2, "LOC")], "spans in any order"),
)


@exercise(
    'Begin with a list of so many O: tags = ["O"] * length.',
    "The character at `start` gets B-, those from `start + 1` up to, not including, `end` get I-.",
    'for start, end, label in spans: tags[start] = f"B-{label}", and a second loop for the rest.',
)
def q01_1(answer: Any) -> str:
    """tags_of(length, spans) -> list of BIO tags; spans are (start, end, label), half-open."""
    for length, spans, what in _SPANS:
        given = f"tags_of({length}, {spans}) ({what})"
        tags = call(answer, length, spans)
        require(not isinstance(tags, str), f"{given}: a list of tags is wanted, not one string.")
        tags = list(tags)
        require(len(tags) == length, f"{given}: {length} characters want {length} tags; yours are {len(tags)}.")
        right = list(TaggedText.from_spans("字" * length, [Span(*span) for span in spans]).tags)
        if tags != right:
            one = list(from_bio(right, "IOB1"))
            bare = [tag[2:] or tag for tag in right]
            require(tags != one, f"{given}: an entity begins with B-, also where no other stands before it.")
            require(tags != bare, f"{given}: the type alone does not tell where an entity begins. Write B- and I-.")
            longer = [place for _, end, _ in spans for place in [end] if place < length and tags[place] != right[place]]
            require(not longer, f"{given}: `end` is half-open, the character at {longer} is outside. You give {tags}.")
            raise NotYet(f"{given}: expected {right}, your function gives {show(tags)}.")
    return "A list of spans and a line of tags say the same, as long as entities do not overlap."


_TRAIN = ["今天天气很好", "这本书 不错", "酒店太吵", "屏幕有坏点"]
_TEST = ["酒店太吵", "服务周到", "这本书不错", "电池耐用", " 今天天气很好 "]


@exercise(
    'A set of the training texts answers "is it there?" at once.',
    'Remove the white space on both sides before you compare: "".join(text.split()).',
    '[text for text in test if "".join(text.split()) in known], where known is a set made the same way.',
)
def q01_2(answer: Any) -> str:
    """leaked(train, test) -> the test texts that stand in train too, white space aside, in the order of test."""
    found = call(answer, _TRAIN, _TEST)
    require(not isinstance(found, (bool, int, str)), f"A list of texts is wanted, not {show(found)}.")
    ordered, found = isinstance(found, (list, tuple)), list(found)
    exact = [text for text in _TEST if text in _TRAIN]
    right = [_TEST[0], _TEST[2], _TEST[4]]
    require(
        found != exact, f"{_TEST[2]} differs by a blank alone from {_TRAIN[1]!r}: a model reads the same. Leave it out."
    )
    require(set(found) != set(_TEST) - set(right), "These are the texts that are new. The others leak.")
    bare = ["".join(text.split()) for text in right]
    require(found == right or found != bare, "Right, but return the texts of `test` as they are, blanks included.")
    require(ordered, "Return a list, in the order of `test`; a set has no order.")
    require(found == right, f"Expected {right}, your function gives {show(found)}.")
    require(call(answer, [], _TEST) == [], "Without a training text nothing can leak.")
    return "Copies that differ by more than white space need the audit, which compares pieces of five characters."


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
    said = "; ".join(f"line {number} ({known[number][1]}): {_KINDS[kind]}" for kind, number in found.items())
    return f"All three: {said}. No score would have told you."
