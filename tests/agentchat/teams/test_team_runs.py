import copy
import json
from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import BaseModel
from tests.support.chat_agents import collected, kinds, model, says
from tests.support.team_members import Member, Script, handoff, lines, pair, ran

from symposia.agentchat.base import ChatAgent, TaskResult, Team
from symposia.agentchat.conditions import (
    ExternalTermination,
    FunctionalTermination,
    HandoffTermination,
    MaxMessageTermination,
    SourceMatchTermination,
    TextMentionTermination,
    TimeoutTermination,
    TokenUsageTermination,
)
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, StructuredMessage, TextMessage, ThoughtEvent
from symposia.agentchat.teams import (
    GroupChat,
    RoundRobinGroupChat,
    SelectorGroupChat,
    Speak,
    Stop,
    Swarm,
)
from symposia.core import AgentRuntime
from symposia.core.exceptions import InvalidArgumentError, UsageError
from symposia.core.models import RequestUsage
from symposia.ext.models.replay import ReplayChatCompletionClient

Where = AgentRuntime | None


async def test_participants_speak_in_turn_until_a_condition_is_met(runtime: Where) -> None:
    team = pair(runtime=runtime, termination_condition=MaxMessageTermination(4))

    assert ran(await team.run(task="go")) == (
        ["user: go", "ann: hello", "bob: hello", "ann: hello"],
        "Maximum number of messages 4 reached, current message count: 4",
    )


async def test_a_team_stops_after_its_number_of_turns_and_goes_on_where_it_stood(runtime: Where) -> None:
    team = pair(runtime=runtime, max_turns=1)

    assert ran(await team.run(task="go")) == (["user: go", "ann: hello"], "Maximum number of turns 1 reached.")
    assert ran(await team.run()) == (["bob: hello"], "Maximum number of turns 1 reached.")


async def test_each_participant_hears_what_the_others_said_since_its_last_turn(runtime: Where) -> None:
    ann, bob = Member("ann", "1", "3"), Member("bob", "2")
    await RoundRobinGroupChat([ann, bob], runtime=runtime, max_turns=4).run(task="go")

    assert ann.heard == [["user: go"], ["bob: 2"]]
    assert bob.heard == [["user: go", "ann: 1"], ["ann: 3"]]


async def test_a_stream_shows_everything_in_order_and_the_result_last(runtime: Where) -> None:
    thinker = Member("ann", [ThoughtEvent(content="hm", source="ann"), TextMessage(content="so", source="ann")])
    team = RoundRobinGroupChat([thinker], runtime=runtime, max_turns=1)
    *items, result = await collected(team.run_stream(task="go"))

    assert kinds(items) == ["TextMessage", "ThoughtEvent", "TextMessage"]
    assert isinstance(result, TaskResult)
    assert list(result.messages) == items


async def test_events_are_not_received_by_others(runtime: Where) -> None:
    thinker = Member("ann", [ThoughtEvent(content="hm", source="ann"), TextMessage(content="so", source="ann")])
    bob = Member("bob")
    await RoundRobinGroupChat([thinker, bob], runtime=runtime, max_turns=2).run(task="go")

    assert bob.heard == [["user: go", "ann: so"]]


async def test_the_task_may_be_left_out_of_the_result() -> None:
    result = await pair(max_turns=1).run(task="go", output_task_messages=False)

    assert lines(result.messages) == ["ann: hello"]


async def test_a_task_may_be_several_messages_or_none() -> None:
    task = [TextMessage(content="one", source="user"), TextMessage(content="two", source="eve")]

    assert lines((await pair(max_turns=1).run(task=task)).messages) == ["user: one", "eve: two", "ann: hello"]
    assert lines((await pair(max_turns=1).run()).messages) == ["ann: hello"]


@pytest.mark.parametrize(
    ("task", "complaint"),
    [([], "Task list cannot be empty"), (["go"], "valid BaseChatMessage"), (3, "must be a string")],
)
async def test_a_task_that_is_none_is_refused(task: Any, complaint: str) -> None:
    with pytest.raises(InvalidArgumentError, match=complaint):
        await pair(max_turns=1).run(task=task)


