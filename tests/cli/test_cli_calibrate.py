"""``hanlp-tutor calibrate``: a model folder keeps its predictions and gets other scores."""

import json

import pytest
from click.testing import CliRunner

from hanlp_tutor import Predictor, load_corpus, load_model, save_model
from hanlp_tutor.cli import app
from hanlp_tutor.data import write_columns

pytestmark = pytest.mark.xdist_group("trained")


def test_a_folder_gets_its_temperature(crf_model, tmp_path):
    news = [e for e in load_corpus("peoples_daily").dev if len(e.text) <= 40][:80]
    file, folder = tmp_path / "dev.tsv", save_model(crf_model, tmp_path / "run" / "model")
    write_columns(file, news)
    texts = [e.text for e in news]
    before = Predictor(load_model(folder)).predict_many(texts)
    result = CliRunner().invoke(app, ["calibrate", str(tmp_path / "run"), str(file), "--json"])
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout.splitlines()[-1])
    assert printed["ece_after"] < printed["ece_before"] and printed["temperature"] != 1.0
    assert load_model(folder).temperature == printed["temperature"]
    after = Predictor.load(folder).predict_many(texts)
    spans = [[[(e["start"], e["end"], e["label"]) for e in a["entities"]] for a in some] for some in (before, after)]
    assert spans[0] == spans[1] and before != after


@pytest.mark.parametrize(("temperature", "says"), [(0.05, "Was it trained on it?"), (19.99, "may not have learnt")])
def test_a_temperature_at_an_end_of_its_range_says_what_that_means(temperature, says, crf_model, tmp_path, monkeypatch):
    file, folder = tmp_path / "dev.tsv", save_model(crf_model, tmp_path / "model")
    write_columns(file, [e for e in load_corpus("peoples_daily").dev if len(e.text) <= 40][:20])
    monkeypatch.setattr("hanlp_tutor.workbench.calibration.temperature_of", lambda model, pairs: temperature)
    result = CliRunner().invoke(app, ["calibrate", str(folder), str(file)])
    assert result.exit_code == 0 and says in result.stderr and "end of its range" in result.stderr


def test_a_file_without_examples_is_refused(crf_model, tmp_path):
    folder = save_model(crf_model, tmp_path / "model")
    (tmp_path / "empty.tsv").write_text("\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["calibrate", str(folder), str(tmp_path / "empty.tsv")])
    assert result.exit_code == 2 and "Error" in result.stderr
