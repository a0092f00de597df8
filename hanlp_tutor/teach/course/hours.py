"""Two hours of teaching, minute by minute, from ``docs/teaching.yaml``: what is run, said, asked, and left out.

Parts of a lesson are named by the ids of its cells, so a plan whose lesson has changed is found by the tests; headings,
numbers of cells and minutes of computing are read from the notebook and from what it was measured to cost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hanlp_tutor.teach.course.cost import read_cost
from hanlp_tutor.teach.course.evidence import number_shown, shown_by
from hanlp_tutor.teach.course.lessons import LESSONS, Lesson
from hanlp_tutor.teach.course.teaching import PLANS, teaching_file


@dataclass(frozen=True)
class Part:
    """A stretch of an hour; ``cells`` are the ids of the first and the last that are run, none where nothing is.

    ``answer`` is what the class may find to ``ask``.
    """

    minutes: int
    does: str
    late: str
    ask: str = ""
    answer: str = ""
    cells: tuple[str, str] | None = None
    exercise: str | None = None


@dataclass(frozen=True)
class Hour:
    """A plan; ``slow`` names the cell that takes longest, and how its output says its minutes."""

    title: str
    lesson: Lesson
    before: str
    parts: tuple[Part, ...]
    slow: dict[str, str] | None = None

    @property
    def minutes(self) -> int:
        """Of teaching, in all."""
        return sum(part.minutes for part in self.parts)


def read_hours(path: Path | None = None) -> list[Hour]:
    """The plans, in their order."""
    import yaml

    content = yaml.safe_load((path or teaching_file()).read_text(encoding="utf-8"))[PLANS]
    by_number = {lesson.number: lesson for lesson in LESSONS}
    return [
        Hour(
            title,
            by_number[entry["lesson"]],
            entry["before"],
            tuple(Part(**{**part, "cells": tuple(part["cells"]) if "cells" in part else None})
                  for part in entry["parts"]),
            entry.get("slow"),
        )
        for title, entry in content.items()
    ]  # fmt: skip


def notebook_of(hour: Hour) -> Any:
    """The lesson's notebook, as it is stored."""
    import nbformat

    from hanlp_tutor.workbench.notebook_file import find_notebook

    return nbformat.read(find_notebook(hour.lesson.name), as_version=4)


def hours() -> str:
    """All plans as Markdown."""
    return "\n".join([*(line for hour in read_hours() for line in _rendered(hour, notebook_of(hour))), ""])


def _rendered(hour: Hour, node: Any) -> list[str]:
    title = hour.lesson.name.partition("_")[2].replace("_", " ")
    link = f"[lesson {hour.lesson.number}, {title}](../notebooks/{hour.lesson.name}.ipynb)"
    lines = ["", f"## {hour.title}", "", f"With {link}. {_computing(hour, node)} {hour.before}", ""]
    lines += ["| minutes | cells | what happens | you ask | when late |", "|---|---|---|---|---|"]
    begun = 0
    for part in hour.parts:
        exercise = f" **Exercise {hour.lesson.number}.{part.exercise.rpartition('_')[2]}.**" if part.exercise else ""
        cells = place(node, *part.cells) if part.cells else "none"
        row = (f"{begun} to {begun + part.minutes}", cells, part.does + exercise, part.ask, part.late)
        lines.append(_with_numbers(f"| {' | '.join(row)} |", node))
        begun += part.minutes
    answers = [_with_numbers(f"- {part.ask} — {part.answer}", node) for part in hour.parts if part.ask]
    return [*lines, "", "What may be answered:", "", *answers]


def _with_numbers(text: str, node: Any) -> str:
    """A text in which the id of a cell in backticks is its number: Jupyter shows nobody an id."""
    number = numbers(node)
    return re.sub(r"`([\w-]+)`", lambda m: f"cell {number[m[1]]}" if m[1] in number else m[0], text)


def _computing(hour: Hour, node: Any) -> str:
    cost = read_cost(hour.lesson.name, "class")
    if cost is None:
        return "What it computes has not been measured."
    text = f"It computes for {cost['minutes']:.1f} minutes in the profile `class` on {cost['device']}"
    if hour.slow:
        cell = next(cell for cell in node.cells if cell.id == hour.slow["cell"])
        minutes = number_shown(shown_by(cell), hour.slow["finds"])
        text += f", {minutes:.1f} of them in cell {numbers(node)[cell.id]}"
    return f"{text}."


def numbers(node: Any) -> dict[str, int]:
    """The number of each code cell, counted from the top, as Jupyter shows it after a run."""
    return {cell.id: number for number, cell in enumerate(_code(node), start=1)}


def place(node: Any, first: str, last: str) -> str:
    """Where two cells lie: the headings of their sections, and their numbers.

    Raises:
        KeyError: no code cell of that name.
    """
    number, titles, under = numbers(node), [], ""
    for cell in node.cells:
        headings = re.findall(r"^## (.+)$", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else []
        under = headings[-1] if headings else under
        if cell.cell_type == "code" and number[first] <= number[cell.id] <= number[last] and under not in titles:
            titles.append(under)
    shown = " to ".join(dict.fromkeys(str(number[name]) for name in (first, last)))
    return f"{shown} ({'; '.join(filter(None, titles))})" if any(titles) else shown


def _code(node: Any) -> list[Any]:
    return [cell for cell in node.cells if cell.cell_type == "code"]
