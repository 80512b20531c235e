"""The parts of an assistant's loop: the input of the model, the calls, and the answer.

`AssistantAgent` has a method for each, which by default does what `DefaultParts` does. A subclass that overrides one
replaces that part and keeps the loop.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from symposia.agentchat.agents._assistant._configuration import AssistantConfiguration
from symposia.agentchat.agents._assistant._tool_calls import AvailableTools, CallDecision, decide_calls
from symposia.agentchat.agents._model_turn import ModelCall
from symposia.agentchat.messages import BaseChatMessage, HandoffMessage
from symposia.core import FunctionCall
from symposia.core.models import CreateOptions, CreateResult, FunctionExecutionResult, LLMMessage


class TurnProgress(NamedTuple):
    """The progress of a turn of an assistant.

    Attributes:
        received: The messages that the turn answers.
        tools: The tools available now.
        rounds: The rounds of tool calls so far.
        may_call: Whether another round is allowed. Otherwise no calls are made, and the model has to answer.
        ignores_choice: Whether the model has asked for tools though ``tool_choice`` was ``none``, which some servers
            ignore. It is asked again without tools.
        corrections: How many answers were sent back to the model with a correction.
        rejected: The messages for the model after the conversation: the rejected answers, each with its correction.
    """

    received: Sequence[BaseChatMessage]
    tools: AvailableTools
    rounds: int
    may_call: bool
    ignores_choice: bool
    corrections: int
    rejected: Sequence[LLMMessage]


class ModelInput(NamedTuple):
    """The input of a call of a model.

    Attributes:
        messages: The messages. They should begin like those of the previous call, for the vendor's prompt cache.
        options: The other arguments of `ChatCompletionClient.create`: tools, choice among them, form of the answer.
    """

    messages: Sequence[LLMMessage]
    options: CreateOptions


class Rejection(NamedTuple):
    """The rejection of a model's answer. It is shown as an `OutputRejectedEvent`, with the tokens of the answer.

    Attributes:
        reason: The fault of the answer.
        correction: The message with which the answer is sent back to the model; None sends back neither.
        fallback: Makes the answer in its place, which ends the turn; None asks the model again.
    """

    reason: str
    correction: str | None = None
    fallback: Callable[[], Awaitable[BaseChatMessage]] | None = None


class AssistantParts(Protocol):
    """The methods of `AssistantAgent` that are the parts of its loop."""

    async def build_model_input(self, progress: TurnProgress) -> ModelInput:
        """See `AssistantAgent.build_model_input`."""
        ...

    async def decide_calls(self, calls: Sequence[FunctionCall], tools: AvailableTools) -> Sequence[CallDecision]:
        """See `AssistantAgent.decide_calls`."""
        ...

    async def make_answer(self, call: ModelCall, progress: TurnProgress) -> BaseChatMessage | Rejection:
        """See `AssistantAgent.make_answer`."""
        ...

    async def summarize_results(
        self, calls: Sequence[FunctionCall], results: Sequence[FunctionExecutionResult]
    ) -> BaseChatMessage:
        """See `AssistantAgent.summarize_results`."""
        ...

    def make_handoff(
        self, answer: CreateResult, calls: Sequence[FunctionCall], results: Sequence[FunctionExecutionResult]
    ) -> HandoffMessage | None:
        """See `AssistantAgent.make_handoff`."""
        ...


class DefaultParts:
    """The default parts of the loop, which follow the configuration of an assistant."""

    def __init__(self, configuration: AssistantConfiguration) -> None:
        self._configuration = configuration

    async def build_model_input(self, progress: TurnProgress) -> ModelInput:
        """See `AssistantAgent.build_model_input`."""
        output = self._configuration.output
        options: CreateOptions = {
            "tools": () if progress.ignores_choice else progress.tools.schemas,
            "json_output": None if output is None else output.mode(self._configuration.client),
        }
        if not progress.may_call:  # ``auto`` is left out, so that clients without the parameter work too
            options["tool_choice"] = "none"
        conversation = await self._configuration.conversation.shown()
        return ModelInput([*conversation, *progress.rejected] if progress.rejected else conversation, options)

    async def decide_calls(self, calls: Sequence[FunctionCall], tools: AvailableTools) -> Sequence[CallDecision]:
        """See `AssistantAgent.decide_calls`."""
        return decide_calls(calls, tools, self._configuration.answers.handoffs)

    async def make_answer(self, call: ModelCall, progress: TurnProgress) -> BaseChatMessage | Rejection:
        """See `AssistantAgent.make_answer`."""
        if not isinstance(call.result.content, str) and progress.tools.schemas and not progress.ignores_choice:
            return Rejection("The model asked for tools where it was to call none. It is asked again without them.")
        output = self._configuration.output
        if output is None:
            return self._configuration.answers.text(call)
        verdict = await output.judge(call, progress.received)
        if not verdict.complaint:
            return await output.settle(verdict, call)
        is_last = progress.corrections >= output.retries
        fallback = partial(output.settle, verdict, call) if is_last else None
        return Rejection(verdict.complaint, output.correction(verdict), fallback)

    async def summarize_results(
        self, calls: Sequence[FunctionCall], results: Sequence[FunctionExecutionResult]
    ) -> BaseChatMessage:
        """See `AssistantAgent.summarize_results`."""
        return await self._configuration.answers.summary(calls, results)

    def make_handoff(
        self, answer: CreateResult, calls: Sequence[FunctionCall], results: Sequence[FunctionExecutionResult]
    ) -> HandoffMessage | None:
        """See `AssistantAgent.make_handoff`."""
        return self._configuration.answers.handoff(answer, calls, results)


class SchemaParts(DefaultParts):
    """The parts of a turn that is answered in a schema. What is asked is decided by the assistant's own part.

    Args:
        configuration: The configuration of the turn.
        own: The assistant's parts.
    """

    def __init__(self, configuration: AssistantConfiguration, own: AssistantParts) -> None:
        super().__init__(configuration)
        self._own = own

    async def build_model_input(self, progress: TurnProgress) -> ModelInput:
        """Ask what the assistant asks, for an answer in the schema."""
        messages, options = await self._own.build_model_input(progress)
        output = self._configuration.output
        json_output = None if output is None else output.mode(self._configuration.client)
        return ModelInput(messages, {**options, "json_output": json_output})
