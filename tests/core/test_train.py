"""The loop against autograd by hand, PyTorch's large batch and the Hugging Face Trainer."""

import pytest
import torch
from small_runs import (
    PLAIN,
    distance,
    flat,
    gradient_by_hand,
    make,
    mean_over_window,
    updates_of,
    weights,
    windows_of,
)
from toy import labelled, tagged

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.history import COLUMNS, MEASURED, read_history
from hanlp_tutor.core.model_folder import build_model
from hanlp_tutor.core.task import label_set
from hanlp_tutor.core.train import fine_tune
from hanlp_tutor.errors import TrainingError

# --- accumulation --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("max_length", [512, 16], ids=["whole", "windows"])
@pytest.mark.parametrize(("task", "data"), [("ner", tagged), ("classify", labelled)])
def test_four_by_eight_is_one_by_32(tiny_encoder, tmp_path, task, data, max_length):
    examples = data(32, longest=60)
    large = PLAIN.replace(batch_size=32, max_length=max_length)
    small = large.replace(batch_size=8, gradient_accumulation_steps=4)
    ours, reference = (
        updates_of(make(task, examples, tiny_encoder), examples, config, tmp_path / str(config.batch_size))
        for config in (small, large)
    )
    assert len(ours) == len(reference) == 1
    (_, ours), (_, reference) = ours[0], reference[0]
    assert ours.keys() == reference.keys()
    assert distance(flat(ours.values()), flat(reference.values())) <= 1e-6


@pytest.mark.parametrize(("task", "data"), [("ner", tagged), ("classify", labelled)])
def test_every_update_is_the_gradient_of_its_windows_mean(tiny_encoder, tmp_path, task, data):
    """Two epochs of 5 micro-batches, 3 in a window: the last window of each holds 2, of which one is smaller."""
    examples = data(38)
    config = PLAIN.replace(epochs=2, batch_size=8, gradient_accumulation_steps=3)
    model = make(task, examples, tiny_encoder, double=True)
    windows = windows_of(model, examples, config)
    assert [len(window) for window in windows] == [3, 2, 3, 2]
    updates = updates_of(model, examples, config, tmp_path)
    assert len(updates) == len(windows)
    for (state, ours), window in zip(updates, windows, strict=True):
        model.load_state_dict(state)
        expected = gradient_by_hand(model, [examples[i] for micro in window for i in micro], mean_over_window)
        assert distance(flat(ours.values()), flat(expected[name] for name in ours)) <= 1e-6


def test_the_mean_of_the_means_is_far_off(tiny_encoder, tmp_path):
    """What the tests above would find if the loop divided each micro-batch by its own tokens."""
    examples = tagged(32, longest=60)
    config = PLAIN.replace(batch_size=8, gradient_accumulation_steps=4)
    model = make("ner", examples, tiny_encoder, double=True)
    (window,) = windows_of(model, examples, config)
    ((state, ours),) = updates_of(model, examples, config, tmp_path)
    model.load_state_dict(state)
    parts = [gradient_by_hand(model, [examples[i] for i in micro], mean_over_window) for micro in window]
    wrong = sum(flat(part[name] for name in ours) for part in parts) / len(parts)
    assert distance(wrong, flat(ours.values())) > 0.02


@pytest.mark.parametrize("mean", ["corpus", "update"])
def test_over_the_corpus_the_updates_of_an_epoch_add_up_to_its_mean(tiny_encoder, tmp_path, mean):
    """At a learning rate that moves nothing; sentences of like length make updates of unlike numbers of tokens."""
    examples = tagged(38, longest=60)
    config = PLAIN.replace(batch_size=8, gradient_accumulation_steps=2, lr=1e-15, head_lr=1e-15, loss_mean=mean)
    model = make("ner", examples, tiny_encoder, double=True)
    updates = updates_of(model, examples, config, tmp_path)
    found = sum(flat(ours.values()) for _, ours in updates) / len(updates)
    whole = gradient_by_hand(model, examples, mean_over_window)
    away = distance(found, flat(whole[name] for name in updates[0][1]))
    assert away <= 1e-6 if mean == "corpus" else away > 0.02


def test_class_weights_weigh_the_loss(tiny_encoder, tmp_path):
    examples = [e for e in labelled(60) if e.label == "good"][:12] + [e for e in labelled(60) if e.label == "bad"][:4]
    model = make("classify", examples, tiny_encoder, double=True)
    ((state, ours),) = updates_of(model, examples, PLAIN.replace(class_weights="balanced"), tmp_path)
    balanced = {"good": 16 / (2 * 12), "bad": 16 / (2 * 4)}  # as in scikit-learn
    model.load_state_dict(state)

    def weighted(parts):
        return sum(balanced[e.label] * loss for e, (loss, _) in zip(examples, parts, strict=True)) / len(examples)

    expected = gradient_by_hand(model, examples, weighted)
    assert distance(flat(ours.values()), flat(expected[name] for name in ours)) <= 1e-6
    with pytest.raises(TrainingError, match="class_weights names 'godo'"):
        fine_tune(model, examples, [], PLAIN.replace(class_weights={"godo": 2.0}), tmp_path / "misspelt")


