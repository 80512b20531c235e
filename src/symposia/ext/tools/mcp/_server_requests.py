"""What servers ask of this program: an answer of a model, an answer of a person, and the folders that they may use."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, cast

from pydantic import JsonValue

from symposia._lazy import lazy_module
from symposia.core import Image
from symposia.core.effects import HumanAnswer, HumanFunction, HumanQuestion, ask_human
from symposia.core.exceptions import SymposiaError
from symposia.core.models import (
    AssistantMessage,
    ChatCompletionClient,
    LLMMessage,
    SystemMessage,
    UserMessage,
    call_model,
)
from symposia.ext.tools.mcp._results import head_and_tail

if TYPE_CHECKING:
    from symposia.ext.tools.mcp import _sdk as sdk
else:
    sdk = lazy_module("symposia.ext.tools.mcp._sdk")

_ATTEMPTS: Final = 3
"""How often a person is asked for an answer of the right form."""
_QUOTED: Final = 8_000
"""Characters of a server's request that a question shows: some four pages. Of a longer one the middle is left out."""

_MALFORMED: Final = (ValueError, TypeError, LookupError, AttributeError, OSError, ImportError)
"""What reading a value of another form than the protocol's raises. A picture that is none is an `OSError`."""

Object = dict[str, Any]  # Any: JSON


class ElicitationQuestion(HumanQuestion):
    """A question of a server to a person.

    Its reply is a text. An empty one declines, or leaves out a field that need not be given.

    Attributes:
        server: The server.
        message: What it says.
        field: The name of the field that is asked for; None where a consent is.
        field_schema: The JSON schema of the field.
    """

    server: str
    message: str
    field: str | None
    field_schema: Object

    def __new__(
        cls,
        server: str,
        message: str,
        field: str | None,
        field_schema: Object,
        text: str,
        approval_of: JsonValue = None,
    ) -> Self:
        question = super().__new__(cls, text, approval_of=approval_of)
        question.server, question.message = server, message
        question.field, question.field_schema = field, field_schema
        return question


