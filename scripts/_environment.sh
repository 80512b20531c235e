# Sourced by the scripts beside it: makes .venv and keeps it in step with pyproject.toml and constraints.txt.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
case $(uname -s) in
    MINGW* | MSYS* | CYGWIN*) programs=Scripts ;;
    *) programs=bin ;;
esac

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# use_environment NAME   takes the virtual environment of that name, .venv unless a script says otherwise
use_environment() {
    venv=$root/$1
    PATH=$venv/$programs:$PATH
    export PATH
}
use_environment .venv

is_recent() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# find_python [VERSION]   prints the path of that Python, or of the newest tested one; fails if there is none
find_python() {
    local candidate candidates
    if [ $# -gt 0 ]; then
        candidates=("python$1" "$(newest_of_pyenv "$1")")
    else
        candidates=("${PYTHON:-}" python3.13 python3.12 python3.11 python3 python)
    fi
    for candidate in "${candidates[@]}"; do
        if [ -n "$candidate" ] && is_recent "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    [ $# -eq 0 ] || return 1
    fail "Symposia needs Python 3.11 or newer, and none was found. Install one, or name it: PYTHON=/path/to/python $0"
}

# newest_of_pyenv VERSION   prints the newest Python of that version that pyenv has installed, if any
newest_of_pyenv() {
    command -v pyenv >/dev/null || return 0
    find "$(pyenv root)/versions" -path "*/versions/$1.*/bin/python" 2>/dev/null | sort -V | tail -n 1
}

# ensure_environment EXTRAS [PYTHON]   installs the project with these extras (all, or all,dev) unless that is done
ensure_environment() {
    local extras=$1 python=${2:-} stamp=$venv/.symposia-$1 want
    want=$(cat "$root/pyproject.toml" "$root/constraints.txt" | cksum)
    [ -x "$venv/$programs/symposia" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && return
    if [ ! -x "$venv/$programs/pip" ]; then
        [ -n "$python" ] || python=$(find_python) || exit 1
        echo "Making $venv with $("$python" --version) …" >&2
        rm -rf "$venv"
        "$python" -m venv "$venv" >&2 ||
            fail "This Python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv"
    fi
    echo "Installing Symposia and what it needs …" >&2
    "$venv/$programs/python" -m pip install --quiet --disable-pip-version-check \
        --constraint "$root/constraints.txt" --editable "$root[$extras]" >&2 ||
        fail "The installation failed; pip's message above says why."
    echo "$want" > "$stamp"
}
