"""The embeddings of the server, asked by OpenAI's SDK."""

import math
from collections.abc import AsyncIterator, Sequence

import pytest
from openai import AsyncOpenAI, BadRequestError

from symposia.core.memory import MemoryContent
from symposia.ext.memory.embedders import FunctionEmbedder
from symposia.ext.memory.sqlite import SQLiteMemory
from symposia.testing import MockModelServer

MODEL = "text-embedding-3-small"


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    async with (
        MockModelServer() as server,
        AsyncOpenAI(api_key="none", base_url=server.openai_url, max_retries=0) as client,
    ):
        yield client


async def vectors(client: AsyncOpenAI, texts: Sequence[str]) -> list[list[float]]:
    answer = await client.embeddings.create(model=MODEL, input=list(texts))
    return [each.embedding for each in answer.data]


async def test_texts_that_are_spelled_alike_have_vectors_that_are_close(client: AsyncOpenAI) -> None:
    one, same, like, other = await vectors(client, ["Green tea", "green  tea", "Green teas", "Parking"])
    assert len(one) == 256
    assert one == same
    assert math.isclose(math.hypot(*one), 1, rel_tol=1e-6)
    assert math.dist(one, like) < 0.8 < math.dist(one, other)


async def test_a_vector_has_the_form_and_the_length_that_is_asked_for(client: AsyncOpenAI) -> None:
    answer = await client.embeddings.create(model=MODEL, input="tea", dimensions=8, encoding_format="float")
    assert (len(answer.data[0].embedding), answer.model, answer.usage.total_tokens) == (8, MODEL, 1)
    tokens = await client.embeddings.create(model=MODEL, input=[[1, 2], [3]])
    assert len(tokens.data) == 2
    with pytest.raises(BadRequestError, match="its input is empty"):
        await client.embeddings.create(model=MODEL, input=[])
    with pytest.raises(BadRequestError, match="dimensions is 0"):
        await client.embeddings.create(model=MODEL, input="tea", dimensions=0)


async def test_a_memory_with_an_embedder_of_the_vendor_needs_no_vendor(client: AsyncOpenAI) -> None:
    async def embed(texts: Sequence[str]) -> list[list[float]]:
        return await vectors(client, texts)

    async with SQLiteMemory(":memory:", limit=1, embedder=FunctionEmbedder(embed, MODEL)) as memory:
        for fact in ("Tea is green.", "Parking is free."):
            await memory.add(MemoryContent(content=fact, mime_type="text/plain"))
        (found,) = (await memory.query("Is parking free?")).results
        assert found.content == "Parking is free."
