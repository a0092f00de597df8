"""The exercises of notebook 01; test_exercises.py holds the checks to these answers."""

from hanlp_tutor.data import read_columns
from hanlp_tutor.teach.lessons.l01.faulty_file import faulty_file, places
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

RIGHT = {
    "q01_1": [tags_of, lambda length, spans: tuple(tags_of(length, spans))],
    "q01_2": [leaked],
    "q01_3": [
        [TRANSITION[0], LABEL[0], CONFLICT[0]],
        (CONFLICT[-1], LABEL[1], TRANSITION[0]),
        {str(TRANSITION[0]), str(LABEL[0]), str(CONFLICT[3])},
    ],
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
        (lambda train, test: [text for text in test if text in train], "blank alone"),
        (lambda train, test: [text for text in test if text not in leaked(train, test)], "new"),
        (lambda train, test: ["".join(text.split()) for text in leaked(train, test)], "as they are"),
        (lambda train, test: set(leaked(train, test)), "no order"),
        (lambda train, test: len(leaked(train, test)), "list of texts"),
        (lambda train, test: leaked(train, test)[::-1], "Expected"),
        (lambda train, test: leaked(train or test, test), "nothing can leak"),
        (lambda train, test: print(end=""), "returns None"),
    ],
    "q01_3": [
        (533, "list of three"),
        ([1, LABEL[0], CONFLICT[0]], "Line 1 is in order"),
        ([TRANSITION[0], LABEL[0], TWIN[0]], "this one is right"),
        ([TRANSITION[0], LABEL[0], LABEL[1]], "one and the same fault"),
        ([TRANSITION[0], LABEL[0]], "2 of 3 found. Still there: a sentence that stands twice"),
        ([CONFLICT[0]], "1 of 3 found"),
        (["here", "there", "nowhere"], "ValueError"),
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
