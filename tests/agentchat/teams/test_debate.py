"""Debates as their users run them: rounds, votes that cannot be used, failures, saving, JSON, and the result."""

import asyncio
import json
from typing import Any

import pytest
from tests.support.chat_agents import ABLE, model, shown
from tests.support.team_members import Member

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.base import ChatAgent
from symposia.agentchat.conditions import MaxMessageTermination
from symposia.agentchat.messages import ModelClientStreamingChunkEvent, OutputRejectedEvent
from symposia.agentchat.teams import (
    DebateGroupChat,
    DebateStatement,
    DebateSummary,
    Position,
    RoundRobinGroupChat,
)
from symposia.core import AgentRuntime
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.models import ModelInfo
from symposia.ext.models.replay import Answer

Where = AgentRuntime | None
WORDS_ONLY = ModelInfo(
    vision=False, function_calling=False, json_output=False, family="unknown", structured_output=False
)


def vote(position: object, confidence: float = 0.8, reason: str = "It is simpler.") -> str:
    return json.dumps({"position": position, "confidence": confidence, "reason": reason})


def minutes(summary: str, *agreed: str) -> str:
    return json.dumps({"summary": summary, "agreed": list(agreed)})


def votes(name: str, *positions: str) -> Member:
    """An agent that is no assistant: it argues, and then answers with the name of a position."""
    turns = [text for number, position in enumerate(positions, 1) for text in (f"{name} argues {number}", position)]
    return Member(name, *turns)


def assistant(name: str, *answers: Answer | Exception, info: ModelInfo = ABLE) -> AssistantAgent:
    return AssistantAgent(name, model(*answers, info=info), system_message=None)


def pair(ann: ChatAgent, bob: ChatAgent, **options: Any) -> DebateGroupChat:
    positions = {"ann": Position("kafka", "A stream."), "bob": Position("batch", "A nightly batch.")}
    return DebateGroupChat([ann, bob], positions, **options)


async def test_a_debate_goes_on_until_all_agree_and_tells_how_they_came_to_it(runtime: Where) -> None:
    moderator = assistant(
        "max", minutes("They differ.", "It has to scale."), minutes("The stream.", "It has to scale.")
    )
    critic = assistant("zoe", "Who runs it?")
    team = pair(
        votes("ann", "kafka", "kafka"),
        votes("bob", "batch", "kafka"),
        critic=critic,
        moderator=moderator,
        runtime=runtime,
    )

    result = await team.run(task="How do we take data in?")
    assert [message.source for message in result.messages] == [
        *("user", "ann", "bob", "zoe", "max", "ann", "bob", "max")
    ]
    assert result.stop_reason == "Consensus in round 2: 2 of 2 for 'kafka'."

    debate = team.debate_result
    assert (debate.decision, debate.ending, debate.support) == ("kafka", "consensus", 1)
    assert debate.moves == {"ann": ["kafka", "kafka"], "bob": ["batch", "kafka"]}
    assert (debate.agreed, debate.conclusion, debate.dissent) == (["It has to scale."], "The stream.", [])
    assert [each.independent for each in debate.rounds] == [True, False]
    assert debate.question == "How do we take data in?"


async def test_the_dissent_says_who_and_why() -> None:
    ann = assistant("ann", "S", vote("kafka"), "S", vote("kafka"))
    bob = assistant("bob", "S", vote("batch", 0.9, "It is cheaper."), "S", vote("batch", 0.9, "It is cheaper."))
    cleo = votes("cleo", "kafka", "kafka")
    team = DebateGroupChat([ann, bob, cleo], {"ann": "kafka", "bob": "batch"}, quorum=0.6)

    result = await team.debate("How?")
    assert (result.decision, result.ending) == ("kafka", "quorum")
    [dissent] = result.dissent
    assert (dissent.participant, dissent.vote.position, dissent.vote.reason) == ("bob", "batch", "It is cheaper.")


async def test_in_an_independent_round_nobody_sees_the_others_however_many_there_are() -> None:
    ann, bob = votes("ann", "kafka", "kafka", "kafka"), votes("bob", "batch", "batch", "kafka")
    await pair(ann, bob, independent_rounds=2).run(task="How?")

    told = ["\n".join(turn) for turn in ann.heard[::2]]  # every other turn is the vote
    assert len(told) == 3
    assert not any("bob argues" in each for each in told[:2])
    assert "ann argues 1" in told[1]
    assert "bob argues 2" in told[2]


