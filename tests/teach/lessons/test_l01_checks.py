"""The exercises of notebook 01; test_exercises.py holds the checks to these answers."""

from hanlp_tutor.data import read_columns
from hanlp_tutor.teach.lessons.l01.faulty_file import faulty_file, mended_file, mends, places
from hanlp_tutor.workbench.audit import audit


def tags_of(length, spans):
    tags = ["O"] * length
    for start, end, label in spans:
        tags[start:end] = [f"B-{label}"] + [f"I-{label}"] * (end - start - 1)
    return tags


def iob1(length, spans):
    tags = ["O"] * length
    for start, end, label in spans:
        for place in range(start, end):
            tags[place] = ("B-" if place == start and place and tags[place - 1] == f"I-{label}" else "I-") + label
    return tags


def inclusive(length, spans):
    return tags_of(length, [(start, min(end + 1, length), label) for start, end, label in spans])


def bare(length, spans):
    return [tag[2:] or tag for tag in tags_of(length, spans)]


def leaked(train, test):
    known = {"".join(text.split()) for text in train}
    return [text for text in test if "".join(text.split()) in known]


TRANSITION, LABEL, CONFLICT, TWIN = (
    [line for line, (kind, _) in places().items() if kind == wanted]
    for wanted in ("transition", "label", "conflict", "twin")
)
BY_TYPE = {"PER": 0.33, "LOC": 0.88, "ORG": 0.95}
MENDS = mends()

RIGHT = {
    "q01_1": [tags_of, lambda length, spans: tuple(tags_of(length, spans))],
    "q01_2": [(["ORG", "LOC", "PER"], BY_TYPE)],
    "q01_3": [leaked],
    "q01_4": [MENDS, dict(sorted(MENDS.items(), reverse=True))],
}
WRONG = {
    "q01_1": [
        (lambda length, spans: " ".join(tags_of(length, spans)), "not one string"),
        (lambda length, spans: [*tags_of(length, spans), "O"], "want 8 tags; yours are 9"),
        (iob1, "begins with B-"),
        (bare, "type alone"),
        (inclusive, "half-open"),
        (lambda length, spans: ["O"] * length, "expected"),
        (lambda length, spans: tags_of(length, spans[:1]), "expected"),
    ],
    "q01_2": [
        ((["PER", "LOC", "ORG"], BY_TYPE), "finds ORG best"),
        ((["ORG", "LOC"], BY_TYPE), "each once"),
    ],
    "q01_3": [
        (lambda train, test: [text for text in test if text in train], "blank alone"),
        (lambda train, test: [text for text in test if text not in leaked(train, test)], "new"),
        (lambda train, test: ["".join(text.split()) for text in leaked(train, test)], "as they are"),
        (lambda train, test: set(leaked(train, test)), "no order"),
        (lambda train, test: len(leaked(train, test)), "list of texts"),
        (lambda train, test: leaked(train, test)[::-1], "Expected"),
        (lambda train, test: leaked(train or test, test), "nothing can leak"),
        (lambda train, test: print(end=""), "returns None"),
    ],
    "q01_4": [
        ([61, 379, 533], "A dictionary from line to tag"),
        ({**MENDS, 1: "O"}, "Line 1 is in order"),
        ({**MENDS, TWIN[0]: "O"}, "this one is right"),
        ({**MENDS, CONFLICT[-1]: "B-ORG"}, "has the tag that it needs"),
        ({"61": "B-LOC"}, "no line number"),
        ({TRANSITION[0]: "O"}, "The name begins there"),
        ({LABEL[0]: "I-PER"}, "B- and I- are right"),
        ({line: MENDS[line] for line in (TRANSITION[0], LABEL[0], CONFLICT[0])}, "3 of 6 lines are mended. A label"),
        ({line: tag for line, tag in MENDS.items() if line not in CONFLICT}, "different tags: it is still there"),
    ],
}


def test_the_audit_finds_the_faults_where_the_check_wants_them(tmp_path):
    """And the file is read without an error: nothing but the audit tells."""
    path = faulty_file(tmp_path / "faulty.tsv")
    assert len(read_columns(path)) == 59
    report = audit(path)
    found = {kind: [finding.line for finding in report.of(kind)] for kind in report.kinds()}
    assert found["invalid-transition"] == TRANSITION[:1] and len(TRANSITION) == 1
    assert found["similar-labels"] == LABEL[:1]
    assert found["conflict"] == CONFLICT[:1] and f":{TWIN[0]}." in report.of("conflict")[0].message
    assert report.counts["error"] == 2, "the third is among the warnings"


def test_a_mended_file_satisfies_the_audit(tmp_path):
    faulty = faulty_file(tmp_path / "faulty.tsv")
    report = audit(mended_file(tmp_path / "mended.tsv", MENDS, faulty))
    assert report.counts["error"] == 0 and not report.of("similar-labels", "conflict", "invalid-transition")
    assert len(MENDS) == 6 and {MENDS[line] for line in LABEL} == {"B-PER", "I-PER"}
