"""The same contract and attacks, run by a user without privileges: other namespaces, and no control groups."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

PROJECT = Path(__file__).parents[3]
PYTHONS = (Path(sys.executable).resolve(), Path(f"/usr/bin/python3.{sys.version_info.minor}"))
NOBODY = 65534

# The project may lie in a folder that is closed to others, so it is bound to where everybody can go. The shell after
# setpriv is there because privileges are lost at an exec, and the Python itself must be found without them.
AS_NOBODY = f"""
set -e
mount --bind "$1" "$2"
cd "$2"
shift 2
exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups sh -c 'exec "$@"' sh "$@"
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody can enter."""
    with TemporaryDirectory(prefix="symposia-everybody-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def as_nobody(folder: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command without privileges, in the project as it is seen at `folder`."""
    entries = (Path(entry) for entry in sys.path if entry)
    moved = (folder / entry.relative_to(PROJECT) for entry in entries if entry.is_relative_to(PROJECT))
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", AS_NOBODY, "sh", PROJECT, folder, *command],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(map(str, (*moved, folder / "src"))),
            "PYTHONDONTWRITEBYTECODE": "1",
            "SYMPOSIA_REQUIRE_SANDBOXES": os.environ.get("SYMPOSIA_REQUIRE_SANDBOXES", ""),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def python_for_everybody(folder: Path) -> Path:
    for python in PYTHONS:
        if as_nobody(folder, python, "-c", "import pytest, symposia").returncode == 0:
            return python
    pytest.skip(f"no Python 3.{sys.version_info.minor} that ordinary users can run")


@pytest.mark.skipif(os.geteuid() != 0, reason="run by an ordinary user, the other tests are those")
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "classes",
    [
        ("TestNamespaces",),
        ("TestForkedNamespaces", "TestStatefulForkedNamespaces"),
        ("TestBubblewrap", "TestStatefulBubblewrap"),
    ],
    ids=lambda classes: classes[0],
)
def test_the_contract_holds_for_an_ordinary_user(classes: tuple[str, ...], open_folder: Path) -> None:
    python = python_for_everybody(open_folder)
    tests = [f"tests/ext/code_executors/test_sandbox_backends.py::{name}" for name in classes]
    run = as_nobody(
        open_folder, python, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", "-n", "2", *tests
    )
    assert run.returncode == 0, run.stdout
    assert "skipped" not in run.stdout.splitlines()[-1], run.stdout
