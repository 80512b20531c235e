"""Checks of what the parts of an assistant's loop return, which a program may have replaced.

A wrong answer is an error that names the method. Without these checks most would be an error of pydantic or of Python
somewhere else, and one would be none: a result for another call than the one that was asked for, which vendors refuse
with every later request of the conversation.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from inspect import isawaitable
from typing import cast

from symposia.agentchat._answers import checked_awaitable
from symposia.agentchat.agents._assistant._parts import AssistantParts, ModelInput, Rejection, TurnProgress
from symposia.agentchat.agents._assistant._tool_calls import AcceptedCall, AvailableTools, CallDecision
from symposia.agentchat.agents._model_turn import ModelCall
from symposia.agentchat.messages import BaseChatMessage, HandoffMessage
from symposia.core import FunctionCall
from symposia.core.exceptions import UsageError
from symposia.core.models import CreateOptions, CreateResult, FunctionExecutionResult, LLMMessage
from symposia.core.tools import Workbench


class CheckedParts:
    """The parts of an assistant's loop, whose answers are checked.

    Args:
        agent: The name of the assistant.
        parts: Its parts.
    """

    def __init__(self, agent: str, parts: AssistantParts) -> None:
        self._agent = agent
        self._parts = parts

    async def build_model_input(self, progress: TurnProgress) -> ModelInput:
        """See `AssistantAgent.build_model_input`."""
        given: object = await self._awaited("build_model_input", self._parts.build_model_input(progress))
        pair = cast("tuple[object, ...]", given if isinstance(given, tuple) else ())
        if len(pair) == 2 and isinstance(pair[1], Mapping):  # noqa: PLR2004 - the fields of ModelInput
            return ModelInput(cast("Sequence[LLMMessage]", pair[0]), cast("CreateOptions", pair[1]))
        raise self._wrong("build_model_input", "a ModelInput(messages, options)", cast("object", given))

    async def decide_calls(self, calls: Sequence[FunctionCall], tools: AvailableTools) -> Sequence[CallDecision]:
        """See `AssistantAgent.decide_calls`."""
        given = await self._awaited("decide_calls", self._parts.decide_calls(calls, tools))
        if not isinstance(given, Sequence) or isinstance(given, str):
            raise self._wrong("decide_calls", "a list with an AcceptedCall or a refuse_call(…) for each call", given)
        decisions = cast("Sequence[object]", given)
        if len(decisions) != len(calls):
            raise UsageError(
                f"decide_calls of agent '{self._agent}' returned {len(decisions)} decisions about {len(calls)} calls:"
                " return one for each, in their order."
            )
        return [self._decision(call, decision) for call, decision in zip(calls, decisions, strict=True)]

    def _decision(self, call: FunctionCall, given: object) -> CallDecision:
        if isinstance(given, AcceptedCall) and isinstance(given.workbench, Workbench):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
            about = given.call.id
        elif isinstance(given, FunctionExecutionResult):
            about = given.call_id
        else:
            raise self._wrong("decide_calls", f"an AcceptedCall or a refuse_call(…) for '{call.name}'", given)
        if about != call.id:
            raise UsageError(
                f"decide_calls of agent '{self._agent}' returned a decision about the call {about!r} in the place of"
                f" {call.id!r}, a call of '{call.name}': return one for each, in their order, with its id."
            )
        return given

    async def make_answer(self, call: ModelCall, progress: TurnProgress) -> BaseChatMessage | Rejection:
        """See `AssistantAgent.make_answer`."""
        given = await self._awaited("make_answer", self._parts.make_answer(call, progress))
        if isinstance(given, Rejection):
            return given
        return self._message("make_answer", "a chat message or a Rejection(…)", given)

    async def fall_back(self, rejection: Rejection) -> BaseChatMessage | None:
        """The answer in place of the rejected one; None if the model is asked again."""
        if rejection.fallback is None:
            return None
        fallback = cast("object", rejection.fallback)
        answer: object = fallback() if callable(fallback) else fallback
        given = await cast("Awaitable[object]", answer) if isawaitable(answer) else answer
        return self._message("the fallback of make_answer", "a chat message", given)

    async def summarize_results(
        self, calls: Sequence[FunctionCall], results: Sequence[FunctionExecutionResult]
    ) -> BaseChatMessage:
        """See `AssistantAgent.summarize_results`."""
        given = await self._awaited("summarize_results", self._parts.summarize_results(calls, results))
        return self._message("summarize_results", "a chat message", given)

    def make_handoff(
        self, answer: CreateResult, calls: Sequence[FunctionCall], results: Sequence[FunctionExecutionResult]
    ) -> HandoffMessage | None:
        """See `AssistantAgent.make_handoff`."""
        given = cast("object", self._parts.make_handoff(answer, calls, results))
        if given is None or isinstance(given, HandoffMessage):
            return given
        if (close := getattr(given, "close", None)) is not None:  # a coroutine, reported as never awaited otherwise
            close()
        raise self._wrong("make_handoff", "a HandoffMessage or None, as a plain def", given)

    def _awaited(self, method: str, answer: object) -> Awaitable[object]:
        return checked_awaitable(method, "agent", self._agent, answer)

    def _message(self, method: str, wanted: str, given: object) -> BaseChatMessage:
        if isinstance(given, BaseChatMessage):
            return given
        raise self._wrong(method, wanted, given)

    def _wrong(self, method: str, wanted: str, given: object) -> UsageError:
        return UsageError(f"{method} of agent '{self._agent}' has to return {wanted}, and returned {given!r}.")
