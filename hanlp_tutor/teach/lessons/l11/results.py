"""What ``experiments/multitask.py`` has measured, as notebook 11 shows it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from hanlp_tutor.teach import verdict
from hanlp_tutor.teach.results import Measured, paired, spread

SCORES = {"tok": "F1 of words", "pos": "accuracy of tags", "ner": "F1 of entities", "pos from text": "F1 of tags",
          "all old types after": "F1 on the old types", "all new types after": "F1 on the new type"}  # fmt: skip
_HEADINGS = {"tok": "tok F1", "pos": "pos accuracy", "ner": "ner F1"}


def measured(prefix: str, columns: Mapping[str, str], folder: Path | None = None) -> list[dict[str, str]]:
    """A row for each row of the file that begins so; of each measure the median in points, least and greatest behind.

    Args:
        prefix: of the rows: ``tasks/``, ``tasks/joint`` or ``extend/``.
        columns: measures of the file by the headings that they get.
        folder: of the result file; None: that of the checkout.

    Returns:
        One row that says how to measure, when nothing has been measured with today's encoder.
    """
    found = Measured("multitask", folder)
    rows = [
        {
            "trained": name.partition("/")[2],
            **{heading: _cell(row, measure) for heading, measure in columns.items()},
            "seeds": str(len(row["seeds"])),
        }
        for name, row in found.rows.items()
        if name.startswith(prefix)
    ]
    return rows or found.missing("trained")


def together_or_apart(folder: Path | None = None) -> list[dict[str, str]]:
    """Each task alone with the passes of the joint model, alone with its updates, and the joint model.

    Updates count the batches: of a task alone its own, of the joint model those of all tasks.
    """
    found = Measured("multitask", folder)
    rows = found.under("tasks/").rows
    kinds = {
        "each alone, as many passes": "{} alone",
        "each alone, as many updates": "{} alone, equal updates",
        "joint": "joint",
    }
    if any(name.format(task) not in rows for name in kinds.values() for task in _HEADINGS):
        return found.missing("trained")
    options, sentences = found.settings["options"], found.settings["sentences"]
    batches = {task: math.ceil(sentences[task] / options["batch_size"]) for task in _HEADINGS}
    table = []
    for kind, name in kinds.items():
        cells = {"trained": kind}
        for task, heading in _HEADINGS.items():
            row = rows[name.format(task)]
            of_epoch = sum(batches.values()) if kind == "joint" else batches[task]
            cells[f"updates of {task}"] = str(of_epoch * row.get("depends_on", {}).get("epochs", options["epochs"]))
            cells[heading] = _cell(row, task)
        if kind == "joint":
            cells |= {f"updates of {task}": f"{cells[f'updates of {task}']} for all" for task in _HEADINGS}
        table.append(cells)
    return table


def compared(first: str, second: str, measure: str, folder: Path | None = None) -> str:
    """The difference of two rows of the file in a measure, as a sentence; paired by the seeds that both have."""
    found = Measured("multitask", folder)
    one, other = (found.rows.get(name) for name in (first, second))
    difference = one and other and paired(one, other, measure)
    if not difference:
        return found.missing("")[0][""]
    names = (name.partition("/")[2] for name in (first, second))
    return verdict.lead(*names, difference, of=SCORES[measure])


def _cell(row: dict, measure: str) -> str | None:
    if measure not in row["median"]:
        return None
    return spread(row, measure, scale=1 if measure == "forgotten" else 100)  # that one is in points already
