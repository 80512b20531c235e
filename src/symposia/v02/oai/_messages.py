"""Messages as dictionaries of Chat Completions, made the messages of `symposia.core.models`, and tools likewise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from symposia.core import FunctionCall, Image
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
    UserMessage,
    VendorBlocks,
)
from symposia.core.tools import ToolSchema

Message: TypeAlias = Mapping[str, Any]  # Any: JSON
DATA: Final = "data:"


def read_messages(messages: Sequence[Message], blocks: Mapping[str, VendorBlocks], *, links: bool) -> list[LLMMessage]:
    """The messages of a request.

    Args:
        messages: Dictionaries with ``role`` and ``content``, as OpenAI's API takes them.
        blocks: What vendors need again of their answers, by the id of the answer's first tool call.
        links: Whether an image may be a link, for which its address stands.

    Raises:
        InvalidArgumentError: A role is unknown, or an image is a link and must not be.
    """
    results: list[FunctionExecutionResult] = []
    read: list[LLMMessage] = []
    names: dict[str, str] = {}
    for message in messages:
        role = message.get("role")
        if role in {"tool", "function"}:
            results.append(_result(message, names))
            continue
        if results:
            read.append(FunctionExecutionResultMessage(content=results))
            results = []
        if role == "assistant":
            answer = _answer(message, blocks)
            calls = answer.content if not isinstance(answer.content, str) else []
            names.update({call.id: call.name for call in calls})
            read.append(answer)
        else:
            read.append(_other(message, links=links))
    if results:
        read.append(FunctionExecutionResultMessage(content=results))
    return read


def _other(message: Message, *, links: bool) -> LLMMessage:
    content = message.get("content") or ""
    match message.get("role"):
        case "system" | "developer":
            return SystemMessage(content=_text(content))
        case "user":
            parts = content if isinstance(content, str) else list(_parts(content, links=links))
            return UserMessage(content=parts, source=message.get("name") or "")
        case role:
            raise InvalidArgumentError(
                f"A message has the role {role!r}: give system, user, assistant, tool or function."
            )


def _answer(message: Message, blocks: Mapping[str, VendorBlocks]) -> AssistantMessage:
    text, source = _text(message.get("content") or ""), message.get("name") or "assistant"
    calls = [_call(each.get("id") or "", each["function"]) for each in message.get("tool_calls") or ()]
    if function := message.get("function_call"):
        calls.append(_call(_id_of_function(function["name"]), function))
    if not calls:
        return AssistantMessage(content=text, source=source)
    return AssistantMessage(content=calls, thought=text or None, source=source, vendor_blocks=blocks.get(calls[0].id))


def _call(call_id: str, function: Mapping[str, Any]) -> FunctionCall:  # Any: JSON
    return FunctionCall(id=call_id, name=function["name"], arguments=function.get("arguments") or "")


def _result(message: Message, names: Mapping[str, str]) -> FunctionExecutionResult:
    name = message.get("name")
    call_id = message.get("tool_call_id") or (_id_of_function(name) if name else "")
    return FunctionExecutionResult(
        content=_text(message.get("content") or ""), name=name or names.get(call_id, ""), call_id=call_id
    )


def _id_of_function(name: str) -> str:
    """The id of a call of the former kind, which has none: its result follows it, and has the function's name."""
    return f"call_{name}"


def _text(content: str | Sequence[Any]) -> str:  # Any: JSON
    if isinstance(content, str):
        return content
    return "\n".join(part if isinstance(part, str) else str(part.get("text", "")) for part in content)


def _parts(content: Sequence[Any], *, links: bool) -> Iterator[str | Image]:  # Any: JSON
    for part in content:
        if isinstance(part, str):
            yield part
        elif "image_url" in part:
            image = part["image_url"]
            url: str = image if isinstance(image, str) else image["url"]
            if not url.startswith(DATA) and not links:
                raise InvalidArgumentError(
                    f"The image {url[:80]!r} is a link, which this vendor does not read: give it as a data: URI."
                )
            yield Image.from_uri(url) if url.startswith(DATA) else f"<image {url}>"
        else:
            yield str(part.get("text", ""))


def read_tools(request: Mapping[str, Any]) -> list[ToolSchema]:  # Any: JSON
    """The tools and the functions of a request, as schemas."""
    functions = [tool["function"] for tool in request.get("tools") or ()] + list(request.get("functions") or ())
    return [
        ToolSchema(
            name=each["name"],
            description=each.get("description", ""),
            parameters=each.get("parameters") or {"type": "object", "properties": {}},
        )
        for each in functions
    ]
