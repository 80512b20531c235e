"""Requests of Ollama's chat: messages, tools, the form of the answer, and the arguments that go with them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
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
from symposia.ext.models._encoded_json import EncodedItems, encode_object
from symposia.ext.models._message_writers import BaseMessageWriter
from symposia.ext.models._prompts import JSON_INSTRUCTION
from symposia.ext.models._tool_calls import arguments_object
from symposia.ext.models._tool_descriptions import function_description, tool_name, tool_schema
from symposia.ext.models._wire_format import Body, JsonObject, JsonOutput, ToolChoice, without_none
from symposia.ext.models.ollama._answer import VENDOR

MODEL_OPTIONS: Final = frozenset({
    "frequency_penalty", "main_gpu", "min_p", "mirostat", "mirostat_eta", "mirostat_tau", "num_batch", "num_ctx",
    "num_gpu", "num_keep", "num_predict", "num_thread", "numa", "penalize_newline", "presence_penalty", "repeat_last_n",
    "repeat_penalty", "seed", "stop", "temperature", "tfs_z", "top_k", "top_p", "typical_p", "use_mlock", "use_mmap",
})  # fmt: skip
"""Fields of ``options``, which may be given beside it as well; Ollama's reference of Modelfiles explains them."""


class MessageWriter(BaseMessageWriter[list[bytes]]):
    """Writes messages as bytes in Ollama's format, in which each result of a tool is a message of its own."""

    @override
    def system(self, message: SystemMessage, /) -> list[bytes]:
        return [encode_object({"role": "system", "content": message.content})]

    @override
    def user(self, message: UserMessage, /) -> list[bytes]:
        parts = [message.content] if isinstance(message.content, str) else message.content
        text = "\n".join(part for part in parts if isinstance(part, str))
        written: JsonObject = {"role": "user", "content": text}
        if images := [part for part in parts if isinstance(part, Image)]:
            self.check_vision()
            written["images"] = [image.to_base64() for image in images]
        return [encode_object(written)]

    @override
    def assistant(self, message: AssistantMessage, /) -> list[bytes]:
        if isinstance(message.content, str) or not message.content:
            return [encode_object({"role": "assistant", "content": message.content or ""})]
        # The thinking before a call is returned apart from the text beside it, since templates write it apart. That of
        # earlier answers is left out, as templates do.
        received = next(iter((message.vendor_blocks or {}).get(VENDOR, ())), {"content": message.thought or ""})
        calls = [
            {"id": call.id, "function": {"name": call.name, "arguments": arguments_object(call.arguments)}}
            for call in message.content
        ]
        return [encode_object({"role": "assistant", **received, "tool_calls": calls})]

    @override
    def results(self, results: Sequence[FunctionExecutionResult], /) -> list[bytes]:
        return [
            encode_object({"role": "tool", "content": one.content, "tool_name": one.name, "tool_call_id": one.call_id})
            for one in results
        ]


def adapt_arguments(model: str, arguments: Mapping[str, object]) -> Body:
    """The arguments of every request, with the model's options in their place."""
    body: Body = {"model": model}
    add_arguments(body, arguments)
    return body


def add_arguments(body: Body, arguments: Mapping[str, object]) -> None:
    """Put arguments into a request: options of the model under ``options``, where the server looks for them."""
    given = without_none(arguments)
    options = cast("JsonObject", given.pop("options", {}))
    beside = {name: given.pop(name) for name in MODEL_OPTIONS & given.keys()}
    if (limit := given.pop("max_tokens", None)) is not None:  # as most vendors call it
        beside["num_predict"] = limit
    if options or beside:
        given["options"] = {**cast("JsonObject", body.get("options", {})), **options, **beside}
    body.update(given)


def add_tools(body: Body, tools: Sequence[Tool | ToolSchema], choice: ToolChoice) -> None:
    """Put the tools into a request.

    Ollama has no choice among them. A certain tool is offered alone, and for ``none`` there are none; that the model
    calls one can be asked for in the prompt only.
    """
    if not isinstance(choice, str | None):
        tools = [tool for tool in tools if tool_name(tool) == choice.name]
    own = cast("Sequence[object]", body.pop("tools", ()))
    if choice != "none" and (tools or own):
        body["tools"] = [*own, *map(write_tool, tools)]


def write_tool(tool: Tool | ToolSchema) -> JsonObject:
    """The description of a tool for the model."""
    return {"type": "function", "function": function_description(tool_schema(tool))}


def add_response_format(body: Body, wanted: JsonOutput) -> None:
    """Put the form of the answer into a request.

    ``format`` constrains every token of an answer, those of tool calls as well, so that a model with both calls no tool
    (https://github.com/ollama/ollama/issues/8095). With tools the form is asked for in words.
    """
    if not wanted:
        return
    schema = _schema(wanted) if isinstance(wanted, type) else None
    if "tools" not in body:
        body["format"] = schema or "json"
        return
    keeping = "" if schema is None else f" It keeps to this JSON schema: {json.dumps(schema)}"
    messages = cast("EncodedItems", body["messages"])
    words = f"Unless you call a tool: {JSON_INSTRUCTION}{keeping}"
    body["messages"] = EncodedItems([encode_object({"role": "system", "content": words}), *messages])


@lru_cache(maxsize=256)
def _schema(model: type[BaseModel]) -> JsonObject:
    return model.model_json_schema()
