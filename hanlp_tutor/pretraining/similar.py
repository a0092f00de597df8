"""Similar words (同义词) for MacBERT: neighbours in a word2vec space trained on the pre-training text itself.

The paper takes them from a toolkit that is likewise built on word2vec (Cui et al. 2020, section 3.2). gensim trains
the vectors (skip-gram, Mikolov et al. 2013).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from hanlp_tutor.extras import needs

CHOICES = 5  # one fixed substitute would let the encoder learn the substitution by heart
LEAST_COUNT = 5
_NEIGHBOURS = 60  # looked at, to find CHOICES of the same length


def similar_words(sentences: Iterable[list[str]], vocabulary: list[str], *, seed: int) -> np.ndarray:
    """For each word of ``vocabulary`` up to five similar words of as many characters.

    Returns:
        (len(vocabulary), 5) of word numbers, -1 where there are fewer; rare words (below five occurrences) have none.

    Raises:
        ConfigError: gensim is not installed.
    """
    gensim = needs("gensim", "Finding MacBERT's similar words", "take another recipe")
    # one worker: with more, the order of updates and so the vectors differ from run to run
    model = gensim.models.Word2Vec(
        list(sentences), vector_size=100, window=5, min_count=LEAST_COUNT, sg=1, epochs=3, workers=1, seed=seed
    )
    number = {word: i for i, word in enumerate(vocabulary)}
    vectors = model.wv.get_normed_vectors()
    known = model.wv.index_to_key
    similar = np.full((len(vocabulary), CHOICES), -1, dtype=np.int32)
    for begin in range(0, len(known), 512):
        scores = vectors[begin : begin + 512] @ vectors.T
        nearest = np.argpartition(-scores, min(_NEIGHBOURS, len(known) - 1), axis=1)[:, :_NEIGHBOURS]
        for offset, candidates in enumerate(nearest):
            word = known[begin + offset]
            order = candidates[np.argsort(-scores[offset, candidates], kind="stable")]
            same = [known[i] for i in order if known[i] != word and len(known[i]) == len(word)][:CHOICES]
            similar[number[word], : len(same)] = [number[other] for other in same]
    return similar
