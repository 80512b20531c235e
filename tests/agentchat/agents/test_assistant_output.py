"""Answers in a schema: whatever the model can do, validated, sent back with the reason, within bounds."""

import json
import threading
from collections.abc import Sequence
from typing import cast

import pytest
from pydantic import BaseModel, ConfigDict, Field
from tests.support.chat_agents import ABLE, asks_for, dangling_calls, kinds, model, says, shown

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.messages import (
    BaseChatMessage,
    OutputRejectedEvent,
    StructuredMessage,
    TextMessage,
    ToolCallSummaryMessage,
)
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.core import CancellationToken
from symposia.core.exceptions import InvalidArgumentError, ModelAnswerError
from symposia.core.models import AssistantMessage, CreateResult, ModelInfo, RequestUsage, SystemMessage, UserMessage


class Plan(BaseModel):
    steps: list[str]


JSON_MODE = ModelInfo(vision=False, function_calling=True, json_output=True, family="unknown", structured_output=False)
WORDS = ModelInfo(vision=False, function_calling=True, json_output=False, family="unknown", structured_output=False)
GOOD = '{"steps": ["add"]}'


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def needs_a_step(content: Plan, received: Sequence[BaseChatMessage]) -> str | None:
    return None if content.steps else f"The task {received[-1].to_text()!r} needs a step."


def plan_in(message: object) -> Plan:
    assert isinstance(message, StructuredMessage)
    return cast("StructuredMessage[Plan]", message).content


def rejections(messages: Sequence[object]) -> list[tuple[int, str]]:
    return [(each.attempt, each.reason) for each in messages if isinstance(each, OutputRejectedEvent)]


@pytest.mark.parametrize(
    ("info", "json_output"), [(ABLE, Plan), (JSON_MODE, True), (WORDS, None)], ids=["schema", "json", "words"]
)
async def test_a_model_is_held_to_the_schema_as_well_as_it_can_be(info: ModelInfo, json_output: object) -> None:
    client = model(says(GOOD), info=info)
    answer = (await AssistantAgent("ann", client, output_content_type=Plan).run(task="go")).messages[-1]

    assert plan_in(answer) == Plan(steps=["add"])
    assert client.create_calls[0]["json_output"] is json_output
    assert isinstance(system := shown(client)[0], SystemMessage)
    assert ("Its JSON schema" in system.content) is (info is not ABLE)


async def test_an_assistant_without_a_system_message_still_tells_the_schema_in_words() -> None:
    client = model(says(GOOD), info=WORDS)
    await AssistantAgent("ann", client, output_content_type=Plan, system_message=None).run(task="go")
    assert isinstance(system := shown(client)[0], SystemMessage)
    assert system.content.startswith("Answer with one JSON object and nothing else.")


@pytest.mark.parametrize(
    "text", [GOOD, f"```json\n{GOOD}\n```", f"Here it is:\n```\n{GOOD}\n```\nDone.", f"My plan is {GOOD} as you see."]
)
async def test_fences_and_words_around_the_object_are_ignored(text: str) -> None:
    agent = AssistantAgent("ann", model(says(text), info=WORDS), output_content_type=Plan)
    answer = (await agent.run(task="go")).messages[-1]
    assert plan_in(answer) == Plan(steps=["add"])


class Counts(BaseModel):
    counts: dict[str, int]


async def test_the_faults_that_are_sent_back_are_short_whatever_the_model_wrote() -> None:
    wrong = json.dumps({"counts": {f"{'key' * 10_000}{number}": "many" for number in range(100)}})
    client = model(says(wrong), says('{"counts": {}}'))
    agent = AssistantAgent("ann", client, output_content_type=Counts, output_retries=1)

    messages = (await agent.run(task="go")).messages

    complaint = rejections(messages)[0][1]
    assert complaint.endswith("; and 90 more.")
    assert len(complaint) < 4_000


async def test_an_answer_that_does_not_fit_is_sent_back_with_the_reason_and_all_tokens_are_counted() -> None:
    client = model(says('{"step": 1}'), says("no JSON"), says(GOOD))
    agent = AssistantAgent("ann", client, output_content_type=Plan, output_retries=2, system_message=None)

    messages = (await agent.run(task="go")).messages

    assert kinds(messages)[1:] == ["OutputRejectedEvent", "OutputRejectedEvent", "StructuredMessage[Plan]"]
    assert [attempt for attempt, _ in rejections(messages)] == [0, 1]
    assert rejections(messages)[0][1] == "That is not a Plan: steps: Field required."
    assert shown(client)[1:3] == [
        AssistantMessage(content='{"step": 1}', source="ann"),
        UserMessage(
            content="That is not a Plan: steps: Field required. "
            "Answer again, with one JSON object of these fields: steps.",
            source="user",
        ),
    ]
    usages = [message.models_usage for message in messages if message.models_usage is not None]
    assert sum(usages, RequestUsage(0, 0)) == RequestUsage(prompt_tokens=9, completion_tokens=6)


