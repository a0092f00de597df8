"""The profile ``full`` of each lesson is executed: three updates of its own options on BERT-base's shape.

The weights are random and lie in a local folder, in the place of bert-base-chinese on the hub. The number of examples
is that of the profile, so that warm-up, schedule and early stopping are what they would be; the examples are short, and
the run ends at its first evaluation, after three updates.
"""

from pathlib import Path

import pytest
import torch
import yaml
from plain_hanlp import ask
from tiny_encoders import write_encoder
from transformers import BertConfig, BertModel

from hanlp_tutor import (
    Predictor,
    TrainConfig,
    build_model,
    evaluate_model,
    export_hanlp,
    fine_tune,
    load_corpus,
    load_model,
    save_model,
)
from hanlp_tutor.core import run
from hanlp_tutor.core.task import label_set
from hanlp_tutor.corpora.peoples_daily import word_tasks

PROFILES = yaml.safe_load((Path(__file__).parents[1] / "notebooks" / "profiles.yaml").read_text(encoding="utf-8"))
HUB = "bert-base-chinese"
OF_HUB = [name for name, profiles in PROFILES.items() if HUB in profiles["full"].values()]
TASKS = {
    "04_finetune_classifier": "classify",
    "11_multitask": "multitask",
    "13_finance_aml": "classify",
    "14_industrial_faults": "classify",
    "15_how_much_data": "classify",
    "16_relation_extraction": "relation",
    "17_low_resource": "classify",
}  # of all others: ner
COUNTS = ("sentences", "pages", "reviews", "labels", "logs")  # what lessons call the number of training examples
FOR_NER = COUNTS[:2]
EXPORTED = ("04_finetune_classifier", "05_finetune_ner", "11_multitask")  # these lessons hand their model to HanLP
LONGEST = 8  # characters
pytestmark = pytest.mark.xdist_group("base-size")  # one process holds these models, not two


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with random weights of BERT-base's shape: 12 layers of 768, a vocabulary of 21,128."""
    torch.manual_seed(0)
    return write_encoder(tmp_path_factory.mktemp("base"), BertModel(BertConfig(vocab_size=21_128)))


def examples_of(task: str, sizes: dict) -> list:
    """As many short examples as the profile takes for training, real ones where there are; they are repeated."""
    if task == "relation":
        pairs, given = load_corpus("clinic", task="relation", size=500).train, sizes["pairs"]
        short = sorted(pairs, key=lambda pair: len(pair.text))[:50]
    else:
        corpus = load_corpus("reviews" if task == "classify" else "peoples_daily")
        short = [example for example in corpus.train if 4 <= len(example.text) <= LONGEST]
        wanted = [name for name in COUNTS if name in sizes and (task == "classify") == (name not in FOR_NER)]
        given = next((sizes[name] for name in wanted), None) or len(corpus.train)
    repeated = (short * (given // len(short) + 1))[:given]
    return word_tasks(repeated) if task == "multitask" else repeated


def test_every_lesson_that_trains_has_the_articles_encoder():
    expected = "02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20"
    assert {name[:2] for name in OF_HUB} == set(expected.split())


@pytest.mark.parametrize("lesson", OF_HUB)
def test_full_runs(lesson: str, base: str, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(run, "TRAIN_SAMPLE", 4)  # to score 200 takes three times as long as the three updates
    full, task = PROFILES[lesson]["full"], TASKS.get(lesson, "ner")
    options = {name: value for name, value in full.items() if name in TrainConfig.model_fields}
    config = TrainConfig(**{**options, "eval_steps": 3, "log_steps": 1})
    train = examples_of(task, full)
    model = build_model(task, base, label_set(task, train), config)
    assert sum(p.numel() for p in model.encoder.parameters()) > 100e6
    before = {name: p.detach().clone() for name, p in model.head.named_parameters()}

    ends = {"progress": "none", "on_evaluation": lambda row: True}
    result = fine_tune(model, train, train[:2], config, tmp_path / "run", **ends)

    assert result.steps == 3
    assert all(torch.isfinite(torch.tensor(row["loss"])) for row in result.history)
    assert any(not torch.equal(p, before[name]) for name, p in model.head.named_parameters())
    assert not list(Path(tmp_path).glob("*.tmp"))
    if lesson in EXPORTED:
        _opens_in_hanlp(model, task, train[:2], tmp_path)


def _opens_in_hanlp(model, task: str, some: list, folder: Path) -> None:
    """Saved, loaded and exported; plain HanLP says what the kit says."""
    save_model(model, folder / "model")
    loaded = load_model(folder / "model")
    assert evaluate_model(loaded, some) == evaluate_model(model, some)
    texts = ["周子玉做了工作报告", "房间很干净"]
    mine = Predictor(loaded).predict_many(texts)
    inputs = [list(text) for text in texts] if task == "ner" else texts
    (theirs,) = ask([{"folder": str(export_hanlp(model, folder / "hanlp")), "inputs": inputs}])
    assert "error" not in theirs
    if task == "classify":
        assert theirs["predictions"] == [one["label"] for one in mine]
    elif task == "ner":
        found = [[(e["text"], e["label"], e["start"], e["end"]) for e in one["entities"]] for one in mine]
        assert [[tuple(entity) for entity in one] for one in theirs["predictions"]] == found
    else:
        assert theirs["predictions"]["tok"] == [one["tok"] for one in mine]
