"""The key of a request: a hash of everything that decides its answer."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from pydantic import BaseModel, JsonValue
from pydantic_core import to_jsonable_python

from symposia.core.exceptions import ComponentError
from symposia.core.json_values import as_json
from symposia.core.models import ChatCompletionClient, CreateOptions, LLMMessage
from symposia.core.tools import Tool, ToolSchema
from symposia.ext.models._conversation_fold import ConversationFold
from symposia.ext.models._conversions import ConversionCache
from symposia.ext.models._tool_descriptions import tool_schema
from symposia.ext.models.wrappers import ModelCall, innermost

VERSION: Final = "symposia-1"
"""Part of each key; another one where a key means something else."""


class RequestKeys:
    """Computes the keys of requests to a client.

    The client's part is its `effect_identity`: class, model, address and arguments. A client of a class that has none
    of its own is known by its component configuration; where it has no such either, by itself alone, so that another
    client never gets its answers.

    Args:
        client: The client that is asked.

    Attributes:
        unknown: The names of the classes whose clients are known by themselves alone.
    """

    def __init__(self, client: ChatCompletionClient) -> None:
        self._client = client
        nameless = [leaf for leaf in innermost([client]) if _has_no_identity(leaf)]
        configurations = [_configuration(leaf) for leaf in nameless]
        self.unknown = [type(leaf).__name__ for leaf, known in zip(nameless, configurations, strict=True) if not known]
        self._nameless = [known or uuid.uuid4().hex for known in configurations]
        self._conversation = ConversationFold(b"", _extended)
        self._schemas: ConversionCache[type[BaseModel], dict[str, JsonValue]] = ConversionCache(_schema_of)

    def key(self, call: ModelCall) -> str:
        """The key of a request: 64 hexadecimal digits. Whether the answer is streamed is no part of it.

        Raises:
            InvalidArgumentError: `extra_create_args` cannot be written as JSON.
        """
        options = call.options
        tools: Sequence[Tool | ToolSchema] = options.get("tools", ())
        choice = options.get("tool_choice", "auto")
        request = {
            "version": VERSION,
            "client": self._client.effect_identity(),
            "nameless": self._nameless,
            "tools": [tool_schema(tool) for tool in tools],
            "tool_choice": choice if isinstance(choice, str) else {"tool": choice.name},
            "json_output": self._json_output(options),
            "arguments": as_json(options.get("extra_create_args", {}), "extra_create_args"),
        }
        hashed = sha256(json.dumps(request, sort_keys=True, default=repr).encode())
        hashed.update(self._conversation(call.messages))
        return hashed.hexdigest()

    def _json_output(self, options: CreateOptions) -> JsonValue:
        wanted = options.get("json_output")
        if isinstance(wanted, type):
            return self._schemas(wanted)
        return wanted


def _extended(before: bytes, message: LLMMessage) -> bytes:
    """The hash of a conversation with one more message.

    Each is hashed together with the hash of all before it. `json` and not pydantic writes the text, as it takes half of
    a surrogate pair, which models send now and then.
    """
    text = json.dumps([type(message).__name__, to_jsonable_python(message, fallback=repr)], sort_keys=True)
    return sha256(before + text.encode()).digest()


def _schema_of(model: type[BaseModel]) -> dict[str, JsonValue]:
    return model.model_json_schema()


def _has_no_identity(client: ChatCompletionClient) -> bool:
    return type(client).effect_identity is ChatCompletionClient.effect_identity


def _configuration(client: ChatCompletionClient) -> JsonValue:
    """What distinguishes a client of a class without an identity of its own; None if it cannot be saved."""
    try:
        return client.dump_component().model_dump(mode="json")
    except ComponentError:
        return None
