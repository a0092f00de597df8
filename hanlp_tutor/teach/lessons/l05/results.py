"""What notebook 05 quotes of ``results/finetune_ner.json``: the same question with more sentences."""

from __future__ import annotations

from pathlib import Path

from hanlp_tutor.teach.results import Measured, spread


def with_more_sentences(encoder: str, folder: Path | None = None) -> list[dict[str, str]]:
    """A row a number of training sentences, test F1 of the feature CRF and of an encoder.

    Args:
        encoder: one that ``python -m experiments.finetune_ner`` measures.
        folder: of the result files; None: that of the checkout.
    """
    found = Measured("finetune_ner", folder)
    first = found.settings.get("sentences", 0)
    rows = []
    for sentences, ending in ((f"{first:,}", ""), ("all", ", all sentences")):
        pair = [found.rows.get(name + ending) for name in ("feature CRF", encoder)]
        if all(pair):
            scores = {name: spread(row, "f1") for name, row in zip(("feature CRF", encoder), pair, strict=True)}
            rows.append({"training sentences": sentences, **scores, "seeds": str(len(pair[1]["seeds"]))})
    return rows or found.missing("training sentences")
