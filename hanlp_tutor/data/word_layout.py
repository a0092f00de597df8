"""Files that people take for one of segmented words, and that would be read as one: other words would be learned.

A file of parts of speech in one line a sentence (``张三/nr 去/v``, as the People's Daily of 1998 has it), of characters
with B, M, E and S, of CoNLL-U with its numbers in front, or with tabs between the words of a sentence.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from hanlp_tutor.errors import DataError

_WITH_CLASS = re.compile(r"(.+)[/_][A-Za-z]{1,4}[0-9]?(\][A-Za-z/]+)?", re.DOTALL)
_CLASS = re.compile(r"[A-Za-z][A-Za-z_-]*")
_MOST = 0.9  # of the words or lines, before they are taken for what they look like
_ENOUGH = 3  # rows of a sentence that count 1, 2, 3


def check_sentences(path: str | Path, sentences: Sequence[tuple[int, Sequence[str]]]) -> None:
    """Refuse lines of words between spaces in which the words carry classes, or which are a word and its tag.

    Args:
        path: the file.
        sentences: number of the line, and its words.

    Raises:
        DataError: with a command that leaves the words.
    """
    if not sentences:
        return
    first, words = sentences[0]
    file = shlex.quote(str(path))
    matches = [_WITH_CLASS.fullmatch(word) for _, each in sentences for word in each]
    if sum(map(bool, matches)) >= _MOST * len(matches):
        separator = "_" if all(match[0][len(match[1])] == "_" for match in matches if match) else "/"
        raise DataError(
            f"the words carry their parts of speech ({words[0][:20]!r}), which would be learned as text.",
            path=path,
            line=first,
            remedy=f"Leave the words alone: sed -E 's#{separator}[A-Za-z]+[0-9]?(\\][A-Za-z/]+)?( |$)#\\2#g; "
            f"s#(^| )\\[#\\1#g' < {file} > NEW.",
        )
    pairs = [len(each) == 2 and bool(_CLASS.fullmatch(each[1])) for _, each in sentences]
    if len(pairs) >= _ENOUGH and sum(pairs) >= _MOST * len(pairs):
        raise DataError(
            f"each line holds two words, the second of which is a tag ({' '.join(words)[:20]!r}): it would be learned "
            "as a word.",
            path=path,
            line=first,
            remedy=f"Put a tab between word and tag: tr ' ' '\\t' < {file} > NEW.",
        )


def check_rows(path: str | Path, task: str, sentences: Sequence[Sequence[tuple[int, list[str]]]]) -> None:
    """Refuse rows between tabs whose first column is no word.

    Args:
        path: the file.
        task: ``tok``, ``pos`` or ``ner``.
        sentences: their rows, each the number of its line and its cells.

    Raises:
        DataError: the first column counts the words; rows of a sentence have different numbers of columns, as words
            between tabs have; for ``tok``, characters with B, M, E and S.
    """
    filled = [rows for each in sentences if (rows := [row for row in each if not row[1][0].startswith("# ")])]
    if not filled:
        return
    file = shlex.quote(str(path))
    line, cells = filled[0][0]
    if max(map(len, filled)) >= _ENOUGH and all(map(_counts, filled)):
        raise DataError(
            f"the first column numbers the words ({cells[0]!r}), and would be learned as text.",
            path=path,
            line=line,
            remedy="Keep the columns of word and tag alone, such as the second and the fourth: "
            f"grep -v '^#' {file} | cut -f 2,4 > NEW.",
        )
    for rows in filled:
        width = len(rows[0][1])
        for number, each in rows:
            if len(each) != width and max(len(each), width) > 2:
                raise DataError(
                    f"{len(each)} columns, where the line that begins the sentence has {width}; only the first "
                    f"{'is' if task == 'tok' else 'two are'} read.",
                    path=path,
                    line=number,
                    remedy="Write word<TAB>tag a line. If a line is a sentence with tabs between its words, put spaces "
                    f"there: tr '\\t' ' ' < {file} > NEW.",
                )
    rows = [each for rows in filled for _, each in rows]
    if task == "tok" and all(len(each) > 1 and len(each[0]) == 1 and each[1] in set("BMIES") for each in rows):
        raise DataError(
            f"holds characters with their places in words ({cells[0]} {cells[1]}), each of which would be a word.",
            path=path,
            line=line,
            remedy="Write a word a line, or a sentence a line with spaces between its words.",
        )


def _counts(rows: Sequence[tuple[int, list[str]]]) -> bool:
    """Whether the first cells of a sentence count 1, 2, 3, with what CoNLL-U has between (``3-4``, ``5.1``)."""
    numbers = [cells[0] for _, cells in rows if len(cells) > 1 and cells[0].isdecimal()]
    between = [cells[0] for _, cells in rows if re.fullmatch(r"[0-9]+[-.][0-9]+", cells[0])]
    begin = int(numbers[0]) if numbers and numbers[0] in ("0", "1") else 1
    return len(numbers) + len(between) == len(rows) and numbers == [str(begin + place) for place in range(len(numbers))]
