"""hanlp-tutor tune: a study on files, gone on with, and its best options in train -c."""

import json

import pytest
from click.testing import CliRunner
from toy import write_split

from hanlp_tutor.cli import app

pytest.importorskip("optuna")

SPACE = ["--space", "lr=1e-3..1e-2:log", "--space", "batch_size=4,8"]
QUICK = ["-p", "epochs", "2", "-p", "head_lr", "3e-3"]


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_split(tmp_path_factory.mktemp("files"), sizes=(40, 15, 15))


def test_search_go_on_and_train(files, tiny_encoder, tmp_path):
    begin = ["--task", "ner", "--train", files["train"], "--dev", files["dev"], "--encoder", tiny_encoder]
    command = ["tune", *begin, *SPACE, *QUICK, "--out", tmp_path / "study"]
    first = run(*command, "--trials", 2, "--json")
    assert first.exit_code == 0, first.output
    answer = json.loads(first.stdout.splitlines()[-1])
    assert len(first.stdout.splitlines()) == 1, "everything else goes to standard error"
    assert len(answer["trials"]) == 2 and set(answer["options"]) == {"lr", "batch_size"}

    second = run(*command, "--trials", 3)
    assert second.exit_code == 0, second.output
    assert "best dev" in second.stdout and "best.yaml" in second.stdout
    stored = json.loads((tmp_path / "study" / "search.json").read_text(encoding="utf-8"))
    assert [t["options"] for t in stored["trials"][:2]] == [t["options"] for t in answer["trials"]]

    trained = run("train", *begin, "-c", tmp_path / "study" / "best.yaml", "--out", tmp_path / "run", "--json")
    assert trained.exit_code == 0, trained.output
    best = max(t["dev"] for t in stored["trials"] if t["state"] == "complete")
    assert json.loads(trained.stdout.splitlines()[-1])["best_dev"] == pytest.approx(best)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--space", "lr"], "--space lr=LOW..HIGH"),
        (["--space", "lrr=1,2"], "Did you mean 'lr'"),
        (["--space", "lr=1e-5..1e-3", "-p", "epochz", "3"], "Did you mean 'epochs'"),
        (["--space", "lr=1e-5..1e-3", "--trials", "0"], "trials=0"),
    ],
)
def test_errors(files, tmp_path, options, word):
    result = run("tune", "--task", "ner", "--train", files["train"], "--out", tmp_path / "study", *options)
    assert result.exit_code == 2 and word in result.stderr and "Traceback" not in result.output
