"""Agents of a program that answer wrongly: each error names the agent and the method, alone and in a team."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import pytest
from tests.support.chat_agents import Parrot, collected

from symposia.agentchat.base import ChatAgent, Response
from symposia.agentchat.messages import TextMessage
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.core.exceptions import AgentError, UsageError

# Any stands, in all of this file, for what a program without a type checker gives.
TEXT = TextMessage(content="hello", source="parrot")


class Answers(Parrot):
    """Returns what it was given."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer

    async def on_messages(self, messages: Any, cancellation_token: Any) -> Any:
        return self.answer


class PlainAnswers(Answers):
    def on_messages(  # pyright: ignore[reportIncompatibleMethodOverride] - the mistake
        self, messages: Any, cancellation_token: Any
    ) -> Any:
        return self.answer


class Streams(Answers):
    """Yields what it was given."""

    async def on_messages_stream(self, messages: Any, cancellation_token: Any) -> AsyncGenerator[Any, None]:
        yield self.answer


class NoGenerator(Answers):
    async def on_messages_stream(  # pyright: ignore[reportIncompatibleMethodOverride] - the mistake
        self, messages: Any, cancellation_token: Any
    ) -> Any:
        return self.answer


class NoSuper(Parrot):
    def __init__(self) -> None:
        """Leave out the constructor of the base class."""


async def runs(agent: ChatAgent) -> object:
    return await agent.run(task="go")


async def streams(agent: ChatAgent) -> object:
    return await collected(agent.run_stream(task="go"))


async def speaks(agent: ChatAgent) -> object:
    return await RoundRobinGroupChat([agent], max_turns=1).run(task="go")


Use = Callable[[ChatAgent], Awaitable[object]]


@pytest.mark.parametrize("use", [runs, streams, speaks])
@pytest.mark.parametrize("answer", [TEXT, "hello", None])
async def test_an_answer_that_is_no_response_names_the_agent_and_the_method(answer: object, use: Use) -> None:
    with pytest.raises(AgentError, match="on_messages of the agent 'parrot' has to return a Response") as caught:
        await use(Answers(answer))
    assert repr(answer) in str(caught.value)


@pytest.mark.parametrize("use", [runs, streams, speaks])
async def test_a_response_of_text_says_which_message_to_give(use: Use) -> None:
    text: Any = "hello"
    with pytest.raises(AgentError, match=r"has to be a chat message, such as TextMessage\(.*, not 'hello'"):
        await use(Answers(Response(chat_message=text)))


@pytest.mark.parametrize("use", [runs, streams, speaks])
async def test_a_plain_on_messages_says_to_write_async(use: Use) -> None:
    with pytest.raises(UsageError, match="on_messages of the agent 'parrot' has to be a coroutine function"):
        await use(PlainAnswers(Response(chat_message=TEXT)))


@pytest.mark.parametrize("use", [streams, speaks])
async def test_a_stream_of_something_else_names_the_agent_and_the_method(use: Use) -> None:
    text: Any = "hello"
    with pytest.raises(AgentError, match="on_messages_stream of the agent 'parrot' has to yield events and messages"):
        await use(Streams(text))
    with pytest.raises(AgentError, match="The chat_message of the Response of on_messages_stream of the agent"):
        await use(Streams(Response(chat_message=text)))
    with pytest.raises(AgentError, match="on_messages_stream of the agent 'parrot' has to be an async generator"):
        await use(NoGenerator(TEXT))


def test_an_agent_without_its_base_is_refused_when_the_team_is_made() -> None:
    with pytest.raises(UsageError, match=r"agent class NoSuper has to call super\(\).__init__\(name, description\)"):
        RoundRobinGroupChat([NoSuper()])
