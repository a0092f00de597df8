"""Lesson 17's cloze is the library's masked language model; few texts are drawn fairly; what its file says follows."""

from collections import Counter

import pytest
import torch

from hanlp_tutor import TrainConfig, evaluate_model, fine_tune, load_corpus
from hanlp_tutor.data import LabelledText
from hanlp_tutor.encoders.embedded import load_masked_lm
from hanlp_tutor.encoders.mini import mini_tokenizer
from hanlp_tutor.errors import ConfigError
from hanlp_tutor.teach.lessons.l17.cloze import PATTERN, WORDS, calibrate, cloze_model, masked_lm
from hanlp_tutor.teach.lessons.l17.few import cut, few_of_each
from hanlp_tutor.teach.lessons.l17.results import NEWS, REVIEWS, LowResource
from hanlp_tutor.teach.results import Experiment, read_results

ENCODER, CONFIG = "mini-bert", TrainConfig(epochs=1, batch_size=4, lr=1e-3, head_lr=1e-3, patience=None, dropout=0.0)
TEXTS = ["房间很干净，服务也好", "差", ""]


def logits(model, texts):
    with torch.no_grad():
        return model(model.collate([model.encode(text) for text in texts]))


def test_a_cloze_is_the_masked_language_model_at_its_gap():
    tokenizer, library = mini_tokenizer(), load_masked_lm(ENCODER)
    rows = tokenizer([PATTERN + text for text in TEXTS], padding=True, return_tensors="pt")
    with torch.no_grad():
        whole = library(input_ids=rows["input_ids"], attention_mask=rows["attention_mask"]).logits
    theirs = whole[rows["input_ids"] == tokenizer.mask_token_id][:, tokenizer.convert_tokens_to_ids(["好", "差"])]
    ours = cloze_model(ENCODER, CONFIG)
    assert torch.allclose(logits(ours, TEXTS), theirs, atol=1e-4)
    assert torch.allclose(logits(calibrate(ours), TEXTS), theirs - theirs[-1], atol=1e-4)
    assert logits(ours, ["好" * 2000]).shape == (1, 2)  # what fits into one window


def test_a_cloze_learns_like_any_model(tmp_path):
    texts = [LabelledText("很好" * 3, "positive"), LabelledText("退货" * 3, "negative")] * 2
    model = calibrate(cloze_model(ENCODER, CONFIG))
    result = fine_tune(model, texts, [], CONFIG.replace(epochs=4), tmp_path / "run", progress="none")
    assert result.steps == 4 and evaluate_model(model, texts)["accuracy"] == 1.0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"pattern": "没有空格。"}, "once"),
        ({"words": {"positive": "很好", "negative": "差"}}, "很好"),
        ({"words": {"positive": "😀", "negative": "差"}}, "single common"),
    ],
)
def test_what_is_no_cloze_is_refused(given, said):
    with pytest.raises(ConfigError, match=said):
        cloze_model(ENCODER, CONFIG, **given)


def test_the_head_of_another_architecture_is_refused(tmp_path):
    from transformers import DistilBertConfig, DistilBertForMaskedLM

    DistilBertForMaskedLM(DistilBertConfig(vocab_size=8, dim=8, n_layers=1, n_heads=1, hidden_dim=8)).save_pretrained(
        tmp_path
    )
    with pytest.raises(ConfigError, match="as BERT has it"):
        masked_lm(str(tmp_path))


def test_few_of_each_class_are_drawn():
    reviews = load_corpus("reviews").train
    few = few_of_each(reviews, 5, draw=1)
    assert Counter(each.label for each in few) == {"positive": 5, "negative": 5}
    assert few == few_of_each(reviews, 5, draw=1) != few_of_each(reviews, 5, draw=2)
    assert max(len(each.text) for each in cut(few, 7)) == 7 and set(WORDS) == {each.label for each in few}
    assert len(few_of_each(few, 9, draw=1)) == 10  # all where there are fewer


