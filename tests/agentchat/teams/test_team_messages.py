"""The messages between a team and its participants are bytes and back what they were."""

import asyncio
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import pytest
from pydantic import BaseModel
from tests.support.chat_agents import asks_for, model
from tests.support.team_members import Member, Turn, lines, pair

from symposia.agentchat.agents import AssistantAgent, BaseChatAgent, SocietyOfMindAgent
from symposia.agentchat.base import ChatAgent, Response
from symposia.agentchat.messages import (
    BaseChatMessage,
    HandoffMessage,
    MultiModalMessage,
    StructuredMessage,
    TextMessage,
    ThoughtEvent,
    ToolCallRequestEvent,
)
from symposia.agentchat.teams import (
    ParticipantCommand,
    ParticipantEvents,
    ReportChanges,
    RoundRobinGroupChat,
    StateChanges,
    TakeTurn,
    TurnTaken,
)
from symposia.agentchat.tools import TeamTool
from symposia.core import (
    AgentId,
    AgentRuntime,
    CancellationToken,
    DefaultInterventionHandler,
    FunctionCall,
    MessageContext,
    SerializationRegistry,
    SingleThreadedAgentRuntime,
)
from symposia.core.exceptions import MessageFormatError, MessageSerializationError
from symposia.core.models import RequestUsage, UserMessage
from symposia.core.tools import StaticStreamWorkbench

M = TypeVar("M")
NEVER = 30.0


class Plan(BaseModel):
    steps: int


class Signed(TextMessage):
    """Inherits the type of its base class."""

    signature: str


PLAN = StructuredMessage[Plan](content=Plan(steps=2), source="ann")
SIGNED = Signed(content="so", source="ann", signature="A.")
HANDOFF = HandoffMessage(content="over", source="ann", target="bob", context=[UserMessage(content="hi", source="user")])
THOUGHT = ThoughtEvent(content="hm", source="ann")
CALL = ToolCallRequestEvent(content=[FunctionCall(id="1", name="f", arguments="{}")], source="ann")
PICTURE = MultiModalMessage(content=["text"], source="ann", models_usage=RequestUsage(1, 2))


class Keeping(SingleThreadedAgentRuntime):
    """Keeps the serializers that it is given."""

    def __init__(self, *handlers: DefaultInterventionHandler) -> None:
        super().__init__(intervention_handlers=list(handlers))
        self.registry = SerializationRegistry()

    def add_message_serializer(self, serializer: Any) -> None:  # Any: one or several
        self.registry.add_serializer(serializer)

    def through_bytes(self, message: M) -> M:
        name = self.registry.type_name(message)
        data = self.registry.serialize(message, type_name=name, data_content_type="application/json")
        return self.registry.deserialize(data, type_name=name, data_content_type="application/json")


class Bytes(DefaultInterventionHandler):
    """Writes every message and every answer to bytes, and reads it back. It keeps the id of the team that asks."""

    def __init__(self) -> None:
        self.runtime: Keeping | None = None
        self.kinds: set[str] = set()
        self.team = ""

    def _copy(self, message: Any) -> Any:  # Any: what travels in a runtime
        assert self.runtime is not None
        self.kinds.add(type(message).__name__)
        if isinstance(message, TakeTurn):
            self.team = message.team
        return self.runtime.through_bytes(message)

    async def on_send(self, message: Any, *, message_context: MessageContext, recipient: AgentId) -> Any:
        return self._copy(message)

    async def on_response(self, message: Any, *, sender: AgentId, recipient: AgentId | None) -> Any:
        return message if message is None else self._copy(message)


async def bytes_runtime() -> tuple[Keeping, Bytes]:
    handler = Bytes()
    handler.runtime = Keeping(handler)
    return handler.runtime, handler


async def test_every_message_comes_back_as_it_was() -> None:
    runtime, handler = await bytes_runtime()
    runtime.start()
    team = pair(runtime=runtime, custom_message_types=[StructuredMessage[Plan], Signed], max_turns=1)
    await team.run(task="go")  # registers what the runtime has to know
    team_id = handler.team
    messages: Sequence[BaseChatMessage] = [PLAN, SIGNED, HANDOFF, PICTURE]
    for message in (
        TakeTurn(team_id, messages, 7),
        TurnTaken(team_id, [THOUGHT, CALL, PLAN], [PLAN], RequestUsage(3, 4)),
        TurnTaken(team_id, [SIGNED], []),
        TurnTaken(team_id, [], [PLAN], None, [THOUGHT, PLAN]),
        ParticipantEvents(team_id, "ann", [THOUGHT, SIGNED]),
        ParticipantCommand(action="pause"),
        ReportChanges(marks=7),
        StateChanges(change={"set": {"a": 1}}),
    ):
        assert runtime.through_bytes(message) == message
    read = runtime.through_bytes(TakeTurn(team_id, messages))
    assert [type(message) for message in read.messages] == [type(message) for message in messages]
    await runtime.stop_when_idle()


async def test_a_lone_surrogate_that_a_model_wrote_comes_back_as_it_was() -> None:
    runtime, _ = await bytes_runtime()
    team = pair(runtime=runtime)
    await team.save_state()  # registers what the runtime has to know
    for message in (
        ParticipantEvents("t", "ann", [ThoughtEvent(content="\ud83d!", source="ann")]),
        StateChanges(change={"set": {"said": "\ud83d!", "score": math.inf}}),
    ):
        assert runtime.through_bytes(message) == message


