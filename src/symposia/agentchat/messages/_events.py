from typing import Annotated, Literal

from pydantic import Field

from symposia.agentchat.messages._base import BaseAgentEvent
from symposia.core import FunctionCall
from symposia.core.code_executor import CodeBlock, CodeResult, OutputStream
from symposia.core.memory import MemoryContent
from symposia.core.models import FunctionExecutionResult


class ToolCallRequestEvent(BaseAgentEvent):
    """The model asks for tools to be called."""

    content: list[FunctionCall]
    type: Literal["ToolCallRequestEvent"] = "ToolCallRequestEvent"

    def to_text(self) -> str:
        """The calls, as Python shows them."""
        return str(self.content)


class ToolCallExecutionEvent(BaseAgentEvent):
    """The tools were called; one result for each call, in the order of the calls."""

    content: list[FunctionExecutionResult]
    type: Literal["ToolCallExecutionEvent"] = "ToolCallExecutionEvent"

    def to_text(self) -> str:
        """The results, as Python shows them."""
        return str(self.content)


class CodeGenerationEvent(BaseAgentEvent):
    """The model wrote code.

    Attributes:
        retry_attempt: 0 for the first attempt, 1 for the first retry after an error, …
        content: All that the model said.
        code_blocks: The blocks found in it that will run.
    """

    retry_attempt: int
    content: str
    code_blocks: list[CodeBlock]
    type: Literal["CodeGenerationEvent"] = "CodeGenerationEvent"

    def to_text(self) -> str:
        """All that the model said."""
        return self.content


class CodeExecutionEvent(BaseAgentEvent):
    """Code ran.

    Attributes:
        retry_attempt: That of the `CodeGenerationEvent` before it.
        result: How it ended and what it printed. A dump of the event keeps these two only.
    """

    retry_attempt: int
    result: CodeResult
    type: Literal["CodeExecutionEvent"] = "CodeExecutionEvent"

    def to_text(self) -> str:
        """What the code printed."""
        return self.result.output


class OutputRejectedEvent(BaseAgentEvent):
    """An answer of a model was not accepted, and was sent back with the reason.

    Attributes:
        content: The answer; empty if the model called tools instead.
        reason: What is wrong with it.
        attempt: 0 for the first answer of a turn that was sent back, 1 for the second, …
    """

    content: str
    reason: str
    attempt: int
    type: Literal["OutputRejectedEvent"] = "OutputRejectedEvent"

    def to_text(self) -> str:
        """The reason."""
        return self.reason


class UserInputRequestedEvent(BaseAgentEvent):
    """A person is asked for an answer.

    Attributes:
        request_id: Tells this request from others; `UserProxyAgent.InputRequestContext` gives it to the input function.
        content: Empty.
    """

    request_id: str
    content: Literal[""] = ""
    type: Literal["UserInputRequestedEvent"] = "UserInputRequestedEvent"

    def to_text(self) -> str:
        """Nothing: the input function speaks to the person."""
        return self.content


class ModelClientStreamingChunkEvent(BaseAgentEvent):
    """A piece of a model's answer, as it arrives.

    Attributes:
        full_message_id: The id of the message that will hold the whole answer.
    """

    content: str
    full_message_id: str | None = None
    type: Literal["ModelClientStreamingChunkEvent"] = "ModelClientStreamingChunkEvent"

    def to_text(self) -> str:
        """The piece."""
        return self.content


class CodeOutputEvent(ModelClientStreamingChunkEvent):
    """A piece of what running code prints, as it comes.

    It is a chunk: it is shown, and is not part of results and transcripts. The `full_message_id` of the pieces of one
    execution is the same, and is not the id of a message.

    Attributes:
        stream: Where the code prints it.
    """

    stream: OutputStream
    type: Literal["CodeOutputEvent"] = "CodeOutputEvent"  # type: ignore[assignment]  # each class has a type of its own


class ThoughtEvent(BaseAgentEvent):
    """What a model thought before it answered or called tools."""

    content: str
    type: Literal["ThoughtEvent"] = "ThoughtEvent"

    def to_text(self) -> str:
        """The thought."""
        return self.content


class SelectorEvent(BaseAgentEvent):
    """What a selector's model said, word for word, before a speaker was found in it."""

    content: str
    type: Literal["SelectorEvent"] = "SelectorEvent"

    def to_text(self) -> str:
        """What it said."""
        return self.content


class SelectSpeakerEvent(BaseAgentEvent):
    """A team chose who speaks next: their names."""

    content: list[str]
    type: Literal["SelectSpeakerEvent"] = "SelectSpeakerEvent"

    def to_text(self) -> str:
        """The names, as Python shows them."""
        return str(self.content)


class MemoryQueryEvent(BaseAgentEvent):
    """Memories were put into an agent's model context."""

    content: list[MemoryContent]
    type: Literal["MemoryQueryEvent"] = "MemoryQueryEvent"

    def to_text(self) -> str:
        """The memories, as Python shows them."""
        return str(self.content)


ToolCallResultMessage = ToolCallExecutionEvent
"""Another name for the event that carries tool results, as programs look for it in a stream."""

AgentEvent = Annotated[
    ToolCallRequestEvent
    | ToolCallExecutionEvent
    | MemoryQueryEvent
    | UserInputRequestedEvent
    | ModelClientStreamingChunkEvent
    | ThoughtEvent
    | SelectSpeakerEvent
    | CodeGenerationEvent
    | CodeExecutionEvent
    | CodeOutputEvent
    | OutputRejectedEvent,
    Field(discriminator="type"),
]
"""Any of the agent events that come with the library, for fields of pydantic models."""
