"""The heads against brute force, PyTorch and HanLP's own layers."""

import itertools

import pytest
import torch
from crf_by_hand import CLASSES, batch_of, crf_head, enumerate_paths

from hanlp_tutor.core.batching import Encoded, collate
from hanlp_tutor.core.heads import ClassificationHead, TaggingHead


@pytest.mark.parametrize("lengths", [[1], [4], [5, 2, 1, 4]])
def test_crf_against_enumeration(lengths):
    head, batch = crf_head(), batch_of(lengths)
    logits = torch.randn(len(lengths), max(lengths), CLASSES, dtype=torch.float64)
    with torch.no_grad():
        loss, best = head.loss_sum(logits, batch, None), head.decode(logits, batch)
        p = head.probabilities(logits, batch)
        expected_loss = 0.0
        for row, n in enumerate(lengths):
            paths, scores = enumerate_paths(head.crf, logits[row, :n])
            gold = tuple(batch.labels[row, :n].tolist())
            expected_loss += scores.logsumexp(0) - scores[paths.index(gold)]
            assert tuple(best[row]) == paths[int(scores.argmax())]
            for position, tag in itertools.product(range(n), range(CLASSES)):
                through = torch.stack([s for path, s in zip(paths, scores, strict=True) if path[position] == tag])
                expected = (through.logsumexp(0) - scores.logsumexp(0)).exp()
                assert float(p[row, position, tag]) == pytest.approx(float(expected), abs=1e-12)
    assert float(loss) == pytest.approx(float(expected_loss), rel=1e-12)


def test_marginals_leave_no_gradient_behind():
    head, batch = crf_head(), batch_of([3, 2], labels=False)
    logits = torch.randn(2, 3, CLASSES, dtype=torch.float64)
    with torch.no_grad():
        assert not head.probabilities(logits, batch).requires_grad
    assert all(parameter.grad is None for parameter in head.parameters())


def test_crf_loss_is_that_of_hanlps_own_layer():
    from hanlp.layers.crf.crf import CRF

    head, batch = crf_head(), batch_of([6, 3, 1])
    theirs = CRF(CLASSES, batch_first=True).double()
    theirs.load_state_dict(head.crf.state_dict())
    logits = torch.randn(3, 6, CLASSES, dtype=torch.float64, requires_grad=True)
    mask = torch.arange(6) < torch.tensor(batch.lengths).unsqueeze(1)
    expected = -theirs(logits, batch.labels.clamp(min=0), mask, reduction="sum")
    ours = head.loss_sum(logits, batch, None)
    assert ours.item() == pytest.approx(expected.item(), rel=1e-12)
    (g_ours,), (g_theirs,) = torch.autograd.grad(ours, logits), torch.autograd.grad(expected, logits)
    assert torch.allclose(g_ours, g_theirs, atol=1e-12)
    assert head.decode(logits, batch) == theirs.decode(logits, mask)


def test_tagging_loss_counts_no_padding_and_weighs_classes():
    head = TaggingHead(4, CLASSES, dropout=0.0, crf=False).double()
    batch = batch_of([5, 2])
    logits = torch.randn(2, 5, CLASSES, dtype=torch.float64)
    weights = torch.tensor([0.5, 1.0, 3.0], dtype=torch.float64)
    expected = weighted = 0.0
    for row, n in enumerate(batch.lengths):
        for position in range(n):
            gold = int(batch.labels[row, position])
            surprise = float(-logits[row, position].softmax(-1)[gold].log())
            expected, weighted = expected + surprise, weighted + surprise * float(weights[gold])
    assert float(head.loss_sum(logits, batch, None)) == pytest.approx(expected, rel=1e-12)
    assert float(head.loss_sum(logits, batch, weights)) == pytest.approx(weighted, rel=1e-12)
    assert [len(row) for row in head.decode(logits, batch)] == batch.lengths


def test_windows_of_a_long_text_are_max_pooled_and_others_untouched():
    head = ClassificationHead(4, 2, dropout=0.0).double()
    examples = [Encoded([9] * n, 0, "") for n in (3, 20, 5)]
    batch = collate(examples, max_length=10, cls_id=1, sep_id=2, pad_id=0)
    hidden = -1 - torch.rand(*batch.input_ids.shape, 4, dtype=torch.float64)  # below 0: a zero would win the maximum
    rows = [[k for k, owner in enumerate(batch.owner.tolist()) if owner == number] for number in range(3)]
    assert [len(r) for r in rows] == [1, 4, 1]
    pooled = torch.stack([torch.stack([hidden[k, 0] for k in r]).max(0).values for r in rows])
    assert torch.allclose(head(hidden, batch), head.classifier(pooled))


def test_weights_have_the_names_hanlp_gives_them():
    assert set(TaggingHead(4, 3, dropout=0.1, crf=True).state_dict()) == {
        "classifier.weight",
        "classifier.bias",
        "crf.start_transitions",
        "crf.end_transitions",
        "crf.transitions",
    }
