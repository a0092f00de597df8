"""Grade a folder of students' notebooks: for each student and exercise solved, wrong, not tried or broken.

A stored output is text that anybody can write, so each notebook is executed, in a process of its own with a limit of
time and one of memory, in the profile smoke, one after the other or some at a time; :func:`grade` with
``trust_outputs`` reads what is stored instead. A student's code runs with your rights: grade what strangers send in a
container.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hanlp_tutor import processes, threads
from hanlp_tutor.files import write_file
from hanlp_tutor.teach import check
from hanlp_tutor.teach.course.submission import Submission, SubmissionError, find_submissions, read_submission

SOLVED, WRONG, NOT_TRIED, BROKEN = "solved", "wrong", "not tried", "broken"
STATES = (SOLVED, WRONG, NOT_TRIED, BROKEN)
NOT_GRADED = "not graded"  # of a file as a whole: it has no exercise
_HINT = re.compile(r" \(Hint \d of \d: check\.hint\(\"\w+\"\)\)$")
_LOOK = 0.1  # seconds between two looks at a process that is limited


@dataclass(frozen=True)
class Limits:
    """What one notebook may take: ``seconds`` of wall-clock time, ``memory_mb`` MiB of all its processes together."""

    seconds: float = 600.0
    memory_mb: float = 4096.0


@dataclass(frozen=True)
class Grade:
    """One exercise of one student; ``cell`` is the id of the cell that calls its check, or of the one that failed."""

    student: str
    notebook: str
    exercise: str
    state: str
    reason: str
    cell: str = ""
    prediction: bool = False


@dataclass
class Report:
    """What a folder of notebooks came to.

    Attributes:
        copies: pairs of students with the same answers, and in how many cells.
        unreadable: what cannot be graded, by file: a row without an exercise.
        remarks: what a teacher should look at, such as a check that is called otherwise than in the course.
    """

    grades: list[Grade] = field(default_factory=list)
    copies: list[dict[str, Any]] = field(default_factory=list)
    unreadable: dict[str, Grade] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def tally(self) -> dict[str, dict[str, int]]:
        """How many exercises of each state a student has."""
        counts: dict[str, Counter[str]] = {}
        for grade in self.grades:
            counts.setdefault(grade.student, Counter())[grade.state] += 1
        return {student: {state: count[state] for state in STATES} for student, count in counts.items()}

    def as_json(self) -> dict[str, Any]:
        """The report for programs."""
        grades = [asdict(grade) for grade in self.grades]
        return {
            "students": self.tally(),
            "grades": grades,
            "copies": self.copies,
            "unreadable": {path: row.reason for path, row in self.unreadable.items()},
            "remarks": self.remarks,
        }


def grade(
    folder: Path,
    *,
    trust_outputs: bool = False,
    limits: Limits | None = None,
    profile: str = "smoke",
    jobs: int = 1,
    tell: Callable[[str], None] = lambda text: None,
) -> Report:
    """Grade the notebooks of a folder; one that cannot be read does not stop the others.

    Args:
        folder: a notebook for each student, or a sub-folder for each.
        trust_outputs: read the stored outputs and execute nothing.
        profile: in which the notebooks are executed.
        jobs: how many are executed at a time; they share the cores, and each may take ``limits.memory_mb``.
        tell: is given a line on how long it may take, and one for each notebook when its turn comes.

    Raises:
        SubmissionError: no such folder, or no notebook in it.
    """
    report, read = Report(), []
    for student, path in find_submissions(Path(folder)):
        try:
            read.append(read_submission(student, path))
        except SubmissionError as error:
            report.unreadable[str(path)] = Grade(student, path.name, "", NOT_GRADED, str(error))
    if trust_outputs:
        said = [_stored(submission) for submission in read]
    else:
        said = _all_executed(read, profile, limits or Limits(), jobs, tell)
    for submission, found in zip(read, said, strict=True):
        _enter(report, submission, found)
    report.copies = copies(read)
    return report


def _enter(report: Report, submission: Submission, said: dict[str, dict[str, Any]]) -> None:
    """Put what was found in one notebook into the report."""
    path = submission.path
    unknown = [name for names in submission.calls.values() for name in names if not _is_exercise(name)]
    if unknown:
        report.remarks.append(f"{path}: there is no exercise {', '.join(unknown)}.")
    report.grades += [
        Grade(submission.student, path.name, name, **said.get(name, _gone()))
        for lesson in submission.lessons
        for name in (exercise.name for exercise in check.exercises(lesson))
    ]
    report.remarks += [
        f"{path}, cell {cell}: the check is called otherwise than in the course: look at it."
        for cell in submission.tampered()
    ]


def _all_executed(
    read: list[Submission], profile: str, limits: Limits, jobs: int, tell: Callable[[str], None]
) -> list[dict[str, dict[str, Any]]]:
    """What the checks say in each notebook, in their order; ``jobs`` of them run at a time."""
    begun, done = time.monotonic(), []
    if read:
        tell(forecast(read, profile, jobs))

    def run(number: int) -> dict[str, dict[str, Any]]:
        submission = read[number]
        took = time.monotonic() - begun
        left = f", about {duration(took / len(done) * (len(read) - len(done)))} to go" if done else ""
        tell(f"{number + 1}/{len(read)} {submission.student}: {submission.path.name}{left}")
        said = _executed(submission, profile, limits, jobs)
        done.append(number)
        return said

    with ThreadPoolExecutor(jobs) as pool:
        try:
            return list(pool.map(run, range(len(read))))
        except BaseException:  # Ctrl-C too: the others are not begun
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def forecast(read: list[Submission], profile: str, jobs: int = 1) -> str:
    """How long it may take to execute these notebooks, from what their lessons were measured to cost."""
    from hanlp_tutor.teach.course.cost import expected_minutes
    from hanlp_tutor.teach.course.lessons import LESSONS

    names = {lesson.number: lesson.name for lesson in LESSONS}
    each = [expected_minutes(names.get(number, ""), profile) for one in read for number in one.lessons]
    unknown, minutes = each.count(None), sum(filter(None, each))
    how = "one after the other" if jobs == 1 else f"{jobs} at a time"
    text = f"{len(read)} notebook{'s' * (len(read) != 1)} to execute in the profile {profile}, {how}"
    if unknown == len(each):
        return f"{text}: how long that takes was never measured."
    text += f": up to {duration(60 * minutes / min(jobs, len(read)))}"
    if unknown:
        text += f" and {unknown} of a lesson that was never measured"
    return f"{text} on a machine like the one that measured the lessons."


def duration(seconds: float) -> str:
    """A time as one says it: ``40 s``, ``12 minutes``."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} minutes"


