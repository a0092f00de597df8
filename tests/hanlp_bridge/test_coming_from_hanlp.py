"""The page that maps HanLP's arguments: each of them stands there with its default, and each option of ours exists."""

import inspect
import re
from pathlib import Path

import pytest

from hanlp_tutor import TrainConfig

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "coming_from_hanlp_fit.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    section = PAGE.split(f"## `{heading}`")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row] for row in rows]


def classes():
    from hanlp.common.torch_component import TorchComponent
    from hanlp.components.classifiers.transformer_classifier import TransformerClassifier, TransformerComponent
    from hanlp.components.mtl.multi_task_learning import MultiTaskLearning
    from hanlp.components.ner.transformer_ner import TransformerNamedEntityRecognizer
    from hanlp.components.taggers.transformers.transformer_tagger import TransformerTagger

    return {
        "TransformerNamedEntityRecognizer.fit": (
            TransformerNamedEntityRecognizer, TransformerTagger, TransformerComponent, TorchComponent,
        ),
        "TransformerClassifier.fit": (TransformerClassifier, TransformerComponent, TorchComponent),
        "MultiTaskLearning.fit": (MultiTaskLearning, TorchComponent),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["TransformerNamedEntityRecognizer.fit", "TransformerClassifier.fit",
                                  "MultiTaskLearning.fit"])  # fmt: skip
def test_each_argument_stands_there_with_its_default(name):
    arguments = {}
    for owner in reversed(classes()[name]):  # the outermost default is the one that counts
        parameters = inspect.signature(owner.fit).parameters.values()
        arguments |= {p.name: p.default for p in parameters if p.name != "self" and p.kind is not p.VAR_KEYWORD}
    if name == "MultiTaskLearning.fit":
        for hidden in ("trn_data", "dev_data", "batch_size"):  # it passes them on itself
            del arguments[hidden]
    described = {}
    for cell, *_ in table(name):
        argument, equals, default = cell.strip("`").partition("=")
        described[argument] = eval(default) if equals else inspect.Parameter.empty
    assert described == arguments


def test_each_option_of_ours_exists():
    rows = [row for name in classes() for row in table(name)]
    assert all(len(row) == 3 for row in rows)
    named = {word for _, ours, _ in rows for word in re.findall(r"`([a-z_0-9]+)`", ours)} - {"multitask"}
    assert named and named <= set(TrainConfig.model_fields)
    last = PAGE.split("## What `fit()` has no argument for")[1].split("\n## ")[0]
    extra = set(re.findall(r"`([a-z_0-9]+)`", last))
    assert extra and extra <= set(TrainConfig.model_fields)
