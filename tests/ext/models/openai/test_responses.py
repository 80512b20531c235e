"""What is sent to OpenAI's Responses API, and what comes back."""

import asyncio
import copy
import json
from typing import Any

import pytest
from pydantic import BaseModel
from tests.support.model_clients import ADD, OpenAI, OpenAIResponses, read

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.messages import TextMessage
from symposia.core import FunctionCall, Image
from symposia.core.exceptions import InvalidArgumentError, ModelError
from symposia.core.models import (
    AssistantMessage,
    ChatCompletionClient,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from symposia.core.tools import FunctionTool
from symposia.ext.models.openai import BaseOpenAIChatCompletionClient
from symposia.testing.model_server import Failure, MockModelServer, Raw, Reply, Rule, Thinking, ToolCall, When

HELLO: list[LLMMessage] = [UserMessage(content="hello", source="user")]
CALL = ToolCall(id="call_1", name="add", arguments='{"a": 1}')
RESULT = FunctionExecutionResultMessage(content=[FunctionExecutionResult(content="3", name="add", call_id="call_1")])


class Sum(BaseModel):
    total: int
    note: str = ""


def client_of(server: MockModelServer, *replies: Any, **options: Any) -> ChatCompletionClient:
    return OpenAIResponses().client(server, *replies, **options)


def whole(*items: dict[str, Any], **fields: Any) -> Raw:
    """A response made of these items."""
    return Raw(body=json.dumps({"id": "resp_1", "status": "completed", "output": items, **fields}).encode())


def message(text: str, **fields: Any) -> dict[str, Any]:
    content: list[Any] = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": content, **fields}


async def sent(server: MockModelServer, messages: list[LLMMessage], **options: Any) -> Any:
    await client_of(server, Reply(text="ok"), **options).create(messages)
    return server.last_body["input"]


async def test_a_conversation_on_the_wire(server: MockModelServer) -> None:
    assert await sent(
        server,
        [
            SystemMessage(content="Be brief."),
            UserMessage(content="Add one and two.", source="user"),
            AssistantMessage(
                content=[FunctionCall(id="1", name="add", arguments='{"a": 1}')], source="bot", thought="I add."
            ),
            FunctionExecutionResultMessage(content=[FunctionExecutionResult(content="3", name="add", call_id="1")]),
            AssistantMessage(content="Three.", source="bot", thought="easy"),
        ],
    ) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Add one and two."},
        {"role": "assistant", "content": "I add."},
        {"type": "function_call", "call_id": "1", "name": "add", "arguments": '{"a": 1}'},
        {"type": "function_call_output", "call_id": "1", "output": "3"},
        {"role": "assistant", "content": "Three."},
    ]


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        ({}, ["hello", "Ana said:\nhi"]),
        ({"include_name_in_message": False}, ["hello", "hi"]),
        ({"add_name_prefixes": True}, ["user said:\nhello", "Ana said:\nhi"]),
    ],
)
async def test_the_names_of_agents_are_in_the_text_as_items_have_no_field_for_them(
    server: MockModelServer, options: dict[str, Any], texts: list[str]
) -> None:
    messages: list[LLMMessage] = [*HELLO, UserMessage(content="hi", source="Ana")]
    assert [item["content"] for item in await sent(server, messages, **options)] == texts


async def test_parts_of_a_message_are_parts_of_the_input(server: MockModelServer) -> None:
    image = Image.from_uri("data:image/gif;base64,R0lGODlhAQABAAAAACw=")
    assert (await sent(server, [UserMessage(content=["This:", image], source="user")]))[0]["content"] == [
        {"type": "input_text", "text": "This:"},
        {"type": "input_image", "image_url": image.data_uri, "detail": "auto"},
    ]


async def test_nothing_is_stored_at_the_vendor_unless_it_is_asked_for(server: MockModelServer) -> None:
    await client_of(server, Reply(text="ok")).create(HELLO)
    assert server.last_body["store"] is False
    await client_of(server, Reply(text="ok"), store=True).create(HELLO)
    assert server.last_body["store"] is True


async def test_arguments_of_chat_completions_are_translated(server: MockModelServer) -> None:
    given: dict[str, Any] = {"max_completion_tokens": 50, "reasoning_effort": "low", "verbosity": "high"}
    client = OpenAI().client(
        server,
        Reply(text='{"total": 3}'),
        model="gpt-6-astra",
        response_format=Sum,
        stream_options={"include_usage": True},
        **given,
    )
    await client.create(HELLO, extra_create_args={"max_tokens": 90})
    body = dict(server.last_body)
    form = body["text"].pop("format")
    assert (form["type"], form["name"], form["strict"]) == ("json_schema", "Sum", True)
    assert body == {
        "model": "gpt-6-astra",
        "store": False,
        "max_output_tokens": 90,
        "reasoning": {"effort": "low"},
        "text": {"verbosity": "high"},
        "include": ["reasoning.encrypted_content"],
        "input": [{"role": "user", "content": "hello"}],
    }


