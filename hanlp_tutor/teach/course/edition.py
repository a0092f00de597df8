"""Two editions of a lesson from one source: the student's, and the instructor's with solutions and what goes wrong.

The source is the course's own notebook. The instructor's has cells more, tagged ``instructor``, and exercises solved,
tagged ``solution``, each with the source that a student gets in its metadata. The student's shows what was stored above
the first exercise and nothing from there on: what stands behind an exercise may answer it, as the run behind a
prediction does, the table of an experiment further down, and the take-aways at the end. So the student's is made from
either of the two, and the instructor's from either with the outputs that it has.
"""

from __future__ import annotations

import copy
from contextlib import suppress
from pathlib import Path
from typing import Any

from hanlp_tutor.errors import TutorError, first_line
from hanlp_tutor.files import write_file
from hanlp_tutor.teach.course.cost import describe_cost, read_cost
from hanlp_tutor.teach.course.submission import CALL
from hanlp_tutor.teach.course.teaching import Solution, Teaching, answer_cell, filled_in, read_teaching, verdict

INSTRUCTOR, SOLUTION, QUIZ = "instructor", "solution", "quiz"
EDITIONS = ("student", INSTRUCTOR)
_BLANK = "student_source"


class EditionError(TutorError):
    """A notebook of which an edition cannot be made."""


def write_editions(source: Path, edition: str, out: Path) -> list[Path]:
    """Write an edition of a notebook, or of all the notebooks of a folder.

    Raises:
        EditionError: no notebook, one that cannot be read, one without a plan for teaching, or ``out`` is their folder.
    """
    import nbformat

    paths = sorted(source.glob("*.ipynb")) if source.is_dir() else [source]
    if not paths or not paths[0].exists():
        raise EditionError(f"{source}: no notebook there. Give a file, or a folder with .ipynb files.")
    if out.resolve() in {path.resolve().parent for path in paths}:
        raise EditionError(f"{out}: the notebooks lie there, and would be overwritten. Choose another folder.")
    teaching = read_teaching() if edition == INSTRUCTOR else {}
    made = []
    for path in paths:
        try:
            node = _blank_again(nbformat.read(path, as_version=4))
        except Exception as error:  # what a damaged file makes the library raise is anything
            raise EditionError(f"{path}: cannot be read as a notebook ({first_line(error)}).") from None
        if edition == INSTRUCTOR:
            lesson = teaching.get(path.stem.partition("_")[0])
            if lesson is None:
                raise EditionError(f"{path}: no lesson of docs/teaching.yaml. Its name has to begin with a number.")
            node = for_instructor(node, lesson)
        else:
            node = for_student(node)
        content = (nbformat.writes(node) + "\n").encode("utf-8")
        out.mkdir(parents=True, exist_ok=True)
        write_file(out / path.name, lambda file, content=content: file.write(content))
        made.append(out / path.name)
    return made


def for_student(node: Any) -> Any:
    """A copy without the instructor's cells, the exercises blank again, without outputs from the first exercise on."""
    node = _blank_again(node)
    for cell in node.cells[_first_exercise(node) :]:
        if cell.cell_type == "code" and QUIZ not in _tags(cell):  # a quiz shows its answers when it is asked for them
            cell.outputs, cell.execution_count = [], None
    return node


def _first_exercise(node: Any) -> int:
    """The index of the first cell that an answer is written in, or handed to its check; behind the last if none is."""
    calls = [name for cell in node.cells if cell.cell_type == "code" for name, _ in CALL.findall(cell.source)]
    answered = []
    for name in calls:
        with suppress(KeyError, SyntaxError):  # a student has filled it in, or broken it
            answered.append(answer_cell(node, name))
    return next(
        (
            index
            for index, cell in enumerate(node.cells)
            if any(cell is each for each in answered) or (cell.cell_type == "code" and CALL.search(cell.source))
        ),
        len(node.cells),
    )


