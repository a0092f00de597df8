"""``hanlp-tutor evaluate`` on a file whose labels the model does not know."""

import pytest
from click.testing import CliRunner

from hanlp_tutor.cli import app
from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model_folder import build_model, save_model


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
