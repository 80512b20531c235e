"""D12 for all answers: recorded good ones with random damage, through the readers alone and through the real SDKs.

Only a valid result or a `ModelError` may come out. Where nothing was damaged, the result does.
"""

import copy
import json
from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.model_clients import FORMATS, SDKS, Vendor, kind_name, read

from symposia.core.exceptions import ModelError, PartialAnswer
from symposia.core.models import CreateResult, UserMessage
from symposia.ext.models.anthropic._answer import parse_message, read_message
from symposia.ext.models.anthropic._stream import MessageAssembly
from symposia.ext.models.bedrock._answer import parse_answer, read_answer
from symposia.ext.models.bedrock._stream import AnswerAssembly
from symposia.ext.models.gemini._answer import ResponseAssembly as ResponseAssemblyOfGemini
from symposia.ext.models.gemini._answer import parse_response as parse_response_of_gemini
from symposia.ext.models.gemini._answer import read_response as read_response_of_gemini
from symposia.ext.models.mistral._answer import CompletionAssembly as CompletionAssemblyOfMistral
from symposia.ext.models.mistral._answer import parse_completion as parse_completion_of_mistral
from symposia.ext.models.mistral._answer import read_completion as read_completion_of_mistral
from symposia.ext.models.ollama._answer import ChatAssembly, parse_chat, read_chat
from symposia.ext.models.openai._answer import parse_completion, read_completion
from symposia.ext.models.openai._responses._answer import parse_response, read_response
from symposia.ext.models.openai._responses._stream import ResponseAssembly
from symposia.ext.models.openai._stream import CompletionAssembly
from symposia.ext.models.vendors import EventDecoder
from symposia.testing.model_server import MockModelServer, Raw, Reply, Thinking, ToolCall

HELLO = [UserMessage(content="hello", source="user")]
REPLIES = (
    Reply(text="Five fingers."),
    Reply(text="I add.", tool_calls=(ToolCall(id="1", name="add", arguments='{"a": [1, {"b": null}]}'),)),
    Reply(
        text="Hm.",
        thinking=(Thinking(text="Let me see."), Thinking(data="opaque")),
        tool_calls=(ToolCall(id="1", name="a"), ToolCall(id="2", name="b", extra={"extra_content": {"s": "t"}})),
        extra={"reasoning_details": [{"type": "reasoning.encrypted", "data": "opaque"}]},
    ),
)
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 3, 1.5, 10**30, 10**400, "", "x", "tool_use", "error", "stop", "\x00", "1", "null",
    [], [None], [[]], {}, {"error": "oh"}, {"type": "text"}, {"a": {"b": {}}}, float("nan"), float("inf"), "\U0001f600",
)  # fmt: skip
ODD_BYTES = (
    b"", b"\xff", b"\x00", b"\\ud800", b"1e999", b"[" * 3000, b"{", b"}", b'"', b",", b"\n\n", b"\r", b"data: ",
    b"data: [DONE]\n\n", b"event: error\n", b"\xef\xbb\xbf", b'"error": {"message": "x"}, ',
)  # fmt: skip

every_vendor = pytest.mark.parametrize("vendor", FORMATS, ids=kind_name)


def recorded_whole(vendor: Vendor, reply: Reply) -> Any:
    return json.loads(json.dumps(vendor.wire.whole(reply, {"model": vendor.model})))


def recorded_events(vendor: Vendor, reply: Reply) -> list[Any]:
    """The data of each event, as JSON."""
    body = {"model": vendor.model, "stream_options": {"include_usage": True}}
    events: list[Any] = []
    for event in vendor.wire.events(reply, body):
        data = vendor.unframe(event)
        events.append("[DONE]" if data == b"[DONE]" else json.loads(data))
    return events