def _blank_again(node: Any) -> Any:
    node = copy.deepcopy(node)
    node.cells = [cell for cell in node.cells if INSTRUCTOR not in _tags(cell)]
    for cell in node.cells:
        if SOLUTION in _tags(cell):
            kept = cell.metadata["hanlp_tutor"].pop(_BLANK)
            cell.source, cell.outputs, cell.execution_count = kept["source"], kept["outputs"], kept["execution_count"]
            cell.metadata["tags"].remove(SOLUTION)
            for name in ("tags", "hanlp_tutor"):
                if not cell.metadata[name] and name not in kept["metadata"]:
                    del cell.metadata[name]
    return node


def for_instructor(node: Any, lesson: Teaching) -> Any:
    """A copy with the exercises solved, the plan above, misconceptions beside each exercise, the discussion below.

    Raises:
        EditionError: an exercise of the plan has no place in the notebook.
    """
    node = _blank_again(node)
    blank = copy.deepcopy(node)
    for name, solution in lesson.solutions.items():
        try:
            answered = answer_cell(node, name)
        except KeyError as error:
            reason = f"lesson {lesson.lesson.number}: {error.args[0]}"
            raise EditionError(f"{reason}. Make it from the course's own notebook.") from None
        place = next(i for i, cell in enumerate(node.cells) if cell is answered)
        _solve(answered, solution)
        node.cells.insert(place + 1, _note(name, _beside(lesson, solution, blank)))
    node.cells.insert(1, _note("plan", _plan(lesson)))
    node.cells.append(_note("discuss", _discussion(lesson)))
    return node


def _solve(cell: Any, solution: Solution) -> None:
    kept = {
        "source": cell.source,
        "outputs": cell.outputs,
        "execution_count": cell.execution_count,
        "metadata": [name for name in ("tags", "hanlp_tutor") if name in cell.metadata],
    }
    cell.metadata.setdefault("hanlp_tutor", {})[_BLANK] = kept
    cell.metadata.setdefault("tags", []).append(SOLUTION)
    cell.source = filled_in(cell.source, solution.answer)
    cell.outputs, cell.execution_count = [], None  # what is stored is of the blank exercise


def _note(name: str, text: str) -> Any:
    from nbformat.v4 import new_markdown_cell

    cell = new_markdown_cell(text, metadata={"tags": [INSTRUCTOR]})
    cell.id = f"{INSTRUCTOR}-{name}"
    return cell


def _beside(lesson: Teaching, solution: Solution, node: Any) -> str:
    """What the check says of the right answer, and which wrong ones are to be expected."""
    number = f"{lesson.lesson.number}.{solution.exercise.rpartition('_')[2]}"
    lines = [f"**For the instructor · exercise {number}.** "]
    if solution.seen is None:
        lines[0] += f"Solved above. The check says: *{verdict(node, solution, solution.answer).reason}*"
    else:
        lines[0] += "Above stands one possible prediction. Count that one was made, not whether it was right."
    for wrong in lesson.misconceptions:
        if wrong.exercise == solution.exercise:
            reason = "" if solution.seen is not None else verdict(node, solution, wrong.wrong).reason
            says = f"The check says: *{reason}*" if reason else f"The check's reason has the words “{wrong.says}”."
            lines += ["", f"Misconception: **{wrong.belief}** Then a student writes", "", "```python"]
            lines += [wrong.wrong, "```", says]
    return "\n".join(lines)


def _plan(lesson: Teaching) -> str:
    cost = describe_cost(read_cost(lesson.lesson.name, "class"))
    return "\n".join(
        [
            f"**For the instructor.** {lesson.aim}",
            "",
            f"- Teaching: {lesson.minutes} minutes. Computing: {cost}.",
            f"- Without a network: {lesson.offline}",
            "- The course of a class hour: `docs/teaching.md`.",
        ]
    )


def _discussion(lesson: Teaching) -> str:
    lines = ["**For the instructor · to discuss.**", ""]
    return "\n".join([*lines, *(f"- {ask} *{answer}*" for ask, answer in lesson.discuss)])


def _tags(cell: Any) -> list[str]:
    return list(cell.metadata.get("tags", []))
