"""HanLP's own fit() runs and learns, on the transformers installed and on another one that is named.

``HANLP_TUTOR_OTHER_TRANSFORMERS`` names a folder with another version, as made by
``pip install --no-deps --target FOLDER "transformers==4.57.*" "huggingface_hub<1" "tokenizers<0.23"``.
"""

import os

import own_fit
import plain_hanlp
import pytest
import torch

from hanlp_tutor import (
    Predictor,
    TrainConfig,
    evaluate_model,
    export_hanlp,
    fine_tune,
    load_corpus,
    load_encoder,
    load_hanlp,
    load_model,
    save_model,
)
from hanlp_tutor.data import LabelledText, TaggedText, write_columns
from hanlp_tutor.encoders.folder import write_transformer
from hanlp_tutor.errors import ModelError
from hanlp_tutor.workbench.add_labels import add_labels

OTHER = os.environ.get("HANLP_TUTOR_OTHER_TRANSFORMERS", "")
LINES = ["installed", "other"] if OTHER else ["installed"]
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("own fit")]


def write_classes(path, examples, header="text\tlabel\n"):
    path.write_text(header + "".join(f"{e.text}\t{e.label}\n" for e in examples), encoding="utf-8")


@pytest.fixture(scope="module", params=LINES)
def trained(request, small_encoder, tmp_path_factory):
    """Folders that HanLP's own fit has written, and what the process reported."""
    folder = tmp_path_factory.mktemp("own-fit")
    encoder = load_encoder(small_encoder)
    encoder.module.save_pretrained(folder / "encoder")
    write_transformer(encoder.module.config, encoder.tokenizer, folder / "encoder")
    news = [e for e in load_corpus("peoples_daily").train if len(e.text) < 40 and e.spans and "\u3000" not in e.text]
    write_columns(folder / "ner.tsv", news[:40])
    write_columns(folder / "iobes.tsv", news[:40], scheme="IOBES")
    renamed = [TaggedText(e.text, tuple(tag.replace("LOC", "CITY") for tag in e.tags)) for e in news[:40]]
    write_columns(folder / "more.tsv", renamed)
    reviews = [e for e in load_corpus("reviews").train if len(e.text) < 40]
    long = [e for e in load_corpus("reviews").train if len(e.text) > 600][:1]
    write_classes(folder / "classes.tsv", reviews[:40] + long)
    doubted = [LabelledText(e.text, e.label + "?" * (i % 2)) for i, e in enumerate(reviews[:40])]
    write_classes(folder / "more_classes.tsv", doubted)
    write_classes(folder / "no_header.tsv", reviews[:40], header="")
    report = own_fit.train_all(folder, os.path.abspath(OTHER) if request.param == "other" else None)
    texts = [e.text for e in news[:40]]
    jobs = {
        "ner": [list(text) for text in texts],
        "iobes": [list(text) for text in texts],
        "classes": [e.text for e in reviews[:40]],
        "multitask": [list(text) for text in texts],
        "ner-on": [list("张三到北京大学")],
        "classes-on": ["很好"],
        "multitask-on": [list("张三到北京大学")],
    }
    plain = plain_hanlp.ask([{"folder": str(folder / name), "inputs": inputs} for name, inputs in jobs.items()])
    return {"folder": folder, "report": report, "news": news[:40], "reviews": reviews[:40],
            "plain": dict(zip(jobs, plain, strict=True))}  # fmt: skip


def spans(rows):
    return [{(label, start, end) for _, label, start, end in row} for row in rows]


def test_each_fault_is_mended_once(trained):
    report = trained["report"]
    assert len(report["mended"]) == 8 and not report["mended again"]


def test_where_hanlp_is_sound_nothing_is_touched(trained):
    """After mending, what looks at HanLP's behaviour finds no fault any more; the others read its source."""
    by_source = ["classifier_window_renamed", "embedding_without_window"]
    assert trained["report"]["faults left"] == by_source


@pytest.mark.skipif(not OTHER, reason="no other transformers is named")
def test_the_other_transformers_is_another_one(trained, request):
    import transformers

    same = trained["report"]["transformers"] == transformers.__version__
    assert same == ("installed" in request.node.callspec.id)


