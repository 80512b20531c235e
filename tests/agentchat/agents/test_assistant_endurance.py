"""Assistants after turns that failed or were cancelled, and in other processes."""

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import Any

import pytest
from tests.support.chat_agents import ABLE, SlowContext, asks_for, dangling_calls, kinds, model, says, shown

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.messages import TextMessage, ToolCallRequestEvent
from symposia.core import CancellationToken
from symposia.core.model_context import ChatCompletionContext, UnboundedChatCompletionContext
from symposia.core.models import FunctionExecutionResult, FunctionExecutionResultMessage, LLMMessage, UserMessage
from symposia.ext.models.replay import Answer, ReplayChatCompletionClient

WAIT = 10
CANCELLED = "The call of 'hang' was cancelled before it ended."


class Hanging:
    """A tool that starts and never ends; beside it one that is done at once."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.ended = asyncio.Event()

    async def hang(self) -> str:
        """Never answer."""
        self.started.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()
        return "never"

    async def quick(self) -> str:
        """Answer at once."""
        return "done"


def hanging_agent(tool: Hanging) -> AssistantAgent:
    client = model(asks_for(("quick", "{}"), ("hang", "{}")), says("later"))
    return AssistantAgent("ann", client, tools=[tool.hang, tool.quick], reflect_on_tool_use=True)


async def results_in(agent: AssistantAgent) -> list[FunctionExecutionResult]:
    context = await agent.model_context.get_messages()
    return [
        each for message in context if isinstance(message, FunctionExecutionResultMessage) for each in message.content
    ]


async def by_task(run: "asyncio.Task[Any]", token: CancellationToken) -> None:
    run.cancel()


async def by_token(run: "asyncio.Task[Any]", token: CancellationToken) -> None:
    token.cancel()


async def by_token_from_another_thread(run: "asyncio.Task[Any]", token: CancellationToken) -> None:
    await asyncio.to_thread(token.cancel)


@pytest.mark.parametrize("cancel", [by_task, by_token, by_token_from_another_thread])
async def test_f32_a_turn_cancelled_during_tool_calls_leaves_a_result_for_every_call(
    cancel: Callable[..., Any],
) -> None:
    tool, token = Hanging(), CancellationToken()
    agent = hanging_agent(tool)

    async with asyncio.timeout(WAIT):
        run = asyncio.create_task(agent.run(task="go", cancellation_token=token))
        await tool.started.wait()
        await asyncio.sleep(0)  # the quick tool's result is taken in
        await cancel(run, token)
        with pytest.raises(asyncio.CancelledError):
            await run
        await tool.ended.wait()

    assert await results_in(agent) == [
        FunctionExecutionResult(content="done", name="quick", call_id="0", is_error=False),
        FunctionExecutionResult(content=CANCELLED, name="hang", call_id="1", is_error=True),
    ]
    assert (await agent.run(task="go on")).messages[-1].to_text() == "later"


async def test_f32_a_stream_that_is_abandoned_leaves_a_result_for_every_call() -> None:
    tool = Hanging()
    agent = hanging_agent(tool)

    async with asyncio.timeout(WAIT), aclosing(agent.run_stream(task="go")) as items:
        async for item in items:
            if isinstance(item, ToolCallRequestEvent):
                break

    assert [each.is_error for each in await results_in(agent)] == [True, True]


async def test_a_tool_that_cancels_itself_has_no_result_and_the_turn_goes_on() -> None:
    async def give_up() -> str:
        """Cancel itself."""
        raise asyncio.CancelledError

    client = model(asks_for(("give_up", "{}")), says("so be it"))
    agent = AssistantAgent("ann", client, tools=[give_up], reflect_on_tool_use=True)

    assert (await agent.run(task="go")).messages[-1].to_text() == "so be it"


async def slow_add(a: int, b: int) -> int:
    """Add, with a pause."""
    await asyncio.sleep(0)
    return a + b


class SlowModel(ReplayChatCompletionClient):
    """Lets other tasks run before it answers."""

    async def create(self, *args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        return await super().create(*args, **kwargs)

    async def create_stream(self, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        async for piece in super().create_stream(*args, **kwargs):
            await asyncio.sleep(0)
            yield piece


def slow_agent(answers: list[Answer], context: ChatCompletionContext, *, stream: bool) -> AssistantAgent:
    return AssistantAgent(
        "ann",
        SlowModel(answers, model_info=ABLE),
        tools=[slow_add],
        model_context=context,
        model_client_stream=stream,
        reflect_on_tool_use=True,
    )


async def cancelled_after(pauses: int, agent: AssistantAgent, *, by_token: bool) -> bool:
    """Cancel a run after so many turns of the event loop; False if it was done by then."""
    token = CancellationToken()
    run = asyncio.create_task(agent.run(task="go", cancellation_token=token))
    for _ in range(pauses):
        await asyncio.sleep(0)
    _ = token.cancel() if by_token else run.cancel()
    with suppress(asyncio.CancelledError):
        await run
    return run.cancelled()


async def turns_cut_short(
    context: type[ChatCompletionContext], *, by_token: bool, stream: bool
) -> AsyncGenerator[AssistantAgent, None]:
    """An agent whose turn was cancelled at its first pause, one at its second, and so on to the last."""
    call = asks_for(("slow_add", '{"a": 1, "b": 2}'), ("slow_add", '{"a": 3, "b": 4}'))
    for pauses in itertools.count():
        agent = slow_agent([call, "done", "done", "done"], context(), stream=stream)
        if not await cancelled_after(pauses, agent, by_token=by_token):
            assert pauses > 6  # there was something to cancel
            return
        yield agent


@pytest.mark.parametrize("by_token", [True, False], ids=["token", "task"])
@pytest.mark.parametrize("stream", [True, False], ids=["streaming", "whole"])
@pytest.mark.parametrize("context", [UnboundedChatCompletionContext, SlowContext])
async def test_f32_wherever_a_turn_is_cancelled_every_call_has_a_result_and_the_agent_goes_on(
    by_token: bool, stream: bool, context: type[ChatCompletionContext]
) -> None:
    async with asyncio.timeout(WAIT), aclosing(turns_cut_short(context, by_token=by_token, stream=stream)) as agents:
        async for agent in agents:
            assert not dangling_calls(await agent.model_context.get_messages())
            await agent.run(task="go")
            assert not dangling_calls(await agent.model_context.get_messages())


@pytest.mark.parametrize("by_token", [True, False], ids=["token", "task"])
async def test_f28_wherever_a_turn_is_cancelled_the_same_task_again_is_not_added_again(by_token: bool) -> None:
    stream = turns_cut_short(UnboundedChatCompletionContext, by_token=by_token, stream=True)
    async with asyncio.timeout(WAIT), aclosing(stream) as agents:
        async for agent in agents:
            await agent.run(task="go")

            context = await agent.model_context.get_messages()
            assert context.count(UserMessage(content="go", source="user")) == 1


class GatedContext(ChatCompletionContext):
    """A context that waits for a gate before it keeps the calls and results of a round."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.gate = asyncio.Event(), asyncio.Event()

    async def add_message(self, message: LLMMessage) -> None:
        if not isinstance(message, UserMessage):
            self.reached.set()
            await self.gate.wait()
        await super().add_message(message)

    async def get_messages(self) -> list[LLMMessage]:
        return list(self._messages)


