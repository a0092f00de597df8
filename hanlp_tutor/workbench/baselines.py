"""The baselines: what a fine-tuned model has to beat before it is worth its electricity.

For entities a dictionary of the training set's own names, and a conditional random field (条件随机场, CRF) on character
features, the strongest thing people used before pre-training. For classes a logistic regression on character n-grams.
All learn from the very examples that the model learns from; those for entities return spans per sentence, so that
:func:`hanlp_tutor.core.scores.span_scores` scores all of them alike.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hanlp_tutor.data import Span, TaggedText
from hanlp_tutor.data.edges import visible_spans
from hanlp_tutor.device import release_memory
from hanlp_tutor.extras import needs

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import Pipeline

# L-BFGS gains nothing after this many iterations: on 4,000 lines of the People's Daily test F1 is 0.867 with 60 and
# 0.866 with 100. On 10,000 lines they take 100 seconds of one core.
MAX_ITERATIONS = 60
# An n-gram that training saw once teaches nothing; without those the same 4,000 lines give 0.870, in four fifths of the
# time and of the memory.
MIN_FREQUENCY = 2
C1 = C2 = 0.1  # elastic net, the values of sklearn-crfsuite's own NER tutorial


class DictionaryMatcher:
    """Looks up the entity strings of the training set: the longest match from left to right, by HanLP's own trie.

    A string that was seen with several types gets its most frequent one (of equals, the first by name). Everything
    that the dictionary does not hold is missed, and 和平 is a place wherever it means peace.

    >>> train = [TaggedText.from_spans("张三到北京", [Span(0, 2, "PER"), Span(3, 5, "LOC")])]
    >>> DictionaryMatcher(train).predict(["北京的张三丰"])
    [[Span(start=0, end=2, label='LOC'), Span(start=3, end=5, label='PER')]]
    """

    def __init__(self, train: Iterable[TaggedText]):
        from hanlp_trie import Trie

        seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for example in train:
            for span in example.spans:
                seen[example.text[span.start : span.end]][span.label] += 1
        self.entries = {text: min(counts, key=lambda label: (-counts[label], label)) for text, counts in seen.items()}
        self._trie = Trie(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def predict(self, texts: Iterable[str]) -> list[list[Span]]:
        """The matches in each text, in order, without overlap."""
        return [[Span(start, end, label) for start, end, label in self._trie.parse_longest(text)] for text in texts]


class FeatureCRF:
    """A linear-chain CRF (Lafferty et al. 2001) on the characters around each character, by sklearn-crfsuite.

    Args:
        train: examples; their BIO tags are the states.
        max_iterations: of L-BFGS; see MAX_ITERATIONS.

    Raises:
        ValueError: no example to learn from.
        ConfigError: sklearn-crfsuite is not installed.
    """

    def __init__(self, train: Sequence[TaggedText], *, max_iterations: int = MAX_ITERATIONS):
        crfsuite = needs("sklearn_crfsuite", "The feature CRF")
        train = [example for example in train if example.text]
        if not train:
            raise ValueError("A CRF needs at least one example that is not empty.")
        self._crf = crfsuite.CRF(algorithm="lbfgs", c1=C1, c2=C2, min_freq=MIN_FREQUENCY, max_iterations=max_iterations)
        # generators: as Python strings the features of 10,000 sentences would fill a gigabyte
        self._crf.fit((character_features(e.text) for e in train), (list(e.tags) for e in train))
        release_memory()

    def predict(self, texts: Iterable[str]) -> list[list[Span]]:
        """The entities in each text, in order."""
        return [
            visible_spans(self._crf.predict_single(character_features(text)), text) if text else [] for text in texts
        ]

    def marginals(self, text: str) -> list[dict[str, float]]:
        """p(tag | text) at each character, for the tags that training saw."""
        return self._crf.predict_marginals_single(character_features(text)) if text else []


# First and last place of each n-gram in the window of five, relative to the character that is being tagged.
_WINDOW = tuple((first, first + n - 1) for n in (1, 2, 3) for first in range(-2, 4 - n))
_OUTSIDE = "␀"  # no real NUL: crfsuite reads C strings, which end there


def character_features(text: str) -> list[list[str]]:
    """For each character the characters, bigrams and trigrams of the five around it, named by place.

    >>> character_features("北京")[0][:6]
    ['-2:␀', '-1:␀', '0:北', '1:京', '2:␀', '-2:␀␀']
    """
    padded = _OUTSIDE * 2 + text + _OUTSIDE * 2
    return [[f"{first}:{padded[i + first + 2 : i + last + 3]}" for first, last in _WINDOW] for i in range(len(text))]


def ngram_classifier() -> Pipeline:
    """TF-IDF of character n-grams (1 to 3) into a logistic regression, by scikit-learn: ``fit(texts, labels)``.

    Characters instead of words, so that no segmenter has a say. ``sublinear_tf`` because the third 好 in a review says
    less than the first.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    return make_pipeline(character_tfidf(), LogisticRegression(C=10.0, max_iter=1000))


def character_tfidf(ngrams: tuple[int, int] = (1, 3)) -> TfidfVectorizer:
    """TF-IDF of character n-grams, shortest and longest given, those of two texts or more."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(analyzer="char", ngram_range=ngrams, min_df=2, sublinear_tf=True)


def telling_ngrams(classifier: Pipeline, count: int = 10) -> dict[str, list[str]]:
    """The n-grams that speak most for each class of a trained :func:`ngram_classifier`, the strongest first."""
    vectorizer, regression = classifier[0], classifier[-1]
    names, weights = vectorizer.get_feature_names_out(), regression.coef_
    if len(weights) == 1:  # two classes share one row: what speaks for the second speaks against the first
        weights = [-weights[0], weights[0]]
    return {
        str(label): [str(name) for name in names[row.argsort()[::-1][:count]]]
        for label, row in zip(regression.classes_, weights, strict=True)
    }
