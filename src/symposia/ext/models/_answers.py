"""Reading answers: JSON checked against a vendor's types, and the results of what was read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Annotated, Final, TypeAlias, TypeVar, cast

from pydantic import ConfigDict, Discriminator, Field, TypeAdapter
from pydantic_core import CoreSchema, SchemaValidator

from symposia.core import FunctionCall
from symposia.core.exceptions import PartialAnswer
from symposia.core.models import (
    ChatCompletionTokenLogprob,
    CreateResult,
    FinishReasons,
    RequestUsage,
    VendorBlocks,
)
from symposia.ext.models._bounded_bodies import check_values
from symposia.ext.models._reported_errors import raise_reported

W = TypeVar("W")

OPEN: Final = ConfigDict(extra="allow")
"""The configuration of a vendor's types. What a service adds is kept, and some of it goes back to it."""

TokenCount: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=2**53)]
"""A count of tokens in an answer: not negative, and an integer that JSON can carry exactly (RFC 8259, section 6)."""


def by_type(known: Collection[str]) -> Discriminator:
    """Tells the members of a union by their ``type``; those of a type that is not known are tagged "other"."""

    def tag(value: object) -> str:
        kind = cast("Mapping[str, object]", value).get("type") if isinstance(value, Mapping) else None
        return kind if isinstance(kind, str) and kind in known else "other"

    return Discriminator(tag)


def json_parser(wire: type[W]) -> Callable[[bytes], W]:
    """A function that parses JSON and checks it against a type of the wire, in one step of compiled code.

    The SDKs' classes were rejected: building one takes 80 microseconds a streamed chunk (openai 3.52), where this takes
    2, and blocks that the vendor wants back have to stay as they came. The validator takes milliseconds to make, so it
    is made for the first answer and not when the module is imported.

    Args:
        wire: The type: a `TypedDict`, mostly. The function takes the body of a response or the data of an event, and
            raises a `ValueError` for JSON of another type: a `ReportedError` where it is the report of an error.
    """
    validate: Callable[[bytes], W] | None = None

    def parse(data: bytes) -> W:
        nonlocal validate
        if validate is None:
            validate = _validator(wire)
        check_values(data)
        try:
            return validate(data)
        except ValueError:
            raise_reported(data)
            raise

    return parse


def _validator(wire: type[W]) -> Callable[[bytes], W]:
    """What checks JSON, up to the first wrong item of a list.

    pydantic goes on by default, and keeps what is wrong with each item: of a list of four megabytes that takes 15
    seconds, and two gigabytes.
    """
    schema: object = TypeAdapter(wire).core_schema
    return SchemaValidator(cast("CoreSchema", _failing_fast(schema))).validate_json


def _failing_fast(schema: object) -> object:
    """A schema of pydantic, whose lists are checked up to the first wrong item."""
    if isinstance(schema, list):
        return [_failing_fast(each) for each in cast("list[object]", schema)]
    if not isinstance(schema, dict):
        return schema
    fields = {name: _failing_fast(each) for name, each in cast("dict[str, object]", schema).items()}
    return {**fields, "fail_fast": True} if fields.get("type") == "list" else fields


def create_result(
    text: str,
    thinking: str,
    calls: list[FunctionCall],
    reason: FinishReasons,
    usage: RequestUsage,
    *,
    logprobs: list[ChatCompletionTokenLogprob] | None = None,
    vendor_blocks: VendorBlocks | None = None,
) -> CreateResult:
    """The result of an answer.

    Text beside tool calls is in the `thought`, behind the model's thinking, since the calls have its place.

    Args:
        text: The text of the answer.
        thinking: What the model thought before it.
        calls: The tool calls.
        reason: Why the model stopped. Some vendors, and others for a call that was forced, say "stop" with calls.
        usage: The tokens of the request.
        logprobs: How likely the tokens of the answer were.
        vendor_blocks: What the vendor needs again.
    """
    thought = "\n".join(filter(None, (thinking, text))) if calls else thinking
    return CreateResult(
        finish_reason="function_calls" if calls and reason == "stop" else reason,
        content=calls or text,
        usage=usage,
        cached=False,
        logprobs=logprobs,
        thought=thought or None,
        vendor_blocks=vendor_blocks,
    )


def partial_answer(text: str, thought: str, calls: Iterable[FunctionCall], usage: RequestUsage) -> PartialAnswer:
    """The part of an answer that arrived before the failure, for `ModelError.partial`."""
    return PartialAnswer(
        text=text,
        thought=thought,
        tool_calls=[{"id": call.id, "name": call.name, "arguments": call.arguments} for call in calls],
        usage={"prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.completion_tokens},
    )