async def test_a_turn_that_is_cancelled_repeatedly_keeps_the_calls_with_their_results() -> None:
    async def add() -> str:
        """Add."""
        return "3"

    context = GatedContext()
    agent = AssistantAgent("ann", model(asks_for(("add", "{}"))), tools=[add], model_context=context)
    async with asyncio.timeout(WAIT):
        run = asyncio.create_task(agent.run(task="go"))
        await context.reached.wait()
        for _ in range(3):
            run.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        context.gate.set()
        with suppress(asyncio.CancelledError):
            await run

    assert not dangling_calls(await context.get_messages())
    assert [result.content for result in await results_in(agent)] == ["3"]


async def test_a_token_that_is_cancelled_already_ends_a_turn_before_the_model_is_asked() -> None:
    token, client = CancellationToken(), model(says("never"))
    token.cancel()

    with pytest.raises(asyncio.CancelledError):
        await AssistantAgent("ann", client).run(task="go", cancellation_token=token)

    assert not client.create_calls


async def test_a_token_that_outlives_the_turn_keeps_nothing_of_it_and_cancels_nothing_later() -> None:
    token = CancellationToken()
    agent = AssistantAgent("ann", model(says("one"), says("two")))

    await agent.run(task="go", cancellation_token=token)
    token.cancel()
    await asyncio.sleep(0)

    assert (await agent.run(task="go on")).messages[-1].to_text() == "two"


@pytest.mark.parametrize("again", ["the same message", "the same text", "nothing"])
async def test_f28_after_a_model_that_failed_the_agent_runs_again_and_the_task_is_there_once(again: str) -> None:
    client = model(ConnectionError("no network"), says("hi"))
    agent = AssistantAgent("ann", client, system_message=None)
    task = TextMessage(content="hello", source="user")

    with pytest.raises(ConnectionError, match="no network"):
        await agent.run(task=task)
    result = await agent.run(task={"the same message": task, "the same text": "hello", "nothing": None}[again])

    assert result.messages[-1].to_text() == "hi"
    assert shown(client) == [UserMessage(content="hello", source="user")]


async def test_f28_what_was_done_before_the_failure_is_not_done_again() -> None:
    calls: list[int] = []

    async def count(n: int) -> int:
        """Count."""
        calls.append(n)
        return n

    client = model(asks_for(("count", '{"n": 1}')), ConnectionError("no network"), says("one"))
    agent = AssistantAgent("ann", client, tools=[count], max_tool_iterations=3)

    with pytest.raises(ConnectionError):
        await agent.run(task="count")
    result = await agent.run(task="count")

    assert calls == [1]
    assert kinds(result.messages) == ["TextMessage", "TextMessage"]


async def test_the_same_text_is_new_once_it_was_answered() -> None:
    client = model(says("hi"), says("hi again"))
    agent = AssistantAgent("ann", client, system_message=None)

    await agent.run(task="hello")
    await agent.run(task="hello")

    assert shown(client).count(UserMessage(content="hello", source="user")) == 2


async def test_another_assistant_goes_on_from_a_saved_state() -> None:
    first = AssistantAgent("ann", model(asks_for(("slow_add", '{"a": 1, "b": 2}'))), tools=[slow_add])
    await first.run(task="go")
    state = json.loads(json.dumps(await first.save_state()))

    client = model(says("it was 3"))
    second = AssistantAgent("ann", client, tools=[slow_add])
    await second.load_state(state)
    await second.run(task="what was it?")

    assert state["type"] == "AssistantAgentState"
    assert shown(client)[1:-1] == await first.model_context.get_messages()


async def test_a_reset_assistant_has_forgotten_everything() -> None:
    client = model(says("hi"), ConnectionError("no network"), says("hi"))
    agent = AssistantAgent("ann", client, system_message=None)
    await agent.run(task="a")
    with pytest.raises(ConnectionError):
        await agent.run(task="hello")

    await agent.on_reset(CancellationToken())
    await agent.run(task="hello")

    assert shown(client) == [UserMessage(content="hello", source="user")]
