"""``results/ocr_ner.json`` as lesson 18 shows it."""

from __future__ import annotations

from pathlib import Path

from hanlp_tutor.teach.lessons.l18.arms import LAYOUT, TEXT
from hanlp_tutor.teach.results import Measured, paired, spread
from hanlp_tutor.workbench.significance import Comparison


class OcrStudy(Measured):
    """The OCR at levels of noise, and the arms on printed pages, on another form, on scans."""

    def __init__(self, folder: Path | None = None):
        super().__init__("ocr_ner", folder)

    def read(self) -> list[dict[str, str]]:
        """A row a level of noise: character error rate, entities read intact, in points."""
        rows = [
            {
                "noise": name,
                "character error rate, %": spread(row, "cer"),
                "entities read intact, %": spread(row, "intact"),
            }
            for name, row in self.under("ocr/noise ").rows.items()
        ]
        return rows or self.missing("noise")

    def printed(self, form: str = "f1") -> list[dict[str, str]]:
        """A row an arm: F1 on printed pages by part of the page, in points; ``other`` is the other form."""
        parts = {"all": "whole page", "header": "header", "text": "running text", "table": "table"}
        return self._arms({said: f"{form}_{part}" for part, said in parts.items()})

    def scans(self, noise: float) -> list[dict[str, str]]:
        """A row an arm: F1 on scans, and where the gold entities are lost, in points."""
        names = {"F1": "f1", "misread by OCR": "misread", "missed by the model": "missed", "invented": "invented"}
        return self._arms({said: f"ocr{noise}_{name}" for said, name in names.items()})

    def _arms(self, measures: dict[str, str]) -> list[dict[str, str]]:
        rows = [
            {"arm": name, **{said: spread(row, of) for said, of in measures.items()}, "seeds": str(len(row["seeds"]))}
            for name, row in self.under("ner/").rows.items()
        ]
        return rows or self.missing("arm")

    def compared(self, measures: dict[str, str], first: str = LAYOUT, other: str = TEXT) -> dict[str, Comparison]:
        """The lead of one arm over another, paired over seeds, for each measure by what it is called."""
        rows = self.under("ner/").rows
        if first not in rows or other not in rows:
            return {}
        pairs = {said: paired(rows[first], rows[other], of) for said, of in measures.items()}
        return {f"{first} in the place of {other} ({said})": pair for said, pair in pairs.items() if pair}