async def test_independent_speakers_overlap() -> None:
    ann, bob = Member("ann", gate := asyncio.Event(), "kafka"), Member("bob", gate, "kafka")
    running = asyncio.create_task(pair(ann, bob).debate("How?"))
    await asyncio.wait_for(asyncio.gather(ann.speaking.wait(), bob.speaking.wait()), 10)
    gate.set()
    assert (await running).ending == "consensus"


async def test_in_an_open_round_the_second_speaker_has_read_the_first_unless_all_speak_at_once() -> None:
    for simultaneous in (False, True):
        ann, bob = votes("ann", "kafka", "kafka"), votes("bob", "batch", "kafka")
        await pair(ann, bob, simultaneous=simultaneous).run(task="How?")
        assert ("ann argues 2" in "\n".join(bob.heard[2])) is not simultaneous


async def test_a_vote_is_held_to_the_schema_of_the_positions() -> None:
    client = model("S", vote("kafka"))
    ann = AssistantAgent("ann", client)
    await pair(ann, votes("bob", "kafka")).run(task="How?")
    schema = client.create_calls[1]["json_output"]
    assert isinstance(schema, type)
    assert schema.model_json_schema()["properties"]["position"]["enum"] == ["kafka", "batch"]


@pytest.mark.parametrize("info", [ABLE, WORDS_ONLY], ids=["schema", "words"])
async def test_a_vote_that_is_none_is_asked_for_again_with_its_fault(info: ModelInfo) -> None:
    client = model("S", vote("mongo"), "I would say", vote("kafka", 80), vote("kafka"), info=info)
    team = pair(AssistantAgent("ann", client), votes("bob", "kafka"), vote_retries=3)

    result = await team.run(task="How?")
    rejected = [message for message in result.messages if isinstance(message, OutputRejectedEvent)]
    assert [each.source for each in rejected] == ["ann"] * 3
    assert "'kafka' or 'batch'" in rejected[0].reason
    assert "less than or equal to 1" in rejected[2].reason
    assert "'kafka' or 'batch'" in str(shown(client, 2)[-1].content)
    assert team.debate_result.votes["ann"].position == "kafka"


async def test_an_agent_that_is_no_assistant_is_asked_again_in_words() -> None:
    ann = Member("ann", "S", "mongo", "Kafka")
    team = pair(ann, votes("bob", "kafka"))
    result = await team.run(task="How?")
    assert "Invalid JSON" in str(ann.heard[2])
    assert [message.source for message in result.messages if isinstance(message, OutputRejectedEvent)] == ["ann"]
    assert team.debate_result.votes["ann"].position == "kafka"


@pytest.mark.parametrize("answer", [vote("KAFKA"), vote(' "Kafka". '), "**kafka**"])
async def test_a_vote_names_its_position_in_any_letters_and_quotes(answer: str) -> None:
    ann = assistant("ann", "S", vote("Kafka"))
    bob = Member("bob", "argues", answer)
    team = pair(ann, bob, vote_retries=0)
    assert (await team.debate("How?")).decision == "kafka"


@pytest.mark.parametrize(
    "confidence", ["NaN", "1e309", "-1", "80", '"80%"', "[0.5]", "null"], ids=lambda text: text.strip('"[]')
)
async def test_a_confidence_that_is_no_share_is_asked_for_again(confidence: str) -> None:
    wrong = vote("kafka").replace("0.8", confidence)
    ann = assistant("ann", "S", wrong, vote("kafka", 0.6))
    result = await pair(ann, votes("bob", "kafka")).debate("How?")
    assert result.votes["ann"].confidence == 0.6


async def test_a_vote_that_stays_none_is_an_abstention_with_its_fault() -> None:
    ann = assistant("ann", "S", vote("mongo"), vote(None), info=WORDS_ONLY)
    bob = Member("bob", "S", "no", "idea")
    result = await pair(ann, bob, vote_retries=1, max_rounds=1).debate("How?")
    assert [result.votes[name].position for name in ("ann", "bob")] == [None, None]
    assert "'kafka' or 'batch'" in result.votes["ann"].reason
    assert (result.decision, result.dissent) == (None, [])


