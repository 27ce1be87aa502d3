#!/bin/sh
# Makes .venv and installs one lock into it: `install.sh requirements.lock`.
# Needs Python 3.11 or newer with pip, and nothing else. Called by make, which knows when it is needed.
set -eu
cd "$(dirname "$0")/../.."
lock=$1

refuse() {
    echo "$1" >&2
    exit 1
}

find_python() {
    # The locks are made for 3.11, so that comes first. A name may exist and still not run, hence the try.
    for name in python3.11 python3 python3.12 python3.13 python; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            echo "$name"
            return
        fi
    done
    refuse "Python 3.11 or newer is needed, and none was found as python3.11 or python3: install it first."
}

make_venv() {
    python=$(find_python)
    "$python" -c 'import venv' 2>/dev/null || refuse "Python's venv module is missing: install python3-venv first."
    # Without pip inside: the outer pip fills it, which saves seconds and works where ensurepip is not packaged.
    "$python" -m venv --clear --without-pip .venv
    if ! "$python" -m pip --python .venv/bin/python --version >/dev/null 2>&1; then
        .venv/bin/python -m ensurepip >/dev/null 2>&1 ||
            refuse "pip is missing for $python: install python3-pip (or python3-venv) first."
    fi
}

install_uv() {
    python=$(find_python)
    if .venv/bin/python -m pip --version >/dev/null 2>&1; then
        pip=".venv/bin/python -m pip"
    else
        pip="$python -m pip --python .venv/bin/python"
    fi
    $pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
}

if ! .venv/bin/python -c '' 2>/dev/null; then
    echo "Making .venv ..."
    make_venv
fi
if ! .venv/bin/uv --version >/dev/null 2>&1; then
    install_uv || refuse "The installer uv could not be put into .venv: see above, or check the network."
fi
echo "Installing $lock ..."
# Compiled here, or every start would do it anew wherever bytecode is not written at run time.
# Never `uv pip sync`: it would remove uv itself and, beside requirements.lock, the tools of the other lock.
.venv/bin/uv pip install --quiet --compile-bytecode --python .venv/bin/python --no-python-downloads --require-hashes -r "$lock" ||
    refuse "The packages of $lock could not be installed: see above, or check the network."
