"""Jobs from files to run folders, and the doors that lead there: the same config and seed, the same numbers."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from toy import labelled, tagged, write_split

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.evaluate import evaluate_model
from hanlp_tutor.core.model_folder import load_model
from hanlp_tutor.data import LabelledText, TaggedText, write_columns, write_labels
from hanlp_tutor.data.notes import notes_to
from hanlp_tutor.errors import DataError, TrainingError
from hanlp_tutor.workbench.job import divide, read_split, train_job

OPTIONS = {"epochs": 8, "batch_size": 8, "lr": 0.003, "head_lr": 0.003, "dropout": 0.1, "seed": 7}


def by_python(task: str, files: dict[str, Path], encoder: str, out: Path) -> dict[str, Any]:
    split = read_split(task, files["train"], files["dev"], files["test"], seed=OPTIONS["seed"])
    return train_job(task, split, encoder, TrainConfig(**OPTIONS), out, progress="none")


def by_command(task: str, files: dict[str, Path], encoder: str, out: Path) -> dict[str, Any]:
    names = [part for name in files for part in (f"--{name}", str(files[name]))]
    options = [part for name, value in OPTIONS.items() for part in ("-p", name, str(value))]
    command = ["train", "--task", task, *names, "--encoder", encoder, "--out", str(out), *options]
    command += ["--no-baseline", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "hanlp_tutor.cli", *command], capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def by_papermill(task: str, files: dict[str, Path], encoder: str, out: Path) -> dict[str, Any]:
    from hanlp_tutor.workbench.runner import run_notebook

    every_option = TrainConfig(**OPTIONS).model_dump()  # or the profile would fill in what it says
    parameters = {**{f"{name}_file": str(path) for name, path in files.items()}, "encoder": encoder, **every_option}
    outcome = run_notebook({"ner": "05", "classify": "04"}[task], parameters, profile="smoke", out=out)
    assert outcome.metrics == json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    return outcome.metrics


DOORS: dict[str, Callable[..., dict[str, Any]]] = {
    "python": by_python,
    "command": by_command,
    "papermill": by_papermill,
}


@pytest.mark.slow
@pytest.mark.parametrize("task", ["ner", "classify"])
def test_all_doors_lead_to_the_same_metrics(small_encoder, tmp_path, task):
    files = write_split(tmp_path, task)
    found = {}
    for name, door in DOORS.items():
        found[name] = door(task, files, small_encoder, tmp_path / name)
        kept = json.loads((tmp_path / name / "metrics.json").read_text(encoding="utf-8"))
        assert found[name] == kept
        assert found[name].pop("seconds") > 0
    assert all(metrics == found["python"] for metrics in found.values()), found
    assert found["python"]["best_dev"] > 0 and found["python"]["test"]


@pytest.mark.parametrize("task", ["ner", "classify"])
def test_a_job_leaves_a_model_that_scores_what_was_reported(tiny_encoder, tmp_path, task):
    files = write_split(tmp_path, task)
    out = tmp_path / "run"
    metrics = by_python(task, files, tiny_encoder, out)
    assert set(metrics) == {"task", "best_dev", "test", "seconds"} and metrics["task"] == task
    names = {"ner": {"precision", "recall", "f1", "per_type"}}
    assert set(metrics["test"]) == names.get(task, {"accuracy", "macro_f1", "micro_f1", "per_class"})
    test = read_split(task, *files.values()).test
    scores = evaluate_model(load_model(out / "model"), test)
    assert {name: scores[name] for name in metrics["test"]} == metrics["test"]
    assert {path.name for path in out.iterdir()} >= {"metrics.json", "manifest.json", "history.csv", "model"}
    with pytest.raises(TrainingError, match="finished run, which is never overwritten"):
        by_python(task, files, tiny_encoder, out)


def test_a_label_of_the_test_file_alone_does_not_lose_the_run(tiny_encoder, tmp_path):
    files = write_split(tmp_path)
    write_columns(files["test"], [*tagged(5), TaggedText("某药", ("B-DRUG", "I-DRUG"))])
    metrics = by_python("ner", files, tiny_encoder, tmp_path / "run")
    assert metrics["test"]["per_type"]["DRUG"]["support"] == 1


def test_what_is_missing_is_held_out(tmp_path):
    files = write_split(tmp_path, sizes=(100, 20, 20))
    sizes = [
        [len(part) for part in (split.train, split.dev, split.test)]
        for split in (
            read_split("ner", files["train"]),
            read_split("ner", files["train"], test=files["test"]),
            read_split("ner", files["train"], files["dev"]),
            read_split("ner", *files.values()),
        )
    ]
    assert sizes == [[80, 10, 10], [90, 10, 20], [100, 20, 0], [100, 20, 20]]
    once, again, other = (read_split("ner", files["train"], seed=seed) for seed in (1, 1, 2))
    assert once.test == again.test != other.test
    assert {e.source for e in once.train}.isdisjoint(e.source for e in [*once.dev, *once.test])


def test_held_out_classes_are_stratified(tmp_path):
    rare = [LabelledText(f"少见{i}", "rare") for i in range(10)]
    write_labels(tmp_path / "all.txt", [*[e for e in labelled(400) if e.label == "good"][:90], *rare])
    split = read_split("classify", tmp_path / "all.txt")
    for part in (split.train, split.dev, split.test):
        assert sum(e.label == "rare" for e in part) == round(len(part) / 10)


def test_a_label_that_was_held_out_alone_goes_back_to_training(tmp_path):
    for seed in range(20):
        single = TaggedText("某药", ("B-DRUG", "I-DRUG"), source="all.tsv:1")
        write_columns(tmp_path / "all.tsv", [*tagged(60), single])
        split = read_split("ner", tmp_path / "all.tsv", seed=seed)
        assert single not in split.dev and len([*split.train, *split.dev, *split.test]) == 61
        write_labels(tmp_path / "all.txt", [*labelled(60), LabelledText("少见", "rare")])
        assert all(e.label != "rare" for e in read_split("classify", tmp_path / "all.txt", seed=seed).dev)


def test_files_that_will_not_do(tmp_path):
    files = write_split(tmp_path, sizes=(3, 2, 2))
    with pytest.raises(DataError, match=r"train\.tsv: 3 examples are too few.*--dev"):
        read_split("ner", files["train"])
    (tmp_path / "empty.tsv").write_text("", encoding="utf-8")
    for wrong in ("empty.tsv", "nowhere.tsv"):
        with pytest.raises(DataError, match=wrong):
            read_split("ner", files["train"], tmp_path / wrong)


def test_a_stored_division_gives_a_colleague_the_same_sets(tmp_path):
    mine, theirs, stored = tmp_path / "mine.tsv", tmp_path / "theirs.tsv", tmp_path / "split.json"
    examples = [LabelledText(f"评论第{number}条", "好坏"[number % 2]) for number in range(60)]
    write_labels(mine, examples)
    write_labels(theirs, examples[::-1])  # the same data in another order
    first = divide("classify", mine, stored, seed=5)
    assert [len(subset) for subset in (first.train, first.dev, first.test)] == [48, 6, 6]
    again = divide("classify", theirs, stored, seed=99)  # the file decides, not the seed
    assert (again.train, again.dev, again.test) == (first.train, first.dev, first.test)
    write_labels(theirs, examples[1:])
    with pytest.raises(DataError, match="not what this split was made of"):
        divide("classify", theirs, stored)


def reviews(path: Path, *labels: str, first: bool = False) -> Path:
    """A label file of 20 lines with these labels in turn."""
    pairs = [(f"房间第{n}次也很好用", labels[n % len(labels)]) for n in range(20)]
    path.write_text("".join("\t".join(pair[::-1] if first else pair) + "\n" for pair in pairs), encoding="utf-8")
    return path


def test_a_dev_or_test_set_with_other_labels_is_refused_before_training(tmp_path):
    train, other = reviews(tmp_path / "a.txt", "正面", "负面"), reviews(tmp_path / "b.txt", "positive", "negative")
    for sets in ({"dev": other}, {"test": other}, {"dev": train, "test": other}):
        with pytest.raises(DataError, match=r"b.txt: no label of this file occurs in the training set: negative, pos"):
            read_split("classify", train, **sets)
    swapped = reviews(tmp_path / "c.txt", "正面", "负面", first=True)
    with pytest.raises(DataError, match="look swapped") as error:
        read_split("classify", train, dev=swapped)
    assert len(str(error.value)) < 400
    assert len(read_split("classify", swapped, label_first=True).train) == 16


@pytest.mark.filterwarnings("ignore::hanlp_tutor.data.notes.DataNotice")
def test_what_cannot_be_learnt_is_noted(tmp_path):
    notes = []
    with notes_to(notes.append):
        read_split("classify", reviews(tmp_path / "a.txt", "正面"))
    assert "with one class there is nothing to learn" in notes[0]
    (tmp_path / "a.bio").write_text("无\tO\n事\tO\n\n" * 20, encoding="utf-8")
    notes.clear()
    with notes_to(notes.append):
        read_split("ner", tmp_path / "a.bio")
    assert "nothing but O can be learnt" in notes[0]
    notes.clear()
    with notes_to(notes.append):
        read_split("classify", reviews(tmp_path / "b.txt", "正面", "负面"))
    assert notes == []


def test_a_dev_set_that_is_the_training_set_is_noted(tmp_path):
    train, copy = tmp_path / "train.tsv", tmp_path / "copy.tsv"
    write_labels(train, labelled(20))
    write_labels(copy, labelled(20))
    notes = []
    with notes_to(notes.append):
        read_split("classify", train, copy)
    assert notes == [f"{copy}: these are the training examples; their score says how well they were learnt by heart."]


def test_a_training_file_without_blank_lines_is_refused_and_the_remedy_works(tmp_path):
    path = tmp_path / "a.bio"
    path.write_text("赵\tB-PER\n云\tI-PER\n来\tO\n。\tO\n" * 20, encoding="utf-8")
    for sets in ({}, {"dev": path}):
        with pytest.raises(DataError, match=r"one sentence of 80 characters: blank lines .* -r split_at '。'"):
            read_split("ner", path, **sets)
    assert len(read_split("ner", path, split_at="。").train) == 16
