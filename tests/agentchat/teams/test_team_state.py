import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from tests.support.chat_agents import model
from tests.support.team_members import Member, lines, pair

from symposia.agentchat.agents import SocietyOfMindAgent
from symposia.agentchat.conditions import MaxMessageTermination
from symposia.agentchat.messages import BaseChatMessage, StructuredMessage, TextMessage
from symposia.agentchat.teams import Decision, GroupChat, RoundRobinGroupChat, RuleContext, Speak, Transcript
from symposia.core import AgentRuntime
from symposia.core.exceptions import InvalidArgumentError, RegistrationError, UsageError

Where = AgentRuntime | None
NEVER = 30.0


def saved_message(source: str, text: str) -> dict[str, object]:
    return {
        "id": f"{source}-{text}",
        "source": source,
        "models_usage": None,
        "metadata": {},
        "created_at": "2025-01-01T00:00:00Z",
        "content": text,
        "type": "TextMessage",
    }


def autogen_state() -> dict[str, Any]:
    """What AutoGen 0.7.5 saves of a round robin of ann and bob after one turn."""

    def participant(*unheard: object) -> dict[str, object]:
        own = {"type": "BaseState", "version": "1.0.0"}
        return {
            "type": "ChatAgentContainerState",
            "version": "1.0.0",
            "agent_state": own,
            "message_buffer": list(unheard),
        }

    task, answer = saved_message("user", "go"), saved_message("ann", "hello")
    return {
        "type": "TeamState",
        "version": "1.0.0",
        "agent_states": {
            "ann": participant(),
            "bob": participant(task, answer),
            "RoundRobinGroupChatManager": {
                "type": "RoundRobinManagerState",
                "version": "1.0.0",
                "message_thread": [task, answer],
                "current_turn": 0,
                "next_speaker_index": 1,
            },
        },
    }


async def test_a_team_goes_on_from_a_saved_state(runtime: Where) -> None:
    team = pair(runtime=runtime, max_turns=1)
    await team.run(task="go")
    state = json.loads(json.dumps(await team.save_state()))
    bob = Member("bob")
    other = RoundRobinGroupChat([Member("ann"), bob], runtime=runtime, max_turns=1)
    await other.load_state(state)

    assert lines((await other.run()).messages) == ["bob: hello"]
    assert bob.heard == [["user: go", "ann: hello"]]
    assert await other.save_state() != state


async def test_loading_and_saving_gives_the_same_state() -> None:
    team = pair()
    await team.load_state(autogen_state())

    assert await team.save_state() == autogen_state()


async def test_a_state_that_autogen_saved_is_gone_on_from() -> None:
    bob = Member("bob")
    team = RoundRobinGroupChat([Member("ann"), bob], max_turns=1)
    await team.load_state(autogen_state())

    assert lines((await team.run()).messages) == ["bob: hello"]
    assert bob.heard == [["user: go", "ann: hello"]]


async def test_f27_a_team_saved_while_a_participant_speaks_lets_it_speak_when_it_is_loaded(runtime: Where) -> None:
    ann, bob = Member("ann"), Member("bob", asyncio.Event())
    team = RoundRobinGroupChat([ann, bob], runtime=runtime)
    run = asyncio.create_task(team.run(task="go"))
    async with asyncio.timeout(NEVER):
        await bob.speaking.wait()
        state = await team.save_state()
    run.cancel()
    await asyncio.wait([run])
    late = Member("bob")
    other = RoundRobinGroupChat([Member("ann"), late], runtime=runtime, max_turns=2)
    await other.load_state(state)

    assert lines((await other.run()).messages) == ["bob: hello"]
    assert late.heard == [["user: go", "ann: hello"]]