class ServerRequests:
    """Answers the requests of one server. Each is offered to the server only if there is something to answer it with.

    Args:
        server: The server, for questions.
        model_client: Answers its requests for answers of a model.
        approve_sampling: Asks a person for an approval before that; None approves all.
        elicit: Asks a person what the server wants to know.
        roots: The folders or addresses that the server may use.
    """

    def __init__(
        self,
        server: str,
        model_client: ChatCompletionClient | None,
        approve_sampling: HumanFunction[HumanQuestion] | None,
        elicit: HumanFunction[ElicitationQuestion] | None,
        roots: Sequence[str | Path],
    ) -> None:
        self._server = server
        self._client = model_client
        self._approve_sampling = approve_sampling
        self._elicit = elicit
        self._roots = list(roots)
        self._while_asking: Callable[[], AbstractContextManager[None]] = nullcontext
        present = {"sampling": model_client, "elicitation": elicit, "roots": roots}
        self.offered = frozenset(name for name, given in present.items() if given)

    def pausing(self, while_asking: Callable[[], AbstractContextManager[None]]) -> ServerRequests:
        """The same, which asks people inside of `while_asking`."""
        paused = copy(self)
        paused._while_asking = while_asking  # noqa: SLF001 - a copy of this object
        return paused

    async def answer(self, request: str, params: Object) -> Object:
        """Answer a request.

        Raises:
            RequestRefused: It is not granted.
        """
        if request == "sampling":
            return await self._sample(params)
        if request == "elicitation":
            try:
                return await self._ask(params)
            except SymposiaError:  # the person could not be asked
                raise
            except _MALFORMED as error:
                raise sdk.RequestRefused(f"The schema is not one of an elicitation: {error}") from error
        return {"roots": [{"uri": _uri(root)} for root in self._roots]}

    async def _sample(self, params: Object) -> Object:
        assert self._client is not None  # noqa: S101 - else it is not offered
        if self._approve_sampling is not None:
            question = HumanQuestion(
                f"May the MCP server '{self._server}' ask the model this? {_sampling_text(params)}",
                approval_of={"server": self._server, "sampling": params},
            )
            with self._while_asking():
                answer = await ask_human(self._approve_sampling, question)
            if not answer.approved:
                raise sdk.RequestRefused(f"The request was not approved. {answer.text}".strip())
        can_see = self._client.model_info["vision"]
        try:
            messages: list[LLMMessage] = [_as_message(each, can_see=can_see) for each in params["messages"]]
        except _MALFORMED as error:
            raise sdk.RequestRefused(f"A message cannot be read: {error}") from error
        if params.get("systemPrompt"):
            messages.insert(0, SystemMessage(content=params["systemPrompt"]))
        result = await call_model(self._client, messages)
        if not isinstance(result.content, str):
            raise sdk.RequestRefused("The model asked for tools instead of answering.")
        return {
            "role": "assistant",
            "content": {"type": "text", "text": result.content},
            "model": str(self._client.effect_identity().get("model", type(self._client).__name__)),
            "stopReason": "maxTokens" if result.finish_reason == "length" else "endTurn",
        }

    async def _ask(self, params: Object) -> Object:
        message = str(params.get("message", ""))
        if params.get("mode") == "url":
            return await self._consent(f"{message}\nOpen this address: {params.get('url')}", message, params)
        schema = cast("Object", params.get("requestedSchema") or {})
        fields = cast("dict[str, Object]", schema.get("properties") or {})
        if not fields:
            return await self._consent(message, message, params)
        required = set(cast("list[str]", schema.get("required") or []))
        content: Object = {}
        for name, field in fields.items():
            value = await self._field(message, name, field, is_required=name in required)
            if value is not None:
                content[name] = value
            elif name in required:
                return {"action": "decline"}
        return {"action": "accept", "content": content}

    async def _consent(self, text: str, message: str, params: Object) -> Object:
        question = ElicitationQuestion(
            self._server,
            message,
            None,
            {},
            self._said(text),
            approval_of={"server": self._server, "elicitation": params},
        )
        answer = await self._ask_person(question)
        return {"action": "accept", "content": {}} if answer.approved else {"action": "decline"}

    async def _ask_person(self, question: ElicitationQuestion) -> HumanAnswer:
        assert self._elicit is not None  # noqa: S101 - else it is not offered
        with self._while_asking():
            return await ask_human(self._elicit, question)

    async def _field(self, message: str, name: str, field: Object, *, is_required: bool) -> JsonValue:
        """The value of a field; None if the person gives none."""
        described = head_and_tail(_describe(name, field, is_required=is_required), _QUOTED)
        text = f"{self._said(message)}\n{described}"
        fault = ""
        for _ in range(_ATTEMPTS):
            question = ElicitationQuestion(self._server, message, name, field, f"{text}{fault}")
            answer = await self._ask_person(question)
            if not answer.text.strip():
                return cast("JsonValue", field.get("default"))
            try:
                return read_field(answer.text.strip(), field)
            except ValueError as error:
                fault = f"\n{error}"
        return None

    def _said(self, text: str) -> str:
        return f"The MCP server '{self._server}' asks: {head_and_tail(text, _QUOTED)}"


def read_field(text: str, field: Object) -> JsonValue:
    """A person's words as the value of a field.

    Raises:
        ValueError: They are none; its text says what is wanted.
    """
    kind = field.get("type", "string")
    if kind == "array":
        return _several(text, field)
    if choices := _choices(field):
        return _choice(text, choices)
    if kind == "boolean":
        if text.lower() not in {"yes", "y", "true", "no", "n", "false"}:
            raise ValueError("Answer yes or no.")
        return text.lower() in {"yes", "y", "true"}
    if kind in {"integer", "number"}:
        return _number(text, field, whole=kind == "integer")
    if len(text) < field.get("minLength", 0) or len(text) > field.get("maxLength", len(text)):
        raise ValueError(f"Give {field.get('minLength', 0)} to {field.get('maxLength', 'any number of')} characters.")
    return text


def _choices(field: Object) -> dict[str, str]:
    """The values that a field may have, each with its title; empty if it may have any."""
    titled = cast("list[Object]", field.get("oneOf") or field.get("anyOf") or [])
    if titled:
        return {str(each.get("const")): str(each.get("title") or each.get("const")) for each in titled}
    values = cast("list[object]", field.get("enum") or [])
    return dict(zip(map(str, values), map(str, field.get("enumNames") or values), strict=False))


