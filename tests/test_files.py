"""Files and folders are whole or absent, and an error of the machine names the path that was asked for."""

import errno
import io
import json
import os
from pathlib import Path

import pytest
import torch

from hanlp_tutor.errors import DataError
from hanlp_tutor.files import error_of_machine, may_replace, new_folder, write_file, write_json


@pytest.fixture
def full_disk(monkeypatch):
    """Files of this module's writers take so many bytes, then there is no space left."""

    def limit(room):
        class Limited(io.FileIO):
            def write(self, content):
                nonlocal room
                room -= len(content)
                if room < 0:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                return super().write(content)

        monkeypatch.setattr("hanlp_tutor.files.open", Limited, raising=False)

    return limit


def test_a_full_disk_keeps_the_old_file_and_names_it(tmp_path, full_disk):
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})
    full_disk(5)
    with pytest.raises(OSError, match="No space left") as caught:
        write_json(path, {"new": 2})
    assert caught.value.errno == errno.ENOSPC and caught.value.filename == str(path)
    assert path.read_text() == '{\n  "old": 1\n}\n' and os.listdir(tmp_path) == ["a.json"]


def test_what_torch_makes_of_a_full_disk_is_an_error_of_the_machine(tmp_path, full_disk):
    """torch.save raises a RuntimeError about the position in its archive."""
    full_disk(1000)
    with pytest.raises(OSError, match="No space left") as caught:
        write_file(tmp_path / "model.pt", lambda file: torch.save(torch.zeros(10_000), file))
    assert caught.value.filename == str(tmp_path / "model.pt") and os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Error while serializing: I/O error: No space left on device (os error 28)", errno.ENOSPC),
        ('IoError(Os { code: 28, kind: StorageFull, message: "No space left on device" })', errno.ENOSPC),
        ("Permission denied (os error 13)", errno.EACCES),
        ("[enforce fail] . PytorchStreamWriter failed: No space left on device", errno.ENOSPC),
    ],
)
def test_what_libraries_in_rust_say_is_an_error_of_the_machine(tmp_path, text, number):
    with pytest.raises(OSError) as caught, new_folder(tmp_path / "model"):
        raise RuntimeError(text)
    assert caught.value.errno == number and caught.value.filename == str(tmp_path / "model")
    assert os.listdir(tmp_path) == []


def test_other_errors_stay_what_they_are(tmp_path):
    for error in (ValueError("a bug"), DataError("no space left on device (os error 28)"), KeyError("x")):
        with pytest.raises(type(error)) as caught, new_folder(tmp_path / "model"):
            raise error
        assert caught.value is error
    with pytest.raises(FileNotFoundError) as caught, new_folder(tmp_path / "model"):
        open("/nowhere/to/be/read").close()
    assert caught.value.filename == "/nowhere/to/be/read"  # what was to be read, not what is written
    try:
        try:
            open("/nowhere").close()
        except OSError:
            {}["a bug"]
    except KeyError as error:
        assert error_of_machine(error) is None


def test_a_folder_and_a_file_in_the_way(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("", encoding="utf-8")
    for path in (tmp_path / "folder", tmp_path / "file" / "a.json"):
        with pytest.raises(OSError) as caught:
            write_json(path, {})
        assert caught.value.filename == str(path)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


def test_names_as_long_as_the_file_system_allows(tmp_path):
    name = "长" * 83 + ".json"  # 254 bytes
    write_json(tmp_path / name, {})
    with new_folder(tmp_path / ("文" * 85)) as folder:
        write_json(folder / "a", {})
    assert sorted(os.listdir(tmp_path)) == sorted([name, "文" * 85])
    with pytest.raises(OSError, match="name too long") as caught:
        write_json(tmp_path / ("长" * 86), {})
    assert caught.value.filename.endswith("长")


def test_ctrl_c_leaves_nothing(tmp_path):
    def interrupted(file):
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_file(tmp_path / "a", interrupted)
    assert os.listdir(tmp_path) == []


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "a.json")
    for content in ({}, {"new": 1}):
        write_json(tmp_path / "link", content)
        assert (tmp_path / "link").is_symlink() and json.loads((tmp_path / "there" / "a.json").read_text()) == content
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(OSError, match="symbolic links"):
        write_json(tmp_path / "loop", {})
    assert sorted(os.listdir(tmp_path)) == ["link", "loop", "there"] and os.listdir(tmp_path / "there") == ["a.json"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a pipe with a name")
def test_a_pipe_or_device_is_written_to_and_never_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_file(tmp_path / "pipe", lambda file: file.write(b"words"))
    assert os.read(reader, 99) == b"words" and (tmp_path / "pipe").is_fifo() and os.listdir(tmp_path) == ["pipe"]
    os.close(reader)


def test_no_name_at_all():
    with pytest.raises(IsADirectoryError):
        write_json("", {})


def test_a_folder_may_be_replaced_by_its_own_kind_alone(tmp_path: Path):
    new, empty, earlier, others, file = (tmp_path / name for name in ("new", "empty", "earlier", "others", "file"))
    for folder, name in ((empty, None), (earlier, "model.json"), (others, "thesis.txt")):
        folder.mkdir()
        if name:
            (folder / name).write_text("{}")
    file.write_text("")
    assert [may_replace(path, "model.json") for path in (new, empty, earlier, others, file)] == [True] * 3 + [False] * 2
