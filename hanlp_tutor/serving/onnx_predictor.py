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
from hanlp_tutor.data.edges import visible_spans
from hanlp_tutor.data.texts import check_text, check_texts
from hanlp_tutor.data.windows import window_of, windows
from hanlp_tutor.extras import needs
from hanlp_tutor.serving.crf import Transitions, best_tags, marginals, softmax
from hanlp_tutor.serving.onnx_folder import GRAPH, HEAD, TOKENIZER, read_card

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
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        self._session = runtime.InferenceSession(str(folder / GRAPH), options, providers=["CPUExecutionProvider"])
        self._text = TextEncoder(_Tokenizer(folder / TOKENIZER, self.card["special"]))
        with np.load(folder / HEAD) as head:
            self._head = {name: head[name] for name in head.files}
        self.task, self.labels = self.card["task"], tuple(self.card["labels"])
        crf = ("start", "between", "end")
        self._crf = Transitions(*map(self._head.get, crf)) if self.card["crf"] else None

    @classmethod
    def load(cls, folder: str | Path) -> OnnxPredictor:
        """As :meth:`hanlp_tutor.Predictor.load`."""
        return cls(folder)

    def predict(self, text: str) -> dict[str, Any]:
        """The prediction for one text; see :meth:`predict_many`."""
        return self.predict_many([check_text(text)])[0]

    def predict_many(self, texts: Iterable[str], *, probabilities: int = 0) -> list[dict[str, Any]]:
        """The predictions for many texts, in their order: what :meth:`hanlp_tutor.Predictor.predict_many` returns.

        Args:
            texts: of any lengths.
            probabilities: of how many classes, the likeliest, a classifier's answer has them beside.

        Raises:
            InputError: something else than texts.
        """
        texts = check_texts(texts)
        answers: list[dict[str, Any] | None] = [None] * len(texts)
        tagging = self.task == "ner"
        for number, text in enumerate(texts):
            if tagging and not text.strip():
                answers[number] = {"text": text, "entities": []}
        open_ = [number for number, answer in enumerate(answers) if answer is None]
        encode = self._text.by_character if tagging else self._text.whole
        ids = {number: encode(texts[number]) for number in open_}
        for numbers in _batches(ids, self.card["window"]):
            of_batch = [ids[n] for n in numbers], [texts[n] for n in numbers]
            found = self._tagged(*of_batch) if tagging else self._classified(*of_batch, probabilities)
            for number, answer in zip(numbers, found, strict=True):
                answers[number] = answer
        return answers

    def tags(self, texts: Sequence[str]) -> list[list[str]]:
        """The tag of each character of each text, or the class of each text in a list of one."""
        if self.task == "classify":
            return [[answer["label"]] for answer in self.predict_many(texts)]
        found: list[list[str]] = [[] for _ in texts]
        ids = {number: self._text.by_character(text) for number, text in enumerate(texts) if text}
        for numbers in _batches(ids, self.card["window"]):
            logits, lengths = self._scores([ids[number] for number in numbers])
            for number, row in zip(numbers, self._decoded(logits, lengths), strict=True):
                found[number] = [self.labels[tag] for tag in row]
        return found

    def _tagged(self, rows: list[list[int]], texts: list[str]) -> Iterator[dict[str, Any]]:
        logits, lengths = self._scores(rows)
        temperature = self.card["temperature"]
        p = softmax(logits / temperature) if self._crf is None else marginals(self._crf, logits, lengths, temperature)
        for text, tags, of_text in zip(texts, self._decoded(logits, lengths), p, strict=True):
            log_p = np.log(np.clip(of_text[np.arange(len(tags)), tags].astype(np.float64), 1e-12, 1.0))
            yield {
                "text": text,
                "entities": [
                    {
                        "start": span.start,
                        "end": span.end,
                        "label": span.label,
                        "text": text[span.start : span.end],
                        "score": float(np.exp(log_p[span.start : span.end].mean())),
                    }
                    for span in visible_spans([self.labels[tag] for tag in tags], text)
                ],
            }

    def _decoded(self, logits: np.ndarray, lengths: list[int]) -> list[list[int]]:
        if self._crf is not None:
            return best_tags(self._crf, logits, lengths)
        return [row[:length].tolist() for row, length in zip(logits.argmax(-1), lengths, strict=True)]

    def _scores(self, rows: list[list[int]]) -> tuple[np.ndarray, list[int]]:
        """The scores of each character of each text, (B, L, C), each from the window in whose middle it lies."""
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
        return scores, lengths

    def _classified(self, rows: list[list[int]], texts: list[str], shown: int = 0) -> Iterator[dict[str, Any]]:
        parts = [windows(len(row), self.card["window"] - 2) for row in rows]
        states = self._run([row[a:b] for row, spans in zip(rows, parts, strict=True) for a, b in spans])
        borders = np.cumsum([0, *map(len, parts)])[:-1]
        pooled = np.maximum.reduceat(states, borders, axis=0)  # the largest value of each component over the windows
        p = softmax((pooled @ self._head["weight"].T + self._head["bias"]) / self.card["temperature"])
        for text, of_text in zip(texts, p, strict=True):
            best = int(of_text.argmax())
            answer = {"text": text, "label": self.labels[best], "score": float(of_text[best])}
            if shown:
                order = np.argsort(-of_text, kind="stable")[:shown]
                answer["probabilities"] = {self.labels[n]: float(of_text[n]) for n in order}
            yield answer

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

    def __call__(self, texts: str | list[str], *, add_special_tokens: bool, verbose: bool = False) -> dict[str, Any]:
        if isinstance(texts, str):
            return {"input_ids": self._tokenizer.encode(texts, add_special_tokens=add_special_tokens).ids}
        found = self._tokenizer.encode_batch(texts, add_special_tokens=add_special_tokens)
        return {"input_ids": [each.ids for each in found]}


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
