"""Put into every lesson what the class room needs, without running the lesson again; ``--check`` only looks.

Badge and first cell for Colab, and the quiz after the summary where the lesson has one (``lessons/lNN/quiz.yaml``).
The cells are tagged ``colab`` and ``quiz`` and have no part in what a lesson computes, so the fingerprint of its
measured cost leaves them out. Repeat it after any change of a quiz, of the address, or of what an extra is needed for:
it takes the old cells out and puts the new ones in. A quiz's stored output is that of its cell, run in a kernel.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from render_address import colab, colab_cell, repository

from hanlp_tutor.files import write_file
from hanlp_tutor.teach.course.execute import CLASS_ROOM, clean
from hanlp_tutor.teach.quiz import lessons_with_quiz

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"


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


def with_cells(node: NotebookNode, notebook: str, address: str) -> NotebookNode:
    """The lesson with its class-room cells, old ones replaced; outputs kept where a cell's source is the same."""
    stored = {cell.id: cell for cell in node.cells if _tags(cell) & CLASS_ROOM}
    cells = [cell for cell in node.cells if not _tags(cell) & CLASS_ROOM]
    summary = [place for place, cell in enumerate(cells) if cell.id == "summary"]
    if len(summary) != 1:
        raise ValueError(f"{notebook}: expected one cell with the id `summary`, after which the quiz comes.")
    head, quiz = colab_cells(notebook, address), quiz_cells(notebook)
    for cell in (*head, *quiz):
        before = stored.get(cell.id)
        if before is not None and cell.cell_type == "code" and before.source == cell.source:
            cell.outputs, cell.execution_count = before.outputs, before.execution_count
    place = summary[0] + 1
    made = nbformat.from_dict({**node, "cells": [cells[0], *head, *cells[1:place], *quiz, *cells[place:]]})
    clean(made)
    return made


def run_quizzes(nodes: dict[str, NotebookNode]) -> None:
    """Run the quiz cells of all lessons in one kernel, each as it stands, and store what they show."""
    from nbclient import NotebookClient

    cells = {name: cell for name, node in nodes.items() for cell in node.cells if cell.id == "quiz"}
    alone = new_notebook(cells=[new_code_cell(cell.source) for cell in cells.values()])
    NotebookClient(alone, kernel_name="python3", timeout=120, record_timing=False).execute()
    for cell, done in zip(cells.values(), alone.cells, strict=True):
        cell.outputs = done.outputs


def main(check: bool) -> None:
    """All notebooks of the course."""
    address, paths = repository(), sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
    nodes = {path: with_cells(nbformat.read(path, as_version=4), path.stem, address) for path in paths}
    if not check:
        run_quizzes({path.stem: node for path, node in nodes.items()})
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
