"""A memory that keeps a list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from symposia.core._cancellation_token import CancellationToken
from symposia.core.argument_checks import check_list, check_text
from symposia.core.exceptions import ArgumentTypeError
from symposia.core.memory._content import MemoryContent, MemoryQueryResult, UpdateContextResult
from symposia.core.memory._memory import Memory
from symposia.core.model_context import ChatCompletionContext
from symposia.core.models import SystemMessage


class ListMemory(Memory):
    """A list of memories, all of which are added to the model context, in order.

    Args:
        name: The name of the memory.
        memory_contents: The initial contents.

    Raises:
        ArgumentTypeError: `name` is no text, or `memory_contents` something else than a list of `MemoryContent`.
    """

    def __init__(self, name: str | None = None, memory_contents: Sequence[MemoryContent] | None = None) -> None:
        if name is not None:
            check_text("The name", "ListMemory", name)
        if memory_contents is not None:
            check_list("The memory_contents of ListMemory", memory_contents)
        self._name = name or "default_list_memory"
        self._contents = list(memory_contents or ())
        for content in self._contents:
            _check(content)

    def _to_config(self) -> BaseModel:
        """The present contents, from which an equal memory can be made."""
        return self._derived_config(memory_contents=self._contents)

    @property
    def name(self) -> str:
        """The name of the memory."""
        return self._name

    @property
    def content(self) -> list[MemoryContent]:
        """Everything, oldest first: the memory's own list, which may be changed or replaced."""
        return self._contents

    @content.setter
    def content(self, value: list[MemoryContent]) -> None:
        self._contents = value

    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        """Add one system message with everything, oldest first; none when there is nothing."""
        if self._contents:
            await model_context.add_message(SystemMessage(content=_listing(self._contents)))
        return UpdateContextResult(memories=MemoryQueryResult(results=self._contents))

    async def query(
        self,
        query: str | MemoryContent = "",  # noqa: ARG002 - everything is always found
        cancellation_token: CancellationToken | None = None,  # noqa: ARG002 - nothing is waited for
        **kwargs: Any,  # noqa: ARG002 - for memories that search
    ) -> MemoryQueryResult:
        """Find everything, whatever the query."""
        return MemoryQueryResult(results=self._contents)

    async def add(
        self,
        content: MemoryContent,
        cancellation_token: CancellationToken | None = None,  # noqa: ARG002 - done at once
    ) -> None:
        """Remember one more thing, as the newest.

        Raises:
            ArgumentTypeError: It is no `MemoryContent`.
        """
        _check(content)
        self._contents.append(content)

    async def clear(self) -> None:
        """Forget everything."""
        self._contents = []

    async def close(self) -> None:
        """Do nothing: the client holds no resources."""


def _check(content: object) -> None:
    if not isinstance(content, MemoryContent):
        raise ArgumentTypeError(
            "A memory holds MemoryContent, such as MemoryContent(content='…', mime_type=MemoryMimeType.TEXT), not"
            f" {content!r}"
        )


def _listing(contents: Sequence[MemoryContent]) -> str:
    lines = [f"{number}. {_as_text(memory)}" for number, memory in enumerate(contents, start=1)]
    return "\n".join(["What you remember, oldest first:", *lines])


def _as_text(memory: MemoryContent) -> str:
    if isinstance(memory.content, dict):
        return json.dumps(memory.content, ensure_ascii=False, default=str)
    return str(memory.content)
