"""The exercises of notebook 21; test_exercises.py holds the checks to these answers."""


def verdict(claimed, low, high, synthetic):
    if synthetic:
        return "not testable here"
    if low > 0:
        return "reproduced" if high >= claimed else "partly"
    return "refuted" if high < claimed else "not testable here"


CLAIM = {
    "experiment": "encoders",
    "values": {"gain": {"row": "ner/500/mini-macbert", "minus": "ner/500/mini-bert", "measure": "f1"}},
    "say": "{gain:+.1f~} points", "on": "500 sentences", "verdict": "reproduced", "because": "seed by seed",
    "rests_on": ["gain > 0"],
}  # fmt: skip


def but(**changes):
    return {**CLAIM, **changes}


def value(**changes):
    return but(values={"gain": {**CLAIM["values"]["gain"], **changes}})


SYNTHETIC = but(
    experiment="finance_aml",
    values={"gain": {"row": "fine-tuned", "minus": "linear SVM", "measure": "accuracy"}},
    rests_on=["gain < 0"],
)

RIGHT = {
    "q21_1": [(7, 7.0), ("6", 6.0)],
    "q21_2": [verdict],
    "q21_3": [CLAIM, but(verdict="partly"), {**SYNTHETIC, "verdict": "not testable here", "rests_on": []}],
}
WRONG = {
    "q21_1": [((8, 5.0), "seeds differ"), ((2, 7.0), "seeds differ")],
    "q21_2": [
        (lambda claimed, low, high, synthetic: verdict(claimed, low, high, False), "synthetic data can say nothing"),
        (lambda claimed, low, high, synthetic: "refuted" if high < claimed and not synthetic
         else verdict(claimed, low, high, synthetic), "only its size is refuted"),
        (lambda claimed, low, high, synthetic: "not testable here" if low <= 0 < high
         else verdict(claimed, low, high, synthetic), "enough to refute"),
        (lambda claimed, low, high, synthetic: "reproduced" if not synthetic and high >= claimed
         else verdict(claimed, low, high, synthetic), "may be no lead"),
        (lambda claimed, low, high, synthetic: "refuted" if not synthetic and low <= 0
         else verdict(claimed, low, high, synthetic), "does not contradict"),
        (lambda claimed, low, high, synthetic: "partly" if not synthetic and low > claimed
         else verdict(claimed, low, high, synthetic), "larger than claimed"),
        ("partly", "wants a function"),
    ],
    "q21_3": [
        ("encoders", "dictionary"),
        ({"verdict": "partly"}, "lacks experiment"),
        (but(values={}), "no evidence"),
        (but(verdict="reproducd"), "Did you mean 'reproduced'"),
        (but(say="3.1 points"), "typed by hand"),
        (but(experiment="encoder"), "encoders"),
        (but(experiment="nowhere at all"), "no result file"),
        (value(row="ner/500/mini-mcbert"), "Did you mean 'ner/500/mini-macbert'"),
        (value(measure="accuracy"), "only precision"),
        (but(rests_on=[]), "an opinion"),
        (but(rests_on=["gain > 90"]), "do not bear it out"),
        (but(values={"f1": {"row": "ner/500/mini-macbert", "measure": "f1"}}, say="{f1:.3f}", rests_on=["f1 > 0.5"]),
         "single row"),
        (but(values={"gain": {"row": "ner/500/random:mini-bert", "minus": "ner/500/mini-bert", "measure": "f1"}},
             rests_on=["gain < 1000"]), "gain < 1000 still holds"),
        (value(minus="ner/500/mini-macbert") | {"rests_on": ["gain == 0"]}, "which is ahead"),
        (but(rests_on=["gain is large"]), "cannot be read"),
        (SYNTHETIC, "synthetic"),
    ],
}  # fmt: skip
