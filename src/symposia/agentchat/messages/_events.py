"""Events of agents and teams. Those of code and memories are in `_code_and_memory.py`."""

from __future__ import annotations

from typing import Literal

from symposia.agentchat.messages._base import BaseAgentEvent
from symposia.core import FunctionCall
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


class OutputRejectedEvent(BaseAgentEvent):
    """An answer of a model was not accepted. It is sent back with the reason, unless it was the last attempt.

    Attributes:
        content: The answer; the calls as Python shows them, if the model called tools instead.
        reason: The reason of the rejection.
        attempt: 0 for the first answer of a turn that was not accepted, 1 for the second, …
    """

    content: str
    reason: str
    attempt: int
    type: Literal["OutputRejectedEvent"] = "OutputRejectedEvent"

    def to_text(self) -> str:
        """The reason."""
        return self.reason


class GuardrailEvent(BaseAgentEvent):
    """The verdict of a guardrail. One that lets through without taking tokens has no event.

    Attributes:
        content: The reason; empty where nothing was blocked or changed.
        guardrail: The name of the guardrail.
        stage: What was checked.
        verdict: The verdict.
        call_id: The id of the tool call that was checked; None for input and output.
    """

    content: str
    guardrail: str
    stage: Literal["input", "tool_call", "output"]
    verdict: Literal["allow", "block", "change"]
    call_id: str | None = None
    type: Literal["GuardrailEvent"] = "GuardrailEvent"

    def to_text(self) -> str:
        """The reason."""
        return self.content


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


class ProgressLedgerEvent(BaseAgentEvent):
    """How the orchestrator of a Magentic-One team judges the work, before each turn of a participant.

    Attributes:
        content: What the next speaker is told; why the task is done, if it is.
        is_satisfied: Whether the task is done.
        is_in_loop: Whether the team repeats itself.
        is_progressing: Whether the last turns made progress.
        next_speaker: The participant that acts next; None if the task is done or planned anew.
        stalls: The count of stalls, this one included.
        max_stalls: The count with which there is a new plan.
    """

    content: str
    is_satisfied: bool
    is_in_loop: bool
    is_progressing: bool
    next_speaker: str | None
    stalls: int
    max_stalls: int
    type: Literal["ProgressLedgerEvent"] = "ProgressLedgerEvent"

    def to_text(self) -> str:
        """The judgement in a line."""
        if self.is_satisfied:
            return "The task is done."
        judged = (
            "goes in circles" if self.is_in_loop else "makes progress" if self.is_progressing else "makes no progress"
        )
        then = "there is a new plan" if self.next_speaker is None else f"next is {self.next_speaker}"
        stalls = f" ({self.stalls} of {self.max_stalls} stalls)" if self.stalls else ""
        return f"The work {judged}{stalls}; {then}."


class SelectSpeakerEvent(BaseAgentEvent):
    """The names of the next speakers of a team."""

    content: list[str]
    type: Literal["SelectSpeakerEvent"] = "SelectSpeakerEvent"

    def to_text(self) -> str:
        """The names, as Python shows them."""
        return str(self.content)


ToolCallResultMessage = ToolCallExecutionEvent
"""Another name for the event that carries tool results, as programs look for it in a stream."""
