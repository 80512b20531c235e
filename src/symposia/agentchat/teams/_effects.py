"""What a rule may do beyond computing: ask a model, and say something to whoever watches the run."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Literal

from symposia.agentchat.messages import BaseAgentEvent
from symposia.agentchat.teams._result import sum_usage
from symposia.core import CancellationToken, step, step_stream
from symposia.core.exceptions import ModelError
from symposia.core.models import ChatCompletionClient, CreateResult, LLMMessage, RequestUsage
from symposia.core.tools import Tool, ToolSchema


def _ignore(event: BaseAgentEvent) -> None:
    """Emit to nobody."""


class Effects:
    """The effects of one decision. Every model call passes the door `step`, and its usage is counted.

    Args:
        agent: On whose behalf models are asked, as the journal names it.
        emit: Takes each event that the rule emits. By default nobody listens; in a team, its watchers do if the team
            emits its events, and the transcript never has them.
        cancellation_token: Cancels the model calls.

    Attributes:
        agent: On whose behalf models are asked; the source of what the rule emits.
        emit: As given.
    """

    __slots__ = ("_cancellation_token", "_usages", "agent", "emit")

    def __init__(
        self,
        agent: str = "team",
        *,
        emit: Callable[[BaseAgentEvent], None] = _ignore,
        cancellation_token: CancellationToken | None = None,
    ) -> None:
        self.agent = agent
        self._cancellation_token = cancellation_token
        self.emit = emit
        self._usages: list[RequestUsage] = []

    async def ask(
        self,
        client: ChatCompletionClient,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        extra_create_args: Mapping[str, Any] | None = None,
        on_chunk: Callable[[str], None] | None = None,
    ) -> CreateResult:
        """Ask a model.

        Args:
            client: Whom to ask.
            messages: The prompt.
            tools: What the model may call.
            tool_choice: Whether it must.
            extra_create_args: What the client passes to its vendor.
            on_chunk: If given, the answer is streamed, and this takes each piece of its text.
        """
        options: dict[str, Any] = {
            "tools": tools,
            "extra_create_args": extra_create_args or {},
            "cancellation_token": self._cancellation_token,
        }
        if tool_choice != "auto":  # clients that are older than this parameter work without it
            options["tool_choice"] = tool_choice
        request = {"messages": list(messages), "tools": [_schema(tool) for tool in tools]}
        if on_chunk is None:
            result = await step("model", self.agent, request, lambda: client.create(messages, **options))
        else:
            stream = step_stream("model", self.agent, request, lambda: client.create_stream(messages, **options))
            result = await _collect(stream, on_chunk)
        self.count(result.usage)
        return result

    def count(self, usage: RequestUsage) -> None:
        """Count the tokens of a model that was asked by other ways than `ask`."""
        self._usages.append(usage)

    @property
    def used(self) -> bool:
        """Whether a model was asked."""
        return bool(self._usages)

    @property
    def usage(self) -> RequestUsage:
        """The tokens of all model calls."""
        return sum_usage(self._usages)


def _schema(tool: Tool | ToolSchema) -> ToolSchema:
    return tool.schema if isinstance(tool, Tool) else tool


async def _collect(stream: AsyncGenerator[str | CreateResult, None], on_chunk: Callable[[str], None]) -> CreateResult:
    """Pass on the pieces of text and return the whole, which comes last."""
    async with aclosing(stream):
        async for piece in stream:
            if isinstance(piece, CreateResult):
                return piece
            on_chunk(piece)
    raise ModelError("The model's stream ended without a result: the client has to yield a CreateResult last.")
