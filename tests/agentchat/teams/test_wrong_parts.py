"""Parts of a team that a program has written itself, and that answer wrongly: each error names the part."""

import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from tests.support.team_members import Member

from symposia.agentchat.agents import AssistantAgent, BaseChatAgent
from symposia.agentchat.base import Response, TerminationCondition
from symposia.agentchat.conditions import Condition, MaxMessageTermination, StatefulCondition
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, Messages, StopMessage, TextMessage
from symposia.agentchat.teams import (
    GroupChat,
    RoundRobinGroupChat,
    RuleContext,
    SelectorGroupChat,
    Speak,
    Stop,
    TeamRule,
    Transcript,
)
from symposia.core import CancellationToken, Component
from symposia.core.exceptions import AgentError, ArgumentTypeError, ComponentError, InvalidArgumentError, UsageError
from symposia.ext.models.replay import ReplayChatCompletionClient

# Any stands, in all of this file, for what a program without a type checker gives.


class Rule:
    """Decides what it was given."""

    def __init__(self, decision: Any = None, state: Any = None) -> None:
        self.decision = decision
        self.state: Any = {} if state is None else state

    async def decide(self, _transcript: Any, _context: Any) -> Any:
        return self.decision

    def save_state(self) -> Any:
        return self.state

    def load_state(self, state: Any) -> None:
        pass

    def reset(self) -> None:
        pass


class PlainDecide(Rule):
    def decide(self, _transcript: Any, _context: Any) -> Any:
        return Speak(("ann",))


class AsyncSave(Rule):
    async def save_state(self) -> Any:
        return {}


