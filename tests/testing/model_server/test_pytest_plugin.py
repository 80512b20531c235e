"""The fixture, in runs of pytest of its own: a project that has Symposia installed, and nothing of this one."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.interpreter import printed

PLUGIN = "symposia.testing.pytest_plugin"
TESTS = """
import os, urllib.request, json
import pytest
from symposia.testing.model_server import Reply

def ask(text):
    body = {"model": "m", "messages": [{"role": "user", "content": text}]}
    address = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
    with urllib.request.urlopen(address, json.dumps(body).encode()) as answer:
        return json.load(answer)["choices"][0]["message"]["content"]

@pytest.mark.model_script("script.yaml")
def test_a_script(mock_model_server):
    assert ask("hi") == "From the script."
    assert mock_model_server.requests[0].rule == "hi"

def test_a_queue(mock_model_server):
    mock_model_server.script(Reply(text="From the queue."))
    assert ask("hi") == "From the queue."

def test_a_request_without_an_answer(mock_model_server):
    try:
        ask("bye")
    except OSError:
        pass

def test_a_problem_that_is_meant(mock_model_server):
    with pytest.raises(OSError):
        ask("bye")
    mock_model_server.problems.clear()

@pytest.mark.model_script(file="script.yaml")
def test_a_marker_without_its_file(mock_model_server):
    pass

def test_the_environment_is_as_before():
    assert "OPENAI_BASE_URL" not in os.environ
"""


def run_pytest(folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", PLUGIN]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # the plugins of this project's own tests
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_test_has_a_server_and_fails_where_a_request_had_no_answer(tmp_path: Path) -> None:
    (tmp_path / "test_program.py").write_text(TESTS)
    (tmp_path / "script.yaml").write_text("rules: [{name: hi, when: {last: hi}, answer: From the script.}]")
    done = run_pytest(tmp_path)
    assert "5 passed, 2 errors" in done.stdout, done.stdout
    assert 'The marker model_script takes one file: @pytest.mark.model_script("script.yaml").' in done.stdout
    assert "ERROR test_program.py::test_a_request_without_an_answer - Failed: " in done.stdout
    assert "last message: 'bye' (user)" in done.stdout


def test_the_plugin_costs_runs_that_do_not_use_it_nothing() -> None:
    program = (
        "import json, sys, pytest; before = set(sys.modules); import symposia.testing.pytest_plugin;"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    loaded = json.loads(printed(program))
    assert [name for name in loaded if not name.startswith("symposia")] == []
    assert loaded == ["symposia", "symposia._lazy", "symposia.testing", "symposia.testing.pytest_plugin"]


def test_the_distribution_declares_the_plugin() -> None:
    root = Path(__file__).parents[3]
    assert 'symposia = "symposia.testing.pytest_plugin"' in (root / "pyproject.toml").read_text()


def test_a_script_that_is_wrong_is_an_error_of_the_test(tmp_path: Path) -> None:
    (tmp_path / "test_program.py").write_text(
        "import pytest\n@pytest.mark.model_script('s.yaml')\ndef test_it(mock_model_server): pass\n"
    )
    (tmp_path / "s.yaml").write_text("rules: 3")
    done = run_pytest(tmp_path)
    assert "s.yaml:1: rules: Input should be a valid list." in done.stdout
