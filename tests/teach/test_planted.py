"""Planted faults are as many as was asked for, and nothing else changes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hanlp_tutor.data import LabelledText, Span, TaggedText
from hanlp_tutor.teach.planted import paraphrase, plant_label_errors, plant_tag_errors

SPANS = (Span(0, 2, "PER"), Span(3, 5, "LOC"), Span(6, 7, "PER"))
TAGGED = [TaggedText.from_spans("张三在北京见李", SPANS, f"a:{n}") for n in range(40)]


def test_label_errors():
    clean = [LabelledText(f"第{n}条", "abc"[n % 3], f"a:{n}") for n in range(60)]
    examples, planted = plant_label_errors(clean, 0.1, seed=1)
    changed = [n for n in range(60) if examples[n] != clean[n]]
    assert changed == [error.index for error in planted]
    assert len(changed) == 6
    assert all((e.text, e.source) == (c.text, c.source) for e, c in zip(examples, clean, strict=True))
    assert plant_label_errors(clean, 0.1, seed=1) == (examples, planted)
    assert plant_label_errors(clean, 0.1, seed=2) != (examples, planted)


def test_tag_errors():
    examples, planted = plant_tag_errors(TAGGED, 0.25, seed=1)
    assert len(planted) == 30
    assert {error.kind for error in planted} == {"type", "missing", "border"}
    faults = {(error.index, error.start): error for error in planted}
    for index, (before, after) in enumerate(zip(TAGGED, examples, strict=True)):
        assert (before.text, before.source) == (after.text, after.source)
        spans = {span.start: span for span in after.spans}
        for span in before.spans:
            fault, now = faults.get((index, span.start)), spans.pop(span.start, None)
            if fault is None:
                assert now == span
            elif fault.kind == "missing":
                assert now is None
            elif fault.kind == "type":
                assert (now.end, now.label != span.label) == (span.end, True)
            else:
                assert (now.end, now.label) == (span.end - 1, span.label)
        assert not spans


@settings(derandomize=True, deadline=None)
@given(st.text(min_size=1, max_size=20), st.integers(0, 6), st.integers(0, 3))
def test_a_paraphrase_is_no_further_than_its_edits(text, edits, seed):
    other = paraphrase(text, edits, seed, "甲乙丙")
    assert other
    assert paraphrase(text, edits, seed, "甲乙丙") == other
    assert levenshtein(text, other) <= edits


def levenshtein(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row, before = [i], row
        for j, b in enumerate(other, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (a != b)))
    return row[-1]
