"""A full disk, a folder that must not be written, a name too long: one line, exit code 2, nothing half-written."""

import errno
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from toy import write_split

from hanlp_tutor.cli import app
from hanlp_tutor.cli.speaking import NOTES_SHOWN, App, goes_on, in_words, notes_printed, speaks_json
from hanlp_tutor.data.notes import note
from hanlp_tutor.errors import DataError, TutorError

ROOT = Path(__file__).parents[2]


def run(*arguments, **options):
    return CliRunner().invoke(app, [str(each) for each in arguments], **options)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_split(tmp_path_factory.mktemp("files"))


def training(files, encoder, out, *more):
    sets = ("--train", files["train"], "--dev", files["dev"])
    return (
        "train",
        "--task",
        "ner",
        *sets,
        "--encoder",
        encoder,
        "--out",
        out,
        "-p",
        "epochs",
        "1",
        "-p",
        "crf",
        "false",
        "-p",
        "head_lr",
        "1e-3",
        "--no-baseline",
        *more,
    )


@pytest.fixture(scope="module")
def trained(files, tiny_encoder, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    assert run(*training(files, tiny_encoder, out)).exit_code == 0
    return out


def tree(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def one_line(result, *words):
    """Exit code 2 and one line of error with these words, no traceback."""
    assert result.exit_code == 2, (result.output, result.exception)
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert errors == [result.stderr.splitlines()[-1]] and "Traceback" not in result.output
    for word in words:
        assert word in errors[0]
    return errors[0]


@pytest.fixture
def full_disk(monkeypatch):
    """Every file that the kit finishes from here on finds the disk full."""

    def no_space(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def fill():
        monkeypatch.setattr("hanlp_tutor.files.os.fsync", no_space)

    return fill


WRITERS = {
    "export": lambda files, run, out: ("export", run, out, "--to", "hanlp"),
    "predict": lambda files, run, out: ("predict", run, "--file", files["test"], "--out", out),
    "convert": lambda files, run, out: ("convert", files["test"], out, "--to", "label-studio"),
    "brat": lambda files, run, out: ("convert", files["test"], out, "--to", "brat"),
}


@pytest.mark.parametrize("command", WRITERS)
def test_a_full_disk_leaves_nothing(command, files, trained, tmp_path, full_disk):
    full_disk()
    result = run(*WRITERS[command](files, trained, tmp_path / "target"))
    one_line(result, f"{tmp_path / 'target'}: ", "o space left on device")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("command", WRITERS)
def test_a_target_that_cannot_be(command, files, trained, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    one_line(run(*WRITERS[command](files, trained, tmp_path / "file" / "target")), str(tmp_path / "file" / "target"))
    long = tmp_path / ("长" * 100)
    one_line(run(*WRITERS[command](files, trained, long)), str(long), "ame too long")
    assert os.listdir(tmp_path) == ["file"]


def test_a_full_disk_leaves_the_model_that_is_calibrated(files, trained, full_disk):
    before = {name: (trained / name).read_bytes() for name in tree(trained)}
    full_disk()
    one_line(run("calibrate", trained, files["dev"]), f"{trained / 'model'}: no space left on device")
    assert {name: (trained / name).read_bytes() for name in tree(trained)} == before


def test_a_full_disk_in_training_says_how_to_go_on_and_that_works(files, tiny_encoder, tmp_path, monkeypatch):
    out = tmp_path / "run"

    def full_model(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(out / "model"))

    with monkeypatch.context() as patch:
        patch.setattr("hanlp_tutor.workbench.job.save_model", full_model)
        result = run(*training(files, tiny_encoder, out))
    said = one_line(result, f"{out / 'model'}: no space left on device. Free some space", "Go on with: ")
    command = shlex.split(said.partition("Go on with: ")[2])
    assert command[-1] == "--resume" and "train" in command
    assert run(*command[command.index("train") :]).exit_code == 0 and (out / "metrics.json").exists()


def test_a_full_disk_before_anything_is_saved_says_to_begin_again(
    files, tiny_encoder, tmp_path, full_disk, monkeypatch
):
    out = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr("hanlp_tutor.files.os.fsync", lambda _: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
        said = one_line(run(*training(files, tiny_encoder, out)), "manifest.json: ", "begin again with: ")
    command = shlex.split(said.partition("begin again with: ")[2])
    assert "--resume" not in command and tree(tmp_path) == []
    assert run(*command[command.index("train") :]).exit_code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files as Unix does")
def test_a_limit_on_the_size_of_files(files, tiny_encoder, tmp_path):
    import resource

    command = [sys.executable, "-m", "hanlp_tutor.cli", *map(str, training(files, tiny_encoder, tmp_path / "run"))]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert f"Error: {tmp_path / 'run' / 'checkpoint.pt'}: file too large. Raise what the shell" in done.stderr
    assert not [name for name in tree(tmp_path) if name.endswith(".partial")]


# --- an unfinished run ---------------------------------------------------------------------------------------------


@pytest.fixture
def unfinished(files, tiny_encoder, tmp_path, monkeypatch):
    """The folder of a run that ended between its checkpoint and its model."""
    out = tmp_path / "run"
    arguments = [str(each) for each in training(files, tiny_encoder, out)]
    monkeypatch.setattr(sys, "argv", ["hanlp-tutor", *arguments])
    with monkeypatch.context() as patch:
        patch.setattr("hanlp_tutor.workbench.job.save_model", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        result = run(*arguments)
    assert result.exit_code == 130 and "Go on with: " in result.stderr.splitlines()[-1]
    return out


@pytest.mark.parametrize("command", ["predict", "evaluate", "export", "calibrate"])
def test_a_run_without_a_model_says_what_is_missing_and_the_command_that_finishes_it(
    command, files, unfinished, tmp_path
):
    more = {"predict": ["北京"], "export": [tmp_path / "hanlp", "--to", "hanlp"]}.get(command, [files["dev"]])
    said = one_line(
        run(command, unfinished, *more), f"{unfinished}: an unfinished run: it has a checkpoint, and no model"
    )
    finish = shlex.split(said.partition("with: ")[2])
    assert run(*finish[finish.index("train") :]).exit_code == 0
    assert run(command, unfinished, *more).exit_code == 0


def test_folders_that_have_no_model_and_never_will(files, tmp_path):
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "best.yaml").write_text("epochs: 1\n", encoding="utf-8")
    one_line(run("evaluate", tmp_path / "study", files["dev"]), "a search for options. Train with the best: ", "-c ")
    (tmp_path / "pretrained" / "encoder").mkdir(parents=True)
    one_line(run("evaluate", tmp_path / "pretrained", files["dev"]), "a pre-trained encoder", "--encoder ")
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "manifest.json").write_text("{}", encoding="utf-8")
    one_line(run("evaluate", tmp_path / "begun", files["dev"]), "stopped before anything of it was saved")
    one_line(run("evaluate", tmp_path / "nowhere", files["dev"]), "no such model folder")
    (tmp_path / "for_hanlp").mkdir()
    (tmp_path / "for_hanlp" / "config.json").write_text("{}")
    one_line(run("predict", tmp_path / "for_hanlp", "a"), "open it with load_hanlp", f"serve {tmp_path / 'for_hanlp'};")
    (tmp_path / "runs" / "a" / "001" / "model").mkdir(parents=True)
    (tmp_path / "runs" / "a" / "001" / "model" / "model.json").write_text("{}")
    one_line(run("predict", tmp_path / "runs", "a"), f"a folder of runs; name one of them: {tmp_path / 'runs/a/001'}")


# --- words and notes -----------------------------------------------------------------------------------------------


def test_errors_of_the_machine_in_words():
    assert in_words(PermissionError(errno.EACCES, "Permission denied", "a/b")) == (
        "a/b: permission denied. Mend its permissions, or name another place."
    )
    assert (
        in_words(IsADirectoryError(errno.EISDIR, "Is a directory", "a"))
        == "a: is a directory. Name a file, not a folder."
    )
    assert in_words(OSError(errno.EROFS, "Read-only file system", b"\xe5\xad\x97")).startswith(
        "字: read-only file system."
    )
    assert in_words(MemoryError()).startswith("memory ran out. ")
    assert in_words(ConnectionError("no route\nlist")) == "no route"
    assert in_words(BrokenPipeError(errno.EPIPE, "Broken pipe")) is None  # click ends the command in silence
    assert in_words(ValueError("a bug")) is None and in_words(DataError("bad")) == "bad"


def command_that(body):
    @click.group(cls=App)
    def group():
        pass

    @group.command()
    @click.option("--out")
    @click.option("--resume", is_flag=True)
    @speaks_json
    def work(out, resume, as_json):
        return body()

    return group


def test_notes_are_lines_and_never_python_warnings():
    def body():
        for number in range(NOTES_SHOWN + 3):
            note(f"a.txt:{number}: odd")

    result = CliRunner().invoke(command_that(body), ["work"])
    lines = result.stderr.splitlines()
    assert result.exit_code == 0 and lines[0] == "Note: a.txt:0: odd"
    assert lines[-1] == "Note: 3 more." and len(lines) == NOTES_SHOWN + 1


def test_what_the_kit_warns_of_is_a_note_too():
    import warnings

    from hanlp_tutor.core.out_of_memory import MemoryWarning

    with CliRunner().isolation() as (_, errors, *_), notes_printed():
        warnings.warn("memory ran out once", MemoryWarning, stacklevel=1)
    assert errors.getvalue() == b"Note: memory ran out once\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "a b"], "Stopped. What there is lies in RUN. Go on with: KIT work --out 'a b' --resume"),
        (["--out", "a", "--resume"], "Stopped. What there is lies in RUN. Go on with: KIT work --out a --resume"),
    ],
)
def test_ctrl_c_prints_the_command_that_goes_on(tmp_path, monkeypatch, arguments, said):
    from hanlp_tutor.workbench.closing import command_line, kit

    def body():
        with goes_on(tmp_path, "--resume", saved="checkpoint.pt"):
            raise KeyboardInterrupt

    (tmp_path / "checkpoint.pt").write_bytes(b"")
    result = CliRunner().invoke(command_that(body), ["work", *arguments])
    said = said.replace("RUN", str(tmp_path)).replace("KIT", command_line(*kit()))
    assert result.exit_code == 130 and result.stderr.splitlines()[-1] == said
    (tmp_path / "checkpoint.pt").unlink()
    result = CliRunner().invoke(command_that(body), ["work", *arguments])
    assert "Nothing to go on from is saved yet; begin again with: " in result.stderr


def test_ctrl_c_behind_the_end_of_a_run_says_that_it_is_finished(files, tiny_encoder, tmp_path, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("hanlp_tutor.workbench.job.measure_baseline", interrupted)
    out = tmp_path / "run"
    result = run(*(each for each in training(files, tiny_encoder, out) if each != "--no-baseline"))
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1].endswith(f"The run is finished: {out / 'metrics.json'}.")


def test_errors_of_ours_and_bugs_stay_what_they_are_on_the_way(tmp_path):
    for error in (TutorError("ours"), ValueError("a bug")):
        with pytest.raises(type(error)) as caught, goes_on(tmp_path):
            raise error
        assert caught.value is error


def test_json_has_the_error_too(files, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = run("convert", files["test"], tmp_path / "file" / "x", "--to", "bio", "--json")
    assert "x" in json.loads(result.stdout.splitlines()[-1])["error"]
    assert re.match("Error: ", result.stderr)
