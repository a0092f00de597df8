"""The exercises of notebook 17; test_exercises.py holds the checks to these answers."""


def merged(w, a, b, alpha):
    return w + alpha / a.shape[0] * b @ a


SEEN = {"full fine-tuning": 0.68, "frozen encoder": 0.61, "LoRA": 0.67, "cloze": 0.72}

RIGHT = {
    "q17_1": [merged, lambda w, a, b, alpha: w + (b @ a).mul(alpha / len(a))],
    "q17_2": [294_912, 12 * 2 * 2 * 8 * 768],
    "q17_3": [(["cloze", "LoRA", "full fine-tuning", "frozen encoder"], SEEN)],
}
WRONG = {
    "q17_1": [
        (lambda w, a, b, alpha: w + b @ a, "not scaled"),
        (lambda w, a, b, alpha: w + alpha * b @ a, "by alpha alone"),
        (lambda w, a, b, alpha: alpha / len(a) * b @ a, "W is missing"),
        (lambda w, a, b, alpha: w, "as it was"),
        (lambda w, a, b, alpha: b @ a, "through A, then B"),
        (lambda w, a, b, alpha: merged(w, a, b, alpha).T[:1], "is expected, not"),
        (lambda w, a, b, alpha: 1.0, "wants a tensor"),
        (3, "wants a function"),
    ],
    "q17_2": [
        (147_456, "one projection"),
        (24_576, "one layer"),
        (14_155_776, "as they are"),
        (98_304, "256"),
        (1, "is not it"),
    ],
    "q17_3": [
        ((["frozen encoder", "LoRA", "full fine-tuning", "cloze"], SEEN), "random head"),
        ((["cloze"], SEEN), "each once"),
    ],
}
