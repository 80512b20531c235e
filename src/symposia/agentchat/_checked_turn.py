"""Carrying out the verdicts of guardrails in a turn of an agent."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Final, TypeAlias, TypeVar, cast

from symposia.agentchat.base import ONCE, AgentOutline, Bounds, Response
from symposia.agentchat.guardrails import (
    Allow,
    Block,
    Change,
    Guardrail,
    GuardrailContext,
    GuardrailStage,
    ToolCall,
    Verdict,
)
from symposia.agentchat.messages import (
    BaseChatMessage,
    GuardrailEvent,
    Item,
    ModelClientStreamingChunkEvent,
    StopMessage,
)
from symposia.core import CancellationToken, cancelled_by
from symposia.core.effects import enter_scope
from symposia.core.exceptions import AgentError
from symposia.core.models import RequestUsage

T = TypeVar("T")

_VALUES: Final[Mapping[GuardrailStage, str]] = {
    "input": "a list of chat messages",
    "tool_call": "a mapping with the arguments",
    "output": "a chat message",
}

Answer: TypeAlias = Callable[[Sequence[BaseChatMessage]], AsyncGenerator[Item | Response, None]]
"""Takes a turn: yields its messages and events, and the response last."""


async def checked_turn(
    agent: str,
    guardrails: Sequence[Guardrail],
    messages: Sequence[BaseChatMessage],
    token: CancellationToken,
    answer: Answer,
) -> AsyncGenerator[Item | Response, None]:
    """A turn whose input and output are checked. Each guardrail sees what those before it have let through.

    Where the input is blocked, the agent is not asked, and where the output is blocked, it is not shown: the answer is
    a `StopMessage` with the reason. Pieces of a streamed answer are withheld until the output has passed, and are shown
    only if it has passed unchanged. Other messages and events of the turn are shown as they come.
    """
    context = GuardrailContext(agent=agent, cancellation_token=token)
    received, before = await _check(guardrails, "input", _check_input, messages, context)
    for event in before:
        yield event
    if isinstance(received, Block):
        yield Response(chat_message=_stop(agent, before[-1], None), inner_messages=before)
        return
    withholds = any("output" in each.stages for each in guardrails)
    withheld: list[Item] = []
    async with aclosing(answer(received)) as items:
        async for item in items:
            if withholds and isinstance(item, ModelClientStreamingChunkEvent):
                withheld.append(item)
            elif not isinstance(item, Response):
                yield item
            else:
                said = item.chat_message
                passed, after = await _check(guardrails, "output", _check_output, said, context)
                if passed is said:
                    for piece in withheld:
                        yield piece
                for event in after:
                    yield event
                shown = _stop(agent, after[-1], said.models_usage) if isinstance(passed, Block) else passed
                yield Response(chat_message=shown, inner_messages=[*before, *(item.inner_messages or ()), *after])


def guarded_outline(outline: AgentOutline, guardrails: Sequence[Guardrail], tool_calls: Bounds) -> AgentOutline:
    """The outline of an agent, with the models that its guardrails ask and the message in place of a blocked one.

    Args:
        outline: Of the agent without them.
        guardrails: Its guardrails; none leave the outline as it is.
        tool_calls: How many tool calls it makes in a turn.
    """
    if not guardrails:
        return outline
    checks: Mapping[GuardrailStage, Bounds] = {"input": ONCE, "tool_call": tool_calls, "output": ONCE}
    uses = [
        replace(use, calls=use.calls.times(checks[stage]))
        for each in guardrails
        for stage, asked in each.model_uses().items()
        for use in asked
    ]
    models = None if outline.models is None else [*outline.models, *uses]
    produces = None if outline.produces is None else [*outline.produces, StopMessage]
    return replace(outline, models=models, produces=produces)


def _check_input(
    guardrail: Guardrail, messages: Sequence[BaseChatMessage], context: GuardrailContext
) -> Awaitable[Verdict[Sequence[BaseChatMessage]]]:
    return guardrail.check_input(messages, context)


def _check_output(
    guardrail: Guardrail, message: BaseChatMessage, context: GuardrailContext
) -> Awaitable[Verdict[BaseChatMessage]]:
    return guardrail.check_output(message, context)


async def check_call(
    agent: str, guardrails: Sequence[Guardrail], call: ToolCall, token: CancellationToken
) -> tuple[Mapping[str, object] | Block, list[GuardrailEvent]]:
    """Have a tool call checked.

    Returns:
        The arguments to call the tool with, or the reason why it is not called; and the events to show.
    """

    def check(
        each: Guardrail, arguments: Mapping[str, object], context: GuardrailContext
    ) -> Awaitable[Verdict[Mapping[str, object]]]:
        return each.check_tool_call(ToolCall(name=call.name, arguments=arguments, id=call.id), context)

    context = GuardrailContext(agent=agent, cancellation_token=token)
    return await _check(guardrails, "tool_call", check, call.arguments, context, call_id=call.id)


async def _check(
    guardrails: Sequence[Guardrail],
    stage: GuardrailStage,
    check: Callable[[Guardrail, T, GuardrailContext], Awaitable[Verdict[T]]],
    value: T,
    context: GuardrailContext,
    call_id: str | None = None,
) -> tuple[T | Block, list[GuardrailEvent]]:
    """The value that the guardrails let through, or the verdict of the one that blocks; and the events to show."""
    events: list[GuardrailEvent] = []
    approvals: dict[Guardrail, object] = {}  # the latest value that each has approved

    async def apply(guardrail: Guardrail, value: T) -> T | Block:
        with enter_scope(f"guardrail:{guardrail.name}"), cancelled_by(context.cancellation_token):
            verdict = _checked(guardrail, stage, await check(guardrail, value, context))
        if not isinstance(verdict, Allow) or verdict.usage is not None:  # an event of each check would hide the others
            events.append(_event(context.agent, guardrail, stage, verdict, call_id))
        if isinstance(verdict, Block):
            return verdict
        approvals.update(verdict.approvals)
        return verdict.value if isinstance(verdict, Change) else value

    for guardrail in guardrails:
        if stage in guardrail.stages:
            outcome = await apply(guardrail, value)
            if isinstance(outcome, Block):
                return outcome, events
            value = outcome
    for guardrail, approved in tuple(approvals.items()):
        # A later guardrail has changed what a person approved. Refusing such an order of guardrails was rejected: it
        # cannot be seen which of them change something.
        if approved is not value and approved != value:
            outcome = await apply(guardrail, value)
            if isinstance(outcome, Block):
                return outcome, events
    return value, events


def _checked(guardrail: Guardrail, stage: GuardrailStage, verdict: Verdict[T]) -> Verdict[T]:
    """The verdict, if it is one.

    Raises:
        AgentError: It is no verdict, or its value is of the wrong type for the stage.
    """
    if not isinstance(verdict, Allow | Block | Change):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
        raise AgentError(
            f"The guardrail {guardrail.name!r} has to return Allow(), Block(reason) or Change(value), and returned"
            f" {verdict!r} for the {stage}."
        )
    if isinstance(verdict, Change) and not _can_be(verdict.value, stage):
        raise AgentError(
            f"The guardrail {guardrail.name!r} changed the {stage} into {verdict.value!r}: the value of its Change has"
            f" to be {_VALUES[stage]}."
        )
    return verdict


def _can_be(value: object, stage: GuardrailStage) -> bool:
    if stage == "output":
        return isinstance(value, BaseChatMessage)
    if stage == "tool_call":
        return isinstance(value, Mapping)
    if not isinstance(value, list | tuple):
        return False
    return all(isinstance(each, BaseChatMessage) for each in cast("Sequence[object]", value))


def _event(
    agent: str, guardrail: Guardrail, stage: GuardrailStage, verdict: Verdict[object], call_id: str | None
) -> GuardrailEvent:
    return GuardrailEvent(
        source=agent,
        content="" if isinstance(verdict, Allow) else verdict.reason,
        guardrail=guardrail.name,
        stage=stage,
        verdict="allow" if isinstance(verdict, Allow) else "block" if isinstance(verdict, Block) else "change",
        call_id=call_id,
        models_usage=verdict.usage,
    )


def _stop(agent: str, event: GuardrailEvent, usage: RequestUsage | None) -> StopMessage:
    """The answer in place of what was blocked, with the tokens that it took."""
    text = f"Guardrail '{event.guardrail}' blocked the {event.stage}: {event.content}"
    return StopMessage(content=text, source=agent, models_usage=usage)
