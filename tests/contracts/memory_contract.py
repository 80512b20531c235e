"""What every memory that searches does: the tests of each derive a class from `MemoryContract`."""

import asyncio
from abc import ABC, abstractmethod

import pytest

from symposia.core.exceptions import InvalidArgumentError
from symposia.core.memory import Memory, MemoryContent, MemoryMimeType, update_context
from symposia.core.model_context import UnboundedChatCompletionContext
from symposia.core.models import SystemMessage, UserMessage

FACTS = (
    "The harbour of Trieste was enlarged in 1868.",
    "Penguins incubate their eggs on their feet.",
    "Sourdough bread rises for fourteen hours.",
)


def text(content: str, **metadata: object) -> MemoryContent:
    return MemoryContent(content=content, mime_type=MemoryMimeType.TEXT, metadata=metadata or None)


async def found(memory: Memory, query: str) -> list[object]:
    return [each.content for each in (await memory.query(query)).results]


class MemoryContract(ABC):
    """The contract. Each test has a store of its own."""

    @abstractmethod
    def open_memory(self) -> Memory:
        """A memory on the test's store: another object for each call."""

    async def test_what_was_added_is_found_by_others_with_the_same_store_and_after_a_restart(self) -> None:
        first, other = self.open_memory(), self.open_memory()
        for fact in FACTS:
            await first.add(text(fact))
        assert (await found(first, "harbour of Trieste"))[0] == FACTS[0]
        assert (await found(other, "penguins and eggs"))[0] == FACTS[1]
        await other.add(text("Trieste has a lighthouse."))
        assert "Trieste has a lighthouse." in await found(first, "the lighthouse of Trieste")
        for each in (first, first, other):
            await each.close()
        again = self.open_memory()
        assert (await found(again, "sourdough bread"))[0] == FACTS[2]
        assert (await found(first, "sourdough bread"))[0] == FACTS[2]  # opened by the call
        for each in (again, first):
            await each.close()

    async def test_a_query_finds_no_more_than_its_limit(self) -> None:
        memory = self.open_memory()
        for fact in FACTS:
            await memory.add(text(fact))
        assert len((await memory.query("penguins", limit=1)).results) == 1
        with pytest.raises(InvalidArgumentError, match="give at least 1"):
            await memory.query("penguins", limit=0)
        await memory.close()

    async def test_contents_come_back_as_they_were(self) -> None:
        memory = self.open_memory()
        metadata = {"source": "orders.json", "page": 3, "nested": {"list": [1, None]}}
        given = [
            text("an order of lamps", **metadata),
            MemoryContent(content={"order": ["lamps", 2]}, mime_type=MemoryMimeType.JSON),
            MemoryContent(content=b"\x00lamp", mime_type="image/x-lamp", metadata={"title": "an order with a picture"}),
        ]
        for each in given:
            await memory.add(each)
        results = {each.mime_type: each for each in (await memory.query("an order of lamps")).results}
        for each in given:
            result = results[each.serialize_mime_type(each.mime_type)]
            assert result.content == each.content
            assert (each.metadata or {}).items() <= (result.metadata or {}).items()
            assert "id" in (result.metadata or {})
        await memory.close()

    async def test_what_was_cleared_is_found_by_nobody(self) -> None:
        first, other = self.open_memory(), self.open_memory()
        await first.add(text(FACTS[0]))
        assert await found(other, FACTS[0])
        await first.clear()
        assert [await found(each, FACTS[0]) for each in (first, other)] == [[], []]
        await other.add(text(FACTS[1]))
        assert await found(first, FACTS[1]) == [FACTS[1]]
        for each in (first, other):
            await each.close()

    async def test_concurrent_writers_lose_nothing(self) -> None:
        memories = [self.open_memory() for _ in range(3)]
        numbers = [f"number{index} of a writer" for index in range(24)]
        await asyncio.gather(*(memories[i % 3].add(text(each)) for i, each in enumerate(numbers)))
        for each in numbers:
            assert (await found(memories[0], each))[0] == each
        for each in memories:
            await each.close()

    async def test_a_context_is_updated_once_with_what_fits_the_last_message_of_the_user(self) -> None:
        memory = self.open_memory()
        for fact in FACTS:
            await memory.add(text(fact))
        context = UnboundedChatCompletionContext()
        assert (await update_context(memory, context)).memories.results == []
        await context.add_message(UserMessage(content="How do penguins incubate their eggs?", source="user"))
        added = (await update_context(memory, context)).memories.results
        assert added[0].content == FACTS[1]
        (message,) = [each for each in await context.get_messages() if isinstance(each, SystemMessage)]
        assert FACTS[1] in message.content
        assert (await update_context(memory, context)).memories.results == []
        assert len(await context.get_messages()) == 2
        await memory.close()
