"""An agent whose answer is made by a team."""

import asyncio
from typing import Any

import pytest
from tests.support.chat_agents import PIXEL, collected, kinds, model, shown
from tests.support.team_members import Member, Script, lines

from symposia.agentchat.agents import AssistantAgent, SocietyOfMindAgent
from symposia.agentchat.messages import HandoffMessage, MultiModalMessage
from symposia.agentchat.teams import GroupChat, RoundRobinGroupChat, Speak, Stop
from symposia.core import CancellationToken
from symposia.core.exceptions import ArgumentTypeError
from symposia.core.models import ChatCompletionClient, UserMessage


def society(*members: Member, client: ChatCompletionClient | None = None, **options: Any) -> SocietyOfMindAgent:
    team = RoundRobinGroupChat(list(members) or [Member("x"), Member("y")], max_turns=len(members) or 2)
    return SocietyOfMindAgent("som", team, client or model("in short"), **options)


async def test_the_team_works_and_the_model_answers() -> None:
    client = model("in short")
    agent = society(client=client, instruction="Read this.", response_prompt="Sum up.")
    result = await agent.run(task="go")

    assert lines(result.messages) == ["user: go", "x: hello", "y: hello", "som: in short"]
    assert [message.content for message in shown(client)] == ["Read this.", "hello", "hello", "Sum up."]
    assert result.usage is not None


async def test_what_the_team_says_is_shown_as_it_is_said() -> None:
    items = await collected(society().run_stream(task="go"))

    assert kinds(items) == ["TextMessage", "TextMessage", "TextMessage", "TextMessage", "TaskResult"]
    assert lines(items[:-1]) == ["user: go", "x: hello", "y: hello", "som: in short"]  # type: ignore[arg-type]


async def test_the_team_begins_anew_and_is_given_the_turns_before() -> None:
    x = Member("x")
    agent = society(x, client=model("one", "two"))
    await agent.run(task="go")
    await agent.run(task="on")

    assert x.heard == [["user: go"], ["som: relevant previous messages", "user: on"]]
    assert x.orders == ["reset", "reset"]


async def test_the_turns_before_are_in_the_context_of_a_handoff() -> None:
    inner = model("inner one", "inner two")
    team = RoundRobinGroupChat([AssistantAgent("x", inner)], max_turns=1)
    agent = SocietyOfMindAgent("som", team, model("one", "two"))
    await agent.run(task="go")
    await agent.run(task="on")

    assert [message.content for message in shown(inner)][1:] == ["go", "one", "relevant previous messages", "on"]


async def test_a_team_that_says_nothing_asks_no_model() -> None:
    client = model("never")
    agent = SocietyOfMindAgent("som", GroupChat([Member("x")], rule=Script(Stop("enough"), Speak(("x",)))), client)
    result = await agent.run(task="go")

    assert lines(result.messages) == ["user: go", "som: No response."]
    assert client.create_calls == []


async def test_after_a_turn_that_failed_the_team_begins_anew() -> None:
    x, y = Member("x"), Member("y", ValueError("boom"), "fine")
    agent = society(x, y)
    with pytest.raises(ValueError, match="boom"):
        await agent.run(task="go")

    result = await agent.run(task="go")
    assert lines(result.messages) == ["user: go", "x: hello", "y: fine", "som: in short"]
    assert x.heard == [["user: go"], ["user: go"]]


async def test_cancelling_stops_the_team() -> None:
    x, token = Member("x", asyncio.Event()), CancellationToken()
    run = asyncio.create_task(society(x).run(task="go", cancellation_token=token))
    async with asyncio.timeout(10):
        await x.speaking.wait()
    token.cancel()

    with pytest.raises(asyncio.CancelledError):
        await run
    assert not x.speaking.is_set()


async def test_it_goes_on_from_a_saved_state() -> None:
    x = Member("x")
    agent, other = society(client=model("one")), society(x, Member("y"), client=model("two"))
    await agent.run(task="go")
    await other.load_state(await agent.save_state())
    await other.run(task="on")

    assert x.heard == [["som: relevant previous messages", "user: on"]]


async def test_a_state_of_autogen_is_loaded() -> None:
    agent = society()
    saved = dict(await agent.save_state())
    assert saved.keys() == {"type", "version", "inner_team_state"}

    await agent.run(task="go")
    await agent.load_state(saved)
    assert await agent.save_state() == saved


async def test_a_reset_forgets_the_turns_before() -> None:
    x = Member("x")
    agent = society(x, client=model("one", "two"))
    await agent.run(task="go")
    await agent.on_reset(CancellationToken())
    await agent.run(task="on")

    assert x.heard[-1] == ["user: on"]


async def test_what_came_with_a_handoff_is_remembered() -> None:
    agent = society(client=model("one"))
    earlier = UserMessage(content="earlier", source="ann")
    handoff = HandoffMessage(content="over", source="ann", target="som", context=[earlier])
    await agent.on_messages([handoff], CancellationToken())

    assert [message.content for message in await agent.model_context.get_messages()] == ["earlier", "over", "one"]


async def test_it_takes_part_in_a_team() -> None:
    bob = Member("bob")
    result = await RoundRobinGroupChat([society(), bob], max_turns=2).run(task="go")

    assert lines(result.messages) == ["user: go", "x: hello", "y: hello", "som: in short", "bob: hello"]
    assert bob.heard == [["user: go", "som: in short"]]


def test_it_comes_back_from_json() -> None:
    team = RoundRobinGroupChat([AssistantAgent("x", model("hi"))])
    dumped = SocietyOfMindAgent("som", team, model("hi"), instruction="Read.").dump_component()

    assert SocietyOfMindAgent.load_component(dumped).dump_component() == dumped


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ArgumentTypeError, match="The team of agent 'som' has to be a Team, such as"):
        SocietyOfMindAgent("som", Member("x"), model())  # pyright: ignore[reportArgumentType] - an unchecked program
    with pytest.raises(ArgumentTypeError, match="instruction"):
        society(instruction=3)


async def test_an_image_in_the_discussion_is_a_text_for_a_model_that_sees_none() -> None:
    client = model("in short")
    picture = MultiModalMessage(content=["look", PIXEL], source="x")
    await society(Member("x", picture), client=client).run(task="go")

    assert shown(client)[1].content == "look\n<image>"
