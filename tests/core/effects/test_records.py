"""Requests, results and failures survive JSON."""

import json
import math
from datetime import UTC, datetime
from typing import Any, Literal, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, JsonValue
from typing_extensions import TypedDict

from symposia.core import FunctionCall, Image
from symposia.core.code_executor import (
    CODE_EFFECT,
    Artifact,
    BlockResult,
    CodeBlock,
    CodeRequest,
    CodeResult,
    CommandLineCodeResult,
    RequestedBlock,
)
from symposia.core.effects import (
    HUMAN_EFFECT,
    EffectKind,
    EffectRequest,
    HumanAnswer,
    HumanRequest,
    decode_error,
    encode_error,
)
from symposia.core.exceptions import EffectFailedError, ModelError, SandboxDiedError, ToolNotFoundException
from symposia.core.memory import (
    MEMORY_EFFECT,
    MemoryContent,
    MemoryMimeType,
    MemoryOutcome,
    MemoryRequest,
    RecordedMemory,
)
from symposia.core.models import (
    MODEL_EFFECT,
    AssistantMessage,
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    ModelRequest,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from symposia.core.tools import TOOL_EFFECT, ImageResultContent, TextResultContent, ToolRequest, ToolResult

PIXEL = Image.from_base64(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(text, values, max_size=3)
calls = st.builds(FunctionCall, id=text, arguments=text, name=text)
usages = st.builds(RequestUsage, st.integers(0, 9), st.integers(0, 9))
messages: st.SearchStrategy[LLMMessage] = (
    st.builds(SystemMessage, content=text)
    | st.builds(UserMessage, content=text | st.lists(text | st.just(PIXEL), max_size=3), source=text)
    | st.builds(AssistantMessage, content=text | st.lists(calls, min_size=1, max_size=2), source=text, thought=text)
    | st.builds(
        FunctionExecutionResultMessage,
        content=st.lists(
            st.builds(FunctionExecutionResult, content=text, name=text, call_id=text, is_error=st.booleans()),
            max_size=2,
        ),
    )
)
blocks = st.builds(CodeBlock, code=text, language=text)
artifacts = st.builds(Artifact, path=text, kind=text, size=st.integers(0, 9), sha256=text, data=st.binary(max_size=9))
memories = st.builds(
    MemoryContent,
    content=text | st.binary(max_size=9) | objects | st.just(PIXEL),
    mime_type=st.sampled_from(MemoryMimeType).map(lambda mime_type: mime_type.value) | text,
    metadata=st.none() | objects,
)

REQUESTS: dict[EffectKind[Any, Any], st.SearchStrategy[Any]] = {
    MODEL_EFFECT: st.builds(
        ModelRequest,
        client=objects,
        messages=st.lists(messages, max_size=3),
        tools=st.lists(objects, max_size=2),
        tool_choice=text,
        json_output=st.none() | st.booleans() | objects,
        arguments=objects,
    ),
    TOOL_EFFECT: st.builds(ToolRequest, workbench=objects, name=text, arguments=objects),
    CODE_EFFECT: st.builds(
        CodeRequest, executor=objects, blocks=st.lists(st.builds(RequestedBlock, code=text, language=text), max_size=2)
    ),
    HUMAN_EFFECT: st.builds(HumanRequest, prompt=text, approval_of=values),
    MEMORY_EFFECT: st.builds(
        MemoryRequest,
        memory=objects,
        operation=st.sampled_from(["update_context", "query", "add"]),
        conversation=st.lists(messages, max_size=2),
        content=st.none() | text | memories.map(RecordedMemory.of),
        arguments=objects,
    ),
}
RESULTS: dict[EffectKind[Any, Any], st.SearchStrategy[Any]] = {
    MODEL_EFFECT: st.builds(
        CreateResult,
        finish_reason=st.sampled_from(["stop", "function_calls"]),
        content=text | st.lists(calls, min_size=1, max_size=2),
        usage=usages,
        cached=st.booleans(),
        thought=st.none() | text,
        vendor_blocks=st.none() | st.dictionaries(text, st.lists(objects, max_size=2), max_size=2),
    ),
    TOOL_EFFECT: st.builds(
        ToolResult,
        name=text,
        result=st.lists(
            st.builds(TextResultContent, content=text) | st.just(ImageResultContent(content=PIXEL)), max_size=2
        ),
        is_error=st.booleans(),
    ),
    CODE_EFFECT: st.builds(CodeResult, exit_code=st.integers(0, 255), output=text)
    | st.builds(
        CommandLineCodeResult,
        exit_code=st.integers(0, 255),
        output=text,
        code_file=st.none() | text,
        blocks=st.lists(
            st.builds(
                BlockResult,
                block=blocks,
                code_file=st.none() | text,
                status=st.sampled_from(["ok", "error", "timeout"]),
                exit_code=st.integers(0, 255),
                output=text,
                artifacts=st.lists(artifacts, max_size=2).map(tuple),
                artifacts_skipped=st.lists(st.tuples(text, text), max_size=2).map(tuple),
                wall_seconds=st.floats(0, 9),
            ),
            max_size=2,
        ),
    ),
    HUMAN_EFFECT: st.builds(HumanAnswer, text=text, approved=st.none() | st.booleans()),
    MEMORY_EFFECT: st.builds(
        MemoryOutcome,
        found=st.lists(memories.map(RecordedMemory.of), max_size=2),
        added=st.lists(messages, max_size=2),
    ),
}


def through_text(value: JsonValue) -> JsonValue:
    return json.loads(json.dumps(value, allow_nan=False))


@pytest.mark.parametrize("kind", REQUESTS, ids=lambda kind: kind.name)
@given(data=st.data())
def test_requests_survive_json(kind: EffectKind[Any, Any], data: st.DataObject) -> None:
    request = data.draw(REQUESTS[kind])
    assert kind.decode_request(through_text(kind.encode_request(request))) == request


@pytest.mark.parametrize("kind", RESULTS, ids=lambda kind: kind.name)
@given(data=st.data())
def test_results_survive_json(kind: EffectKind[Any, Any], data: st.DataObject) -> None:
    result = data.draw(RESULTS[kind])
    assert kind.decode_result(through_text(kind.encode_result(result))) == result


class Row(TypedDict):
    number: int


class AskForRow(EffectRequest):
    kind: Literal["test_row"] = "test_row"


def test_a_kind_may_have_a_typed_dict_as_its_result() -> None:
    rows = EffectKind("test_row", AskForRow, Row)
    assert rows.accepts({"number": 1})
    assert rows.decode_result(through_text(rows.encode_result({"number": 1}))) == {"number": 1}


def test_lone_surrogates_are_replaced_so_that_every_reader_takes_the_record() -> None:
    result = CreateResult(finish_reason="stop", content="\ud83d\ude00 \ud800!", usage=RequestUsage(0, 0), cached=False)
    again = MODEL_EFFECT.decode_result(through_text(MODEL_EFFECT.encode_result(result)))
    assert again.content == "😀 \ufffd!"


def test_numbers_that_json_lacks_are_recorded_as_texts() -> None:
    request = ToolRequest(workbench={}, name="f", arguments={"x": [math.inf, -math.inf, math.nan, 1.5]})
    record = through_text(TOOL_EFFECT.encode_request(request))
    assert record == {**request.model_dump(), "arguments": {"x": ["Infinity", "-Infinity", "NaN", 1.5]}}
    assert TOOL_EFFECT.encode_request(TOOL_EFFECT.decode_request(record)) == record
    assert HEIGHT.decode_result(through_text(HEIGHT.encode_result(math.inf))) == math.inf


@given(memories)
def test_a_recorded_memory_is_the_memory(memory: MemoryContent) -> None:
    assert RecordedMemory.of(memory).restore() == memory


def test_a_memory_of_things_that_are_no_json_is_recorded_all_the_same() -> None:
    class Own:
        pass

    day = datetime(2026, 1, 2, tzinfo=UTC)
    memory = MemoryContent(
        content={"own": Own(), "by number": {1: b"\xff"}},
        mime_type=MemoryMimeType.JSON,
        metadata={"day": day, "own": Own()},
    )
    again = RecordedMemory.of(memory).restore()
    name = f"<{Own.__qualname__}>"
    assert again.content == {"own": name, "by number": {"1": "_w=="}}
    assert again.metadata == {"day": "2026-01-02T00:00:00Z", "own": name}


class HeightRequest(EffectRequest):
    kind: Literal["height"] = "height"


HEIGHT = EffectKind("height", HeightRequest, float)


class OddError(Exception):
    """Its constructor takes other arguments than those that it passes on."""

    def __init__(self, code: int, *, hint: str) -> None:
        super().__init__(f"{code}: {hint}")
        self.code = code
        self.hint = hint


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no"),
        KeyError("missing"),
        OSError(2, "No such file"),
        ModelError("down"),
        SandboxDiedError("gone"),
        ToolNotFoundException("1", "no such tool", "search"),
        OddError(3, hint="turn it on"),
        StopIteration(4),
        RuntimeError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_failure_survives_json_with_its_class(error: Exception) -> None:
    error.add_note("seen")
    again = decode_error(through_text(encode_error(error)))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.args == error.args
    assert vars(again) == vars(error)


def test_a_failure_that_cannot_be_made_again_says_what_it_was() -> None:
    class Model(BaseModel):
        number: int

    with pytest.raises(ValueError, match="number") as caught:
        Model.model_validate({"number": "x"})
    again = decode_error(through_text(encode_error(caught.value)))
    assert isinstance(again, EffectFailedError)
    assert again.error_type == "pydantic_core._pydantic_core:ValidationError"
    assert "number" in str(again)


class AnsweredError(Exception):
    """Its text is made of something that JSON cannot hold."""

    def __init__(self, answer: complex) -> None:
        super().__init__("refused")
        self.answer = answer

    def __str__(self) -> str:
        return f"refused with {self.answer.real:g}"


class PairError(Exception):
    """Made of other arguments than it keeps."""

    def __new__(cls, *parts: str) -> Self:
        if len(parts) != 2:
            raise ValueError("a pair is needed")
        return super().__new__(cls, *parts)

    def __init__(self, *parts: str) -> None:
        super().__init__("".join(parts))


class TextlessError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (AnsweredError(3 + 0j), "refused with 3"),
        (PairError("a", "b"), "ab"),
        (TextlessError(), "str() raised RuntimeError"),
        (ValueError(10**5000), "str() raised ValueError"),
        (ValueError(math.nan), "nan"),
    ],
    ids=["text from an attribute", "other arguments", "no text", "a number too long to write", "no number"],
)
def test_every_failure_is_recorded_and_told_even_one_whose_class_cannot_be_made_or_read(
    error: Exception, text: str
) -> None:
    again = decode_error(through_text(encode_error(error)))
    assert text in str(again)
    assert type(error).__qualname__ in str(again) or type(again) is type(error)


def test_lone_surrogates_in_a_failure_are_replaced() -> None:
    record = encode_error(ValueError("\ud800!"))
    json.dumps(record, ensure_ascii=False).encode()
    assert repr(decode_error(record)) == "ValueError('\ufffd!')"


def test_a_failure_of_a_class_that_is_not_loaded_imports_nothing() -> None:
    record: JsonValue = {"type": "antigravity:Error", "text": "up", "args": ["up"], "attributes": {}, "notes": []}
    assert str(decode_error(record)) == "antigravity:Error: up"
