"""Which lines of the review files are parts of one review: a documented guess, for nothing in the files says it.

Many reviews were cut at their line breaks, and their parts stand one under the other: ``1. …``, ``2. …``, ``好处是：``.
Dealt out singly, one review would stand in the training set and in the test set. What tells that lines belong together:

- **Marks that go on.** The line above ends open (``：``, ``，``, ``、`` …); the line begins with closing or pausing
  punctuation, with the second or a later number of a list, or as a later remark (``补充点评``, ``宾馆反馈``). What
  stands between two numbers of a list, or between its last one (or a heading) and a conclusion (``总之``, ``总体`` …),
  belongs to the list.
- **Other places.** The files were put together from several collections, so most lines stand there two or three times,
  and the collections order the reviews differently. Neighbours that are parted elsewhere are two reviews. Among lines
  that stand three times and bear no mark, none of the book reviews (a line each) keep their neighbour in all places;
  of the lines about hotels more than a third do.
- **The subject.** So in the parts about hotels (:data:`HOTELS`) neighbours belong together unless another place parts
  them, and in the part about computers, below them, where both are short. That joins too much (a group may hold two or
  three reviews), which costs training lines and leaks none. A book review is a line, unless a mark says otherwise.

``experiments/review_lines.py`` counts all this, and how often a reader of 100 places agrees: about computers the rule
still misses some.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from scipy.cluster.hierarchy import DisjointSet

# First and last line of the parts about hotels, found by their words; books stand before and between, computers after.
HOTELS: Mapping[str, tuple[tuple[int, int], ...]] = {
    "pos.txt": ((2001, 5376), (7377, 10760)),
    "neg.txt": ((2001, 6382), (8383, 12787)),
}

TELLING = 8  # characters: a shorter line (优点：) may stand in two reviews
_SHORT = 30  # characters: below it, seven of ten neighbours about computers stay together in three places
_LOOK_BACK = 6  # lines between two numbers of a list, at most
_NUMERALS = {numeral: value for value, numeral in enumerate("零一二三四五六七八九十")}
_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩"
_NUMBER = re.compile(
    r"^[\s（(\[【·]*(?:(?P<circled>[①-⑩])|(?:第|其)?(?:(?P<digits>\d{1,2})(?!\d)|(?P<numeral>[一二三四五六七八九十]))"
    r"\s*(?:[）)、．。,，\]】是点来]|[.:：](?!\d)|\s))"
)
_BARE_NUMBER = re.compile(r"^\s*(\d{1,2})(?!\d|\.\d)")  # 3机子…, told from 3星 by 2… above it
_ENDS_OPEN = re.compile(r"[：:，,、；;（(]\s*$")
_BEGINS_WITHIN = re.compile(r"^[，。、；！？）)》”,;!?]")
_LATER_REMARK = re.compile(r"^(?:补充点评|宾馆反馈|酒店反馈|追加|追评)")
_GOES_ON = re.compile(
    r"^(?:另外|此外|除此|其次|再次|再者|再有|还有|而且|并且|但是|然而|因此|所以|于是|然后|接着|同时|至于)"
)
_CONCLUDES = re.compile(r"^(?:总之|总的|总体|总评|总结|综上|综合|结论|最后|好处|坏处|优点|缺点|不足|建议)")


def groups(file: str, lines: Sequence[str]) -> list[int]:
    """The group of each line: the number (from 0) of the first line of the file that belongs with it.

    Args:
        file: ``pos.txt`` or ``neg.txt``, for :data:`HOTELS`.
        lines: all of the file, without their line ends; an empty one belongs to nothing.
    """
    places: defaultdict[str, list[int]] = defaultdict(list)
    for number, line in enumerate(lines):
        if len(line) >= TELLING:
            places[line].append(number)
    joined = DisjointSet(range(len(lines)))
    for same in places.values():  # a line's other places are the same review
        for number in same[1:]:
            joined.merge(same[0], number)
    joining = set(marked(lines, places))
    subjects = [subject_of(file, number) for number in range(1, len(lines) + 1)]
    for number in range(1, len(lines)):
        above, line = lines[number - 1], lines[number]
        if not (above and line):
            continue
        subject = subjects[number] if subjects[number] == subjects[number - 1] else None
        both_short = max(len(above), len(line)) < _SHORT
        likely = subject == "hotels" or (subject == "computers" and both_short) or _GOES_ON.match(line)
        if number in joining or (likely and not _parted(lines, places, number)):
            joined.merge(number - 1, number)
    first: dict[int, int] = {}
    return [first.setdefault(joined[number], number) for number in range(len(lines))]


def subject_of(file: str, number: int) -> str:
    """``books``, ``hotels`` or ``computers``: what a line is about, by its number from 1; ``books`` in another file."""
    parts = HOTELS.get(file, ())
    if any(first <= number <= last for first, last in parts):
        return "hotels"
    return "computers" if parts and number > parts[-1][1] else "books"


def marked(lines: Sequence[str], places: Mapping[str, Sequence[int]]) -> Iterator[int]:
    """The lines that a mark joins to the line above."""
    numbers = [_list_number(line) for line in lines]
    for number in range(1, len(lines)):
        above, line = lines[number - 1], lines[number]
        if not (above and line):
            continue
        bare, bare_above = _BARE_NUMBER.match(line), _BARE_NUMBER.match(above)
        if (
            _ENDS_OPEN.search(above)
            or _BEGINS_WITHIN.match(line)
            or _LATER_REMARK.match(line)
            or (numbers[number] or 0) > 1
            or (bare and bare_above and int(bare[1]) == int(bare_above[1]) + 1)
        ):
            yield number
        if (numbers[number] or 0) > 1 or _CONCLUDES.match(line):
            yield from _back_to_the_list(lines, places, numbers, number)


def _back_to_the_list(
    lines: Sequence[str], places: Mapping[str, Sequence[int]], numbers: Sequence[int | None], number: int
) -> range:
    """The lines after the last item of a list, down to its next item or the conclusion; none where there is no list."""
    count = numbers[number]
    for back in range(number - 1, max(number - 1 - _LOOK_BACK, -1), -1):
        between = range(back + 1, number + 1)
        if numbers[back] == count - 1 if count else numbers[back] or _CONCLUDES.match(lines[back]):
            return between
        if not count and _parted(lines, places, back + 1):
            break  # a conclusion is vaguer than a number
    return range(0)


def _list_number(line: str) -> int | None:
    """3 for ``3、…``, ``(3) …``, ``三．…``, ``③…`` and ``第三，…``; None for a line that is no item of a list."""
    found = _NUMBER.match(line)
    if not found:
        return None
    if found["digits"]:
        return int(found["digits"])
    return _NUMERALS[found["numeral"]] if found["numeral"] else _CIRCLED.index(found["circled"]) + 1


def _parted(lines: Sequence[str], places: Mapping[str, Sequence[int]], number: int) -> bool:
    """Whether the line or the one above has another neighbour in another place."""
    above, line = lines[number - 1], lines[number]
    below_elsewhere = (lines[place + 1] for place in places.get(above, ()) if place + 1 < len(lines))
    above_elsewhere = (lines[place - 1] for place in places.get(line, ()) if place)
    return any(other and other != line for other in below_elsewhere) or any(
        other and other != above for other in above_elsewhere
    )
