"""Encoders of other kinds than BERT with 512 positions: cut where that is right, else refused beforehand."""

import json

import plain_hanlp
import pytest
import torch
import toy
import transformers

from hanlp_tutor import Predictor, TrainConfig, build_model, export_hanlp, fine_tune, load_hanlp
from hanlp_tutor.core.task import label_set
from hanlp_tutor.encoders.mini import mini_config, mini_tokenizer
from hanlp_tutor.errors import ModelError
from hanlp_tutor.hanlp_bridge.export import FOLDERS
from hanlp_tutor.hanlp_bridge.positions import can_be_cut

LABELS = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16,
         "vocab_size": mini_config().vocab_size}  # fmt: skip
KINDS = {
    "BERT with 1024": ("BertConfig", {"max_position_embeddings": 1024}),
    "ERNIE with 2048": ("ErnieConfig", {"max_position_embeddings": 2048}),
    "ELECTRA with 600": ("ElectraConfig", {"max_position_embeddings": 600, "embedding_size": 16}),
    "RoBERTa": ("RobertaConfig", {"max_position_embeddings": 514, "pad_token_id": 0}),
    "ModernBERT": ("ModernBertConfig", {"max_position_embeddings": 8192, "pad_token_id": 0}),
    "DistilBERT": ("DistilBertConfig", {"dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 16}),
    "MPNet": ("MPNetConfig", {"max_position_embeddings": 514, "pad_token_id": 0}),
    "DeBERTa": ("DebertaV2Config", {"max_position_embeddings": 512, "relative_attention": True,
                                    "max_relative_positions": -1, "position_buckets": 8, "type_vocab_size": 0,
                                    "pos_att_type": ["p2c", "c2p"], "position_biased_input": False}),
}  # fmt: skip


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """The folder of a small encoder of a kind, by the name of ``random:FOLDER``."""
    made = {}

    def make(kind):
        if kind not in made:
            folder = tmp_path_factory.mktemp(kind.replace(" ", "-"))
            name, options = KINDS[kind]
            getattr(transformers, name)(**{**SMALL, **options}).save_pretrained(folder)
            mini_tokenizer().save_pretrained(folder)
            made[kind] = f"random:{folder}"
        return made[kind]

    return make


def without_scores(prediction):
    entities = prediction.get("entities", ())
    return prediction.get("label"), [(e["start"], e["end"], e["label"]) for e in entities]


@pytest.mark.parametrize("kind", ["BERT with 1024", "ERNIE with 2048", "ELECTRA with 600"])
@pytest.mark.parametrize("task", ["ner", "classify"])
def test_positions_are_cut_to_512_where_that_is_right(encoder, tmp_path, kind, task):
    model = build_model(task, encoder(kind), LABELS, TrainConfig()).eval()
    with torch.no_grad():
        model.head.classifier.weight.normal_(generator=torch.Generator().manual_seed(1))
    assert can_be_cut(model.encoder) and FOLDERS[task].why_not(model) is None
    before = {name: tensor.clone() for name, tensor in model.encoder.state_dict().items()}
    folder = export_hanlp(model, tmp_path / "out")
    assert json.loads((folder / "transformer" / "config.json").read_text("utf-8"))["max_position_embeddings"] == 512
    assert all(torch.equal(before[name], tensor) for name, tensor in model.encoder.state_dict().items())
    texts = [example.text for example in toy.tagged(4)] + [toy.tagged(1, shortest=900, longest=900)[0].text]
    predictions = Predictor(model).predict_many(texts)
    opened = Predictor(load_hanlp(folder)).predict_many(texts)
    assert [without_scores(each) for each in opened] == [without_scores(each) for each in predictions]
    inputs = texts if task == "classify" else [list(text) for text in texts]
    (answer,) = plain_hanlp.ask([{"folder": str(folder), "inputs": inputs}])
    if task == "classify":
        assert answer["predictions"] == [each["label"] for each in predictions]
    else:
        expected = [[[e["text"], e["label"], e["start"], e["end"]] for e in each["entities"]] for each in predictions]
        assert answer["predictions"] == expected and any(e[2] > 600 for e in expected[-1])


@pytest.mark.parametrize(
    ("kind", "task", "reason"),
    [
        ("RoBERTa", "ner", "514 positions"),
        ("ModernBERT", "ner", "8192 positions"),
        ("MPNet", "ner", "514 positions"),
        ("ModernBERT", "classify", "token types"),
        ("DistilBERT", "classify", "token types"),
        ("MPNet", "classify", "token types"),
    ],
)
def test_what_will_not_export_is_said_before_the_first_update(
    encoder, tmp_path, capsys, monkeypatch, kind, task, reason
):
    """Once ``export_hanlp`` is imported, as whoever means to export does, ``fine_tune`` itself says it."""
    train = toy.tagged(8) if task == "ner" else toy.labelled(8)
    model = build_model(task, encoder(kind), label_set(task, train), TrainConfig())
    said = []
    monkeypatch.setenv("HANLP_TUTOR_PROGRESS", "lines")

    def on_start(run):
        said.append(capsys.readouterr().err)

    fine_tune(model, train, [], TrainConfig(epochs=1), tmp_path / "run", progress="lines", on_start=on_start)
    assert "This model will not export to hanlp: " in said[0] and reason in said[0]
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert reason in manifest["exports"]["hanlp"]
    with pytest.raises(ModelError, match=reason) as caught:
        export_hanlp(model, tmp_path / "out")
    assert str(caught.value) == manifest["exports"]["hanlp"], "and that is what the export says"


def test_what_will_export_is_noted(tiny_encoder, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HANLP_TUTOR_PROGRESS", "lines")
    model = build_model("ner", tiny_encoder, LABELS, TrainConfig())
    fine_tune(model, toy.tagged(8), [], TrainConfig(epochs=1), tmp_path / "run", progress="lines")
    assert "will not export" not in capsys.readouterr().err
    assert json.loads((tmp_path / "run" / "manifest.json").read_text("utf-8"))["exports"] == {"hanlp": "possible"}


def test_a_table_that_is_no_plain_one_is_not_cut(encoder):
    for kind in ("RoBERTa", "ModernBERT", "DistilBERT", "MPNet", "DeBERTa"):
        assert not can_be_cut(build_model("classify", encoder(kind), ("a", "b"), TrainConfig()).encoder)


def test_our_own_export_of_a_deberta_opens(encoder, tmp_path):
    """It has no types of tokens, type_vocab_size is 0."""
    model = build_model("ner", encoder("DeBERTa"), LABELS, TrainConfig()).eval()
    opened = load_hanlp(export_hanlp(model, tmp_path / "out"))
    text = "今天张三在北京走路"
    batch = model.collate([model.encode(text)])
    with torch.no_grad():
        assert torch.allclose(opened(batch), model(batch), atol=1e-5)
