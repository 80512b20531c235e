from collections.abc import AsyncGenerator, Sequence

import pytest
from tests.support.chat_agents import Parrot, collected, kinds

from symposia.agentchat.base import Response, Task, TaskResult
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    ModelClientStreamingChunkEvent,
    TextMessage,
    ThoughtEvent,
)
from symposia.core import CancellationToken
from symposia.core.exceptions import InvalidArgumentError


class Thinker(Parrot):
    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        response = await super().on_messages(messages, cancellation_token)
        return Response(
            chat_message=response.chat_message, inner_messages=[ThoughtEvent(content="hm", source=self.name)]
        )


class Streamer(Thinker):
    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        yield ModelClientStreamingChunkEvent(content="h", source=self.name)
        async for item in super().on_messages_stream(messages, cancellation_token):
            yield item


@pytest.mark.parametrize("name", ["a b", "1a", "a-b", ""])
def test_an_agents_name_is_an_identifier(name: str) -> None:
    with pytest.raises(InvalidArgumentError, match="must be a valid Python identifier"):
        Parrot(name)


async def test_a_run_gives_the_task_what_happened_inside_and_the_answer() -> None:
    result = await Thinker().run(task="hello")

    assert kinds(result.messages) == ["TextMessage", "ThoughtEvent", "TextMessage"]
    assert [message.source for message in result.messages] == ["user", "parrot", "parrot"]
    assert result.stop_reason is None


async def test_a_stream_gives_the_same_as_it_happens_and_the_result_last() -> None:
    *items, result = await collected(Thinker().run_stream(task="hello"))

    assert isinstance(result, TaskResult)
    assert list(result.messages) == items


async def test_pieces_of_a_stream_are_shown_but_not_kept() -> None:
    *items, result = await collected(Streamer().run_stream(task="hello"))

    assert isinstance(result, TaskResult)
    assert kinds(items)[1] == "ModelClientStreamingChunkEvent"
    assert "ModelClientStreamingChunkEvent" not in kinds(result.messages)


async def test_the_task_is_left_out_on_request() -> None:
    streamed = await collected(Thinker().run_stream(task="hello", output_task_messages=False))
    result = await Thinker().run(task="hello", output_task_messages=False)

    assert kinds(streamed) == ["ThoughtEvent", "TextMessage", "TaskResult"]
    assert kinds(result.messages) == ["ThoughtEvent", "TextMessage"]


@pytest.mark.parametrize(
    "task",
    ["hello", TextMessage(content="hello", source="user"), [TextMessage(content="hello", source="user")]],
    ids=["text", "message", "messages"],
)
async def test_a_task_is_a_text_a_message_or_messages(task: Task) -> None:
    result = await Parrot().run(task=task)

    assert result.messages[-1].to_text() == "hello"


@pytest.mark.parametrize("task", [[], [1], 5, ["hello"]])
async def test_what_is_no_task_is_refused(task: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"[Tt]ask|Invalid message type"):
        await Parrot().run(task=task)  # pyright: ignore[reportArgumentType] - the point of the test


async def test_an_agent_that_remembers_nothing_has_an_empty_state() -> None:
    state = await Parrot().save_state()

    assert state == {"type": "BaseState", "version": "1.0.0"}
    await Parrot().load_state(state)
