"""A linear-chain CRF in NumPy: the best tags (Viterbi 1967) and p(tag | text) (Rabiner 1989), for many texts at once.

What :mod:`torchcrf` and :mod:`hanlp_tutor.core.crf` compute, without torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Transitions:
    """The scores of a CRF beside its emissions: of the first tag (C,), of pairs (from, to) (C, C), of the last (C,)."""

    start: np.ndarray
    between: np.ndarray
    end: np.ndarray


def best_tags(crf: Transitions, emissions: np.ndarray, lengths: Sequence[int]) -> list[list[int]]:
    """The sequence of tags with the highest score, of each text.

    Args:
        crf: scores of transitions.
        emissions: (B, L, C).
        lengths: tags of each text, at least 1 and at most L.
    """
    ends = np.asarray(lengths)
    score = crf.start + emissions[:, 0]
    last, pointers = np.empty_like(score), []
    last[ends == 1] = score[ends == 1]
    for place in range(1, emissions.shape[1]):
        ways = score[:, :, None] + crf.between  # (B, from, to)
        pointers.append(ways.argmax(1))
        score = ways.max(1) + emissions[:, place]
        last[ends == place + 1] = score[ends == place + 1]
    best = (last + crf.end).argmax(-1)
    found = []
    for text, length in enumerate(lengths):
        tags = [int(best[text])]
        for place in range(length - 2, -1, -1):
            tags.append(int(pointers[place][text, tags[-1]]))
        found.append(tags[::-1])
    return found


def marginals(crf: Transitions, emissions: np.ndarray, lengths: Sequence[int], temperature: float = 1.0) -> np.ndarray:
    """The probability of each tag at each place, (B, L, C); what stands behind a text's end means nothing.

    Args:
        crf: scores of transitions.
        emissions: (B, L, C).
        lengths: tags of each text.
        temperature: by which all scores are divided.
    """
    emissions = (emissions / temperature).astype(np.float64)
    start, between, end = (part / temperature for part in (crf.start, crf.between, crf.end))
    forward = [start + emissions[:, 0]]
    for place in range(1, emissions.shape[1]):
        sums = _logsumexp(forward[-1][:, :, None] + between, 1) + emissions[:, place]
        forward.append(sums - sums.max(-1, keepdims=True))  # only differences count: exact to the end of a long text
    ends = np.asarray(lengths)[:, None]
    backward = np.broadcast_to(end, forward[0].shape)
    scores = np.empty_like(emissions)
    for place in range(emissions.shape[1] - 1, -1, -1):
        if place + 1 < emissions.shape[1]:
            onward = _logsumexp(between + (emissions[:, place + 1] + backward)[:, None, :], 2)
            onward -= onward.max(-1, keepdims=True)
            backward = np.where(place < ends - 1, onward, end)
        scores[:, place] = forward[place] + backward
    return softmax(scores)


def softmax(scores: np.ndarray) -> np.ndarray:
    """Over the last axis."""
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def _logsumexp(scores: np.ndarray, axis: int) -> np.ndarray:
    highest = scores.max(axis, keepdims=True)
    return np.log(np.exp(scores - highest).sum(axis)) + highest.squeeze(axis)
