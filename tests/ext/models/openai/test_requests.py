"""What is sent to OpenAI."""

import json
from typing import Any

import httpx2
import openai
import pytest
from pydantic import BaseModel
from tests.support.model_clients import ADD, OpenAI, read

from symposia.core import FunctionCall, Image
from symposia.core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
    UserMessage,
)
from symposia.core.tools import FunctionTool
from symposia.ext.models.openai import BaseOpenAIChatCompletionClient, OpenAIChatCompletionClient
from symposia.testing.model_server import MockModelServer, Reply, Thinking, ToolCall

HELLO: list[LLMMessage] = [UserMessage(content="hello", source="user")]


class Sum(BaseModel):
    total: int
    note: str = ""


async def sent(server: MockModelServer, messages: list[LLMMessage], **options: Any) -> Any:
    client = OpenAI().client(server, Reply(text="ok"), **options)
    await client.create(messages)
    return server.last_body["messages"]


async def test_a_conversation_on_the_wire(server: MockModelServer) -> None:
    assert await sent(
        server,
        [
            SystemMessage(content="Be brief."),
            UserMessage(content="Add one and two.", source="user"),
            AssistantMessage(
                content=[FunctionCall(id="1", name="add", arguments='{"a": 1}')], source="bot", thought="I add."
            ),
            FunctionExecutionResultMessage(
                content=[FunctionExecutionResult(content="3", name="add", call_id="1", is_error=False)]
            ),
            AssistantMessage(content="Three.", source="bot", thought="easy"),
            UserMessage(content="Thanks.", source="user"),
        ],
    ) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Add one and two.", "name": "user"},
        {
            "role": "assistant",
            "content": "I add.",
            "tool_calls": [{"id": "1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}],
        },
        {"role": "tool", "tool_call_id": "1", "content": "3"},
        {"role": "assistant", "content": "Three."},
        {"role": "user", "content": "Thanks.", "name": "user"},
    ]


async def test_a_source_that_openai_refuses_as_a_name_is_made_one(server: MockModelServer) -> None:
    messages: list[LLMMessage] = [UserMessage(content="hello", source="Ana <the boss> " + "a" * 80)]
    assert (await sent(server, messages))[0]["name"] == "Ana__the_boss__" + "a" * 49


async def test_names_can_be_left_out(server: MockModelServer) -> None:
    assert await sent(server, HELLO, include_name_in_message=False) == [{"role": "user", "content": "hello"}]


async def test_names_can_be_put_into_the_text(server: MockModelServer) -> None:
    image = Image.from_uri("data:image/gif;base64,R0lGODlhAQABAAAAACw=")
    messages: list[LLMMessage] = [*HELLO, UserMessage(content=[image, "a dot"], source="Ana")]
    texts = [message["content"] for message in await sent(server, messages, add_name_prefixes=True)]
    assert texts == [
        "user said:\nhello",
        [{"type": "text", "text": "Ana said:\n"}, image.to_openai_format(), {"type": "text", "text": "a dot"}],
    ]


@pytest.mark.parametrize("choice", ["auto", "required", "none"])
async def test_a_choice_among_tools_is_sent(server: MockModelServer, choice: Any) -> None:
    client = OpenAI().client(server, Reply(text="ok"))
    await client.create(HELLO, tools=[ADD], tool_choice=choice)
    assert server.last_body["tool_choice"] == choice
    assert server.last_body["tools"] == [{"type": "function", "function": {**ADD, "strict": False}}]


async def test_a_tool_that_must_be_called_ends_with_function_calls(server: MockModelServer) -> None:
    def add(a: int) -> int:
        return a

    tool = FunctionTool(add, description="Add.")
    client = OpenAI().client(server, Reply(tool_calls=(ToolCall(id="1", name="add"),), stop="stop"))
    result = await client.create(HELLO, tools=[tool], tool_choice=tool)
    assert server.last_body["tool_choice"] == {"type": "function", "function": {"name": "add"}}
    assert result.finish_reason == "function_calls"


@pytest.mark.parametrize(
    ("json_output", "response_format"), [(None, None), (False, {"type": "text"}), (True, {"type": "json_object"})]
)
async def test_a_form_of_answers_is_sent(server: MockModelServer, json_output: Any, response_format: object) -> None:
    client = OpenAI().client(server, Reply(text="{}"))
    await client.create([SystemMessage(content="Answer in JSON.")], json_output=json_output)
    assert server.last_body.get("response_format") == response_format


@pytest.mark.parametrize("by", ["json_output", "extra_create_args", "constructor"])
async def test_a_model_class_is_sent_as_its_strict_schema(server: MockModelServer, by: str) -> None:
    options: dict[str, Any] = {"response_format": Sum} if by == "constructor" else {}
    client = OpenAI().client(server, Reply(text="{}"), **options)
    await client.create(
        HELLO,
        json_output=Sum if by == "json_output" else None,
        extra_create_args={"response_format": Sum} if by == "extra_create_args" else {},
    )
    schema = server.last_body["response_format"]["json_schema"]
    assert (schema["name"], schema["strict"]) == ("Sum", True)
    assert schema["schema"]["required"] == ["total", "note"]


async def test_parallel_tool_calls_are_spoken_of_only_with_tools(server: MockModelServer) -> None:
    client = OpenAI().client(server, Reply(text="ok"), Reply(text="ok"), parallel_tool_calls=False)
    await client.create(HELLO)
    assert "parallel_tool_calls" not in server.last_body
    await client.create(HELLO, tools=[ADD])
    assert server.last_body["parallel_tool_calls"] is False


async def test_a_reasoning_model_has_other_parameters(server: MockModelServer) -> None:
    with pytest.warns(UserWarning, match="'gpt-5' takes no temperature, top_p while it reasons"):
        client = OpenAI().client(
            server, Reply(text="ok"), model="gpt-5", max_tokens=50, temperature=0, top_p=1, reasoning_effort="low"
        )
    await client.create(HELLO)
    body = dict(server.last_body)
    del body["messages"]
    assert body == {"model": "gpt-5", "max_completion_tokens": 50, "reasoning_effort": "low"}


async def test_a_reasoning_model_that_does_not_reason_takes_a_temperature(server: MockModelServer) -> None:
    client = OpenAI().client(server, model="gpt-5.2", temperature=0)
    assert isinstance(client, OpenAIChatCompletionClient)
    with pytest.warns(UserWarning, match="left out"):
        OpenAI().client(server, model="gpt-5.2", temperature=0, reasoning_effort="high")


async def test_a_model_that_takes_tools_only_when_it_does_not_reason_is_told_not_to(server: MockModelServer) -> None:
    client = OpenAI().client(server, Reply(text="ok"), Reply(text="ok"), model="gpt-5.6-terra")
    await client.create(HELLO)
    assert "reasoning_effort" not in server.last_body
    await client.create(HELLO, tools=[ADD])
    assert server.last_body["reasoning_effort"] == "none"


async def test_usage_is_asked_for_unless_the_server_does_not_know_how(server: MockModelServer) -> None:
    client = OpenAI().client(server, Reply(text="ok"), Reply(text="ok"))
    assert isinstance(client, OpenAIChatCompletionClient)
    async for _ in client.create_stream(HELLO):
        pass
    assert server.last_body["stream_options"] == {"include_usage": True}
    with pytest.warns(UserWarning, match="sent no token counts"):
        async for _ in client.create_stream(HELLO, include_usage=False):
            pass
    assert "stream_options" not in server.last_body


async def test_the_clients_own_options_reach_the_server(server: MockModelServer) -> None:
    client = OpenAI().client(
        server,
        Reply(text="ok"),
        organization="acme",
        default_headers={"x-team": "blue"},
        seed=7,
        stop=["END"],
        user="u",
    )
    await client.create(HELLO)
    headers = server.requests[0].headers
    assert (headers["openai-organization"], headers["x-team"]) == ("acme", "blue")
    assert (server.last_body["seed"], server.last_body["stop"]) == (7, ["END"])


async def test_an_option_that_is_none_is_not_sent(server: MockModelServer) -> None:
    client = OpenAI().client(server, Reply(text="ok"), temperature=None)
    await client.create(HELLO, extra_create_args={"seed": None})
    assert set(server.last_body) == {"model", "messages"}


async def test_models_of_other_vendors_are_asked_where_those_serve_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "google's")
    client = OpenAIChatCompletionClient(model="gemini-2.5-flash")
    assert client.model_info["family"] == "gemini-2.5-flash"
    await client.close()


