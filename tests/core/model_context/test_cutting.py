"""No context, whatever its bounds, shows a tool result without its call or leaves a call without its result."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symposia.core import FunctionCall
from symposia.core.model_context import (
    BufferedChatCompletionContext,
    ChatCompletionContext,
    HeadAndTailChatCompletionContext,
    TokenLimitedChatCompletionContext,
    UnboundedChatCompletionContext,
)
from symposia.core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
    UserMessage,
)
from symposia.ext.models.replay import ReplayChatCompletionClient


def call(*ids: str) -> AssistantMessage:
    return AssistantMessage(content=[FunctionCall(id=i, arguments="{}", name="f") for i in ids], source="a")


def answer(*ids: str) -> FunctionExecutionResultMessage:
    return FunctionExecutionResultMessage(
        content=[FunctionExecutionResult(content="some words", name="f", call_id=i) for i in ids]
    )


def exchange(number: int, calls: int, messages: int) -> list[LLMMessage]:
    """Calls, and their results in so many messages."""
    ids = [f"{number}.{n}" for n in range(calls)]
    parts = [ids[n::messages] for n in range(messages)]
    return [call(*ids), *(answer(*part) for part in parts if part)]


@st.composite
def conversations(draw: st.DrawFn) -> list[LLMMessage]:
    """Conversations as agents hold them: every call is answered at once, or is the last thing said."""
    conversation: list[LLMMessage] = []
    for number in range(draw(st.integers(0, 8))):
        kind = draw(st.sampled_from(["system", "user", "assistant", "tools"]))
        if kind == "system":
            conversation.append(SystemMessage(content=f"rule {number}"))
        elif kind == "user":
            conversation.append(UserMessage(content=f"question {number}", source="u"))
        elif kind == "assistant":
            conversation.append(AssistantMessage(content=f"answer {number}", source="a"))
        else:
            conversation += exchange(number, draw(st.integers(1, 3)), draw(st.integers(1, 2)))
    if draw(st.booleans()):
        conversation.append(call("last"))
    return conversation


def contexts(messages: Sequence[LLMMessage], first: int, second: int) -> list[ChatCompletionContext]:
    client = ReplayChatCompletionClient([])
    return [
        UnboundedChatCompletionContext(messages),
        BufferedChatCompletionContext(first, messages),
        HeadAndTailChatCompletionContext(first, second, messages),
        TokenLimitedChatCompletionContext(client, initial_messages=messages),
        TokenLimitedChatCompletionContext(client, token_limit=first * second, initial_messages=messages),
    ]


def assert_vendors_take(shown: Sequence[LLMMessage]) -> None:
    waiting: set[str] = set()
    for message in shown:
        if isinstance(message, FunctionExecutionResultMessage):
            answered = {result.call_id for result in message.content}
            assert answered <= waiting, "a result without its call"
            waiting -= answered
            continue
        assert not waiting, "a call without its result"
        if isinstance(message, AssistantMessage) and not isinstance(message.content, str):
            waiting = {each.id for each in message.content}


bounds = st.integers(1, 12)


@given(conversations(), bounds, bounds)
async def test_calls_and_results_are_never_parted(messages: list[LLMMessage], first: int, second: int) -> None:
    for context in contexts(messages, first, second):
        assert_vendors_take(await context.get_messages())


@given(conversations(), bounds, bounds)
async def test_the_newest_message_is_always_shown(messages: list[LLMMessage], first: int, second: int) -> None:
    for context in contexts(messages, first, second):
        shown = await context.get_messages()
        assert shown[-1:] == messages[-1:]


@given(conversations(), bounds, bounds)
async def test_what_is_shown_is_in_the_order_of_the_conversation(
    messages: list[LLMMessage], first: int, second: int
) -> None:
    for context in contexts(messages, first, second):
        shown = [message for message in await context.get_messages() if not is_note(message)]
        places = [next(n for n, message in enumerate(messages) if message is each) for each in shown]
        assert places == sorted(set(places))


def is_note(message: LLMMessage) -> bool:
    return isinstance(message, UserMessage) and message.source == "System"


@given(conversations(), bounds, bounds)
async def test_a_state_holds_everything_and_shows_the_same(messages: list[LLMMessage], first: int, second: int) -> None:
    for context, fresh in zip(contexts(messages, first, second), contexts([], first, second), strict=True):
        await fresh.load_state(await context.save_state())
        assert await fresh.get_messages() == await context.get_messages()
        assert await fresh.save_state() == await context.save_state()


@pytest.mark.parametrize("ids", [("x",), ("x", "y")])
async def test_a_broken_conversation_is_mended_at_its_edges(ids: tuple[str, ...]) -> None:
    broken: list[LLMMessage] = [answer("lost"), call(*ids), UserMessage(content="Hello?", source="u"), answer(*ids)]
    question = UserMessage(content="Well?", source="u")
    context = BufferedChatCompletionContext(5, [*broken, question])
    assert await context.get_messages() == [broken[2], question]
