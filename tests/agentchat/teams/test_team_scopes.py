"""The scopes of effects in a team: team, turn, and the agent or the rule."""

from collections.abc import AsyncGenerator, Sequence

import pytest
from tests.support.chat_agents import model
from tests.support.effect_recorder import EffectRecorder
from tests.support.team_members import Member, Script

from symposia.agentchat.base import Response
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage
from symposia.agentchat.teams import (
    Decision,
    GroupChat,
    RoundRobinGroupChat,
    RuleContext,
    Speak,
    Stop,
    Transcript,
)
from symposia.core import CancellationToken
from symposia.core.effects import handle_effects
from symposia.core.models import call_model


class Asker(Member):
    """Asks a model in each turn."""

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        await call_model(model("?"), [])
        async for item in super().on_messages_stream(messages, cancellation_token):
            yield item


class AskingScript(Script):
    """Asks a model before each decision."""

    async def decide(self, transcript: Transcript, context: RuleContext, /) -> Decision:
        await context.ask(model("?"), [])
        return await super().decide(transcript, context)


async def test_an_effect_has_the_scope_of_its_team_turn_and_agent() -> None:
    recorder = EffectRecorder()
    rule = AskingScript(Speak(("ann", "bob")), Stop("enough"))
    with handle_effects(recorder):
        await GroupChat([Asker("ann"), Asker("bob")], rule=rule, name="us").run(task="go")

    assert recorder.scopes == [
        "team:us/turn:1/rule",
        "team:us/turn:1/agent:ann",
        "team:us/turn:1/agent:bob",
        "team:us/turn:2/rule",
    ]


async def test_agents_of_one_name_in_nested_teams_have_scopes_of_their_own() -> None:
    def inner(name: str) -> RoundRobinGroupChat:
        return RoundRobinGroupChat([Asker("writer")], name=name, max_turns=1)

    recorder = EffectRecorder()
    team = GroupChat([inner("a"), inner("b")], rule=Script(Speak(("a", "b")), Stop("enough")), name="us")
    with handle_effects(recorder):
        await team.run(task="go")

    assert sorted(recorder.scopes) == [
        f"team:us/turn:1/agent:{name}/team:{name}/turn:1/agent:writer" for name in ("a", "b")
    ]


async def test_each_turn_has_a_number_of_its_own_also_after_a_failure_and_after_loading() -> None:
    def team(*turns: str | Exception) -> RoundRobinGroupChat:
        return RoundRobinGroupChat([Asker("ann", *turns)], name="us", max_turns=1)

    first, second, recorder = team("1", ValueError("boom"), "2"), team(), EffectRecorder()
    with handle_effects(recorder):
        await first.run(task="go")
    with handle_effects(recorder), pytest.raises(ValueError, match="boom"):
        await first.run()
    with handle_effects(recorder):
        await first.run()
    await second.load_state(await first.save_state())
    with handle_effects(recorder):
        await second.run()

    assert recorder.scopes == [f"team:us/turn:{number}/agent:ann" for number in (1, 2, 3, 4)]


async def test_a_second_run_is_in_the_same_scope_as_in_a_process_that_resumes_the_team() -> None:
    """The number of its turn tells it from the first: a process that resumes it begins to count runs anew."""

    def team() -> RoundRobinGroupChat:
        return RoundRobinGroupChat([Asker("ann")], max_turns=1, name="us")

    recorder, other = EffectRecorder(), EffectRecorder()
    first, second = team(), team()
    with handle_effects(recorder):
        await first.run(task="go")
        state = await first.save_state()
        await first.run(task="on")
        await first.load_state(state)
        await first.run(task="otherwise")
    await second.load_state(state)
    with handle_effects(other):
        await second.run(task="on")

    assert recorder.scopes == [
        "team:us/turn:1/agent:ann",
        "team:us/turn:2/agent:ann",
        "team:us#2/turn:2/agent:ann",  # it has gone back, and takes that turn another time
    ]
    assert other.scopes == recorder.scopes[1:2]
