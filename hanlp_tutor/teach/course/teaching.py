"""What a teacher needs of each lesson, from ``docs/teaching.yaml``: aim, minutes, answers, misconceptions.

The page ``docs/teaching.md``, the instructor's edition and the tests of the checks all read it here.
"""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hanlp_tutor.errors import TutorError
from hanlp_tutor.teach import check
from hanlp_tutor.teach.course.cost import expected_minutes, read_cost, read_download
from hanlp_tutor.teach.course.lessons import LESSONS, Lesson
from hanlp_tutor.teach.results import read_results

FILE = "teaching.yaml"
PLANS = "plans"  # its one key that is no lesson (:mod:`.hours`)


@dataclass(frozen=True)
class Solution:
    """What stands in place of a student's ``...``; ``seen`` is what a run may show, of a prediction, else None."""

    exercise: str
    answer: str
    seen: Any = None


@dataclass(frozen=True)
class Misconception:
    """A belief, the answer that it leads to in an exercise, and words of the reason that the check then gives."""

    belief: str
    exercise: str
    wrong: str
    says: str


@dataclass(frozen=True)
class Teaching:
    """A lesson as a teacher sees it; ``minutes`` are of teaching, ``discuss`` are questions with their answers."""

    lesson: Lesson
    aim: str
    minutes: int
    offline: str
    discuss: tuple[tuple[str, str], ...]
    solutions: dict[str, Solution]
    misconceptions: tuple[Misconception, ...]


def teaching_file() -> Path:
    """``docs/teaching.yaml`` of the checkout.

    Raises:
        TutorError: an installed package has no ``docs``.
    """
    path = Path(__file__).resolve().parents[3] / "docs" / FILE
    if not path.exists():
        raise TutorError(f"{path}: not there. Solutions are in a clone of the kit, not in an installed package.")
    return path


def read_teaching(path: Path | None = None) -> dict[str, Teaching]:
    """By lesson number, in the order of the course."""
    import yaml

    content = yaml.safe_load((path or teaching_file()).read_text(encoding="utf-8"))
    by_number = {lesson.number: lesson for lesson in LESSONS}
    return {
        number: Teaching(
            lesson=by_number[number],
            aim=entry["aim"],
            minutes=entry["minutes"],
            offline=entry["offline"],
            discuss=tuple((ask, answer) for ask, answer in entry["discuss"]),
            solutions={name: Solution(name, **parts) for name, parts in entry["exercises"].items()},
            misconceptions=tuple(Misconception(**parts) for parts in entry["misconceptions"]),
        )
        for number, entry in content.items()
        if number != PLANS
    }


def handed_over(node: Any, exercise: str) -> ast.expr:
    """What a notebook hands over to the check of an exercise, as an expression.

    Raises:
        KeyError: the notebook does not call it.
    """
    return _call(node, exercise)[1].args[0]


def answer_cell(node: Any, exercise: str) -> Any:
    """The cell in which a student writes the answer: with ``...``, at the check's call or before it.

    Raises:
        KeyError: the notebook has none.
    """
    index, call = _call(node, exercise)
    names = {part.id for part in ast.walk(call.args[0]) if isinstance(part, ast.Name)}
    for cell in reversed(node.cells[: index + 1]):
        if cell.cell_type == "code" and any(names & _bound(each) for each in blanks(cell.source)):
            return cell
    raise KeyError(f"{exercise}: no cell with ... for {', '.join(sorted(names))}")


def blanks(source: str) -> list[ast.stmt]:
    """The statements of a cell that hold the ``...`` of an exercise."""
    return [
        statement
        for statement in ast.parse(source).body
        if any(isinstance(part, ast.Constant) and part.value is ... for part in ast.walk(statement))
    ]


def filled_in(source: str, answer: str) -> str:
    """A cell with an answer in place of its first statement that holds ``...``; what else it says stays."""
    statement, *_ = blanks(source)
    lines = source.splitlines()
    return "\n".join([*lines[: statement.lineno - 1], *answer.splitlines(), *lines[statement.end_lineno :]])


def verdict(node: Any, solution: Solution, answer: str) -> check.Verdict:
    """What the check says of an answer, written as in a notebook, beside what a run may show."""
    import torch  # as the notebooks with tensors have by then

    namespace: dict[str, Any] = {"torch": torch, "math": math}
    exec(compile(answer, solution.exercise, "exec"), namespace)
    expression = ast.Expression(handed_over(node, solution.exercise))
    given = eval(compile(expression, solution.exercise, "eval"), namespace)
    exercise = getattr(check, solution.exercise)
    return exercise.judge(given if solution.seen is None else (given, solution.seen))


def _call(node: Any, exercise: str) -> tuple[int, ast.Call]:
    for index, cell in enumerate(node.cells):
        if cell.cell_type == "code" and f"check.{exercise}(" in cell.source:
            for part in ast.walk(ast.parse(cell.source)):
                if isinstance(part, ast.Call) and ast.unparse(part.func) == f"check.{exercise}":
                    return index, part
    raise KeyError(f"no cell calls check.{exercise}")


def _bound(statement: ast.stmt) -> set[str]:
    """Names that a statement gives a value to."""
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return {statement.name}
    return {part.id for part in ast.walk(statement) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}


