"""What a lesson has measured, as sentences at its end: ``take_away("06")`` renders them from what is stored.

A lesson's sentences stand in ``lessons/lNN/take_aways.yaml``, in the form of the ledger (:mod:`.course.claims`): each
names the values that it shows (``values``, of an ``experiment`` or of a ``cell`` of the lesson's notebook), says them
(``say``, a format string) with their ``scale``, and rests on conditions (``rests_on``) that hold as long as its words
are true. A sentence whose numbers have changed withdraws itself; the tests fail then, and somebody writes another.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from hanlp_tutor.errors import ConfigError
from hanlp_tutor.teach.course.evidence import Evidence, fails
from hanlp_tutor.teach.results import UNMEASURED

FILE = "take_aways.yaml"
WITHDRAWN = "No longer so, to be written anew"
_PARTS = {"experiment", "values", "say", "scale", "rests_on"}
_ROOMS = Path(__file__).parent / "lessons"


def read_take_aways(lesson: str, folder: Path | None = None) -> list[dict[str, Any]]:
    """A lesson's entries, as its file has them.

    Args:
        lesson: its number, such as ``"05"`` or ``"01b"``.
        folder: holds ``lNN/take_aways.yaml``; None: the lessons' rooms.

    Raises:
        ConfigError: there is no such file, or an entry lacks a part; names the file, and what to write.
    """
    path = (folder or _ROOMS) / f"l{lesson}" / FILE
    where = f"{path.parent.name}/{FILE}"
    if not path.is_file():
        there = ", ".join(lessons_with_take_aways(folder))
        raise ConfigError(f"lesson {lesson!r} has no take-aways ({where}). Lessons that have them: {there}.")
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    for number, entry in enumerate(entries, start=1):
        if not (isinstance(entry, dict) and {"values", "say"} <= entry.keys() <= _PARTS and _says_where(entry)):
            raise ConfigError(
                f"{where}, entry {number}: expected `experiment`, `values` and `say`, with `scale` and `rests_on` if "
                "you like, and nothing else; without `experiment` each value names a `cell` and what it `finds` there."
            )
    return entries


def measured_by_script(lesson: str, folder: Path | None = None) -> bool:
    """Whether any of a lesson's sentences reads a result file, and not only what its own cells have shown."""
    return any("experiment" in entry for entry in read_take_aways(lesson, folder))


def lessons_with_take_aways(folder: Path | None = None) -> list[str]:
    """The numbers of the lessons that have some, in order."""
    return sorted(path.parent.name.removeprefix("l") for path in (folder or _ROOMS).glob(f"l*/{FILE}"))


def sentences(
    lesson: str, results: Path | None = None, folder: Path | None = None, notebook: Path | None = None
) -> list[str]:
    """A sentence an entry, with its numbers and what stands behind them.

    Args:
        lesson: its number.
        results: folder of the result files; None: that of the checkout.
        folder: as in :func:`read_take_aways`.
        notebook: whose stored outputs count; None: the course's own of that lesson.
    """
    evidence = Evidence(results, notebook or _notebook(lesson))
    return [_sentence(lesson, entry, evidence) for entry in read_take_aways(lesson, folder)]


def take_away(lesson: str) -> None:
    """Show a lesson's sentences as a list; outside of a notebook print it.

    Args:
        lesson: its number, such as ``"06"``.

    Raises:
        ConfigError: as :func:`read_take_aways`.
    """
    from IPython import get_ipython
    from IPython.display import publish_display_data

    text = "\n".join(f"- {sentence}" for sentence in sentences(lesson))
    if get_ipython() is None:
        print(text)
    else:
        publish_display_data({"text/markdown": text, "text/plain": text})


def _says_where(entry: dict[str, Any]) -> bool:
    """Whether each value is read from an experiment's results, or from a cell."""
    return "experiment" in entry or all({"cell", "finds"} <= each.keys() for each in entry["values"].values())


def _notebook(lesson: str) -> Path | None:
    """The lesson's notebook in the checkout; None where there is none."""
    from hanlp_tutor.workbench.notebook_file import NotebookError, find_notebook

    with suppress(NotebookError):
        return find_notebook(lesson)
    return None


def _sentence(lesson: str, entry: dict[str, Any], evidence: Evidence) -> str:
    values = evidence.values(entry)
    if None in values.values():
        return f"{UNMEASURED}: python -m experiments.{entry.get('experiment') or f'course {lesson}'}"
    behind = "; ".join(filter(None, (entry.get("scale"), evidence.counted(entry))))
    said = f"{entry['say'].format(**values)} ({behind}.)"
    broken = fails(entry.get("rests_on", []), values)
    return f"{WITHDRAWN} ({'; '.join(broken)}): {said}" if broken else said
