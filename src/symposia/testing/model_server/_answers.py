"""What a test tells the server to answer, in no vendor's terms."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Stop = Literal["stop", "length", "tool_calls", "content_filter"]


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """A call of a tool that the model asks for; `extra` is what a vendor compatible with OpenAI adds to it."""

    id: str
    name: str
    arguments: str = "{}"
    extra: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, kw_only=True)
class Thinking:
    """A block of thinking. OpenAI's format has only its text; Anthropic's signs it, or redacts it to `data`."""

    text: str = ""
    signature: str = "signed-by-the-vendor"
    data: str | None = None


@dataclass(kw_only=True)
class Hold:
    """Stops an answer until the test releases it.

    Attributes:
        after: How many events of a stream are sent before it stops; 0 stops before the headers.
        reached: Set by the server once it has stopped.
        release: Set by the test to let it go on.
    """

    after: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self) -> None:
        self.reached.set()
        await self.release.wait()


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer of the model.

    Attributes:
        usage: Tokens of the prompt and of the completion; zeros for a server that does not count, and
            in OpenAI's format sends none.
        cached_tokens: Tokens of the prompt that a cache saved; Anthropic counts them apart.
        stop: Why the model stopped; by default what follows from the content.
        hold: Where the server waits for the test.
        cut_after: Events of a stream after which the connection is dropped.
        extra: Fields that a compatible vendor adds to the message of an OpenAI answer.
    """

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    thinking: tuple[Thinking, ...] = ()
    usage: tuple[int, int] = (11, 7)
    cached_tokens: int = 0
    stop: Stop | None = None
    hold: Hold | None = None
    cut_after: int | None = None
    extra: Mapping[str, object] = field(default_factory=dict[str, object])

    @property
    def stop_reason(self) -> Stop:
        return self.stop or ("tool_calls" if self.tool_calls else "stop")


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An error that the vendor answers instead."""

    status: int
    message: str = "scripted failure"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class Raw:
    """A response byte by byte, for answers that no vendor should send.

    Attributes:
        cut: Whether the connection is dropped after the body.
    """

    body: bytes
    status: int = 200
    content_type: str | None = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    cut: bool = False


def words(text: str) -> list[str]:
    """The pieces in which a text is streamed: they join to the text again."""
    return re.findall(r"\s*\S+|\s+$", text)


def halves(text: str) -> list[str]:
    """The pieces in which arguments are streamed: cut in the middle, wherever that is."""
    middle = len(text) // 2
    return [part for part in (text[:middle], text[middle:]) if part]


def event(data: object, name: str | None = None) -> bytes:
    """One server-sent event."""
    head = f"event: {name}\n" if name else ""
    body = data if isinstance(data, str) else json.dumps(data)
    return f"{head}data: {body}\n\n".encode()
