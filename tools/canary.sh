#!/bin/sh
# Installs the kit as the lessons' first cell does in Colab: into an environment that has Colab's packages already,
# touching neither torch nor numpy; then tries quizzes and pictures with controls under Colab's ipywidgets, and runs three
# lessons in the profile smoke. `make canary`; PYTHON and LESSONS may be given.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
lessons=${LESSONS:-00 05 21}
wanted=2.11
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

"$python" -m venv "$place/venv"
bin="$place/venv/bin"
pip() { "$bin/python" -m pip --disable-pip-version-check install --no-input --quiet "$@"; }

# The lock's torch, of which a machine with an index of builds for processors has one; the plain one would be CUDA's.
pip "$(grep '^torch==' requirements.lock)"
# What Colab has; the file is a list of requirements as well.
pip -r tools/colab.txt
before=$("$bin/python" -m pip freeze | grep -Ei '^(torch|numpy)==')
torch=$("$bin/python" -c 'import torch; print(torch.__version__)')
case $torch in
    $wanted*) ;;
    *) echo "torch is $torch here, not Colab's $wanted: what only $wanted would break is not seen." >&2 ;;
esac
version=$("$bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
[ "$version" = 3.13 ] || echo "Python is $version here, not Colab's 3.13: the same holds for it." >&2

"$bin/python" tools/colab.py course
"$bin/python" -m pip check
after=$("$bin/python" -m pip freeze | grep -Ei '^(torch|numpy)==')
[ "$before" = "$after" ] || { echo "The kit changed torch or numpy: $before, then $after" >&2; exit 1; }

pip pytest
"$bin/python" -m pytest -q --noconftest -p no:cacheprovider \
    tests/teach/test_widgets.py tests/teach/test_live_curve.py tests/teach/test_quiz.py

"$bin/python" -m ipykernel install --prefix "$place/venv" --name python3 >/dev/null
for lesson in $lessons; do
    echo "== $lesson" >&2
    "$bin/hanlp-tutor" run "$lesson" --profile smoke --out "$place/runs/$lesson"
done
echo "The kit installs under Colab's versions, and lessons $lessons run: $(echo $after)."
