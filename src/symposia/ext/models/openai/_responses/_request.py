"""Requests of the Responses API: items, tools, the form of the answer, and the arguments that go with them."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, cast

from pydantic import BaseModel
from typing_extensions import override

from symposia._program_line import level_outside
from symposia.core import Image
from symposia.core.models import (
    AssistantMessage,
    CreateResult,
    FunctionExecutionResult,
    SystemMessage,
    UserMessage,
)
from symposia.core.tools import Tool, ToolSchema
from symposia.ext.models._conversions import ItemConversions
from symposia.ext.models._encoded_json import EncodedObject
from symposia.ext.models._wire_format import Body, ChatRequest, ToolChoice, without_none
from symposia.ext.models.openai._profiles import OpenAIProfile
from symposia.ext.models.openai._request import SAMPLING, MessageWriter, cache_key, write_response_format, write_tool
from symposia.ext.models.openai._responses._answer import (
    Item,
    ResponseWire,
    final_text,
    parse_response,
    read_function_calls,
    read_response,
)
from symposia.ext.models.openai._responses._stream import ResponseAssembly

ENCRYPTED_REASONING: Final = "reasoning.encrypted_content"
LOGPROBS: Final = "message.output_text.logprobs"

LACKING: Final = frozenset({
    "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "modalities", "n", "prediction",
    "presence_penalty", "seed", "stop", "web_search_options",
})  # fmt: skip
"""Arguments of Chat Completions that the Responses API does not have."""


class InputItem(EncodedObject):
    """An item of a request, with a hash of what it says."""

    @cached_property
    def digest(self) -> bytes:
        return item_digest(self)


def item_digest(item: Mapping[str, object]) -> bytes:
    """A hash that items of equal JSON share."""
    return sha256(json.dumps(item, sort_keys=True, separators=(",", ":")).encode()).digest()


class ResponsesFormat:
    """OpenAI's Responses API, for one model; see `WireFormat`.

    Args:
        writer: Writes messages.
        arguments: What goes with every request, as `adapt_response_arguments` gives it.
        cache_keys: Whether requests tell which of them begin alike; see `ChatCompletionsFormat`.
        keep: Whether answers keep all their items, so that a later request can refer to them.
    """

    def __init__(self, writer: ItemWriter, arguments: Body, *, cache_keys: bool, keep: bool) -> None:
        self._arguments = arguments
        self._cache_keys = cache_keys
        self._stored = bool(arguments.get("store"))
        self._keep = keep
        self._blocks = writer.blocks
        self._written = ItemConversions(writer.write)

    def write(self, request: ChatRequest, *, stream: bool) -> Body:
        """See `WireFormat.write`."""
        body: Body = {**self._arguments, "input": self._written.each(request.messages)}
        if self._cache_keys:
            body.setdefault("prompt_cache_key", cache_key(request.messages))
        _add_tools(body, request.tools, request.tool_choice)
        wanted = request.json_output
        extra = translate_arguments(request.extra_create_args)
        if wanted is not None:
            body = _merged(body, {"text": {"format": _text_format(write_response_format(wanted))}})
        body = _merged(body, extra)
        if stream:
            body["stream"] = True
        else:
            body.pop("stream_options", None)  # refused where nothing is streamed
        return body

    parse = staticmethod(parse_response)
    assembly = ResponseAssembly

    def read(self, whole: ResponseWire) -> CreateResult:
        """See `WireFormat.read`."""
        return read_response(whole, stored=self._stored, keep=self._keep, blocks=self._blocks)


class ItemWriter(MessageWriter):
    """Writes messages as items, which have no field for names.

    So a message of another source than ``user`` begins with its name, unless `include_name_in_message` is off: an agent
    of a team has to know who speaks.
    """

    @override
    def system(self, message: SystemMessage, /) -> tuple[InputItem, ...]:
        return (InputItem(role="system", content=message.content),)

    @override
    def user(self, message: UserMessage, /) -> tuple[InputItem, ...]:
        named = self.add_name_prefixes or (self.include_name_in_message and message.source != "user")
        return (InputItem(role="user", content=self.user_content(message, named=named)),)

    @override
    def assistant(self, message: AssistantMessage, /) -> tuple[InputItem, ...]:
        """An answer of the model; one that this API gave is unchanged, since reasoning must go back as it was."""
        received = cast("list[Item]", (message.vendor_blocks or {}).get(self.blocks, []))
        # A program may change a message, or keep its text alone. The items no longer stand for such a message.
        if received and message.content == (read_function_calls(received) or final_text(received)):
            return tuple(InputItem(cast("Mapping[str, object]", item)) for item in received)
        if isinstance(message.content, str):
            return (InputItem(role="assistant", content=message.content),)
        thought = [InputItem(role="assistant", content=message.thought)] if message.thought else []
        calls = (
            InputItem(type="function_call", call_id=call.id, name=call.name, arguments=call.arguments)
            for call in message.content
        )
        return (*thought, *calls)

    @override
    def results(self, results: Sequence[FunctionExecutionResult], /) -> tuple[InputItem, ...]:
        return tuple(InputItem(type="function_call_output", call_id=one.call_id, output=one.content) for one in results)

    @override
    def part(self, part: str | Image) -> dict[str, object]:
        if isinstance(part, str):
            return {"type": "input_text", "text": part}
        self.check_vision()
        image: Mapping[str, Any] = part.to_openai_format()["image_url"]
        return {"type": "input_image", "image_url": image["url"], "detail": image["detail"]}


def adapt_response_arguments(
    model: str, arguments: Mapping[str, object], profile: OpenAIProfile, *, deployment: str | None = None
) -> Body:
    """The arguments that every request carries, in the names of this API, without what this model refuses.

    Responses are not stored at the vendor unless the program asks for it, as with Chat Completions. Reasoning then has
    to come encrypted, so that it can be sent back.
    """
    given = without_none(arguments)
    body: Body = {"store": False, **translate_arguments(given), "model": deployment or model}
    if lacking := sorted(LACKING & given.keys() - ({"n"} if given.get("n") == 1 else set())):
        warnings.warn(
            f"The Responses API, which answers for model {model!r}, takes no {', '.join(lacking)}: left out of its "
            "requests. With api='chat' they are sent, where the model takes them.",
            stacklevel=level_outside(1),
        )
    if profile.effort is None:
        return body
    reasoning = cast("Mapping[str, object]", body.get("reasoning") or {})
    if (reasoning.get("effort") or profile.effort) != "none" and (refused := [n for n in SAMPLING if n in body]):
        warnings.warn(
            f"Model {model!r} takes no {', '.join(refused)} while it reasons: left out of its requests.",
            stacklevel=level_outside(1),
        )
        body = {name: value for name, value in body.items() if name not in refused}
    return _merged(body, {"include": [ENCRYPTED_REASONING]})


def translate_arguments(arguments: Mapping[str, object]) -> Body:
    """Arguments of Chat Completions in the names of this API; its own are left as they are."""
    body: Body = {}
    for name, value in arguments.items():
        match name:
            case "max_tokens" | "max_completion_tokens":
                body["max_output_tokens"] = value
            case "reasoning_effort":
                body = _merged(body, {"reasoning": {"effort": value}})
            case "verbosity":
                body = _merged(body, {"text": {"verbosity": value}})
            case "response_format":
                body = _merged(body, {"text": {"format": _text_format(value)}})
            case "logprobs":
                body = _merged(body, {"include": [LOGPROBS] if value else []})
            case "stream_options":
                if options := _without_usage(value):
                    body[name] = options
            case _ if name not in LACKING:
                body = _merged(body, {name: value})
            case _:
                pass
    return body


def _text_format(wanted: object) -> object:
    """The form of answers from what Chat Completions call it: there a schema has one level more."""
    if isinstance(wanted, type):
        wanted = write_response_format(cast("type[BaseModel]", wanted))
    schema = cast("Mapping[str, object]", wanted).get("json_schema") if isinstance(wanted, Mapping) else None
    if isinstance(schema, Mapping):
        return {"type": "json_schema", **cast("Mapping[str, object]", schema)}
    return cast("object", wanted)


def _without_usage(options: object) -> object:
    """The options of a stream but for its usage, which always comes."""
    if not isinstance(options, Mapping):
        return options
    given = cast("Mapping[str, object]", options)
    return {name: value for name, value in given.items() if name != "include_usage"}


def _merged(body: Body, more: Mapping[str, object]) -> Body:
    """The body with more arguments, which win; those made of parts are joined part by part."""
    merged = dict(body)
    for name, value in more.items():
        old = merged.get(name)
        if name in {"reasoning", "text"} and isinstance(old, Mapping) and isinstance(value, Mapping):
            merged[name] = {**cast("Mapping[str, object]", old), **cast("Mapping[str, object]", value)}
        elif name == "include" and isinstance(old, Sequence) and isinstance(value, Sequence):
            merged[name] = list(dict.fromkeys((*cast("Sequence[str]", old), *cast("Sequence[str]", value))))
        else:
            merged[name] = value
    return merged


def _add_tools(body: Body, tools: Sequence[Tool | ToolSchema], choice: ToolChoice) -> None:
    """Put the tools beside those that run at the vendor, which a program gives as their JSON."""
    hosted = cast("Sequence[object]", body.pop("tools", ()))
    if hosted or tools:
        body["tools"] = [*hosted, *map(_write_tool, tools)]
        body.setdefault("tool_choice", _write_tool_choice(choice))
    else:
        body.pop("parallel_tool_calls", None)
        body.pop("tool_choice", None)  # refused where there are no tools


def _write_tool(tool: Tool | ToolSchema) -> dict[str, object]:
    written = write_tool(tool)
    return {"type": "function", **cast("Mapping[str, object]", written["function"])}


def _write_tool_choice(choice: ToolChoice) -> object:
    return {"type": "function", "name": choice.name} if isinstance(choice, Tool) else choice
