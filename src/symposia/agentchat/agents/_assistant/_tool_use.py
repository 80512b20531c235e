from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, TypeAlias

from symposia.agentchat.agents._assistant._decisions import ToolUse
from symposia.agentchat.agents._effects import ToolRequest
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage
from symposia.core import CancellationToken, step, step_stream
from symposia.core.tools import StaticStreamWorkbench, TextResultContent, ToolResult

Shown: TypeAlias = BaseAgentEvent | BaseChatMessage
Show: TypeAlias = Callable[[Shown], None]


async def use_tool(agent: str, use: ToolUse, token: CancellationToken, show: Show) -> ToolResult:
    """Call one tool. Whatever it raises becomes its result, for the model to read.

    Args:
        agent: On whose behalf.
        use: Which tool, and with what.
        token: Passed to the tool.
        show: Given the messages and events that the tool shows while it runs.
    """
    request = ToolRequest(call=use.call)
    workbench = use.workbench
    if isinstance(workbench, StaticStreamWorkbench):
        items = step_stream("tool", agent, request, lambda: _stream(workbench, use, token))
        return await _watch(items, use, show)
    return await step("tool", agent, request, lambda: _call(use, token))


async def _call(use: ToolUse, token: CancellationToken) -> ToolResult:
    try:
        return await use.workbench.call_tool(use.call.name, use.arguments, token, use.call.id)
    except Exception as error:  # noqa: BLE001 - the model is told
        return _failed(use, error)


# Any: a tool may show whatever it likes; what is no message is left out.
async def _stream(
    workbench: StaticStreamWorkbench, use: ToolUse, token: CancellationToken
) -> AsyncGenerator[Any, None]:
    try:
        stream = workbench.call_tool_stream(use.call.name, use.arguments, token, use.call.id)
        async with aclosing(stream) as items:
            async for item in items:
                yield item
    except Exception as error:  # noqa: BLE001 - the model is told
        yield _failed(use, error)


async def _watch(items: AsyncGenerator[Any, None], use: ToolUse, show: Show) -> ToolResult:
    result = _failed(use, RuntimeError("the tool ended without a result"))
    async with aclosing(items):
        async for item in items:
            if isinstance(item, ToolResult):
                result = item
            elif isinstance(item, (BaseAgentEvent, BaseChatMessage)):
                show(item)
    return result


def _failed(use: ToolUse, error: Exception) -> ToolResult:
    text = f"{type(error).__name__}: {error}"
    return ToolResult(name=use.call.name, result=[TextResultContent(content=text)], is_error=True)
