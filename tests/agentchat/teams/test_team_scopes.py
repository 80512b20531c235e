"""The scopes of effects in a team: team, turn, and the agent or the rule; or the start of a run."""

from collections.abc import AsyncGenerator, Sequence

import pytest
from tests.support.chat_agents import model
from tests.support.effect_recorder import EffectRecorder
from tests.support.journal import Journal
from tests.support.team_members import Member, Script

from symposia.agentchat.base import Response
from symposia.agentchat.conditions import MaxMessageTermination
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, Messages, StopMessage
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
from symposia.core.effects import ask_human, enter_scope, handle_effects
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


class AskingFirst(MaxMessageTermination):
    """Asks a person before each run."""

    def __init__(self, answers: Sequence[str]) -> None:
        super().__init__(100)
        self._answers = list(answers)
        self.received: list[str] = []

    async def start(self, task: Messages) -> StopMessage | None:
        async def answer(question: str) -> str:
            return self._answers.pop(0)

        self.received.append((await ask_human(answer, "May the team begin?")).text)
        return await super().start(task)


async def test_what_a_condition_asks_at_the_start_of_each_run_is_an_effect_of_that_run() -> None:
    def team(condition: AskingFirst) -> RoundRobinGroupChat:
        return RoundRobinGroupChat([Member("ann")], max_turns=1, name="us", termination_condition=condition)

    journal, asked, replayed = Journal(), AskingFirst(["one", "two", "three"]), AskingFirst([])
    first, again = team(asked), team(replayed)
    with handle_effects(journal):
        for task in ("go", "on"):
            await first.run(task=task)
        state = await first.save_state()
        await first.run(task="further")
    with handle_effects(journal):
        for task in ("go", "on", "further"):
            await again.run(task=task)
    resumed = AskingFirst([])
    last = team(resumed)
    await last.load_state(state)
    with handle_effects(journal):
        await last.run(task="further")

    assert asked.received == replayed.received == ["one", "two", "three"]
    assert resumed.received == ["three"]
    assert journal.performed == [f"team:us/start:{run} human" for run in (1, 2, 3)]


async def test_a_team_that_loads_its_own_state_before_each_run_stays_in_its_scope() -> None:
    team, recorder = RoundRobinGroupChat([Asker("ann")], max_turns=1, name="us"), EffectRecorder()
    with handle_effects(recorder):
        for task in ("go", "on", "further"):
            await team.load_state(await team.save_state())
            await team.run(task=task)

    assert recorder.scopes == [f"team:us/turn:{number}/agent:ann" for number in (1, 2, 3)]


async def test_a_team_that_is_used_in_two_scopes_in_turn_stays_in_each() -> None:
    """A process that resumes it between two runs would not find what is recorded otherwise."""
    recorder = EffectRecorder()
    team = RoundRobinGroupChat([Asker("ann")], name="us", max_turns=1)
    with handle_effects(recorder):
        for _ in range(2):
            await team.run(task="here")
            with enter_scope("there"):
                await team.run(task="there")

    assert recorder.scopes == [
        "team:us/turn:1/agent:ann",
        "there/team:us/turn:2/agent:ann",
        "team:us/turn:3/agent:ann",
        "there#2/team:us/turn:4/agent:ann",
    ]
