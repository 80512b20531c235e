from collections.abc import Sequence
from typing import TypeAlias

import pytest

from symposia.agentchat.base import TerminatedException, TerminationCondition
from symposia.agentchat.conditions import (
    ExternalTermination,
    FunctionalTermination,
    FunctionCallTermination,
    HandoffTermination,
    MaxMessageTermination,
    ReasonedTermination,
    SourceMatchTermination,
    StopMessageTermination,
    TextMentionTermination,
    TextMessageTermination,
    TimeoutTermination,
    TokenUsageTermination,
)
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    HandoffMessage,
    StopMessage,
    TextMessage,
    ThoughtEvent,
    ToolCallExecutionEvent,
)
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.models import FunctionExecutionResult, RequestUsage

Item: TypeAlias = BaseAgentEvent | BaseChatMessage

HELLO = TextMessage(content="hello", source="ann")
DONE = TextMessage(content="all DONE here", source="bob")
THOUGHT = ThoughtEvent(content="hm", source="ann")


def costing(prompt: int, completion: int) -> TextMessage:
    usage = RequestUsage(prompt_tokens=prompt, completion_tokens=completion)
    return TextMessage(content="", source="ann", models_usage=usage)


def executed(name: str) -> ToolCallExecutionEvent:
    result = FunctionExecutionResult(name=name, content="", call_id="1", is_error=False)
    return ToolCallExecutionEvent(source="ann", content=[result])


def handoff(target: str) -> HandoffMessage:
    return HandoffMessage(content="yours", source="ann", target=target)


async def reason(condition: TerminationCondition, *turns: Sequence[Item]) -> str | None:
    """Why it stops after the last of these turns, and not before."""
    *before, last = turns
    for turn in before:
        assert await condition(turn) is None
    stop = await condition(last)
    return stop and stop.content


def set_already() -> ExternalTermination:
    condition = ExternalTermination()
    condition.set()
    return condition


async def _async_says_bob(messages: Sequence[Item]) -> bool:
    return messages[-1].source == "bob"


@pytest.mark.parametrize(
    ("condition", "turns", "expected"),
    [
        (MaxMessageTermination(3), [[HELLO], [HELLO]], None),
        (
            MaxMessageTermination(3),
            [[HELLO, THOUGHT], [HELLO], [HELLO]],
            "Maximum number of messages 3 reached, current message count: 3",
        ),
        (
            MaxMessageTermination(2, include_agent_event=True),
            [[HELLO, THOUGHT]],
            "Maximum number of messages 2 reached, current message count: 2",
        ),
        (TextMentionTermination("DONE"), [[HELLO], [HELLO, DONE, HELLO]], "Text 'DONE' mentioned"),
        (TextMentionTermination("hm"), [[THOUGHT, HELLO]], "Text 'hm' mentioned"),
        (TextMentionTermination("DONE", sources=["ann"]), [[DONE]], None),
        (TextMentionTermination("DONE", sources=["bob"]), [[DONE]], "Text 'DONE' mentioned"),
        (
            TokenUsageTermination(max_total_token=10),
            [[costing(5, 2)], [HELLO, costing(5, 2)]],
            "Token usage limit reached, total token count: 14, prompt token count: 10, completion token count: 4.",
        ),
        (
            TokenUsageTermination(max_prompt_token=5),
            [[costing(5, 0)]],
            "Token usage limit reached, total token count: 5, prompt token count: 5, completion token count: 0.",
        ),
        (TokenUsageTermination(max_completion_token=5), [[costing(5, 4)]], None),
        (set_already(), [[HELLO]], "External termination requested"),
        (ExternalTermination(), [[HELLO]], None),
        (HandoffTermination("user"), [[handoff("bob")], [handoff("user")]], "Handoff to user from ann detected."),
        (StopMessageTermination(), [[HELLO], [StopMessage(content="x", source="ann")]], "Stop message received"),
        (SourceMatchTermination(["bob"]), [[HELLO], [DONE]], "'bob' answered"),
        (TextMessageTermination("bob"), [[HELLO], [DONE]], "Text message received from 'bob'"),
        (TextMessageTermination(), [[handoff("bob")], [HELLO]], "Text message received from 'ann'"),
        (FunctionCallTermination("add"), [[executed("sub")], [executed("add")]], "Function 'add' was executed."),
        (
            FunctionalTermination(lambda messages: messages[-1].source == "bob"),
            [[HELLO], [DONE]],
            "Functional termination condition met",
        ),
        (FunctionalTermination(_async_says_bob), [[HELLO], [DONE]], "Functional termination condition met"),
    ],
)
async def test_a_condition_says_why_it_ends_a_run(
    condition: TerminationCondition, turns: list[list[Item]], expected: str | None
) -> None:
    assert await reason(condition, *turns) == expected
    assert condition.terminated is (expected is not None)