async def test_only_the_accepted_answer_stays_in_the_context() -> None:
    agent = AssistantAgent("ann", model(says("no"), says(GOOD)), output_content_type=Plan, output_retries=1)
    await agent.run(task="go")
    assert await agent.model_context.get_messages() == [
        UserMessage(content="go", source="user"),
        AssistantMessage(content=GOOD, source="ann"),
    ]


@pytest.mark.parametrize("is_async", [True, False])
async def test_the_content_is_checked_in_view_of_the_messages_of_the_turn(is_async: bool) -> None:
    async def check(content: Plan, received: Sequence[BaseChatMessage]) -> str | None:
        return needs_a_step(content, received)

    agent = AssistantAgent(
        "ann",
        model(says('{"steps": []}'), says(GOOD)),
        output_content_type=Plan,
        output_retries=1,
        output_check=check if is_async else needs_a_step,
    )
    messages = (await agent.run(task="go")).messages
    assert rejections(messages) == [(0, "The task 'go' needs a step.")]
    assert isinstance(messages[-1], StructuredMessage)


async def test_when_no_attempt_is_accepted_the_error_says_what_was_wrong_with_the_last_one() -> None:
    agent = AssistantAgent("ann", model(says("no"), says('{"steps": 1}')), output_content_type=Plan, output_retries=1)
    with pytest.raises(
        ModelAnswerError,
        match=r"Agent 'ann': the model's answer cannot be used after 2 attempts\. .*steps: Input should",
    ):
        await agent.run(task="go")


async def items_before_the_error(runner: AssistantAgent | RoundRobinGroupChat) -> list[object]:
    items: list[object] = []

    async def read() -> None:
        async for item in runner.run_stream(task="go"):
            items.append(item)  # noqa: PERF401 - a comprehension that fails has no items

    with pytest.raises(ModelAnswerError):
        await read()
    return items


@pytest.mark.parametrize("retries", [0, 1])
@pytest.mark.parametrize("answer", [says("no"), asks_for(("add", '{"a": 1, "b": 2}'))], ids=["text", "calls"])
async def test_the_last_rejected_answer_is_kept_with_its_words_and_tokens(retries: int, answer: CreateResult) -> None:
    # Calls are first made, in a round of their own, and then not made, which is told without using up a retry.
    asked = retries + (1 if isinstance(answer.content, str) else 3)
    agent = AssistantAgent(
        "ann", model(*[answer] * asked), tools=[add], output_content_type=Plan, output_retries=retries
    )
    items = await items_before_the_error(agent)

    rejected = [item for item in items if isinstance(item, OutputRejectedEvent)]
    assert [event.attempt for event in rejected] == list(range(len(rejected)))
    assert len(rejected) == retries + (1 if isinstance(answer.content, str) else 2)
    assert all(event.content == str(answer.content) and event.models_usage == answer.usage for event in rejected)


async def test_a_team_shows_the_last_rejected_answer_before_the_error() -> None:
    team = RoundRobinGroupChat([AssistantAgent("ann", model(says("no")), output_content_type=Plan)])
    items = await items_before_the_error(team)
    assert [item.content for item in items if isinstance(item, OutputRejectedEvent)] == ["no"]


async def test_the_tokens_of_an_answer_that_a_fallback_replaces_are_counted_once() -> None:
    client = model(says("no"))
    agent = AssistantAgent(
        "ann", client, output_content_type=Plan, output_fallback=lambda content, complaint: Plan(steps=[])
    )
    usages = [message.models_usage for message in (await agent.run(task="go")).messages if message.models_usage]
    assert usages == [says("no").usage]


