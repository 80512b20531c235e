"""Whatever a server sends, a client gives a whole answer or a `ModelError` that says what is wrong with it."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from tests.support.model_clients import ADD, ANTHROPIC, FORMATS, OPENAI, SDKS, Vendor, kind_name, read

from symposia.core.exceptions import ModelError, ModelResponseError, PartialAnswer
from symposia.core.models import ChatCompletionClient, CreateResult, RequestUsage, UserMessage
from symposia.testing.model_server import MockModelServer, Raw, Reply, Thinking, ToolCall

HELLO = [UserMessage(content="hello", source="user")]
ANSWER = Reply(
    text="I will add them.",
    thinking=(Thinking(text="Two numbers."),),
    tool_calls=(ToolCall(id="call_1", name="add", arguments='{"a": 1, "b": 2}'),),
    usage=(30, 12),
)
LOGIN_PAGE = b"<!DOCTYPE html><html><body>Please log in</body></html>"

every_vendor = pytest.mark.parametrize("vendor", FORMATS, ids=kind_name)
every_sse = pytest.mark.parametrize(
    "vendor", [one for one in FORMATS if one.wire.STREAM_TYPE == "text/event-stream"], ids=kind_name
)
every_sdk = pytest.mark.parametrize("vendor", SDKS, ids=kind_name)
every_mode = pytest.mark.parametrize("streaming", [False, True], ids=["whole", "streamed"])


@pytest.fixture
async def server() -> AsyncIterator[MockModelServer]:
    async with MockModelServer() as server:
        yield server


def events_of(vendor: Vendor, reply: Reply) -> list[bytes]:
    return list(vendor.wire.events(reply, {"model": vendor.model, "stream_options": {"include_usage": True}}))


def whole_of(vendor: Vendor, reply: Reply) -> Any:
    return vendor.wire.whole(reply, {"model": vendor.model})


async def ask(client: ChatCompletionClient, *, streaming: bool) -> CreateResult:
    if streaming:
        return (await read(client.create_stream(HELLO, tools=[ADD])))[1]
    return await client.create(HELLO, tools=[ADD])


async def collect(client: ChatCompletionClient, pieces: list[str]) -> None:
    async for piece in client.create_stream(HELLO):
        pieces.append(str(piece))  # noqa: PERF401 - the pieces before an error are wanted


async def failure_of(client: ChatCompletionClient, *, streaming: bool) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await ask(client, streaming=streaming)
    assert type(caught.value).__module__ == "symposia.core.exceptions"
    return caught.value


# Streams that end early ----------------------------------------------------------------------------------------------


@every_vendor
@pytest.mark.parametrize("cut", [False, True], ids=["closed", "dropped"])
async def test_d06_a_stream_that_ends_anywhere_before_its_end_marker_is_an_error(
    vendor: Vendor, server: MockModelServer, cut: bool
) -> None:
    events = events_of(vendor, ANSWER)
    end = next(place for place, event in enumerate(events) if vendor.end_mark in event)
    partials: list[PartialAnswer] = []
    for length in range(end + 1):
        client = vendor.client(
            server, Raw(body=b"".join(events[:length]), content_type=vendor.wire.STREAM_TYPE, cut=cut)
        )
        error = await failure_of(client, streaming=True)
        assert error.partial is not None
        partials.append(error.partial)
    assert all(ANSWER.text.startswith(partial["text"]) for partial in partials)
    assert (partials[-1]["text"], partials[-1]["thought"]) == (ANSWER.text, "Two numbers.")
    call = {"id": "call_1", "name": "add", "arguments": '{"a": 1, "b": 2}'}
    assert partials[-1]["tool_calls"] == [call]


@every_vendor
async def test_d06_the_error_of_a_stream_that_ended_early_says_so(vendor: Vendor, server: MockModelServer) -> None:
    events = events_of(vendor, Reply(text="The answer is not 42."))
    client = vendor.client(server, Raw(body=b"".join(events[:5]), content_type=vendor.wire.STREAM_TYPE))
    pieces: list[str] = []
    with pytest.raises(ModelResponseError) as caught:
        await collect(client, pieces)
    marker = vendor.end_marker
    assert str(caught.value) == (
        f"The server at {vendor.address(server)} ended the stream of an answer of model '{vendor.model}' early "
        f"(status 200, {vendor.wire.STREAM_TYPE}): no {marker} came. Try again. In a program, what arrived "
        "is in the error's attribute `partial`."
    )
    assert caught.value.partial is not None
    assert caught.value.partial["text"] == "".join(pieces)
    assert pieces[0] == "The"


@pytest.mark.parametrize("vendor", [OPENAI, ANTHROPIC], ids=kind_name)  # the others count with their end marker
async def test_d06_tokens_of_a_stream_that_ended_early_are_counted(vendor: Vendor, server: MockModelServer) -> None:
    events = events_of(vendor, Reply(text="Five.", usage=(30, 4)))
    if vendor.name == "OpenAI":  # it reports them at the very end
        events = [event for event in events if b"finish_reason" not in event or b'"stop"' not in event]
    client = vendor.client(server, Raw(body=b"".join(events[:-1]), content_type=vendor.wire.STREAM_TYPE))
    error = await failure_of(client, streaming=True)
    assert error.partial is not None
    assert error.partial["usage"] == {"prompt_tokens": 30, "completion_tokens": 4}
    assert client.total_usage() == RequestUsage(prompt_tokens=30, completion_tokens=4)


@every_vendor
async def test_d06_a_connection_that_is_dropped_keeps_what_arrived(vendor: Vendor, server: MockModelServer) -> None:
    events = events_of(vendor, Reply(text="The answer is not 42."))
    client = vendor.client(server, Raw(body=b"".join(events[:5]), content_type=vendor.wire.STREAM_TYPE, cut=True))
    error = await failure_of(client, streaming=True)
    assert isinstance(error, ModelResponseError)
    assert str(error).startswith(
        f"The connection to the server at {vendor.address(server)} was lost in the middle of an answer of model"
    )
    assert "Try again." in str(error)
    assert error.is_transient
    assert error.partial is not None
    assert error.partial["text"].startswith("The")


@every_sse
@pytest.mark.parametrize(
    ("body", "content_type", "begins"),
    [
        (b"", "text/event-stream", "The response is empty."),
        (b": keep-alive\n\n: keep-alive\n\n", "text/event-stream", "The response begins: ': keep-alive"),
        (LOGIN_PAGE, "text/html", "The response begins: '<!DOCTYPE html><html><body>Please log in"),
        (LOGIN_PAGE, "text/event-stream", "The response begins: '<!DOCTYPE html>"),
        (LOGIN_PAGE, None, "The response begins: '<!DOCTYPE html>"),
    ],
    ids=["empty", "comments", "login", "login-as-stream", "login-as-nothing"],
)
async def test_d06_a_stream_that_is_none_is_an_error_that_shows_it(
    vendor: Vendor, server: MockModelServer, body: bytes, content_type: str | None, begins: str
) -> None:
    client = vendor.client(server, Raw(body=body, content_type=content_type))
    error = await failure_of(client, streaming=True)
    label = "status 200" if content_type is None else f"status 200, {content_type}"
    assert str(error).startswith(
        f"The server at {vendor.address(server)} sent a response for model '{vendor.model}' that is not an answer "
        f"({label}): it has no events of a stream. Check that {vendor.address(server)}"
    )
    assert begins in str(error)
    assert (error.status, error.response_start) == (200, body.decode())


@every_sse
async def test_d06_a_server_that_does_not_stream_is_an_error(vendor: Vendor, server: MockModelServer) -> None:
    client = vendor.client(server, Raw(body=json.dumps(whole_of(vendor, Reply(text="Five."))).encode()))
    error = await failure_of(client, streaming=True)
    assert "(status 200, application/json): it has no events of a stream." in str(error)


@pytest.mark.parametrize("vendor", FORMATS[:3], ids=kind_name)  # with the others it is an event
async def test_d06_a_whole_answer_inside_a_stream_is_an_error(vendor: Vendor, server: MockModelServer) -> None:
    body = b"data: " + json.dumps(whole_of(vendor, Reply(text="Five."))).encode() + b"\n\ndata: [DONE]\n\n"
    client = vendor.client(server, Raw(body=body, content_type=vendor.wire.STREAM_TYPE))
    await failure_of(client, streaming=True)


@pytest.mark.parametrize("vendor", [one for one in FORMATS if one.line_breaks], ids=kind_name)
@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
async def test_a_stream_may_end_its_lines_as_it_likes_and_leave_out_the_last(
    vendor: Vendor, server: MockModelServer, newline: bytes
) -> None:
    events = [event for event in events_of(vendor, Reply(text="Five fingers.")) if b"[DONE]" not in event]
    body = b"".join(events).rstrip(b"\n").replace(b"\n", newline)
    client = vendor.client(server, Raw(body=body, content_type=vendor.wire.STREAM_TYPE))
    pieces, result = await read(client.create_stream(HELLO))
    assert "".join(pieces) == result.content == "Five fingers."


@every_vendor
@every_mode
async def test_an_error_in_place_of_an_answer_is_told_in_the_vendors_words(
    vendor: Vendor, server: MockModelServer, streaming: bool
) -> None:
    said = {"type": "error", "error": {"type": "overloaded_error", "message": "Come back tomorrow"}}
    body = json.dumps(said).encode()
    raw = Raw(body=vendor.frame(body), content_type=vendor.wire.STREAM_TYPE) if streaming else Raw(body=body)
    error = await failure_of(vendor.client(server, raw), streaming=streaming)
    assert str(error) == (
        f"The server at {vendor.address(server)} reported an error for model '{vendor.model}' "
        f"(status 200, {raw.content_type}): Come back tomorrow."
    )
    assert error.status == 200


# Broken answers ------------------------------------------------------------------------------------------------------


def changed(answer: Any, path: str, value: object) -> bytes:
    """The answer as JSON, with another value at the path; without that field if the value is `...`."""
    answer = json.loads(json.dumps(answer))
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = answer
    for part in parents:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return json.dumps(answer).encode()


BROKEN_FIELDS: Mapping[str, list[tuple[str, object, str]]] = {
    "OpenAI": [
        ("choices", ..., "choices: Field required"),
        ("choices", [], "choices: List should have at least 1 item"),
        ("choices", None, "choices: Input should be a valid array"),
        ("choices.0", None, "choices.0: Input should be"),
        ("choices.0.message", None, "choices.0.message: Input should be"),
        ("choices.0.message", ..., "choices.0.message: Field required"),
        ("choices.0.message.content", [{"type": "text", "text": "x"}], "choices.0.message.content: Input should be"),
        ("choices.0.message.tool_calls.0.function.arguments", {"a": 1}, "function.arguments: Input should be"),
        ("choices.0.message.tool_calls.0.function.name", None, "a tool call has no name"),
        ("choices.0.message.tool_calls.0.function", "add", "tool_calls.0.function: Input should be"),
        ("choices.0.message.tool_calls", {"add": {}}, "choices.0.message.tool_calls: Input should be"),
        ("choices.0.finish_reason", 7, "choices.0.finish_reason: Input should be"),
        ("choices.0", {"message": {"content": None}}, "the answer has neither content nor a finish_reason"),
        ("usage.prompt_tokens", "5", "usage.prompt_tokens: Input should be a valid integer"),
        ("usage.prompt_tokens", -1, "usage.prompt_tokens: Input should be greater than or equal to 0"),
        ("usage.completion_tokens", 10**400, "usage.completion_tokens: Input should be less than or equal to"),
        ("usage", [], "usage: Input should be"),
    ],
    "OpenAIResponses": [
        ("output", ..., "output: Field required"),
        ("output", None, "output: Input should be a valid array"),
        ("output", "Five.", "output: Input should be a valid array"),
        ("output.0", None, "output.0"),
        ("output.0", {}, "output.0.other.type: Field required"),
        ("output.0.summary.0.text", 7, "output.0.reasoning.summary.0.text: Input should be a valid string"),
        ("output.1.content", ..., "output.1.message.content: Field required"),
        ("output.1.content", "Five.", "output.1.message.content: Input should be a valid array"),
        ("output.1.content.0.text", None, "content.0.text: Input should be a valid string"),
        ("output.2.name", None, "output.2.function_call.name: Input should be a valid string"),
        ("output.2.name", "", "a tool call has no name"),
        ("output.2.arguments", {"a": 1}, "output.2.function_call.arguments: Input should be a valid string"),
        ("status", {}, "status: Input should be a valid string"),
        ("incomplete_details", "x", "incomplete_details: Input should be"),
        ("usage.input_tokens", "5", "usage.input_tokens: Input should be a valid integer"),
        ("usage.output_tokens", -1, "usage.output_tokens: Input should be greater than or equal to 0"),
        ("usage.output_tokens_details.reasoning_tokens", 10**400, "reasoning_tokens: Input should be less than"),
        ("usage", [], "usage: Input should be"),
    ],
    "Anthropic": [
        ("content", ..., "content: Field required"),
        ("content", None, "content: Input should be a valid array"),
        ("content", "Five.", "content: Input should be a valid array"),
        ("content.0", None, "content.0"),
        ("content.0", {}, "content.0.other.type: Field required"),
        ("content.0.thinking", None, "content.0.thinking.thinking: Input should be a valid string"),
        ("content.1.text", ..., "content.1.text.text: Field required"),
        ("content.1.text", 7, "content.1.text.text: Input should be a valid string"),
        ("content.2.id", ..., "content.2.tool_use.id: Field required"),
        ("content.2.name", None, "content.2.tool_use.name: Input should be a valid string"),
        ("content.2.name", "", "a tool call has no name"),
        ("content.2.input", [1], "content.2.tool_use.input"),
        ("stop_reason", {}, "stop_reason: Input should be a valid string"),
        ("usage.input_tokens", "5", "usage.input_tokens: Input should be a valid integer"),
        ("usage.output_tokens", -1, "usage.output_tokens: Input should be greater than or equal to 0"),
        ("usage.output_tokens", 10**400, "usage.output_tokens: Input should be less than or equal to"),
        ("usage", 3, "usage: Input should be"),
    ],
    "Gemini": [
        ("candidates", "Five.", "candidates: Input should be a valid array"),
        ("candidates", [], "neither a finishReason nor a blockReason"),
        ("candidates", None, "neither a finishReason nor a blockReason"),
        ("candidates.0", None, "candidates.0: Input should be"),
        ("candidates.0.content", "Five.", "candidates.0.content: Input should be"),
        ("candidates.0.content.parts", {}, "content.parts: Input should be a valid array"),
        ("candidates.0.content.parts.0", "Five.", "content.parts.0: Input should be"),
        ("candidates.0.content.parts.0.thought", "perhaps", "parts.0.thought: Input should be a valid boolean"),
        ("candidates.0.content.parts.1.text", 7, "parts.1.text: Input should be a valid string"),
        ("candidates.0.content.parts.2.functionCall", "add", "parts.2.functionCall: Input should be"),
        ("candidates.0.content.parts.2.functionCall.name", ..., "functionCall.name: Field required"),
        ("candidates.0.content.parts.2.functionCall.name", "", "a tool call has no name"),
        ("candidates.0.content.parts.2.functionCall.args", "1", "functionCall.args: Input should be"),
        ("candidates.0.finishReason", ..., "neither a finishReason nor a blockReason"),
        ("candidates.0.finishReason", 7, "candidates.0.finishReason: Input should be a valid string"),
        ("usageMetadata.promptTokenCount", "5", "promptTokenCount: Input should be a valid integer"),
        ("usageMetadata.candidatesTokenCount", -1, "candidatesTokenCount: Input should be greater than or equal to 0"),
        ("usageMetadata", 3, "usageMetadata: Input should be"),
    ],
    "Ollama": [
        ("message", ..., "message: Field required"),
        ("message", "Five.", "message: Input should be"),
        ("message.content", 7, "message.content: Input should be a valid string"),
        ("message.thinking", [], "message.thinking: Input should be a valid string"),
        ("message.tool_calls", {}, "message.tool_calls: Input should be a valid array"),
        ("message.tool_calls.0.function", ..., "tool_calls.0.function: Field required"),
        ("message.tool_calls.0.function.name", None, "function.name: Input should be a valid string"),
        ("message.tool_calls.0.function.name", "", "a tool call has no name"),
        ("message.tool_calls.0.function.arguments", "1", "function.arguments: Input should be"),
        ("done", ..., "done: Field required"),
        ("done", False, "the answer has 'done': false"),
        ("done_reason", {}, "done_reason: Input should be a valid string"),
        ("prompt_eval_count", "5", "prompt_eval_count: Input should be a valid integer"),
        ("eval_count", -1, "eval_count: Input should be greater than or equal to 0"),
        ("eval_count", 10**400, "eval_count: Input should be less than or equal to"),
    ],
    "Mistral": [
        ("choices", ..., "choices: Field required"),
        ("choices", [], "choices: List should have at least 1 item"),
        ("choices", None, "choices: Input should be a valid array"),
        ("choices.0", None, "choices.0: Input should be"),
        ("choices.0.message", ..., "choices.0.message: Field required"),
        ("choices.0.message.content", {}, "choices.0.message.content"),
        ("choices.0.message.content.0", "Five.", "message.content.chunks.0: Input should be"),
        ("choices.0.message.content.0.thinking", "Hm.", "0.thinking: Input should be a valid array"),
        ("choices.0.message.content.1.text", 7, "1.text: Input should be a valid string"),
        ("choices.0.message.tool_calls", {}, "message.tool_calls: Input should be a valid array"),
        ("choices.0.message.tool_calls.0.function", ..., "tool_calls.0.function: Field required"),
        ("choices.0.message.tool_calls.0.function.name", None, "a tool call has no name"),
        ("choices.0.message.tool_calls.0.function.arguments", 7, "function.arguments"),
        ("choices.0.finish_reason", ..., "choices.0.finish_reason: Field required"),
        ("choices.0.finish_reason", None, "choices.0.finish_reason: Input should be a valid string"),
        ("usage.prompt_tokens", "5", "usage.prompt_tokens: Input should be a valid integer"),
        ("usage.completion_tokens", -1, "usage.completion_tokens: Input should be greater than or equal to 0"),
        ("usage", 3, "usage: Input should be"),
    ],
    "Bedrock": [
        ("output", ..., "output: Field required"),
        ("output", "Five.", "output: Input should be"),
        ("output.message", None, "output.message: Input should be"),
        ("output.message.content", ..., "output.message.content: Field required"),
        ("output.message.content", {}, "output.message.content: Input should be a valid array"),
        ("output.message.content.0", "Five.", "content.0: Input should be"),
        ("output.message.content.0.reasoningContent.reasoningText.text", ..., "reasoningText.text: Field required"),
        ("output.message.content.1.text", 7, "content.1.text: Input should be a valid string"),
        ("output.message.content.2.toolUse", "add", "content.2.toolUse: Input should be"),
        ("output.message.content.2.toolUse.toolUseId", ..., "toolUse.toolUseId: Field required"),
        ("output.message.content.2.toolUse.name", None, "toolUse.name: Input should be a valid string"),
        ("output.message.content.2.toolUse.name", "", "a tool call has no name"),
        ("output.message.content.2.toolUse.input", [1], "content.2.toolUse.input"),
        ("stopReason", ..., "stopReason: Field required"),
        ("stopReason", {}, "stopReason: Input should be a valid string"),
        ("usage.inputTokens", "5", "usage.inputTokens: Input should be a valid integer"),
        ("usage.outputTokens", -1, "usage.outputTokens: Input should be greater than or equal to 0"),
        ("usage.cacheReadInputTokens", 10**400, "usage.cacheReadInputTokens: Input should be less than or equal to"),
        ("usage", 3, "usage: Input should be"),
    ],
}


@pytest.mark.parametrize(
    ("vendor", "path", "value", "problem"),
    [
        pytest.param(vendor, *case, id=f"{kind_name(vendor)}-{case[0]}-{number}")
        for vendor in FORMATS
        for number, case in enumerate(BROKEN_FIELDS[vendor.name])
    ],
)
async def test_d12_a_broken_field_is_named(
    vendor: Vendor, server: MockModelServer, path: str, value: object, problem: str
) -> None:
    client = vendor.client(server, Raw(body=changed(whole_of(vendor, ANSWER), path, value)))
    error = await failure_of(client, streaming=False)
    assert isinstance(error, ModelResponseError)
    assert str(error).startswith(
        f"The server at {vendor.address(server)} sent a response for model '{vendor.model}' that is not an answer "
        "(status 200, application/json): "
    )
    assert problem in str(error)
    assert client.total_usage() == RequestUsage(prompt_tokens=0, completion_tokens=0)


@every_vendor
@pytest.mark.parametrize(
    ("body", "content_type", "problem"),
    [
        (b"", "application/json", "Invalid JSON: EOF while parsing"),
        (b'{"choices": [', "application/json", "Invalid JSON: EOF while parsing"),
        (b"null", "application/json", "Input should be"),
        (b"[]", "application/json", "Input should be"),
        (b'"Five."', "application/json", "Input should be"),
        (b'{"content": [{"type": "text", "text": "\xff"}]}', "application/json", "Invalid JSON: invalid unicode"),
        (b'{"id": "\\ud800"}', "application/json", "Invalid JSON"),
        (b"[" * 100_000, "application/json", "Invalid JSON: recursion limit exceeded"),
        (LOGIN_PAGE, "text/html", "Invalid JSON: expected value at line 1 column 1"),
        (LOGIN_PAGE, "text/html; charset=nonesuch", "Invalid JSON: expected value at line 1 column 1"),
        (LOGIN_PAGE, None, "Invalid JSON: expected value at line 1 column 1"),
    ],
    ids=["empty", "cut", "null", "list", "text", "utf8", "surrogate", "deep", "login", "charset", "no-type"],
)
async def test_d12_a_body_that_is_no_answer_is_shown(
    vendor: Vendor, server: MockModelServer, body: bytes, content_type: str | None, problem: str
) -> None:
    client = vendor.client(server, Raw(body=body, content_type=content_type))
    error = await failure_of(client, streaming=False)
    assert problem in str(error)
    assert error.status == 200
    assert error.response_start == body[:500].decode(errors="replace")
    assert (f"begins: {error.response_start[:200]!r}" if body else "The response is empty.") in str(error)


@every_vendor
@pytest.mark.parametrize(
    "event", [b"{", b"null", b"[]", b"\xff", b'"x"', b'{"type": 5, "choices": 5}', b"[" * 100_000, b"<html>"]
)
async def test_d12_a_broken_event_keeps_what_came_before_it(
    vendor: Vendor, server: MockModelServer, event: bytes
) -> None:
    events = events_of(vendor, Reply(text="The answer is 42."))
    place = min(5, len(events) - 1)  # before the end
    body = b"".join([*events[:place], vendor.frame(event), *events[place:]])
    client = vendor.client(server, Raw(body=body, content_type=vendor.wire.STREAM_TYPE))
    pieces: list[str] = []
    with pytest.raises(ModelResponseError) as caught:
        await collect(client, pieces)
    assert f"that is not an answer (status 200, {vendor.wire.STREAM_TYPE})" in str(caught.value)
    assert caught.value.partial is not None
    assert caught.value.partial["text"] == "".join(pieces) != ""


@every_sdk
@every_mode
@pytest.mark.parametrize("status", [400, 404, 429, 500, 502])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", ""),
        (b"\xff\xfe", ""),
        (LOGIN_PAGE, "Please log in"),
        (b"[" * 100_000, "[[["),
        (b'{"error":' * 900 + b"1" + b"}" * 900, '{"error":{"error":'),
        (b'{"error": null}', ""),
        (b'{"error": "no such luck"}', "no such luck"),
        (b'{"detail": [{"msg": "no such luck"}]}', "no such luck"),
        (b'{"error": {"message": {"deep": 1}, "code": 7, "param": [], "type": {}}}', ""),
    ],
    ids=["empty", "binary", "page", "deep", "nested", "null", "text", "fastapi", "odd"],
)
async def test_d12_a_broken_error_is_an_error_all_the_same(
    vendor: Vendor, server: MockModelServer, streaming: bool, status: int, body: bytes, words: str
) -> None:
    client = vendor.client(server, Raw(body=body, status=status))
    error = await failure_of(client, streaming=streaming)
    assert error.status == status
    assert f"(status {status})" in str(error)
    assert words in str(error)
    assert len(str(error)) < 1000


@every_sdk
@every_mode
@pytest.mark.parametrize(
    "raw",
    [
        Raw(body=b"not gzip", headers={"content-encoding": "gzip"}),
        Raw(body=b"", status=204),
        Raw(body=b"", status=301, headers={"location": "http://[broken"}),
        Raw(body=b"", status=302, headers={"location": "/v1/elsewhere"}),
        Raw(body=b"", status=304),
        Raw(body=b"{}", headers={"retry-after": "tomorrow", "set-cookie": "=;;=", "date": "\xff"}),
    ],
    ids=["gzip", "no-content", "bad-redirect", "redirect", "not-modified", "headers"],
)
async def test_d12_an_odd_response_is_an_error(
    vendor: Vendor, server: MockModelServer, streaming: bool, raw: Raw
) -> None:
    error = await failure_of(vendor.client(server, raw), streaming=streaming)
    assert vendor.model in str(error)
