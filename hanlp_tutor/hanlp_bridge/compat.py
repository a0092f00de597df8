"""HanLP's own ``fit()``, mended: import this module, then train with HanLP 2.1.5 as its documentation says.

>>> import hanlp_tutor.hanlp_compat
>>> hanlp_tutor.hanlp_compat.mended  # doctest: +SKIP
('optimizer_gone', 'classifier_window_renamed', ...)

Each patch bears the name of the fault that it mends and asks first whether the installed HanLP and transformers have
that fault; where they are sound nothing is touched. The warnings at the end change nothing: they say aloud what HanLP
does in silence. Folders that the mended ``fit()`` writes are HanLP's own, and plain ``hanlp.load`` opens them.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from types import SimpleNamespace

import hanlp
import torch
import transformers.optimization
from hanlp.common.torch_component import TorchComponent
from hanlp.common.vocab import Vocab
from hanlp.components.classifiers import transformer_classifier
from hanlp.components.classifiers.transformer_classifier import TransformerClassifier
from hanlp.components.mtl.multi_task_learning import MultiTaskLearning
from hanlp.components.ner.transformer_ner import TransformerNamedEntityRecognizer
from hanlp.layers.embeddings.contextual_word_embedding import ContextualWordEmbedding
from hanlp.metrics.accuracy import CategoricalAccuracy
from torch import nn

WINDOW = 512  # HanLP's own default, of TransformerTokenizer


class HanLPWarning(UserWarning):
    """Something that HanLP does without a word and that costs its user a model or an evening."""


# The optimizer ----------------------------------------------------------------------------------------------------


class AdamW(torch.optim.AdamW):
    """PyTorch's AdamW under the arguments of the one that transformers took away in 4.50.

    The differences are below the noise of a seed: the old one decayed the weights after the step instead of before
    it, and added ``eps`` before the bias correction.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.0, correct_bias=True,
                 no_deprecation_warning=False):  # fmt: skip
        if not correct_bias:
            raise ValueError("AdamW without bias correction went with transformers 4.50: leave correct_bias=True.")
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)


def optimizer_gone() -> Callable[[], None] | None:
    """``transformers.optimization.AdamW``, which every HanLP optimizer is, was removed."""
    if hasattr(transformers.optimization, "AdamW"):
        return None
    return lambda: setattr(transformers.optimization, "AdamW", AdamW)


# The classifier ---------------------------------------------------------------------------------------------------


def classifier_window_renamed() -> Callable[[], None] | None:
    """``TransformerClassifier.fit`` takes ``max_seq_len`` and reads ``max_seq_length``."""
    if "max_seq_length" in inspect.signature(TransformerClassifier.fit).parameters:
        return None
    original = TransformerClassifier.on_config_ready

    def on_config_ready(self, **kwargs):
        self.config.setdefault("max_seq_length", self.config.get("max_seq_len") or WINDOW)
        return original(self, **kwargs)

    return lambda: setattr(TransformerClassifier, "on_config_ready", on_config_ready)


def classifier_without_encoder() -> Callable[[], None] | None:
    """The optimizer looks for ``model.encoder.transformer``; the classifier's model has ``model.transformer``."""
    model = transformer_classifier.TransformerClassificationModel
    probe = nn.Identity()
    probe.config = SimpleNamespace(hidden_dropout_prob=0.0, hidden_size=1)
    if hasattr(model(probe, 1), "encoder"):
        return None
    return lambda: setattr(model, "encoder", property(lambda self: self))


def accuracy_without_get_metric() -> Callable[[], None] | None:
    """The classifier's loop asks its metric for ``get_metric()``; the metric has ``score``."""
    if hasattr(CategoricalAccuracy, "get_metric"):
        return None
    return lambda: setattr(CategoricalAccuracy, "get_metric", lambda self: self.score)