class Named(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(alias="fullName")
    age: int = 0


async def test_an_answer_with_a_field_too_many_is_sent_back_with_the_fields_to_give() -> None:
    client = model(says('{"fullName": "Ann", "mood": "good"}'), says('{"fullName": "Ann"}'))
    await AssistantAgent("ann", client, output_content_type=Named, output_retries=1).run(task="go")
    sent = shown(client)[-1]
    assert isinstance(sent.content, str)
    assert sent.content.endswith("Answer again, with one JSON object of these fields: fullName, age (optional).")


async def test_a_fallback_answers_when_no_attempt_is_accepted() -> None:
    given: list[tuple[Plan | None, str]] = []

    def settle(content: Plan | None, complaint: str) -> Plan:
        given.append((content, complaint))
        return Plan(steps=["ask a person"])

    for answer, content in (("no", None), ('{"steps": []}', Plan(steps=[]))):
        agent = AssistantAgent(
            "ann", model(says(answer)), output_content_type=Plan, output_check=needs_a_step, output_fallback=settle
        )
        message = (await agent.run(task="go")).messages[-1]
        assert plan_in(message) == Plan(steps=["ask a person"])
        assert given[-1][0] == content
    assert given[-1][1] == "The task 'go' needs a step."


async def test_a_plain_fallback_runs_in_a_worker_thread_and_an_asynchronous_one_on_the_event_loop() -> None:
    threads: list[threading.Thread] = []

    def plain(content: Plan | None, complaint: str) -> Plan:
        threads.append(threading.current_thread())
        return Plan(steps=["plain"])

    async def asynchronous(content: Plan | None, complaint: str) -> Plan:
        threads.append(threading.current_thread())
        return Plan(steps=["asynchronous"])

    answers: list[Plan] = []
    for settle in (plain, asynchronous):
        agent = AssistantAgent("ann", model(says("no")), output_content_type=Plan, output_fallback=settle)
        answers.append(plan_in((await agent.run(task="go")).messages[-1]))

    assert answers == [Plan(steps=["plain"]), Plan(steps=["asynchronous"])]
    here = threading.current_thread()
    assert [thread is here for thread in threads] == [False, True]


async def test_a_model_that_calls_tools_instead_of_answering_is_told_so_and_no_call_is_left_without_result() -> None:
    call = asks_for(("add", '{"a": 1, "b": 2}'))
    client = model(call, call, call, says(GOOD))
    agent = AssistantAgent("ann", client, tools=[add], output_content_type=Plan, output_retries=1)

    messages = (await agent.run(task="go")).messages

    assert rejections(messages)[1:] == [(1, "Answer with the object itself and call no tool.")]
    assert not dangling_calls(shown(client))
    assert not dangling_calls(await agent.model_context.get_messages())


async def test_without_retries_calls_of_tools_that_were_not_given_are_an_error() -> None:
    call = asks_for(("add", '{"a": 1, "b": 2}'))
    agent = AssistantAgent("ann", model(call, call, call), tools=[add], output_content_type=Plan)
    with pytest.raises(ModelAnswerError, match="call no tool"):
        await agent.run(task="go")


async def test_an_answer_sent_back_may_be_followed_by_tool_calls_and_the_context_stays_in_order() -> None:
    client = model(says("no"), asks_for(("add", '{"a": 1, "b": 2}')), says(GOOD))
    agent = AssistantAgent(
        "ann", client, tools=[add], output_content_type=Plan, output_retries=1, max_tool_iterations=2
    )
    messages = (await agent.run(task="go")).messages
    assert isinstance(messages[-1], StructuredMessage)
    context = await agent.model_context.get_messages()
    assert kinds(context) == [
        "UserMessage",
        "AssistantMessage",
        "UserMessage",
        "AssistantMessage",
        "FunctionExecutionResultMessage",
        "AssistantMessage",
    ]
    assert not dangling_calls(context)


async def test_a_summary_ends_the_turn_also_behind_an_answer_sent_back() -> None:
    client = model(says("no"), asks_for(("add", '{"a": 1, "b": 2}')))
    agent = AssistantAgent(
        "ann", client, tools=[add], output_content_type=Plan, output_retries=1, reflect_on_tool_use=False
    )
    messages = (await agent.run(task="go")).messages
    assert isinstance(messages[-1], ToolCallSummaryMessage)
    assert len(rejections(messages)) == 1


async def test_attempts_are_counted_anew_in_each_turn() -> None:
    client = model(says("no"), says(GOOD), says("no"), says(GOOD))
    agent = AssistantAgent("ann", client, output_content_type=Plan, output_retries=1)
    for _ in range(2):
        assert [attempt for attempt, _ in rejections((await agent.run(task="go")).messages)] == [0]


async def test_answers_are_streamed_attempt_by_attempt() -> None:
    client = model("no", GOOD)
    agent = AssistantAgent("ann", client, output_content_type=Plan, output_retries=1, model_client_stream=True)
    items = [item async for item in agent.run_stream(task="go")]
    names = kinds(items)
    assert names.index("OutputRejectedEvent") > names.index("ModelClientStreamingChunkEvent")
    assert names[-2] == "StructuredMessage[Plan]"


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"output_retries": -1}, "output_retries of agent 'ann' is -1"),
        ({"output_retries": 1}, "need an output_content_type"),
        ({"output_check": needs_a_step}, "need an output_content_type"),
    ],
)
def test_what_needs_a_schema_is_refused_without_one(more: dict[str, object], text: str) -> None:
    with pytest.raises(InvalidArgumentError, match=text):
        AssistantAgent("ann", model(), **more)  # type: ignore[arg-type]  # what is tested


async def test_d07_a_failed_turn_that_is_saved_and_loaded_does_not_get_its_messages_twice() -> None:
    first = AssistantAgent("ann", model(RuntimeError("no network")))
    with pytest.raises(RuntimeError, match="no network"):
        await first.run(task="go")

    client = model(says("here"))
    second = AssistantAgent("ann", client, system_message=None)
    await second.load_state(await first.save_state())
    await second.on_messages([TextMessage(content="go", source="user")], CancellationToken())

    assert shown(client) == [UserMessage(content="go", source="user")]
    assert "pending_input" not in await second.save_state()
