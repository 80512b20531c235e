"""Requests of Mistral's chat: messages in the order that it takes, tools, and the form of the answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Final, cast

from pydantic import BaseModel
from typing_extensions import override

from symposia.core import Image
from symposia.core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    SystemMessage,
    UserMessage,
)
from symposia.core.tools import Tool, ToolSchema
from symposia.ext.models._encoded_json import EncodedObject
from symposia.ext.models._message_writers import BaseMessageWriter
from symposia.ext.models._prompts import CONTINUE, EMPTY, quoted_system
from symposia.ext.models._strict_schemas import schema_name
from symposia.ext.models._tool_calls import write_call
from symposia.ext.models._tool_descriptions import check_tool_name, function_description, tool_schema
from symposia.ext.models._wire_format import Body, ChatRequest, JsonObject, JsonOutput, ToolChoice, without_none
from symposia.ext.models.mistral._answer import ID_LENGTH, VENDOR

RECEIVED: Final = "Received."
"""The assistant's turn between results of tools and a message of the user, which the API demands."""
_TOOL_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_CALL_ID: Final = re.compile(rf"[a-zA-Z0-9]{{{ID_LENGTH}}}")
_TOOL_CHOICES: Final = {"required": "any"}
"""Mistral's word, where it is not ours: the one that its API has had from the first."""


class MessageWriter(BaseMessageWriter[list[EncodedObject]]):
    """Writes messages in Mistral's format, in which each result of a tool is a message of its own."""

    @override
    def system(self, message: SystemMessage, /) -> list[EncodedObject]:
        """Instructions behind the first others, as text of the user: the API refuses them after an answer."""
        return [EncodedObject(role="user", content=quoted_system(message))]

    @override
    def user(self, message: UserMessage, /) -> list[EncodedObject]:
        content = message.content
        chunks = content if isinstance(content, str) else [self._chunk(part) for part in content or [EMPTY]]
        return [EncodedObject(role="user", content=chunks)]

    @override
    def assistant(self, message: AssistantMessage, /) -> list[EncodedObject]:
        returned = (message.vendor_blocks or {}).get(VENDOR)
        if isinstance(message.content, str) or not message.content:
            return [EncodedObject(role="assistant", content=returned or message.content or EMPTY)]
        calls = [write_call(call_id(call.id), call.name, call.arguments or "{}") for call in message.content]
        return [EncodedObject(role="assistant", content=returned or message.thought or "", tool_calls=calls)]

    @override
    def results(self, results: Sequence[FunctionExecutionResult], /) -> list[EncodedObject]:
        return [
            EncodedObject(role="tool", tool_call_id=call_id(one.call_id), name=one.name, content=one.content)
            for one in results
        ]

    def _chunk(self, part: str | Image) -> JsonObject:
        if isinstance(part, str):
            return {"type": "text", "text": part}
        self.check_vision()
        return {"type": "image_url", "image_url": part.data_uri}


def call_id(given: str) -> str:
    """The id of a tool call as Mistral takes it: nine letters and digits, the same for each of another vendor."""
    return given if _CALL_ID.fullmatch(given) else sha256(given.encode(errors="replace")).hexdigest()[:ID_LENGTH]


def order_messages(systems: Iterable[SystemMessage], messages: Iterable[EncodedObject]) -> list[EncodedObject]:
    """All messages, in an order that the API takes.

    It refuses a message of the user behind results of tools, as after a turn that was cancelled, and an answer at the
    end (``mistral_common.protocol.instruct.validator``).
    """
    ordered = [EncodedObject(role="system", content=message.content) for message in systems]
    for message in messages:
        if ordered and ordered[-1]["role"] == "tool" and message["role"] == "user":
            ordered.append(EncodedObject(role="assistant", content=RECEIVED))
        ordered.append(message)
    if ordered and ordered[-1]["role"] == "assistant" and not ordered[-1].get("prefix"):
        ordered.append(EncodedObject(role="user", content=CONTINUE))
    return ordered


def write_request(arguments: Body, messages: Sequence[EncodedObject], request: ChatRequest, *, stream: bool) -> Body:
    """The whole request."""
    body: Body = {**arguments, "messages": messages}
    hosted = cast("Sequence[object]", body.get("tools") or ())  # such as a search, which runs at the vendor
    if request.tools or hosted:
        body["tools"] = [*hosted, *map(write_tool, request.tools)]
        body["tool_choice"] = write_tool_choice(request.tool_choice)
    else:
        body.pop("parallel_tool_calls", None)  # says nothing where there are no tools
    if request.json_output is not None:
        body["response_format"] = write_response_format(request.json_output)
    add_arguments(body, request.extra_create_args)
    if stream:
        body["stream"] = True
    return body


def add_arguments(body: Body, arguments: Mapping[str, object]) -> None:
    """Put arguments into a request, which win over those that it has."""
    given = without_none(arguments)
    if "seed" in given:  # as most vendors call it
        given["random_seed"] = given.pop("seed")
    if isinstance(schema := given.get("response_format"), type):
        given["response_format"] = write_response_format(cast("type[BaseModel]", schema))
    body.update(given)


def write_tool(tool: Tool | ToolSchema) -> JsonObject:
    """The description of a tool for the model.

    Raises:
        InvalidArgumentError: Mistral does not allow its name.
    """
    schema = tool_schema(tool)
    check_tool_name(schema, _TOOL_NAME, "Mistral allows 1 to 64 letters, digits, underscores and hyphens")
    return {"type": "function", "function": {**function_description(schema), "strict": schema.get("strict", False)}}


def write_tool_choice(choice: ToolChoice) -> object:
    """Whether the model may, must or must not call a tool."""
    if isinstance(choice, Tool):
        return {"type": "function", "function": {"name": choice.name}}
    return _TOOL_CHOICES.get(choice, choice)


def write_response_format(wanted: JsonOutput) -> JsonObject:
    """The form of the answer."""
    match wanted:
        case None | False:
            return {"type": "text"}
        case True:
            return {"type": "json_object"}
        case schema:
            return _schema_format(schema)


@lru_cache(maxsize=256)
def _schema_format(model: type[BaseModel]) -> JsonObject:
    from mistralai.extra.utils.response_format import response_format_from_pydantic_model  # noqa: PLC0415 - the SDK

    written = cast("JsonObject", response_format_from_pydantic_model(model))
    return {**written, "json_schema": {**written["json_schema"], "name": schema_name(model)}}