def classifier_label_column() -> Callable[[], None] | None:
    """Labels are learnt from a column called ``label`` only; under another name the vocabulary stays empty."""
    if "self.vocabs.label = " not in inspect.getsource(TransformerClassifier.build_vocabs):
        return None
    original = TransformerClassifier.build_vocabs

    def build_vocabs(self, trn, logger, **kwargs):
        if self.config.label_key != "label":
            raise ValueError(
                f"HanLP's classifier learns from a column called 'label'; this file's is {self.config.label_key!r}. "
                "The first line of the file is its header: write text<TAB>label there."
            )
        return original(self, trn, logger, **kwargs)

    return lambda: setattr(TransformerClassifier, "build_vocabs", build_vocabs)


# fit(finetune=...) ------------------------------------------------------------------------------------------------


def classifier_finetune_forgets() -> Callable[[], None] | None:
    """``TransformerClassifier.fit(finetune=...)`` numbers the labels anew and starts from untrained weights."""
    if "finetune" in inspect.signature(TransformerClassifier.build_model).parameters:
        return None
    original = TransformerClassifier.build_vocabs

    def build_vocabs(self, trn, logger, **kwargs):
        if self.model is None or "label" not in self.vocabs:
            return original(self, trn, logger, **kwargs)
        for _ in trn:  # reading a sample adds its label to the unlocked vocabulary, behind those it has
            pass
        self.vocabs.lock()
        self.vocabs.summary(logger)
        return None

    def mend() -> None:
        TransformerClassifier.build_vocabs = build_vocabs
        TransformerClassifier.build_model = _keeping_weights(TransformerClassifier.build_model)

    return mend


def multitask_finetune_forgets() -> Callable[[], None] | None:
    """``MultiTaskLearning.fit(finetune=...)`` stops at vocabularies that are None, and would start anew."""
    if "finetune" in inspect.signature(MultiTaskLearning.build_model).parameters:
        return None
    init, on_config_ready = MultiTaskLearning.__init__, MultiTaskLearning.on_config_ready

    def unlocking_init(self, **kwargs):
        init(self, **kwargs)
        if self.vocabs is None:
            self.vocabs = SimpleNamespace(unlock=lambda: [task.vocabs.unlock() for task in self.tasks.values()])

    def keeping_vocabs(self, **kwargs):
        before = self.tasks or {}
        on_config_ready(self, **kwargs)
        for name, task in self.tasks.items():  # fit() brings new Task objects for the tasks of a loaded model
            if self.model is not None and name in before and not task.vocabs:
                task.vocabs.update(before[name].vocabs)

    def mend() -> None:
        MultiTaskLearning.__init__ = unlocking_init
        MultiTaskLearning.on_config_ready = keeping_vocabs
        MultiTaskLearning.build_model = _keeping_weights(MultiTaskLearning.build_model)

    return mend


