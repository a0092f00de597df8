"""What people had before the house was laid out anew still loads, resumes, predicts and exports.

``earlier_kit/`` was written by commit 59933eb, on made-up sentences, by a toy encoder (see its README).
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hanlp_tutor import Predictor, TrainConfig, export_hanlp, load_hanlp, load_model, relocate, tune
from hanlp_tutor.core.history import read_history
from hanlp_tutor.workbench.diagnose import diagnose
from hanlp_tutor.workbench.job import read_split, train_job
from hanlp_tutor.workbench.tuning.search import Search

EARLIER = Path(__file__).parent / "earlier_kit"
PREDICTIONS = json.loads((EARLIER / "predictions.json").read_text(encoding="utf-8"))
CONFIG = TrainConfig(epochs=12, batch_size=8, lr=1e-2, head_lr=1e-2, patience=None, crf=True)
TASKS = ("ner", "classify", "multitask")


@pytest.fixture
def earlier(tmp_path, monkeypatch) -> Path:
    """A copy, and the working directory: names of files and of the encoder are relative to it."""
    folder = tmp_path / "earlier"
    shutil.copytree(EARLIER, folder)
    monkeypatch.chdir(folder)
    return folder


def rounded(value):
    """Scores differ in the last digits between machines; all else is compared exactly."""
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return pytest.approx(value, abs=1e-4) if isinstance(value, float) else value


@pytest.mark.parametrize("task", TASKS)
def test_a_model_folder_gives_the_predictions_of_then(earlier, task):
    predictor = Predictor.load(earlier / f"{task}_run" / "model")
    assert predictor.predict_many([each["text"] for each in PREDICTIONS[task]]) == rounded(PREDICTIONS[task])


@pytest.mark.parametrize("task", TASKS)
def test_it_exports_and_the_kits_door_to_hanlp_opens_the_export_of_then(earlier, task):
    plain = json.loads((earlier / f"{task}_hanlp" / "config.json").read_text(encoding="utf-8"))
    exported = export_hanlp(load_model(earlier / f"{task}_run" / "model"), earlier / "again")
    again = json.loads((exported / "config.json").read_text(encoding="utf-8"))
    assert again.keys() - {"dict_blacklist"} == plain.keys() and again.get("classpath") == plain.get("classpath")


@pytest.mark.parametrize("task", TASKS)
def test_plain_hanlp_reads_the_export_of_then_once_it_is_relocated(earlier, task):
    relocate(earlier / f"{task}_hanlp")
    texts = [each["text"] for each in PREDICTIONS[task]]
    inputs = texts if task != "ner" else [list(text) for text in texts]
    code = (
        "import json, sys; sys.modules['hanlp_tutor'] = None\n"
        "import hanlp\n"
        f"found = hanlp.load({str(earlier / (task + '_hanlp'))!r})({inputs!r})\n"
        "print(json.dumps(found))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=earlier, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    if task == "ner":
        assert [[[row[2], row[3], row[1]] for row in rows] for rows in found] == [
            [[e["start"], e["end"], e["label"]] for e in each["entities"]] for each in PREDICTIONS[task]
        ]
    elif task == "classify":
        assert found == [each["label"] for each in PREDICTIONS[task]]
    else:
        assert found["tok"] == [each["tok"] for each in PREDICTIONS[task]]
        assert found["pos"] == [each["pos"] for each in PREDICTIONS[task]]


@pytest.mark.parametrize("task", ["ner", "classify"])
def test_load_hanlp_goes_on_from_an_export_of_then(earlier, task):
    relocate(earlier / f"{task}_hanlp")
    model = load_hanlp(earlier / f"{task}_hanlp")
    predictions = Predictor(model).predict_many([each["text"] for each in PREDICTIONS[task]])
    assert predictions == rounded(PREDICTIONS[task])


def test_a_run_broken_off_then_is_finished_now(earlier):
    """To the scores that the same run came to then, in one go."""
    split = read_split("ner", "train.tsv", "dev.tsv", "test.tsv")
    metrics = train_job("ner", split, "encoder", CONFIG, earlier / "broken_off", resume=True, progress="none")
    then = json.loads((earlier / "ner_run" / "metrics.json").read_text(encoding="utf-8"))
    assert rounded({**then, "seconds": metrics["seconds"]}) == metrics
    now, before = (read_history(earlier / run / "history.csv") for run in ("broken_off", "ner_run"))
    assert [row["step"] for row in now] == [row["step"] for row in before]
    assert [row["loss"] for row in now] == pytest.approx([row["loss"] for row in before], rel=1e-3)


@pytest.mark.parametrize("task", TASKS)
def test_diagnose_reads_a_run_folder_of_then(earlier, task):
    assert diagnose(earlier / f"{task}_run").to_json()


def test_a_study_goes_on(earlier):
    pytest.importorskip("optuna")
    split = read_split("ner", "train.tsv", "dev.tsv", "test.tsv")
    then = Search.read(earlier / "study")
    space = {"lr": "1e-3..1e-2:log", "dropout": "0..0.3"}
    search = tune("ner", split, "encoder", CONFIG.replace(epochs=1), space, 3, earlier / "study", progress="none")
    assert [trial["options"] for trial in search.trials[:2]] == [trial["options"] for trial in then.trials]
    assert len(search.trials) == 3
