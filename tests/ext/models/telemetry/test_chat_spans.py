import json
from urllib.parse import urlsplit

import pytest
from opentelemetry.trace import SpanKind, StatusCode
from tests.support.model_clients import ADD, VENDORS, Vendor, kind_name, read
from tests.support.telemetry import Events, Spans

from symposia.agentchat.agents import AssistantAgent
from symposia.core.exceptions import ModelError
from symposia.core.logging import LLMCallEvent, LLMStreamEndEvent, LLMStreamStartEvent
from symposia.core.models import SystemMessage, UserMessage
from symposia.testing.model_server import Failure, MockModelServer, Reply, ToolCall

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
MESSAGES = [SystemMessage(content="Be brief."), UserMessage(content="Hello?", source="user")]
each_vendor = pytest.mark.parametrize("vendor", VENDORS, ids=kind_name)


@each_vendor
async def test_a_request_is_a_span_with_what_was_asked_for_and_what_it_took(
    vendor: Vendor, server: MockModelServer, spans: Spans
) -> None:
    client = vendor.client(server, Reply(text="Hi.", usage=(11, 3)), temperature=0.5, max_tokens=50)
    await client.create(MESSAGES)
    span = spans.attributes(f"chat {vendor.model}")
    assert spans.one(f"chat {vendor.model}").kind is SpanKind.CLIENT
    assert bool(span.pop("gen_ai.response.id", None)) is vendor.names_answers
    assert bool(span.pop("gen_ai.response.model", None)) is vendor.names_models
    assert span.pop("symposia.usage.usd", None) == client.actual_usage().usd
    address = urlsplit(server.openai_url)
    assert span == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": vendor.provider,
        "gen_ai.request.model": vendor.model,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 50,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 3,
        "server.address": address.hostname,
        "server.port": address.port,
    }


@each_vendor
async def test_a_streamed_request_is_the_same_span(vendor: Vendor, server: MockModelServer, spans: Spans) -> None:
    client = vendor.client(server, Reply(text="Hi there.", usage=(11, 3)))
    await read(client.create_stream(MESSAGES))
    span = spans.attributes(f"chat {vendor.model}")
    assert span["gen_ai.request.stream"] is True
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (11, 3)
    assert span["gen_ai.response.finish_reasons"] == ("stop",)


@pytest.mark.parametrize("vendor", [one for one in VENDORS if one.counts_parts], ids=kind_name)
async def test_a_span_says_what_came_from_the_cache_and_what_was_reasoning(
    vendor: Vendor, server: MockModelServer, spans: Spans
) -> None:
    client = vendor.client(server, Reply(text="Hi.", usage=(20, 3), cached_tokens=15, reasoning_tokens=2))
    await AssistantAgent("ann", client).run(task="Hello?")
    for span in (f"chat {vendor.model}", "invoke_agent ann"):
        assert spans.attributes(span)["gen_ai.usage.cache_read.input_tokens"] == 15
        assert spans.attributes(span)["gen_ai.usage.reasoning.output_tokens"] == 2


@each_vendor
async def test_a_stream_that_is_left_early_ends_its_span(vendor: Vendor, server: MockModelServer, spans: Spans) -> None:
    stream = vendor.client(server, Reply(text="one two three")).create_stream(MESSAGES)
    await anext(stream)
    await stream.aclose()
    assert spans.one(f"chat {vendor.model}").status.status_code is StatusCode.UNSET
    assert spans.attributes(f"chat {vendor.model}")["gen_ai.usage.output_tokens"] > 0


@each_vendor
async def test_a_request_that_fails_says_so_on_its_span(vendor: Vendor, server: MockModelServer, spans: Spans) -> None:
    client = vendor.client(server)
    server.script(Failure(status=500))
    with pytest.raises(ModelError):
        await client.create(MESSAGES)
    assert spans.attributes(f"chat {vendor.model}")["error.type"] == "ModelError"


@each_vendor
async def test_what_is_said_is_in_the_span_when_the_environment_asks_for_it(
    vendor: Vendor, server: MockModelServer, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CAPTURE, "true")
    call = ToolCall(id="7", name="add", arguments='{"a": 1, "b": 2}')
    await vendor.client(server, Reply(tool_calls=(call,))).create(MESSAGES, tools=[ADD])
    span = spans.attributes(f"chat {vendor.model}")
    assert json.loads(span["gen_ai.system_instructions"]) == [{"type": "text", "content": "Be brief."}]
    assert json.loads(span["gen_ai.input.messages"]) == [
        {"role": "user", "name": "user", "parts": [{"type": "text", "content": "Hello?"}]}
    ]
    (answer,) = json.loads(span["gen_ai.output.messages"])
    assert answer["finish_reason"] == "tool_call"
    assert [(part["type"], part["name"]) for part in answer["parts"]] == [("tool_call", "add")]


@each_vendor
async def test_a_request_is_an_event(vendor: Vendor, server: MockModelServer, events: Events) -> None:
    await vendor.client(server, Reply(text="Hi.", usage=(11, 3))).create(MESSAGES, tools=[ADD])
    (event,) = events.of(LLMCallEvent)
    assert (event.prompt_tokens, event.completion_tokens) == (11, 3)
    assert event.kwargs["messages"][-1]["role"] == "user"
    assert "Hi." in json.dumps(event.kwargs["response"])
    assert len(event.kwargs["tools"]) == 1
    assert json.loads(str(event))["type"] == "LLMCall"


@each_vendor
async def test_a_streamed_request_is_an_event_at_its_start_and_one_at_its_end(
    vendor: Vendor, server: MockModelServer, events: Events
) -> None:
    await read(vendor.client(server, Reply(text="Hi.", usage=(11, 3))).create_stream(MESSAGES))
    (start,), (end,) = events.of(LLMStreamStartEvent), events.of(LLMStreamEndEvent)
    assert start.kwargs["messages"][-1]["role"] == "user"
    assert (end.prompt_tokens, end.completion_tokens) == (11, 3)
    assert end.kwargs["response"]["content"] == "Hi."
