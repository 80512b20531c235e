"""A streamed answer says the same as one that is not streamed, wherever it is cut."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.cuts import interleaved, pieces_of

from symposia.core import FunctionCall
from symposia.core.models import ChatCompletionTokenLogprob, CreateResult, RequestUsage, TopLogprob
from symposia.ext.models.openai._answer import parse_completion, read_completion
from symposia.ext.models.openai._stream import CompletionAssembly

TEXTS = st.text(max_size=30)
END: dict[str, Any] = {"choices": [{"delta": {}, "finish_reason": "stop"}]}


def call(number: int, name: str, arguments: str) -> dict[str, Any]:
    return {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}


@st.composite
def completions(draw: st.DrawFn) -> dict[str, Any]:
    calls = draw(st.lists(st.tuples(st.text(min_size=1, max_size=8), TEXTS), max_size=3))
    message = {
        "role": "assistant",
        "content": draw(TEXTS) or None,
        "reasoning_content": draw(TEXTS) or None,
        "tool_calls": [call(number, *parts) for number, parts in enumerate(calls)] or None,
    }
    usage = {"prompt_tokens": draw(st.integers(0, 99)), "completion_tokens": draw(st.integers(0, 99))}
    finish_reason = draw(st.sampled_from(["stop", "length", "tool_calls", "content_filter"]))
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish_reason}], "usage": usage}


@st.composite
def streams(draw: st.DrawFn, whole: dict[str, Any]) -> list[dict[str, Any]]:
    """Chunks that a server might send for this answer; the last text of a chunk may come with its end and usage."""
    choice = whole["choices"][0]
    message = choice["message"]
    texts: list[object] = [
        {field: piece}
        for field in ("reasoning_content", "content")
        if message[field] is not None
        for piece in draw(pieces_of(message[field]))
    ]
    calls = [draw(_call_pieces(index, one)) for index, one in enumerate(message["tool_calls"] or ())]
    deltas: Any = [*texts, *draw(interleaved(*calls))]
    chunks: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    end: dict[str, Any] = {"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}
    if draw(st.booleans()):
        return [*chunks, {"choices": [end]}, {"choices": [], "usage": whole["usage"]}]
    return [*chunks, {"choices": [end], "usage": whole["usage"]}]


@st.composite
def _call_pieces(draw: st.DrawFn, index: int, one: dict[str, Any]) -> list[object]:
    first, *rest = draw(pieces_of(one["function"]["arguments"]))
    start = {**one, "index": index, "function": {**one["function"], "arguments": first}}
    pieces: list[object] = [{"index": index, "function": {"arguments": piece}} for piece in rest]
    return [{"tool_calls": [piece]} for piece in (start, *pieces)]


def assemble(chunks: list[dict[str, Any]]) -> tuple[str, CreateResult]:
    assembly = CompletionAssembly()
    text = "".join(assembly.feed(json.dumps(chunk).encode()) for chunk in chunks)
    return text, read_completion(assembly.whole())


@given(st.data())
def test_any_split_of_an_answer_assembles_to_it(data: st.DataObject) -> None:
    whole = data.draw(completions())
    text, result = assemble(data.draw(streams(whole)))
    assert result == read_completion(parse_completion(json.dumps(whole).encode()))
    assert text == (whole["choices"][0]["message"]["content"] or "")


def test_calls_that_a_vendor_all_numbers_nought_are_kept_apart() -> None:
    chunks = [
        {"choices": [{"delta": {"tool_calls": [{"index": 0, **call(number, "add", "{}")}]}}]} for number in (1, 2)
    ]
    _, result = assemble([*chunks, END])
    assert result.content == [FunctionCall(id=f"call_{number}", name="add", arguments="{}") for number in (1, 2)]


@pytest.mark.parametrize(
    "pieces",
    [
        [("1", "add", '{"a":'), ("2", "sub", '{"b":'), ("1", "", "1}"), ("2", "", "2}")],  # ids alone tell them apart
        [("", "add", '{"a":1}'), ("", "sub", '{"b":'), ("", "", "2}")],  # names alone
        [("1", "add", '{"a":1}'), ("2", "sub", '{"b":'), ("", "", "2}")],  # the latest goes on
        [("1", "add", '{"a":'), ("1", "add", "1}"), ("2", "sub", '{"b":2}')],  # both are repeated with each piece
    ],
)
def test_pieces_of_calls_that_a_vendor_does_not_number_find_their_call(pieces: list[tuple[str, str, str]]) -> None:
    deltas = [{"tool_calls": [{"id": i, "function": {"name": n, "arguments": a}}]} for i, n, a in pieces]
    _, result = assemble([*({"choices": [{"delta": delta}]} for delta in deltas), END])
    assert isinstance(result.content, list)
    assert [(one.name, one.arguments) for one in result.content] == [("add", '{"a":1}'), ("sub", '{"b":2}')]


def test_a_refusal_is_the_answer() -> None:
    chunks: list[dict[str, Any]] = [
        {"choices": [{"delta": {"refusal": "I can"}}]},
        {"choices": [{"delta": {"refusal": "not."}, "finish_reason": "stop"}]},
    ]
    text, result = assemble(chunks)
    assert text == result.content == "I cannot."


def test_a_stream_that_says_no_usage_is_an_answer_all_the_same() -> None:
    _, result = assemble([{"choices": [{"delta": {"content": "hi"}, "finish_reason": "stop"}]}])
    assert (result.content, result.finish_reason) == ("hi", "stop")
    assert result.usage == RequestUsage(prompt_tokens=0, completion_tokens=0)


@pytest.mark.parametrize("end", [[], [b"[DONE]"]])
def test_d06_a_stream_without_a_finish_reason_is_no_answer_even_if_it_says_that_it_is_done(end: list[bytes]) -> None:
    assembly = CompletionAssembly()
    for event in [b'{"choices": [{"delta": {"content": "The answer is not"}}]}', *end]:
        assembly.feed(event)
    with pytest.raises(ValueError, match="no finish_reason came"):
        assembly.whole()
    assert assembly.partial()["text"] == "The answer is not"


def test_only_the_first_choice_is_the_answer() -> None:
    chunks: list[dict[str, Any]] = [
        {"choices": [{"index": 1, "delta": {"content": "no"}}, {"index": 0, "delta": {"content": "yes"}}]},
        {"choices": [{"index": 1, "delta": {}, "finish_reason": "stop"}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]},
    ]
    text, result = assemble(chunks)
    assert (text, result.content, result.finish_reason) == ("yes", "yes", "length")


def test_calls_without_an_id_get_one_each() -> None:
    calls = [{"index": index, "id": "", "function": {"name": "add", "arguments": "{}"}} for index in (0, 1)]
    _, result = assemble([{"choices": [{"delta": {"tool_calls": calls}, "finish_reason": "tool_calls"}]}])
    assert isinstance(result.content, list)
    assert len({call.id for call in result.content} - {""}) == 2


def test_logprobs_are_collected() -> None:
    def chunk(token: str) -> dict[str, Any]:
        top = [{"token": token, "logprob": -0.5, "bytes": None}]
        entry = {"token": token, "logprob": -0.5, "bytes": [104], "top_logprobs": top}
        return {"choices": [{"delta": {"content": token}, "logprobs": {"content": [entry]}}]}

    _, result = assemble([chunk("h"), chunk("i"), END])
    assert result.logprobs == [
        ChatCompletionTokenLogprob(token=token, logprob=-0.5, bytes=[104], top_logprobs=[TopLogprob(logprob=-0.5)])
        for token in "hi"
    ]
