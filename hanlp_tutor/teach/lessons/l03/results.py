"""What notebook 03 shows of ``results/finetune_ner.json`` alone."""

from __future__ import annotations

from pathlib import Path

from hanlp_tutor.teach.encoder_results import of_all_sentences
from hanlp_tutor.teach.results import spread


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
