"""The workflows call the scripts that a person runs by hand, on the Pythons that are promised."""

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
SCRIPT = re.compile(r"(?:scripts|\.ci)/[a-z][\w-]*")
CALLERS = [*WORKFLOWS, ROOT / ".pre-commit-config.yaml", ROOT / ".ci/run"]
PACKAGE_HOSTS = re.compile(r"pypi|index-url|files\.pythonhosted", re.IGNORECASE)


def promised_pythons() -> list[str]:
    return re.findall(r"Programming Language :: Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("caller", CALLERS, ids=lambda path: path.name)
def test_every_script_that_is_called_can_be(caller: Path) -> None:
    scripts = set(SCRIPT.findall(caller.read_text()))
    assert scripts
    assert [script for script in scripts if not os.access(ROOT / script, os.X_OK)] == []


@pytest.mark.parametrize("caller", CALLERS, ids=lambda path: path.name)
def test_no_host_of_packages_is_named(caller: Path) -> None:
    assert not PACKAGE_HOSTS.search(caller.read_text())


def test_ci_names_tests_that_exist() -> None:
    tests = re.findall(r"tests/[\w/.]+", (ROOT / ".ci/run").read_text())
    assert tests
    assert [test for test in tests if not (ROOT / test).exists()] == []


def test_every_python_that_is_promised_is_tested_on_linux() -> None:
    matrix = re.search(r"  linux:.*?python: \[(.*?)\]", (ROOT / ".github/workflows/tests.yml").read_text(), re.DOTALL)
    assert matrix is not None
    assert re.findall(r"3\.\d+", matrix[1]) == promised_pythons()


def test_ci_tries_the_further_pythons_that_are_promised_the_newest_first() -> None:
    further = re.search(r"further_pythons=\((.*?)\)", (ROOT / ".ci/run").read_text())
    assert further is not None
    assert further[1].split() == promised_pythons()[:0:-1]
