"""Put into every lesson what the class room needs, without running the lesson again; ``--check`` only looks.

Badge and first cell for Colab; behind the summary the take-aways, read from result files or from the lesson's stored
outputs, and the quiz (``take_aways.yaml`` and ``quiz.yaml`` in ``lessons/lNN/``); a picture to play with where the
lesson has one (``lessons/lNN/explore.py``, :data:`EXPLORED`). The cells are tagged ``colab``, ``take-away``, ``quiz``
and ``widget`` and have no part in what a lesson computes, so the fingerprint of its measured cost leaves them out.
Repeat it after any change of a quiz, of a take-away or the results that it is read from, of such a picture, of the
address, or of the extras that a lesson needs: it takes the old cells out and puts the new ones in. Their stored output
is that of the cells, run alone in a kernel.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from render_address import colab, colab_cell, repository

from hanlp_tutor.files import write_file
from hanlp_tutor.teach.course.execute import CLASS_ROOM, clean
from hanlp_tutor.teach.quiz import lessons_with_quiz
from hanlp_tutor.teach.take_away import lessons_with_take_aways, measured_by_script

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
# Lesson -> the cell behind which its picture with controls comes, and the text above it
EXPLORED = {
    "01b": (
        "viterbi-read",
        "The same logits as a picture, and the chosen tags as a path through it. In Jupyter, let a forbidden step cost "
        "more and more: at which penalty does each of the two names become whole, and why not both at the same? Then "
        "raise the threshold (阈值): which entity is left out first, and what would make it surer?",
    ),
    "02": (
        "paths-explained",
        "What does λ do to the place that a run is on its way to? Two weights, one of which the task needs and one of "
        "which it hardly needs; the loss is made up, so that the minimum is known by a formula. In Jupyter, move λ: "
        "which of the two gives way first?",
    ),
    "06": (
        "curves",
        "The peaks of φ and of θ's layers, on one curve. In Jupyter, move them. How long a run with a fast φ carries "
        "it as far as a short one with a faster φ?",
    ),
    "07": (
        "one-text",
        "A window of made-up sentences, dealt to micro-batches: what does *one token* weigh in the sum, beside one "
        "of the large batch? In Jupyter, change order, micro-batch and divisor. When is the mean of means right?",
    ),
    "08": (
        "scale-verdict",
        "One gradient on its way through fp16. In Jupyter, make it smaller, and look for the loss scales that still "
        "bring it back; then make it larger, until the same scale is too much.",
    ),
    "10": (
        "coverage",
        "The same with scores that are **synthetic** (合成), of a model that is too sure of itself. In Jupyter, move "
        "the threshold, then the temperature: which changes how many are right, and which only what is expected?",
    ),
    "14": (
        "passing",
        "Which components are taken for which, and in which logs? The framed cell of the matrix (混淆矩阵), and the "
        "logs that it counts. In Jupyter, choose another pair and another model. Which pairs differ in one word, which "
        "logs name both, and what could a model learn from the words that it has not learnt?",
    ),
    "15": (
        "best-guess-read",
        "Other curves, measured before: statutes, reviews, the newspaper. In Jupyter, leave the smallest sizes out, "
        "then label more before you foretell: what brings the later points inside the interval, and what does that do "
        "to the number of labels for the score that you want (dotted)?",
    ),
}
# What such a picture is given of its lesson, where it draws what that has computed
GIVEN = {"14": "texts, gold, found"}
# The cells that compute it, by which its output is made here without the whole lesson. Of lesson 14's fine-tuning,
# which takes minutes, only the names of the types are needed: the model that is drawn first is another one.
NEEDED = {
    "14": (
        "imports",
        "parameters",
        "set-up",
        "corpus",
        "split",
        "tail",
        "macro",
        "classical",
        "from hanlp_tutor.core.task import label_set\n\n"
        'types = label_set("classify", [*split.train, *split.dev, *test_set])',
        "joint",
    )
}


def colab_cells(notebook: str, address: str) -> list[NotebookNode]:
    """Badge and first cell; in Colab the kit is fetched and what is missing is installed, elsewhere nothing is done."""
    text = f"{colab(notebook, address)} The first cell is for Colab: it fetches the kit and what Colab lacks."
    return _pair("colab", text, colab_cell(notebook, address))


def quiz_cells(notebook: str) -> list[NotebookNode]:
    """Heading and call; none for a lesson without questions."""
    number = notebook.partition("_")[0]
    if number not in lessons_with_quiz():
        return []
    text = (
        "## Quiz 小测验\n\nThree questions on why, not on how much. Click on an answer, and it says what is behind it."
    )
    return _pair("quiz", text, f'from hanlp_tutor.teach import quiz\n\nquiz("{number}")')


def take_away_cells(notebook: str) -> list[NotebookNode]:
    """What the lesson has measured, in sentences; none for a lesson that has none."""
    number = notebook.partition("_")[0]
    if number not in lessons_with_take_aways():
        return []
    text = (
        "**In numbers**, read from the result files: the median over seeds or draws (of a difference, that of the "
        "pairs), in brackets the least and the greatest. Where a verdict above has an interval, it is of the mean."
    )
    if not measured_by_script(number):
        text = "**In numbers**, read from the outputs of the run that is stored here; yours may show others."
    return _pair("take-away", text, f'from hanlp_tutor.teach import take_away\n\ntake_away("{number}")')


def widget_cells(notebook: str) -> list[NotebookNode]:
    """Text and picture; none for a lesson without one."""
    number = notebook.partition("_")[0]
    if number not in EXPLORED:
        return []
    code = f"from hanlp_tutor.teach.lessons.l{number} import explore\n\nexplore.explorer({GIVEN.get(number, '')})"
    return _pair("widget", EXPLORED[number][1], code)


def with_cells(node: NotebookNode, notebook: str, address: str) -> NotebookNode:
    """The lesson with its class-room cells, old ones replaced; outputs kept where a cell's source is the same."""
    stored = {cell.id: cell for cell in node.cells if _tags(cell) & CLASS_ROOM}
    cells = [cell for cell in node.cells if not _tags(cell) & CLASS_ROOM]
    anchor = EXPLORED.get(notebook.partition("_")[0], ("summary",))[0]
    behind: dict[str, list[NotebookNode]] = {cells[0].id: colab_cells(notebook, address)}
    at_the_end = [*take_away_cells(notebook), *quiz_cells(notebook)]
    for place, more in ((anchor, widget_cells(notebook)), ("summary", at_the_end)):
        if [cell.id for cell in cells].count(place) != 1:
            raise ValueError(f"{notebook}: expected one cell with the id `{place}`, behind which others come.")
        behind.setdefault(place, []).extend(more)
    for cell in (cell for more in behind.values() for cell in more):
        before = stored.get(cell.id)
        if before is not None and cell.cell_type == "code" and before.source == cell.source:
            cell.outputs, cell.execution_count = before.outputs, before.execution_count
    all_cells = [each for cell in cells for each in (cell, *behind.get(cell.id, ()))]
    made = nbformat.from_dict({**node, "cells": all_cells})
    clean(made)
    return made


