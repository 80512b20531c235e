from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symposia.core import FunctionCall
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.model_context import (
    BufferedChatCompletionContext,
    ChatCompletionContext,
    ChatCompletionContextState,
    HeadAndTailChatCompletionContext,
    SummarizingChatCompletionContext,
    TokenLimitedChatCompletionContext,
    UnboundedChatCompletionContext,
)
from symposia.core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    UserMessage,
)
from symposia.ext.models.replay import ReplayChatCompletionClient


def say(*texts: str) -> list[LLMMessage]:
    return [UserMessage(content=text, source="u") for text in texts]


def use_tool(name: str) -> list[LLMMessage]:
    result = FunctionExecutionResult(content="done", name="f", call_id=name)
    return [
        AssistantMessage(content=[FunctionCall(id=name, arguments="{}", name="f")], source="a"),
        FunctionExecutionResultMessage(content=[result]),
    ]


def limited(token_limit: int | None, messages: Sequence[LLMMessage] = ()) -> TokenLimitedChatCompletionContext:
    client = ReplayChatCompletionClient([])  # counts words
    return TokenLimitedChatCompletionContext(client, token_limit=token_limit, initial_messages=messages)


every_context = pytest.mark.parametrize(
    "make",
    [
        UnboundedChatCompletionContext,
        lambda: BufferedChatCompletionContext(10),
        lambda: HeadAndTailChatCompletionContext(5, 5),
        lambda: limited(1000),
        lambda: SummarizingChatCompletionContext(ReplayChatCompletionClient([]), message_limit=10),
    ],
    ids=["unbounded", "buffered", "head and tail", "token limited", "summarizing"],
)
Make = Callable[[], ChatCompletionContext]


@every_context
async def test_messages_come_in_the_order_they_were_added(make: Make) -> None:
    context = make()
    for message in say("one", "two", "three"):
        await context.add_message(message)
    assert await context.get_messages() == say("one", "two", "three")


@every_context
async def test_an_empty_context_shows_nothing(make: Make) -> None:
    assert await make().get_messages() == []


@every_context
async def test_changing_the_list_that_was_shown_changes_nothing(make: Make) -> None:
    context = make()
    await context.add_message(say("one")[0])
    (await context.get_messages()).clear()
    assert await context.get_messages() == say("one")


@every_context
async def test_clear_forgets_everything(make: Make) -> None:
    context = make()
    await context.add_message(say("one")[0])
    await context.clear()
    assert await context.get_messages() == []


async def test_clear_forgets_the_initial_messages_too() -> None:
    context = UnboundedChatCompletionContext(say("one"))
    await context.clear()
    assert await context.get_messages() == []


async def test_the_initial_messages_stay_the_callers_own() -> None:
    given = say("one")
    context = UnboundedChatCompletionContext(given)
    await context.add_message(say("two")[0])
    assert given == say("one")


async def test_a_state_is_written_as_autogen_writes_it() -> None:
    state = await UnboundedChatCompletionContext(say("one")).save_state()
    assert state == {"messages": [{"content": "one", "source": "u", "type": "UserMessage"}]}
    assert ChatCompletionContextState.model_validate(state).messages == say("one")


async def test_loading_a_state_replaces_what_is_there() -> None:
    context = UnboundedChatCompletionContext(say("one"))
    await context.load_state(await UnboundedChatCompletionContext(say("two")).save_state())
    assert await context.get_messages() == say("two")


async def test_a_context_of_ones_own_needs_only_to_choose() -> None:
    class LastOnly(ChatCompletionContext):
        async def get_messages(self) -> list[LLMMessage]:
            return self._messages[-1:]

    context = LastOnly(initial_messages=say("one"))
    await context.add_message(say("two")[0])
    assert await context.get_messages() == say("two")


async def test_a_buffer_shows_the_newest() -> None:
    assert await BufferedChatCompletionContext(2, say("one", "two", "three")).get_messages() == say("two", "three")


