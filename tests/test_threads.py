"""How threads wait: chosen by the machine and its variables, before torch is there, and never against the user."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hanlp_tutor import threads
from hanlp_tutor.threads import Machine, choose

ROOT = Path(__file__).parents[1]
ASLEEP = {"OMP_WAIT_POLICY": "passive"}


def machine(cores: int = 2, all_cores: int = 2, others: float = 0.0) -> Machine:
    return Machine(cores, all_cores, lambda: others)


@pytest.mark.parametrize(
    ("environment", "where", "variables", "word"),
    [
        ({}, machine(), {}, "2 cores are free"),
        ({}, machine(others=0.4), {}, "free"),
        ({}, machine(others=0.6), ASLEEP, "keeps 0.6 of 2 cores busy"),
        ({}, machine(others=2.0), ASLEEP, "keeps 2.0 of 2 cores busy"),
        ({}, machine(16, 16, others=2.0), {}, "16 cores are free"),
        ({}, machine(16, 16, others=5.0), ASLEEP, "keeps 5.0 of 16"),
        ({}, machine(2, 64), ASLEEP, "2 of 64 cores are granted"),
        ({}, machine(1, 1, others=9.0), {}, "one thread"),
        ({"OMP_NUM_THREADS": "1"}, machine(others=2.0), {}, "one thread"),
        ({"OMP_NUM_THREADS": "2"}, machine(others=2.0), ASLEEP, "busy"),
        ({"JUPYTERHUB_API_URL": "x"}, machine(), ASLEEP, "JupyterHub"),
        ({"BINDER_LAUNCH_HOST": "x", "JUPYTERHUB_API_URL": "x"}, machine(), ASLEEP, "Binder"),
        ({"COLAB_RELEASE_TAG": "x"}, machine(), ASLEEP, "Colab"),
        ({"OMP_WAIT_POLICY": "active"}, machine(others=2.0), {}, "you chose: OMP_WAIT_POLICY=active"),
        ({"GOMP_SPINCOUNT": "5", "JUPYTERHUB_API_URL": "x"}, machine(), {}, "GOMP_SPINCOUNT=5"),
        ({threads.WHY: "as my parent said"}, machine(others=2.0), {}, "as my parent said"),
    ],
)
def test_the_choice(environment, where, variables, word):
    chosen = choose(environment, where)
    assert chosen.environment == variables and word in chosen.why


def test_the_machine_is_looked_at_only_where_it_decides():
    def look() -> float:
        raise AssertionError("this takes time")

    for environment, cores in (({"OMP_NUM_THREADS": "1"}, 2), ({"COLAB_RELEASE_TAG": "x"}, 2), ({}, 1)):
        choose(environment, Machine(cores, 2, look))


def test_a_load_of_the_past_minute_is_no_company(monkeypatch):
    """After a run the load average is high for a while: the clocks of the cores say whether anybody works now."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(os, "getloadavg", lambda: (2.0, 1.0, 1.0), raising=False)
    looks = iter([(1, 0, 0), (1, 100, 100), (1, 100, 140)])
    monkeypatch.setattr(threads, "_clocks", lambda: next(looks))
    assert threads.others_at_work(0.0) == 0.0
    looks = iter([(1, 0, 0), (1, 100, 100), (1, 130, 110)])
    assert threads.others_at_work(0.0) == pytest.approx(1.5)


def test_company_that_has_just_come_is_seen(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(os, "getloadavg", lambda: (0.1, 0.0, 0.0), raising=False)
    looks = iter([(3, 0, 0), (3, 100, 100), (3, 140, 100)])
    monkeypatch.setattr(threads, "_clocks", lambda: next(looks))
    assert threads.others_at_work(0.0) == pytest.approx(2.0)


def test_a_quiet_machine_costs_no_time(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(os, "getloadavg", lambda: (0.1, 0.0, 0.0), raising=False)
    monkeypatch.setattr(threads, "_clocks", lambda: (1, 0, 0))
    monkeypatch.setattr(threads.time, "sleep", lambda seconds: pytest.fail("waited"))
    assert threads.others_at_work() == 0.0


def test_without_proc_the_load_average_decides(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(os, "getloadavg", lambda: (1.5, 0.0, 0.0), raising=False)
    monkeypatch.setattr(threads, "_clocks", lambda: None)
    assert threads.others_at_work(0.0) == 1.5


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, 8),
        ({"cpu.max": "200000 100000"}, 2),
        ({"cpu.max": "max 100000"}, 8),
        ({"cpu/cpu.cfs_quota_us": "200000\n"}, 2),
        ({"cpu/cpu.cfs_quota_us": "-1\n"}, 8),
    ],
)
def test_cores_that_are_granted(tmp_path, monkeypatch, files, cores):
    """joblib is called where there is a quota, and only there, as it takes long to import."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    monkeypatch.setattr("joblib.cpu_count", lambda: 2)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert threads._granted_cores(tmp_path) == cores


def fresh(code: str, **variables: str) -> subprocess.CompletedProcess:
    """Run code in a process that knows of no choice but ``variables``."""
    ours = ("OMP_", "GOMP_", "KMP_", threads.WHY)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment |= {"PYTHONPATH": str(ROOT), **variables}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)


SHOW = "import os; print(os.environ.get('OMP_WAIT_POLICY')); print(os.environ.get('HANLP_TUTOR_THREADS'))"


def test_the_command_line_chooses_before_torch_is_there():
    code = f"import sys; import hanlp_tutor.cli; assert 'torch' not in sys.modules\n{SHOW}"
    lines = fresh(code, JUPYTERHUB_API_URL="x").stdout.splitlines()
    assert lines[0] == "passive" and "JupyterHub" in lines[1]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks GNU's OpenMP, which torch has on Linux")
def test_torch_reads_the_choice_as_in_a_first_cell():
    """``OMP_DISPLAY_ENV`` makes the library print what it has read when it is loaded."""
    code = "from hanlp_tutor import fine_tune; import torch; torch.ones(9).sum()"
    output = fresh(code, JUPYTERHUB_API_URL="x", OMP_DISPLAY_ENV="true").stderr
    assert "OMP_WAIT_POLICY = 'PASSIVE'" in output
    output = fresh(code, JUPYTERHUB_API_URL="x", OMP_DISPLAY_ENV="true", OMP_WAIT_POLICY="active").stderr
    assert "OMP_WAIT_POLICY = 'ACTIVE'" in output


def test_what_the_user_has_set_stays():
    lines = fresh(f"import hanlp_tutor\n{SHOW}", JUPYTERHUB_API_URL="x", OMP_WAIT_POLICY="active").stdout.splitlines()
    assert lines == ["active", "threads wait as you chose: OMP_WAIT_POLICY=active"]


def test_once_torch_is_loaded_nothing_is_set_and_doctor_says_so():
    code = f"import torch, hanlp_tutor\n{SHOW}\nfrom hanlp_tutor.threads import report; print(report())"
    lines = fresh(code, JUPYTERHUB_API_URL="x").stdout.splitlines()
    assert lines[:2] == ["None", "None"] and "torch was loaded before hanlp_tutor" in lines[2]
