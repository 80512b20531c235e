import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from tests.support.agents import StartedRuntime, started
from tests.support.chat_agents import RecordingHandler

from symposia.core import (
    AgentId,
    CancellationToken,
    DefaultInterventionHandler,
    FunctionCall,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    message_handler,
)
from symposia.core.effects import handle_effects
from symposia.core.exceptions import UndeliverableException
from symposia.core.models import (
    AssistantMessage,
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    RequestUsage,
    UserMessage,
)
from symposia.core.tool_agent import ToolAgent, ToolException, tool_agent_caller_loop
from symposia.core.tools import FunctionTool
from symposia.ext.models.replay import ReplayChatCompletionClient

TOOLS = AgentId("tools", "default")
QUESTION: list[LLMMessage] = [UserMessage(content="What is 1 + 2?", source="user")]


def add(a: int, b: int) -> int:
    return a + b


def fail() -> None:
    raise LookupError("no such page")


OFFER = [FunctionTool(add, "adds"), FunctionTool(fail, "fails")]


@pytest.fixture
async def runtime() -> AsyncGenerator[StartedRuntime]:
    runtime = SingleThreadedAgentRuntime()
    await ToolAgent.register(runtime, "tools", lambda: ToolAgent("runs tools", list(OFFER)))
    async with started(runtime):
        yield runtime


def calls(*named: tuple[str, str]) -> CreateResult:
    """A model's answer that calls tools."""
    return CreateResult(
        finish_reason="function_calls",
        content=[FunctionCall(id=str(i), name=name, arguments=arguments) for i, (name, arguments) in enumerate(named)],
        usage=RequestUsage(1, 1),
        cached=False,
        thought="let me see",
        vendor_blocks={"anthropic": [{"type": "thinking", "signature": "s"}]},
    )


ADD = ("add", '{"a": 1, "b": 2}')
THREE = FunctionExecutionResult(content="3", name="add", call_id="0", is_error=False)


async def test_an_answer_without_calls_is_all(runtime: StartedRuntime) -> None:
    client = ReplayChatCompletionClient(["three"])
    messages = await tool_agent_caller_loop(runtime, TOOLS, client, QUESTION, OFFER, caller_source="ann")
    assert messages == [AssistantMessage(content="three", source="ann")]


async def test_the_loop_goes_on_until_the_model_calls_no_tool(runtime: StartedRuntime) -> None:
    client = ReplayChatCompletionClient([calls(ADD), calls(ADD), "three"])
    messages = await tool_agent_caller_loop(runtime, TOOLS, client, QUESTION, OFFER)
    call, results = calls(ADD).to_message("assistant"), FunctionExecutionResultMessage(content=[THREE])
    assert messages == [call, results, call, results, AssistantMessage(content="three", source="assistant")]
    assert [request["messages"] for request in client.create_calls] == [
        QUESTION,
        [*QUESTION, call, results],
        [*QUESTION, call, results, call, results],
    ]


async def test_the_model_is_offered_the_tools_or_their_schemas_as_they_were_given(runtime: StartedRuntime) -> None:
    for offer in (OFFER, [tool.schema for tool in OFFER]):
        client = ReplayChatCompletionClient(["three"])
        await tool_agent_caller_loop(runtime, TOOLS, client, QUESTION, offer)
        assert client.create_calls[0]["tools"] == offer


async def test_the_callers_messages_stay_its_own(runtime: StartedRuntime) -> None:
    given = list(QUESTION)
    await tool_agent_caller_loop(runtime, TOOLS, ReplayChatCompletionClient([calls(ADD), "three"]), given, OFFER)
    assert given == QUESTION


async def test_what_goes_wrong_with_a_tool_is_told_to_the_model(runtime: StartedRuntime) -> None:
    client = ReplayChatCompletionClient([calls(ADD, ("nope", "{}"), ("fail", "{}"), ("add", '{"a": "x"}')), "sorry"])
    messages = await tool_agent_caller_loop(runtime, TOOLS, client, QUESTION, OFFER)
    told = messages[1]
    assert isinstance(told, FunctionExecutionResultMessage)
    assert [(result.call_id, result.name, result.is_error) for result in told.content] == [
        ("0", "add", False),
        ("1", "nope", True),
        ("2", "fail", True),
        ("3", "add", True),
    ]
    assert [result.content.splitlines()[0] for result in told.content] == [
        "3",
        "Error: Tool not found: nope. The tools are: add, fail.",
        "Error: no such page",
        "Error: Invalid arguments: Wrong arguments for the tool 'add':",
    ]


