"""The exercises of notebook 01b; test_exercises.py holds the checks to these answers."""

import pytest
import torch.nn.functional as F

from hanlp_tutor.teach.lessons.l01b import checks

LOW = float("-inf")


def masked_attention(q, k, v, real):
    scores = q @ k.T / q.shape[-1] ** 0.5
    return scores.masked_fill(~real, LOW).softmax(-1) @ v


def attending(scale=lambda d: d**0.5, axis=-1, hide=lambda scores, real: scores.masked_fill(~real, LOW)):
    return lambda q, k, v, real: hide(q @ k.T / scale(q.shape[-1]), real).softmax(axis) @ v


def show_all(scores, real):
    return scores


RIGHT = {
    "q01b_1": [
        masked_attention,
        lambda q, k, v, real: F.scaled_dot_product_attention(q, k, v, attn_mask=real[None, :].expand(len(q), -1)),
        attending(hide=lambda scores, real: scores + (~real) * -1e9),
        lambda q, k, v, real: masked_attention(q.double(), k.double(), v.double(), real),
    ],
    "q01b_2": [[False, True, False], (False, True, False)],
    "q01b_3": [(150, 120, 865), [150, 120, 865.0]],
    "q01b_4": [1799, 256 * 7 + 7, "1799"],
}
WRONG = {
    "q01b_1": [
        (attending(scale=lambda d: 1), "not scaled"),
        (attending(scale=lambda d: 1, hide=show_all), "not scaled"),
        (attending(scale=lambda d: d), "Its root"),
        (attending(axis=0), "wrong axis"),
        (attending(axis=0, hide=show_all), "wrong axis"),
        (attending(hide=show_all), "padding is still looked at"),
        (attending(hide=lambda scores, real: scores.masked_fill(~real[:, None], LOW)), "hide *columns*"),
        (attending(hide=lambda scores, real: scores.masked_fill(~real, 0.0)), "e to the power 0"),
        (attending(hide=lambda scores, real: scores.masked_fill(real, LOW)), "nan"),
        (
            attending(hide=lambda scores, real: scores.masked_fill(real, -1e9) if not real.all() else scores),
            "real is True at characters",
        ),
        (lambda q, k, v, real: ((q @ k.T / 4).softmax(-1) * real) @ v, "no longer sum to 1"),
        (lambda q, k, v, real: (q @ k.T / 4).masked_fill(~real, 0.0) @ v, "no softmax"),
        (lambda q, k, v, real: masked_attention(q, k, k, real), "mix the keys"),
        (lambda q, k, v, real: (q @ k.T / 4).softmax(-1), "They have still to mix"),
        (lambda q, k, v, real: masked_attention(q, k, v, real)[real][:1], "a row for each token"),
        (lambda q, k, v, real: (masked_attention(q, k, v, real), real), "one tensor"),
        (lambda q, k, v, real: v * 0 + 3.0, "none that the check knows"),
        (lambda q, k, v: v, "TypeError"),
        (lambda q, k, v, real: [1.0], "wants a tensor"),
    ],
    "q01b_2": [
        ([True, True, False], "the character and its place"),
        ([False, False, False], "changed places"),
        ([False, True, True], "a sum has no order"),
        ([True, False, True], "2 more of your predictions"),
        ([False, True], "these are 2"),
        (["stays", "moves", "stays"], "True (it moves)"),
    ],
    "q01b_3": [
        ((1000, 120, 865), "only for the chosen ones"),
        ((120, 120, 865), "*all* chosen"),
        ((135, 120, 865), "*all* chosen"),
        ((150, 150, 850), "Not every chosen"),
        ((150, 800, 100), "of the *chosen*"),
        ((150, 120, 850), "the chosen tenth"),
        ((150, 120, 880), "does not look as before"),
        ((140, 120, 865), "are chosen"),
        ((150, 100, 865), "stands in 120"),
        ((150, 120, 800), "do not look as before"),
        ((150, 120), "these are 2"),
    ],
    "q01b_4": [
        (1792, "a bias too"),
        (179900, "do not depend on the length"),
        (179200, "do not depend on the length"),
        (700, "the logits that come out"),
        (2048, "A bias for each tag"),
        (256, "a column of the matrix"),
        (1, "Not 1"),
    ],
}


def test_only_rows_of_characters_count():
    """What padding asks is nobody's concern: nan there is no mistake."""

    def careless(q, k, v, real):
        mixed = masked_attention(q, k, v, real)
        mixed[~real] = float("nan")
        return mixed

    assert checks.q01b_1.judge(careless).accepted


def test_the_answers_are_true_of_the_kit():
    """What moves is measured in mini-bert; the head of q01b_4 is the kit's."""
    from hanlp_tutor.core.heads import TaggingHead

    embedding, last, without = checks._moved()
    assert embedding == 0 and last > 0.1 and without < 1e-5
    head = TaggingHead(checks.HIDDEN, checks.TAGS, dropout=0.1, crf=False)
    assert sum(p.numel() for p in head.parameters()) == 1799


def test_the_shares_are_those_of_the_kits_masking():
    import numpy as np

    from hanlp_tutor.pretraining.masking import Masker

    masker = Masker("bert", mask_id=4, first_id=5, vocabulary=7040)
    ids, counts = np.arange(5, 1005), np.zeros(3)
    for seed in range(40):
        row, chosen, _ = masker(ids, np.full(1000, -1), np.random.default_rng(seed))
        counts += len(chosen), (row == 4).sum(), (row == ids).sum()
    assert counts / 40 == pytest.approx([150, 120, 865], abs=3)