async def test_arguments_that_only_chat_completions_have_are_left_out_with_a_warning(server: MockModelServer) -> None:
    with pytest.warns(UserWarning, match="takes no seed, stop: left out") as caught:
        client = OpenAI().client(server, Reply(text="ok"), model="gpt-6-astra", seed=7, stop=["END"], n=1)
    assert caught[0].filename.endswith("model_clients.py")
    await client.create(HELLO)
    assert not server.last_body.keys() & {"seed", "stop", "n"}


async def test_sampling_is_left_out_with_a_warning_while_a_model_reasons(server: MockModelServer) -> None:
    with pytest.warns(UserWarning, match="takes no temperature while it reasons"):
        client = client_of(server, Reply(text="ok"), model="gpt-5.5", temperature=0)
    await client.create(HELLO)
    assert "temperature" not in server.last_body
    await client_of(server, Reply(text="ok"), model="gpt-4o", temperature=0).create(HELLO)
    assert server.last_body["temperature"] == 0


@pytest.mark.parametrize("choice", ["auto", "required", "none"])
async def test_tools_and_the_choice_among_them_are_sent(server: MockModelServer, choice: Any) -> None:
    await client_of(server, Reply(text="ok")).create(HELLO, tools=[ADD], tool_choice=choice)
    assert server.last_body["tool_choice"] == choice
    assert server.last_body["tools"] == [{"type": "function", **ADD, "strict": False}]


async def test_a_tool_that_must_be_called_is_named(server: MockModelServer) -> None:
    def add(a: int) -> int:
        return a

    tool = FunctionTool(add, description="Add.")
    result = await client_of(server, Reply(tool_calls=(CALL,))).create(HELLO, tools=[tool], tool_choice=tool)
    assert server.last_body["tool_choice"] == {"type": "function", "name": "add"}
    assert result.finish_reason == "function_calls"


async def test_hosted_tools_are_sent_as_they_are_given_beside_the_functions(server: MockModelServer) -> None:
    hosted = [{"type": "web_search"}, {"type": "mcp", "server_label": "docs", "server_url": "https://docs.example"}]
    client = client_of(server, Reply(text="ok"), Reply(text="ok"), tools=hosted)
    await client.create(HELLO, tools=[ADD])
    assert server.last_body["tools"] == [*hosted, {"type": "function", **ADD, "strict": False}]
    await client.create(HELLO)
    assert server.last_body["tools"] == hosted


@pytest.mark.parametrize(
    ("json_output", "form"), [(None, None), (False, {"type": "text"}), (True, {"type": "json_object"})]
)
async def test_a_form_of_answers_is_sent(server: MockModelServer, json_output: Any, form: object) -> None:
    await client_of(server, Reply(text="{}")).create([SystemMessage(content="In JSON.")], json_output=json_output)
    assert server.last_body.get("text") == (None if form is None else {"format": form})


# Answers --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("streaming", [False, True])
async def test_f47_reasoning_goes_back_untouched_with_the_calls_that_follow_it(
    server: MockModelServer, streaming: bool
) -> None:
    reply = Reply(
        text="I add.",
        thinking=(Thinking(text="One and two.", signature="opaque"), Thinking(data="x")),
        tool_calls=(CALL,),
    )
    client = client_of(server, reply, Reply(text="3"), model="gpt-5.5")
    if streaming:
        pieces, result = await read(client.create_stream(HELLO, tools=[ADD]))
        assert "".join(pieces) == "I add."
    else:
        result = await client.create(HELLO, tools=[ADD])
    assert result.thought == "One and two.\nI add."
    kept = AssistantMessage.model_validate_json(result.to_message("bot").model_dump_json())
    await client.create([*HELLO, kept, RESULT], tools=[ADD])
    items = server.last_body["input"]
    assert [item.get("type") for item in items[1:]] == [
        "reasoning", "reasoning", "message", "function_call", "function_call_output",
    ]  # fmt: skip
    assert [item["encrypted_content"] for item in items[1:3]] == ["opaque", "x"]
    assert items[4]["id"] == "fc_0"