# --- the L2 term ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("l2_on", ["encoder", "all", "distance"])
def test_the_l2_term_is_that_of_the_article(tiny_encoder, tmp_path, l2_on):
    """(1/n) Σ L + (λ/N) ‖θ‖² over windows of n of the N tokens, the last one smaller; gradients in float64."""
    examples = tagged(20)
    lam, total = 30.0, sum(len(example.text) for example in examples)
    config = PLAIN.replace(epochs=2, batch_size=4, gradient_accumulation_steps=3, l2=lam, l2_on=l2_on)
    model = make("ner", examples, tiny_encoder, double=True)
    start = weights(model)
    windows = windows_of(model, examples, config)
    updates = updates_of(model, examples, config, tmp_path)
    for number, ((state, ours), window) in enumerate(zip(updates, windows, strict=True)):
        model.load_state_dict(state)
        expected = gradient_by_hand(model, [examples[i] for micro in window for i in micro], mean_over_window)
        terms = {}
        for name in expected:
            if name.startswith("encoder.") or l2_on == "all":
                terms[name] = lam / total * 2 * (state[name] - (start[name] if l2_on == "distance" else 0))
        whole = flat(expected[name] + terms.get(name, 0) for name in ours)
        assert distance(flat(ours.values()), whole) <= 1e-6
        if l2_on != "distance" or number:
            assert flat(terms.values()).norm() > 1e-3 * whole.norm(), "too small to be seen if it were missing"
    rows = read_history(tmp_path / "history.csv")
    assert (rows[0]["l2"] > 0) and (rows[-1]["l2"] < rows[0]["l2"] or l2_on == "distance")


def test_under_sgd_the_l2_term_is_decoupled_decay(tiny_encoder, tmp_path):
    """θ ← θ - η g - η (2λ/N) θ either way; under AdamW, which rescales the gradient, it is not."""
    examples = tagged(16)
    total = sum(len(example.text) for example in examples)

    def move(optimizer, **options):
        model = make("ner", examples, tiny_encoder, double=True)
        before = weights(model)
        updates_of(model, examples, PLAIN.replace(optimizer=optimizer, **options), tmp_path / f"{optimizer}{options}")
        return before, weights(model)

    decay = 0.5
    before, plain = move("sgd")
    _, penalised = move("sgd", l2=decay * total / 2, l2_on="all")
    trained = [name for name in before if "pooler" not in name]
    decoupled = flat(plain[name] - PLAIN.lr * decay * before[name] for name in trained)
    assert distance(flat(penalised[name] for name in trained), decoupled) <= 1e-9
    before, plain = move("adamw")
    _, penalised = move("adamw", l2=decay * total / 2, l2_on="all")
    decoupled = flat(plain[name] - PLAIN.lr * decay * before[name] for name in trained)
    assert distance(flat(penalised[name] for name in trained), decoupled) > 0.1


# --- the whole loop ------------------------------------------------------------------------------------------------


