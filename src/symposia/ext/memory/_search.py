"""What memories that search have in common: their part of a conversation, and contents as text and as records."""

from __future__ import annotations

import asyncio
import json
import threading
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Self, TypeVar

from pydantic import JsonValue

from symposia.core import CancellationToken, run_in_worker_thread
from symposia.core.memory import Memory, MemoryContent, MemoryQueryResult, RecordedMemory, UpdateContextResult
from symposia.core.model_context import ChatCompletionContext
from symposia.core.models import LLMMessage, SystemMessage, UserMessage

T = TypeVar("T")

client_start: Final = threading.Lock()
"""Held while a client of ChromaDB is made, by a memory or by mem0: two threads at once get one that is not ready."""

HEADER: Final = "Memories that fit the conversation, the best first:"

MAX_CONTEXT_CHARACTERS: Final = 20_000
"""Of the memories that are added to a context at once: about 5,000 tokens. Those that fit least are left out."""


class SearchMemory(Memory):
    """A memory whose `query` finds what is similar. What fits the last message of the user is shown to the model.

    As a context manager it is closed at the end.
    """

    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        """Add a system message with what fits the last message of the user, unless the context has it already.

        Returns:
            What was added.
        """
        messages = await model_context.get_messages()
        query = last_text_of_user(messages)
        if not query:
            return UpdateContextResult(memories=MemoryQueryResult(results=[]))
        found = (await self.query(query)).results
        added = _that_fit(_that_are_new(found, messages))
        if added:
            await model_context.add_message(SystemMessage(content="\n".join([HEADER, *map(_line, added)])))
        return UpdateContextResult(memories=MemoryQueryResult(results=added))

    @abstractmethod
    async def query(
        self, query: str | MemoryContent, cancellation_token: CancellationToken | None = None, **kwargs: Any
    ) -> MemoryQueryResult:
        """See `Memory.query`."""

    async def __aenter__(self) -> Self:
        """Return the memory."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.close()


def last_text_of_user(messages: Sequence[LLMMessage]) -> str:
    """The text of the last message of the user, without its images; empty if there is none."""
    for message in reversed(messages):
        if isinstance(message, UserMessage):
            parts = [message.content] if isinstance(message.content, str) else message.content
            return "\n".join(part for part in parts if isinstance(part, str)).strip()
    return ""


def text_of(memory: MemoryContent) -> str:
    """The text by which a content is found: of bytes and images, the texts in their metadata."""
    match memory.content:
        case str():
            return memory.content
        case dict():
            return json.dumps(memory.content, ensure_ascii=False, default=str)
        case _:
            return " ".join(value for value in (memory.metadata or {}).values() if isinstance(value, str))


def query_text(query: str | MemoryContent) -> str:
    """The text of a query."""
    return query if isinstance(query, str) else text_of(query)


def _that_are_new(found: Iterable[MemoryContent], messages: Sequence[LLMMessage]) -> list[MemoryContent]:
    shown = [f"\n{each.content}\n" for each in messages if isinstance(each, SystemMessage) and HEADER in each.content]
    return [memory for memory in found if not any(f"\n{_line(memory)}\n" in block for block in shown)]


def _that_fit(found: Sequence[MemoryContent]) -> list[MemoryContent]:
    fitting: list[MemoryContent] = []
    left = MAX_CONTEXT_CHARACTERS
    for memory in found:
        left -= len(_line(memory))
        if left < 0 and fitting:
            break
        fitting.append(memory)
    return fitting


def _line(memory: MemoryContent) -> str:
    source = (memory.metadata or {}).get("source")
    text = text_of(memory)[:MAX_CONTEXT_CHARACTERS]
    return f"- {text} (source: {source})" if isinstance(source, str) else f"- {text}"


def write_record(memory: MemoryContent) -> str:
    """A content as JSON, from which `read_record` makes an equal one."""
    return RecordedMemory.of(memory).model_dump_json()


def read_record(record: str | bytes, **metadata: JsonValue) -> MemoryContent:
    """The content of a record, with more metadata, such as its id."""
    memory = RecordedMemory.model_validate_json(record).restore()
    return memory.model_copy(update={"metadata": (memory.metadata or {}) | metadata})


def has_metadata(memory: MemoryContent, wanted: Mapping[str, object]) -> bool:
    """Whether the metadata of a content has these values."""
    metadata = memory.metadata or {}
    return all(name in metadata and metadata[name] == value for name, value in wanted.items())


async def call_in_thread(function: Callable[[], T], token: CancellationToken | None = None) -> T:
    """Call a function that waits for a store. Cancelling the token ends the wait, and not what the store does."""
    call = asyncio.ensure_future(run_in_worker_thread(function))
    if token is not None:
        token.link_future(call)
    return await call
