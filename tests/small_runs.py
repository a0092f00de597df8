"""Runs small enough to be followed update by update: options without chance, and what each update is given."""

import copy
from contextlib import contextmanager

from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.model import build_model, label_set
from hanlp_tutor.train import fine_tune

# One thing at a time: plain SGD, no dropout, no clipping, no warm-up, a rate that never falls.
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
