"""What notebook 11 shows of its result file: medians in points, and how to measure where there is nothing."""

import json

from hanlp_tutor.teach.lessons.l11.results import compared, measured, together_or_apart


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


def test_each_task_alone_with_equal_passes_equal_updates_and_together(tmp_path):
    settings = {"options": {"epochs": 5, "batch_size": 16}, "sentences": {"tok": 300, "pos": 300, "ner": 75}}
    scores = {"tok": [0.7, 0.71, 0.72], "pos": [0.6, 0.6, 0.6], "ner": [0.5, 0.51, 0.55]}
    rows = {f"tasks/{task} alone": row({task: scores[task]}) for task in scores}
    rows |= {f"tasks/{task} alone, equal updates": row({task: scores[task]}, depends_on={"epochs": 43})
             for task in scores}  # fmt: skip
    (tmp_path / "multitask.json").write_text(json.dumps({"settings": settings, "rows": rows}))
    assert "not measured yet" in together_or_apart(tmp_path)[0]["trained"]
    rows["tasks/joint"] = row(scores)
    (tmp_path / "multitask.json").write_text(json.dumps({"settings": settings, "rows": rows}))
    passes, updates, joint = together_or_apart(tmp_path)
    assert passes["updates of tok"] == "95" and passes["updates of ner"] == "25"  # 19 and 5 batches, 5 epochs
    assert updates["updates of ner"] == "215" and joint["updates of pos"] == "215 for all"
    assert joint["ner F1"] == "51.0 (50.0 to 55.0)"


def test_two_rows_compared_on_the_seeds_that_both_have(tmp_path):
    rows = {name: {"seeds": {seed: {"ner": value} for seed, value in values.items()}} for name, values in
            {"tasks/joint": {"1": 0.60, "2": 0.61, "3": 0.59}, "tasks/alone": {"1": 0.5, "2": 0.5, "4": 0.1},
             "tasks/once": {"1": 0.5}}.items()}  # fmt: skip
    (tmp_path / "multitask.json").write_text(json.dumps({"rows": rows}))
    ahead = compared("tasks/joint", "tasks/alone", "ner", tmp_path)
    assert ahead.startswith("joint is ahead of alone by 10.5 points of F1 of entities (95 % interval 4.1 to 16.9)")
    behind = compared("tasks/alone", "tasks/joint", "ner", tmp_path)
    assert behind == ahead  # whichever is named first
    for other in ("tasks/once", "tasks/nobody"):
        assert "not measured yet: python -m experiments.multitask" in compared("tasks/joint", other, "ner", tmp_path)
