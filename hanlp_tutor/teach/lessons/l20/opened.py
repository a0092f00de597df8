"""The closed files of the patients: what ``diagnose`` finds in a folder, held against what was planted there."""

from __future__ import annotations

from hanlp_tutor.teach.lessons.l20.clinics import _WARD, Patient
from hanlp_tutor.workbench.diagnose import diagnose
from hanlp_tutor.workbench.diagnose.report import Diagnosis

# Counted before the first update, so that it shows in a run of any length.
COUNTED = {"unseen-label", "misaligned", "leak", "frozen-encoder"}
FEWEST = 40  # updates; a shorter run has no curves to judge


def opened(patient: Patient) -> Diagnosis:
    """What :func:`diagnose` finds in a patient's folder.

    Raises:
        AssertionError: it finds something else than the fault that was planted, in a run that is long enough to tell.
    """
    found, fault = diagnose(patient.folder), _WARD.get(patient.folder.name)
    if fault in COUNTED:
        assert found.kinds[:1] == [fault], found.kinds
    elif patient.history[-1]["step"] >= FEWEST:
        assert found.kinds == [fault] * bool(fault), found.kinds
    return found
