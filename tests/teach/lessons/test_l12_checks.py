"""The exercises of notebook 12; test_exercises.py holds the checks to these answers."""

import re


def denied(text, start):
    clause = re.split("[，。]", text[:start])[-1].replace("无明显诱因", "")
    return "否认" in clause or "无" in clause


def without_end(text, start):
    return bool(re.search("否认|无", text[:start].replace("无明显诱因", "")))


def by_every_cue(text, start):
    return bool(re.search("否认|无", re.split("[，。]", text[:start])[-1]))


def only_the_first(text, start):
    return bool(re.search("(?:否认|无)$", text[:start].replace("无明显诱因", "")))


def at_the_beginning(text, start):
    return re.split("[，。]", text[:start])[-1].replace("无明显诱因", "").startswith(("否认", "无"))


LEADS = {"clinic (synthetic)": 0.12, "cMedQANER": -0.03, "cMedQANER, 200 sentences": 0.05}
RIGHT = {
    "q12_1": [28 / 60, 0.467, "0.4667"],
    "q12_2": [(["clinic (synthetic)", "cMedQANER, 200 sentences", "cMedQANER"], LEADS)],
    "q12_3": [denied],
}
WRONG = {
    "q12_1": [
        (46.7, "per cent"),
        (-0.4, "not negative"),
        (23 / 55, "left out the seen names"),
        (28 / 55, "weigh 1 - u"),
        (18 / 50, "*behind*"),
        (0.8, "put it into"),
    ],
    "q12_2": [
        ((["cMedQANER", "clinic (synthetic)", "cMedQANER, 200 sentences"], LEADS), "not decide alone: clinic"),
        ((["cMedQANER"], LEADS), "each once"),
    ],
    "q12_3": [
        (without_end, "ends with its clause"),
        (by_every_cue, "without an obvious cause"),
        (only_the_first, "does not end it"),
        (at_the_beginning, "begins with"),
        (lambda text, start: True, "without a cue"),
        (lambda text, start: False, "expected True"),
        (True, "wants a function"),
    ],
}
