"""New labels behind the old ones: old weights and scores stay."""

import pytest
import torch

from hanlp_tutor import TrainConfig, build_model
from hanlp_tutor.core.model import TaggingModel
from hanlp_tutor.encoders import load_encoder
from hanlp_tutor.errors import ModelError
from hanlp_tutor.workbench.add_labels import add_labels

LABELS = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
TEXTS = ("张三在北京大学。", "好")


@pytest.fixture(scope="module")
def models(small_encoder):
    config = TrainConfig(dropout=0.0)
    tags = ("S-PER", "O", "E-PER", "M-PER", "B-PER", "B-LOC", "E-LOC")
    return {
        "ner": build_model("ner", small_encoder, LABELS, config),
        "crf": build_model("ner", small_encoder, LABELS, config.replace(crf=True)),
        "classify": build_model("classify", small_encoder, ("好", "坏"), config),
        "bmes": TaggingModel(load_encoder(small_encoder), LABELS, dropout=0.0, native=tags),
    }


@pytest.mark.parametrize("name", ["ner", "crf", "classify", "bmes"])
def test_old_scores_stay(models, name):
    old = models[name].eval()
    new = add_labels(old, ["TIME"])
    assert new.labels[: len(old.labels)] == old.labels and len(new.labels) > len(old.labels)
    batch = old.collate([old.encode(text) for text in TEXTS])
    before, after = old(batch), new(batch)
    n = before.size(-1)
    assert torch.allclose(before, after[..., :n], atol=1e-6) and after.size(-1) > n
    assert torch.equal(old.head.classifier.weight, new.head.classifier.weight[:n])
    if old.crf:
        assert torch.equal(old.head.crf.transitions, new.head.crf.transitions[:n, :n])


def test_labels_of_each_kind(models):
    assert add_labels(models["ner"], ["TIME"]).labels == (*LABELS, "B-TIME", "I-TIME")
    assert add_labels(models["classify"], ["中"]).labels == ("好", "坏", "中")
    bmes = add_labels(models["bmes"], ["TIME"])
    assert bmes.labels == (*LABELS, "B-TIME", "I-TIME")
    assert bmes.head.native[7:] == ("M-LOC", "S-LOC", "B-TIME", "M-TIME", "E-TIME", "S-TIME")
    assert add_labels(models["ner"], []).labels == LABELS


def test_the_old_model_is_left_alone_and_the_seed_decides(models):
    first, again, other = (add_labels(models["ner"], ["TIME"], seed=seed) for seed in (1, 1, 2))
    assert models["ner"].labels == LABELS and models["ner"].head.classifier.out_features == 5
    assert torch.equal(first.head.classifier.weight, again.head.classifier.weight)
    assert not torch.equal(first.head.classifier.weight, other.head.classifier.weight)
    with torch.no_grad():
        first.encoder.embeddings.word_embeddings.weight.zero_()
    assert models["ner"].encoder.embeddings.word_embeddings.weight.any()


@pytest.mark.parametrize("names", [["PER"], ["TIME", "TIME"], [""], [3]])
def test_labels_that_cannot_be_added(models, names):
    with pytest.raises(ModelError, match="add_labels"):
        add_labels(models["ner"], names)
