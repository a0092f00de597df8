"""``hanlp-tutor evaluate``: labels that the model does not know, wrong examples, and what it was trained on."""

import json
import shutil

import pytest
from click.testing import CliRunner

from hanlp_tutor.cli import app
from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model_folder import build_model, save_model
from hanlp_tutor.data import Split, fingerprint, read_examples
from hanlp_tutor.manifest import update_manifest
from hanlp_tutor.workbench.seen import keep_split


@pytest.fixture(scope="module")
def model(tiny_encoder, tmp_path_factory):
    """A folder with an untrained classifier of reviews."""
    folder = tmp_path_factory.mktemp("reviews") / "model"
    save_model(build_model("classify", tiny_encoder, ("正面", "负面"), TrainConfig()), folder)
    return folder


def evaluate(model, path, *labels):
    lines = [f"房间第{n}次也很好用\t{labels[n % len(labels)]}\n" for n in range(12)]
    path.write_text("".join(lines), encoding="utf-8")
    return CliRunner().invoke(app, ["evaluate", str(model), str(path)])


def test_no_label_is_known(model, tmp_path):
    result = evaluate(model, tmp_path / "a.txt", "positive", "negative")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{tmp_path / 'a.txt'}: no label of this file is known to the model: negative, positive" in result.stderr
    assert "the model knows 正面, 负面" in result.stderr


@pytest.mark.filterwarnings("ignore::hanlp_tutor.data.notes.DataNotice")
def test_a_known_label_is_scored(model, tmp_path):
    result = evaluate(model, tmp_path / "a.txt", "正面", "neutral")
    assert result.exit_code == 0
    assert "neutral\tP 0.0000\tR 0.0000" in result.stdout


def test_a_file_of_another_task_is_refused_with_the_task(model, tmp_path):
    path = tmp_path / "a.bio"
    path.write_text("赵\tB-PER\n云\tI-PER\n来\tO\n\n" * 4, encoding="utf-8")
    result = CliRunner().invoke(app, ["evaluate", str(model), str(path)])
    assert (result.exit_code, "a file for the task ner, not classify" in result.stderr) == (2, True)


def asked(*words):
    result = CliRunner().invoke(app, ["evaluate", *map(str, words)])
    return result, json.loads(result.stdout.splitlines()[-1]) if "--json" in words else None


def test_the_wrong_examples_take_no_second_prediction(model, tmp_path, monkeypatch):
    """The scores are made of the same answers, and are those of an evaluation without a list."""
    evaluate(model, tmp_path / "a.txt", "正面", "负面")
    _, scores = asked(model, tmp_path / "a.txt", "--json")
    monkeypatch.setattr("hanlp_tutor.core.evaluate.predict_labels", None)
    _, with_errors = asked(model, tmp_path / "a.txt", "--errors", 4, "--json")
    assert {name: with_errors[name] for name in scores} == scores and len(with_errors["errors"]) == 4


def test_wrong_examples_are_listed_the_surest_first(model, tmp_path):
    evaluate(model, tmp_path / "a.txt", "正面", "负面")
    _, scores = asked(model, tmp_path / "a.txt", "--errors", 4, "--json")
    wrong = scores["errors"]
    assert scores["wrong"] == round(12 * (1 - scores["accuracy"])) == 6 and len(wrong) == 4
    assert [each["score"] for each in wrong] == sorted((each["score"] for each in wrong), reverse=True)
    assert set(wrong[0]) == {"source", "score", "gold", "predicted", "text"}
    text = asked(model, tmp_path / "a.txt", "--errors", 4)[0].stdout
    assert "wrong: 6 of 12 examples; the 4 of which the model was surest" in text
    first = wrong[0]
    line = f"  {first['source']}\t{first['score']:.4f}\t{first['predicted']}, is {first['gold']}\t{first['text']}\n"
    assert line in text and text.count(", is ") == 4
    assert "errors" not in asked(model, tmp_path / "a.txt", "--json")[1]


def test_wrong_entities_are_listed_with_what_is_missing_and_extra(tiny_encoder, tmp_path):
    save_model(build_model("ner", tiny_encoder, ("O", "B-PER", "I-PER"), TrainConfig(crf=False)), tmp_path / "model")
    (tmp_path / "a.bio").write_text("赵\tB-PER\n云\tI-PER\n来\tO\n\n" * 4, encoding="utf-8")
    _, scores = asked(tmp_path / "model", tmp_path / "a.bio", "--errors", 9, "--json")
    missing, extra = (sum(len(each[name]) for each in scores["errors"]) for name in ("missing", "extra"))
    assert scores["recall"] == pytest.approx(1 - missing / 4) and scores["wrong"] == len(scores["errors"])
    found = 4 - missing + extra
    assert scores["precision"] == pytest.approx((4 - missing) / found if found else 0.0)


@pytest.fixture
def run_folder(model, tmp_path):
    """A run with that model, of which two of twelve examples are the test set and one is dev."""
    evaluate(model, tmp_path / "a.txt", "正面", "负面")
    examples = read_examples("classify", tmp_path / "a.txt")
    run = tmp_path / "run"
    run.mkdir()
    shutil.copytree(model, run / "model")
    update_manifest(run, data={"train": fingerprint(examples[:9])})
    keep_split(run, Split(examples[:9], examples[9:10], examples[10:]))
    return run


def test_what_the_run_trained_on_is_noted_and_the_held_out_part_can_be_taken(run_folder, tmp_path):
    result, _ = asked(run_folder, tmp_path / "a.txt")
    note = "a.txt: 9 of 12 examples are among those that this model was trained on, so the scores flatter."
    assert f"{note} --part test takes the 2 that were held out." in result.stderr
    result, scores = asked(run_folder / "model", tmp_path / "a.txt", "--part", "test", "--json")
    assert sum(row["support"] for row in scores["per_class"].values()) == 2 and "Note" not in result.stderr
    result, scores = asked(run_folder, tmp_path / "a.txt", "--part", "train", "--json")
    assert sum(row["support"] for row in scores["per_class"].values()) == 9 and "Note" not in result.stderr


def test_a_stored_split_is_taken_from_a_file_that_has_grown_but_not_from_another(model, run_folder, tmp_path):
    grown = tmp_path / "grown.txt"
    grown.write_text((tmp_path / "a.txt").read_text(encoding="utf-8") + "又来一次\t正面\n", encoding="utf-8")
    split = run_folder / "split.json"
    result, scores = asked(model, grown, "--split", split, "--json")
    assert sum(row["support"] for row in scores["per_class"].values()) == 2
    assert "1 of 13 examples are in no set of this split, and are left out" in result.stderr
    evaluate(model, tmp_path / "b.txt", "负面", "正面")
    result, _ = asked(model, tmp_path / "b.txt", "--split", split)
    assert (result.exit_code, "2 of the 2 examples of its test set are not in the data" in result.stderr) == (2, True)
    result, _ = asked(model, tmp_path / "b.txt", "--part", "dev")
    assert (result.exit_code, "Name the stored split of the file with --split FILE" in result.stderr) == (2, True)


def test_a_run_without_a_stored_split_knows_its_training_set_as_a_whole(run_folder, tmp_path):
    (run_folder / "split.json").unlink()
    assert "Note" not in asked(run_folder, tmp_path / "a.txt")[0].stderr
    update_manifest(run_folder, data={"train": fingerprint(read_examples("classify", tmp_path / "a.txt"))})
    told = asked(run_folder, tmp_path / "a.txt")[0].stderr
    assert "12 of 12 examples are among those" in told and "Take examples that it has not seen" in told
