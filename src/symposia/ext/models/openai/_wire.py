"""The parts of OpenAI's Chat Completions format that are read here, as JSON has them.

The answers are read as JSON, not as the SDK's classes: building those costs 80 microseconds a streamed chunk, and
drops nothing but the time. Every field may be missing, since compatible vendors leave some out.
"""

from __future__ import annotations

from typing import Any, TypedDict


class FunctionWire(TypedDict, total=False):
    name: str | None
    arguments: str | None


class ToolCallWire(TypedDict, total=False):
    index: int | None
    id: str | None
    type: str
    function: FunctionWire | None


class MessageWire(TypedDict, total=False):
    """A message of the model, or what a streamed chunk adds to one."""

    role: str
    content: str | None
    refusal: str | None
    reasoning_content: str | None
    reasoning_details: list[dict[str, Any]] | None  # a compatible vendor's own
    tool_calls: list[ToolCallWire] | None


class LogprobWire(TypedDict, total=False):
    token: str
    logprob: float
    bytes: list[int] | None
    top_logprobs: list[LogprobWire] | None


class LogprobsWire(TypedDict, total=False):
    content: list[LogprobWire] | None


class ChoiceWire(TypedDict, total=False):
    index: int
    message: MessageWire
    delta: MessageWire | None
    finish_reason: str | None
    logprobs: LogprobsWire | None


class UsageWire(TypedDict, total=False):
    prompt_tokens: int | None
    completion_tokens: int | None


class CompletionWire(TypedDict, total=False):
    """A whole answer, or a chunk of a streamed one."""

    choices: list[ChoiceWire]
    usage: UsageWire | None
