"""A CRF against HanLP's layer, brute force and autograd; what it costs in passes and memory."""

from itertools import pairwise, product

import pytest
import torch
from host_reads import HostReads
from torch import nn
from torchcrf import CRF

from hanlp_tutor import Predictor, TrainConfig, build_model, evaluate_model
from hanlp_tutor.core import inference
from hanlp_tutor.core.crf import best_tags, marginals, negative_log_likelihood
from hanlp_tutor.data import Span, TaggedText

LABELS = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")


def crf(tags, *, std=1.0, dtype=torch.float64):
    torch.manual_seed(0)
    layer = CRF(tags, batch_first=True).to(dtype)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=std)
    return layer


def by_autograd(layer, emissions, lengths, temperature):
    """The gradient of the log-partition function by the emissions, with all scores divided."""
    cold = crf(layer.num_tags, dtype=emissions.dtype)
    with torch.no_grad():
        for mine, theirs in zip(cold.parameters(), layer.parameters(), strict=True):
            mine.copy_(theirs / temperature)
    scores = (emissions / temperature).requires_grad_()
    mask = torch.arange(emissions.size(1)) < torch.tensor(lengths).unsqueeze(1)
    log_z = cold._compute_normalizer(scores.transpose(0, 1), mask.transpose(0, 1)).sum()
    return torch.autograd.grad(log_z, scores)[0]


@pytest.mark.parametrize("lengths", [[1], [2], [7], [7, 1, 3, 7, 2], [60, 59, 1]])
@pytest.mark.parametrize("temperature", [1.0, 0.3, 4.0])
@pytest.mark.parametrize("std", [1.0, 30.0])
def test_against_autograd(lengths, temperature, std):
    layer = crf(5, std=std)
    emissions = std * torch.randn(len(lengths), max(lengths), 5, dtype=torch.float64)
    expected = by_autograd(layer, emissions, lengths, temperature)
    found = marginals(layer, emissions, lengths, temperature)
    for row, n in enumerate(lengths):
        assert torch.allclose(found[row, :n], expected[row, :n], atol=1e-10)
        assert torch.allclose(found[row, :n].sum(-1), torch.ones(n, dtype=torch.float64))


def test_what_stands_behind_a_text_means_nothing():
    layer, emissions = crf(4), torch.randn(2, 9, 4, dtype=torch.float64)
    alone = marginals(layer, emissions[:1, :5], [5])
    emissions[0, 5:] = 1e9
    assert torch.equal(marginals(layer, emissions, [5, 9])[0, :5], alone[0])


def test_a_tag_that_is_forbidden_stays_so():
    layer = crf(3)
    with torch.no_grad():
        layer.transitions[0, 1] = layer.start_transitions[2] = -10_000.0
    p = marginals(layer, torch.zeros(1, 2, 3, dtype=torch.float64), [2])[0]
    assert p[0, 2] == 0 and torch.isfinite(p).all()


def test_single_precision_is_exact_to_the_end_of_a_long_text():
    layer = crf(5)
    emissions = 5 + torch.randn(1, 3000, 5, dtype=torch.float64)  # the sums go up to 15,000 and beyond
    exact = marginals(layer, emissions, [3000])
    assert torch.allclose(marginals(layer.float(), emissions.float(), [3000]).double(), exact, atol=1e-4)


def test_a_prediction_is_one_forward_pass_and_no_backward_one(small_encoder, monkeypatch):
    """Decoding and confidence share the encoder's pass; nothing is kept for a gradient."""
    model = build_model("ner", small_encoder, LABELS, TrainConfig(crf=True)).eval()
    passes, graphs = [], []
    forward, decode = model.encoder.forward, model.head.decode
    monkeypatch.setattr(model.encoder, "forward", lambda **given: passes.append(1) or forward(**given))
    monkeypatch.setattr(model.head, "decode", lambda *given: graphs.append(torch.is_grad_enabled()) or decode(*given))
    softmax = torch.Tensor.log_softmax
    monkeypatch.setattr(
        torch.Tensor, "log_softmax", lambda *given: graphs.append(torch.is_grad_enabled()) or softmax(*given)
    )
    monkeypatch.setattr(torch.autograd, "grad", lambda *_, **__: pytest.fail("a backward pass"))
    monkeypatch.setattr(torch.Tensor, "backward", lambda *_, **__: pytest.fail("a backward pass"))
    Predictor(model).predict("江泽民主席在北京会见了克林顿。")
    assert len(passes) == 1
    assert len(graphs) == 1 + 14 and not any(graphs), "one Viterbi pass, one step a character for both directions"