@pytest.mark.parametrize("name", ["ner", "multitask"])
def test_entities_are_learnt_and_plain_hanlp_finds_them(trained, name):
    predictions = trained["plain"][name]["predictions"]
    found = spans(predictions if name == "ner" else predictions["ner"])
    gold = [{(s.label, s.start, s.end) for s in e.spans} for e in trained["news"]]
    right = sum(len(a & b) for a, b in zip(found, gold, strict=True))
    f1 = 2 * right / (sum(map(len, found)) + sum(map(len, gold)))
    assert f1 > 0.5
    assert trained["report"]["scores"][name] == pytest.approx(f1, abs=0.005), "what fit() itself measured on the same"


def test_classes_are_learnt_and_plain_hanlp_tells_them(trained):
    predictions = trained["plain"]["classes"]["predictions"]
    right = [a == e.label for a, e in zip(predictions, trained["reviews"], strict=True)]
    assert sum(right) > 0.8 * len(right)


def weights(trained, name):
    return torch.load(trained["folder"] / name / "model.pt", weights_only=True)


@pytest.mark.parametrize("name", ["ner-on", "classes-on", "multitask-on", "multitask-same"])
def test_finetune_goes_on_from_what_was_learnt(trained, name):
    """With a learning rate of 0 nothing moves: old rows are those of the first model, new labels come behind them."""
    before, after = weights(trained, name.rpartition("-")[0]), weights(trained, name)
    assert before.keys() == after.keys()
    grown = [key for key in before if before[key].shape != after[key].shape]
    assert [key.rpartition(".")[2] for key in grown] == ["weight", "bias"]
    assert all(torch.equal(before[key], after[key][: len(before[key])]) for key in before)
    assert "error" not in trained["plain"].get(name, {})


def ours(model, examples):
    predictions = Predictor(model).predict_many([e.text for e in examples])
    if model.task == "classify":
        return [prediction["label"] for prediction in predictions]
    return [{(e["label"], e["start"], e["end"]) for e in prediction["entities"]} for prediction in predictions]


@pytest.mark.parametrize("name", ["ner", "iobes", "classes"])
def test_the_kit_opens_what_hanlp_has_trained_and_goes_on(trained, name, tmp_path):
    with pytest.raises(ModelError, match="outside the folder"):
        load_hanlp(trained["folder"] / name)
    model = load_hanlp(trained["folder"] / name, transformer=str(trained["folder"] / "encoder"))
    examples = trained["reviews" if name == "classes" else "news"]
    predictions = trained["plain"][name]["predictions"]
    assert ours(model, examples) == (predictions if name == "classes" else spans(predictions))

    headline = "accuracy" if name == "classes" else "f1"
    bare = evaluate_model(model, examples)
    model = add_labels(model, [])  # 40 sentences do not show every tag of each type
    before = evaluate_model(model, examples)
    assert abs(before[headline] - bare[headline]) < 0.05
    config = TrainConfig(epochs=3, lr=1e-3, head_lr=1e-3, dropout=0.0)
    fine_tune(model, examples, [], config, tmp_path / "run", progress="none")
    after = evaluate_model(model, examples)
    assert after["loss"] < before["loss"] and after[headline] > 0.5
    [plain] = plain_hanlp.ask([{"folder": str(export_hanlp(model, tmp_path / "out")), "inputs": [
        e.text if name == "classes" else list(e.text) for e in examples]}])  # fmt: skip
    assert ours(model, examples) == (plain["predictions"] if name == "classes" else spans(plain["predictions"]))
    assert ours(load_hanlp(tmp_path / "out"), examples) == ours(model, examples)
    save_model(model, tmp_path / "kit")
    assert ours(load_model(tmp_path / "kit"), examples) == ours(model, examples)


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("raw string", "7 sentences of one character"),
        ("frozen", "encoder.transformer.embeddings.word_embeddings.weight"),
        ("unseen label", "does not occur in the training set"),
        ("sum", "is 1/2 of that of one large batch"),
        ("ignored", "is ignored by TransformerClassifier"),
        ("mean of means", "averages the batches' means"),
        ("warm-up", "never leaves the warm-up"),
        ("column", "write text<TAB>label"),
    ],
)
def test_what_hanlp_does_in_silence_is_reported(trained, case, words):
    heard = trained["report"]["heard"][case]
    assert heard and all(words in message for message in heard)


@pytest.mark.parametrize("case", ["list", "frozen, all saved", "nothing"])
def test_nothing_is_reported_without_reason(trained, case):
    assert trained["report"]["heard"][case] == []
