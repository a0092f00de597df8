#!/bin/sh
# Does what binder/postBuild does with pip, in a fresh environment: the extras are installed beside a torch for
# processors that is there already, torch stays as it is, and the packages agree. `make binder`.
# What it cannot show is conda's part (binder/environment.yml): here torch comes from pip, in the lock's version.
set -eu
cd "$(dirname "$0")/.."
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

"${PYTHON:-python3}" -m venv "$place/venv"
export PATH="$place/venv/bin:$PATH" PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_QUIET=1
python -m pip install "$(grep '^torch==' requirements.lock)"
before=$(python -c 'import torch; print(torch.__version__)')
# A copy of what git knows, for an editable installation leaves a folder beside the package
git ls-files -z | xargs -0 tar -cf - | (mkdir "$place/kit" && tar -xf - -C "$place/kit")
cd "$place/kit"
bash binder/postBuild
python -m pip check
after=$(python -c 'import torch; print(torch.__version__)')
[ "$before" = "$after" ] || { echo "pip changed torch: $before, then $after" >&2; exit 1; }
bash binder/start jupyter lab --version >/dev/null
bash binder/start hanlp-tutor run 00 --profile smoke --out "$place/run"
echo "Binder's part for pip installs, and lesson 00 runs: torch $after. Conda's part was not tried."