def copies(submissions: list[Submission]) -> list[dict[str, Any]]:
    """Pairs of students whose answers are the same, their names and layout aside, in all of at least two cells."""
    answered = [(each, each.answers()) for each in submissions]
    pairs = []
    for number, (one, first) in enumerate(answered):
        for other, second in answered[:number]:
            if one.student != other.student and first == second and len(first) > 1:
                pairs.append({"students": sorted((other.student, one.student)), "cells": sorted(first)})
    return pairs


def _is_exercise(name: str) -> bool:
    return any(each.name == name for each in check.exercises(name[1:].partition("_")[0]))


def _gone() -> dict[str, Any]:
    return {"state": NOT_TRIED, "reason": "No cell calls its check."}


def _stored(submission: Submission) -> dict[str, dict[str, Any]]:
    """What the stored outputs say, by exercise."""
    said = {}
    for index, names in submission.calls.items():
        cell = submission.node.cells[index]
        outputs = cell.get("outputs", [])
        text = "".join(output.get("text", "") for output in outputs if output.get("name") == "stdout")
        lines = [line for line in text.splitlines() if line.startswith(("Accepted. ", "Not yet. "))]
        errors = [output for output in outputs if output.output_type == "error"]
        for number, name in enumerate(names):
            if number < len(lines):
                state, reason = _of_line(lines[number])
            elif errors:
                state, reason = BROKEN, f"cell {cell.id}: {errors[0].ename}: {errors[0].evalue.partition(chr(10))[0]}"
            else:
                state, reason = NOT_TRIED, "The cell has no output of the check: it was not run."
            said[name] = {"state": state, "reason": reason, "cell": cell.id}
    return said


def _of_line(line: str) -> tuple[str, str]:
    if line.startswith("Accepted. "):
        return SOLVED, line.removeprefix("Accepted. ")
    reason = _HINT.sub("", line.removeprefix("Not yet. "))
    return (NOT_TRIED if reason == check.UNSOLVED else WRONG), reason


def _executed(submission: Submission, profile: str, limits: Limits, jobs: int) -> dict[str, dict[str, Any]]:
    """What the checks say when the notebook is run, by exercise."""
    import nbformat
    from papermill.parameterize import parameterize_notebook

    last = max(submission.calls)
    node = nbformat.from_dict(submission.node)
    node.cells = node.cells[: last + 1]
    node.metadata = nbformat.from_dict({"papermill": {}})
    for position, cell in enumerate(node.cells):
        cell.metadata["handed_in_as"] = position
        cell.metadata.setdefault("tags", [])
        if cell.cell_type == "code":
            cell.outputs = []
    with tempfile.TemporaryDirectory(prefix="grade-") as place:
        notebook, events = Path(place) / "notebook.ipynb", Path(place) / "events"
        events.touch()
        parameters = {"PROFILE": profile, "out": str(Path(place) / "run")}
        node = parameterize_notebook(node, parameters, kernel_name="python3", language="python")
        # An expression leaves no name behind, and set-up takes every plain name for a parameter.
        begin = f"__import__({start_module()!r}, fromlist=['start']).start({str(events)!r})"
        node.cells.insert(0, nbformat.v4.new_code_cell(begin))
        node.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        write_file(notebook, lambda file: file.write(nbformat.writes(node).encode("utf-8")))
        stopped = _limited(notebook, events, limits, jobs)
        told = [json.loads(line) for line in events.read_text(encoding="utf-8").splitlines()]
    return _from_events(submission, node, told, stopped)


