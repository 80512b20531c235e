"""The tool calls of one answer of a model: which of them are made, making them, and their results."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import NamedTuple, Self, TypeAlias

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, Item
from symposia.core import CancellationToken, FunctionCall, Image, cancelled_by, tools
from symposia.core.exceptions import ToolArgumentsError, UsageError
from symposia.core.json_values import JsonObject
from symposia.core.models import FunctionExecutionResult
from symposia.core.tools import (
    ImageResultContent,
    TextResultContent,
    ToolResult,
    ToolSchema,
    Workbench,
    parse_tool_arguments,
)

# Calls of tools are effects, which are imported when `tools` is first asked for them: see `_model_turn`.


class AvailableTools(NamedTuple):
    """The tools that a model may call in one answer. Workbenches may change their tools at any time.

    Attributes:
        schemas: Their descriptions for the model.
        workbenches: The workbench of each tool, by the tool's name.
    """

    schemas: Sequence[ToolSchema]
    workbenches: Mapping[str, Workbench]

    @classmethod
    async def of(cls, agent: str, workbenches: Sequence[Workbench]) -> Self:
        """The tools that `workbenches` have now.

        Raises:
            UsageError: Two tools have one name.
        """
        listed = [(schema, workbench) for workbench in workbenches for schema in await _ordered_tools(workbench)]
        if len({schema["name"] for schema, _ in listed}) < len(listed):
            listed = _prefixed(listed)
        owners = {schema["name"]: workbench for schema, workbench in listed}
        schemas = [schema for schema, _ in listed]
        if len(owners) < len(schemas):
            names = [schema["name"] for schema in schemas]
            raise UsageError(f"Agent '{agent}' is offered two tools of one name: {names}")
        return cls(schemas, owners)

    def schema(self, name: str) -> ToolSchema | None:
        """The schema of a tool; None if there is no such tool."""
        return next((schema for schema in self.schemas if schema["name"] == name), None)


async def _ordered_tools(workbench: Workbench) -> Sequence[ToolSchema]:
    """The tools of a workbench, in an order that does not change.

    A server may list its tools in any order, such as that of a dictionary. A request whose tools have changed places
    has nothing in common with the one before it, for the vendor's prompt cache. Keeping the order of the first listing
    was rejected: it would be part of the agent's state.
    """
    listed = await tools.list_tools(workbench)
    return listed if workbench.is_static else sorted(listed, key=lambda schema: schema["name"])


def _prefixed(listed: Sequence[tuple[ToolSchema, Workbench]]) -> list[tuple[ToolSchema, Workbench]]:
    """The tools, with the prefixes of their workbenches where another one has a tool of the same name."""
    count = Counter(schema["name"] for schema, _ in listed)
    renamed: list[tuple[ToolSchema, Workbench]] = []
    for schema, workbench in listed:
        shown = schema.copy()
        if count[schema["name"]] > 1:
            shown["name"] = f"{workbench.tool_prefix}{schema['name']}"[
                :64
            ]  # the most that every vendor takes: see `is_portable_tool_name`
        renamed.append((shown, workbench))
    return renamed


class AcceptedCall(NamedTuple):
    """A call that will be made.

    Attributes:
        call: The call, as the model asked for it.
        workbench: Where the tool is.
        arguments: The arguments that the tool is called with.
    """

    call: FunctionCall
    workbench: Workbench
    arguments: JsonObject


CallDecision: TypeAlias = AcceptedCall | FunctionExecutionResult
"""The decision about a call: it is made, or it has a result without being made, such as the reason for a refusal."""


def decide_calls(
    calls: Sequence[FunctionCall], available: AvailableTools, handoffs: Collection[str]
) -> list[CallDecision]:
    """Decide about the calls of one answer, in their order. Pure.

    Of several handoffs the first one is made and the others are refused, since only one agent can have the next turn.
    Letting all run and choosing afterwards was rejected: the tool of a handoff may have effects of its own. Tools
    beside a handoff are called: the result of each call has to be in the conversation anyway.

    Args:
        calls: The calls.
        available: The tools that the model may call.
        handoffs: The names of those tools that hand off.
    """
    first = next((call for call in calls if call.name in handoffs), None)
    return [
        _decide(call, available)
        if first is None or call is first or call.name not in handoffs
        else refuse_call(
            call, f"'{call.name}' was not done: one answer can hand off once, and '{first.name}' came first."
        )
        for call in calls
    ]


def _decide(call: FunctionCall, available: AvailableTools) -> CallDecision:
    schema = available.schema(call.name)
    if schema is None:
        names = ", ".join(each["name"] for each in available.schemas) or "none"
        return refuse_call(call, f"There is no tool '{call.name}'. The tools are: {names}.")
    try:
        return AcceptedCall(call, available.workbenches[call.name], parse_tool_arguments(call.arguments, schema))
    except ToolArgumentsError as error:
        return refuse_call(call, str(error))


def refuse_call(call: FunctionCall, reason: str) -> FunctionExecutionResult:
    """The result of a call that is not made, or was cut short: `reason`, which the model reads."""
    return FunctionExecutionResult(content=reason, name=call.name, call_id=call.id, is_error=True)


class ToolRound:
    """The calls of one answer, made at the same time.

    Args:
        calls: The tool calls of the model.
        token: Cancelling it ends the round.

    Attributes:
        calls: The same.
        decisions: The decision about each call; none before they are made.
    """

    def __init__(self, calls: Sequence[FunctionCall], token: CancellationToken) -> None:
        self.calls = calls
        self.decisions: Sequence[CallDecision] = ()
        self._token = token
        self._results: dict[int, FunctionExecutionResult] = {}
        self._images: dict[int, list[Image]] = {}
        self._shown: dict[int, list[Item]] = {}

    @property
    def shown(self) -> list[Item]:
        """What tools have shown, in the order of the calls: `events` yields it in the order in which it comes."""
        return [item for place in sorted(self._shown) for item in self._shown[place]]

    @property
    def results(self) -> list[FunctionExecutionResult]:
        """One for each call, in their order, however the round ended. Calls that were cut short are marked so."""
        return [
            self._results.get(place) or refuse_call(call, f"The call of '{call.name}' was cancelled before it ended.")
            for place, call in enumerate(self.calls)
        ]

    @property
    def images(self) -> list[Image]:
        """The images in the results, in the order of the calls. In the results themselves is ``<image>`` for each."""
        return [image for place in sorted(self._images) for image in self._images[place]]

    async def events(self) -> AsyncGenerator[Item, None]:
        """Make the calls, and yield what tools show while they run.

        Each call runs in a task of its own, also a single one: a tool that cancels its task ends that call, and not the
        agent's turn. A `TaskGroup` was rejected: it may not be held open over a ``yield``, and raises groups of errors.

        A call that raises ends the round. What a tool raises is a result by now; this is what comes through all that:
        a handler of effects that refuses, or a fault of a workbench. The calls beside it are cancelled, and awaited, so
        that none runs on behind the agent's back.
        """
        # The tasks themselves are put into the queue as they end, so one loop sees events and ends in the order in
        # which they come: all events of a call before its end.
        queue: asyncio.Queue[Item | asyncio.Task[None]] = asyncio.Queue()
        running: set[asyncio.Task[None]] = set()
        for place, decision in enumerate(self.decisions):
            if isinstance(decision, AcceptedCall):
                running.add(asyncio.create_task(self._make(place, decision, queue)))
            else:
                self._results[place] = decision
        for task in running:
            task.add_done_callback(queue.put_nowait)
        try:
            while running:
                with cancelled_by(self._token):
                    item = await queue.get()  # the token is linked for each wait, and not while the consumer has it
                if not isinstance(item, asyncio.Task):
                    yield item
                    continue
                running.discard(item)
                if not item.cancelled():  # a tool that cancelled its task: `results` says that it was cut short
                    item.result()
        finally:
            for task in running:
                task.cancel()
            if running:
                await asyncio.gather(*running, return_exceptions=True)

    async def _make(self, place: int, accepted: AcceptedCall, queue: asyncio.Queue[Item | asyncio.Task[None]]) -> None:
        call, workbench, arguments = accepted.call, accepted.workbench, accepted.arguments
        if isinstance(workbench, tools.StreamWorkbench):
            items = tools.stream_tool(workbench, call.name, arguments, self._token, call.id, place=place)
            shown = self._shown[place] = []
            result = await _last_result(items, call, shown, queue)
        else:
            result = await tools.call_tool(workbench, call.name, arguments, self._token, call.id, place=place)
        self._results[place] = FunctionExecutionResult(
            content=result.to_text(replace_image="<image>"), name=call.name, call_id=call.id, is_error=result.is_error
        )
        self._images[place] = [piece.content for piece in result.result if isinstance(piece, ImageResultContent)]


async def _last_result(
    items: AsyncGenerator[object, None],  # a tool may yield anything; what is not a message or event is ignored
    call: FunctionCall,
    shown: list[Item],
    queue: asyncio.Queue[Item | asyncio.Task[None]],
) -> ToolResult:
    """The result at the end of the stream of a call.

    Its messages and events are put into `queue` as they come, and added to `shown`.
    """
    result = ToolResult(
        name=call.name, result=[TextResultContent(content="The tool ended without a result.")], is_error=True
    )
    async with aclosing(items):
        async for item in items:
            if isinstance(item, ToolResult):
                result = item
            elif isinstance(item, (BaseAgentEvent, BaseChatMessage)):
                shown.append(item)
                queue.put_nowait(item)
    return result
