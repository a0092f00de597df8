"""What all contestants of the bench are given: the same sentences, the same weights in a folder; and what each reports.

Every contestant makes a pass over the sentences, up to ``batch`` of them an update, with a linear head and no
evaluation; so that a round ends, those that sort by length make one in ``part`` of their updates, drawn from all
sentences (the more are sorted, the less is padded), and those with batches at random read one sentence in ``thin``.

The clock runs from the first batch that is drawn to the end of the last update, so it includes collation, and leaves
out what each does before: reading, tokenising, loading weights. On a CPU it is the time that the process computes, in
all its threads: what else the machine does falls on nobody. On a GPU it is the time that passes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import BertConfig, BertModel

from hanlp_tutor.corpora import load_corpus
from hanlp_tutor.device import synchronize
from hanlp_tutor.encoders import load_encoder
from hanlp_tutor.encoders.folder import write_transformer
from hanlp_tutor.encoders.mini import mini_tokenizer

CORPORA = {"ner": "peoples_daily", "classify": "reviews"}
EMBEDDED = "mini-bert"
# that of bert-base-chinese; random weights compute as long as trained ones
BASE = BertConfig(vocab_size=21128, pad_token_id=0)
LONGEST = 500  # characters: one window in every contestant, and none cuts a text
LATENCY_CHARACTERS = 46
BASE_LENGTHS = range(16, 49)  # characters of a sentence for the large encoder, so that a round ends


@dataclass(frozen=True)
class Sizes:
    """How much is computed: sentences of each training, texts of the prediction, calls for the latency."""

    ner: int = 1152  # the Trainer sorts pools of 9 batches, of which this is 4
    classify: int = 640
    base: int = 32  # of which everyone reads all
    batch: int = 32
    base_batch: int = 4
    part: int = 4
    thin: int = 12
    predicted: int = 200
    calls: int = 100
    quick: bool = False

    def settings(self) -> dict[str, Any]:
        """For the result file."""
        return asdict(self) | {"encoder": EMBEDDED, "longest": LONGEST, "corpora": CORPORA}


QUICK = Sizes(ner=16, classify=8, base=4, batch=4, base_batch=2, part=1, thin=1, predicted=12, calls=3,
              quick=True)  # fmt: skip


class Clock:
    """Seconds since it was made: that this process computed, where the device is a CPU; and that passed."""

    def __init__(self, device: torch.device):
        self._device = device
        self._began = self._now()

    def _now(self) -> tuple[float, float]:
        synchronize(self._device)
        wall = time.perf_counter()
        return time.process_time() if self._device.type == "cpu" else wall, wall

    def read(self) -> tuple[float, float]:
        """Both, so far."""
        return tuple(now - then for now, then in zip(self._now(), self._began, strict=True))


@dataclass
class Pass:
    """One pass of a contestant: tokens are those of the texts, without [CLS], [SEP] and padding."""

    seconds: float = 0.0
    wall: float = 0.0  # the time that passed; beside other work it is more
    tokens: int = 0
    computed: int = 0  # tokens that went through the encoder
    filled: int = 0  # of these no padding
    updates: int = 0
    loss: float = float("nan")
    lengths: list[int] = field(default_factory=list)  # of the texts, in tokens

    def count(self, mask: Tensor) -> None:
        """Note a batch by its attention mask, (rows, width)."""
        filled = mask.sum(1).tolist()
        self.updates += 1
        self.computed += mask.numel()
        self.filled += sum(filled)
        self.tokens += sum(filled) - 2 * len(filled)
        self.lengths += [n - 2 for n in filled]

    def stop(self, clock: Clock, loss: float) -> None:
        """The last update is over."""
        (self.seconds, self.wall), self.loss = clock.read(), loss

    def row(self) -> dict[str, float]:
        """For the result file."""
        padding = 1 - self.filled / self.computed
        numbers = {name: value for name, value in asdict(self).items() if name != "lengths"}
        return {**numbers, "tokens_per_second": self.tokens / self.seconds, "padding": padding}


def sentences(task: str, count: int, *, lengths: range = range(1, LONGEST + 1), split: str = "train") -> list[Any]:
    """The first sentences of the corpus that every contestant reads alike, of these lengths in characters."""
    # HanLP's reader of columns splits at U+3000 as at any white space, and its table reader strips texts
    fit = (
        e
        for e in getattr(load_corpus(CORPORA[task]), split)
        if len(e.text) in lengths and not any(c.isspace() for c in e.text)
    )
    return [example for example, _ in zip(fit, range(count), strict=False)]


def write_encoders(folder: Path, *, quick: bool) -> dict[str, Path]:
    """The folders ``small`` and ``base`` with weights, configuration and tokenizer, for every contestant to open.

    ``small`` is the embedded encoder; ``base`` has BERT-base's shape and random weights (``quick``: two thin layers).
    """
    torch.manual_seed(1)
    thin = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 128}
    shape = BertConfig(**{**BASE.to_dict(), **thin}) if quick else BASE
    folders = {"small": folder / "small", "base": folder / "base"}
    modules = {"small": load_encoder(EMBEDDED).module, "base": BertModel(shape)}
    for name, module in modules.items():
        module.save_pretrained(folders[name])
        write_transformer(module.config, mini_tokenizer(), folders[name])
    return folders


def rows_of(examples: Sequence[Any], encode: Any, *, cls_id: int, sep_id: int) -> list[dict[str, Any]]:
    """Examples as the Trainer takes them: ``input_ids`` with [CLS] and [SEP], ``labels`` as many, or one class."""
    rows = []
    for example in examples:
        encoded = encode(example)
        labels = encoded.labels if isinstance(encoded.labels, int) else [-100, *encoded.labels, -100]
        rows.append({"input_ids": [cls_id, *encoded.ids, sep_id], "labels": labels})
    return rows
