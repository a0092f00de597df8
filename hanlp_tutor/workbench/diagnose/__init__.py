"""What went wrong in a run, from its folder alone: each fault by name, with the numbers that show it and a remedy.

A run writes down what is needed (:mod:`hanlp_tutor.workbench.diagnose.facts` into ``manifest.json``, its curves into
``history.csv``). Rules about data and program look at counts and are sure; those about curves come last and only where
nothing else explains them. A folder that lacks a fact, such as that of a loop of one's own with nothing but a
``history.csv``, is judged by the rest.
"""

from __future__ import annotations

from pathlib import Path

from hanlp_tutor.workbench.diagnose import data, machine
from hanlp_tutor.workbench.diagnose.curves import conclusions
from hanlp_tutor.workbench.diagnose.record import read_run
from hanlp_tutor.workbench.diagnose.report import KINDS, Diagnosis, Finding, in_order

__all__ = ["KINDS", "Diagnosis", "Finding", "diagnose"]


def diagnose(folder: str | Path) -> Diagnosis:
    """Diagnose a run folder.

    Raises:
        DataError: it is no run folder, or its files cannot be read.
    """
    run = read_run(folder)
    certain = [finding for rule in (*machine.RULES, *data.RULES) for finding in rule(run)]
    found = [*certain, *conclusions(run, {finding.kind for finding in certain if _bears_on_curves(finding)})]
    return Diagnosis(run.folder, in_order(found))


def _bears_on_curves(finding: Finding) -> bool:
    """The test set does not: nothing of it is in a curve."""
    return finding.evidence.get("side") != "test"
