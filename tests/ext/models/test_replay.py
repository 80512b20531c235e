import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symposia.core import CancellationToken, FunctionCall
from symposia.core.exceptions import ArgumentTypeError
from symposia.core.models import (
    AssistantMessage,
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    ModelInfo,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from symposia.ext.models.replay import ReplayChatCompletionClient

QUESTION = UserMessage(content="three small words", source="u")
TOOL_CALL = CreateResult(
    finish_reason="function_calls",
    content=[FunctionCall(id="1", arguments="{}", name="add")],
    usage=RequestUsage(10, 20),
    cached=False,
)


async def ask(client: ReplayChatCompletionClient) -> CreateResult:
    return await client.create([QUESTION])


async def stream(client: ReplayChatCompletionClient) -> list[str | CreateResult]:
    return [piece async for piece in client.create_stream([QUESTION])]


async def test_answers_are_given_in_turn() -> None:
    client = ReplayChatCompletionClient(["one", TOOL_CALL, "two"])
    assert (await ask(client)).content == "one"
    assert await ask(client) is TOOL_CALL
    assert (await ask(client)).content == "two"


async def test_text_becomes_a_whole_result() -> None:
    assert await ask(ReplayChatCompletionClient(["four words for you"])) == CreateResult(
        finish_reason="stop", content="four words for you", usage=RequestUsage(3, 4), cached=True
    )


async def test_after_the_last_answer_there_is_an_error() -> None:
    client = ReplayChatCompletionClient(["one"])
    await ask(client)
    with pytest.raises(ValueError, match=r"^No more mock responses available: all 1 .*termination condition"):
        await ask(client)
    with pytest.raises(ValueError, match="No more mock responses available"):
        await stream(client)


async def test_an_exception_in_the_list_is_raised_in_its_turn() -> None:
    client = ReplayChatCompletionClient(["one", ConnectionError("line is cut"), "two"])
    await ask(client)
    with pytest.raises(ConnectionError, match="line is cut"):
        await ask(client)
    assert (await ask(client)).content == "two"


async def test_a_function_answers_each_conversation() -> None:
    def echo(messages: Sequence[LLMMessage]) -> str:
        return f"You said: {messages[-1].content}"

    client = ReplayChatCompletionClient(echo)
    for _ in range(2):
        assert (await ask(client)).content == "You said: three small words"


async def test_a_function_may_be_async_and_give_a_whole_result() -> None:
    async def call_tool(messages: Sequence[LLMMessage]) -> CreateResult:
        await asyncio.sleep(0)
        return TOOL_CALL

    assert await ask(ReplayChatCompletionClient(call_tool)) is TOOL_CALL


async def test_text_is_streamed_word_by_word_and_then_whole() -> None:
    *chunks, whole = await stream(ReplayChatCompletionClient(["one two three"]))
    assert chunks == ["one ", "two ", "three"]
    assert whole == CreateResult(finish_reason="stop", content="one two three", usage=RequestUsage(3, 3), cached=True)


@given(st.text())
async def test_the_streamed_words_make_up_the_text(text: str) -> None:
    *chunks, whole = await stream(ReplayChatCompletionClient([text]))
    assert isinstance(whole, CreateResult)
    assert whole.content == text
    if text.strip():
        assert "".join(cast("list[str]", chunks)) == text


async def test_a_whole_result_is_streamed_in_one_piece() -> None:
    assert await stream(ReplayChatCompletionClient([TOOL_CALL])) == [TOOL_CALL]


async def test_usage_is_counted_for_every_answer_streamed_or_not() -> None:
    client = ReplayChatCompletionClient(["one", TOOL_CALL, "two words"])
    await ask(client)
    await ask(client)
    await stream(client)
    assert client.total_usage() == RequestUsage(3 + 10 + 3, 1 + 20 + 2)
    assert client.actual_usage() == RequestUsage(3, 2)


async def test_reset_begins_again() -> None:
    client = ReplayChatCompletionClient(["one"])
    await ask(client)
    client.reset()
    assert client.total_usage() == client.actual_usage() == RequestUsage(0, 0)
    assert (await ask(client)).content == "one"


async def test_the_cached_flag_can_be_set() -> None:
    client = ReplayChatCompletionClient(["one", "two"])
    client.set_cached_bool_value(value=False)
    assert not (await ask(client)).cached


async def test_every_request_is_kept_as_it_was() -> None:
    client = ReplayChatCompletionClient(["one", "two"])
    messages: list[LLMMessage] = [QUESTION]
    await client.create(messages, json_output=True, extra_create_args={"seed": 1})
    messages.append(SystemMessage(content="later"))
    await stream(client)
    first, second = client.create_calls
    assert first == {
        "messages": [QUESTION],
        "tools": [],
        "json_output": True,
        "extra_create_args": {"seed": 1},
        "cancellation_token": None,
    }
    assert second["json_output"] is None


async def test_a_cancelled_token_asks_nothing() -> None:
    token = CancellationToken()
    token.cancel()
    client = ReplayChatCompletionClient(["one"])
    with pytest.raises(asyncio.CancelledError):
        await client.create([QUESTION], cancellation_token=token)
    assert client.create_calls == []


async def test_cancelling_the_token_ends_a_function_that_answers() -> None:
    started = asyncio.Event()

    async def never(messages: Sequence[LLMMessage]) -> str:
        started.set()
        await asyncio.Event().wait()
        return "never"

    token = CancellationToken()
    async with asyncio.timeout(5):
        running = asyncio.ensure_future(ReplayChatCompletionClient(never).create([QUESTION], cancellation_token=token))
        await started.wait()
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


def test_tokens_are_words() -> None:
    client = ReplayChatCompletionClient([])
    messages: list[LLMMessage] = [
        SystemMessage(content="two words"),
        UserMessage(content=["one", "two more"], source="u"),
        AssistantMessage(content=[FunctionCall(id="1", arguments='{"a": 1}', name="add")], source="a"),
        FunctionExecutionResultMessage(content=[FunctionExecutionResult(content="is 2", name="add", call_id="1")]),
    ]
    assert client.count_tokens(messages) == 2 + 3 + 2 + 2
    assert client.remaining_tokens(messages) == 10_000 - 9


async def test_the_abilities_are_those_it_is_given() -> None:
    info = ModelInfo(vision=True, function_calling=True, json_output=True, family="unknown", structured_output=True)
    client = ReplayChatCompletionClient([], model_info=info)
    assert client.model_info == client.capabilities == info
    assert ReplayChatCompletionClient([]).model_info["vision"] is False
    await client.close()


def test_abilities_that_say_too_little_are_refused() -> None:
    with pytest.raises(ValueError, match="Missing required field 'vision'"):
        ReplayChatCompletionClient([], model_info=cast("ModelInfo", {}))


async def test_a_call_is_recorded_as_autogen_records_it_and_with_the_choice_of_a_tool_if_there_is_one() -> None:
    client = ReplayChatCompletionClient(["one", "two", "three"])
    await client.create([QUESTION])
    await client.create([QUESTION], tool_choice="required")
    assert [item async for item in client.create_stream([QUESTION], tool_choice="none")]

    plain: dict[str, object] = {
        "messages": [QUESTION],
        "tools": [],
        "json_output": None,
        "extra_create_args": {},
        "cancellation_token": None,
    }
    assert client.create_calls == [plain, {**plain, "tool_choice": "required"}, {**plain, "tool_choice": "none"}]


async def test_usage_is_the_sum_of_the_answers_and_room_is_that_of_the_messages() -> None:
    client = ReplayChatCompletionClient(["one two", TOOL_CALL])
    answers = [await client.create([QUESTION]) for _ in range(2)]

    assert client.total_usage() == answers[0].usage + answers[1].usage == RequestUsage(13, 22)
    assert client.actual_usage() == answers[1].usage
    assert client.remaining_tokens([QUESTION]) == client.remaining_tokens([]) - 3 == 9_997


def counts(messages: Sequence[LLMMessage]) -> int:
    return len(messages)


NO_ANSWERS: dict[str, Any] = {
    "dictionary": [{"content": "one"}],
    "none": [None],
    "function": counts,
}  # Any: wrong types


@pytest.mark.parametrize("script", NO_ANSWERS.values(), ids=NO_ANSWERS)
async def test_an_answer_that_is_none_is_refused(script: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="is a text, a CreateResult or an exception, not "):
        await ReplayChatCompletionClient(script).create([QUESTION])
    with pytest.raises(ArgumentTypeError, match="is a text, a CreateResult or an exception, not "):
        await stream(ReplayChatCompletionClient(script))
