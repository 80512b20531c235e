"""Calls of memories as effects."""

from __future__ import annotations

import base64
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, Field, JsonValue

from symposia.core._cancellation_token import CancellationToken
from symposia.core._image import Image
from symposia.core.effects import EffectKind, EffectRequest, effects_are_handled
from symposia.core.exceptions import ArgumentTypeError
from symposia.core.json_values import as_json
from symposia.core.memory._content import ContentType, MemoryContent, MemoryQueryResult, UpdateContextResult
from symposia.core.memory._memory import Memory
from symposia.core.model_context import ChatCompletionContext
from symposia.core.models import LLMMessage


class _Text(BaseModel, frozen=True, defer_build=True):
    type: Literal["text"] = "text"
    text: str


class _Bytes(BaseModel, frozen=True, defer_build=True):
    type: Literal["bytes"] = "bytes"
    base64: str


class _Object(BaseModel, frozen=True, defer_build=True):
    type: Literal["object"] = "object"
    value: dict[str, JsonValue]


class _Picture(BaseModel, frozen=True, defer_build=True):
    type: Literal["image"] = "image"
    image: Image


_Content: TypeAlias = Annotated[_Text | _Bytes | _Object | _Picture, Field(discriminator="type")]


class RecordedMemory(BaseModel, frozen=True, defer_build=True):
    """A `MemoryContent` whose JSON says which of text, bytes, object and image its content is.

    That of `MemoryContent` does not: base64 could be text as well. A value in a dictionary that is not JSON, such
    as a date or an object of the program, is written as pydantic writes it, or named by its class.
    """

    content: _Content
    mime_type: str
    metadata: dict[str, JsonValue] | None = None

    @classmethod
    def of(cls, memory: MemoryContent) -> RecordedMemory:
        """The record of a memory."""
        return cls(
            content=_tagged(memory.content),
            mime_type=memory.serialize_mime_type(memory.mime_type),
            metadata=None if memory.metadata is None else as_json(memory.metadata, "the metadata of a memory"),
        )

    def restore(self) -> MemoryContent:
        """The memory of this record."""
        return MemoryContent(content=_untagged(self.content), mime_type=self.mime_type, metadata=self.metadata)


class MemoryRequest(EffectRequest):
    """A query, an addition or another operation of a memory.

    Attributes:
        memory: The value of `Memory.effect_identity`.
        operation: The name of the operation.
        conversation: For ``update_context``: what the model would be shown.
        content: For ``query`` and ``add``: the query, or the new content.
        arguments: For ``query``: further arguments.
    """

    kind: Literal["memory"] = "memory"
    memory: dict[str, JsonValue]
    operation: Literal["update_context", "query", "add"]
    conversation: list[LLMMessage] = Field(default_factory=list[LLMMessage])
    content: RecordedMemory | str | None = None
    arguments: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])


class MemoryOutcome(BaseModel, defer_build=True):
    """The outcome of a call of a memory.

    Attributes:
        found: The memories, in its order.
        added: For ``update_context``: the messages that it added to the context.
    """

    found: list[RecordedMemory] = Field(default_factory=list[RecordedMemory])
    added: list[LLMMessage] = Field(default_factory=list[LLMMessage])


MEMORY_EFFECT = EffectKind("memory", MemoryRequest, MemoryOutcome)


async def update_context(memory: Memory, context: ChatCompletionContext) -> UpdateContextResult:
    """Let a memory add what fits the conversation to its context, as an effect.

    With a handler, the memory is given a view of the context that records the additions; these, or those of
    an earlier recording, are then made to the context.

    A memory that returns None has found nothing, as in AutoGen.

    Raises:
        ArgumentTypeError: The memory returned something else than an `UpdateContextResult`.
    """
    if not effects_are_handled():
        return _checked_update(memory, await memory.update_context(context))
    conversation = await context.get_messages()

    # The memory never writes to the context itself here: what it adds is part of the result, so that a replay, which
    # does not call the memory, adds the same.
    async def call() -> MemoryOutcome:
        noting = _NotingContext(context)
        update = _checked_update(memory, await memory.update_context(noting))
        return MemoryOutcome(found=[RecordedMemory.of(each) for each in update.memories.results], added=noting.added)

    outcome = await MEMORY_EFFECT.perform(
        lambda: MemoryRequest(memory=memory.effect_identity(), operation="update_context", conversation=conversation),
        call,
        idempotency="idempotent",
    )
    for message in outcome.added:
        await context.add_message(message)
    return UpdateContextResult(memories=MemoryQueryResult(results=[each.restore() for each in outcome.found]))


