"""Tools in a kernel of Semantic Kernel itself."""

from importlib import import_module
from typing import Annotated, Any

from pydantic import Field
from tests.support.effect_recorder import EffectRecorder

from symposia.core.effects import handle_effects
from symposia.core.tools import FunctionTool, ToolRequest
from symposia.ext.tools.semantic_kernel import KernelFunctionFromTool, KernelFunctionFromToolSchema

sk: Any = import_module("semantic_kernel")
functions: Any = import_module("semantic_kernel.functions")


async def stock(
    item: str,
    places: list[str],
    count: Annotated[int, Field(description="how many", ge=1)] = 2,
    note: str | None = None,
) -> str:
    """Look up the stock."""
    if item == "none":
        raise ValueError("no such item")
    return f"{item} {places} {count} {note}"


TOOL = FunctionTool(stock, "Look up the stock.")


async def test_a_kernel_calls_a_tool_as_an_effect() -> None:
    kernel = sk.Kernel()
    function = KernelFunctionFromTool(TOOL, plugin_name="shop", max_chars=20)
    kernel.add_plugin(functions.KernelPlugin("shop", functions=[function]))
    recorder = EffectRecorder()
    with handle_effects(recorder):
        result = await kernel.invoke(plugin_name="shop", function_name="stock", item="a", places=["x"])
        failed = await kernel.invoke(plugin_name="shop", function_name="stock", item="none", places=[])
        wrong = await kernel.invoke(plugin_name="shop", function_name="stock", item="a", places=[], count=0)
    assert str(result) == "a ['x'] 2 None"
    assert str(failed) == "no such item"
    assert str(wrong).startswith("Wrong arguments for ")
    assert [effect.request.name for effect in recorder.effects if isinstance(effect.request, ToolRequest)] == [
        "stock"
    ] * 3


def test_the_schema_of_a_tool_is_that_of_the_function() -> None:
    for function in (KernelFunctionFromTool(TOOL, "shop"), KernelFunctionFromToolSchema(TOOL.schema, "shop")):
        assert (function.name, function.plugin_name, function.description) == ("stock", "shop", "Look up the stock.")
        parameters = {each.name: each for each in function.parameters}
        assert {name for name, each in parameters.items() if each.is_required} == {"item", "places"}
        assert parameters["count"].schema_data["minimum"] == 1
        assert (parameters["count"].type_, parameters["places"].type_) == ("int", "list")
        assert parameters["count"].description == "how many"
