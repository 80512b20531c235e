from typing import Annotated, Literal

from pydantic import Field

from symposia.agentchat.messages._base import BaseAgentEvent
from symposia.core import FunctionCall
from symposia.core.code_executor import CodeBlock, CodeResult, OutputStream
from symposia.core.memory import MemoryContent
from symposia.core.models import FunctionExecutionResult


class ToolCallRequestEvent(BaseAgentEvent):
    """Tool calls that the model requests."""

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
        content: The whole answer of the model.
        code_blocks: The blocks found in it that will run.
    """

    retry_attempt: int
    content: str
    code_blocks: list[CodeBlock]
    type: Literal["CodeGenerationEvent"] = "CodeGenerationEvent"

    def to_text(self) -> str:
        """The whole answer of the model."""
        return self.content


class CodeExecutionEvent(BaseAgentEvent):
    """Code ran.

    Attributes:
        retry_attempt: That of the `CodeGenerationEvent` before it.
        result: The exit status and the output. A dump of the event keeps only these two.
    """

    retry_attempt: int
    result: CodeResult
    type: Literal["CodeExecutionEvent"] = "CodeExecutionEvent"

    def to_text(self) -> str:
        """The output of the code."""
        return self.result.output


class OutputRejectedEvent(BaseAgentEvent):
    """An answer of a model was not accepted, and was sent back with the reason.

    Attributes:
        content: The answer; empty if the model called tools instead.
        reason: The reason of the rejection.
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
    """A request for a person's answer.

    Attributes:
        request_id: The id of this request, which `UserProxyAgent.InputRequestContext` gives to the input function.
        content: Empty.
    """

    request_id: str
    content: Literal[""] = ""
    type: Literal["UserInputRequestedEvent"] = "UserInputRequestedEvent"

    def to_text(self) -> str:
        """Empty: the input function shows the prompt."""
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
    """The answer of a selector's model, before a speaker is read from it."""

    content: str
    type: Literal["SelectorEvent"] = "SelectorEvent"

    def to_text(self) -> str:
        """The answer."""
        return self.content


class SelectSpeakerEvent(BaseAgentEvent):
    """The names of the next speakers of a team."""

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
