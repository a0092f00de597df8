"""The bootstrap against draws by hand, a permutation test, formulas and seqeval."""

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from seqeval.metrics import f1_score

from hanlp_tutor.data.schemes import spans_from_bio
from hanlp_tutor.workbench.significance import (
    Comparison,
    Interval,
    bootstrap_interval,
    f1_of,
    in_blocks,
    label_counts,
    paired_bootstrap,
    paired_macro,
    smallest_visible,
    span_counts,
)

TAGS = st.lists(st.sampled_from(["O", "B-PER", "I-PER", "B-LOC"]), min_size=6, max_size=6)


def simulated(n=400, *, seed=0, better=0.1):
    """Counts of two models on the same sentences; their errors come together, as those of real models do."""
    rng = np.random.default_rng(seed)
    wanted = rng.poisson(2.5, n)
    easy = rng.beta(4, 2, n)
    rows = []
    for lift in (better, 0.0):
        right = rng.binomial(wanted, np.clip(easy + lift, 0, 1))
        rows.append(np.stack([right, right + rng.poisson(0.6, n), wanted], axis=1))
    return rows


@given(st.lists(st.tuples(TAGS, TAGS), min_size=1, max_size=8))
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_f1_of_counts_is_seqevals(pairs):
    gold, predicted = [g for g, _ in pairs], [p for _, p in pairs]
    counts = span_counts([spans_from_bio(t) for t in gold], [spans_from_bio(t) for t in predicted])
    entities = any(tag != "O" for row in gold + predicted for tag in row)
    assert f1_of(counts) == pytest.approx(f1_score(gold, predicted, zero_division=0) if entities else 0.0)


def test_macro_f1_is_drawn_as_texts_are():
    """Against scikit-learn's on the same texts, and against draws of the texts themselves."""
    from sklearn.metrics import f1_score

    draw = np.random.default_rng(0)
    gold, a, b = (draw.choice(["甲", "乙", "丙"], 80, p=p) for p in ((0.6, 0.3, 0.1),) * 3)
    a = np.where(draw.random(80) < 0.7, gold, a)
    found = paired_macro([*gold], [*a], [*b], draws=4000)
    score = partial(f1_score, average="macro", zero_division=0)
    assert found.difference == pytest.approx(score(gold, a) - score(gold, b))
    places = draw.integers(0, 80, (150, 80))
    plain = [score(gold[i], a[i]) - score(gold[i], b[i]) for i in places]
    assert found.standard_error == pytest.approx(np.std(plain), rel=0.2) and found.excludes_zero
    assert not paired_macro([*gold], [*a], [*a]).excludes_zero
    with pytest.raises(ValueError, match="no text"):
        paired_macro([], [], [])


def test_accuracy_is_the_same_ratio():
    counts = label_counts(list("abcab"), list("abbbb"))
    assert counts.tolist() == [[1, 1, 1], [1, 1, 1], [0, 1, 1], [0, 1, 1], [1, 1, 1]]
    assert f1_of(counts) == pytest.approx(3 / 5)
    assert label_counts([], []).shape == span_counts([], []).shape == (0, 3)


def drawn_by_hand(*models, draws=8000):
    """F1 of each model in each draw, (draws, models), from how often each sentence was drawn."""
    rng, n = np.random.default_rng(7), len(models[0])
    scores = []
    for _ in range(draws):
        often = np.bincount(rng.integers(0, n, n), minlength=n)
        right, found, wanted = np.array([often @ counts for counts in models]).T
        scores.append(2 * right / (found + wanted))
    return np.array(scores)


def assert_same_interval(ours, drawn):
    se = drawn.std(ddof=1)
    assert ours.standard_error == pytest.approx(se, rel=0.04)
    assert (ours.low, ours.high) == pytest.approx(tuple(np.quantile(drawn, (0.025, 0.975))), abs=0.15 * se)


def test_interval_is_that_of_draws_by_hand():
    counts = simulated()[0]
    ours = bootstrap_interval(counts, draws=8000)
    assert_same_interval(ours, drawn_by_hand(counts)[:, 0])
    right, found, wanted = counts.sum(axis=0)
    assert ours.value == pytest.approx(2 * right / (found + wanted))


def test_paired_comparison_is_that_of_draws_by_hand():
    a, b = simulated(better=0.03)
    ours, (f1_a, f1_b) = paired_bootstrap(a, b, draws=8000), drawn_by_hand(a, b).T
    assert_same_interval(ours, f1_a - f1_b)
    assert ours.difference == pytest.approx(f1_of(a) - f1_of(b))
    as_large = np.mean(np.abs(f1_a - f1_b - ours.difference) >= abs(ours.difference))
    assert ours.p == pytest.approx(as_large, abs=0.02)


def test_the_same_seed_draws_the_same():
    a, b = simulated()
    assert bootstrap_interval(a, seed=3) == bootstrap_interval(a, seed=3) != bootstrap_interval(a, seed=4)
    assert paired_bootstrap(a, b, seed=3) == paired_bootstrap(a, b, seed=3) != paired_bootstrap(a, b, seed=4)


def test_a_lone_sentence_and_one_that_asks_nothing():
    assert bootstrap_interval(np.array([[1, 2, 2]])) == Interval(0.5, 0.5, 0.5, 0.0)
    nothing = paired_bootstrap(np.zeros((5, 3), int), np.zeros((5, 3), int))
    assert (nothing.difference, nothing.low, nothing.high, nothing.p) == (0, 0, 0, 1)


