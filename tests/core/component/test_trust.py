"""Loading is safe by default: nothing is imported, and no code is run, that the program has not allowed."""

import ast
import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import symposia
from symposia.core import (
    CancellationToken,
    Component,
    ComponentLoader,
    allow_components_from,
    trust_component_code,
)
from symposia.core.exceptions import ComponentError, SandboxUnavailableError
from symposia.core.tools import FunctionTool
from symposia.ext.code_executors import only_sandboxes

HERE = __name__


class Mine(Component):
    def __init__(self, value: dict[str, Any] | None = None) -> None:
        self.value = value if value is not None else {}
        self.value["seen"] = True


def double(number: int) -> int:
    return 2 * number


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a module whose import leaves a trace in `sys.modules`."""
    name = "test_trap_of_components"
    (tmp_path / f"{name}.py").write_text("class Trap:\n    pass\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield name
    sys.modules.pop(name, None)


def test_f18_a_module_named_test_gets_no_exception_and_is_not_even_imported(trap: str) -> None:
    with pytest.raises(ComponentError, match=rf"'{trap}.Trap' is not trusted.*allow=\['{trap}'\]"):
        ComponentLoader.load_component({"provider": f"{trap}.Trap", "config": {}})
    assert trap not in sys.modules


@pytest.mark.parametrize("provider", ["os.system", "json.JSONDecoder", "__main__.Anything", "symposiaX.Y", "tests.Z"])
def test_f18_other_packages_are_refused_by_name(provider: str) -> None:
    with pytest.raises(ComponentError, match=rf"The provider '{provider}' is not trusted"):
        ComponentLoader.load_component({"provider": provider, "config": {}})


@pytest.mark.parametrize(
    "provider", ["symposia.core._component._providers.import_module", "symposia.core._component._providers.ContextVar"]
)
def test_f18_what_this_project_merely_imports_is_no_component_of_it(provider: str) -> None:
    with pytest.raises(ComponentError, match=r"has no class|is not trusted"):
        ComponentLoader.load_component({"provider": provider, "config": {}})


def test_f18_the_callers_object_is_never_edited() -> None:
    model = {"provider": f"{HERE}.Mine", "config": {"value": {"a": 1}}}
    loaded = Mine.load_component(model)
    assert loaded.value == {"a": 1, "seen": True}
    assert model == {"provider": f"{HERE}.Mine", "config": {"value": {"a": 1}}}


@pytest.mark.parametrize("allowed", [HERE, HERE.partition(".")[0]])
def test_a_program_allows_a_module_or_all_of_a_package(allowed: str) -> None:
    assert isinstance(ComponentLoader.load_component(Mine().dump_component(), allow=[allowed]), Mine)


def test_a_class_that_the_program_itself_names_needs_no_permission() -> None:
    model = Mine().dump_component()
    assert isinstance(ComponentLoader.load_component(model, Mine), Mine)
    assert isinstance(Mine.load_component(model), Mine)


def test_allowing_ends_with_its_block() -> None:
    model = Mine().dump_component()
    with allow_components_from(HERE):
        assert isinstance(ComponentLoader.load_component(model), Mine)
    with pytest.raises(ComponentError, match="is not trusted"):
        ComponentLoader.load_component(model)


async def test_allowing_reaches_the_tasks_that_are_started_inside_and_no_others() -> None:
    model = Mine().dump_component()

    async def load() -> object:
        return ComponentLoader.load_component(model)

    with allow_components_from(HERE):
        inside = asyncio.create_task(load())
    outside = asyncio.create_task(load())
    async with asyncio.timeout(5):
        assert isinstance(await inside, Mine)
        with pytest.raises(ComponentError, match="is not trusted"):
            await outside


def test_code_in_json_is_not_run_in_this_process_unless_it_is_trusted() -> None:
    model = FunctionTool(double, description="Doubles.").dump_component()
    model.config["source_code"] = f"import sys\nsys.modules['{HERE}.ran'] = sys\n{model.config['source_code']}"
    assert FunctionTool.load_component(model).dump_component() == model
    assert f"{HERE}.ran" not in sys.modules


def test_code_is_trusted_by_argument_or_by_block() -> None:
    model = FunctionTool(double, description="Doubles.").dump_component()

    async def called(tool: FunctionTool) -> object:
        return await tool.run_json({"number": 2}, CancellationToken())

    with only_sandboxes():
        assert asyncio.run(called(FunctionTool.load_component(model, trust_code=True))) == 4
        with trust_component_code():
            trusted = FunctionTool.load_component(model)
        assert asyncio.run(called(trusted)) == 4
        with pytest.raises(SandboxUnavailableError, match="trust_code=True"):
            asyncio.run(called(FunctionTool.load_component(model)))


@pytest.mark.parametrize(
    ("file", "field", "code"),
    [
        ("selector_func", "selector_func", "lambda messages: 'a'"),
        ("selector", "candidate_func", "def candidates(messages): return []"),
        ("user_proxy", "input_func", "input"),
    ],
)
def test_code_for_a_callback_is_refused_with_what_to_do(file: str, field: str, code: str) -> None:
    model = json.loads((Path(__file__).parent / "autogen_json" / f"{file}.json").read_text())
    model["config"][field] = code
    with pytest.raises(ComponentError, match=rf"{field}: .*Leave out {field}, or make the object in the program"):
        ComponentLoader.load_component(model, Component)


def test_code_for_a_condition_is_refused_with_what_to_do() -> None:
    model = {"provider": "autogen_agentchat.conditions.FunctionalTermination", "config": {"func": "lambda messages: 1"}}
    with pytest.raises(ComponentError, match=r"func: .* only taken as the source_code of a tool"):
        ComponentLoader.load_component(model, Component)


def test_the_library_runs_code_of_components_in_one_place() -> None:
    """Whatever else would run source has to be refused, or go into a sandbox."""
    found: set[str] = set()
    for folder in ("core", "agentchat"):
        for path in (Path(symposia.__file__).parent / folder).rglob("*.py"):
            calls = (node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
            if any(isinstance(func, ast.Name) and func.id in {"exec", "eval", "compile"} for func in calls):
                found.add(path.name)
    # The source of a component; that of `with_requirements`, which no JSON has; and the program inside of a sandbox.
    assert found == {"_function_source.py", "_functions.py", "_guest.py"}