async def test_f33_a_stop_word_in_the_task_does_not_stop_the_run() -> None:
    condition = TextMentionTermination("DONE") | MaxMessageTermination(2)
    result = await pair(termination_condition=condition).run(task="say DONE when you are done")

    assert lines(result.messages)[1:] == ["ann: hello"]


async def test_a_condition_may_serve_every_run_of_a_team() -> None:
    team = pair(termination_condition=MaxMessageTermination(2))

    assert lines((await team.run(task="go")).messages) == ["user: go", "ann: hello"]
    assert lines((await team.run(task="on")).messages) == ["user: on", "bob: hello"]


async def test_a_function_is_never_asked_about_nothing() -> None:
    def says_bob(messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> bool:
        return messages[-1].source == "bob"

    condition = FunctionalTermination(says_bob) | TimeoutTermination(60)

    assert lines((await pair(termination_condition=condition).run()).messages) == ["ann: hello", "bob: hello"]


async def test_an_external_condition_ends_the_run_after_the_turn() -> None:
    condition = ExternalTermination()
    team = pair(termination_condition=condition)
    async for item in team.run_stream(task="go"):
        if isinstance(item, TaskResult):
            assert item.stop_reason == "External termination requested"
        elif item.source == "bob":
            condition.set()


async def test_f26_every_message_of_a_turn_is_seen_by_the_conditions(runtime: Where) -> None:
    rule = Script(Speak(("ann", "bob", "cid")), Speak(("ann",)))
    members = [Member("ann", "DONE"), Member("bob"), Member("cid")]
    condition = TextMentionTermination("DONE")
    result = await GroupChat(members, rule=rule, runtime=runtime, termination_condition=condition).run(task="go")

    assert sorted(lines(result.messages)) == ["ann: DONE", "bob: hello", "cid: hello", "user: go"]
    assert result.stop_reason == "Text 'DONE' mentioned"


async def test_those_who_speak_together_hear_each_other_afterwards(runtime: Where) -> None:
    ann, bob = Member("ann", "1", "3"), Member("bob", "2")
    rule = Script(Speak(("ann", "bob")), Speak(("ann",)), Speak(("bob",)), Stop("enough"))
    await GroupChat([ann, bob], rule=rule, runtime=runtime).run(task="go")

    assert ann.heard == [["user: go"], ["bob: 2"]]
    assert bob.heard == [["user: go"], ["ann: 1", "ann: 3"]]


async def test_a_rule_of_ones_own_sees_the_transcript_and_stops_with_its_reason(runtime: Where) -> None:
    rule = Script(Speak(("bob",)), Stop("enough"))
    result = await GroupChat([Member("ann"), Member("bob")], rule=rule, runtime=runtime).run(task="go")

    assert ran(result) == (["user: go", "bob: hello"], "enough")
    assert rule.saw == [["user: go"], ["user: go", "bob: hello"]]


@pytest.mark.parametrize("names", [(), ("eve",), ("ann", "ann")])
async def test_a_rule_that_chooses_no_speaker_or_an_unknown_one_is_an_error(names: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="has to choose at least one participant"):
        await GroupChat([Member("ann")], rule=Script(Speak(names))).run(task="go")


async def test_a_swarm_follows_handoffs_and_stops_for_a_person(runtime: Where) -> None:
    ann, bob = Member("ann", handoff("ann", "bob"), "back"), Member("bob", handoff("bob", "user"))
    team = Swarm([ann, bob], runtime=runtime, termination_condition=HandoffTermination("user"), max_turns=3)

    assert (await team.run(task="go")).stop_reason == "Handoff to user from bob detected."
    assert (await team.run(task=handoff("user", "ann"))).messages[1].source == "ann"


async def test_a_selector_asks_its_model(runtime: Where) -> None:
    team = SelectorGroupChat([Member("ann"), Member("bob")], model(says("bob")), runtime=runtime, max_turns=2)

    assert lines((await team.run(task="go")).messages) == ["user: go", "bob: hello", "ann: hello"]


async def test_team_events_say_who_was_chosen_and_what_that_took() -> None:
    client = model(says("bob"))
    team = SelectorGroupChat([Member("ann"), Member("bob")], client, max_turns=1, emit_team_events=True)
    result = await team.run(task="go")

    assert lines(result.messages)[1:] == ["SelectorGroupChatManager: ['bob']", "bob: hello"]
    assert result.messages[1].models_usage == client.total_usage()
    assert result.usage == client.total_usage()


async def test_f31_what_the_selector_costs_is_counted_though_no_event_shows_it() -> None:
    client = model(says("bob"))
    team = SelectorGroupChat([Member("ann"), Member("bob")], client, max_turns=1)
    result = await team.run(task="go")

    assert lines(result.messages) == ["user: go", "bob: hello"]
    assert result.usage == result.silent_usage == client.total_usage()


async def test_f31_what_the_selector_costs_ends_a_run_by_tokens() -> None:
    members = [Member("ann"), Member("bob")]
    team = SelectorGroupChat(members, model(says("bob")), termination_condition=TokenUsageTermination(1), max_turns=5)

    assert str((await team.run(task="go")).stop_reason).startswith("Token usage limit reached, total token count: 5")


async def test_who_is_chosen_is_no_message_that_could_end_the_run() -> None:
    condition = TextMentionTermination("bob") | SourceMatchTermination(["bob"])
    members = [Member("ann"), Member("bob")]
    team = SelectorGroupChat(members, model(says("bob")), termination_condition=condition, emit_team_events=True)

    assert (await team.run(task="go")).stop_reason == "'bob' answered"


async def test_f31_what_a_nested_team_costs_is_counted() -> None:
    client = model(says("bob"))
    inner = SelectorGroupChat([Member("ann"), Member("bob")], client, name="inner", max_turns=1)
    result = await RoundRobinGroupChat([inner], max_turns=1).run(task="go")

    assert result.usage == client.total_usage()


async def test_a_team_takes_part_in_a_team(runtime: Where) -> None:
    inner = RoundRobinGroupChat([Member("ann", "1", "3"), Member("bob", "2")], name="inner", max_turns=2)
    cid = Member("cid")
    team = RoundRobinGroupChat([inner, cid], runtime=runtime, max_turns=3)
    result = await team.run(task="go")

    assert lines(result.messages) == ["user: go", "ann: 1", "bob: 2", "cid: hello", "ann: 3", "bob: 2"]
    assert cid.heard == [["user: go", "ann: 1", "bob: 2"]]


async def test_messages_of_ones_own_are_passed_on(runtime: Where) -> None:
    class Plan(BaseModel):
        steps: int

    plan = StructuredMessage[Plan](content=Plan(steps=2), source="ann")
    types = [StructuredMessage[Plan]]  # so that it can leave the process
    members = [Member("ann", plan), Member("bob")]
    team = RoundRobinGroupChat(members, runtime=runtime, max_turns=2, custom_message_types=types)
    result = await team.run(task="go")

    assert result.messages[1] == plan


class Plan(BaseModel):
    steps: int


class Planner(Member):
    """Says that it gives plans."""

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (StructuredMessage[Plan],)


async def test_a_team_knows_the_messages_of_the_agents_of_a_nested_team(runtime: Where) -> None:
    def team() -> RoundRobinGroupChat:
        planner = Planner("ann", StructuredMessage[Plan](content=Plan(steps=2), source="ann"))
        innermost = RoundRobinGroupChat([planner], name="innermost", max_turns=1, runtime=runtime)
        inner = RoundRobinGroupChat([innermost], name="inner", max_turns=1, runtime=runtime)
        return RoundRobinGroupChat([inner, Member("bob")], max_turns=2, runtime=runtime)

    first, second = team(), team()
    result = await first.run(task="go")
    await second.load_state(await first.save_state())

    assert [type(message) for message in result.messages] == [TextMessage, StructuredMessage[Plan], TextMessage]
    assert list(second.transcript) == list(first.transcript)


async def test_two_teams_share_a_runtime_and_an_agents_name(runtime: Where) -> None:
    teams = [RoundRobinGroupChat([Member("ann", text)], runtime=runtime, max_turns=1) for text in ("1", "2")]

    assert [lines((await team.run(task="go")).messages)[1] for team in teams] == ["ann: 1", "ann: 2"]


async def test_reset_forgets_the_conversation_in_every_participant(runtime: Where) -> None:
    ann = Member("ann")
    team = RoundRobinGroupChat([ann, Member("bob")], runtime=runtime, max_turns=1)
    await team.run(task="go")
    await team.reset()

    assert lines((await team.run(task="on")).messages) == ["user: on", "ann: hello"]
    assert ann.orders == ["reset"]
    assert ann.heard[-1] == ["user: on"]


async def test_a_result_says_what_it_took() -> None:
    result = await pair(max_turns=1).run(task="go")

    assert result.usage.prompt_tokens == 0


async def test_a_team_gives_the_result_that_programs_for_autogen_expect() -> None:
    client = ReplayChatCompletionClient(["ann"])
    team = SelectorGroupChat([Member("ann"), Member("bob")], client, max_turns=1)
    result = await team.run(task="go")

    assert result.silent_usage == client.total_usage() != RequestUsage(0, 0)
    assert type(result) is TaskResult
    assert repr(result).startswith("TaskResult(messages=[TextMessage(")
    assert [*result.model_dump()] == [*json.loads(result.model_dump_json())] == ["messages", "stop_reason"]
    assert [*dict(result)] == [*TaskResult.model_json_schema()["properties"]] == ["messages", "stop_reason"]
    assert copy.deepcopy(result).usage == result.model_copy(update={"stop_reason": "it was"}).usage == result.usage


async def test_a_result_equals_one_that_a_program_has_made() -> None:
    result = await pair(max_turns=1).run(task="go")

    assert result == TaskResult(messages=result.messages, stop_reason=result.stop_reason)
    assert TaskResult(messages=[]).usage == RequestUsage(0, 0)


async def test_a_result_is_printed_with_its_messages_and_its_reason() -> None:
    result = await RoundRobinGroupChat([Member("ann")], max_turns=1).run()

    assert str(result) == f"messages={result.messages!r} stop_reason='Maximum number of turns 1 reached.'"


def test_a_team_says_its_name_and_description() -> None:
    assert (pair().name, pair().description) == ("RoundRobinGroupChat", "A team of agents.")
    assert pair(name="us").name == "us"


@pytest.mark.parametrize(
    ("participants", "options", "complaint"),
    [
        ([], {}, "At least one participant"),
        ([Member("ann"), Member("ann")], {}, "must be unique"),
        (["ann"], {}, "has to be a ChatAgent or a Team"),
        ([Member("RoundRobinGroupChatManager")], {}, "name of the team's manager"),
        ([Member("ann")], {"max_turns": 0}, "must be greater than 0"),
        ([Member("ann")], {"turn_timeout": 0}, "turn_timeout is 0"),
    ],
)
def test_what_cannot_work_is_refused_at_once(
    participants: list[ChatAgent | Team], options: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(InvalidArgumentError, match=complaint):
        RoundRobinGroupChat(participants, **options)


def test_a_swarm_needs_agents_of_which_the_first_hands_off() -> None:
    class Mute(Member):
        @property
        def produced_message_types(self) -> list[type[TextMessage]]:
            return [TextMessage]

    with pytest.raises(InvalidArgumentError, match="must be able to produce handoff messages"):
        Swarm([Mute("ann")])
    with pytest.raises(InvalidArgumentError, match="have to be agents, not teams"):
        Swarm([pair()])  # type: ignore[list-item] # the mistake under test


async def test_participants_whose_names_differ_in_one_character_each_take_their_turn(runtime: Where) -> None:
    teams = [
        RoundRobinGroupChat([Member(source)], max_turns=1, name=name, runtime=runtime)
        for source, name in (("ann", "the team"), ("bob", "the_team"))
    ]
    team = RoundRobinGroupChat(teams, max_turns=2, runtime=runtime)
    assert lines((await team.run(task="go")).messages) == ["user: go", "ann: hello", "bob: hello"]
