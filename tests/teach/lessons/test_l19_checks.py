"""The exercises of notebook 19; test_exercises.py holds the checks to these answers."""

import math


def next_batch(waiting, texts, characters):
    batch = []
    for text in waiting:
        if batch and (len(batch) == texts or sum(map(len, batch)) + len(text) > characters):
            break
        batch.append(text)
    return batch, waiting[len(batch) :]


def to_int8(w):
    scale = w.abs().max() / 127
    return (w / scale).round(), scale


def requests(together):
    return {"together": together, "one by one": 100}


TOGETHER = ["together", "one by one"]
RIGHT = {
    "q19_1": [next_batch],
    "q19_3": [(TOGETHER, requests(250)), (TOGETHER, requests(101)), (TOGETHER[::-1], requests(80))],
    "q19_2": [lambda rate, deadline: int(rate * deadline)],
    "q19_4": [to_int8],
}
WRONG = {
    "q19_1": [
        (lambda w, t, c: (w, []), "your batch has"),
        (lambda w, t, c: (w[:1], w[1:]), "you took 1"),
        (lambda w, t, c: ([], w), "the batch is empty"),
        (lambda w, t, c: (w[-1:], w[:-1]), "the order is not kept"),
        (lambda w, t, c: (w[:1], w[2:]), "lost or doubled"),
        (lambda w, t, c: w, "two lists"),
        (lambda w, t, c: (w[:t], w[t:]), "characters"),
    ],
    "q19_3": [
        (([*TOGETHER][::-1], requests(250)), "2.5 times as many"),
        ((TOGETHER, requests(80)), "padding"),
        ((["together"], requests(80)), "each once"),
    ],
    "q19_2": [
        (lambda rate, deadline: rate / deadline, "you divide"),
        (lambda rate, deadline: 1 / rate, "time of one request"),
        (lambda rate, deadline: 20, "may hold 7, your function gives 20"),
        (lambda rate, deadline: rate * deadline, "requests are whole"),
        (lambda rate, deadline: math.ceil(rate * deadline), "the last of them would be late"),
    ],
    "q19_4": [
        (lambda w: w / (w.abs().max() / 127), "two things"),
        (lambda w: (w / (w.abs().max() / 127), w.abs().max() / 127), "no whole numbers"),
        (lambda w: ((w * 1270).round(), 1 / 1270), "does not fit"),
        (lambda w: ((w / (w.abs().max() / 128)).round(), w.abs().max() / 128), "128 does not fit"),
        (lambda w: ((w * 10).round(), 1 / 10), "stays unused"),
        (lambda w: ((w / (w.abs().max() / 127)).floor(), w.abs().max() / 127), "rounding alone"),
    ],
}
