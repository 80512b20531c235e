"""A streamed answer says the same as one that is not streamed, wherever it is cut."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.cuts import pieces_of

from symposia.core import FunctionCall
from symposia.core.models import CreateResult, RequestUsage
from symposia.ext.models.anthropic._answer import parse_message, read_message
from symposia.ext.models.anthropic._stream import MessageAssembly

TEXTS = st.text(max_size=30)
NAMES = st.text(min_size=1, max_size=30)
JSON = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=9) | st.none(), max_size=3)
BLOCKS = st.one_of(
    st.fixed_dictionaries({"type": st.just("text"), "text": TEXTS}),
    st.fixed_dictionaries({"type": st.just("thinking"), "thinking": TEXTS, "signature": TEXTS}),
    st.fixed_dictionaries({"type": st.just("redacted_thinking"), "data": TEXTS}),
    st.fixed_dictionaries({"type": st.just("tool_use"), "id": TEXTS, "name": NAMES, "input": JSON}),
)
STREAMED = {"text": "text_delta", "thinking": "thinking_delta", "signature": "signature_delta"}
STOP_REASONS = ["end_turn", "max_tokens", "tool_use", "refusal", "pause_turn"]

Json = dict[str, Any]


@st.composite
def messages(draw: st.DrawFn) -> Json:
    return {
        "role": "assistant",
        "content": draw(st.lists(BLOCKS, max_size=4)),
        "stop_reason": draw(st.sampled_from(STOP_REASONS)),
        "usage": {"input_tokens": draw(st.integers(0, 99)), "output_tokens": draw(st.integers(0, 99))},
    }


@st.composite
def streams(draw: st.DrawFn, whole: Json) -> list[Json]:
    """Events that the server might send for this answer."""
    usage = whole["usage"]
    started: Json = {**whole, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    events: list[Json] = [{"type": "message_start", "message": started}, {"type": "ping"}]
    for index, block in enumerate(whole["content"]):
        events += [{**event, "index": index} for event in draw(_block_events(block))]
    counted = {"output_tokens": usage["output_tokens"], "input_tokens": None}
    events.append({"type": "message_delta", "delta": {"stop_reason": whole["stop_reason"]}, "usage": counted})
    return [*events, {"type": "message_stop"}]


@st.composite
def _block_events(draw: st.DrawFn, block: Json) -> list[Json]:
    start, deltas = dict(block), list[Json]()
    for field, kind in STREAMED.items():
        if field in block:
            start[field] = ""
            deltas += [{"type": kind, field: piece} for piece in draw(pieces_of(block[field]))]
    if "input" in block:
        start["input"] = {}
        arguments = json.dumps(block["input"])
        deltas += [{"type": "input_json_delta", "partial_json": piece} for piece in draw(pieces_of(arguments))]
    return [
        {"type": "content_block_start", "content_block": start},
        *({"type": "content_block_delta", "delta": delta} for delta in deltas),
        {"type": "content_block_stop"},
    ]


def assemble(events: list[Json]) -> tuple[str, CreateResult]:
    assembly = MessageAssembly()
    text = "".join(assembly.feed(json.dumps(event).encode()) for event in events)
    return text, read_message(assembly.whole())


@given(st.data())
def test_any_split_of_an_answer_assembles_to_it(data: st.DataObject) -> None:
    whole = data.draw(messages())
    text, result = assemble(data.draw(streams(whole)))
    assert result == read_message(parse_message(json.dumps(whole).encode()))
    assert text == "".join(block["text"] for block in whole["content"] if block["type"] == "text")


def test_arguments_that_were_cut_off_are_kept_as_they_came() -> None:
    thinking = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
    call: Json = {"type": "tool_use", "id": "1", "name": "add", "input": {}}
    events: list[Json] = [
        {"type": "message_start", "message": {"usage": {"input_tokens": 1, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": thinking},
        {"type": "content_block_start", "index": 1, "content_block": call},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"a": '}},
        {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 8}},
        {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 9}},
        {"type": "message_stop"},
    ]
    _, result = assemble(events)
    assert result.content == [FunctionCall(id="1", name="add", arguments='{"a": ')]
    assert (result.finish_reason, result.usage) == ("length", RequestUsage(prompt_tokens=1, completion_tokens=9))
    assert result.vendor_blocks == {"anthropic": [thinking, {**call, "input": {"arguments": '{"a": '}}]}


def test_citations_are_kept_with_their_text() -> None:
    events: list[Json] = [
        {"type": "message_start", "message": {}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "So", "citations": []}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "citations_delta", "citation": {"url": "x"}}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "a_delta_of_the_future"}},
        {"type": "message_stop"},
    ]
    assembly = MessageAssembly()
    assert "".join(assembly.feed(json.dumps(event).encode()) for event in events) == "So"
    whole = assembly.whole()
    assert whole is not None
    assert whole.get("content") == [{"type": "text", "text": "So", "citations": [{"url": "x"}]}]


def test_a_stream_without_its_end_is_an_error() -> None:
    with pytest.raises(ValueError, match="no message_stop came"):
        assemble([{"type": "message_start", "message": {}}])
