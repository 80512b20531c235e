"""What importing an agent and a team leaves out, since most programs that do it never need the rest."""

import ast
import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

import pytest
from tests.support.interpreter import printed

import symposia

PROGRAM = """
import sys
from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.teams import RoundRobinGroupChat
print(*sys.modules)
"""
HEAVY = [
    "PIL",
    "anthropic",
    "av",
    "azure",
    "boto3",
    "botocore",
    "cv2",
    "docker",
    "google.genai",
    "google.protobuf",
    "httpx",
    "json",
    "litellm",
    "llama_cpp",
    "markitdown",
    "mistralai",
    "ollama",
    "openai",
    "opentelemetry",
    "playwright",
    "rich",
    "symposia._missing_names",
    "tiktoken",
    "whisper",
]
SIGN_OF_A_BUILT_MODEL = "pydantic.plugin._loader"


@pytest.fixture(scope="module")
def imported() -> AbstractSet[str]:
    return set(printed(PROGRAM).split())


@pytest.mark.parametrize("module", HEAVY)
def test_an_agent_and_a_team_are_imported_without(module: str, imported: AbstractSet[str]) -> None:
    assert module not in imported


def test_the_command_handles_ctrl_c_before_it_imports_more_than_that_takes() -> None:
    program = (
        "import os, signal, sys; before = set(sys.modules); import symposia.cli; print(*set(sys.modules) - before)"
    )
    assert {name for name in printed(program).split() if not name.startswith("symposia")} <= {"__future__"}


def test_no_pydantic_model_is_built_by_an_import(imported: AbstractSet[str]) -> None:
    """A model that is costs a millisecond and more, the first one 15: give it ``defer_build=True``."""
    assert SIGN_OF_A_BUILT_MODEL not in imported


BARE = "import asyncio, pydantic; pydantic.BaseModel"
AGENT_AND_TEAM = """
from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.teams import RoundRobinGroupChat
"""
LIMIT = 2.2
"""Times the processor time of `BARE`. An agent and a team take about 1.6, of which the first class of a pydantic model,
which imports more of pydantic, is 0.15. The rest is for machines on which other programs run.
"""


def processor_time(code: str, folder: Path) -> float:
    """The seconds of processor time of a fresh interpreter, with compiled modules as installed packages have them."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport time; print(time.process_time())"],
        env={**environment, "PYTHONPYCACHEPREFIX": str(folder)},
        capture_output=True,
        check=True,
    )
    return float(done.stdout)


def test_importing_an_agent_and_a_team_takes_little_more_than_pydantic(tmp_path: Path) -> None:
    for code in (BARE, AGENT_AND_TEAM):
        processor_time(code, tmp_path)  # compiles
    runs = [(processor_time(AGENT_AND_TEAM, tmp_path), processor_time(BARE, tmp_path)) for _ in range(7)]
    full, bare = (min(times) for times in zip(*runs, strict=True))  # what else the machine does only adds to a time
    assert full / bare < LIMIT, runs


def calls_of(tree: ast.Module, function: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function:
            yield node


PACKAGES = {path: ast.parse(path.read_text()) for path in sorted(Path(symposia.__file__).parent.rglob("__init__.py"))}
LAZY = {path: tree for path, tree in PACKAGES.items() if any(calls_of(tree, "lazy_names"))}


@pytest.mark.parametrize("path", LAZY, ids=lambda path: path.parent.name)
def test_a_lazy_package_gives_what_type_checkers_see(path: Path) -> None:
    (table,) = (ast.literal_eval(call.args[1]) for call in calls_of(LAZY[path], "lazy_names"))
    package = ".".join(path.parent.relative_to(Path(symposia.__file__).parent.parent).parts)
    seen = {
        (str(node.module), alias.name)
        for node in ast.walk(LAZY[path])
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(f"{package}.")
        for alias in node.names
    }
    assert seen == {(f"{package}.{module}", name) for module, names in table.items() for name in names}
    with pytest.raises(AttributeError, match="has no attribute 'zzz'"):
        importlib.import_module(package).zzz  # noqa: B018 - the access is what is tested
    names = {name for _, name in seen}
    assert names <= set(dir(importlib.import_module(package)))
    assert names <= set(importlib.import_module(package).__all__)