class Fixed(TeamRule):
    """Has one participant speak."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def decide(self, transcript: Transcript, context: RuleContext, /) -> Speak:
        return Speak((self._name,))

    def save_state(self) -> Mapping[str, Any]:
        return {}

    def load_state(self, state: Mapping[str, Any], /) -> None:
        pass

    def reset(self) -> None:
        pass


class SavableFixed(Fixed, Component):
    component_type = "rule"


def test_a_rule_that_cannot_be_saved_says_what_to_derive_it_from() -> None:
    parrot = AssistantAgent("ann", ReplayChatCompletionClient([]))

    with pytest.raises(
        ComponentError, match=r"rule: Fixed object has no form in JSON \(derive Fixed from Component too"
    ):
        GroupChat([parrot], rule=Fixed("ann")).dump_component()
    saved = GroupChat([parrot], rule=SavableFixed("ann")).dump_component()
    assert GroupChat.load_component(saved, allow=["tests"]).dump_component() == saved


def team(rule: Any, **options: Any) -> GroupChat:
    return GroupChat([Member("ann"), Member("bob")], rule=rule, name="bar", **options)


@pytest.mark.parametrize("decision", [None, "ann", ("ann",), True])
@pytest.mark.parametrize("max_turns", [None, 1])
async def test_a_decision_that_is_none_of_the_two_ends_the_run(decision: object, max_turns: int | None) -> None:
    with pytest.raises(
        UsageError, match="The rule of the team 'bar' has to return Speak, Say or Stop, and returned"
    ) as caught:
        await team(Rule(decision), max_turns=max_turns).run(task="go")
    assert repr(decision) in str(caught.value)


async def test_a_plain_decide_is_an_error_that_says_so() -> None:
    with pytest.raises(UsageError, match="decide of the rule of the team 'bar' has to be a coroutine function"):
        await team(PlainDecide()).run(task="go")


async def test_a_rule_that_chooses_a_stranger_is_named_by_its_team() -> None:
    with pytest.raises(UsageError, match=r"The rule of the team 'bar' chose \['eve'\]"):
        await team(Rule(Speak(("eve",)))).run(task="go")


async def test_a_rule_whose_state_is_no_mapping_cannot_be_saved() -> None:
    with pytest.raises(UsageError, match="save_state of the rule of the team 'bar' has to return a mapping"):
        await team(Rule(state=5)).save_state()


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (object(), "has no decide and no save_state and no load_state and no reset"),
        (Rule, "has to be an object, not the class Rule"),
        (None, "has to have the methods decide"),
        (AsyncSave(), "save_state of the rule of the team 'bar' has to be a plain method"),
    ],
)
def test_what_is_no_rule_is_refused_when_the_team_is_made(rule: object, message: str) -> None:
    with pytest.raises(ArgumentTypeError, match=message):
        team(rule)


def test_the_names_of_speak_are_a_tuple_of_texts() -> None:
    wrong: Any
    for wrong in ("ann", 5, None, {"ann"}):
        with pytest.raises(ArgumentTypeError, match="Speak takes the names as a tuple"):
            Speak(wrong)
    wrong = ["ann", 5]
    with pytest.raises(ArgumentTypeError, match="The names of Speak have to be texts, not 5"):
        Speak(wrong)
    listed: Any = ["ann"]
    assert Speak(listed) == Speak(("ann",))


def test_the_reason_of_stop_is_a_text() -> None:
    nothing: Any = None
    with pytest.raises(ArgumentTypeError, match="The reason of Stop has to be a text, not None"):
        Stop(nothing)


async def test_a_failure_is_reported_under_the_name_of_the_team() -> None:
    with pytest.raises(ValueError, match="boom") as caught:
        await RoundRobinGroupChat([Member("ann", ValueError("boom"))], name="bar").run(task="go")
    assert caught.value.__notes__ == ["It was raised by 'ann', a participant of the team 'bar'."]


async def saved_by(*names: str) -> Mapping[str, Any]:
    made = RoundRobinGroupChat([Member(name) for name in names])
    return json.loads(json.dumps(await made.save_state()))


async def test_a_state_of_other_participants_names_them_and_no_manager() -> None:
    loading = RoundRobinGroupChat([Member("ann")], name="bar")

    with pytest.raises(InvalidArgumentError) as caught:
        await loading.load_state(await saved_by("eve", "dan"))
    assert "the team 'bar'" in str(caught.value)
    assert "it was saved by a team of ['dan', 'eve'], and this is a team of ['ann']" in str(caught.value)
    with pytest.raises(InvalidArgumentError, match="it holds no participant, and this is a team of"):
        await loading.load_state({"agent_states": {}})


async def test_a_state_of_another_kind_of_team_says_so() -> None:
    loading = SelectorGroupChat([Member("ann"), Member("bob")], ReplayChatCompletionClient([]), name="bar")

    with pytest.raises(InvalidArgumentError, match="a team of another kind saved it, whose manager is RoundRobin"):
        await loading.load_state(await saved_by("ann", "bob"))


@dataclass
class Count:
    seen: int = 0


class NoSuper(StatefulCondition[Count]):
    def __init__(self) -> None:
        """Leave out the constructor of the base class."""

    async def look(self, messages: Messages) -> str | None:
        return None


class PlainLook(Condition):
    def look(self, messages: Messages) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride] - the mistake
        return None


class TrueLook(Condition):
    async def look(self, messages: Messages) -> Any:
        return True


class Direct(TerminationCondition):
    """Answers what it was given, as a condition written for AutoGen does: without `look`."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    @property
    def terminated(self) -> bool:
        return False

    async def __call__(self, messages: Messages) -> Any:
        return self.answer

    async def reset(self) -> None:
        pass


class PlainDirect(Direct):
    def __call__(self, messages: Messages) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride] - the mistake
        return self.answer


Combine = Callable[[TerminationCondition], TerminationCondition]
COMBINED: list[Combine] = [
    lambda one: one,
    lambda one: one | MaxMessageTermination(9),
    lambda one: one & MaxMessageTermination(9),
]


@pytest.mark.parametrize("combined", COMBINED)
def test_a_condition_without_its_base_is_refused_when_the_team_is_made(combined: Combine) -> None:
    with pytest.raises(UsageError, match=r"__init__ of the condition 'NoSuper' has to call super\(\).__init__\(\)"):
        RoundRobinGroupChat([Member("ann")], termination_condition=combined(NoSuper()))