async def test_f47_what_a_compatible_vendor_wants_back_goes_back_untouched(server: MockModelServer) -> None:
    details = [{"type": "reasoning.encrypted", "data": "opaque"}]
    reply = Reply(
        text="I add.",
        thinking=(Thinking(text="One and two."),),
        tool_calls=(ToolCall(id="1", name="add", extra={"extra_content": {"google": {"thought_signature": "s"}}}),),
        extra={"reasoning_details": details},
    )
    client = OpenAI().client(server, reply, Reply(text="ok"))
    result = await client.create(HELLO, tools=[ADD])
    results = FunctionExecutionResultMessage(content=[FunctionExecutionResult(content="3", name="add", call_id="1")])
    await client.create([*HELLO, result.to_message("bot"), results], tools=[ADD])
    assert server.last_body["messages"][1] == {
        "role": "assistant",
        "content": "I add.",
        "reasoning_content": "One and two.",
        "reasoning_details": details,
        "tool_calls": [
            {
                "id": "1",
                "type": "function",
                "function": {"name": "add", "arguments": "{}"},
                "extra_content": {"google": {"thought_signature": "s"}},
            }
        ],
    }


CALLS: list[LLMMessage] = [
    *HELLO,
    AssistantMessage(content=[FunctionCall(id="0", name="add", arguments="{}")], source="of another vendor"),
    FunctionExecutionResultMessage(content=[FunctionExecutionResult(content="3", name="add", call_id="0")]),
    AssistantMessage(content="Three.", source="of another vendor"),
    UserMessage(content="And now?", source="user"),
]


