"""The scripts find the Python that they are asked for, and say so where there is none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def pyenv(tmp_path: Path) -> Path:
    """A pyenv with two releases of a Python that is nowhere else."""
    for version in ("3.99.9", "3.99.10"):
        folder = tmp_path / "versions" / version / "bin"
        folder.mkdir(parents=True)
        (folder / "python").symlink_to(sys.executable)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "pyenv").write_text(f"#!/bin/sh\necho {tmp_path}\n")
    (programs / "pyenv").chmod(0o755)
    return tmp_path


def run(*command: str, path: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{path / 'bin'}:{os.environ['PATH']}"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_newest_release_of_pyenv_is_found(pyenv: Path) -> None:
    done = run("bash", "-c", ". scripts/_environment.sh; find_python 3.99", path=pyenv)
    assert (done.returncode, done.stdout) == (0, f"{pyenv}/versions/3.99.10/bin/python\n")


def test_a_python_that_is_not_there_is_told(pyenv: Path) -> None:
    done = run("scripts/test", "--python", "3.98", path=pyenv)
    assert done.returncode == 1
    assert done.stderr == "There is no Python 3.98 on this machine, neither on PATH nor of pyenv.\n"


def test_a_version_that_is_left_out_is_told(pyenv: Path) -> None:
    done = run("scripts/test", "--python", path=pyenv)
    assert done.returncode == 1
    assert "needs a version" in done.stderr


@pytest.mark.parametrize("script", sorted((ROOT / "scripts").glob("[a-z]*")), ids=lambda path: path.name)
def test_every_script_says_what_it_does(script: Path) -> None:
    first, second = script.read_text().splitlines()[:2]
    assert first == "#!/usr/bin/env bash"
    assert second.startswith("# ")
    assert os.access(script, os.X_OK)


def test_asking_a_script_for_help_makes_nothing(pyenv: Path) -> None:
    done = run("scripts/bench", "--help", path=pyenv)
    assert done.returncode == 0
    assert done.stdout.splitlines()[1] == "Usage: scripts/bench [--rounds N] [case …]"
    assert done.stderr == ""
