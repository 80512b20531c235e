"""The pure half of a vendor's client: a request as JSON, and answers read from JSON. No I/O happens here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, Protocol, TypeAlias, TypeVar, cast
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic_core import from_json

from symposia.core import CancellationToken, FunctionCall
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, PartialAnswer
from symposia.core.json_values import encodable
from symposia.core.models import CreateResult, LLMMessage, RequestUsage
from symposia.core.tools import Tool, ToolSchema
from symposia.ext.models._conversions import ConversionCache as ConversionCache  # noqa: PLC0414 - every format needs it
from symposia.ext.models._conversions import ItemConversions as ItemConversions  # noqa: PLC0414 - likewise
from symposia.ext.models._reported_errors import raise_reported

Body: TypeAlias = dict[str, object]
"""A request as JSON, with the SDK's own options (``extra_headers``, ``timeout``, …) beside the vendor's fields."""
JsonObject: TypeAlias = dict[str, Any]  # Any: JSON of a model, a vendor or a tool's schema
OPEN: Final = ConfigDict(extra="allow")
"""The configuration of a vendor's types. What a service adds is kept, and some of it goes back to it."""

W = TypeVar("W")
W_co = TypeVar("W_co", covariant=True)

ToolChoice: TypeAlias = Tool | Literal["auto", "required", "none"]
JsonOutput: TypeAlias = bool | type[BaseModel] | None

TokenCount: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=2**53)]
"""A count of tokens in an answer: not negative, and an integer that JSON can carry exactly (RFC 8259, section 6)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatRequest:
    """The arguments of `ChatCompletionClient.create`, with their defaults."""

    messages: Sequence[LLMMessage]
    tools: Sequence[Tool | ToolSchema] = ()
    tool_choice: ToolChoice = "auto"
    json_output: JsonOutput = None
    extra_create_args: Mapping[str, object] = field(default_factory=dict[str, object])
    cancellation_token: CancellationToken | None = None


class StreamAssembly(Protocol[W_co]):
    """A streamed answer that is being put together."""

    @property
    def complete(self) -> bool:
        """Whether the vendor marked the end of the stream, so that reading can stop."""
        ...

    def feed(self, event: bytes, /) -> str:
        """Take the data of the next event, and return the text that it adds to the answer.

        Raises:
            ValueError: It is not an event of this format, or it reports an error.
        """
        ...

    def whole(self) -> W_co:
        """The answer as the vendor would have sent it without streaming.

        Raises:
            ValueError: The vendor's end marker has not come. The end of the bytes is not one: connections are cut, and
                proxies end streams that their upstream left unfinished.
        """
        ...

    def partial(self) -> PartialAnswer:
        """The part of the answer that has arrived."""
        ...


class WireFormat(Protocol[W]):
    """How a vendor writes requests and answers. `W` is the type of an answer as JSON, after it was checked."""

    def write(self, request: ChatRequest, /, *, stream: bool) -> Body:
        """A request as JSON.

        A format may ask for a stream where a whole answer was wanted, by ``"stream": True``; the client collects it.

        Raises:
            ValueError: The vendor cannot be asked this.
        """
        ...

    def parse(self, data: bytes, /) -> W:
        """The body of a response that was not streamed, checked to be an answer.

        Raises:
            ValueError: It is not an answer of this format, or it reports an error.
        """
        ...

    def read(self, whole: W, /) -> CreateResult:
        """The result of an answer.

        Raises:
            ValueError: The answer contradicts itself.
        """
        ...

    def assembly(self) -> StreamAssembly[W]:
        """An empty assembly, for one streamed answer."""
        ...


def tool_schema(tool: Tool | ToolSchema) -> ToolSchema:
    """The description of a tool for the model.

    Raises:
        ArgumentTypeError: It is neither a tool nor a schema.
    """
    if isinstance(tool, Tool):
        return tool.schema
    if not isinstance(tool, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
        raise ArgumentTypeError(f"A tool of a model is a Tool, such as FunctionTool(function, '…'), not {tool!r}.")
    return tool


def check_tool_name(schema: ToolSchema, allowed: re.Pattern[str], rule: str) -> None:
    """Check the name of a tool before it is sent: a vendor's error names neither the tool nor the rule.

    Args:
        schema: The tool's description.
        allowed: What the whole name has to match.
        rule: The same in words, as in ``OpenAI allows 1 to 64 letters``.

    Raises:
        InvalidArgumentError: The vendor refuses it.
    """
    if not allowed.fullmatch(schema["name"]):
        raise InvalidArgumentError(f"Tool name {schema['name']!r}: {rule}.")


def function_description(schema: ToolSchema) -> dict[str, object]:
    """A function's description in OpenAI's format, and in those that follow it."""
    return {
        "name": schema["name"],
        "description": schema.get("description", ""),
        "parameters": schema.get("parameters", {"type": "object", "properties": {}}),
    }


def tool_name(tool: Tool | ToolSchema) -> str:
    """The name by which the model calls a tool."""
    return tool.name if isinstance(tool, Tool) else tool["name"]


def takes_no_images(model: str) -> InvalidArgumentError:
    """The error of a message with an image, to a model that cannot see."""
    return InvalidArgumentError(f"A message has an image, and model {model!r} takes none, by its model_info.")


def new_call_id() -> str:
    """An id for a tool call that came without one: its result is found by it."""
    return f"call_{uuid4().hex}"


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
            validate = TypeAdapter(wire).validate_json
        try:
            return validate(data)
        except ValueError:
            raise_reported(data)
            raise

    return parse


def arguments_object(text: str) -> dict[str, object]:
    """The arguments of a call as an object, for APIs that take nothing else; other text is put into one."""
    parsed: object = text
    with suppress(ValueError):  # cut off, or no JSON
        parsed = from_json(encodable(text) or "{}", allow_inf_nan=False)
    return cast("dict[str, object]", parsed) if isinstance(parsed, dict) else {"arguments": parsed}


def parse_arguments(text: str) -> object:
    """Arguments as JSON; as text where that is not possible: they were cut off, or nest deeper than parsers go."""
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError:
        return text


def join_thought(reasoning: str, text: str, *, has_calls: bool) -> str | None:
    """The `thought` of a result: the model's reasoning, and the text beside tool calls, which have its place."""
    return ("\n".join(filter(None, (reasoning, text))) if has_calls else reasoning) or None


def partial_answer(text: str, thought: str, calls: Iterable[FunctionCall], usage: RequestUsage) -> PartialAnswer:
    """The part of an answer that arrived before the failure, for `ModelError.partial`."""
    return PartialAnswer(
        text=text,
        thought=thought,
        tool_calls=[{"id": call.id, "name": call.name, "arguments": call.arguments} for call in calls],
        usage={"prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.completion_tokens},
    )
