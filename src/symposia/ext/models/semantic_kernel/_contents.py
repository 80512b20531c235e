"""Conversations as Semantic Kernel's contents, and its answers as JSON of Chat Completions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, Final, cast

from symposia.core.exceptions import InvalidArgumentError
from symposia.ext.models._wire_format import Body

PLUGIN: Final = "tools"
"""The plugin in which the tools of a request are functions of the kernel."""
SEPARATOR: Final = "-"
"""Between plugin and function in the names that models see."""
Contents = Any  # Any: classes of a library that is not in every environment


def _module(name: str) -> Contents:
    """A module of Semantic Kernel, which takes seconds to import: a program with a connector has done so."""
    return import_module(f"semantic_kernel.{name}")


def chat_history(messages: Iterable[Mapping[str, Any]]) -> Contents:
    """A ``ChatHistory`` of messages in OpenAI's format."""
    sk = _module("contents")
    history = sk.ChatHistory()
    for message in messages:
        history.add_message(sk.ChatMessageContent(role=message["role"], items=_items(message)))
    return history


def _items(message: Mapping[str, Any]) -> list[Contents]:
    sk = _module("contents")
    content = message.get("content") or ""
    if message["role"] == "tool":
        call_id = message["tool_call_id"]
        return [sk.FunctionResultContent(id=call_id, name=f"{PLUGIN}{SEPARATOR}result", result=content)]
    parts: Sequence[Mapping[str, Any]] = [{"type": "text", "text": content}] if isinstance(content, str) else content
    items: list[Contents] = [
        sk.TextContent(text=part["text"])
        if part["type"] == "text"
        else sk.ImageContent(data_uri=part["image_url"]["url"])
        for part in parts
        if part.get("text") != ""
    ]
    calls: Sequence[Mapping[str, Any]] = message.get("tool_calls") or ()
    items += [
        sk.FunctionCallContent(
            id=call["id"],
            name=f"{PLUGIN}{SEPARATOR}{call['function']['name']}",
            arguments=call["function"]["arguments"],
        )
        for call in calls
    ]
    return items or [sk.TextContent(text="")]


def with_tools(kernel: Contents, tools: Sequence[Mapping[str, Any]]) -> Contents:
    """A copy of a kernel that has tools in OpenAI's format as functions, for the model to see.

    They are never called by it: the calls come back to the caller.

    Raises:
        InvalidArgumentError: Semantic Kernel has no place for a part of a tool.
    """
    sk = _module("functions")
    functions: list[Contents] = []
    for tool in tools:
        described: Mapping[str, Any] = tool["function"]
        schema: Mapping[str, Any] = described["parameters"]
        if "$defs" in schema:
            raise InvalidArgumentError(
                f"The schema of tool {described['name']!r} has definitions, which Semantic Kernel leaves out: give the "
                "tool arguments of plain types."
            )

        async def call() -> None:
            """Do nothing: see `with_tools`."""

        named = sk.kernel_function(call, name=described["name"], description=described.get("description") or None)
        function = sk.KernelFunctionFromMethod(method=named, plugin_name=PLUGIN)
        required = schema.get("required", ())
        function.metadata = sk.KernelFunctionMetadata(
            name=described["name"],
            plugin_name=PLUGIN,
            description=described.get("description") or None,
            is_prompt=False,
            parameters=[
                sk.KernelParameterMetadata(name=name, schema_data=dict(part), is_required=name in required)
                for name, part in schema.get("properties", {}).items()
            ],
        )
        functions.append(function)
    copy = kernel.clone()
    copy.add_plugin(sk.KernelPlugin(name=PLUGIN, functions=functions))
    return copy


def function_choice(choice: object) -> Contents:
    """How the model may choose among the tools, of which none is called by the kernel itself."""
    behaviour = _module("connectors.ai").FunctionChoiceBehavior
    only = {"included_plugins": [PLUGIN]}
    if isinstance(choice, Mapping):
        name = cast("Mapping[str, Any]", choice)["function"]["name"]
        return behaviour.Required(auto_invoke=False, filters={"included_functions": [f"{PLUGIN}{SEPARATOR}{name}"]})
    if choice == "required":
        return behaviour.Required(auto_invoke=False, filters=only)
    if choice == "none":
        return behaviour.NoneInvoke(filters=only)
    return behaviour.Auto(auto_invoke=False, filters=only)


def completion(content: Contents) -> Body:
    """An answer as JSON of Chat Completions."""
    choice = {"index": 0, "message": _message(content), "finish_reason": _finish_reason(content) or "stop"}
    return {"choices": [choice], "usage": _usage(content)}


def chunk(content: Contents) -> Body:
    """A piece of an answer as a chunk of Chat Completions."""
    delta = _message(content)
    choice = {"index": 0, "delta": delta, "finish_reason": _finish_reason(content)}
    return {"choices": [choice], "usage": _usage(content)}


def _message(content: Contents) -> Body:
    kinds = {"text": "content", "streaming_text": "content", "reasoning": "reasoning_content"}
    texts: dict[str, object] = {}
    calls: list[Body] = []
    for item in content.items:
        kind = str(getattr(item, "content_type", "")).removeprefix("streaming_")
        if kind == "function_call":
            calls.append(_call(item, len(calls)))
        elif name := kinds.get(kind):
            texts[name] = f"{texts.get(name, '')}{item.text or ''}"
    return {**texts, "tool_calls": calls} if calls else texts


def _call(item: Contents, number: int) -> Body:
    name = (item.name or item.function_name or "").removeprefix(f"{PLUGIN}{SEPARATOR}")
    arguments = item.arguments if isinstance(item.arguments, str) else _dumped(item.arguments)
    index = number if item.index is None else item.index
    return {"index": index, "id": item.id, "function": {"name": name or None, "arguments": arguments}}


def _dumped(arguments: Mapping[str, object] | None) -> str:
    return "" if arguments is None else json.dumps(arguments)


def _finish_reason(content: Contents) -> str | None:
    reason = content.finish_reason
    return None if reason is None else str(getattr(reason, "value", reason))


def _usage(content: Contents) -> Body | None:
    usage: Any = content.metadata.get("usage")
    if usage is None:
        return None
    return {
        "prompt_tokens": getattr(usage, "prompt_tokens", None),
        "completion_tokens": getattr(usage, "completion_tokens", None),
    }