def places_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values inside a value."""
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        fields: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType] - JSON
        items = list(fields.items())
    elif isinstance(value, list):
        parts: list[Any] = value  # pyright: ignore[reportUnknownVariableType] - JSON
        items = list(enumerate(parts))
    return [path, *(place for key, inner in items for place in places_in(inner, (*path, key)))]


@st.composite
def damaged(draw: st.DrawFn, value: Any) -> Any:
    """The JSON value with up to three of its parts replaced or removed."""
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(places_in(value)))
        odd = copy.deepcopy(draw(st.sampled_from(ODD_VALUES)))
        if not path:
            return odd
        *parents, last = path
        place = value
        for part in parents:
            place = place[part]
        if draw(st.booleans()):
            place[last] = odd
        else:
            del place[last]
    return value


@st.composite
def damaged_bytes(draw: st.DrawFn, data: bytes) -> bytes:
    """The bytes with up to two slices removed, repeated or replaced."""
    for _ in range(draw(st.integers(0, 2))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + draw(st.sampled_from((1, 8, 200, 5000))))))
        middle = draw(st.sampled_from((*ODD_BYTES, data[start:end] * 2)))
        data = data[:start] + middle + data[end:]
    return data


@st.composite
def wholes(draw: st.DrawFn, vendor: Vendor) -> bytes:
    answer = draw(damaged(recorded_whole(vendor, draw(st.sampled_from(REPLIES)))))
    return draw(damaged_bytes(json.dumps(answer).encode()))


@st.composite
def streams(draw: st.DrawFn, vendor: Vendor) -> list[bytes]:
    """The events of a stream, damaged one by one and in their order."""
    events = recorded_events(vendor, draw(st.sampled_from(REPLIES)))
    chosen = draw(st.sampled_from(range(len(events))))
    events[chosen] = draw(damaged(events[chosen]))
    match draw(st.sampled_from(("keep", "drop", "repeat", "swap"))):
        case "drop":
            del events[draw(st.sampled_from(range(len(events))))]
        case "repeat":
            events.insert(draw(st.integers(0, len(events))), draw(st.sampled_from(events)))
        case "swap":
            events.append(events.pop(draw(st.sampled_from(range(len(events))))))
        case _:
            pass
    return [_line(data) for data in events]


def _line(data: Any) -> bytes:
    return data.encode() if isinstance(data, str) else json.dumps(data).encode()


def format_of(vendor: Vendor) -> Any:
    return {
        "OpenAI": (parse_completion, read_completion, CompletionAssembly),
        "OpenAIResponses": (parse_response, partial(read_response, stored=False, keep=False), ResponseAssembly),
        "Anthropic": (parse_message, read_message, MessageAssembly),
        "Gemini": (parse_response_of_gemini, read_response_of_gemini, ResponseAssemblyOfGemini),
        "Ollama": (parse_chat, read_chat, ChatAssembly),
        "Mistral": (parse_completion_of_mistral, read_completion_of_mistral, CompletionAssemblyOfMistral),
        "Bedrock": (parse_answer, read_answer, AnswerAssembly),
    }[vendor.name]


def check(result: CreateResult) -> None:
    """Check that a result is valid in all its parts, and that it survives being written as JSON."""
    again = CreateResult.model_validate_json(result.model_dump_json())
    assert (again.content, again.usage, again.thought) == (result.content, result.usage, result.thought)
    assert min(result.usage.prompt_tokens, result.usage.completion_tokens) >= 0
    if not isinstance(result.content, str):
        assert all(isinstance(part, str) for call in result.content for part in (call.id, call.name, call.arguments))


def check_partial(partial: PartialAnswer) -> None:
    json.dumps(partial)
    assert isinstance(partial["text"], str)
    assert all(count >= 0 for count in partial["usage"].values())


def check_error(error: ModelError, vendor: Vendor) -> None:
    assert vendor.model in str(error)
    assert len(str(error)) < 2000
    if error.partial is not None:
        check_partial(error.partial)


@every_vendor
@settings(max_examples=300)
@given(data=st.data())
def test_d12_the_reader_of_whole_answers_raises_value_errors_only(vendor: Vendor, data: st.DataObject) -> None:
    parse, read_whole, _ = format_of(vendor)
    body = data.draw(wholes(vendor))
    try:
        result = read_whole(parse(body))
    except ValueError:
        return
    check(result)


@every_vendor
@settings(max_examples=300)
@given(data=st.data())
def test_d12_the_reader_of_streams_raises_value_errors_only(vendor: Vendor, data: st.DataObject) -> None:
    _, read_whole, assembly_type = format_of(vendor)
    assembly = assembly_type()
    events = data.draw(streams(vendor))
    texts: list[str] = []
    try:
        for event in events:
            if assembly.complete:
                break
            texts.append(assembly.feed(data.draw(damaged_bytes(event)) if event is events[-2] else event))
        result = read_whole(assembly.whole())
    except ValueError:
        check_partial(assembly.partial())
        return
    check(result)
    if vendor.name != "OpenAIResponses":  # whose last event holds the whole answer, whatever became of its pieces
        assert "".join(texts) in (result.content, result.thought, "") or isinstance(result.content, list)


@given(
    st.lists(st.binary(max_size=40).filter(lambda data: not set(data) & set(b"\r\n")), max_size=6),
    st.sampled_from((b"\n", b"\r\n", b"\r")),
    st.data(),
)
def test_events_are_found_wherever_the_bytes_are_cut(lines: list[bytes], newline: bytes, data: st.DataObject) -> None:
    body = b"\xef\xbb\xbf" + b"".join(b"data: " + line + newline * 2 for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    decoder = EventDecoder()
    pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    found = [event for piece in pieces if piece for event in decoder.feed(piece)]
    assert [*found, *decoder.finish()] == [line for line in lines if line]  # an event without data is none


@st.composite
def responses(draw: st.DrawFn, vendor: Vendor, *, streaming: bool) -> Raw:
    body = b"".join(map(vendor.frame, draw(streams(vendor)))) if streaming else draw(wholes(vendor))
    types = ("application/json", "text/event-stream", "text/html; charset=utf-7", "a;b;c", "", None)
    encodings: tuple[Mapping[str, str], ...] = ({}, {}, {}, {"content-encoding": "gzip"}, {"content-encoding": "odd"})
    return Raw(
        body=draw(damaged_bytes(body)),
        status=draw(st.sampled_from((200, 200, 200, 200, 201, 299, 302, 400, 401, 404, 418, 500, 529))),
        content_type=draw(st.sampled_from(types)),
        headers=draw(st.sampled_from(encodings)),
        cut=draw(st.booleans()) and draw(st.booleans()),
    )


@pytest.mark.parametrize("vendor", SDKS, ids=kind_name)
@pytest.mark.filterwarnings("ignore:.* sent no token counts")
@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "streamed"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
async def test_d12_a_client_raises_model_errors_only(vendor: Vendor, streaming: bool, data: st.DataObject) -> None:
    raw = data.draw(responses(vendor, streaming=streaming))
    async with MockModelServer() as server:
        client = vendor.client(server, raw)
        try:
            check((await read(client.create_stream(HELLO)))[1] if streaming else await client.create(HELLO))
        except ModelError as error:
            check_error(error, vendor)
        finally:
            await client.close()


@every_vendor
def test_what_is_not_damaged_is_read(vendor: Vendor) -> None:
    parse, read_whole, assembly_type = format_of(vendor)
    for reply in REPLIES:
        result = read_whole(parse(_line(recorded_whole(vendor, reply))))
        assembly = assembly_type()
        for event in recorded_events(vendor, reply):
            assembly.feed(_line(event))
        streamed = read_whole(assembly.whole())
        assert (streamed.content, streamed.thought, streamed.usage) == (result.content, result.thought, result.usage)