def filled(folder, values):
    settings = {"encoder": ENCODER, "patterns": {"cloze": PATTERN}, "test": {"classify": 10, "ner": 5}, "longest": 9,
                "dev": {"classify": 400}}  # fmt: skip
    experiment = Experiment("low_resource", settings, {}, folder)
    cost = {"macro_f1": 0.5, "trainable": 100, "share": 0.01, "seconds": 1.0, "memory_mib": 9.0}
    for row, runs in values.items():
        measure = "f1" if NEWS in row else "dev" if row.startswith("grid/") else "accuracy"
        experiment.measure(row, range(len(runs)), lambda draw, runs=runs, m=measure: {m: runs[draw], **cost})
    return LowResource(folder)


def test_nothing_measured(tmp_path):
    study = LowResource(tmp_path)
    told = [study.measured_on(), study.behind(REVIEWS, "prompt"), *study.leaders(NEWS)]
    told += [next(iter(row.values())) for row in (study.scores(REVIEWS) + study.costs(REVIEWS, 64) + study.rates()
             + study.against_full(NEWS) + study.without_labels())]  # fmt: skip
    assert all("experiments.low_resource" in each for each in told) and study.lines(NEWS) == {}


def test_who_leads_follows_the_numbers(tmp_path):
    study = filled(tmp_path, {
        "reviews/0/cloze": [0.5], "grid/reviews/lora/lr=0.001": [0.6], "grid/reviews/lora/lr=0.003": [0.7],
        "reviews/16/full": [0.50, 0.52, 0.51], "reviews/16/cloze": [0.60, 0.63, 0.61],
        "reviews/64/full": [0.60, 0.62, 0.64], "reviews/64/cloze": [0.66, 0.61, 0.63],
        "peoples_daily/50/full": [0.3, 0.4, 0.5], "peoples_daily/50/frozen": [0.1, 0.2, 0.3],
    })  # fmt: skip
    few, more = study.leaders(REVIEWS)
    assert few.startswith("16 labels a class: highest median, cloze") and "is ahead of full fine-tuning by 10.3" in few
    assert "Neither is ahead for certain" in more
    assert "full fine-tuning is ahead of frozen encoder by 20.0 points of F1" in study.leaders(NEWS)[0]
    assert study.scores(REVIEWS)[0] == {"method": "full fine-tuning", "16": "51.0 (50.0 to 52.0)",
                                        "64": "62.0 (60.0 to 64.0)"}  # fmt: skip
    assert study.against_full(REVIEWS)[0]["16"].startswith("+10.3 (")
    assert study.behind(REVIEWS, "cloze") == (
        "cloze, all learns, draws behind full fine-tuning by labels a class: "
        "0 of 3 at 16 (the interval holds no zero), 2 of 3 at 64 (the interval holds zero)."
    )
    (lora,) = study.rates()
    assert lora["tried, with dev score"] == "0.001: 60.0, 0.003: 70.0" and lora["won"] == "0.003"
    assert study.lines(NEWS)["frozen encoder"] == [(50.0, 0.2, 0.1, 0.3)] and "3 draws" in study.measured_on()
    assert study.costs(REVIEWS, 16)[0]["share"] == "1.00%" and study.without_labels()[0] == {
        "pattern": PATTERN, "calibrated": False, "accuracy": "50.0 (23.7 to 76.3)", "macro F1": "50.0",
        "labels for the choice": "0",
    }  # fmt: skip


def test_an_equal_at_the_edge_of_a_grid_is_named(tmp_path):
    tried = {"0.001": 0.6, "0.003": 0.7, "0.01": 0.7}
    (lora,) = filled(tmp_path, {f"grid/reviews/lora/lr={lr}": [dev] for lr, dev in tried.items()}).rates()
    assert lora["won"] == "0.003, equal at the edge: 0.01"


def test_no_learning_rate_won_at_the_edge_of_its_grid():
    rows = (read_results("low_resource") or {"rows": {}})["rows"]
    chosen = {(name.split("/")[0], name.split("/")[2]): row["median"]["lr"] for name, row in rows.items()
              if "lr" in row["median"]}  # fmt: skip
    for (corpus, method), lr in chosen.items():
        of = "cloze" if method.startswith("cloze") else method
        tried = {float(name.split("/lr=")[1]): row["median"]["dev"] for name, row in rows.items()
                 if name.startswith(f"grid/{corpus}/{of}/")}  # fmt: skip
        assert min(tried) < lr < max(tried) and tried[lr] == max(tried.values()), f"{corpus}, {method}: {tried}"
