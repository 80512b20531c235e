"""The error for a name that a public package lacks says whether it is planned, elsewhere, or like another."""

import copy
import doctest
import importlib
import inspect
import pickle
import sys
from pathlib import Path
from types import ModuleType

import pytest
from scripts._reference import public_modules
from tests.support.autogen_names import MISSING, ours

import symposia
from symposia._autogen_names import PAGE_02
from symposia.agentchat import ui

pytestmark = pytest.mark.usefixtures("without_the_import_hook")

PACKAGES = ["symposia", *(m for m in public_modules() if m != "symposia.cli")]  # of the command only `main` is public


def error_of(statement: str) -> ImportError:
    with pytest.raises(ImportError) as caught:
        exec(statement)
    return caught.value


IN_PACKAGES = [name for name in MISSING if hasattr(importlib.import_module(ours(name.rpartition(".")[0])), "__path__")]
"""Under our own names, a name that a plain module lacks gives Python's error."""


@pytest.mark.parametrize("name", IN_PACKAGES)
def test_a_name_of_autogen_is_said_to_be_planned(name: str) -> None:
    package, _, leaf = name.rpartition(".")
    of_02 = f"Symposia does not have {ours(name)}, which AutoGen 0.2 has. {PAGE_02}"
    of_04 = f"Symposia does not have {ours(name)} yet. AutoGen has it, and it is planned."
    assert str(error_of(f"from {ours(package)} import {leaf}")) == (
        f"cannot import name '{leaf}' from '{ours(package)}'. {of_02 if package.split('.')[0] == 'autogen' else of_04}"
    )


@pytest.mark.parametrize(
    ("package", "name", "hint"),
    [
        ("symposia", "AssistantAgent", "There is one in symposia.agentchat.agents."),
        ("symposia", "zzz", "symposia has agentchat, autogen, cli, core, ext, migration, presets, testing, v02."),
        ("symposia.core", "ChatCompletionClient", "There is one in symposia.core.models."),
        (
            "symposia.ext",
            "GrpcWorkerAgentRuntime",
            (
                "Symposia does not have symposia.ext.runtimes.grpc.GrpcWorkerAgentRuntime yet."
                " AutoGen has it, and it is planned."
            ),
        ),
        (
            "symposia.ext",
            "runtimes",
            "Symposia does not have symposia.ext.runtimes yet. AutoGen has it, and it is planned.",
        ),
        (
            "symposia.agentchat.agents",
            "AssistentAgent",
            "The nearest name in symposia.agentchat.agents is AssistantAgent.",
        ),
        (
            "symposia.agentchat.teams",
            "RoundRobin",
            "The names in symposia.agentchat.teams that begin so are RoundRobinGroupChat, RoundRobinRule.",
        ),
        ("symposia.agentchat.ui", "Cons", "The nearest name in symposia.agentchat.ui is Console."),
    ],
)
def test_another_name_is_answered_with_what_may_be_meant(package: str, name: str, hint: str) -> None:
    assert str(error_of(f"from {package} import {name}")) == f"cannot import name '{name}' from '{package}'. {hint}"
    with pytest.raises(AttributeError) as caught:
        getattr(importlib.import_module(package), name)
    assert str(caught.value) == f"module '{package}' has no attribute '{name}'. {hint}"
    assert caught.value.name == name
    assert str(copy.copy(caught.value)) == str(caught.value)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_package_explains_what_it_lacks(package: str) -> None:
    module = importlib.import_module(package)
    if Path(str(module.__file__)).name == "__init__.py":  # the import hook gives plain modules a `__path__` as well
        assert ". " in str(error_of(f"from {package} import zzz"))
    assert not hasattr(module, "zzz")
    assert getattr(module, "zzz", None) is None
    assert not hasattr(module, "__wrapped__")


def test_the_import_is_recognised_behind_hundreds_of_other_names() -> None:
    others = "".join(f"name{number} = {number}\n" for number in range(300))
    error = error_of(f"{others}from symposia.agentchat.ui import (Console as console, Consol as other)")
    assert "The nearest name in symposia.agentchat.ui is Console." in str(error)


def test_a_submodule_that_is_still_being_imported_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    half_imported = ModuleType("symposia.ext.zzz")
    monkeypatch.setitem(sys.modules, "symposia.ext.zzz", half_imported)
    found: dict[str, object] = {}
    exec("from symposia.ext import zzz", found)
    assert found["zzz"] is half_imported


def test_tools_that_probe_modules_are_not_disturbed() -> None:
    teams = importlib.import_module("symposia.agentchat.teams")
    assert inspect.unwrap(teams) is teams  # type: ignore[arg-type]  # it takes whatever may have a `__wrapped__`
    assert doctest.DocTestFinder().find(symposia)
    assert {"RoundRobinGroupChat", "Swarm"} <= {name for name, _ in inspect.getmembers(teams)}
    with pytest.raises(AttributeError, match=r"symposia\.agentchat\.teams"):
        pickle.loads(b"csymposia.agentchat.teams\nzzz\n.")


def test_a_star_import_gives_the_public_names() -> None:
    found: dict[str, object] = {}
    exec("from symposia.agentchat.ui import *", found)
    assert found.keys() - {"__builtins__"} == set(ui.__all__)
    assert {"Console", "UserInputManager"} <= found.keys()