async def test_an_answer_with_an_empty_list_of_calls_ends_the_loop(runtime: StartedRuntime) -> None:
    messages = await tool_agent_caller_loop(runtime, TOOLS, ReplayChatCompletionClient([calls()]), QUESTION, OFFER)
    assert messages == [calls().to_message("assistant")]


async def test_a_tool_agent_that_is_not_there_is_an_error(runtime: StartedRuntime) -> None:
    client = ReplayChatCompletionClient([calls(ADD), "three"])
    with pytest.raises(UndeliverableException, match="nobody"):
        await tool_agent_caller_loop(runtime, AgentId("nobody", "k"), client, QUESTION, OFFER)


async def test_an_agent_can_be_the_caller(runtime: StartedRuntime) -> None:
    class Asker(RoutedAgent):
        @message_handler
        async def on_question(self, message: UserMessage, ctx: MessageContext) -> AssistantMessage:
            client = ReplayChatCompletionClient([calls(ADD), "three"])
            messages = await tool_agent_caller_loop(
                self, TOOLS, client, [message], OFFER, ctx.cancellation_token, caller_source="asker"
            )
            answer = messages[-1]
            assert isinstance(answer, AssistantMessage)
            return answer

    await Asker.register(runtime, "asker", lambda: Asker("asks"))
    handler = RecordingHandler()
    with handle_effects(handler):
        answer = await runtime.send_message(QUESTION[0], AgentId("asker", "k"))
    assert answer == AssistantMessage(content="three", source="asker")
    assert handler.seen == [" model", "tool:add tool", " model"]


async def test_a_call_that_an_intervention_handler_refuses_is_told_to_the_model() -> None:
    class NeedsApproval(DefaultInterventionHandler):
        async def on_send(self, message: Any, *, message_context: MessageContext, recipient: AgentId) -> Any:
            if isinstance(message, FunctionCall):
                raise ToolException(content="The user said no.", call_id=message.id, name=message.name)
            return message

    runtime = SingleThreadedAgentRuntime(intervention_handlers=[NeedsApproval()])
    await ToolAgent.register(runtime, "tools", lambda: ToolAgent("runs tools", list(OFFER)))
    async with started(runtime):
        client = ReplayChatCompletionClient([calls(ADD), "very well"])
        messages = await tool_agent_caller_loop(runtime, TOOLS, client, QUESTION, OFFER)
    refused = FunctionExecutionResult(content="The user said no.", name="add", call_id="0", is_error=True)
    assert messages[1] == FunctionExecutionResultMessage(content=[refused])


async def test_an_error_that_is_none_of_a_tool_is_raised_once_every_call_is_settled(runtime: StartedRuntime) -> None:
    settled = asyncio.Event()

    class Odd(RoutedAgent):
        concurrent = True

        @message_handler
        async def on_call(self, message: FunctionCall, ctx: MessageContext) -> FunctionExecutionResult:
            if message.id == "0":
                raise ConnectionError("the line is dead")
            await asyncio.sleep(0)
            settled.set()
            return THREE

    await Odd.register(runtime, "odd", lambda: Odd("fails"))
    client = ReplayChatCompletionClient([calls(ADD, ADD), "three"])
    with pytest.raises(ConnectionError, match="the line is dead"):
        await tool_agent_caller_loop(runtime, AgentId("odd", "k"), client, QUESTION, OFFER)
    assert settled.is_set()


async def test_cancelling_ends_the_loop(runtime: StartedRuntime) -> None:
    token = CancellationToken()

    def cancel(_messages: Any) -> CreateResult:
        token.cancel()
        return calls(ADD)

    client = ReplayChatCompletionClient(cancel)
    with pytest.raises(asyncio.CancelledError):
        await tool_agent_caller_loop(runtime, TOOLS, client, QUESTION, OFFER, token)
    assert len(client.create_calls) == 1