def plan() -> str:
    """The lessons as Markdown: what each is for, how long it takes, what goes wrong in heads, what to discuss."""
    teaching, planned, lines = read_teaching(), _plans(), []
    heads = ("", "lesson", "minutes of teaching", "minutes of computing", "memory a seat, GiB", "to fetch, MiB")
    lines += ["", f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    costs = {number: read_cost(each.lesson.name, "class") for number, each in teaching.items()}
    for number, each in teaching.items():
        cost = costs[number]
        measured = f"{cost['minutes']:.1f} | {cost['memory_mb'] / 1024:.1f}" if cost else "not measured | not measured"
        mib = read_download(each.lesson.name)
        title = each.lesson.name.partition("_")[2].replace("_", " ")
        cells = (f"[{number}](../notebooks/{each.lesson.name}.ipynb)", title, str(each.minutes), measured,
                 "not measured" if mib is None else f"{mib:.1f}" if mib else "0")  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    known = [cost for cost in costs.values() if cost]
    if known:
        devices = " and ".join(sorted({cost["device"] for cost in known}))
        lines += ["", f"Computing is measured in the profile `class` on {devices}, from `results/notebooks.json`. To "
                  f"fetch is what a lesson adds to empty caches while it runs. {_installing()}", ""]  # fmt: skip
        lines += [*_seats(known), "", *_grading(teaching)]
    for number, each in teaching.items():
        lines += ["", f"### {number} · {each.lesson.zh} {each.lesson.name.partition('_')[2].replace('_', ' ')}", ""]
        room = _room(each, costs[number], planned.get(number, []))
        lines += [f"**Aim.** {each.aim}", "", f"**Time and room.** {room}", ""]
        lines += [f"**Without a network.** {each.offline}", "", "**Misconceptions.**", ""]
        for wrong in each.misconceptions:
            lines += [f"- *{wrong.belief}* Exercise {number}.{wrong.exercise.rpartition('_')[2]} is then answered:"]
            lines += ["", "  ```python", *(f"  {line}".rstrip() for line in wrong.wrong.splitlines()), "  ```", ""]
            lines += [f"  and the check's reason says: “{wrong.says}”.", ""]
        lines += ["**To discuss.**", ""]
        lines += [f"- {ask} — {answer}" for ask, answer in each.discuss]
    return "\n".join([*lines, ""])


def _installing() -> str:
    """What the installation fetches, once a machine, as the bundle holds it."""
    content = read_results("offline")
    if content is None:
        return "What installing fetches has not been measured."
    held, torch = content["bundle"], content["versions"]["torch"]
    return (
        f"Installing fetches about {held['wheels_mib']:,} MiB in {held['wheels']} packages, once a machine, corpora "
        f"among them (extras `course` and `lab`, {held['made_for']}, torch {torch}; some GB more where pip chooses "
        "torch with CUDA); the weights are in the kit."
    )


def _plans() -> dict[str, list[str]]:
    """By number of a lesson the titles of the hours that are planned minute by minute."""
    import yaml

    found: dict[str, list[str]] = {}
    for title, entry in yaml.safe_load(teaching_file().read_text(encoding="utf-8"))[PLANS].items():
        found.setdefault(entry["lesson"], []).append(title)
    return found


def _room(each: Teaching, cost: dict[str, Any] | None, plans: list[str]) -> str:
    """What a teacher looks up first: the minutes of a lesson, what forty seats and the grading of forty take."""
    text = f"[Notebook](../notebooks/{each.lesson.name}.ipynb), {each.minutes} minutes of teaching"
    text += "".join(f", [planned minute by minute](#{title.lower().replace(' ', '-')})" for title in plans) + "."
    if cost:
        gib = cost["memory_mb"] / 1024
        text += f" It computes for {cost['minutes']:.1f} minutes; forty seats at once take {40 * gib:.0f} GiB and, "
        text += f"on ten cores, about {4 * cost['minutes']:.0f} minutes."
    grading = expected_minutes(each.lesson.name, "smoke")
    return text + (f" Grading forty, one after the other: about {40 * grading:.0f} minutes." if grading else "")


def _seats(costs: list[dict[str, Any]]) -> list[str]:
    """What forty seats of one server need, from the most hungry lesson and from the median one."""
    from statistics import median

    gib = sorted(cost["memory_mb"] / 1024 for cost in costs)
    slow = max(cost["minutes"] for cost in costs)
    return [
        f"**A server with forty seats.** A seat takes {gib[-1]:.1f} GiB in the most hungry lesson and "
        f"{median(gib):.1f} in the median one, so forty that compute at once need {40 * gib[-1]:.0f} GiB, and "
        f"{40 * median(gib):.0f} in the median lesson, beside what JupyterHub and the system take. A seat computes "
        "with one thread. With forty cores nobody waits for another; with ten, a lesson in which all press Run "
        f"together takes about four times its minutes, up to {4 * slow:.0f}. Then let pairs share a seat, or run the "
        "slow cells before class and read the stored outputs.",
    ]


def _grading(teaching: dict[str, Teaching]) -> list[str]:
    """How long a class's notebooks take to grade."""
    minutes = [each for one in teaching.values() if (each := expected_minutes(one.lesson.name, "smoke"))]
    least, most = 40 * min(minutes), 40 * max(minutes)
    return [
        f"**Grading forty notebooks** of one lesson with `hanlp-tutor grade` may take {least:.0f} to {most:.0f} "
        "minutes on such a machine, one after the other; with `--jobs 4` a quarter of that, on four cores.",
    ]
