"""Rows of one text each, and a loss that asks [CLS] for its characters."""

import numpy as np
import pytest
import torch

from hanlp_tutor.encoders.bag_of_words import BagHead, SingleTexts
from hanlp_tutor.encoders.characters import TextEncoder
from hanlp_tutor.encoders.embedded import load_masked_lm
from hanlp_tutor.encoders.masking import Masker
from hanlp_tutor.encoders.mini import SPECIAL, mini_tokenizer, vocabulary
from hanlp_tutor.encoders.pretrain_config import PretrainConfig
from hanlp_tutor.encoders.pretraining_text import read_text
from hanlp_tutor.errors import ConfigError

PAD, CLS, SEP = (SPECIAL.index(token) for token in ("[PAD]", "[CLS]", "[SEP]"))


@pytest.fixture(scope="module")
def lines():
    """Texts of 3 to 400 characters; no two have one in common."""
    rng = np.random.default_rng(1)
    ordinary = [token for token in vocabulary() if len(token) == 1 and "\u4e00" <= token <= "\u9fff"]
    return [[ordinary[number] * int(rng.integers(1, 4)) for _ in range(int(n))]
            for number, n in enumerate(rng.integers(3, 130, 300))]  # fmt: skip


@pytest.fixture(scope="module")
def texts(lines):
    return SingleTexts(read_text(TextEncoder(mini_tokenizer()), [("made up", line) for line in lines]))


def masker():
    return Masker("roberta-wwm", mask_id=SPECIAL.index("[MASK]"), first_id=len(SPECIAL), vocabulary=len(vocabulary()))


@pytest.mark.parametrize("longest", [64, 256])
def test_a_row_is_one_text_or_a_part_of_one(texts, lines, longest):
    characters = {len("".join(line)) for line in lines}
    seen = set()
    for step in range(60):
        batch = texts.draw_batch(masker(), 2048, longest, np.random.default_rng([3, step]))
        true = batch.ids.flatten().clone()
        true[batch.positions] = batch.targets
        assert torch.equal(true.view_as(batch.ids), batch.texts)
        assert batch.texts.shape[1] <= longest and 1024 < batch.ids.numel() <= 2048
        for row, attended in zip(batch.texts.tolist(), batch.attention.tolist(), strict=True):
            end = row.index(SEP)
            inside = row[1:end]
            assert row[0] == CLS and set(row[end + 1 :]) <= {PAD} and len(set(inside)) == 1, "one text, one character"
            assert len(inside) in characters or len(inside) == longest - 2
            assert attended == [1] * (end + 1) + [0] * (len(row) - end - 1)
            seen.add(inside[0])
    assert len(seen) > 0.8 * len(lines)


def test_words_are_hidden_whole_and_padding_never(texts):
    batch = texts.draw_batch(masker(), 2048, 256, np.random.default_rng(8))
    assert (batch.targets >= len(SPECIAL)).all()
    share = len(batch.positions) / int((batch.texts >= len(SPECIAL)).sum())
    assert share == pytest.approx(0.15, abs=0.02)


def test_the_loss_is_the_papers():
    """By its formula, in float64: the mean over the distinct characters of a row of minus their log softmax."""
    torch.manual_seed(1)
    head, embeddings, cls = BagHead(8, 30, seed=1).double(), torch.randn(30, 8).double(), torch.randn(2, 8).double()
    texts = torch.tensor([[CLS, 7, 9, 7, SEP, PAD], [CLS, 29, 11, 12, 13, SEP]])
    torch.nn.init.normal_(head.bias)
    inner = head.norm(torch.nn.functional.gelu(cls @ head.dense.weight.T + head.dense.bias))
    scores = inner @ embeddings.T + head.bias
    expected = []
    for row, bag in zip(scores.tolist(), ({7, 9}, {29, 11, 12, 13}), strict=True):
        log_z = np.log(np.exp(row).sum())
        expected.append(np.mean([log_z - row[v] for v in bag]))
    assert head(cls, texts, embeddings).item() == pytest.approx(np.mean(expected), rel=1e-6)


def test_padding_changes_no_answer(texts):
    model = load_masked_lm("mini-bert").eval()
    batch = texts.draw_batch(masker(), 2048, 64, np.random.default_rng(4))
    short = int(batch.attention.sum(1).argmin())
    length = int(batch.attention[short].sum())
    assert length < batch.ids.shape[1], "the shortest row is padded"
    with torch.no_grad():
        together = model.bert(batch.ids, attention_mask=batch.attention).last_hidden_state[short, :length]
        alone = model.bert(batch.ids[short : short + 1, :length]).last_hidden_state[0]
    assert torch.allclose(together, alone, atol=1e-5)


def test_cls_is_asked_one_question():
    with pytest.raises(ConfigError, match="one question"):
        PretrainConfig(sentence_order=True, bag_of_words=True)
