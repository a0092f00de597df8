"""What an encoder forgets: the card's held-out evaluation, the old output layer really put back, nothing changed."""

import shutil
import sys

import pytest
import torch
from transformers import BertForMaskedLM

from hanlp_tutor import TrainConfig, build_model, load_corpus
from hanlp_tutor.encoders.embedded import load_masked_lm, read_card
from hanlp_tutor.errors import EncoderError
from hanlp_tutor.pretraining.forgetting import MaskedEvaluation

LABELS = ("O", "B-PER", "I-PER")


@pytest.fixture(scope="module")
def lines():
    return [("news", list(example.text)) for example in load_corpus("peoples_daily").dev[:60]]


@pytest.fixture(scope="module")
def masked(lines):
    return MaskedEvaluation("mini-bert", rows=20, lines=lines)


@pytest.fixture
def model():
    return build_model("ner", "mini-bert", LABELS, TrainConfig())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mini-bert", "mini-roberta-wwm"])
def test_before_fine_tuning_it_is_the_cards_figure(name):
    pytest.importorskip("rjieba")
    last = read_card(name)["stages"][-1]
    masked = MaskedEvaluation(name)
    loss, accuracy = masked.evaluate()
    assert masked.card == (last["held_out_loss"], last["held_out_accuracy"])
    assert accuracy == pytest.approx(last["held_out_accuracy"], abs=0.005)  # the file has half precision
    assert loss == pytest.approx(last["held_out_loss"], abs=0.02)


def test_without_the_segmenter_the_text_is_the_newspaper_and_not_the_cards(monkeypatch):
    monkeypatch.setitem(sys.modules, "rjieba", None)  # importing it fails
    masked = MaskedEvaluation("mini-bert", rows=4)
    assert masked.card is None and len(masked.batches[0].ids) == 4
    assert 0 < masked.evaluate()[1] < 1


def test_by_one_seed_two_encoders_get_the_same_masks():
    evaluations = [MaskedEvaluation(name, rows=4, seed=7) for name in ("mini-roberta-wwm", "mini-roberta-wwm-ext")]
    first, second = (each.batches[0] for each in evaluations)
    assert torch.equal(first.ids, second.ids) and torch.equal(first.targets, second.targets)
    assert {each.card for each in evaluations} == {None}
    assert not torch.equal(first.ids, MaskedEvaluation("mini-roberta-wwm", rows=4).batches[0].ids)


def test_an_untouched_model_knows_what_the_encoder_knew(masked, model):
    assert masked.evaluate(model.encoder) == masked.evaluate()
    assert masked.masked_tokens == sum(len(batch.targets) for batch in masked.batches) > 300
    assert [len(batch.ids) for batch in masked.batches] == [16, 4]


def test_the_loss_is_transformers_own_with_labels(masked, model):
    """BertForMaskedLM computes it over all positions, we at the hidden ones only."""
    theirs = load_masked_lm("mini-bert")
    total = right = count = 0
    for batch in masked.batches:
        labels = torch.full(batch.ids.shape, -100)
        labels.view(-1)[batch.positions] = batch.targets
        with torch.no_grad():
            output = theirs(input_ids=batch.ids, labels=labels)
        total += float(output.loss) * len(batch.targets)
        right += int((output.logits.argmax(-1) == labels)[labels != -100].sum())
        count += len(batch.targets)
    loss, accuracy = masked.evaluate(model.encoder)
    assert (loss, accuracy) == (pytest.approx(total / count, rel=1e-5), pytest.approx(right / count))


def test_the_output_layer_is_the_old_one_when_the_characters_vectors_move(masked, model):
    """Tied weights would change the question together with the answer."""
    embeddings = model.encoder.embeddings.word_embeddings.weight
    with torch.no_grad():
        embeddings += embeddings.std() * torch.randn(embeddings.shape, generator=torch.Generator().manual_seed(0))
    reference = load_masked_lm("mini-bert")
    hidden = reference.cls.predictions.decoder.weight.clone()
    assert not torch.equal(hidden, embeddings)
    with torch.no_grad():
        batch = masked.batches[0]
        states = model.encoder.eval()(batch.ids).last_hidden_state.flatten(0, 1)[batch.positions]
        logits = reference.cls.predictions.transform(states) @ hidden.T + reference.cls.predictions.bias
        expected = torch.nn.functional.cross_entropy(logits, batch.targets).item()
    of_one_batch = MaskedEvaluation.__new__(MaskedEvaluation)
    of_one_batch.__dict__ = {**masked.__dict__, "batches": masked.batches[:1]}
    assert of_one_batch.evaluate(model.encoder)[0] == pytest.approx(expected, rel=1e-5)
    assert masked.evaluate(model.encoder)[0] > masked.evaluate()[0] + 0.1


@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_left_as_it_was(masked, model, training):
    model.train(training)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    masked.evaluate(model.encoder)
    masked.guess(model.encoder, "国家主[MASK]江泽民")
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert {module.training for module in model.encoder.modules()} == {training}
    assert masked.masked_lm.bert is masked._own


def test_a_guess_is_the_masked_models(masked):
    (best, p), second = masked.guess(None, "国家主[MASK]江泽民", 2)
    model = load_masked_lm("mini-bert")
    ids = masked.tokenizer("国家主[MASK]江泽民", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        wanted = model(ids).logits[0, 4].softmax(-1)
    assert best == masked.tokenizer.decode([int(wanted.argmax())]) and p == pytest.approx(float(wanted.max()), rel=1e-4)
    assert second[1] <= p
    with pytest.raises(EncoderError, match=r"no \[MASK\]"):
        masked.guess(None, "国家主席")


def test_a_bert_from_a_folder_is_evaluated_too(tiny_encoder, lines):
    masked = MaskedEvaluation(tiny_encoder, rows=3, lines=lines)
    model = build_model("ner", tiny_encoder, LABELS, TrainConfig())
    assert masked.evaluate(model.encoder) == masked.evaluate()
    uniform = torch.tensor(float(masked.masked_lm.config.vocab_size)).log().item()  # the loss of a random model
    assert masked.evaluate()[0] == pytest.approx(uniform, rel=0.05)


def test_what_never_guessed_cannot_forget(tmp_path, tiny_encoder, lines):
    with pytest.raises(EncoderError, match="never pre-trained"):
        MaskedEvaluation("random:mini-bert", lines=lines)
    BertForMaskedLM.from_pretrained(tiny_encoder).bert.save_pretrained(tmp_path)
    for file in ("vocab.txt", "tokenizer_config.json"):
        shutil.copy(f"{tiny_encoder}/{file}", tmp_path)
    with pytest.raises(EncoderError, match="output layer of its pre-training is not in the file"):
        MaskedEvaluation(str(tmp_path), lines=lines)
    with pytest.raises(EncoderError, match="is to be had"):
        MaskedEvaluation(str(tmp_path / "absent"), lines=lines)


def test_too_little_text(lines):
    with pytest.raises(EncoderError, match="too few for an evaluation"):
        MaskedEvaluation("mini-bert", lines=[("news", list("短短的"))])