def run_cells(nodes: Mapping[str, NotebookNode]) -> None:
    """Run take-aways, quizzes and pictures of all lessons in one kernel, each as it stands; store what they show.

    Args:
        nodes: the lessons by name.
    """
    from nbclient import NotebookClient

    os.environ["HANLP_TUTOR_PROGRESS"] = "lines"  # the kernel inherits it: a picture then shows no controls
    cells, alone = [], new_notebook()
    for notebook, node in nodes.items():
        sources = {cell.id: cell.source for cell in node.cells}
        needed = [sources.get(each, each) for each in NEEDED.get(notebook.partition("_")[0], ())]
        own = [cell for cell in node.cells if cell.id in ("take-away", "quiz", "widget")]
        cells += [None] * len(needed) + own
        alone.cells += [new_code_cell(source) for source in (*needed, *(cell.source for cell in own))]
    with tempfile.TemporaryDirectory(prefix="class-room-") as place:
        resources = {"metadata": {"path": place}}
        client = NotebookClient(alone, kernel_name="python3", timeout=600, record_timing=False, resources=resources)
        client.execute()
    for cell, done in zip(cells, alone.cells, strict=True):
        if cell is not None:
            cell.outputs = done.outputs
    for node in nodes.values():
        clean(node)  # an output has the count of its cell


def main(check: bool) -> None:
    """All notebooks of the course."""
    address, paths = repository(), sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
    nodes = {path: with_cells(nbformat.read(path, as_version=4), path.stem, address) for path in paths}
    if not check:
        run_cells({path.stem: node for path, node in nodes.items()})
    for path, node in nodes.items():
        text = nbformat.writes(node) + "\n"
        if text == path.read_text(encoding="utf-8"):
            continue
        if check:
            sys.exit(f"{path.relative_to(ROOT)}: class-room cells are missing or old: run python {sys.argv[0]}")
        write_file(path, lambda file, text=text: file.write(text.encode("utf-8")))
        print(path.stem)


def _pair(name: str, text: str, code: str) -> list[NotebookNode]:
    metadata = {"tags": [name]}
    return [
        new_markdown_cell(text, id=f"{name}-text", metadata=metadata),
        new_code_cell(code, id=name, metadata=metadata),
    ]


def _tags(cell: NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


if __name__ == "__main__":
    main("--check" in sys.argv)
