"""Several processes take the step of one; what happens to one of them happens to all, and is said once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from small_runs import PLAIN, make
from toy import tagged, write_split

from hanlp_tutor.core import parallel
from hanlp_tutor.core.history import read_history
from hanlp_tutor.core.out_of_memory import cut
from hanlp_tutor.core.parallel import Team
from hanlp_tutor.core.precision import set_up
from hanlp_tutor.device import settings_restored
from hanlp_tutor.errors import ConfigError

TESTS = Path(__file__).parents[1]
SCRIPT = TESTS / "core" / "several_processes.py"
MANY = [2, 4]
pytestmark = pytest.mark.xdist_group("processes")
RUNS = {
    "ner": {},
    "float32": {"double": False},
    "crf": {"options": {"crf": True, "l2": 0.5, "l2_on": "distance"}},
    "classify": {
        "task": "classify",
        "options": {"l2": 0.1, "l2_on": "all", "max_length": 16, "gradient_accumulation_steps": 3},
    },
    "corpus": {"options": {"loss_mean": "corpus"}},
    "few": {"count": 3, "options": {"crf": True, "epochs": 20}},  # fewer examples than processes
    "stops": {"count": 40, "dev": 20, "options": {"epochs": 30, "patience": 2, "lr": 0.3, "head_lr": 0.3}},
}


def start(processes, *arguments, timeout=100, torchrun=False):
    """Run the script in so many processes."""
    before = ["-m", "torch.distributed.run", "--nproc_per_node", str(processes)] if torchrun else []
    forked = [] if torchrun or not processes else ["--fork", str(processes)]
    paths = os.pathsep.join([str(TESTS.parent), str(TESTS)])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(
        [sys.executable, *before, str(SCRIPT), *forked, *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@pytest.fixture(scope="module")
def finished(tiny_encoder, tmp_path_factory):
    """The folders of all runs, by number of processes."""
    folders = {processes: tmp_path_factory.mktemp(f"by-{processes}") for processes in (1, *MANY)}
    named = json.dumps({processes: str(folder) for processes, folder in folders.items()})
    done = start(None, tiny_encoder, named, json.dumps(RUNS), timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return folders


@pytest.mark.parametrize("processes", MANY)
@pytest.mark.parametrize("name", RUNS)
def test_the_weights_are_those_of_one_process(finished, name, processes):
    one, many = (torch.load(finished[n] / f"{name}.pt", weights_only=True) for n in (1, processes))
    assert all(many["same"]), "in every process the same"
    limit = 1e-6 if name == "float32" else 1e-9
    for key, weight in one["weights"].items():
        assert torch.allclose(many["weights"][key], weight, rtol=0, atol=limit), key


@pytest.mark.parametrize("processes", MANY)
@pytest.mark.parametrize("name", RUNS)
def test_so_is_the_history(finished, name, processes):
    one, many = (read_history(finished[n] / name / "history.csv") for n in (1, processes))
    assert len(one) == len(many) and (len(one) >= 3 or name == "few")
    for ours, theirs in zip(one, many, strict=True):
        for column in ("step", "epoch", "tokens", "loss", "l2", "lr", "grad_norm", "dev_score", "train_score"):
            expected = ours[column]
            assert theirs[column] == (None if expected is None else pytest.approx(expected, rel=1e-5, abs=1e-6)), column


@pytest.mark.parametrize("processes", MANY)
def test_the_first_decides_when_patience_ends_it_and_which_weights_are_best(finished, processes):
    one, many = (torch.load(finished[n] / "stops.pt", weights_only=True)["told"] for n in (1, processes))
    best, step, steps, evaluations = one[0]
    assert step < steps < 30 * 3, "it stopped early"
    assert many[0][:3] == pytest.approx((best, step, steps), abs=1e-6)
    assert {told[:3] for told in many} == {many[0][:3]} and [told[3] for told in many][1:] == [0] * (processes - 1)
    assert many[0][3] == evaluations, "and is asked by callbacks"


# --- the command line ------------------------------------------------------------------------------------------------

NEVER = ("cli", "-1", "-", "0")


@pytest.fixture
def trained(tiny_encoder, tmp_path):
    """``hanlp-tutor train`` on files, by so many processes, in which one may fail."""
    files = write_split(tmp_path, sizes=(64, 16, 16))

    def train(processes, *more, trouble=NEVER, out="run", torchrun=False):
        where = ["--train", files["train"], "--dev", files["dev"], "--test", files["test"], "--out", tmp_path / out]
        options = {"epochs": 3, "batch_size": 16, "lr": "1e-3", "dropout": 0.1, "crf": "true", "log_steps": 2}
        pairs = [word for name, value in options.items() for word in ("-p", name, value)]
        command = ["train", "--task", "ner", *where, "--encoder", tiny_encoder, "--no-baseline", *pairs, *more]
        return start(processes, *trouble, *command, torchrun=torchrun), tmp_path / out

    return train


def errors(done):
    return [line for line in done.stderr.splitlines() if line.startswith("Error:")]


def weights(folder):
    return torch.load(folder / "checkpoint.pt", weights_only=True)["parts"]["model"]


def test_a_process_is_killed_all_end_with_one_message_and_the_run_goes_on_bit_for_bit(trained):
    """Dropout draws other masks in each process, so that their random numbers have to go on as well."""
    whole, folder = trained(2, "--json", out="whole", torchrun=True)
    assert whole.returncode == 0, whole.stderr[-3000:]
    (line,) = whole.stdout.splitlines()
    assert json.loads(line) == json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert (folder / "model" / "model.json").exists()

    killed, broken = trained(2, trouble=("cli", "1", "killed", "7"), torchrun=True)
    assert killed.returncode != 0 and not (broken / "metrics.json").exists()
    (message,) = errors(killed)
    assert "Another process of the run was ended" in message and "--resume" in message

    for processes in (1, 4):
        refused, _ = trained(processes, "--resume")
        assert refused.returncode != 0
        (message,) = errors(refused)
        for words in ("of a run of 2 processes", f"here are {processes}", "--nproc_per_node 2"):
            assert words in message
    again, _ = trained(2, "--resume")
    assert again.returncode == 0, again.stderr[-3000:]
    expected, found = weights(folder), weights(broken)
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("memory", "Memory ran out at update 2 in process 1"),
        ("nan", "The loss became nan before update 2, in the batch of"),
    ],
)
def test_what_happens_to_one_ends_all_with_its_message(trained, kind, says):
    done, folder = trained(2, trouble=("cli", "1", kind, "2"))
    assert done.returncode != 0
    (message,) = errors(done)
    assert says in message
    failed = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["failed"]
    assert failed["message"] in message


def test_several_tasks_are_refused_in_words(tiny_encoder, tmp_path):
    (tmp_path / "tok.txt").write_text("".join(f"{'  '.join(e.text)}\n" for e in tagged(20)), encoding="utf-8")
    command = f"train --task multitask --train tok={tmp_path}/tok.txt --encoder {tiny_encoder} --out {tmp_path}/run"
    done = start(2, *NEVER, *command.split())
    (message,) = errors(done)
    assert done.returncode != 0 and "several tasks is trained in one process" in message
    assert not (tmp_path / "run").exists()


# --- the parts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("micros", [[32], [32, 32], [32, 32, 9], [5, 1], [1], [8] * 4, [8] * 6])
def test_every_example_of_a_window_is_dealt_out_once_and_evenly(size, micros):
    first, window = 0, []
    for count in micros:
        window.append(list(range(first, first + count)))
        first += count
    shares = [Team(rank, size).share(window, cut) for rank in range(size)]
    assert sorted(i for share in shares for piece in share for i in piece) == list(range(first))
    counts = [len(share) for share in shares]
    assert max(counts) - min(counts) <= 1
    if size == 1:
        assert shares == [window]


def test_alone_everything_is_handed_on():
    team, model = parallel.join(), torch.nn.Linear(1, 1)
    assert (team.rank, team.size, team.leads) == (0, 1, True)
    assert team.learner(model, "multitask") is model and team.mean(7) == 7 and isinstance(team.mean(7), int)
    assert team.gather("x") == ["x"] and team.decided("x") == "x" and list(team.each([1, 2])) == [1, 2]


def test_each_drops_other_units_out_and_begins_with_the_same_weights(tiny_encoder):
    model, seeds = make("ner", tagged(8), tiny_encoder), []
    before = [parameter.clone() for parameter in model.parameters()]
    with settings_restored():
        for rank in range(3):
            set_up(model, PLAIN.replace(seed=5), rank)
            seeds.append(torch.initial_seed())
    assert seeds == [5, 6, 7]
    assert all(torch.equal(now, then) for now, then in zip(model.parameters(), before, strict=True))


def test_more_processes_than_gpus_are_refused(monkeypatch):
    for name, value in {"WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "4", "TORCHELASTIC_RUN_ID": "x"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ConfigError, match=r"4 processes and 2 GPUs.*--nproc_per_node 2"):
        parallel.join()
