"""How many names the reader's first model finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hanlp_tutor.core.predict import Predictor
from hanlp_tutor.data import TaggedText


@dataclass(frozen=True)
class Found:
    """So many names of so many."""

    right: int
    all: int

    @property
    def share(self) -> float:
        """Between 0 and 1; 0 where there is no name."""
        return self.right / self.all if self.all else 0.0

    def __repr__(self) -> str:
        return f"{self.right} of {self.all} names"


def names_found(predictor: Predictor, examples: Sequence[TaggedText]) -> Found:
    """How many of the marked names a model finds, with the same start, end and type."""
    predictions = predictor.predict_many([example.text for example in examples])
    right = 0
    for prediction, example in zip(predictions, examples, strict=True):
        marked = {(span.start, span.end, span.label) for span in example.spans}
        right += len(marked & {(e["start"], e["end"], e["label"]) for e in prediction["entities"]})
    return Found(right, sum(len(example.spans) for example in examples))
