"""The glossary of the course: each term stands in the lesson that it names first, with its Chinese beside it."""

import re
from collections.abc import Iterable
from pathlib import Path

import nbformat
import pytest

from hanlp_tutor.teach.course.execute import CLASS_ROOM

ROOT = Path(__file__).parents[1]
ROW = re.compile(
    r"^\| (?P<english>[^|]+) \| (?P<chinese>[^|]+) \| (?P<meaning>[^|]+) \| \[(?P<lesson>\w+)\]\((?P<link>[^)]+)\) \|$"
)
ROWS = [
    found.groupdict()
    for line in (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
    if (found := ROW.match(line))
]
# What is shown and not said: code, formulas, quotations of the article, targets of links.
SHOWN = re.compile(r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|^>.*?$|\]\([^)]*\)", re.DOTALL | re.MULTILINE)


def prose() -> list[tuple[str, str]]:
    """The course in its order: lesson and text of each Markdown cell, but what announces a lesson or sums it up."""
    cells = []
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        own = [c for c in nbformat.read(path, as_version=4).cells if not CLASS_ROOM & set(c.metadata.get("tags", []))]
        texts = [cell.source for cell in own if cell.cell_type == "markdown"]
        cells += [(path.name.partition("_")[0], SHOWN.sub(" ", text).replace("*", "")) for text in texts[1:-2]]
    return cells


PROSE = prose()


def pattern(english: str) -> re.Pattern[str]:
    """A term in running text; of ``corpus, corpora`` either form."""
    forms = "|".join(re.escape(form).replace(r"\ ", r"\s") for form in english.split(", "))
    return re.compile(rf"(?<![\w-])(?:{forms})(?:s|es)?(?![\w-])", re.IGNORECASE)


def first_use(english: str, others: Iterable[str]) -> tuple[str, str]:
    """Lesson and text of the first cell that has a term, not as a part of another one (precision in half precision)."""
    term = pattern(english)
    longer = [pattern(other) for other in others if term.search(other) and other != english]
    for lesson, text in PROSE:
        rest = text
        for other in longer:
            rest = other.sub(" ", rest)
        if term.search(rest):
            return lesson, text
    return "", ""


def test_the_glossary_is_there_and_in_order():
    assert len(ROWS) >= 60
    assert len({row["english"].lower() for row in ROWS}) == len(ROWS)
    lessons = list(dict.fromkeys(lesson for lesson, _ in PROSE))
    assert [row["lesson"] for row in ROWS] == sorted((row["lesson"] for row in ROWS), key=lessons.index)
    assert all((ROOT / "docs" / row["link"]).exists() for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[row["english"].replace(" ", "-") for row in ROWS])
def test_a_term_stands_first_where_the_glossary_says_with_its_chinese(row: dict[str, str]):
    lesson, text = first_use(row["english"], [other["english"] for other in ROWS])
    assert lesson == row["lesson"], f"first used in lesson {lesson or 'none'}: {text[:200]}"
    assert row["chinese"] in text, f"without {row['chinese']}: {text[:300]}"
