"""How threads wait for each other on this machine: chosen before torch is loaded, when it can still be chosen.

Torch cuts each matrix product among its threads, a thousand times a second, and whichever has finished waits for the
others. GNU's OpenMP lets it wait by spinning, which is fastest where every thread has a core to itself. Where other
work wants the cores as well, the one that spins keeps the core from the one that it waits for, and training becomes
many times slower. How much, and what the remedies cost, is measured by ``python -m benchmarks.threads``.

The library reads ``OMP_WAIT_POLICY`` and ``GOMP_SPINCOUNT`` when it is loaded, with torch, and never again. So
``import hanlp_tutor`` calls :func:`settle`, and nothing here imports torch.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

# The ways to wait that the kit takes: as torch does by itself, and where cores are shared.
ALONE: dict[str, str] = {}
SHARED = {"OMP_WAIT_POLICY": "passive"}  # in LLVM's and Intel's OpenMP (macOS, Windows) too
SPIN, SLEEP = "threads spin while they wait: ", "threads sleep while they wait: "
OWN = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")  # whoever sets one of these has chosen already
# Carries the reason to processes that this one starts, so that they need not look again: theirs is the same machine.
WHY = "HANLP_TUTOR_THREADS"
SERVERS = {  # a variable that each of them sets
    "Binder": "BINDER_LAUNCH_HOST",
    "JupyterHub": "JUPYTERHUB_API_URL",
    "Colab": "COLAB_RELEASE_TAG",
}
BUSY = 0.25  # of the machine's cores at work for others: on two cores half a process, which every other product meets


@dataclass(frozen=True)
class Waiting:
    """A choice: the variables to set, and why, in words that ``doctor`` prints."""

    environment: Mapping[str, str]
    why: str


@dataclass(frozen=True)
class Machine:
    """What the choice depends on.

    Attributes:
        cores: that this process may use.
        all_cores: of the machine, which a container sees although it may not use them.
        others: how many cores other processes keep busy; called only where it matters.
    """

    cores: int
    all_cores: int
    others: Callable[[], float]


def choose(environment: Mapping[str, str], machine: Machine) -> Waiting:
    """How threads are to wait, from the environment variables and the machine."""
    if WHY in environment:
        return Waiting({}, environment[WHY])
    own = [f"{name}={environment[name]}" for name in OWN if name in environment]
    if own:
        return Waiting({}, f"threads wait as you chose: {', '.join(own)}")
    if machine.cores == 1 or environment.get("OMP_NUM_THREADS") == "1":
        return Waiting(ALONE, "one thread, which waits for none")
    for server, variable in SERVERS.items():
        if variable in environment:
            return Waiting(SHARED, f"{SLEEP}{server} shares its cores")
    if machine.cores < machine.all_cores:
        return Waiting(SHARED, f"{SLEEP}{machine.cores} of {machine.all_cores} cores are granted")
    others = machine.others()
    if others / machine.all_cores > BUSY:
        return Waiting(SHARED, f"{SLEEP}other work keeps {others:.1f} of {machine.all_cores} cores busy")
    return Waiting(ALONE, f"{SPIN}the {machine.all_cores} cores are free")


def settle() -> None:
    """Set the variables for this process and those that it starts; too late, and without effect, once torch is there.

    A kernel, say, in which ``import torch`` came first, goes on as it is.
    """
    if "torch" not in sys.modules:
        os.environ.update(variables())


def variables() -> dict[str, str]:
    """The variables for a process to be started, such as a kernel, whether or not torch has been loaded here."""
    waiting = choose(os.environ, this_machine())
    return {**waiting.environment, WHY: waiting.why}


def report() -> dict[str, object]:
    """For ``doctor``: ``cores``, ``all_cores``, ``waiting`` (how, and why), and the variables that ``set`` it."""
    machine = this_machine()
    return {
        "cores": machine.cores,
        "all_cores": machine.all_cores,
        "waiting": os.environ.get(WHY, f"{SPIN}torch was loaded before hanlp_tutor could choose"),
        "set": {name: os.environ[name] for name in (*OWN, "OMP_NUM_THREADS") if name in os.environ},
    }


def this_machine() -> Machine:
    """The machine as it is now."""
    return Machine(_granted_cores(), os.cpu_count() or 1, others_at_work)


def _granted_cores(control_groups: Path = Path("/sys/fs/cgroup")) -> int:
    """The cores that this process is bound to, or those of its container's quota where there is one."""
    for quota in (control_groups / "cpu.max", control_groups / "cpu" / "cpu.cfs_quota_us"):  # version 2, version 1
        if quota.is_file() and quota.read_text().split()[0].isdigit():  # neither "max" nor -1
            from joblib import cpu_count  # it takes a while to import, and mostly there is no quota

            return cpu_count()
    affinity = getattr(os, "sched_getaffinity", None)  # Linux has it
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def others_at_work(seconds: float = 0.2) -> float:
    """How many cores are at work for others now.

    The load average says only that somebody may be: it remembers a minute, and so also the run before this one. Where
    it or the number of running processes speaks of company, the processors' clocks are read twice.
    """
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0  # Windows has none
    running, _, _ = _clocks() or (1, 0, 0)
    if max(load, running - 1) / (os.cpu_count() or 1) <= BUSY:
        return 0.0
    before = _clocks()
    time.sleep(seconds)
    after = _clocks()
    if before is None or after is None:
        return load
    busy, idle = after[1] - before[1], after[2] - before[2]
    return busy / max(1, busy + idle) * (os.cpu_count() or 1)


def _clocks() -> tuple[int, int, int] | None:
    """Processes that run now, this one included; ticks of all cores at work and idle; None where /proc is missing."""
    try:
        lines = Path("/proc/stat").read_text().splitlines()
    except OSError:
        return None
    ticks = [int(field) for field in lines[0].split()[1:9]]  # user nice system idle iowait irq softirq steal
    running = next((int(line.split()[1]) for line in lines if line.startswith("procs_running")), 1)
    return running, sum(ticks) - ticks[3] - ticks[4], ticks[3] + ticks[4]