async def test_reasoning_that_is_neither_encrypted_nor_stored_is_left_out_with_its_ids(server: MockModelServer) -> None:
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "add", "arguments": "{}"}
    client = client_of(server, whole({"type": "reasoning", "id": "rs_1", "summary": []}, call), Reply(text="ok"))
    with pytest.warns(UserWarning, match="no token counts"):
        result = await client.create(HELLO, tools=[ADD])
    await client.create([*HELLO, result.to_message("bot"), RESULT], tools=[ADD])
    assert server.last_body["input"][1] == {
        "type": "function_call", "call_id": "call_1", "name": "add", "arguments": "{}",
    }  # fmt: skip


async def test_a_message_that_the_program_has_changed_is_sent_as_it_is_now(server: MockModelServer) -> None:
    client = client_of(server, Reply(text="Five.", thinking=(Thinking(text="Hm."),)), Reply(text="ok"), model="gpt-5.5")
    answer = (await client.create(HELLO)).to_message("bot").model_copy(update={"content": "Six."})
    await client.create([*HELLO, answer])
    assert server.last_body["input"][1:] == [{"role": "assistant", "content": "Six."}]


@pytest.mark.filterwarnings("ignore:.* sent no token counts")
async def test_what_hosted_tools_did_goes_back_untouched_and_is_no_part_of_the_text(server: MockModelServer) -> None:
    search = {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"type": "search", "query": "q"},
    }
    cited = message("It rains.")
    cited["content"][0]["annotations"] = [{"type": "url_citation", "url": "https://weather.example", "title": "t"}]
    client = client_of(server, whole(search, cited), Reply(text="ok"), tools=[{"type": "web_search"}])
    result = await client.create(HELLO)
    assert (result.content, result.finish_reason, result.thought) == ("It rains.", "stop", None)
    await client.create([*HELLO, result.to_message("bot")])
    assert server.last_body["input"][1:] == [search, cited]


@pytest.mark.filterwarnings("ignore:.* sent no token counts")
async def test_what_a_model_says_on_its_way_is_its_thought_and_not_the_answer(server: MockModelServer) -> None:
    on_the_way, answer = message("Let me look.", phase="commentary"), message('{"total": 3}', phase="final_answer")
    result = await client_of(server, whole(on_the_way, answer)).create(HELLO, json_output=Sum)
    assert (result.content, result.thought) == ('{"total": 3}', "Let me look.")


@pytest.mark.filterwarnings("ignore:.* sent no token counts")
async def test_a_refusal_is_the_answer(server: MockModelServer) -> None:
    refused = {**message(""), "content": [{"type": "refusal", "refusal": "I cannot."}]}
    assert (await client_of(server, whole(refused)).create(HELLO, json_output=Sum)).content == "I cannot."


async def test_cached_and_reasoning_tokens_are_counted_apart(server: MockModelServer) -> None:
    usage = {
        "input_tokens": 30,
        "input_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 3},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 5},
    }
    client = client_of(server, whole(message("hi"), usage=usage), whole(message("hi"), usage=usage))
    spent = (await client.create(HELLO)).usage
    assert spent == RequestUsage(30, 9)
    assert (spent.cached_tokens, spent.cache_write_tokens, spent.reasoning_tokens) == (20, 3, 5)
    await client.create(HELLO)
    assert client.total_usage().reasoning_tokens == 10


@pytest.mark.filterwarnings("ignore:.* sent no token counts")
async def test_logprobs_are_collected(server: MockModelServer) -> None:
    answer = message("hi")
    top = [{"token": "hi", "logprob": -0.5, "bytes": [104, 105]}]
    answer["content"][0]["logprobs"] = [{"token": "hi", "logprob": -0.5, "bytes": [104, 105], "top_logprobs": top}]
    client = client_of(server, whole(answer), logprobs=True, top_logprobs=1)
    result = await client.create(HELLO)
    assert server.last_body["include"] == ["message.output_text.logprobs"]
    assert result.logprobs is not None
    assert (result.logprobs[0].token, result.logprobs[0].logprob) == ("hi", -0.5)


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_response_that_failed_is_an_error_in_the_vendors_words(
    server: MockModelServer, streaming: bool
) -> None:
    failed: Any = {
        "id": "r",
        "status": "failed",
        "output": [],
        "error": {"code": "server_error", "message": "It broke"},
    }
    event = b"data: " + json.dumps({"type": "response.failed", "response": failed}).encode() + b"\n\n"
    raw = Raw(body=event, content_type="text/event-stream") if streaming else Raw(body=json.dumps(failed).encode())
    client = client_of(server, raw)
    with pytest.raises(ModelError, match=r"reported an error for model 'gpt-4o' .*: It broke\."):
        await (read(client.create_stream(HELLO)) if streaming else client.create(HELLO))


