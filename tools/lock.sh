#!/bin/sh
# Writes requirements.lock anew: the newest versions that pyproject.toml admits today, beside a fixed torch.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
torch=2.13.0

"$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' ||
    { echo "The lock is for Python 3.11: make lock PYTHON=python3.11" >&2; exit 1; }
trap 'rm -rf .venv-lock requirements.lock.new' EXIT
rm -rf .venv-lock
"$python" -m venv .venv-lock
# soupsieve 3 and later ask for a later 3.11 than Debian's
.venv-lock/bin/python -m pip --disable-pip-version-check install --quiet "torch==$torch" 'soupsieve<3' -e '.[course,test,lab,large,pretrain,serve,sweep]'
.venv-lock/bin/python -m pip check
# Some packages ask for a late 3.11, and Debian 12 has 3.11.2: a lock made on a later one could not be installed there.
.venv-lock/bin/python - <<'PYTHON'
import sys
from importlib.metadata import distributions

from packaging.specifiers import SpecifierSet

late = [d.name for d in distributions() if "3.11.2" not in SpecifierSet(d.metadata["Requires-Python"] or "")]
sys.exit(f"Not for every Python 3.11: {', '.join(late)}. Make the lock with an older 3.11." if late else 0)
PYTHON

# torch loses its build suffix (+cpu, +cu130), and the CUDA packages that some builds of it bring are left to it:
# so one file serves a machine with a GPU, one without, and a Mac.
{
    cat <<HEADER
# Exact versions for Python 3.11, tools for tests and JupyterLab included. Made by \`make lock\`: pip installs
# torch==$torch and pyproject.toml's ranges into a fresh environment, and \`pip freeze\` tells what it chose.
# What only one system needs (CUDA libraries, Windows helpers) is not listed; pip adds it where it belongs.
HEADER
    .venv-lock/bin/python -m pip freeze --all --exclude-editable --exclude pip |
        sed 's/^\(torch==[0-9.]*\)+.*/\1/' | grep -Ev '^(cuda-|nvidia-(cu|nccl|nv)|triton==)'
} >requirements.lock.new
mv requirements.lock.new requirements.lock