async def test_a_buffer_leaves_out_results_whose_call_is_cut_off() -> None:
    context = BufferedChatCompletionContext(2, [*use_tool("x"), *say("three")])
    assert await context.get_messages() == say("three")


async def test_a_buffer_that_is_too_small_for_the_newest_call_and_result_shows_both() -> None:
    context = BufferedChatCompletionContext(1, [*say("one"), *use_tool("x")])
    assert await context.get_messages() == use_tool("x")


async def test_a_call_that_waits_for_its_result_is_shown() -> None:
    waiting = use_tool("x")[:1]
    assert await BufferedChatCompletionContext(1, [*say("one"), *waiting]).get_messages() == waiting


async def test_head_and_tail_say_how_many_are_left_out() -> None:
    context = HeadAndTailChatCompletionContext(1, 2, say("one", "two", "three", "four", "five"))
    note = UserMessage(content="Skipped 2 messages.", source="System")
    assert await context.get_messages() == [*say("one"), note, *say("four", "five")]


async def test_head_and_tail_leave_out_an_exchange_at_either_edge_and_count_it() -> None:
    messages = [*say("one"), *use_tool("x"), *say("four"), *use_tool("y"), *say("seven")]
    note = UserMessage(content="Skipped 5 messages.", source="System")
    context = HeadAndTailChatCompletionContext(2, 2, messages)
    assert await context.get_messages() == [*say("one"), note, *say("seven")]


async def test_head_and_tail_show_everything_that_fits() -> None:
    context = HeadAndTailChatCompletionContext(1, 2, say("one", "two", "three"))
    assert await context.get_messages() == say("one", "two", "three")


async def test_a_token_limit_leaves_out_the_middle_first() -> None:
    context = limited(3, say("one", "two", "three", "four", "five"))
    assert await context.get_messages() == say("one", "two", "five")


@pytest.mark.parametrize(
    ("messages", "token_limit", "shown"),
    [
        ("ab", 2, "ab"),
        ("abc", 2, "ac"),
        ("abcd", 3, "abd"),
        ("abcd", 2, "ad"),
        ("abcdef", 5, "abcef"),
        ("abcdef", 4, "abef"),
        ("abcdefg", 5, "abcfg"),
    ],
)
async def test_a_token_limit_leaves_out_what_autogen_does(messages: str, token_limit: int, shown: str) -> None:
    assert await limited(token_limit, say(*messages)).get_messages() == say(*shown)


async def test_a_token_limit_that_is_not_reached_leaves_out_nothing() -> None:
    assert await limited(3, say("one", "two", "three")).get_messages() == say("one", "two", "three")


@given(st.integers(1, 12), st.integers(1, 12))
async def test_a_token_limit_leaves_out_no_more_than_it_must(token_limit: int, messages: int) -> None:
    shown = await limited(token_limit, say(*["word"] * messages)).get_messages()
    assert len(shown) == min(token_limit, messages)


async def test_a_token_limit_never_leaves_out_the_newest() -> None:
    assert await limited(1, say("one", "a long last word")).get_messages() == say("a long last word")


async def test_without_a_limit_the_room_of_the_model_is_the_limit() -> None:
    long = " ".join(["word"] * 6_000)
    assert await limited(None, say(long, long, "end")).get_messages() == say(long, "end")


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: BufferedChatCompletionContext(0), "buffer_size must be greater than 0."),
        (lambda: HeadAndTailChatCompletionContext(0, 1), "head_size must be greater than 0."),
        (lambda: HeadAndTailChatCompletionContext(1, -1), "tail_size must be greater than 0."),
        (lambda: limited(0), "token_limit must be greater than 0."),
    ],
)
def test_bounds_that_hold_nothing_are_refused(make: Make, text: str) -> None:
    with pytest.raises(InvalidArgumentError, match=text):
        make()
