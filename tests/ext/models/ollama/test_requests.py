"""What is peculiar to Ollama's format: options, the form of answers, thinking, tools without a choice."""

import json
from typing import Any

import pytest
from ollama import Options
from pydantic import BaseModel
from tests.support.model_clients import ADD, OLLAMA, read

from symposia.core import FunctionCall
from symposia.core.exceptions import ModelError
from symposia.core.models import (
    ChatCompletionClient,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    UserMessage,
)
from symposia.core.tools import FunctionTool
from symposia.ext.models.ollama import OllamaChatCompletionClient
from symposia.testing.model_server import MockModelServer, Raw, Reply, Thinking, ToolCall

HELLO: list[LLMMessage] = [UserMessage(content="hello", source="user")]


class Fingers(BaseModel):
    hands: int


async def test_options_of_the_model_stand_under_options(server: MockModelServer) -> None:
    client = OLLAMA.client(
        server,
        Reply(text="hi"),
        options={"num_ctx": 4096},
        temperature=0.5,
        max_tokens=7,
        keep_alive="10m",
        think=False,
    )
    await client.create(HELLO, extra_create_args={"seed": 3, "options": {"top_k": 2}})
    assert server.last_body == {
        "model": OLLAMA.model,
        "messages": [{"role": "user", "content": "hello"}],
        "options": {"num_ctx": 4096, "temperature": 0.5, "num_predict": 7, "seed": 3, "top_k": 2},
        "keep_alive": "10m",
        "think": False,
        "stream": False,
    }


async def test_options_may_be_those_of_the_sdk_and_decide_how_much_fits(server: MockModelServer) -> None:
    client = OLLAMA.client(server, Reply(text="hi"), options=Options(num_ctx=100))
    await client.create(HELLO)
    assert server.last_body["options"] == {"num_ctx": 100}
    assert client.remaining_tokens(HELLO) < 100


async def test_a_schema_constrains_an_answer_without_tools(server: MockModelServer) -> None:
    client = OLLAMA.client(server, Reply(text='{"hands": 2}'), Reply(text="{}"))
    await client.create(HELLO, json_output=Fingers)
    assert server.last_body["format"] == Fingers.model_json_schema()
    await client.create(HELLO, json_output=True)
    assert server.last_body["format"] == "json"


async def test_beside_tools_a_schema_is_asked_for_in_words(server: MockModelServer) -> None:
    client = OLLAMA.client(server, Reply(text='{"hands": 2}'))
    await client.create(HELLO, tools=[ADD], json_output=Fingers)
    assert "format" not in server.last_body
    assert json.dumps(Fingers.model_json_schema()) in server.last_body["messages"][0]["content"]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (Fingers, Fingers.model_json_schema()),
        ({"type": "json_object"}, "json"),
        ({"type": "text"}, None),
        ({"type": "object", "properties": {}}, {"type": "object", "properties": {}}),
        ({"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "array"}}}, {"type": "array"}),
    ],
)
async def test_the_usual_form_of_answers_is_an_option(server: MockModelServer, form: object, expected: object) -> None:
    client = OLLAMA.client(server, Reply(text="{}"), response_format=form)
    await client.create(HELLO)
    assert server.last_body.get("format") == expected


async def test_the_thinking_before_a_call_goes_back_apart_from_the_text(server: MockModelServer) -> None:
    call = ToolCall(id="1", name="add", arguments='{"a": 1}')
    client = OLLAMA.client(
        server, Reply(text="I add.", thinking=(Thinking(text="Hm."),), tool_calls=(call,)), Reply(text="3")
    )
    _, first = await read(client.create_stream(HELLO, tools=[ADD]))
    assert first.thought == "Hm.\nI add."
    results = FunctionExecutionResultMessage(content=[FunctionExecutionResult(content="3", name="add", call_id="1")])
    await client.create([*HELLO, first.to_message("model"), results], tools=[ADD])
    _, answer, result = server.last_body["messages"]
    assert answer == {
        "role": "assistant",
        "content": "I add.",
        "thinking": "Hm.",
        "tool_calls": [{"id": "1", "function": {"name": "add", "arguments": {"a": 1}}}],
    }
    assert result == {"role": "tool", "content": "3", "tool_name": "add", "tool_call_id": "1"}


async def test_tools_are_chosen_by_which_are_offered(server: MockModelServer) -> None:
    def now() -> str:
        return "noon"

    tool = FunctionTool(now, description="The time.")
    client = OLLAMA.client(server, Reply(text="ok"), Reply(text="ok"))
    await client.create(HELLO, tools=[ADD, tool], tool_choice=tool)
    assert [sent["function"]["name"] for sent in server.last_body["tools"]] == ["now"]
    await client.create(HELLO, tools=[ADD, tool], tool_choice="none")
    assert "tools" not in server.last_body


async def test_a_call_without_an_id_gets_one(server: MockModelServer) -> None:
    call = b'{"function": {"name": "add", "arguments": {"a": 1}}}'
    body = b'{"message": {"tool_calls": [%s]}, "done": true, "eval_count": 1, "prompt_eval_count": 1}'
    (got,) = (await OLLAMA.client(server, Raw(body=body % call)).create(HELLO, tools=[ADD])).content
    assert isinstance(got, FunctionCall)
    assert (bool(got.id), got.arguments) == (True, '{"a": 1}')


async def test_an_error_in_the_middle_of_a_stream_is_told_in_the_servers_words(server: MockModelServer) -> None:
    lines = b'{"message": {"content": "Fi"}, "done": false}\n{"error": "llama runner process has terminated"}\n'
    client = OLLAMA.client(server, Raw(body=lines, content_type="application/x-ndjson"))
    with pytest.raises(ModelError, match="llama runner process has terminated") as caught:
        await read(client.create_stream(HELLO))
    assert caught.value.partial is not None
    assert caught.value.partial["text"] == "Fi"


async def test_the_host_and_the_key_may_be_those_of_the_environment(
    server: MockModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    server.script(Reply(text="hi"), Reply(text="hi"))
    client = OllamaChatCompletionClient(model="llama3.2:1b")
    assert (await client.create(HELLO)).content == "hi"
    assert "authorization" not in server.requests[-1].headers
    given: Any = {"model": "llama3.2:1b", "headers": {"Authorization": "Basic x"}, "api_key": "k"}
    await OllamaChatCompletionClient.create_from_config(given).create(HELLO)
    assert server.requests[-1].headers["authorization"] == "Basic x"
    assert dict(client.get_create_args()) == {"model": "llama3.2:1b"}


@pytest.mark.parametrize("provider", ["", "autogen_ext.models.ollama.", "autogen_ext.models.ollama._ollama_client."])
def test_autogens_names_of_the_client_load_it(provider: str) -> None:
    saved = {"provider": f"{provider}OllamaChatCompletionClient", "config": {"model": "llama3.2:1b"}}
    assert isinstance(ChatCompletionClient.load_component(saved), OllamaChatCompletionClient)