async def test_a_class_that_the_team_does_not_know_is_named() -> None:
    runtime, _ = await bytes_runtime()
    team = pair(runtime=runtime)
    await team.save_state()

    with pytest.raises(MessageSerializationError, match=r"Signed cannot leave the process.*custom_message_types"):
        runtime.through_bytes(TakeTurn("of nobody", [SIGNED]))


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b'{"version": 2, "team": "t"}',
        b"[",
        pytest.param(b"[" * 100_000, id="too deep"),
        b"\xff",
        b'{"version": 1, "team": "t", "messages": [{"type": "What"}]}',
    ],
)
async def test_bytes_that_are_no_such_message_are_refused(payload: bytes) -> None:
    runtime, _ = await bytes_runtime()
    await pair(runtime=runtime).save_state()

    with pytest.raises(MessageFormatError, match="no TakeTurn of version 1"):
        runtime.registry.deserialize(payload, type_name="TakeTurn", data_content_type="application/json")


async def test_two_teams_of_one_runtime_may_have_classes_of_one_name() -> None:
    def team(steps: type[object]) -> RoundRobinGroupChat:
        class Note(TextMessage):
            value: steps  # type: ignore[valid-type] # int in one team, str in the other

        note = Note(content="x", source="ann", value=steps(7))  # type: ignore[call-arg] # likewise
        return RoundRobinGroupChat(
            [Member("ann", note), Member("bob")], runtime=runtime, custom_message_types=[Note], max_turns=1
        )

    runtime, _ = await bytes_runtime()
    runtime.start()
    for team_, value in ((team(int), 7), (team(str), "7")):
        result = await team_.run(task="go")
        assert result.messages[-1].value == value  # type: ignore[attr-defined] # of the class above
    await runtime.stop_when_idle()


class Chatty(BaseChatAgent):
    """Shows a thought before its answer."""

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (Signed,)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        await asyncio.sleep(0)
        return Response(chat_message=SIGNED, inner_messages=[THOUGHT])

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        pass


async def test_a_team_runs_where_every_message_is_bytes() -> None:
    runtime, handler = await bytes_runtime()
    runtime.start()
    types = [StructuredMessage[Plan], Signed]
    inner = RoundRobinGroupChat([Chatty("cid", "chats")], name="inner", custom_message_types=types, max_turns=1)
    members = [Chatty("ann", "chats"), Member("bob", PLAN), inner]
    team = RoundRobinGroupChat(members, runtime=runtime, custom_message_types=types, max_turns=3)
    result = await team.run(task="go")
    await team.pause()
    await team.resume()
    await team.load_state(await team.save_state())
    await team.reset()
    await runtime.stop_when_idle()

    assert list(result.messages[1:]) == [THOUGHT, SIGNED, PLAN, THOUGHT, SIGNED]
    assert handler.kinds >= {"TakeTurn", "TurnTaken", "ParticipantEvents", "ParticipantCommand"}


@pytest.mark.parametrize("ends", ["well", "with a failure", "by cancellation"])
async def test_a_team_leaves_nothing_in_a_shared_runtime(ends: str) -> None:
    runtime = SingleThreadedAgentRuntime()
    runtime.start()
    turns: dict[str, Turn] = {"well": "hi", "with a failure": ValueError("boom"), "by cancellation": asyncio.Event()}
    stuck = Member("ann", turns[ends], "later")
    team = RoundRobinGroupChat([stuck, Member("bob")], runtime=runtime, max_turns=1)
    run = asyncio.create_task(team.run(task="go"))
    async with asyncio.timeout(NEVER):
        await stuck.speaking.wait()
        if ends == "by cancellation":
            run.cancel()
        await asyncio.wait([run])
        await team.save_state()

    assert await runtime.save_state() == {}
    with pytest.raises(LookupError, match="Registered types: none"):
        await runtime.get("nobody", lazy=False)
    assert len((await team.run()).messages) == 1
    await runtime.stop_when_idle()


async def test_what_a_participant_knows_survives_between_the_runs_of_a_shared_runtime() -> None:
    runtime = SingleThreadedAgentRuntime()
    runtime.start()
    ann, bob = Member("ann"), Member("bob")
    team = RoundRobinGroupChat([ann, bob], runtime=runtime, max_turns=1)
    for task in ("one", "two", "three"):
        await team.run(task=task)
    await runtime.stop_when_idle()

    assert ann.heard == [["user: one"], ["user: two", "bob: hello", "user: three"]]
    assert lines(team.transcript)[-1] == "ann: hello"


class Planner(Member):
    """Answers with a plan."""

    def __init__(self) -> None:
        super().__init__("planner", PLAN)

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (StructuredMessage[Plan],)


def planners() -> RoundRobinGroupChat:
    return RoundRobinGroupChat([Planner()], name="planners", max_turns=1)


ASKING = asks_for(("planners", '{"task": "plan"}'))
SPEAKERS: Mapping[str, Callable[[], ChatAgent]] = {
    "an agent made of a team": lambda: SocietyOfMindAgent("ann", planners(), model("done")),
    "a tool made of a team": lambda: AssistantAgent("ann", model(ASKING), tools=[TeamTool(planners(), "planners", "")]),
    "a tool of a workbench": lambda: AssistantAgent(
        "ann", model(ASKING), workbench=StaticStreamWorkbench([TeamTool(planners(), "planners", "")])
    ),
}


@pytest.mark.parametrize("speaker", SPEAKERS.values(), ids=SPEAKERS)
async def test_a_team_knows_the_messages_of_teams_inside_of_its_agents(
    speaker: Callable[[], ChatAgent], runtime: AgentRuntime | None
) -> None:
    team = RoundRobinGroupChat([speaker()], max_turns=1, runtime=runtime)
    await team.run(task="go")
    assert PLAN in team.transcript

    other = RoundRobinGroupChat([speaker()], max_turns=1, runtime=runtime)
    await other.load_state(json.loads(json.dumps(await team.save_state())))
    assert other.transcript == team.transcript
