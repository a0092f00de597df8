"""Passages whose halves follow, precede or come from elsewhere: what is asked must be true, and not to be guessed from
anything but the text."""

from collections import Counter

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from transformers import BertConfig, BertForNextSentencePrediction

from hanlp_tutor.encoders.characters import TextEncoder
from hanlp_tutor.encoders.mini import SPECIAL, mini_tokenizer, vocabulary
from hanlp_tutor.errors import DataError
from hanlp_tutor.pretraining.masking import Masker
from hanlp_tutor.pretraining.sentence_order import BORDERS, ORDERS, OrderHead, Passages
from hanlp_tutor.pretraining.text import read_text

LENGTH, ROWS = 64, 600


@pytest.fixture(scope="module")
def lines():
    """Lines of clauses; every character of a line names the line, so that a row tells where it comes from."""
    rng = np.random.default_rng(1)
    ordinary = [token for token in vocabulary() if len(token) == 1 and "\u4e00" <= token <= "\u9fff"]
    lines = []
    for number in range(200):
        words = []
        for _ in range(int(rng.integers(2, 14))):
            words += [ordinary[number]] * int(rng.integers(2, 12)) + [str(rng.choice(list("。，！？")))]
        lines.append(words)
    return lines


@pytest.fixture(scope="module")
def encoder():
    return TextEncoder(mini_tokenizer())


@pytest.fixture(scope="module")
def rows(lines, encoder):
    """The rows before masking: order, text of both halves, text of the filling."""
    passages = Passages(read_text(encoder, [("made up", line) for line in lines]), border_ids(encoder))
    masker = Masker("bert", mask_id=4, first_id=len(SPECIAL), vocabulary=len(vocabulary()))
    batch = passages.draw_batch(masker, LENGTH, ROWS, 2, 3, np.random.default_rng(5))
    assert batch.ids.shape == (ROWS, LENGTH) and (batch.ids[:, 0] == 2).all()
    ids = batch.ids.flatten().clone()
    ids[batch.positions] = batch.targets
    result = []
    for order, row in zip(batch.order.tolist(), ids.view(ROWS, LENGTH).tolist(), strict=True):
        tokens = encoder.tokenizer.convert_ids_to_tokens(row[1:])
        end = tokens.index("[SEP]")
        result.append((ORDERS[order], "".join(tokens[:end]), tokens[end + 1 :]))
    return result


def border_ids(encoder):
    return [encoder.by_character(mark)[0] for mark in BORDERS]


def as_read(encoder, text):
    return "".join(encoder.tokenizer.convert_ids_to_tokens(encoder.by_character(text)))


def test_each_order_is_true(rows, lines, encoder):
    texts = [as_read(encoder, "".join(line)) for line in lines]
    for order, passage, _ in rows:
        mine = sorted({character for character in passage if character not in "。，！？,!?"})
        if order == "elsewhere":
            continue  # of one line by chance, else of two
        assert len(mine) == 1
        (line,) = (text for text in texts if mine[0] in text)
        seams = [place + 1 for place, character in enumerate(passage[:-1]) if character in "。，！？,!?"]
        if order == "follows":
            assert passage in line
        else:
            assert any(passage[seam:] + passage[:seam] in line for seam in seams)
    strangers = [passage for order, passage, _ in rows if order == "elsewhere"]
    two = sum(len({c for c in passage if c not in "。，！？,!?"}) == 2 for passage in strangers)
    assert two > 0.9 * len(strangers)


def test_each_order_is_as_frequent(rows):
    counts = Counter(order for order, _, _ in rows)
    assert set(counts) == set(ORDERS) and chisquare(list(counts.values())).pvalue > 1e-3


def test_no_half_begins_or_ends_within_a_clause(rows):
    for order, passage, _ in rows:
        assert passage[-1] in "。，！？,!?" and passage[0] not in "。，！？,!?", order


def test_rows_are_full_and_mostly_passage(rows):
    assert all(len(passage) + 2 + len(filling) == LENGTH for _, passage, filling in rows)
    shares = {o: np.mean([len(passage) for order, passage, _ in rows if order == o]) / LENGTH for o in ORDERS}
    assert min(shares.values()) > 0.5
    assert shares["follows"] == pytest.approx(shares["precedes"], abs=0.05), "the length must not give it away"


def test_the_loss_is_hugging_faces_next_sentence_loss_with_three_classes():
    torch.manual_seed(0)
    config = BertConfig(vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
    theirs = BertForNextSentencePrediction(config).eval()
    head = OrderHead(16, seed=3)
    with torch.no_grad():  # their pooler stands between [CLS] and the classes; ours reads what fine-tuning will read
        theirs.cls.seq_relationship.weight.copy_(head.classifier.weight[:2])
        theirs.cls.seq_relationship.bias.copy_(head.classifier.bias[:2])
        head.classifier.bias[2] = -1e9
    pooled = theirs.bert(torch.arange(12).view(3, 4)).pooler_output
    order = torch.tensor([0, 1, 0])
    loss, right = head(pooled, order)
    expected = theirs(torch.arange(12).view(3, 4), labels=order)
    assert loss.item() == pytest.approx(expected.loss.item(), rel=1e-6)
    assert int(right) == int((expected.logits.argmax(-1) == order).sum())


def test_a_text_without_passages_is_refused(encoder):
    text = read_text(encoder, [("one clause a line", ["我们"] * 40)] * 50)
    masker = Masker("bert", mask_id=4, first_id=len(SPECIAL), vocabulary=len(vocabulary()))
    with pytest.raises(DataError, match="no lines of 38 or more"):
        Passages(text, border_ids(encoder)).draw_batch(masker, LENGTH, 4, 2, 3, np.random.default_rng(1))