def _keeping_weights(build_model: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
    def with_weights(self, *args, finetune=False, **kwargs):
        model = build_model(self, *args, finetune=finetune, **kwargs)
        if finetune and self.model is not None:
            _copy_weights(self.model_, model)
        return model

    return with_weights


@torch.no_grad()
def _copy_weights(old: nn.Module, new: nn.Module) -> None:
    """What ``old`` has learnt, into ``new``; where ``new`` has more labels, into its first rows (and columns)."""
    weights = old.state_dict()
    for name, tensor in new.state_dict().items():
        learnt = weights.get(name)
        if learnt is not None and learnt.dim() == tensor.dim():
            place = tuple(slice(0, size) for size in learnt.shape)
            if tensor[place].shape == learnt.shape:
                tensor[place] = learnt.to(tensor.device)


def embedding_without_window() -> Callable[[], None] | None:
    """``ContextualWordEmbedding`` leaves its window None by default, and its tokenizer compares lengths with it."""
    parameter = inspect.signature(ContextualWordEmbedding.__init__).parameters["max_sequence_length"]
    if parameter.default is not None:
        return None
    original = ContextualWordEmbedding.__init__
    signature = inspect.signature(original)

    @functools.wraps(original)
    def init(self, *args, **kwargs):
        given = signature.bind(self, *args, **kwargs).arguments
        original(**{**given, "max_sequence_length": given.get("max_sequence_length") or WINDOW})

    return lambda: setattr(ContextualWordEmbedding, "__init__", init)


# What HanLP does in silence ---------------------------------------------------------------------------------------


def warn_of_labels_unseen_in_train() -> None:
    """Vocabularies of labels have no padding; once locked, HanLP takes an unknown label for its first one, or None."""
    original = Vocab.get_idx

    def get_idx(self, token):
        if not self.mutable and self.pad_token is None and token not in self.token_to_idx:
            instead = f"it counts as {self.unk_token!r}" if self.unk_token else "there is no number for it"
            _warn(f"The label {token!r} does not occur in the training set: {instead}, and no score will show it. "
                  "Correct it, or move an example of it to the training set.")  # fmt: skip
        return original(self, token)

    Vocab.get_idx = get_idx


def warn_of_raw_string() -> None:
    """A NER component reads a string as a list of one-character sentences."""
    original = TransformerNamedEntityRecognizer.predict

    def predict(self, tokens, *args, **kwargs):
        if isinstance(tokens, str):
            _warn(f"A string is read as {len(tokens)} sentences of one character each. Pass list(text).")
        return original(self, tokens, *args, **kwargs)

    TransformerNamedEntityRecognizer.predict = predict


def warn_of_dropped_frozen_layers() -> None:
    """``save()`` leaves frozen weights out, and loading takes random ones for what is missing, without an error."""
    original = TorchComponent.save_weights

    def save_weights(self, save_dir, filename="model.pt", trainable_only=True, **kwargs):
        frozen = [name for name, p in self.model_.named_parameters() if not p.requires_grad]
        if trainable_only and frozen:
            _warn(f"{len(frozen)} frozen weights are not saved, among them {frozen[0]}; hanlp.load() would draw them "
                  "at random. Save again with component.save_weights(folder, trainable_only=False).")  # fmt: skip
        return original(self, save_dir, filename, trainable_only, **kwargs)

    TorchComponent.save_weights = save_weights


def warn_of_options() -> None:
    """Options of ``fit()`` that do not do what their names say."""
    original = TorchComponent.fit

    @functools.wraps(original)
    def fit(self, *args, **kwargs):
        k, warmup = kwargs.get("gradient_accumulation") or 1, kwargs.get("warmup_steps") or 0
        if k > 1 and isinstance(self, TransformerClassifier):
            _warn(f"gradient_accumulation={k} is ignored by TransformerClassifier: it updates after each batch.")
        elif k > 1 and kwargs.get("reduction") == "sum":
            _warn(f"gradient_accumulation={k} with reduction='sum': the gradient is 1/{k} of that of one large batch.")
        elif k > 1:
            _warn(f"gradient_accumulation={k} averages the batches' means, so a token of a short batch weighs more "
                  "than one of a long batch.")  # fmt: skip
        if isinstance(self, MultiTaskLearning) and warmup >= 1:
            _warn(f"warmup_steps={warmup} is a factor of all steps here, not a number of steps: the learning rate "
                  "never leaves the warm-up. Pass a fraction, such as 0.1.")  # fmt: skip
        return original(self, *args, **kwargs)

    TorchComponent.fit = fit


def _warn(message: str) -> None:
    warnings.warn(message, HanLPWarning, stacklevel=3)


FAULTS = (
    optimizer_gone,
    classifier_window_renamed,
    classifier_without_encoder,
    accuracy_without_get_metric,
    classifier_label_column,
    classifier_finetune_forgets,
    multitask_finetune_forgets,
    embedding_without_window,
)
WARNINGS = (warn_of_labels_unseen_in_train, warn_of_raw_string, warn_of_dropped_frozen_layers, warn_of_options)


def _mend() -> tuple[str, ...]:
    """Mend once a process, also when this module is imported anew."""
    done = getattr(hanlp, "_mended_by_hanlp_tutor", None)
    if done is None:
        done = hanlp._mended_by_hanlp_tutor = []
        for fault in FAULTS:
            mend = fault()
            if mend is not None:
                mend()
                done.append(fault.__name__)
        for warning in WARNINGS:
            warning()
    return tuple(done)


mended = _mend()  # the faults that this HanLP had