async def test_a_team_saved_in_the_middle_of_a_run_counts_its_turns_on() -> None:
    bob = Member("bob", asyncio.Event())
    team = RoundRobinGroupChat([Member("ann"), bob], max_turns=2)
    run = asyncio.create_task(team.run(task="go"))
    async with asyncio.timeout(NEVER):
        await bob.speaking.wait()
    other = pair(max_turns=2)
    await other.load_state(await team.save_state())
    run.cancel()

    assert lines((await other.run()).messages) == ["bob: hello"]
    assert len((await other.run()).messages) == 2


async def test_a_nested_team_is_saved_with_the_outer_one() -> None:
    def outer() -> RoundRobinGroupChat:
        return RoundRobinGroupChat([pair(name="inner", max_turns=1)], max_turns=1)

    team, other = outer(), outer()
    await team.run(task="go")
    await other.load_state(await team.save_state())

    assert lines((await other.run()).messages) == ["bob: hello"]


async def test_a_state_is_the_same_while_paused() -> None:
    team = pair(max_turns=1)
    await team.run(task="go")
    before = await team.save_state()
    await team.pause()

    assert await team.save_state() == before


class Plan(BaseModel):
    steps: int


async def test_a_state_with_a_custom_message_loads_where_its_type_is_known() -> None:
    plan = StructuredMessage[Plan](content=Plan(steps=2), source="ann")
    team = RoundRobinGroupChat([Member("ann", plan), Member("bob")], max_turns=1)
    result = await team.run(task="go")
    state = await team.save_state()
    knowing = pair(custom_message_types=[StructuredMessage[Plan]])
    await knowing.load_state(state)

    assert await knowing.save_state() == state
    assert plan in result.messages
    with pytest.raises(RegistrationError, match="Unknown message type"):
        await pair().load_state(state)


@pytest.mark.parametrize("missing", ["bob", "RoundRobinGroupChatManager"])
async def test_a_state_of_other_participants_is_refused_and_changes_nothing(missing: str) -> None:
    team = pair(max_turns=1)
    await team.run(task="go")
    before = await team.save_state()
    state = autogen_state()
    del state["agent_states"][missing]

    with pytest.raises(InvalidArgumentError, match=f"Agent state for {missing} not found"):
        await team.load_state(state)
    assert await team.save_state() == before


async def test_a_state_of_another_shape_is_refused_and_changes_nothing() -> None:
    team = pair(max_turns=1)
    await team.run(task="go")
    before = await team.save_state()
    state = autogen_state()
    state["agent_states"]["RoundRobinGroupChatManager"]["next_speaker_index"] = "first"

    with pytest.raises(ValidationError):
        await team.load_state(state)
    assert await team.save_state() == before


@pytest.mark.parametrize(
    ("place", "value", "error"),
    [
        (("bob", "message_buffer", 0, "type"), [], RegistrationError),
        (("RoundRobinGroupChatManager", "progress"), {"condition": {}}, ValidationError),
        (("RoundRobinGroupChatManager", "progress"), {"turns": -1}, ValidationError),
    ],
)
async def test_a_state_with_a_wrong_part_is_refused_with_an_error_that_names_it(
    place: tuple[str | int, ...], value: object, error: type[Exception]
) -> None:
    team = pair(max_turns=1, termination_condition=MaxMessageTermination(9))
    await team.run(task="go")
    before = await team.save_state()
    state: Any = autogen_state()
    part = state["agent_states"]
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value

    with pytest.raises(error):
        await team.load_state(state)
    assert await team.save_state() == before


async def test_a_nested_teams_turn_begins_at_a_place_of_its_transcript() -> None:
    team = RoundRobinGroupChat([pair(name="inner", max_turns=1)], max_turns=1)
    before = await team.save_state()
    state: Any = json.loads(json.dumps(before))
    state["agent_states"]["inner"]["agent_state"]["turn_began"] = "first"

    with pytest.raises(InvalidArgumentError, match="turn_began"):
        await team.load_state(state)
    assert await team.save_state() == before