@pytest.mark.parametrize(
    "condition",
    [
        TextMentionTermination("hello"),
        TextMessageTermination(),
        SourceMatchTermination(["ann"]),
        HandoffTermination("user"),
        StopMessageTermination(),
    ],
)
async def test_f33_what_the_task_says_ends_no_run(condition: TerminationCondition) -> None:
    task = [HELLO, handoff("user"), StopMessage(content="x", source="ann")]

    assert await condition.start(task) is None
    assert await (condition & MaxMessageTermination(9)).start(task) is None


async def test_f33_the_task_counts_for_a_text_mention_that_was_asked_to() -> None:
    stop = await TextMentionTermination("hello", include_task=True).start([HELLO])

    assert stop is not None
    assert stop.content == "Text 'hello' mentioned"


async def test_the_messages_of_a_task_are_counted() -> None:
    condition = MaxMessageTermination(2)

    assert await condition.start([HELLO]) is None
    assert await reason(condition, [HELLO]) == "Maximum number of messages 2 reached, current message count: 2"


@pytest.mark.parametrize(
    ("condition", "messages"),
    [
        (MaxMessageTermination(2), [HELLO, HELLO]),
        (TokenUsageTermination(5), [costing(3, 2)]),
        (TextMentionTermination("hello"), [HELLO]),
        (set_already(), [HELLO]),
    ],
)
async def test_a_condition_that_was_met_refuses_until_it_is_reset_and_then_begins_anew(
    condition: TerminationCondition, messages: list[Item]
) -> None:
    assert await condition(messages) is not None
    with pytest.raises(TerminatedException):
        await condition(messages)
    await condition.reset()

    assert not condition.terminated
    assert await condition([THOUGHT]) is None


def test_a_token_limit_needs_a_limit() -> None:
    with pytest.raises(InvalidArgumentError, match="At least one of max_total_token"):
        TokenUsageTermination()


async def test_a_condition_can_be_given_another_reason() -> None:
    condition = ReasonedTermination(MaxMessageTermination(2), "too long")
    assert await reason(condition, [HELLO], [DONE]) == "too long"
    assert condition.terminated
    await condition.reset()
    assert not condition.terminated
    assert await condition.start([HELLO]) is None
    stop = await condition.start([HELLO])
    assert stop is not None
    assert (stop.content, stop.source) == ("too long", "MaxMessageTermination")


async def test_a_program_can_tell_which_of_several_conditions_was_met() -> None:
    def limits() -> TerminationCondition:
        return ReasonedTermination(MaxMessageTermination(2), "messages") | ReasonedTermination(
            TokenUsageTermination(5), "tokens"
        )

    assert await reason(limits(), [HELLO], [HELLO]) == "messages"
    assert await reason(limits(), [costing(3, 3)]) == "tokens"
    assert await reason(limits(), [costing(3, 3), HELLO]) == "messages, tokens"


async def test_a_reason_does_not_hide_when_a_condition_is_due_or_what_it_remembers() -> None:
    timeout = ReasonedTermination(TimeoutTermination(60), "too slow")
    assert timeout.due_in() is None
    await timeout.start([HELLO])
    assert 0 < (timeout.due_in() or 0) <= 60

    before = ReasonedTermination(MaxMessageTermination(2), "too long")
    await before([HELLO])
    after = ReasonedTermination(MaxMessageTermination(2), "too long")
    after.load_state(before.save_state())
    assert await reason(after, [HELLO]) == "too long"


def test_a_condition_with_a_reason_is_saved_as_a_component() -> None:
    saved = ReasonedTermination(MaxMessageTermination(2), "too long").dump_component()
    assert saved.config["reason"] == "too long"
    assert TerminationCondition.load_component(saved).dump_component() == saved


def test_a_reason_is_given_to_a_condition_and_to_nothing_else() -> None:
    with pytest.raises(ArgumentTypeError, match="A termination condition is needed"):
        ReasonedTermination("DONE", "done")  # pyright: ignore[reportArgumentType] - the point of the test
