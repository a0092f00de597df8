"""``hanlp-tutor audit``: honest exit codes, one JSON object, no torch."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from hanlp_tutor.cli import app


def run(*arguments):
    return CliRunner().invoke(app, ["audit", *map(str, arguments)])


@pytest.fixture
def files(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    good = "".join(f"{c}\tB-PER\n某\tI-PER\n来\tO\n\n" for c in "张李王赵钱孙周吴郑冯陈褚")
    return {
        "good": write("good.txt", good),
        "bad": write("bad.txt", good + "朱\tI-PER\n来\n\n张\tB-PER\n某\tI-PER\n来\tO\n"),
        "labels": write("labels.txt", "".join(f"第{n}条\t{'pn'[n % 2]}\n" for n in range(20))),
        "test": write("test.txt", "张\tB-PER\n某\tI-PER\n来\tO\n"),
    }


def test_exit_codes(files, tmp_path):
    assert run(files["good"]).exit_code == 0
    assert run(files["labels"]).exit_code == 0
    assert run(files["bad"]).exit_code == 1
    unreadable = ([tmp_path / "none.txt"], [files["good"], "--dev", files["labels"]], [files["good"], "--format", "no"])
    for arguments in unreadable:
        result = run(*arguments)
        assert (result.exit_code, result.stderr[:7]) == (2, "Error: ")
    assert run(files["good"], "--task", "summary").exit_code == 2


def test_text(files):
    result = run(files["bad"], "--test", files["test"])
    assert f"{files['bad']}:50: the token or tag is missing" in result.stdout
    assert f"{files['bad']}:49: I-PER cannot stand" in result.stdout
    assert "ERROR leak (1)" in result.stdout
    assert result.stdout.rstrip().endswith("3 errors, 1 warning, 0 notes")


def test_json_is_the_last_line(files):
    result = run(files["bad"], "--test", files["test"], "--json")
    report = json.loads(result.stdout.splitlines()[-1])
    assert report["counts"] == {"error": 3, "warning": 1, "note": 0}
    assert {finding["kind"] for finding in report["findings"]} == set(report["kinds"])
    assert all(finding["path"] and finding["message"] for finding in report["findings"])
    failed = run("no such file", "--json")
    assert "no such file" in json.loads(failed.stdout)["error"]


def test_label_errors_are_looked_for_when_asked(files):
    assert "label-error" not in run(files["labels"], "--json").stdout
    assert "too few" in run(files["labels"], "--json", "--label-errors").stdout


def test_no_torch_is_needed(files):
    """The command is meant for a teacher's laptop too: it answers in a second."""
    code = (
        "import sys; from hanlp_tutor.cli import app\n"
        f"try: app(['audit', {str(files['bad'])!r}, '--json'])\n"
        "except SystemExit as error: print(error.code, 'torch' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True)
    assert result.stdout.splitlines()[-1] == "1 False"
