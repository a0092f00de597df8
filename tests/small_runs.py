"""Runs small enough to be followed by hand: options without chance, what an update is given and what it should be."""

import copy
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.batching import length_buckets
from hanlp_tutor.core.model_folder import build_model
from hanlp_tutor.core.task import label_set
from hanlp_tutor.core.train import fine_tune

# One thing at a time: no CRF, plain SGD, no dropout, no clipping, no warm-up, a learning rate that never falls.
PLAIN = TrainConfig(
    epochs=1,
    optimizer="sgd",
    lr=0.1,
    head_lr=0.1,
    weight_decay=0.0,
    dropout=0.0,
    max_grad_norm=None,
    warmup_steps=0,
    schedule="constant",
    max_batch_tokens=100_000,
    patience=None,
    crf=False,
)


def make(task, examples, encoder, config=PLAIN, double=False):
    model = build_model(task, encoder, label_set(task, examples), config)
    for module in model.modules():  # attention dropout stays as the encoder's authors chose it
        if isinstance(module, nn.Dropout):
            module.p = config.dropout
    return model.double() if double else model


def weights(model):
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


@contextmanager
def watching(model):
    """Of each update the weights before it and the gradient that the optimiser is given, both by name."""
    updates = []

    def note(*_):
        gradients = {n: p.grad.detach().clone() for n, p in model.named_parameters() if p.grad is not None}
        updates.append((copy.deepcopy(model.state_dict()), gradients))

    handle = register_optimizer_step_pre_hook(note)
    try:
        yield updates
    finally:
        handle.remove()


def updates_of(model, examples, config, out):
    with watching(model) as updates:
        fine_tune(model, examples, [], config, out)
    return updates


def windows_of(model, examples, config):
    """Which examples each update of the run reads, in order."""
    lengths = [len(model.encode(example).ids) for example in examples]
    k, found = config.gradient_accumulation_steps, []
    for epoch in range(config.epochs):
        batches = length_buckets(
            lengths,
            batch_size=config.batch_size,
            max_tokens=config.batch_tokens,
            max_length=config.max_length,
            shuffle=(config.seed, epoch),
        )
        found += [batches[i : i + k] for i in range(0, len(batches), k)]
    return found


def flat(tensors):
    return torch.cat([tensor.detach().double().flatten() for tensor in tensors])


def distance(a, b):
    """‖a - b‖ / ‖b‖"""
    return float((a - b).norm() / b.norm())


def loss_by_hand(model, example):
    """Σ L of one example, straight from the encoder, without batches, padding and heads; and how many it sums."""
    encoded = model.encode(example)
    ids = torch.tensor([[model.tokenizer.cls_token_id, *encoded.ids, model.tokenizer.sep_token_id]])
    hidden = model.encoder(input_ids=ids).last_hidden_state[0]
    read = hidden[1:-1] if model.task == "ner" else hidden[:1]
    gold = torch.tensor(encoded.labels if model.task == "ner" else [encoded.labels])
    return F.cross_entropy(model.head.classifier(read), gold, reduction="sum"), len(gold)


def gradient_by_hand(model, examples, reduce):
    """The gradient of ``reduce([(loss, count), ...])``, by name."""
    loss = reduce([loss_by_hand(model, example) for example in examples])
    trainable = {name: p for name, p in model.named_parameters() if p.requires_grad}
    return dict(zip(trainable, torch.autograd.grad(loss, list(trainable.values())), strict=True))


def mean_over_window(parts):
    return sum(loss for loss, _ in parts) / sum(count for _, count in parts)
