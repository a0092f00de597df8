#!/bin/sh
# Makes .venv, or leaves it alone when it is as it should be. `make` calls this before everything else.
#
# The rule: Python 3.11 gets the exact versions of requirements.lock; 3.10, 3.12 and 3.13 get the newest versions that
# pyproject.toml admits. The project itself is installed editable, so that its files are used where they lie.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
log=.venv.log
stamp=.venv/.stamp

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

# Runs pip, its talk going to the log; when it fails, the end of the log is what one wants to see.
pip_install() {
    .venv/bin/python -m pip --disable-pip-version-check install --no-input "$@" >>"$log" 2>&1 && return
    tail -n 15 "$log" >&2
    fail "" "Setting up .venv failed at: pip install $*" "The whole log is in $log. Run make again once the cause is gone."
}

# A virtual environment knows its own absolute path, so a moved project needs a new one.
packages="$(pwd) $(cksum <requirements.lock)"
project=$(cksum <pyproject.toml)
if [ -f $stamp ] && .venv/bin/python -c pass 2>/dev/null && [ "$(sed -n 1p $stamp)" = "$packages" ]; then
    [ "$(sed -n 2p $stamp)" != "$project" ] || exit 0
    rm $stamp
else
    # No stamp is written before the end: what an interrupted set-up left behind is thrown away here.
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) ||
        fail "No Python answers to \"$python\". Install Python 3.11, or name yours: make PYTHON=/path/to/python3.11"
    case $version in
        3.10 | 3.11 | 3.12 | 3.13) ;;
        *) fail "\"$python\" is Python $version; this project runs on 3.10 to 3.13, best on 3.11." \
            "Install one of these and name it: make PYTHON=python3.11" ;;
    esac
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "Python $version cannot make virtual environments here: its module ensurepip is missing." \
            "On Debian and Ubuntu: sudo apt-get install python$version-venv"
    # Measured with requirements.lock and torch's CPU build; what CUDA adds depends on torch's version.
    echo "Setting up .venv with Python $version, once: 0.6 GB to fetch, 2.7 GB on the disk, 2 to 4 minutes;" \
        "some GB more where pip chooses torch with CUDA (docs/install.md). To watch: tail -f $log" >&2
    rm -rf .venv
    "$python" -m venv .venv
    : >"$log"
    [ "$version" != 3.11 ] || pip_install -r requirements.lock
fi

if .venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then
    pip_install --no-deps --no-build-isolation -e .
else
    pip_install -e '.[course,test,lab,large,pretrain,serve,sweep]'
fi
printf '%s\n%s\n' "$packages" "$project" >$stamp
