"""An agent whose answer is made by a team."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import pytest
from tests.support.chat_agents import PIXEL, USAGE, SlowContext, collected, kinds, model, says, shown
from tests.support.team_log import Log
from tests.support.team_members import Member, Script, handoff, lines

from symposia.agentchat.agents import AssistantAgent, SocietyOfMindAgent
from symposia.agentchat.base import Response
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    HandoffMessage,
    MultiModalMessage,
    TextMessage,
)
from symposia.agentchat.teams import (
    GroupChat,
    RoundRobinGroupChat,
    SelectorGroupChat,
    Speak,
    Stop,
    Swarm,
    fold_log,
)
from symposia.core import CancellationToken
from symposia.core.changes import Change
from symposia.core.exceptions import ArgumentTypeError
from symposia.core.model_context import ChatCompletionContext, UnboundedChatCompletionContext
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
    fresh = await agent.save_state()
    of_autogen = {key: value for key, value in fresh.items() if key != "llm_context"}
    assert of_autogen.keys() == {"type", "version", "inner_team_state"}

    await agent.run(task="go")
    await agent.load_state(of_autogen)
    assert await agent.save_state() == fresh


class Growing(UnboundedChatCompletionContext):
    """Counts how often it is saved as a whole."""

    wholes = 0

    async def save_state(self) -> Mapping[str, Any]:
        self.wholes += 1
        return await super().save_state()

    async def save_changes(self, since: object | None) -> tuple[Change | None, object]:
        return await super().save_changes(since)


async def test_the_log_of_a_team_is_told_what_changes_in_it() -> None:
    def team(context: ChatCompletionContext | None = None) -> RoundRobinGroupChat:
        agent = society(client=model("one", "two", "three"), model_context=context)
        return RoundRobinGroupChat([agent], max_turns=1)

    log, context = Log(), Growing()
    first, other = team(context), team()
    async with first.log_to(log):
        for task in ("go", "on", "further"):
            await first.run(task=task)
        assert context.wholes == 0
    await other.load_state(fold_log(log.entries))

    assert await other.save_state() == await first.save_state() == fold_log(log.entries)


async def test_f31_the_tokens_of_choosing_its_speakers_are_counted() -> None:
    chooser = model(says("x"), says("y"))
    team = SelectorGroupChat([Member("x"), Member("y"), Member("z")], chooser, max_turns=2, name="panel")
    result = await SocietyOfMindAgent("som", team, model(says("in short"))).run(task="go")

    assert [item.source for item in result.messages] == ["user", "x", "y", "panel", "som"]
    assert result.usage == chooser.total_usage() + USAGE


async def test_a_swarm_in_it_is_given_the_turns_before() -> None:
    x, y = Member("x", handoff("x", "y"), handoff("x", "y")), Member("y")
    agent = SocietyOfMindAgent("som", Swarm([x, y], max_turns=2), model("one", "two"))
    await agent.run(task="go")

    assert lines((await agent.run(task="on")).messages) == ["user: on", "x: over to y", "y: hello", "som: two"]


async def test_a_swarm_in_a_swarm_only_reads_the_handoffs_of_the_outer_one() -> None:
    inner = Swarm([Member("x", handoff("x", "y")), Member("y")], max_turns=2)
    outer = Swarm([Member("ann", handoff("ann", "som")), SocietyOfMindAgent("som", inner, model("done"))], max_turns=2)
    result = await outer.run(task="go")

    assert lines(result.messages) == ["user: go", "ann: over to som", "x: over to y", "y: hello", "som: done"]


async def test_a_nested_swarm_that_handed_over_to_the_outer_team_goes_on_with_its_answer() -> None:
    inner = Swarm([Member("x", handoff("x", "y")), Member("y", handoff("y", "ann"), "thanks")], name="in", max_turns=3)
    team = GroupChat([inner, Member("ann")], rule=Script(*map(Speak, [("in",), ("ann",), ("in",)])), max_turns=3)
    result = await team.run(task="go")

    assert lines(result.messages)[1:] == ["x: over to y", "y: over to ann", "ann: hello", *3 * ["y: thanks"]]


async def test_a_turn_without_messages_is_a_turn() -> None:
    x = Member("x")
    result = await society(x).run()

    assert lines(result.messages) == ["x: hello", "som: in short"]
    assert x.heard == [[]]


class Slow(Member):
    """Lets other tasks run before and behind each of its steps."""

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        await asyncio.sleep(0)
        async for item in super().on_messages_stream(messages, cancellation_token):
            yield item

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        await asyncio.sleep(0)
        await super().on_reset(cancellation_token)
        await asyncio.sleep(0)


@pytest.mark.parametrize("context", [SlowContext, UnboundedChatCompletionContext])
async def test_f32_a_turn_that_is_cancelled_anywhere_is_remembered_once_and_only_if_it_was_answered(
    context: type[ChatCompletionContext],
) -> None:
    for ticks in range(200):
        agent = society(Slow("x"), client=model("one", "two"), model_context=context())
        team = RoundRobinGroupChat([agent], max_turns=1)
        run = asyncio.create_task(team.run(task="go"))
        for _ in range(ticks):
            await asyncio.sleep(0)
        if run.done():
            assert ticks > 10
            break
        run.cancel()
        await asyncio.wait([run])
        answered = lines(team.transcript)[-1:] == ["som: one"]
        assert bool(await agent.model_context.get_messages()) == answered

        await asyncio.wait_for(team.run(), timeout=10)
        remembered = [message.content for message in await agent.model_context.get_messages()]
        assert remembered.count("go") == (1 if team.transcript[0].source == "user" else 0)


async def test_what_an_interrupted_speaker_has_shown_is_not_summed_up() -> None:
    class Stuck(Member):
        async def on_messages_stream(
            self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
        ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
            yield TextMessage(content="half of it", source=self.name)
            await asyncio.Event().wait()

    client = model("in short")
    team = RoundRobinGroupChat([Member("x"), Stuck("y")], max_turns=2, turn_timeout=0.05)
    await SocietyOfMindAgent("som", team, client, instruction="Read.", response_prompt="Sum up.").run(task="go")

    assert [message.content for message in shown(client)] == ["Read.", "hello", "Sum up."]


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
