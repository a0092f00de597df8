"""What notebook 03 shows of ``results/finetune_ner.json`` and ``results/pretraining_lead.json``."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

from hanlp_tutor.encoders.mini import EMBEDDED
from hanlp_tutor.teach.encoder_results import CLASSICAL, MEASURES, of_all_sentences
from hanlp_tutor.teach.results import UNMEASURED, Measured, paired, spread


def shown_and_new(folder: Path | None = None) -> list[dict[str, str]]:
    """A row a learner of all training sentences (``results/finetune_ner.json``): F1, and recall of two kinds of name.

    Names are those of :func:`hanlp_tutor.workbench.novelty.recall_by_novelty`; empty while nobody has measured.
    """
    columns = {"F1": "f1", "precision": "precision", "recall of seen names": "recall_seen",
               "recall of new names": "recall_unseen"}  # fmt: skip
    return [
        {"learner": name, **{title: spread(row, key) for title, key in columns.items()}}
        for name, row in of_all_sentences(folder).items()
    ]


def drawn_leads(folder: Path | None = None) -> list[dict[str, str]]:
    """A row a task and size of ``results/pretraining_lead.json``: pre-trained against random weights, draw by draw.

    Every draw takes other training examples, and both learn from the same ones until dev stops. The lead is the mean of
    the differences in points of test F1 (entities) or accuracy (reviews), with its 95 % interval over the draws.
    """
    found, rows = Measured("pretraining_lead", folder), []
    for (task, title), size in product({"ner": "entities", "classify": "reviews"}.items(), (100, 500)):
        here, measure = found.under(f"{task}/{size}/").rows, MEASURES[task]
        pretrained, random, classical = (
            next((row for name, row in here.items() if belongs(name)), None)
            for belongs in (EMBEDDED.__contains__, lambda name: name.startswith("random:"), CLASSICAL.__contains__)
        )
        rows.append(
            {
                "task": title,
                "labelled": f"{size:,}",
                **{
                    name: spread(row, measure) if row else UNMEASURED
                    for name, row in (("pre-trained", pretrained), ("random", random), ("classical", classical))
                },
                "lead over random weights": _lead(pretrained, random, measure),
            }
        )
    return rows if found.rows else []


def _lead(one: dict[str, Any] | None, other: dict[str, Any] | None, measure: str) -> str:
    lead = paired(one, other, measure) if one and other else None
    if lead is None:
        return UNMEASURED
    return f"{100 * lead.difference:+.1f} ({100 * lead.low:.1f} to {100 * lead.high:.1f})"
