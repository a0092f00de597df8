"""Predictions of an exported model on ONNX Runtime: no torch, no transformers, the same answers as the kit's.

Texts are read as in :mod:`hanlp_tutor.core.predict`: a token a character for tagging, windows that overlap by half for
what is longer than the encoder's positions, offsets in Unicode code points.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hanlp_tutor.data.characters import TextEncoder
from hanlp_tutor.data.texts import check_text
from hanlp_tutor.data.windows import window_of, windows
from hanlp_tutor.extras import needs
from hanlp_tutor.serving.onnx_folder import GRAPH, HEAD, TOKENIZER, read_card
from hanlp_tutor.serving.onnx_tasks import OF_TASK

BATCH_TOKENS, BATCH_ROWS = 4096, 256  # computed at once, padding included


class OnnxPredictor:
    """An ONNX folder in service; threads may share one.

    Args:
        folder: written by :func:`hanlp_tutor.serving.onnx_export.export_onnx`.
        threads: of ONNX Runtime within one computation; None: as many as it takes by itself.

    Raises:
        ModelError: no such folder, or not a whole one. ConfigError: ONNX Runtime is not installed.
    """

    def __init__(self, folder: str | Path, *, threads: int | None = None):
        runtime = needs("onnxruntime", "An ONNX model")
        folder = Path(folder)
        self.card = read_card(folder)
        runtime.disable_telemetry_events()  # what is asked of a model in service is nobody else's business
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        self._session = runtime.InferenceSession(str(folder / GRAPH), options, providers=["CPUExecutionProvider"])
        text = TextEncoder(_Tokenizer(folder / TOKENIZER, self.card["special"]))
        with np.load(folder / HEAD) as head:
            self._of_task = OF_TASK[self.card["task"]](self.card, text, {name: head[name] for name in head.files})
        self.task, self.labels = self.card["task"], self._of_task.labels

    @property
    def model(self) -> Any:
        """What of the model its task's scores ask, as of :attr:`hanlp_tutor.Predictor.model`; of some tasks nothing."""
        return self._of_task.model

    @classmethod
    def load(cls, folder: str | Path) -> OnnxPredictor:
        """As :meth:`hanlp_tutor.Predictor.load`."""
        return cls(folder)

    def predict(self, text: Any) -> dict[str, Any]:
        """The prediction for one text, or pair; see :meth:`predict_many`."""
        return self.predict_many([text if self.task == "relation" else check_text(text)])[0]

    def predict_many(self, texts: Iterable[Any], *, probabilities: int = 0) -> list[dict[str, Any]]:
        """The predictions for many texts, in their order: what :meth:`hanlp_tutor.Predictor.predict_many` returns.

        Args:
            texts: of any lengths; a model of relations takes pairs.
            probabilities: of how many classes, the likeliest, an answer of one class has them beside.

        Raises:
            InputError: something else than texts.
        """
        of_task = self._of_task
        inputs = of_task.inputs(texts)
        ids = {number: of_task.ids(each) for number, each in enumerate(inputs)}
        answers = {number: of_task.blank(inputs[number], row) for number, row in ids.items()}
        for numbers, scores, lengths in self._computed({n: row for n, row in ids.items() if answers[n] is None}):
            found = of_task.answers([inputs[n] for n in numbers], scores, lengths, probabilities)
            answers.update(zip(numbers, found, strict=True))
        return [answers[number] for number in range(len(inputs))]

    def tags(self, examples: Sequence[Any]) -> list[list[str]]:
        """The tag of each character of each text, or the class of each text or pair in a list of one.

        Args:
            examples: texts; pairs; or :class:`~hanlp_tutor.data.words.TaggedWords`, whose words, or their pieces, are
                tagged for their task.
        """
        found: list[list[str]] = [[] for _ in examples]
        ids = {number: self._of_task.ids(example) for number, example in enumerate(examples)}
        if self._of_task.by_token:
            ids = {number: row for number, row in ids.items() if row}
        for numbers, scores, lengths in self._computed(ids):
            rows = self._of_task.predictions([examples[n] for n in numbers], scores, lengths)
            for number, row in zip(numbers, rows, strict=True):
                found[number] = row
        return found

    def _computed(self, ids: dict[int, list[int]]) -> Iterator[tuple[list[int], np.ndarray, list[int]]]:
        """Batch by batch the numbers of its texts, their scores, and how many tokens each has."""
        compute = self._scores if self._of_task.by_token else self._pooled
        for numbers in _batches(ids, self.card["window"]):
            rows = [ids[number] for number in numbers]
            yield numbers, compute(rows), [len(row) for row in rows]

    def _scores(self, rows: list[list[int]]) -> np.ndarray:
        """The scores of each token of each text, (B, L, C), each from the window in whose middle it lies."""
        size, lengths = self.card["window"] - 2, [len(row) for row in rows]
        parts = [windows(length, size) for length in lengths]
        of_windows = self._run([row[a:b] for row, spans in zip(rows, parts, strict=True) for a, b in spans])
        scores = np.zeros((len(rows), max(lengths), of_windows.shape[-1]), np.float32)
        first = 0
        for number, (length, spans) in enumerate(zip(lengths, parts, strict=True)):
            if len(spans) == 1:
                scores[number, :length] = of_windows[first, 1 : 1 + length]
            else:
                kept = np.array([window_of(i, len(spans), size) for i in range(length)])
                starts = np.array([start for start, _ in spans])
                scores[number, :length] = of_windows[first + kept, 1 + np.arange(length) - starts[kept]]
            first += len(spans)
        return scores

    def _pooled(self, rows: list[list[int]]) -> np.ndarray:
        """The states of [CLS] of each text, (B, H): the largest value of each component over its windows."""
        parts = [windows(len(row), self.card["window"] - 2) for row in rows]
        states = self._run([row[a:b] for row, spans in zip(rows, parts, strict=True) for a, b in spans])
        return np.maximum.reduceat(states, np.cumsum([0, *map(len, parts)])[:-1], axis=0)

    def _run(self, rows: list[list[int]]) -> np.ndarray:
        """What the graph says of windows, some at a time; padded to the longest of all."""
        special, width = self.card["special"], max(map(len, rows)) + 2
        ids = np.full((len(rows), width), special["pad"], np.int64)
        mask = np.zeros_like(ids)
        for number, row in enumerate(rows):
            ids[number, : len(row) + 2] = [special["cls"], *row, special["sep"]]
            mask[number, : len(row) + 2] = 1
        step = max(1, BATCH_TOKENS // width)
        found = [
            self._session.run(None, {"input_ids": ids[k : k + step], "attention_mask": mask[k : k + step]})[0]
            for k in range(0, len(rows), step)
        ]
        return found[0] if len(found) == 1 else np.concatenate(found)


class _Tokenizer:
    """A ``tokenizers.Tokenizer`` asked as one of transformers is."""

    def __init__(self, path: Path, special: dict[str, int]):
        tokenizer = needs("tokenizers", "An ONNX model").Tokenizer.from_file(str(path))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self.cls_token_id, self.sep_token_id = special["cls"], special["sep"]
        self.pad_token_id, self.unk_token_id = special["pad"], special["unk"]

    def __call__(
        self, texts: str | list[str], *, add_special_tokens: bool, verbose: bool = False,
        return_offsets_mapping: bool = False,
    ) -> dict[str, Any]:  # fmt: skip
        if isinstance(texts, str):
            found = self._tokenizer.encode(texts, add_special_tokens=add_special_tokens)
            return {"input_ids": found.ids, **({"offset_mapping": found.offsets} if return_offsets_mapping else {})}
        found = self._tokenizer.encode_batch(texts, add_special_tokens=add_special_tokens)
        return {"input_ids": [each.ids for each in found]}

    def convert_tokens_to_ids(self, tokens: list[str]) -> list[int]:
        return [self._tokenizer.token_to_id(token) for token in tokens]


def _batches(ids: dict[int, list[int]], window: int) -> Iterator[list[int]]:
    """The numbers of texts of like lengths, as many together as the budget of tokens lets in."""
    waiting: list[int] = []
    widest = rows = 0
    for number in sorted(ids, key=lambda n: len(ids[n])):
        width, more = min(len(ids[number]) + 2, window), len(windows(len(ids[number]), window - 2))
        if waiting and (max(widest, width) * (rows + more) > BATCH_TOKENS or rows + more > BATCH_ROWS):
            yield waiting
            waiting, widest, rows = [], 0, 0
        waiting.append(number)
        widest, rows = max(widest, width), rows + more
    if waiting:
        yield waiting
