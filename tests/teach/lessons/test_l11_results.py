"""What notebook 11 shows of its result file: medians in points, and how to measure where there is nothing."""

import json

from hanlp_tutor.teach.lessons.l11.results import measured


def row(values, **more):
    parts = {part: {name: pick(column) for name, column in values.items()}
             for part, pick in (("median", lambda c: sorted(c)[len(c) // 2]), ("min", min), ("max", max))}  # fmt: skip
    return {"seeds": {str(n): {} for n in range(len(next(iter(values.values()))))}, **parts, **more}


def test_medians_with_their_spread_in_points(tmp_path):
    rows = {"tasks/joint": row({"tok": [0.9, 0.91, 0.95], "ner": [0.5, 0.6, 0.7]}),
            "tasks/tok alone": row({"tok": [0.8]}),
            "tasks/old": row({"tok": [0.1]}, depends_on={"weights": "of another day"}),
            "extend/nothing": row({"forgotten": [40.0, 50.0, 60.0]})}  # fmt: skip
    (tmp_path / "multitask.json").write_text(json.dumps({"rows": rows}))
    shown = measured("tasks/", {"words": "tok", "entities": "ner"}, tmp_path)
    assert shown == [
        {"trained": "joint", "words": "91.0 (90.0 to 95.0)", "entities": "60.0 (50.0 to 70.0)", "seeds": "3"},
        {"trained": "tok alone", "words": "80.0", "entities": None, "seeds": "1"},
    ]
    assert measured("extend/", {"lost": "forgotten"}, tmp_path)[0]["lost"] == "50.0 (40.0 to 60.0)"


def test_without_a_file_it_says_how_to_measure(tmp_path):
    assert measured("tasks/", {"words": "tok"}, tmp_path) == [
        {"trained": "not measured yet: python -m experiments.multitask"}
    ]
