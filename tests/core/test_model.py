"""Models: what goes in and out of a folder, and what a folder must not be able to do."""

import json
from pathlib import Path

import pytest
import torch
from toy import labelled, tagged

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model_folder import build_model, load_model, save_model
from hanlp_tutor.core.task import label_set
from hanlp_tutor.data import LabelledText, TaggedText
from hanlp_tutor.errors import ConfigError, DataError, ModelError

TAGS = ("O", "B-PER", "I-PER")


@pytest.fixture
def saved(tiny_encoder, tmp_path) -> Path:
    return save_model(build_model("ner", tiny_encoder, TAGS, TrainConfig(crf=True)), tmp_path / "model")


@pytest.mark.parametrize(("task", "crf"), [("ner", False), ("ner", True), ("classify", False)])
@pytest.mark.parametrize("kind", ["folder", "mini"])
def test_round_trip(tiny_encoder, tmp_path, task, crf, kind):
    examples = tagged(12, longest=30) if task == "ner" else labelled(12)
    name = tiny_encoder if kind == "folder" else "random:mini-bert"
    config = TrainConfig(crf=crf, dropout=0.3)
    model = build_model(task, name, label_set(task, examples), config).eval()
    again = load_model(save_model(model, tmp_path / "model"))
    assert not again.training and again.labels == model.labels and again.task == task and again.crf == crf
    assert again.encoder_name == name and again.pretrained == (kind == "folder") and again.head.dropout.p == 0.3
    state, restored = model.state_dict(), again.state_dict()
    assert state.keys() == restored.keys() and all(torch.equal(state[n], restored[n]) for n in state)
    texts = [example.text for example in examples] + ["iPhone 15，𠮷野家👍 ", "今" * 600]
    for m in (model, again):
        m.logits_of_texts = m(m.collate([m.encode(text) for text in texts])).detach()
    assert torch.equal(model.logits_of_texts, again.logits_of_texts)


def test_folder_stands_by_itself(saved, monkeypatch, tmp_path):
    """Moved, and with the encoder's own folder and the network gone."""
    moved = saved.rename(tmp_path / "moved")
    monkeypatch.setattr("hanlp_tutor.core.model_folder.load_encoder", None)
    assert load_model(moved).labels == TAGS
    assert {p.name for p in moved.iterdir()} == {"model.json", "model.safetensors", "transformer"}


