"""Where token and tag stand in a column file, and where a sentence ends, if it is not plain ``token<TAB>tag``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hanlp_tutor.data.reader_options import pass_option
from hanlp_tutor.errors import ConfigError, DataError

_LOWER_CASE = re.compile(r"o|[bimes](?=[-_].)", re.DOTALL)
_COMMENT = re.compile(r"# *(newdoc|newpar|[\w.-]+ *=)")  # of CoNLL-U


@dataclass(frozen=True)
class Layout:
    """The options of :func:`hanlp_tutor.data.read_columns` that say how the file is laid out.

    Args:
        token_column, tag_column: from 1, in a file of more columns (CoNLL 2003, CoNLL-U) or of another order; None is
            the first and the last. Tabs separate where the line has one, else spaces.
        lower_case_tags: ``b-per`` and ``o`` are tags.
        split_at: a sentence ends behind each of these characters too, unless an entity goes on behind it.

    Raises:
        ConfigError: a column below 1, or no character to split at.
    """

    token_column: int | None = None
    tag_column: int | None = None
    lower_case_tags: bool = False
    split_at: str | None = None

    def __post_init__(self) -> None:
        for name in ("token_column", "tag_column"):
            number = getattr(self, name)
            if number is not None and number < 1:
                raise ConfigError(f"{name} is {number}; columns count from 1.")
        if self.split_at == "":
            raise ConfigError("split_at is empty; it names the characters that end a sentence, such as 。！？")

    @property
    def picks_columns(self) -> bool:
        """Whether the columns are named."""
        return self.token_column is not None or self.tag_column is not None

    def is_token(self, line: str) -> bool:
        """Whether a line holds a token: the comments of CoNLL-U hold none."""
        return not (self.picks_columns and _COMMENT.match(line))

    def width(self, lines: Iterable[str]) -> int | None:
        """The number of columns that most lines of a sentence have; None where columns are not picked, or none has any.

        CoNLL 2012 has another number of columns in each sentence, but the same in all lines of one.
        """
        widths = Counter(len(cells_of(line)) for line in lines if self.picks_columns and self.is_token(line))
        return widths.most_common(1)[0][0] if widths else None

    def plain(self, line: str, width: int | None = None) -> str:
        """The line as ``token<TAB>tag``; ``width`` is the number of columns of its sentence.

        Raises:
            DataError: it has fewer columns, or another number where that moves those that are picked.
        """
        if self.picks_columns:
            cells = cells_of(line)
            # A token with a space in it ("Last Name _ O B-PER") is two columns, and the tag another's. Between tabs
            # only what is counted from the end can move.
            if width not in (None, len(cells)) and ("\t" not in line or self.tag_column is None):
                raise DataError(
                    f"{len(cells)} columns in {line[:40]!r}, where the other lines of the sentence have {width}.",
                    remedy="Mend the line; where a token holds a space, separate the columns by tabs.",
                )
            token, tag = self.token_column or 1, self.tag_column or len(cells)
            if max(token, tag) > len(cells):
                raise DataError(
                    f"{len(cells)} columns in {line[:40]!r}, where token and tag are {token} and {tag}.",
                    remedy=f"Mend the line. {pass_option('tag_column', 'NUMBER')} if the tags stand elsewhere.",
                )
            line = f"{cells[token - 1]}\t{cells[tag - 1]}"
        if self.lower_case_tags:
            line = re.sub(r"[^\t ]+[\t ]*$", lambda tag: _LOWER_CASE.sub(_upper, tag[0], count=1), line)
        return line

    def cut(self, rows: Sequence[Any]) -> list[list[Any]]:
        """The rows of what stands between two blank lines, as sentences; a row has ``token`` and ``tag``."""
        if not self.split_at:
            return [list(rows)]
        sentences: list[list[Any]] = [[]]
        for row, following in zip(rows, [*rows[1:], None], strict=True):
            sentences[-1].append(row)
            if following is not None and row.token[-1] in self.split_at and following.tag[0] not in "IME":
                sentences.append([])
        return sentences


def cells_of(line: str) -> list[str]:
    """The columns of a line: tabs separate where it has one, else spaces."""
    return line.split("\t") if "\t" in line else re.split(" +", line.strip(" "))


def _upper(letter: re.Match[str]) -> str:
    return letter[0].upper()
