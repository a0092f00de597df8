"""A baseline beside a result: what a classical method reaches on the same files, in a process of its own.

Whoever sees one score does not know whether it is good. So ``hanlp-tutor train`` fits what people used before
pre-training on the very examples that the model learnt from, and scores it where the model was scored. It gets two
minutes at most, and its memory is not the run's: where it ends early, the run stands as it is.
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hanlp_tutor.core.scores import class_scores, span_scores
from hanlp_tutor.data import Span, Split
from hanlp_tutor.data.examples import gold_counts
from hanlp_tutor.data.marking import mark
from hanlp_tutor.data.relations import RelationText, negative_class
from hanlp_tutor.extras import how_to_install
from hanlp_tutor.progress import tell
from hanlp_tutor.relations.task import relation_scores
from hanlp_tutor.workbench.significance import Comparison, paired_bootstrap, paired_macro, span_counts

LIMIT = 120.0  # seconds
MOST = 50_000  # training examples: with more it would not be done in time
# multitask: no one baseline for several tasks
NAMES = {"ner": "feature CRF", "classify": "n-gram classifier", "relation": "n-gram classifier"}
_NEEDS = {"ner": "sklearn_crfsuite"}
_MEASURES = {"ner": ("precision", "recall", "f1"), "classify": ("accuracy", "macro_f1")}
_MEASURES["relation"] = ("accuracy", "macro_f1", "micro_f1")


def measure_baseline(
    task: str, split: Split, *, seconds: float = LIMIT, ours: Callable[[Sequence[Any]], list[Any]] | None = None
) -> dict[str, Any] | None:
    """Fit the baseline of a task and score it on the test set, or on dev where there is none.

    Args:
        task: ``ner``, ``classify`` or ``relation``; other tasks have no baseline.
        split: the examples of the run.
        seconds: that it may take.
        ours: from examples to what the fine-tuned model says of them (:func:`hanlp_tutor.core.evaluate.answers_of`).

    Returns:
        ``{"name", "on": "test" | "dev", scores …, "seconds"}``, and with ``ours`` also ``lead``: the model's main score
        less the baseline's, a :class:`~hanlp_tutor.workbench.significance.Comparison` as a dict. Instead of scores
        ``missing``, the reason why there are none. None for a task without a baseline.
    """
    if task not in NAMES:
        return None
    on = "test" if len(split.test) else "dev"
    entry: dict[str, Any] = {"name": NAMES[task], "on": on}
    module = _NEEDS.get(task)
    if module and find_spec(module) is None:
        return {**entry, "missing": f"it needs another package: {how_to_install(module)}"}
    if len(split.train) > MOST:
        return {**entry, "missing": f"{len(split.train):,} training examples would take it longer than {LIMIT:.0f} s"}
    if not len(getattr(split, on)):
        return {**entry, "missing": "there are neither test nor dev examples"}
    if task in ("classify", "relation") and len(gold_counts(split.train)) < 2:
        return {**entry, "missing": "the training examples are all of one class"}
    tell("baseline", name=NAMES[task], seconds=seconds)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hanlp-tutor-") as folder:
        given, result = Path(folder, "examples.pickle"), Path(folder, "scores.json")
        given.write_bytes(pickle.dumps((task, list(split.train), list(getattr(split, on)))))
        command = [sys.executable, "-m", __name__, str(given), str(result)]
        try:
            done = subprocess.run(command, capture_output=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            return {**entry, "missing": f"not done within {seconds:g} s"}
        except OSError as error:
            return {**entry, "missing": f"it failed: {error.strerror}"}
        except KeyboardInterrupt:  # the run itself is finished and written
            return {**entry, "missing": "stopped"}
        if done.returncode or not result.exists():
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
            return {**entry, "missing": f"it failed: {last[0]}"}
        scores = json.loads(result.read_text(encoding="utf-8"))
    answers = scores.pop("answers")
    entry = {**entry, **scores, "seconds": round(time.monotonic() - begun, 1)}
    if ours is not None:
        judged = getattr(split, on)
        negative = negative_class(split.train) if task == "relation" else None
        entry["lead"] = asdict(_lead(task, judged, ours(judged), answers, negative))
    return entry


def _lead(task: str, judged: list[Any], ours: list[Any], theirs: list[Any], negative: str | None) -> Comparison:
    """The fine-tuned model's main score less the baseline's, over other examples of this kind."""
    if task == "ner":
        gold = [example.spans for example in judged]
        theirs = [[Span(*span) for span in spans] for spans in theirs]
        return paired_bootstrap(span_counts(gold, ours), span_counts(gold, theirs))
    if task == "classify":
        return paired_macro([example.label for example in judged], ours, theirs)
    # micro F1 over the decisions for a relation: each is found or wanted as an entity is
    gold = _decided([example.relation for example in judged], negative)
    return paired_bootstrap(*(span_counts(gold, _decided(said, negative)) for said in (ours, theirs)))


def _decided(relations: list[str], negative: str | None) -> list[list[Span]]:
    return [[] if relation == negative else [Span(0, 1, relation)] for relation in relations]


def fit_and_score(task: str, train: list[Any], judged: list[Any]) -> dict[str, Any]:
    """The main scores of a task's baseline, fitted here and now, and under ``answers`` what it says of each example."""
    from hanlp_tutor.workbench.baselines import FeatureCRF, ngram_classifier

    texts = [example.text for example in judged]
    if task == "relation":  # the classifier reads what the model reads: the sentence with its markers
        model = ngram_classifier().fit([_marked(each) for each in train], [each.relation for each in train])
        found = [str(relation) for relation in model.predict([_marked(each) for each in judged])]
        scores = relation_scores([example.relation for example in judged], found, negative_class(train))
    elif task == "ner":
        found = [[*spans] for spans in FeatureCRF(train).predict(texts)]
        scores = span_scores([example.spans for example in judged], found)
        found = [[(span.start, span.end, span.label) for span in spans] for spans in found]
    else:
        model = ngram_classifier().fit([each.text for each in train], [each.label for each in train])
        found = [str(label) for label in model.predict(texts)]
        scores = class_scores([example.label for example in judged], found)
    return {**{measure: scores[measure] for measure in _MEASURES[task]}, "answers": found}


def _marked(pair: RelationText) -> str:
    head, tail = pair.spans
    return mark(pair.text, (head.start, head.end), (tail.start, tail.end))


if __name__ == "__main__":
    examples, scores_file = map(Path, sys.argv[1:])
    scores_file.write_text(json.dumps(fit_and_score(*pickle.loads(examples.read_bytes()))), encoding="utf-8")
