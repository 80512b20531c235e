"""What is streamed arrives at once, in order, and is not copied on the way."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Sequence

import pytest
from tests.support.team_members import IN_MEMORY, Member, lines, pair, ran

from symposia.agentchat.base import Response, TaskResult
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    ModelClientStreamingChunkEvent,
    TextMessage,
    ThoughtEvent,
)
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.core import AgentRuntime, CancellationToken
from symposia.core.exceptions import AgentError

Where = AgentRuntime | None
NEVER = 30.0


class Dictating(Member):
    """Says its words one by one, waiting after each until it was seen.

    Attributes:
        seen: Released once for each word that was seen.
    """

    def __init__(self, name: str, *words: str) -> None:
        super().__init__(name)
        self._words = words
        self.seen = asyncio.Semaphore(0)

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        for word in self._words:
            yield ModelClientStreamingChunkEvent(content=word, source=self.name)
            async with asyncio.timeout(NEVER):
                await self.seen.acquire()
        yield Response(chat_message=TextMessage(content=" ".join(self._words), source=self.name))


class Rushing(Member):
    """Says many words without ever waiting."""

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        for number in range(100):
            yield ModelClientStreamingChunkEvent(content=str(number), source=self.name)
            if number == 50:
                await asyncio.sleep(0)
        yield ThoughtEvent(content="done", source=self.name)
        yield Response(chat_message=TextMessage(content="end", source=self.name))


async def test_each_chunk_is_shown_before_the_next_one_is_made(runtime: Where) -> None:
    ann = Dictating("ann", "one", "two", "three")
    seen: list[str] = []
    async for item in RoundRobinGroupChat([ann], runtime=runtime, max_turns=1).run_stream(task="go"):
        if isinstance(item, ModelClientStreamingChunkEvent):
            seen.append(item.content)
            ann.seen.release()
        elif isinstance(item, TaskResult):
            assert lines(item.messages) == ["user: go", "ann: one two three"]

    assert seen == ["one", "two", "three"]


async def test_chunks_that_come_in_a_rush_keep_their_order(runtime: Where) -> None:
    team = RoundRobinGroupChat([Rushing("ann")], runtime=runtime, max_turns=1)
    items = [item async for item in team.run_stream(task="go")]

    texts = [item.to_text() for item in items if not isinstance(item, TaskResult)]
    assert texts == ["go", *map(str, range(100)), "done", "end"]


async def test_chunks_of_a_nested_team_are_shown_too(runtime: Where) -> None:
    inner = RoundRobinGroupChat([Rushing("ann")], name="inner", max_turns=1)
    team = RoundRobinGroupChat([inner], runtime=runtime, max_turns=1)
    items = [item async for item in team.run_stream(task="go")]

    assert len(items) == 104


async def test_the_stream_goes_on_after_a_turn_that_was_shown_to_its_last_item(runtime: Where) -> None:
    inner = RoundRobinGroupChat([Member("bob")], name="inner", max_turns=1)
    team = RoundRobinGroupChat([inner, Member("ann")], runtime=runtime, max_turns=2)
    items = [item async for item in team.run_stream(task="go")]

    assert lines([item for item in items if not isinstance(item, TaskResult)]) == [
        "user: go",
        "bob: hello",
        "ann: hello",
    ]


async def test_what_an_agent_tells_only_with_its_answer_is_shown_once() -> None:
    class Late(Member):
        async def on_messages_stream(
            self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
        ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
            first, second = (ThoughtEvent(content=text, source=self.name) for text in ("1", "2"))
            yield first
            answer = TextMessage(content="3", source=self.name)
            yield Response(chat_message=answer, inner_messages=[first, second])

    result = await RoundRobinGroupChat([Late("ann")], max_turns=1).run(task="go")

    assert lines(result.messages) == ["user: go", "ann: 1", "ann: 2", "ann: 3"]


@pytest.mark.parametrize("runtime", IN_MEMORY, indirect=True)
async def test_messages_are_handed_on_and_not_copied(runtime: Where) -> None:
    answer = TextMessage(content="hello", source="ann")
    task = TextMessage(content="go", source="user")
    result = await RoundRobinGroupChat([Member("ann", answer)], runtime=runtime, max_turns=1).run(task=task)

    assert result.messages[0] is task
    assert result.messages[1] is answer


async def test_an_agent_that_gives_no_answer_is_named(runtime: Where) -> None:
    class Silent(Member):
        async def on_messages_stream(
            self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
        ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
            yield ThoughtEvent(content="hm", source=self.name)

    with pytest.raises(AgentError, match="'ann' gave no answer"):
        await RoundRobinGroupChat([Silent("ann")], runtime=runtime).run(task="go")


if sys.version_info >= (3, 12):  # which has eager tasks

    async def test_each_chunk_is_shown_before_the_next_one_is_made_by_eager_tasks(runtime: Where) -> None:
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        ann = Dictating("ann", "one", "two", "three")
        shown: list[str] = []
        async for item in RoundRobinGroupChat([ann], runtime=runtime, max_turns=1).run_stream(task="go"):
            if isinstance(item, ModelClientStreamingChunkEvent):
                shown.append(item.content)
                ann.seen.release()
        assert shown == ["one", "two", "three"]


async def test_a_team_is_free_once_its_result_was_shown() -> None:
    team = pair(max_turns=1)
    stream = team.run_stream(task="go")
    async for item in stream:
        if isinstance(item, TaskResult):
            break
    assert ran(await team.run(task="on"))[1] == "Maximum number of turns 1 reached."
    await stream.aclose()


async def test_a_token_that_was_cancelled_before_begins_no_run() -> None:
    team, token = pair(max_turns=1), CancellationToken()
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await team.run(task="go", cancellation_token=token)
    with pytest.raises(asyncio.CancelledError):
        await anext(team.run_stream(task="go", cancellation_token=token))
    assert not team.transcript


async def test_a_participant_may_be_called_as_the_team_calls_its_own_parts(runtime: Where) -> None:
    team = RoundRobinGroupChat([Rushing("listener"), Member("ann")], max_turns=2, runtime=runtime)
    assert lines((await team.run(task="go")).messages)[-1] == "ann: hello"


class Hesitating(Member):
    """Begins its first turn and never ends it; the others are as told.

    Attributes:
        interrupted: How many turns did not come to their end.
    """

    interrupted = 0

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        if not self.interrupted:
            yield ModelClientStreamingChunkEvent(content="Well", source=self.name)
            try:
                await asyncio.Event().wait()
            finally:
                self.interrupted += 1
        yield Response(chat_message=TextMessage(content="hello", source=self.name))


@pytest.mark.parametrize("nested", [False, True])
async def test_leaving_the_loop_in_the_middle_of_a_turn_stops_the_speaker_and_frees_the_team(
    runtime: Where, nested: bool
) -> None:
    ann = Hesitating("ann")
    member = RoundRobinGroupChat([ann], max_turns=1, name="inner") if nested else ann
    team = RoundRobinGroupChat([member], runtime=runtime, max_turns=1)
    async for item in team.run_stream(task="go"):
        if isinstance(item, ModelClientStreamingChunkEvent):
            break

    async with asyncio.timeout(NEVER):
        result = await team.run(task="on")

    assert ann.interrupted == 1
    assert lines(result.messages)[-1] == "ann: hello"