def start_module() -> str:
    """The module that records, by name: it runs in the kernel, and as a process."""
    return f"{__package__}.recording"


def _limited(notebook: Path, events: Path, limits: Limits, jobs: int) -> str:
    """Run a notebook in a process of its own, beside others; why it was ended before its end, or nothing."""
    from hanlp_tutor.teach.course.cost import TreeMeter

    environment = {**os.environ, "HANLP_TUTOR_PROGRESS": "lines", "MPLBACKEND": "agg", **threads.variables()}
    if jobs > 1:
        environment |= processes.part_of_the_cores(jobs, os.environ.get("OMP_NUM_THREADS"))
    command = [sys.executable, "-m", start_module(), str(notebook), str(events)]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env=environment, **quiet) as process, TreeMeter(process.pid) as meter:
        begun, reason = time.monotonic(), ""
        while process.poll() is None:
            if time.monotonic() - begun > limits.seconds:
                reason = f"stopped after {limits.seconds:g} s"
            elif meter.peak_mb > limits.memory_mb:
                reason = f"stopped at {limits.memory_mb:g} MiB of memory"
            if reason:
                processes.kill_with_children(process.pid)
                break
            time.sleep(_LOOK)
    return reason


def _from_events(
    submission: Submission, node: Any, told: list[dict[str, Any]], stopped: str
) -> dict[str, dict[str, Any]]:
    """States by exercise, from what the process wrote down."""
    ends = [event["end"] for event in told if "end" in event]
    stopped = stopped or ("" if ends == ["done"] else ends[0] if ends else "its kernel did not start")
    failed = {_handed_in(node, event["failed"]): event["error"] for event in told if "failed" in event}
    places = [_handed_in(node, event["cell"]) for event in told if "cell" in event]
    reached = [place for place in places if place is not None]
    verdicts = {event["exercise"]: event for event in told if "exercise" in event}  # the last word counts
    said = {}
    for index, names in submission.calls.items():
        cell_id = submission.node.cells[index].id
        for name in names:
            if name in verdicts:
                event = verdicts[name]
                said[name] = {key: event[key] for key in ("state", "reason", "prediction")} | {"cell": cell_id}
                continue
            if index in failed:
                where, why = index, failed[index]
            elif stopped:
                where, why = (reached[-1] if reached else index), stopped
            else:
                where, why = index, "ran to its end without a word of the check"
            place = submission.node.cells[where].id
            said[name] = {"state": BROKEN, "reason": f"cell {place}: {why}", "cell": place}
    return said


def _handed_in(node: Any, position: int) -> int | None:
    """The index, in the notebook that was handed in, of a cell of the one that is executed; None of one of ours."""
    return node.cells[position].metadata.get("handed_in_as")


def as_csv(report: Report) -> bytes:
    """A row an exercise, and one a file that cannot be graded, for a spreadsheet; no cell is a formula.

    UTF-8 with a mark, by which Excel knows it.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    columns = list(Grade.__dataclass_fields__)
    writer.writerow(columns)
    for each in (*report.grades, *report.unreadable.values()):
        writer.writerow([_no_formula(str(getattr(each, column))) for column in columns])
    return text.getvalue().encode("utf-8-sig")


def _no_formula(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def as_text(report: Report) -> str:
    """Tables by lesson, a row a student, then the reasons."""
    shown = {SOLVED: "solved", WRONG: "wrong", NOT_TRIED: "-", BROKEN: "broken"}
    lines = []
    lessons = sorted({grade.exercise[1:].partition("_")[0] for grade in report.grades})
    for lesson in lessons:
        of_lesson = [each for each in report.grades if each.exercise.startswith(f"q{lesson}_")]
        names = sorted({each.exercise for each in of_lesson})
        students = sorted({(each.student, each.notebook) for each in of_lesson})
        several = len({student for student, _ in students}) < len(students)
        titles = {pair: pair[0] + (f" ({pair[1]})" if several else "") for pair in students}
        wide = max(len("student"), *map(len, titles.values()))
        lines.append("  ".join([f"{'student':{wide}}", *(f"{name:7}" for name in names)]))
        for pair in students:
            states = {each.exercise: shown[each.state] for each in of_lesson if (each.student, each.notebook) == pair}
            lines.append("  ".join([f"{titles[pair]:{wide}}", *(f"{states[name]:7}" for name in names)]).rstrip())
        lines.append("")
    for each in report.grades:
        if each.state in (WRONG, BROKEN):
            kind = f"{each.state}, a prediction" if each.prediction else each.state
            lines.append(f"{each.student}, {each.exercise}, {kind}: {each.reason}")
    for pair in report.copies:
        one, other = pair["students"]
        lines.append(f"{one} and {other} have the same answers in {len(pair['cells'])} cells, names and layout aside.")
    lines += [f"{row.state}: {row.reason}" for row in report.unreadable.values()]
    lines += report.remarks
    return "\n".join(lines).rstrip()
