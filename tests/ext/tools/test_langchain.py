"""Tools of LangChain itself."""

import asyncio
import threading
from typing import Annotated, Any

import pytest
from langchain_core.tools import BaseTool as LangChainTool
from langchain_core.tools import InjectedToolArg, StructuredTool, tool
from pydantic import BaseModel, Field

from symposia.core import CancellationToken
from symposia.core.exceptions import (
    ArgumentTypeError,
    ComponentError,
    DeadlineExceededError,
    InvalidArgumentError,
    ToolArgumentsError,
)
from symposia.core.tools import StaticWorkbench
from symposia.ext.tools.langchain import LangChainToolAdapter


class Place(BaseModel):
    city: str
    days: int = Field(default=1, ge=1, description="how many")


@tool(args_schema=Place)
def forecast(city: str, days: int) -> str:
    """Forecast the weather."""
    return f"{city} {days} {threading.current_thread() is threading.main_thread()}"


@tool
async def add(a: int, b: int = 2, secret: Annotated[str, InjectedToolArg] = "s") -> int:
    """Add."""
    return a + b


class Upper(LangChainTool):
    name: str = "upper"
    description: str = "Write large."

    def _run(self, text: str, places: list[Place] | None = None) -> str:
        return text.upper() + "".join(each.city for each in places or [])


async def call(adapter: LangChainToolAdapter, **arguments: Any) -> Any:
    return await adapter.run_json(arguments, CancellationToken())


async def test_a_plain_function_runs_in_a_thread_with_its_defaults() -> None:
    adapter = LangChainToolAdapter(forecast)
    assert (adapter.name, adapter.description) == ("forecast", "Forecast the weather.")
    parameters: Any = adapter.schema.get("parameters")
    assert parameters["required"] == ["city"]
    assert parameters["properties"]["days"]["description"] == "how many"
    assert await call(adapter, city="Graz") == "Graz 1 False"
    with pytest.raises(ToolArgumentsError, match="days"):
        await call(adapter, city="Graz", days=0)


async def test_a_coroutine_is_awaited_and_injected_arguments_are_hidden() -> None:
    adapter = LangChainToolAdapter(add)
    parameters: Any = adapter.schema.get("parameters")
    assert list(parameters["properties"]) == ["a", "b"]
    assert await call(adapter, a=1, b=5) == 6


async def test_a_class_with_models_among_its_arguments_is_run() -> None:
    assert await call(LangChainToolAdapter(Upper()), text="a", places=[{"city": "Graz"}]) == "AGraz"


async def test_arguments_that_are_a_json_schema_are_checked_by_it() -> None:
    schema: dict[str, Any] = {
        "type": "object", "properties": {"a": {"type": "integer", "maximum": 3}}, "required": ["a"],
    }  # fmt: skip

    async def double(**given: int) -> int:
        return given["a"] * 2

    adapter = LangChainToolAdapter(
        StructuredTool(name="double", description="Double.", args_schema=schema, coroutine=double)
    )
    parameters: Any = adapter.schema.get("parameters")
    assert parameters["properties"] == schema["properties"]
    assert await call(adapter, a=3) == 6
    with pytest.raises(ToolArgumentsError, match="a: 4 is greater than the maximum of 3"):
        await call(adapter, a=4)


async def test_a_tool_that_raises_is_a_failed_result() -> None:
    @tool
    async def broken(a: int) -> int:
        """Break."""
        raise ValueError(f"no {a}")

    async with StaticWorkbench([LangChainToolAdapter(broken)]) as workbench:
        result = await workbench.call_tool("broken", {"a": 1})
    assert (result.is_error, result.to_text()) == (True, "no 1")


async def test_a_call_ends_at_its_timeout_and_when_it_is_cancelled() -> None:
    begun = asyncio.Event()

    @tool
    async def hang() -> None:
        """Hang."""
        begun.set()
        await asyncio.Event().wait()

    with pytest.raises(DeadlineExceededError, match=r"'hang' took longer than 0\.01 seconds"):
        await call(LangChainToolAdapter(hang, timeout=0.01))
    token = CancellationToken()
    begun.clear()
    running = asyncio.create_task(LangChainToolAdapter(hang).run_json({}, token))
    await asyncio.wait_for(begun.wait(), 10)
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_limits_and_idempotency_are_the_programs_choice() -> None:
    adapter = LangChainToolAdapter(add, max_chars=1, idempotency="pure")
    assert adapter.traits.idempotency == "pure"
    assert adapter.return_value_as_string(123) == "1\n[Cut: 1 of 3 characters are shown.]"


def test_what_is_no_tool_or_no_limit_is_refused_and_nothing_is_saved() -> None:
    with pytest.raises(ArgumentTypeError, match="give a tool of langchain_core"):
        LangChainToolAdapter(print)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="timeout"):
        LangChainToolAdapter(add, timeout=0)
    with pytest.raises(ComponentError):
        LangChainToolAdapter(add).dump_component()
