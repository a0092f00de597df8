"""The peers: Hugging Face's Trainer, and HanLP's own ``fit()`` as :mod:`hanlp_tutor.hanlp_compat` mends it.

``default`` is each as it comes, with the batch size of all; ``grouped`` and ``bucketed`` are their best settings here:
batches of like length. Workers of the Trainer's loader stay at 0, since they would take a second core. HanLP does not
score its training batches (``eval_trn``) nor drop words, which the others do not either.
"""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hanlp_tutor.core.batching import length_buckets
from hanlp_tutor.data import write_columns
from hanlp_tutor.workbench.bench.material import Clock, Pass


def trainer(task: str, encoder: Path, rows: list[dict[str, Any]], batch: int, *, classes: int, grouped: bool,
            device: torch.device, part: int = 1, seed: int = 1) -> Pass:  # fmt: skip
    """One pass of the Trainer, or the first of so many parts of one; by its defaults or with batches of like length."""
    import transformers

    kind = "TokenClassification" if task == "ner" else "SequenceClassification"
    model = getattr(transformers, f"AutoModelFor{kind}").from_pretrained(encoder, num_labels=classes)
    tokenizer = transformers.AutoTokenizer.from_pretrained(encoder)
    pad = {"ner": transformers.DataCollatorForTokenClassification, "classify": transformers.DataCollatorWithPadding}
    passed, masks = Pass(), []

    class Counted(transformers.Trainer):
        def training_step(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            masks.append(inputs["attention_mask"])  # here: a batch more is collated than is trained on
            return super().training_step(model, inputs, *args, **kwargs)

    class Timed(transformers.TrainerCallback):
        def on_train_begin(self, *_: Any, **__: Any) -> None:
            self.clock = Clock(device)

        def on_train_end(self, *_: Any, **__: Any) -> None:
            passed.stop(self.clock, float("nan"))  # the loss is known later

    with tempfile.TemporaryDirectory() as folder:
        arguments = transformers.TrainingArguments(
            folder, num_train_epochs=1, per_device_train_batch_size=batch, use_cpu=device.type == "cpu",
            disable_tqdm=True, seed=seed,
            max_steps=-(-len(rows) // batch // part) if part > 1 else -1,
            report_to=[], save_strategy="no", logging_strategy="no",
            **(_grouped(transformers.TrainingArguments) if grouped else {}),
        )  # fmt: skip
        contestant = Counted(model, arguments, pad[task](tokenizer), rows, callbacks=[Timed()])
        passed.loss = contestant.train().training_loss
    for mask in masks:
        passed.count(mask)
    return passed


def _grouped(arguments: type) -> dict[str, Any]:
    """Batches of like length, under the name that the installed transformers has for it, and the fused optimiser."""
    known = arguments.__dataclass_fields__
    like = {"group_by_length": True} if "group_by_length" in known else {"train_sampling_strategy": "group_by_length"}
    return {**like, "optim": "adamw_torch_fused"}


def hanlp(task: str, encoder: Path, examples: Sequence[Any], batch: int, *, bucketed: bool,
          device: torch.device, part: int = 1, seed: int = 1) -> Pass:  # fmt: skip
    """One pass of HanLP's own loop, or every so many-th batch of it; its dev set is one example, and not counted.

    A classifier of HanLP always sorts by length: for one ``bucketed`` is its default, and otherwise it is told not to.
    """
    from hanlp_tutor.hanlp_bridge import compat  # noqa: F401  it mends fit()

    # isort: split
    from hanlp.common.dataset import PadSequenceDataLoader, SortingSamplerBuilder
    from hanlp.components.classifiers.transformer_classifier import TransformerClassifier
    from hanlp.components.ner.transformer_ner import TransformerNamedEntityRecognizer

    component = {"ner": TransformerNamedEntityRecognizer, "classify": TransformerClassifier}[task]()
    passed, feed, fit, loss = Pass(), component.feed_batch, component.fit_dataloader, component.compute_loss
    losses, masks = list[torch.Tensor](), list[torch.Tensor]()

    def fed(made: dict[str, Any]) -> Any:
        ids = made["token_input_ids" if task == "ner" else "input_ids"]
        if component.model.training:
            masks.append(ids != component.transformer_tokenizer.pad_token_id)
        return feed(made)

    def noted(*args: Any, **kwargs: Any) -> torch.Tensor:
        losses.append(loss(*args, **kwargs))
        return losses[-1]

    def timed(*args: Any, **kwargs: Any) -> Any:
        clock = Clock(device)
        done = fit(*args, **kwargs)
        passed.stop(clock, float(losses[-1].detach()))
        return done

    build = component.build_dataloader

    def built(*args: Any, **kwargs: Any) -> Any:
        loader = build(*args, **kwargs)
        if kwargs.get("training") and part > 1:  # sorted by length, so that each so many-th is of every length
            some = loader.batch_sampler.batch_indices[::part]
            return PadSequenceDataLoader(loader.dataset, batch_sampler=some, device=kwargs["device"])
        return loader

    component.build_dataloader = built
    component.feed_batch, component.fit_dataloader, component.compute_loss = fed, timed, noted
    options: dict[str, Any] = {"epochs": 1, "batch_size": batch, "seed": seed, "logger": logging.Logger("unheard")}
    options["devices"] = -1 if device.type == "cpu" else 0
    with tempfile.TemporaryDirectory() as name, _quiet():
        folder = Path(name)
        if task == "ner":
            write_columns(folder / "train.tsv", examples)
            write_columns(folder / "dev.tsv", examples[:1])
            options |= {"delimiter_in_entity": "", "tagging_scheme": "BIO", "word_dropout": None, "eval_trn": False}
            options["sampler_builder"] = SortingSamplerBuilder(batch_size=batch) if bucketed else None
        else:
            for file, some in (("train.tsv", examples), ("dev.tsv", examples[:1])):
                lines = ["text\tlabel", *(f"{e.text}\t{e.label}" for e in some)]
                (folder / file).write_text("\n".join(lines) + "\n", encoding="utf-8")
            options["sorting"] = bucketed
        component.fit(str(folder / "train.tsv"), str(folder / "dev.tsv"), str(folder / "out"),
                      transformer=str(encoder), **options)  # fmt: skip
    for mask in masks:
        passed.count(mask)
    return passed


@contextlib.contextmanager
def _quiet() -> Any:
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def padding(lengths: Sequence[int], batch: int, seed: int) -> dict[str, float]:
    """The share of padding in an epoch's batches of texts of these lengths in tokens, by whose sampler draws them."""
    from hanlp.common.dataset import SortingSampler
    from transformers.trainer_pt_utils import LengthGroupedSampler

    wide = np.asarray(lengths) + 2  # with [CLS] and [SEP]
    drawn = torch.Generator().manual_seed(seed)
    orders = {
        "trainer_default": torch.randperm(len(wide), generator=drawn).tolist(),
        "trainer_grouped": list(LengthGroupedSampler(batch, lengths=wide.tolist(), generator=drawn)),
    }
    batches = {name: [order[i : i + batch] for i in range(0, len(order), batch)] for name, order in orders.items()}
    batches["hanlp_bucketed"] = list(SortingSampler(wide.tolist(), batch))
    batches["ours"] = list(length_buckets(lengths, batch_size=batch, max_tokens=128 * batch, shuffle=(seed, 0)))
    computed = {name: sum(len(some) * wide[some].max() for some in found) for name, found in batches.items()}
    return {name: 1 - float(wide.sum() / count) for name, count in computed.items()}