@pytest.mark.parametrize("name", ["model.json", "model.safetensors", "transformer/config.json"])
@pytest.mark.parametrize("how", ["missing", "empty", "half", "garbage"])
def test_a_damaged_folder_is_a_model_error(saved, name, how):
    path = saved / name
    whole = path.read_bytes()
    path.unlink()
    if how != "missing":
        path.write_bytes({"empty": b"", "half": whole[: len(whole) // 2], "garbage": b"\xff\x00{["}[how])
    with pytest.raises(ModelError, match="not a whole model folder"):
        load_model(saved)


@pytest.mark.parametrize("how", ["missing", "empty", "half", "garbage", "list"])
def test_a_damaged_tokenizer_is_a_model_error(saved, how):
    for path in (saved / "transformer").iterdir():
        if path.name == "config.json":
            continue
        whole = path.read_bytes()
        path.unlink()
        if how != "missing":
            damage = {"empty": b"", "half": whole[: len(whole) // 2], "garbage": b"\xff\x00{[", "list": b"[]"}[how]
            path.write_bytes(damage)
    with pytest.raises(ModelError, match="not a whole model folder"):
        load_model(saved)


def test_without_its_settings_the_tokenizer_is_not_guessed(saved):
    """transformers would read the folder all the same, lower letters, and give other confidences."""
    (saved / "transformer" / "tokenizer_config.json").unlink()
    with pytest.raises(ModelError, match=r"not a whole model folder .*tokenizer_config\.json"):
        load_model(saved)


@pytest.mark.parametrize(
    "change",
    [
        {"labels": ["O"]},
        {"labels": None},
        {"labels": 3},
        {"crf": False},
        {"format": "one"},
        {"format": None},
        {"task": "parse"},
        {"task": None},
        {"dropout": "much"},
        {"dropout": 7},
    ],
    ids=str,
)
def test_a_card_that_does_not_fit(saved, change):
    card = json.loads((saved / "model.json").read_text(encoding="utf-8"))
    (saved / "model.json").write_text(json.dumps({**card, **change}), encoding="utf-8")
    with pytest.raises(ModelError):
        load_model(saved)


@pytest.mark.parametrize("content", ["[]", "3", "null", "{}", '"text"'])
def test_a_card_that_is_none(saved, content):
    (saved / "model.json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelError):
        load_model(saved)


def test_a_newer_format_and_folders_of_another_kind(saved, tmp_path):
    card = json.loads((saved / "model.json").read_text(encoding="utf-8"))
    (saved / "model.json").write_text(json.dumps({**card, "format": 99}), encoding="utf-8")
    with pytest.raises(ModelError, match=r"newer version.*99"):
        load_model(saved)
    with pytest.raises(ModelError, match="no such model folder"):
        load_model(tmp_path / "nowhere")
    with pytest.raises(ModelError, match=r"a run folder; its model is .*model"):
        load_model(tmp_path)
    (tmp_path / "hanlp").mkdir()
    (tmp_path / "hanlp" / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match="open it with load_hanlp"):
        load_model(tmp_path / "hanlp")


def test_a_failure_while_saving_leaves_the_old_folder(saved, tiny_encoder, monkeypatch):
    before = {p: p.read_bytes() for p in saved.rglob("*") if p.is_file()}
    other = build_model("ner", "random:" + tiny_encoder, TAGS, TrainConfig())

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("hanlp_tutor.core.model_folder.write_transformer", full)
        with pytest.raises(OSError, match="No space"):
            save_model(other, saved)
    assert {p: p.read_bytes() for p in saved.rglob("*") if p.is_file()} == before
    assert [p.name for p in saved.parent.iterdir()] == ["model"], "nothing half-written is left"
    save_model(other, saved)
    assert not load_model(saved).crf


def test_labels_are_in_a_fixed_order():
    examples = [TaggedText("某人在", ("B-PER", "I-PER", "O")), TaggedText("北京", ("B-LOC", "I-LOC"))]
    assert label_set("ner", examples) == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    assert label_set("ner", [TaggedText("某", ("B-X",))]) == ("O", "B-X", "I-X"), "a longer one may come"
    assert label_set("classify", [LabelledText("a", "z"), LabelledText("b", "a")]) == ("a", "z")


def test_the_head_is_drawn_from_the_seed_alone(tiny_encoder):
    heads = [build_model("ner", n, TAGS, TrainConfig(seed=s, crf=False)).head.classifier for n, s in
             ((tiny_encoder, 1), ("random:" + tiny_encoder, 1), (tiny_encoder, 2))]  # fmt: skip
    assert torch.equal(heads[0].weight, heads[1].weight) and not torch.equal(heads[0].weight, heads[2].weight)
    assert heads[0].bias.abs().sum() == 0


def test_dropout_of_hidden_states_is_the_configurations(tiny_encoder):
    model = build_model("ner", tiny_encoder, TAGS, TrainConfig(dropout=0.37))
    found = {name: module.p for name, module in model.named_modules() if isinstance(module, torch.nn.Dropout)}
    assert found["head.dropout"] == 0.37 and found["encoder.embeddings.dropout"] == 0.37
    assert {p for name, p in found.items() if name.endswith("attention.self.dropout")} == {0.1}
    assert model.encoder.config.hidden_dropout_prob == 0.37


def test_batches_change_nothing(tiny_encoder):
    """A text gets the same logits alone, beside shorter and longer ones, and beside one that needs windows."""
    model = build_model("ner", tiny_encoder, TAGS, TrainConfig()).eval().double()
    texts = ["今天", "北京大学在海淀区，" * 3, "我", "上海" * 300]
    together = model(model.collate([model.encode(text) for text in texts]))
    for row, text in enumerate(texts):
        alone = model(model.collate([model.encode(text)]))
        assert torch.allclose(together[row, : len(text)], alone[0], atol=1e-10)


def test_unknown_labels_name_the_place(tiny_encoder):
    model = build_model("ner", tiny_encoder, TAGS, TrainConfig())
    with pytest.raises(DataError, match=r"train\.tsv:9.*'B-ORG'.*B-PER"):
        model.encode(TaggedText("某司", ("B-ORG", "I-ORG"), source="train.tsv:9"))
    reviews = build_model("classify", tiny_encoder, ("bad", "good"), TrainConfig())
    with pytest.raises(DataError, match="'fair'"):
        reviews.encode(LabelledText("还行", "fair"))
    assert reviews.encode(LabelledText("还行", "good")).labels == 1


def test_an_unknown_task(tiny_encoder):
    with pytest.raises(ConfigError, match="parse"):
        build_model("parse", tiny_encoder, TAGS, TrainConfig())


def test_saving_replaces_a_model_and_nothing_else(saved, tmp_path):
    model = load_model(saved)
    assert save_model(model, saved) == saved
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    assert save_model(model, thesis).exists()  # it was empty
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "chapter.txt").write_text("years of work")
    for place in (tmp_path / "papers", tmp_path / "papers" / "chapter.txt"):
        with pytest.raises(ModelError, match="no earlier model"):
            save_model(model, place)
    assert (tmp_path / "papers" / "chapter.txt").read_text() == "years of work"