async def test_the_tokens_of_statements_votes_and_rejected_votes_are_counted_once() -> None:
    client = model("S", vote("mongo"), vote("kafka"))
    team = pair(AssistantAgent("ann", client), votes("bob", "kafka"))
    result = await team.run(task="How?")
    assert result.usage == client.total_usage()


async def test_a_round_costs_the_same_however_many_came_before() -> None:
    rounds = 12
    answers = [each for number in range(rounds) for each in ("A point. " * 30, vote("ab"[number % 2]))]
    client = model(*answers)
    moderator = assistant("max", *(minutes("A summary. " * 20) for _ in range(rounds)))
    team = DebateGroupChat(
        [AssistantAgent("ann", client), votes("bob", *("ba"[number % 2] for number in range(rounds)))],
        {"ann": "a", "bob": "b"},
        moderator=moderator,
        max_rounds=rounds,
    )
    await team.run(task="How?")
    lengths = [sum(len(str(message.content)) for message in shown(client, 2 * turn)) for turn in range(rounds)]
    digits = 10  # of the numbers of rounds
    for same_order in (lengths[7::2], lengths[8::2]):  # who has read the other's statement of the round
        assert max(same_order) - min(same_order) <= digits
    state = await team.save_state()
    ann = state["agent_states"][next(name for name in state["agent_states"] if name.startswith("ann"))]["agent_state"]
    assert [each["number"] for each in ann["debate"]["rounds"]] == [7, 8, 9, 10, 11, 12]
    assert len(team.debate_result.rounds) == rounds


async def test_the_beginning_of_the_prompt_is_the_same_in_every_round() -> None:
    client = model("S", vote("kafka"), "S", vote("kafka"), "S", vote("kafka"))
    await pair(AssistantAgent("ann", client), votes("bob", "batch", "batch", "kafka")).run(task="How?")
    prompts = [[str(message.content) for message in shown(client, call)] for call in (0, 2, 4)]
    assert len({tuple(prompt[:2]) for prompt in prompts}) == 1
    votings = [[str(message.content) for message in shown(client, call)] for call in (1, 3, 5)]
    assert [voting[:3] for voting in votings] == prompts


async def test_words_from_outside_reach_everybody() -> None:
    ann, bob = votes("ann", "kafka", "kafka"), votes("bob", "batch", "kafka")
    team = pair(ann, bob, termination_condition=MaxMessageTermination(3))
    await team.run(task="How?")
    assert (team.debate_result.ending, team.debate_result.decision) == ("stopped", None)
    await team.run(task="We have one engineer.")
    assert all("We have one engineer." in "\n".join(member.heard[2]) for member in (ann, bob))
    assert team.debate_result.ending == "consensus"


async def test_a_team_debates_one_question_after_another() -> None:
    ann, bob = votes("ann", "kafka", "batch"), votes("bob", "kafka", "batch")
    team = pair(ann, bob)
    assert (await team.debate("First?")).decision == "kafka"
    second = await team.debate("Second?")
    assert (second.question, second.decision, len(second.rounds)) == ("Second?", "batch", 1)
    assert "First?" not in "\n".join(ann.heard[2])


async def test_a_run_without_a_task_after_the_end_says_the_end_again() -> None:
    team = pair(votes("ann", "kafka"), votes("bob", "kafka"))
    first = await team.run(task="How?")
    again = await team.run()
    assert (again.messages, again.stop_reason) == ([], first.stop_reason)


async def test_who_failed_speaks_again_and_the_others_do_not(runtime: Where) -> None:
    bob = Member("bob", ConnectionError("no route"), "S", "kafka")
    team = pair(votes("ann", "kafka"), bob, runtime=runtime)
    with pytest.raises(ConnectionError):
        await team.run(task="How?")
    result = await team.run()
    assert [message.source for message in result.messages] == ["bob"]
    assert team.debate_result.ending == "consensus"
    assert "ann argues" not in "\n".join(bob.heard[1])  # the round is still an independent one


async def test_a_failed_vote_is_a_failed_turn() -> None:
    bob = Member("bob", "S", ConnectionError("no route"), "S", "kafka")
    team = pair(votes("ann", "kafka"), bob)
    with pytest.raises(ConnectionError):
        await team.run(task="How?")
    assert list(team.debate_result.votes) == ["ann"]
    await team.run()
    assert team.debate_result.ending == "consensus"


