"""A small CRF head, a batch, and every tag sequence with its score, from the definition."""

import itertools

import torch
from torch import nn

from hanlp_tutor.core.batching import Encoded, collate
from hanlp_tutor.core.heads import TaggingHead

CLASSES = 3


def crf_head() -> TaggingHead:
    torch.manual_seed(0)
    head = TaggingHead(4, CLASSES, dropout=0.0, crf=True).double()
    for parameter in head.crf.parameters():
        nn.init.normal_(parameter)
    return head


def batch_of(lengths, labels=True):
    torch.manual_seed(1)
    examples = [Encoded([9] * n, torch.randint(CLASSES, (n,)).tolist() if labels else None, "") for n in lengths]
    return collate(examples, max_length=512, cls_id=1, sep_id=2, pad_id=0)


def enumerate_paths(crf, emissions):
    """Every tag sequence of one text with its score, from the definition."""
    paths = list(itertools.product(range(CLASSES), repeat=len(emissions)))
    scores = []
    for path in paths:
        score = crf.start_transitions[path[0]] + crf.end_transitions[path[-1]]
        score = score + sum(emissions[i, tag] for i, tag in enumerate(path))
        scores.append(score + sum(crf.transitions[a, b] for a, b in itertools.pairwise(path)))
    return paths, torch.stack(scores)
