"""What a request to a model says, in no vendor's terms: the reading that rules match on and that tests look at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from symposia.testing.model_server._answers import ToolCall, estimated_tokens


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message of a conversation.

    Attributes:
        role: ``"tool"`` for the result of a tool, also where a vendor puts it into a message of the user.
        images: How many images it has.
        thinking: The text of its reasoning.
        tool_calls: The calls that the model asked for.
        tool_call_id: Of a tool's result, the id of the call; the tool's name where the vendor has no ids.
    """

    role: Literal["user", "assistant", "tool"]
    text: str = ""
    images: int = 0
    thinking: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class OfferedTool:
    """A tool that the model may call. `parameters` is the JSON schema of its arguments; hosted tools have none."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """The content of a request.

    Attributes:
        system: The system prompt; several are joined by a blank line.
        messages: All other messages, oldest first.
        tools: The tools that are offered.
        output_schema: The JSON schema that the answer has to have, if one is asked for.
        streams: Whether the answer is to be streamed.
        earlier_turns: How often the model has answered in the part of the conversation that the vendor has stored.
    """

    model: str
    system: str = ""
    messages: tuple[Message, ...] = ()
    tools: tuple[OfferedTool, ...] = ()
    output_schema: Mapping[str, Any] | None = None
    streams: bool = False
    earlier_turns: int = 0

    @property
    def last_message(self) -> Message | None:
        return self.messages[-1] if self.messages else None

    @property
    def turn(self) -> int:
        """How often the model has answered in this conversation, and 1 for the answer that is asked for."""
        return 1 + self.earlier_turns + sum(message.role == "assistant" for message in self.messages)

    @property
    def images(self) -> int:
        """How many images its messages have."""
        return sum(message.images for message in self.messages)

    @property
    def estimated_tokens(self) -> int:
        """The tokens of the request, by its characters."""
        said = "".join(message.text + message.thinking for message in self.messages)
        called = "".join(call.name + call.arguments for message in self.messages for call in message.tool_calls)
        offered = "".join(tool.name + tool.description + json.dumps(tool.parameters) for tool in self.tools)
        return estimated_tokens(self.system + said + called + offered)
