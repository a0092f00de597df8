"""The checks of notebook 01: tags from spans, texts on two sides, and three faults planted into a file."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

from hanlp_tutor.data import Span, TaggedText, from_bio
from hanlp_tutor.data.lines import write_lines
from hanlp_tutor.teach.check import NotYet, call, exercise, require, show

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


_PEOPLE = ("王芳", "李强", "赵敏", "陈建国", "刘洋")
_PLACES = ("北京", "上海", "广州", "成都")
_BODIES = ("新华社", "清华大学", "交通银行")
_SHIFTED, _MISSPELT, _CONTRADICTED = 5, 31, 44  # numbers of sentences
_KINDS = {
    "transition": "a tag that continues nothing",
    "label": "a label that exists only by a slip of the hand",
    "conflict": "a sentence that stands twice, with different tags",
}


def faulty_file(path: str | Path) -> Path:
    """Write the file of exercise 01.3: some made-up sentences, and three faults in them."""
    lines = []
    for rows in _faulty():
        lines += [f"{character}\t{tag}" for character, tag in rows]
        lines.append("")
    write_lines(path, lines)
    return Path(path)


def _sentences() -> list[list[tuple[str, str]]]:
    """Rows of character and tag, a list a sentence, without any fault; none occurs twice."""
    parts = [
        *([(who, "PER"), "昨天从", (where, "LOC"), "回来。"] for who, where in product(_PEOPLE, _PLACES)),
        *([(body, "ORG"), "请", (who, "PER"), "介绍经验。"] for body, who in product(_BODIES, _PEOPLE)),
        *([(where, "LOC"), "的天气比", (other, "LOC"), "好。"] for where, other in product(_PLACES, _PLACES[:2])),
        *([(who, "PER"), "在", (body, "ORG"), "工作了十年。"] for who, body in product(_PEOPLE, _BODIES)),
    ]
    sentences = []
    for sentence in parts:
        rows = []
        for part in sentence:
            text, label = (part, "") if isinstance(part, str) else part
            tags = ["O"] * len(text) if not label else [f"B-{label}"] + [f"I-{label}"] * (len(text) - 1)
            rows += zip(text, tags, strict=True)
        sentences.append(rows)
    return sentences[::2] + sentences[1::2]


def _faulty() -> list[list[tuple[str, str]]]:
    sentences = _sentences()
    sentences[_SHIFTED] = [(character, tag.replace("B-LOC", "I-LOC")) for character, tag in sentences[_SHIFTED]]
    sentences[_MISSPELT] = [(character, tag.replace("PER", "PRE")) for character, tag in sentences[_MISSPELT]]
    twin = next(rows for rows in sentences if any(tag == "B-ORG" for _, tag in rows))
    untagged = [(character, "O" if tag.endswith("ORG") else tag) for character, tag in twin]
    return [*sentences[:_CONTRADICTED], untagged, *sentences[_CONTRADICTED:]]


def _places() -> dict[int, tuple[str, str]]:
    """Of each line that is part of a fault or of the contradicted sentence's twin: its kind, and the line's text."""
    sentences, clean = _faulty(), _sentences()
    clean.insert(_CONTRADICTED, sentences[_CONTRADICTED])
    text = ["".join(character for character, _ in rows) for rows in sentences]
    places, line = {}, 1
    for number, rows in enumerate(sentences):
        for at, (character, tag) in enumerate(rows):
            shown = f"{character}\\t{tag}"
            if number == _CONTRADICTED:
                places[line] = ("conflict", shown)
            elif text[number] == text[_CONTRADICTED]:
                places[line] = ("twin", shown)
            elif (character, tag) != clean[number][at]:
                places[line] = ("label" if number == _MISSPELT else "transition", shown)
            line += 1
        line += 1
    return places


@exercise(
    "print(audit(file)) lists what it found. A warning may be a fault, or only another view of an error.",
    "Each finding begins with file:line. One names two places: which of the two sentences is tagged as it should be?",
    "Look for the kinds invalid-transition, similar-labels and conflict.",
)
def q01_3(answer: Any) -> str:
    """Three line numbers of the file, one for each fault."""
    require(isinstance(answer, (list, tuple, set)), f"A list of three line numbers is wanted, not {show(answer)}.")
    numbers = [int(number) for number in answer]
    places, found = _places(), {}
    for number in numbers:
        kind = places.get(number, (None,))[0]
        require(kind is not None, f"Line {number} is in order. Lines are counted from 1, blank ones too.")
        require(
            kind != "twin", f"Line {number} belongs to a sentence that stands twice; this one is right, its twin not."
        )
        require(kind not in found, f"Lines {found.get(kind)} and {number} are one and the same fault: {_KINDS[kind]}.")
        found[kind] = number
    missing = [what for kind, what in _KINDS.items() if kind not in found]
    require(not missing, f"{len(found)} of 3 found. Still there: {missing[0] if missing else ''}.")
    said = "; ".join(f"line {number} ({places[number][1]}): {_KINDS[kind]}" for kind, number in found.items())
    return f"All three: {said}. No score would have told you."