def _choice(text: str, choices: dict[str, str]) -> str:
    """The value that a person names by itself or by its title."""
    for value, title in choices.items():
        if text.casefold() in {value.casefold(), title.casefold()}:
            return value
    raise ValueError(f"Give one of: {_shown(choices)}.")


def _several(text: str, field: Object) -> list[JsonValue]:
    choices = _choices(cast("Object", field.get("items") or {}))
    named = [each.strip() for each in text.split(",") if each.strip()]
    least, most = field.get("minItems", 0), field.get("maxItems", len(named))
    if not least <= len(named) <= most:
        raise ValueError(f"Give {least} to {field.get('maxItems', 'any number')} of them, with commas between.")
    return [_choice(each, choices) if choices else each for each in named]


def _shown(choices: dict[str, str]) -> str:
    return ", ".join(value if title == value else f"{value} ({title})" for value, title in choices.items())


def _number(text: str, field: Object, *, whole: bool) -> int | float:
    wanted = ValueError("Give a whole number." if whole else "Give a number.")
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        raise wanted from None
    if isinstance(value, float) and not math.isfinite(value):  # JSON has no such numbers
        raise wanted
    lowest, highest = field.get("minimum", value), field.get("maximum", value)
    if not lowest <= value <= highest:
        raise ValueError(f"Give a number from {lowest} to {highest}.")
    return value


def _describe(name: str, field: Object, *, is_required: bool) -> str:
    notes = [str(field["description"])] if field.get("description") else []
    kind = field.get("type", "string")
    if kind == "array":
        choices = _choices(cast("Object", field.get("items") or {}))
        notes.append(f"any of {_shown(choices)}, with commas between" if choices else "with commas between")
    elif choices := _choices(field):
        notes.append(f"one of {_shown(choices)}")
    elif kind in {"boolean", "integer", "number"}:
        notes.append("yes or no" if kind == "boolean" else "a number")
    if "default" in field:
        notes.append(f"an empty answer is {json.dumps(field['default'], ensure_ascii=False)}")
    else:
        notes.append("an empty answer declines" if is_required else "may be left empty")
    return f"{field.get('title') or name} ({'; '.join(notes)}):"


def _as_message(message: Object, *, can_see: bool) -> LLMMessage:
    given: Any = message["content"]
    blocks = cast("list[Object]", given if isinstance(given, list) else [given])
    content: list[str | Image] = []
    for block in blocks:
        if block["type"] == "text":
            content.append(str(block["text"]))
        elif block["type"] == "image" and can_see:
            content.append(Image.from_base64(block["data"]))
        else:
            raise sdk.RequestRefused(f"The model takes no content of the type {block['type']!r}.")
    texts = [each for each in content if isinstance(each, str)]
    if message["role"] == "assistant":
        return AssistantMessage(content="\n".join(texts), source="assistant")
    return UserMessage(content=texts[0] if len(texts) == len(content) == 1 else content, source="user")


def _uri(root: str | Path) -> str:
    text = str(root)
    return text if "://" in text else Path(text).absolute().as_uri()


def _sampling_text(params: Object) -> str:
    """What a model would be asked, as a person is shown it."""
    given = {key: _without_data(params[key]) for key in ("systemPrompt", "messages") if key in params}
    text = json.dumps(given, ensure_ascii=False)
    if len(text) <= _QUOTED:
        return text
    return f"{head_and_tail(text, _QUOTED)}\nThe whole has {len(text):,} characters, and is what you approve."


def _without_data(value: JsonValue) -> JsonValue:
    """Messages without the bytes of their pictures, which tell a person nothing."""
    if isinstance(value, list):
        return [_without_data(each) for each in value]
    if not isinstance(value, dict):
        return value
    data = value.get("data")
    is_text = isinstance(data, str) and value.get("type") in {"image", "audio"}
    shown = {**value, "data": f"<{len(cast('str', data)):,} characters>"} if is_text else value
    return {key: _without_data(each) for key, each in shown.items()}
