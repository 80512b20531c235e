"""Loading is safe by default: nothing is imported, and no code is run, that the program has not allowed."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from symposia.core import Component, ComponentLoader, allow_components_from, trust_component_code
from symposia.core.exceptions import ComponentError
from symposia.core.tools import FunctionTool

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


def test_code_in_json_is_not_run_unless_it_is_trusted() -> None:
    model = FunctionTool(double, description="Doubles.").dump_component()
    model.config["source_code"] = f"import sys\nsys.modules['{HERE}.ran'] = sys\n{model.config['source_code']}"
    with pytest.raises(ComponentError, match=r"The tool 'double' has code.*trust_code=True"):
        FunctionTool.load_component(model)
    assert f"{HERE}.ran" not in sys.modules


def test_code_is_trusted_by_argument_or_by_block() -> None:
    model = FunctionTool(double, description="Doubles.").dump_component()
    assert FunctionTool.load_component(model, trust_code=True).name == "double"
    with trust_component_code():
        assert FunctionTool.load_component(model).name == "double"
    with pytest.raises(ComponentError, match="has code"):
        FunctionTool.load_component(model)