@pytest.mark.parametrize("with_crf", [False, True])
def test_scoring_a_long_document_needs_the_memory_of_a_few_windows(small_encoder, monkeypatch, with_crf):
    """As predicting does: the largest that the encoder computes, and the largest tensor of all, whatever the length."""
    model = build_model("ner", small_encoder, LABELS, TrainConfig(crf=with_crf)).eval()
    text = "江泽民主席在北京会见了克林顿。" * 1400  # 21,000 characters: 82 windows
    document = TaggedText.from_spans(text, [Span(0, 3, "PER")])
    rows, largest = [], []
    forward = model.encoder.forward

    def watched(**given):
        rows.append(given["input_ids"].numel())
        return forward(**given)

    monkeypatch.setattr(model.encoder, "forward", watched)

    class Largest(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            result = function(*args, **(kwargs or {}))
            if isinstance(result, torch.Tensor):
                largest.append(result.untyped_storage().nbytes())
            return result

    def seen(work):
        del rows[:], largest[:]
        with Largest():
            work()
        return sum(rows), max(rows), max(largest)

    predicted = seen(lambda: Predictor(model).predict(text))
    scored = seen(lambda: evaluate_model(model, [document]))
    assert scored == predicted and scored[1] <= inference.BATCH_TOKENS < scored[0]


def ragged(seed, std):
    torch.manual_seed(seed)
    lengths = torch.randint(1, 9, (5,)).tolist()
    emissions = std * torch.randn(5, max(lengths), 4, dtype=torch.float64)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)
    return emissions, torch.randint(4, mask.shape), mask, lengths


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("std", [1.0, 30.0])
def test_loss_and_gradients_are_those_of_hanlps_own_layer(seed, std):
    from hanlp.layers.crf.crf import CRF as HanlpCRF

    emissions, tags, mask, _ = ragged(seed, std)
    ours, theirs = crf(4, std=std), HanlpCRF(4, batch_first=True).double()
    theirs.load_state_dict(ours.state_dict())
    found, expected = [], []
    for layer, into, loss in (
        (ours, found, negative_log_likelihood),
        (theirs, expected, lambda layer, *given: -layer(*given, reduction="sum")),
    ):
        scores = emissions.clone().requires_grad_()
        value = loss(layer, scores, tags, mask)
        into += [value, *torch.autograd.grad(value, [scores, *layer.parameters()])]
    for mine, other in zip(found, expected, strict=True):
        assert torch.allclose(mine, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("seed", range(4))
def test_the_best_tags_are_those_of_hanlps_own_layer(seed):
    from hanlp.layers.crf.crf import CRF as HanlpCRF

    emissions, _, mask, lengths = ragged(seed, 2.0)
    ours, theirs = crf(4), HanlpCRF(4, batch_first=True).double()
    theirs.load_state_dict(ours.state_dict())
    assert best_tags(ours, emissions, lengths) == theirs.decode(emissions, mask)
    even = torch.zeros_like(emissions)  # all the same: the tags are chosen among equals alike
    with torch.no_grad():
        for parameter in [*ours.parameters(), *theirs.parameters()]:
            parameter.zero_()
    assert best_tags(ours, even, lengths) == theirs.decode(even, mask)


@pytest.mark.parametrize("seed", range(6))
def test_loss_and_best_tags_by_looking_at_every_sequence(seed):
    emissions, tags, mask, lengths = ragged(seed, 1.5)
    emissions, tags, mask = emissions[:, :5], tags[:, :5], mask[:, :5]
    lengths, layer, loss = [min(length, 5) for length in lengths], crf(4), 0.0
    best = best_tags(layer, emissions[:, : max(lengths)], lengths)
    for row, length in enumerate(lengths):

        def score(path, row=row):
            inner = sum(layer.transitions[a, b] for a, b in pairwise(path))
            ends = layer.start_transitions[path[0]] + layer.end_transitions[path[-1]]
            return (inner + ends + sum(emissions[row, place, tag] for place, tag in enumerate(path))).item()

        paths = {path: score(path) for path in product(range(4), repeat=length)}
        assert tuple(best[row]) == max(paths, key=paths.get)
        gold = paths[tuple(tags[row, :length].tolist())]
        loss += float(torch.tensor([*paths.values()], dtype=torch.float64).logsumexp(0)) - gold
    assert negative_log_likelihood(layer, emissions, tags, mask).item() == pytest.approx(loss, rel=1e-10)


def test_decoding_a_batch_reads_from_the_device_once():
    emissions, _, _, lengths = ragged(0, 1.0)
    with HostReads() as reads:
        best_tags(crf(4), emissions, lengths)
    assert len(reads.found) == 1 and reads.found[0].startswith("tolist")
