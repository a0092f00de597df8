"""Classes of BMES and IOBES behind BIO labels: the tables against the kit's own conversion, tag by tag."""

import random
from itertools import product

import pytest
import torch
from torch.nn.functional import cross_entropy

from hanlp_tutor import TrainConfig, build_model
from hanlp_tutor.core.batching import IGNORED
from hanlp_tutor.core.model import TaggingModel
from hanlp_tutor.core.scheme_head import SchemeHead
from hanlp_tutor.data import TaggedText
from hanlp_tutor.data.schemes import from_bio, missing, scheme_of, tags_of, to_bio
from hanlp_tutor.encoders import load_encoder
from hanlp_tutor.errors import ModelError

LABELS = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")


def native(scheme):
    """In no order of any sense, as HanLP's vocabularies are."""
    tags = ["O", *tags_of("PER", scheme), *tags_of("LOC", scheme)]
    return random.Random(3).sample(tags, len(tags))


def model(small_encoder, scheme, crf=False):
    torch.manual_seed(1)
    return TaggingModel(load_encoder(small_encoder), LABELS, dropout=0.0, crf=crf, native=native(scheme))


@pytest.mark.parametrize("scheme", ["BMES", "IOBES"])
def test_gold_labels_become_those_of_the_scheme(scheme):
    head = SchemeHead(8, LABELS, native(scheme), dropout=0.0, crf=False)
    rows = list(product(LABELS, repeat=4))  # ill-formed ones, too: I after O, I of another type
    ids = torch.tensor([[LABELS.index(tag) for tag in row] + [IGNORED] * 2 for row in rows])
    wanted = [[head.native.index(tag) for tag in from_bio(row, scheme)] + [IGNORED] * 2 for row in rows]
    assert head.to_native(ids).tolist() == wanted


@pytest.mark.parametrize("scheme", ["BMES", "IOBES"])
@pytest.mark.parametrize("crf", [False, True])
def test_predictions_are_what_the_tags_mean(small_encoder, scheme, crf):
    tagger = model(small_encoder, scheme, crf)
    batch = tagger.collate([tagger.encode("张三在北京大学。"), tagger.encode("好")])
    logits = torch.randn(2, 8, len(tagger.head.native), generator=torch.Generator().manual_seed(2)) * 5
    p = tagger.head.probabilities(logits, batch)
    assert torch.allclose(p[0].sum(-1), torch.ones(8), atol=1e-5) and p.shape == (2, 8, 5)
    assert torch.equal(p, tagger.head.probabilities(logits, batch, 1.0))
    assert tagger.head.probabilities(logits, batch, 3.0).max(-1).values.mean() < p.max(-1).values.mean()
    if not crf:
        tags = [[tagger.head.native[i] for i in row] for row in logits.argmax(-1).tolist()]
        assert tagger.decode(logits, batch) == [list(to_bio(tags[0], scheme)), list(to_bio(tags[1][:1], scheme))]
        beginning = [tagger.head.native.index(tag) for tag in ("B-PER", "S-PER")]
        assert torch.allclose(p[..., LABELS.index("B-PER")], logits.softmax(-1)[..., beginning].sum(-1))


def test_the_loss_is_that_of_the_schemes_classes_with_the_weights_of_the_types(small_encoder):
    tagger = model(small_encoder, "BMES")
    tags = ("B-PER", "I-PER", "O", "B-LOC", "I-LOC", "I-LOC", "B-PER", "O")
    batch = tagger.collate([tagger.encode(TaggedText("张三在北京大学。", tags))])
    logits = tagger(batch).detach()
    gold = torch.tensor([[tagger.head.native.index(tag) for tag in from_bio(tags, "BMES")]])
    assert torch.equal(tagger.loss_sum(logits, batch), cross_entropy(logits[0], gold[0], reduction="sum"))
    weights = torch.tensor([0.5, 2.0, 3.0, 4.0, 5.0])
    each = cross_entropy(logits[0], gold[0], reduction="none")
    bio = torch.tensor([weights[LABELS.index(tag)] for tag in tags])
    assert torch.allclose(tagger.loss_sum(logits, batch, weights), (each * bio).sum())


def test_what_a_small_corpus_lacks_is_named():
    assert missing(["O", "B-PER", "E-PER", "S-PER", "M-PER", "S-LOC"]) == ["B-LOC", "M-LOC", "E-LOC"]
    assert missing(native("IOBES")) == [] and scheme_of(native("IOBES")) == "IOBES"


def test_training_without_a_needed_class_is_refused(small_encoder):
    short = [tag for tag in native("BMES") if tag != "S-PER"]
    tagger = TaggingModel(load_encoder(small_encoder), LABELS, native=short)
    batch = tagger.collate([tagger.encode(TaggedText("张三", ("B-PER", "B-PER")))])
    tagger.eval()
    assert len(tagger.decode(tagger(batch), batch)[0]) == 2, "it predicts all the same"
    assert tagger.loss_sum(tagger(batch), batch) > 0, "and is evaluated"
    tagger.train()
    with pytest.raises(ModelError, match=r"'S-PER'.*add_labels"):
        tagger.loss_sum(tagger(batch), batch)


def test_a_model_of_bio_has_the_plain_head(small_encoder):
    assert not isinstance(build_model("ner", small_encoder, LABELS, TrainConfig()).head, SchemeHead)
