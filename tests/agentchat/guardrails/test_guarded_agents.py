"""Agents with guardrails: what they are given, what they call, and what is shown of their answers."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.chat_agents import (
    USAGE,
    Parrot,
    RecordingHandler,
    asks_for,
    collected,
    dangling_calls,
    kinds,
    model,
    says,
    shown,
)
from tests.support.team_members import RUNTIMES

from symposia.agentchat.agents import AssistantAgent, GuardedAgent, SocietyOfMindAgent
from symposia.agentchat.base import TaskResult
from symposia.agentchat.conditions import StopMessageTermination, TokenUsageTermination
from symposia.agentchat.guardrails import (
    Allow,
    AllowedTools,
    Block,
    Change,
    FunctionGuardrail,
    Guardrail,
    GuardrailContext,
    GuardrailStage,
    ModelGuardrail,
    PersonApproval,
    TextPatterns,
    ToolCall,
    Verdict,
)
from symposia.agentchat.messages import (
    BaseChatMessage,
    GuardrailEvent,
    ModelClientStreamingChunkEvent,
    StopMessage,
    TextMessage,
    ToolCallExecutionEvent,
)
from symposia.agentchat.teams import RoundRobinGroupChat, Swarm
from symposia.core import CancellationToken
from symposia.core.effects import HumanAnswer, HumanQuestion, handle_effects
from symposia.core.exceptions import AgentError, ArgumentTypeError, InvalidArgumentError
from symposia.core.models import RequestUsage

SECRETS = TextPatterns([r"sk-\w+"], name="secrets")
REDACTION = TextPatterns([r"sk-\w+"], replacement="[key]", name="redaction")
ADD = ("add", '{"a": 1, "b": 2}')


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def events(result: TaskResult) -> list[tuple[str, str, str]]:
    """The verdicts that are shown."""
    found = [each for each in result.messages if isinstance(each, GuardrailEvent)]
    return [(each.guardrail, each.stage, each.verdict) for each in found]


async def test_blocked_input_does_not_reach_the_agent_and_the_result_says_why() -> None:
    client = model("fine")
    agent = AssistantAgent("ann", client, guardrails=[SECRETS])

    result = await agent.run(task="my key is sk-1")
    assert events(result) == [("secrets", "input", "block")]
    assert isinstance(result.messages[-1], StopMessage)
    assert result.stop_reason == result.messages[-1].content
    assert str(result.stop_reason).startswith("Guardrail 'secrets' blocked the input: ")
    assert client.create_calls == []
    assert await agent.model_context.get_messages() == []

    again = await agent.run(task="hello")
    assert (again.messages[-1].to_text(), again.stop_reason) == ("fine", None)


async def test_changed_input_is_what_the_agent_is_given_and_the_task_stays_as_it_was() -> None:
    client = model("fine")
    result = await AssistantAgent("ann", client, guardrails=[REDACTION]).run(task="my key is sk-1")
    assert shown(client)[-1].content == "my key is [key]"
    assert result.messages[0].to_text() == "my key is sk-1"
    assert events(result) == [("redaction", "input", "change")]


async def test_a_blocked_call_is_not_made_and_the_model_reads_why() -> None:
    made: list[str] = []

    def delete(path: str) -> str:
        """Delete a file."""
        made.append(path)
        return "gone"

    client = model(asks_for(("delete", '{"path": "/"}'), ADD), says("I could not."))
    agent = AssistantAgent(
        "ann", client, tools=[add, delete], reflect_on_tool_use=True, guardrails=[AllowedTools(["add"])]
    )
    result = await agent.run(task="clean up")

    assert made == []
    assert events(result) == [("allowed_tools", "tool_call", "block")]
    (done,) = [each for each in result.messages if isinstance(each, ToolCallExecutionEvent)]
    assert [(each.content, each.is_error) for each in done.content] == [
        ("The call was blocked. The tool 'delete' may not be called here.", True),
        ("3", False),
    ]
    assert result.stop_reason is None
    assert kinds(result.messages) == [
        "TextMessage",
        "ToolCallRequestEvent",
        "GuardrailEvent",
        "ToolCallExecutionEvent",
        "TextMessage",
    ]


async def test_a_call_is_made_with_the_arguments_that_a_guardrail_gives_and_no_others_are_recorded() -> None:
    def halve(call: ToolCall) -> Verdict[Mapping[str, object]]:
        return Change({**call.arguments, "a": 10})

    handler = RecordingHandler()
    agent = AssistantAgent(
        "ann", model(asks_for(ADD)), tools=[add], guardrails=[FunctionGuardrail("halve", on_tool_call=halve)]
    )
    with handle_effects(handler):
        result = await agent.run(task="add")
    assert result.messages[-1].to_text() == "12"
    (call,) = [each for each in handler.effects if each.kind.name == "tool"]
    assert call.request.arguments == {"a": 10, "b": 2}


async def test_a_person_approves_each_call_with_its_arguments_before_it_is_made() -> None:
    asked: list[Any] = []

    async def approve(question: HumanQuestion) -> HumanAnswer:
        asked.append(question.approval_of)
        return HumanAnswer(text="Once is enough.", approved=len(asked) == 1)

    agent = AssistantAgent(
        "ann", model(asks_for(ADD, ("add", '{"a": 5, "b": 5}'))), tools=[add], guardrails=[PersonApproval(approve)]
    )
    result = await agent.run(task="add")
    assert asked == [
        {"tool": "add", "arguments": {"a": 1, "b": 2}},
        {"tool": "add", "arguments": {"a": 5, "b": 5}},
    ]
    assert result.messages[-1].to_text() == "3\nThe call was blocked. Once is enough."


@pytest.mark.parametrize("combined", [False, True])
async def test_a_person_is_asked_again_about_arguments_that_a_later_guardrail_changed(combined: bool) -> None:
    asked: list[Any] = []

    def approve(question: HumanQuestion) -> bool:
        asked.append(question.approval_of)
        return len(asked) == 1

    def enlarge(call: ToolCall) -> Verdict[Mapping[str, object]]:
        return Change({**call.arguments, "a": 1_000})

    person, enlarger = PersonApproval(approve), FunctionGuardrail("enlarge", on_tool_call=enlarge)
    handler = RecordingHandler()
    agent = AssistantAgent(
        "ann", model(asks_for(ADD)), tools=[add], guardrails=[person & enlarger] if combined else [person, enlarger]
    )
    with handle_effects(handler):
        result = await agent.run(task="add")
    assert [each["arguments"] for each in asked] == [{"a": 1, "b": 2}, {"a": 1_000, "b": 2}]
    assert result.messages[-1].to_text() == "The call was blocked. A person refused it."
    assert not any(each.kind.name == "tool" for each in handler.effects)


async def test_blocked_output_is_not_shown_and_its_tokens_are_counted() -> None:
    agent = AssistantAgent("ann", model(says("it is sk-1")), guardrails=[SECRETS])
    result = await agent.run(task="the key?")
    assert "sk-1" not in str(result)
    assert isinstance(answer := result.messages[-1], StopMessage)
    assert answer.models_usage == USAGE


async def test_pieces_of_a_streamed_answer_are_withheld_until_it_has_passed() -> None:
    agent = AssistantAgent("ann", model("it is sk-1", "it is fine"), model_client_stream=True, guardrails=[SECRETS])
    blocked = await collected(agent.run_stream(task="the key?"))
    assert not any(isinstance(item, ModelClientStreamingChunkEvent) for item in blocked)
    assert "sk-1" not in str(blocked)

    passed = await collected(agent.run_stream(task="how is it?"))
    pieces = [item.content for item in passed if isinstance(item, ModelClientStreamingChunkEvent)]
    assert "".join(pieces) == "it is fine"
    assert isinstance(passed[-2], TextMessage)


async def test_pieces_of_a_changed_answer_are_never_shown() -> None:
    agent = AssistantAgent("ann", model("it is sk-1"), model_client_stream=True, guardrails=[REDACTION])
    items = await collected(agent.run_stream(task="the key?"))
    assert kinds(items) == ["TextMessage", "GuardrailEvent", "TextMessage", "TaskResult"]
    assert isinstance(items[-2], TextMessage)
    assert items[-2].content == "it is [key]"


async def test_without_a_guardrail_for_output_pieces_are_shown_as_they_come() -> None:
    gate = TextPatterns(["x"], stages=["input"])
    agent = AssistantAgent("ann", model("a b"), model_client_stream=True, guardrails=[gate])
    async with aclosing(agent.run_stream(task="go")) as items:
        assert isinstance([item async for item in items][1], ModelClientStreamingChunkEvent)


class Stuck(Guardrail):
    """Never decides about a call."""

    def __init__(self) -> None:
        super().__init__("stuck")
        self.asked = asyncio.Event()

    async def check_tool_call(self, call: ToolCall, context: GuardrailContext) -> Verdict[Mapping[str, object]]:
        self.asked.set()
        await asyncio.Event().wait()
        return Allow()


async def test_f32_a_turn_that_is_cancelled_during_a_check_leaves_every_call_with_a_result() -> None:
    stuck = Stuck()
    agent = AssistantAgent("ann", model(asks_for(ADD), "again"), tools=[add], guardrails=[stuck])
    token = CancellationToken()
    run = asyncio.create_task(agent.run(task="add", cancellation_token=token))
    await stuck.asked.wait()
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert not dangling_calls(await agent.model_context.get_messages())
    assert (await agent.run(task="go on")).messages[-1].to_text() == "again"


async def test_an_error_of_a_check_ends_the_turn_and_nothing_passes() -> None:
    def broken(message: BaseChatMessage) -> None:
        raise LookupError("no dictionary")

    agent = AssistantAgent("ann", model("hello"), guardrails=[FunctionGuardrail("broken", on_output=broken)])
    with pytest.raises(LookupError, match="no dictionary"):
        await agent.run(task="go")


class Says(Guardrail):
    """Returns what it is told in one stage, a verdict or not."""

    def __init__(self, stage: GuardrailStage, verdict: Any) -> None:
        super().__init__("odd")
        self._stage: GuardrailStage = stage
        self._verdict = verdict

    @property
    def stages(self) -> frozenset[GuardrailStage]:
        return frozenset([self._stage])

    async def check_input(self, messages: Sequence[BaseChatMessage], context: GuardrailContext) -> Any:
        return self._verdict

    async def check_tool_call(self, call: ToolCall, context: GuardrailContext) -> Any:
        return self._verdict

    async def check_output(self, message: BaseChatMessage, context: GuardrailContext) -> Any:
        return self._verdict


@pytest.mark.parametrize("stage", ["input", "tool_call", "output"])
@pytest.mark.parametrize("verdict", [None, True, "ok", Change("words"), Change(None), Change(["x"])], ids=str)
async def test_what_is_no_verdict_ends_the_turn_and_names_the_guardrail(stage: GuardrailStage, verdict: Any) -> None:
    agent = AssistantAgent("ann", model(asks_for(ADD), "3"), tools=[add], guardrails=[Says(stage, verdict)])
    with pytest.raises(AgentError, match="guardrail 'odd'"):
        await agent.run(task="1 + 2")
    assert dangling_calls(await agent.model_context.get_messages()) == set()


async def test_what_a_handoff_brings_along_is_checked_before_the_next_agent_reads_it() -> None:
    def look() -> str:
        """Look."""
        return "the key is sk-1"

    guardrails = [TextPatterns([r"sk-\w+"], replacement="[key]")]
    ann = AssistantAgent(
        *("ann", model(asks_for(("look", "{}"), ("transfer_to_bob", "{}")))),
        tools=[look],
        handoffs=["bob"],
        guardrails=guardrails,
    )
    client = model("done")
    await Swarm([ann, AssistantAgent("bob", client)], max_turns=2).run(task="go")
    assert "sk-1" not in str(shown(client))
    assert "[key]" in str(shown(client))


async def test_f31_the_tokens_of_a_model_that_checks_count_for_the_team() -> None:
    allow = asks_for(("give_verdict", '{"verdict": "allow", "reason": "fine"}'))
    judge = ModelGuardrail(model(allow, allow, allow, allow), "Be kind.")
    agent = AssistantAgent("ann", model(says("a"), says("b")), guardrails=[judge])
    limit = TokenUsageTermination(max_total_token=3 * (USAGE.prompt_tokens + USAGE.completion_tokens))
    result = await RoundRobinGroupChat([agent], termination_condition=limit, max_turns=2).run(task="go")
    assert events(result) == [("model_guardrail", "input", "allow"), ("model_guardrail", "output", "allow")]
    spent = sum((each.models_usage for each in result.messages if each.models_usage), RequestUsage(0, 0))
    assert spent == USAGE + USAGE + USAGE


async def test_any_agent_is_wrapped_under_its_own_name() -> None:
    inner = RoundRobinGroupChat([Parrot()], max_turns=1)
    society = SocietyOfMindAgent("society", inner, model("it is sk-1"))
    guarded = GuardedAgent(society, [REDACTION])
    result = await guarded.run(task="the key?")
    assert (guarded.name, guarded.description) == (society.name, society.description)
    assert result.messages[-1].to_text() == "it is [key]"
    assert StopMessage in guarded.produced_message_types


@pytest.mark.parametrize("runtime", RUNTIMES)
async def test_a_team_ends_at_a_guardrail_that_blocks_if_its_condition_says_so(runtime: str) -> None:
    async with RUNTIMES[runtime]() as given:
        team = RoundRobinGroupChat(
            [GuardedAgent(Parrot("ann"), [SECRETS]), Parrot("bob")],
            termination_condition=StopMessageTermination(),
            max_turns=3,
            runtime=given,
        )
        result = await team.run(task="my key is sk-1")
    assert kinds(result.messages) == ["TextMessage", "GuardrailEvent", "StopMessage"]
    assert result.stop_reason == "Stop message received"


async def test_a_wrapped_agent_keeps_its_state_and_is_reset_and_saved_through_the_wrapper() -> None:
    agent = GuardedAgent(AssistantAgent("ann", model("one")), [SECRETS])
    await agent.run(task="hello")
    copy = AssistantAgent("ann", model())
    await GuardedAgent(copy, [SECRETS]).load_state(await agent.save_state())
    assert len(await copy.model_context.get_messages()) == 2
    await agent.on_reset(CancellationToken())
    assert (await agent.save_state())["llm_context"]["messages"] == []


def test_guardrails_that_an_agent_cannot_follow_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match=r"\['allowed_tools'\] check tool calls.*AssistantAgent"):
        GuardedAgent(Parrot(), [AllowedTools([])])
    wrong: Any = [add]
    with pytest.raises(ArgumentTypeError, match="guardrails of agent 'parrot'"):
        GuardedAgent(Parrot(), wrong)
    with pytest.raises(ArgumentTypeError, match="guardrails of agent 'ann'"):
        AssistantAgent("ann", model(), guardrails=wrong)
    nobody: Any = "ann"
    with pytest.raises(ArgumentTypeError, match="agent of a GuardedAgent"):
        GuardedAgent(nobody, [SECRETS])


async def test_agents_with_guardrails_are_saved_and_loaded() -> None:
    assistant = AssistantAgent("ann", model("it is sk-1"), guardrails=[SECRETS & AllowedTools([])])
    for agent in (assistant, GuardedAgent(AssistantAgent("ann", model("it is sk-1")), [SECRETS])):
        loaded = type(agent).load_component(agent.dump_component())
        assert isinstance((await loaded.run(task="go")).messages[-1], StopMessage)


async def test_later_guardrails_see_what_earlier_ones_have_let_through() -> None:
    seen: list[Sequence[str]] = []

    def look(messages: Sequence[BaseChatMessage]) -> None:
        seen.append([message.to_text() for message in messages])

    guardrails = [REDACTION, FunctionGuardrail("look", on_input=look), SECRETS]
    agent = AssistantAgent("ann", model("ok"), guardrails=guardrails)
    result = await agent.run(task="sk-1")
    assert seen == [["[key]"]]
    assert result.messages[-1].to_text() == "ok"


VERDICTS = st.sampled_from(["allow", "block", "change", "fail"])


@given(given=VERDICTS, called=st.lists(VERDICTS, min_size=1, max_size=3), said=VERDICTS, streams=st.booleans())
async def test_f28_whatever_the_verdicts_every_call_has_a_result_and_the_agent_runs_again(
    given: str, called: list[str], said: str, streams: bool
) -> None:
    verdicts = iter([given, *called, said])

    def decide(changed: Any) -> Any:
        verdict = next(verdicts, "allow")
        if verdict == "fail":
            raise LookupError("no dictionary")
        return {"allow": Allow(), "block": Block("no"), "change": Change(changed)}[verdict]

    checks = FunctionGuardrail(
        "any",
        on_input=lambda messages: decide(messages[-1:]),
        on_tool_call=lambda call: decide({**call.arguments, "a": 7}),
        on_output=lambda message: decide(TextMessage(content="other words", source=message.source)),
    )
    client = model(asks_for(*[ADD] * len(called)), "three", "again")
    agent = AssistantAgent(
        "ann", client, tools=[add], reflect_on_tool_use=True, model_client_stream=streams, guardrails=[checks]
    )
    with suppress(LookupError):
        shown_items = await collected(agent.run_stream(task="add"))
        assert ("three" in str(shown_items)) == (given in ("allow", "change") and said == "allow")
    assert not dangling_calls(await agent.model_context.get_messages())
    verdicts = iter(())
    assert (await agent.run(task="once more")).messages[-1].to_text() in {"again", "three"}
    assert not dangling_calls(await agent.model_context.get_messages())
