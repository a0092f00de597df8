"""``make offline``: the bundle installs and runs lessons 00 to 05 with the network cut. It takes about ten minutes.

The bundle is built into a temporary folder, the one step that needs a network; with ``--bundle FOLDER`` one that is
there is copied, as onto a seat. Then ``install.sh`` and, in the profile smoke, each lesson run in a network namespace
of Linux of their own. In it there is no device but the loopback one, which Jupyter's kernels speak over; before a
command begins it has been tried that what answers outside does not answer there, and that no way leads out. The
environment is made anew: no index, mirror, proxy or Python path of this machine, and an empty home.

What was seen goes to ``results/offline.json``. The first lesson or step that fails is shown with its last lines, and
the exit code is 1.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bundle

NAME = "offline"
LAST = "05"  # the last lesson that the bundle is for
CUT = "--cut"  # how this file is called in the namespace
MOST_SECONDS = 900  # far beyond what a step may take: this only ends one that hangs
_SHOWN = 15  # last lines of what fails
_NAMESPACES = (("unshare", "-rn"), ("unshare", "-n"))  # of any user, where the kernel lets them; of root
_ELSEWHERE = ("192.0.2.1", 443)  # RFC 5737: an address that nobody has, so only the kernel can answer for it
_ABOUT = """
import json
from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.manifest import manifest
print(json.dumps(manifest(describe_device(choose_device()))))
"""


@dataclass(frozen=True)
class Room:
    """A class room without a network.

    Attributes:
        prefix: put before a command, cuts the network.
        environment: all that a command finds there.
    """

    prefix: tuple[str, ...]
    environment: dict[str, str]

    def run(self, command: list[str], folder: Path) -> tuple[float, str, bool]:
        """Seconds that a command took, what it said, and whether it ended well."""
        begun = time.monotonic()
        try:
            done = subprocess.run(
                [*self.prefix, *command], cwd=folder, env=self.environment, stdin=subprocess.DEVNULL, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace", timeout=MOST_SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return MOST_SECONDS, f"It did not end within {MOST_SECONDS} seconds.", False
        return time.monotonic() - begun, done.stdout, not done.returncode


def environment(home: Path) -> dict[str, str]:
    """What a seat's commands find: made anew, so that nothing of this machine's settings is in it."""
    python = Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}")  # not this .venv's
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL") if name in os.environ}
    return {**kept, "PATH": os.defpath, "HOME": str(home), "PYTHON": str(python), "OMP_NUM_THREADS": "1"}


def namespace() -> tuple[str, ...]:
    """The command that makes a network namespace here.

    Raises:
        SystemExit: there is none, or it is not permitted; with what to do.
    """
    if not sys.platform.startswith("linux") or shutil.which("unshare") is None:
        sys.exit(
            "To cut the network takes Linux and its command unshare (package util-linux), which is not here. By hand: "
            "make bundle, carry bundle/ to a machine without a network, run install.sh and the lessons there."
        )
    for prefix in _NAMESPACES:
        asked = subprocess.run([*prefix, "true"], capture_output=True, text=True)
        if not asked.returncode:
            return prefix
    sys.exit(
        f"The network cannot be cut here: {asked.stderr.strip()}. Run this as root; or let users make namespaces "
        "(sysctl user.max_user_namespaces above 0, on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0); in a "
        "container, start it with --privileged."
    )


def cut(port: int, command: list[str]) -> None:
    """In a new namespace: see that the network is cut, then become the command.

    Raises:
        SystemExit: something is reached, or there is a way out.
    """
    _raise_loopback()
    devices = sorted(name for _, name in socket.if_nameindex())
    outside, elsewhere = _tried(("127.0.0.1", port)), _tried(_ELSEWHERE)
    if devices != ["lo"] or outside != errno.ECONNREFUSED or elsewhere != errno.ENETUNREACH:
        said = ", ".join(errno.errorcode.get(each, "an answer") for each in (outside, elsewhere))
        sys.exit(f"The network is not cut: devices {', '.join(devices)}; asked outside and elsewhere: {said}.")
    os.execvp(command[0], command)


def _tried(address: tuple[str, int]) -> int:
    """The error number of a connection, 0 where it was made."""
    with socket.socket() as asking:
        asking.settimeout(2.0)
        try:
            return asking.connect_ex(address)
        except TimeoutError:
            return errno.ETIMEDOUT


def _raise_loopback() -> None:
    """A new namespace has its loopback device down, and Jupyter's kernels are spoken to over it."""
    import fcntl
    import struct

    get, put, up = 0x8913, 0x8914, 0x1  # SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP of linux/sockios.h and linux/if.h
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        (flags,) = struct.unpack("16xh14x", fcntl.ioctl(any_socket, get, request))
        if not flags & up:
            fcntl.ioctl(any_socket, put, struct.pack("16sh14x", b"lo", flags | up))