@pytest.mark.parametrize(("code", "passing"), [("server_error", True), ("rate_limit_exceeded", True), ("bad", False)])
async def test_a_failure_that_may_pass_is_transient(server: MockModelServer, code: str, passing: bool) -> None:
    response: Any = {"id": "r", "status": "failed", "output": [], "error": {"code": code, "message": "It broke"}}
    events: list[Any] = [
        {"type": "response.failed", "response": response},
        {"type": "error", "code": code, "message": "It broke"},
    ]
    for event in events:
        raw = Raw(body=b"data: " + json.dumps(event).encode() + b"\n\n", content_type="text/event-stream")
        with pytest.raises(ModelError, match="It broke") as failed:
            await read(client_of(server, raw).create_stream(HELLO))
        assert failed.value.is_transient is passing


@pytest.mark.parametrize("status", ["queued", "in_progress"])
async def test_a_response_that_has_not_ended_is_no_answer(server: MockModelServer, status: str) -> None:
    with pytest.raises(ModelError, match=f"the response is {status}: leave background=True out"):
        await client_of(server, whole(status=status)).create(HELLO)


# The choice of the API ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "options", "path"),
    [
        ("gpt-6-astra", {}, "/v1/responses"),
        ("gpt-5.2-pro", {}, "/v1/responses"),
        ("gpt-6-astra", {"api": "chat"}, "/v1/chat/completions"),
        ("gpt-4o", {}, "/v1/chat/completions"),
        ("gpt-4o", {"api": "responses"}, "/v1/responses"),
        ("gpt-5.6-terra", {}, "/v1/chat/completions"),  # at a server that may have nothing else
        ("gpt-5.5", {"use_previous_response_id": True}, "/v1/responses"),
    ],
)
async def test_a_model_is_asked_where_it_does_all_that_it_can(
    server: MockModelServer, model: str, options: dict[str, Any], path: str
) -> None:
    await OpenAI().client(server, Reply(text="ok"), model=model, **options).create(HELLO)
    assert server.requests[0].path == path


@pytest.mark.parametrize(
    ("model", "path"), [("gpt-5.5", "/v1/responses"), ("gpt-5.4", "/v1/chat/completions"), ("gpt-6", "/v1/responses")]
)
async def test_at_openai_itself_a_model_is_asked_where_it_reasons_with_tools(
    server: MockModelServer, model: str, path: str
) -> None:
    import openai  # noqa: PLC0415 - heavy

    async def to_server(request: Any) -> None:  # Any: of the HTTP library of the installed SDK
        assert request.url.host == "api.openai.com"
        scheme, _, address = server.url.partition("://")
        host, _, port = address.partition(":")
        request.url = request.url.copy_with(scheme=scheme, host=host, port=int(port))

    http = openai.DefaultAsyncHttpxClient(event_hooks={"request": [to_server]})
    sdk = openai.AsyncOpenAI(api_key="key", http_client=http)
    client = BaseOpenAIChatCompletionClient(sdk, create_args={"model": model})
    server.script(Reply(tool_calls=(CALL,)))
    assert (await client.create(HELLO, tools=[ADD])).finish_reason == "function_calls"
    assert server.requests[0].path == path
    assert "prompt_cache_key" in server.last_body
    await client.close()


async def test_a_program_that_asks_gpt_6_astra_with_tools_works(server: MockModelServer) -> None:
    client = OpenAI().client(server, Reply(tool_calls=(CALL,)), Reply(text="3"), model="gpt-6-astra")
    first = await client.create(HELLO, tools=[ADD])
    assert first.content == [FunctionCall(id="call_1", name="add", arguments='{"a": 1}')]
    _, second = await read(client.create_stream([*HELLO, first.to_message("bot"), RESULT], tools=[ADD]))
    assert second.content == "3"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"api": "assistants"}, "give 'chat' or 'responses'"),
        ({"api": "chat", "use_previous_response_id": True}, "leave api='chat' out"),
        ({"use_previous_response_id": True, "store": False}, "leave store=False out"),
    ],
)
async def test_options_that_contradict_each_other_are_refused(
    server: MockModelServer, options: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidArgumentError, match=problem):
        OpenAI().client(server, **options)


# Going on from a stored response --------------------------------------------------------------------------------------


