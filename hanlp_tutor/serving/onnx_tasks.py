"""What each task makes of the scores of an ONNX folder's graph: in NumPy what the kit's models do in torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from hanlp_tutor.data.characters import TextEncoder
from hanlp_tutor.data.edges import visible_spans, without_blank_edges
from hanlp_tutor.data.schemes import each_alone, to_bio
from hanlp_tutor.data.texts import check_list, check_texts
from hanlp_tutor.data.word_pieces import WordReader, tags_by_task
from hanlp_tutor.data.words import TaggedWords
from hanlp_tutor.relations.reading import PairReader
from hanlp_tutor.serving.crf import Transitions, best_tags, marginals, softmax

Numbers = Sequence[int]


class OnnxTask:
    """One task's part of a predictor.

    Args:
        card: of the folder.
        text: its tokenizer.
        head: the arrays beside the graph.

    Attributes:
        by_token: whether the graph scores tokens, (B, L, C) with their number in each text; else its [CLS] states are
            pooled over the windows of a text, (B, H).
        model: what the scores of the task (:meth:`hanlp_tutor.core.task.Task.score`) and the command line ask.
    """

    by_token = False

    def __init__(self, card: dict[str, Any], text: TextEncoder, head: dict[str, np.ndarray]):
        self.card, self.text, self.head = card, text, head
        self.labels: tuple[str, ...] = tuple(card["labels"])
        self.model: Any = None

    def inputs(self, given: Any) -> list[Any]:
        """What :meth:`predict_many` was given, each ready for the other methods.

        Raises:
            InputError: something else than the task takes.
        """
        return check_texts(given)

    def ids(self, given: Any) -> list[int]:
        """Token ids without [CLS] and [SEP]."""
        raise NotImplementedError

    def blank(self, given: Any, ids: list[int]) -> dict[str, Any] | None:
        """The answer where there is nothing to read; None where there is something."""
        return None

    def answers(self, given: Sequence[Any], scores: np.ndarray, lengths: Numbers, shown: int) -> Iterator[dict]:
        """The answers of a batch; of classes with the probabilities of the likeliest ``shown``."""
        raise NotImplementedError

    def predictions(self, given: Sequence[Any], scores: np.ndarray, lengths: Numbers) -> Iterator[list[str]]:
        """The predictions by themselves: the tag of each token, or the class in a list of one."""
        raise NotImplementedError


class Classes(OnnxTask):
    """A class of a text."""

    def ids(self, given: str) -> list[int]:
        return self.text.whole(given)

    def answers(self, given: Sequence[Any], scores: np.ndarray, lengths: Numbers, shown: int) -> Iterator[dict]:
        logits = self._logits(scores)
        rows = zip(given, logits.argmax(-1).tolist(), softmax(logits / self.card["temperature"]), strict=True)
        for text, best, p in rows:
            answer = self._said(text, self.labels[best], float(p[best]))
            if shown:
                order = np.argsort(-p, kind="stable")[:shown]
                answer["probabilities"] = {self.labels[n]: float(p[n]) for n in order}
            yield answer

    def predictions(self, given: Sequence[Any], scores: np.ndarray, lengths: Numbers) -> Iterator[list[str]]:
        return ([self.labels[n]] for n in self._logits(scores).argmax(-1))

    def _logits(self, states: np.ndarray) -> np.ndarray:
        return states @ self.head["weight"].T + self.head["bias"]

    def _said(self, text: Any, label: str, score: float) -> dict[str, Any]:
        return {"text": text, "label": label, "score": score}


class Relations(Classes):
    """The relation of a pair."""

    def __init__(self, card: dict[str, Any], text: TextEncoder, head: dict[str, np.ndarray]):
        super().__init__(card, text, head)
        self.model = PairReader(text, card["window"], card["extra"])

    def inputs(self, given: Any) -> list[Any]:
        return [self.model.as_input(each) for each in check_list(given)]

    def ids(self, given: Any) -> list[int]:
        return self.model.within(self.model.ids_of(given), self.card["window"] - 2)

    def _said(self, text: Any, label: str, score: float) -> dict[str, Any]:
        return self.model.said(text, label, score)


class Entities(OnnxTask):
    """Named entities: a tag for each character."""

    by_token = True

    def __init__(self, card: dict[str, Any], text: TextEncoder, head: dict[str, np.ndarray]):
        super().__init__(card, text, head)
        self._tagger = _Tagger(self.labels, head, card["temperature"], card.get("native"))

    def ids(self, given: str) -> list[int]:
        return self.text.by_character(given)

    def blank(self, given: str, ids: list[int]) -> dict[str, Any] | None:
        return None if given.strip() else {"text": given, "entities": []}

    def answers(self, given: Sequence[str], scores: np.ndarray, lengths: Numbers, shown: int) -> Iterator[dict]:
        tags = self._tagger.best(scores, lengths)
        for text, row, log_p in zip(given, tags, self._tagger.log_probabilities(scores, tags), strict=True):
            spans = visible_spans(row, text)
            found = [_entity(text, s.start, s.end, s.label, log_p[s.start : s.end]) for s in spans]
            yield {"text": text, "entities": found}

    def predictions(self, given: Sequence[str], scores: np.ndarray, lengths: Numbers) -> Iterator[list[str]]:
        return iter(self._tagger.best(scores, lengths))


class Words(OnnxTask):
    """Words, their parts of speech and entities: the graph scores the tags of all tasks for each piece.

    A word is read as the mean of its pieces' states; the layer behind them is linear, so that its scores are the mean
    of their scores.
    """

    by_token = True

    def __init__(self, card: dict[str, Any], text: TextEncoder, head: dict[str, np.ndarray]):
        super().__init__(card, text, head)
        self.model = WordReader(text, tags_by_task(self.labels))
        self._taggers = {
            task: _Tagger(tags, head, card["temperature"], of=task) for task, tags in self.model.tags.items()
        }
        ends = accumulate(map(len, self.model.tags.values()), initial=0)
        self._columns = {task: slice(*ab) for task, ab in zip(self._taggers, pairwise(ends), strict=True)}

    def ids(self, given: str | TaggedWords) -> list[int]:
        return self.text.with_places(given)[0] if isinstance(given, str) else self.model.pieces(given)[0]

    def blank(self, given: str, ids: list[int]) -> dict[str, Any] | None:
        return None if ids else self.model.no_words(given)

    def answers(self, given: Sequence[str], scores: np.ndarray, lengths: Numbers, shown: int) -> Iterator[dict]:
        segmented = self._taggers["tok"].best(scores[..., self._columns["tok"]], lengths)
        answers, words = zip(*map(self.model.words_in, given, segmented), strict=True)
        for task in self.model.tasks[1:]:
            tags, log_p = self._of_words(task, scores, words)
            for answer, row, p in zip(answers, tags, log_p, strict=True):
                answer[task] = row if task == "pos" else self._entities(answer, row, p)
        return iter(answers)

    def predictions(self, given: Sequence[TaggedWords], scores: np.ndarray, lengths: Numbers) -> Iterator[list[str]]:
        found: list[list[str]] = [[] for _ in given]
        for task, tagger in self._taggers.items():
            mine = [number for number, example in enumerate(given) if example.task == task]
            if not mine:
                continue
            if task == "tok":
                rows = tagger.best(scores[mine][..., self._columns[task]], [lengths[number] for number in mine])
            else:
                rows, _ = self._of_words(task, scores[mine], [self.model.pieces(given[number])[1] for number in mine])
            for number, row in zip(mine, rows, strict=True):
                found[number] = row
        return iter(found)

    def _of_words(
        self, task: str, scores: np.ndarray, words: Sequence[Sequence[int]]
    ) -> tuple[list[list[str]], list[np.ndarray]]:
        """The tags of words and their log p, from the scores of pieces and the word of each piece."""
        counts = [row[-1] + 1 for row in words]
        of_task = scores[..., self._columns[task]]
        means = np.zeros((len(words), max(counts), of_task.shape[-1]), np.float32)
        for number, (row, count) in enumerate(zip(words, counts, strict=True)):
            sums = np.add.reduceat(of_task[number, : len(row)], np.searchsorted(row, np.arange(count)), axis=0)
            means[number, :count] = sums / np.bincount(row)[:, None]
        tags = self._taggers[task].best(means, counts)
        return tags, self._taggers[task].log_probabilities(means, tags)

    @staticmethod
    def _entities(answer: dict[str, Any], tags: list[str], log_p: np.ndarray) -> list[dict[str, Any]]:
        """Spans of words as spans of characters."""
        text, offsets = answer["text"], answer["offsets"]
        return [
            _entity(
                text,
                *without_blank_edges(text, offsets[span.start][0], offsets[span.end - 1][1]),
                span.label,
                log_p[span.start : span.end],
            )
            for span in visible_spans(tags, answer["tok"])
        ]


class _Tagger:
    """A tagging head: from scores to tags and their probabilities.

    Args:
        labels: the tags that it gives.
        head: the arrays beside the graph, with the transitions of a CRF if it has one.
        temperature: by which all scores are divided before they become probabilities.
        native: tags of another scheme, which the scores are of; their meaning in ``labels`` is given.
        of: the task, where the arrays are those of several.
    """

    def __init__(
        self,
        labels: Sequence[str],
        head: dict[str, np.ndarray],
        temperature: float,
        native: Sequence[str] | None = None,
        *,
        of: str = "",
    ):
        names = [f"{of}.{part}" if of else part for part in ("start", "between", "end")]
        self._crf = Transitions(*(head[name] for name in names)) if names[0] in head else None
        self._temperature, self._classes = temperature, tuple(native or labels)
        self._number = {label: n for n, label in enumerate(labels)}
        self._into = np.eye(len(labels))[[self._number[tag] for tag in each_alone(native)]] if native else None

    def best(self, scores: np.ndarray, lengths: Numbers) -> list[list[str]]:
        """The tags of each text, from scores (B, L, C)."""
        if self._crf is not None:
            numbers = best_tags(self._crf, scores, lengths)
        else:
            numbers = [row[:length] for row, length in zip(scores.argmax(-1).tolist(), lengths, strict=True)]
        rows = [[self._classes[n] for n in row] for row in numbers]
        return [list(to_bio(row, "BMES")) for row in rows] if self._into is not None else rows

    def log_probabilities(self, scores: np.ndarray, tags: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """log p of each tag of each text."""
        if self._crf is None:
            p = softmax(scores / self._temperature)
        else:
            p = marginals(self._crf, scores, [len(row) for row in tags], self._temperature)
        p = p if self._into is None else p @ self._into
        picked = (of[np.arange(len(row)), [self._number[tag] for tag in row]] for of, row in zip(p, tags, strict=True))
        return [np.log(np.clip(each.astype(np.float64), 1e-12, 1.0)) for each in picked]


def _entity(text: str, start: int, end: int, label: str, log_p: np.ndarray) -> dict[str, Any]:
    return {"start": start, "end": end, "label": label, "text": text[start:end], "score": float(np.exp(log_p.mean()))}


OF_TASK = {"ner": Entities, "classify": Classes, "relation": Relations, "multitask": Words}