def test_the_hugging_face_trainer_comes_to_the_same_weights(tiny_encoder, tmp_path):
    """AdamW, decay but on bias and LayerNorm, linear warm-up, clipping, accumulation: 12 updates, same batches.

    Sentences of one length, because the Trainer takes the mean of the micro-batch means.
    """
    from torch.utils.data import SequentialSampler
    from transformers import BertForTokenClassification, Trainer, TrainingArguments

    examples = tagged(48, shortest=12, longest=12)
    config = TrainConfig(
        crf=False,
        epochs=2,
        batch_size=4,
        gradient_accumulation_steps=2,
        lr=1e-3,
        head_lr=1e-3,
        weight_decay=0.1,
        warmup_steps=3,
        max_grad_norm=0.5,
        dropout=0.0,
        patience=None,
    )
    model = make("ner", examples, tiny_encoder, config)
    theirs = BertForTokenClassification.from_pretrained(
        tiny_encoder,
        num_labels=len(model.labels),
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    theirs.bert.load_state_dict({k: v for k, v in model.encoder.state_dict().items() if not k.startswith("pooler")})
    theirs.classifier.load_state_dict(model.head.classifier.state_dict())

    def row(example):
        encoded = model.encode(example)
        return {
            "input_ids": [model.tokenizer.cls_token_id, *encoded.ids, model.tokenizer.sep_token_id],
            "attention_mask": [1] * 14,
            "labels": [-100, *encoded.labels, -100],
        }

    order = [i for window in windows_of(model, examples, config) for micro in window for i in micro]

    class InOrder(Trainer):
        def _get_train_sampler(self, *_):
            return SequentialSampler(self.train_dataset)

    arguments = TrainingArguments(
        output_dir=str(tmp_path / "trainer"),
        num_train_epochs=1,  # the order holds both epochs
        per_device_train_batch_size=4,
        gradient_accumulation_steps=2,
        learning_rate=1e-3,
        weight_decay=0.1,
        warmup_steps=3,
        max_grad_norm=0.5,
        optim="adamw_torch",
        adam_epsilon=1e-8,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
    )
    dataset = [row(examples[i]) for i in order]
    InOrder(model=theirs, args=arguments, train_dataset=dataset, data_collator=stack).train()

    before = flat([*model.encoder.state_dict().values()])
    result = fine_tune(model, examples, [], config, tmp_path / "ours")
    assert result.steps == 12
    ours = {f"bert.{n}": p for n, p in model.encoder.named_parameters() if not n.startswith("pooler")}
    ours |= {f"classifier.{n}": p for n, p in model.head.classifier.named_parameters()}
    reference = dict(theirs.named_parameters())
    assert ours.keys() == reference.keys()
    for name, parameter in ours.items():
        assert torch.allclose(parameter, reference[name], rtol=0, atol=5e-6), name
    assert float((flat([*model.encoder.state_dict().values()]) - before).abs().max()) > 5e-3, "they moved"


def stack(rows):
    return {name: torch.tensor([row[name] for row in rows]) for name in rows[0]}


def test_the_head_learns_at_its_own_rate_and_what_is_frozen_stays(tiny_encoder, tmp_path):
    examples = tagged(8)
    config = PLAIN.replace(batch_size=8, lr=0.01, head_lr=0.5, freeze="all-but-last-1")
    model = make("ner", examples, tiny_encoder, config, double=True)
    before = weights(model)
    ((_, gradients),) = updates_of(model, examples, config, tmp_path)
    for name, now in weights(model).items():
        rate = 0.5 if name.startswith("head.") else 0.01 if ".layer.1." in name else 0.0
        moved = gradients[name] * rate if rate else torch.zeros_like(now)
        assert torch.allclose(before[name] - now, moved, rtol=1e-9, atol=1e-12), name
    ((row),) = read_history(tmp_path / "history.csv")
    assert (row["lr"], row["head_lr"]) == (0.01, 0.5)


def test_clipping_and_the_norm_in_the_history(tiny_encoder, tmp_path):
    examples = tagged(8)
    config = PLAIN.replace(batch_size=8, max_grad_norm=0.01)
    model = make("ner", examples, tiny_encoder, double=True)
    before = flat(weights(model).values())
    expected = flat(gradient_by_hand(model, examples, mean_over_window).values()).norm()
    fine_tune(model, examples, [], config, tmp_path)
    (row,) = read_history(tmp_path / "history.csv")
    assert row["grad_norm"] == pytest.approx(float(expected), rel=1e-6)
    assert expected > 0.1
    assert float((flat(weights(model).values()) - before).norm()) == pytest.approx(0.1 * 0.01, rel=1e-3)


def test_gradient_checkpointing_changes_nothing(tiny_encoder, tmp_path):
    """The same gradients, with dropout too, whose masks are drawn again in the recomputation."""
    examples = tagged(16)
    config = PLAIN.replace(batch_size=8, dropout=0.3)
    found = []
    for on in (False, True):
        model = make("ner", examples, tiny_encoder, config)
        updates = updates_of(model, examples, config.replace(gradient_checkpointing=on), tmp_path / str(on))
        assert model.encoder.is_gradient_checkpointing is on
        found.append([flat(gradient.values()) for _, gradient in updates])
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_same_seed_same_weights_other_seed_others(tiny_encoder, tmp_path):
    examples = tagged(24)
    config = TrainConfig(epochs=2, batch_size=4, dropout=0.2, lr=1e-3, patience=None)

    def run(name, seed):
        settings = config.replace(seed=seed)
        torch.rand(len(name))  # what was drawn before must not matter
        model = build_model("ner", "random:" + tiny_encoder, label_set("ner", examples), settings)
        torch.rand(len(name))
        result = fine_tune(model, examples, tagged(8, seed=1), settings, tmp_path / name)
        return flat(weights(model).values()), result.history

    (first, rows), (again, rows_again), (other, _) = run("a", 1), run("second", 1), run("c", 2)
    assert torch.equal(first, again)
    assert [{k: r.get(k) for k in COLUMNS if k not in MEASURED} for r in rows] == [
        {k: r.get(k) for k in COLUMNS if k not in MEASURED} for r in rows_again
    ]
    assert not torch.equal(first, other)
