"""Each sentence on each of its outcomes."""

import pytest
from scipy import stats

from hanlp_tutor.teach import verdict
from hanlp_tutor.workbench.significance import Comparison, paired_seeds


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        ((0.023, 0.010, 0.036), "CRF is ahead of ours by 2.3 points of F1 (95 % interval 1.0 to 3.6)."),
        ((-0.023, -0.036, -0.010), "ours is ahead of CRF by 2.3 points of F1 (95 % interval 1.0 to 3.6)."),
        (
            (0.004, -0.009, 0.016),
            "Neither is ahead for certain: CRF has +0.4 points of F1 on ours, and the 95 % interval from -0.9 to +1.6 "
            "holds zero.",
        ),
    ],
)
def test_lead(outcome, sentence):
    assert verdict.lead("CRF", "ours", Comparison(*outcome, 0.01, 0.05)) == sentence


def test_rising():
    assert verdict.rising([0.80, 0.818]).startswith("Still rising: the last evaluation is 1.8 points above")
    assert verdict.rising([0.82, 0.80, 0.819]).startswith("No longer rising: the last evaluation is -0.1 points")
    assert verdict.rising([0.5]) == "One evaluation shows no direction."


@pytest.mark.parametrize(
    ("values", "better", "sentence"),
    [
        ((0.025, 0.2), "higher", "recall rises from 0.025 to 0.200, which is better."),
        ((0.2, 0.025), "higher", "recall falls from 0.200 to 0.025, which is worse."),
        ((0.157, 0.044), "lower", "recall falls from 0.157 to 0.044, which is better."),
        ((0.07, 0.12), "lower", "recall rises from 0.070 to 0.120, which is worse."),
        ((0.0701, 0.0702), "lower", "recall stays at 0.070."),
    ],
)
def test_changed(values, better, sentence):
    assert verdict.changed("recall", *values, better=better) == sentence


def test_changed_wants_to_know_what_is_better():
    with pytest.raises(ValueError, match="higher or lower"):
        verdict.changed("recall", 0.1, 0.2, better="more")


@pytest.mark.parametrize(
    ("bins", "sentence"),
    [
        ([(0.4, 0.2), (0.8, 0.9)], "Too sure in the bins at 0.40, too modest in those at 0.80: the curve crosses"),
        ([(0.4, 0.2), (0.8, 0.79)], "Too sure in the bins at 0.40, and nowhere the other."),
        ([(0.4, 0.5), (0.8, 0.99)], "Too modest in the bins at 0.40, 0.80, and nowhere the other."),
        ([(0.4, 0.41)], "No bin of 10 predictions or more is off by more than 0.03."),
    ],
)
def test_bent(bins, sentence):
    rows = [{"confidence": c, "accuracy": a, "count": 10} for c, a in bins]
    luck = {"confidence": 0.3, "accuracy": 1.0, "count": 2}
    assert verdict.bent([*rows, luck]).startswith(sentence)


def test_pairs_of_seeds_against_scipys_own_test():
    a, b = [0.50, 0.52, 0.49, 0.53], [0.49, 0.50, 0.47, 0.50]
    found, oracle = paired_seeds(a, b), stats.ttest_rel(a, b)
    interval = oracle.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.p == pytest.approx(oracle.pvalue) and found.difference == pytest.approx(0.02)
    assert found.excludes_zero and not paired_seeds([0.1, 0.3], [0.2, 0.1]).excludes_zero


def test_one_seed_has_no_interval():
    with pytest.raises(ValueError, match="two pairs"):
        paired_seeds([0.5], [0.4])
    with pytest.raises(ValueError, match="pairs"):
        paired_seeds([0.5, 0.6], [0.4])


def test_faster():
    assert verdict.faster("bf16", "fp32", 0.06, 0.10) == "Here bf16 is faster than fp32: it takes 0.60 of the time."
    assert verdict.faster("fp16", "fp32", 1.2, 0.1).endswith("slower than fp32: it takes 12.0 times as long.")
    assert "nothing is gained" in verdict.faster("bf16", "fp32", 0.095, 0.10)


def test_scaling():
    same = verdict.scaling(0.00106, 0.00104)
    assert same.endswith("0.11% off, with the best one 0.10%: this gradient does not need one yet.")
    assert verdict.scaling(0.06, 0.001).endswith("the scale takes 98% of the error away.")
    assert verdict.scaling(float("nan"), 0.001).startswith("Without a scale the gradient is no number at all")


def test_shown():
    better, worse, open_ = (Comparison(d, d - 0.02, d + 0.02, 0.01, 0.05) for d in (0.05, -0.03, 0.01))
    said = verdict.shown({"data": better, "λ": worse, "dropout": open_}, of="dev F1")
    assert "Shown to raise dev F1: data (+5.0 points, +3.0 to +7.0)." in said
    assert "Shown to lower dev F1: λ (-3.0 points, -5.0 to -1.0)." in said
    assert "holds zero: dropout (+1.0 points, -1.0 to +3.0)." in said
    assert "Shown to lower F1: none." in verdict.shown({"data": better})
    loss = verdict.shown({"data": better}, of="a loss", points=False)
    assert f"data ({better.difference:+.3f}, {better.low:+.3f} to {better.high:+.3f})" in loss
    assert verdict.shown({}).startswith("Nothing has been measured")


def test_turning():
    assert verdict.turning([5, 10, 15], [0.5, 0.3, 0.4]).startswith(
        "The dev loss turns round: it is least at update 10"
    )
    assert "does not turn round" in verdict.turning([5, 10, 15], [0.5, 0.4, 0.3])
