from typing import Any

import pytest
from pydantic import ValidationError

from symposia.core import Image
from symposia.core.exceptions import ArgumentTypeError
from symposia.core.memory import ListMemory, MemoryContent, MemoryMimeType
from symposia.core.model_context import UnboundedChatCompletionContext
from symposia.core.models import SystemMessage

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAC0lEQVR4nGNgQAYAAA4AAamRc7EAAAAASUVORK5CYII="


def text(content: str) -> MemoryContent:
    return MemoryContent(content=content, mime_type=MemoryMimeType.TEXT)


async def shown(memory: ListMemory) -> list[str]:
    context = UnboundedChatCompletionContext()
    await memory.update_context(context)
    messages = await context.get_messages()
    assert all(isinstance(message, SystemMessage) for message in messages)
    return [str(message.content) for message in messages]


async def test_what_was_added_is_shown_in_one_message_oldest_first() -> None:
    memory = ListMemory(memory_contents=[text("likes tea")])
    await memory.add(MemoryContent(content={"city": "Zürich"}, mime_type=MemoryMimeType.JSON))
    assert await shown(memory) == ['What you remember, oldest first:\n1. likes tea\n2. {"city": "Zürich"}']


async def test_the_context_update_says_what_was_shown() -> None:
    result = await ListMemory(memory_contents=[text("likes tea")]).update_context(UnboundedChatCompletionContext())
    assert result.memories.results == [text("likes tea")]


async def test_an_empty_memory_shows_nothing() -> None:
    assert await shown(ListMemory()) == []


async def test_a_query_finds_everything() -> None:
    memory = ListMemory(memory_contents=[text("one"), text("two")])
    assert (await memory.query("anything")).results == (await memory.query()).results == [text("one"), text("two")]


async def test_clear_forgets_everything() -> None:
    memory = ListMemory(memory_contents=[text("one")])
    await memory.clear()
    await memory.close()
    assert memory.content == []


async def test_the_content_can_be_replaced() -> None:
    memory = ListMemory()
    memory.content = [text("one")]
    assert (await memory.query()).results == [text("one")]


async def test_the_list_that_a_memory_was_made_from_stays_the_callers_own() -> None:
    given = [text("one")]
    await ListMemory(memory_contents=given).add(text("two"))
    assert given == [text("one")]


def test_a_memory_has_a_name() -> None:
    assert ListMemory().name == "default_list_memory"
    assert ListMemory(name="chef").name == "chef"


@pytest.mark.parametrize(
    "memory",
    [
        text("tea"),
        MemoryContent(content={"a": [1]}, mime_type=MemoryMimeType.JSON, metadata={"rank": 1}),
        MemoryContent(content=Image.from_base64(PNG), mime_type=MemoryMimeType.IMAGE),
        MemoryContent(content=b"\xff\x00", mime_type=MemoryMimeType.BINARY),
    ],
    ids=["text", "json", "image", "bytes"],
)
def test_content_survives_a_dump(memory: MemoryContent) -> None:
    assert MemoryContent.model_validate(memory.model_dump()).content == memory.content


def test_the_kind_of_content_is_written_as_its_media_type() -> None:
    assert text("tea").model_dump() == {"content": "tea", "mime_type": "text/plain", "metadata": None}
    assert MemoryContent(content="x", mime_type="text/x-own").model_dump()["mime_type"] == "text/x-own"


def test_bytes_become_base64_in_json() -> None:
    memory = MemoryContent(content=b"\xff\x00", mime_type=MemoryMimeType.BINARY)
    assert '"content":"_wA="' in memory.model_dump_json()


def test_content_of_a_wrong_type_is_refused() -> None:
    with pytest.raises(ValidationError):
        MemoryContent.model_validate({"content": 3, "mime_type": "text/plain"})


async def test_what_is_no_content_is_refused_when_it_is_added() -> None:
    text_alone: Any = "likes tea"  # Any: of the wrong type
    memory = ListMemory()
    with pytest.raises(ArgumentTypeError, match="A memory holds MemoryContent"):
        await memory.add(text_alone)
    with pytest.raises(ArgumentTypeError, match="not 'likes tea'"):
        ListMemory(memory_contents=[text_alone])
    assert await shown(memory) == []