@pytest.mark.parametrize("messages", range(2, 7))
async def test_a_debate_that_is_saved_anywhere_goes_on_where_it_was(messages: int, runtime: Where) -> None:
    def made(limit: int | None, of: Where) -> DebateGroupChat:
        condition = MaxMessageTermination(limit) if limit else None
        answers = ["S", vote("kafka"), "S", vote("kafka")]
        moderator = assistant("max", minutes("Sum."), minutes("End."))
        return pair(
            assistant("ann", *answers),
            votes("bob", "batch", "kafka"),
            critic=Member("zoe", "Weak."),
            moderator=moderator,
            termination_condition=condition,
            runtime=of,
        )

    whole = made(None, None)
    await whole.run(task="How?")
    first = made(messages, None)
    await first.run(task="How?")
    state = json.loads(json.dumps(await first.save_state()))
    said = [message.source for message in first.transcript]

    turns = {name: said.count(name) for name in ("ann", "bob", "max")}
    rest = pair(
        assistant("ann", *["S", vote("kafka")] * (2 - turns["ann"] or 1)),
        votes("bob", *["batch", "kafka"][turns["bob"] :] or ["kafka"]),
        critic=Member("zoe", "Weak."),
        moderator=assistant("max", *[minutes("Sum."), minutes("End.")][turns["max"] :] or [minutes("End.")]),
        runtime=runtime,
    )
    await rest.load_state(state)
    await rest.run()
    assert rest.debate_result == whole.debate_result


async def test_a_debate_as_json_is_loaded_as_it_was() -> None:
    team = DebateGroupChat(
        [assistant("ann", "S", vote("kafka")), assistant("bob", "S", vote("kafka"))],
        {"ann": Position("kafka", "A stream."), "bob": "batch"},
        open_positions=["neither"],
        critic=assistant("zoe", "Weak."),
        moderator=assistant("max", minutes("End.")),
        independent_rounds=2,
        max_rounds=7,
        quorum=0.8,
        settled_rounds=None,
        simultaneous=True,
    )
    saved = json.loads(team.dump_component().model_dump_json())
    loaded = DebateGroupChat.load_component(saved)
    assert json.loads(loaded.dump_component().model_dump_json()) == saved
    result = await loaded.debate("How?")
    assert (list(result.positions), result.decision) == (["kafka", "batch", "neither"], "kafka")


async def test_a_debate_takes_part_in_another_team() -> None:
    panel = pair(votes("ann", "kafka"), votes("bob", "kafka"), moderator=assistant("max", minutes("The stream.")))
    writer = Member("writer", "Written.")
    result = await RoundRobinGroupChat([panel, writer], max_turns=2).run(task="How?")
    assert [message.source for message in result.messages] == ["user", "ann", "bob", "max", "writer"]
    assert any("The stream." in line for line in writer.heard[0])


async def test_a_statement_streams_and_its_vote_does_not() -> None:
    ann = AssistantAgent("ann", model("One two.", vote("kafka")), model_client_stream=True)
    items = [item async for item in pair(ann, votes("bob", "kafka")).run_stream(task="How?")]
    chunks = [item for item in items if isinstance(item, ModelClientStreamingChunkEvent)]
    [statement] = [item for item in items if isinstance(item, DebateStatement) and item.source == "ann"]
    assert "".join(chunk.content for chunk in chunks) == "One two."
    assert {chunk.full_message_id for chunk in chunks} == {statement.id}


async def test_a_moderator_that_answers_in_prose_has_summed_up() -> None:
    team = pair(
        votes("ann", "kafka", "kafka"), votes("bob", "batch", "kafka"), moderator=Member("max", "They differ.", "End.")
    )
    result = await team.run(task="How?")
    summaries = [message for message in result.messages if isinstance(message, DebateSummary)]
    assert summaries[0].content == "They differ."
    assert (team.debate_result.conclusion, team.debate_result.agreed) == ("End.", [])