@pytest.mark.parametrize("streaming", [False, True])
async def test_only_what_is_new_is_sent_after_a_stored_response(server: MockModelServer, streaming: bool) -> None:
    replies = (Reply(tool_calls=(CALL,)), Reply(text="3"), Reply(text="Bye."))
    client = client_of(server, *replies, use_previous_response_id=True)
    messages = copy.deepcopy(HELLO)
    news: list[LLMMessage] = [RESULT, UserMessage(content="Thanks.", source="user")]
    for new in (*news, None):
        if streaming:
            _, result = await read(client.create_stream(messages, tools=[ADD]))
        else:
            result = await client.create(messages, tools=[ADD])
        messages += [result.to_message("bot"), *([new] if new else [])]
    first, second, third = (request.body for request in server.requests)
    assert "previous_response_id" not in first
    assert second["input"] == [{"type": "function_call_output", "call_id": "call_1", "output": "3"}]
    assert third["input"] == [{"role": "user", "content": "Thanks."}]
    assert first["store"] is second["store"] is True
    assert len({second["previous_response_id"], third["previous_response_id"]}) == 2


async def test_the_turns_before_a_stored_response_count(server: MockModelServer) -> None:
    client = client_of(server, use_previous_response_id=True)
    for turn in (3, 1, 2):
        server.add_rule(Rule([Reply(text=f"answer {turn}")], when=When(turn=turn)))
    messages: list[LLMMessage] = []
    for turn in (1, 2, 3):
        messages.append(UserMessage(content="next", source="user"))
        result = await client.create(messages)
        assert result.content == f"answer {turn}"
        messages.append(result.to_message("bot"))
    assert len(server.last_body["input"]) == 1


async def test_a_conversation_that_was_changed_is_sent_whole(server: MockModelServer) -> None:
    client = client_of(server, *[Reply(text="Five.")] * 4, use_previous_response_id=True)
    answer = (await client.create(HELLO)).to_message("bot")
    more = UserMessage(content="And?", source="user")
    for changed in (
        [UserMessage(content="Hello!", source="user"), answer, more],
        [*HELLO, answer.model_copy(update={"content": "Six."}), more],
        [SystemMessage(content="Be brief."), *HELLO, answer, more],
    ):
        await client.create(changed)
        assert "previous_response_id" not in server.last_body
        assert len(server.last_body["input"]) == len(changed)


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_response_that_the_vendor_has_forgotten_is_sent_whole(server: MockModelServer, streaming: bool) -> None:
    unknown = Failure(status=400, message="Previous response with id 'resp_1' not found.")
    client = client_of(server, Reply(text="Five."), use_previous_response_id=True)
    messages = [*HELLO, (await client.create(HELLO)).to_message("bot"), UserMessage(content="And?", source="user")]
    server.script(unknown, Reply(text="Six."))
    result = (await read(client.create_stream(messages)))[1] if streaming else await client.create(messages)
    assert result.content == "Six."
    _, refused, whole_again = (request.body for request in server.requests)
    assert (len(refused["input"]), len(whole_again["input"])) == (1, 3)
    assert "previous_response_id" not in whole_again


async def test_agents_that_share_a_client_go_on_from_their_own_responses(server: MockModelServer) -> None:
    client = client_of(server, *[Reply(text="ok")] * 6, use_previous_response_id=True)

    async def talk(name: str) -> None:
        messages: list[LLMMessage] = [SystemMessage(content=name), *HELLO]
        for _ in range(3):
            messages.append((await client.create(messages)).to_message(name))
            messages += HELLO

    await asyncio.gather(talk("a"), talk("b"))
    later = [request.body for request in server.requests if "previous_response_id" in request.body]
    assert [len(body["input"]) for body in later] == [1] * 4
    assert len({body["previous_response_id"] for body in later}) == 4


async def test_an_agent_that_was_saved_goes_on_with_its_reasoning(server: MockModelServer) -> None:
    def add(a: int) -> int:
        """Add one."""
        return a + 1

    def agent(*replies: Reply) -> AssistantAgent:
        client = OpenAI().client(server, *replies, model="gpt-6-astra")
        return AssistantAgent("adder", client, tools=[add], reflect_on_tool_use=True)

    first = agent(Reply(thinking=(Thinking(text="Hm.", signature="opaque"),), tool_calls=(CALL,)), Reply(text="2"))
    result = await first.run(task="Add one to one.")
    assert isinstance(result.messages[-1], TextMessage)
    assert result.messages[-1].content == "2"
    assert server.last_body["tool_choice"] == "none"
    again = agent(Reply(text="Yes."))
    await again.load_state(json.loads(json.dumps(await first.save_state())))
    await again.run(task="Sure?")
    kinds = [item.get("type", item.get("role")) for item in server.last_body["input"]]
    assert kinds == ["system", "user", "reasoning", "function_call", "function_call_output", "assistant", "user"]
    assert server.last_body["input"][2]["encrypted_content"] == "opaque"
