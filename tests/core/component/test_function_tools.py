"""A tool made of a function is saved as its source."""

import asyncio
import functools
import math
import os.path as paths
from collections.abc import Callable
from typing import Annotated, Any

import pytest

from symposia.core import CancellationToken
from symposia.core.code_executor import Alias, ImportFromModule
from symposia.core.exceptions import ComponentError
from symposia.core.tools import BaseTool, FunctionTool, StaticWorkbench, ToolOverride

FACTOR = 3


def called(tool: BaseTool[Any, Any], **arguments: object) -> object:
    return asyncio.run(tool.run_json(arguments, CancellationToken()))


def loaded(tool: FunctionTool) -> FunctionTool:
    return FunctionTool.load_component(tool.dump_component(), trust_code=True)


def rooted(number: Annotated[float, "what of"], digits: int = 2) -> str:
    """Square root."""
    return str(round(math.sqrt(number), digits)) + paths.sep


async def tripled(number: int, cancellation_token: CancellationToken) -> int:
    assert not cancellation_token.is_cancelled()
    return number * FACTOR


def recursive(number: int) -> int:
    return 1 if number == 0 else number * recursive(number - 1)


@functools.cache
def cached(number: int) -> int:
    return number


class Counter:
    def count(self, number: int) -> int:
        return number


def closure() -> Callable[[int], int]:
    offset = 1

    def inner(number: int) -> int:
        return number + offset

    return inner


def test_a_function_comes_back_with_the_imports_that_it_needs() -> None:
    tool = loaded(FunctionTool(rooted, description="Roots.", strict=False))
    assert called(tool, number=2, digits=1) == "1.4/"
    assert tool.schema == FunctionTool(rooted, description="Roots.").schema


def test_a_coroutine_function_comes_back_with_its_token_and_the_constants_of_its_module() -> None:
    tool = loaded(FunctionTool(tripled, description="Triples.", name="times_three", strict=True))
    assert called(tool, number=2) == 6
    assert (tool.name, tool.schema.get("strict")) == ("times_three", True)


def test_a_function_that_calls_itself_comes_back() -> None:
    assert called(loaded(FunctionTool(recursive, description="Factorial.")), number=4) == 24


def test_what_is_written_down_is_what_autogen_writes_and_whether_it_is_strict() -> None:
    imports = [ImportFromModule("math", ["sqrt", Alias("floor", "down")])]
    config = FunctionTool(recursive, description="F.", global_imports=imports).dump_component().config
    assert config == {
        "source_code": "def recursive(number: int) -> int:\n"
        "    return 1 if number == 0 else number * recursive(number - 1)\n",
        "name": "recursive",
        "description": "F.",
        "global_imports": [{"module": "math", "imports": ["sqrt", {"name": "floor", "alias": "down"}]}],
        "has_cancellation_support": False,
        "strict": False,
    }


def test_a_loaded_tool_can_be_written_down_again() -> None:
    model = FunctionTool(rooted, description="Roots.").dump_component()
    assert FunctionTool.load_component(model, trust_code=True).dump_component() == model


@pytest.mark.parametrize(
    ("func", "name", "why"),
    [
        (functools.partial(recursive, 1), "one", "not a plain function"),
        (Counter().count, "count", "not a plain function"),
        (cached, "cached", "not a plain function"),
        (lambda: 1, "one", "not defined by `def`"),
        (closure(), "inner", "uses variables of the function that it is in: offset"),
    ],
)
def test_a_function_that_has_no_source_of_its_own_is_an_error(func: Callable[..., Any], name: str, why: str) -> None:
    with pytest.raises(ComponentError, match=rf"FunctionTool.func of the tool '{name}' cannot be saved.*{why}"):
        FunctionTool(func, description="", name=name).dump_component()


def test_a_function_that_uses_what_cannot_be_imported_is_an_error() -> None:
    namespace: dict[str, Any] = {}
    exec(compile("def lost(number: int) -> int:\n    return number", "<nowhere>", "exec"), namespace)
    with pytest.raises(ComponentError, match="its source cannot be read"):
        FunctionTool(namespace["lost"], description="").dump_component()


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("def broken(:", "SyntaxError"),
        ("1 / 0\ndef f() -> int:\n    return 1", "ZeroDivisionError"),
        ("x = 1", "defines no function"),
    ],
)
def test_source_that_does_not_work_is_an_error(source: str, why: str) -> None:
    model = FunctionTool(recursive, description="F.").dump_component()
    model.config["source_code"] = source
    with pytest.raises(ComponentError, match=rf"The tool 'recursive' cannot be made from its source.*{why}"):
        FunctionTool.load_component(model, trust_code=True)


def test_imports_of_autogen_in_a_source_are_those_of_this_project() -> None:
    model = FunctionTool(tripled, description="").dump_component()
    model.config["global_imports"] = [
        "autogen_core.models",
        {"module": "autogen_core._cancellation_token", "imports": ["CancellationToken"]},
        {"name": "autogen_core.tools", "alias": "tools"},
    ]
    model.config["source_code"] = (
        "async def check(number: int, cancellation_token: CancellationToken) -> str:\n"
        "    return autogen_core.models.UserMessage.__module__ + tools.FunctionTool.__name__"
    )
    tool = FunctionTool.load_component(model, trust_code=True)
    assert called(tool, number=1) == "symposia.core.models._messagesFunctionTool"


def test_a_workbench_comes_back_with_its_tools_and_overrides() -> None:
    bench = StaticWorkbench(
        [FunctionTool(rooted, description="Roots.")], {"rooted": ToolOverride(name="root", description="Root.")}
    )
    again = StaticWorkbench.load_component(bench.dump_component(), trust_code=True)
    assert asyncio.run(again.list_tools()) == asyncio.run(bench.list_tools())
    result = asyncio.run(again.call_tool("root", {"number": 4}))
    assert result.to_text() == "2.0/"
