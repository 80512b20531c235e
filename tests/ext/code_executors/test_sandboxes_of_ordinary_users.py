"""The same contract and attacks, run by a user without privileges: other namespaces, and no control groups."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NOBODY = 65534
PYTHONS = (Path(sys.executable), Path(f"/usr/bin/python3.{sys.version_info.minor}"))


def as_nobody(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "SYMPOSIA_REQUIRE_SANDBOXES": os.environ.get("SYMPOSIA_REQUIRE_SANDBOXES", ""),
    }
    return subprocess.run(
        command,
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def python_for_everybody() -> str:
    for python in PYTHONS:
        try:
            if as_nobody(str(python), "-c", "import pytest, symposia").returncode == 0:
                return str(python)
        except OSError:  # it is not there, or in a folder that is closed to others
            continue
    pytest.skip("no Python of this version, or not the project, can be read by ordinary users")


@pytest.mark.skipif(os.geteuid() != 0, reason="run by an ordinary user, the other tests are those")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("backend", ["Namespaces", "Bubblewrap"])
def test_the_contract_holds_for_an_ordinary_user(backend: str) -> None:
    tests = f"tests/ext/code_executors/test_sandbox_backends.py::Test{backend}"
    run = as_nobody(python_for_everybody(), "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", tests)
    assert run.returncode == 0, run.stdout
