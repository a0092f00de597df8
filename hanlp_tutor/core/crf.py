"""A linear-chain CRF (条件随机场; Lafferty et al. 2001) over all sentences of a batch at once, where the batch is.

The layer that holds the scores is the library's, of which HanLP's is a copy; its own functions read from the device
once a batch, and when they decode once a character. These do not: each is one loop over the places of the longest
sentence.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torchcrf import CRF


def negative_log_likelihood(crf: CRF, emissions: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
    """Σ -log p(tags | text) over the sentences of a batch, a scalar with a gradient.

    Args:
        crf: transitions and their scores.
        emissions: (B, L, C).
        tags: (B, L), any class at padding.
        mask: (B, L), True from a sentence's begin to its end; a sentence that is nowhere True counts for nothing.
    """
    both = (mask[:, 1:] & mask[:, :-1]).to(emissions.dtype)
    chosen = emissions.gather(2, tags.unsqueeze(2)).squeeze(2)
    last = tags.gather(1, (mask.long().sum(1, keepdim=True) - 1).clamp(min=0)).squeeze(1)
    path = crf.start_transitions[tags[:, 0]] + (chosen * mask).sum(1) + crf.end_transitions[last]
    path = path + (crf.transitions[tags[:, :-1], tags[:, 1:]] * both).sum(1)
    score = crf.start_transitions + emissions[:, 0]  # (B, C): of all ways to a place that end in a tag
    for emission, inside in zip(emissions.unbind(1)[1:], mask.unsqueeze(2).unbind(1)[1:], strict=True):
        longer = (score.unsqueeze(2) + crf.transitions + emission.unsqueeze(1)).logsumexp(1)
        score = torch.where(inside, longer, score)
    log_z = (score + crf.end_transitions).logsumexp(1)
    return ((log_z - path) * mask[:, 0]).sum()


@torch.no_grad()
def best_tags(crf: CRF, emissions: Tensor, lengths: Sequence[int]) -> list[list[int]]:
    """The most probable tags of each sentence (维特比算法; Viterbi 1967); read from the device once.

    Args:
        crf: transitions and their scores.
        emissions: (B, L, C).
        lengths: of each sentence, at least 1; the largest of them is L.
    """
    places = torch.arange(1, emissions.size(1), device=emissions.device)
    inside = (places < torch.tensor(lengths, device=emissions.device).unsqueeze(1)).unsqueeze(2)  # (B, L - 1, 1)
    itself = torch.arange(emissions.size(2), device=emissions.device)
    score, came_from = crf.start_transitions + emissions[:, 0], []
    for emission, here in zip(emissions.unbind(1)[1:], inside.unbind(1), strict=True):
        longer, before = (score.unsqueeze(2) + crf.transitions + emission.unsqueeze(1)).max(1)
        score = torch.where(here, longer, score)
        came_from.append(torch.where(here, before, itself))  # behind its end a sentence stays where it is
    tags = [(score + crf.end_transitions).max(1, keepdim=True).indices]
    for before in reversed(came_from):
        tags.append(before.gather(1, tags[-1]))
    rows = torch.cat(tags[::-1], 1).tolist()
    return [row[:length] for row, length in zip(rows, lengths, strict=True)]


@torch.no_grad()
def marginals(crf: CRF, emissions: Tensor, lengths: Sequence[int], temperature: float = 1.0) -> Tensor:
    """The probability of each tag at each place, over all sequences of tags: (B, L, C), no graph behind it.

    The backward sums are the forward sums of the text read from its end, with the transitions turned round. So both run
    in one loop over L, and padding, which comes last in either direction, is never met on the way.

    Args:
        crf: its scores stay as they are.
        emissions: (B, L, C).
        lengths: places of each text, the largest of them L; what stands behind a text's end means nothing.
        temperature: by which all scores, those of the CRF too, are divided.
    """
    places = torch.arange(emissions.size(1), device=emissions.device)
    ends = torch.tensor(lengths, device=emissions.device).unsqueeze(1)
    mirrored = (ends - 1 - places).clamp(min=0).unsqueeze(-1).expand_as(emissions)
    emissions = emissions / temperature
    both_ways = torch.stack([emissions, emissions.gather(1, mirrored)]).transpose(1, 2).transpose(0, 1)  # (L, 2, B, C)
    transitions = torch.stack([crf.transitions, crf.transitions.T]).unsqueeze(1) / temperature  # (2, 1, from, to)
    score = torch.stack([crf.start_transitions, crf.end_transitions]).unsqueeze(1) / temperature + both_ways[0]
    scores = [score]
    for emission in both_ways[1:].unbind():  # normalised, as only differences count: exact to the end of a long text
        score = ((score.unsqueeze(-1) + transitions).logsumexp(-2) + emission).log_softmax(-1)
        scores.append(score)
    forward, backward = torch.stack(scores, 2)
    return (forward + backward.gather(1, mirrored) - emissions).softmax(-1)
