"""Magentic-One as a team: what its participants receive, failures, saving, counting, JSON, and its specialists."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from tests.support.chat_agents import ABLE, RecordingHandler, model, shown
from tests.support.magentic_one import leads, ledger
from tests.support.team_members import Member, lines, ran

from symposia.agentchat.agents import AssistantAgent, CodeExecutorAgent
from symposia.agentchat.base import ChatAgent, Team
from symposia.agentchat.conditions import MaxMessageTermination, TextMentionTermination, TokenUsageTermination
from symposia.agentchat.messages import ProgressLedgerEvent, SelectSpeakerEvent
from symposia.agentchat.teams import MagenticOneGroupChat, RoundRobinGroupChat
from symposia.core import AgentRuntime
from symposia.core.effects import handle_effects
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.models import ChatCompletionClient, LLMMessage
from symposia.ext.agents.magentic_one import MagenticOneCoderAgent
from symposia.ext.code_executors.namespaces import NamespaceCommandLineCodeExecutor
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.ext.teams.magentic_one import MagenticOne

Where = AgentRuntime | None
BOSS = "MagenticOneOrchestrator"


def leader(turns: int = 2) -> ReplayChatCompletionClient:
    return ReplayChatCompletionClient(leads("ann", "bob", turns=turns), model_info=ABLE)


def team(
    client: ChatCompletionClient | None = None, members: Sequence[ChatAgent | Team] = (), **options: Any
) -> MagenticOneGroupChat:
    return MagenticOneGroupChat(members or [Member("ann"), Member("bob")], client or leader(), **options)


def brief(lines_said: Sequence[str]) -> list[str]:
    """Lines, each of them cut."""
    return [line.split("\n")[0] for line in lines_said]


async def test_it_works_on_a_task_and_gives_the_final_answer(runtime: Where) -> None:
    ann, bob = Member("ann", "found"), Member("bob", "computed")
    result = await team(members=[ann, bob], runtime=runtime).run(task="How far?")

    said, reason = ran(result)
    assert brief(said) == [
        "user: How far?",
        f"{BOSS}: The task of the user:",
        f"{BOSS}: step 1",
        "ann: found",
        f"{BOSS}: step 2",
        "bob: computed",
        f"{BOSS}: written of 10",
    ]
    assert reason == "because"
    assert ann.orders == bob.orders == ["reset"]
    assert [brief(turn) for turn in bob.heard] == [
        [f"{BOSS}: The task of the user:", f"{BOSS}: step 1", "ann: found", f"{BOSS}: step 2"]
    ]


async def test_the_team_shows_whom_it_selects(runtime: Where) -> None:
    result = await team(emit_team_events=True, runtime=runtime).run(task="go")
    selected = [message.content for message in result.messages if isinstance(message, SelectSpeakerEvent)]
    assert [names for names in selected if names] == [["ann"], ["bob"]]


async def test_f31_the_tokens_of_the_orchestrator_are_counted(runtime: Where) -> None:
    client = leader()
    result = await team(client, runtime=runtime).run(task="go")
    assert result.usage == client.total_usage()

    client = leader(turns=9)
    limited = team(client, runtime=runtime, termination_condition=TokenUsageTermination(max_total_token=2000))
    assert "Token usage limit reached" in str((await limited.run(task="go")).stop_reason)


async def test_f28_a_participant_that_fails_is_asked_again_and_hears_nothing_twice(runtime: Where) -> None:
    ann = Member("ann", ValueError("boom"), "found")
    chat = team(members=[ann, Member("bob")], runtime=runtime)
    with pytest.raises(ValueError, match="boom"):
        await chat.run(task="go")

    assert brief(lines((await chat.run()).messages)) == [
        "ann: found",
        f"{BOSS}: step 2",
        "bob: hello",
        f"{BOSS}: written of 10",
    ]
    assert ann.heard[0] == ann.heard[1]
    assert len(lines(chat.transcript)) == 7


async def test_a_model_that_fails_is_asked_again_by_the_next_run(runtime: Where) -> None:
    client = model("FACTS", ConnectionError("no route"), "FACTS", "PLAN", ledger("bob", "go"), ledger(done=True), "42")
    chat = team(client, runtime=runtime)
    with pytest.raises(ConnectionError):
        await chat.run(task="go")
    assert brief(lines((await chat.run()).messages))[1:] == [f"{BOSS}: go", "bob: hello", f"{BOSS}: 42"]


async def test_a_condition_sees_the_orchestrator_and_the_next_run_goes_on(runtime: Where) -> None:
    chat = team(termination_condition=TextMentionTermination("step 2"), runtime=runtime)
    assert (await chat.run(task="go")).stop_reason == "Text 'step 2' mentioned"
    assert brief(lines((await chat.run()).messages)) == ["bob: hello", f"{BOSS}: written of 10"]


async def test_a_run_has_as_many_turns_as_it_may_and_then_an_answer(runtime: Where) -> None:
    chat = team(leader(turns=9), max_turns=1, runtime=runtime)
    said, reason = ran(await chat.run(task="go"))
    assert (brief(said)[2:], reason) == (
        [f"{BOSS}: step 1", "ann: hello", f"{BOSS}: written of 8"],
        "Max rounds reached.",
    )
    assert brief(lines((await chat.run()).messages))[:2] == [f"{BOSS}: step 2", "bob: hello"]


@pytest.mark.parametrize("messages", range(1, 8))
async def test_a_team_that_is_saved_anywhere_goes_on_with_the_same_words(runtime: Where, messages: int) -> None:
    client = leader()
    whole = team(client, runtime=runtime)
    await whole.run(task="go")

    first = team(leader(), termination_condition=MaxMessageTermination(messages), runtime=runtime)
    await first.run(task="go")
    again = leader()
    second = team(again, runtime=runtime)
    await second.load_state(json.loads(json.dumps(await first.save_state())))
    await second.run()

    assert lines(second.transcript)[:7] == lines(whole.transcript)
    if messages < 7:  # the seventh is the final answer
        assert shown(again) == shown(client)


async def test_a_team_is_saved_while_a_participant_speaks(runtime: Where) -> None:
    go = asyncio.Event()
    ann = Member("ann", go)
    chat = team(members=[ann, Member("bob")], runtime=runtime)
    run = asyncio.create_task(chat.run(task="go"))
    async with asyncio.timeout(10):
        await ann.speaking.wait()
    state = await chat.save_state()
    go.set()
    await run

    other = Member("ann", "found")
    loaded = team(members=[other, Member("bob")], runtime=runtime)
    await loaded.load_state(state)
    assert brief(lines((await loaded.run()).messages))[:2] == ["ann: found", f"{BOSS}: step 2"]
    assert other.heard == ann.heard


async def test_a_team_takes_part_and_a_magentic_team_takes_part_in_another(runtime: Where) -> None:
    inner = RoundRobinGroupChat([Member("x"), Member("y")], name="bob", description="Computes.", max_turns=2)
    answers = ["FACTS", "PLAN", ledger("ann"), ledger("bob"), ledger(done=True), "42"]
    magentic = team(model(*answers * 2), [Member("ann"), inner], name="magentic", description="Solves.")
    outer = RoundRobinGroupChat([Member("first"), magentic], max_turns=4, runtime=runtime)
    said = lines((await outer.run(task="go")).messages)

    assert [line.split(":")[0] for line in said] == [
        *("user", "first", BOSS, BOSS, "ann", BOSS, "x", "y", BOSS),
        *("first", BOSS, BOSS, "ann", BOSS, "x", "y", BOSS),
    ]


async def test_the_calls_of_the_orchestrator_are_effects_in_the_scope_of_the_rule() -> None:
    handler = RecordingHandler()
    with handle_effects(handler):
        await team(plan_review=approves).run(task="go")
    assert handler.seen == [
        *["team:MagenticOneGroupChat/turn:1/rule model"] * 2,
        "team:MagenticOneGroupChat/turn:1/rule human",
        *[f"team:MagenticOneGroupChat/turn:{turn}/rule model" for turn in (2, 4, 6, 6)],
    ]


async def test_a_plan_is_shown_to_a_person_after_what_the_reader_of_the_stream_was_shown() -> None:
    # The reviewer runs in the loop. One in a worker thread printed into the console's message now and then.
    seen: list[str] = []

    async def review(_prompt: str) -> str:
        seen.append("asked")
        return "yes"

    async for item in team(plan_review=review, runtime=None).run_stream(task="go"):
        seen.append(type(item).__name__)  # noqa: PERF401 - its order with the entry of the reviewer is the point
    assert seen[:2] == ["TextMessage", "asked"]


def approves(_prompt: str) -> str:
    return "yes"


AUTOGEN_STATE: dict[str, Any] = {
    "type": "TeamState",
    "version": "1.0.0",
    "agent_states": {
        **{
            name: {
                "type": "ChatAgentContainerState",
                "version": "1.0.0",
                "agent_state": {"type": "BaseState", "version": "1.0.0"},
                "message_buffer": [],
            }
            for name in ("ann", "bob")
        },
        BOSS: {
            "type": "MagenticOneOrchestratorState",
            "version": "1.0.0",
            "message_thread": [
                {"source": BOSS, "content": "the briefing", "type": "TextMessage", "metadata": {}},
                {"source": BOSS, "content": "search", "type": "TextMessage", "metadata": {}},
                {"source": "ann", "content": "found", "type": "TextMessage", "metadata": {}},
            ],
            "current_turn": 0,
            "task": "How far?",
            "facts": "FACTS",
            "plan": "PLAN",
            "n_rounds": 1,
            "n_stalls": 0,
        },
    },
}


async def test_a_state_of_autogen_is_continued() -> None:
    client = model(ledger("bob", "compute"), ledger(done=True), "42")
    chat = team(client)
    await chat.load_state(AUTOGEN_STATE)

    assert lines((await chat.run()).messages) == [f"{BOSS}: compute", "bob: hello", f"{BOSS}: 42"]
    contents = [str(message.content) for message in shown(client, 0)]
    assert "How far?" in contents[1]
    assert contents[2:-1:2] == ["FACTS", "PLAN", "ann: found"]


async def test_a_state_of_autogen_can_be_given_another_task() -> None:
    client = model("FACTS 2", "PLAN 2", ledger("bob", "go"), ledger(done=True), "42")
    chat = team(client)
    await chat.load_state(AUTOGEN_STATE)

    assert brief(lines((await chat.run(task="And in miles?")).messages))[2:] == [
        f"{BOSS}: go",
        "bob: hello",
        f"{BOSS}: 42",
    ]
    assert "How far?" in str(shown(client, 0)[1].content)


async def test_its_state_has_the_fields_of_autogens() -> None:
    chat = team()
    await chat.run(task="go")
    state = (await chat.save_state())["agent_states"][BOSS]
    assert state["type"] == "MagenticOneOrchestratorState"
    assert (state["task"], state["n_rounds"], state["n_stalls"]) == ("go", 3, 0)
    assert (state["facts"], state["plan"]) == ("written of 2", "written of 4")


def assistants() -> list[ChatAgent]:
    return [AssistantAgent(name, model("hi"), description=f"Is {name}.") for name in ("ann", "bob")]


@pytest.mark.parametrize("turns", [None, 7])
def test_a_team_comes_back_from_json(turns: int | None) -> None:
    made = team(model("x"), assistants(), max_turns=turns, max_stalls=5, final_answer_prompt="Answer {task}.")
    saved = made.dump_component()
    assert MagenticOneGroupChat.load_component(saved).dump_component() == saved
    assert saved.config.get("max_turns") == turns


def test_a_team_needs_a_model_and_participants_of_different_names() -> None:
    with pytest.raises(ArgumentTypeError, match="needs a model_client"):
        MagenticOneGroupChat([Member("ann")])
    with pytest.raises(ArgumentTypeError, match="has to be a client"):
        MagenticOneGroupChat([Member("ann")], "gpt-5.5")  # pyright: ignore[reportArgumentType] - an unchecked program
    with pytest.raises(InvalidArgumentError, match="must be unique"):
        MagenticOneGroupChat([Member("ann"), Member("ann")], model())
    with pytest.raises(InvalidArgumentError, match="At least one participant"):
        MagenticOneGroupChat([], model())
    with pytest.raises(InvalidArgumentError, match="name of the team's manager"):
        MagenticOneGroupChat([Member(BOSS)], model())


def works(messages: Sequence[LLMMessage]) -> str:
    """Leads, and writes the program."""
    text = " ".join(str(message.content) for message in messages)
    if "is_request_satisfied" in str(messages[-1].content):
        return ledger("ComputerTerminal" if "print(6 * 7)" in text else "Coder", "go on", done="42" in text)
    if "programmer of a team" in text:
        return "```python\nprint(6 * 7)\n```"
    return "It is 42." if "The work ends here" in text else "written"


def test_without_participants_a_model_brings_its_specialists() -> None:
    saved = MagenticOneGroupChat(model_client=model("hi")).dump_component().config["participants"]
    assert [each["config"]["name"] for each in saved] == ["FileSurfer", "WebSurfer", "Coder", "ComputerTerminal"]


async def test_a_model_that_calls_no_functions_brings_those_that_need_none() -> None:
    with pytest.warns(UserWarning, match="no FileSurfer and no WebSurfer"):
        chat = MagenticOneGroupChat(model_client=ReplayChatCompletionClient(["hi"]))
    saved = chat.dump_component().config["participants"]
    assert [each["config"]["name"] for each in saved] == ["Coder", "ComputerTerminal"]


async def test_the_specialists_write_code_and_run_it_in_a_sandbox() -> None:
    client = ReplayChatCompletionClient(works, model_info=ABLE)
    async with NamespaceCommandLineCodeExecutor() as executor, MagenticOne(client, code_executor=executor) as chat:
        result = await chat.run(task="What is 6 times 7?")
        await chat.close()  # and again at the end of the block

    said = [f"{message.source}: {message.to_text().strip()}" for message in result.messages]
    assert "ComputerTerminal: 42" in said
    assert said[-1] == f"{BOSS}: It is 42."


async def test_a_person_is_a_participant_if_wanted() -> None:
    client = model("FACTS", "PLAN", ledger("User", "Which one?"), ledger(done=True), "the blue one")
    chat = MagenticOne(client, hil_mode=True, input_func=lambda _prompt: "the blue one")
    assert lines((await chat.run(task="Choose.")).messages)[-2:] == ["User: the blue one", f"{BOSS}: the blue one"]


async def test_the_ledgers_are_events_of_the_team_with_the_stalls() -> None:
    client = model(
        *("FACTS", "PLAN", ledger(progress=False), ledger(loop=True)),
        *("FACTS", "PLAN", ledger(), ledger(done=True), "end"),
    )
    chat = team(client, max_stalls=2, emit_team_events=True)
    events = [each for each in (await chat.run(task="go")).messages if isinstance(each, ProgressLedgerEvent)]
    assert [event.to_text() for event in events] == [
        "The work makes no progress (1 of 2 stalls); next is ann.",
        "The work goes in circles (2 of 2 stalls); there is a new plan.",
        "The work makes progress; next is ann.",
        "The task is done.",
    ]


def test_the_coder_is_an_assistant_with_instructions_of_its_own() -> None:
    coder = MagenticOneCoderAgent("Coder", model("hi"), model_client_stream=True)
    assert isinstance(coder, AssistantAgent)
    assert isinstance(MagenticOneCoderAgent.load_component(coder.dump_component()), MagenticOneCoderAgent)
    assert "code" in coder.description
    assert coder.description != CodeExecutorAgent.DEFAULT_TERMINAL_DESCRIPTION


def test_a_check_knows_that_the_orchestrator_ends_a_run_and_asks_a_model() -> None:
    limited = team(max_turns=4).check()
    assert not limited.findings
    assert limited.forecast is not None
    assert limited.forecast.turns == (0, 4)
    assert limited.forecast.per_turn.prompt_tokens.low > 100  # the prompt of a ledger
    assert [found.what for found in team(max_turns=None).check().findings] == ["Nothing limits the number of turns."]