async def query_memory(
    memory: Memory,
    query: str | MemoryContent,
    cancellation_token: CancellationToken | None = None,
    **arguments: JsonValue,
) -> MemoryQueryResult:
    """Find what fits a query, as an effect; see `Memory.query`."""
    if not effects_are_handled():
        return _checked_query(memory, await memory.query(query, cancellation_token, **arguments))

    async def call() -> MemoryOutcome:
        result = _checked_query(memory, await memory.query(query, cancellation_token, **arguments))
        return MemoryOutcome(found=[RecordedMemory.of(each) for each in result.results])

    outcome = await MEMORY_EFFECT.perform(
        lambda: MemoryRequest(
            memory=memory.effect_identity(),
            operation="query",
            content=query if isinstance(query, str) else RecordedMemory.of(query),
            arguments=arguments,
        ),
        call,
        idempotency="idempotent",
    )
    return MemoryQueryResult(results=[each.restore() for each in outcome.found])


async def add_memory(
    memory: Memory, content: MemoryContent, cancellation_token: CancellationToken | None = None
) -> None:
    """Remember one more thing, as an effect; see `Memory.add`."""
    if not effects_are_handled():
        await memory.add(content, cancellation_token)
        return

    async def call() -> MemoryOutcome:
        await memory.add(content, cancellation_token)
        return MemoryOutcome()

    await MEMORY_EFFECT.perform(
        lambda: MemoryRequest(memory=memory.effect_identity(), operation="add", content=RecordedMemory.of(content)),
        call,
    )


def _checked_update(memory: Memory, update: UpdateContextResult | None) -> UpdateContextResult:
    if update is None:
        return UpdateContextResult(memories=MemoryQueryResult(results=[]))
    if not hasattr(update, "memories"):
        raise ArgumentTypeError(
            f"{type(memory).__name__}.update_context returned {update!r}: it has to return an UpdateContextResult,"
            " such as UpdateContextResult(memories=MemoryQueryResult(results=[…]))."
        )
    return update


def _checked_query(memory: Memory, result: MemoryQueryResult) -> MemoryQueryResult:
    if not hasattr(result, "results"):
        raise ArgumentTypeError(
            f"{type(memory).__name__}.query returned {result!r}: it has to return a MemoryQueryResult, such as "
            "MemoryQueryResult(results=[…])."
        )
    return result


class _NotingContext(ChatCompletionContext):
    """A view of a context for a memory: it records additions, and shows the conversation with them."""

    def __init__(self, context: ChatCompletionContext) -> None:
        super().__init__()
        self._context = context
        self.added: list[LLMMessage] = []

    async def add_message(self, message: LLMMessage) -> None:
        """Note a message."""
        self.added.append(message)

    async def get_messages(self) -> list[LLMMessage]:
        """The messages for the model, and those that were added."""
        return [*await self._context.get_messages(), *self.added]


def _tagged(content: ContentType) -> _Text | _Bytes | _Object | _Picture:
    match content:
        case str():
            return _Text(text=content)
        case bytes():
            return _Bytes(base64=base64.b64encode(content).decode())
        case Image():
            return _Picture(image=content)
        case _:
            return _Object(value=as_json(content, "the content of a memory"))


def _untagged(content: _Text | _Bytes | _Object | _Picture) -> ContentType:
    match content:
        case _Text():
            return content.text
        case _Bytes():
            return base64.b64decode(content.base64)
        case _Picture():
            return content.image
        case _Object():
            return content.value
