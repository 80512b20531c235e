import asyncio
import json
import logging
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.journal import Journal

from symposia.core import FunctionCall, Image
from symposia.core.effects import handle_effects
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.model_context import SummarizingChatCompletionContext, UnboundedChatCompletionContext
from symposia.core.models import (
    AssistantMessage,
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from symposia.ext.models.replay import ReplayChatCompletionClient

WAIT = 10.0


def say(*texts: str) -> list[LLMMessage]:
    return [UserMessage(content=text, source="u") for text in texts]


def use_tools(*ids: str) -> list[LLMMessage]:
    return [
        AssistantMessage(content=[FunctionCall(id=one, arguments=f'"{one}"', name="f") for one in ids], source="a"),
        *(
            FunctionExecutionResultMessage(content=[FunctionExecutionResult(content="ok", name="f", call_id=one)])
            for one in ids
        ),
    ]


def summary(text: str, source: str = "summary") -> LLMMessage:
    return UserMessage(content=f"Summary of the conversation so far:\n{text}", source=source)


def asked(client: ReplayChatCompletionClient) -> list[str]:
    """What the summarizer was shown, one text a request."""
    return [str(call["messages"][1].content) for call in client.create_calls]


async def test_everything_is_shown_up_to_the_limit() -> None:
    client = ReplayChatCompletionClient([])
    context = SummarizingChatCompletionContext(client, message_limit=3, initial_messages=say("1", "2", "3"))
    assert await context.get_messages() == say("1", "2", "3")
    assert context.summary == ""


async def test_past_the_limit_the_older_half_becomes_a_summary() -> None:
    client = ReplayChatCompletionClient(["they counted"])
    context = SummarizingChatCompletionContext(
        client, message_limit=4, initial_messages=say("one", "two", "three", "four", "five")
    )
    assert await context.get_messages() == [summary("they counted"), *say("four", "five")]
    assert context.summary == "they counted"
    assert asked(client) == ["<messages>\nu: one\nu: two\nu: three\n</messages>"]


async def test_a_summary_takes_up_the_one_before_it() -> None:
    client = ReplayChatCompletionClient(["first", "second"])
    context = SummarizingChatCompletionContext(
        client, message_limit=3, keep=0, initial_messages=say("1", "2", "3", "4")
    )
    await context.get_messages()
    for message in say("5", "6"):
        await context.add_message(message)
    assert await context.get_messages() == [summary("second"), *say("6")]
    assert asked(client)[1] == "<summary>\nfirst\n</summary>\n\n<messages>\nu: 4\nu: 5\n</messages>"


async def test_no_model_is_asked_again_while_nothing_new_is_due() -> None:
    client = ReplayChatCompletionClient(["first"])
    context = SummarizingChatCompletionContext(client, message_limit=4, initial_messages=say(*"12345"))
    assert await context.get_messages() == await context.get_messages()


async def test_a_limit_of_tokens_is_counted_by_the_client() -> None:
    client = ReplayChatCompletionClient(["short"])  # counts words
    context = SummarizingChatCompletionContext(
        client, token_limit=10, initial_messages=say("one two three", "four five six", "seven eight", "nine ten eleven")
    )
    assert await context.get_messages() == [summary("short"), *say("seven eight", "nine ten eleven")]


async def test_the_newest_exchange_is_shown_even_if_it_alone_is_too_much() -> None:
    client = ReplayChatCompletionClient(["short"])
    context = SummarizingChatCompletionContext(
        client, message_limit=2, initial_messages=[*say("1"), *use_tools("x", "y")]
    )
    assert await context.get_messages() == [summary("short"), *use_tools("x", "y")]
    assert await context.get_messages() == [summary("short"), *use_tools("x", "y")]


async def test_a_call_that_waits_for_its_result_stays() -> None:
    waiting = use_tools("x")[:1]
    client = ReplayChatCompletionClient(["short"])
    context = SummarizingChatCompletionContext(client, message_limit=2, initial_messages=[*say("1", "2"), *waiting])
    assert await context.get_messages() == [summary("short"), *waiting]
    await context.add_message(use_tools("x")[1])
    assert await context.get_messages() == [summary("short"), *use_tools("x")]


async def test_system_messages_at_the_beginning_stay_as_they_are() -> None:
    client = ReplayChatCompletionClient(["one", "two"])
    rules: list[LLMMessage] = [SystemMessage(content="be kind")]
    context = SummarizingChatCompletionContext(
        client, message_limit=3, keep=0, initial_messages=[*rules, *say("1", "2", "3")]
    )
    assert await context.get_messages() == [*rules, summary("one"), *say("3")]
    await context.add_message(say("4")[0])
    assert await context.get_messages() == [*rules, summary("two"), *say("4")]
    assert "be kind" not in "".join(asked(client))


async def test_the_summarizer_reads_calls_results_thoughts_and_pictures_as_text() -> None:
    client = ReplayChatCompletionClient(["short"])
    picture = Image.from_base64("iVBORw0KGgo=")
    call = FunctionCall(id="1", name="look", arguments='{"at": "page"}')
    failed = FunctionExecutionResult(content="404", name="look", call_id="1", is_error=True)
    messages: list[LLMMessage] = [
        UserMessage(content=["see this", picture], source="bo"),
        AssistantMessage(content=[call], thought="a page", source="ann"),
        FunctionExecutionResultMessage(content=[failed]),
        SystemMessage(content="hurry"),
        *say("end"),
    ]
    context = SummarizingChatCompletionContext(client, message_limit=2, keep=0, initial_messages=messages)
    await context.get_messages()
    assert asked(client)[0].splitlines()[1:-1] == [
        "bo: see this [image]",
        "ann: a page",
        'ann calls look: {"at": "page"}',
        "look failed: 404",
        "system: hurry",
    ]


async def test_the_middle_of_a_very_long_message_is_kept_from_the_summarizer() -> None:
    client = ReplayChatCompletionClient(["short"])
    long = "a" * 8_000 + "b" * 5_000 + "c" * 8_000
    context = SummarizingChatCompletionContext(client, message_limit=2, keep=0, initial_messages=say(long, "2", "3"))
    await context.get_messages()
    assert "a\n[5,000 characters left out]\nc" in asked(client)[0]
    assert "b" not in asked(client)[0]


async def test_other_instructions_can_be_given() -> None:
    client = ReplayChatCompletionClient(["short"])
    context = SummarizingChatCompletionContext(
        client, message_limit=2, instructions="Count the messages.", initial_messages=say("1", "2", "3")
    )
    await context.get_messages()
    assert client.create_calls[0]["messages"][0] == SystemMessage(content="Count the messages.")


calls_no_text = CreateResult(
    finish_reason="function_calls",
    content=[FunctionCall(id="1", name="f", arguments="")],
    usage=RequestUsage(5, 5),
    cached=False,
)


@pytest.mark.parametrize("failure", [ConnectionError("no route"), calls_no_text, "  "])
async def test_where_the_summarizer_fails_everything_is_shown_and_it_is_asked_again(
    failure: Exception | CreateResult | str, caplog: pytest.LogCaptureFixture
) -> None:
    client = ReplayChatCompletionClient([failure, "at last"])
    context = SummarizingChatCompletionContext(client, message_limit=2, keep=0, initial_messages=say("1", "2", "3"))
    with caplog.at_level(logging.WARNING):
        assert await context.get_messages() == say("1", "2", "3")
    assert "it is shown whole" in caplog.text
    assert await context.get_messages() == [summary("at last"), *say("3")]


async def test_the_tokens_of_summaries_are_counted() -> None:
    client = ReplayChatCompletionClient(["one", "two"])
    context = SummarizingChatCompletionContext(client, message_limit=2, keep=0, initial_messages=say("1", "2", "3"))
    await context.get_messages()
    await context.add_message(say("4")[0])
    await context.get_messages()
    assert context.usage == client.total_usage()
    assert context.usage.completion_tokens == 2


async def test_summaries_are_effects_in_a_scope_of_the_contexts_name() -> None:
    client = ReplayChatCompletionClient(["short"])
    context = SummarizingChatCompletionContext(
        client, message_limit=2, source="memory of ann", initial_messages=say("1", "2", "3")
    )
    journal = Journal()
    with handle_effects(journal):
        assert (await context.get_messages())[0] == summary("short", source="memory of ann")
    assert journal.performed == ["context:memory of ann model"]


class SlowSummarizer:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()

    async def __call__(self, _messages: Sequence[LLMMessage]) -> str:
        self.asked.set()
        await self.answer.wait()
        return "short"


@pytest.mark.parametrize("change", ["clear", "load"])
async def test_a_summary_of_what_was_forgotten_meanwhile_is_forgotten(change: str) -> None:
    slow = SlowSummarizer()
    client = ReplayChatCompletionClient(slow)
    context = SummarizingChatCompletionContext(client, message_limit=2, initial_messages=say("1", "2", "3"))
    async with asyncio.timeout(WAIT):
        shown = asyncio.ensure_future(context.get_messages())
        await slow.asked.wait()
        if change == "clear":
            await context.clear()
        else:
            await context.load_state({"messages": []})
        slow.answer.set()
        assert await shown == []
    assert context.summary == ""


async def test_messages_that_come_while_a_summary_is_written_are_shown_after_it() -> None:
    slow = SlowSummarizer()
    client = ReplayChatCompletionClient(slow)
    context = SummarizingChatCompletionContext(
        client, message_limit=3, keep=0, initial_messages=say("1", "2", "3", "4")
    )
    async with asyncio.timeout(WAIT):
        shown = asyncio.ensure_future(context.get_messages())
        await slow.asked.wait()
        await context.add_message(say("5")[0])
        slow.answer.set()
        assert await shown == [summary("short"), *say("4", "5")]


async def test_two_who_ask_at_once_share_one_summary() -> None:
    client = ReplayChatCompletionClient(["short"])
    context = SummarizingChatCompletionContext(client, message_limit=2, initial_messages=say("1", "2", "3"))
    first, second = await asyncio.gather(context.get_messages(), context.get_messages())
    assert first == second == [summary("short"), *say("3")]


async def test_being_cancelled_while_a_summary_is_written_changes_nothing() -> None:
    slow = SlowSummarizer()
    context = SummarizingChatCompletionContext(
        ReplayChatCompletionClient(slow), message_limit=2, initial_messages=say("1", "2", "3")
    )
    async with asyncio.timeout(WAIT):
        shown = asyncio.ensure_future(context.get_messages())
        await slow.asked.wait()
        shown.cancel()
        with pytest.raises(asyncio.CancelledError):
            await shown
        slow.answer.set()
        assert await context.get_messages() == [summary("short"), *say("3")]


async def test_a_state_brings_back_the_summary_and_its_usage() -> None:
    client = ReplayChatCompletionClient(["short"])
    context = SummarizingChatCompletionContext(client, message_limit=2, initial_messages=say("1", "2", "3"))
    shown = await context.get_messages()
    state = json.loads(json.dumps(await context.save_state()))
    other = SummarizingChatCompletionContext(ReplayChatCompletionClient([]), message_limit=2)
    await other.load_state(state)
    assert await other.get_messages() == shown
    assert other.usage == context.usage


async def test_the_state_of_another_context_can_be_loaded_and_the_other_way_round() -> None:
    unbounded = UnboundedChatCompletionContext(say("1", "2", "3"))
    context = SummarizingChatCompletionContext(ReplayChatCompletionClient(["short"]), message_limit=2)
    await context.load_state(await unbounded.save_state())
    assert await context.get_messages() == [summary("short"), *say("3")]
    other = UnboundedChatCompletionContext()
    await other.load_state(await context.save_state())
    assert await other.get_messages() == say("1", "2", "3")


async def test_a_state_that_cannot_be_is_refused() -> None:
    context = SummarizingChatCompletionContext(ReplayChatCompletionClient([]), message_limit=2)
    with pytest.raises(ValueError, match="'summarized' is 4, but there are 0 messages"):
        await context.load_state({"messages": [], "summary": "s", "summarized": 4})


async def test_clear_forgets_the_summary_too_but_not_what_it_has_cost() -> None:
    client = ReplayChatCompletionClient(["short"])
    context = SummarizingChatCompletionContext(client, message_limit=2, initial_messages=say("1", "2", "3"))
    await context.get_messages()
    await context.clear()
    assert await context.get_messages() == []
    assert context.usage == client.total_usage()


@given(
    exchanges=st.lists(st.integers(0, 3), max_size=40),
    limit=st.integers(2, 12),
    keep=st.floats(0, 0.99),
    asked_every=st.integers(1, 5),
)
async def test_every_message_is_shown_or_summarized_once_and_no_call_loses_its_result(
    exchanges: list[int], limit: int, keep: float, asked_every: int
) -> None:
    client = ReplayChatCompletionClient(lambda _messages: "short")
    context = SummarizingChatCompletionContext(client, message_limit=limit, keep=keep)
    everything: list[LLMMessage] = []
    for number, tools in enumerate(exchanges):
        exchange = use_tools(*(f"{number}.{one}" for one in range(tools))) if tools else say(f"<{number}>")
        for message in exchange:
            await context.add_message(message)
            everything.append(message)
        if number % asked_every == 0:
            await context.get_messages()
    shown = await context.get_messages()
    rest = shown[1:] if context.summary else shown
    assert rest == everything[len(everything) - len(rest) :]
    assert not rest or not isinstance(rest[0], FunctionExecutionResultMessage)
    assert len(shown) <= max(limit, 1 + max(exchanges, default=0) + 1)
    folded = "\n".join(asked(client))
    for number, tools in enumerate(exchanges):
        mark = f'"{number}.0"' if tools else f"<{number}>"
        assert folded.count(mark) == (mark not in str(rest))


@pytest.mark.parametrize(("keep", "most"), [(0.0, 12), (0.5, 22), (0.9, 100)])
async def test_summaries_are_written_for_many_messages_at_a_time(keep: float, most: int) -> None:
    client = ReplayChatCompletionClient(lambda _messages: "short")
    context = SummarizingChatCompletionContext(client, message_limit=10, keep=keep)
    for number in range(100):
        await context.add_message(say(str(number))[0])
        await context.get_messages()
    assert len(client.create_calls) <= most
    assert max(len(request) for request in asked(client)) < 400


make_bad: list[tuple[Callable[[ReplayChatCompletionClient], object], str]] = [
    (SummarizingChatCompletionContext, "Give one limit: either message_limit or token_limit."),
    (lambda c: SummarizingChatCompletionContext(c, message_limit=5, token_limit=5), "Give one limit"),
    (lambda c: SummarizingChatCompletionContext(c, message_limit=1), "message_limit must be greater than 1"),
    (lambda c: SummarizingChatCompletionContext(c, token_limit=0), "token_limit must be greater than 0"),
    (lambda c: SummarizingChatCompletionContext(c, message_limit=5, keep=1), "keep must be at least 0 and less than 1"),
]


@pytest.mark.parametrize(("make", "text"), make_bad)
def test_bounds_that_cannot_be_are_refused(make: Callable[[ReplayChatCompletionClient], object], text: str) -> None:
    with pytest.raises(InvalidArgumentError, match=text):
        make(ReplayChatCompletionClient([]))