def prove(folder: Path, names: list[str], room: Room) -> dict[str, Any] | None:
    """Install a bundle and run lessons from it, with a line for each; None where something failed.

    Args:
        folder: of the bundle; a folder ``venv`` is made in it, another for the runs beside it.
        names: of the lessons.
    """
    kit, bin = folder / "kit", folder / "venv" / "bin"
    steps = {"install.sh": ["sh", str(folder / "install.sh")]}
    for name in names:
        out = folder.parent / "runs" / name
        steps[name] = [str(bin / "hanlp-tutor"), "run", name, "--profile", "smoke", "--out", str(out)]
    took = {}
    for name, command in steps.items():
        took[name], said, well = room.run(command, kit if bin.exists() else folder)
        print(f"{name:32}  {'passed' if well else 'failed'}  {took[name]:5.0f} s", flush=True)
        if not well:
            print("\n".join(said.splitlines()[-_SHOWN:]))
            return None
    about = room.run([str(bin / "python"), "-c", _ABOUT], kit)[1]
    return {
        **json.loads(about.splitlines()[-1]),
        "install_seconds": round(took.pop("install.sh")),
        "lessons": {name: {"seconds": round(seconds)} for name, seconds in took.items()},
    }


def main() -> int:
    if sys.argv[1:2] == [CUT]:
        cut(int(sys.argv[2]), sys.argv[3:])
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("lessons", nargs="*", help=f"such as 01 or 05; none: 00 to {LAST}")
    parser.add_argument("--bundle", type=Path, help="a bundle that is there; none: one is built")
    given = parser.parse_args()

    from hanlp_tutor.teach.course.lessons import LESSONS  # not in the namespace, where a command is waited for

    known = {lesson.number: lesson.name for lesson in LESSONS}
    unknown = [number for number in given.lessons if number not in known]
    if unknown:
        sys.exit(f"There is no lesson {', '.join(unknown)}. Known: {', '.join(known)}.")
    wanted = given.lessons or [number for number in known if number <= LAST]
    names = [known[number] for number in wanted]
    with tempfile.TemporaryDirectory(prefix="offline-") as place, socket.create_server(("127.0.0.1", 0)) as outside:
        folder, home = Path(place, "bundle"), Path(place, "home")
        port = outside.getsockname()[1]
        room = Room((*namespace(), sys.executable, __file__, CUT, str(port)), environment(home))
        home.mkdir()
        _cut_at_all(room, port, home)
        taken(given.bundle, folder)
        found = prove(folder, names, room)
        if found and not given.lessons:
            write(found, json.loads((folder / bundle.MANIFEST).read_text(encoding="utf-8")), folder)
    return not found


def _cut_at_all(room: Room, port: int, folder: Path) -> None:
    """Say that what answers here does not answer there; before anything is built."""
    if _tried(("127.0.0.1", port)):
        sys.exit("This machine does not reach itself at 127.0.0.1: nothing could be shown by cutting its network.")
    _, said, well = room.run(["true"], folder)
    if not well:
        sys.exit(said.strip())
    print(f"The network is cut by {' '.join(room.prefix[:2])}: what answers outside does not answer, no way leads out.")


def taken(given: Path | None, folder: Path) -> None:
    """The bundle, built or copied.

    Raises:
        SystemExit: the one that was given is not whole.
    """
    if given is None:
        bundle.build(folder)
        return
    if not (given / bundle.MANIFEST).is_file():
        sys.exit(f"{given}: no bundle, it holds no {bundle.MANIFEST}. Build one: python tools/bundle.py {given}")
    shutil.copytree(given, folder, ignore=lambda path, _: ["venv"] if Path(path) == given else [])
    lost = bundle.damaged(folder)
    if lost:
        sys.exit(f"{given}: damaged or missing: {', '.join(lost)}. Copy them again.")


def write(found: dict[str, Any], manifest: dict[str, Any], folder: Path) -> None:
    """Into ``results/offline.json``."""
    from hanlp_tutor.files import write_json
    from hanlp_tutor.manifest import manifest as here
    from hanlp_tutor.teach.results import SCHEMA, results_folder

    wheels = [path.stat().st_size for path in (folder / "wheels").iterdir()]
    held = {"made_for": manifest["made_for"], "mib": round(manifest["bytes"] / 2**20),
            "wheels": len(wheels), "wheels_mib": round(sum(wheels) / 2**20)}  # fmt: skip
    head = {"schema": SCHEMA, "experiment": NAME, "command_line": f"make {NAME}"}
    del found["command"]
    write_json(results_folder() / f"{NAME}.json", {**head, **found, "git": here("")["git"], "bundle": held})


def section(content: dict[str, Any] | None) -> str:
    """What was seen, for the page of the bundle."""
    if content is None:
        return f"\n`make {NAME}` has not been run to its end yet.\n"
    held, lessons = content["bundle"], content["lessons"]
    seconds = ", ".join(f"{name.partition('_')[0]} {each['seconds']}" for name, each in lessons.items())
    return (
        f"\nSeen on {content['date'][:10]} by `{content['command_line']}`: a bundle of {held['mib']} MiB "
        f"({held['wheels']} wheels) for {held['made_for']} was installed in {content['install_seconds']} seconds with "
        f"the network cut, and each lesson ran to its end in the profile `smoke` (seconds: {seconds}; "
        f"{content['device']}, torch {content['versions']['torch']}).\n"
    )


if __name__ == "__main__":
    sys.exit(main())
