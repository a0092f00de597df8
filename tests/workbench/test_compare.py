"""Runs side by side: on folders written by hand, and on two real small runs."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from scipy import stats
from toy import labelled, tagged

from hanlp_tutor.cli import app
from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.history import COLUMNS
from hanlp_tutor.core.task import measures_of
from hanlp_tutor.data import Split
from hanlp_tutor.errors import ConfigError, DataError, ModelError
from hanlp_tutor.workbench.compare import compare_runs, draw, in_words
from hanlp_tutor.workbench.job import train_job


def written(folder: Path, f1: float, **options) -> Path:
    """A run folder with what compare reads; ``train`` names its training data."""
    folder.mkdir(parents=True)
    train = options.pop("train", "same")
    config = {"lr": 1e-4, "seed": 1, **options}
    facts = {"task": "ner", "encoder": "mini-bert", "config": config, "data": {"train": train, "dev": "d"}}
    (folder / "manifest.json").write_text(json.dumps(facts), encoding="utf-8")
    scores = {"task": "ner", "best_dev": f1, "test": {"f1": f1, "per_type": {"PER": {"f1": 0.1}}}, "seconds": 2.5}
    (folder / "metrics.json").write_text(json.dumps(scores), encoding="utf-8")
    rows = [
        {"step": step, "loss": 1 / step, "dev_score": f1 * step / 20 if step % 10 == 0 else ""} for step in (5, 10, 20)
    ]
    lines = [",".join(COLUMNS), *(",".join(str(row.get(name, "")) for name in COLUMNS) for row in rows)]
    (folder / "history.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_what_differs_is_shown_beside_what_it_came_to(tmp_path):
    runs = [written(tmp_path / "a", 0.8), written(tmp_path / "b", 0.9, lr=3e-4, crf=True)]
    compared = compare_runs(runs)
    assert compared.differing == {"lr": [1e-4, 3e-4], "crf": [None, True]}
    assert compared.metrics == {"best_dev": [0.8, 0.9], "test.f1": [0.8, 0.9], "seconds": [2.5, 2.5]}
    assert [row["step"] for row in compared.curves[0]] == [10, 20]
    assert not compared.pairings and len(compared.unpaired) == 2
    text = in_words(compared)
    assert "an interval needs two seeds that both have (1 usable)" in text and "give --on FILE" in text
    assert "lr                   0.0001  0.0003" in text and "20                   0.8  0.9" in text


def test_seeds_are_paired_as_students_t_has_it(tmp_path):
    low, high = {1: 0.80, 2: 0.82, 3: 0.81}, {3: 0.86, 1: 0.83, 2: 0.88, 4: 0.1}
    runs = [written(tmp_path / f"low{seed}", f1, seed=seed) for seed, f1 in low.items()]
    runs += [written(tmp_path / f"high{seed}", f1, seed=seed, lr=3e-4) for seed, f1 in high.items()]
    compared = compare_runs(runs)
    (pairing,) = compared.pairings
    reference = stats.ttest_rel([high[s] for s in (1, 2, 3)], [low[s] for s in (1, 2, 3)])
    interval = reference.confidence_interval(0.95)
    assert (pairing.measure, pairing.pairs, pairing.by) == ("test.f1", 3, "seeds")
    assert pairing.comparison.difference == pytest.approx(sum(high[s] - low[s] for s in low) / 3)
    assert (pairing.comparison.low, pairing.comparison.high) == pytest.approx((interval.low, interval.high))
    assert pairing.comparison.p == pytest.approx(reference.pvalue)
    assert "95 % interval" in in_words(compared)


def test_the_measure_that_sums_a_run_up_is_its_task_s():
    firsts = {name: measures_of(name)[0] for name in ("ner", "classify", "relation", "multitask")}
    assert firsts == {"ner": "test.f1", "classify": "test.macro_f1", "relation": "test.micro_f1",
                      "multitask": "test.ner.f1"}  # fmt: skip
    assert {*firsts.values(), "best_dev", "f1"} <= {*measures_of(None)}


def test_runs_of_fine_tune_itself_are_paired_by_their_best_dev_score(tmp_path):
    """They have a history and no metrics."""
    runs = [written(tmp_path / f"low{seed}", 0.8 + seed / 100, seed=seed) for seed in (1, 2)]
    runs += [written(tmp_path / f"high{seed}", 0.8 + seed / 50, seed=seed, lr=3e-4) for seed in (1, 2)]
    for run in runs:
        (run / "metrics.json").unlink()
    (pairing,) = compare_runs(runs).pairings
    assert (pairing.measure, pairing.pairs) == ("best_dev", 2)
    assert pairing.comparison.difference == pytest.approx(0.015)


@pytest.mark.parametrize(
    ("second", "word"),
    [
        ([{"lr": 3e-4, "train": "other"}, {"lr": 3e-4, "seed": 2, "train": "other"}], "on different data"),
        ([{"lr": 3e-4, "seed": 8}, {"lr": 3e-4, "seed": 9}], "needs two seeds that both have"),
        ([{"seed": 8}, {"seed": 9}], "differ by nothing but the seed"),
        ([{"lr": 3e-4}, {"lr": 3e-4, "seed": 2}], "differs by exactly"),
    ],
)
def test_what_cannot_be_paired_is_said(tmp_path, second, word):
    runs = [written(tmp_path / f"a{seed}", 0.75, seed=seed) for seed in (1, 2)]
    runs += [written(tmp_path / f"b{number}", 0.5, **options) for number, options in enumerate(second)]
    compared = compare_runs(runs)
    assert not compared.pairings and any(word in why for why in compared.unpaired)


def test_runs_of_a_sweep_that_train_nothing(tmp_path):
    for name, lr in (("a", 1e-4), ("b", 3e-4)):
        (tmp_path / name).mkdir()
        facts = {"sweep": {"parameters": {"lr": lr, "sentences": 7, "out": name}}}
        (tmp_path / name / "manifest.json").write_text(json.dumps(facts), encoding="utf-8")
    compared = compare_runs([tmp_path / "a", tmp_path / "b"])
    assert compared.differing == {"lr": [1e-4, 3e-4]} and compared.metrics == {}
    with pytest.raises(ConfigError, match="no curve to draw"):
        draw(compared, tmp_path / "curves.png")


def test_two_real_runs_text_by_text(tiny_encoder, tmp_path):
    split = Split(tagged(40, longest=20), tagged(15, seed=1, longest=20), tagged(30, seed=2, longest=20))
    test = tmp_path / "test.tsv"
    rows = ("\n".join(map("\t".join, zip(e.text, e.tags, strict=True))) for e in split.test)
    test.write_text("\n\n".join(rows) + "\n", encoding="utf-8")
    for name, epochs in (("a", 1), ("b", 8)):
        config = TrainConfig(epochs=epochs, batch_size=4, lr=3e-3, head_lr=3e-3, patience=None)
        train_job("ner", split, tiny_encoder, config, tmp_path / name, progress="none")
    compared = compare_runs([tmp_path / "a", tmp_path / "b"], on=test)
    (pairing,) = compared.pairings
    one, other = compared.metrics["test.f1"]
    assert other > one and pairing.comparison.difference == pytest.approx(other - one)
    assert pairing.pairs == 30 and pairing.comparison.low <= other - one <= pairing.comparison.high
    assert compared.differing["epochs"] == [1, 8]
    picture = tmp_path / "curves.svg"
    arguments = [
        "compare",
        str(tmp_path / "a"),
        str(tmp_path / "b"),
        "--on",
        str(test),
        "--out",
        str(picture),
        "--json",
    ]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["pairings"][0]["comparison"]["difference"] == pytest.approx(other - one)
    assert "<svg" in picture.read_text(encoding="utf-8")


def test_classes_text_by_text(tiny_encoder, tmp_path):
    split = Split(labelled(30, longest=20), labelled(12, seed=1, longest=20), [])
    test = tmp_path / "test.tsv"
    test.write_text("".join(f"{e.text}\t{e.label}\n" for e in labelled(20, seed=3, longest=20)), encoding="utf-8")
    for seed in (1, 2):
        config = TrainConfig(epochs=1, head_lr=3e-3, patience=None, seed=seed)
        train_job("classify", split, tiny_encoder, config, tmp_path / str(seed), progress="none")
    (pairing,) = compare_runs([tmp_path / "1", tmp_path / "2"], on=test).pairings
    assert pairing.measure == "accuracy on test.tsv" and pairing.pairs == 20


def test_refused(tmp_path):
    one, other = written(tmp_path / "a", 0.8), written(tmp_path / "b", 0.9, lr=1.0)
    with pytest.raises(ConfigError, match="two run folders or more"):
        compare_runs([one])
    with pytest.raises(ConfigError, match="given twice"):
        compare_runs([one, tmp_path / "b" / ".." / "a"])
    with pytest.raises(DataError, match="no run folder"):
        compare_runs([one, tmp_path / "nowhere"])
    with pytest.raises(ConfigError, match="has to end in"):
        draw(compare_runs([one, other]), tmp_path / "curves.docx")
    (tmp_path / "test.tsv").write_text("张\tB-PER\n", encoding="utf-8")
    with pytest.raises(ModelError, match="unfinished run"):
        compare_runs([one, other], on=tmp_path / "test.tsv")
    assert CliRunner().invoke(app, ["compare", str(one)]).exit_code == 2
