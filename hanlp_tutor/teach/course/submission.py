"""A student's notebook as it was handed in: whose it is, which exercises it calls, what was answered.

Nothing here executes a notebook.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from hanlp_tutor.errors import TutorError, first_line

CALL = re.compile(r"\bcheck\.(q(\d\d[a-z]?)_\d+)\s*\(")
_LARGEST = 64 * 2**20  # bytes; a notebook of the course has less than one MiB


class SubmissionError(TutorError):
    """A file that cannot be graded, with the reason."""


@dataclass
class Submission:
    """One notebook of one student.

    Attributes:
        calls: by index of the cell, the exercises whose checks it calls, in order.
    """

    student: str
    path: Path
    node: Any
    calls: dict[int, list[str]] = field(default_factory=dict)

    @property
    def lessons(self) -> list[str]:
        """The numbers of the lessons whose exercises are in it; nearly always one."""
        return sorted({name[1:].partition("_")[0] for names in self.calls.values() for name in names})

    def answers(self) -> dict[str, str]:
        """By cell id: what was written where the course's notebook has another source, names and layout aside."""
        changed = {}
        for cell, original in self._beside_the_course():
            if "..." in original and (form := normal_form(cell.source)) != normal_form(original):
                changed[cell.id] = form
        return changed

    def tampered(self) -> list[str]:
        """Ids of cells that call a check otherwise than the course does."""
        return [
            cell.id
            for cell, original in self._beside_the_course()
            if _check_lines(original) != _check_lines(cell.source)
        ]

    def _beside_the_course(self) -> Iterator[tuple[Any, str]]:
        """Code cells with the course's source of them: by id, and where ids were lost, as in Colab, by the check."""
        course = {id_: source for lesson in self.lessons for id_, source in course_cells(lesson).items()}
        by_calls = {tuple(_called(source)): source for source in course.values() if _called(source)}
        for index, cell in enumerate(self.node.cells):
            if cell.cell_type == "code":
                original = course.get(cell.id) or by_calls.get(tuple(self.calls.get(index, ())))
                if original is not None:
                    yield cell, original


def find_submissions(folder: Path) -> Iterator[tuple[str, Path]]:
    """Students and their notebooks: files that lie in the folder, or in a folder for each student.

    Yields:
        the student's name, which is that of the file without the lesson's name, or that of the sub-folder; the path.

    Raises:
        SubmissionError: no such folder, or no notebook in it.
    """
    if not folder.is_dir():
        raise SubmissionError(f"{folder}: no such folder. Give the folder in which the students' notebooks lie.")
    paths = [
        path
        for path in sorted(folder.rglob("*.ipynb"))
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if not paths:
        raise SubmissionError(f"{folder}: no notebook (*.ipynb) in it, nor in its sub-folders.")
    for path in paths:
        parts = path.relative_to(folder).parts
        yield (parts[0] if len(parts) > 1 else _student_of(path.stem)), path


def read_submission(student: str, path: Path) -> Submission:
    """Read a notebook and find its exercises.

    Raises:
        SubmissionError: it cannot be read as a notebook, or calls no check of the course.
    """
    import nbformat

    try:
        if path.stat().st_size > _LARGEST:
            raise SubmissionError(f"{path}: larger than {_LARGEST >> 20} MiB. Clear its outputs and hand it in again.")
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        node = nbformat.reads(json.dumps(content), as_version=4)
        _give_ids(node)
        cells = [(index, cell.source) for index, cell in enumerate(node.cells) if cell.cell_type == "code"]
    except SubmissionError:
        raise
    except Exception as error:  # what a damaged file makes the library raise is anything
        raise SubmissionError(
            f"{path}: cannot be read as a notebook ({first_line(error)}). Ask for it again, saved from Jupyter."
        ) from None
    calls = {index: names for index, source in cells if (names := _called(source))}
    if not calls:
        raise SubmissionError(f"{path}: calls no check of the course (such as check.q05_1). Is it another notebook?")
    return Submission(student, path, node, calls)


@cache
def course_cells(lesson: str) -> dict[str, str]:
    """Sources of the code cells of the course's own notebook, by id; none where there is no checkout."""
    import nbformat

    from hanlp_tutor.workbench.notebook_file import NotebookError, find_notebook

    try:
        node = nbformat.read(find_notebook(lesson), as_version=4)
    except NotebookError:
        return {}
    return {cell.id: cell.source for cell in node.cells if cell.cell_type == "code"}


def normal_form(source: str) -> str:
    """A cell without comments, docstrings and layout, its own names numbered; the text itself if it is no Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return " ".join(source.split())
    stored = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    own = stored | {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    number: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        if isinstance(node, ast.Name) and node.id in own:
            node.id = number.setdefault(node.id, f"v{len(number)}")
        elif isinstance(node, ast.arg):
            node.arg = number.setdefault(node.arg, f"v{len(number)}")
    return ast.unparse(tree)


def _give_ids(node: Any) -> None:
    """Cells of a notebook that was saved in an older form have none; Colab keeps its own in the metadata."""
    seen: set[str] = set()
    for number, cell in enumerate(node.cells, start=1):
        id_ = str(cell.get("id") or cell.metadata.get("id") or f"cell-{number}")
        cell.id = id_ if id_ not in seen and re.fullmatch(r"[\w-]{1,64}", id_, re.ASCII) else f"cell-{number}"
        seen.add(cell.id)
    node.nbformat, node.nbformat_minor = 4, 5


def _called(source: str) -> list[str]:
    lines = (line for line in source.splitlines() if not line.lstrip().startswith("#"))
    return [name for line in lines for name, _ in CALL.findall(line)]


def _check_lines(source: str) -> list[str]:
    return [" ".join(line.split()) for line in source.splitlines() if CALL.search(line)]


def _student_of(stem: str) -> str:
    """A file name without the lesson's: ``05_finetune_ner_zhang`` and ``zhang-05_finetune_ner`` are zhang's."""
    from hanlp_tutor.teach.course.lessons import LESSONS

    for lesson in LESSONS:
        if lesson.name in stem:
            rest = stem.replace(lesson.name, "").strip(" _-.()")
            return rest or stem
    return stem