@pytest.mark.parametrize("combined", COMBINED)
@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (PlainLook, "look of the condition 'PlainLook' has to be a coroutine function: write async def look."),
        (TrueLook, "look of the condition 'TrueLook' has to return the reason to end the run, as a text, or None"),
        (lambda: Direct(True), "The condition 'Direct' has to return StopMessage"),
        (lambda: PlainDirect(None), "__call__ of the condition 'PlainDirect' has to be a coroutine function"),
    ],
)
async def test_a_wrong_answer_of_a_condition_names_it(
    condition: Callable[[], TerminationCondition], message: str, combined: Combine
) -> None:
    made = RoundRobinGroupChat([Member("ann")], termination_condition=combined(condition()), max_turns=3)
    with pytest.raises(UsageError) as caught:
        await made.run(task="go")
    assert message in str(caught.value)


async def test_a_condition_with_right_answers_ends_the_run() -> None:
    stop = StopMessage(content="enough", source="Direct")
    made = RoundRobinGroupChat([Member("ann")], termination_condition=Direct(stop), max_turns=3)
    assert (await made.run(task="go")).stop_reason == "enough"


class PlainListener:
    def write(self, entry: object) -> None:
        """Take it, without being a coroutine function."""


async def test_what_is_no_listener_is_refused_at_once() -> None:
    entries: list[object] = []
    made = RoundRobinGroupChat([Member("ann")], name="bar")
    wrong: Any
    for wrong in (entries.append, PlainListener, None):
        with pytest.raises(ArgumentTypeError, match=r"log of the team 'bar' .* async def write\(self, entry\), not"):
            made.log_to(wrong)

    wrong = PlainListener()
    with pytest.raises(UsageError, match="write of the log listener 'PlainListener' has to be a coroutine function"):
        async with made.log_to(wrong):
            raise AssertionError("the listener was accepted")


class Inner(BaseChatAgent):
    """Answers with the inner messages that it was given."""

    def __init__(self, inner: Any) -> None:
        super().__init__("ann", "Answers.")
        self.inner = inner

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (TextMessage,)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        return Response(chat_message=TextMessage(content="done", source="ann"), inner_messages=self.inner)

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        pass


class StreamingInner(Inner):
    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        yield await self.on_messages(messages, cancellation_token)


@pytest.mark.parametrize("agent", [Inner, StreamingInner])
@pytest.mark.parametrize("inner", [["a text"], [None], "a text", 5], ids=repr)
async def test_inner_messages_that_are_none_are_refused_and_not_committed(agent: type[Inner], inner: Any) -> None:
    team = RoundRobinGroupChat([agent(inner)], max_turns=1)
    with pytest.raises(AgentError, match=r"inner_messages of the Response of .* of the agent 'ann' have to be a list"):
        await team.run(task="go")
    assert len(team.transcript) == 1


@pytest.mark.parametrize("version", ["2.0.0", "0.9", 1, None])
async def test_a_state_of_another_version_is_refused_by_teams_and_agents(version: object) -> None:
    agent = AssistantAgent("writer", ReplayChatCompletionClient(["one"]))
    team = RoundRobinGroupChat([agent], name="house", max_turns=1)
    await team.run(task="Write.")
    for owner in (agent, team):
        state = {**await owner.save_state(), "version": version}
        with pytest.raises(InvalidArgumentError, match=f"state of .*'(writer|house)'.* has the version {version!r}"):
            await owner.load_state(state)
    assert len(team.transcript) == 2


def test_a_team_without_a_description_takes_no_part_in_another() -> None:
    inner = RoundRobinGroupChat([Member("writer")], name="house", description=" ")
    with pytest.raises(InvalidArgumentError, match="'house' takes part in another team and has no description"):
        RoundRobinGroupChat([inner])
