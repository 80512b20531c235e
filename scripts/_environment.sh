# Sourced by the scripts beside it: makes .venv and keeps it in step with pyproject.toml and constraints.txt.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/.venv
PATH=$venv/bin:$PATH
export PATH

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3.13 python3.12 python3.11 python3; do
        [ -n "$candidate" ] || continue
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    fail "Symposia needs Python 3.11 or newer, and none was found. Install one, or name it: PYTHON=/path/to/python $0"
}

# ensure_environment EXTRAS   installs the project with these extras (all, or all,dev) unless that is already done
ensure_environment() {
    local extras=$1 stamp=$venv/.symposia-$1 want
    want=$(cat "$root/pyproject.toml" "$root/constraints.txt" | cksum)
    [ -x "$venv/bin/symposia" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && return
    if [ ! -x "$venv/bin/pip" ]; then
        local python
        python=$(find_python) || exit 1
        echo "Making $venv with $("$python" --version) …" >&2
        rm -rf "$venv"
        "$python" -m venv "$venv" >&2 ||
            fail "This Python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv"
    fi
    echo "Installing Symposia and what it needs …" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --constraint "$root/constraints.txt" --editable "$root[$extras]" >&2 ||
        fail "The installation failed; pip's message above says why."
    echo "$want" > "$stamp"
}
