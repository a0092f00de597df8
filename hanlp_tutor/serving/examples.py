"""Inputs to try a model on: from the corpus of the kit that has its labels, else a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hanlp_tutor.errors import ConfigError, DataError
from hanlp_tutor.serving.opening import Served

SHOWN, LONGEST = 5, 120  # examples; characters
PAIR = {"head": "王小明", "tail": "清华大学", "text": "王小明毕业于清华大学。"}  # where no corpus has the relations
_SENTENCE = "王小明昨天从上海飞往北京，参加了清华大学举办的中文信息处理会议。"


def examples_of(served: Served) -> list[Any]:
    """A few short inputs for a model in service: texts, or pairs ``{"head", "tail", "text"}``."""
    found = _of_corpora(served)
    if found:
        return found[:SHOWN]
    if served.takes_pairs:
        return [PAIR]
    return [_SENTENCE]


def read_examples(file: Path) -> list[Any]:
    """The examples of a file: a text a line, or a pair ``{"head", "tail", "text"}`` in JSON a line.

    Raises:
        ConfigError: a file without a text.
    """
    from hanlp_tutor.data.lines import filled_lines

    lines = [line for _, line in filled_lines(file)]
    if not lines:
        raise ConfigError(f"{file}: no example in it; put a text into each line.")
    return [json.loads(line) if line.startswith("{") else line for line in lines[:SHOWN]]


def _of_corpora(served: Served) -> list[Any]:
    from hanlp_tutor.corpora import CORPORA, SYNTHETIC, load_corpus

    labels = set(served.labels) if isinstance(served.labels, list) else set()
    if served.task not in ("ner", "classify", "relation") or not labels:
        return []
    for name in (*CORPORA, *SYNTHETIC):
        if name in CORPORA and served.task == "relation":
            continue
        task = served.task if name == "clinic" else None
        try:
            corpus = load_corpus(name, task=task, size=100) if name in SYNTHETIC else load_corpus(name)
        except DataError:  # not installed, as where a model is served without the rest of the kit
            continue
        examples = corpus.test[:400]
        if not examples or not _fits(served.task, examples, labels):
            continue
        short = [each for each in examples if 10 <= len(each.text) <= LONGEST and (served.task != "ner" or each.spans)]
        short = list({each.text: each for each in short}.values())
        if served.task == "relation":
            return [{"head": each.head, "tail": each.tail, "text": each.text} for each in short]
        return [each.text for each in short]
    return []


def _fits(task: str, examples: list[Any], labels: set[str]) -> bool:
    """Whether the corpus has the task, and its labels are those of the model."""
    kind = {"ner": "spans", "classify": "label", "relation": "relation"}[task]
    if not hasattr(examples[0], kind):
        return False
    if task == "ner":
        found = {span.label for each in examples for span in each.spans}
    else:
        found = {getattr(each, kind) for each in examples}
    return bool(found) and found <= labels and len(found) * 2 > len(labels)