async def test_f47_a_service_that_refuses_answers_without_their_reasoning_gets_an_empty_one() -> None:
    sent: list[Any] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.extend(json.loads(request.content)["messages"])
        return httpx2.Response(200, json={"choices": [{"message": {"content": "Four."}, "finish_reason": "stop"}]})

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    sdk = openai.AsyncOpenAI(base_url="https://api.deepseek.com", api_key="key", http_client=http)
    client = BaseOpenAIChatCompletionClient(sdk, create_args={"model": "gpt-4o"})
    with pytest.warns(UserWarning, match="no token counts"):
        await client.create(CALLS)
    assert [message.get("reasoning_content") for message in sent] == [None, "", None, "", None]
    await client.close()


async def test_f47_a_conversation_with_reasoning_from_a_server_has_it_in_all_answers(server: MockModelServer) -> None:
    assert all("reasoning_content" not in message for message in await sent(server, CALLS))
    call = ToolCall(id="1", name="add")
    client = OpenAI().client(server, Reply(thinking=(Thinking(text="Hm."),), tool_calls=(call,)), Reply(text="ok"))
    result = await client.create(CALLS, tools=[ADD])
    results = FunctionExecutionResultMessage(content=[FunctionExecutionResult(content="3", name="add", call_id="1")])
    await client.create([*CALLS, result.to_message("bot"), results], tools=[ADD])
    given = [message.get("reasoning_content") for message in server.last_body["messages"]]
    assert given == [None, "", None, "", None, "Hm.", None]


@pytest.mark.parametrize("streaming", [False, True])
async def test_reasoning_is_found_by_its_other_name(server: MockModelServer, streaming: bool) -> None:
    call = ToolCall(id="1", name="add")
    client = OpenAI().client(
        server, Reply(text="Three.", extra={"reasoning": "Hm."}), Reply(tool_calls=(call,), extra={"reasoning": "So."})
    )
    answers = [(await read(client.create_stream(HELLO)))[1] if streaming else await client.create(HELLO) for _ in "12"]
    assert [answer.thought for answer in answers] == ["Hm.", "So."]
    server.script(Reply(text="ok"))
    results = FunctionExecutionResultMessage(content=[FunctionExecutionResult(content="3", name="add", call_id="1")])
    await client.create([*HELLO, answers[1].to_message("bot"), results], tools=[ADD])
    returned = server.last_body["messages"][1]
    assert (returned["reasoning"], returned["content"]) == ("So.", None)


async def test_reasoning_that_is_no_text_is_left_out(server: MockModelServer) -> None:
    client = OpenAI().client(server, Reply(text="Three.", extra={"reasoning": {"effort": "high"}}))
    result = await client.create(HELLO)
    assert (result.content, result.thought) == ("Three.", None)
