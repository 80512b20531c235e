"""A conversation that goes from one service to another, and an answer that a program has changed."""

import json

import pytest
from tests.support.model_clients import ADD, ANTHROPIC, GEMINI, OPENAI, OpenAIResponses, Vendor, kind_name

from symposia.core import FunctionCall
from symposia.core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    UserMessage,
)
from symposia.testing.model_server import MockModelServer, Reply, Thinking, ToolCall

HELLO: list[LLMMessage] = [UserMessage(content="hello", source="user")]
RESULT = FunctionExecutionResultMessage(content=[FunctionExecutionResult(content="3", name="add", call_id="1")])
OPAQUE = "only-its-service-knows"
RESPONSES = OpenAIResponses()
RESPONSES.model = "gpt-5"  # it reasons
SIGNED = Reply(
    thinking=(Thinking(text="Hm.", signature=OPAQUE),),
    tool_calls=(ToolCall(id="1", name="add", arguments='{"a": 1}'),),
)
DETAILED = Reply(
    tool_calls=(ToolCall(id="1", name="add", arguments='{"a": 1}', extra={"extra_content": {"signature": OPAQUE}}),),
    extra={"reasoning_details": [{"data": OPAQUE}]},
)


@pytest.mark.parametrize(("vendor", "reply"), [(OPENAI, DETAILED), (RESPONSES, SIGNED)], ids=["chat", "responses"])
@pytest.mark.parametrize(("host", "returned"), [("127.0.0.1", True), ("localhost", False)])
async def test_what_a_service_adds_to_an_answer_goes_back_to_it_alone(
    vendor: Vendor, reply: Reply, host: str, returned: bool, server: MockModelServer
) -> None:
    first = vendor.client(server, reply)
    answer = (await first.create(HELLO, tools=[ADD])).to_message("bot")
    answer = AssistantMessage.model_validate_json(answer.model_dump_json())
    await first.close()
    async with MockModelServer(host=host) as other:
        second = vendor.client(other, Reply(text="3"))
        await second.create([*HELLO, answer, RESULT], tools=[ADD])
        await second.close()
    assert (OPAQUE in json.dumps(other.last_body)) is returned
    assert '"add"' in json.dumps(other.last_body)


@pytest.mark.parametrize("vendor", [ANTHROPIC, GEMINI, RESPONSES, OPENAI], ids=kind_name)
@pytest.mark.parametrize("changed", ["arguments", "name"])
async def test_a_call_that_a_program_has_changed_is_sent_as_it_is_now(
    vendor: Vendor, changed: str, server: MockModelServer
) -> None:
    client = vendor.client(server, SIGNED, Reply(text="3"))
    answer = (await client.create(HELLO, tools=[ADD])).to_message("bot")
    call = FunctionCall(**{"id": "1", "name": "add", "arguments": '{"a": 1}', changed: '{"other": 2}'})
    await client.create([*HELLO, answer.model_copy(update={"content": [call]}), RESULT], tools=[ADD])
    await client.close()
    asked = server.requests[-1].conversation
    assert asked is not None
    [sent] = [one for message in asked.messages for one in message.tool_calls]
    assert (sent.name, json.loads(sent.arguments)) == (call.name, json.loads(call.arguments))
