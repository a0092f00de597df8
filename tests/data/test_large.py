"""Files larger than memory: the same examples, errors and training as from memory, in little of it."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import toy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.history import COLUMNS, MEASURED
from hanlp_tutor.core.model_folder import build_model
from hanlp_tutor.core.task import label_set
from hanlp_tutor.core.train import fine_tune
from hanlp_tutor.data import fingerprint, large, read_columns, read_labels, write_columns, write_labels
from hanlp_tutor.data.examples import gold_counts
from hanlp_tutor.data.large import LargeExamples, open_large
from hanlp_tutor.data.notes import notes_to
from hanlp_tutor.errors import ConfigError, DataError
from hanlp_tutor.workbench.diagnose.facts import note_facts

pytest.importorskip("pyarrow", reason="the extra 'large' is not installed")


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(large, "_PIECE", 200)
    monkeypatch.setattr(large, "_ROWS", 7)
    monkeypatch.setattr(large, "_READS", 5)


def same(path, task, read, **options):
    """The examples of both ways, after seeing that they agree in everything."""
    prepared, plain = open_large(path, task, **options), read(path, **options)
    assert list(prepared) == plain
    assert [example.source for example in prepared] == [example.source for example in plain]
    assert prepared.fingerprint == fingerprint(prepared) == fingerprint(plain)
    assert prepared.gold_counts == gold_counts(plain)
    assert prepared.lengths.tolist() == [len(example) for example in plain]
    return prepared


@pytest.mark.parametrize("scheme", ["BIO", "BMES", "IOBES"])
@pytest.mark.parametrize("separator", ["\t", " "])
def test_columns(tmp_path, scheme, separator):
    path = tmp_path / "train.tsv"
    write_columns(path, toy.tagged(120), scheme=scheme, separator=separator)
    assert len(list(large._pieces(path, "ner"))) > 20, "or it shows nothing"
    same(path, "ner", read_columns)


def test_labels(tmp_path):
    path = tmp_path / "train.txt"
    write_labels(path, toy.labelled(120))
    assert len(list(large._pieces(path, "classify"))) > 20
    same(path, "classify", read_labels)


LINES = st.lists(
    st.sampled_from(
        ["甲\tB-PER", "乙\tI-PER", "丙 O", "\u3000\tO", "iPhone X-1\tB-ORG", "\U0001f600\tO", "", " \t", ""]
    ),
    max_size=60,
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, derandomize=True
)
@given(LINES, st.sampled_from(["\n", "\r\n"]), st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]), st.booleans())
def test_any_column_file(tmp_path, lines, end, encoding, closed):
    path = tmp_path / "any.tsv"
    shutil.rmtree(f"{path}.large", ignore_errors=True)  # two files in one tick of the clock would look like one
    path.write_bytes((end.join(lines) + end * closed).encode(encoding))
    named = {} if encoding == "utf-8-sig" else {"encoding": encoding}
    if not any(line.strip() for line in lines):
        with pytest.raises(DataError, match="holds no"):
            open_large(path, "ner", **named)
    else:
        same(path, "ner", read_columns, **named)


def test_segmentation_digits(tmp_path):
    path = tmp_path / "weibo.conll"
    path.write_text("科0\tB-X\n技1\tI-X\n\n" * 60 + "0\tO\n", encoding="utf-8")  # the last one alone looks like one
    with pytest.raises(DataError, match=r"weibo.conll:1: each token ends in a segmentation digit"):
        open_large(path, "ner")
    path.write_text("甲\tO\n\n" * 60 + "0\tO\n", encoding="utf-8")
    assert same(path, "ner", read_columns)[-1].text == "0"
    path.write_text("科0\tB-X\n技1\tI-X\n\n" * 60, encoding="utf-8")
    assert same(path, "ner", read_columns, strip_segmentation_digits=True)[3].text == "科技"


def test_notes_name_the_file_and_not_a_piece_of_it(tmp_path):
    path = tmp_path / "big.tsv"
    path.write_bytes("这家店很好\tgood\n".encode("gb18030") * 100)
    notes = []
    with notes_to(notes.append):
        assert len(open_large(path, "classify", encoding=None)) == 100
    assert len(notes) == 1 and notes[0].startswith(f"{path}: read as GB18030")
    notice = large._about_the_file(f"{tmp_path}/piece:3: strays", tmp_path / "piece", path, 40)
    assert notice == f"{path}:42: strays"


@pytest.mark.parametrize(
    ("task", "good", "bad"),
    [
        ("ner", "张\tB-PER\n三\tI-PER\n去\tO\n\n", "张\tB-PER\n三\tPER\n"),
        ("ner", "张\tB-PER\n三\tI-PER\n去\tO\n\n", "张 三\n"),
        ("classify", "好看\tgood\n", "好看good\n"),
    ],
)
def test_errors_are_those_of_small_files(tmp_path, task, good, bad):
    path = tmp_path / "train.tsv"
    path.write_text(good * 100 + bad, encoding="utf-8")
    with pytest.raises(DataError) as raised:
        open_large(path, task)
    with pytest.raises(DataError) as expected:
        large._READERS[task](path)
    assert str(raised.value) == str(expected.value) and raised.value.line > 100
    assert {each.suffix for each in tmp_path.iterdir()} == {".tsv", ".lock"}, "nothing half done stays"


def test_two_schemes_in_one_file_far_apart(tmp_path):
    path = tmp_path / "train.tsv"
    path.write_text("张\tB-PER\n三\tI-PER\n\n" * 50 + "张\tB-PER\n四\tM-PER\n三\tE-PER\n\n" * 50, encoding="utf-8")
    with pytest.raises(DataError, match="stand in one file"):
        open_large(path, "ner")


def test_what_cannot_be(tmp_path, monkeypatch):
    path = tmp_path / "train.tsv"
    with pytest.raises(DataError, match="no such file"):
        open_large(path, "ner")
    write_columns(path, toy.tagged(5))
    with pytest.raises(ConfigError, match="no task 'relation'"):
        open_large(path, "relation")
    with pytest.raises(ConfigError, match="did you mean 'scheme'"):
        open_large(path, "ner", schema="BIO")
    with pytest.raises(ConfigError, match="UTF-8 or GB18030"):
        open_large(path, "ner", encoding="UTF-16LE")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("my own")
    with pytest.raises(DataError, match="no prepared file"):
        open_large(path, "ner", folder=tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").exists()
    write_labels(tmp_path / "swapped.txt", [toy.LabelledText("good", f"text {number}") for number in range(9)])
    monkeypatch.setattr(large, "_MOST_LABELS", 8)
    with pytest.raises(DataError, match="more than 8 different labels"):
        open_large(tmp_path / "swapped.txt", "classify")
    monkeypatch.setattr(large, "_LONGEST", 1000)
    path.write_text("甲\tO\n" * 1000, encoding="utf-8")
    with pytest.raises(DataError, match="no blank line in"):
        open_large(path, "ner")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r'pip install "hanlp-tutor\[large\]"'):
        open_large(path, "ner")


def test_prepared_once_until_the_file_changes(tmp_path):
    path = tmp_path / "train.tsv"
    write_columns(path, toy.tagged(30))
    open_large(path, "ner")
    index = tmp_path / "train.tsv.large" / "index.json"
    before = index.stat().st_ino
    same(path, "ner", read_columns)
    assert index.stat().st_ino == before
    write_columns(path, toy.tagged(31, seed=1))
    assert len(same(path, "ner", read_columns)) == 31
    assert len(open_large(path, "ner", scheme="BMES")) == 31, "other options are another reading"
    assert json.loads(index.read_text(encoding="utf-8"))["of"]["options"] == {"scheme": "BMES"}


def test_what_a_killed_process_left_is_removed(tmp_path):
    path = tmp_path / "train.tsv"
    write_columns(path, toy.tagged(30))
    left = tmp_path / ".train.tsv.large-k1ll3d"
    left.mkdir()
    (left / "examples.arrow").write_bytes(b"half of it")
    (tmp_path / ".train.tsv-mine").mkdir()
    open_large(path, "ner")
    assert not left.exists() and (tmp_path / ".train.tsv-mine").exists()


def test_as_a_sequence(tmp_path):
    path = tmp_path / "train.tsv"
    write_columns(path, toy.tagged(30))
    prepared, plain = open_large(path, "ner"), read_columns(path)
    assert prepared[-1] == plain[-1] and prepared[5:25:3] == plain[5:25:3] and len(prepared) == 30
    with pytest.raises(IndexError):
        prepared[30]


def test_hold_out(tmp_path):
    path = tmp_path / "train.txt"
    write_labels(path, [*toy.labelled(99), toy.LabelledText("只此一条", "rare")])
    whole = open_large(path, "classify")
    held, rest = whole.hold_out(20, seed=3)
    assert len(held) == 10, "at most a tenth"
    assert sorted(map(repr, [*held, *rest])) == sorted(map(repr, whole))
    assert "rare" not in {example.label for example in held} and rest.gold_counts == gold_counts(list(rest))
    assert rest.lengths.tolist() == [len(example) for example in rest]
    again, rest_again = open_large(path, "classify").hold_out(20, seed=3)
    assert again == held and rest_again.fingerprint == rest.fingerprint
    second, last = rest.hold_out(20, seed=3)
    assert not {e.source for e in second} & {e.source for e in held} and len(last) == 100 - len(held) - len(second)
    assert len({whole.fingerprint, rest.fingerprint, last.fingerprint}) == 3
    for number in range(40):
        held, _ = whole.hold_out(100, seed=number)
        assert "rare" not in {example.label for example in held}


@pytest.mark.parametrize("task", ["ner", "classify"])
def test_training_is_bit_for_bit_that_from_memory(tmp_path, tiny_encoder, task):
    paths = toy.write_split(tmp_path, task, (40, 10, 5))
    config = TrainConfig(epochs=2, batch_size=4, gradient_accumulation_steps=3, lr=1e-3, l2=0.01)
    config = config.replace(class_weights="balanced")
    plain, dev = large._READERS[task](paths["train"]), large._READERS[task](paths["dev"])
    outcomes = []
    for name, train in (("plain", plain), ("large", open_large(paths["train"], task))):
        model = build_model(task, tiny_encoder, label_set(task, train), config)
        fine_tune(model, train, dev, config, tmp_path / name, progress="none", on_start=note_facts)
        with open(tmp_path / name / "history.csv", encoding="utf-8", newline="") as file:
            rows = [{key: row[key] for key in COLUMNS if key not in MEASURED} for row in csv.DictReader(file)]
        data = json.loads((tmp_path / name / "manifest.json").read_text(encoding="utf-8"))["data"]
        # the one fact that would mean to read the whole file
        assert data.pop("dev_known") == (0 if name == "plain" else None)
        outcomes.append((model.state_dict(), rows, data))
    (weights, *rest), (others, *other_rest) = outcomes
    assert rest == other_rest
    assert all(torch.equal(weights[name], others[name]) for name in weights)


def test_a_label_that_the_model_lacks(tmp_path, tiny_encoder):
    paths = toy.write_split(tmp_path, "classify", (20, 5, 5))
    model = build_model("classify", tiny_encoder, ["good", "ugly"], TrainConfig())
    with pytest.raises(DataError, match=r"train.txt: the label 'bad' is unknown to the model"):
        fine_tune(model, open_large(paths["train"], "classify"), [], TrainConfig(epochs=1), tmp_path / "run")


def test_a_job_takes_a_large_file_by_itself(tmp_path, monkeypatch):
    from hanlp_tutor.workbench import job

    paths = toy.write_split(tmp_path, sizes=(200, 20, 20))
    assert not isinstance(job.read_split("ner", paths["train"]).train, LargeExamples)
    monkeypatch.setattr(job, "LARGE", 1000)
    split = job.read_split("ner", paths["train"], seed=5, overlaps="longest")
    assert isinstance(split.train, LargeExamples)
    assert (len(split.train), len(split.dev), len(split.test)) == (200 - 20 - 18, 20, 18)
    assert len({e.source for subset in (split.train, split.dev, split.test) for e in subset}) == 200
    split = job.read_split("ner", paths["train"], paths["dev"])
    assert (len(split.train), len(split.dev), len(split.test)) == (200, 20, 0)
    monkeypatch.setattr(job, "find_spec", lambda name: None)
    assert isinstance(job.read_split("ner", paths["train"]).train, list)


MEASURE = """
import sys, torch
from pathlib import Path
from hanlp_tutor.core.run import Run
from hanlp_tutor.config import TrainConfig
from hanlp_tutor.data import read_columns
from hanlp_tutor.data.large import open_large
from hanlp_tutor.core.model_folder import build_model
from hanlp_tutor.core.task import label_set

def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024

def run(train, out):
    config = TrainConfig(epochs=2)
    model = build_model("ner", sys.argv[2], label_set("ner", train), config)
    run = Run(model, train, [], config, Path(out), torch.device("cpu"))
    for number, _ in enumerate(run.windows()):
        run.state.window += 1
        if number == 199:
            break

read = {"large": lambda path: open_large(path, "ner"), "plain": read_columns}[sys.argv[3]]
run(read(sys.argv[1] + ".first"), "unused")
Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
before = peak()
run(read(sys.argv[1]), "unused")
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory(tmp_path, tiny_encoder):
    """A file of 3 MB: from memory it takes a multiple of that, from the disk next to nothing."""
    path = tmp_path / "train.tsv"
    write_columns(path, toy.tagged(12_000, shortest=40))
    write_columns(f"{path}.first", toy.tagged(300, shortest=40))
    grown = {}
    for way in ("plain", "large"):
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, str(path), tiny_encoder, way],
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            timeout=300,
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        grown[way] = float(done.stdout)
    size = Path(path).stat().st_size / 2**20
    print(size, grown)
    assert grown["plain"] > 20 * size and grown["large"] < 8 * size, (grown, size)