async def test_a_run_that_is_beyond_the_turns_of_the_team_that_continues_it_ends_with_the_next_turn() -> None:
    state = autogen_state()
    state["agent_states"]["RoundRobinGroupChatManager"]["current_turn"] = 5
    team = pair(max_turns=3)
    await team.load_state(state)
    async with asyncio.timeout(NEVER):
        result = await team.run()
    assert result.stop_reason == "Maximum number of turns 3 reached."
    assert len(result.messages) == 1


class Greedy:
    """A rule whose state takes a name that is the conversation's."""

    async def decide(self, _transcript: Transcript, _context: RuleContext, /) -> Decision:
        return Speak(("ann",))

    def save_state(self) -> Mapping[str, Any]:
        return {"message_thread": []}

    def load_state(self, state: Mapping[str, Any], /) -> None:
        pass

    def reset(self) -> None:
        pass


async def test_a_rule_may_not_save_under_the_conversations_names() -> None:
    team = GroupChat([Member("ann")], rule=Greedy())

    with pytest.raises(UsageError, match=r"\['message_thread'\]: choose other names"):
        await team.save_state()


async def test_what_is_pending_is_a_chat_message() -> None:
    state = autogen_state()
    state["agent_states"]["bob"]["message_buffer"] = [{**saved_message("ann", "hm"), "type": "ThoughtEvent"}]

    with pytest.raises(InvalidArgumentError, match="message_buffer holds a ThoughtEvent"):
        await pair().load_state(state)


async def test_messages_keep_their_ids_through_a_saved_state() -> None:
    task = TextMessage(content="go", source="user")
    team = pair(max_turns=1)
    await team.run(task=task)
    state = await team.save_state()

    assert state["agent_states"]["bob"]["message_buffer"][0]["id"] == task.id


@pytest.mark.parametrize(
    ("name", "part"),
    [("bob", "message_buffer"), ("RoundRobinGroupChatManager", "message_thread")],
)
async def test_a_message_that_is_no_object_is_named_with_its_place(name: str, part: str) -> None:
    state = autogen_state()
    state["agent_states"][name][part] = ["x"]

    with pytest.raises(ValidationError, match=rf"{part}\.0") as caught:
        await pair().load_state(state)
    assert caught.value.__notes__ == [f"It is the state at agent_states.{name}."]


async def test_a_state_that_a_condition_refuses_is_named_with_its_place() -> None:
    state = autogen_state()
    saved = {"condition": "OrTerminationCondition", "state": {"members": [{"condition": "x", "state": 1.5}]}}
    state["agent_states"]["RoundRobinGroupChatManager"]["progress"] = {"running": True, "condition": saved}
    team = pair(termination_condition=MaxMessageTermination(3) | MaxMessageTermination(4))

    with pytest.raises(ValidationError, match=r"members\.0\.state") as caught:
        await team.load_state(state)
    assert caught.value.__notes__ == ["It is the state of the OrTerminationCondition, at progress.condition.state."]


class Ballot(BaseModel):
    name: str


class Vote(StructuredMessage[Ballot]):
    """A class of messages that only one participant produces."""


class Voter(Member):
    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (Vote,)


async def test_a_nested_team_loads_messages_of_a_class_that_only_another_participant_produces(runtime: Where) -> None:
    def team() -> RoundRobinGroupChat:
        voter = Voter("voter", Vote(content=Ballot(name="tea"), source="voter"))
        inner = RoundRobinGroupChat([Member("x")], name="inner", max_turns=1)
        society = SocietyOfMindAgent("society", RoundRobinGroupChat([Member("y")], max_turns=1), model("fine", "fine"))
        middle = RoundRobinGroupChat([inner, society], name="middle", max_turns=2)
        return RoundRobinGroupChat([voter, middle], max_turns=2, runtime=runtime)

    first, second = team(), team()
    await first.run(task="go")
    await second.load_state(json.loads(json.dumps(await first.save_state())))
    assert (await second.run()).stop_reason == "Maximum number of turns 2 reached."
    assert await second.save_state() != await first.save_state()
    assert not RoundRobinGroupChat([Member("x")]).produced_message_types