@pytest.mark.parametrize("simultaneous", [False, True])
@pytest.mark.parametrize("independent_rounds", [0, 1, 3])
async def test_a_debate_takes_as_many_turns_as_its_check_says(independent_rounds: int, simultaneous: bool) -> None:
    def made(*bobs: str) -> DebateGroupChat:
        return pair(
            votes("ann", *["kafka"] * 4),
            votes("bob", *bobs),
            critic=Member("zoe", "Weak."),
            moderator=Member("max", "Sum."),
            independent_rounds=independent_rounds,
            max_rounds=4,
            settled_rounds=None,
            simultaneous=simultaneous,
        )

    check = made().check("How?")
    assert check.forecast is not None
    assert check.findings == []
    for bobs, most in ((["kafka"], False), (["batch"] * 4, True)):
        team = made(*bobs)
        await team.run(task="How?")
        state = await team.save_state()
        turns = state["agent_states"]["DebateManager"]["progress"]["turns"] - 1  # the last one stopped
        assert turns == (check.forecast.turns.high if most else check.forecast.turns.low)


async def test_a_check_forecasts_the_votes_too() -> None:
    ann, bob = assistant("ann"), assistant("bob")
    check = pair(ann, bob, max_rounds=1, vote_retries=2).check("How?")
    assert check.forecast is not None
    least, most = check.forecast.answer_tokens
    assert check.forecast.per_run.completion_tokens == (2 * 2 * least, 2 * 4 * (most or 0))


async def test_a_reset_debate_begins_anew() -> None:
    ann = votes("ann", "kafka", "kafka")
    team = pair(ann, votes("bob", "kafka", "kafka"))
    await team.run(task="First?")
    await team.reset()
    assert team.debate_result.question == ""
    assert (await team.debate("Second?")).question == "Second?"
    assert "First?" not in "\n".join(ann.heard[2])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"participants": [Member("ann")]}, "at least two participants"),
        ({"participants": [Member("ann"), Member("ann")]}, "unique"),
        ({"positions": {"ann": "a"}}, "at least two positions"),
        ({"positions": {"ann": "a", "bob": "a"}}, "at least two positions"),
        ({"positions": {"ann": "a", "bob": " "}}, "no name"),
        ({"positions": {"ann": "a", "dan": "b"}}, "'dan'.*do not participate"),
        ({"positions": {"ann": Position("a", "one"), "bob": Position("A", "two")}}, "Two positions are called 'A'"),
        ({"critic": Member("ann")}, "critic is called 'ann'"),
        ({"moderator": Member("bob")}, "moderator is called 'bob'"),
        ({"critic": Member("zoe"), "moderator": Member("zoe")}, "so is the critic"),
        ({"quorum": 0}, "quorum is 0"),
        ({"quorum": 1.1}, "quorum is 1.1"),
        ({"quorum": float("nan")}, "NaN"),
        ({"max_rounds": 0}, "max_rounds"),
        ({"independent_rounds": 6}, "independent_rounds is 6, and max_rounds 5"),
        ({"independent_rounds": -1}, "independent_rounds"),
        ({"settled_rounds": 0}, "settled_rounds"),
        ({"vote_retries": -1}, "vote_retries"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_debate_that_cannot_work_is_refused(change: dict[str, Any], complaint: str) -> None:
    arguments: dict[str, Any] = {
        "participants": [Member("ann"), Member("bob")],
        "positions": {"ann": "a", "bob": "b"},
    } | change
    with pytest.raises(InvalidArgumentError, match=complaint):
        DebateGroupChat(**arguments)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"participants": [RoundRobinGroupChat([Member("x")]), Member("bob")]}, "SocietyOfMindAgent"),
        ({"positions": ["a", "b"]}, "give a mapping"),
        ({"positions": {"ann": 1, "bob": "b"}}, r"Position\(name, text\)"),
        ({"open_positions": "neither"}, "give a list"),
        ({"critic": "zoe"}, "critic of a debate has to be a ChatAgent"),
        ({"quorum": "80%"}, "quorum"),
        ({"max_rounds": "3"}, "max_rounds"),
        ({"simultaneous": "no"}, "simultaneous"),
    ],
    ids=["a team", "a list", "a number", "a text", "a name", "a percentage", "a word", "no flag"],
)
def test_an_argument_of_another_type_is_refused(change: dict[str, Any], complaint: str) -> None:
    arguments: dict[str, Any] = {
        "participants": [Member("ann"), Member("bob")],
        "positions": {"ann": "a", "bob": "b"},
    } | change
    with pytest.raises(ArgumentTypeError, match=complaint):
        DebateGroupChat(**arguments)
