"""What memories may return, with and without effect handlers."""

from collections.abc import Awaitable, Callable, Generator
from contextlib import nullcontext
from typing import Any

import pytest

from symposia.core import CancellationToken
from symposia.core.effects import Effect, handle_effects
from symposia.core.exceptions import ArgumentTypeError
from symposia.core.memory import Memory, MemoryContent, MemoryQueryResult, query_memory, update_context
from symposia.core.model_context import ChatCompletionContext, UnboundedChatCompletionContext
from symposia.core.models import UserMessage


class Returning(Memory):
    """Adds a message to the context, and returns what it was made with."""

    def __init__(self, result: Any) -> None:
        self._result = result

    async def update_context(self, model_context: ChatCompletionContext) -> Any:
        await model_context.add_message(UserMessage(content="remembered", source="memory"))
        return self._result

    async def query(
        self, query: str | MemoryContent, cancellation_token: CancellationToken | None = None, **kwargs: Any
    ) -> MemoryQueryResult:
        return self._result

    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None: ...

    async def clear(self) -> None: ...

    async def close(self) -> None: ...


class Passing:
    async def handle(self, effect: Effect[Any, Any], proceed: Callable[[], Awaitable[Any]]) -> Any:
        return await proceed()


@pytest.fixture(params=["direct", "handled"], autouse=True)
def effects(request: pytest.FixtureRequest) -> Generator[None]:
    with handle_effects(Passing()) if request.param == "handled" else nullcontext():
        yield


async def test_a_memory_that_returns_none_has_found_nothing() -> None:
    context = UnboundedChatCompletionContext()
    assert (await update_context(Returning(None), context)).memories.results == []
    assert [message.content for message in await context.get_messages()] == ["remembered"]


async def test_what_else_a_memory_returns_is_an_error_that_names_the_memory() -> None:
    with pytest.raises(ArgumentTypeError, match=r"Returning\.update_context returned \['tea'\].*UpdateContextResult"):
        await update_context(Returning(["tea"]), UnboundedChatCompletionContext())
    for result in (None, ["tea"]):
        with pytest.raises(ArgumentTypeError, match=r"Returning\.query returned .*MemoryQueryResult"):
            await query_memory(Returning(result), "tea")