def test_p_is_near_that_of_a_permutation_test():
    """Another way to the same question: exchange the two models' predictions sentence by sentence (scipy)."""
    rng = np.random.default_rng(3)
    a, b = (rng.uniform(size=300) < p for p in (0.80, 0.75))
    ours = paired_bootstrap(*(label_counts(["x"] * 300, ["x" if r else "y" for r in one]) for one in (a, b)))
    theirs = stats.permutation_test(
        (a.astype(float), b.astype(float)), lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis),
        permutation_type="samples", n_resamples=5000, rng=np.random.default_rng(0),
    )  # fmt: skip
    assert 0.01 < theirs.pvalue < 0.6, "a case that decides something"
    assert ours.p == pytest.approx(theirs.pvalue, abs=0.05)


def test_standard_error_of_accuracies_is_the_formula():
    """Paired: sqrt((p10 + p01 - (p10 - p01)²) / n), from the cells of McNemar's table."""
    rng = np.random.default_rng(5)
    a = rng.uniform(size=1000) < 0.8
    b = np.where(rng.uniform(size=1000) < 0.1, ~a, a)
    counts = [np.stack([one, np.ones(1000), np.ones(1000)], axis=1).astype(int) for one in (a, b)]
    p10, p01 = np.mean(a & ~b), np.mean(b & ~a)
    expected = math.sqrt((p10 + p01 - (p10 - p01) ** 2) / 1000)
    assert paired_bootstrap(*counts, draws=8000).standard_error == pytest.approx(expected, rel=0.04)
    unpaired = math.hypot(*(bootstrap_interval(one).standard_error for one in counts))
    assert unpaired > 1.3 * expected, "pairing is what makes small differences visible"


def test_a_model_against_itself():
    a = simulated()[0]
    same = paired_bootstrap(a, a)
    assert (same.difference, same.low, same.high, same.p) == (0, 0, 0, 1) and not same.excludes_zero


def test_a_difference_as_plain_as_day():
    a, b = simulated(better=0.3)
    found = paired_bootstrap(a, b)
    assert found.excludes_zero and found.low > 0.1 and found.p == pytest.approx(1 / 2001)
    turned = paired_bootstrap(b, a)
    assert turned.excludes_zero and turned.high == pytest.approx(-found.low)


def test_interval_covers_as_often_as_it_says():
    """Of 200 test sets from one population, about 95 % have the population's F1 in their interval."""
    population = simulated(20_000)[0]
    truth, rng, covered = f1_of(population), np.random.default_rng(1), 0
    for _ in range(200):
        found = bootstrap_interval(population[rng.integers(0, len(population), 150)], draws=400)
        covered += found.low <= truth <= found.high
    assert 178 <= covered <= 200  # five standard deviations below 190


def test_smallest_visible_difference_is_found_in_four_of_five_cases():
    pilot = [paired_bootstrap(*simulated(1000, seed=s, better=0.0), draws=400) for s in range(5)]
    middle = sorted(pilot, key=lambda c: c.standard_error)[2]
    visible = smallest_visible(middle, 300, of=1000)
    # two populations whose F1 differ by that much
    a, b = next(
        pair for lift in np.linspace(0, 0.3, 301)
        if (lambda p: f1_of(p[0]) - f1_of(p[1]))(pair := simulated(20_000, better=lift)) >= visible
    )  # fmt: skip
    rng, found = np.random.default_rng(2), 0
    for _ in range(150):
        index = rng.integers(0, len(a), 300)
        found += paired_bootstrap(a[index], b[index], draws=300).excludes_zero
    assert 0.65 <= found / 150 <= 0.95


def test_smallest_visible_shrinks_with_the_root():
    one = Comparison(0.01, -0.01, 0.03, 0.01, 0.3)
    assert smallest_visible(one, 100, of=100) == pytest.approx(0.01 * (1.959964 + 0.841621), rel=1e-5)
    assert smallest_visible(one, 400, of=100) == pytest.approx(smallest_visible(one, 100, of=100) / 2)


def test_blocks_sum_consecutive_rows():
    counts = np.arange(15).reshape(5, 3)
    assert in_blocks(counts, 2).tolist() == [[3, 5, 7], [15, 17, 19], [12, 13, 14]]
    assert f1_of(in_blocks(counts, 2)) == f1_of(counts)


def test_blocks_of_like_sentences_widen_the_interval():
    """Twenty copies of each sentence say no more than one of them."""
    few = simulated(60)[0]
    copies = np.repeat(few, 20, axis=0)
    honest = bootstrap_interval(few).standard_error
    assert bootstrap_interval(in_blocks(copies, 20)).standard_error == pytest.approx(honest, rel=0.08)
    assert bootstrap_interval(copies).standard_error < 0.3 * honest


def test_what_cannot_be_compared():
    a, b = simulated(20)
    with pytest.raises(ValueError, match="same sentences"):
        paired_bootstrap(a, b[:10])
    with pytest.raises(ValueError, match="one row"):
        bootstrap_interval(a[:, :2])
    with pytest.raises(ValueError, match="one row"):
        bootstrap_interval(a[:0])
